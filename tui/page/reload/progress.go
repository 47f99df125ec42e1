package reload

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Progress is a reload as it happens and how it ended.
type Progress struct {
	plan     page.PlanMsg
	steps    []plan.StepResult // in the order they came, started ones replaced by their end
	done     *page.DoneMsg
	stopping bool
	top      int
}

// NewProgress is the page of a run that begins now.
func NewProgress(p page.PlanMsg) *Progress { return &Progress{plan: p} }

// Title of the page.
func (p *Progress) Title() widget.Line {
	if p.done != nil {
		return widget.P("report")
	}
	return widget.P("reloading")
}

// Stopping marks that no further node will be begun.
func (p *Progress) Stopping() page.Page {
	return page.With(p, func(q *Progress) { q.stopping = true })
}

// ReloadingScreen is a running reload in the registry: only a reload opens it.
func ReloadingScreen() page.Screen {
	return page.Screen{Name: "reloading", Keys: append([]keys.Row{
		{Keys: "ctrl+c", Action: keys.Cancel, Label: "stop after this node", Help: "finish the current node, leave the other nodes unchanged"},
	}, keys.Moves()...)}
}

// ReloadedScreen is a reload that has ended in the registry.
func ReloadedScreen() page.Screen {
	return page.Screen{Name: "reloaded", Keys: append([]keys.Row{
		{Keys: "enter", Action: keys.Open, Label: "back to the board", Help: "back to the cluster's board"},
	}, keys.Moves()...)}
}

// Scope of the page's keys.
func (p *Progress) Scope() string {
	if p.done != nil {
		return "reloaded"
	}
	return "reloading"
}

// Do carries out one action.
func (p *Progress) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	if a == keys.Open && p.done != nil {
		return p, page.Home{}
	}
	q := *p
	q.top = page.Scroll(a, p.top, len(p.lines(e)), e.H)
	return &q, nil
}

