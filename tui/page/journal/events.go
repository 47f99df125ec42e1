package journal

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Events is what has changed, the newest first: what this console saw, gathered by incident
// or each event, and before that the runs of the audit file and the timelines of Patroni.
type Events struct {
	runs  page.Answer[plan.History]
	lines page.Answer[[]action.TimelineSwitch] // of the cluster; without one they are not read
	past  []board.Change                       // of runs and lines, the newest first

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
	return page.Screen{Name: "events", Key: "7", Letter: "e", As: keys.Events, Help: "what has changed, before the console was opened too",
		Open: func(at page.Place, _ page.Env) page.Page { return &Events{cluster: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter l right", Action: keys.Open, Label: "go there", Help: "the service, the instance or the finding it is about"},
			{Keys: "tab", Action: keys.Next, Label: "each event", Help: "one row for each event", When: eventsGathered},
			{Keys: "tab", Action: keys.Next, Label: "by incident", Help: "one row for all that an incident did to a subject", When: eventsEach},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type"},
			{Keys: "R", Action: keys.Again, Help: "read the audit file and Patroni's timelines again"},
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

// Start reads what happened before, when the page opens.
func (p *Events) Start() (page.Page, page.Intent) {
	q := *p
	out := page.Both{q.runs.Request(page.Inquiry{Topic: page.TopicHistory})}
	if p.cluster != "" {
		out = append(out, q.lines.Request(page.Inquiry{Topic: page.TopicTimelines, Cluster: p.cluster}))
	}
	return &q, out
}

// Waits are the inquiries whose answers it waits for.
func (p *Events) Waits() []*page.Inquiry { return append(p.runs.Waits(), p.lines.Waits()...) }

// Waiting reports that an answer is on its way.
func (p *Events) Waiting() bool { return p.runs.Waiting() || p.lines.Waiting() }

// Update takes an answer in.
func (p *Events) Update(msg tea.Msg, e page.Env) (page.Page, page.Intent) {
	q := *p
	if q.runs.Take(msg) || q.lines.Take(msg) {
		q.past = past(q.runs.Got, q.lines.Got, q.cluster, e)
		return &q, nil
	}
	return p, nil
}

// changeKey identifies a change: by its first subject, whose path may become that of others.
func changeKey(c *board.Change) string {
	return fmt.Sprint(c.From.UnixNano(), "\x00", c.Cluster, "\x00", c.Kind, "\x00", c.Subject(), "\x00", c.About)
}

func (p *Events) rows(e page.Env) (rows []board.Change, hidden int) {
	all := p.all(e)
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

// all is what this console saw with what happened before, the newest first. A run of this
// console is in the audit file too, and is shown once.
func (p *Events) all(e page.Env) []board.Change {
	all := e.Changes
	if p.each {
		all = board.Each(e.Events)
	}
	if len(p.past) == 0 {
		return all
	}
	out := slices.Clone(all)
	for i := range p.past {
		c := &p.past[i]
		if c.Kind != "run" || !slices.ContainsFunc(all, func(o board.Change) bool {
			return o.Kind == "run" && o.Cluster == c.Cluster && o.At.Sub(c.At).Abs() < sameRun
		}) {
			out = append(out, *c)
		}
	}
	slices.SortStableFunc(out, func(a, b board.Change) int { return b.At.Compare(a.At) })
	return out
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
		return page.With(p, func(q *Events) { q.cursor, q.top, q.each = "", 0, !p.each }), nil
	}
	if a == keys.Again {
		return p.Start()
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
	switch c.Kind {
	case "inventory":
		return page.Open{Screen: "inventory", At: page.Place{Cluster: p.cluster}}
	case "run":
		return page.Open{Screen: "log"}
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
func (p *Events) space(e page.Env) int { return e.Rows(3+len(p.trouble(e)), 4+p.below(e)) }

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
	out, empty := listHead("EVENTS", "event", len(rows), hidden, p.filter, p.calm(e), e)
	out = slices.Insert(out, 1, p.trouble(e)...)
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
	out = append(out, page.ListLines(t.Layout(e.W-2), t.Rows, top, cur, len(rows), h, e)...)
	if e.H < 14 {
		return out
	}
	n := p.below(e)
	return append(widget.Fit(out, e.H-n), widget.Fit(eventText(&rows[cur], e), n)...)
}

// calm says since when nothing has changed.
func (p *Events) calm(e page.Env) widget.Line {
	since := page.Clock(e.Since, e.Now)
	switch {
	case p.Waiting():
		return widget.T(theme.Plain, widget.F(" Nothing has changed since %s, when pgtui started to watch. Reading what happened before …", since))
	case p.runs.Got == nil:
		return widget.T(theme.Plain, widget.F(" Nothing has changed since %s, when pgtui started to watch.", since))
	}
	return widget.T(theme.Plain, widget.F(" Nothing has changed since %s, when pgtui started to watch, and no earlier change is recorded.", since))
}

// trouble is why what happened before is not in the list, in a line each.
func (p *Events) trouble(e page.Env) (out []widget.Line) {
	add := func(text widget.Words) {
		out = append(out, widget.T(theme.Warn, " ! ").Add(theme.Warn, text).Trunc(e.W))
	}
	if err := p.runs.Failed(); err != nil {
		add(widget.F("The audit file could not be read: %s", err))
	}
	if err := p.lines.Failed(); err != nil {
		add(widget.F("Patroni's earlier timelines could not be read: %s", err))
	}
	return out
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
	m := page.ChangeMark(c)
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
	m := page.ChangeMark(c)
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
