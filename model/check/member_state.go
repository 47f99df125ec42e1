package check

import (
	"fmt"

	"pgtui/model"
)

// memberState: a member that answers and is not well: stopped, crashed, a
// replica on another timeline or not streaming.
func memberState(in Input) []model.Finding {
	var out []model.Finding
	for _, m := range in.Board.Members {
		if !m.Known {
			continue
		}
		f := model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host}
		leader := m.Instance == in.Board.Leader
		switch {
		case m.State != "running" && m.State != "streaming" && m.State != "in archive recovery":
			f.Summary = fmt.Sprintf("%s: PostgreSQL is %s", m.Instance, m.State)
			f.Hint = "ssh " + string(m.Host) + " tail /pg/log/postgres/*.csv"
			if leader {
				f.Severity = model.Critical
				f.Evidence = []string{"it still holds the leader key, so HAProxy keeps sending it writes"}
			}
		case leader || in.Board.Timeline == 0 || m.Timeline == 0 || m.Timeline == in.Board.Timeline:
			continue
		default:
			f.Summary = fmt.Sprintf("%s is on timeline %d, the leader on %d", m.Instance, m.Timeline, in.Board.Timeline)
			f.Hint = "patronictl -c /etc/patroni/patroni.yml reinit " + string(in.Board.Cluster.Name) + " " + string(m.Instance)
		}
		out = append(out, f)
	}
	return out
}
