package detail

import (
	"maps"
	"slices"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Node is one HAProxy: every section it runs, of this cluster and of others,
// with its traffic and its servers.
type Node struct {
	cluster model.ClusterName
	host    model.Host
	list    page.Listing
}

// Title names the node.
func (p *Node) Title() widget.Line { return widget.P(widget.F("haproxy %s", widget.Data(p.host))) }

// NodeScreen is the page in the registry.
func NodeScreen() page.Screen {
	return page.Screen{Name: "haproxy", Letter: "n", As: keys.Node, Help: "one HAProxy node: every section, with its traffic", Needs: true, Board: true,
		Open: func(at page.Place, e page.Env) page.Page { return &Node{cluster: at.Cluster, host: e.HostOf(at)} },
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "service", Help: "the service of the section under the cursor"},
			{Keys: "tab right l", Action: keys.Next, Label: "next node", Help: "the next HAProxy of the cluster"},
			{Keys: "shift+tab left h", Action: keys.Prev, Help: "the HAProxy before it"},
			{Keys: "x", Action: keys.Act, Label: "actions", Help: "what can be done with the node: maintenance, and its end", Opens: "actions"},
			{Keys: "i", Action: keys.Instance, Label: "instance", Help: "the cluster's instance on this node"},
			{Keys: "f", Action: keys.Findings, Label: "findings", Help: "the findings of the cluster", Opens: "findings"},
			{Keys: "d", Action: keys.Diff, Label: "diff", Help: "what a reload would change, node by node", Opens: "diff"},
		}, keys.Moves()...)}
}

// Scope of the page's keys.
func (p *Node) Scope() string { return "haproxy" }

// Place of the page.
func (p *Node) Place(page.Env) page.Place { return page.Place{Cluster: p.cluster, Host: p.host} }

// Command prints where each port of the cluster leads, node by node.
func (p *Node) Command(page.Env) (string, string) { return "pgtui routes " + string(p.cluster), "" }

// List is the sections of the HAProxy.
func (p *Node) List(e page.Env) (n, at int) {
	_, rows, _ := p.lines(e)
	return len(rows), p.list.Cursor
}

// Choose puts the cursor on a section.
func (p *Node) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Node) { q.list.Cursor = i })
}

// Do carries out one action.
func (p *Node) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	b := e.Board(p.cluster)
	if len(b.Cluster.LoadBalancers) == 0 {
		return p, nil
	}
	q := *p
	lines, at, of := p.lines(e)
	switch a {
	case keys.Open:
		if len(of) == 0 {
			return p, nil
		}
		if s := of[min(p.list.Cursor, len(of)-1)]; s.cluster != "" {
			return p, page.Open{Screen: "service", At: page.Place{Cluster: s.cluster, Service: s.service}}
		}
		return p, page.Say{Text: "this section is not a service of the inventory"}
	case keys.Next, keys.Prev:
		at := max(0, slices.IndexFunc(b.Cluster.LoadBalancers, func(f model.LoadBalancer) bool { return f.Host == p.host }))
		q.host, q.list.Top = b.Cluster.LoadBalancers[page.Neighbour(a, at, len(b.Cluster.LoadBalancers))].Host, 0
	case keys.Instance:
		if i := slices.IndexFunc(b.Cluster.Instances, func(in model.Instance) bool { return in.Host == p.host }); i >= 0 {
			return p, page.Open{Screen: "instance", At: page.Place{Cluster: p.cluster, Instance: b.Cluster.Instances[i].Name}}
		}
		return p, page.Say{Text: "no instance of " + string(p.cluster) + " runs on this node"}
	default:
		q.list = p.list.Move(a, at, len(lines), e.H)
	}
	return &q, nil
}

// View draws the part of the page that fits.
func (p *Node) View(e page.Env) []widget.Line {
	lines, at, _ := p.lines(e)
	return p.list.Page(lines, at, e)
}

// section is which service a HAProxy section is; zero when it is not one.
type section struct {
	cluster model.ClusterName
	service model.ServiceName
}

