package action

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/model/failover"
	"pgtui/plan"
	"pgtui/source"
	"pgtui/source/refs"
)

// deny is why a plan must not run, with what to type next.
func deny(try, format string, args ...any) error {
	return &source.Hint{Err: fmt.Errorf(format, args...), Try: try}
}

// name is the cluster's name in a command.
func (in *Input) name() string { return string(in.Cluster.Name) }

// status is what Patroni of an instance reports of itself now; nil when it does not
// answer.
func (in *Input) status(name model.InstanceName) *model.PatroniStatus {
	o := in.Snap.PatroniStatus(name)
	if m := in.Board.Member(name); m == nil || !m.Known || !o.Current(in.Now) {
		return nil
	}
	return &o.Value
}

// answering are the members whose Patroni answers, in the inventory's order.
func (in *Input) answering() []*board.Member {
	var out []*board.Member
	for i := range in.Board.Members {
		if m := &in.Board.Members[i]; m.Known {
			out = append(out, m)
		}
	}
	return out
}

// via is whose Patroni gets a call: a member that is not among those whose
// PostgreSQL stops, where one answers, else the last of them that does; one that takes
// writes before one that refuses them. "" when none answers.
func (in *Input) via(stops ...model.InstanceName) model.InstanceName {
	var stay, stop []model.InstanceName
	for _, m := range in.answering() {
		if !slices.Contains(stops, m.Instance) {
			stay = append(stay, m.Instance)
		}
	}
	for _, name := range slices.Backward(stops) {
		if m := in.Board.Member(name); m != nil && m.Known {
			stop = append(stop, name)
		}
	}
	all := append(stay, stop...)
	for _, name := range all {
		if in.Allowed[name] == nil {
			return name
		}
	}
	if len(all) > 0 {
		return all[0] // it will refuse, and its reason is shown
	}
	return ""
}

// handover is whose Patroni gets the call that makes a member the leader: the one
// that stays up and reaches it, where that one takes calls.
func (in *Input) handover(to model.InstanceName) model.InstanceName {
	if via := in.Table.Via(to); via != "" && in.Allowed[via] == nil {
		return via
	}
	return in.via(in.Board.Leader, to)
}

// running is an action of the cluster that has begun, has not ended, and is one that
// match takes; nil when there is none.
func (in *Input) running(match func(*model.Mark) bool) *model.Mark {
	return refs.Find(in.Snap.Marks[in.Cluster.Name], func(m *model.Mark) bool { return m.Open && m.Alive && m.Action != "" && match(m) })
}

// busy is why no action of the cluster may begin now; nil when one may.
func (in *Input) busy() error {
	m := in.running(func(*model.Mark) bool { return true })
	if m == nil {
		return nil
	}
	return deny("wait for its end: pgtui history "+in.name(), "%s by %s is under way since %s", m.Action, m.Who, m.At.Local().Format("15:04:05"))
}

// busyWith is why no action on the servers of an instance may begin now; nil when one
// may.
func (in *Input) busyWith(name model.InstanceName) error {
	m := in.running(func(m *model.Mark) bool { return m.Instance == name })
	if m == nil {
		return nil
	}
	return deny("wait until it ends, or stop it first; pgtui history shows it", "%s of %s, which %s began, is still running", m.Action, name, m.Who)
}

// unwritable is why the Patroni that gets the call takes no writes from here; nil
// when it does, or when that was not probed.
func (in *Input) unwritable(via model.InstanceName) error {
	if via == "" {
		return deny("pgtui status "+in.name(), "no Patroni of %s answers", in.Cluster.Name)
	}
	return in.Allowed[via]
}

// scheduledAlready is why no switchover may begin: one is scheduled.
func (in *Input) scheduledAlready() error {
	if s := in.Board.Switch; s.At != "" {
		return deny("pgtui patroni flush "+in.name()+" switchover, then plan again", "a switchover%s is scheduled at %s already", s.Who(), s.At)
	}
	return nil
}

