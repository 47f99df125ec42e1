package check

import (
	"fmt"

	"pgtui/model"
)

// actionOpen: an action of pgtui that began and whose end was not recorded: pgtui
// was killed, or it still runs. What the cluster shows now is the board's.
func actionOpen(in Input, report func(model.Finding)) {
	b := in.Board
	for _, m := range in.Snap.Marks[b.Cluster.Name] {
		if !m.Open {
			continue
		}
		of := string(b.Cluster.Name)
		if m.Instance != "" {
			of = string(m.Instance)
		}
		f := model.Finding{Severity: model.Warning, Instance: m.Instance, Evidence: []string{m.Action + " " + since(&m, in.Now)}}
		if m.Alive {
			f.Severity = model.Info
			f.Summary = fmt.Sprintf("%s of %s is still running", m.Action, of)
			f.Hint = "pgtui history " + string(b.Cluster.Name) + " shows who began it"
			report(f)
			continue
		}
		leader := "no member leads, as far as is known"
		if b.Leader != "" {
			leader = string(b.Leader) + " leads now"
		}
		f.Summary = fmt.Sprintf("%s of %s began at %s and has no end: pgtui was stopped while it ran; %s", m.Action, of, clock(m.At, in.Now), leader)
		f.Evidence = append(f.Evidence, openState(in, &m)...)
		f.Hint = fmt.Sprintf("pgtui status %s shows what was done; then the same command again does the rest", b.Cluster.Name)
		report(f)
	}
}

// openState is what the board shows of the instance that an open action changes.
func openState(in Input, m *model.Mark) []string {
	var out []string
	if x := in.Board.Member(m.Instance); x != nil && x.Known {
		out = append(out, fmt.Sprintf("%s is %s, %s", x.Instance, x.Role, x.State))
	}
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		out0, total := 0, 0
		for k := range r.Views {
			if c := cellOf(&r.Views[k], m.Instance); c != nil && c.Status != "" {
				total++
				if byHand(c) || c.Held != "" {
					out0++
				}
			}
		}
		if out0 > 0 {
			out = append(out, fmt.Sprintf("%s: out of service by hand on %d of %d HAProxy nodes", r.Name(), out0, total))
		}
	}
	return out
}
