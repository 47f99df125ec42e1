package check

import (
	"fmt"

	"pgtui/haproxy"
	"pgtui/model"
)

// overdue: an action of pgtui that was to last until a time that is over, and whose
// effect is still there. pgtui ends nothing by itself.
func overdue(in Input, report func(model.Finding)) {
	for _, m := range in.Snap.Marks[in.Board.Cluster.Name] {
		if m.Open || !m.Overdue(in.Now) {
			continue
		}
		f := model.Finding{Severity: model.Warning, Instance: m.Instance}
		switch m.Action {
		case "pause":
			if !in.Board.Paused {
				continue
			}
			f.Summary, f.Hint = "overdue: Patroni is still paused", "pgtui resume "+string(m.Cluster)
		default:
			where := stillOut(in, &m)
			if len(where) == 0 {
				continue
			}
			f.Evidence = where
			f.Summary = fmt.Sprintf("overdue: %s is still out of service", m.Instance)
			f.Hint = map[string]string{"drain": "pgtui undrain ", "maint": "pgtui ready ", "weight": "pgtui weight ", "maintenance": "pgtui ready "}[m.Action] + string(m.Instance)
			if m.Action == "weight" {
				f.Hint += " 100"
			}
		}
		f.Summary += fmt.Sprintf(", it was to end at %s", clock(m.Until, in.Now))
		f.Evidence = append(f.Evidence, m.Action+" "+since(&m, in.Now))
		report(f)
	}
}

// stillOut is where a server that a mark is about is still as it was set.
func stillOut(in Input, m *model.Mark) []string {
	var out []string
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		for k := range r.Views {
			v := &r.Views[k]
			c := cellOf(v, m.Instance)
			if c == nil || markFor(in, m.Instance, r.Service, v.HAProxy, m.Action) == nil {
				continue
			}
			held := c.Admin == haproxy.AdminDrain || c.Admin == haproxy.AdminMaint || c.Held != "" || byHand(c)
			if m.Action == "weight" {
				held = c.Verdict == model.Draining || c.Differs
			}
			if held {
				out = append(out, fmt.Sprintf("%s: %s is %s in %s", v.Label(), m.Instance, c.Status, r.Name()))
			}
		}
	}
	return out
}
