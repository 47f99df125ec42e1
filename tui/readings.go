package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
	"pgtui/tui/page"
	"pgtui/tui/theme"
)

// How often a HAProxy node is read over SSH: what stands in its files, and which
// processes run. Files change seldom; a node that runs another configuration
// than before is read at once. One that could not be read is left in peace: a
// login that is refused must not lock an account.
const (
	readEvery = 2 * time.Minute
	readSoon  = 20 * time.Second // when files differ from the inventory (a playbook may be running), or a server is drained
	readAgain = 10 * time.Minute // after an error, and how long the last answer counts beside one
	readLimit = 30 * time.Second
	readNodes = 40 // up to here the nodes of every cluster are read, not only of the one on screen
	readSlots = 8  // so many nodes are being read at once
)

// readings is what was read of the nodes. What is in it is never changed once it is
// there: snapshots share it.
type readings struct {
	mu    sync.Mutex
	seen  map[model.Host]*nodeReading
	going map[model.Host]bool // is being read now
	gen   int                 // grows with forget: what was begun before does not count
}

// nodeReading is what was read of one node.
type nodeReading struct {
	at    time.Time // when reading conf began
	conf  source.Observed[model.NodeConf]
	procs source.Observed[haproxy.Processes]
	// servers is what was done to HAProxy's servers by hand.
	servers source.Observed[haproxy.ServerStates]
	shape   string // of the configuration that ran then; see shapeOf
	stale   bool   // another one runs since

	tried time.Time // when the latest reading began
	err   error     // why it failed; nil when conf is its answer
}

// nodeReadMsg says that a node was read.
type nodeReadMsg struct {
	world  *opened
	gen    int
	at     time.Time       // when it began
	beside *model.Snapshot // what ran then
	host   model.Host
	read   model.Reading
}

// readNodes reads the nodes that it is time for, each by itself: one that does not
// answer holds up no other.
func (m *Model) readNodes() tea.Cmd {
	if !m.deps.Can(model.CanExamine) || m.snap == nil || m.run != nil || !m.frozen.IsZero() {
		return nil
	}
	l := &m.feed.world.nodes
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []tea.Cmd
	for _, c := range m.wanted() {
		for i := range m.inv.Cluster(c).LoadBalancers {
			h := m.inv.Cluster(c).LoadBalancers[i].Host
			if len(l.going) >= readSlots || l.going[h] || !l.seen[h].due(m.now) {
				continue
			}
			if l.going == nil {
				l.going = map[model.Host]bool{}
			}
			l.going[h] = true
			out = append(out, m.feed.readNode(m.inv, nodeReadMsg{world: m.feed.world, gen: l.gen, at: m.now, beside: m.snap, host: h}))
		}
	}
	return tea.Batch(out...)
}

// wanted are the clusters whose nodes are to be read, the most wanted first.
func (m *Model) wanted() []model.ClusterName {
	var out []model.ClusterName
	if c := m.place(m.env(0)).Cluster; c != "" && len(m.stack) > 1 && m.inv.Cluster(c) != nil {
		out = append(out, c)
	}
	if len(m.inv.Nodes) <= readNodes {
		for i := range m.inv.Clusters {
			out = append(out, m.inv.Clusters[i].Name)
		}
	}
	return out
}

// due reports whether the node is to be read again.
func (l *nodeReading) due(now time.Time) bool {
	if l == nil {
		return true
	}
	rest := readEvery
	for _, d := range l.conf.Value.Drift {
		if len(d.Changes) > 0 {
			rest = readSoon
		}
	}
	if len(l.servers.Value.Touched) > 0 {
		rest = readSoon
	}
	switch {
	case l.err != nil:
		rest = readAgain
	case l.stale:
		return true
	}
	return now.Sub(l.tried) >= rest
}

// readNode reads a node.
func (f *feed) readNode(inv *model.Inventory, msg nodeReadMsg) tea.Cmd {
	return f.limited(readLimit, func(ctx context.Context) tea.Msg {
		if err := guard.Do("reading a node", func() { msg.read = msg.world.deps.Examine(ctx, inv, msg.host) }); err != nil {
			msg.read = model.Reading{Conf: source.Observed[model.NodeConf]{Err: err}}
		}
		return msg
	})
}

