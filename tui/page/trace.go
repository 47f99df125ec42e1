package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Trace is the way of one connection, hop by hop. It is made when the page
// opens, and again when it is asked for.
type Trace struct {
	answer[trace.Trace]
	cluster model.ClusterName
	service model.ServiceName // "" when the port is a server's own
	target  []string          // what `pgtui trace` is given
	label   string
	list    listing
}

// NewTrace is a connection to a service, as a client is told to reach it.
func NewTrace(name model.ClusterName, service model.ServiceName) *Trace {
	return &Trace{cluster: name, service: service, target: []string{string(name), string(service)}, label: string(service)}
}

// traceEntry is a connection to one entry of the access matrix: by the words
// that name it where there are such, else by its connection string.
func traceEntry(name model.ClusterName, x *access.Entry, e Env) *Trace {
	p := &Trace{cluster: name, service: x.At.Service, target: []string{x.DSN.Text(access.FormURI)}, label: x.String()}
	b := e.Board(name)
	if x.At.Service == "" || b == nil {
		return p
	}
	if d, err := trace.DSN(b.Cluster, x.At.Service); err == nil && d.Text(access.FormURI) == p.target[0] {
		return NewTrace(name, x.At.Service)
	}
	if at := x.On.Point; at != nil && e.Inv != nil && e.Inv.Cluster(model.ClusterName(at.Name)) == nil {
		if _, c, err := access.TracePoint(e.Inv, at, x.At.Service); err == nil && c.Name == name {
			p.target = []string{at.Name, string(x.At.Service)}
		}
	}
	return p
}

// Title of the page.
func (p *Trace) Title() string { return "trace " + p.label }

// Start asks when the page opens.
func (p *Trace) Start() (Page, Intent) {
	q := *p
	var ask Intent
	q.answer, ask = p.ask(Inquiry{Topic: TopicTrace, Cluster: p.cluster, Target: p.target})
	return &q, ask
}

// Keys of the page.
func (p *Trace) Keys(e Env) []keys.Binding {
	var out []keys.Binding
	if p.got != nil {
		out = append(out, keys.New(keys.Open, "open", "enter", "the service or the instance of the hop under the cursor", "enter"))
	}
	out = append(out, keys.New(keys.Again, "ask again", "R", "make another connection", "R", "T"))
	if p.next(1, e) != nil {
		out = append(out,
			keys.New(keys.Next, "next service", "tab", "a connection to the next service of the cluster", "tab"),
			keys.New(keys.Prev, "", "shift-tab", "to the service before it", "shift+tab"))
	}
	return append(out, keys.Moves()...)
}

// next is the trace of another service of the cluster; nil when this is none of
// a service by its name.
func (p *Trace) next(by int, e Env) *Trace {
	b := e.Board(p.cluster)
	if b == nil || len(p.target) != 2 || p.target[0] != string(p.cluster) {
		return nil
	}
	all := b.Cluster.Services()
	i := slices.IndexFunc(all, func(s *model.Service) bool { return s.Name == p.service })
	if i < 0 || len(all) < 2 {
		return nil
	}
	return NewTrace(p.cluster, all[(i+by+len(all))%len(all)].Name)
}

// Do carries out one action.
func (p *Trace) Do(a keys.Action, e Env) (Page, Intent) {
	switch a {
	case keys.Again:
		return p.Start()
	case keys.Next, keys.Prev:
		by := 1
		if a == keys.Prev {
			by = -1
		}
		if q := p.next(by, e); q != nil {
			return q.Start()
		}
		return p, nil
	}
	lines, at, of := p.lines(e)
	if a == keys.Open {
		if len(of) == 0 {
			return p, nil
		}
		return p, of[min(p.list.cursor, len(of)-1)].open()
	}
	q := *p
	q.list = p.list.move(a, at, len(lines), e.H)
	return &q, nil
}

// Update takes the answer in.
func (p *Trace) Update(msg tea.Msg, _ Env) (Page, Intent) {
	got, ok := p.take(msg)
	if !ok {
		return p, nil
	}
	q := *p
	q.answer = got
	if p.got != nil || got.got == nil {
		return &q, nil
	}
	// The cursor begins on the hop that is wrong.
	i := 0
	for _, a := range got.got.Attempts {
		for _, h := range a.Hops {
			if h.Verdict == trace.HopBad {
				q.list.cursor = i
				return &q, nil
			}
			i++
		}
	}
	return &q, nil
}

