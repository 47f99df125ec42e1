package journal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Log is what was changed with the inventory and by whom, what this console ran on
// the nodes, and its messages. What failed lately comes first, then the newest.
type Log struct {
	page.Answer[plan.History]
	view   view
	list   page.Listing
	cursor string // key of the row under the cursor; "" follows the first
	full   string // key of the row that is shown in full; "" is none
	filter string
}

// view is one of the three lists of the log.
type view int

const (
	viewChanges view = iota
	viewCommands
	viewMessages
	views // how many there are
)

// lately is how long a failure stays above what came after it.
const lately = 24 * time.Hour

// Title of the page.
func (p *Log) Title() widget.Line { return widget.P("log") }

// Start reads the audit file when the page opens.
func (p *Log) Start() (page.Page, page.Intent) {
	q := *p
	return &q, q.Request(page.Inquiry{Topic: page.TopicHistory})
}

// Update takes the answer in.
func (p *Log) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	q := *p
	q.Take(msg)
	return &q, nil
}

// Filter is the text the rows are narrowed to.
func (p *Log) Filter() string { return p.filter }

// SetFilter narrows the rows.
func (p *Log) SetFilter(text string) page.Page {
	return page.With(p, func(q *Log) { q.filter, q.list, q.cursor = text, page.Listing{}, "" })
}

// LogScreen is the log in the registry.
func LogScreen() page.Screen {
	const next = "the next list: changes, commands on nodes, messages"
	return page.Screen{Name: "log", Key: "0", Help: "what was changed and by whom, the commands that ran on nodes, pgtui's messages",
		Open: func(page.Place, page.Env) page.Page { return &Log{} },
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "in full", Help: "the row under the cursor in full; again: one line", When: logFolded},
			{Keys: "enter", Action: keys.Open, Label: "one line", Help: "the row under the cursor in one line", When: logFull},
			{Keys: "tab right l", Action: keys.Next, Label: "commands", Help: next, When: logChanges},
			{Keys: "tab right l", Action: keys.Next, Label: "messages", Help: next, When: logCommands},
			{Keys: "tab right l", Action: keys.Next, Label: "changes", Help: next, When: logMessages},
			{Keys: "shift+tab left h", Action: keys.Prev, Help: "the previous list"},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type"},
			{Keys: "R", Action: keys.Again, Label: "reread", Help: "read the audit file again"},
		}, keys.Moves()...)}
}

// Messages is the log opened on the messages, the newest one in full.
func Messages(all []page.Message) page.Page {
	p := &Log{view: viewMessages}
	if n := len(all); n > 0 {
		p.cursor = messageKey(&all[n-1])
		p.full = p.cursor
	}
	return p
}

// messageKey identifies a message.
func messageKey(s *page.Message) string { return fmt.Sprint(s.At.UnixNano(), "\x00", s.Text) }

// What the log shows.
const (
	logChanges  keys.When = "changes"
	logCommands keys.When = "commands"
	logMessages keys.When = "messages"
	logFolded   keys.When = "row-folded"
	logFull     keys.When = "row-in-full"
)

// Scope of the log's keys.
func (p *Log) Scope() string { return "log" }

// Holds reports what the log shows.
func (p *Log) Holds(w keys.When, e page.Env) bool {
	switch w {
	case logChanges:
		return p.view == viewChanges
	case logCommands:
		return p.view == viewCommands
	case logMessages:
		return p.view == viewMessages
	}
	rows := p.rows(e)
	at := p.at(rows)
	full := len(rows) > 0 && rows[at].key == p.full
	return len(rows) > 0 && full == (w == logFull)
}

// logRow is one row of a list.
type logRow struct {
	key    string
	at     time.Time
	failed bool
	cells  []widget.Line
	words  []string                       // what a filter looks at
	full   func(e page.Env) []widget.Line // below the row, when it is shown in full
}

// rows are those of the list that is seen: what failed lately, then the newest first.
func (p *Log) rows(e page.Env) []logRow {
	rows := map[view]func(page.Env) []logRow{viewChanges: p.changes, viewCommands: commands, viewMessages: messages}[p.view](e)
	rows = slices.DeleteFunc(rows, func(r logRow) bool { return !page.Matches(p.filter, r.words...) })
	slices.Reverse(rows) // they come oldest first
	first := func(r *logRow) bool { return r.failed && e.Now.Sub(r.at) < lately }
	slices.SortStableFunc(rows, func(a, b logRow) int {
		return cmp.Compare(map[bool]int{true: 0, false: 1}[first(&a)], map[bool]int{true: 0, false: 1}[first(&b)])
	})
	return rows
}

