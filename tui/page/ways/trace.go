package ways

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Trace is the way of one connection, hop by hop. It is made when the page
// opens, and again on request.
type Trace struct {
	page.Answer[trace.Trace]
	cluster model.ClusterName
	service model.ServiceName // "" when the port is a server's own
	target  []string          // what `pgtui trace` is given
	label   string
	list    page.Listing
}

// NewTrace is a connection to a service, as a client is expected to reach it.
func NewTrace(name model.ClusterName, service model.ServiceName) *Trace {
	return &Trace{cluster: name, service: service, target: []string{string(name), string(service)}, label: string(service)}
}

// traceEntry is a connection to one entry of the access matrix: by the words
// that name it where there are such, else by its connection string.
func traceEntry(name model.ClusterName, x *access.Entry, e page.Env) *Trace {
	p := &Trace{cluster: name, service: x.At.Service, target: []string{x.DSN.Text(access.FormURI)}, label: x.String()}
	b := e.Board(name)
	if x.At.Service == "" || b == nil {
		return p
	}
	if d, err := trace.DSN(b.Cluster, string(x.At.Service)); err == nil && d.Text(access.FormURI) == p.target[0] {
		return NewTrace(name, x.At.Service)
	}
	if at := x.On.Point; at != nil && e.Inv != nil && e.Inv.Cluster(model.ClusterName(at.Name)) == nil {
		if _, c, err := access.TracePoint(e.Inv, at, string(x.At.Service)); err == nil && c.Name == name {
			p.target = []string{at.Name, string(x.At.Service)}
		}
	}
	return p
}

// Title of the page.
func (p *Trace) Title() widget.Line { return widget.P(widget.F("trace %s", widget.Data(p.label))) }

// Start probes when the page opens.
func (p *Trace) Start() (page.Page, page.Intent) {
	q := *p
	return &q, q.Request(page.Inquiry{Topic: page.TopicTrace, Cluster: p.cluster, Target: p.target})
}

// TraceScreen is the page in the registry.
func TraceScreen() page.Screen {
	return page.Screen{Name: "trace", Letter: "T", As: keys.Trace, Help: "one connection, hop by hop, and the hop at which it fails", Needs: true, Topic: page.TopicTrace,
		Open: func(at page.Place, e page.Env) page.Page { return NewTrace(at.Cluster, e.ServiceOf(at)) },
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "open", Help: "the service or the instance of the hop under the cursor", When: page.Answered},
			{Keys: "R T", Action: keys.Again, Label: "recheck", Help: "make another connection"},
			{Keys: "tab", Action: keys.Next, Label: "next service", Help: "a connection to the next service of the cluster", When: traceNext},
			{Keys: "shift+tab", Action: keys.Prev, Help: "to the service before it", When: traceNext},
		}, keys.Moves()...)}
}

// traceNext says that the cluster has other services to connect to.
const traceNext keys.When = "other-services"

// Scope of the page's keys.
func (p *Trace) Scope() string { return "trace" }

// Holds reports whether there is a trace, or another service.
func (p *Trace) Holds(w keys.When, e page.Env) bool {
	return w == page.Answered && p.Got != nil || w == traceNext && p.next(keys.Next, e) != nil
}

// Place of the page.
func (p *Trace) Place(page.Env) page.Place { return page.Place{Cluster: p.cluster, Service: p.service} }

// Command makes the same connection.
func (p *Trace) Command(page.Env) (string, string) {
	out := "pgtui trace"
	for _, w := range p.target {
		out += " " + text.Word(w)
	}
	return out, ""
}

// List is the hops.
func (p *Trace) List(e page.Env) (n, at int) {
	_, rows, _ := p.lines(e)
	return len(rows), p.list.Cursor
}

// Choose puts the cursor on a hop.
func (p *Trace) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Trace) { q.list.Cursor = i })
}

// next is the trace of a neighbouring service of the cluster; nil when this is
// not one of a service by its name.
func (p *Trace) next(a keys.Action, e page.Env) *Trace {
	b := e.Board(p.cluster)
	if b == nil || len(p.target) != 2 || p.target[0] != string(p.cluster) {
		return nil
	}
	all := b.Cluster.Services()
	i := slices.IndexFunc(all, func(s *model.Service) bool { return s.Name == p.service })
	if i < 0 || len(all) < 2 {
		return nil
	}
	return NewTrace(p.cluster, all[page.Neighbour(a, i, len(all))].Name)
}

// Do carries out one action.
func (p *Trace) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	switch a {
	case keys.Again:
		return p.Start()
	case keys.Next, keys.Prev:
		if q := p.next(a, e); q != nil {
			return q.Start()
		}
		return p, nil
	}
	lines, at, of := p.lines(e)
	if a == keys.Open {
		if len(of) == 0 {
			return p, nil
		}
		return p, of[min(p.list.Cursor, len(of)-1)].open()
	}
	q := *p
	q.list = p.list.Move(a, at, len(lines), e.H)
	return &q, nil
}

