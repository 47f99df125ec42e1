package check

import (
	"fmt"

	"pgtui/model"
)

// healthForced: a server whose health check somebody switched off ("disable
// health"). HAProxy keeps it as it was then, UP for a server that was up, whatever
// Patroni answers: it gets clients after it has lost its role. HAProxy 2.6 and 3.0
// show the status "no check" for it; while it is in drain, only srv_check_state of
// "show servers state" shows it. One finding a server of a service.
func healthForced(in Input, report func(model.Finding)) {
	var found perServer
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		where := map[model.InstanceName][]model.Host{}
		for k := range r.Views {
			v := &r.Views[k]
			states := in.Snap.Servers[v.HAProxy].Value
			for j := range v.Cells {
				c := &v.Cells[j]
				st := states.Of(sectionOf(in, r), string(c.Instance))
				if c.Status != "no check" && (st == nil || !st.Unchecked || !byHand(c)) {
					continue
				}
				f, _ := found.of(r.Service, c.Instance)
				if primaryRoute(in, r) && c.Instance != in.Board.Leader && c.Status == "no check" {
					f.Severity = model.Critical
				}
				where[c.Instance] = append(where[c.Instance], v.HAProxy)
				f.Evidence = append(f.Evidence, fmt.Sprintf("%s: %s/%s has the status %q: its health check is disabled", v.Label(), sectionOf(in, r), c.Instance, c.Status))
				f.Summary = fmt.Sprintf("the health check of %s is disabled in %s on %s: it counts as up, whatever its role is", c.Instance, r.Name(), onNodes(len(where[c.Instance]), len(r.Views)))
				f.Hint = onSockets(where[c.Instance], "enable health "+sectionOf(in, r)+"/"+string(c.Instance)) + "; a reload also ends it"
			}
		}
	}
	found.report(report)
}