// nodeRead takes in what was read.
func (m *Model) nodeRead(msg nodeReadMsg) tea.Cmd {
	l := &msg.world.nodes
	if !l.take(msg) || msg.world != m.feed.world || m.snap == nil || !m.frozen.IsZero() {
		return m.readNodes()
	}
	m.lastReads, m.snap = l.last(), l.beside(m.snap)
	m.judged = m.now
	return tea.Batch(m.feed.rejudge(m.snap, m.gen, m.now), m.readNodes())
}

// take keeps what was read; false when it was begun before forget. That a node
// cannot be read says nothing of the cluster: what was read before stays, for a
// while.
func (l *readings) take(msg nodeReadMsg) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.going, msg.host)
	if msg.gen != l.gen {
		return false
	}
	n := &nodeReading{tried: msg.at}
	if msg.read.Conf.Err == nil {
		n.at, n.conf, n.servers, n.shape = msg.at, msg.read.Conf, msg.read.Servers, shapeOf(msg.beside, msg.host)
		if p := msg.read.Workers; p.Known() && p.Value.Missing == "" {
			n.procs = p
		}
	} else {
		if old := l.seen[msg.host]; old != nil && msg.at.Sub(old.at) < readAgain {
			kept := *old
			n = &kept
		}
		n.tried, n.err = msg.at, msg.read.Conf.Err
		n.servers.Err = msg.read.Conf.Err
	}
	if l.seen == nil {
		l.seen = map[model.Host]*nodeReading{}
	}
	l.seen[msg.host] = n
	return true
}

// forget makes everything be read again: the inventory has changed, or the files.
func (l *readings) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = nil
	l.gen++
}

// beside is a snapshot with what was read of the nodes. A node on which another
// configuration runs since is not among them: its files were read before that.
func (l *readings) beside(s *model.Snapshot) *model.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.seen) == 0 {
		return s
	}
	var out model.Readings
	out.Conf = make(map[model.Host]source.Observed[model.NodeConf], len(l.seen))
	out.Workers = make(map[model.Host]source.Observed[haproxy.Processes], len(l.seen))
	out.Servers = make(map[model.Host]source.Observed[haproxy.ServerStates], len(l.seen))
	for h, n := range l.seen {
		if s.HAProxy[h].Known() && shapeOf(s, h) != n.shape {
			n.stale = true
		}
		if !n.stale {
			out.Servers[h] = n.servers
		}
		if n.stale || !n.conf.Known() {
			continue
		}
		out.Conf[h] = n.conf
		if n.procs.Known() {
			out.Workers[h] = n.procs
		}
	}
	return s.With(out)
}

// last is when each node was read, for pages.
func (l *readings) last() map[model.Host]page.LastRead {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[model.Host]page.LastRead, len(l.seen))
	for h, n := range l.seen {
		out[h] = page.LastRead{At: n.at, Err: n.err}
	}
	return out
}

// shapeOf is the running configuration of a node's HAProxy as its stats page
// shows it: sections, servers, weights.
func shapeOf(s *model.Snapshot, h model.Host) string {
	var b strings.Builder
	o := s.HAProxy[h]
	for i := range o.Value.Proxies {
		px := &o.Value.Proxies[i]
		fmt.Fprintf(&b, "%s:", px.Name)
		for k := range px.Servers {
			fmt.Fprintf(&b, "%s %t %d,", px.Servers[k].Name, px.Servers[k].Backup, px.Servers[k].UserWeight)
		}
	}
	return b.String()
}

// How often the files of the inventory are checked: a thousand of them a second
// at most, and again soon while they are being written.
const (
	stampEvery    = 2 * time.Second
	stampsASecond = 1000
)

// staleness is what is known of the files that the inventory was read from.
type staleness struct {
	base    []source.Input // as they were when they were read last, well or not
	last    []source.Input // as they were at the last look
	looked  time.Time      // when that was
	going   bool           // they are being looked at
	rereads bool           // they are being read again

	names []string  // what has changed since base
	since time.Time // when that was seen first
	err   string    // why the last reading failed; "" when it did not
}

// stampedMsg are the inputs as they are now.
type stampedMsg struct {
	gen int
	in  []source.Input
}

// stamp looks at the files when it is time for that.
func (m *Model) stamp() tea.Cmd {
	s := &m.stale
	rest := max(stampEvery, time.Duration(len(s.base))*time.Second/stampsASecond)
	if s.going || s.rereads || len(s.base) == 0 || len(s.names) == 0 && m.now.Sub(s.looked) < rest {
		return nil
	}
	s.going, s.looked = true, m.now
	return m.feed.stamp(m.gen, s.base)
}

