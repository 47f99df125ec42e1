package check

import (
	"fmt"

	"pgtui/model"
)

// serviceOnBackup: a service served by its backup because its regular servers cannot.
func serviceOnBackup(in Input) []model.Finding {
	var out []model.Finding
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		if r.Verdict == model.BackupServing && !in.Board.ByDesign(r) {
			out = append(out, model.Finding{Severity: model.Warning, Service: r.Service,
				Summary: fmt.Sprintf("%s %s is served by its backup", r.Service, r.Port), Evidence: []string{r.Why},
				Hint: "open the service to see why its regular servers cannot"})
		}
	}
	return out
}
