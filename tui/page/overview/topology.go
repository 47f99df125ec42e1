package overview

import (
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Topology is who replicates from whom: the leader, its replicas, theirs.
type Topology struct {
	cluster model.ClusterName
	cursor  model.InstanceName
	top     int
}

// Title of the page.
func (p *Topology) Title() widget.Line { return widget.P("topology") }

// TopologyScreen is the tree in the registry.
func TopologyScreen() page.Screen {
	return page.Screen{Name: "topology", Key: "3", Letter: "t", As: keys.Topology, Help: "who replicates from whom: lag, timeline, sync state", Needs: true, Board: true,
		Open: func(at page.Place, _ page.Env) page.Page { return &Topology{cluster: at.Cluster, cursor: at.Instance} },
		Keys: append([]keys.Row{
			{Keys: "enter l right", Action: keys.Open, Label: "instance", Help: "the instance under the cursor", Opens: "instance", When: declaredMember},
			{Keys: "w", Action: keys.WhatIf, Label: "what if", Help: "on paper: the member under the cursor is down, or leads", Opens: "what-if", When: declaredMember},
			{Keys: "n", Action: keys.Node, Label: "haproxy", Help: "the HAProxy of the instance's node", Opens: "haproxy", When: declaredMember},
			{Keys: "f", Action: keys.Findings, Label: "findings", Help: "the findings of the cluster", Opens: "findings"},
			{Keys: "e", Action: keys.Events, Label: "events", Help: "what has changed, before the console was opened too", Opens: "events"},
		}, keys.Moves()...)}
}

// declaredMember says that the inventory has the member under the cursor: of
// another one nothing is known but what the tree draws.
const declaredMember keys.When = "declared-member"

// Scope of the tree's keys.
func (p *Topology) Scope() string { return "topology" }

// Holds reports whether the inventory has the member under the cursor.
func (p *Topology) Holds(_ keys.When, e page.Env) bool {
	b := e.Board(p.cluster)
	return b.Unlist(p.cursor) == nil
}

// Place of the member under the cursor.
func (p *Topology) Place(e page.Env) page.Place {
	at := page.Place{Cluster: p.cluster, Instance: p.cursor}
	if b := e.Board(p.cluster); b != nil && len(b.Members) > 0 {
		tree := p.tree(b, e)
		at.Instance = tree[p.at(tree)].Member.Instance
	}
	return at
}

// Command prints the members.
func (p *Topology) Command(page.Env) (string, string) {
	return "pgtui status " + string(p.cluster), "pg topology " + string(p.cluster)
}

func (p *Topology) tree(b *board.Board, e page.Env) []board.Branch {
	return board.Topology(e.Snap, b, e.Now)
}

func (p *Topology) at(tree []board.Branch) int {
	return max(0, slices.IndexFunc(tree, func(br board.Branch) bool { return br.Member.Instance == p.cursor }))
}

// List is the members of the tree.
func (p *Topology) List(e page.Env) (n, at int) {
	tree := p.tree(e.Board(p.cluster), e)
	return len(tree), p.at(tree)
}

// Choose puts the cursor on a member.
func (p *Topology) Choose(i int, e page.Env) page.Page {
	q := *p
	tree := p.tree(e.Board(p.cluster), e)
	q.cursor, q.top = tree[i].Member.Instance, widget.Window(p.top, i, len(tree), p.space(e))
	return &q
}

// Do carries out one action.
func (p *Topology) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	return page.Move(p, a, p.space(e), e), nil
}

func (p *Topology) space(e page.Env) int { return e.Rows(4, 10) }

