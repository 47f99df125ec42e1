package check

import (
	"fmt"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
)

// serverByHand: a server somebody took out through HAProxy's own controls. A
// reload undoes it silently. Where it is not visible yet it is drainHidden's. One finding a
// server of a service.
func serverByHand(in Input, report func(model.Finding)) {
	var found perServer
	for _, r := range in.Board.Routes {
		for _, v := range r.Views {
			for _, c := range v.Cells {
				if c.Verdict != model.Maint && c.Verdict != model.Draining || v.Closed != "" && !byHand(&c) || outUnseen(in, &r, &c) {
					continue
				}
				f, first := found.of(r.Service, c.Instance)
				if first {
					f.Hint = "a reload of that HAProxy puts it back into service, unless server states are kept across reloads; so does " + backInService(in, &c, r.Service)
				}
				f.Evidence = append(f.Evidence, v.Label()+": "+c.Why)
				f.Summary = and(fmt.Sprintf("%s is %s in %s on %s", c.Instance, c.Verdict, r.Name(), onNodes(len(f.Evidence), len(r.Views))),
					byWhom(in, outWord(&c), markFor(in, c.Instance, r.Service, v.HAProxy, takers()...)))
			}
		}
	}
	found.report(report)
}

// sectionOf is the name of a service's HAProxy section.
func sectionOf(in Input, r *board.Route) string {
	return string(in.Board.Cluster.Name) + "-" + string(r.Service)
}

// outWord is how a server was taken out.
func outWord(c *board.Cell) string {
	switch {
	case c.Admin == haproxy.AdminMaint || strings.HasPrefix(c.Status, "MAINT"):
		return "put in maintenance"
	case c.Admin == haproxy.AdminDrain || strings.HasPrefix(c.Status, "DRAIN"):
		return "drained"
	}
	return "weight set to 0"
}
