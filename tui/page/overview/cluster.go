package overview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Cluster is the board of one cluster: services by instances, who serves
// what, and why.
type Cluster struct {
	name    model.ClusterName
	service model.ServiceName  // row of the cursor; "" is the first
	inst    model.InstanceName // column of the cursor; "" is the whole row
	top     int
	filter  string
}

// Title is the cluster's name.
func (p *Cluster) Title() widget.Line { return widget.Raw(theme.Plain, string(p.name)) }

// Filter is the text the services are narrowed to.
func (p *Cluster) Filter() string { return p.filter }

// SetFilter narrows the services.
func (p *Cluster) SetFilter(text string) page.Page {
	return page.With(p, func(q *Cluster) { q.filter = text })
}

// BoardScreen is the board in the registry.
func BoardScreen() page.Screen {
	return page.Screen{Name: "board", Key: "2", Help: "who serves each port of the cluster", Needs: true, Board: true,
		Open: func(at page.Place, _ page.Env) page.Page { return &Cluster{name: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "detail", Help: "the service: its definition, its servers, each HAProxy's view", Opens: "service"},
			{Keys: "f", Action: keys.Findings, Label: "findings", Help: "findings, with the evidence", Opens: "findings"},
			{Keys: "d", Action: keys.Diff, Label: "diff", Help: "what a reload would change, node by node", Opens: "diff"},
			{Keys: "r", Action: keys.Reload, Label: "reload", Help: "reload the HAProxies: plan, diff, confirmation", Opens: "reload"},
			{Keys: "x", Action: keys.Act, Label: "actions", Help: "switchover, drain, restart … of the cell under the cursor and of the cluster", Opens: "actions"},
			{Keys: "C", Action: keys.Candidates, Label: "candidates", Help: "who can take over, with every gate", Opens: "candidates"},
			{Keys: "e", Action: keys.Events, Label: "events", Help: "what has changed, before the console was opened too", Opens: "events"},
			{Keys: "t", Action: keys.Topology, Label: "topology", Help: "who replicates from whom, with lag, timeline and sync state", Opens: "topology"},
			{Keys: "i", Action: keys.Instance, Label: "instance", Help: "the instance under the cursor, else the leader", Opens: "instance"},
			{Keys: "p", Action: keys.Postgres, Help: "sessions and blockers of the instance under the cursor, else of the leader", Opens: "postgres"},
			{Keys: "b", Action: keys.Pgbouncer, Help: "pgbouncer of the instance under the cursor, else of the leader", Opens: "pgbouncer"},
			{Keys: "n", Action: keys.Node, Label: "haproxy", Help: "the HAProxy nodes, each with every service on it", Opens: "haproxy"},
			{Keys: "w", Action: keys.WhatIf, Label: "what if", Help: "on paper: the member under the cursor is down, or leads", Opens: "what-if"},
			{Keys: "a", Action: keys.Access, Label: "access", Help: "every endpoint, where each leads, and which one to use", Opens: "access"},
			{Keys: "c", Action: keys.Parts, Label: "components", Help: "what Pigsty runs on the nodes, trouble first", Opens: "components"},
			{Keys: "T", Action: keys.Trace, Label: "trace", Help: "one connection to the service, hop by hop", Opens: "trace"},
			{Keys: "v", Action: keys.Values, Label: "values", Help: "where each value of the inventory comes from: file and line", Opens: "inventory"},
			{Keys: "left h", Action: keys.Left, Help: "the cell to the left; past the first: the whole service"},
			{Keys: "right l", Action: keys.Right, Help: "the cell to the right"},
			{Keys: "/", Action: keys.Filter, Help: "narrow the services as you type"},
		}, keys.Moves()...)}
}

// Scope of the board's keys.
func (p *Cluster) Scope() string { return "board" }

// Place of the cell under the cursor.
func (p *Cluster) Place(e page.Env) page.Place {
	at := page.Place{Cluster: p.name, Service: p.service, Instance: p.inst}
	if b := e.Board(p.name); b != nil {
		if routes, _ := p.routes(b); len(routes) > 0 {
			at.Service = routes[p.at(routes)].Service
		}
	}
	return at
}

// Command prints what the board shows.
func (p *Cluster) Command(page.Env) (string, string) {
	return "pgtui status " + string(p.name), "pg list " + string(p.name)
}

// routes are the services that are shown and how many are hidden.
func (p *Cluster) routes(b *board.Board) (out []*board.Route, hidden int) {
	for i := range b.Routes {
		r := &b.Routes[i]
		if !page.Matches(p.filter, string(r.Service), r.Port, string(r.Verdict)) {
			hidden++
			continue
		}
		out = append(out, r)
	}
	return out, hidden
}

