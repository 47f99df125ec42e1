package page

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Topology is who replicates from whom: the leader, its replicas, theirs.
type Topology struct {
	cluster model.ClusterName
	cursor  model.InstanceName
	top     int
}

// NewTopology is the tree of one cluster with the cursor on its leader.
func NewTopology(name model.ClusterName) *Topology { return &Topology{cluster: name} }

// Title of the page.
func (p *Topology) Title() string { return "topology" }

// Keys of the tree.
func (p *Topology) Keys(Env) []keys.Binding {
	return append([]keys.Binding{
		keys.New(keys.Open, "instance", "enter", "the instance under the cursor", "enter", "l", "right"),
		keys.New(keys.WhatIf, "what if", "w", "on paper: the member under the cursor is down, or leads", "w"),
		keys.New(keys.Node, "haproxy", "n", "the HAProxy of the instance's node", "n"),
		keys.New(keys.Findings, "findings", "f", "what is wrong in the cluster", "f"),
		keys.New(keys.Events, "events", "e", "what has changed since the console was opened", "e"),
	}, keys.Moves()...)
}

func (p *Topology) tree(b *board.Board, e Env) []board.Branch {
	return board.Topology(e.Snap, b, e.Now)
}

func (p *Topology) at(tree []board.Branch) int {
	return max(0, slices.IndexFunc(tree, func(br board.Branch) bool { return br.Member.Instance == p.cursor }))
}

// Do carries out one action.
func (p *Topology) Do(a keys.Action, e Env) (Page, Intent) {
	switch a {
	case keys.Findings:
		return p, Goto{NewFindings(p.cluster)}
	case keys.Events:
		return p, Goto{NewEvents(p.cluster)}
	}
	b := e.Board(p.cluster)
	if b == nil || len(b.Members) == 0 {
		return p, nil
	}
	tree := p.tree(b, e)
	q, cur := *p, p.at(tree)
	q.cursor = tree[cur].Member.Instance
	if b.Unlist(q.cursor) != nil && slices.Contains([]keys.Action{keys.Open, keys.WhatIf, keys.Node}, a) {
		return &q, nil // nothing is known of it but what is drawn here
	}
	switch a {
	case keys.Open:
		return &q, Goto{NewInstance(p.cluster, q.cursor)}
	case keys.WhatIf:
		return &q, Goto{NewWhatIf(p.cluster, q.cursor)}
	case keys.Node:
		return &q, Goto{NewNode(p.cluster, tree[cur].Member.Host)}
	}
	if i, ok := keys.Move(a, cur, len(tree), p.space(e)); ok {
		q.cursor = tree[i].Member.Instance
		q.top = widget.Window(p.top, i, len(tree), p.space(e))
	}
	return &q, nil
}

// Update changes nothing.
func (p *Topology) Update(tea.Msg, Env) (Page, Intent) { return p, nil }

func (p *Topology) space(e Env) int {
	if e.H < 14 {
		return max(e.H-4, 1)
	}
	return max(e.H-10, 1)
}

// View draws the tree and the member under the cursor in full.
func (p *Topology) View(e Env) []widget.Line {
	b := e.Board(p.cluster)
	if b == nil {
		return []widget.Line{nil, widget.T(theme.Warn, " no such cluster: "+string(p.cluster))}
	}
	tree := p.tree(b, e)
	out := append(boardBanner(b, Env{W: e.W, H: 1, Now: e.Now, Began: e.Began, Snap: e.Snap}), nil)
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
		{Title: "", Min: 12, Max: 120, Flex: true, Drop: 3},
	}}
	for i := range tree {
		t.Rows = append(t.Rows, branchRow(b, tree, i, e))
	}
	lay := t.Layout(e.W - 2)
	out = append(out, widget.Join(widget.P(" "), lay.Head()))
	cur, h := p.at(tree), p.space(e)
	top := widget.Window(p.top, cur, len(tree), h)
	for i := top; i < min(top+h, len(tree)); i++ {
		out = append(out, cursorRow(lay.Row(t.Rows[i]), i == cur, e.W))
	}
	if below := len(tree) - top - h; below > 0 {
		out = append(out, widget.T(theme.Dim, fmt.Sprintf("  %d more below", below)))
	}
	if e.H < 14 {
		return out
	}
	return append(append(out, nil), branchText(&tree[cur], e)...)
}

