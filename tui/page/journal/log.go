package journal

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"pgtui/model"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Log is pgtui's messages and what it ran on the nodes, newest first.
type Log struct {
	messages bool // the messages instead of the commands
	whole    bool // every command to its end
	top      int
	filter   string
}

// Title of the page.
func (p *Log) Title() string { return "log" }

// Filter is the text the lines are narrowed to.
func (p *Log) Filter() string { return p.filter }

// SetFilter narrows the lines.
func (p *Log) SetFilter(text string) page.Page {
	return page.With(p, func(q *Log) { q.filter, q.top = text, 0 })
}

// LogScreen is the log in the registry.
func LogScreen() page.Screen {
	other := "messages, or the commands that pgtui ran"
	whole := "every command in full, with its error; again: a line each"
	return page.Screen{Name: "log", Key: "0", Help: "pgtui's messages, and every command it ran",
		Open: func(page.Place, page.Env) page.Page { return &Log{} },
		Keys: append([]keys.Row{
			{Keys: "tab left right h l", Action: keys.Next, Label: "messages", Help: other, When: logCommands},
			{Keys: "tab left right h l", Action: keys.Next, Label: "commands", Help: other, When: logMessages},
			{Keys: "enter", Action: keys.Open, Label: "in full", Help: whole, When: logShort},
			{Keys: "enter", Action: keys.Open, Label: "a line each", Help: whole, When: logWhole},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type"},
		}, keys.Moves()...)}
}

// Messages is the log opened on the messages.
func Messages() page.Page { return &Log{messages: true} }

// What the log shows.
const (
	logCommands keys.When = "commands"
	logMessages keys.When = "messages"
	logShort    keys.When = "commands-short"
	logWhole    keys.When = "commands-in-full"
)

// Scope of the log's keys.
func (p *Log) Scope() string { return "log" }

// Holds reports what the log shows.
func (p *Log) Holds(w keys.When, _ page.Env) bool {
	switch w {
	case logMessages:
		return p.messages
	case logShort:
		return !p.messages && !p.whole
	case logWhole:
		return !p.messages && p.whole
	}
	return !p.messages
}

// Do scrolls, or changes between messages and commands, short and in full.
func (p *Log) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	q := *p
	switch {
	case a == keys.Next:
		q.messages, q.top = !q.messages, 0
		return &q, nil
	case a == keys.Open && !p.messages:
		at := p.entry(e)
		q.whole = !q.whole
		q.top = q.line(at, e)
		return &q, nil
	}
	q.top = page.Scroll(a, p.top, len(p.lines(e)), p.space(e))
	return &q, nil
}

// entry is the command whose first line is the first that is seen; line is the
// number of its first line.
func (p *Log) entry(e page.Env) int {
	ran, seen := p.ran(e), 0
	top := min(p.top, max(len(p.lines(e))-p.space(e), 0))
	for i, r := range ran {
		if seen++; p.whole {
			seen += len(ranWhole(r, e)) - 1
		}
		if seen > top {
			return i
		}
	}
	return max(len(ran)-1, 0)
}

func (p *Log) line(entry int, e page.Env) int {
	if !p.whole {
		return entry
	}
	n := 0
	for _, r := range p.ran(e)[:entry] {
		n += len(ranWhole(r, e))
	}
	return n
}

// space is how many lines there is room for.
func (p *Log) space(e page.Env) int {
	if p.messages || p.whole {
		return max(e.H-1, 1)
	}
	return max(e.H-2, 1)
}

// View draws the part that fits.
func (p *Log) View(e page.Env) []widget.Line {
	lines := p.lines(e)
	what, count := "COMMANDS", len(p.ran(e))
	if p.messages {
		what, count = "MESSAGES", len(p.shown(e))
	}
	title := widget.T(theme.Head, fmt.Sprintf(" %s %d", what, count)).Add(theme.Dim, "  the newest first")
	if e.W >= 60 {
		title = title.Add(theme.Dim, "; "+e.StampTitle()+" is when it began")
	}
	if len(lines) == 0 {
		text := "This console has run no commands on nodes."
		if p.messages {
			text = "There are no messages yet."
		}
		if p.filter != "" {
			text = "Nothing matches. Esc clears the filter."
		}
		return append([]widget.Line{title, nil}, page.Wrapped(theme.Plain, text, " ", e.W, 3)...)
	}
	out := []widget.Line{title}
	if !p.messages && !p.whole {
		out = append(out, widget.Join(widget.P(" "), ranTable(p.ran(e), e).Layout(e.W-2).Head()))
	}
	e.H = p.space(e)
	return append(out, page.Scrolled(lines, p.top, e)...)
}

