package page

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// WhatIf is a cluster on paper: some members gone, another one leading. It is
// worked out from the live state at every frame and touches nothing.
type WhatIf struct {
	answer[model.RuleFacts] // what Patroni decides by
	name                    model.ClusterName
	cursor                  model.InstanceName   // "" is the leader, or the first when there is none
	down                    []model.InstanceName // in the order they were supposed
	leader                  model.InstanceName   // "" lets the likely one lead
	begun                   bool                 // the operator has chosen; before that the one under the cursor is down
}

// NewWhatIf supposes that inst is down; the leader when inst is "".
func NewWhatIf(name model.ClusterName, inst model.InstanceName) *WhatIf {
	return &WhatIf{name: name, cursor: inst}
}

// Title of the page.
func (p *WhatIf) Title() string { return "what if" }

// Start asks what Patroni decides by, when the page opens.
func (p *WhatIf) Start() (Page, Intent) {
	q := *p
	var ask Intent
	q.answer, ask = p.ask(Inquiry{Topic: TopicRules, Cluster: p.name})
	return &q, ask
}

// Keys of the page.
func (p *WhatIf) Keys(Env) []keys.Binding {
	return append([]keys.Binding{
		keys.New(keys.Toggle, "down or up", "enter", "suppose the member down, or not", "enter", "w"),
		keys.New(keys.Lead, "it leads", "l", "suppose the member leads, or leave it to Patroni", "l"),
		keys.New(keys.Again, "", "R", "ask Patroni again what it decides by", "R"),
		keys.New(keys.Up, "", "↑/k", "up", "up", "k"),
		keys.New(keys.Down, "member", "↓/j", "down", "down", "j"),
	}, keys.Moves()[2:]...)
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
func (p *WhatIf) Do(a keys.Action, e Env) (Page, Intent) {
	if a == keys.Again {
		return p.Start()
	}
	b := e.Board(p.name)
	if b == nil || len(b.Members) == 0 {
		return p, nil
	}
	sup, cur := p.supposed(b)
	q := *p
	q.begun, q.down, q.leader = true, slices.Clone(sup.Down), sup.Leader
	q.cursor = b.Members[cur].Instance
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
	if i, ok := keys.Move(a, cur, len(b.Members), e.H); ok {
		q.cursor = b.Members[i].Instance
	}
	return &q, nil
}

// Update takes in what Patroni decides by; the rest is worked out from every
// snapshot.
func (p *WhatIf) Update(msg tea.Msg, _ Env) (Page, Intent) {
	got, ok := p.take(msg)
	if !ok {
		return p, nil
	}
	q := *p
	q.answer = got
	return &q, nil
}

// snapshot is what the nodes have answered, with what Patroni decides by.
func (p *WhatIf) snapshot(e Env) *model.Snapshot {
	if p.got == nil {
		return e.Snap
	}
	return e.Snap.With(model.Readings{Rules: map[model.ClusterName]model.RuleFacts{p.name: *p.got}})
}

// View draws what is supposed, the members, and each service now and then.
func (p *WhatIf) View(e Env) []widget.Line {
	b := e.Board(p.name)
	switch {
	case b == nil:
		return []widget.Line{nil, widget.T(theme.Warn, " There is no cluster "+string(p.name)+" any more.")}
	case e.Pending(b):
		return []widget.Line{nil, widget.T(theme.Info, " still asking; not every node has answered yet …")}
	}
	sup, cur := p.supposed(b)
	out, err := failover.WhatIf(p.snapshot(e), b.Cluster, sup, e.Now)
	lines := []widget.Line{p.title(sup, b)}
	if err != nil {
		return append(lines, nil, widget.T(theme.Warn, " "+err.Error()))
	}
	leads := p.leads(&out, e)
	short := append(slices.Clone(lines), leads[0])
	lines = append(lines, leads...)
	for i := range out.Held {
		lines = append(lines, wrapped(theme.Bad, "✕ "+out.Held[i].Text(), " ", e.W, 3)...)
	}
	members, services := p.members(&out, sup, cur, e), thenTable(&out, e)
	if len(lines)+len(members)+len(services)+2 > e.H { // no room for both: where the cursor is, and the answer
		return append(append(short, members[1+cur]), services...)
	}
	lines = append(lines, reasons(&out, e, e.H-len(lines)-len(members)-len(services)-2)...)
	lines = append(append(lines, nil), members...)
	lines = append(append(lines, nil), services...)
	if text := board.UnreadText(out.Unread); text != "" {
		lines = append(append(lines, nil), wrapped(theme.Doubt, "? "+text, " ", e.W, 3)...)
	}
	lines = append(append(lines, nil), wrapped(theme.Dim, out.Rules.Words()+".", " ", e.W, 3)...)
	return append(lines, wrapped(theme.Dim,
		"On paper: nothing is touched. It is so once every check has settled; a failover itself takes Patroni's ttl and HAProxy's checks, "+
			"and until then nobody serves what the lost member served. CUT is the sessions that HAProxy would end.", " ", e.W, 5)...)
}

// title says what is supposed.
func (p *WhatIf) title(sup failover.Supposition, b *board.Board) widget.Line {
	l := widget.P(" ").Add(theme.Head, "WHAT IF ")
	switch {
	case len(sup.Down) > 0:
		verb := " is down"
		if len(sup.Down) > 1 {
			verb = " are down"
		}
		l = l.Add(theme.Strong, model.Join(sup.Down)+verb)
		if sup.Leader != "" {
			l = l.Add(theme.Strong, ", "+string(sup.Leader)+" leads")
		}
	case sup.Leader != "":
		l = l.Add(theme.Strong, string(sup.Leader)+" leads")
	default:
		l = l.Add(theme.Strong, "nothing happens to "+string(b.Cluster.Name))
	}
	return l.Add(theme.Dim, "   on paper")
}

// reasons are the sentences behind the answer, in at most most lines.
func reasons(out *failover.Outcome, e Env, most int) []widget.Line {
	var lines []widget.Line
	if l := out.NodeLoss; l != nil {
		lines = append(lines, wrapped(theme.Warn, "! If the whole node is lost ("+model.JoinHosts(l.Nodes)+"): "+l.Why, " ", e.W, 4)...)
	}
	for _, r := range out.Reasons {
		lines = append(lines, wrapped(theme.Plain, r, " ", e.W, 4)...)
	}
	if len(lines) <= max(most, 0) {
		return lines
	}
	if most < 1 {
		return nil
	}
	return append(lines[:most-1], widget.T(theme.Dim, " … pgtui whatif says the rest"))
}

// leads says who leads then, and why that one.
func (p *WhatIf) leads(out *failover.Outcome, e Env) []widget.Line {
	if out.Unsure {
		return flow(widget.P(" ").Add(theme.Doubt, "? who leads then is not known: "), out.Why, e.W)
	}
	if out.Leader == "" {
		return flow(widget.P(" ").Add(theme.Bad, "✕ nobody leads then: "), out.Why, e.W)
	}
	return flow(widget.P(" then ").Add(theme.Good, string(out.Leader)+" leads").Add(theme.Plain, ": "), out.Why, e.W)
}

func (p *WhatIf) members(out *failover.Outcome, sup failover.Supposition, cur int, e Env) []widget.Line {
	t := widget.Table{Cols: []widget.Column{{Title: "MEMBER", Min: 8, Max: 32}, {Title: "NOW", Min: 12, Max: 24}, {Title: "THEN", Min: 12, Max: 30}, {Title: "LAG", Min: 6, Right: true, Drop: 1}}}
	for i := range out.Before.Members {
		m := &out.Before.Members[i]
		then := roleMark(out.After.Members[i].Role)
		switch {
		case slices.Contains(sup.Down, m.Instance):
			then = mark{"✕", "down", theme.Bad}
		case m.Instance == out.Leader:
			then = mark{"●", "LEADER", theme.Good}
		case !out.After.Members[i].Known:
			then = mark{"?", "not known", theme.Doubt}
		}
		now := roleMark(m.Role)
		if !m.Known {
			now = mark{"?", "no answer", theme.Doubt}
		}
		t.Rows = append(t.Rows, []widget.Line{widget.T(theme.Strong, string(m.Instance)), now.line(), then.line(), widget.P(lagText(m.Lag))})
	}
	lay := t.Layout(e.W - 2)
	lines := []widget.Line{widget.Join(widget.P(" "), lay.Head())}
	for i, r := range t.Rows {
		lines = append(lines, cursorRow(lay.Row(r), i == cur, e.W))
	}
	return lines
}

// thenTable is each service now and then, with the sessions that are cut.
func thenTable(out *failover.Outcome, e Env) []widget.Line {
	t := widget.Table{Cols: []widget.Column{{Title: "PORT", Min: 4}, {Title: "SERVICE", Min: 7, Max: 20}, {Title: "NOW", Min: 9, Max: 30},
		{Title: "", Min: 1}, {Title: "THEN", Min: 9, Max: 34}, {Title: "CUT", Min: 3, Right: true},
		{Title: "WHY", Min: 8, Max: 120, Flex: true, Drop: 1}}}
	if e.W < narrow {
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
			cut = widget.T(theme.Warn, fmt.Sprint(n))
		}
		why := ""
		if will.Verdict != model.Serving {
			why = will.Why
		}
		t.Rows = append(t.Rows, []widget.Line{widget.P(was.Port), widget.T(theme.Strong, string(was.Service)),
			now, arrow, then, cut, widget.T(theme.Dim, why)})
	}
	lay := t.Layout(e.W - 2)
	lines := []widget.Line{widget.Join(widget.P(" "), lay.Head())}
	for _, r := range t.Rows {
		lines = append(lines, widget.Join(widget.P(" "), lay.Row(r)))
	}
	return lines
}

