// Package actions holds the pages of actions on a running cluster: who can take
// over, what can be done, a plan, and how it is carried out.
package actions

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/plan/action"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Candidates is who of a cluster can take over, and why.
type Candidates struct {
	page.Answer[candidate.Table]
	cluster model.ClusterName
	member  model.InstanceName // row of the cursor; "" is the one that fits best
	all     bool               // the gates that pass are shown too
	top     int                // first line that is seen
}

// Title of the page.
func (p *Candidates) Title() widget.Line { return widget.P("candidates") }

// Start probes when the page opens.
func (p *Candidates) Start() (page.Page, page.Intent) {
	q := *p
	return &q, q.Request(page.Inquiry{Topic: page.TopicCandidates, Cluster: p.cluster})
}

// CandidatesScreen is the page in the registry.
func CandidatesScreen() page.Screen {
	return page.Screen{Name: "candidates", Letter: "C", As: keys.Candidates, Help: "who can take over, with every gate and its number", Needs: true, Board: true, Topic: page.TopicCandidates,
		Open: func(at page.Place, _ page.Env) page.Page { return &Candidates{cluster: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter s", Action: keys.Open, Label: "switchover", Help: "plan a switchover to the member under the cursor", When: canSwitch},
			{Keys: "enter s", Action: keys.Open, Label: "failover", Help: "plan a failover to the member under the cursor: there is no leader", When: leaderless},
			{Keys: "F", Action: keys.Failover, Label: "failover", Help: "plan a failover to it: without the old leader, which may lose data", When: canSwitch},
			{Keys: "F", Action: keys.Failover, Help: "plan a failover to it", When: leaderless},
			{Keys: "tab", Action: keys.Next, Label: "all gates", Help: "every gate of the member; again: only those that do not pass", When: page.Answered},
			{Keys: "r R", Action: keys.Again, Label: "recheck", Help: "probe the nodes and log in to the members again"},
			{Keys: "x", Action: keys.Act, Label: "actions", Help: "what can be done with the member under the cursor", Opens: "actions"},
			{Keys: "i", Action: keys.Instance, Help: "the instance under the cursor", Opens: "instance"},
			{Keys: "w", Action: keys.WhatIf, Help: "on paper: the member leads", Opens: "what-if"},
		}, keys.Moves()...)}
}

// canAct says that an action on the row under the cursor is offered; canSwitch, that one
// on the row under the cursor is offered and a member leads;
// leaderless, that it is offered and none does.
const (
	canAct     keys.When = "can-act"
	canSwitch  keys.When = "can-switch"
	leaderless keys.When = "leaderless"
)

// Scope of the page's keys.
func (p *Candidates) Scope() string { return "candidates" }

// Holds reports what can be done with the answer.
func (p *Candidates) Holds(w keys.When, e page.Env) bool {
	acts := p.Got != nil && e.Acts && len(p.Got.Candidates) > 0
	switch w {
	case canSwitch:
		return acts && p.Got.Leader != ""
	case leaderless:
		return acts && p.Got.Leader == ""
	}
	return p.Got != nil
}

// Place of the member under the cursor.
func (p *Candidates) Place(page.Env) page.Place {
	at := page.Place{Cluster: p.cluster, Instance: p.member}
	if p.Got != nil && len(p.Got.Candidates) > 0 {
		at.Instance = p.Got.Candidates[p.at()].Instance
	}
	return at
}

// Command prints the gates.
func (p *Candidates) Command(page.Env) (string, string) {
	return "pgtui candidates " + string(p.cluster), "pg list " + string(p.cluster)
}

// List is the members that do not lead.
func (p *Candidates) List(page.Env) (n, at int) {
	if p.Got == nil {
		return 0, 0
	}
	return len(p.Got.Candidates), p.at()
}

// Choose puts the cursor on a member.
func (p *Candidates) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Candidates) { q.member, q.top = p.Got.Candidates[i].Instance, 0 })
}

// at is the row of the cursor.
func (p *Candidates) at() int {
	c := p.Got.Candidates
	if i := slices.IndexFunc(c, func(c candidate.Candidate) bool { return c.Instance == p.member }); i >= 0 {
		return i
	}
	if best := p.Got.Best(); len(best) > 0 {
		return slices.IndexFunc(c, func(c candidate.Candidate) bool { return c.Instance == best[0].Instance })
	}
	return 0
}

