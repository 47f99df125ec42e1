package action

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/candidate"
	"pgtui/plan"
)

// planRestart restarts PostgreSQL of one member or of all: replicas one after the
// other, then the leader.
func planRestart(in *Input, p *Plan) {
	r := &p.Request
	if p.Refused = cmp.Or(in.busy(), in.noRestart(r)); p.Refused != nil {
		return
	}
	first, lead := in.restarted(r)
	order := append(slices.Clone(first), lead...)
	if in.lowers(order) {
		order = append(slices.Clone(lead), first...)
	}
	if r.Pending && len(order) == 0 {
		p.addFact("No member reports a pending restart.")
		return
	}
	for _, name := range order {
		if r.SwitchFirst && name == in.Board.Leader {
			if !in.stepAside(p, name) {
				return
			}
			continue
		}
		p.Steps = append(p.Steps, in.restartStep(r, name))
		if p.Refused = in.Allowed[name]; p.Refused != nil {
			return
		}
	}
	in.changing(p)
	in.tellRestart(p, order)
}

// noRestart is why no restart of the request may begin.
func (in *Input) noRestart(r *Request) error {
	b := in.Board
	switch {
	case r.Instance != "" && in.Cluster.Instance(r.Instance) == nil:
		return deny("pgtui status "+in.name(), "%s has no member %s", in.Cluster.Name, r.Instance)
	case r.Instance != "" && in.status(r.Instance) == nil:
		return deny("pgtui status "+in.name(), "%s: %s", r.Instance, b.Member(r.Instance).Why)
	case r.Instance == "" && b.Leader == "":
		return deny("pgtui doctor "+in.name(), "%s has no known leader: its members are not restarted without one", in.Cluster.Name)
	case r.Instance == "" && len(in.answering()) < len(b.Members):
		for i := range b.Members {
			if m := &b.Members[i]; !m.Known {
				return deny("pgtui restart INSTANCE, one by one", "%s: %s", m.Instance, m.Why)
			}
		}
	case r.SwitchFirst && !r.At.IsZero():
		return deny("leave out --switchover, or --schedule", "a restart by switchover cannot be scheduled")
	}
	if r.SwitchFirst {
		return cmp.Or(in.unsafeKind(), in.scheduledAlready())
	}
	return nil
}

// restarted are the members to restart: the replicas, and the leader, where it is
// one of them.
func (in *Input) restarted(r *Request) (replicas, lead []model.InstanceName) {
	for _, m := range in.answering() {
		st := in.status(m.Instance)
		switch {
		case r.Instance != "" && r.Instance != m.Instance, r.Pending && (st == nil || !st.PendingRestart):
		case m.Instance == in.Board.Leader:
			lead = append(lead, m.Instance)
		default:
			replicas = append(replicas, m.Instance)
		}
	}
	return replicas, lead
}

// lowers reports whether a pending restart of the members lowers one of
// model.StandbyParameters, which the leader must do first. Patroni 3.3 and newer
// gives the reasons; before, the configuration is compared with what the leader runs.
func (in *Input) lowers(of []model.InstanceName) bool {
	for _, name := range of {
		st := in.status(name)
		switch {
		case st == nil || !st.PendingRestart:
		case len(st.PendingReasons) == 0 && in.configLowers():
			return true
		case slices.ContainsFunc(st.PendingReasons, lowering):
			return true
		}
	}
	return false
}

// lowering reports whether a reason of Patroni, "max_connections: 200 → 100", lowers
// one of model.StandbyParameters.
func lowering(reason string) bool {
	key, change, _ := strings.Cut(reason, ": ")
	was, is, ok := strings.Cut(change, " → ")
	a, err1 := strconv.ParseInt(strings.TrimSpace(was), 10, 64)
	b, err2 := strconv.ParseInt(strings.TrimSpace(is), 10, 64)
	return ok && err1 == nil && err2 == nil && b < a && slices.Contains(model.StandbyParameters(), key)
}

// configLowers reports whether Patroni's configuration has one of
// model.StandbyParameters lower than the leader runs.
func (in *Input) configLowers() bool {
	f := in.Snap.SQL[in.Board.Leader]
	for name, runs := range f.Value.Standby {
		v, ok := ValueAt(in.Config, parameters+name)
		n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		if ok && err == nil && f.Known() && n < runs {
			return true
		}
	}
	return false
}

