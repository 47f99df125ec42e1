package actions

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/plan/action"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Timeline is an action as it happens, and how it ended.
type Timeline struct {
	plan     page.ActionPlan
	events   []action.Event // but those that only wait
	waiting  *action.Event  // what is waited for now; nil when nothing is
	clients  []action.ClientNow
	clientAt time.Time // when clients was seen
	clientOf int       // the step that they were of
	read     bool      // the operator has scrolled since the last event
	done     *page.ActedMsg
	stopping bool
	list     page.Listing // of the commands to type next
}

// NewTimeline is the page of an action that begins now.
func NewTimeline(p page.ActionPlan) *Timeline { return &Timeline{plan: p} }

// Title of the page.
func (p *Timeline) Title() widget.Line {
	kind := string(p.plan.Plan.Request.Kind)
	switch {
	case p.stopped():
		return widget.P(widget.Words(kind + " stopped"))
	case p.done != nil:
		return widget.P(widget.Words(kind + " " + string(p.outcome())))
	}
	return widget.P(widget.Words(kind + " running"))
}

// stopped reports whether the operator stopped it, and what it did is known.
func (p *Timeline) stopped() bool {
	return p.done != nil && p.done.Report.Stopped && p.outcome() == action.EndFailed
}

// outcome is how it ended. A report without one has no known end.
func (p *Timeline) outcome() action.Outcome {
	switch o := p.done.Report.Outcome; {
	case o == action.EndDone && p.done.Err != nil:
		return action.EndUnknown // done, but not recorded: the error says so
	case o == action.EndDone, o == action.EndFailed, o == action.EndRefused:
		return o
	}
	return action.EndUnknown
}

// Stopping marks that no further step will be begun.
func (p *Timeline) Stopping() page.Page {
	return page.With(p, func(q *Timeline) { q.stopping = p.done == nil })
}

// ActingScreen is a running action in the registry: only an action opens it.
func ActingScreen() page.Screen {
	return page.Screen{Name: "acting", Keys: append([]keys.Row{
		{Keys: "ctrl+c", Action: keys.Cancel, Label: "stop after this step", Help: "finish the current step and begin no other; what was sent stays sent"},
	}, keys.Moves()...)}
}

// ActedScreen is an action that has ended in the registry.
func ActedScreen() page.Screen {
	return page.Screen{Name: "acted", Keys: append([]keys.Row{
		{Keys: "enter", Action: keys.Open, Label: "next step", Help: "go to the next step under the cursor, or copy its command", When: hasNext},
		{Keys: "b", Action: keys.Prev, Label: "board", Help: "back to the cluster's board"},
	}, keys.Moves()...)}
}

// hasNext says that commands to type next are listed.
const hasNext keys.When = "has-next"

// Scope of the page's keys.
func (p *Timeline) Scope() string {
	if p.done != nil {
		return "acted"
	}
	return "acting"
}

// Holds reports whether there is a next step.
func (p *Timeline) Holds(keys.When, page.Env) bool { return len(p.next()) > 0 }

// Place is what the action is on.
func (p *Timeline) Place(page.Env) page.Place {
	return page.Place{Cluster: p.plan.Plan.Request.Cluster}
}

// next are the commands to type next.
func (p *Timeline) next() []string {
	if p.done == nil {
		return nil
	}
	return p.done.Report.Next
}

// List is the commands to type next.
func (p *Timeline) List(page.Env) (n, at int) {
	n = len(p.next())
	return n, max(min(p.list.Cursor, n-1), 0)
}

// Choose puts the cursor on a command.
func (p *Timeline) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Timeline) { q.list.Cursor = i })
}

// Do carries out one action.
func (p *Timeline) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	n, at := p.List(e)
	switch {
	case a == keys.Prev && p.done != nil:
		return p, page.Home{}
	case a == keys.Open && n > 0:
		return p, follow(p.next()[at], p.plan.Plan.Request.Cluster, e)
	}
	lines, rows := p.lines(e)
	return page.With(p, func(q *Timeline) { q.list, q.read = p.list.Move(a, rows, len(lines), e.H), true }), nil
}

// Update takes in an event or the end.
func (p *Timeline) Update(msg tea.Msg, e page.Env) (page.Page, page.Intent) {
	if p.done != nil {
		return p, nil
	}
	q := *p
	switch m := msg.(type) {
	case page.EventMsg:
		ev := m.Event
		q.take(&ev)
		if lines, _ := q.lines(e); !q.read {
			q.list.Top = max(len(lines)-e.H, 0) // the newest is seen
		}
	case page.ActedMsg:
		q.done, q.waiting, q.stopping, q.list = &m, nil, false, page.Listing{}
	}
	return &q, nil
}

