// Package patroni simulates Patroni and the PostgreSQL servers that it manages:
// leader keys, failovers, pauses, the REST API and its health checks.
package patroni

import (
	"fmt"
	"time"

	"pgtui/internal/sandbox/pg"
	"pgtui/internal/sandbox/sim"
	"pgtui/model"
)

// Env is what all Patronis of a sandbox share.
type Env struct {
	*sim.World
	Release Release
	Port    int       // where every Patroni listens
	Epoch   time.Time // phase of every Patroni's loop
	// Changed is called when the Patroni or the PostgreSQL of a member starts
	// or ends.
	Changed func(*Member)
}

// Release is one release of Patroni with the PostgreSQL beside it.
type Release struct {
	Modern         bool   // Patroni 4: primary, streaming, quorum, names in bodies
	Version        string // of Patroni
	Python         string
	ServerVersion  int           // of PostgreSQL, 150020
	Major          string        // of PostgreSQL
	CrashState     string        // state of a leader whose PostgreSQL died, once noticed
	CrashSeen      time.Duration // until it is noticed
	LeaderRestart  time.Duration // until it runs again
	ReplicaRestart time.Duration // the same for a replica
}

// Bookworm is the release of Debian bookworm.
func Bookworm() Release {
	return Release{
		Version: "3.0.2", Python: "3.11.2", ServerVersion: 150020, Major: "15", CrashState: stateCrashed,
		CrashSeen: 1700 * time.Millisecond, LeaderRestart: 3500 * time.Millisecond, ReplicaRestart: 4300 * time.Millisecond,
	}
}

// Trixie is the release of Debian trixie.
func Trixie() Release {
	return Release{
		Modern: true, Version: "4.0.7", Python: "3.13.5", ServerVersion: 170011, Major: "17", CrashState: stateStarting,
		CrashSeen: 4200 * time.Millisecond, LeaderRestart: 5600 * time.Millisecond, ReplicaRestart: 5 * time.Second,
	}
}

// Patroni's and PostgreSQL's times. ttl and LoopWait are Pigsty's (pg_rto
// norm); the others were measured on real clusters.
const (
	ttl          = 30 * time.Second
	LoopWait     = 5 * time.Second
	RetryTimeout = 10 * time.Second

	electTime    = 1200 * time.Millisecond // key expired -> a replica holds it
	promoteTime  = 200 * time.Millisecond  // key held -> SQL reports a primary
	stopTime     = 1050 * time.Millisecond // switchover: PostgreSQL shut down
	handoverTime = 200 * time.Millisecond  // switchover: key given up -> taken
	rejoinTime   = 2750 * time.Millisecond // switchover: new leader -> the old one is a replica
	bootTime     = 1400 * time.Millisecond // Patroni started -> its port answers
	rewindTime   = 1900 * time.Millisecond // old leader back -> it is a replica
	pgStartTime  = 2 * time.Second         // Patroni starts PostgreSQL
	cutStopTime  = 23 * time.Second        // last contact of a cut off leader -> it stops PostgreSQL
	noticeTime   = 1700 * time.Millisecond // PostgreSQL gone -> Patroni reports stopped (paused)
	healTime     = 4 * time.Second         // link back -> an old leader is a replica
	streamTime   = 2 * time.Second         // new leader -> replicas stream from it
	joinTime     = time.Second             // a replica runs -> it streams
	joinLag      = 280                     // bytes it has not replayed until then
)

// PostgreSQL states as Patroni names them.
const (
	stateRunning  = "running"
	stateStarting = "starting"
	stateStopping = "stopping"
	stateStopped  = "stopped"
	stateCrashed  = "crashed"
	stateUnknown  = "unknown"
)

// Roles as the simulation keeps them; old Patronis print master for primary.
const (
	rolePrimary = "primary"
	roleReplica = "replica"
	roleDemoted = "demoted"
)

// Member is one PostgreSQL server and its Patroni.
type Member struct {
	*sim.Machine
	Cluster *Cluster
	Name    model.InstanceName

	Runs         bool // Patroni
	PostgresRuns bool
	// frozenAt is when Patroni was stopped with SIGSTOP; zero while it runs.
	frozenAt  time.Time
	state     string
	role      string
	tl        int
	lock      bool      // its Patroni takes the leader key for its own
	view      bool      // has a valid view of the DCS
	seen      time.Time // last contact with the DCS; zero: its latest loop
	failsafe  bool
	streaming bool
	lag       int64     // replay lag, bytes
	laggedAt  time.Time // when it last had none
	started   time.Time // of PostgreSQL

	// turn invalidates what was scheduled for the member before it changed.
	turn int
	// expiring is true while its DCS keys run towards their end.
	expiring bool
	key      int // invalidates a scheduled expiry
	rec      record
	// pending are the parameters that take a restart, and restartAt is when one is
	// scheduled.
	pending   []string
	restartAt time.Time
	restartID int
}

// record is a member's key in the DCS: what it wrote last.
type record struct {
	present bool
	state   string
	tl      int   // 0 is not written
	lag     int64 // -1 is unknown
}

