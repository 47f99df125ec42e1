package candidate

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
)

// Prediction is what Patroni does with a switchover or a failover, by patroni/api.py
// (do_POST_failover, is_failover_possible) and patroni/ha.py
// (process_manual_failover_from_leader, is_failover_possible), 2.1 to 4.1.
type Prediction struct {
	// Verdict is Pass when the leader demotes itself for it, No when Patroni
	// refuses, Unknown when a datum is missing.
	Verdict Verdict
	Gate    string // of a No: "A", or "B"
	Status  int    // of a No: the HTTP status of the answer, 400, 412 or 503
	Says    string // of a No: the text of the answer
	Why     string // the reason, in a clause; "" of a Pass
	// Leaders are who may lead afterwards; nil unless Verdict is Pass.
	Leaders []model.InstanceName
}

// prophet is one question.
type prophet struct {
	t        *Table
	f        *clusterFacts
	to       model.InstanceName
	failover bool
	via      model.InstanceName // who gets the call; "" when that is unknown
}

// Predict is what Patroni does with a switchover to that member, or with a
// failover; "" leaves the choice to Patroni. The call goes to Via of the table,
// with the leader's name.
func Predict(t *Table, to model.InstanceName, failover bool) Prediction {
	return PredictVia(t, to, failover, t.Via(to))
}

// Via is the member to send a call for a takeover to: one that neither leads nor is
// to lead, so that it stays up, and that reaches the one that is to lead; else that
// one itself, else the leader; "" when none answers.
func (t *Table) Via(to model.InstanceName) model.InstanceName {
	target := t.Candidate(to)
	answers := func(c *Candidate) bool { return c != nil && c.patroni.answers }
	for i := range t.Candidates {
		c := &t.Candidates[i]
		if c.Instance == to || !answers(c) {
			continue
		}
		if target == nil || target.patroni.from[c.Instance] == "" {
			return c.Instance
		}
	}
	switch {
	case answers(target):
		return to
	case t.patroni.leader == Pass:
		return t.Leader
	}
	for i := range t.Candidates {
		if c := &t.Candidates[i]; c.Instance != to && answers(c) {
			return c.Instance
		}
	}
	return ""
}

// PredictVia is Predict of a call that goes to the member via.
func PredictVia(t *Table, to model.InstanceName, failover bool, via model.InstanceName) Prediction {
	p := &prophet{t, &t.patroni, to, failover, via}
	for _, gate := range []func() *Prediction{p.request, p.gateA, p.gateB} {
		if out := gate(); out != nil {
			return *out
		}
	}
	return Prediction{Verdict: Unknown, Why: "no rule of Patroni applies"} // never: gate B always decides
}

func (p *prophet) action() string {
	if p.failover {
		return "failover"
	}
	return "switchover"
}

// title is the action as a sentence begins.
func (p *prophet) title() string {
	if p.failover {
		return "Failover"
	}
	return "Switchover"
}

func unknown(why string) *Prediction { return &Prediction{Verdict: Unknown, Why: why} }

func refused(gate string, status int, says, why string) *Prediction {
	return &Prediction{Verdict: No, Gate: gate, Status: status, Says: says, Why: why}
}

// newer reports whether the leader's Patroni is of that version or later.
func (p *prophet) newer(major, minor int) bool { return p.f.version.Generation(major, minor, 0) }

// request is what is refused by the request alone.
func (p *prophet) request() *Prediction {
	bad := func(says string) *Prediction { return refused("A", 400, says, strings.ToLower(says[:1])+says[1:]) }
	switch f := p.f; {
	case p.failover && p.to == "":
		return bad("Failover could be performed only to a specific candidate")
	case f.dcs != Pass:
		return unknown("whether Patroni reaches its DCS is unknown: " + f.dcsWhy)
	case f.leader == Unknown:
		return unknown(f.why)
	case !p.failover && f.leader == No:
		return bad("Switchover could be performed only from a specific leader")
	case !f.known:
		return unknown("what Patroni decides by is unknown: " + f.from)
	case f.paused && p.to == "" && p.newer(3, 2):
		return bad("Switchover is possible only to a specific candidate in a paused state")
	case f.paused && p.to == "":
		return bad(p.title() + " is possible only to a specific candidate in a paused state")
	case p.to == p.t.Leader && p.to != "" && !p.failover && p.newer(3, 2):
		return bad("Switchover target and source are the same")
	}
	return nil
}

