package model

import (
	"encoding/json"
	"fmt"
	"time"
)

// Observed is one thing that was asked for. A failure is data: it keeps the
// last value that was seen, with its age, beside the error.
type Observed[T any] struct {
	Value T             // the last good answer; the zero value when there never was one
	At    time.Time     // when Value arrived; zero when there never was one
	Err   error         // why the latest attempt failed; nil when Value is its answer
	Tried time.Time     // when the latest attempt ended; zero when none was made
	Took  time.Duration // how long the latest attempt lasted
	Holds time.Duration // how old Value may grow before it is asked for again; 0, and whatever is shorter, is StaleAfter
}

// Known reports whether Value answers the latest attempt.
func (o Observed[T]) Known() bool { return o.Err == nil && !o.At.IsZero() }

// Ever reports whether there is any Value at all, however old.
func (o Observed[T]) Ever() bool { return !o.At.IsZero() }

// Current reports whether o answers for the present at now: its latest attempt
// did not fail, and is not older than StaleAfter, or than Holds where that is longer.
func (o Observed[T]) Current(now time.Time) bool {
	return o.Known() && o.Age(now) <= max(StaleAfter, o.Holds)
}

// Age is how old Value is at now; 0 when there is none.
func (o Observed[T]) Age(now time.Time) time.Duration {
	if o.At.IsZero() {
		return 0
	}
	return max(0, now.Sub(o.At))
}

// Next is o after one more attempt: a failure keeps the old Value and its time.
func (o Observed[T]) Next(v T, err error, at time.Time, took time.Duration) Observed[T] {
	if err != nil {
		return Observed[T]{Value: o.Value, At: o.At, Err: err, Tried: at, Took: took, Holds: o.Holds}
	}
	return Observed[T]{Value: v, At: at, Tried: at, Took: took, Holds: o.Holds}
}

// Snapshot is everything the nodes answered, at one moment. It is immutable
// once published: readers share it, writers make the next one.
type Snapshot struct {
	Seq       uint64 // grows by one with each snapshot of a run
	TakenAt   time.Time
	Inventory *Inventory
	Patroni   map[InstanceName]PatroniView
	HAProxy   map[Host]Observed[HAProxyStats]
	VIP       map[ClusterName]Observed[Host] // which node has the cluster's VIP
	// PoolsUnasked is set when there are too many pgbouncers for one look at all their consoles.
	PoolsUnasked bool
	// What is asked on demand only; nil when it was not.
	Proofs  map[PortKey]Observed[Proof]     // real connections through service ports
	Conf    map[Host]Observed[NodeConf]     // the files on disk
	Workers map[Host]Observed[Processes]    // HAProxy's processes
	Nodes   map[Host]Observed[NodeFacts]    // addresses, a VIP among them, and units
	Servers map[Host]Observed[ServerStates] // what was done to HAProxy's servers by hand
	Rules   map[ClusterName]RuleFacts       // what decides a failover
}

