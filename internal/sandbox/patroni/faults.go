package patroni

import (
	"fmt"
	"slices"
	"time"
)

// KillPatroni is kill -9 of Patroni alone: PostgreSQL continues.
func (m *Member) KillPatroni() error {
	if !m.Runs {
		return fmt.Errorf("patroni of %s does not run", m.Name)
	}
	m.killPatroni()
	return nil
}

func (m *Member) killPatroni() {
	m.turn++
	m.seen = m.Cluster.env.lastLoop(m.Cluster.env.Now())
	m.Runs, m.lock = false, false
	m.Cluster.env.Changed(m)
	m.watchKeys()
}

// postgres starts or ends PostgreSQL: its port opens and closes with it.
func (m *Member) postgres(runs bool) {
	if m.PostgresRuns != runs {
		if runs {
			m.logs("postgres", "LOG", "database system is ready to accept connections")
		} else {
			m.logs("postgres", "LOG", "database system is shut down")
		}
	}
	m.PostgresRuns = runs
	m.Cluster.env.Changed(m)
}

// Fail is kill -9 of Patroni and PostgreSQL.
func (m *Member) Fail() error {
	if !m.Runs && !m.PostgresRuns {
		return fmt.Errorf("%s is down already", m.Name)
	}
	m.killPatroni()
	m.streaming, m.state = false, stateStopped
	m.postgres(false)
	if m.role == rolePrimary {
		m.Cluster.cutStreams()
	}
	return nil
}

// Start starts what does not run of Patroni and PostgreSQL.
func (m *Member) Start() error {
	switch {
	case !m.Runs:
		m.turn++
		m.later(bootTime, m.boot)
	case !m.PostgresRuns && m.Cluster.paused:
		m.turn++
		m.state = stateStarting
		m.later(pgStartTime, m.join)
	case m.PostgresRuns:
		return fmt.Errorf("%s runs already", m.Name)
	}
	return nil
}

// boot is the moment at which a started Patroni answers on its port.
func (m *Member) boot() {
	w := m.Cluster.env
	m.Runs, m.seen, m.view = true, time.Time{}, w.DCS(m.Machine)
	m.logs("patroni", "INFO", "Lock owner: %s; I am %s", m.Cluster.owner(), m.Name)
	w.Changed(m)
	m.watchKeys()
	m.settleRole()
}

// settleRole is the first act of a Patroni that is back: it continues with its
// lock, or makes a replica of the PostgreSQL it finds.
func (m *Member) settleRole() {
	c := m.Cluster
	switch {
	case !m.PostgresRuns && c.leader == m:
		m.state, m.role = stateStarting, roleReplica
		m.later(pgStartTime, func() {
			m.state, m.started = stateRunning, c.env.Now()
			m.postgres(true)
			c.take(m)
		})
	case !m.PostgresRuns:
		m.state, m.role = stateStarting, roleReplica
		m.later(pgStartTime, m.join)
	case c.leader == m:
		m.state, m.lock = stateRunning, true
		m.touch()
		c.follow()
	case m.role == rolePrimary && c.leader == nil:
		m.state = stateRunning
		m.touch()
		c.env.After(electTime, c.elect)
	case m.role == rolePrimary:
		m.lock = false
		m.state = stateRunning
		m.touch()
		if c.env.Release.Modern {
			m.later(rewindTime/2, func() { m.state, m.role = stateStopped, roleDemoted; m.postgres(false) })
		}
		m.later(rewindTime, m.join)
	default:
		m.join()
	}
}

// KillPostgres is kill -9 of the postmaster: Patroni starts it again, unless
// the cluster is paused.
func (m *Member) KillPostgres() error {
	if !m.PostgresRuns {
		return fmt.Errorf("postgres of %s does not run", m.Name)
	}
	if !m.Runs {
		m.streaming, m.state = false, stateStopped
		m.postgres(false)
		return nil
	}
	c, leads := m.Cluster, m.role == rolePrimary
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
		m.later(c.env.Release.ReplicaRestart, m.join)
	default:
		m.later(c.env.Release.CrashSeen, func() { m.state = c.env.Release.CrashState })
		m.later(c.env.Release.LeaderRestart, func() { c.recovered(m) })
	}
	return nil
}

// recovered is the moment at which a crashed leader runs again.
func (c *Cluster) recovered(m *Member) {
	m.state, m.started = stateRunning, c.env.Now()
	m.postgres(true)
	switch {
	case c.leader != m:
		m.join()
		return
	case !c.env.Release.Modern: // Patroni 3.0 starts it as a replica and promotes it
		c.promoted(m)
	default:
		m.tl = c.tl
	}
	m.touch()
	c.follow()
}

// Freeze is SIGSTOP of Patroni: its port takes connections and never answers.
func (m *Member) Freeze() error {
	if !m.Runs || m.Frozen() {
		return fmt.Errorf("patroni of %s does not run", m.Name)
	}
	m.turn++
	m.frozenAt = m.Cluster.env.Now()
	m.seen = m.Cluster.env.lastLoop(m.Cluster.env.Now())
	m.watchKeys()
	return nil
}

