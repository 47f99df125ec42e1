package model

import (
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
	// Direct is what the ports behind HAProxy reported when they were connected to
	// without it, which is done when a try fails or takes SlowConnect; nil
	// otherwise.
	Direct []DirectPort
	// Moved reports that HAProxy's own word changed while the port was tried:
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
	FaultClosed   Fault = "closed"   // accepted, then closed silently: HAProxy found no server that takes it
	FaultAuth     Fault = "auth"     // the monitoring user was not let in
	FaultDatabase Fault = "database" // no such database
	FaultStarting Fault = "starting" // the database system is starting up or shutting down
	FaultPooler   Fault = "pooler"   // pgbouncer answers and cannot reach its PostgreSQL
	FaultOther    Fault = "other"    // anything else
	FaultNotTried Fault = "not-tried"
)

// Answer is what a server reports of itself.
type Answer struct {
	Addr        string    // inet_server_addr(); "" through a pooler on a unix socket
	Started     time.Time // pg_postmaster_start_time(), to the microsecond; zero when not reported
	SystemID    string    // pg_control_system(); "" when not reported
	ClusterName string    // Patroni sets cluster_name to its scope
	Recovery    bool      // pg_is_in_recovery()
	ReadOnly    bool      // transactions are read only: always so in recovery
	Timeline    int       // 0 when not reported
}

// DirectPort is one server's port as it is without HAProxy.
type DirectPort struct {
	Instance InstanceName
	Addr     string // host:port
	Fault    Fault  // "" when it accepts connections
	Text     string
}

// ProofAge is how long a proof is laid beside what HAProxy reports now. That
// nothing changed meanwhile is Moved's to tell.
const ProofAge = 30 * time.Second

// SlowConnect is the time to log in from which the ports behind HAProxy are checked. HAProxy tries a server whose port refuses once a second, three
// times, before it takes another one: clients wait, or give up.
const SlowConnect = time.Second

// Proved is the snapshot with the connections that were made between before and
// it. Those through a HAProxy whose answer changed meanwhile are marked as moved:
// they prove nothing about it.
func (s *Snapshot) Proved(before *Snapshot, made map[PortKey]source.Observed[Proof]) *Snapshot {
	proofs := make(map[PortKey]source.Observed[Proof], len(made))
	for key, o := range made {
		o.Value.Moved = Moved(before, s, key.HAProxy, string(key.Cluster)+"-"+string(key.Service))
		proofs[key] = o
	}
	return s.With(Readings{Proofs: proofs})
}

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
	// HAProxy reports a transition's age in whole seconds of its own clock. One
	// older than the time between the two looks is from before the first; a
	// younger one is the same when it has aged by all the seconds between.
	between := int64(b.At.Sub(a.At) / time.Second)
	same := func(was, now int64) bool { return now > between || now >= was+between }
	for i := range py.Servers {
		row := &py.Servers[i]
		was := px.Server(row.Name)
		if was == nil || was.Usable() != row.Usable() || row.CheckStatus == "INI" {
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
// slowstart again, and a reload makes the whole section young.
func warmedUp(was, now *haproxy.ServerRow) bool {
	return was.Throttle > 0 && now.Throttle == 0 && now.Weight == now.UserWeight
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

// Unfit says why a server is not what target_session_attrs requires; "" when it is.
func (a Answer) Unfit(attrs string) string {
	switch {
	case attrs == "primary" && a.Recovery:
		return "in recovery, but target_session_attrs requires the primary"
	case attrs == "standby" && !a.Recovery:
		return "not in recovery, but target_session_attrs requires a standby"
	case attrs == "read-write" && a.ReadOnly:
		return "read only, but target_session_attrs requires read-write"
	case attrs == "read-only" && !a.ReadOnly:
		return "takes writes, but target_session_attrs requires read-only"
	}
	return ""
}

// EndsIt reports whether libpq gives up with this fault instead of trying the
// next host. It continues where no connection comes about or the server reports
// that it cannot take one now; once somebody has answered, even by hanging up
// as HAProxy does without a server, it does not.
func (f Fault) EndsIt() bool {
	return f != FaultRefused && f != FaultTimeout && f != FaultStarting && f != FaultNotTried
}
