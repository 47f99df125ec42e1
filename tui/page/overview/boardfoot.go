package overview

import (
	"slices"
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
	switch {
	case e.H < 16:
		lines = 2
	case e.H >= tallFrom:
		lines = 5
	}
	if len(routes) == 0 {
		text := widget.F(" no service matches the filter %s", widget.Data(p.filter))
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
	head := widget.Join(widget.P(" ").AddRaw(theme.Strong, subject+"  "), state, widget.P("  "))
	out := page.Flow(head, widget.Words(why), e.W)
	notes := page.Labelled(widget.T(theme.Warn, " "+page.Differs), theme.Warn, widget.Words(note), 3, e.W, max(lines-len(out), lines/2, 1))
	if note == "" {
		notes = nil
	}
	room := lines - len(notes)
	return widget.Fit(append(page.AtMost(out, room, e.W), notes...), lines)
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
// hold them: no heading stands without what it heads. beside says that findings and
// events are drawn elsewhere.
func (p *Cluster) below(b *board.Board, e page.Env, room int, beside bool) []widget.Line {
	list, last := members(b, e), append(append([]widget.Line{nil}, facts(b, e)...), files(b, e)...)
	list = append([]widget.Line{nil}, list...)
	if len(list)+len(last) > room { // no empty lines, and the topology has the members that have no room
		list, last = list[1:], last[1:]
		if over := len(list) + len(last) - room; over > 0 {
			list = shortened(list, len(list)-over)
			last = last[:min(len(last), max(room-len(list), 0))]
		}
	}
	out := slices.Concat(list, last)
	if beside || len(out) >= room {
		return out
	}
	if len(b.Causes) > 0 && room-len(out) > 2 {
		out = append(out, nil, page.FindingsTitle(b.Counts()))
		for i := range b.Causes {
			spare, last := room-len(out)-1, i == len(b.Causes)-1 // one line stays between them and the keys
			lines := causeHead(&b.Causes[i], e, 3)
			if !last {
				spare--
			}
			if len(lines) > spare {
				lines = causeHead(&b.Causes[i], e, 1)
			}
			if len(lines) > spare {
				out = append(out, moreFindings(len(b.Causes)-i))
				break
			}
			out = append(out, lines...)
		}
	}
	if events := latest(b, e, min(3, room-len(out)-1)); len(events) > 0 {
		out = append(append(out, nil), events...)
	}
	return out
}

// shortened are the first of the lines of a list of members, n with the one that says that
// there are more; none where a head would stand alone.
func shortened(lines []widget.Line, n int) []widget.Line {
	if n < 2 {
		return nil
	}
	return append(lines[:n-1:n-1], widget.T(theme.Dim, widget.F("   ↓ %d more lines: ", len(lines)-n+1)).Add(theme.Key, "t").Add(theme.Dim, " topology"))
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
		{Title: "WHY", Min: 12, Max: 120, Flex: true, Sparse: true, Drop: 5},
	}}
	for i := range b.Members {
		t.Rows = append(t.Rows, page.MemberRow(b, &b.Members[i], e))
	}
	for i := range b.Unlisted[:min(len(b.Unlisted), maxUnlisted)] {
		t.Rows = append(t.Rows, page.MemberRow(b, &b.Unlisted[i], e))
	}
	if e.H < tallFrom {
		return page.TableLines(t, e)
	}
	why := len(t.Cols) - 1 // a tall screen has room for it in full
	t.Cols = t.Cols[:why]
	out := page.TableLines(t, e)
	for _, row := range t.Rows {
		if l := row[why]; l.Width() > 0 {
			name := widget.Join(widget.P(" "), row[0], widget.P("  "))
			out = append(out, page.LabelledRaw(name, l[0].Tone, l.String(), name.Width(), e.W, 3)...)
		}
	}
	return out
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
		return widget.P(widget.F(" on %s = leader", widget.Data(holder)))
	case b.Leader == "":
		return widget.P(widget.F(" on %s", widget.Data(holder)))
	}
	return widget.T(theme.Warn, widget.F(" on %s ≠ leader", widget.Data(holder)))
}

// facts are the VIP and the HAProxies of the cluster.
func facts(b *board.Board, e page.Env) []widget.Line {
	l := widget.P(" ")
	if b.Cluster.VIP != "" {
		l = l.Add(theme.Head, "VIP ").AddRaw(theme.Plain, b.Cluster.VIP)
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
		return []widget.Line{l.Add(theme.Info, widget.F("probing %d of %s %s", waiting, text.Plural(n, "node"), where))}
	case len(silent) == 0:
		return []widget.Line{l.Add(theme.Plain, widget.F("%d of %d answer, %s", n, n, where))}
	}
	return withMore(l.Add(theme.Doubt, widget.F("%d of %d answer, %s", n-len(silent), n, where)), widget.T(theme.Doubt, widget.F("; ? no answer from %s", widget.Data(strings.Join(silent, ", ")))), e)
}

// files is whether the service files on the nodes are as the inventory declares;
// nil where they are not read.
func files(b *board.Board, e page.Env) []widget.Line {
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
		l = l.Add(theme.Plain, widget.F("up to date on %d of %d", same, len(b.Cluster.LoadBalancers)))
	}
	if len(differ) > 0 {
		l = page.Gap(l, same > 0).Add(theme.Warn, widget.F("≠ differ on %s", widget.Data(strings.Join(differ, ", ")))).Add(theme.Key, " d").Add(theme.Dim, " diff")
	}
	if len(unread) > 0 {
		l = page.Gap(l, same+len(differ) > 0).Add(theme.Doubt, widget.F("? not checked on %s", widget.Data(strings.Join(unread, ", "))))
		if why != nil && (e.H < longFrom || l.Width()+widget.Width(why.Error())+16 <= e.W) { // 16: when they were read
			l, why = l.Add(theme.Doubt, widget.Words(": "+why.Error())), nil
		}
	}
	switch {
	case len(waits) == len(b.Cluster.LoadBalancers):
		l = l.Add(theme.Info, "· reading the nodes")
	case len(waits) > 0:
		l = page.Gap(l, true).Add(theme.Info, widget.F("· reading %s", widget.Data(strings.Join(waits, ", "))))
	}
	if same+len(differ) > 0 {
		l = readAt(l, oldest, e)
	}
	if why != nil {
		return withMore(l, widget.T(theme.Doubt, widget.Words("   "+page.Unknown().Shape+" "+why.Error())), e)
	}
	return []widget.Line{l.Trunc(e.W)}
}

// readAt adds when the files were read: a time of day, because it stands still while
// nothing is read, and an age once that is long ago.
func readAt(l widget.Line, at time.Time, e page.Env) widget.Line {
	switch age := e.Now.Sub(at); {
	case at.IsZero():
		return l
	case age > 3*time.Minute:
		return l.Add(theme.Doubt, widget.Words("   "+page.AgeText(age)+" ago"))
	}
	return l.Add(theme.Dim, widget.Words("   read "+e.When(at)))
}

// nameOf is what a node is called: its nodename, else its address.
func nameOf(e page.Env, h model.Host) string {
	if n := e.Inv.Node(h); n != nil && n.Name != "" {
		return n.Name
	}
	return string(h)
}