// at is the row of the cursor.
func (p *Cluster) at(routes []*board.Route) int {
	return max(0, slices.IndexFunc(routes, func(r *board.Route) bool { return r.Service == p.service }))
}

// column is the column of the cursor, -1 for the whole row.
func (p *Cluster) column(b *board.Board) int {
	return slices.IndexFunc(b.Members, func(m board.Member) bool { return m.Instance == p.inst })
}

// List is the services that are shown.
func (p *Cluster) List(e page.Env) (n, at int) {
	routes, _ := p.routes(e.Board(p.name))
	return len(routes), p.at(routes)
}

// Choose puts the cursor on a service.
func (p *Cluster) Choose(i int, e page.Env) page.Page {
	q := *p
	routes, _ := p.routes(e.Board(p.name))
	q.service, q.top = routes[i].Service, widget.Window(p.top, i, len(routes), max(e.H-6, 1))
	return &q
}

// Do carries out one action.
func (p *Cluster) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	b := e.Board(p.name)
	q, col := *p, p.column(b)
	switch {
	case a == keys.Left:
		q.inst = ""
		if col > 0 {
			q.inst = b.Members[col-1].Instance
		}
	case a == keys.Right && col+1 < len(b.Members):
		q.inst = b.Members[col+1].Instance
	default:
		return page.Move(p, a, e.H/2, e), nil
	}
	return &q, nil
}

// Name is the cluster the board is of.
func (p *Cluster) Name() model.ClusterName { return p.name }

// View draws the board: the answer, the matrix, the sentence for what is under the
// cursor; then, as far as there is room, members, facts, findings. On a wide screen
// findings and events are beside it.
func (p *Cluster) View(e page.Env) []widget.Line {
	b := e.Board(p.name)
	out := boardBanner(b, e)
	e.H = max(e.H-len(out), 0)
	if wide(e) && (len(b.Causes) > 0 || len(latest(b, e, 3)) > 0) { // an empty pane is no use
		return append(out, panes(b, e, func(e page.Env) []widget.Line { return p.board(b, e, true) })...)
	}
	return append(out, p.board(b, e, false)...)
}

// board is the board below its banner. beside says that findings and events are drawn
// beside it.
func (p *Cluster) board(b *board.Board, e page.Env, beside bool) []widget.Line {
	routes, hidden := p.routes(b)
	said := p.sentence(b, routes, e)
	out, rows := p.matrix(b, routes, e)
	h := max(min(len(rows), e.H-len(out)-len(said)), 1)
	top := widget.Window(p.top, p.at(routes), len(rows), h)
	out = append(out, rows[min(top, len(rows)):min(top+h, len(rows))]...)
	if hidden > 0 {
		out = append(out, widget.T(theme.Warn, widget.F(" %s hidden by the filter %s", text.Plural(hidden, "service"), widget.Data(p.filter))))
	}
	if spare := e.H - len(out) - len(said); spare > 4 {
		out = append(out, nil)
	}
	out = append(out, said...)
	return append(out, p.below(b, e, e.H-len(out), beside)...)
}

// bannerLines is how many lines the state of the cluster may take.
func bannerLines(e page.Env) int {
	switch {
	case e.H < 9:
		return 1
	case e.H < 18:
		return 2
	}
	return 3
}

// stateLines are the state of the cluster and the sentence for it, in at most most lines.
func stateLines(b *board.Board, most int, e page.Env) []widget.Line {
	head := widget.Join(widget.P(" "), e.Health(b).Line(), widget.P("  "))
	if _, n := b.Counts(); n > 0 && !e.NoAnswer() {
		head = widget.Join(head, driftCell(b), widget.T(theme.Info, " drift  "))
	}
	return page.AtMost(page.Flow(head, widget.Words(e.Summary(b)), e.W), most, e.W)
}

// news are the findings that the sentence for the cluster does not say already.
func news(b *board.Board, e page.Env) (out []*model.Finding) {
	for i := range b.Causes {
		if f := &b.Causes[i].Finding; f.Summary != e.Summary(b) {
			out = append(out, f)
		}
	}
	return out
}

// boardBanner is the state of the cluster, and the first of what else is wrong.
func boardBanner(b *board.Board, e page.Env) []widget.Line {
	var out []widget.Line
	if b.Paused {
		out = append(out, widget.T(theme.Alarm, " PAUSED: Patroni is in maintenance mode, there is no automatic failover ").Trunc(e.W))
	}
	out = append(out, stateLines(b, bannerLines(e), e)...)
	if e.H >= 18 && !wide(e) {
		rest := news(b, e)
		if n := len(rest); n > 0 {
			f := page.FindingMark(rest[0])
			l := widget.Join(widget.P(" "), widget.T(f.Tone, widget.Words(f.Shape+" "+rest[0].Summary)))
			if n == 1 && l.Width() > e.W {
				more := widget.T(theme.Dim, "  in full: f")
				l = widget.Join(l.Trunc(e.W-more.Width()), more)
			}
			if n > 1 {
				more := widget.T(theme.Dim, widget.F("  +%d more: f", n-1))
				l = widget.Join(l.Trunc(e.W-more.Width()), more)
			}
			out = append(out, l)
		}
	}
	if e.H >= 18 {
		out = append(out, nil)
	}
	return out
}

