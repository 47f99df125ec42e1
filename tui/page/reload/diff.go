// Package reload holds the pages on the way through a reload: the diff, the
// confirmation, the progress and the report.
package reload

import (
	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Diff is what a reload of one cluster would change, node by node; nodes with
// the same change are shown once.
type Diff struct {
	cluster model.ClusterName
	reload  bool // opened to reload: shows how to continue
	asked   bool
	wanted  bool // the confirmation opens when the plan is there
	msg     *page.PlanMsg
	doc     document
	top     int  // the first line that is seen, with heads lines above the document
	heads   int  // how many these were when top was set
	split   bool // top is of the document side by side
	left    int  // cells that are scrolled out on the left
}

// NewDiff is the preview of a cluster; reload says that a reload is wanted.
func NewDiff(name model.ClusterName, reload bool) *Diff { return &Diff{cluster: name, reload: reload} }

// Title of the page.
func (p *Diff) Title() widget.Line { return widget.P(widget.Words(p.Scope())) }

// Start requests the plan when the page opens.
func (p *Diff) Start() (page.Page, page.Intent) {
	q := *p
	q.asked, q.wanted, q.msg, q.doc, q.top, q.left = true, false, nil, document{}, 0, 0
	return &q, page.MakePlan{Cluster: p.cluster}
}

// Waiting reports that the plan was requested and has not come.
func (p *Diff) Waiting() bool { return p.asked && p.msg == nil }

// Prompts reports that a reload is wanted whose plan has not come.
func (p *Diff) Prompts() bool { return p.Waiting() && (p.wanted || p.reload) }

// DiffScreen is the preview in the registry.
func DiffScreen() page.Screen {
	return page.Screen{Name: "diff", Key: "8", Letter: "d", As: keys.Diff, Help: "what a reload would change, node by node", Needs: true,
		Open: func(at page.Place, _ page.Env) page.Page { return NewDiff(at.Cluster, false) }, Keys: diffKeys()}
}

// Preview is the preview before a reload in the registry.
func Preview() page.Screen {
	return page.Screen{Name: "reload", Letter: "r", As: keys.Reload, Help: "reload the HAProxies: plan, diff, confirmation", Needs: true,
		Open: func(at page.Place, _ page.Env) page.Page { return NewDiff(at.Cluster, true) }, Keys: diffKeys()}
}

func diffKeys() []keys.Row {
	return append([]keys.Row{
		{Keys: "r enter", Action: keys.Reload, Label: "reload", Help: "reload; type the cluster's name to confirm", When: planReady},
		{Keys: "r enter", Action: keys.Reload, Help: "reload; until the plan can be carried out: the reason why not", When: planUnready},
		{Keys: "R", Action: keys.Again, Label: "read again", Help: "reread the inventory and the nodes' files", When: page.Answered},
		{Keys: "n ]", Action: keys.Next, Label: "next file", Help: "the next file", When: planChanges},
		{Keys: "p [", Action: keys.Prev, Help: "the file before", When: planChanges},
		{Keys: "tab", Action: keys.NextNode, Label: "next node", Help: "the next node", When: planChanges},
		{Keys: "shift+tab", Action: keys.PrevNode, Help: "the node before", When: planChanges},
		{Keys: "} .", Action: keys.NextChange, Label: "next change", Help: "the next change", When: planChanges},
		{Keys: "{", Action: keys.PrevChange, Help: "the change before", When: planChanges},
		{Keys: "right l", Action: keys.Right, Help: "see the ends of long lines", When: planChanges},
		{Keys: "left h", Action: keys.Left, Help: "back to the beginnings", When: planChanges},
	}, keys.Moves()...)
}

// What can be done with a plan.
const (
	planReady   keys.When = "plan-ready"   // it may be carried out
	planUnready keys.When = "plan-unready" // it is not there, or may not be carried out
	planChanges keys.When = "plan-changes" // it changes files
)

// Scope of the preview's keys.
func (p *Diff) Scope() string {
	if p.reload {
		return "reload"
	}
	return "diff"
}

// Holds reports what can be done with the plan.
func (p *Diff) Holds(w keys.When, e page.Env) bool {
	switch w {
	case planReady:
		return p.blocked(page.Env{}) == "" && !e.ReadOnly
	case planUnready:
		return !p.Holds(planReady, e)
	case planChanges:
		return len(p.doc.unified.files) > 0
	}
	return p.msg != nil
}

// Place of the page.
func (p *Diff) Place(page.Env) page.Place { return page.Place{Cluster: p.cluster} }

// Command prints the same plan.
func (p *Diff) Command(page.Env) (string, string) {
	c := string(p.cluster)
	return "pgtui reload " + c + " --dry-run", "bin/pgsql-svc " + c
}

// blocked says why the plan cannot be carried out; "" when it can.
func (p *Diff) blocked(e page.Env) string {
	switch {
	case p.msg == nil:
		return "the nodes are still being read"
	case p.msg.Err != nil:
		return "there is no plan: " + p.msg.Err.Error()
	case e.ReadOnly:
		return "this console is read-only"
	case e.Inv != nil && p.msg.Inv != nil && e.Inv.Hash != p.msg.Inv.Hash:
		return "the inventory has changed since this preview: R updates it"
	}
	if err := p.msg.Plan.Refusal(); err != nil {
		return err.Error()
	}
	for _, r := range p.msg.Plan.Risks {
		if r.Name == plan.RiskRejected {
			return "HAProxy on " + string(r.Host) + " would reject it: " + r.What
		}
	}
	if !p.msg.Plan.Changed() {
		return "there is nothing to reload: every node has these files already"
	}
	return ""
}

// Do carries out one action.
func (p *Diff) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	switch a {
	case keys.Reload:
		if p.Waiting() && !e.ReadOnly {
			return page.With(p, func(q *Diff) { q.wanted = true }), nil
		}
		return p, p.confirm(e)
	case keys.Again:
		return p.Start()
	}
	q := *p
	head, text := p.above(e), p.doc.at(e.W)
	off, lines := len(head), len(head)+len(text.rows)
	last, top := max(lines-e.H, 0), p.place(off, e)
	q.top, q.heads, q.split = top, off, e.W >= sideBySide
	anchors := map[keys.Action][]int{keys.NextChange: text.changes, keys.PrevChange: text.changes,
		keys.Next: text.files, keys.Prev: text.files, keys.NextNode: text.nodes, keys.PrevNode: text.nodes}
	switch a {
	case keys.NextChange, keys.Next, keys.NextNode:
		q.top = min(after(anchors[a], top-off)+off, last)
	case keys.PrevChange, keys.Prev, keys.PrevNode:
		q.top = max(before(anchors[a], top-off)+off, 0)
	case keys.Right:
		q.left = min(p.left+16, max(p.doc.wide-p.doc.room(e.W), 0))
	case keys.Left:
		q.left = max(p.left-16, 0)
	default:
		q.top = page.Scroll(a, top, lines, e.H)
	}
	return &q, nil
}

