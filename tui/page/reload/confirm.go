package reload

import (
	"fmt"
	"strings"

	"pgtui/internal/text"
	"pgtui/plan"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// prompt is what the operator is prompted for before a plan is executed.
func prompt(p page.PlanMsg) page.Ask {
	return page.Ask{
		Title: widget.F("Reload HAProxy for %s?", widget.Data(p.Cluster)), Verb: "reload",
		Subject: string(p.Cluster), Risks: p.Plan.Unaccepted(),
		About: func(w int) []widget.Line { return aboutPlan(p.Plan, w) },
		Yes: func(accepted []string) page.Intent {
			p.Plan.Accepted = accepted
			return page.Execute{Plan: p}
		},
	}
}

// aboutPlan is what a plan does, in lines of w cells.
func aboutPlan(p plan.Plan, w int) []widget.Line {
	c := countPlan(p)
	what := fmt.Sprintf("%d changed, %d added, %d deleted", c.changed, c.added, c.deleted)
	out := page.Wrapped(theme.Plain, widget.F("%s, one after the other: %s", text.Plural(c.nodes, "node"), widget.Data(strings.Join(changedNodes(p), ", "))), "", w, 3)
	tone := theme.Plain
	if c.deleted > 0 {
		tone = theme.Bad
	}
	out = append(out, page.Wrapped(tone, widget.Words("Files: "+what+"."), "", w, 2)...)
	out = append(out, page.RiskLines(p.Grouped(), w)...)
	return append(out, page.Wrapped(theme.Dim, "Each node is checked with haproxy -c before the reload and verified after it; the first failure stops the run.", "", w, 6)...)
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
