package model

import (
	"time"

	"pgtui/haproxy"
	"pgtui/source"
	"pgtui/source/refs"
)

// Snapshot is everything the nodes answered, at one moment. It is immutable
// once published: readers share it, writers make the next one.
type Snapshot struct {
	Seq       uint64 // grows by one with each snapshot of a run
	TakenAt   time.Time
	Inventory *Inventory
	Patroni   map[InstanceName]PatroniView
	HAProxy   map[Host]source.Observed[haproxy.Stats]
	VIP       map[ClusterName]source.Observed[Host] // which node has the cluster's VIP
	// PoolsUnasked is set when there are too many pgbouncers for one look at all their consoles.
	PoolsUnasked bool
	Readings
}

// Readings are what is read on demand, beside the watch; a map is nil when it was
// not read.
type Readings struct {
	Proofs  map[PortKey]source.Observed[Proof]             // real connections through service ports
	Conf    map[Host]source.Observed[NodeConf]             // the files on disk
	Workers map[Host]source.Observed[haproxy.Processes]    // HAProxy's processes
	Nodes   map[Host]source.Observed[NodeFacts]            // addresses, a VIP among them; units only after node.Reader.Facts
	Servers map[Host]source.Observed[haproxy.ServerStates] // what was done to HAProxy's servers by hand
	Rules   map[ClusterName]RuleFacts                      // what decides a failover
	SQL     map[InstanceName]source.Observed[ServerFacts]  // what a login on each member shows
	Marks   map[ClusterName][]Mark                         // what pgtui's own audit file has
	// Reach is, by node, why the Patroni of another member does not answer it; ""
	// when it does.
	Reach map[Host]source.Observed[map[InstanceName]string]
}

// With is a copy of the snapshot with what was read beside it. A nil map of r
// leaves what the snapshot has; s stays as it is.
func (s *Snapshot) With(r Readings) *Snapshot {
	out := *s
	put(&out.Proofs, r.Proofs)
	put(&out.Conf, r.Conf)
	put(&out.Workers, r.Workers)
	put(&out.Nodes, r.Nodes)
	put(&out.Servers, r.Servers)
	put(&out.Rules, r.Rules)
	put(&out.SQL, r.SQL)
	put(&out.Marks, r.Marks)
	put(&out.Reach, r.Reach)
	return &out
}

// put replaces a map by another that is not nil.
func put[M ~map[K]V, K comparable, V any](to *M, m M) {
	if m != nil {
		*to = m
	}
}

// Complete reports whether every node of the clusters was probed for everything
// once: what is unknown then is so because no answer came. A nil snapshot is not.
func (s *Snapshot) Complete(clusters ...*Cluster) bool {
	if s == nil {
		return false
	}
	for _, c := range clusters {
		for i := range c.Instances {
			if !s.Patroni[c.Instances[i].Name].Probed() {
				return false
			}
		}
		for i := range c.LoadBalancers {
			if s.HAProxy[c.LoadBalancers[i].Host].Tried.IsZero() {
				return false
			}
		}
		if vip, has := s.VIP[c.Name]; has && vip.Tried.IsZero() {
			return false
		}
	}
	return true
}

// PatroniView is what one instance answered: its Patroni, and the ports behind
// its HAProxies.
type PatroniView struct {
	Status  source.Observed[PatroniStatus]  // GET /patroni: the node about itself
	Cluster source.Observed[PatroniCluster] // GET /cluster: what the DCS reports
	Checks  map[string]source.Observed[int] // OPTIONS <check path>: the HTTP status HAProxy would get
	Ports   []PortView                      // of PostgreSQL and pgbouncer, as far as services lead there
	Pool    source.Observed[PoolState]      // pgbouncer's own console, as far as services lead there
}

// PortAge is how long the answer of a port counts, at least: PostgreSQL's own is probed every 30 s.
const PortAge = 40 * time.Second

// PortView is one port that clients are sent to, probed without HAProxy, whose
// check queries Patroni and does not show. Err is why it could not be probed from here,
// which says nothing of the port.
type PortView struct {
	Port string // "6432"
	source.Observed[PortState]
}

// PortState is what a port has answered.
type PortState struct {
	Why     string // it takes no connections; "" when somebody there speaks PostgreSQL's protocol
	Refused bool   // nothing listens
}

// Shut is why the port takes no connections at now; "" when it does, or when
// that is unknown.
func (v PortView) Shut(now time.Time) string {
	if v.counts(now) {
		return v.Value.Why
	}
	return ""
}

// Open reports whether the port takes connections at now, as far as is known.
func (v PortView) Open(now time.Time) bool { return v.counts(now) && v.Value.Why == "" }

func (v PortView) counts(now time.Time) bool {
	return v.Known() && v.Age(now) <= max(PortAge, v.Holds)
}

// Port returns what is known of that port; the zero value when it is not probed.
func (v PatroniView) Port(port string) PortView {
	for i := range v.Ports {
		if v.Ports[i].Port == port {
			return v.Ports[i]
		}
	}
	return PortView{Port: port}
}