// whoServes is a route in a few words; on a narrow screen in fewer.
func whoServes(b *board.Board, r *board.Route, w int) widget.Line {
	m := routeMark(r)
	switch {
	case len(r.Silent) > 0 && r.Verdict != model.Empty:
		return knownSay(b.Cluster, r, m, w)
	case w < narrow && len(r.Serving) > 0 && (r.Verdict == model.Serving || r.Verdict == model.BackupServing):
		return widget.T(m.tone, m.shape+" "+seqs(b.Cluster, r.Serving))
	case w < narrow && r.Verdict == model.Empty:
		return widget.T(m.tone, m.shape+" nobody")
	case r.Verdict == model.Empty && b.ByDesign(r):
		return widget.T(theme.Dim, "– nobody, as declared")
	case r.Verdict == model.Unknown || r.Verdict == model.Mismatch:
		return knownSay(b.Cluster, r, m, w)
	case len(r.Serving) > 0 && r.Verdict == model.Serving:
		return widget.T(m.tone, m.shape+" "+seqNames(b.Cluster, r.Serving))
	case len(r.Serving) > 0 && r.Verdict == model.BackupServing:
		return widget.T(m.tone, m.shape+" "+seqNames(b.Cluster, r.Serving)+" (backup)")
	}
	return m.line()
}

// knownSay is what most of the HAProxies that are known say of a route, and how
// many of them do.
func knownSay(c *model.Cluster, r *board.Route, m mark, w int) widget.Line {
	names, same, all := saidToServe(r)
	if same > 0 {
		who := seqNames(c, names)
		if w < narrow {
			who = seqs(c, names)
		}
		return widget.T(m.tone, fmt.Sprintf("%s %s %d/%d", m.shape, who, same, all))
	}
	known := 0
	for i := range r.Views {
		if v := r.Views[i].Verdict; v == model.Empty {
			known++
		}
	}
	if known > 0 {
		return widget.T(m.tone, fmt.Sprintf("%s nobody %d/%d", m.shape, known, all))
	}
	return m.line()
}

// seqNames names one instance in full, several by what tells them apart.
func seqNames(c *model.Cluster, names []model.InstanceName) string {
	if len(names) == 1 {
		return string(names[0])
	}
	return string(c.Name) + "-" + seqs(c, names)
}
