package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/source"
)

// Login is how the ports of a cluster are tried: as Pigsty's monitoring user.
type Login struct {
	User     string // pg_monitor_username
	Password Secret // pg_monitor_password
	// Databases are the ones to connect to, in order: the next is tried when a
	// pooler does not know the one before.
	Databases []string
	// Auth are the ways of login that the server may ask for, as in libpq's
	// require_auth; "" leaves it to pgtui.
	Auth string
}

// PortKey names one service port of one HAProxy node.
type PortKey struct {
	HAProxy Host
	Cluster ClusterName
	Service ServiceName
}

// Proof is what real connections through one service port found. It holds what
// was answered, not what it means: see ProvenOf.
type Proof struct {
	PortKey
	Port     string
	Database string // the one that let us in; "" when none did
	Tries    []Try
	// Direct is what the ports behind HAProxy said when they were connected to
	// without it, which is done when a try fails or takes SlowConnect; nil
	// otherwise.
	Direct []DirectPort
	// Moved tells that HAProxy's own word changed while the port was tried:
	// then the answers prove nothing about it.
	Moved bool
}

// Try is one connection.
type Try struct {
	Fault   Fault         // "" when it was answered
	Text    string        // the fault in plain words; "" when it was answered
	Answer  Answer        // zero unless it was answered
	Dial    time.Duration // until the TCP connection was open; 0 when it never was
	Connect time.Duration // until the login was done; 0 when it never was
	Query   time.Duration // until the answer was read
}

// Fault is the kind of a connection's failure.
type Fault string

// The faults.
const (
	FaultRefused  Fault = "refused"  // nothing listens on the port
	FaultTimeout  Fault = "timeout"  // no answer in time
	FaultClosed   Fault = "closed"   // accepted, then closed without a word: HAProxy found no server that takes it
	FaultAuth     Fault = "auth"     // the monitoring user was not let in
	FaultDatabase Fault = "database" // no such database
	FaultStarting Fault = "starting" // the database system is starting up or shutting down
	FaultPooler   Fault = "pooler"   // pgbouncer answers and cannot reach its PostgreSQL
	FaultOther    Fault = "other"    // anything else
	FaultNotTried Fault = "not-tried"
)

// Answer is what a server says of itself.
type Answer struct {
	Addr        string    // inet_server_addr(); "" through a pooler on a unix socket
	Started     time.Time // pg_postmaster_start_time(), to the microsecond; zero when not told
	SystemID    string    // pg_control_system(); "" when not told
	ClusterName string    // Patroni sets cluster_name to its scope
	Recovery    bool      // pg_is_in_recovery()
	ReadOnly    bool      // transactions are read only: always so in recovery
	Timeline    int       // 0 when not told
}

// DirectPort is one server's port as it is without HAProxy.
type DirectPort struct {
	Instance InstanceName
	Addr     string // host:port
	Fault    Fault  // "" when it accepts connections
	Text     string
}

// ProofAge is how long a proof is laid beside what HAProxy says now. That
// nothing changed meanwhile is Moved's to tell.
const ProofAge = 30 * time.Second

// SlowConnect is the time to log in from which the ports behind HAProxy are
// looked at. HAProxy tries a server whose port refuses once a second, three
// times, before it takes another one: clients wait, or give up.
const SlowConnect = time.Second

