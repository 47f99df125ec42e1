package page

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Events is what has changed since the console was opened, the newest first.
type Events struct {
	cluster model.ClusterName // "" for all
	cursor  string            // key of the event under the cursor; "" follows the newest
	top     int
	filter  string
}

// NewEvents lists one cluster's events, or all when name is "".
func NewEvents(name model.ClusterName) *Events { return &Events{cluster: name} }

// Title of the page.
func (p *Events) Title() string { return "events" }

// Filter is the text the list is narrowed to.
func (p *Events) Filter() string { return p.filter }

// SetFilter narrows the list.
func (p *Events) SetFilter(text string) Page {
	q := *p
	q.filter = text
	return &q
}

// Keys of the list.
func (p *Events) Keys(Env) []keys.Binding {
	return append([]keys.Binding{
		keys.New(keys.Open, "go there", "enter", "the service, the instance or the finding it is about", "enter", "l", "right"),
		keys.New(keys.Filter, "filter", "/", "narrow the list as you type", "/"),
	}, keys.Moves()...)
}

// eventKey tells events apart.
func eventKey(ev board.Event) string {
	return fmt.Sprint(ev.At.UnixNano(), "\x00", ev.Cluster, "\x00", ev.Kind, "\x00", ev.Subject, "\x00", ev.Before, "\x00", ev.After)
}

func (p *Events) rows(e Env) (rows []board.Event, hidden int) {
	for _, ev := range e.Events {
		if p.cluster != "" && ev.Cluster != p.cluster {
			continue
		}
		if !matches(p.filter, string(ev.Cluster), ev.Subject, ev.Before, ev.After, ev.Kind) {
			hidden++
			continue
		}
		rows = append(rows, ev)
	}
	return rows, hidden
}

func (p *Events) at(rows []board.Event) int {
	for i := range rows {
		if p.cursor != "" && eventKey(rows[i]) == p.cursor {
			return i
		}
	}
	return 0
}

// Do carries out one action.
func (p *Events) Do(a keys.Action, e Env) (Page, Intent) {
	rows, _ := p.rows(e)
	if len(rows) == 0 {
		return p, nil
	}
	q, cur := *p, p.at(rows)
	if a == keys.Open {
		q.cursor = eventKey(rows[cur])
		return &q, p.goal(&rows[cur], e)
	}
	if i, ok := keys.Move(a, cur, len(rows), p.space(e)); ok {
		q.cursor = ""
		if i > 0 {
			q.cursor = eventKey(rows[i])
		}
		q.top = widget.Window(p.top, i, len(rows), p.space(e))
	}
	return &q, nil
}

// goal is the page of what an event is about.
func (p *Events) goal(ev *board.Event, e Env) Intent {
	b := e.Board(ev.Cluster)
	if b == nil {
		return Say{"the inventory has no cluster " + string(ev.Cluster) + " any more"}
	}
	switch ev.Kind {
	case "member":
		if name := model.InstanceName(ev.Subject); b.Cluster.Instance(name) != nil {
			return Goto{NewInstance(ev.Cluster, name)}
		}
	case "route":
		name, _, _ := strings.Cut(ev.Subject, " ")
		if b.Route(model.ServiceName(name)) != nil {
			return Goto{NewService(ev.Cluster, model.ServiceName(name))}
		}
	case "leader":
		return Goto{NewTopology(ev.Cluster)}
	case "finding":
		for i := range b.Findings {
			if f := b.Findings[i]; f.Code == ev.Subject && f.Summary == ev.After {
				f.Cluster = ev.Cluster
				return subjectPage(&f, false)
			}
		}
	}
	return Goto{NewCluster(ev.Cluster)}
}

// Update changes nothing: the events come with the Env.
func (p *Events) Update(tea.Msg, Env) (Page, Intent) { return p, nil }

// space is how many rows there is room for.
func (p *Events) space(e Env) int {
	if e.H < 14 {
		return max(e.H-3, 1)
	}
	return max(e.H-8, 1)
}