// Update takes the answer in.
func (p *Trace) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	q := *p
	if q.Take(msg); p.Got != nil || q.Got == nil {
		return &q, nil
	}
	// The cursor begins on the hop that is wrong.
	var hops []trace.Hop
	for _, a := range q.Got.Attempts {
		hops = append(hops, a.Hops...)
	}
	q.list.Cursor = max(q.list.Cursor, slices.IndexFunc(hops, func(h trace.Hop) bool { return h.Verdict == trace.HopBad }))
	return &q, nil
}

// station is a hop of an attempt.
type station struct {
	of *trace.Traced
	trace.Hop
}

// open is the page of what the hop is.
func (s station) open() page.Intent {
	switch {
	case (s.Kind == trace.HopPooler || s.Kind == trace.HopPostgres || s.of.Service == "") && s.of.Instance != "":
		return page.Open{Screen: "instance", At: page.Place{Cluster: s.of.Cluster, Instance: s.of.Instance}}
	case s.of.Service != "":
		return page.Open{Screen: "service", At: page.Place{Cluster: s.of.Cluster, Service: s.of.Service}}
	}
	return page.Say{Text: "this hop is not a service or an instance of the inventory"}
}

// View draws the part of the page that fits.
func (p *Trace) View(e page.Env) []widget.Line {
	lines, at, _ := p.lines(e)
	return p.list.Page(lines, at, e)
}

// lines is the whole page, the lines that can be chosen, and what they are.
func (p *Trace) lines(e page.Env) (out []widget.Line, at []int, of []station) {
	out = p.Trouble("connecting to "+strings.Join(p.target, " ")+" as a client would, and checking each hop", "the connection could not be traced", e)
	if p.Got == nil {
		return out, nil, nil
	}
	t := p.Got
	m := page.HealthMark(t.Health, false)
	title := widget.P(" ").Add(m.Tone, widget.Words(m.Shape+" "+m.Word))
	if t.Target.As != "" && e.H <= 10 {
		title = title.Add(theme.Dim, widget.F("  as %s", widget.Data(t.Target.Login.User)))
	}
	out = append(out, p.Answered(title, e)...)
	out = append(out, page.Wrapped(theme.Plain, widget.Words(t.Summary), " ", e.W, 3)...)
	if e.H > 10 {
		out = append(out, page.WrappedRaw(theme.Dim, t.Target.Text(access.FormURI), " ", e.W, 3)...)
		if t.Target.As != "" {
			out = append(out, page.Wrapped(theme.Dim, widget.F("as %s, %s", widget.Data(t.Target.Login.User), t.Target.As), " ", e.W, 2)...)
		}
		out = append(out, nil)
	}
	lay, hops := hopTable(t, e.W)
	rows, i := page.RowLines(lay, hops, e.H-len(out)-len(t.Attempts)-5), 0
	for k := range t.Attempts {
		a := &t.Attempts[k]
		if len(t.Attempts) > 1 {
			l := widget.P(" ").Add(theme.Strong, widget.Words(a.String()))
			if a.Skipped != "" {
				l = l.Add(theme.Warn, widget.Words("  skipped: "+a.Skipped))
			}
			out = append(out, l)
		}
		if k == 0 || len(t.Attempts) == 1 {
			out = append(out, widget.Join(widget.P(" "), lay.Head()))
		}
		for _, h := range a.Hops {
			at, of = append(at, len(out)), append(of, station{a, h})
			for _, l := range rows[i] {
				out = append(out, widget.Join(widget.P(" "), l))
			}
			i++
		}
	}
	if len(of) > 0 {
		h := of[max(min(p.list.Cursor, len(of)-1), 0)]
		m := hopMark(h.Verdict)
		head := widget.P(" ").AddRaw(theme.Strong, string(h.Kind)+" "+h.At+"  ").Add(m.Tone, widget.Words(m.Shape+" "+m.Word)).Add(theme.Plain, "  ")
		out = append(append(out, nil), page.Flow(head, widget.Words(h.Text), e.W)...)
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
			tab.Rows = append(tab.Rows, []widget.Line{widget.Raw(theme.Strong, string(h.Kind)), widget.Raw(theme.Plain, h.At), hopMark(h.Verdict).Line(), widget.Raw(theme.Plain, ms), widget.T(theme.Dim, widget.Words(h.Text))})
		}
	}
	return tab.Layout(w - 2), tab.Rows
}

// hopMark draws the verdict of a hop.
func hopMark(v trace.HopVerdict) page.Mark {
	return page.MarkOf(v, map[trace.HopVerdict]page.Mark{
		trace.HopOK:  {Shape: "●", Word: "ok", Tone: theme.Good},
		trace.HopBad: {Shape: "✕", Word: "failed", Tone: theme.Bad},
	}, page.Unknown())
}

// millis is a time in milliseconds, to a tenth below ten.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