// take is one event.
func (p *Timeline) take(ev *action.Event) {
	switch {
	case ev.Clients != nil:
		p.clients, p.clientAt, p.clientOf = ev.Clients, ev.At, ev.Step
	case ev.State == action.Waiting:
		p.waiting = ev
	default:
		p.waiting, p.read = nil, false
		p.events = append(p.events[:len(p.events):len(p.events)], *ev)
	}
}

// View draws the part that fits.
func (p *Timeline) View(e page.Env) []widget.Line {
	lines, rows := p.lines(e)
	if p.done != nil {
		return p.list.Page(lines, rows, e)
	}
	head := len(p.head(e))
	if head >= e.H { // too low for more
		return lines
	}
	body := e
	body.H = e.H - head
	return append(lines[:head:head], page.Scrolled(lines[head:], p.list.Top, body)...)
}

// lines is the whole page, and the lines that can be chosen.
func (p *Timeline) lines(e page.Env) (out []widget.Line, rows []int) {
	out = p.head(e)
	if p.done != nil {
		out, rows = p.after(out, e)
	}
	out = append(out, widget.T(theme.Head, " TIMELINE")) // the head ends with an empty line
	began := p.sent()
	for i := range p.events {
		out = append(out, eventLines(&p.events[i], began, e)...)
	}
	if p.done == nil && len(p.events) == 0 {
		out = append(out, widget.T(theme.Info, "   ~ beginning …"))
	}
	return out, rows
}

// head is where the action is, or how it ended.
func (p *Timeline) head(e page.Env) []widget.Line {
	title := p.plan.Plan.Request.Title()
	if p.done != nil {
		return append(p.verdict(title, e), nil)
	}
	out := page.Wrapped(theme.Strong, widget.Words(title), " ", e.W, 2)
	if s := p.step(); s != "" {
		out = append(out, page.Wrapped(theme.Plain, widget.Words(s), " ", e.W, 2)...)
	}
	if w := p.waiting; w != nil {
		out = append(out, waitLines(w, e)...)
	}
	if len(p.clients) > 0 && p.at() <= p.clientOf {
		out = append(out, p.clientLines(max(e.H-len(out)-6, 1), e)...)
	}
	if p.stopping {
		out = append(out, page.Wrapped(theme.Warn, "finishing this step, then stopping; what was sent stays sent", " ", e.W, 2)...)
	}
	return append(out, nil)
}

// at is the step that is being worked on; -1 before the first.
func (p *Timeline) at() int {
	i := -1
	if n := len(p.events); n > 0 {
		i = p.events[n-1].Step
	}
	if p.waiting != nil {
		i = p.waiting.Step
	}
	return i
}

// step is at in words, "" before the first.
func (p *Timeline) step() string {
	i := p.at()
	if n := len(p.plan.Plan.Steps); i >= 0 && i < n {
		return fmt.Sprintf("step %d of %d: %s", i+1, n, p.plan.Plan.Steps[i].What)
	}
	return ""
}

// waitLines are what is waited for, with a bar where its end is known.
func waitLines(w *action.Event, e page.Env) []widget.Line {
	what := w.What
	if w.Host != "" {
		what = string(w.Host) + ": " + what
	}
	if w.Total <= 0 {
		return page.Wrapped(theme.Info, widget.Words("~ "+what), "   ", e.W, 2)
	}
	width := max(min(e.W/3, 40), 4)
	full := int(int64(width) * max(min(w.Done, w.Total), 0) / w.Total)
	bar := widget.P("   ").AddRaw(theme.Info, strings.Repeat("█", full)).AddRaw(theme.Dim, strings.Repeat("░", width-full)).
		Add(theme.Plain, widget.F("  %d of %d", w.Done, w.Total))
	return append([]widget.Line{bar}, page.Wrapped(theme.Info, widget.Words("~ "+what), "   ", e.W, 2)...)
}