// View draws the list above and the event under the cursor in full below.
func (p *Events) View(e Env) []widget.Line {
	rows, hidden := p.rows(e)
	title := widget.T(theme.Head, fmt.Sprintf(" EVENTS %d", len(rows)))
	if hidden > 0 {
		title = title.Add(theme.Warn, fmt.Sprintf(" · %d hidden by the filter %s", hidden, p.filter))
	}
	out := []widget.Line{title.Trunc(e.W)}
	switch {
	case e.Asking():
		return append(out, nil, widget.T(theme.Info, " asking every node …"))
	case len(rows) == 0 && hidden > 0:
		return append(out, nil, widget.T(theme.Warn, " No event matches. Esc clears the filter."))
	case len(rows) == 0:
		return append(out, nil, widget.T(theme.Plain, " Nothing has changed since "+clock(e.Began, e.Now)+", when pgtui began to watch."))
	}
	cur, h := p.at(rows), p.space(e)
	top := widget.Window(p.top, cur, len(rows), h)
	seen := rows[min(top, len(rows)):min(top+h, len(rows))]
	t := widget.Table{Cols: eventColumns(p.cluster == "", e.W)}
	for i := range seen {
		t.Rows = append(t.Rows, eventRow(&seen[i], p.cluster == "", e))
	}
	lay := t.Layout(e.W - 2)
	out = append(out, widget.Join(widget.P(" "), lay.Head()))
	for i, r := range t.Rows {
		out = append(out, cursorRow(lay.Row(r), top+i == cur, e.W))
	}
	if below := len(rows) - top - h; below > 0 {
		out = append(out, widget.T(theme.Dim, fmt.Sprintf("  %d older below", below)))
	}
	if e.H < 14 {
		return out
	}
	return append(widget.Fit(out, e.H-4), eventText(&rows[cur], e)...)
}

// narrow is below how many cells the subject of an event has no column of its own.
const narrow = 60

func eventColumns(cluster bool, w int) []widget.Column {
	cols := []widget.Column{{Title: "TIME", Min: 8}, {Title: "", Min: 1}}
	if cluster { // one cluster's list does not repeat its name
		cols = append(cols, widget.Column{Title: "CLUSTER", Min: 7, Max: 24})
	}
	if w >= narrow {
		cols = append(cols, widget.Column{Title: "SUBJECT", Min: 12, Max: 26})
	}
	return append(cols, widget.Column{Title: "WHAT HAPPENED", Min: 12, Max: 200, Flex: true})
}

// eventRow is one event as a row of eventColumns.
func eventRow(ev *board.Event, cluster bool, e Env) []widget.Line {
	m := severityMark(ev.Severity)
	row := []widget.Line{widget.T(theme.Dim, clock(ev.At, e.Now)), widget.T(m.tone, m.shape)}
	if cluster {
		row = append(row, widget.T(theme.Strong, string(ev.Cluster)))
	}
	if e.W >= narrow {
		return append(row, widget.P(ev.Subject), happened(ev))
	}
	return append(row, widget.Join(widget.P(ev.Subject+" "), happened(ev)))
}

// happened is what an event changed, before and after.
func happened(ev *board.Event) widget.Line {
	m := severityMark(ev.Severity)
	tone := m.tone
	if ev.Severity == model.Info {
		tone = theme.Plain
	}
	switch {
	case ev.Kind == "finding" && ev.After == "":
		return widget.T(theme.Dim, "resolved: "+ev.Before)
	case ev.Kind == "finding":
		return widget.T(tone, ev.After)
	}
	return widget.T(theme.Dim, ev.Before+" → ").Add(tone, ev.After)
}

// eventText is one event in full, in four lines.
func eventText(ev *board.Event, e Env) []widget.Line {
	m := severityMark(ev.Severity)
	head := widget.P(" ").Add(theme.Strong, string(ev.Cluster)+"  "+ev.Subject+"  ").Add(theme.Dim, ev.At.Format("2006-01-02 15:04:05.0")+"  ").Add(m.tone, m.word)
	text := happened(ev).String()
	return widget.Fit(append([]widget.Line{nil, head}, wrapped(theme.Plain, text, " ", e.W, 2)...), 4)
}

// clock is the time of day of t, with its date when that is not now's.
func clock(t, now time.Time) string {
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("02 Jan 15:04:05")
}

// latest are the newest events of a cluster as lines, at most n. Findings are
// left out: the board has them.
func latest(name model.ClusterName, n int, e Env) []widget.Line {
	var out []widget.Line
	for i := range e.Events {
		ev := &e.Events[i]
		if len(out) >= n {
			break
		}
		if ev.Cluster != name || ev.Kind == "finding" {
			continue
		}
		m := severityMark(ev.Severity)
		l := widget.P(" ").Add(theme.Dim, clock(ev.At, e.Now)+" ").Add(m.tone, m.shape+" ").Add(theme.Plain, ev.Subject+"  ")
		out = append(out, widget.Join(l, happened(ev)))
	}
	return out
}
