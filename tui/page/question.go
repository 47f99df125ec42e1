package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"pgtui/plan"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Settle is how long a question stands before the keys count: what was typed
// for the screen before it must not answer it.
const Settle = 400 * time.Millisecond

// Ask is what the operator is prompted for before something is changed.
type Ask struct {
	Title   widget.Words // "Reload HAProxy for pg-test?"
	Verb    string       // what Enter does: "reload"
	Subject string       // what must be typed: a cluster, an instance or a node
	Risks   []string     // that stop it: their names must be typed behind the subject
	// About is what it does, in lines of w cells.
	About func(w int) []widget.Line
	// Yes is what comes of it; it gets the names of the risks.
	Yes func(accepted []string) Intent
}

// Question is the dialog before something is changed. Its default is Cancel: only
// the subject's name, typed in full, confirms it.
type Question struct {
	ask     Ask
	input   textinput.Model
	settled bool
	note    string // about the last answer, in place of how to cancel
	top     int    // the first line of what it does that is seen
	read    bool   // its last line was seen
}

// NewQuestion is the dialog of a prompt.
func NewQuestion(a Ask) *Question { return &Question{ask: a, input: widget.NewInput("", 256)} }

// Settled makes keys count from now on.
func (d *Question) Settled() *Question {
	return With(d, func(q *Question) { q.settled = true })
}

// Paste does not count: a name that comes out of a clipboard was not typed.
func (d *Question) Paste() *Question {
	return With(d, func(q *Question) { q.note = "pasted text is ignored: type it; Esc: cancel" })
}

// Key takes one key in a dialog of w by h cells. closed reports that the dialog is over,
// and the intent what comes of it. A wrong name leaves it open, because what is typed
// next must not reach the page below.
func (d *Question) Key(msg tea.KeyPressMsg, w, h int) (next *Question, out Intent, closed bool) {
	name := msg.String()
	if name == "ctrl+c" || name == "esc" {
		return nil, Say{Text: "cancelled: nothing was changed"}, true
	}
	if !d.settled {
		return d, nil, false
	}
	q := *d
	if about, room := d.about(w, h); len(about) > room {
		last := len(about) - room + 1
		if top, ok := scrolled(name, d.top, last, room-1); ok {
			q.top, q.read, q.note = top, d.read || top == last, ""
			return &q, nil, false
		}
	} else {
		q.read = true
	}
	if name == "enter" {
		switch accepted, ok := d.confirmed(); {
		case d.input.Value() == "":
			return nil, Say{Text: "cancelled: nothing was changed"}, true
		case ok && !q.read:
			q.note = "read it to the end first: ↓"
			return &q, nil, false
		case ok:
			return nil, d.ask.Yes(accepted), true
		}
		q.note = fmt.Sprintf("%q is not %s: nothing was changed; Esc: cancel", d.input.Value(), d.answer())
		q.input = widget.NewInput("", 256)
		return &q, nil, false
	}
	q.input, _ = d.input.Update(msg)
	return &q, nil, false
}

// confirmed are the risks that were typed behind the subject, and whether they and
// the subject are those that must be.
func (d *Question) confirmed() (accepted []string, ok bool) {
	words := strings.Split(d.input.Value(), " ")
	if words[0] != d.ask.Subject || len(words) != 1+len(d.ask.Risks) {
		return nil, false
	}
	for _, r := range d.ask.Risks {
		if !slices.Contains(words[1:], r) {
			return nil, false
		}
	}
	return words[1:], true
}

// answer is what must be typed.
func (d *Question) answer() string {
	return strings.Join(append([]string{d.ask.Subject}, d.ask.Risks...), " ")
}

// scrolled is the first line that is seen after a key, of lines that can be scrolled to
// last; step of them are seen. Letters scroll nothing: they are the answer.
func scrolled(key string, top, last, step int) (int, bool) {
	switch key {
	case "up":
		top--
	case "down":
		top++
	case "pgup":
		top -= max(step, 1)
	case "pgdown":
		top += max(step, 1)
	default:
		return top, false
	}
	return max(min(top, last), 0), true
}

// frame is the title above what it does, and the prompt below, of a dialog of w by h cells.
func (d *Question) frame(w, h int) (title, prompt []widget.Line, inner int) {
	inner = max(min(w-4, 72), 8)
	title = Wrapped(theme.Strong, d.ask.Title, "", inner, 2)
	prompt = append([]widget.Line{nil}, Wrapped(theme.Plain, widget.F("Type %s and Enter to %s.", widget.Data(d.answer()), d.ask.Verb), "", inner, 3)...)
	line := widget.T(theme.Dim, "> …")
	if d.settled {
		line = widget.Join(widget.P("> "), widget.InputLine(d.input, theme.Strong, inner-3))
	}
	prompt = append(prompt, line)
	tone, foot := theme.Dim, "Esc or an empty line: cancel"
	if d.note != "" {
		tone, foot = theme.Warn, d.note
	}
	prompt = append(prompt, Wrapped(tone, widget.Words(foot), "", inner, 2)...)
	if h-2-len(title)-len(prompt) < 4 {
		prompt = prompt[1:] // the blank line
	}
	if h-2-len(title)-len(prompt) < 2 {
		title = nil
	}
	return title, prompt, inner
}

// about is what it does, and the lines there are for it.
func (d *Question) about(w, h int) (lines []widget.Line, room int) {
	title, prompt, inner := d.frame(w, h)
	return d.ask.About(inner), max(h-2-len(title)-len(prompt), 2)
}

// View draws the dialog in at most w by h cells. What it does is scrolled where it has
// no room.
func (d *Question) View(w, h int) []widget.Line {
	lines, prompt, inner := d.frame(w, h)
	about, room := d.about(w, h)
	if len(about) > room {
		seen := room - 1
		top := min(d.top, len(about)-seen)
		mark := widget.T(theme.Dim, widget.F("↑ %d lines above", top))
		if below := len(about) - top - seen; below > 0 {
			mark = widget.T(theme.Key, widget.F("↓ %d more lines", below))
		}
		about = append(slices.Clone(about[top:top+seen]), mark)
	}
	return widget.Box(append(append(lines, about...), prompt...), inner, theme.Warn)
}

// RiskLines are the risks of a plan, each with its name, in w cells: first those that stop it.
func RiskLines(groups []plan.RiskGroup, w int) []widget.Line {
	var stop, note []widget.Line
	for _, g := range groups {
		if s := widget.Words(g.Name + ": " + g.Where() + g.What); g.Open {
			stop = append(stop, Marked(theme.Warn, "‼ ", s, w, 20)...)
		} else {
			note = append(note, Marked(theme.Plain, "· ", s, w, 20)...)
		}
	}
	return append(stop, note...)
}
