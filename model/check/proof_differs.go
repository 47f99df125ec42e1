package check

import (
	"fmt"

	"pgtui/model"
)

// proofDiffers: real connections were answered by another server than HAProxy
// reports, or by one that cannot keep the service's promise. One finding a service.
func proofDiffers(in Input, report func(model.Finding)) {
	for _, r := range in.Board.Routes {
		f := model.Finding{Severity: model.Critical, Service: r.Service,
			Hint: fmt.Sprintf("repeat pgtui status %s --prove; if it persists, look for another listener on port %s and for a forwarding rule", in.Board.Cluster.Name, r.Port)}
		for _, v := range r.Views {
			if v.Proven != nil && v.Proven.Against != "" {
				f.Host = v.HAProxy
				f.Evidence = append(f.Evidence, v.Label()+": "+v.Proven.Against)
			}
		}
		if n := len(f.Evidence); n > 0 {
			f.Summary = fmt.Sprintf("%s: real connections reach the wrong server on %s", r.Name(), onNodes(n, len(r.Views)))
			report(f)
		}
	}
}