func (p *Log) at(rows []logRow) int {
	return max(slices.IndexFunc(rows, func(r logRow) bool { return r.key == p.cursor }), 0)
}

// List is the rows that are shown.
func (p *Log) List(e page.Env) (n, at int) {
	rows := p.rows(e)
	return len(rows), p.at(rows)
}

// Choose puts the cursor on a row.
func (p *Log) Choose(i int, e page.Env) page.Page {
	q := *p
	q.keep(p.rows(e), i)
	return &q
}

// keep makes row i that of the cursor.
func (p *Log) keep(rows []logRow, i int) {
	if p.cursor, p.list.Cursor = "", i; i > 0 && i < len(rows) {
		p.cursor = rows[i].key
	}
}

// Do moves the cursor, shows its row in full, or changes between the lists.
func (p *Log) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	q := *p
	rows := p.rows(e)
	at := p.at(rows)
	switch a {
	case keys.Again:
		return p.Start()
	case keys.Next, keys.Prev:
		q.view = view(page.Neighbour(a, int(p.view), int(views)))
		q.list, q.cursor, q.full = page.Listing{}, "", ""
		return &q, nil
	case keys.Open:
		if len(rows) > 0 {
			q.cursor = rows[at].key
			q.full = map[bool]string{true: "", false: q.cursor}[p.full == q.cursor]
		}
		return &q, nil
	}
	lines, chosen := p.lines(rows, e)
	q.list.Cursor = at
	q.list = q.list.Move(a, chosen, len(lines), p.space(e))
	q.keep(rows, q.list.Cursor)
	return &q, nil
}

// space is how many lines of rows there is room for, below the title and the heads of
// the columns.
func (p *Log) space(e page.Env) int { return max(e.H-2-len(p.above(e)), 1) }

// lines are the rows, one of them in full, and which lines can be chosen.
func (p *Log) lines(rows []logRow, e page.Env) (lines []widget.Line, chosen []int) {
	t := p.table(rows, e)
	for i, parts := range page.RowLines(t.Layout(e.W-2), t.Rows, p.space(e)) {
		chosen = append(chosen, len(lines))
		for _, l := range parts {
			lines = append(lines, widget.Join(widget.P(" "), l))
		}
		if rows[i].key == p.full {
			lines = append(lines, rows[i].full(e)...)
		}
	}
	return lines, chosen
}

// table is the list that is seen as columns. What a narrow screen keeps is who did it
// and how it ended, or the command and its node.
func (p *Log) table(rows []logRow, e page.Env) widget.Table {
	t := widget.Table{Cols: map[view][]widget.Column{
		viewChanges: {
			{Title: e.StampTitle()}, {Title: "WHO", Min: 5, Max: 16}, {Title: "WHAT", Min: 6, Max: 30}, {Title: "CLUSTER", Drop: 2, Max: 24},
			{Title: "ENDED", Min: 7}, {Title: "PLAN", Drop: 3}, {Title: "CHANGED", Min: 10, Flex: true, Drop: 1},
		},
		viewCommands: {
			{Title: e.StampTitle(), Drop: 1}, {Title: "NODE", Min: 8, Max: 24}, {Title: "MS", Right: true, Drop: 2}, {Title: "EXIT", Min: 4},
			{Title: "COMMAND", Min: 20, Flex: true},
		},
		viewMessages: {{Title: e.StampTitle()}, {Title: "MESSAGE", Min: 20, Flex: true}},
	}[p.view]}
	for i := range rows {
		t.Rows = append(t.Rows, rows[i].cells)
	}
	return t
}

// View draws the part that fits.
func (p *Log) View(e page.Env) []widget.Line {
	rows := p.rows(e)
	out := append([]widget.Line{p.title(len(rows), e)}, p.above(e)...)
	if len(rows) == 0 {
		return append(append(out, nil), p.empty(e)...)
	}
	lines, chosen := p.lines(rows, e)
	out = append(out, widget.Join(widget.P(" "), p.table(rows, e).Layout(e.W-2).Head()))
	list := p.list
	list.Cursor = p.at(rows)
	e.H = p.space(e)
	return append(out, list.Page(lines, chosen, e)...)
}

