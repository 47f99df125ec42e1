// Package detail holds the pages of one thing of a cluster: a service, an
// instance, an HAProxy node, and the cluster on paper.
package detail

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Service is one service of a cluster from its definition to what every
// HAProxy makes of it.
type Service struct {
	cluster model.ClusterName
	name    model.ServiceName
	top     int
}

// Title is the service's name.
func (p *Service) Title() widget.Line { return widget.Raw(theme.Plain, string(p.name)) }

// ServiceScreen is the page in the registry.
func ServiceScreen() page.Screen {
	return page.Screen{Name: "service", Key: "4", Help: "one service: definition, servers, every HAProxy's view", Needs: true, Board: true,
		Open: func(at page.Place, e page.Env) page.Page { return &Service{cluster: at.Cluster, name: e.ServiceOf(at)} },
		Keys: append([]keys.Row{
			{Keys: "tab right l", Action: keys.Next, Label: "next service", Help: "the next service of the cluster"},
			{Keys: "shift+tab left h", Action: keys.Prev, Help: "the service before it"},
			{Keys: "f", Action: keys.Findings, Label: "findings", Help: "the findings of the cluster", Opens: "findings"},
			{Keys: "d", Action: keys.Diff, Label: "diff", Help: "what a reload would change, node by node", Opens: "diff"},
			{Keys: "r", Action: keys.Reload, Label: "reload", Help: "reload the HAProxies: plan, diff, confirmation", Opens: "reload"},
		}, keys.Moves()...)}
}

// Scope of the page's keys.
func (p *Service) Scope() string { return "service" }

// Place of the page.
func (p *Service) Place(page.Env) page.Place { return page.Place{Cluster: p.cluster, Service: p.name} }

// Command prints what the page shows.
func (p *Service) Command(page.Env) (string, string) {
	return "pgtui status " + string(p.cluster), "cat /etc/haproxy/conf.d/" + string(p.cluster) + "-" + string(p.name) + ".cfg"
}

// Do carries out one action.
func (p *Service) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	q := *p
	if b := e.Board(p.cluster); (a == keys.Next || a == keys.Prev) && len(b.Routes) > 0 {
		at := max(0, slices.IndexFunc(b.Routes, func(r board.Route) bool { return r.Service == p.name }))
		q.name, q.top = b.Routes[page.Neighbour(a, at, len(b.Routes))].Service, 0
		return &q, nil
	}
	q.top = page.Scroll(a, p.top, len(p.lines(e)), e.H)
	return &q, nil
}

// View draws the part of the page that fits.
func (p *Service) View(e page.Env) []widget.Line { return page.Scrolled(p.lines(e), p.top, e) }

// lines is the whole page.
func (p *Service) lines(e page.Env) []widget.Line {
	b := e.Board(p.cluster)
	r, svc := b.Route(p.name), b.Cluster.Service(p.name)
	if r == nil || svc == nil {
		return []widget.Line{nil, widget.T(theme.Warn, widget.F(" %s has no service %s any more", widget.Data(p.cluster), widget.Data(p.name)))}
	}
	out := p.answer(b, r, e)
	out = append(out, nil)
	out = append(out, p.views(b, r, svc, e)...)
	out = append(out, p.definition(b, svc, e)...)
	return append(out, p.file(b, svc, e)...)
}

// answer says who serves, first of all.
func (p *Service) answer(b *board.Board, r *board.Route, e page.Env) []widget.Line {
	state := page.RouteLine(b, r, false, model.Join)
	head := widget.P(" ").AddRaw(theme.Strong, r.Port+" "+string(r.Service)+"  ")
	why := r.Why
	_, tried := e.Probed(r)
	switch {
	case len(r.Silent) > 0 && tried < len(r.Views) && !e.PendingRoute(r):
		state = page.Probing().Line()
	case e.PendingRoute(r):
		state, why = page.Probing().Line(), "no HAProxy has answered yet"
	}
	head = widget.Join(head, state, widget.P("  seen by "), page.SeenBy(r, e))
	out := append([]widget.Line{head}, page.Wrapped(theme.Plain, widget.Words(why), " ", e.W, 9)...)
	var hosts []model.Host
	for _, v := range r.Views {
		hosts = append(hosts, v.HAProxy)
	}
	if svc := b.Cluster.Service(p.name); svc != nil {
		if l := page.TrafficLine(e.Traffic.Sum(hosts, svc.Proxy()), e.W); l != nil {
			out = append(out, l)
		}
	}
	for _, v := range r.Views {
		for _, c := range v.Cells {
			if c.Note != "" {
				out = append(out, page.Wrapped(theme.Warn, widget.F("%s %s on %s: %s", page.Differs, widget.Data(c.Instance), widget.Data(v.Label()), c.Note), " ", e.W, 4)...)
			}
		}
	}
	return out
}