// grid is how wide the parts of the matrix are.
type grid struct {
	name      int // SERVICE
	to, check int // 0 when dropped
	cell      int // one instance, its gutter included; 0 makes the matrix a list
}

const (
	gutter   = 1
	portCol  = 6
	seenCol  = 8
	goodCell = 16 // an instance column in which everything can be read
	lastCell = 14 // below this the matrix becomes a list
	maxCell  = 26
)

// gridFor fits the matrix into w cells: CHECK goes first, then TO; when even
// then the instances have no room the matrix becomes a list.
func gridFor(b *board.Board, w int) grid {
	g := grid{name: 8, to: 10, check: 7}
	for i := range b.Routes {
		g.name = max(g.name, widget.Width(string(b.Routes[i].Service))+1)
		if s := b.Cluster.Service(b.Routes[i].Service); s != nil {
			g.check = max(g.check, widget.Width(s.Check)+2)
		}
	}
	g.name, g.check = min(g.name, 20), min(g.check, 24)
	n := max(len(b.Members), 1)
	room := func() int { return (w - gutter - portCol - g.name - g.to - g.check - seenCol) / n }
	if room() < goodCell {
		g.check = 0
	}
	if room() < goodCell {
		g.to = 0
	}
	if w < 60 || room() < lastCell {
		return grid{name: min(g.name, max(w/4, 8))}
	}
	g.cell = min(room(), maxCell)
	return g
}

// matrix draws services by instances.
func (p *Cluster) matrix(b *board.Board, routes []*board.Route, e page.Env) (head, rows []widget.Line) {
	g := gridFor(b, e.W)
	if g.cell == 0 {
		return p.list(b, routes, g, e)
	}
	names := widget.P(" ").Add(theme.Head, "PORT  ").Add(theme.Head, "SERVICE").Pad(gutter + portCol + g.name)
	blank := names.Width()
	if g.to > 0 {
		names = names.Add(theme.Head, "TO").Pad(blank + g.to)
	}
	if g.check > 0 {
		names = names.Add(theme.Head, "CHECK").Pad(blank + g.to + g.check)
	}
	roles := widget.Raw(theme.Plain, strings.Repeat(" ", names.Width()))
	for i := range b.Members {
		m := &b.Members[i]
		names = widget.Join(names, widget.P(" ").AddRaw(theme.Strong, widget.Tail(string(m.Instance), g.cell-2)).Pad(g.cell))
		roles = widget.Join(roles, widget.Join(widget.P(" "), page.LiveRole(m, e).Trunc(g.cell-2)).Pad(g.cell))
	}
	names = names.Add(theme.Head, "SEEN BY")
	for i, r := range routes {
		rows = append(rows, p.matrixRow(b, r, g, i == p.at(routes), e).Hits(i+1))
	}
	return []widget.Line{names, roles}, rows
}

// matrixRow is one service over all instances.
func (p *Cluster) matrixRow(b *board.Board, r *board.Route, g grid, here bool, e page.Env) widget.Line {
	col := p.column(b)
	svc := b.Cluster.Service(r.Service)
	l := widget.Raw(theme.Plain, r.Port).Pad(portCol)
	l = widget.Join(l, widget.Raw(theme.Strong, string(r.Service)).Pad(g.name-1), widget.P(" "))
	if g.to > 0 {
		l = widget.Join(l, widget.Raw(theme.Plain, page.DestOf(b.Cluster, svc)).Pad(g.to-1), widget.P(" "))
	}
	if g.check > 0 && svc != nil {
		l = widget.Join(l, widget.Raw(theme.Dim, svc.Check).Pad(g.check-1), widget.P(" "))
	}
	mark := widget.P(" ")
	if here {
		mark = widget.P("▸")
		if col >= 0 {
			mark = widget.P("›")
		}
	}
	l = widget.Join(mark, l)
	for i := range b.Members {
		cell := spotOf(e, b, r, b.Members[i].Instance).line(g.cell - 2).Pad(g.cell - 2)
		before := widget.P(" ")
		if here && i == col {
			before, cell = widget.P("▸"), cell.Under()
		}
		l = widget.Join(l, before, cell, widget.P(" "))
	}
	l = widget.Join(l, page.SeenBy(r, e))
	if here && col < 0 {
		return l.Pad(e.W).Under()
	}
	return l
}

