package detail

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Instance is one member of a cluster: what its Patroni reports, how every
// HAProxy treats it, what else runs beside it, and its findings.
type Instance struct {
	cluster model.ClusterName
	name    model.InstanceName
	list    page.Listing
}

// Title is the instance's name.
func (p *Instance) Title() widget.Line { return widget.Raw(theme.Plain, string(p.name)) }

// InstanceScreen is the page in the registry.
func InstanceScreen() page.Screen {
	return page.Screen{Name: "instance", Key: "5", Letter: "i", As: keys.Instance, Help: "one instance: its Patroni, every HAProxy's view of it", Needs: true, Board: true,
		Open: func(at page.Place, e page.Env) page.Page {
			return &Instance{cluster: at.Cluster, name: e.InstanceOf(at)}
		},
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "service", Help: "the service under the cursor", Opens: "service"},
			{Keys: "tab right l", Action: keys.Next, Label: "next instance", Help: "the next instance of the cluster"},
			{Keys: "shift+tab left h", Action: keys.Prev, Help: "the instance before it"},
			{Keys: "x", Action: keys.Act, Label: "actions", Help: "what can be done with the instance: switchover to it, drain, restart, reinit", Opens: "actions"},
			{Keys: "p", Action: keys.Postgres, Label: "postgres", Help: "its sessions: who blocks whom, slots, archive, backup", Opens: "postgres"},
			{Keys: "b", Action: keys.Pgbouncer, Label: "pgbouncer", Help: "its pgbouncer: pools, and the clients that wait", Opens: "pgbouncer"},
			{Keys: "C", Action: keys.Candidates, Label: "candidates", Help: "who can take over, with every gate", Opens: "candidates"},
			{Keys: "n", Action: keys.Node, Label: "haproxy", Help: "the HAProxy of its node", Opens: "haproxy"},
			{Keys: "t", Action: keys.Topology, Label: "topology", Help: "who replicates from whom", Opens: "topology"},
			{Keys: "w", Action: keys.WhatIf, Label: "what if", Help: "on paper: the instance is down, or leads", Opens: "what-if"},
			{Keys: "f", Action: keys.Findings, Label: "findings", Help: "the findings of the cluster", Opens: "findings"},
			{Keys: "c", Action: keys.Parts, Label: "components", Help: "what else runs on the cluster's nodes", Opens: "components"},
		}, keys.Moves()...)}
}

// Scope of the page's keys.
func (p *Instance) Scope() string { return "instance" }

// Place of the service under the cursor.
func (p *Instance) Place(e page.Env) page.Place {
	at := page.Place{Cluster: p.cluster, Instance: p.name}
	if b := e.Board(p.cluster); b != nil {
		if routes := p.routes(b); len(routes) > 0 {
			at.Service = routes[min(p.list.Cursor, len(routes)-1)].Service
		}
	}
	return at
}

// DSN of the instance itself, without pooler or HAProxy.
func (p *Instance) DSN(e page.Env) string {
	return page.DSNOf(e, page.Place{Cluster: p.cluster, Instance: p.name})
}

// Command prints what the page shows of the instance.
func (p *Instance) Command(page.Env) (string, string) {
	return "pgtui status " + string(p.cluster), "pg list " + string(p.cluster)
}

// List is the services that name the instance.
func (p *Instance) List(e page.Env) (n, at int) {
	_, rows := p.lines(e)
	return len(rows), p.list.Cursor
}

// Choose puts the cursor on a service.
func (p *Instance) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Instance) { q.list.Cursor = i })
}

// Do carries out one action.
func (p *Instance) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	q := *p
	if a == keys.Next || a == keys.Prev {
		if b := e.Board(p.cluster); len(b.Members) > 0 {
			at := max(0, slices.IndexFunc(b.Members, func(m board.Member) bool { return m.Instance == p.name }))
			q.name, q.list.Top = b.Members[page.Neighbour(a, at, len(b.Members))].Instance, 0
		}
		return &q, nil
	}
	lines, at := p.lines(e)
	q.list = p.list.Move(a, at, len(lines), e.H)
	return &q, nil
}

// View draws the part of the page that fits.
func (p *Instance) View(e page.Env) []widget.Line {
	lines, at := p.lines(e)
	return p.list.Page(lines, at, e)
}

// routes are the services that name the instance.
func (p *Instance) routes(b *board.Board) (out []*board.Route) {
	for i := range b.Routes {
		named := func(v board.View) bool { return page.CellOf(&v, p.name).Verdict != model.Unselected }
		if slices.ContainsFunc(b.Routes[i].Views, named) {
			out = append(out, &b.Routes[i])
		}
	}
	return out
}

