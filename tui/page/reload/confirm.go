package reload

import (
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/plan"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Settle is how long a question stands before the keys count: what was typed
// for the screen before it must not answer it.
const Settle = 400 * time.Millisecond

// Question is the dialog before a reload. Its default is Cancel: only the
// cluster's name, typed in full, says yes.
type Question struct {
	plan    page.PlanMsg
	input   textinput.Model
	settled bool
	pasted  bool
}

// NewQuestion is the prompt before a plan is executed.
func NewQuestion(p page.PlanMsg) *Question {
	return &Question{plan: p, input: widget.NewInput("", 256)}
}

// Settled makes keys count from now on.
func (d *Question) Settled() *Question {
	return page.With(d, func(q *Question) { q.settled = true })
}

// Paste does not count: a name that comes out of a clipboard was not typed.
func (d *Question) Paste() *Question {
	return page.With(d, func(q *Question) { q.pasted = true })
}

// Key takes one key. closed reports that the dialog is over, and the intent what
// comes of it.
func (d *Question) Key(msg tea.KeyPressMsg) (next *Question, out page.Intent, closed bool) {
	name := msg.String()
	if name == "ctrl+c" || name == "esc" {
		return nil, page.Say{Text: "cancelled: nothing was changed"}, true
	}
	if !d.settled {
		return d, nil, false
	}
	if name == "enter" {
		words, plan := strings.Split(d.input.Value(), " "), d.plan
		plan.Plan.Accepted = words[1:]
		switch risks := d.plan.Plan.Unaccepted(); {
		case d.input.Value() == "":
			return nil, page.Say{Text: "cancelled: nothing was changed"}, true
		case words[0] != string(plan.Cluster) || len(words) != 1+len(risks) || len(plan.Plan.Unaccepted()) > 0:
			return nil, page.Say{Text: fmt.Sprintf("cancelled: %q is not %s; nothing was changed", d.input.Value(), d.answer())}, true
		}
		return nil, page.Execute{Plan: plan}, true
	}
	q := *d
	q.input, _ = d.input.Update(msg)
	return &q, nil, false
}

// answer is what must be typed: the cluster's name, and that of every risk that
// stops the plan.
func (d *Question) answer() string {
	return strings.Join(append([]string{string(d.plan.Cluster)}, d.plan.Plan.Unaccepted()...), " ")
}

// View draws the dialog in at most w by h cells.
func (d *Question) View(w, h int) []widget.Line {
	inner := max(min(w-4, 72), 8)
	c := countPlan(d.plan.Plan)
	what := fmt.Sprintf("%d changed, %d added, %d deleted", c.changed, c.added, c.deleted)
	lines := []widget.Line{widget.T(theme.Strong, "Reload HAProxy for "+string(d.plan.Cluster)+"?")}
	about := page.Wrapped(theme.Plain, text.Plural(c.nodes, "node")+", one after the other: "+strings.Join(changedNodes(d.plan.Plan), ", "), "", inner, 3)
	tone := theme.Plain
	if c.deleted > 0 {
		tone = theme.Bad
	}
	about = append(about, page.Wrapped(tone, "Files: "+what+".", "", inner, 2)...)
	for _, g := range d.plan.Plan.Grouped() {
		if g.Open {
			about = append(about, page.Marked(theme.Warn, "‼ ", g.Name+": "+g.Where()+g.What, inner, 3)...)
		}
	}
	about = append(about, nil)
	about = append(about, page.Wrapped(theme.Dim, "Each node is checked with haproxy -c before the reload and verified after it; the first failure stops the run. Until its first checks end (some tenths of a second), a reloaded HAProxy may send new connections to the wrong server.", "", inner, 6)...)
	about = append(about, nil)
	ask := page.Wrapped(theme.Plain, "Type "+d.answer()+" and Enter to reload.", "", inner, 2)
	prompt := widget.T(theme.Dim, "> …")
	if d.settled {
		prompt = widget.Join(widget.P("> "), widget.InputLine(d.input, theme.Strong, inner-3))
	}
	ask = append(ask, prompt)
	foot := "Enter on an empty line or Esc: cancel"
	if d.pasted {
		foot = "pasted text is ignored: type it; Esc: cancel"
	}
	ask = append(ask, widget.T(theme.Dim, foot).Trunc(inner))
	if room := h - 2 - len(lines) - len(ask); len(about) > room {
		about = about[:max(room, 0)]
	}
	lines = append(append(lines, about...), ask...)
	return widget.Box(lines, inner, theme.Warn)
}

// changedNodes names the nodes that a plan would change, in its order.
func changedNodes(p plan.Plan) []string {
	var out []string
	for _, n := range p.Nodes {
		if n.Changed() {
			out = append(out, nodeName(n))
		}
	}
	return out
}
