package show

import (
	"fmt"
	"strings"

	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
)

// Action prints the plan of an action: its steps, what the operator should know,
// and the risks.
func Action(w Out, p *action.Plan) {
	fmt.Fprintf(w, "%s  plan %s\n", p.Request.Title(), p.ID)
	for i := range p.Steps {
		s := &p.Steps[i]
		fmt.Fprintf(w, "  %2d  %s\n", i+1, w.line(s.What, 300))
		if s.Proof != "" {
			fmt.Fprintf(w, "      done when %s\n", w.line(s.Proof, 300))
		}
	}
	if len(p.Facts) > 0 {
		fmt.Fprintln(w)
	}
	for _, f := range p.Facts {
		fmt.Fprintf(w, "  %s\n", w.line(f, 400))
	}
	riskGroups(w, plan.Grouped(p.Risks, p.Accepted))
	if p.Refused != nil {
		fmt.Fprintf(w, "\nrefused: %s\n", w.line(p.Refused.Error(), 600))
		if try := source.TryOf(p.Refused); try != "" {
			fmt.Fprintf(w, "  try: %s\n", w.line(try, 300))
		}
	}
}

// Event prints one line of the timeline of an action; none for what probe clients see
// while nothing changes for them.
func Event(w Out, p *action.Plan, e action.Event) {
	if e.Clients != nil && e.What == "" {
		return
	}
	at := e.At.Format("15:04:05.0")
	host := ""
	if e.Host != "" {
		host = string(e.Host) + ": "
	}
	fmt.Fprintf(w, "%s  %-9s  %s%s%s\n", at, e.State, host, bar(e.Done, e.Total), w.line(e.What, 300))
	if e.Err != nil {
		fmt.Fprintf(w, "%*s  %s\n", len(at)+11, "", w.line(e.Err.Error(), 300))
	}
}

// bar is "[######····] ", the progress of a wait; "" when its end is unknown.
func bar(done, total int64) string {
	const width = 10
	if total <= 0 {
		return ""
	}
	n := int(min(max(done, 0), total) * width / total)
	return "[" + strings.Repeat("#", n) + strings.Repeat("·", width-n) + "] "
}

// ActionReport prints how an action ended.
func ActionReport(w Out, r *action.Report) {
	for i := range r.Clients {
		c := &r.Clients[i]
		fmt.Fprintf(w, "clients through %s: %s\n", c.Host, w.line(c.Summary(), 400))
	}
	if r.State != "" {
		fmt.Fprintf(w, "%s\n", w.line(r.State, 400))
	}
	for i, n := range r.Next {
		if i == 0 {
			fmt.Fprintln(w, "next:")
		}
		fmt.Fprintf(w, "  %s\n", w.line(n, 300))
	}
}
