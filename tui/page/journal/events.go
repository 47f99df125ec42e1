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

// Events is what has changed since the console was opened, the newest first: gathered by
// incident, or each event.
type Events struct {
	cluster model.ClusterName // "" for all
	cursor  string            // key of the change under the cursor; "" follows the newest
	top     int
	filter  string
	each    bool // every event has a row of its own
}

// Title of the page.
func (p *Events) Title() widget.Line { return widget.P("events") }

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
			{Keys: "tab", Action: keys.Next, Label: "each event", Help: "one row for each event", When: eventsGathered},
			{Keys: "tab", Action: keys.Next, Label: "by incident", Help: "one row for all that an incident did to a subject", When: eventsEach},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type"},
		}, keys.Moves()...)}
}

// What the list shows.
const (
	eventsGathered keys.When = "events-gathered"
	eventsEach     keys.When = "events-each"
)

// Holds reports what the list shows.
func (p *Events) Holds(w keys.When, _ page.Env) bool { return p.each == (w == eventsEach) }

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

// changeKey identifies a change: by its first subject, whose path may become that of others.
func changeKey(c *board.Change) string {
	return fmt.Sprint(c.From.UnixNano(), "\x00", c.Cluster, "\x00", c.Kind, "\x00", c.Subject(), "\x00", c.About)
}

func (p *Events) rows(e page.Env) (rows []board.Change, hidden int) {
	all := e.Changes
	if p.each {
		all = board.Each(e.Events)
	}
	for i := range all {
		c := &all[i]
		if p.cluster != "" && c.Cluster != "" && c.Cluster != p.cluster {
			continue
		}
		if !page.Matches(p.filter, append([]string{string(c.Cluster), c.Kind, strings.Join(c.Subjects, ", ")}, c.Path...)...) {
			hidden++
			continue
		}
		rows = append(rows, *c)
	}
	return rows, hidden
}

func (p *Events) at(rows []board.Change) int {
	if p.cursor == "" {
		return 0
	}
	return max(0, slices.IndexFunc(rows, func(c board.Change) bool { return changeKey(&c) == p.cursor }))
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
		q.cursor = changeKey(&rows[i])
	}
	q.top = widget.Window(p.top, i, len(rows), p.space(e))
	return &q
}

// Do carries out one action.
func (p *Events) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	rows, _ := p.rows(e)
	if a == keys.Next {
		return &Events{cluster: p.cluster, filter: p.filter, each: !p.each}, nil
	}
	if a == keys.Open && len(rows) > 0 {
		q, cur := *p, p.at(rows)
		q.cursor = changeKey(&rows[cur])
		return &q, p.goal(&rows[cur], e)
	}
	return page.Move(p, a, p.space(e), e), nil
}

// goal is the page of what a change is about.
func (p *Events) goal(c *board.Change, e page.Env) page.Intent {
	if c.Kind == "inventory" {
		return page.Open{Screen: "inventory", At: page.Place{Cluster: p.cluster}}
	}
	b := e.Board(c.Cluster)
	if b == nil {
		return page.Say{Text: "the inventory has no cluster " + string(c.Cluster) + " any more"}
	}
	to := page.Open{Screen: "board", At: page.Place{Cluster: c.Cluster}}
	switch c.Kind {
	case "member":
		if name := model.InstanceName(c.Subject()); b.Cluster.Instance(name) != nil {
			to.Screen, to.At.Instance = "instance", name
		}
	case "route":
		name, _, _ := strings.Cut(c.Subject(), " ")
		if b.Route(model.ServiceName(name)) != nil {
			to.Screen, to.At.Service = "service", model.ServiceName(name)
		}
	case "leader":
		to.Screen = "topology"
	case "finding":
		for i := range b.Causes {
			if f := b.Causes[i].Finding; board.KeyOf(&f) == c.About {
				f.Cluster = c.Cluster
				return subjectPage(&f, false)
			}
		}
	}
	return to
}

// space is how many rows there is room for.
func (p *Events) space(e page.Env) int { return e.Rows(3, 4+p.below(e)) }

