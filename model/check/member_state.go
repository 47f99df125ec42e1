package check

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
)

// memberState: a member that answers and is unhealthy: stopped, crashed, or a
// replica on an older timeline than the leader.
func memberState(in Input, report func(model.Finding)) {
	for i := range in.Board.Members {
		m := &in.Board.Members[i]
		if !m.Known {
			continue
		}
		f := model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host, Hint: "ssh " + string(m.Host) + " tail /pg/log/postgres/*.csv"}
		leader := m.Instance == in.Board.Leader
		switch {
		case m.State == board.StateUnknown:
			f.Summary = fmt.Sprintf("Patroni on %s cannot query PostgreSQL, whose state is unknown", m.Instance)
			f.Evidence = []string{map[board.PortWord]string{board.PortOpen: "its port accepts connections", board.PortShut: "its port accepts no connections", board.PortUnknown: "its port was not checked"}[m.Port]}
			if leader && m.Port == board.PortShut {
				f.Severity = model.Critical
			}
			f.Hint = "ssh " + string(m.Host) + " tail /pg/log/patroni/*.log: check whether max_connections is reached or Patroni's login refused"
		case m.State != "running" && m.State != "streaming" && m.State != "in archive recovery":
			f.Summary = fmt.Sprintf("PostgreSQL on %s is %s", m.Instance, m.State)
			if leader {
				f.Severity = model.Critical
				f.Evidence = []string{"it still holds the leader key, so HAProxy keeps sending it writes"}
			}
		case leader || m.Timeline == 0 || m.Timeline >= in.Board.Timeline:
			continue // one on a newer timeline is ahead of its leader
		default:
			f.Summary = fmt.Sprintf("%s is on timeline %d, the leader on %d", m.Instance, m.Timeline, in.Board.Timeline)
			f.Evidence, f.Hint = leftBehind(in, m)
		}
		report(f)
	}
}

// leftBehind is what there is to do about a member on an older timeline. To copy
// it again wipes its data: that is named only where the leader proves that it leads,
// the DCS names the same leader and the same timelines, and no member streams to the
// member, and even then its log comes first.
func leftBehind(in Input, m *board.Member) (evidence []string, hint string) {
	hint = "ssh " + string(m.Host) + " tail /pg/log/postgres/*.csv shows whether it follows the new timeline."
	lead := in.Snap.Patroni[in.Board.Leader]
	if in.Board.LeaderBy != "self" || m.Ahead > 0 {
		return nil, hint
	}
	for _, st := range lead.Status.Value.Streams {
		if st.Application == string(m.Instance) {
			return []string{string(in.Board.Leader) + " streams to it: its timeline may be reported a moment late"}, hint
		}
	}
	dcs := map[model.InstanceName]model.PatroniMember{}
	if lead.Cluster.Current(in.Now) {
		for _, d := range lead.Cluster.Value.Members {
			dcs[d.Name] = d
		}
	}
	agrees := dcs[in.Board.Leader].Role == "leader" && dcs[m.Instance].Timeline > 0 && dcs[m.Instance].Timeline < dcs[in.Board.Leader].Timeline
	if !agrees {
		return []string{string(in.Board.Leader) + " has no walsender for it"}, hint
	}
	return []string{string(in.Board.Leader) + " has no walsender for it", "the DCS has the same timelines"},
		fmt.Sprintf("%s If it cannot, and nothing on it is needed: pgtui reinit %s wipes it and copies another member", hint, m.Instance)
}