// title names the list and its order.
func (p *Log) title(n int, e page.Env) widget.Line {
	name := map[view]string{viewChanges: "CHANGES", viewCommands: "COMMANDS", viewMessages: "MESSAGES"}[p.view]
	l := widget.T(theme.Head, widget.F(" %s %d", name, n))
	if e.W < 60 {
		return l
	}
	return l.Add(theme.Dim, widget.Words("  "+map[view]string{
		viewChanges:  "of this inventory; failures of a day first, then the newest",
		viewCommands: "of this console; failures first, then the newest",
		viewMessages: "of this console; failures first, then the newest",
	}[p.view])).Trunc(e.W)
}

// above is what is wrong with the audit file.
func (p *Log) above(e page.Env) []widget.Line {
	if p.view != viewChanges || p.Got == nil {
		return nil
	}
	if trouble := p.Trouble("", "the changes are unknown", e); trouble != nil {
		return trouble
	}
	if n := len(p.Got.Breaks); n > 0 {
		b := p.Got.Breaks[0]
		return page.Wrapped(theme.Bad, widget.F("✕ %s:%d: the chain of hashes is broken: %s; pgtui history lists every place (%d)", p.Got.File, b.Line, b.What, n), " ", e.W, 3)
	}
	return nil
}

// empty is why there is no row.
func (p *Log) empty(e page.Env) []widget.Line {
	text := "There are no messages yet."
	switch {
	case p.filter != "":
		text = "Nothing matches. Esc clears the filter."
	case p.view == viewCommands:
		text = "This console has run no commands on nodes."
	case p.view == viewChanges && p.Got == nil:
		return p.Trouble("reading the audit file", "the changes are unknown", e)
	case p.view == viewChanges && p.Got.Others > 0:
		text = fmt.Sprintf("Nothing was changed with this inventory. %s has %d runs of other inventories: pgtui history --all lists them.", p.Got.File, p.Got.Others)
	case p.view == viewChanges:
		text = fmt.Sprintf("Nothing was changed with this inventory: %s has no run of it.", p.Got.File)
	}
	return page.Wrapped(theme.Plain, widget.Words(text), " ", e.W, 3)
}

// changes are the runs of the audit file.
func (p *Log) changes(e page.Env) (out []logRow) {
	if p.Got == nil {
		return nil
	}
	for i := range p.Got.Runs {
		r := &p.Got.Runs[i]
		began := r.Began.In(e.Now.Location())
		tone := theme.Good
		if r.Failed() {
			tone = theme.Bad
		}
		out = append(out, logRow{
			key: r.Run, at: began, failed: r.Failed(),
			cells: []widget.Line{
				widget.T(theme.Dim, widget.Words(e.Stamp(began))), widget.Raw(theme.Strong, cmp.Or(r.Who.SudoUser, r.Who.User)), widget.Raw(theme.Plain, r.What()), widget.Raw(theme.Plain, string(r.Cluster)),
				widget.T(tone, widget.Words(cmp.Or(r.Outcome, plan.RunUnknown))), widget.Raw(theme.Dim, r.Plan), widget.Raw(theme.Plain, r.Changed()),
			},
			words: []string{r.Who.String(), r.What(), string(r.Cluster), r.Ended(), r.Plan, r.Changed(), r.Error},
			full:  func(e page.Env) []widget.Line { return runWhole(r, e) },
		})
	}
	return out
}

// runWhole is one run with everything that its record has.
func runWhole(r *plan.Run, e page.Env) (out []widget.Line) {
	add := func(label widget.Words, tone theme.Tone, text string) {
		if text != "" {
			out = append(out, page.LabelledRaw(widget.T(theme.Head, "   "+label).Pad(14), tone, text, 14, e.W, 6)...)
		}
	}
	add("by", theme.Plain, r.Who.String())
	if r.Failed() {
		add("ended", theme.Bad, widget.Words(r.Ended()).Local())
	}
	add("plan", theme.Plain, r.Plan)
	if r.TookMs > 0 {
		add("took", theme.Plain, widget.Words(page.Took(time.Duration(r.TookMs)*time.Millisecond)).Local())
	}
	if len(r.Nodes) == 0 {
		add("changed", theme.Plain, r.Changed())
	}
	for i := range r.Nodes {
		n := &r.Nodes[i]
		text := string(n.Host) + "  " + widget.Words(cmp.Or(string(n.Outcome), "?")).Local()
		if n.Error != "" {
			text += widget.Words(" at " + cmp.Or(n.Step, "its start") + ": " + n.Error).Local()
		}
		add("node", map[bool]theme.Tone{true: theme.Bad, false: theme.Plain}[n.Error != ""], text)
		if n.Backup != "" {
			add("", theme.Dim, widget.F("backup %s", widget.Data(n.Backup)).Local())
		}
	}
	for _, ev := range r.Events {
		add(widget.Words(ev.At.In(e.Now.Location()).Format("15:04:05")), theme.Dim,
			strings.Join(page.NonEmpty(widget.Words(ev.State).Local(), string(ev.Host), widget.Words(ev.What).Local(), widget.Words(ev.Error).Local()), "  "))
	}
	add("risks", theme.Plain, strings.Join(r.Accepted, ", "))
	add("error", theme.Bad, widget.Words(r.Error).Local())
	if r.MayUndo() {
		add("next", theme.Plain, "pgtui undo "+r.Plan)
	}
	return out
}

