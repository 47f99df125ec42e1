package actions

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Plan is what an action would do: its risks, its steps, what the operator should
// know. Nothing has been sent.
type Plan struct {
	page.Answer[page.ActionPlan]
	request action.Request
	wanted  bool // the confirmation opens when the plan is there
	top     int
}

// NewPlan is the page of a request; it plans when it opens.
func NewPlan(r action.Request) *Plan { return &Plan{request: r} }

// Title of the page.
func (p *Plan) Title() widget.Line { return widget.Raw(theme.Plain, string(p.request.Kind)) }

// Start plans when the page opens.
func (p *Plan) Start() (page.Page, page.Intent) {
	q := *p
	q.wanted = false
	return &q, q.Request(page.Inquiry{Topic: page.TopicAction, Cluster: p.request.Cluster, Request: &q.request})
}

// PlanScreen is a plan in the registry: only an action opens it.
func PlanScreen() page.Screen {
	return page.Screen{Name: "plan", Keys: append([]keys.Row{
		{Keys: "enter", Action: keys.Open, Label: "continue", Help: "carry it out; type the name to confirm", When: planReady},
		{Keys: "enter", Action: keys.Open, Help: "carry it out; until the plan can be carried out: the reason why not", When: planUnready},
		{Keys: "e", Action: keys.Edit, Label: "with options", Help: "write the command out, to change it", When: canAct},
		{Keys: "r R", Action: keys.Again, Label: "plan again", Help: "read the cluster and plan again"},
		{Keys: "x", Action: keys.Act, Label: "actions", Help: "what else can be done with it", Opens: "actions"},
		{Keys: "C", Action: keys.Candidates, Label: "candidates", Help: "who can take over, and why", Opens: "candidates"},
	}, keys.Moves()...)}
}

// Whether the plan may be carried out.
const (
	planReady   keys.When = "plan-may-run"
	planUnready keys.When = "plan-may-not-run"
)

// Prompts reports that the action is wanted and its plan has not come.
func (p *Plan) Prompts() bool { return p.wanted }

// Scope of the page's keys.
func (p *Plan) Scope() string { return "plan" }

// Place is what the action is on.
func (p *Plan) Place(page.Env) page.Place {
	at := page.Place{Cluster: p.request.Cluster, Instance: p.request.Instance, Host: p.request.Node}
	if p.request.Candidate != "" {
		at.Instance = p.request.Candidate
	}
	return at
}

// Holds reports what can be done with the plan.
func (p *Plan) Holds(w keys.When, e page.Env) bool {
	switch w {
	case canAct:
		return e.Acts
	case planUnready:
		return p.blocked(e) != ""
	}
	return p.blocked(e) == ""
}

// Command prints the same plan.
func (p *Plan) Command(page.Env) (string, string) {
	return "pgtui " + p.request.Line() + " --dry-run", ""
}

// blocked says why the plan cannot be carried out; "" when it can.
func (p *Plan) blocked(e page.Env) string {
	switch {
	case !e.Acts:
		return noActions
	case p.Got == nil || p.Waiting():
		return "the plan is not there yet"
	case p.Got.Plan.Refused != nil:
		return "refused: " + p.Got.Plan.Refused.Error()
	case !p.Got.Plan.Changes():
		return "there is nothing to do"
	case e.Inv != nil && p.Got.Inv != nil && e.Inv.Hash != p.Got.Inv.Hash:
		return "the inventory has changed since this plan was made: r plans again"
	}
	return ""
}

// Do carries out one action.
func (p *Plan) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	switch a {
	case keys.Again:
		return p.Start()
	case keys.Edit:
		return p, page.Type{Text: p.request.Line() + " "}
	case keys.Open:
		if p.Waiting() && e.Acts {
			return page.With(p, func(q *Plan) { q.wanted = true }), nil
		}
		return p, p.confirm(e)
	}
	return page.With(p, func(q *Plan) { q.top = page.Scroll(a, p.top, len(p.lines(e)), e.H) }), nil
}

// confirm opens the dialog, or says why there is none.
func (p *Plan) confirm(e page.Env) page.Intent {
	if why := p.blocked(e); why != "" {
		return page.Refuse{Text: why}
	}
	return page.Confirm{Ask: prompt(*p.Got)}
}

// Update takes the plan in.
func (p *Plan) Update(msg tea.Msg, e page.Env) (page.Page, page.Intent) {
	q := *p
	if q.Take(msg) {
		q.top, q.wanted = 0, false
		if p.wanted && q.Failed() == nil {
			return &q, q.confirm(e)
		}
	}
	return &q, nil
}

// View draws the part that fits.
func (p *Plan) View(e page.Env) []widget.Line { return page.Scrolled(p.lines(e), p.top, e) }

