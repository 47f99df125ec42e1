package page

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Run is a reload as it happens and how it ended.
type Run struct {
	plan     PlanMsg
	steps    []plan.StepResult // in the order they were told, begun ones replaced by their end
	done     *DoneMsg
	stopping bool
	top      int
}

// NewRun is the page of a run that begins now.
func NewRun(p PlanMsg) *Run { return &Run{plan: p} }

// Title of the page.
func (p *Run) Title() string {
	if p.done != nil {
		return "report"
	}
	return "reloading"
}

// Running reports whether nodes are still being worked on.
func (p *Run) Running() bool { return p.done == nil }

// Stopping marks that no further node will be begun.
func (p *Run) Stopping() Page {
	q := *p
	q.stopping = true
	return &q
}

// Keys of the run.
func (p *Run) Keys(Env) []keys.Binding {
	if p.Running() {
		return append([]keys.Binding{
			keys.New(keys.Cancel, "stop after this node", "ctrl-c", "finish the node that is being worked on, leave the others as they are", "ctrl+c"),
		}, keys.Moves()...)
	}
	return append([]keys.Binding{
		keys.New(keys.Open, "back to the board", "enter", "back to the cluster's board", "enter"),
	}, keys.Moves()...)
}

// Do carries out one action.
func (p *Run) Do(a keys.Action, e Env) (Page, Intent) {
	if a == keys.Open && !p.Running() {
		return p, Home{}
	}
	if i, ok := scroll(a, p.top, len(p.lines(e)), e.H); ok {
		q := *p
		q.top = i
		return &q, nil
	}
	return p, nil
}

// Update takes in a step or the end.
func (p *Run) Update(msg tea.Msg, _ Env) (Page, Intent) {
	switch m := msg.(type) {
	case StepMsg:
		q := *p
		q.steps = append([]plan.StepResult(nil), p.steps...)
		for i, s := range q.steps {
			if s.Host == m.Result.Host && s.Step == m.Result.Step && !s.Done {
				q.steps[i] = m.Result
				return &q, nil
			}
		}
		q.steps = append(q.steps, m.Result)
		return &q, nil
	case DoneMsg:
		if p.done != nil {
			return p, nil
		}
		q := *p
		q.done, q.top = &m, 0
		return &q, nil
	}
	return p, nil
}

// View draws the part that fits.
func (p *Run) View(e Env) []widget.Line { return scrolled(p.lines(e), p.top, e) }

func (p *Run) lines(e Env) []widget.Line {
	out := p.head(e)
	out = append(out, nil)
	for _, n := range p.plan.Plan.Nodes {
		out = append(out, p.node(n, e)...)
	}
	if p.done == nil {
		return out
	}
	out = append(out, nil)
	return append(out, p.account(e)...)
}

// head is where the run stands, or how it ended.
func (p *Run) head(e Env) []widget.Line {
	nodes := p.plan.Plan.Nodes
	if p.done == nil {
		n := p.finished()
		width := max(min(e.W-34, 40), 4)
		full := width * n / max(len(nodes), 1)
		out := []widget.Line{widget.P(" ").Add(theme.Info, strings.Repeat("█", full)).Add(theme.Dim, strings.Repeat("░", width-full)).
			Add(theme.Plain, fmt.Sprintf("  %d of %s done", n, plural(len(nodes), "node")))}
		if p.stopping {
			out = append(out, widget.T(theme.Warn, " finishing the node in work, then stopping; the others stay as they are"))
		}
		return out
	}
	if p.done.Err == nil && p.done.Report.OK() {
		return []widget.Line{widget.T(theme.Good, fmt.Sprintf(" ● reloaded and verified: %s serve what was planned", plural(len(nodes), "node")))}
	}
	bad := 0
	for _, r := range p.done.Report.Nodes {
		if r.Outcome == plan.Broken || r.Outcome == plan.Uncertain {
			bad++
		}
	}
	text := " ✕ the reload did not finish; what was done and what was not is listed below"
	if bad > 0 {
		text = fmt.Sprintf(" ✕ LOOK AT %s NOW: see below", strings.ToUpper(plural(bad, "node")))
	}
	out := []widget.Line{widget.T(theme.Bad, text)}
	if p.done.Err != nil {
		out = append(out, failure(p.done.Err, e)...)
	}
	return out
}

// finished counts the nodes whose work has ended: those the run has gone past.
func (p *Run) finished() int {
	n := 0
	for i, node := range p.plan.Plan.Nodes {
		later := false
		for _, next := range p.plan.Plan.Nodes[i+1:] {
			later = later || len(p.stepsOf(next.Host)) > 0
		}
		last := p.stepsOf(node.Host)
		if later || (len(last) > 0 && last[len(last)-1].Step == plan.StepVerify && last[len(last)-1].Done) {
			n++
		}
	}
	return n
}

