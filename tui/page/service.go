package page

import (
	"fmt"
	"reflect"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
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

// NewService is the page of one service.
func NewService(c model.ClusterName, s model.ServiceName) *Service {
	return &Service{cluster: c, name: s}
}

// Title is the service's name.
func (p *Service) Title() string { return string(p.name) }

// Keys of the page.
func (p *Service) Keys(Env) []keys.Binding {
	return append([]keys.Binding{
		keys.New(keys.Next, "next service", "tab", "the next service of the cluster", "tab", "right", "l"),
		keys.New(keys.Prev, "", "shift-tab", "the service before it", "shift+tab", "left", "h"),
		keys.New(keys.Findings, "findings", "f", "what is wrong in the cluster", "f"),
		keys.New(keys.Diff, "diff", "d", "what a reload would change, node by node", "d"),
		keys.New(keys.Reload, "reload", "r", "reload the HAProxies: plan, diff, then a question", "r"),
	}, keys.Moves()...)
}

// Do carries out one action.
func (p *Service) Do(a keys.Action, e Env) (Page, Intent) {
	switch a {
	case keys.Findings:
		return p, Goto{NewFindings(p.cluster)}
	case keys.Diff:
		return p, Goto{NewDiff(p.cluster, false)}
	case keys.Reload:
		return p, Goto{NewDiff(p.cluster, true)}
	case keys.Next, keys.Prev:
		return p.step(a, e), nil
	}
	lines := len(p.lines(e))
	if i, ok := scroll(a, p.top, lines, e.H); ok {
		q := *p
		q.top = i
		return &q, nil
	}
	return p, nil
}

// step goes to a neighbouring service.
func (p *Service) step(a keys.Action, e Env) Page {
	b := e.Board(p.cluster)
	if b == nil || len(b.Routes) == 0 {
		return p
	}
	at := 0
	for i := range b.Routes {
		if b.Routes[i].Service == p.name {
			at = i
		}
	}
	n := len(b.Routes)
	if a == keys.Next {
		at = (at + 1) % n
	} else {
		at = (at + n - 1) % n
	}
	return NewService(p.cluster, b.Routes[at].Service)
}

// scroll moves the first visible line of a text of n lines seen through h.
func scroll(a keys.Action, top, n, h int) (int, bool) {
	last := max(n-h, 0)
	top = min(top, last)
	if a == keys.Bottom {
		return last, true
	}
	i, ok := keys.Move(a, top, last+1, h)
	return i, ok
}

// scrolled is the part of a text that is seen, with a note of what is not.
func scrolled(lines []widget.Line, top int, e Env) []widget.Line {
	top = min(top, max(len(lines)-e.H, 0))
	out := append([]widget.Line(nil), lines[top:min(top+e.H, len(lines))]...)
	if below := len(lines) - top - e.H; below > 0 && e.H > 4 {
		out[len(out)-1] = widget.T(theme.Dim, fmt.Sprintf("   ↓ %d more lines", below+1))
	}
	return out
}

// Update changes nothing.
func (p *Service) Update(tea.Msg, Env) (Page, Intent) { return p, nil }

// View draws the part of the page that fits.
func (p *Service) View(e Env) []widget.Line { return scrolled(p.lines(e), p.top, e) }

// lines is the whole page.
func (p *Service) lines(e Env) []widget.Line {
	b := e.Board(p.cluster)
	if b == nil {
		return []widget.Line{nil, widget.T(theme.Warn, " no such cluster: "+string(p.cluster))}
	}
	r, svc := b.Route(p.name), b.Cluster.Service(p.name)
	if r == nil || svc == nil {
		return []widget.Line{nil, widget.T(theme.Warn, " "+string(p.cluster)+" has no service "+string(p.name)+" any more")}
	}
	out := p.answer(b, r, e)
	out = append(out, nil)
	out = append(out, p.views(r, svc, e)...)
	out = append(out, p.definition(b, svc, e)...)
	return append(out, p.file(b, svc, e)...)
}

// answer says who serves, first of all.
func (p *Service) answer(b *board.Board, r *board.Route, e Env) []widget.Line {
	m := routeMark(r)
	head := widget.P(" ").Add(theme.Strong, r.Port+" "+string(r.Service)+"  ")
	why := r.Why
	_, tried := e.heard(r)
	switch {
	case len(r.Silent) > 0 && tried < len(r.Views) && !e.pendingRoute(r):
		m = asking()
	case e.pendingRoute(r):
		m, why = asking(), "no HAProxy has answered yet"
	case r.Verdict == model.Serving || r.Verdict == model.BackupServing:
		m.word = model.Join(r.Serving) + " " + map[bool]string{true: "serves", false: "serve"}[len(r.Serving) == 1]
		if r.Verdict == model.BackupServing {
			m.word += " as backup"
		}
	case r.Verdict == model.Empty && b.ByDesign(r):
		m.word, m.tone = "nobody serves, as declared", theme.Dim
	}
	head = widget.Join(head, m.line(), widget.P("  seen by "), seenBy(r, e))
	out := append([]widget.Line{head}, wrapped(theme.Plain, why, " ", e.W, 3)...)
	var hosts []model.Host
	for _, v := range r.Views {
		hosts = append(hosts, v.HAProxy)
	}
	if svc := b.Cluster.Service(p.name); svc != nil {
		if l := trafficLine(e.Traffic.Sum(hosts, svc.Proxy()), e.W); l != nil {
			out = append(out, l)
		}
	}
	for _, v := range r.Views {
		for _, c := range v.Cells {
			if c.Note != "" {
				out = append(out, wrapped(theme.Warn, fmt.Sprintf("%s %s on %s: %s", differs, c.Instance, v.Label(), c.Note), " ", e.W, 2)...)
			}
		}
	}
	return out
}

// views is what each HAProxy says of each server.
func (p *Service) views(r *board.Route, svc *model.Service, e Env) []widget.Line {
	t := widget.Table{Cols: []widget.Column{
		{Title: "HAPROXY / SERVER", Min: 12, Max: 40},
		{Title: "VERDICT", Min: 12},
		{Title: "STATUS", Min: 6, Drop: 2},
		{Title: "WEIGHT", Right: true, Drop: 4},
		{Title: "SHARE", Right: true, Drop: 1},
		{Title: "CHECK", Min: 9, Max: 24, Flex: true, Drop: 3},
		{Title: "CONN", Right: true, Drop: 6},
		{Title: "PATRONI", Right: true, Drop: 5},
		{Title: "WHY", Min: 16, Max: 100, Flex: true, Drop: 7},
	}}
	for i := range r.Views {
		v := &r.Views[i]
		t.Rows = append(t.Rows, viewRow(v, e))
		for j := range v.Cells {
			t.Rows = append(t.Rows, serverRow(v, &v.Cells[j], svc, e))
		}
	}
	lay := t.Layout(e.W - 2)
	out := []widget.Line{widget.Join(widget.P(" "), lay.Head())}
	for _, row := range t.Rows {
		out = append(out, widget.Join(widget.P(" "), lay.Row(row)))
	}
	return append(out, nil)
}

// viewRow heads one HAProxy.
func viewRow(v *board.View, e Env) []widget.Line {
	m := verdictMark(v.Verdict)
	name := widget.T(theme.Strong, v.Label())
	if v.Node != "" {
		name = name.Add(theme.Dim, " "+string(v.HAProxy))
	}
	if e.untriedProxy(v.HAProxy) {
		return []widget.Line{name, asking().line()}
	}
	why := widget.T(theme.Plain, v.Why)
	if v.Verdict == model.Serving {
		why[0].Tone = theme.Dim
	}
	return []widget.Line{name, m.line(), nil, nil, nil, nil, widget.P(fmt.Sprint(v.Sessions)), nil, why}
}

// serverRow is one server of one HAProxy.
func serverRow(v *board.View, c *board.Cell, svc *model.Service, e Env) []widget.Line {
	name := widget.P("  " + string(c.Instance))
	if c.Backup {
		name = name.Add(theme.Dim, " backup")
	}
	if e.untriedProxy(v.HAProxy) {
		return []widget.Line{name, asking().line()}
	}
	status, weight, check := widget.P(c.Status), widget.P(""), widget.P("")
	if st := statOf(e, v.HAProxy, svc, c.Instance); st != nil && !v.Stale {
		weight, check = widget.P(fmt.Sprint(st.Weight)), widget.P(checkText(st))
	}
	share := widget.P("")
	if c.Share > 0 {
		share = widget.P(fmt.Sprintf("%d%%", c.Share))
	}
	allowed := widget.T(theme.Doubt, "?")
	if c.Allowed > 0 {
		allowed = widget.P(fmt.Sprint(c.Allowed))
	}
	why := widget.T(theme.Dim, c.Why)
	if c.Note != "" {
		why = widget.T(theme.Warn, differs+" "+c.Note)
	}
	return []widget.Line{name, verdictMark(c.Verdict).line(), status, weight, share, check, widget.P(fmt.Sprint(c.Sessions)), allowed, why}
}

// statOf is HAProxy's own row of a server, or nil.
func statOf(e Env, h model.Host, svc *model.Service, inst model.InstanceName) *haproxy.ServerRow {
	if e.Snap == nil {
		return nil
	}
	o, ok := e.Snap.HAProxy[h]
	if !ok || !o.Ever() {
		return nil
	}
	px := o.Value.Proxy(svc.Proxy())
	if px == nil {
		return nil
	}
	return px.Server(string(inst))
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
func (p *Service) definition(b *board.Board, svc *model.Service, e Env) []widget.Line {
	servers, backup := svc.Servers()
	var members, backups []string
	for i, s := range servers {
		if backup[i] {
			backups = append(backups, string(s.Name))
		} else {
			members = append(members, string(s.Name))
		}
	}
	from := "one of Pigsty's own services"
	if svc.Line.File != "" {
		from = fmt.Sprintf("%s:%d", svc.Line.File, svc.Line.Line)
	}
	rows := [][2]string{
		{"declared", from},
		{"selector", svc.Selector},
		{"selects", orNone(members)},
		{"backup", orDash(svc.Backup)},
		{"backups", orNone(backups)},
		{"dest", strings.TrimSpace(svc.Dest + " (" + destOf(b.Cluster, svc) + ")")},
		{"check", "OPTIONS " + svc.Check + " at each server's Patroni"},
		{"listens", svc.IP + ":" + svc.Port + ", balance " + svc.Balance + ", maxconn " + svc.MaxConn},
		{"options", svc.Options},
	}
	if odd := odd(b.Cluster, svc); len(odd) > 0 {
		rows = append(rows, [2]string{"differs", "declared otherwise for " + strings.Join(odd, ", ")})
	}
	out := []widget.Line{widget.T(theme.Head, " DEFINITION")}
	for _, r := range rows {
		out = append(out, labelled(widget.T(theme.Dim, " "+r[0]), theme.Plain, r[1], 12, e.W, 4)...)
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
			out = append(out, string(c.LoadBalancers[i].Host)+" (not there)")
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
func (p *Service) file(b *board.Board, svc *model.Service, e Env) []widget.Line {
	if e.Texts.File == nil || e.Inv == nil {
		return nil
	}
	out := []widget.Line{widget.T(theme.Head, " FILE ").Add(theme.Dim, svc.FileName()+", as the inventory renders it for "+string(svc.Rendered))}
	for _, l := range strings.Split(strings.TrimRight(e.Texts.File(e.Inv, svc), "\n"), "\n") {
		out = append(out, widget.Join(widget.P("   "), code(l)))
	}
	return out
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
