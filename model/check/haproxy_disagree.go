package check

import (
	"fmt"

	"pgtui/model"
)

// haproxyDisagree: two HAProxies send the same service to different servers.
func haproxyDisagree(in Input) []model.Finding {
	var out []model.Finding
	for _, r := range in.Board.Routes {
		if r.Verdict != model.Mismatch || r.Agreed {
			continue
		}
		same, all := r.Agreement()
		if same == all {
			continue
		}
		out = append(out, model.Finding{Severity: model.Warning, Service: r.Service,
			Summary:  fmt.Sprintf("HAProxies disagree about %s %s", r.Service, r.Port),
			Evidence: []string{r.Why},
			Hint:     "pgtui diff " + string(in.Board.Cluster.Name) + " shows whether their files differ"})
	}
	return out
}