func (p *Run) stepsOf(h model.Host) []plan.StepResult {
	var out []plan.StepResult
	for _, s := range p.steps {
		if s.Host == h {
			out = append(out, s)
		}
	}
	return out
}

// node is one node: its state, then its steps, on as many lines as they need.
func (p *Run) node(n plan.Node, e Env) []widget.Line {
	m := p.nodeMark(n)
	label := func(n plan.Node) string {
		if e.W < 140 && n.Node != "" {
			return n.Node
		}
		return nodeName(n)
	}
	l := widget.P(" ").Add(m.tone, m.shape+" ").Add(theme.Strong, label(n)).Add(theme.Plain, "  ").Add(m.tone, m.word)
	name := 0
	for _, other := range p.plan.Plan.Nodes {
		name = max(name, widget.Width(label(other)))
	}
	l = l.Pad(max(l.Width(), min(name+18, e.W)))
	var out []widget.Line
	for _, s := range p.stepsOf(n.Host) {
		part := stepLine(s)
		if l.Width()+part.Width() > e.W {
			out = append(out, l)
			l = widget.P("     ")
		}
		l = widget.Join(l, part)
	}
	return append(out, l)
}

// nodeMark is how a node stands.
func (p *Run) nodeMark(n plan.Node) mark {
	if p.done != nil {
		for _, r := range p.done.Report.Nodes {
			if r.Host == n.Host {
				return outcomeMark(r.Outcome)
			}
		}
		return mark{"?", "not reported", theme.Doubt}
	}
	steps := p.stepsOf(n.Host)
	switch {
	case len(steps) == 0:
		return mark{"·", "waiting", theme.Dim}
	case steps[len(steps)-1].Err != nil:
		return mark{"✕", "failed", theme.Bad}
	case steps[len(steps)-1].Step == plan.StepVerify && steps[len(steps)-1].Done:
		return mark{"✓", "done", theme.Good}
	}
	return mark{"▸", "working", theme.Info}
}

func outcomeMark(o plan.NodeOutcome) mark {
	switch o {
	case plan.Applied:
		return mark{"✓", "applied", theme.Good}
	case plan.Unchanged:
		return mark{"✓", "unchanged", theme.Dim}
	case plan.Untouched:
		return mark{"–", "not touched", theme.Warn}
	case plan.Restored:
		return mark{"←", "restored", theme.Warn}
	case plan.Broken:
		return mark{"✕", "BROKEN", theme.Bad}
	}
	return mark{"?", "UNCERTAIN", theme.Bad}
}

// stepLine is one step: begun, done or failed.
func stepLine(s plan.StepResult) widget.Line {
	word := s.Step
	switch {
	case s.Err != nil:
		return widget.T(theme.Bad, "✕ "+word+" ")
	case !s.Done:
		return widget.T(theme.Info, "▸ "+word+" … ")
	}
	l := widget.T(theme.Good, "✓").Add(theme.Plain, " "+word+" ")
	if s.Step == plan.StepVerify && s.Took > 0 {
		l = l.Add(theme.Dim, took(s.Took)+" ")
	}
	return l
}

// account says for every node what was and was not done.
func (p *Run) account(e Env) []widget.Line {
	var out []widget.Line
	for _, r := range p.done.Report.Nodes {
		m, name := outcomeMark(r.Outcome), string(r.Host)
		for _, n := range p.plan.Plan.Nodes {
			if n.Host == r.Host {
				name = nodeName(n)
			}
		}
		out = append(out, widget.P(" ").Add(m.tone, m.shape+" ").Add(theme.Strong, name).Add(theme.Plain, "  "+outcomeText(r)))
		if r.Err != nil {
			out = append(out, failure(r.Err, e)...)
		}
		for _, s := range p.stepsOf(r.Host) {
			if s.Err != nil && s.Detail != "" {
				out = append(out, wrapped(theme.Dim, s.Detail, "     ", e.W, 8)...)
			}
		}
		if r.Backup != "" {
			out = append(out, wrapped(theme.Dim, "the files before: "+r.Backup, "   ", e.W, 4)...)
		}
		for _, x := range r.Recovered {
			out = append(out, wrapped(theme.Warn, x.Text(), "   ", e.W, 4)...)
		}
	}
	return out
}

// outcomeText is an outcome in a sentence.
func outcomeText(r plan.NodeReport) string {
	at := ""
	if r.Step != "" {
		at = " at " + r.Step
	}
	switch r.Outcome {
	case plan.Applied:
		return "new files in place, reloaded, verified on the stats page"
	case plan.Unchanged:
		return "had these files already, nothing was done"
	case plan.Untouched:
		if r.Step != "" {
			return "failed" + at + ", before anything on it was changed"
		}
		return "not begun, nothing on it was changed"
	case plan.Restored:
		return "failed" + at + "; the old files are back and loaded"
	case plan.Broken:
		return "failed" + at + " and could not be restored: look at it now"
	}
	return "the connection was lost" + at + ": its state is not known, look at it"
}