// View draws the tree and the member under the cursor in full.
func (p *Topology) View(e page.Env) []widget.Line {
	b := e.Board(p.cluster)
	tree := p.tree(b, e)
	out := append(stateLines(b, bannerLines(e), e), nil)
	if len(tree) == 0 {
		return append(out, widget.T(theme.Warn, " the inventory declares no instance"))
	}
	t := widget.Table{Cols: []widget.Column{
		{Title: "MEMBER", Min: 12, Max: 44},
		{Title: "ROLE", Min: 10},
		{Title: "STATE", Min: 9, Max: 24, Drop: 2},
		{Title: "TL", Min: 3, Right: true, Drop: 1},
		{Title: "LAG", Min: 7, Right: true},
		{Title: "SYNC", Min: 5, Max: 12, Drop: 2},
		{Title: "ADDRESS", Max: 40, Drop: 4},
		{Title: "WHY", Min: 12, Max: 120, Flex: true, Sparse: true, Drop: 3},
	}}
	for i := range tree {
		t.Rows = append(t.Rows, branchRow(b, tree, i, e))
	}
	cur, h := p.at(tree), p.space(e)
	top := widget.Window(p.top, cur, len(tree), h)
	out = append(out, page.ListLines(t.Layout(e.W-2), t.Rows[top:min(top+h, len(tree))], top, cur, len(tree), h, e)...)
	if e.H < 14 {
		return out
	}
	return append(append(out, nil), branchText(b, &tree[cur], e)...)
}

// branchRow is one member in the tree.
func branchRow(b *board.Board, tree []board.Branch, i int, e page.Env) []widget.Line {
	br := &tree[i]
	row := page.MemberRow(b, br.Member, e)
	name := widget.Raw(theme.Dim, rails(tree, i)).AddRaw(theme.Strong, string(br.Member.Instance))
	sync := widget.T(theme.Dim, "–")
	switch {
	case br.Stream.SyncState == "sync" || br.Stream.SyncState == "quorum":
		sync = widget.Raw(theme.Good, br.Stream.SyncState)
	case br.Stream.SyncState != "":
		sync = widget.Raw(theme.Plain, br.Stream.SyncState)
	case br.Member.Role == "sync_standby":
		sync = widget.T(theme.Good, "sync")
	}
	return []widget.Line{name, row[2], row[3], row[4], row[5], sync, row[1], branchWhy(b, br, e)}
}

// branchWhy is what is wrong with a member of the tree, or else to say of it.
func branchWhy(b *board.Board, br *board.Branch, e page.Env) widget.Line {
	switch {
	case br.Why != "":
		return widget.T(theme.Warn, widget.Words(page.Differs+" "+br.Why))
	case br.Note != "":
		return widget.T(theme.Dim, widget.Words(br.Note))
	case br.Stream.State != "" && br.Stream.State != "streaming":
		return widget.T(theme.Warn, widget.Words("walsender state "+br.Stream.State))
	}
	return page.MemberRow(b, br.Member, e)[7]
}

// rails are the lines of the tree in front of a name.
func rails(tree []board.Branch, i int) string {
	if tree[i].Depth == 0 {
		return ""
	}
	out := "├─ "
	if tree[i].Last {
		out = "└─ "
	}
	depth := tree[i].Depth
	for j := i - 1; j >= 0 && depth > 1; j-- {
		if tree[j].Depth == depth-1 {
			depth--
			rail := "│  "
			if tree[j].Last {
				rail = "   "
			}
			out = rail + out
		}
	}
	return out
}

// branchText is one member of the tree in a few lines.
func branchText(b *board.Board, br *board.Branch, e page.Env) []widget.Line {
	out := []widget.Line{widget.P(" ").AddRaw(theme.Strong, string(br.Member.Instance)).AddRaw(theme.Dim, "  "+string(br.Member.Host))}
	if br.Upstream != "" {
		text := "replicates from " + string(br.Upstream)
		if br.Stream.State != "" {
			text += ", " + strings.Join(page.NonEmpty(br.Stream.State, br.Stream.SyncState, br.Stream.ClientAddr), ", ")
		}
		out = append(out, widget.P(widget.Words(" "+text)))
	}
	if why := branchWhy(b, br, e); why.Width() > 0 && br.Why == "" && br.Note == "" {
		out = append(out, page.WrappedRaw(why[0].Tone, why.String(), " ", e.W, 3)...)
	}
	if br.Why != "" {
		out = append(out, page.Wrapped(theme.Warn, widget.Words(page.Differs+" "+br.Why), " ", e.W, 2)...)
	}
	if br.Note != "" {
		out = append(out, page.Wrapped(theme.Dim, widget.Words(br.Note), " ", e.W, 2)...)
	}
	if br.Member.Foreign != nil {
		return out
	}
	return append(out, page.StatusFacts(e.Status(br.Member.Instance).Value, e)...)
}
