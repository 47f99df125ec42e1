package page

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Said is one line that was said to the operator.
type Said struct {
	At   time.Time
	Tone theme.Tone
	Text string
}

// Log is what pgtui said and what it ran on the nodes, the newest first.
type Log struct {
	messages bool // the messages instead of the commands
	top      int
	filter   string
}

// NewLog is the log of commands.
func NewLog() *Log { return &Log{} }

// Title of the page.
func (p *Log) Title() string { return "log" }

// Filter is the text the lines are narrowed to.
func (p *Log) Filter() string { return p.filter }

// SetFilter narrows the lines.
func (p *Log) SetFilter(text string) Page {
	q := *p
	q.filter, q.top = text, 0
	return &q
}

// Keys of the log.
func (p *Log) Keys(Env) []keys.Binding {
	other := "messages"
	if p.messages {
		other = "commands"
	}
	return append([]keys.Binding{
		keys.New(keys.Next, other, "tab", "what was said, or the commands that were run", "tab", "left", "right", "h", "l"),
		keys.New(keys.Filter, "filter", "/", "narrow the list as you type", "/"),
	}, keys.Moves()...)
}

// Do scrolls, or changes between messages and commands.
func (p *Log) Do(a keys.Action, e Env) (Page, Intent) {
	q := *p
	if a == keys.Next {
		q.messages, q.top = !q.messages, 0
		return &q, nil
	}
	if i, ok := scroll(a, p.top, len(p.lines(e)), max(e.H-1, 1)); ok {
		q.top = i
	}
	return &q, nil
}

// Update changes nothing: the lines come with the Env.
func (p *Log) Update(tea.Msg, Env) (Page, Intent) { return p, nil }

// View draws the part that fits.
func (p *Log) View(e Env) []widget.Line {
	lines := p.lines(e)
	what := "COMMANDS"
	if p.messages {
		what = "MESSAGES"
	}
	title := widget.T(theme.Head, fmt.Sprintf(" %s %d", what, len(lines))).Add(theme.Dim, "  the newest first; times are when it began")
	if len(lines) == 0 {
		text := " Nothing was run on any node by this console."
		if p.messages {
			text = " Nothing was said yet."
		}
		if p.filter != "" {
			text = " Nothing matches. Esc clears the filter."
		}
		return []widget.Line{title, nil, widget.T(theme.Plain, text)}
	}
	e.H--
	return append([]widget.Line{title}, scrolled(lines, p.top, e)...)
}

func (p *Log) lines(e Env) (out []widget.Line) {
	if p.messages {
		for i := len(e.Said) - 1; i >= 0; i-- {
			s := e.Said[i]
			if matches(p.filter, s.Text) {
				head := widget.T(theme.Dim, " "+clock(s.At, e.Now)+" ")
				out = append(out, labelled(head, s.Tone, s.Text, 10, e.W, 6)...)
			}
		}
		return out
	}
	for i := len(e.Ran) - 1; i >= 0; i-- {
		r := e.Ran[i]
		if matches(p.filter, r.Node, strings.Join(r.Argv, " ")) {
			out = append(out, ranLine(r, e))
		}
	}
	return out
}

// ranLine is one command: when, where, how long, how it ended, what.
func ranLine(r model.Ran, e Env) widget.Line {
	end, tone := fmt.Sprintf("exit %d", r.Exit), theme.Dim
	switch {
	case r.Err != nil:
		end, tone = "failed", theme.Bad
	case r.Exit != 0:
		tone = theme.Warn
	}
	node := r.Node
	if node == "" {
		node = "here"
	}
	l := widget.T(theme.Dim, " "+clock(r.At, e.Now)+" ").Add(theme.Strong, fmt.Sprintf("%-15s ", node))
	l = l.Add(theme.Plain, fmt.Sprintf("%6d ms ", r.Took.Milliseconds())).Add(tone, fmt.Sprintf("%-7s ", end))
	text := strings.Join(r.Argv, " ")
	if r.Err != nil {
		text += "  " + r.Err.Error()
	}
	return l.Add(theme.Plain, text)
}
