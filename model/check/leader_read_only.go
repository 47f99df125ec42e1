package check

import (
	"fmt"
	"slices"

	"pgtui/model"
)

// leaderReadOnly: real connections reached the leader, which is not in recovery
// and takes no writes all the same. Neither Patroni nor HAProxy reports it.
func leaderReadOnly(in Input, report func(model.Finding)) {
	for _, m := range in.Board.Members {
		f := model.Finding{Severity: model.Critical, Instance: m.Instance, Host: m.Host,
			Summary: fmt.Sprintf("%s leads but accepts no writes: its transactions are read-only", m.Instance),
			Hint: fmt.Sprintf("on %s: select setting, source, sourcefile from pg_settings where name = 'default_transaction_read_only'; it may apply to the role %s only",
				m.Instance, in.Board.Cluster.Monitor.User)}
		for _, r := range in.Board.Routes {
			for _, v := range r.Views {
				if v.Proven != nil && slices.Contains(v.Proven.ReadOnly, m.Instance) {
					f.Evidence = append(f.Evidence, fmt.Sprintf("%s on %s: transaction_read_only is on, pg_is_in_recovery() is false", r.Name(), v.Label()))
				}
			}
		}
		if len(f.Evidence) > 0 {
			report(f)
		}
	}
}