// branchRow is one member in the tree.
func branchRow(b *board.Board, tree []board.Branch, i int, e Env) []widget.Line {
	br := &tree[i]
	row := memberRow(b, br.Member, e)
	name := widget.T(theme.Dim, rails(tree, i)).Add(theme.Strong, string(br.Member.Instance))
	sync := widget.T(theme.Dim, "–")
	switch {
	case br.Stream.SyncState == "sync" || br.Stream.SyncState == "quorum":
		sync = widget.T(theme.Good, br.Stream.SyncState)
	case br.Stream.SyncState != "":
		sync = widget.P(br.Stream.SyncState)
	case br.Member.Role == "sync_standby":
		sync = widget.T(theme.Good, "sync")
	}
	why := row[7]
	if br.Why != "" {
		why = widget.T(theme.Warn, differs+" "+br.Why)
	} else if br.Note != "" {
		why = widget.T(theme.Dim, br.Note)
	} else if br.Stream.State != "" && br.Stream.State != "streaming" {
		why = widget.T(theme.Warn, "its walsender is in "+br.Stream.State)
	}
	return []widget.Line{name, row[2], row[3], row[4], row[5], sync, row[1], why}
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
func branchText(br *board.Branch, e Env) []widget.Line {
	out := []widget.Line{widget.P(" ").Add(theme.Strong, string(br.Member.Instance)).Add(theme.Dim, "  "+string(br.Member.Host))}
	if br.Upstream != "" {
		text := "replicates from " + string(br.Upstream)
		if br.Stream.State != "" {
			text += ", " + strings.Join(nonEmpty(br.Stream.State, br.Stream.SyncState, br.Stream.ClientAddr), ", ")
		}
		out = append(out, widget.P(" "+text))
	}
	if br.Why != "" {
		out = append(out, wrapped(theme.Warn, differs+" "+br.Why, " ", e.W, 2)...)
	}
	if br.Note != "" {
		out = append(out, wrapped(theme.Dim, br.Note, " ", e.W, 2)...)
	}
	if br.Member.Foreign != nil {
		return out
	}
	return append(out, statusFacts(e.status(br.Member.Instance).Value, e.W)...)
}

// status is what an instance's Patroni said of itself.
func (e Env) status(name model.InstanceName) source.Observed[model.PatroniStatus] {
	if e.Snap == nil {
		return source.Observed[model.PatroniStatus]{}
	}
	return e.Snap.Patroni[name].Status
}

// statusFacts are the positions and versions that Patroni tells, in words.
func statusFacts(st model.PatroniStatus, w int) []widget.Line {
	var parts []string
	add := func(label, v string) {
		if v != "" {
			parts = append(parts, label+" "+v)
		}
	}
	add("PostgreSQL", versionText(st.ServerVersion))
	add("Patroni", st.Version)
	if st.Timeline > 0 {
		add("timeline", fmt.Sprint(st.Timeline))
	}
	if st.Location > 0 {
		add("written", lsn(st.Location))
	}
	if st.Received > 0 {
		add("received", lsn(st.Received))
	}
	if st.Replayed > 0 {
		add("replayed", lsn(st.Replayed))
	}
	add("started", started(st.PostmasterStart))
	if st.PendingRestart {
		parts = append(parts, "restart pending")
	}
	if len(st.Tags) > 0 {
		var tags []string
		for k, v := range st.Tags {
			tags = append(tags, k+"="+v)
		}
		slices.Sort(tags)
		add("tags", strings.Join(tags, " "))
	}
	if len(parts) == 0 {
		return nil
	}
	return wrapped(theme.Dim, strings.Join(parts, " · "), " ", w, 4)
}

// lsn is a WAL position as PostgreSQL writes it.
func lsn(n int64) string { return fmt.Sprintf("%X/%X", uint64(n)>>32, uint32(n)) }

// versionText is server_version_num in words: 150018 is 15.18.
func versionText(n int) string {
	switch {
	case n <= 0:
		return ""
	case n < 100000:
		return fmt.Sprintf("%d.%d.%d", n/10000, n/100%100, n%100)
	}
	return fmt.Sprintf("%d.%d", n/10000, n%10000)
}

func nonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// started is when a postmaster started, to the second; as Patroni says it where
// that is in no form that is known.
func started(text string) string {
	if t := model.ParseStarted(text); !t.IsZero() {
		return t.UTC().Format("2006-01-02 15:04:05Z")
	}
	return text
}
