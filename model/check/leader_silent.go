package check

import (
	"fmt"
	"slices"

	"pgtui/model"
)

// leaderSilentCode is the finding that explains the services for the leader while the key is held.
const leaderSilentCode = "leader-silent"

// leaderSilent: the DCS names a leader whose own Patroni does not confirm it. Where services
// lack a server because of it, the summary says when Patroni elects, and whom.
func leaderSilent(in Input, report func(model.Finding)) {
	b := in.Board
	if b.LeaderBy != "dcs" || b.UnlistedLeader() != nil {
		return
	}
	f := model.Finding{Severity: model.Warning, Instance: b.Leader,
		Summary: fmt.Sprintf("%s holds the leader key, but its Patroni does not answer", b.Leader),
		Hint:    "the key expires with its TTL; on the node: systemctl status patroni"}
	if m := b.Member(b.Leader); m != nil && !m.Known && m.Foreign == nil && b.KnownMembers() > 0 && !lost(in, m) {
		if bare := baredBy(in, m); len(bare) > 0 {
			say := func(what string) string { return fmt.Sprintf("Patroni on %s does not answer: %s", m.Instance, what) }
			if portShut(in, m.Instance) {
				say = func(what string) string {
					return fmt.Sprintf("Patroni and PostgreSQL on %s do not run: %s", m.Instance, what)
				}
			}
			f.Severity, f.Host = model.Critical, m.Host
			f.Summary, f.Due, f.Hint = leaderLost(in, m, bare, say)
			f.Evidence = append(append(f.Evidence, m.Why), pausedBy(in)...)
			if ports := behind(in, m.Instance); ports != "" {
				f.Evidence = append(f.Evidence, ports)
			}
			report(f)
			return
		}
	}
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

// portShut reports whether the instance's PostgreSQL refuses connections.
func portShut(in Input, name model.InstanceName) bool {
	i := in.Board.Cluster.Instance(name)
	return i != nil && slices.ContainsFunc(in.Snap.Patroni[name].Ports, func(p model.PortView) bool {
		return !i.Pools(p.Port) && p.Value.Refused && p.Shut(in.Now) != ""
	})
}