// Update takes in a step or the end.
func (p *Progress) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	switch m := msg.(type) {
	case page.StepMsg:
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
	case page.DoneMsg:
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
func (p *Progress) View(e page.Env) []widget.Line { return page.Scrolled(p.lines(e), p.top, e) }

func (p *Progress) lines(e page.Env) []widget.Line {
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
func (p *Progress) head(e page.Env) []widget.Line {
	nodes := p.plan.Plan.Nodes
	if p.done == nil {
		n := p.finished()
		width := max(min(e.W-34, 40), 4)
		full := width * n / max(len(nodes), 1)
		out := []widget.Line{widget.P(" ").AddRaw(theme.Info, strings.Repeat("█", full)).AddRaw(theme.Dim, strings.Repeat("░", width-full)).
			Add(theme.Plain, widget.F("  %d of %s done", n, text.Plural(len(nodes), "node")))}
		if p.stopping {
			out = append(out, widget.T(theme.Warn, " finishing the current node, then stopping; the other nodes stay unchanged"))
		}
		return out
	}
	if p.done.Err == nil && p.done.Report.OK() {
		return []widget.Line{widget.T(theme.Good, widget.F(" ● reloaded and verified: %s run the planned files", text.Plural(len(nodes), "node")))}
	}
	bad := 0
	for _, r := range p.done.Report.Nodes {
		if r.Outcome == plan.Broken || r.Outcome == plan.Uncertain {
			bad++
		}
	}
	verdict := " ✕ the reload did not finish; what was done and what was not is listed below"
	if bad > 0 {
		verdict = fmt.Sprintf(" ✕ CHECK %s NOW: see below", strings.ToUpper(text.Plural(bad, "node")))
	}
	out := []widget.Line{widget.T(theme.Bad, widget.Words(verdict))}
	if p.done.Err != nil {
		out = append(out, page.Failure(p.done.Err, e)...)
	}
	return out
}

// finished counts the nodes whose work has ended: those the run has gone past.
func (p *Progress) finished() int {
	for i, node := range slices.Backward(p.plan.Plan.Nodes) {
		switch steps := p.stepsOf(node.Host); {
		case verified(steps):
			return i + 1
		case len(steps) > 0:
			return i
		}
	}
	return 0
}

// verified reports that the steps of a node end with one that has verified it.
func verified(steps []plan.StepResult) bool {
	n := len(steps)
	return n > 0 && steps[n-1].Step == plan.StepVerify && steps[n-1].Done
}

func (p *Progress) stepsOf(h model.Host) []plan.StepResult {
	var out []plan.StepResult
	for _, s := range p.steps {
		if s.Host == h {
			out = append(out, s)
		}
	}
	return out
}

// node is one node: its state, then its steps, on as many lines as they need.
func (p *Progress) node(n plan.Node, e page.Env) []widget.Line {
	m := p.nodeMark(n)
	label := func(n plan.Node) string {
		if e.W < 140 && n.Node != "" {
			return n.Node
		}
		return nodeName(n)
	}
	l := widget.P(" ").AddRaw(m.Tone, m.Shape+" ").AddRaw(theme.Strong, label(n)).Add(theme.Plain, "  ").Add(m.Tone, widget.Words(m.Word))
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
func (p *Progress) nodeMark(n plan.Node) page.Mark {
	if p.done != nil {
		for _, r := range p.done.Report.Nodes {
			if r.Host == n.Host {
				return outcomeMark(r.Outcome)
			}
		}
		return page.Mark{Shape: "?", Word: "not reported", Tone: theme.Doubt}
	}
	steps := p.stepsOf(n.Host)
	switch {
	case len(steps) == 0:
		return page.Mark{Shape: "·", Word: "waiting", Tone: theme.Dim}
	case steps[len(steps)-1].Err != nil:
		return page.Mark{Shape: "✕", Word: "failed", Tone: theme.Bad}
	case verified(steps):
		return page.Mark{Shape: "✓", Word: "done", Tone: theme.Good}
	}
	return page.Mark{Shape: "▸", Word: "working", Tone: theme.Info}
}

func outcomeMark(o plan.NodeOutcome) page.Mark {
	return page.MarkOf(o, map[plan.NodeOutcome]page.Mark{
		plan.Applied:   {Shape: "✓", Word: "applied", Tone: theme.Good},
		plan.Unchanged: {Shape: "✓", Word: "unchanged", Tone: theme.Dim},
		plan.Untouched: {Shape: "–", Word: "not touched", Tone: theme.Warn},
		plan.Restored:  {Shape: "←", Word: "restored", Tone: theme.Warn},
		plan.Broken:    {Shape: "✕", Word: "BROKEN", Tone: theme.Bad},
	}, page.Mark{Shape: "?", Word: "UNCERTAIN", Tone: theme.Bad})
}

// stepLine is one step: begun, done or failed.
func stepLine(s plan.StepResult) widget.Line {
	word := s.Step
	switch {
	case s.Err != nil:
		return widget.T(theme.Bad, widget.Words("✕ "+word+" "))
	case !s.Done:
		return widget.T(theme.Info, widget.Words("▸ "+word+" … "))
	}
	l := widget.T(theme.Good, "✓").Add(theme.Plain, widget.Words(" "+word+" "))
	if s.Step == plan.StepVerify && s.Took > 0 {
		l = l.Add(theme.Dim, widget.Words(page.Took(s.Took)+" "))
	}
	return l
}

// account says for every node what was and was not done.
func (p *Progress) account(e page.Env) []widget.Line {
	var out []widget.Line
	for _, r := range p.done.Report.Nodes {
		m, name := outcomeMark(r.Outcome), string(r.Host)
		for _, n := range p.plan.Plan.Nodes {
			if n.Host == r.Host {
				name = nodeName(n)
			}
		}
		head := widget.P(" ").AddRaw(m.Tone, m.Shape+" ").AddRaw(theme.Strong, name)
		if full := head.Add(theme.Plain, widget.Words("  "+outcomeText(r))); full.Width() <= e.W {
			out = append(out, full)
		} else {
			out = append(append(out, head), page.Wrapped(theme.Plain, widget.Words(outcomeText(r)), "   ", e.W, 3)...)
		}
		if r.Err != nil {
			out = append(out, page.Failure(r.Err, e)...)
		}
		for _, s := range p.stepsOf(r.Host) {
			if s.Err != nil && s.Detail != "" {
				out = append(out, page.Wrapped(theme.Dim, widget.Words(s.Detail), "     ", e.W, 8)...)
			}
		}
		if r.Backup != "" {
			out = append(out, page.Wrapped(theme.Dim, widget.F("the previous files: %s", widget.Data(r.Backup)), "   ", e.W, 4)...)
		}
		for _, x := range r.Recovered {
			out = append(out, page.Wrapped(theme.Warn, widget.Words(x.Text()), "   ", e.W, 4)...)
		}
	}
	return append(out, p.after(e)...)
}

// after is what stays behind on the nodes that were reloaded, and the way back.
func (p *Progress) after(e page.Env) []widget.Line {
	changed := map[model.Host]bool{}
	for _, r := range p.done.Report.Nodes {
		if r.Outcome == plan.Applied {
			changed[r.Host] = true
		}
	}
	if len(changed) == 0 {
		return nil
	}
	var out []widget.Line
	for _, g := range p.plan.Plan.Grouped() {
		g.Hosts = slices.DeleteFunc(slices.Clone(g.Hosts), func(h model.Host) bool { return !changed[h] })
		if g.Name == plan.RiskOldWorkers && len(g.Hosts) > 0 {
			out = append(out, page.Marked(theme.Warn, " ‼ ", widget.Words(g.Name+": "+g.Where()+g.What), e.W-1, 6)...)
		}
	}
	return append(append(out, nil), page.Labelled(widget.T(theme.Head, " back"), theme.Plain,
		widget.F("pgtui undo %s restores the previous files", widget.Data(p.plan.Cluster)), 6, e.W, 3)...)
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
		return "had these files already, unchanged"
	case plan.Untouched:
		if r.Step != "" {
			return "failed" + at + ", before anything was changed"
		}
		return "not started, unchanged"
	case plan.Restored:
		return "failed" + at + "; the old files are back and loaded"
	case plan.Broken:
		return "failed" + at + " and could not be restored: check it now"
	}
	return "the connection was lost" + at + ": its state is unknown, check it"
}