// views is what each HAProxy reports of each server.
func (p *Service) views(b *board.Board, r *board.Route, svc *model.Service, e page.Env) []widget.Line {
	t := widget.Table{Cols: []widget.Column{
		{Title: "HAPROXY / SERVER", Min: 12, Max: 40},
		{Title: "VERDICT", Min: 12},
		{Title: "STATUS", Min: 6, Drop: 2},
		{Title: "WEIGHT", Right: true, Drop: 4},
		{Title: "SHARE", Right: true, Drop: 1},
		{Title: "CHECK", Min: 9, Max: 36, Flex: true, Drop: 3},
		{Title: "CONN", Right: true, Drop: 6},
		{Title: "PATRONI", Right: true, Drop: 5},
		{Title: "WHY", Min: 16, Max: 100, Flex: true, Sparse: true, Drop: 7},
	}}
	for i := range r.Views {
		v := &r.Views[i]
		t.Rows = append(t.Rows, viewRow(b, r, v, e))
		for j := range v.Cells {
			t.Rows = append(t.Rows, serverRow(v, &v.Cells[j], svc, e))
		}
	}
	return append(page.TableLines(t, e), nil)
}

// viewRow heads one HAProxy.
func viewRow(b *board.Board, r *board.Route, v *board.View, e page.Env) []widget.Line {
	m := page.VerdictMark(v.Verdict)
	if v.Verdict == r.Verdict { // in the words of the head
		m = page.RouteMark(b, &board.Route{Service: r.Service, Verdict: v.Verdict, Serving: v.Serving})
	}
	name := widget.Raw(theme.Strong, v.Label())
	if v.Node != "" {
		name = name.AddRaw(theme.Dim, " "+string(v.HAProxy))
	}
	if e.ProxyNotProbed(v.HAProxy) {
		return []widget.Line{name, page.Probing().Line()}
	}
	why := widget.T(theme.Plain, widget.Words(v.Why))
	if v.Verdict == model.Serving {
		why[0].Tone = theme.Dim
	}
	return []widget.Line{name, m.Line(), nil, nil, nil, nil, widget.Raw(theme.Plain, fmt.Sprint(v.Sessions)), nil, why}
}

// serverRow is one server of one HAProxy.
func serverRow(v *board.View, c *board.Cell, svc *model.Service, e page.Env) []widget.Line {
	name := widget.Raw(theme.Plain, "  "+string(c.Instance))
	if c.Backup {
		name = name.Add(theme.Dim, " backup")
	}
	if e.ProxyNotProbed(v.HAProxy) {
		return append([]widget.Line{name, page.Probing().Line()}, make([]widget.Line, 7)...)
	}
	status, weight, check := widget.Raw(theme.Plain, c.Status), widget.P(""), widget.P("")
	if st := statOf(e, v.HAProxy, svc, c.Instance); st != nil && !v.Stale {
		weight, check = widget.Raw(theme.Plain, fmt.Sprint(st.Weight)), widget.Raw(theme.Plain, checkText(st))
	}
	share := widget.P("")
	if c.Share > 0 {
		share = widget.Raw(theme.Plain, fmt.Sprintf("%d%%", c.Share))
	}
	allowed := widget.T(theme.Doubt, "?")
	if c.Allowed > 0 {
		allowed = widget.Raw(theme.Plain, fmt.Sprint(c.Allowed))
	}
	why := widget.T(theme.Dim, widget.Words(c.Why))
	if c.Note != "" {
		why = widget.T(theme.Warn, widget.Words(page.Differs+" "+c.Note))
	}
	return []widget.Line{name, page.VerdictMark(c.Verdict).Line(), status, weight, share, check, widget.Raw(theme.Plain, fmt.Sprint(c.Sessions)), allowed, why}
}

