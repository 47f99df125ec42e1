package check

import (
	"fmt"

	"pgtui/model"
)

// serviceEmpty: a service that nobody serves, where somebody should.
func serviceEmpty(in Input) []model.Finding {
	var out []model.Finding
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		if r.Verdict != model.Empty || in.Board.ByDesign(r) {
			continue
		}
		f := model.Finding{Severity: model.Warning, Service: r.Service,
			Summary: fmt.Sprintf("%s %s has no server", r.Service, r.Port), Evidence: []string{r.Why}}
		if r.Service == "primary" || r.Service == "default" {
			f.Severity = model.Critical
		}
		f.Hint = "open the service to see each check's answer"
		out = append(out, f)
	}
	return out
}
