package action

import (
	"cmp"
	"fmt"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/failover"
	"pgtui/plan"
)

// planSwitchover hands the leader's role over while the leader is healthy.
func planSwitchover(in *Input, p *Plan) {
	r := &p.Request
	p.Candidates = in.Table
	if p.Refused = cmp.Or(in.busy(), in.unsafeKind(), in.noSwitchover(r)); p.Refused != nil {
		return
	}
	s := Step{Do: DoSwitchover, Instance: r.Candidate, From: in.Board.Leader, Via: in.handover(r.Candidate)}
	if p.Refused = in.unwritable(s.Via); p.Refused != nil {
		return
	}
	to := "the member that Patroni chooses"
	if r.Candidate != "" {
		to = string(r.Candidate)
	}
	if !r.At.IsZero() {
		s.Do, s.Value = DoSchedule, "switchover"
		s.What = fmt.Sprintf("schedule a switchover of %s from %s to %s at %s", in.Cluster.Name, s.From, to, stamp(r.At))
		s.Proof = "GET /cluster lists it with that time"
		p.Steps = []Step{s}
		p.addFact("Patroni switches over by itself at that time. Patroni skips it when Patroni is paused or its loop is late by more than 1.5 times loop_wait.")
	} else {
		s.What = fmt.Sprintf("switch %s over from %s to %s: POST /switchover to %s", in.Cluster.Name, s.From, to, s.Via)
		s.Proof = proofOf(in, to, s.From)
		p.Steps = []Step{s}
		in.tellSessions(p, s.From)
		in.tellGap(p)
	}
	in.tellVia(p, &s)
	in.tellRules(p)
	in.changing(p)
	in.judge(p, r.Candidate)
	in.foretell(p, &s)
}

// proofOf is what shows that a change of the leader is done.
func proofOf(in *Input, to string, from model.InstanceName) string {
	s := fmt.Sprintf("%s leads on a new timeline, every HAProxy routes the primary port to it and a login proves it", to)
	if from != "" {
		s += fmt.Sprintf(", and %s streams from it and is UP in each service that selects it", from)
	}
	if in.Cluster.VIP != "" {
		s += ", with the VIP moved"
	}
	return s
}

// noSwitchover is why Patroni or reason forbid the switchover outright.
func (in *Input) noSwitchover(r *Request) error {
	b := in.Board
	switch {
	case b.Leader == "":
		return deny("pgtui failover "+in.name()+" --candidate …, once you know that no leader lives", "%s has no known leader: a switchover requires one", in.Cluster.Name)
	case b.UnlistedLeader() != nil:
		return deny("add it to the inventory first", "%s leads, and the inventory does not have it", b.Leader)
	case b.LeaderBy != "self":
		return deny("pgtui failover "+in.name()+" --candidate …, once you know that it is down", "%s holds the leader key and its Patroni does not answer: a switchover requires a leader that answers", b.Leader)
	case r.Candidate == b.Leader:
		return deny("pgtui candidates "+in.name(), "%s leads already", r.Candidate)
	case r.Candidate != "" && in.Cluster.Instance(r.Candidate) == nil:
		return deny("pgtui candidates "+in.name(), "%s has no member %s", in.Cluster.Name, r.Candidate)
	case r.Candidate != "" && in.status(r.Candidate) == nil:
		return deny("pgtui candidates "+in.name(), "%s: %s", r.Candidate, b.Member(r.Candidate).Why)
	case b.Paused && r.Candidate == "":
		return deny("name the --candidate", "Patroni is paused: it requires a candidate then")
	case b.Paused && !r.At.IsZero():
		return deny("pgtui resume "+in.name()+" first", "Patroni is paused: it schedules no switchover then")
	case len(b.Members) < 2:
		return deny("", "%s has one member: there is no one to take over", in.Cluster.Name)
	}
	return in.scheduledAlready()
}