// sections are the services that the inventory puts on the node, by the name
// of their section.
func (p *Node) sections(e page.Env) map[string]section {
	out := map[string]section{}
	for i := range e.Boards {
		c := e.Boards[i].Cluster
		if f := c.LoadBalancer(p.host); f != nil {
			for j := range f.Services {
				out[f.Services[j].Proxy()] = section{c.Name, f.Services[j].Name}
			}
		}
	}
	return out
}

// lines is the whole page, the lines that can be chosen, and what they are.
func (p *Node) lines(e page.Env) (out []widget.Line, at []int, of []section) {
	b := e.Board(p.cluster)
	if b.Cluster.LoadBalancer(p.host) == nil && len(b.Cluster.LoadBalancers) > 0 {
		where := "other nodes"
		if b.Cluster.Provider != "" {
			where = "the nodes of group " + b.Cluster.Provider
		}
		return []widget.Line{nil, widget.T(theme.Warn, widget.F(" The services of %s are on %s; tab opens them.", p.cluster, where))}, nil, nil
	}
	out = p.head(e)
	if e.Snap == nil || !e.Snap.HAProxy[p.host].Ever() {
		return out, nil, nil
	}
	st := e.Snap.HAProxy[p.host].Value
	known := p.sections(e)
	t := widget.Table{Cols: []widget.Column{
		{Title: "SECTION", Min: 16, Max: 40},
		{Title: "VERDICT", Min: 10, Max: 24},
		{Title: "SERVES", Min: 8, Max: 40, Drop: 3},
		{Title: "CONN", Min: 4, Right: true},
		{Title: "NEW/S", Min: 4, Right: true, Drop: 2},
		{Title: "QUEUE", Min: 4, Right: true, Drop: 1},
		{Title: "SESSIONS", Min: 8, Max: 24, Drop: 4},
		{Title: "WHY", Min: 12, Max: 100, Flex: true, Sparse: true, Drop: 5},
	}}
	for i := range st.Proxies {
		px := &st.Proxies[i]
		s, ok := known[px.Name]
		if !ok && len(px.Servers) == 0 {
			continue // the stats page itself
		}
		delete(known, px.Name)
		of = append(of, s)
		t.Rows = append(t.Rows, p.sectionRow(px, s, e))
	}
	for _, s := range slices.Sorted(maps.Keys(known)) {
		of = append(of, known[s])
		t.Rows = append(t.Rows, []widget.Line{widget.Raw(theme.Plain, s), page.VerdictMark(model.Missing).Line(), nil, nil, nil, nil, nil,
			widget.T(theme.Warn, "in the inventory, but not on this HAProxy")})
	}
	rows, begin := page.TableRows(t, e)
	for _, i := range begin {
		at = append(at, len(out)+i)
	}
	out = append(out, rows...)
	if len(of) > 0 {
		out = append(out, nil)
		out = append(out, p.servers(of[max(min(p.list.Cursor, len(of)-1), 0)], e)...)
	}
	return out, at, of
}

// head is the node and how its HAProxy was reached.
func (p *Node) head(e page.Env) []widget.Line {
	name, port := "", uint16(0)
	if e.Inv != nil {
		if n := e.Inv.Node(p.host); n != nil {
			name, port = n.Name, n.HAProxy.Port
		}
	}
	head := widget.P(" ").AddRaw(theme.Strong, string(p.host)).Add(theme.Dim, widget.F("  %s  port %d  ", widget.Data(name), port))
	if e.Snap == nil || e.ProxyNotProbed(p.host) {
		return []widget.Line{widget.Join(head, page.Probing().Line()), nil}
	}
	o := e.Snap.HAProxy[p.host]
	switch {
	case o.Err != nil && o.Ever():
		head = head.Add(theme.Bad, widget.Words("✕ does not answer, last answer "+page.AgeText(o.Age(e.Now))+" ago"))
	case o.Err != nil:
		head = head.Add(theme.Bad, "✕ does not answer")
	default:
		head = head.Add(theme.Good, "● answers").Add(theme.Dim, widget.F(" in %s  %s", page.Took(o.Took), widget.Data(o.Value.URI)))
	}
	out := []widget.Line{head}
	if o.Err != nil {
		out = append(out, page.Wrapped(theme.Plain, widget.Words(o.Err.Error()), " ", e.W, 2)...)
	}
	if o.Value.Why != nil {
		out = append(out, page.Wrapped(theme.Warn, widget.Words("read from "+string(o.Value.Source)+", because the stats page fails: "+o.Value.Why.Error()), " ", e.W, 2)...)
	}
	return append(out, nil)
}

