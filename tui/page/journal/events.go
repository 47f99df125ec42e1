package journal

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
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

// Title of the page.
func (p *Events) Title() string { return "events" }

// Filter is the text the list is narrowed to.
func (p *Events) Filter() string { return p.filter }

// SetFilter narrows the list.
func (p *Events) SetFilter(text string) page.Page {
	return page.With(p, func(q *Events) { q.filter = text })
}

// EventsScreen is the list in the registry.
func EventsScreen() page.Screen {
	return page.Screen{Name: "events", Key: "7", Letter: "e", As: keys.Events, Help: "what has changed since the console was opened",
		Open: func(at page.Place, _ page.Env) page.Page { return &Events{cluster: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter l right", Action: keys.Open, Label: "go there", Help: "the service, the instance or the finding it is about"},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type"},
		}, keys.Moves()...)}
}

// Scope of the list's keys.
func (p *Events) Scope() string { return "events" }

// Place of the event under the cursor.
func (p *Events) Place(e page.Env) page.Place {
	if rows, _ := p.rows(e); len(rows) > 0 {
		return page.Place{Cluster: rows[p.at(rows)].Cluster}
	}
	return page.Place{Cluster: p.cluster}
}

// Command prints changes as they come.
func (p *Events) Command(page.Env) (string, string) {
	pigsty := ""
	if p.cluster != "" {
		pigsty = "pg history " + string(p.cluster)
	}
	return page.CommandOf("pgtui status", p.cluster) + " --watch", pigsty
}

// eventKey identifies an event.
func eventKey(ev board.Event) string {
	return fmt.Sprint(ev.At.UnixNano(), "\x00", ev.Cluster, "\x00", ev.Kind, "\x00", ev.Subject, "\x00", ev.Before, "\x00", ev.After)
}

func (p *Events) rows(e page.Env) (rows []board.Event, hidden int) {
	for _, ev := range e.Events {
		if p.cluster != "" && ev.Cluster != p.cluster {
			continue
		}
		if !page.Matches(p.filter, string(ev.Cluster), ev.Subject, ev.Before, ev.After, ev.Kind) {
			hidden++
			continue
		}
		rows = append(rows, ev)
	}
	return rows, hidden
}

func (p *Events) at(rows []board.Event) int {
	if p.cursor == "" {
		return 0
	}
	return max(0, slices.IndexFunc(rows, func(ev board.Event) bool { return eventKey(ev) == p.cursor }))
}

// List is the events that are shown.
func (p *Events) List(e page.Env) (n, at int) {
	rows, _ := p.rows(e)
	return len(rows), p.at(rows)
}

// Choose puts the cursor on an event; on the newest it follows what comes.
func (p *Events) Choose(i int, e page.Env) page.Page {
	q := *p
	rows, _ := p.rows(e)
	if q.cursor = ""; i > 0 {
		q.cursor = eventKey(rows[i])
	}
	q.top = widget.Window(p.top, i, len(rows), p.space(e))
	return &q
}

// Do carries out one action.
func (p *Events) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	rows, _ := p.rows(e)
	if a == keys.Open && len(rows) > 0 {
		q, cur := *p, p.at(rows)
		q.cursor = eventKey(rows[cur])
		return &q, p.goal(&rows[cur], e)
	}
	return page.Move(p, a, p.space(e), e), nil
}

// goal is the page of what an event is about.
func (p *Events) goal(ev *board.Event, e page.Env) page.Intent {
	b := e.Board(ev.Cluster)
	if b == nil {
		return page.Say{Text: "the inventory has no cluster " + string(ev.Cluster) + " any more"}
	}
	to := page.Open{Screen: "board", At: page.Place{Cluster: ev.Cluster}}
	switch ev.Kind {
	case "member":
		if name := model.InstanceName(ev.Subject); b.Cluster.Instance(name) != nil {
			to.Screen, to.At.Instance = "instance", name
		}
	case "route":
		name, _, _ := strings.Cut(ev.Subject, " ")
		if b.Route(model.ServiceName(name)) != nil {
			to.Screen, to.At.Service = "service", model.ServiceName(name)
		}
	case "leader":
		to.Screen = "topology"
	case "finding":
		for i := range b.Causes {
			if f := b.Causes[i].Finding; f.Code == ev.Subject && f.Summary == ev.After {
				f.Cluster = ev.Cluster
				return subjectPage(&f, false)
			}
		}
	}
	return to
}

// space is how many rows there is room for.
func (p *Events) space(e page.Env) int { return e.Rows(3, 8) }

// View draws the list above and the event under the cursor in full below.
func (p *Events) View(e page.Env) []widget.Line {
	rows, hidden := p.rows(e)
	calm := widget.T(theme.Plain, " Nothing has changed since "+page.Clock(e.Began, e.Now)+", when pgtui started to watch.")
	out, empty := listHead("EVENTS", "event", len(rows), hidden, p.filter, calm, e)
	if empty {
		return out
	}
	cur, h := p.at(rows), p.space(e)
	top := widget.Window(p.top, cur, len(rows), h)
	seen := rows[min(top, len(rows)):min(top+h, len(rows))]
	t := widget.Table{Cols: eventColumns(p.cluster == "", e)}
	for i := range seen {
		t.Rows = append(t.Rows, eventRow(&seen[i], p.cluster == "", e))
	}
	out = append(out, page.ListLines(t.Layout(e.W-2), t.Rows, top, cur, len(rows), e)...)
	if e.H < 14 {
		return out
	}
	return append(widget.Fit(out, e.H-4), eventText(&rows[cur], e)...)
}

func eventColumns(cluster bool, e page.Env) []widget.Column {
	cols := []widget.Column{{Title: e.StampTitle(), Min: 8}, {Title: "", Min: 1}}
	if cluster { // one cluster's list does not repeat its name
		cols = append(cols, widget.Column{Title: "CLUSTER", Min: 7, Max: 24})
	}
	if e.W >= page.Narrow {
		cols = append(cols, widget.Column{Title: "SUBJECT", Min: 12, Max: 26})
	}
	return append(cols, widget.Column{Title: "WHAT HAPPENED", Min: 12, Max: 200, Flex: true})
}

// eventRow is one event as a row of eventColumns.
func eventRow(ev *board.Event, cluster bool, e page.Env) []widget.Line {
	m := page.SeverityMark(ev.Severity)
	row := []widget.Line{widget.T(theme.Dim, e.Stamp(ev.At)), widget.T(m.Tone, m.Shape)}
	if cluster {
		row = append(row, widget.T(theme.Strong, string(ev.Cluster)))
	}
	if e.W >= page.Narrow {
		return append(row, widget.P(ev.Subject), page.Happened(ev))
	}
	return append(row, widget.Join(widget.P(ev.Subject+" "), page.Happened(ev)))
}

// eventText is one event in full, in four lines.
func eventText(ev *board.Event, e page.Env) []widget.Line {
	m := page.SeverityMark(ev.Severity)
	head := widget.P(" ").Add(theme.Strong, string(ev.Cluster)+"  "+ev.Subject+"  ").Add(theme.Dim, ev.At.Format("2006-01-02 15:04:05.0")+"  ").Add(m.Tone, m.Word)
	text := page.Happened(ev).String()
	return widget.Fit(append([]widget.Line{nil, head}, page.Wrapped(theme.Plain, text, " ", e.W, 2)...), 4)
}