// Probed reports whether every request was tried at least once. Until then what
// is missing is only on its way. The zero value was not probed.
func (v PatroniView) Probed() bool {
	for _, o := range v.Checks {
		if o.Tried.IsZero() {
			return false
		}
	}
	return !v.Status.Tried.IsZero() && !v.Cluster.Tried.IsZero()
}

// PatroniStatus is the body of GET /patroni (Patroni 2.1–4.1).
type PatroniStatus struct {
	// Role is what SQL says: primary (Patroni ≤ 3.x says master; it is
	// normalised), replica, standby_leader, or a word of Patroni's when SQL
	// failed. It is not the leader lock.
	Role             string
	State            string // running, starting, stopped, crashed, unknown …
	Timeline         int    // 0 when not reported (replicas of Patroni ≤ 3.0)
	ServerVersion    int    // 150018; 0 when SQL failed
	Version          string // of Patroni, "3.0.2"
	Scope            string
	Name             string // "" before Patroni 3.2
	Location         int64  // WAL written by a primary, bytes; -1 when not reported
	Received         int64  // WAL received by a replica, bytes; -1 when not reported
	Replayed         int64  // WAL replayed by a replica, bytes; -1 when not reported
	ReplicationState string // streaming, in archive recovery; "" before 3.0.4
	// ReplayedAt is when the last transaction that a replica has replayed was
	// committed, epoch seconds; 0 when it is not reported.
	ReplayedAt       int64
	ReplayPaused     bool // pg_wal_replay_pause
	SystemID         string
	PostmasterStart  string // as Patroni prints it
	Paused           bool   // cluster in maintenance mode
	Unlocked         bool   // cluster_unlocked: no member holds the leader key, or this node lost the DCS
	Failsafe         bool   // failsafe_mode_is_active
	PendingRestart   bool
	PendingReasons   []string // "max_connections: 100 → 200"; nil before Patroni 3.3
	ScheduledRestart string   // when, as Patroni writes it; "" when none is scheduled
	WatchdogFailed   bool     // it needs a watchdog and has none: it does not lead
	SyncStandby      bool
	QuorumStandby    bool
	DCSLastSeen      int64 // epoch seconds; 0 when not reported
	// Skew is how far the node's clock is ahead of this machine's, in whole
	// seconds; 0 when it is less than an HTTP date shows, or not reported.
	Skew    time.Duration
	Streams []Stream
	Tags    map[string]string
	// Untrue are the tags whose value is false, 0, null or empty: what Python, and
	// so Patroni, takes for "no". The text "false" is not among them.
	Untrue map[string]bool
}

// Stream is one walsender of a primary.
type Stream struct {
	Application string
	ClientAddr  string
	State       string // streaming, catchup …
	SyncState   string // async, sync, quorum …
}

// PatroniCluster is the body of GET /cluster: the DCS's view, which still
// lists a dead member until its key expires.
type PatroniCluster struct {
	Scope   string
	Paused  bool
	Members []PatroniMember
	Switch  ScheduledSwitchover // the zero value when none is scheduled
}

// Member returns the member of that name, or nil.
func (c *PatroniCluster) Member(name InstanceName) *PatroniMember {
	return refs.Find(c.Members, func(m *PatroniMember) bool { return m.Name == name })
}

// ScheduledSwitchover is a switchover that Patroni will do by itself.
type ScheduledSwitchover struct {
	At       string // when, as Patroni writes it: ISO 8601
	From, To InstanceName
}

// Who is between whom, " from pg-test-1 to pg-test-2"; "" when neither is named.
func (s ScheduledSwitchover) Who() string {
	out := ""
	if s.From != "" {
		out += " from " + string(s.From)
	}
	if s.To != "" {
		out += " to " + string(s.To)
	}
	return out
}

// PatroniMember is one member in GET /cluster.
type PatroniMember struct {
	Name     InstanceName
	Role     string // leader, standby_leader, replica, sync_standby, quorum_standby
	State    string
	Host     string
	Timeline int   // 0 when not reported
	Lag      int64 // replay lag in bytes; -1 when unknown or not reported
	// Behind is how far it is behind in WAL received, bytes; -1 as Lag.
	Behind  int64
	APIURL  string
	Restart string // scheduled_restart: when, as Patroni writes it; "" when none is
}

// PatroniStatus is what an instance's Patroni reported of itself; the zero value
// for an instance that was not probed.
func (s *Snapshot) PatroniStatus(name InstanceName) source.Observed[PatroniStatus] {
	if s == nil {
		return source.Observed[PatroniStatus]{}
	}
	return s.Patroni[name].Status
}

// StatsOf is the stats page of a host, an empty one when none was read.
func (s *Snapshot) StatsOf(h Host) *haproxy.Stats {
	v := s.HAProxy[h].Value
	return &v
}

// RuleFacts is what was read about who may lead, beside the watch and once.
// The zero value means that nothing was read.
type RuleFacts struct {
	Conf source.Observed[PatroniConf] // GET /config
	By   InstanceName                 // whose Patroni answered it; "" when none did
	// Etcd is why a member of etcd takes no connections, by host; "" when it does.
	Etcd map[Host]source.Observed[string]
}
