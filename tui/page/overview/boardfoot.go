package overview

import (
	"fmt"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// sentence says in words what is under the cursor. It always takes the same
// number of lines, so that moving the cursor moves nothing else.
func (p *Cluster) sentence(b *board.Board, routes []*board.Route, e page.Env) []widget.Line {
	lines := 3
	if e.H < 16 {
		lines = 2
	}
	if len(routes) == 0 {
		text := " no service matches the filter " + p.filter
		if p.filter == "" {
			text = " the inventory declares no service for this cluster"
		}
		return widget.Fit([]widget.Line{widget.T(theme.Warn, text)}, lines)
	}
	r := routes[p.at(routes)]
	state, why, note := page.RouteLine(b, r, false, model.Join), r.Why, ""
	subject := r.Port + " " + string(r.Service)
	if col := p.column(b); col >= 0 {
		s := spotOf(e, b, r, b.Members[col].Instance)
		state, why, note = s.mark().Line(), s.why, s.note
		subject += " on " + string(b.Members[col].Instance)
	} else {
		note = firstNote(r)
		if _, tried := e.Probed(r); len(r.Silent) > 0 && tried < len(r.Views) {
			state = page.Probing().Line()
		}
		why = strings.TrimPrefix(why, model.Join(r.Serving)+": ")
	}
	if e.PendingRoute(r) {
		state, why, note = page.Probing().Line(), "no HAProxy has answered yet", ""
	}
	head := widget.Join(widget.P(" ").Add(theme.Strong, subject+"  "), state, widget.P("  "))
	out := page.Flow(head, why, e.W)
	room := lines
	if note != "" {
		room--
	}
	if len(out) > room {
		out = out[:room]
		out[room-1] = out[room-1].Add(theme.Plain, " …").Trunc(e.W)
	}
	if note != "" {
		out = append(out, widget.T(theme.Warn, " "+page.Differs+" "+note).Trunc(e.W))
	}
	return widget.Fit(out, lines)
}

// firstNote is the first difference between promise and reality in a route.
func firstNote(r *board.Route) string {
	for _, v := range r.Views {
		for _, c := range v.Cells {
			if c.Note != "" && c.Shut == "" {
				return string(c.Instance) + ": " + c.Note
			}
		}
	}
	return ""
}

// below are the parts of the board under the sentence, as far as room lines can
// hold them: no heading stands without what it heads.
func (p *Cluster) below(b *board.Board, e page.Env, room int) []widget.Line {
	out := []widget.Line{nil}
	out = append(out, members(b, e)...)
	out = append(out, nil, facts(b, e))
	if l := files(b, e); l != nil {
		out = append(out, l)
	}
	if len(b.Causes) > 0 && room-len(out) > 2 {
		out = append(out, nil, widget.T(theme.Head, fmt.Sprintf(" FINDINGS %d", len(b.Causes))))
		n := room - len(out) - 1 // one line stays between them and the keys
		if n < len(b.Causes) {
			n--
		}
		n = min(n, len(b.Causes))
		for i := range b.Causes[:n] {
			out = append(out, page.FindingLine(&b.Causes[i].Finding, false))
		}
		if more := len(b.Causes) - n; more > 0 {
			out = append(out, widget.T(theme.Dim, fmt.Sprintf(" … %d more: f", more)))
		}
	}
	events := page.Latest(e, min(3, room-len(out)-1), func(ev *board.Event) bool {
		return ev.Cluster == b.Cluster.Name && ev.Kind != "finding" // the board has the findings
	})
	if len(events) > 0 {
		out = append(append(out, nil), events...)
	}
	return out
}

// members is the topology, in the order of the inventory, as the columns are.
func members(b *board.Board, e page.Env) []widget.Line {
	t := widget.Table{Cols: []widget.Column{
		{Title: "MEMBER", Min: 8, Max: 32},
		{Title: "ADDRESS", Max: 40, Drop: 3},
		{Title: "ROLE", Min: 12},
		{Title: "STATE", Min: 9, Max: 24, Drop: 1},
		{Title: "TL", Min: 3, Right: true, Drop: 2},
		{Title: "LAG", Min: 7, Right: true},
		{Title: "DECLARED", Min: 8, Drop: 4},
		{Title: "", Min: 4, Max: 120, Flex: true, Drop: 5},
	}}
	for i := range b.Members {
		t.Rows = append(t.Rows, page.MemberRow(b, &b.Members[i], e))
	}
	for i := range b.Unlisted[:min(len(b.Unlisted), maxUnlisted)] {
		t.Rows = append(t.Rows, page.MemberRow(b, &b.Unlisted[i], e))
	}
	return page.TableLines(t, e)
}

// maxUnlisted is how many members that the inventory has not are drawn.
const maxUnlisted = 8

// vipPlace says which node has the VIP, and whether that is the leader's.
func vipPlace(b *board.Board, e page.Env) widget.Line {
	holder := string(b.VIP.Holder)
	for _, m := range b.Members {
		if m.Host == b.VIP.Holder {
			holder = string(m.Instance)
		}
	}
	switch {
	case e.NoAnswer() || e.Snap.VIP[b.Cluster.Name].Tried.IsZero():
		return nil
	case b.VIP.Holder == "":
		return widget.T(theme.Doubt, " ? no answer")
	case b.VIP.OnLeader:
		return widget.P(" on " + holder + " = leader")
	case b.Leader == "":
		return widget.P(" on " + holder)
	}
	return widget.T(theme.Warn, " on "+holder+" ≠ leader")
}

// facts are the VIP and the HAProxies of the cluster in one line.
func facts(b *board.Board, e page.Env) widget.Line {
	l := widget.P(" ")
	if b.Cluster.VIP != "" {
		l = l.Add(theme.Head, "VIP ").Add(theme.Plain, b.Cluster.VIP)
		l = append(append(l, vipPlace(b, e)...), widget.P("   ")...)
	}
	l = l.Add(theme.Head, "HAPROXY ")
	var silent []string
	waiting := 0
	for _, f := range b.Cluster.LoadBalancers {
		if e.ProxyNotProbed(f.Host) {
			waiting++
		} else if !e.Snap.HAProxy[f.Host].Known() {
			silent = append(silent, string(f.Host))
		}
	}
	n := len(b.Cluster.LoadBalancers)
	where := "on its own nodes"
	if b.Cluster.Provider != "" {
		where = "in group " + b.Cluster.Provider
	}
	switch {
	case waiting > 0:
		return l.Add(theme.Info, fmt.Sprintf("probing %d of %s %s", waiting, text.Plural(n, "node"), where))
	case len(silent) == 0:
		return l.Add(theme.Plain, fmt.Sprintf("%d of %d answer, %s", n, n, where))
	}
	return l.Add(theme.Doubt, fmt.Sprintf("%d of %d answer, %s; ? no answer from %s", n-len(silent), n, where, strings.Join(silent, ", ")))
}

// files is whether the service files on the nodes are as the inventory declares;
// nil where they are not read.
func files(b *board.Board, e page.Env) widget.Line {
	if !e.Reads || e.Snap == nil {
		return nil
	}
	l := widget.P(" ").Add(theme.Head, "FILES ")
	same := 0
	var waits, differ, unread []string
	var why error
	var oldest time.Time
	for _, f := range b.Cluster.LoadBalancers {
		o, look := e.Snap.Conf[f.Host], e.LastReads[f.Host]
		drift, compared := o.Value.Drift[b.Cluster.Name]
		switch {
		case look == page.LastRead{}:
			waits = append(waits, nameOf(e, f.Host))
			continue
		case look.Err != nil || !o.Known() || (!compared && !o.Value.Missing) || drift.Err != "":
			unread = append(unread, nameOf(e, f.Host))
			if why == nil {
				why = look.Err
			}
		case o.Value.Missing || len(drift.Changes) > 0:
			differ = append(differ, nameOf(e, f.Host))
		default:
			same++
		}
		if oldest.IsZero() || look.At.Before(oldest) {
			oldest = look.At
		}
	}
	if same > 0 {
		l = l.Add(theme.Plain, fmt.Sprintf("up to date on %d of %d", same, len(b.Cluster.LoadBalancers)))
	}
	if len(differ) > 0 {
		l = page.Gap(l, same > 0).Add(theme.Warn, page.Differs+" differ on "+strings.Join(differ, ", ")).Add(theme.Key, " d").Add(theme.Dim, " diff")
	}
	if len(unread) > 0 {
		l = page.Gap(l, same+len(differ) > 0).Add(theme.Doubt, "? not checked on "+strings.Join(unread, ", "))
		if why != nil {
			l = l.Add(theme.Doubt, ": "+why.Error())
		}
	}
	switch {
	case len(waits) == len(b.Cluster.LoadBalancers):
		l = l.Add(theme.Info, "· reading the nodes")
	case len(waits) > 0:
		l = page.Gap(l, true).Add(theme.Info, "· reading "+strings.Join(waits, ", "))
	}
	switch age := e.Now.Sub(oldest); { // a time of day: it stands still while nothing is read
	case same+len(differ) == 0 || oldest.IsZero():
	case age > 3*time.Minute:
		l = l.Add(theme.Doubt, "   "+page.AgeText(age)+" ago")
	default:
		l = l.Add(theme.Dim, "   read "+e.When(oldest))
	}
	return l.Trunc(e.W)
}

// nameOf is what a node is called: its nodename, else its address.
func nameOf(e page.Env, h model.Host) string {
	if n := e.Inv.Node(h); n != nil && n.Name != "" {
		return n.Name
	}
	return string(h)
}