// Moved reports whether HAProxy's word about a section changed between two
// snapshots, or may have: a server came or went, its last transition (or the
// whole section's, after a reload) is another one than before, or one of the
// two does not know.
func Moved(before, after *Snapshot, host Host, section string) bool {
	a, b := before.HAProxy[host], after.HAProxy[host]
	if !a.Known() || !b.Known() {
		return true
	}
	px, py := a.Value.Proxy(section), b.Value.Proxy(section)
	if px == nil || py == nil {
		return (px == nil) != (py == nil)
	}
	if len(px.Servers) != len(py.Servers) {
		return true
	}
	// HAProxy tells a transition's age in whole seconds of its own clock. One
	// older than the time between the two looks is from before the first; a
	// younger one is the same when it has aged by all the seconds between.
	between := int64(b.At.Sub(a.At) / time.Second)
	same := func(was, now int64) bool { return now > between || now >= was+between }
	for i := range py.Servers {
		row := &py.Servers[i]
		was := px.Server(row.Name)
		if was == nil || haproxy.Usable(was) != haproxy.Usable(row) || row.CheckStatus == "INI" {
			return true
		}
		if !same(was.LastChange, row.LastChange) && !(warmedUp(was, row) && same(px.Back.LastChange, py.Back.LastChange)) {
			return true
		}
	}
	return false
}

// warmedUp reports whether nothing but the server's slowstart ended between
// two looks. HAProxy counts that as a transition; a real one would begin the
// slowstart anew, and a reload makes the whole section young.
func warmedUp(was, now *haproxy.ServerRow) bool {
	return was.Throttle > 0 && now.Throttle == 0 && now.Weight == now.UserWeight
}

