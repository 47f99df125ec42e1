package check

import (
	"fmt"

	"pgtui/model"
)

// runningDiffers: HAProxy runs other servers or weights than the inventory
// declares. One finding a node, so that one stale file is one line.
func runningDiffers(in Input, report func(model.Finding)) {
	for _, lb := range in.Board.Cluster.LoadBalancers {
		f := model.Finding{Severity: model.Warning, Host: lb.Host}
		label := string(lb.Host)
		for _, r := range in.Board.Routes {
			for _, v := range r.Views {
				if v.HAProxy != lb.Host || v.Verdict == model.Missing {
					continue
				}
				label = v.Label()
				for _, c := range v.Cells {
					if c.Differs {
						f.Evidence = append(f.Evidence, fmt.Sprintf("%s: %s %s", r.Name(), c.Instance, c.Note))
					}
				}
			}
		}
		if len(f.Evidence) > 0 {
			f.Summary = fmt.Sprintf("HAProxy on %s runs a configuration that differs from the inventory", label)
			f.Hint = fmt.Sprintf("pgtui diff %s %s; then pgtui reload %s %s", in.Board.Cluster.Name, lb.Host, in.Board.Cluster.Name, lb.Host)
			report(f)
		}
	}
}
