package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
	"pgtui/source"
)

// nodeLostCode is the finding that explains most of the others where it is there.
const nodeLostCode = "node-lost"

// nodeLost: an instance of which nothing answers, its Patroni, its ports and the HAProxy
// of its node. Which services lack a server because of it, and what Patroni does about
// it, is part of the finding. One finding an instance.
func nodeLost(in Input, report func(model.Finding)) {
	b := in.Board
	for i := range b.Members {
		m := &b.Members[i]
		if !lost(in, m) {
			continue
		}
		f := model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host,
			Evidence: []string{m.Why, "the stats page of HAProxy on it does not answer" + source.Because(in.Snap.HAProxy[m.Host].Err)},
			Hint:     "ssh " + string(m.Host)}
		bare := baredBy(in, m)
		switch {
		case b.LeaderBy == "self" || !led(in, m):
			f.Summary = fmt.Sprintf("%s is lost: neither Patroni nor HAProxy answers there", m.Instance)
			if len(bare) > 0 {
				f.Summary = fmt.Sprintf("%s is lost: %s", m.Instance, bareText(bare))
			}
		default:
			f.Severity = model.Critical
			f.Summary, f.Due, f.Hint = leaderLost(in, m, bare, func(what string) string { return fmt.Sprintf("%s is lost: %s", m.Instance, what) })
			f.Evidence = append(f.Evidence, pausedBy(in)...)
		}
		report(f)
	}
}

// lost reports whether nothing on an instance's node answers, neither from here nor the
// other HAProxies. Where no member answers, the network from here may be the reason.
func lost(in Input, m *board.Member) bool {
	b, v := in.Board, in.Snap.Patroni[m.Instance]
	if m.Known || m.Foreign != nil || v.Status.Err == nil || b.KnownMembers() == 0 || b.Cluster.LoadBalancer(m.Host) == nil || in.Snap.HAProxy[m.Host].Err == nil {
		return false
	}
	for i := range b.Routes {
		for k := range b.Routes[i].Views {
			w := &b.Routes[i].Views[k]
			if c := cellOf(w, m.Instance); c != nil && !w.Stale && c.Status != "" && !byHand(c) && !haproxy.Unanswered(c.Status, c.Check) {
				return false // a HAProxy reaches its Patroni
			}
		}
	}
	return !slices.ContainsFunc(v.Ports, func(p model.PortView) bool { return p.Open(in.Now) })
}

// led reports whether the member is the leader that the cluster lost: the DCS still names
// it, or it was primary in its last answer and no other leads.
func led(in Input, m *board.Member) bool {
	return in.Board.Leader == m.Instance || in.Board.Leader == "" && in.Snap.Patroni[m.Instance].Status.Value.Role == "primary"
}

// baredBy are the ports of services that no server serves, and that the member is a
// reason for.
func baredBy(in Input, m *board.Member) []string {
	b := in.Board
	var out []string
	for i := range b.Routes {
		r := &b.Routes[i]
		svc := b.Cluster.Service(r.Service)
		if svc == nil || r.Verdict != model.Empty || b.ByDesign(r) || svc.Server(m.Instance) == nil {
			continue
		}
		if model.LockOnly(svc.Check, b.Cluster.Standby) && !led(in, m) {
			continue
		}
		out = append(out, r.Port)
	}
	return out
}

func bareText(ports []string) string {
	if len(ports) == 1 {
		return fmt.Sprintf("%s has no server", ports[0])
	}
	return fmt.Sprintf("%s have no server", text.And(ports))
}

// leaderLost is the summary of a leader that is lost, which say begins, when Patroni
// elects at the latest, and what to type. Without the TTL's end the time is left out.
func leaderLost(in Input, m *board.Member, bare []string, say func(what string) string) (summary string, due time.Time, hint string) {
	b := in.Board
	what := "the cluster has no leader"
	if len(bare) > 0 {
		what = bareText(bare)
	}
	gone := []model.InstanceName{m.Instance}
	may, why := candidates(in, gone)
	cls := string(b.Cluster.Name)
	head := say(what)
	switch {
	case b.Paused:
		summary, hint = electsNobody(in, head, gone, may, why)
		return summary, due, hint
	case len(may) == 0:
		return fmt.Sprintf("%s; no member takes over: %s", head, why), due, "pgtui candidates " + cls
	}
	hint = afterElection(cls)
	seen := in.Snap.Patroni[m.Instance].Status
	switch {
	case b.Cluster.TTL == 0:
		return fmt.Sprintf("%s until Patroni elects by itself; %s", head, may.words()), due, hint
	case !seen.Ever():
		return fmt.Sprintf("%s until Patroni elects by itself, within about %d s; %s", head, roundUp(b.Cluster.TTL)/time.Second, may.words()), due, hint
	}
	due = seen.At.Add(b.Cluster.TTL)
	left := due.Sub(in.Now)
	if left <= 0 {
		return fmt.Sprintf("%s until Patroni elects by itself; the election is due; %s", head, may.words()), time.Time{}, hint
	}
	return fmt.Sprintf("%s until Patroni elects by itself, in about %d s; %s", head, roundUp(left)/time.Second, may.words()), due, hint
}

// roundUp is a time to wait, in steps of 5 seconds.
func roundUp(d time.Duration) time.Duration {
	const step = 5 * time.Second
	return (d + step - 1) / step * step
}

// field are the members that may take over from a lost leader.
type field []failover.Candidate

// first is the one with the most WAL.
func (f field) first() failover.Candidate {
	return slices.MaxFunc(f, func(a, b failover.Candidate) int { return cmp.Compare(a.Position, b.Position) })
}

// words are the members, with what they lack.
func (f field) words() string {
	var names []string
	behind := int64(-1)
	for _, c := range f {
		names, behind = append(names, string(c.Instance)), max(behind, c.Behind)
	}
	lag := "lag unknown"
	if behind >= 0 {
		lag = fmt.Sprintf("lag %s", text.Bytes(behind))
	}
	if len(names) == 1 {
		return fmt.Sprintf("candidate %s, %s", names[0], lag)
	}
	return fmt.Sprintf("candidates %s, %s", strings.Join(names, ", "), lag)
}

// behindText is how far a member is behind, for a bracket.
func behindText(c failover.Candidate) string {
	if c.Behind < 0 {
		return "its lag is unknown"
	}
	return text.Bytes(c.Behind) + " behind"
}

// candidates are the members that may take over from those that are gone, or why there is none.
func candidates(in Input, gone []model.InstanceName) (may field, why string) {
	out, err := failover.WhatIf(in.Snap, in.Board.Cluster, failover.Supposition{Down: gone}, in.Now)
	if err != nil {
		return nil, err.Error()
	}
	for _, c := range out.Candidates {
		if c.May {
			may = append(may, c)
		}
	}
	const none = "no member can take over"
	if why = strings.TrimPrefix(out.Why, none+": "); in.Board.Paused {
		why = none
	}
	return may, why
}