// Do carries out one action.
func (p *Candidates) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	switch {
	case a == keys.Again:
		return p.Start()
	case p.Got == nil:
		return p, nil
	case (a == keys.Open || a == keys.Failover) && len(p.Got.Candidates) > 0:
		r := action.Request{Kind: action.Switchover, Cluster: p.cluster, Candidate: p.Got.Candidates[p.at()].Instance}
		if a == keys.Failover || p.Got.Leader == "" {
			r.Kind = action.Failover
		}
		return p, page.Goto{Page: NewPlan(r)}
	case a == keys.Next:
		return page.With(p, func(q *Candidates) { q.all, q.top = !p.all, 0 }), nil
	case a == keys.Up || a == keys.Down:
		return page.Move(p, a, e.H, e), nil
	}
	return page.With(p, func(q *Candidates) { q.top = page.Scroll(a, p.top, len(p.lines(e)), e.H) }), nil
}

// Update takes the answer in.
func (p *Candidates) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	return page.With(p, func(q *Candidates) { q.Take(msg) }), nil
}

// View draws the part of the page that fits.
func (p *Candidates) View(e page.Env) []widget.Line { return page.Scrolled(p.lines(e), p.top, e) }

// lines is the whole page: the answer, the members, what holds the one under the
// cursor back, then what is of the cluster.
func (p *Candidates) lines(e page.Env) []widget.Line {
	out := p.Trouble("probing "+string(p.cluster)+" and logging in to each of its members", "who can take over is unknown", e)
	if p.Got == nil {
		return out
	}
	t := p.Got
	out = append(out, p.Answered(leaderOf(t), e)...)
	m := gateMark(t.Verdict())
	out = append(out, page.Flow(widget.P(" ").AddRaw(m.Tone, m.Shape+" "), widget.Words(t.Summary()), e.W)...)
	if !e.Acts {
		out = append(out, widget.T(theme.Warn, " "+noActions))
	}
	if e.H >= 14 {
		out = append(out, nil)
	}
	if len(t.Candidates) > 0 {
		out = append(out, p.table(e)...)
		out = append(out, p.gates(&t.Candidates[p.at()], e)...)
	}
	out = append(out, clusterGates(t.Gates, p.all, e)...)
	if t.Verdict() != candidate.No { // else there is no takeover that cuts or lasts
		out = append(out, cutLines(t.Ports, e)...)
		out = append(out, gapLines(t.Gap, e)...)
	}
	if t.Rules != "" {
		out = append(out, page.Labelled(widget.T(theme.Head, " RULES"), theme.Dim, widget.Words(t.Rules), 8, e.W, 3)...)
	}
	return out
}

// noActions is shown where a console is read-only.
const noActions = "no action: this console is read-only"

// leaderOf is who leads now.
func leaderOf(t *candidate.Table) widget.Line {
	if t.Leader == "" {
		why := t.Why
		if why == "" {
			why = "no leader is known"
		}
		return widget.P(" ").Add(theme.Head, "WHO CAN TAKE OVER").Add(theme.Doubt, widget.Words("  "+why))
	}
	return widget.P(" ").Add(theme.Head, "WHO CAN TAKE OVER").Add(theme.Dim, " from ").AddRaw(theme.Strong, string(t.Leader))
}

// gateMark draws a verdict on somebody, and on a gate.
func gateMark(v candidate.Verdict) page.Mark {
	return page.MarkOf(v, map[candidate.Verdict]page.Mark{
		candidate.Pass: {Shape: "●", Word: "can", Tone: theme.Good},
		candidate.Note: {Shape: "●", Word: "can", Tone: theme.Good},
		candidate.Risk: {Shape: "!", Word: "with a risk", Tone: theme.Warn},
		candidate.No:   {Shape: "✕", Word: "cannot", Tone: theme.Bad},
	}, page.Unknown())
}

