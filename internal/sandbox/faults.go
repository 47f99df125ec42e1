package sandbox

import (
	"fmt"
	"time"
)

// killPatroni is kill -9 of Patroni alone: PostgreSQL goes on as it was.
func (m *member) killPatroni() {
	m.turn++
	m.seen = m.cl.w.lastLoop(m.cl.w.now)
	m.process, m.lock = false, false
	m.cl.w.ports(m.node)
	m.watchKeys()
}

// postgres lets PostgreSQL run or not: its port opens and closes with it.
func (m *member) postgres(runs bool) {
	m.pgUp = runs
	m.cl.w.ports(m.node)
}

// fail is kill -9 of Patroni and PostgreSQL.
func (m *member) fail() {
	m.killPatroni()
	m.streaming, m.state = false, stateStopped
	m.postgres(false)
	if m.role == rolePrimary {
		m.cl.cutStreams()
	}
}

// start starts whatever does not run.
func (m *member) start() error {
	switch {
	case !m.process:
		m.turn++
		m.later(bootTime, m.boot)
	case !m.pgUp && m.cl.paused:
		m.turn++
		m.state = stateStarting
		m.later(pgStartTime, m.join)
	case m.pgUp:
		return fmt.Errorf("%s runs already", m.name)
	}
	return nil
}

// boot is the moment a started Patroni answers on its port.
func (m *member) boot() {
	w := m.cl.w
	m.process, m.seen, m.view = true, time.Time{}, w.dcs(m.node)
	w.ports(m.node)
	m.watchKeys()
	m.settleRole()
}

// settleRole is what a Patroni does when it is back: it takes up its lock, or
// makes a replica of what it finds.
func (m *member) settleRole() {
	c := m.cl
	switch {
	case !m.pgUp && c.leader == m:
		m.state, m.role = stateStarting, roleReplica
		m.later(pgStartTime, func() {
			m.state, m.started = stateRunning, c.w.now
			m.postgres(true)
			c.take(m)
		})
	case !m.pgUp:
		m.state, m.role = stateStarting, roleReplica
		m.later(pgStartTime, m.join)
	case c.leader == m:
		m.state, m.lock = stateRunning, true
		m.touch()
		c.follow()
	case m.role == rolePrimary && c.leader == nil:
		m.state = stateRunning
		m.touch()
		c.w.after(electTime, c.elect)
	case m.role == rolePrimary:
		m.lock = false
		m.state = stateRunning
		m.touch()
		if c.w.gen.modern {
			m.later(rewindTime/2, func() { m.state, m.role = stateStopped, roleDemoted; m.postgres(false) })
		}
		m.later(rewindTime, m.join)
	default:
		m.join()
	}
}

// killPostgres is kill -9 of the postmaster: Patroni starts it again, unless
// the cluster is paused.
func (m *member) killPostgres() {
	if !m.process {
		m.streaming, m.state = false, stateStopped
		m.postgres(false)
		return
	}
	c, leads := m.cl, m.role == rolePrimary
	m.turn++
	m.streaming, m.state = false, stateUnknown
	m.postgres(false)
	if leads {
		c.cutStreams()
	}
	switch {
	case c.paused:
		m.later(noticeTime, func() { m.state = stateStopped; m.touch() })
	case !leads:
		m.later(noticeTime, m.touch)
		m.later(c.w.gen.replicaRestart, m.join)
	default:
		m.later(c.w.gen.crashSeen, func() { m.state = c.w.gen.crashState })
		m.later(c.w.gen.leaderRestart, func() { c.recovered(m) })
	}
}

// recovered is the moment a crashed leader runs again.
func (c *cluster) recovered(m *member) {
	m.state, m.started = stateRunning, c.w.now
	m.postgres(true)
	switch {
	case c.leader != m:
		m.join()
		return
	case !c.w.gen.modern: // Patroni 3.0 starts it as a replica and promotes it
		c.promoted(m)
	default:
		m.tl = c.tl
	}
	m.touch()
	c.follow()
}

