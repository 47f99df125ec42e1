package check

import (
	"fmt"

	"pgtui/model"
)

// staleRoles: the inventory still calls another instance primary. Rendered
// files follow the inventory, so the replica service counts the new leader as
// a regular member and keeps the old one as backup.
func staleRoles(in Input, report func(model.Finding)) {
	b := in.Board
	if b.Leader == "" || b.Cluster.Standby || b.UnlistedLeader() != nil {
		return
	}
	for _, m := range b.Members {
		if m.Declared != model.RolePrimary || m.Instance == b.Leader {
			continue
		}
		f := model.Finding{Severity: model.Info, Instance: m.Instance,
			Summary: fmt.Sprintf("pg_role is out of date: the inventory says %s, the leader is %s", m.Instance, b.Leader),
			Hint:    "pgtui roles " + string(b.Cluster.Name) + " --edit; or switch back to " + string(m.Instance) + " when writes may pause"}
		for _, r := range b.Routes {
			if svc := b.Cluster.Service(r.Service); svc == nil || model.LockOnly(svc.Check, false) || len(svc.Backups) == 0 {
				continue
			}
			for _, v := range r.Views {
				for _, c := range v.Cells {
					if c.Instance == b.Leader && c.Verdict == model.Serving {
						f.Severity = model.Warning
						f.Evidence = append(f.Evidence, fmt.Sprintf("%s on %s reaches the leader as a regular server", r.Name(), v.Label()))
					}
				}
			}
		}
		report(f)
		return
	}
}
