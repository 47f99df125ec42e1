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
		svc := in.Board.Cluster.Service(r.Service)
		if r.Verdict != model.BackupServing || in.Board.ByDesign(r) || svc == nil {
			continue
		}
		f := model.Finding{Severity: model.Warning, Service: r.Service,
			Summary: fmt.Sprintf("%s %s is served by its backup", r.Service, r.Port), Evidence: []string{r.Why}}
		why := whyEmpty(in, r)
		if why.text != "" {
			f.Summary += ": " + why.text
		}
		if f.Hint = why.hint; f.Hint == "" {
			f.Hint = askFirst(svc)
		}
		out = append(out, f)
	}
	return out
}
