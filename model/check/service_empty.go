package check

import (
	"fmt"

	"pgtui/model"
)

// serviceEmpty: a service that nobody serves, where somebody should, by every
// HAProxy that answers. A port that is closed is a finding of its own.
func serviceEmpty(in Input) []model.Finding {
	var out []model.Finding
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		svc := in.Board.Cluster.Service(r.Service)
		if r.Verdict != model.Empty || in.Board.ByDesign(r) || svc == nil || r.ClosedWord() != "" {
			continue
		}
		f := model.Finding{Severity: model.Warning, Service: r.Service,
			Summary: fmt.Sprintf("%s %s has no server", r.Service, r.Port), Evidence: []string{r.Why}}
		if model.LockOnly(svc.Check, in.Board.Cluster.Standby) {
			f.Severity = model.Critical
		}
		if n := len(r.Silent); n > 0 {
			f.Summary += map[bool]string{true: " on the only HAProxy that answers", false: fmt.Sprintf(" on any of the %d HAProxies that answer", len(r.Views)-n)}[len(r.Views)-n == 1]
		}
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

// askFirst is how the check of a service's first server is asked by hand.
func askFirst(svc *model.Service) string {
	servers, _ := svc.Servers()
	if len(servers) == 0 {
		return "its selector in the inventory matches no instance: pgtui render " + string(svc.Cluster)
	}
	return askPatroni(svc, servers[0].Name) + " shows what its Patroni answers"
}
