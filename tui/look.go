package tui

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/safe"
	"pgtui/model"
	"pgtui/tui/page"
)

// How often a cluster's nodes are read over SSH: what
// stands in their files, and which HAProxy processes run. Files change seldom;
// a HAProxy that runs another configuration than before is read at once. Nodes
// that could not be read are left in peace for longer.
const (
	lookEvery = 2 * time.Minute
	lookSoon  = 20 * time.Second // when files are not as declared: a run of Pigsty's playbook may be at them
	lookAgain = 10 * time.Minute
	lookLimit = 30 * time.Second
	lookNodes = 40 // up to here the nodes of every cluster are read, one cluster after the other
)

// looks is what was read of the nodes of each cluster. Its maps are never
// changed once they are there: snapshots share them.
type looks struct {
	mu   sync.Mutex
	seen map[model.ClusterName]*look
	busy bool
}

// look is what was read of one cluster's nodes.
type look struct {
	at      time.Time // when it was read
	conf    map[model.Host]model.Observed[model.NodeConf]
	workers map[model.Host]model.Observed[model.Processes]
	unread  map[model.Host]error
	shape   map[model.Host]string // of the running configuration beside it; see shapeOf
	stale   bool                  // another configuration runs on one of the nodes since
}

// lookedMsg says that the nodes of a cluster were read.
type lookedMsg struct {
	world   *sphere
	cluster model.ClusterName
	hash    string // of the inventory it was compared with
	conf    map[model.Host]model.Observed[model.NodeConf]
	workers map[model.Host]model.Observed[model.Processes]
}

// look reads the nodes of one cluster, when it is time to: of the one that is
// looked at, or, where the fleet is small, of any.
func (m *Model) look() tea.Cmd {
	if m.deps.Examine == nil || m.snap == nil || m.run != nil {
		return nil
	}
	l := &m.feed.world.looks
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy {
		return nil
	}
	for _, c := range m.wanted() {
		if last := l.seen[c]; last == nil || last.stale || m.now.Sub(last.at) >= last.rest() {
			l.busy = true
			return m.feed.look(c, m.inv)
		}
	}
	return nil
}

// wanted are the clusters whose nodes are to be read, the most wanted first.
func (m *Model) wanted() []model.ClusterName {
	var out []model.ClusterName
	if c := m.place(m.env(0)).Cluster; c != "" && len(m.stack) > 1 && m.inv.Cluster(c) != nil {
		out = append(out, c)
	}
	if len(m.inv.Nodes) <= lookNodes {
		for i := range m.inv.Clusters {
			out = append(out, m.inv.Clusters[i].Name)
		}
	}
	return out
}

// rest is how long a look lasts.
func (l *look) rest() time.Duration {
	if len(l.conf) == 0 {
		return lookAgain
	}
	for _, o := range l.conf {
		for _, d := range o.Value.Drift {
			if len(d.Changes) > 0 {
				return lookSoon
			}
		}
	}
	return lookEvery
}

// look reads the nodes of a cluster.
func (f *feed) look(c model.ClusterName, inv *model.Inventory) tea.Cmd {
	w := f.world
	return f.begun(func() tea.Msg {
		ctx, cancel := context.WithTimeout(f.ctx, lookLimit)
		defer cancel()
		msg := lookedMsg{world: w, cluster: c, hash: inv.Hash}
		if err := safe.Do("reading the nodes of "+string(c), func() { msg.conf, msg.workers = w.deps.Examine(ctx, inv, c) }); err != nil {
			msg.conf = map[model.Host]model.Observed[model.NodeConf]{}
			for _, fr := range inv.Cluster(c).Fronts {
				msg.conf[fr.Host] = model.Observed[model.NodeConf]{Err: err, Tried: w.deps.Now()}
			}
		}
		return msg
	})
}

// looked takes in what was read.
func (m *Model) looked(msg lookedMsg) tea.Cmd {
	l := &msg.world.looks
	l.mu.Lock()
	l.busy = false
	l.mu.Unlock()
	if msg.world != m.feed.world || m.inv == nil || m.inv.Hash != msg.hash || m.snap == nil {
		return nil
	}
	l.take(msg, m.snap, m.now)
	if !m.frozen.IsZero() {
		return nil
	}
	m.looks, m.snap = l.told(), l.beside(m.snap)
	m.judged = m.now
	return m.feed.rejudge(m.snap, m.gen, m.now)
}

// take keeps what was read of a cluster's nodes. What could not be read is not
// laid beside the snapshot: that SSH fails says nothing of the cluster.
func (l *looks) take(msg lookedMsg, beside *model.Snapshot, now time.Time) {
	n := &look{at: now, conf: map[model.Host]model.Observed[model.NodeConf]{}, workers: map[model.Host]model.Observed[model.Processes]{},
		unread: map[model.Host]error{}, shape: map[model.Host]string{}}
	for h, o := range msg.conf {
		switch {
		case o.Err != nil:
			n.unread[h] = o.Err
		case o.Known():
			n.conf[h], n.shape[h] = o, shapeOf(beside, h)
			if p := msg.workers[h]; p.Known() && p.Value.Missing == "" {
				n.workers[h] = p
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := maps.Clone(l.seen)
	if seen == nil {
		seen = map[model.ClusterName]*look{}
	}
	seen[msg.cluster] = n
	l.seen = seen
}

// forget lets everything be read anew: the inventory has changed, or the files.
func (l *looks) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = nil
}

// beside is a snapshot with what was read of the nodes. A node on which another
// configuration runs since is not among them: its files were read before that.
func (l *looks) beside(s *model.Snapshot) *model.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.seen) == 0 {
		return s
	}
	out := *s
	out.Conf = map[model.Host]model.Observed[model.NodeConf]{}
	out.Workers = map[model.Host]model.Observed[model.Processes]{}
	for _, n := range l.seen {
		for h, o := range n.conf {
			if s.HAProxy[h].Known() && shapeOf(s, h) != n.shape[h] {
				n.stale = true
				continue
			}
			if had, ok := out.Conf[h]; ok { // a node that serves several clusters
				o.Value.Drift = both(o.Value.Drift, had.Value.Drift)
			}
			out.Conf[h] = o
			if p, ok := n.workers[h]; ok {
				out.Workers[h] = p
			}
		}
	}
	return &out
}

// both are the differences of the clusters of two looks at one node.
func both(a, b map[model.ClusterName]model.Drift) map[model.ClusterName]model.Drift {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// told is what pages are told of the looks.
func (l *looks) told() map[model.ClusterName]page.Look {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[model.ClusterName]page.Look{}
	for c, n := range l.seen {
		out[c] = page.Look{At: n.at, Unread: n.unread}
	}
	return out
}

// shapeOf is the running configuration of a node's HAProxy as far as its stats
// page tells: sections, servers, weights.
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