// freeze is SIGSTOP of Patroni: its port takes connections and never answers.
func (m *member) freeze() {
	m.turn++
	m.node.frozenAt = m.cl.w.now
	m.seen = m.cl.w.lastLoop(m.cl.w.now)
	m.watchKeys()
}

// thaw is SIGCONT.
func (m *member) thaw() {
	m.turn++
	m.node.frozenAt, m.seen = time.Time{}, time.Time{}
	m.watchKeys()
	m.lock = m.cl.leader == m
	m.settleRole()
}

// switchover hands the leader's role to another member.
func (c *cluster) switchover(to *member) error {
	old := c.leader
	switch {
	case old == nil:
		return fmt.Errorf("%s has no leader", c.name)
	case !old.fit():
		return fmt.Errorf("%s: its leader %s is not healthy", c.name, old.name)
	case to == old:
		return fmt.Errorf("%s leads %s already", to.name, c.name)
	case !to.fit():
		return fmt.Errorf("%s cannot lead: it is not a healthy replica", to.name)
	}
	old.turn++
	to.turn++
	old.state = stateStopping
	c.cutStreams()
	old.later(stopTime, func() {
		old.state, old.role, old.lock = stateStopped, roleDemoted, false
		old.postgres(false)
		to.later(handoverTime, func() { c.take(to) })
		old.later(handoverTime+rejoinTime, old.join)
	})
	return nil
}

// linkChanged is called after a link or the DCS went down or came back: every
// member that it concerns notices in its own time.
func (w *world) linkChanged() {
	for _, c := range w.clusters {
		for _, m := range c.members {
			m.watchKeys()
			switch has := w.dcs(m.node); {
			case has && !m.seen.IsZero() && m.process && !m.node.frozen():
				m.regain()
			case !has && m.seen.IsZero():
				m.lose()
			}
		}
	}
}

// lose is the moment the DCS went out of reach. When it refuses connections
// Patroni knows after its retries; when nothing comes back, later.
func (m *member) lose() {
	w := m.cl.w
	m.turn++
	m.seen = w.lastLoop(w.now)
	from := func(d time.Duration) time.Duration { return max(0, m.seen.Add(d).Sub(w.now)) }
	if m.node.cut {
		if m.lock {
			m.later(from(cutStopTime), m.stopSelf)
		}
		m.later(from(ttl), func() { m.view, m.lock = false, false })
		return
	}
	m.later(from(loopWait+retryTimeout), func() {
		m.view = false
		leader := m.cl.leader
		m.failsafe = leader != nil && leader.lock && m.cl.acknowledged(leader)
		if m.lock && !m.failsafe {
			m.lock = false
			m.stopSelf()
		}
	})
}

// stopSelf is a leader stopping PostgreSQL because it cannot keep its lock.
func (m *member) stopSelf() {
	m.state = stateStopping
	m.postgres(false)
}

// acknowledged reports whether every other member of m's cluster would confirm
// m as the leader: Patroni's failsafe mode.
func (c *cluster) acknowledged(m *member) bool {
	for _, o := range c.members {
		if o != m && (!o.process || o.node.frozen() || !c.w.linked(m.node, o.node)) {
			return false
		}
	}
	return true
}

// regain is the moment the DCS can be reached again.
func (m *member) regain() {
	m.turn++
	m.seen, m.view, m.failsafe = time.Time{}, true, false
	c := m.cl
	switch {
	case c.leader == m && m.pgUp:
		m.lock = true
		m.touch()
		c.follow()
	case m.role == rolePrimary:
		m.lock = false
		m.later(healTime, m.join)
	default:
		m.touch()
		m.later(streamTime, c.follow)
		if c.leader == nil {
			c.w.after(electTime, c.elect)
		}
	}
}
