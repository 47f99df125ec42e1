package page

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Diff is what a reload of one cluster would change, node by node; nodes with
// the same change are shown once.
type Diff struct {
	cluster model.ClusterName
	reload  bool // opened to reload: says so, and how to go on
	asked   bool
	msg     *PlanMsg
	doc     document
	top     int  // the first line that is seen, with heads lines above the document
	heads   int  // how many these were when top was set
	split   bool // top is of the document side by side
	left    int  // cells that are scrolled out on the left
}

// NewDiff is the preview of a cluster; reload tells that a reload is wanted.
func NewDiff(name model.ClusterName, reload bool) *Diff { return &Diff{cluster: name, reload: reload} }

// Title of the page.
func (p *Diff) Title() string {
	if p.reload {
		return "reload"
	}
	return "diff"
}

// Start asks for the plan when the page opens.
func (p *Diff) Start() (Page, Intent) {
	q := *p
	q.asked, q.msg, q.doc, q.top, q.left = true, nil, document{}, 0, 0
	return &q, AskPlan{p.cluster}
}

// Waiting reports that the plan was asked for and has not come.
func (p *Diff) Waiting() bool { return p.asked && p.msg == nil }

// Keys of the preview.
func (p *Diff) Keys(e Env) []keys.Binding {
	out := []keys.Binding{}
	if p.ready() && !e.ReadOnly {
		out = append(out, keys.New(keys.Reload, "reload", "r", "reload: asks for the cluster's name first", "r", "enter"))
	}
	if p.msg != nil {
		out = append(out, keys.New(keys.Again, "read again", "R", "read the inventory and the nodes' files again", "R"))
	}
	if len(p.doc.unified.files) > 0 {
		out = append(out,
			keys.New(keys.Next, "next file", "n", "the next file", "n", "]"),
			keys.New(keys.Prev, "", "p", "the file before", "p", "["),
			keys.New(keys.NextNode, "next node", "tab", "the next node", "tab"),
			keys.New(keys.PrevNode, "", "shift-tab", "the node before", "shift+tab"),
			keys.New(keys.NextChange, "next change", ".", "the next change", ".", "}"),
			keys.New(keys.PrevChange, "", ",", "the change before", ",", "{"),
			keys.New(keys.Right, "", "→/l", "see the ends of long lines", "right", "l"),
			keys.New(keys.Left, "", "←/h", "back to the beginnings", "left", "h"))
	}
	return append(out, keys.Moves()...)
}

// ready reports whether there is a plan that may be carried out.
func (p *Diff) ready() bool { return p.msg != nil && p.blocked(Env{}) == "" }

// blocked says why the plan cannot be carried out; "" when it can.
func (p *Diff) blocked(e Env) string {
	switch {
	case p.msg == nil:
		return "the nodes are still being read"
	case p.msg.Err != nil:
		return "there is no plan: " + p.msg.Err.Error()
	case e.ReadOnly:
		return "this console is read-only"
	case e.Inv != nil && p.msg.Inv != nil && e.Inv.Hash != p.msg.Inv.Hash:
		return "the inventory has changed since this preview: R makes another"
	}
	if err := p.msg.Plan.Refusal(); err != nil {
		return err.Error()
	}
	for _, r := range p.msg.Plan.Risks {
		if r.Name == plan.RiskRejected {
			return "HAProxy on " + string(r.Host) + " would refuse it: " + r.What
		}
	}
	if !p.msg.Plan.Changed() {
		return "there is nothing to reload: every node has these files already"
	}
	return ""
}

// Do carries out one action.
func (p *Diff) Do(a keys.Action, e Env) (Page, Intent) {
	switch a {
	case keys.Reload:
		if why := p.blocked(e); why != "" {
			return p, Say{"no reload: " + why}
		}
		return p, Confirm{*p.msg}
	case keys.Again:
		return p.Start()
	}
	q := *p
	head, text := p.above(e), p.doc.at(e.W)
	off, lines := len(head), len(head)+len(text.rows)
	last, top := max(lines-e.H, 0), p.place(off, e)
	q.top, q.heads, q.split = top, off, e.W >= sideBySide
	switch a {
	case keys.NextChange:
		q.top = min(after(text.changes, top-off)+off, last)
	case keys.PrevChange:
		q.top = max(before(text.changes, top-off)+off, 0)
	case keys.Next:
		q.top = min(after(text.files, top-off)+off, last)
	case keys.Prev:
		q.top = max(before(text.files, top-off)+off, 0)
	case keys.NextNode:
		q.top = min(after(text.nodes, top-off)+off, last)
	case keys.PrevNode:
		q.top = max(before(text.nodes, top-off)+off, 0)
	case keys.Right:
		q.left = min(p.left+16, max(p.doc.wide-p.doc.room(e.W), 0))
	case keys.Left:
		q.left = max(p.left-16, 0)
	default:
		if i, ok := scroll(a, top, lines, e.H); ok {
			q.top = i
		}
	}
	return &q, nil
}