// verdict is how it ended. An end that was not seen is never shown as failed.
func (p *Timeline) verdict(title string, e page.Env) []widget.Line {
	m := page.MarkOf(p.outcome(), map[action.Outcome]page.Mark{
		action.EndDone:    {Shape: "●", Word: "done and proven: ", Tone: theme.Good},
		action.EndFailed:  {Shape: "✕", Word: "FAILED: ", Tone: theme.Bad},
		action.EndRefused: {Shape: "–", Word: "refused, nothing was sent: ", Tone: theme.Warn},
	}, page.Mark{Shape: "?", Word: "UNKNOWN: ", Tone: theme.Doubt})
	if p.stopped() {
		m = page.Mark{Shape: "–", Word: "STOPPED: ", Tone: theme.Warn}
	}
	why := title
	if p.done.Err != nil {
		why += ": " + strings.TrimPrefix(p.done.Err.Error(), title+": ")
	}
	out := page.Marked(m.Tone, " "+m.Shape+" ", widget.Words(m.Word+why), e.W-1, 6)
	if p.outcome() == action.EndUnknown {
		out = append(out, page.Wrapped(theme.Plain, "Its end was not seen. The call is not sent again.", "   ", e.W, 2)...)
	}
	if try := source.TryOf(p.done.Err); try != "" {
		out = append(out, page.Labelled(widget.T(theme.Head, "   try"), theme.Plain, widget.Words(try), 8, e.W, 4)...)
	}
	if s := p.done.Report.State; s != "" {
		out = append(out, page.Wrapped(theme.Plain, widget.Words(s), "   ", e.W, 3)...)
	}
	return out
}

// after is what there is to know once it has ended: the gap that clients saw, and
// the commands to type next.
func (p *Timeline) after(out []widget.Line, e page.Env) ([]widget.Line, []int) {
	var rows []int
	if next := p.next(); len(next) > 0 {
		out = append(out, widget.T(theme.Head, " NEXT"))
		for _, n := range next {
			rows = append(rows, len(out))
			out = append(out, widget.P(" ").AddRaw(theme.Strong, n).Add(theme.Dim, widget.Words("  "+whereTo(n, p.plan.Plan.Request.Cluster, e))).Trunc(e.W))
		}
		out = append(out, nil)
	}
	if len(p.clients) > 0 {
		out = append(append(out, p.clientLines(max(e.H/3, 1), e)...), nil)
	} else if cl := p.done.Report.Clients; len(cl) > 0 {
		out = append(out, widget.T(theme.Head, " CLIENTS").Add(theme.Plain, widget.Words("  longest gap "+page.Took(p.done.Report.Longest))))
		for i := range cl {
			head := widget.P("   ").AddRaw(theme.Strong, string(cl[i].Host))
			out = append(out, page.Labelled(head, theme.Plain, widget.Words(cl[i].Summary()), head.Width()+2, e.W, 3)...)
		}
		out = append(out, nil)
	}
	return out, rows
}

// sent is when the first call left, else when the first event came.
func (p *Timeline) sent() time.Time {
	for i := range p.events {
		if p.events[i].State == action.Sent {
			return p.events[i].At
		}
	}
	if len(p.events) > 0 {
		return p.events[0].At
	}
	return time.Time{}
}

// eventLines is one event: seconds since the call left, the state, where, what.
func eventLines(ev *action.Event, began time.Time, e page.Env) []widget.Line {
	m := stateMark(ev.State)
	l := widget.T(theme.Dim, widget.F("%+.1f s", ev.At.Sub(began).Seconds())).PadLeft(10)
	if e.W >= 100 {
		l = widget.Join(l, widget.T(theme.Dim, widget.Words("  "+e.Stamp(ev.At))))
	}
	l = widget.Join(l, widget.P("  ").Add(m.Tone, widget.Words(m.Shape+" "+m.Word)))
	what := ev.What
	if ev.Host != "" {
		what = string(ev.Host) + ": " + what
	}
	out := columned(l, widget.Words(what), l.Width()-len(ev.State)+11, e)
	if ev.Err != nil {
		out = append(out, page.Wrapped(m.Tone, widget.Words(ev.Err.Error()), strings.Repeat(" ", 12), e.W, 3)...)
	}
	return out
}

// stateMark draws a state.
func stateMark(s action.State) page.Mark {
	m := page.Mark{Shape: "▸", Tone: theme.Info}
	switch s {
	case action.Accepted, action.Promoted, action.Routed, action.Proven, action.Settled:
		m = page.Mark{Shape: "✓", Tone: theme.Good}
	case action.Refused, action.Failed:
		m = page.Mark{Shape: "✕", Tone: theme.Bad}
	case action.Unknown:
		m = page.Mark{Shape: "?", Tone: theme.Doubt}
	case action.NoLeader:
		m = page.Mark{Shape: "!", Tone: theme.Warn}
	}
	m.Word = string(s)
	return m
}