// Thaw is SIGCONT.
func (m *Member) Thaw() {
	m.turn++
	m.frozenAt, m.seen = time.Time{}, time.Time{}
	m.watchKeys()
	m.lock = m.Cluster.leader == m
	m.settleRole()
}

// Switchover hands the leader's role to another member; nil is the first
// healthy replica.
func (c *Cluster) Switchover(to *Member) error {
	if to == nil {
		i := slices.IndexFunc(c.order(), func(m *Member) bool { return m != c.leader && m.fit() })
		if i < 0 {
			return fmt.Errorf("%s has no healthy replica", c.Name)
		}
		to = c.order()[i]
	}
	old := c.leader
	switch {
	case to.Cluster != c:
		return fmt.Errorf("%s is not a member of %s", to.Name, c.Name)
	case old == nil:
		return fmt.Errorf("%s has no leader", c.Name)
	case !old.fit():
		return fmt.Errorf("%s: its leader %s is not healthy", c.Name, old.Name)
	case to == old:
		return fmt.Errorf("%s leads %s already", to.Name, c.Name)
	case !to.fit():
		return fmt.Errorf("%s cannot lead: it is not a healthy replica", to.Name)
	}
	old.turn++
	to.turn++
	old.state = stateStopping
	old.logs("patroni", "INFO", "received switchover request with leader=%s candidate=%s scheduled_at=None", old.Name, to.Name)
	old.logs("patroni", "INFO", "Demoting self (graceful)")
	c.cutStreams()
	old.later(stopTime, func() {
		old.state, old.role, old.lock = stateStopped, roleDemoted, false
		old.postgres(false)
		to.later(handoverTime, func() { c.take(to) })
		old.later(handoverTime+rejoinTime, old.join)
	})
	return nil
}

// LinkChanged is called after a link or the DCS went down or came back: every
// affected member notices in its own time.
func (c *Cluster) LinkChanged() {
	for _, m := range c.members {
		m.watchKeys()
		switch has := c.env.DCS(m.Machine); {
		case has && !m.seen.IsZero() && m.Runs && !m.Frozen():
			m.regain()
		case !has && m.seen.IsZero():
			m.lose()
		}
	}
}

// lose is the moment at which the DCS goes out of reach. Patroni notices after
// its retries when the DCS refuses connections, and later when it does not answer.
func (m *Member) lose() {
	w := m.Cluster.env
	m.turn++
	m.seen = w.lastLoop(w.Now())
	from := func(d time.Duration) time.Duration { return max(0, m.seen.Add(d).Sub(w.Now())) }
	if m.Cut {
		if m.lock {
			m.later(from(cutStopTime), m.stopSelf)
		}
		m.later(from(ttl), func() { m.view, m.lock = false, false })
		return
	}
	m.later(from(LoopWait+RetryTimeout), func() {
		m.view = false
		leader := m.Cluster.leader
		m.failsafe = leader != nil && leader.lock && m.Cluster.acknowledged(leader)
		if m.lock && !m.failsafe {
			m.lock = false
			m.stopSelf()
		}
	})
}

// stopSelf stops the PostgreSQL of a leader that cannot keep its lock.
func (m *Member) stopSelf() {
	m.state = stateStopping
	m.postgres(false)
}

// acknowledged reports whether every other member of m's cluster confirms m as
// the leader: Patroni's failsafe mode.
func (c *Cluster) acknowledged(m *Member) bool {
	for _, o := range c.members {
		if o != m && (!o.Runs || o.Frozen() || !c.env.Linked(m.Machine, o.Machine)) {
			return false
		}
	}
	return true
}

// regain is the moment at which the DCS can be reached again.
func (m *Member) regain() {
	m.turn++
	m.seen, m.view, m.failsafe = time.Time{}, true, false
	c := m.Cluster
	switch {
	case c.leader == m && m.PostgresRuns:
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
			c.env.After(electTime, c.elect)
		}
	}
}

// Pause begins or ends Patroni's maintenance mode.
func (c *Cluster) Pause(on bool) {
	if c.paused = on; on {
		return
	}
	for _, m := range c.members {
		if m.Runs && !m.PostgresRuns {
			m.turn++
			m.settleRole()
		}
	}
	if c.leader == nil {
		c.env.After(electTime, c.elect)
	}
}

// SetLag makes a replica lack the last bytes of the WAL: the leader has written them, and the
// replica has not received them.
func (m *Member) SetLag(bytes int64) error {
	if m.role == rolePrimary {
		return fmt.Errorf("%s is the primary: only replicas lag", m.Name)
	}
	if m.lag == 0 {
		m.laggedAt = m.Cluster.env.Now()
	}
	m.Cluster.lsn += max(bytes-m.lag, 0)
	m.lag = bytes
	m.touch()
	return nil
}

// SetSync sets synchronous_mode: off, on or quorum. synced is the synchronous
// standby; nil is the first replica after the leader.
func (c *Cluster) SetSync(mode string, synced *Member) error {
	switch {
	case mode == "off":
		c.mode = ""
	case mode == "on":
		c.mode = "sync"
	case mode == "quorum" && c.env.Release.Modern:
		c.mode = "quorum"
	default:
		return fmt.Errorf("%q: expected off, on, or (Patroni 4) quorum", mode)
	}
	c.synced = synced
	return nil
}