// planFailover makes a member the leader although that may lose what it has not
// received.
func planFailover(in *Input, p *Plan) {
	r := &p.Request
	p.Candidates = in.Table
	if p.Refused = cmp.Or(in.busy(), in.unsafeKind(), in.noFailover(r)); p.Refused != nil {
		return
	}
	s := Step{Do: DoFailover, Instance: r.Candidate, From: in.Board.Leader, Via: in.handover(r.Candidate)}
	if p.Refused = in.unwritable(s.Via); p.Refused != nil {
		return
	}
	if s.What = fmt.Sprintf("fail %s over to %s: POST /failover to %s", in.Cluster.Name, s.Instance, s.Via); s.Via != s.Instance && s.Via != s.From {
		s.What = fmt.Sprintf("fail %s over to %s: POST /failover to %s, which stays up meanwhile", in.Cluster.Name, s.Instance, s.Via)
	}
	from := s.From
	if in.Board.LeaderBy != "self" {
		from = "" // it may never come back
	}
	s.Proof = proofOf(in, string(s.Instance), from)
	p.Steps = []Step{s}
	if s.From != "" {
		in.tellSessions(p, s.From)
	}
	in.tellGap(p)
	in.tellVia(p, &s)
	in.tellRules(p)
	in.changing(p)
	in.loss(p, r.Candidate)
	in.judge(p, r.Candidate)
	in.foretell(p, &s)
}

func (in *Input) noFailover(r *Request) error {
	switch b := in.Board; {
	case r.Candidate == "":
		return deny("name the --candidate; pgtui candidates "+in.name()+" lists them", "a failover requires a candidate")
	case r.Candidate == b.Leader:
		return deny("pgtui candidates "+in.name(), "%s leads already", r.Candidate)
	case in.Cluster.Instance(r.Candidate) == nil:
		return deny("pgtui candidates "+in.name(), "%s has no member %s", in.Cluster.Name, r.Candidate)
	case in.status(r.Candidate) == nil:
		return deny("pgtui candidates "+in.name(), "%s: %s", r.Candidate, b.Member(r.Candidate).Why)
	}
	return in.scheduledAlready()
}

// loss adds what a failover would lose, in bytes, and that a switchover would lose
// nothing.
func (in *Input) loss(p *Plan, to model.InstanceName) {
	b := in.Board
	n := in.behind(to)
	what := fmt.Sprintf("%s lacks an unknown amount of WAL of the leader: a failover loses it", to)
	switch {
	case n == 0:
		what = string(to) + " has received all WAL that the leader has reported: a failover loses none of it"
	case n > 0:
		what = fmt.Sprintf("%s lacks %s of WAL of the leader: a failover loses it", to, text.Bytes(n))
	}
	switch {
	case b.LeaderBy == "self" || n < 0:
	case n == 0:
		what = fmt.Sprintf("%s has all WAL that the leader last reported; what the leader wrote in its last seconds may be lost", to)
	default:
		what = fmt.Sprintf("%s lacks %s of WAL of the leader: a failover loses it, and what the leader wrote in its last seconds", to, text.Bytes(n))
	}
	if b.LeaderBy == "self" {
		p.addRisk(plan.Risk{Name: plan.RiskFailover, What: fmt.Sprintf("%s leads and answers: a switchover loses nothing, a failover may", b.Leader),
			Try: fmt.Sprintf("pgtui switchover %s --candidate %s", in.Cluster.Name, to)})
	}
	if n != 0 || b.LeaderBy != "self" {
		try := "pgtui candidates " + in.name()
		if in.fuller(to) {
			try = "a member that has received more loses less: " + try
		}
		p.addRisk(plan.Risk{Name: plan.RiskDataLoss, What: what, Try: try})
	} else {
		p.addFact(what)
	}
	rules := failover.RulesOf(in.Snap, b)
	if st := in.status(to); rules.Sync && st != nil && !st.SyncStandby && !st.QuorumStandby {
		p.addRisk(plan.Risk{Name: plan.RiskAsync, What: fmt.Sprintf("synchronous_mode is %s and %s is not a synchronous standby: transactions that were confirmed to clients may be lost", rules.SyncMode(), to),
			Try: "take a synchronous standby: pgtui candidates " + in.name()})
	}
}

// fuller reports whether another member that answers and does not lead has more WAL.
func (in *Input) fuller(than model.InstanceName) bool {
	st := in.status(than)
	for i := range in.Board.Members {
		m := &in.Board.Members[i]
		if x := in.status(m.Instance); m.Instance != than && m.Instance != in.Board.Leader && x != nil && (st == nil || x.Position() > st.Position()) {
			return true
		}
	}
	return false
}

// behind is how much WAL of the leader a member lacks, bytes; -1 when that is
// unknown.
func (in *Input) behind(name model.InstanceName) int64 {
	st := in.status(name)
	if lead := in.status(in.Board.Leader); lead != nil && st != nil && lead.Position() >= 0 && st.Position() >= 0 {
		return max(0, lead.Position()-st.Position())
	}
	view := in.Snap.Patroni[name].Cluster
	if view.Current(in.Now) {
		if m := view.Value.Member(name); m != nil {
			return m.Behind
		}
	}
	return -1
}