func (in *Input) restartStep(r *Request, name model.InstanceName) Step {
	s := Step{Do: DoRestart, Instance: name, Via: name, What: fmt.Sprintf("restart PostgreSQL of %s: POST /restart to its Patroni", name),
		Proof: "PostgreSQL has started again and streams from the leader"}
	if name == in.Board.Leader {
		s.Proof = "PostgreSQL has started again and leads, and a login through the primary port of every HAProxy reaches it"
	}
	if !r.At.IsZero() {
		s.Do, s.Value = DoSchedule, "restart"
		s.What, s.Proof = fmt.Sprintf("schedule a restart of PostgreSQL of %s at %s", name, stamp(r.At)), "GET /patroni of it has that time"
	}
	return s
}

// stepAside adds the switchover that is the leader's restart: Patroni stops and
// starts PostgreSQL of the old leader for it.
func (in *Input) stepAside(p *Plan, leader model.InstanceName) bool {
	to := in.best()
	if to == "" {
		p.Refused = deny("pgtui candidates "+in.name()+"; leave out --switchover to restart the leader in place", "no member can take over from %s", leader)
		return false
	}
	s := Step{Do: DoSwitchover, Instance: to, From: leader, Via: in.handover(to)}
	if p.Refused = in.unwritable(s.Via); p.Refused != nil {
		return false
	}
	s.What = fmt.Sprintf("switch %s over from %s to %s, which stops and starts PostgreSQL of %s: POST /switchover to %s", in.Cluster.Name, leader, to, leader, s.Via)
	s.Proof = proofOf(in, string(to), leader)
	p.Steps = append(p.Steps, s)
	in.judge(p, to)
	in.foretell(p, &s)
	return true
}

// best is the candidate with the best verdict; "" when Patroni takes none.
func (in *Input) best() model.InstanceName {
	order := []candidate.Verdict{candidate.Pass, candidate.Note, candidate.Risk, candidate.Unknown}
	rows := slices.DeleteFunc(in.eligible(), func(c *candidate.Candidate) bool { return !slices.Contains(order, c.Verdict) })
	slices.SortStableFunc(rows, func(a, b *candidate.Candidate) int {
		return slices.Index(order, a.Verdict) - slices.Index(order, b.Verdict)
	})
	for _, c := range rows {
		if st := in.status(c.Instance); st != nil && !st.NoFailover() {
			return c.Instance
		}
	}
	return ""
}

// tellRestart adds what the restart does to clients and to the leader.
func (in *Input) tellRestart(p *Plan, order []model.InstanceName) {
	r := &p.Request
	if !slices.Contains(order, in.Board.Leader) || in.Board.Leader == "" {
		if len(order) > 1 {
			p.addFact("Members restart one after the other. Each must stream again before the next. The first that does not stream stops the run.")
		}
		return
	}
	lead := in.Board.Leader
	if r.At.IsZero() {
		in.tellSessions(p, lead)
	}
	if r.SwitchFirst {
		in.tellGap(p)
		return
	}
	limit, from := in.startTimeout()
	p.addRisk(plan.Risk{Name: plan.RiskStartTimeout, What: fmt.Sprintf("while %s restarts, HAProxy keeps routing to it; when it does not run again within primary_start_timeout, %s (%s), Patroni demotes it where a member can take over", lead, limit, from),
		Try: "--switchover moves the leader away first"})
	if len(in.eligible()) == 0 {
		p.addRisk(plan.Risk{Name: plan.RiskNoStandby, What: "no other member can take over when " + string(lead) + " does not start again"})
	}
	if in.lowers(order) {
		p.addRisk(plan.Risk{Name: plan.RiskRestartOrder, What: "a parameter that replicas must not have lower is lowered: the leader restarts first, its replicas after they have replayed that"})
	} else if len(order) > 1 {
		p.addRisk(plan.Risk{Name: plan.RiskRestartOrder, What: "replicas restart first, the leader last; where " + strings.Join(model.StandbyParameters(), ", ") + " are lowered, a replica keeps the old value until the leader has restarted, and reports a pending restart again"})
	}
}