// gateA is the member that gets the call: api.py, is_failover_possible.
func (p *prophet) gateA() *Prediction {
	f := p.f
	strict := f.sync && !f.quorum
	if p.to != "" && p.to == p.t.Leader {
		if strict && !p.failover {
			return refused("A", 412, "candidate name does not match with sync_standby", "the leader is not a synchronous standby")
		}
		return refused("B", 503, p.title()+" failed", string(p.to)+" leads already")
	}
	var targets []*Candidate
	switch {
	case p.to != "":
		c := p.t.Candidate(p.to)
		switch {
		case c == nil:
			return unknown("the inventory has no member " + string(p.to))
		case strict && !p.failover && c.patroni.sync == No:
			return refused("A", 412, "candidate name does not match with sync_standby", c.patroni.why["sync"])
		case strict && !p.failover && c.patroni.sync == Unknown:
			return unknown(c.patroni.why["sync"])
		case c.patroni.listed == No:
			return refused("A", 412, "candidate does not exists", c.patroni.why["listed"])
		case c.patroni.listed == Unknown:
			return unknown(c.patroni.why["listed"])
		}
		targets = []*Candidate{c}
	default:
		for i := range p.t.Candidates {
			c := &p.t.Candidates[i]
			if c.patroni.listed == Pass && (!strict || c.patroni.sync == Pass) {
				targets = append(targets, c)
			}
		}
		if len(targets) == 0 && p.f.unlisted == 0 {
			if strict {
				return refused("A", 412, p.action()+" is not possible: can not find sync_standby", "the /sync key names no standby")
			}
			return refused("A", 412, p.action()+" is not possible: cluster does not have members except leader", "the leader is the only member")
		}
	}
	return p.reachable(targets)
}

// reachable is the end of gate A: one target must have no failover_limitation.
func (p *prophet) reachable(targets []*Candidate) *Prediction {
	var why []string
	missing := ""
	for _, c := range targets {
		switch v, text := c.patroni.limited(p.via); v {
		case Pass:
			return nil
		case Unknown:
			missing = string(c.Instance) + ": " + text
		default:
			why = append(why, string(c.Instance)+": "+text)
		}
	}
	switch {
	case missing != "":
		return unknown(missing)
	case p.to == "" && p.f.unlisted > 0:
		return unknown("members of the DCS that the inventory does not have may be able to")
	}
	return refused("A", 412, p.action()+" is not possible: no good candidates have been found", strings.Join(why, "; "))
}

// limited is failover_limitation as the member from finds it: Pass for none.
func (f *facts) limited(from model.InstanceName) (Verdict, string) {
	switch why := f.from[from]; {
	case why != "":
		return No, "not reachable from " + string(from) + ": " + why
	case f.reach == No:
		return No, "not reachable: " + f.why["reach"]
	case f.reach == Unknown:
		return Unknown, f.why["reach"]
	case f.bars != "":
		return No, f.bars + ": " + f.why["bars"]
	}
	return Pass, ""
}

