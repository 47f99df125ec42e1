package check

import (
	"fmt"

	"pgtui/model"
)

// sectionMissing: a declared service that a HAProxy does not run. One finding
// a service.
func sectionMissing(in Input, report func(model.Finding)) {
	for _, r := range in.Board.Routes {
		f := model.Finding{Severity: model.Warning, Service: r.Service, Hint: "pgtui diff " + string(in.Board.Cluster.Name)}
		for _, v := range r.Views {
			if v.Verdict == model.Missing {
				f.Evidence = append(f.Evidence, v.Label()+": "+v.Why)
			}
		}
		if n := len(f.Evidence); n > 0 {
			f.Summary = fmt.Sprintf("%s does not exist on %s", r.Name(), onNodes(n, len(r.Views)))
			report(f)
		}
	}
}
