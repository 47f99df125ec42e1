package detail

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// WhatIf is a cluster on paper: some members gone, another one leading. It is
// worked out from the live state at every frame and touches nothing.
type WhatIf struct {
	page.Answer[model.RuleFacts] // what Patroni decides by
	name                         model.ClusterName
	cursor                       model.InstanceName   // "" is the leader, or the first when there is none
	down                         []model.InstanceName // in the order they were supposed
	leader                       model.InstanceName   // "" lets the likely one lead
	begun                        bool                 // the operator has chosen; before that the one under the cursor is down
}

// Title of the page.
func (p *WhatIf) Title() widget.Line { return widget.P("what if") }

// Start reads what Patroni decides by, when the page opens.
func (p *WhatIf) Start() (page.Page, page.Intent) {
	q := *p
	return &q, q.Request(page.Inquiry{Topic: page.TopicRules, Cluster: p.name})
}

// WhatIfScreen is the page in the registry.
func WhatIfScreen() page.Screen {
	return page.Screen{Name: "what-if", Key: "9", Letter: "w", As: keys.WhatIf, Help: "simulate that a member is down, or leads", Needs: true, Board: true,
		Open: func(at page.Place, _ page.Env) page.Page { return &WhatIf{name: at.Cluster, cursor: at.Instance} },
		Keys: append([]keys.Row{
			{Keys: "enter w", Action: keys.Toggle, Label: "down or up", Help: "the member is down, or up again"},
			{Keys: "l", Action: keys.Lead, Label: "it leads", Help: "the member leads, or Patroni decides"},
			{Keys: "R", Action: keys.Again, Help: "read again what Patroni decides by"},
			{Keys: "up k", Action: keys.Up, Help: "up"},
			{Keys: "down j", Action: keys.Down, Label: "member", Help: "down"},
		}, keys.Moves()[2:]...)}
}

// Scope of the page's keys.
func (p *WhatIf) Scope() string { return "what-if" }

// Place of the page.
func (p *WhatIf) Place(page.Env) page.Place { return page.Place{Cluster: p.name, Instance: p.cursor} }

// Command supposes the same.
func (p *WhatIf) Command(e page.Env) (string, string) {
	out := "pgtui whatif " + string(p.name)
	b := e.Board(p.name)
	if b == nil {
		return out, ""
	}
	sup, _ := p.supposed(b)
	for _, n := range sup.Down {
		out += " --down " + text.Word(string(n))
	}
	if sup.Leader != "" {
		out += " --leader " + text.Word(string(sup.Leader))
	}
	return out, ""
}

// List is the members of the cluster.
func (p *WhatIf) List(e page.Env) (n, at int) {
	b := e.Board(p.name)
	_, at = p.supposed(b)
	return len(b.Members), at
}

// Choose puts the cursor on a member; what is supposed stays.
func (p *WhatIf) Choose(i int, e page.Env) page.Page {
	q, b := *p, e.Board(p.name)
	sup, _ := p.supposed(b)
	q.begun, q.down, q.leader = true, slices.Clone(sup.Down), sup.Leader
	q.cursor = b.Members[i].Instance
	return &q
}

// supposed is what is supposed, and the row of the cursor.
func (p *WhatIf) supposed(b *board.Board) (failover.Supposition, int) {
	cur := slices.IndexFunc(b.Members, func(m board.Member) bool { return m.Instance == p.cursor })
	if cur < 0 {
		cur = max(slices.IndexFunc(b.Members, func(m board.Member) bool { return m.Instance == b.Leader }), 0)
	}
	sup := failover.Supposition{Down: p.down, Leader: p.leader}
	if !p.begun && len(b.Members) > 0 {
		sup.Down = []model.InstanceName{b.Members[cur].Instance}
	}
	return sup, cur
}

// Do carries out one action.
func (p *WhatIf) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	if a == keys.Again {
		return p.Start()
	}
	b := e.Board(p.name)
	if len(b.Members) == 0 {
		return p, nil
	}
	if a != keys.Toggle && a != keys.Lead {
		return page.Move(p, a, e.H, e), nil
	}
	_, cur := p.supposed(b)
	q := *p.Choose(cur, e).(*WhatIf)
	switch a {
	case keys.Toggle:
		if i := slices.Index(q.down, q.cursor); i >= 0 {
			q.down = slices.Delete(q.down, i, i+1)
		} else {
			q.down = append(q.down, q.cursor)
			if q.leader == q.cursor {
				q.leader = ""
			}
		}
	case keys.Lead:
		if q.leader == q.cursor {
			q.leader = ""
			break
		}
		q.leader = q.cursor
		q.down = slices.DeleteFunc(q.down, func(n model.InstanceName) bool { return n == q.cursor })
	}
	return &q, nil
}