// unsafeKind refuses what moves the leader of a cluster that Patroni or Citus would
// move differently.
func (in *Input) unsafeKind() error {
	rules := failover.RulesOf(in.Snap, in.Board)
	switch {
	case rules.Standby || in.Cluster.Standby:
		return deny("patronictl -c /etc/patroni/patroni.yml switchover, on a node; patroni #2700 explains the failures", "%s is a standby cluster: Patroni judges its members by a leader that streams from another cluster, and pgtui does not foretell that", in.Cluster.Name)
	case in.Cluster.Scope != "" && in.Cluster.Scope != in.name():
		return deny("patronictl -c /etc/patroni/patroni.yml switchover --group, on a node", "%s is a group of the Citus cluster %s: its coordinator must block the group while the leader changes, and pgtui does not do that", in.Cluster.Name, in.Cluster.Scope)
	}
	return nil
}

// refuses is Patroni's gate that refuses the candidate; nil when none is known to.
func refuses(c *candidate.Candidate) *candidate.Gate {
	for i := range c.Gates {
		if g := &c.Gates[i]; g.Verdict == candidate.No && g.By != "" {
			return g
		}
	}
	return nil
}

// eligible are the candidates that Patroni may take: those that no gate of its own
// refuses.
func (in *Input) eligible() []*candidate.Candidate {
	var out []*candidate.Candidate
	for i := range in.Table.Candidates {
		c := &in.Table.Candidates[i]
		if m := in.Board.Member(c.Instance); refuses(c) == nil && m != nil && m.Known {
			out = append(out, c)
		}
	}
	return out
}

// addFact adds a clause as a sentence, once.
func (p *Plan) addFact(s string) {
	if s = sentence(s); !slices.Contains(p.Facts, s) {
		p.Facts = append(p.Facts, s)
	}
}

// addRisk adds a risk that the plan does not have yet.
func (p *Plan) addRisk(r plan.Risk) {
	if !slices.ContainsFunc(p.Risks, func(x plan.Risk) bool { return x.Name == r.Name && x.Host == r.Host && x.What == r.What }) {
		p.Risks = append(p.Risks, r)
	}
}

// noteRisk adds a risk that is shown only.
func (p *Plan) noteRisk(name string, h model.Host, format string, args ...any) {
	p.addRisk(plan.Risk{Name: name, Host: h, What: fmt.Sprintf(format, args...)})
}

// gateRisk is a gate as a risk of the plan; ok is false when it is not one.
func gateRisk(g *candidate.Gate, whose string) (r plan.Risk, ok bool) {
	r = plan.Risk{Name: g.Risk, Host: g.Host, What: whose + strings.ReplaceAll(g.Name, "-", " ") + ": " + g.What, Try: g.Try}
	switch g.Verdict {
	case candidate.No:
		r.Name = cmp.Or(r.Name, plan.RiskUnrouted)
		return r, g.By == "" // what Patroni refuses is foretold as a whole
	case candidate.Risk:
		r.Name = cmp.Or(r.Name, plan.RiskUnproven)
	case candidate.Unknown:
		r.Name = plan.RiskUnproven
	case candidate.Note:
		return r, r.Name != "" && !plan.RiskStops(r.Name)
	default:
		return r, false
	}
	return r, true
}

// judge adds the risks of the gates: of the cluster, and of the candidate, or of all
// that Patroni may take when it is to choose. To a failover a leader that is gone is
// the reason, and what its node does not answer says nothing of the candidate.
func (in *Input) judge(p *Plan, chosen model.InstanceName) {
	gone := p.Request.Kind == Failover && in.Board.LeaderBy != "self"
	for i := range in.Table.Gates {
		if r, ok := gateRisk(&in.Table.Gates[i], ""); ok && r.Name != plan.RiskPaused && !(gone && r.Name == plan.RiskNoLeader) {
			p.addRisk(r)
		}
	}
	rows := in.eligible()
	if chosen != "" {
		rows = nil
		if c := in.Table.Candidate(chosen); c != nil {
			rows = append(rows, c)
		}
	}
	for _, c := range rows {
		whose := string(c.Instance) + ": "
		for i := range c.Gates {
			if r, ok := gateRisk(&c.Gates[i], whose); ok && !(gone && c.Gates[i].Verdict == candidate.Unknown && in.deaf(r.Host)) {
				p.addRisk(r)
			}
		}
	}
}

// deaf reports whether a node has an instance whose Patroni does not answer.
func (in *Input) deaf(h model.Host) bool {
	return slices.ContainsFunc(in.Board.Members, func(m board.Member) bool { return h != "" && m.Host == h && !m.Known })
}