// Cluster is one Patroni scope.
type Cluster struct {
	Name    model.ClusterName
	env     *Env
	members []*Member
	tags    map[string]string // of every member
	leader  *Member           // owner of the key in the DCS; nil when there is none
	last    *Member           // its owner before
	paused  bool
	mode    string  // "", "sync" or "quorum": synchronous_mode
	synced  *Member // the synchronous standby in mode "sync"; nil: the first after the leader
	tl      int
	lsn     int64
	sysid   string
	past    []switched
	turn    int
	// patched is what PATCH /config has changed; nil for nothing.
	patched map[string]any
	planned planned // the scheduled switchover
}

// planned is a scheduled switchover; the zero value is none.
type planned struct {
	at       time.Time
	from, to model.InstanceName
	id       int // invalidates one that was cancelled
}

// switched is one line of the timeline history.
type switched struct {
	tl     int
	lsn    int64
	at     time.Time
	leader model.InstanceName
}

// NewCluster is a cluster without members.
func NewCluster(env *Env, name string) *Cluster {
	return &Cluster{
		env: env, Name: model.ClusterName(name), tl: 1, lsn: 83886920 + int64(sim.Hash(name)%4096)*8,
		sysid: fmt.Sprint(7710288000000000000 + int64(sim.Hash(name))*1000003),
		tags:  map[string]string{"clonefrom": "true", "version": env.Release.Major, "spec": spec, "conf": conf},
	}
}

// Add makes the machine a healthy replica of the cluster.
func (c *Cluster) Add(on *sim.Machine) *Member {
	m := &Member{
		Machine: on, Cluster: c, Name: model.InstanceName(on.Name), Runs: true, PostgresRuns: true,
		state: stateRunning, role: roleReplica, tl: c.tl, view: true, streaming: true,
		started: c.env.Now().Add(-37 * time.Hour).Add(time.Duration(sim.Hash(on.Name)) * time.Microsecond),
	}
	c.members = append(c.members, m)
	return m
}

// Begin makes the first member the leader, and writes every member's key.
func (c *Cluster) Begin() {
	first := c.members[0]
	c.leader, c.last = first, first
	first.role, first.lock, first.streaming = rolePrimary, true, false
	for _, m := range c.members {
		m.touch()
	}
}

// Leader is the owner of the leader key in the DCS; nil when there is none.
func (c *Cluster) Leader() *Member { return c.leader }

// Frozen reports whether Patroni was stopped with SIGSTOP.
func (m *Member) Frozen() bool { return !m.frozenAt.IsZero() }

// Queues reports whether the socket of a frozen Patroni still takes a
// connection at that time: its queue of five is full after queueTime.
func (m *Member) Queues(at time.Time) bool { return at.Sub(m.frozenAt) <= queueTime }

const queueTime = 1500 * time.Millisecond

// Instance is the member's PostgreSQL as its clients see it.
func (m *Member) Instance() pg.Instance {
	v := m.Cluster.env.Release.ServerVersion
	var standbys []string
	for _, s := range m.Cluster.streams(m) {
		standbys = append(standbys, s.App)
	}
	return pg.Instance{
		Standbys: standbys,
		Addr:     m.Addr, Up: m.PostgresRuns, Starting: m.state == stateStarting, Primary: m.role == rolePrimary, Started: m.started,
		SystemID: m.Cluster.sysid, Cluster: string(m.Cluster.Name), Timeline: m.tl,
		Version: fmt.Sprintf("%d.%d", v/10000, v%10000), WAL: m.Cluster.lsn - m.lag,
	}
}

// lastLoop is the beginning of the latest loop of Patroni at or before t.
func (e *Env) lastLoop(t time.Time) time.Time {
	d := t.Sub(e.Epoch)
	return e.Epoch.Add(d - d%LoopWait)
}

// later schedules do for the member, unless something else happens to it first.
func (m *Member) later(d time.Duration, do func()) {
	turn := m.turn
	m.Cluster.env.After(d, func() {
		if m.turn == turn {
			do()
		}
	})
}

// renews reports whether the member's Patroni keeps its DCS keys alive.
func (m *Member) renews() bool {
	return m.Runs && !m.Frozen() && m.Cluster.env.DCS(m.Machine)
}

// fit reports whether the member can be the leader now.
func (m *Member) fit() bool {
	return m.renews() && m.state == stateRunning && m.role != roleDemoted && m.lag <= model.MaxLagOnFailover
}

// touch writes the member's key, which is the source of GET /cluster.
func (m *Member) touch() {
	if !m.renews() {
		return
	}
	m.rec = record{present: true, state: m.state, tl: m.tl, lag: m.lag}
	switch {
	case m.state == stateRunning && m.streaming && m.Cluster.env.Release.Modern:
		m.rec.state = "streaming"
	case m.state == stateUnknown:
		m.rec.state = stateCrashed
	}
	if m.state != stateRunning {
		m.rec.tl, m.rec.lag = 0, -1
	}
}

