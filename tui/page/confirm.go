package page

import (
	"fmt"
	"strings"
	"time"

	"pgtui/plan"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Settle is how long a question stands before the keys count: what was typed
// for the screen before it must not answer it.
const Settle = 400 * time.Millisecond

// Question is the dialog before a reload. Its default is Cancel: only the
// cluster's name, typed in full, says yes.
type Question struct {
	plan    PlanMsg
	input   widget.Input
	settled bool
	pasted  bool
}

// NewQuestion asks whether to carry out a plan.
func NewQuestion(p PlanMsg) *Question {
	return &Question{plan: p, input: widget.Input{Max: 256}}
}

// Settled makes keys count from now on.
func (d *Question) Settled() *Question {
	q := *d
	q.settled = true
	return &q
}

// Paste does not count: a name that comes out of a clipboard was not typed.
func (d *Question) Paste() *Question {
	q := *d
	q.pasted = true
	return &q
}

// Key takes one key: its name and the text it types. closed reports that the
// dialog is over, and the intent what comes of it.
func (d *Question) Key(name, text string) (next *Question, out Intent, closed bool) {
	if name == "ctrl+c" || name == "esc" {
		return nil, Say{"cancelled: nothing was done"}, true
	}
	if !d.settled {
		return d, nil, false
	}
	if name == "enter" {
		words, plan := strings.Split(d.input.Value, " "), d.plan
		plan.Plan.Accepted = words[1:]
		switch risks := d.plan.Plan.Unaccepted(); {
		case d.input.Value == "":
			return nil, Say{"cancelled: nothing was done"}, true
		case words[0] != string(plan.Cluster) || len(words) != 1+len(risks) || len(plan.Plan.Unaccepted()) > 0:
			return nil, Say{fmt.Sprintf("cancelled: %q is not %s, nothing was done", d.input.Value, d.answer())}, true
		}
		return nil, Execute{plan}, true
	}
	q := *d
	q.input, _ = d.input.Key(name, text)
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
	about := wrapped(theme.Plain, plural(c.nodes, "node")+", one after the other: "+strings.Join(changedNodes(d.plan.Plan), ", "), "", inner, 3)
	tone := theme.Plain
	if c.deleted > 0 {
		tone = theme.Bad
	}
	about = append(about, wrapped(tone, "Files: "+what+".", "", inner, 2)...)
	for _, g := range d.plan.Plan.Grouped() {
		if g.Open {
			about = append(about, marked(theme.Warn, "‼ ", g.Name+": "+g.Where()+g.What, inner, 3)...)
		}
	}
	about = append(about, nil)
	about = append(about, wrapped(theme.Dim, "Each node is checked with haproxy -c before, and verified after; the first failure stops the run. Until its first checks end, for some tenths of a second, a reloaded HAProxy may send new connections to the wrong server.", "", inner, 6)...)
	about = append(about, nil)
	ask := wrapped(theme.Plain, "Type "+d.answer()+" and Enter to reload.", "", inner, 2)
	prompt := widget.T(theme.Dim, "> …")
	if d.settled {
		prompt = widget.P("> ").Add(theme.Strong, widget.Tail(d.input.Value, inner-4)).Add(theme.Key, "▏")
	}
	ask = append(ask, prompt)
	foot := "Enter on an empty line or Esc: cancel"
	if d.pasted {
		foot = "pasting does not count, type it; Esc: cancel"
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