// foretell adds what Patroni will answer to the call of a step, where that is not yes.
func (in *Input) foretell(p *Plan, s *Step) {
	switch x := candidate.PredictVia(in.Table, s.Instance, s.Do == DoFailover, s.Via); x.Verdict {
	case candidate.No:
		p.addRisk(plan.Risk{Name: plan.RiskPatroniRefuses, What: fmt.Sprintf("Patroni refuses it at gate %s with HTTP %d %q: %s", x.Gate, x.Status, x.Says, x.Why), Try: "pgtui candidates " + in.name()})
	case candidate.Unknown:
		p.addRisk(plan.Risk{Name: plan.RiskUnproven, What: "what Patroni will answer is unknown: " + x.Why, Try: "pgtui candidates " + in.name()})
	}
}

// changing adds the risks of a cluster whose roles change now, or on which Patroni
// is paused.
func (in *Input) changing(p *Plan) {
	b := in.Board
	if b.LeaderUnsure {
		p.addRisk(plan.LeaderUnsure(in.Cluster.Name))
	}
	for _, m := range in.answering() {
		if board.Changing(m.State) {
			p.addRisk(plan.Risk{Name: plan.RiskFailover, Host: m.Host, What: string(m.Instance) + " is " + m.State, Try: "wait until it is running, then plan again"})
		}
	}
	if b.Paused {
		p.addRisk(plan.Risk{Name: plan.RiskPaused, What: "Patroni is paused: no member takes over when the leader fails", Try: "pgtui resume " + in.name() + ", once you know who paused it"})
	}
}

// cutSessions are the sessions of the leader that end, by port: the table's where it
// has them, else HAProxy's.
func (in *Input) cutSessions(of model.InstanceName) (parts []string, total int64) {
	if len(in.Table.Ports) > 0 && of == in.Board.Leader {
		for _, p := range in.Table.Ports {
			switch {
			case !p.Known:
				parts = append(parts, fmt.Sprintf("unknown on %d %s", p.Port, p.Service))
			case p.Sessions > 0:
				parts, total = append(parts, fmt.Sprintf("%d on %d %s", p.Sessions, p.Port, p.Service)), total+p.Sessions
			}
		}
		return parts, total
	}
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		var n int64
		for k := range r.Views {
			for _, c := range r.Views[k].Cells {
				if c.Instance == of {
					n += c.Sessions
				}
			}
		}
		if n > 0 {
			parts, total = append(parts, fmt.Sprintf("%d on %s", n, r.Name())), total+n
		}
	}
	return parts, total
}

// tellSessions adds which sessions end, as a fact and as a risk that stops nothing.
func (in *Input) tellSessions(p *Plan, of model.InstanceName) {
	parts, total := in.cutSessions(of)
	if len(parts) == 0 {
		p.addFact("No session through HAProxy ends.")
		return
	}
	p.addRisk(plan.Risk{Name: plan.RiskSessionsCut, What: fmt.Sprintf("%s of %s end: %s", text.Plural(int(total), "session"), of, strings.Join(parts, ", "))})
}

// tellGap adds how long clients of the primary port find no leader.
func (in *Input) tellGap(p *Plan) {
	g := &in.Table.Gap
	if len(g.Parts) == 0 {
		p.addFact("The gap on the primary port is unknown: the leader's stop time is unknown.")
		return
	}
	p.addFact(fmt.Sprintf("Expected gap on the primary port: %s: %s.", g.Text(), strings.Join(g.Parts, "; ")))
}

// tellVia adds who gets the call, and why that one.
func (in *Input) tellVia(p *Plan, s *Step) {
	why := "it stays up meanwhile"
	if s.Via == s.Instance || s.Via == s.From {
		why = "no other member answers"
	}
	how := ""
	if p.Request.SSH {
		how = ", through SSH to its node"
	}
	p.addFact(fmt.Sprintf("Patroni of %s gets the call%s: %s. It is sent once and never repeated.", s.Via, how, why))
}

// tellRules adds what Patroni decides by.
func (in *Input) tellRules(p *Plan) {
	rules := failover.RulesOf(in.Snap, in.Board)
	p.addFact(rules.Words())
}