// sectionRow is one section of the stats page.
func (p *Node) sectionRow(px *haproxy.Proxy, s section, e page.Env) []widget.Line {
	verdict, serves, why := widget.T(theme.Dim, "not in the inventory"), widget.Line(nil), widget.Line(nil)
	if v := p.view(s, e); v != nil {
		verdict, serves, why = page.VerdictMark(v.Verdict).Line(), widget.Raw(theme.Plain, model.Join(v.Serving)), widget.T(theme.Dim, widget.Words(v.Why))
	}
	now := page.SampleOf(px)

	queue := widget.Raw(theme.Plain, page.Count(now.Queue))
	if now.Queue > 0 {
		queue[0].Tone = theme.Warn
	}
	return []widget.Line{widget.Raw(theme.Strong, px.Name), verdict, serves, widget.Raw(theme.Plain, page.Count(now.Sessions)), widget.Raw(theme.Plain, page.Count(now.Rate)),
		queue, widget.Raw(theme.Info, page.Bars(e.Traffic.Of(p.host, px.Name), page.SessionsOf, 24)), why}
}

// view is what the board says of a section on this node, or nil.
func (p *Node) view(s section, e page.Env) *board.View {
	b := e.Board(s.cluster)
	if b == nil {
		return nil
	}
	if r := b.Route(s.service); r != nil {
		if i := slices.IndexFunc(r.Views, func(v board.View) bool { return v.HAProxy == p.host }); i >= 0 {
			return &r.Views[i]
		}
	}
	return nil
}

// servers are the servers of the section under the cursor.
func (p *Node) servers(s section, e page.Env) []widget.Line {
	v, b := p.view(s, e), e.Board(s.cluster)
	if v == nil || b == nil {
		return nil
	}
	svc := b.Cluster.Service(s.service)
	out := []widget.Line{widget.Raw(theme.Head, " "+svc.Proxy()).Add(theme.Dim, widget.F("  check OPTIONS %s", widget.Data(svc.Check)))}
	t := widget.Table{Cols: []widget.Column{
		{Title: "SERVER", Min: 12, Max: 40},
		{Title: "VERDICT", Min: 12},
		{Title: "STATUS", Min: 6},
		{Title: "WEIGHT", Right: true, Drop: 3},
		{Title: "CHECK", Min: 9, Max: 36, Flex: true, Drop: 2},
		{Title: "CONN", Right: true},
		{Title: "NEW/S", Right: true, Drop: 4},
		{Title: "TOTAL", Right: true, Drop: 5},
		{Title: "ERRORS", Right: true, Drop: 6},
		{Title: "SINCE", Right: true, Drop: 1},
		{Title: "WHY", Min: 12, Max: 100, Flex: true, Sparse: true, Drop: 7},
	}}
	for i := range v.Cells {
		row := serverRow(v, &v.Cells[i], svc, e)
		var rate, total, errs, since widget.Line
		if sv := statOf(e, p.host, svc, v.Cells[i].Instance); sv != nil {
			rate, total, errs = widget.Raw(theme.Plain, page.Count(sv.SessionRate)), widget.Raw(theme.Plain, page.Count(sv.Total)), widget.Raw(theme.Plain, page.Count(sv.Errors))
			since = widget.P(widget.Words(sinceText(sv.LastChange)))
		}
		t.Rows = append(t.Rows, []widget.Line{row[0], row[1], row[2], row[3], row[5], row[6], rate, total, errs, since, row[8]})
	}
	return append(out, page.TableLines(t, e)...)
}

// sinceText is how long a server has been in its state, in steps that change
// rarely.
func sinceText(s int64) string {
	if s < 60 {
		return "< 1 min"
	}
	return page.AgeText(time.Duration(s) * time.Second)
}