// below is how many lines the change under the cursor has: at least 4, at most a third.
func (p *Events) below(e page.Env) int {
	rows, _ := p.rows(e)
	if len(rows) == 0 {
		return 4
	}
	return min(max(4, len(eventText(&rows[p.at(rows)], e))), max(4, e.H/3))
}

// View draws the list above and the change under the cursor in full below.
func (p *Events) View(e page.Env) []widget.Line {
	rows, hidden := p.rows(e)
	calm := widget.T(theme.Plain, widget.F(" Nothing has changed since %s, when pgtui started to watch. 0 shows what pgtui changed before.", page.Clock(e.Since, e.Now)))
	out, empty := listHead("EVENTS", "event", len(rows), hidden, p.filter, calm, e)
	if empty {
		return out
	}
	cur, h := p.at(rows), p.space(e)
	top := widget.Window(p.top, cur, len(rows), h)
	seen := rows[min(top, len(rows)):min(top+h, len(rows))]
	t := widget.Table{Cols: eventColumns(p.cluster == "", e)}
	room := eventRoom(seen, p.cluster == "", e)
	for i := range seen {
		t.Rows = append(t.Rows, eventRow(&seen[i], p.cluster == "", room, e))
	}
	out = append(out, page.ListLines(t.Layout(e.W-2), t.Rows, top, cur, len(rows), e)...)
	if e.H < 14 {
		return out
	}
	n := p.below(e)
	return append(widget.Fit(out, e.H-n), widget.Fit(eventText(&rows[cur], e), n)...)
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

// eventRoom is how many cells the last of eventColumns has for these rows.
func eventRoom(seen []board.Change, cluster bool, e page.Env) int {
	stamp, name, about := 8, 0, 0
	for i := range seen {
		c := &seen[i]
		stamp = max(stamp, widget.Width(e.Stamp(c.At)))
		name = max(name, min(widget.Width(string(c.Cluster)), 24)+2)
		about = max(about, min(widget.Width(string(page.About(c))), 26)+2)
	}
	if !cluster {
		name = 0
	}
	if e.W < page.Narrow {
		about = 0
	}
	return max(e.W-2-stamp-2-1-2-name-about, 12)
}

// eventRow is one change as a row of eventColumns.
func eventRow(c *board.Change, cluster bool, room int, e page.Env) []widget.Line {
	m := page.SeverityMark(c.Severity)
	row := []widget.Line{widget.T(theme.Dim, widget.Words(e.Stamp(c.At))), widget.Raw(m.Tone, m.Shape)}
	if cluster {
		row = append(row, widget.Raw(theme.Strong, string(c.Cluster)))
	}
	if e.W >= page.Narrow {
		return append(row, widget.P(page.About(c)), page.Became(c, room))
	}
	about := widget.P(page.About(c) + " ")
	return append(row, widget.Join(about, page.Became(c, max(room-about.Width(), 1))))
}

// eventText is one change in full, with each of its events.
func eventText(c *board.Change, e page.Env) []widget.Line {
	m := page.SeverityMark(c.Severity)
	head := widget.P(" ").AddRaw(theme.Strong, string(c.Cluster)+"  ").Add(theme.Strong, page.About(c)+"  ").AddRaw(theme.Dim, c.At.Format("2006-01-02 15:04:05.0")+"  ").Add(m.Tone, widget.Words(m.Word))
	out := []widget.Line{nil, head}
	if len(c.Events) == 1 {
		return append(out, page.WrappedRaw(theme.Plain, page.Became(c, 0).String(), " ", e.W, 2)...)
	}
	for _, step := range board.Each(c.Events) {
		at := widget.Raw(theme.Dim, "   "+step.At.Format("15:04:05.0")+"  ")
		if len(c.Subjects) > 1 {
			at = at.Add(theme.Plain, page.About(&step)+"  ")
		}
		out = append(out, page.LabelledRaw(at, theme.Plain, page.Became(&step, 0).String(), at.Width(), e.W, 2)...)
	}
	return out
}
