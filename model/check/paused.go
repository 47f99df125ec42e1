package check

import "pgtui/model"

// paused: Patroni is in maintenance mode and will not fail over.
func paused(in Input, report func(model.Finding)) {
	if !in.Board.Paused {
		return
	}
	report(model.Finding{Severity: model.Warning, Summary: "paused: Patroni will not fail over",
		Hint: "when the maintenance is over: patronictl -c /etc/patroni/patroni.yml resume " + string(in.Board.Cluster.Name)})
}