// lines is the whole page: how to continue or why not, the risks that stop it,
// the steps, and what the operator should know.
func (p *Plan) lines(e page.Env) []widget.Line {
	out := p.Trouble("reading "+string(p.request.Cluster)+" to plan: "+p.request.Title(), "no plan could be made", e)
	if p.wanted {
		out = append(out, page.Wrapped(theme.Warn, "The confirmation opens when the plan is there. Letters do nothing until then; esc leaves.", " ", e.W, 3)...)
	}
	if p.Got == nil {
		return out
	}
	pl := &p.Got.Plan
	title := widget.P(" ").Add(theme.Strong, widget.Words(pl.Request.Title()))
	if e.W >= page.Narrow {
		title = title.Add(theme.Dim, widget.F("  plan %s", widget.Data(pl.ID)))
	}
	out = append(out, p.Answered(title, e)...)
	out = append(out, p.verdict(e)...)
	groups := plan.Grouped(pl.Risks, pl.Accepted)
	out = append(out, stops(groups, e)...)
	if len(pl.Steps) > 0 {
		out = append(out, nil, widget.T(theme.Head, " STEPS"))
	}
	for i := range pl.Steps {
		out = append(out, stepLines(i, &pl.Steps[i], e)...)
	}
	return append(out, notes(pl.Facts, groups, e)...)
}

// verdict is how to continue, or why not.
func (p *Plan) verdict(e page.Env) []widget.Line {
	pl := &p.Got.Plan
	switch {
	case pl.Refused != nil:
		return append([]widget.Line{widget.T(theme.Bad, " ✕ refused: nothing is sent")}, page.Failure(pl.Refused, e)...)
	case !pl.Changes():
		return []widget.Line{widget.T(theme.Good, " ● nothing to do")}
	}
	if why := p.blocked(e); why != "" {
		return page.Wrapped(theme.Warn, widget.Words(why), " ", e.W, 2)
	}
	return []widget.Line{widget.P(" Review it, then press ").Add(theme.Key, "enter").Add(theme.Plain, " to continue. Nothing has been sent yet.")}
}

// stops are the risks whose names must be typed.
func stops(groups []plan.RiskGroup, e page.Env) []widget.Line {
	var out []widget.Line
	for i, g := range groups {
		if !g.Stops() {
			continue
		}
		out = append(out, page.Marked(theme.Warn, " ‼ ", widget.Words("STOP "+g.Name+": "+g.Where()+g.What), e.W-1, 4)...)
		again := i+1 < len(groups) && groups[i+1].Stops() && groups[i+1].Try == g.Try
		if g.Try != "" && !again {
			out = append(out, page.Labelled(widget.T(theme.Head, "   try"), theme.Plain, widget.Words(g.Try), 8, e.W, 2)...)
		}
	}
	return out
}

// notes are the risks that are shown only, and the facts.
func notes(facts []string, groups []plan.RiskGroup, e page.Env) []widget.Line {
	var out []widget.Line
	for _, g := range groups {
		if !g.Stops() {
			out = append(out, page.Marked(theme.Plain, " · ", widget.Words(g.Name+": "+g.Where()+g.What), e.W-1, 3)...)
		}
	}
	for _, f := range facts {
		out = append(out, page.Marked(theme.Dim, " · ", widget.Words(f), e.W-1, 6)...)
	}
	if len(out) == 0 {
		return nil
	}
	return append([]widget.Line{nil, widget.T(theme.Head, " KNOW")}, out...)
}

// stepLines is one step, with what proves it.
func stepLines(i int, s *action.Step, e page.Env) []widget.Line {
	out := page.Labelled(widget.Raw(theme.Strong, fmt.Sprintf(" %2d", i+1)), theme.Plain, widget.Words(s.What), 5, e.W, 3)
	if s.Proof != "" {
		out = append(out, page.Wrapped(theme.Dim, widget.Words("done when "+s.Proof), "     ", e.W, 4)...)
	}
	return out
}

// prompt is what the operator is prompted for before an action is carried out.
func prompt(p page.ActionPlan) page.Ask {
	r := &p.Plan.Request
	return page.Ask{
		Title: widget.Words(sentence(r.Title()) + "?"), Verb: "carry it out", Subject: p.Plan.Subject(), Risks: p.Plan.Unaccepted(),
		About: func(w int) []widget.Line { return aboutAction(&p.Plan, w) },
		Yes: func(accepted []string) page.Intent {
			p.Plan.Accepted = accepted
			return page.Act{Plan: p}
		},
	}
}

// sentence is s with a capital letter.
func sentence(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// aboutAction is what a plan does, in lines of w cells.
func aboutAction(p *action.Plan, w int) []widget.Line {
	out := page.RiskLines(plan.Grouped(p.Risks, p.Accepted), w)
	for i := range p.Steps {
		if i == 4 && len(p.Steps) > 5 {
			out = append(out, widget.T(theme.Dim, widget.F("   and %d more steps", len(p.Steps)-i)))
			break
		}
		out = append(out, page.Labelled(widget.Raw(theme.Dim, fmt.Sprintf("%d", i+1)), theme.Plain, widget.Words(p.Steps[i].What), 3, w, 2)...)
	}
	return append(out, page.Wrapped(theme.Dim, "Each call is sent once. A reply that is lost counts as unknown: pgtui keeps watching and does not send again.", "", w, 3)...)
}
