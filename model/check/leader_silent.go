package check

import (
	"fmt"

	"pgtui/model"
)

// leaderSilent: the DCS names a leader whose own Patroni does not confirm it.
func leaderSilent(in Input) []model.Finding {
	b := in.Board
	if b.LeaderBy != "dcs" || b.UnlistedLeader() != nil {
		return nil
	}
	f := model.Finding{Severity: model.Warning, Instance: b.Leader,
		Summary: fmt.Sprintf("the leader %s does not confirm it: only the DCS still names it", b.Leader),
		Hint:    "its key lives on until the TTL runs out; ask the node: systemctl status patroni"}
	for _, m := range b.Members {
		if m.Instance == b.Leader {
			f.Host = m.Host
			f.Evidence = append(f.Evidence, m.Why)
		}
	}
	return []model.Finding{f}
}