// watchKeys notices that a member began or stopped to renew its DCS keys.
func (m *Member) watchKeys() {
	w := m.Cluster.env
	switch renews := m.renews(); {
	case renews && m.expiring:
		m.expiring = false
		m.key++
	case renews:
	case !m.expiring && w.EtcdUp:
		m.expiring = true
		m.key++
		key := m.key
		w.At(w.lastLoop(w.Now()).Add(ttl), func() {
			if m.key == key && w.EtcdUp {
				m.expire()
			}
		})
	}
}

// expire is the end of a member's DCS keys.
func (m *Member) expire() {
	m.rec = record{}
	if m.Cluster.leader == m {
		m.Cluster.leader, m.Cluster.last = nil, m
		for _, other := range m.Cluster.members {
			if other != m && other.Runs {
				other.logs("patroni", "WARNING", "Request failed to %s: the leader key has expired", m.Name)
			}
		}
		m.Cluster.env.After(electTime, m.Cluster.elect)
	}
}

// elect gives a free leader key to the best member that may have it.
func (c *Cluster) elect() {
	if c.leader != nil {
		return
	}
	var best *Member
	for _, m := range c.order() {
		switch {
		case !m.fit(), c.paused && m.role != rolePrimary:
		case best == nil, m.role == rolePrimary && best.role != rolePrimary && m.tl == c.tl,
			m.role == best.role && m.lag < best.lag:
			best = m
		}
	}
	if best != nil {
		c.take(best)
	}
}

// order is the members beginning after the one that led last.
func (c *Cluster) order() []*Member {
	for i, m := range c.members {
		if m == c.last {
			return append(append([]*Member{}, c.members[i+1:]...), c.members[:i+1]...)
		}
	}
	return c.members
}

// logs writes a line of a program of the member.
func (m *Member) logs(unit, level, format string, args ...any) {
	m.Cluster.env.Logs(m.Machine, sim.Line{At: m.Cluster.env.Now(), Unit: unit, Level: level, Text: fmt.Sprintf(format, args...)})
}

// owner is who has the leader key, as Patroni logs it.
func (c *Cluster) owner() string {
	if c.leader == nil {
		return "None"
	}
	return string(c.leader.Name)
}

// Greet writes what Patroni logs in each of its loops.
func (m *Member) Greet() {
	if c := m.Cluster; c.leader == m {
		m.logs("patroni", "INFO", "no action. I am (%s), the leader with the lock", m.Name)
	} else {
		m.logs("patroni", "INFO", "no action. I am (%s), a secondary, and following a leader (%s)", m.Name, c.owner())
	}
}

// take gives m the leader key.
func (c *Cluster) take(m *Member) {
	if m.role != rolePrimary {
		m.logs("patroni", "INFO", "promoted self to leader by acquiring session lock")
	}
	c.leader, c.last = m, m
	m.lock = true
	m.touch()
	if m.role == rolePrimary {
		return
	}
	m.later(promoteTime, func() { c.promoted(m) })
}

// promoted is the moment at which PostgreSQL of the new leader leaves recovery.
func (c *Cluster) promoted(m *Member) {
	c.past = append(c.past, switched{c.tl, c.lsn, c.env.Now(), m.Name})
	c.lsn += 160
	c.tl++
	m.role, m.tl, m.lag, m.streaming = rolePrimary, c.tl, 0, false
	m.logs("postgres", "LOG", "received promote request")
	m.logs("postgres", "LOG", "selected new timeline ID: %d", c.tl)
	c.cutStreams()
	m.touch()
	turn := c.turn
	c.env.After(streamTime, func() {
		if c.turn == turn {
			c.follow()
		}
	})
}

// follow lets every healthy replica stream from the leader.
func (c *Cluster) follow() {
	for _, m := range c.members {
		ok := c.leader != nil && c.leader.PostgresRuns && m != c.leader && m.PostgresRuns && m.role == roleReplica &&
			c.env.Linked(m.Machine, c.leader.Machine)
		if ok && !m.streaming {
			m.logs("postgres", "LOG", "started streaming WAL from primary on timeline %d", c.tl)
			m.logs("patroni", "INFO", "no action. I am (%s), a secondary, and following a leader (%s)", m.Name, c.owner())
		}
		if m.streaming = ok; ok {
			m.tl = c.tl
		}
		if m.state == stateRunning {
			m.touch()
		}
	}
}

// cutStreams is the moment at which the leader's walsenders end.
func (c *Cluster) cutStreams() {
	c.turn++
	for _, m := range c.members {
		m.streaming = false
	}
}

// join makes a running replica of m. It streams a little later.
func (m *Member) join() {
	c := m.Cluster
	m.state, m.role, m.tl, m.lock = stateRunning, roleReplica, 0, false
	m.postgres(true)
	m.failsafe, m.streaming, m.lag, m.laggedAt = false, false, joinLag, c.env.Now()
	m.started = c.env.Now()
	m.touch()
	m.later(joinTime, func() {
		m.lag, m.tl = 0, c.tl
		c.follow()
		m.touch()
	})
	if c.leader == nil {
		c.env.After(electTime, c.elect)
	}
}
