package check

import (
	"fmt"

	"pgtui/model"
)

// scheduledSwitchover: Patroni will hand the lead over by itself.
func scheduledSwitchover(in Input, report func(model.Finding)) {
	sw := in.Board.Switch
	if sw.At == "" {
		return
	}
	report(model.Finding{Severity: model.Info, Summary: "a switchover is scheduled at " + sw.At + sw.Who(),
		Evidence: []string{"GET /cluster has scheduled_switchover"},
		Hint:     "pgtui patroni flush " + string(in.Board.Cluster.Name) + " switchover cancels it"})
}

// scheduledRestart: Patroni will restart a member's PostgreSQL by itself.
func scheduledRestart(in Input, report func(model.Finding)) {
	for i := range in.Board.Members {
		m := &in.Board.Members[i]
		if m.Restart == "" {
			continue
		}
		f := model.Finding{Severity: model.Info, Instance: m.Instance, Host: m.Host, Summary: fmt.Sprintf("a restart of %s is scheduled at %s", m.Instance, m.Restart),
			Evidence: []string{"Patroni has scheduled_restart"},
			Hint:     fmt.Sprintf("pgtui patroni flush %s restart %s cancels it", in.Board.Cluster.Name, m.Instance)}
		if m.Instance == in.Board.Leader {
			f.Evidence = append(f.Evidence, "it leads: its sessions end, and /primary stays 200 while it restarts")
		}
		report(f)
	}
}
