package check

import (
	"fmt"
	"slices"

	"pgtui/model"
	"pgtui/model/board"
)

// noLeaderCode is the finding that explains the services for the leader where it is there.
const noLeaderCode = "no-leader"

// noLeader: no member holds the leader key, by the word of every Patroni, or by that of the
// DCS where some members do not answer. The summary says who elects, and who can take over.
func noLeader(in Input, report func(model.Finding)) {
	b := in.Board
	free := keyFree(in)
	if b.Leader != "" || b.LeaderUnsure || b.KnownMembers() == 0 || b.KnownMembers() < len(b.Members) && !free {
		return
	}
	cls := string(b.Cluster.Name)
	f := model.Finding{Severity: model.Critical, Summary: "no leader: no client can write",
		Hint: "pgtui candidates " + cls + " shows who can lead; then the Patroni and etcd logs"}
	var silent []model.InstanceName
	for i := range b.Members {
		m := &b.Members[i]
		if m.Known {
			f.Evidence = append(f.Evidence, string(m.Instance)+" reports "+m.Role+", "+m.State)
			continue
		}
		if m.Foreign == nil && led(in, m) && lost(in, m) {
			return // node-lost has it
		}
		if f.Evidence = append(f.Evidence, string(m.Instance)+": "+m.Why); m.Foreign == nil {
			silent = append(silent, m.Instance)
		}
	}
	if f.Evidence = append(f.Evidence, pausedBy(in)...); !free {
		report(f)
		return
	}
	may, why := candidates(in, silent)
	switch {
	case b.Paused:
		f.Summary, f.Hint = electsNobody(in, "no leader", silent, may, why)
	case len(may) == 0:
		f.Summary = fmt.Sprintf("%s: no client can write; no member takes over: %s", leaderlessHead(silent), why)
	default:
		f.Summary = fmt.Sprintf("%s: no client can write until Patroni elects by itself; %s", leaderlessHead(silent), may.words())
		f.Hint = afterElection(cls)
	}
	report(f)
}

// leaderlessHead begins the sentence of a cluster that no member leads.
func leaderlessHead(silent []model.InstanceName) string {
	if len(silent) == 0 {
		return "no leader"
	}
	return fmt.Sprintf("no leader, and Patroni on %s does not answer", model.Join(silent))
}

// keyFree reports whether the DCS answers and names no leader.
func keyFree(in Input) bool {
	view, ok := board.FreshestDCS(in.Snap, in.Board.Cluster, in.Now)
	return ok && !slices.ContainsFunc(view.Members, func(d model.PatroniMember) bool { return d.Role == "leader" || d.Role == "standby_leader" })
}

// pausedBy is who paused the cluster, as evidence; nil when it is not paused.
func pausedBy(in Input) []string {
	if !in.Board.Paused {
		return nil
	}
	return []string{byWhom(in, "paused", markFor(in, "", "", "", "pause"))}
}

// electsNobody is the summary and the next step of a paused cluster that has lost its leader:
// Patroni has to run again on one of the silent members, or a member is made the leader by
// hand. While PostgreSQL of a silent member accepts connections, a second primary would be
// the risk, and a failover is not named.
func electsNobody(in Input, head string, silent []model.InstanceName, may field, why string) (summary, hint string) {
	cls := string(in.Board.Cluster.Name)
	head = fmt.Sprintf("%s: %s is paused, so Patroni elects no one", head, cls)
	if len(silent) == 0 {
		if len(may) == 0 {
			return head + "; " + why, "pgtui candidates " + cls
		}
		x := may.first()
		return fmt.Sprintf("%s; fail over to %s (%s)", head, x.Instance, behindText(x)), fmt.Sprintf("pgtui candidates %s; then pgtui failover %s --candidate %s", cls, cls, x.Instance)
	}
	start := fmt.Sprintf("ssh %s sudo systemctl start patroni", in.Board.Member(silent[0]).Host)
	for _, name := range silent {
		if m := in.Board.Member(name); portOpen(in, name) {
			return fmt.Sprintf("%s; PostgreSQL on %s still runs: start Patroni there", head, name), fmt.Sprintf("ssh %s sudo systemctl start patroni", m.Host)
		}
	}
	if len(may) == 0 {
		return fmt.Sprintf("%s; start Patroni on %s: %s", head, model.Join(silent), why), start
	}
	x := may.first()
	return fmt.Sprintf("%s; start Patroni on %s, or fail over to %s (%s)", head, model.Join(silent), x.Instance, behindText(x)),
		fmt.Sprintf("pgtui failover %s --candidate %s; or %s", cls, x.Instance, start)
}

// portOpen reports whether the instance's PostgreSQL accepts connections.
func portOpen(in Input, name model.InstanceName) bool {
	i := in.Board.Cluster.Instance(name)
	return i != nil && slices.ContainsFunc(in.Snap.Patroni[name].Ports, func(p model.PortView) bool { return !i.Pools(p.Port) && p.Open(in.Now) })
}

// afterElection is the next step while Patroni elects by itself.
func afterElection(cluster string) string {
	return "nothing to do until then; if no member leads after that: pgtui candidates " + cluster
}