// stamp looks at files.
func (f *feed) stamp(gen int, in []source.Input) tea.Cmd {
	stamp := f.world.deps.Stamp
	return f.begun(func() tea.Msg {
		out := in // as if nothing had changed, where pgtui itself fails over it
		_ = guard.Do("checking the inventory's files", func() { out = stamp(in) })
		return stampedMsg{gen, out}
	})
}

// stamped takes in how the files are now. They are read again once they have
// been the same twice, unless a program would be run, a reload is running or
// waits for confirmation, or the screen is frozen.
func (m *Model) stamped(msg stampedMsg) tea.Cmd {
	s := &m.stale
	s.going = false
	if msg.gen != m.gen || s.rereads {
		return nil
	}
	still := len(source.ChangedInputs(s.last, msg.in)) == 0
	s.last = msg.in
	if s.names = source.ChangedInputs(s.base, msg.in); len(s.names) == 0 {
		s.since = time.Time{}
		return nil
	}
	if s.since.IsZero() {
		s.since = m.now
	}
	if !still || source.RunsProgram(s.base) || m.run != nil || m.dialog != nil || !m.frozen.IsZero() {
		return nil
	}
	s.rereads = true
	return m.feed.load(m.gen)
}

// fresh makes the inventory the one that was read last.
func (m *Model) fresh(inv *model.Inventory) {
	m.stale = staleness{base: inv.Inputs, last: inv.Inputs, looked: m.now}
}

// unread keeps why the inventory could not be read again, and waits for its
// files to change once more.
func (m *Model) unread(err error) {
	s := &m.stale
	base := s.last
	if u, ok := errors.AsType[*source.Unread](err); ok && len(u.Inputs) > 0 {
		base = u.Inputs
	}
	m.stale = staleness{base: base, last: base, looked: m.now, err: err.Error()}
}

// staleText says that what is shown is not of the inventory as it is now, "" when
// it is. The place of a mistake comes early: a narrow screen cuts the end off.
func (m *Model) staleText() string {
	s := &m.stale
	old := "OLD INVENTORY of " + m.oldOf() + ": "
	switch {
	case len(s.names) > 0 && source.RunsProgram(s.base):
		return old + changedText(s.names) + " changed at " + s.since.Format("15:04:05") + ", R rereads it and runs its program"
	case len(s.names) > 0:
		return old + changedText(s.names) + " changed at " + s.since.Format("15:04:05") + ", not reread yet"
	case s.err != "":
		return old + s.err
	}
	return ""
}

// oldOf is when the inventory that is shown was read, once its files have changed
// or do not load; "" before.
func (m *Model) oldOf() string {
	switch {
	case len(m.stale.names) == 0 && m.stale.err == "":
		return ""
	case m.inv == nil || m.inv.LoadedAt.IsZero():
		return "the start"
	}
	return m.inv.LoadedAt.Format("15:04:05")
}

// changedText are the names of files, three at most.
func changedText(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// againText is shown for an inventory that was read again.
func againText(names []string) string {
	text := "the inventory was reread, every node is being probed"
	if len(names) > 0 {
		text += ": " + changedText(names) + " changed"
	}
	return text
}

// reread says that a newer inventory is shown, of which those files changed, and keeps it as an event.
func (m *Model) reread(names []string) {
	m.say(theme.Info, againText(names))
	what := "read again"
	if len(names) > 0 {
		what = changedText(names) + " changed, and was read again"
	}
	m.happened([]board.Event{{At: m.now, Kind: "inventory", Subject: "inventory", After: what, Severity: model.Info}})
}

// reloaded takes over an inventory that was read again, or why it could not be.
func (m *Model) reloaded(msg inventoryMsg) tea.Cmd {
	names, was := m.stale.names, m.stale.err
	if msg.err != nil {
		m.unread(msg.err)
		m.say(theme.Bad, errorText(msg.err))
		return nil
	}
	if m.stale.rereads && m.inv.Hash == msg.inv.Hash && was == "" { // touched, and the same
		m.fresh(msg.inv)
		return nil
	}
	m.reread(names)
	m.take(msg.inv)
	return m.feed.watch(m.inv, m.gen, m.every())
}