// lines is the whole page, and the lines of the services.
func (p *Instance) lines(e page.Env) (out []widget.Line, at []int) {
	b := e.Board(p.cluster)
	i := slices.IndexFunc(b.Members, func(m board.Member) bool { return m.Instance == p.name })
	in := b.Cluster.Instance(p.name)
	if i < 0 || in == nil {
		return []widget.Line{nil, widget.T(theme.Warn, widget.F(" %s has no instance %s any more", widget.Data(p.cluster), widget.Data(p.name)))}, nil
	}
	out = p.answer(b, &b.Members[i], e)
	services, rows := p.services(b, e)
	out = append(out, nil)
	for _, r := range rows {
		at = append(at, len(out)+r)
	}
	out = append(out, services...)
	out = append(out, nil)
	out = append(out, ports(in, e)...)
	if l := pool(b, in, e); len(l) > 0 && out[len(out)-1] == nil {
		out = append(out[:len(out)-1], l...) // it continues the ports
	}
	out = append(out, p.patroni(in, e)...)
	return append(out, p.events(b, e)...), at
}

// answer says what the instance is, first of all.
func (p *Instance) answer(b *board.Board, m *board.Member, e page.Env) []widget.Line {
	row := page.MemberRow(b, m, e)
	head := widget.P(" ").AddRaw(theme.Strong, string(m.Instance)+"  ")
	head = widget.Join(head, row[2], widget.P("  "), row[3])
	if m.Timeline > 0 {
		head = widget.Join(head, widget.T(theme.Dim, "  TL "), row[4])
	}
	if m.Lag >= 0 {
		head = widget.Join(head, widget.T(theme.Dim, "  lag "), row[5])
	}
	out := page.Beside(head, widget.Join(widget.T(theme.Dim, "  declared "), row[6]), e.W)
	last := page.Beside(out[len(out)-1], widget.Raw(theme.Dim, "  "+string(m.Host)), e.W)
	out = append(out[:len(out)-1], last...)
	if m.Why != "" {
		out = append(out, page.Wrapped(theme.Doubt, widget.Words(m.Why), " ", e.W, 3)...)
	}
	for _, br := range board.Topology(e.Snap, b, e.Now) {
		if br.Member.Instance == m.Instance && br.Why != "" {
			out = append(out, page.Wrapped(theme.Warn, widget.Words(page.Differs+" "+br.Why), " ", e.W, 2)...)
		}
	}
	for i := range b.Findings {
		f := &b.Findings[i]
		if f.Instance == p.name || (f.Instance == "" && f.Host == m.Host) {
			out = append(out, page.FindingLines(f, 3, e.W)...)
		}
	}
	return out
}

// services is what the HAProxies make of the instance, service by service;
// those that say the same share a line.
func (p *Instance) services(b *board.Board, e page.Env) (out []widget.Line, at []int) {
	var first []int
	var rows [][]widget.Line
	routes := p.routes(b)
	for _, r := range routes {
		first = append(first, len(rows))
		rows = append(rows, p.serviceRows(b, r, e)...)
	}
	who := 5
	if len(rows) > len(routes) { // they differ: who says what is kept
		who = 0
	}
	t := widget.Table{Rows: rows, Cols: []widget.Column{
		{Title: "SERVICE", Min: 8, Max: 32},
		{Title: "HAPROXY", Min: 8, Max: 32, Drop: who},
		{Title: "VERDICT", Min: 12},
		{Title: "STATUS", Min: 6, Max: 24, Drop: 3},
		{Title: "CHECK", Min: 8, Max: 36, Flex: true, Drop: 4},
		{Title: "CONN", Right: true, Drop: 1},
		{Title: "PATRONI", Right: true, Drop: 2},
		{Title: "WHY", Min: 12, Max: 100, Flex: true, Sparse: true, Drop: 6},
	}}
	if len(t.Rows) == 0 {
		return []widget.Line{widget.T(theme.Dim, " no service selects it")}, nil
	}
	out, lines := page.TableRows(t, e)
	for _, i := range first {
		at = append(at, lines[i])
	}
	return out, at
}

// serviceRows are one service's views of the instance.
func (p *Instance) serviceRows(b *board.Board, r *board.Route, e page.Env) (rows [][]widget.Line) {
	svc := b.Cluster.Service(r.Service)
	name := widget.Raw(theme.Plain, r.Port+" ").AddRaw(theme.Strong, string(r.Service))
	type group struct {
		view  *board.View
		nodes []string
		conn  int64
	}
	var groups []*group
	for i := range r.Views {
		v := &r.Views[i]
		c := page.CellOf(v, p.name)
		j := slices.IndexFunc(groups, func(g *group) bool {
			o := page.CellOf(g.view, p.name)
			return o.Verdict == c.Verdict && o.Status == c.Status && o.Note == c.Note && o.Why == c.Why
		})
		if j < 0 {
			groups, j = append(groups, &group{view: v}), len(groups)
		}
		groups[j].nodes = append(groups[j].nodes, v.Label())
		groups[j].conn += c.Sessions
	}
	for _, g := range groups {
		c := page.CellOf(g.view, p.name)
		row := serverRow(g.view, &c, svc, e)
		who := widget.Raw(theme.Plain, strings.Join(g.nodes, " "))
		if len(groups) == 1 {
			who = widget.T(theme.Dim, widget.F("all %d", len(g.nodes)))
		}

		rows = append(rows, []widget.Line{name, who, row[1], row[2], row[5], widget.Raw(theme.Plain, fmt.Sprint(g.conn)), row[7], row[8]})
		name = nil
	}
	return rows
}

