package check

import "pgtui/model"

// paused: Patroni is in maintenance mode and will not fail over.
func paused(in Input, report func(model.Finding)) {
	if !in.Board.Paused {
		return
	}
	f := model.Finding{Severity: model.Warning, Summary: "paused: Patroni will not fail over", Hint: "when the maintenance is over: pgtui resume " + string(in.Board.Cluster.Name)}
	f.Summary = and(f.Summary, byWhom(in, "paused", markFor(in, "", "", "", "pause")))
	report(f)
}