// shown are the messages that are listed, and ran the commands, newest first.
func (p *Log) shown(e page.Env) (out []page.Message) {
	for i := len(e.Messages) - 1; i >= 0; i-- {
		if page.Matches(p.filter, e.Messages[i].Text) {
			out = append(out, e.Messages[i])
		}
	}
	return out
}

func (p *Log) ran(e page.Env) (out []model.Ran) {
	for i := len(e.Ran) - 1; i >= 0; i-- {
		if r := e.Ran[i]; page.Matches(p.filter, ranOn(r), strings.Join(r.Argv, " ")) {
			out = append(out, r)
		}
	}
	return out
}

// lines are what can be scrolled.
func (p *Log) lines(e page.Env) (out []widget.Line) {
	switch {
	case p.messages:
		for _, s := range p.shown(e) {
			out = append(out, page.Labelled(widget.T(theme.Dim, " "+e.Stamp(s.At)+" "), s.Tone, s.Text, 10, e.W, mostLines)...)
		}
	case p.whole:
		for _, r := range p.ran(e) {
			out = append(out, ranWhole(r, e)...)
		}
	default:
		t := ranTable(p.ran(e), e)
		out = page.TableLines(t, e)[1:]
	}
	return out
}

// ranTable is a row a command, without the shell's name. The command is what a narrow screen keeps, with
// its node and how it ended.
func ranTable(ran []model.Ran, e page.Env) widget.Table {
	t := widget.Table{Cols: []widget.Column{
		{Title: e.StampTitle(), Drop: 1},
		{Title: "NODE", Min: 8, Max: 24},
		{Title: "MS", Right: true, Drop: 2},
		{Title: "EXIT", Min: 4},
		{Title: "COMMAND", Min: max(min(e.W/2-2, 36), 1), Flex: true},
	}}
	for _, r := range ran {
		end, tone := ending(r)
		text := strings.TrimPrefix(strings.Join(r.Argv, " "), "sh -c ")
		if r.Err != nil {
			text += "  " + r.Err.Error()
		}
		t.Rows = append(t.Rows, []widget.Line{
			widget.T(theme.Dim, e.Stamp(r.At)), widget.T(theme.Strong, ranOn(r)), widget.P(msText(r)), widget.T(tone, end), widget.P(text),
		})
	}
	return t
}

// ranWhole is one command to its end, with what went wrong and what to do.
func ranWhole(r model.Ran, e page.Env) []widget.Line {
	end, tone := ending(r)
	if r.Err == nil {
		end = "exit " + end
	}
	head := widget.T(theme.Strong, " "+ranOn(r)+"  ").Add(tone, end).Add(theme.Dim, "  "+msText(r)+" ms  "+e.When(r.At))
	out := append([]widget.Line{head}, page.Wrapped(theme.Plain, strings.Join(r.Argv, " "), "   ", e.W, mostLines)...)
	if r.Err != nil {
		out = append(out, page.Failure(r.Err, e)...)
	}
	if r.Script == "" {
		return out
	}
	script := strings.Split(strings.TrimSpace(r.Script), "\n")
	for _, text := range script[:min(len(script), mostLines)] {
		out = append(out, widget.T(theme.Dim, "     "+strings.ReplaceAll(text, "\t", "  ")).Trunc(e.W))
	}
	if more := len(script) - mostLines; more > 0 {
		out = append(out, widget.T(theme.Dim, fmt.Sprintf("     … %d more lines", more)))
	}
	return out
}

// mostLines bounds the lines of one command.
const mostLines = 60

// ending is how a command ended, in at most four letters.
func ending(r model.Ran) (string, theme.Tone) {
	switch {
	case r.Err != nil:
		return "fail", theme.Bad
	case r.Exit != 0:
		return strconv.Itoa(r.Exit), theme.Warn
	}
	return "0", theme.Dim
}

func ranOn(r model.Ran) string { return cmp.Or(r.Node, "here") }

func msText(r model.Ran) string { return strconv.FormatInt(r.Took.Milliseconds(), 10) }