// ports are the ports of the instance and of its node that are probed
// all the time, and whether they answer.
func ports(in *model.Instance, e page.Env) []widget.Line {
	if e.Snap == nil {
		return nil
	}
	v := e.Snap.Patroni[in.Name]
	l := widget.T(theme.Head, " PORTS   ")
	var why []widget.Line
	add := func(number, name string, asked bool, err error, answers bool) {
		m := page.Mark{Shape: "●", Word: "", Tone: theme.Good}
		switch {
		case err != nil:
			m = page.Mark{Shape: "✕", Word: "", Tone: theme.Bad}
			if name == "postgres" || name == "pgbouncer" {
				why = append(why, page.Wrapped(theme.Bad, widget.Words("✕ "+err.Error()), "   ", e.W, 2)...)
			}
		case !asked:
			m = page.Mark{Shape: "·", Word: "", Tone: theme.Info}
		case !answers:
			m = page.Mark{Shape: "?", Word: "", Tone: theme.Doubt}
		}
		l = l.AddRaw(m.Tone, m.Shape+" ").AddRaw(theme.Plain, number).AddRaw(theme.Dim, " "+name+"   ")
	}
	for _, pt := range v.Ports {
		name := "postgres"
		if in.Pools(pt.Port) {
			name = "pgbouncer"
		}
		var shut error
		if why := pt.Shut(e.Now); why != "" && (pt.Value.Refused || v.Status.Current(e.Now)) { // else the way there may be what is broken
			shut = errors.New(why)
		}
		if pt.Err != nil && v.Status.Err == nil {
			why = append(why, page.Wrapped(theme.Doubt, widget.Words("? "+pt.Err.Error()), "   ", e.W, 2)...)
		}
		add(pt.Port, name, pt.Err != nil || !pt.Tried.IsZero(), shut, pt.Open(e.Now))
	}
	add(fmt.Sprint(in.PatroniPort), "patroni", !v.Status.Tried.IsZero(), v.Status.Err, v.Status.Current(e.Now))
	if n := e.Inv.Node(in.Host); n != nil {
		if o, asked := e.Snap.HAProxy[in.Host]; asked {
			add(fmt.Sprint(n.HAProxy.Port), "haproxy", !o.Tried.IsZero(), o.Err, o.Current(e.Now))
		}
	}
	out := []widget.Line{l}
	if e.Offers(page.TopicComponents) {
		rest := widget.T(theme.Key, "c").Add(theme.Dim, " checks the rest")
		if l.Width()+rest.Width() <= e.W {
			out[0] = widget.Join(l, rest)
		} else {
			out = append(out, widget.Join(widget.P("         "), rest))
		}
	}
	return append(append(out, why...), nil)
}

// patroni is what the instance's own Patroni and the DCS report of it.
func (p *Instance) patroni(in *model.Instance, e page.Env) []widget.Line {
	out := []widget.Line{widget.T(theme.Head, " PATRONI ").AddRaw(theme.Dim, fmt.Sprintf("%s:%d", in.Host, in.PatroniPort))}
	if e.Snap == nil {
		return append(out, widget.T(theme.Info, "   · probing"))
	}
	v := e.Snap.Patroni[in.Name]
	o := v.Status
	if b := e.Board(p.cluster); b != nil {
		if m := b.Member(in.Name); m != nil && m.Foreign != nil {
			out = append(out, page.Wrapped(theme.Bad, widget.Words("✕ "+m.Foreign.Why), "   ", e.W, 2)...)
			out = append(out, widget.T(theme.Doubt, "   that Patroni's answer follows; it is not used"))
		}
	}
	switch {
	case o.Err != nil:
		out = append(out, page.Wrapped(theme.Bad, widget.Words("✕ "+o.Err.Error()), "   ", e.W, 2)...)
		if o.Ever() {
			out = append(out, widget.T(theme.Doubt, widget.Words("   the last answer follows, "+page.AgeText(o.Age(e.Now))+" old")))
		}
	case !o.Ever():
		return append(out, widget.T(theme.Info, "   · probing"))
	}
	narrow := e
	narrow.W -= 2
	for _, l := range page.StatusFacts(o.Value, narrow) {
		out = append(out, widget.Join(widget.P("  "), l))
	}
	paths := slices.Sorted(maps.Keys(v.Checks))
	l := widget.T(theme.Dim, "   checks ")
	for _, path := range paths {
		c := v.Checks[path]
		answer := widget.T(theme.Doubt, "?")
		switch {
		case c.Current(e.Now) && c.Value == 200:
			answer = widget.T(theme.Good, "200")
		case c.Current(e.Now):
			answer = widget.Raw(theme.Plain, fmt.Sprint(c.Value))
		}
		l = widget.Join(l, widget.Raw(theme.Plain, path+" "), answer, widget.P("   "))
	}
	if len(paths) > 0 {
		out = append(out, l)
	}
	return append(append(out, p.dcs(v, e)...), nil)
}