// table is one row for each member.
func (p *Candidates) table(e page.Env) []widget.Line {
	t := widget.Table{Cols: []widget.Column{
		{Title: "MEMBER", Min: 9, Max: 32}, {Title: "TAKEOVER", Min: 9}, {Title: "BEHIND", Min: 6, Max: 16}, {Title: "TO REPLAY", Min: 9, Max: 16, Drop: 2},
		{Title: "ROLE", Min: 6, Max: 24, Drop: 1}, {Title: "HAPROXY", Min: 7, Max: 24}, {Title: "WHY", Min: 14, Max: 120, Flex: true, Sparse: true, Drop: 3},
	}}
	b := e.Board(p.cluster)
	for i := range p.Got.Candidates {
		c := &p.Got.Candidates[i]
		t.Rows = append(t.Rows, []widget.Line{
			widget.Raw(theme.Strong, string(c.Instance)), gateMark(c.Verdict).Line(), behind(c, "received-lag"), behind(c, "replay-backlog"),
			roleOf(b, c.Instance), routed(c), widget.T(theme.Dim, widget.Words(firstReason(c))),
		})
	}
	return page.ListLines(t.Layout(e.W-2), t.Rows, 0, p.at(), len(t.Rows), 0, e)
}

// gatesNamed are the gates of that name; those of HAProxies are one each.
func gatesNamed(c *candidate.Candidate, name string) (out []candidate.Gate) {
	for _, g := range c.Gates {
		if g.Name == name {
			out = append(out, g)
		}
	}
	return out
}

// behind is the number of a gate, in its tone.
func behind(c *candidate.Candidate, name string) widget.Line {
	all := gatesNamed(c, name)
	if len(all) == 0 {
		return widget.T(theme.Dim, "–")
	}
	g := all[0]
	switch {
	case g.Unit == "":
		return widget.T(theme.Doubt, "?")
	case g.Unit == "bytes" && g.Verdict == candidate.Unknown: // a number that does not decide
		return widget.T(theme.Doubt, widget.Words(page.LagText(g.Value)+" ?"))
	case g.Unit == "bytes":
		return widget.T(toneOf(g.Verdict), widget.Words(page.LagText(g.Value)))
	case g.Unit == "seconds":
		return widget.T(toneOf(g.Verdict), widget.F("%d s", g.Value))
	}
	return widget.Raw(toneOf(g.Verdict), fmt.Sprint(g.Value))
}

// toneOf is plain for what passes, so that a calm table is calm.
func toneOf(v candidate.Verdict) theme.Tone {
	if v == candidate.Pass || v == candidate.Note {
		return theme.Plain
	}
	return gateMark(v).Tone
}

// roleOf is what a member is now, and what it is declared where that matters.
func roleOf(b *board.Board, name model.InstanceName) widget.Line {
	if b == nil || b.Member(name) == nil {
		return widget.T(theme.Doubt, "?")
	}
	m := b.Member(name)
	role := page.RoleMark(m.Role)
	if !m.Known {
		role = page.Unknown()
	}
	l := widget.T(role.Tone, widget.Words(role.Word))
	if m.Declared != model.RoleReplica && m.Declared != model.RolePrimary && m.Declared != "" {
		l = l.AddRaw(theme.Warn, " ("+string(m.Declared)+")")
	}
	return l
}

// routed is how many HAProxies would send it the primary port.
func routed(c *candidate.Candidate) widget.Line {
	all := gatesNamed(c, "haproxy-view")
	if len(all) == 0 {
		return widget.T(theme.Dim, "–")
	}
	worst, by := candidate.Pass, map[model.Host]candidate.Verdict{}
	for _, g := range all {
		if v, ok := by[g.Host]; !ok || candidate.Rank(g.Verdict) > candidate.Rank(v) {
			by[g.Host] = g.Verdict
		}
		if candidate.Rank(g.Verdict) > candidate.Rank(worst) {
			worst = g.Verdict
		}
	}
	good := 0
	for _, v := range by {
		if candidate.Rank(v) <= candidate.Rank(candidate.Note) {
			good++
		}
	}
	m := gateMark(worst)
	return widget.Raw(m.Tone, fmt.Sprintf("%s %d/%d", m.Shape, good, len(by)))
}

// firstReason is the first of the worst gates, "" where all pass.
func firstReason(c *candidate.Candidate) string {
	i := slices.IndexFunc(c.Gates, func(g candidate.Gate) bool { return g.Verdict == c.Verdict })
	if i < 0 || candidate.Rank(c.Verdict) <= candidate.Rank(candidate.Note) {
		return ""
	}
	return c.Gates[i].What
}