// gateB is the leader's next loop. Without a leader the candidate takes the key.
func (p *prophet) gateB() *Prediction {
	f := p.f
	if f.leader == No {
		return &Prediction{Verdict: Pass, Leaders: []model.InstanceName{p.to}}
	}
	if !f.loops {
		return unknown("the leader's PostgreSQL is " + f.state + ", so its Patroni may not decide")
	}
	members, why := p.eligible()
	if members == nil {
		return unknown(why)
	}
	votes, missing := p.healthy(members)
	if len(votes) == 0 && missing == "" {
		return refused("B", 503, p.title()+" failed", p.reasons(members, why))
	}
	if len(votes) == 0 {
		return unknown(missing)
	}
	if f.quorum && p.to == "" {
		if need := p.quorum(); len(votes)-1 < need {
			if missing != "" {
				return unknown(missing)
			}
			return refused("B", 503, "Switchover failed", fmt.Sprintf("%d synchronous standbys can lead, and quorum commit requires %d", len(votes), need+1))
		}
	}
	if p.to != "" {
		return &Prediction{Verdict: Pass, Leaders: []model.InstanceName{p.to}}
	}
	return &Prediction{Verdict: Pass, Leaders: votes}
}

// quorum is the number in the /sync key of quorum commit (patroni/quorum.py).
func (p *prophet) quorum() int {
	n := 0
	for i := range p.t.Candidates {
		if p.t.Candidates[i].patroni.sync == Pass {
			n++
		}
	}
	return n - min(p.f.nodes, n)
}

// eligible are the members that gate B looks at, which may be none: then why says
// so. nil means that this is unknown, and why.
func (p *prophet) eligible() (members []*Candidate, why string) {
	members = []*Candidate{}
	f := p.f
	sync := f.sync && !(p.failover && p.newer(3, 2))
	all := false // of the /sync key, whoever the candidate is
	if sync && p.to != "" {
		switch c := p.t.Candidate(p.to); {
		case c.patroni.sync == Unknown:
			return nil, c.patroni.why["sync"]
		case c.patroni.sync == No && f.quorum && !p.anySync():
			return nil, "the /sync key names no standby, and whether it is empty is unknown"
		case c.patroni.sync == No:
			return members, c.patroni.why["sync"]
		}
		all = !p.newer(3, 1)
	}
	for i := range p.t.Candidates {
		c := &p.t.Candidates[i]
		switch {
		case c.patroni.listed != Pass, p.to != "" && c.Instance != p.to && !all:
		case sync && c.patroni.sync == Unknown:
			return nil, c.patroni.why["sync"]
		case sync && c.patroni.sync == No:
		default:
			members = append(members, c)
		}
	}
	if len(members) == 0 {
		why = "no member can be chosen"
	}
	return members, why
}

func (p *prophet) anySync() bool {
	return slices.ContainsFunc(p.t.Candidates, func(c Candidate) bool { return c.patroni.sync == Pass })
}

// healthy are those of the members that gate B lets pass; missing is what is
// unknown of another.
func (p *prophet) healthy(members []*Candidate) (ok []model.InstanceName, missing string) {
	for _, c := range members {
		switch v, why := c.patroni.gateB(p.t.Leader); v {
		case Pass:
			ok = append(ok, c.Instance)
		case Unknown:
			missing = string(c.Instance) + ": " + why
		}
	}
	return ok, missing
}

// gateB is what the leader finds of one member.
func (f *facts) gateB(leader model.InstanceName) (Verdict, string) {
	if v, why := f.limited(leader); v != Pass {
		return v, why
	}
	for _, x := range []struct {
		v   Verdict
		why string
	}{{f.lag, f.why["lag"]}, {f.tl, f.why["tl"]}} {
		if x.v == No {
			return No, x.why
		}
	}
	switch {
	case f.lag == Unknown:
		return Unknown, f.why["lag"]
	case f.tl == Unknown:
		return Unknown, f.why["tl"]
	}
	return Pass, ""
}

// reasons are why each of the members is refused, else why there are none.
func (p *prophet) reasons(members []*Candidate, why string) string {
	var out []string
	for _, c := range members {
		if _, text := c.patroni.gateB(p.t.Leader); text != "" {
			out = append(out, string(c.Instance)+": "+text)
		}
	}
	if len(out) == 0 {
		return why
	}
	return strings.Join(out, "; ")
}
