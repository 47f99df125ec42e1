package sandbox

import (
	"time"

	"pgtui/model"
)

// Patroni's and PostgreSQL's times. ttl and loopWait are Pigsty's (pg_rto
// norm); the rest was measured on real clusters.
const (
	ttl          = 30 * time.Second
	loopWait     = 5 * time.Second
	retryTimeout = 10 * time.Second

	electTime    = 1200 * time.Millisecond // key expired -> a replica holds it
	promoteTime  = 200 * time.Millisecond  // key held -> SQL says primary
	stopTime     = 1050 * time.Millisecond // switchover: PostgreSQL shut down
	handoverTime = 200 * time.Millisecond  // switchover: key given up -> taken
	rejoinTime   = 2750 * time.Millisecond // switchover: new leader -> the old one is a replica
	bootTime     = 1400 * time.Millisecond // Patroni started -> its port answers
	rewindTime   = 1900 * time.Millisecond // old leader back -> it is a replica
	pgStartTime  = 2 * time.Second         // Patroni starts PostgreSQL
	cutStopTime  = 23 * time.Second        // last contact of a cut off leader -> it stops PostgreSQL
	noticeTime   = 1700 * time.Millisecond // PostgreSQL gone -> Patroni says stopped (paused)
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

// member is one PostgreSQL server and its Patroni.
type member struct {
	node   *node
	cl     *cluster
	name   model.InstanceName
	tagSet map[string]string

	process   bool // Patroni runs
	pgUp      bool // PostgreSQL runs
	state     string
	role      string
	tl        int
	lock      bool      // believes that it owns the leader key
	view      bool      // has a valid view of the DCS
	seen      time.Time // last contact with the DCS; zero: its latest loop
	failsafe  bool
	streaming bool
	lag       int64     // replay lag, bytes
	started   time.Time // of PostgreSQL

	// turn invalidates what was scheduled for the member before it changed.
	turn int
	// expiring is true while its DCS keys run towards their end.
	expiring bool
	key      int // invalidates a scheduled expiry
	rec      record
}

// record is a member's key in the DCS: what it wrote last.
type record struct {
	present bool
	state   string
	tl      int   // 0 is not written
	lag     int64 // -1 is unknown
}

// cluster is one Patroni scope.
type cluster struct {
	w       *world
	name    model.ClusterName
	members []*member
	leader  *member // who owns the key in the DCS; nil when nobody does
	last    *member // who owned it before
	paused  bool
	mode    string  // "", "sync" or "quorum": synchronous_mode
	synced  *member // who is synchronous in mode "sync"; nil: the first after the leader
	tl      int
	lsn     int64
	sysid   string
	past    []switched
	turn    int
}

// switched is one line of the timeline history.
type switched struct {
	tl     int
	lsn    int64
	at     time.Time
	leader model.InstanceName
}

// later schedules do for the member unless something else happens to it first.
func (m *member) later(d time.Duration, do func()) {
	turn := m.turn
	m.cl.w.after(d, func() {
		if m.turn == turn {
			do()
		}
	})
}

// renews reports whether the member's Patroni keeps its DCS keys alive.
func (m *member) renews() bool {
	return m.process && !m.node.frozen() && m.cl.w.dcs(m.node)
}

// fit reports whether the member could be the leader now.
func (m *member) fit() bool {
	return m.renews() && m.state == stateRunning && m.role != roleDemoted && m.lag <= model.MaxLagOnFailover
}

// touch is one write of the member's key: what GET /cluster says of it.
func (m *member) touch() {
	if !m.renews() {
		return
	}
	m.rec = record{present: true, state: m.state, tl: m.tl, lag: m.lag}
	switch {
	case m.state == stateRunning && m.streaming && m.cl.w.gen.modern:
		m.rec.state = "streaming"
	case m.state == stateUnknown:
		m.rec.state = stateCrashed
	}
	if m.state != stateRunning {
		m.rec.tl, m.rec.lag = 0, -1
	}
}

// watchKeys notices that a member began or ceased to renew its DCS keys.
func (m *member) watchKeys() {
	w := m.cl.w
	switch renews := m.renews(); {
	case renews && m.expiring:
		m.expiring = false
		m.key++
	case renews:
	case !m.expiring && w.etcdUp:
		m.expiring = true
		m.key++
		key := m.key
		w.at(w.lastLoop(w.now).Add(ttl), func() {
			if m.key == key && w.etcdUp {
				m.expire()
			}
		})
	}
}

// expire is the end of a member's DCS keys.
func (m *member) expire() {
	m.rec = record{}
	if m.cl.leader == m {
		m.cl.leader, m.cl.last = nil, m
		m.cl.w.after(electTime, m.cl.elect)
	}
}

// elect gives a free leader key to the best member, if anybody may have it.
func (c *cluster) elect() {
	if c.leader != nil {
		return
	}
	var best *member
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
func (c *cluster) order() []*member {
	for i, m := range c.members {
		if m == c.last {
			return append(append([]*member{}, c.members[i+1:]...), c.members[:i+1]...)
		}
	}
	return c.members
}

// take makes m the owner of the leader key.
func (c *cluster) take(m *member) {
	c.leader, c.last = m, m
	m.lock = true
	m.touch()
	if m.role == rolePrimary {
		return
	}
	m.later(promoteTime, func() { c.promoted(m) })
}

// promoted is the moment PostgreSQL of the new leader left recovery.
func (c *cluster) promoted(m *member) {
	c.past = append(c.past, switched{c.tl, c.lsn, c.w.now, m.name})
	c.lsn += 160
	c.tl++
	m.role, m.tl, m.lag, m.streaming = rolePrimary, c.tl, 0, false
	c.cutStreams()
	m.touch()
	turn := c.turn
	c.w.after(streamTime, func() {
		if c.turn == turn {
			c.follow()
		}
	})
}

// follow lets every healthy replica stream from the leader.
func (c *cluster) follow() {
	for _, m := range c.members {
		ok := c.leader != nil && c.leader.pgUp && m != c.leader && m.pgUp && m.role == roleReplica &&
			c.w.linked(m.node, c.leader.node)
		if m.streaming = ok; ok {
			m.tl = c.tl
		}
		if m.state == stateRunning {
			m.touch()
		}
	}
}

// cutStreams is the moment the leader's walsenders are gone.
func (c *cluster) cutStreams() {
	c.turn++
	for _, m := range c.members {
		m.streaming = false
	}
}

// join makes a running replica of m. It streams a little later.
func (m *member) join() {
	c := m.cl
	m.state, m.role, m.tl, m.lock = stateRunning, roleReplica, 0, false
	m.postgres(true)
	m.failsafe, m.streaming, m.lag = false, false, joinLag
	m.started = c.w.now
	m.touch()
	m.later(joinTime, func() {
		m.lag, m.tl = 0, c.tl
		c.follow()
		m.touch()
	})
	if c.leader == nil {
		c.w.after(electTime, c.elect)
	}
}
