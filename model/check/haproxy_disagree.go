package check

import (
	"fmt"
	"strings"

	"pgtui/model"
)

// haproxyDisagree: two HAProxies send the same service to different servers. For
// some seconds after a change that is as it must be: each of them checks alone.
func haproxyDisagree(in Input) []model.Finding {
	var out []model.Finding
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		if r.Verdict != model.Mismatch || r.Agreed {
			continue
		}
		same, all := r.Agreement()
		if same == all {
			continue
		}
		f := model.Finding{Severity: model.Warning, Service: r.Service,
			Summary:  fmt.Sprintf("HAProxies disagree about %s %s", r.Service, r.Port),
			Evidence: []string{r.Why},
			Hint:     "pgtui diff " + string(in.Board.Cluster.Name) + " shows whether their files differ"}
		if now := changing(r); now != "" {
			f.Evidence = append(f.Evidence, "checks are about to change: "+now)
			f.Hint = "look again in some seconds, when the checks have ended; if it stays, " + f.Hint
		}
		out = append(out, f)
	}
	return out
}

// changing names the servers that a HAProxy is about to take out, or in.
func changing(r *model.Route) string {
	var parts []string
	for i := range r.Views {
		for k := range r.Views[i].Cells {
			if c := &r.Views[i].Cells[k]; c.Turning() {
				parts = append(parts, fmt.Sprintf("%s is %s on %s", c.Instance, c.Status, r.Views[i].Label()))
			}
		}
	}
	return strings.Join(parts, ", ")
}