// Update takes in what Patroni decides by; the rest is worked out from every
// snapshot.
func (p *WhatIf) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	return page.With(p, func(q *WhatIf) { q.Take(msg) }), nil
}

// snapshot is what the nodes have answered, with what Patroni decides by.
func (p *WhatIf) snapshot(e page.Env) *model.Snapshot {
	if p.Got == nil {
		return e.Snap
	}
	return e.Snap.With(model.Readings{Rules: map[model.ClusterName]model.RuleFacts{p.name: *p.Got}})
}

// View draws what is supposed, the members, and each service now and then.
func (p *WhatIf) View(e page.Env) []widget.Line {
	b := e.Board(p.name)
	if e.Pending(b) {
		return []widget.Line{nil, widget.T(theme.Info, " still probing: not every node has answered yet …")}
	}
	if b.KnownMembers() == 0 {
		why := widget.F("! Patroni answers on no member of %s: there is no state to simulate from. f shows the findings.", widget.Data(p.name))
		return append([]widget.Line{widget.P(" ").Add(theme.Head, "WHAT IF"), nil}, page.Wrapped(theme.Warn, why, " ", e.W, 5)...)
	}
	sup, cur := p.supposed(b)
	out, err := failover.WhatIf(p.snapshot(e), b.Cluster, sup, e.Now)
	lines := []widget.Line{p.title(sup, b)}
	if err != nil {
		return append(lines, nil, widget.T(theme.Warn, widget.Words(" "+err.Error())))
	}
	leads := p.leads(&out, e)
	short := append(slices.Clone(lines), leads[0])
	lines = append(lines, leads...)
	for i := range out.Held {
		lines = append(lines, page.Wrapped(theme.Bad, widget.Words("✕ "+out.Held[i].Text()), " ", e.W, 3)...)
	}
	members, services := p.members(&out, sup, cur, e), thenTable(&out, e)
	if len(lines)+len(members)+len(services)+2 > e.H { // no room for both: where the cursor is, and the answer
		out := append(append(short, members[1+cur]), services...)
		return page.Scrolled(page.Squeezed(out, e.H), 0, e)
	}
	lines = append(lines, reasons(&out, e, e.H-len(lines)-len(members)-len(services)-2)...)
	lines = append(append(lines, nil), members...)
	lines = append(append(lines, nil), services...)
	if text := board.UnreadText(out.Unread); text != "" {
		lines = append(append(lines, nil), page.Wrapped(theme.Doubt, widget.Words("? "+text), " ", e.W, 3)...)
	}
	for _, more := range [][]widget.Line{
		page.Wrapped(theme.Dim, widget.Words(out.Rules.Words()+"."), " ", e.W, 3),
		page.Wrapped(theme.Dim, "On paper: nothing is changed. This is the state once every check has settled. A failover takes Patroni's ttl and HAProxy's checks; "+
			"until then the services of the lost member have no server. CUT counts the sessions that HAProxy would end.", " ", e.W, 5),
	} {
		if len(lines)+1+len(more) <= e.H { // what the page is read without is whole or not there
			lines = append(append(lines, nil), more...)
		}
	}
	return page.Squeezed(lines, e.H)
}

// title says what is supposed.
func (p *WhatIf) title(sup failover.Supposition, b *board.Board) widget.Line {
	l := widget.P(" ").Add(theme.Head, "WHAT IF ")
	switch {
	case len(sup.Down) > 0:
		verb := " is down"
		switch gone := !slices.ContainsFunc(sup.Down, func(n model.InstanceName) bool { return b.Member(n) == nil || b.Member(n).Known }); {
		case gone && len(sup.Down) > 1:
			verb = " stay down"
		case gone:
			verb = " stays down"
		case len(sup.Down) > 1:
			verb = " are down"
		}
		l = l.Add(theme.Strong, widget.Words(model.Join(sup.Down)+verb))
		if sup.Leader != "" {
			l = l.Add(theme.Strong, widget.F(", %s leads", widget.Data(sup.Leader)))
		}
	case sup.Leader != "":
		l = l.Add(theme.Strong, widget.F("%s leads", widget.Data(sup.Leader)))
	default:
		l = l.Add(theme.Strong, widget.F("nothing happens to %s", widget.Data(b.Cluster.Name)))
	}
	return l.Add(theme.Dim, "   on paper")
}

// reasons are the sentences behind the answer, in at most most lines.
func reasons(out *failover.Outcome, e page.Env, most int) []widget.Line {
	var lines []widget.Line
	if l := out.NodeLoss; l != nil {
		lines = append(lines, page.Wrapped(theme.Warn, widget.Words("! If the whole node is lost ("+model.Join(l.Nodes)+"): "+l.Why), " ", e.W, 4)...)
	}
	for _, r := range out.Reasons {
		lines = append(lines, page.Wrapped(theme.Plain, widget.Words(r), " ", e.W, 4)...)
	}
	if len(lines) <= max(most, 0) {
		return lines
	}
	if most < 1 {
		return nil
	}
	return append(lines[:most-1], widget.T(theme.Dim, " … pgtui whatif prints the rest"))
}