// Proven is a proof beside what HAProxy says.
type Proven struct {
	Instances map[InstanceName]int // who answered, and how often
	Unknown   int                  // answered by somebody who could not be named
	Failed    int                  // connections that were not answered
	Recovery  int                  // answers from a server in recovery
	ReadOnly  []InstanceName       // who answered outside of recovery, and takes no writes all the same; each once
	Connect   time.Duration        // the slowest login; 0 when there was none
	Query     time.Duration        // the slowest answer
	Error     string               // the first failure in plain words; "" when there was none
	// Timeline is of the last answer that told one; 0 when none did.
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
func (p *Proven) Names() []InstanceName {
	out := make([]InstanceName, 0, len(p.Instances))
	for n := range p.Instances {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// ParseStarted reads postmaster_start_time as the Patronis print it; the zero
// time when it is in no form that is known.
func ParseStarted(s string) time.Time {
	for _, layout := range []string{"2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05.000 MST"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Truncate(time.Microsecond)
		}
	}
	return time.Time{}
}

// Identify names the instance of c that gave the answer, and how it is known;
// "" and why not when it cannot be named for certain. Two ways lead to a name:
// the address the server accepted the connection on, and the moment its
// postmaster started, which each instance's own Patroni tells to the
// microsecond. When both are there they must agree.
func Identify(s *Snapshot, c *Cluster, a Answer) (name InstanceName, by, why string) {
	s = s.Screened(c)
	if a.SystemID != "" && otherSystem(s, c, a.SystemID) {
		return "", "", fmt.Sprintf("it has system identifier %s, which is not this cluster's", a.SystemID)
	}
	var byAddr, byStart []InstanceName
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
		started := ParseStarted(st.Value.PostmasterStart)
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
		return "", "", fmt.Sprintf("its address is %s's, its start time is %s's", byAddr[0], Join(byStart))
	case len(byStart) == 1:
		return byStart[0], "start time", ""
	case len(byStart) > 1:
		return "", "", "its start time fits " + Join(byStart)
	case a.Started.IsZero():
		return "", "", "it does not tell when it started"
	case known < len(c.Instances):
		return "", "", fmt.Sprintf("its start time fits none of the %d members that tell theirs", known)
	}
	return "", "", "its start time fits no member: it may have restarted a moment ago"
}

// otherSystem reports whether every member that tells its system identifier
// tells another one.
func otherSystem(s *Snapshot, c *Cluster, id string) bool {
	told := false
	for i := range c.Instances {
		switch got := s.Patroni[c.Instances[i].Name].Status.Value.SystemID; got {
		case "":
		case id:
			return false
		default:
			told = true
		}
	}
	return told
}

// ProvenOf sets a proof beside what one HAProxy says of the same port.
func ProvenOf(s *Snapshot, c *Cluster, svc *Service, v *View, o source.Observed[Proof]) *Proven {
	p, strangers := tally(s, c, o.Value.Tries, o.At)
	if o.Value.Moved {
		p.Note = "HAProxy changed its mind while the port was tried: nothing is concluded"
		return p
	}
	if len(strangers) > 0 {
		p.Against = "the server that answers is not of this cluster: " + strangers[0]
	} else {
		p.Against = against(c, svc, v, p)
	}
	p.Dead = deadPort(v, p, &o.Value)
	return p
}

// tally counts who answered the tries. strangers say why an answer is not of
// this cluster.
func tally(s *Snapshot, c *Cluster, tries []Try, at time.Time) (p *Proven, strangers []string) {
	p = &Proven{Instances: map[InstanceName]int{}, At: at}
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
			p.Note = "who answered is not known: " + why
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
func against(c *Cluster, svc *Service, v *View, p *Proven) string {
	answered := p.Total() - p.Failed
	if answered == 0 {
		return ""
	}
	if WantsPrimary(svc.Check) && !c.Standby && p.Recovery > 0 {
		return fmt.Sprintf("%d of %d connections were answered by a server in recovery: it takes no writes", p.Recovery, p.Total())
	}
	if v.Verdict == Unknown || v.Verdict == Settling || v.Verdict == Missing {
		return ""
	}
	for _, name := range p.Names() {
		if !slices.Contains(v.Serving, name) {
			who := "nobody"
			if len(v.Serving) > 0 {
				who = Join(v.Serving)
			}
			return fmt.Sprintf("%s answered %d of %d connections, HAProxy says %s serves", name, p.Instances[name], p.Total(), who)
		}
	}
	if len(v.Serving) == 0 {
		return fmt.Sprintf("%d of %d connections were answered, HAProxy says nobody serves", answered, p.Total())
	}
	return ""
}

// deadPort says that connections fail although HAProxy has servers for them;
// "" when it is not so. A login that was refused is not such a failure: the
// port works.
func deadPort(v *View, p *Proven, proof *Proof) string {
	if len(v.Serving) == 0 || v.Verdict == Unknown || v.Verdict == Settling {
		return ""
	}
	failed, text := 0, ""
	for _, t := range proof.Tries {
		switch t.Fault {
		case FaultRefused, FaultTimeout, FaultClosed, FaultStarting, FaultPooler:
			failed++
			if text == "" {
				text = t.Text
			}
		}
	}
	var shut []string
	for _, d := range proof.Direct {
		if d.Fault != "" && d.Fault != FaultNotTried && slices.Contains(v.Serving, d.Instance) {
			shut = append(shut, fmt.Sprintf("%s: %s", d.Instance, d.Text))
		}
	}
	if failed == 0 {
		if p.Connect < SlowConnect || len(shut) == 0 {
			return ""
		}
		return fmt.Sprintf("a connection waited %v for a server whose port is dead; %s", p.Connect.Round(100*time.Millisecond), strings.Join(shut, "; "))
	}
	out := fmt.Sprintf("%d of %d connections failed: %s", failed, p.Total(), text)
	if len(shut) > 0 {
		out += "; " + strings.Join(shut, "; ")
	}
	return out
}

// prove lays the snapshot's proof of the port, if there is one for now, beside
// the view, which loses its word when they contradict each other.
func prove(v *View, s *Snapshot, c *Cluster, svc *Service, now time.Time) {
	o, ok := s.Proofs[PortKey{v.HAProxy, c.Name, svc.Name}]
	if !ok || !o.Known() || o.Age(now) > ProofAge {
		return
	}
	v.Proven = ProvenOf(s, c, svc, v, o)
	switch {
	case v.Verdict == Unknown || v.Verdict == Settling || v.Verdict == Missing:
	case v.Proven.Against != "":
		v.Verdict, v.Why = Mismatch, "a real connection says otherwise: "+v.Proven.Against
	case v.Proven.Dead != "":
		v.Verdict, v.Why = Mismatch, "the check passes, real connections fail: "+v.Proven.Dead
	}
}