// startTimeout is how long a leader may take to start again, and where that is from.
func (in *Input) startTimeout() (limit time.Duration, from string) {
	for _, key := range []string{"primary_start_timeout", "master_start_timeout"} {
		if v, ok := ValueAt(in.Config, key); ok {
			if n, ok := model.ParseInt(fmt.Sprint(v), ""); ok {
				return time.Duration(n) * time.Second, "GET /config"
			}
		}
	}
	if in.Config == nil {
		return 300 * time.Second, "Patroni's default: GET /config was not read"
	}
	return 300 * time.Second, "Patroni's default"
}

// planReinit replaces a replica's data directory by a copy of another member's.
func planReinit(in *Input, p *Plan) {
	r := &p.Request
	if p.Refused = cmp.Or(in.busy(), in.noReinit(r), in.Allowed[r.Instance]); p.Refused != nil {
		return
	}
	donor := "the leader " + string(in.Board.Leader)
	if from := in.donors(r.Instance); !r.FromLeader && len(from) > 0 {
		donor = fmt.Sprintf("one of %s, which have the tag clonefrom, picked by Patroni at random", model.Join(from))
	}
	p.Steps = []Step{{Do: DoReinit, Instance: r.Instance, Via: r.Instance,
		What:  fmt.Sprintf("delete the data directory of %s and copy it from %s: POST /reinitialize to its Patroni", r.Instance, donor),
		Proof: "PostgreSQL has started again on the new copy and streams on the leader's timeline"}}
	p.Facts = append(p.Facts, "Donor: "+donor+".", in.sizeWords(), in.freeWords(r.Instance))
	in.tellSessions(p, r.Instance)
	in.changing(p)
	p.Risks = slices.DeleteFunc(p.Risks, func(x plan.Risk) bool { // that is what is repaired
		return x.Name == plan.RiskFailover && x.Host == in.Cluster.Instance(r.Instance).Host
	})
}

func (in *Input) noReinit(r *Request) error {
	b := in.Board
	switch st := in.status(r.Instance); {
	case in.Cluster.Instance(r.Instance) == nil:
		return deny("pgtui status "+in.name(), "%s has no member %s", in.Cluster.Name, r.Instance)
	case b.Leader == "":
		return deny("pgtui doctor "+in.name(), "%s has no known leader: there is nothing to copy from", in.Cluster.Name)
	case b.LeaderBy != "self":
		return deny("pgtui doctor "+in.name(), "%s holds the leader key and its Patroni does not answer: the copy may have no source", b.Leader)
	case r.Instance == b.Leader:
		return deny("pgtui switchover "+in.name()+" first", "%s leads: a leader is not reinitialised", r.Instance)
	case st == nil:
		return deny("pgtui status "+in.name(), "%s: %s", r.Instance, b.Member(r.Instance).Why)
	case st.State == "creating replica":
		return deny("pgtui status "+in.name(), "%s is creating replica already", r.Instance)
	case r.FromLeader && !st.Generation(4, 1, 0):
		return deny("leave out --from-leader", "Patroni %s of %s does not have from_leader (4.1): it would ignore it", st.Version, r.Instance)
	}
	return nil
}

// donors are the replicas that Patroni may copy from.
func (in *Input) donors(of model.InstanceName) []model.InstanceName {
	var out []model.InstanceName
	for _, m := range in.answering() {
		if st := in.status(m.Instance); m.Instance != of && m.Instance != in.Board.Leader && st != nil && st.Set("clonefrom") {
			out = append(out, m.Instance)
		}
	}
	return out
}

func (in *Input) sizeWords() string {
	if f := in.Snap.SQL[in.Board.Leader]; f.Known() && f.Value.Read && f.Value.Bytes >= 0 {
		return "Size of all databases: " + text.Bytes(f.Value.Bytes) + ", WAL not counted."
	}
	return "Size of the databases: unknown."
}

func (in *Input) freeWords(name model.InstanceName) string {
	f := in.Free[name]
	if !f.Known() {
		why := "unknown"
		if f.Err != nil {
			why += ": " + f.Err.Error()
		}
		return "Free space of the data directory on " + string(name) + ": " + why + "."
	}
	return fmt.Sprintf("Free space of the data directory on %s: %s, and what its own data has.", name, text.Bytes(f.Value))
}