// leads says who leads then, and why that one.
func (p *WhatIf) leads(out *failover.Outcome, e page.Env) []widget.Line {
	if out.Unsure {
		return page.Flow(widget.P(" ").Add(theme.Doubt, "? the next leader is unknown: "), widget.Words(out.Why), e.W)
	}
	if out.Leader == "" {
		return page.Flow(widget.P(" ").Add(theme.Bad, "✕ no leader: "), widget.Words(out.Why), e.W)
	}
	return page.Flow(widget.P(" then ").Add(theme.Good, widget.F("%s leads", widget.Data(out.Leader))).Add(theme.Plain, ": "), widget.Words(out.Why), e.W)
}

func (p *WhatIf) members(out *failover.Outcome, sup failover.Supposition, cur int, e page.Env) []widget.Line {
	t := widget.Table{Cols: []widget.Column{{Title: "MEMBER", Min: 8, Max: 32}, {Title: "NOW", Min: 12, Max: 24}, {Title: "THEN", Min: 12, Max: 30}, {Title: "LAG", Min: 6, Right: true, Drop: 1}}}
	for i := range out.Before.Members {
		m := &out.Before.Members[i]
		then := page.RoleMark(out.After.Members[i].Role)
		switch {
		case slices.Contains(sup.Down, m.Instance):
			then = page.Mark{Shape: "✕", Word: "down", Tone: theme.Bad}
		case m.Instance == out.Leader:
			then = page.Mark{Shape: "●", Word: "LEADER", Tone: theme.Good}
		case !out.After.Members[i].Known:
			then = page.Mark{Shape: "?", Word: "unknown", Tone: theme.Doubt}
		}
		now := page.RoleMark(m.Role)
		if !m.Known {
			now = page.Mark{Shape: "?", Word: "no answer", Tone: theme.Doubt}
		}
		t.Rows = append(t.Rows, []widget.Line{widget.Raw(theme.Strong, string(m.Instance)), now.Line(), then.Line(), widget.P(widget.Words(page.Lag(m.Lag, m.LagTime)))})
	}
	return page.ListLines(t.Layout(e.W-2), t.Rows, 0, cur, len(t.Rows), 0, e)
}

// thenTable is each service now and then, with the sessions that are cut.
func thenTable(out *failover.Outcome, e page.Env) []widget.Line {
	t := widget.Table{Cols: []widget.Column{{Title: "PORT", Min: 4}, {Title: "SERVICE", Min: 7, Max: 20}, {Title: "NOW", Min: 9, Max: 30},
		{Title: "", Min: 1}, {Title: "THEN", Min: 9, Max: 34}, {Title: "CUT", Min: 3, Right: true},
		{Title: "WHY", Min: 24, Max: 120, Flex: true, Sparse: true, Drop: 1}}}
	if e.W < page.Narrow {
		t.Gap, t.Cols[2].Min, t.Cols[4].Min, t.Cols = 1, 6, 6, t.Cols[:6]
	}
	for i := range out.Before.Routes {
		was, will := &out.Before.Routes[i], &out.After.Routes[i]
		now, then := whoServes(&out.Before, was, e.W), whoServes(&out.After, will, e.W)
		arrow := widget.T(theme.Dim, "=")
		if now.String() != then.String() {
			arrow = widget.T(theme.Strong, "→")
		}
		cut := widget.T(theme.Dim, "0")
		if n := out.Cut[was.Service]; n > 0 {
			cut = widget.Raw(theme.Warn, fmt.Sprint(n))
		}
		why := ""
		if will.Verdict != model.Serving {
			why = will.Why
		}
		t.Rows = append(t.Rows, []widget.Line{widget.Raw(theme.Plain, was.Port), widget.Raw(theme.Strong, string(was.Service)),
			now, arrow, then, cut, widget.T(theme.Dim, widget.Words(why))})
	}
	return page.TableLines(t, e)
}

// whoServes is a route in a few words; on a narrow screen in fewer.
func whoServes(b *board.Board, r *board.Route, w int) widget.Line {
	return page.RouteLine(b, r, w < page.Narrow || r.Verdict != model.BackupServing, func(names []model.InstanceName) string { return seqNames(b.Cluster, names, w) })
}

// seqNames names one instance in full, several by their numbers; on a narrow
// screen one as well.
func seqNames(c *model.Cluster, names []model.InstanceName, w int) string {
	switch {
	case w < page.Narrow:
		return page.Seqs(c, names)
	case len(names) == 1:
		return string(names[0])
	}
	return string(c.Name) + "-" + page.Seqs(c, names)
}
