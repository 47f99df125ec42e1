package overview

import (
	"fmt"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// View draws the board: the answer, the matrix, the sentence for what is
// under the cursor; then, as far as there is room, members, facts, findings.
func (p *Cluster) View(e page.Env) []widget.Line {
	b := e.Board(p.name)
	out := boardBanner(b, e)
	routes, hidden := p.routes(b)
	said := p.sentence(b, routes, e)
	head, rows := p.matrix(b, routes, e)
	h := max(min(len(rows), e.H-len(out)-len(head)-len(said)), 1)
	top := widget.Window(p.top, p.at(routes), len(rows), h)
	out = append(out, head...)
	out = append(out, rows[min(top, len(rows)):min(top+h, len(rows))]...)
	if hidden > 0 {
		out = append(out, widget.T(theme.Warn, fmt.Sprintf(" %s hidden by the filter %s", page.Plural(hidden, "service"), p.filter)))
	}
	if spare := e.H - len(out) - len(said); spare > 4 {
		out = append(out, nil)
	}
	out = append(out, said...)
	return append(out, p.below(b, e, e.H-len(out))...)
}

// boardBanner is the state of the cluster in a line or two.
func boardBanner(b *board.Board, e page.Env) []widget.Line {
	m, text := e.Health(b), e.Summary(b)
	var out []widget.Line
	if b.Paused {
		out = append(out, widget.T(theme.Alarm, " PAUSED: Patroni is in maintenance mode, there is no automatic failover ").Trunc(e.W))
	}
	head := widget.Join(widget.P(" "), m.Line(), widget.P("  "))
	if e.H < 20 || head.Width()+widget.Width(text) <= e.W {
		out = append(out, head.Add(theme.Plain, text))
	} else {
		parts := widget.Wrap(text, e.W-head.Width()-1)
		for i, s := range parts[:min(len(parts), 2)] {
			if i > 0 {
				head = widget.P(strings.Repeat(" ", head.Width()))
			}
			out = append(out, head.Add(theme.Plain, s))
		}
	}
	if e.H >= 18 {
		var rest []model.Finding
		for _, f := range b.Findings { // what the sentence says already is no news
			if f.Summary != text && (f.Service == "" || !strings.HasPrefix(text, string(f.Service)+" (")) {
				rest = append(rest, f)
			}
		}
		if n := len(rest); n > 0 {
			f := page.SeverityMark(rest[0].Severity)
			l := widget.Join(widget.P(" "), widget.T(f.Tone, f.Shape+" "+rest[0].Summary))
			if n > 1 {
				more := widget.T(theme.Dim, fmt.Sprintf("  +%d more: f", n-1))
				l = widget.Join(l.Trunc(e.W-more.Width()), more)
			}
			out = append(out, l)
		}
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
	blank := len(names.String())
	if g.to > 0 {
		names = names.Add(theme.Head, "TO").Pad(blank + g.to)
	}
	if g.check > 0 {
		names = names.Add(theme.Head, "CHECK").Pad(blank + g.to + g.check)
	}
	roles := widget.P(strings.Repeat(" ", names.Width()))
	for i := range b.Members {
		m := &b.Members[i]
		names = widget.Join(names, widget.P(" ").Add(theme.Strong, widget.Tail(string(m.Instance), g.cell-2)).Pad(g.cell))
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
	l := widget.P(r.Port).Pad(portCol)
	l = widget.Join(l, widget.T(theme.Strong, string(r.Service)).Pad(g.name-1), widget.P(" "))
	if g.to > 0 {
		l = widget.Join(l, widget.T(theme.Plain, page.DestOf(b.Cluster, svc)).Pad(g.to-1), widget.P(" "))
	}
	if g.check > 0 && svc != nil {
		l = widget.Join(l, widget.T(theme.Dim, svc.Check).Pad(g.check-1), widget.P(" "))
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
		cell := spotOf(e, r, b.Members[i].Instance).line(g.cell - 2).Pad(g.cell - 2)
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
		m := page.RouteMark(r)
		who := widget.Join(m.Line())
		switch {
		case e.PendingRoute(r):
			who = page.Probing().Line()
		case r.ClosedWord() != "":
			who = widget.T(m.Tone, m.Shape+" port "+r.ClosedWord())
		case r.Verdict == model.Serving && len(r.Silent) == 0 && len(r.Serving) > 0:
			who = widget.T(m.Tone, m.Shape+" "+model.Join(r.Serving))
		case r.Verdict == model.BackupServing && len(r.Silent) == 0 && len(r.Serving) > 0:
			who = widget.T(m.Tone, m.Shape+" "+model.Join(r.Serving)+" (backup)")
		case r.Verdict == model.Empty && b.ByDesign(r):
			who = widget.T(theme.Dim, "– no server, as declared")
		default:
			if names, same, all := page.ServingMost(r); same > 0 {
				who = widget.T(m.Tone, fmt.Sprintf("%s %s (%d/%d)", m.Shape, model.Join(names), same, all))
			}
		}
		if e.W >= 60 {
			who = widget.Join(who, widget.P("  "), page.SeenBy(r, e))
		}
		l := widget.Join(widget.P(r.Port).Pad(portCol-1), widget.T(theme.Strong, string(r.Service)).Pad(g.name), widget.T(theme.Dim, "→ "), who)
		rows = append(rows, page.CursorRow(l, i, p.at(routes), e.W))
	}
	return nil, rows
}