// confirm opens the dialog, or says why there is none.
func (p *Diff) confirm(e page.Env) page.Intent {
	if why := p.blocked(e); why != "" {
		return page.Refuse{Text: "no reload: " + why}
	}
	return page.Confirm{Ask: prompt(*p.msg)}
}

// place is the first line that is seen now, with off lines above the document:
// where the page has been made wider or narrower, the same text stays in sight.
func (p *Diff) place(off int, e page.Env) int {
	i, split := p.top-p.heads, e.W >= sideBySide
	if i <= 0 {
		return p.top
	}
	if p.split != split {
		i = p.doc.moved(i, split)
	}
	return off + i
}

// after is the first anchor behind line at, or the last anchor.
func after(anchors []int, at int) int {
	for _, i := range anchors {
		if i > at {
			return i
		}
	}
	if len(anchors) == 0 {
		return at
	}
	return anchors[len(anchors)-1]
}

// before is the last anchor in front of line at.
func before(anchors []int, at int) int {
	best := -1 << 30
	for _, i := range anchors {
		if i < at {
			best = i
		}
	}
	return best
}

// Update takes the plan in.
func (p *Diff) Update(msg tea.Msg, e page.Env) (page.Page, page.Intent) {
	m, ok := msg.(page.PlanMsg)
	if !ok || m.Cluster != p.cluster || p.msg != nil {
		return p, nil
	}
	q := *p
	q.msg = &m
	q.doc, q.wanted = newDocument(m.Plan, e.Texts), false
	if p.wanted {
		return &q, q.confirm(e)
	}
	return &q, nil
}

// View draws the part that fits.
func (p *Diff) View(e page.Env) []widget.Line {
	lines := p.above(e)
	off, rows := len(lines), p.doc.at(e.W).rows
	lines = append(lines, make([]widget.Line, len(rows))...)
	top := min(p.place(off, e), max(len(lines)-e.H, 0))
	for i := max(top, off); i < min(top+e.H, len(lines)); i++ {
		lines[i] = p.doc.draw(rows[i-off], e.W, p.left)
	}
	return page.Scrolled(lines, top, e)
}

