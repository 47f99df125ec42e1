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
	pasted  bool
}

// NewQuestion is the dialog of a prompt.
func NewQuestion(a Ask) *Question { return &Question{ask: a, input: widget.NewInput("", 256)} }

// Settled makes keys count from now on.
func (d *Question) Settled() *Question {
	return With(d, func(q *Question) { q.settled = true })
}

// Paste does not count: a name that comes out of a clipboard was not typed.
func (d *Question) Paste() *Question {
	return With(d, func(q *Question) { q.pasted = true })
}

// Key takes one key. closed reports that the dialog is over, and the intent what
// comes of it.
func (d *Question) Key(msg tea.KeyPressMsg) (next *Question, out Intent, closed bool) {
	name := msg.String()
	if name == "ctrl+c" || name == "esc" {
		return nil, Say{Text: "cancelled: nothing was changed"}, true
	}
	if !d.settled {
		return d, nil, false
	}
	if name == "enter" {
		switch accepted, ok := d.confirmed(); {
		case d.input.Value() == "":
			return nil, Say{Text: "cancelled: nothing was changed"}, true
		case ok:
			return nil, d.ask.Yes(accepted), true
		}
		return nil, Say{Text: fmt.Sprintf("cancelled: %q is not %s; nothing was changed", d.input.Value(), d.answer())}, true
	}
	q := *d
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

// View draws the dialog in at most w by h cells.
func (d *Question) View(w, h int) []widget.Line {
	inner := max(min(w-4, 72), 8)
	lines := Wrapped(theme.Strong, d.ask.Title, "", inner, 2)
	about := append(d.ask.About(inner), nil)
	ask := Wrapped(theme.Plain, widget.F("Type %s and Enter to %s.", widget.Data(d.answer()), d.ask.Verb), "", inner, 3)
	prompt := widget.T(theme.Dim, "> …")
	if d.settled {
		prompt = widget.Join(widget.P("> "), widget.InputLine(d.input, theme.Strong, inner-3))
	}
	ask = append(ask, prompt)
	foot := "Enter on an empty line or Esc: cancel"
	if d.pasted {
		foot = "pasted text is ignored: type it; Esc: cancel"
	}
	ask = append(ask, widget.T(theme.Dim, widget.Words(foot)).Trunc(inner))
	if room := h - 2 - len(lines) - len(ask); len(about) > room {
		about = about[:max(room, 0)]
	}
	lines = append(append(lines, about...), ask...)
	return widget.Box(lines, inner, theme.Warn)
}

// OpenRisks are the risks that stop a plan, each with its name, in w cells.
func OpenRisks(groups []plan.RiskGroup, w int) []widget.Line {
	var out []widget.Line
	for _, g := range groups {
		if g.Open {
			out = append(out, Marked(theme.Warn, "‼ ", widget.Words(g.Name+": "+g.Where()+g.What), w, 3)...)
		}
	}
	return out
}