// commands are what this console ran on the nodes.
func commands(e page.Env) (out []logRow) {
	for i := range e.Ran {
		r := &e.Ran[i]
		end, tone := ending(r)
		text := strings.TrimPrefix(strings.Join(r.Argv, " "), "sh -c ") // the shell is no news
		shown := widget.Raw(theme.Plain, text)
		if r.Err != nil {
			text += "  " + r.Err.Error()
			shown = shown.Add(theme.Plain, widget.Words("  "+r.Err.Error()))
		}
		out = append(out, logRow{
			key: fmt.Sprint(r.At.UnixNano(), "\x00", r.Node, "\x00", text), at: r.At, failed: r.Err != nil || r.Exit != 0,
			cells: []widget.Line{widget.T(theme.Dim, widget.Words(e.Stamp(r.At))), widget.Raw(theme.Strong, ranOn(r)), widget.Raw(theme.Plain, msText(r)), widget.T(tone, widget.Words(end)), shown},
			words: []string{ranOn(r), text},
			full:  func(e page.Env) []widget.Line { return ranWhole(r, e) },
		})
	}
	return out
}

// messages are what was shown to the operator.
func messages(e page.Env) (out []logRow) {
	for i := range e.Messages {
		s := &e.Messages[i]
		out = append(out, logRow{
			key: messageKey(s), at: s.At, failed: s.Tone == theme.Bad,
			cells: []widget.Line{widget.T(theme.Dim, widget.Words(e.Stamp(s.At))), widget.T(s.Tone, widget.Words(s.Text))},
			words: []string{s.Text},
			full: func(e page.Env) []widget.Line {
				return page.Wrapped(theme.Plain, widget.Words(s.Text), "   ", e.W, mostLines)
			},
		})
	}
	return out
}

// ranWhole is one command to its end, with what went wrong and what to do.
func ranWhole(r *model.Ran, e page.Env) []widget.Line {
	end, tone := ending(r)
	if r.Err == nil {
		end = "exit " + end
	}
	out := []widget.Line{widget.T(tone, widget.Words("   "+end)).Add(theme.Dim, widget.Words("  "+msText(r)+" ms"))}
	out = append(out, page.WrappedRaw(theme.Plain, strings.Join(r.Argv, " "), "   ", e.W, mostLines)...)
	if r.Err != nil {
		out = append(out, page.Failure(r.Err, e)...)
	}
	if r.Script == "" {
		return out
	}
	script := strings.Split(strings.TrimSpace(r.Script), "\n")
	for _, text := range script[:min(len(script), mostLines)] {
		out = append(out, widget.Raw(theme.Dim, "     "+strings.ReplaceAll(text, "\t", "  ")).Trunc(e.W))
	}
	if more := len(script) - mostLines; more > 0 {
		out = append(out, widget.T(theme.Dim, widget.F("     … %d more lines", more)))
	}
	return out
}

// mostLines bounds the lines of one row in full.
const mostLines = 60

// ending is how a command ended, in at most four letters.
func ending(r *model.Ran) (string, theme.Tone) {
	switch {
	case r.Err != nil:
		return "fail", theme.Bad
	case r.Exit != 0:
		return strconv.Itoa(r.Exit), theme.Warn
	}
	return "0", theme.Dim
}

func ranOn(r *model.Ran) string { return cmp.Or(r.Node, "here") }

func msText(r *model.Ran) string { return strconv.FormatInt(r.Took.Milliseconds(), 10) }