// place is the first line that is seen now, with off lines above the document:
// where the page has been made wider or narrower, the same text stays in sight.
func (p *Diff) place(off int, e Env) int {
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
func (p *Diff) Update(msg tea.Msg, e Env) (Page, Intent) {
	m, ok := msg.(PlanMsg)
	if !ok || m.Cluster != p.cluster || p.msg != nil {
		return p, nil
	}
	q := *p
	q.msg = &m
	q.doc = newDocument(m.Plan, e.Texts)
	return &q, nil
}

// View draws the part that fits.
func (p *Diff) View(e Env) []widget.Line {
	lines := p.above(e)
	off, rows := len(lines), p.doc.at(e.W).rows
	lines = append(lines, make([]widget.Line, len(rows))...)
	top := min(p.place(off, e), max(len(lines)-e.H, 0))
	for i := max(top, off); i < min(top+e.H, len(lines)); i++ {
		lines[i] = p.doc.draw(rows[i-off], e.W, p.left)
	}
	return scrolled(lines, top, e)
}

// above is what stands above the document, or in place of one.
func (p *Diff) above(e Env) []widget.Line {
	switch {
	case p.msg == nil:
		return []widget.Line{nil, widget.T(theme.Info, " ~ reading the inventory and the service files of "+string(p.cluster)+" on its HAProxy nodes …")}
	case p.msg.Err != nil:
		out := []widget.Line{widget.T(theme.Bad, " ✕ no plan could be made")}
		return append(out, failure(p.msg.Err, e)...)
	}
	return p.head(e)
}

// head is the plan in words, the reason it cannot run, and how to go on.
func (p *Diff) head(e Env) []widget.Line {
	c := countPlan(p.msg.Plan)
	var out []widget.Line
	if c.nodes == 0 && p.msg.Plan.Refusal() == nil {
		out = append(out, widget.T(theme.Good, fmt.Sprintf(" ● nothing to do: all %s already have these files", plural(len(p.msg.Plan.Nodes), "node"))))
	} else {
		l := widget.T(theme.Strong, fmt.Sprintf(" %d of %s would change", c.nodes, plural(len(p.msg.Plan.Nodes), "node"))).
			Add(theme.Dim, " · ").Add(theme.Plain, fmt.Sprintf("%d changed", c.changed)).
			Add(theme.Dim, " · ").Add(theme.Plain, fmt.Sprintf("%d added", c.added)).Add(theme.Dim, " · ")
		tone := theme.Plain
		if c.deleted > 0 {
			tone = theme.Bad
		}
		l = l.Add(tone, fmt.Sprintf("%d deleted", c.deleted))
		if p.msg.Plan.ID != "" {
			l = l.Add(theme.Dim, "   plan "+short(p.msg.Plan.ID))
		}
		out = append(out, l)
	}
	for _, n := range c.failed {
		out = append(out, widget.T(theme.Bad, " ✕ "+nodeName(n)+" could not be read"))
		out = append(out, failure(n.Err, e)...)
	}
	if len(p.msg.Plan.Problems) > 0 {
		out = append(out, widget.T(theme.Bad, " ✕ not every service can be rendered"))
		out = append(out, failure(p.msg.Plan.Refusal(), e)...)
	}
	for _, g := range p.msg.Plan.Grouped() {
		tone, mark := theme.Dim, " · "
		if g.Open {
			tone, mark = theme.Warn, " ‼ "
		}
		out = append(out, marked(tone, mark, g.Name+": "+g.Where()+g.What, e.W-1, 6)...)
	}
	for _, s := range p.msg.Plan.Pigsty {
		out = append(out, marked(theme.Dim, " · ", "bin/pgsql-svc would do otherwise: "+s, e.W-1, 2)...)
	}
	switch why := p.blocked(e); {
	case p.msg.Plan.Refusal() != nil && p.reload:
		out = append(out, widget.T(theme.Warn, " no reload before this is mended; R reads everything again"))
	case why == "" && p.reload:
		out = append(out, widget.P(" Read what changes, then press ").Add(theme.Key, "r").Add(theme.Plain, " to go on. Nothing has been touched yet."))
	case why != "" && c.nodes > 0 && p.reload && !e.ReadOnly:
		out = append(out, wrapped(theme.Bad, "no reload: "+why, " ", e.W-1, 3)...)
	case e.ReadOnly && p.reload:
		out = append(out, widget.T(theme.Warn, " no reload: "+why))
	}
	return append(out, nil)
}

// failure is an error with its hint.
func failure(err error, e Env) []widget.Line {
	out := wrapped(theme.Plain, err.Error(), "   ", e.W, 6)
	if try := source.TryOf(err); try != "" {
		out = append(out, labelled(widget.T(theme.Head, "   try"), theme.Plain, try, 8, e.W, 4)...)
	}
	return out
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

// short is enough of a hash to tell plans apart.
func short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

func nodeName(n plan.Node) string {
	if n.Node != "" && n.Node != string(n.Host) {
		return n.Node + " " + string(n.Host)
	}
	return string(n.Host)
}
