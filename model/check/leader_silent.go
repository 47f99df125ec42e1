package check

import (
	"fmt"

	"pgtui/model"
)

// leaderSilent: the DCS names a leader whose own Patroni does not confirm it.
func leaderSilent(in Input, report func(model.Finding)) {
	b := in.Board
	if b.LeaderBy != "dcs" || b.UnlistedLeader() != nil {
		return
	}
	f := model.Finding{Severity: model.Warning, Instance: b.Leader,
		Summary: fmt.Sprintf("%s holds the leader key, but its Patroni does not answer", b.Leader),
		Hint:    "the key expires with its TTL; on the node: systemctl status patroni"}
	for _, m := range b.Members {
		if m.Instance == b.Leader {
			if f.Host = m.Host; m.Known {
				f.Summary = fmt.Sprintf("%s holds the leader key, but its Patroni does not answer its health check", b.Leader)
			}
			f.Evidence = append(f.Evidence, m.Why)
		}
	}
	report(f)
}