// list is the matrix on a narrow screen: port, service, who serves, why.
func (p *Cluster) list(b *board.Board, routes []*board.Route, g grid, e page.Env) (head, rows []widget.Line) {
	for i, r := range routes {
		who := page.RouteLine(b, r, e.W < page.Narrow, model.Join)
		if e.PendingRoute(r) {
			who = page.Probing().Line()
		}
		if e.W >= 60 {
			who = widget.Join(who, widget.P("  "), page.SeenBy(r, e))
		}
		l := widget.Join(widget.Raw(theme.Plain, r.Port).Pad(portCol-1), widget.Raw(theme.Strong, string(r.Service)).Pad(g.name), widget.T(theme.Dim, "→ "), who)
		rows = append(rows, page.CursorRow(l, i, p.at(routes), e.W))
	}
	return nil, rows
}

// spot is what all HAProxies together say of one instance in one service: a
// field of the board's matrix.
type spot struct {
	verdict  model.Verdict // what those that are known say; Mismatch when they differ
	known    int           // HAProxies that are known
	serving  int           // of those, how many send it new connections
	share    int           // percent of new connections, 0 when they differ about it
	sessions int64
	why      string
	note     string
	shut     bool           // it is sent connections, and its port takes none, or its pgbouncer lets none through
	held     model.PoolHold // of those: what its pgbouncer reports
	full     bool           // it is sent connections, and its queue is full
	closed   string         // what closes the service's port on every HAProxy that is known
	design   bool           // what the service is, is by design
	each     []string       // "pg-test-1: serving", where they differ
	asking   bool           // none is known, and one has not been tried yet
}

// spotOf gathers the cells of one instance over a route's views.
func spotOf(e page.Env, b *board.Board, r *board.Route, inst model.InstanceName) spot {
	s := spot{verdict: model.Unknown, share: -1, closed: r.ClosedWord(), design: b.ByDesign(r)}
	for i := range r.Views {
		v := &r.Views[i]
		c := page.CellOf(v, inst)
		if s.note == "" {
			s.note = c.Note
		}
		if v.Verdict == model.Unknown {
			if s.why == "" {
				s.why = v.Why
			}
			s.asking = s.asking || e.ProxyNotProbed(v.HAProxy)
			continue
		}
		s.known++
		s.sessions += c.Sessions
		if c.Share > 0 {
			s.serving++
			s.shut, s.held = s.shut || c.Shut != "", cmp.Or(s.held, c.PoolHeld)
			s.full = s.full || c.Full != ""
		}
		switch {
		case s.known == 1:
			s.verdict, s.share, s.why = c.Verdict, c.Share, c.Why
		case s.verdict != c.Verdict:
			s.verdict, s.share = model.Mismatch, 0
		case s.share != c.Share:
			s.share = 0
		}
		s.each = append(s.each, v.Label()+": "+string(c.Verdict))
	}
	s.share, s.asking = max(s.share, 0), s.asking && s.known == 0
	if s.verdict == model.Mismatch {
		s.why = "HAProxy nodes differ: " + strings.Join(s.each, ", ")
	}
	return s
}

// mark draws the spot in a word.
func (s spot) mark() page.Mark {
	m := page.VerdictMark(s.verdict)
	switch {
	case s.asking:
		return page.Probing()
	case s.shut:
		return page.Mark{Shape: "✕", Word: s.held.Word(), Tone: theme.Bad}
	case s.full:
		return page.Mark{Shape: "✕", Word: "queue full", Tone: theme.Bad}
	case s.closed != "" && s.verdict == model.Draining:
		return page.Mark{Shape: "✕", Word: "port " + s.closed, Tone: theme.Bad}
	case s.verdict == model.Mismatch && s.serving > 0:
		m = page.VerdictMark(model.Serving)
		m.Tone, m.Word = theme.Warn, m.Word+page.Part(s.serving, s.known)
	case s.verdict == model.Mismatch:
		m.Tone = theme.Warn
	case s.verdict == model.BackupServing && s.design:
		m.Tone = theme.Good
	}
	return m
}

// line draws the spot in w cells.
func (s spot) line(w int) widget.Line {
	m := s.mark()
	if s.asking {
		return m.Line()
	}
	if s.shut && w < 15 && s.held != "" {
		m.Word = string(s.held)
	}
	out := m.Line()
	if s.serving > 0 && s.share > 0 && s.share < 100 {
		out = out.AddRaw(m.Tone, fmt.Sprintf(" %d%%", s.share))
	}
	if s.note != "" && !s.shut && !s.full {
		out = out.Add(theme.Warn, " "+page.Differs)
	}
	if s.serving > 0 && s.sessions > 0 {
		if tail := widget.T(theme.Dim, widget.F("%d conn", s.sessions)); out.Width()+tail.Width() < w {
			out = widget.Join(out.Pad(w-tail.Width()), tail)
		}
	}
	return out
}
