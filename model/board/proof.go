package board

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/source"
)

// Proven is a proof beside what HAProxy reports.
type Proven struct {
	Instances map[model.InstanceName]int // who answered, and how often
	Unknown   int                        // answered by somebody who could not be named
	Failed    int                        // connections that were not answered
	Recovery  int                        // answers from a server in recovery
	ReadOnly  []model.InstanceName       // who answered outside of recovery, and takes no writes all the same; each once
	Connect   time.Duration              // the slowest login; 0 when there was none
	Query     time.Duration              // the slowest answer
	Error     string                     // the first failure in plain words; "" when there was none
	// Timeline is of the last answer that reported one; 0 when none did.
	Timeline int
	// Against says in a sentence how it contradicts HAProxy's word or the
	// service's promise; "" when it does not.
	Against string
	// Dead says that connections fail on servers whose check passes, and why;
	// "" when they do not.
	Dead string
	// Note is why an answer could not be named, or why nothing was concluded;
	// "" when there is nothing to say.
	Note string
	At   time.Time
}

// Total is how many connections were tried.
func (p *Proven) Total() int {
	n := p.Unknown + p.Failed
	for _, c := range p.Instances {
		n += c
	}
	return n
}

// Names are the instances that answered, by name.
func (p *Proven) Names() []model.InstanceName {
	out := make([]model.InstanceName, 0, len(p.Instances))
	for n := range p.Instances {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Identify names the instance of c that gave the answer, and how it is known;
// "" and why not when it cannot be named for certain. Two ways lead to a name:
// the address the server accepted the connection on, and the moment its
// postmaster started, which each instance's own Patroni reports to the
// microsecond. When both are there they must agree.
func Identify(s *model.Snapshot, c *model.Cluster, a model.Answer) (name model.InstanceName, by, why string) {
	s = s.Screened(c)
	if a.SystemID != "" && otherSystem(s, c, a.SystemID) {
		return "", "", fmt.Sprintf("it has system identifier %s, which is not this cluster's", a.SystemID)
	}
	var byAddr, byStart []model.InstanceName
	known := 0
	for i := range c.Instances {
		in := &c.Instances[i]
		if a.Addr != "" && string(in.Host) == a.Addr {
			byAddr = append(byAddr, in.Name)
		}
		st := s.Patroni[in.Name].Status
		if !st.Ever() {
			continue
		}
		started := model.ParseStarted(st.Value.PostmasterStart)
		if started.IsZero() {
			continue
		}
		known++
		if started.Equal(a.Started) && (a.SystemID == "" || st.Value.SystemID == "" || st.Value.SystemID == a.SystemID) {
			byStart = append(byStart, in.Name)
		}
	}
	switch {
	case len(byAddr) == 1 && (len(byStart) == 0 || slices.Contains(byStart, byAddr[0])):
		return byAddr[0], "address", ""
	case len(byAddr) == 1:
		return "", "", fmt.Sprintf("its address is that of %s, its start time that of %s", byAddr[0], model.Join(byStart))
	case len(byStart) == 1:
		return byStart[0], "start time", ""
	case len(byStart) > 1:
		return "", "", "its start time matches " + model.Join(byStart)
	case a.Started.IsZero():
		return "", "", "it does not report its start time"
	case known < len(c.Instances):
		return "", "", fmt.Sprintf("its start time matches none of the %d members that report theirs", known)
	}
	return "", "", "its start time matches no member: it may have just restarted"
}

// otherSystem reports whether every member that reports its system identifier
// reports another one.
func otherSystem(s *model.Snapshot, c *model.Cluster, id string) bool {
	reported := false
	for i := range c.Instances {
		switch got := s.Patroni[c.Instances[i].Name].Status.Value.SystemID; got {
		case "":
		case id:
			return false
		default:
			reported = true
		}
	}
	return reported
}

// ProvenOf sets a proof beside what one HAProxy reports of the same port.
func ProvenOf(s *model.Snapshot, c *model.Cluster, svc *model.Service, v *View, o source.Observed[model.Proof]) *Proven {
	p, strangers := Tally(s, c, o.Value.Tries, o.At)
	if o.Value.Moved {
		p.Note = "HAProxy's servers changed during the test: no conclusion"
		return p
	}
	if len(strangers) > 0 {
		p.Against = "the server that answers belongs to another cluster: " + strangers[0]
	} else {
		p.Against = against(c, svc, v, p)
	}
	p.Dead = deadPort(v, p, &o.Value)
	return p
}

// Tally counts who answered the tries. strangers say why an answer is not of
// this cluster.
func Tally(s *model.Snapshot, c *model.Cluster, tries []model.Try, at time.Time) (p *Proven, strangers []string) {
	p = &Proven{Instances: map[model.InstanceName]int{}, At: at}
	for _, t := range tries {
		if t.Fault != "" {
			p.Failed++
			if p.Error == "" {
				p.Error = t.Text
			}
			continue
		}
		p.Connect, p.Query = max(p.Connect, t.Connect), max(p.Query, t.Query)
		if t.Answer.Recovery {
			p.Recovery++
		}
		if t.Answer.Timeline > 0 {
			p.Timeline = t.Answer.Timeline
		}
		name, _, why := Identify(s, c, t.Answer)
		if name == "" {
			p.Unknown++
			p.Note = "the instance that answered is unknown: " + why
			if strings.Contains(why, "not this cluster's") {
				strangers = append(strangers, why)
			}
			continue
		}
		p.Instances[name]++
		if t.Answer.ReadOnly && !t.Answer.Recovery && !slices.Contains(p.ReadOnly, name) {
			p.ReadOnly = append(p.ReadOnly, name)
		}
	}
	return p, strangers
}

// against says how the answers contradict the view; "" when they do not.
func against(c *model.Cluster, svc *model.Service, v *View, p *Proven) string {
	answered := p.Total() - p.Failed
	if answered == 0 {
		return ""
	}
	if model.WantsPrimary(svc.Check) && !c.Standby && p.Recovery > 0 {
		return fmt.Sprintf("%d of %d connections were answered by a server in recovery: it takes no writes", p.Recovery, p.Total())
	}
	if v.Verdict == model.Unknown || v.Verdict == model.Settling || v.Verdict == model.Missing {
		return ""
	}
	for _, name := range p.Names() {
		if !slices.Contains(v.Serving, name) {
			who := "no server"
			if len(v.Serving) > 0 {
				who = model.Join(v.Serving)
			}
			return fmt.Sprintf("%s answered %d of %d connections, but HAProxy reports %s as serving", name, p.Instances[name], p.Total(), who)
		}
	}
	if len(v.Serving) == 0 {
		return fmt.Sprintf("%d of %d connections were answered, but HAProxy reports no server", answered, p.Total())
	}
	return ""
}

// deadPort says that connections fail although HAProxy has servers for them;
// "" when it is not so. A login that was refused is not such a failure: the
// port works.
func deadPort(v *View, p *Proven, proof *model.Proof) string {
	if len(v.Serving) == 0 || v.Verdict == model.Unknown || v.Verdict == model.Settling {
		return ""
	}
	failed, text := 0, ""
	for _, t := range proof.Tries {
		switch t.Fault {
		case model.FaultRefused, model.FaultTimeout, model.FaultClosed, model.FaultStarting, model.FaultPooler:
			failed++
			if text == "" {
				text = t.Text
			}
		}
	}
	var shut []string
	for _, d := range proof.Direct {
		if d.Fault != "" && d.Fault != model.FaultNotTried && slices.Contains(v.Serving, d.Instance) {
			shut = append(shut, fmt.Sprintf("%s: %s", d.Instance, d.Text))
		}
	}
	if failed == 0 {
		if p.Connect < model.SlowConnect || len(shut) == 0 {
			return ""
		}
		return fmt.Sprintf("a connection waited %v for a server whose port does not answer; %s", p.Connect.Round(100*time.Millisecond), strings.Join(shut, "; "))
	}
	out := fmt.Sprintf("%d of %d connections failed: %s", failed, p.Total(), text)
	if len(shut) > 0 {
		out += "; " + strings.Join(shut, "; ")
	}
	return out
}

// prove lays the snapshot's proof of the port, if there is one for now, beside
// the view, which loses its word when they contradict each other.
func prove(v *View, s *model.Snapshot, c *model.Cluster, svc *model.Service, now time.Time) {
	o, ok := s.Proofs[model.PortKey{HAProxy: v.HAProxy, Cluster: c.Name, Service: svc.Name}]
	if !ok || !o.Known() || o.Age(now) > model.ProofAge {
		return
	}
	v.Proven = ProvenOf(s, c, svc, v, o)
	switch {
	case v.Verdict == model.Unknown || v.Verdict == model.Settling || v.Verdict == model.Missing:
	case v.Proven.Against != "":
		v.Verdict, v.Why = model.Mismatch, "a real connection contradicts HAProxy: "+v.Proven.Against
	case v.Proven.Dead != "":
		v.Verdict, v.Why = model.Mismatch, "the check passes, but real connections fail: "+v.Proven.Dead
	}
}
