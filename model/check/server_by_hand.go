package check

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
)

// serverByHand: a server somebody took out through HAProxy's own controls. A
// reload undoes it silently. Where it is not visible yet it is drainHidden's. One finding a
// server of a service.
func serverByHand(in Input) []model.Finding {
	var out []model.Finding
	for _, r := range in.Board.Routes {
		at := map[model.InstanceName]int{} // index in out, from 1
		count := map[model.InstanceName]int{}
		for _, v := range r.Views {
			for _, c := range v.Cells {
				if c.Verdict != model.Maint && c.Verdict != model.Draining || v.Closed != "" && !byHand(&c) || outUnseen(in, &r, &c) {
					continue
				}
				if at[c.Instance] == 0 {
					out = append(out, model.Finding{Severity: model.Warning, Service: r.Service, Instance: c.Instance,
						Hint: "a reload of that HAProxy puts it back into service, unless server states are kept across reloads; so does " + backInService(&c, sectionOf(in, &r)+"/"+string(c.Instance), []model.Host{v.HAProxy})})
					at[c.Instance] = len(out)
				}
				count[c.Instance]++
				f := &out[at[c.Instance]-1]
				f.Evidence = append(f.Evidence, v.Label()+": "+c.Why)
				f.Summary = fmt.Sprintf("%s is %s in %s on %s", c.Instance, c.Verdict, r.Name(), onNodes(count[c.Instance], len(r.Views)))
			}
		}
	}
	return out
}

// sectionOf is the name of a service's HAProxy section.
func sectionOf(in Input, r *board.Route) string {
	return string(in.Board.Cluster.Name) + "-" + string(r.Service)
}