// dcs is what the DCS holds of the instance, as its own Patroni reports it.
func (p *Instance) dcs(v model.PatroniView, e page.Env) []widget.Line {
	if !v.Cluster.Current(e.Now) {
		return nil
	}
	for _, m := range v.Cluster.Value.Members {
		if m.Name != p.name {
			continue
		}
		text := fmt.Sprintf("%s, %s", m.Role, m.State)
		if m.Timeline > 0 {
			text += fmt.Sprintf(", TL %d", m.Timeline)
		}
		if m.Lag >= 0 {
			text += ", lag " + page.LagText(m.Lag)
		}
		return []widget.Line{widget.T(theme.Dim, "   DCS    ").Add(theme.Plain, widget.Words(text))}
	}
	return []widget.Line{widget.T(theme.Dim, "   DCS    ").Add(theme.Warn, "does not list it")}
}

// events are the newest ones about the instance.
func (p *Instance) events(b *board.Board, e page.Env) []widget.Line {
	out := page.Latest(e, 8, func(c *board.Change) bool {
		return c.Cluster == b.Cluster.Name && strings.Contains(strings.Join(append(c.Path[:len(c.Path):len(c.Path)], c.Subjects...), " "), string(p.name))
	})
	if len(out) == 0 {
		return nil
	}
	return append([]widget.Line{widget.T(theme.Head, " EVENTS")}, out...)
}

// pool is what the instance's pgbouncer reports: its clients, and what keeps them
// out or waiting. It is empty where its console is not queried.
func pool(b *board.Board, in *model.Instance, e page.Env) []widget.Line {
	if e.Snap == nil {
		return nil
	}
	v := e.Snap.Patroni[in.Name]
	head := widget.T(theme.Head, " POOL    ")
	p := v.PoolNow(e.Now)
	switch {
	case p == nil && (v.Pool.Err == nil || !v.Status.Current(e.Now)):
		return nil
	case p == nil:
		return append(page.Labelled(head, theme.Doubt, widget.Words("? "+v.Pool.Err.Error()), head.Width(), e.W, 3), nil)
	}
	t := model.PoolTroubleOf(b.Cluster, p)
	m := page.Mark{Shape: "●", Word: "", Tone: theme.Good}
	n, longest := p.Waiting()
	switch {
	case t.Whole:
		m = page.Mark{Shape: "✕", Word: "", Tone: theme.Bad}
	case t.Kind != "", longest >= model.PoolWait:
		m = page.Mark{Shape: "!", Word: "", Tone: theme.Warn}
	}
	l := head.AddRaw(m.Tone, m.Shape+" ")
	if !p.Full {
		l = l.AddRaw(theme.Plain, fmt.Sprint(p.Clients))
		if p.MaxClients > 0 {
			l = l.Add(theme.Dim, widget.F(" of %d", p.MaxClients))
		}
		l = l.Add(theme.Dim, " clients   ").AddRaw(theme.Plain, fmt.Sprint(n)).Add(theme.Dim, " wait")
		if n > 0 {
			l = l.Add(theme.Dim, ", the longest ").Add(theme.Plain, widget.F("%.1f s", longest.Seconds()))
		}
	}
	for i := range p.Databases {
		d := &p.Databases[i]
		more := widget.Raw(theme.Plain, "   "+d.Name+" ").AddRaw(theme.Plain, fmt.Sprint(d.Busy)).Add(theme.Dim, widget.F("/%d in use", d.Servers))
		if l.Width()+more.Width() > e.W {
			break // the trouble is shown below
		}
		l = widget.Join(l, more)
	}
	out := []widget.Line{l}
	if t.Text != "" {
		out = append(out, page.Wrapped(m.Tone, widget.Words(m.Shape+" "+t.Text), "         ", e.W, 3)...)
	}
	return append(out, nil)
}
