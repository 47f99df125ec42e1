package check

import (
	"fmt"

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
					f.Hint = "a reload of that HAProxy puts it back into service, unless server states are kept across reloads; so does " + backInService(&c, sectionOf(in, &r)+"/"+string(c.Instance), []model.Host{v.HAProxy})
				}
				f.Evidence = append(f.Evidence, v.Label()+": "+c.Why)
				f.Summary = fmt.Sprintf("%s is %s in %s on %s", c.Instance, c.Verdict, r.Name(), onNodes(len(f.Evidence), len(r.Views)))
			}
		}
	}
	found.report(report)
}

// sectionOf is the name of a service's HAProxy section.
func sectionOf(in Input, r *board.Route) string {
	return string(in.Board.Cluster.Name) + "-" + string(r.Service)
}