// above is what the page shows above the document, or in place of one.
func (p *Diff) above(e page.Env) []widget.Line {
	switch {
	case p.msg == nil:
		out := append([]widget.Line{nil}, page.Wrapped(theme.Info, widget.F("~ reading the inventory and the service files of %s on its HAProxy nodes …", widget.Data(p.cluster)), " ", e.W, 3)...)
		switch {
		case p.wanted:
			out = append(out, page.Wrapped(theme.Warn, "The confirmation opens when they are read. Letters do nothing until then; esc leaves.", " ", e.W, 3)...)
		case p.reload && !e.ReadOnly:
			out = append(out, page.Wrapped(theme.Dim, "r: open the confirmation when they are read. Other letters do nothing until then; esc leaves.", " ", e.W, 3)...)
		}
		return out
	case p.msg.Err != nil:
		out := []widget.Line{widget.T(theme.Bad, " ✕ no plan could be made")}
		return append(out, page.Failure(p.msg.Err, e)...)
	}
	return p.head(e)
}

// head is the plan in words, the reason it cannot run, and how to continue.
func (p *Diff) head(e page.Env) []widget.Line {
	c := countPlan(p.msg.Plan)
	var out []widget.Line
	if c.nodes == 0 && p.msg.Plan.Refusal() == nil {
		out = append(out, widget.T(theme.Good, widget.F(" ● nothing to do: the HAProxy files are up to date on %s", text.Plural(len(p.msg.Plan.Nodes), "node"))))
	} else {
		l := widget.T(theme.Strong, widget.F(" %d of %s would change", c.nodes, text.Plural(len(p.msg.Plan.Nodes), "node"))).
			Add(theme.Dim, " · ").Add(theme.Plain, widget.F("%d changed", c.changed)).
			Add(theme.Dim, " · ").Add(theme.Plain, widget.F("%d added", c.added)).Add(theme.Dim, " · ")
		tone := theme.Plain
		if c.deleted > 0 {
			tone = theme.Bad
		}
		l = l.Add(tone, widget.F("%d deleted", c.deleted))
		if p.msg.Plan.ID != "" {
			l = l.Add(theme.Dim, widget.F("   plan %s", widget.Data(p.msg.Plan.ID[:min(len(p.msg.Plan.ID), 8)])))
		}
		out = append(out, l)
	}
	for _, n := range c.failed {
		out = append(out, widget.T(theme.Bad, widget.F(" ✕ %s could not be read", widget.Data(nodeName(n)))))
		out = append(out, page.Failure(n.Err, e)...)
	}
	if len(p.msg.Plan.Problems) > 0 {
		out = append(out, widget.T(theme.Bad, " ✕ not every service can be rendered"))
		out = append(out, page.Failure(p.msg.Plan.Refusal(), e)...)
	}
	for _, g := range p.msg.Plan.Grouped() {
		tone, mark := theme.Dim, " · "
		if g.Open {
			tone, mark = theme.Warn, " ‼ "
		}
		out = append(out, page.Marked(tone, mark, widget.Words(g.Name+": "+g.Where()+g.What), e.W-1, 6)...)
	}
	for _, s := range p.msg.Plan.Pigsty {
		out = append(out, page.Marked(theme.Dim, " · ", widget.Words("bin/pgsql-svc behaves differently: "+s), e.W-1, 2)...)
	}
	switch why := p.blocked(e); {
	case p.msg.Plan.Refusal() != nil && p.reload:
		out = append(out, widget.T(theme.Warn, " no reload until this is fixed; R rereads everything"))
	case why == "" && p.reload:
		out = append(out, widget.P(" Review the changes, then press ").Add(theme.Key, "r").Add(theme.Plain, " to continue. Nothing has been changed yet."))
	case why != "" && c.nodes > 0 && p.reload && !e.ReadOnly:
		out = append(out, page.Wrapped(theme.Bad, widget.Words("no reload: "+why), " ", e.W-1, 3)...)
	case e.ReadOnly && p.reload:
		out = append(out, widget.T(theme.Warn, widget.Words(" no reload: "+why)))
	}
	return append(out, nil)
}

// planCount is a plan in numbers.
type planCount struct {
	nodes, changed, added, deleted int
	failed                         []plan.Node
}

func countPlan(p plan.Plan) planCount {
	var c planCount
	seen := map[string]bool{}
	for _, n := range p.Nodes {
		if n.Err != nil {
			c.failed = append(c.failed, n)
			continue
		}
		if n.Changed() {
			c.nodes++
		}
		for _, f := range n.Changes {
			if k := f.Kind() + f.Name; !seen[k] {
				seen[k] = true
				switch f.Kind() {
				case "add":
					c.added++
				case "delete":
					c.deleted++
				default:
					c.changed++
				}
			}
		}
	}
	return c
}

func nodeName(n plan.Node) string {
	if n.Node != "" && n.Node != string(n.Host) {
		return n.Node + " " + string(n.Host)
	}
	return string(n.Host)
}