// station is a hop of an attempt.
type station struct {
	of *trace.Traced
	trace.Hop
}

// open is the page of what the hop is.
func (s station) open() Intent {
	switch {
	case (s.Kind == trace.HopPooler || s.Kind == trace.HopPostgres || s.of.Service == "") && s.of.Instance != "":
		return Goto{NewInstance(s.of.Cluster, s.of.Instance)}
	case s.of.Service != "":
		return Goto{NewService(s.of.Cluster, s.of.Service)}
	}
	return Say{"this hop is none of the inventory's services or instances"}
}

// View draws the part of the page that fits.
func (p *Trace) View(e Env) []widget.Line {
	lines, at, _ := p.lines(e)
	return p.list.page(lines, at, e)
}

// lines is the whole page, the lines that can be chosen, and what they are.
func (p *Trace) lines(e Env) (out []widget.Line, at []int, of []station) {
	out = p.trouble("connecting to "+strings.Join(p.target, " ")+" as a client would, and asking the nodes on the way", "the question could not be asked", e)
	if p.got == nil {
		return out, nil, nil
	}
	t := p.got
	m := healthMark(t.Health, false)
	title := widget.P(" ").Add(m.tone, m.shape+" "+m.word)
	if t.Target.As != "" && e.H <= 10 {
		title = title.Add(theme.Dim, "  as "+t.Target.Login.User)
	}
	out = append(out, p.answered(title, e)...)
	out = append(out, wrapped(theme.Plain, t.Summary, " ", e.W, 3)...)
	if e.H > 10 {
		out = append(out, wrapped(theme.Dim, t.Target.Text(access.FormURI), " ", e.W, 3)...)
		if t.Target.As != "" {
			out = append(out, wrapped(theme.Dim, "as "+t.Target.Login.User+", "+t.Target.As, " ", e.W, 2)...)
		}
		out = append(out, nil)
	}
	lay, rows := hopTable(t, e.W)
	i := 0
	for k := range t.Attempts {
		a := &t.Attempts[k]
		if len(t.Attempts) > 1 {
			l := widget.P(" ").Add(theme.Strong, a.String())
			if a.Skipped != "" {
				l = l.Add(theme.Warn, "  skipped: "+a.Skipped)
			}
			out = append(out, l)
		}
		if k == 0 || len(t.Attempts) == 1 {
			out = append(out, widget.Join(widget.P(" "), lay.Head()))
		}
		for _, h := range a.Hops {
			at, of = append(at, len(out)), append(of, station{a, h})
			out = append(out, widget.Join(widget.P(" "), lay.Row(rows[i])))
			i++
		}
	}
	if len(of) > 0 {
		h := of[max(min(p.list.cursor, len(of)-1), 0)]
		m := hopMark(h.Verdict)
		head := widget.P(" ").Add(theme.Strong, string(h.Kind)+" "+h.At+"  ").Add(m.tone, m.shape+" "+m.word).Add(theme.Plain, "  ")
		out = append(append(out, nil), flow(head, h.Text, e.W)...)
	}
	return out, at, of
}

// hopTable is every hop of every attempt, under columns that they share.
func hopTable(t *trace.Trace, w int) (widget.Layout, [][]widget.Line) {
	tab := widget.Table{Cols: []widget.Column{
		{Title: "HOP", Min: 7},
		{Title: "AT", Min: 8, Max: 40, Drop: 2},
		{Title: "VERDICT", Min: 9},
		{Title: "MS", Min: 4, Right: true},
		{Title: "WHAT WAS FOUND", Min: 12, Max: 160, Flex: true, Drop: 1},
	}}
	for k := range t.Attempts {
		for _, h := range t.Attempts[k].Hops {
			ms := "–"
			if h.Took > 0 {
				ms = millis(h.Took)
			}
			tab.Rows = append(tab.Rows, []widget.Line{widget.T(theme.Strong, string(h.Kind)), widget.P(h.At), hopMark(h.Verdict).line(), widget.P(ms), widget.T(theme.Dim, h.Text)})
		}
	}
	return tab.Layout(w - 2), tab.Rows
}

// hopMark draws the verdict of a hop.
func hopMark(v trace.HopVerdict) mark {
	switch v {
	case trace.HopOK:
		return mark{"●", "ok", theme.Good}
	case trace.HopBad:
		return mark{"✕", "wrong", theme.Bad}
	default:
		return mark{"?", "unknown", theme.Doubt}
	}
}

// millis is a time in milliseconds, to a tenth below ten.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