// gates are those of the member under the cursor that do not pass, or all.
func (p *Candidates) gates(c *candidate.Candidate, e page.Env) []widget.Line {
	shown := filtered(c.Gates, p.all)
	title := widget.F(" GATES of %s", widget.Data(c.Instance))
	if len(c.Gates) == 0 {
		return []widget.Line{nil, widget.T(theme.Head, title).Add(theme.Doubt, "  ? none was read")}
	}
	if len(shown) == 0 {
		return []widget.Line{nil, widget.T(theme.Head, title).Add(theme.Good, widget.F("  ● all %d pass", len(c.Gates)))}
	}
	head := widget.T(theme.Head, title)
	if rest := len(c.Gates) - len(shown); rest > 0 {
		head = head.Add(theme.Dim, widget.F("  %d pass: tab", rest))
	}
	out := []widget.Line{nil, head}
	for _, g := range shown {
		out = append(out, gateLines(g, e)...)
	}
	return out
}

// filtered are the gates that do not pass, the worst first, or all as they are.
func filtered(gates []candidate.Gate, all bool) []candidate.Gate {
	if all {
		return gates
	}
	var out []candidate.Gate
	for _, g := range gates {
		if g.Verdict != candidate.Pass {
			out = append(out, g)
		}
	}
	slices.SortStableFunc(out, func(a, b candidate.Gate) int { return candidate.Rank(b.Verdict) - candidate.Rank(a.Verdict) })
	return out
}

// gateLines is one gate: its name, its number, who refuses, what to do.
func gateLines(g candidate.Gate, e page.Env) []widget.Line {
	m := gateMark(g.Verdict)
	if g.Verdict == candidate.Note {
		m = page.Mark{Shape: "·", Tone: theme.Info}
	}
	what := widget.Words(g.What)
	if g.By != "" && g.Verdict == candidate.No {
		what += widget.Words(" (" + g.Refusal() + ")")
	}
	out := columned(widget.P("   ").AddRaw(m.Tone, m.Shape+" ").Add(theme.Strong, widget.Words(g.Name)), what, 28, e)
	if g.Try != "" && g.Verdict != candidate.Pass {
		out = append(out, page.Labelled(widget.T(theme.Head, "     try"), theme.Plain, widget.Words(g.Try), 10, e.W, 2)...)
	}
	return out
}

// columned is text behind a head, in a column that begins at a cell; on a narrow
// screen it flows.
func columned(head widget.Line, what widget.Words, at int, e page.Env) []widget.Line {
	if e.W < page.Narrow || head.Width() >= at {
		return page.Flow(head.Add(theme.Plain, "  "), what, e.W)
	}
	return page.Labelled(head, theme.Plain, what, at, e.W, 4)
}

// clusterGates are those of the cluster and its leader.
func clusterGates(gates []candidate.Gate, all bool, e page.Env) []widget.Line {
	shown := filtered(gates, all)
	if len(shown) == 0 {
		return nil
	}
	out := []widget.Line{nil, widget.T(theme.Head, " CLUSTER")}
	for _, g := range shown {
		out = append(out, gateLines(g, e)...)
	}
	return out
}

// cutLines are the sessions that a takeover cuts, port by port.
func cutLines(ports []candidate.Port, e page.Env) []widget.Line {
	if len(ports) == 0 {
		return nil
	}
	var parts []string
	for _, x := range ports {
		n := "unknown"
		if x.Known {
			n = fmt.Sprint(x.Sessions)
		}
		parts = append(parts, fmt.Sprintf("%s on %d %s", n, x.Port, x.Service))
	}
	return append([]widget.Line{nil}, page.Labelled(widget.T(theme.Head, " CUTS"), theme.Plain, widget.Words("sessions: "+strings.Join(parts, ", ")), 8, e.W, 3)...)
}

// gapLines are how long clients find no leader, and of what that is made.
func gapLines(g candidate.Gap, e page.Env) []widget.Line {
	if g.High == 0 && g.Low == 0 {
		return nil
	}
	out := page.Labelled(widget.T(theme.Head, " GAP"), theme.Plain, widget.Words(g.Text()+" without a leader"), 8, e.W, 2)
	for _, part := range g.Parts {
		out = append(out, page.Marked(theme.Dim, "        · ", widget.Words(part), e.W-1, 3)...)
	}
	return out
}