// statOf is HAProxy's own row of a server, or nil.
func statOf(e page.Env, h model.Host, svc *model.Service, inst model.InstanceName) *haproxy.ServerRow {
	if e.Snap == nil {
		return nil
	}
	st := e.Snap.HAProxy[h].Value
	if px := st.Proxy(svc.Proxy()); px != nil {
		return px.Server(string(inst))
	}
	return nil
}

// checkText is HAProxy's last check in its own words.
func checkText(st *haproxy.ServerRow) string {
	s := st.CheckStatus
	if st.CheckCode > 0 {
		s += fmt.Sprintf(" %d", st.CheckCode)
	} else if st.CheckDesc != "" {
		s += " " + st.CheckDesc
	}
	return s
}

// definition is what the inventory declares and what comes out of it.
func (p *Service) definition(b *board.Board, svc *model.Service, e page.Env) []widget.Line {
	servers, backup := svc.Servers()
	var members, backups []string
	for i, s := range servers {
		if backup[i] {
			backups = append(backups, string(s.Name))
		} else {
			members = append(members, string(s.Name))
		}
	}
	from := widget.Words("one of Pigsty's own services").Local()
	if svc.Line.File != "" {
		from = fmt.Sprintf("%s:%d", svc.Line.File, svc.Line.Line)
	}
	type row struct {
		label widget.Words
		text  string
	}
	none := widget.Words("none").Local()
	rows := []row{
		{"declared", from},
		{"selector", svc.Selector},
		{"selects", cmp.Or(strings.Join(members, ", "), none)},
		{"backup", cmp.Or(svc.Backup, "–")},
		{"backups", cmp.Or(strings.Join(backups, ", "), none)},
		{"dest", strings.TrimSpace(svc.Dest + " (" + page.DestOf(b.Cluster, svc) + ")")},
		{"check", widget.F("OPTIONS %s at each server's Patroni", widget.Data(svc.Check)).Local()},
		{"listens", widget.F("%s:%s, balance %s, maxconn %s", widget.Data(svc.IP), widget.Data(svc.Port), widget.Data(svc.Balance), widget.Data(svc.MaxConn)).Local()},
		{"options", svc.Options},
	}
	if odd := odd(b.Cluster, svc); len(odd) > 0 {
		rows = append(rows, row{"differs", widget.Words("declared differently for " + strings.Join(odd, ", ")).Local()})
	}
	out := []widget.Line{widget.T(theme.Head, " DEFINITION")}
	for _, r := range rows {
		out = append(out, page.LabelledRaw(widget.T(theme.Dim, " "+r.label), theme.Plain, r.text, 12, e.W, 4)...)
	}
	return append(out, nil)
}

// odd names the HAProxies that the inventory gives another service of that
// name, or none.
func odd(c *model.Cluster, svc *model.Service) []string {
	var out []string
	for i := range c.LoadBalancers {
		s := c.LoadBalancers[i].Service(svc.Name)
		if s == nil {
			out = append(out, string(c.LoadBalancers[i].Host)+" (missing)")
			continue
		}
		same := *s
		same.Rendered = svc.Rendered
		if !reflect.DeepEqual(same, *svc) {
			out = append(out, string(c.LoadBalancers[i].Host))
		}
	}
	return out
}

// file is the rendered service file: what the inventory promises HAProxy.
func (p *Service) file(b *board.Board, svc *model.Service, e page.Env) []widget.Line {
	if e.Texts.File == nil || e.Inv == nil {
		return nil
	}
	out := []widget.Line{widget.T(theme.Head, " FILE ").Add(theme.Dim, widget.F("%s, as the inventory renders it for %s", widget.Data(svc.FileName()), widget.Data(svc.Rendered)))}
	for _, l := range strings.Split(strings.TrimRight(e.Texts.File(e.Inv, svc), "\n"), "\n") {
		out = append(out, widget.Join(widget.P("   "), page.Code(l)))
	}
	return out
}