// Complete reports whether every node of the clusters has been asked everything
// once: what is unknown then is so because nobody could tell.
func (s *Snapshot) Complete(clusters []*Cluster) bool {
	for _, c := range clusters {
		for i := range c.Instances {
			if !s.Patroni[c.Instances[i].Name].Asked() {
				return false
			}
		}
		for i := range c.Fronts {
			if s.HAProxy[c.Fronts[i].Host].Tried.IsZero() {
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
	Status  Observed[PatroniStatus]  // GET /patroni: the node about itself
	Cluster Observed[PatroniCluster] // GET /cluster: what the DCS says
	Checks  map[string]Observed[int] // OPTIONS <check path>: the HTTP status HAProxy would get
	Ports   []PortView               // of PostgreSQL and pgbouncer, as far as services lead there
	Pool    Observed[PoolState]      // pgbouncer's own console, as far as services lead there
}

// PortAge is how long the answer of a port counts, at least: PostgreSQL's own is
// asked every 30 s.
const PortAge = 40 * time.Second

// PortView is one port that clients are sent to, asked without HAProxy, whose
// check asks Patroni and cannot tell. Err is why it could not be asked from here,
// which says nothing of the port.
type PortView struct {
	Port string // "6432"
	Observed[PortState]
}

// PortState is what a port has answered.
type PortState struct {
	Why     string // it takes no connections; "" when somebody there speaks PostgreSQL's protocol
	Refused bool   // nobody listens
}

// Shut is why the port takes no connections at now; "" when it does, or when
// that is not known.
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

// Port returns what is known of that port; the zero value when it is not asked.
func (v PatroniView) Port(port string) PortView {
	for i := range v.Ports {
		if v.Ports[i].Port == port {
			return v.Ports[i]
		}
	}
	return PortView{Port: port}
}

// Asked reports whether every question has been tried at least once. Until
// then what is missing is only still being asked. The zero value was not asked.
func (v PatroniView) Asked() bool {
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
	Unlocked         bool   // cluster_unlocked: nobody holds the leader key, or this node lost the DCS
	Failsafe         bool   // failsafe_mode_is_active
	PendingRestart   bool
	PendingReasons   []string // "max_connections: 100 → 200"; nil before Patroni 3.3
	ScheduledRestart string   // when, as Patroni writes it; "" when none is scheduled
	WatchdogFailed   bool     // it needs a watchdog and has none: it does not lead
	SyncStandby      bool
	QuorumStandby    bool
	DCSLastSeen      int64 // epoch seconds; 0 when not reported
	// Skew is how far the node's clock is ahead of this machine's, in whole
	// seconds; 0 when it is less than an HTTP date can tell, or not told.
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

// HAProxyStats is one stats page: what one HAProxy worker believes.
type HAProxyStats struct {
	URI     string // the page that answered
	Source  StatsSource
	Why     error // why it is not the stats page that answered; nil when it is
	Proxies []Proxy
	// Damaged counts the rows that name no section: any section may lack one.
	Damaged int
	Process Observed[ProcessLimits] // of the worker; not tried where its exporter is not asked
}

// ProcessLimits are the connections of one HAProxy worker over all its
// frontends (haproxy_process_current_connections and _max_connections).
type ProcessLimits struct {
	Current int64
	Max     int64 // the global maxconn; 0 when the exporter does not say
}

// ProcessAge is how long the answer about a HAProxy's limits counts: it is asked
// every 15 s, and in a large fleet only of those that have many sessions.
const ProcessAge = 40 * time.Second

// String is "9480 of 9500 connections (global maxconn)".
func (l ProcessLimits) String() string {
	return fmt.Sprintf("%d of %d connections (global maxconn)", l.Current, l.Max)
}

// Crowded reports whether a tenth of the connections or less is free.
func (l ProcessLimits) Crowded() bool { return l.Max > 0 && l.Current >= l.Max-l.Max/10 }

// Full reports whether the worker takes no further connection on any port.
func (l ProcessLimits) Full() bool { return l.Max > 0 && l.Current >= l.Max }

// StatsSource is where a HAProxy's state was read.
type StatsSource string

// The sources. The exporter's metrics leave out which servers are backups and
// how many checks are missing.
const (
	FromStats   StatsSource = ""
	FromMetrics StatsSource = "metrics"
)

// Proxy is one listen section on the stats page.
type Proxy struct {
	Name    string
	Front   ProxyRow // FRONTEND
	Back    ProxyRow // BACKEND
	Servers []ServerStat
	// Damaged counts the rows of the section that cannot be read: a server that
	// is not among Servers may be one of them.
	Damaged int
}

// ProxyRow is a FRONTEND or BACKEND row. The zero value means the row is absent.
type ProxyRow struct {
	Status      string // OPEN, PAUSED, STOP, FULL or UP, DOWN
	Sessions    int64
	Limit       int64 // slim: the frontend's maxconn, the backend's fullconn; 0 when there is none
	SessionRate int64 // per second
	Queue       int64
	Total       int64
	LastChange  int64 // BACKEND: seconds since it went up or down; reset by a reload
}

// RowState is a row without what moves by itself.
type RowState struct {
	Status   string // as in ProxyRow
	Sessions int64
	Limit    int64 // 0 when there is none
	Queue    int64
}

// State is the row without its rates, totals and ages.
func (r *ProxyRow) State() RowState { return RowState{r.Status, r.Sessions, r.Limit, r.Queue} }

// Full reports whether a frontend has as many sessions as its maxconn allows:
// new clients wait in the kernel's queue.
func (r *ProxyRow) Full() bool { return r.Status == "FULL" || r.Limit > 0 && r.Sessions >= r.Limit }

// ServerStat is one server row.
type ServerStat struct {
	Name        string
	Status      string // exactly as HAProxy prints it: "UP 1/3", "MAINT (via a/b)"
	Weight      int    // effective weight; ramps in slowstart, stale while DOWN
	UserWeight  int    // configured weight; -1 when the version does not say
	Backup      bool   // by configuration
	CheckStatus string // L7OK, L7STS, L4CON, INI … without the "* " of a check in flight; "" in MAINT
	CheckCode   int    // HTTP status; 0 when there was none
	CheckDesc   string // last_chk
	CheckMs     int64  // duration of the last check, milliseconds; -1 when none
	LastChange  int64  // seconds since the last transition; reset by a reload, and when slowstart ends
	Sessions    int64
	Limit       int64 // slim: its maxconn; 0 when there is none
	SessionRate int64
	Queue       int64
	QueueLimit  int64 // qlimit: its maxqueue; 0 when there is none
	Total       int64
	Errors      int64  // connection errors since the worker started
	Throttle    int    // slowstart percentage; 0 when not ramping
	Addr        string // "" unless HAProxy shows legends
}

// Proxy returns the section of that name, or nil.
func (h *HAProxyStats) Proxy(name string) *Proxy {
	for i := range h.Proxies {
		if h.Proxies[i].Name == name {
			return &h.Proxies[i]
		}
	}
	return nil
}

// Server returns the server row of that name, or nil.
func (p *Proxy) Server(name string) *ServerStat {
	for i := range p.Servers {
		if p.Servers[i].Name == name {
			return &p.Servers[i]
		}
	}
	return nil
}

var _ json.Marshaler = Observed[int]{}

// MarshalJSON writes value, age-independent times in RFC 3339 and the error as text.
func (o Observed[T]) MarshalJSON() ([]byte, error) {
	v := struct {
		Value *T         `json:"value"`
		At    *time.Time `json:"at"`
		Error string     `json:"error,omitempty"`
	}{}
	if o.Ever() {
		v.Value, v.At = &o.Value, &o.At
	}
	if o.Err != nil {
		v.Error = o.Err.Error()
	}
	return json.Marshal(v)
}
