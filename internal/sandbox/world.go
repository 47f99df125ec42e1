package sandbox

import (
	"fmt"
	"time"

	"pgtui/internal/sandbox/haproxy"
	"pgtui/internal/sandbox/patroni"
	"pgtui/internal/sandbox/pg"
	"pgtui/internal/sandbox/sim"
)

// world is everything that is simulated: the machines, with their Patronis,
// PostgreSQLs, pgbouncers and HAProxies. Whoever holds the sandbox's lock may
// change it.
type world struct {
	*sim.World
	gen      generation
	port     int // where every Patroni listens
	nodes    []*node
	clusters []*patroni.Cluster
	byName   map[string]*node
	byAddr   map[string]*node
	// onPort is called when a port of a node opens or closes.
	onPort func(n *node)
}

// node is one simulated machine and what runs on it.
type node struct {
	*sim.Machine
	m    *patroni.Member
	ha   *haproxy.HAProxy
	pool pg.Pooler
	// sessions are those of its PostgreSQL.
	sessions pg.Sessions
}

// build makes the simulated machines of the declared ones at that time. No
// HAProxy runs yet.
func build(gen generation, now time.Time, port int, dir string, hosts []declared) *world {
	w := &world{World: sim.NewWorld(now), gen: gen, port: port, byName: map[string]*node{}, byAddr: map[string]*node{}, onPort: func(*node) {}}
	w.Settle = w.settle
	env := &patroni.Env{World: w.World, Release: gen.patroni, Port: port, Epoch: now, Changed: func(m *patroni.Member) { w.onPort(w.byName[m.Machine.Name]) }}
	columns := haproxy.ColumnsOf(gen.columns)
	for _, d := range hosts {
		n := &node{Machine: &sim.Machine{Name: d.name(), Addr: d.addr, Dir: nodeDir(dir, d.name())}}
		n.ha = haproxy.New(n.Name, columns, func(addr string) haproxy.Target {
			if to := w.byAddr[addr]; to != nil {
				return path{w, n, to}
			}
			return nil
		})
		if len(w.clusters) == 0 || string(w.clusters[len(w.clusters)-1].Name) != d.cluster {
			w.clusters = append(w.clusters, patroni.NewCluster(env, d.cluster))
		}
		n.m = w.clusters[len(w.clusters)-1].Add(n.Machine)
		w.nodes = append(w.nodes, n)
		w.byName[n.Name], w.byAddr[n.Addr] = n, n
	}
	w.Etcd, w.EtcdUp = w.nodes[0].Machine, true
	for _, c := range w.clusters {
		c.Begin()
	}
	return w
}

// settle brings the checks of every HAProxy up to t.
func (w *world) settle(t time.Time) {
	for _, n := range w.nodes {
		n.ha.CatchUp(t)
	}
}

// load starts a new HAProxy worker on the node, when its configuration is valid.
func (w *world) load(n *node) error {
	conf, err := haproxy.Load(n.Dir)
	if err == nil {
		err = conf.Err()
	}
	if err != nil {
		return fmt.Errorf("haproxy of %s: %w", n.Name, err)
	}
	n.ha.Start(conf, w.Now())
	w.onPort(n)
	return nil
}

// path is the way from one node to another. It is what HAProxy's checks take.
type path struct {
	w        *world
	from, to *node
}

// Connect is the outcome of a check's connection to the node's Patroni.
func (p path) Connect(port int, at time.Time) haproxy.Outcome {
	switch m := p.to.m; {
	case !p.w.Linked(p.from.Machine, p.to.Machine):
		return haproxy.Unreachable
	case !m.Runs || port != haproxy.AnyPort && port != p.w.port:
		return haproxy.Refused
	case m.Frozen() && !m.Queues(at):
		return haproxy.Unreachable
	case m.Frozen():
		return haproxy.Hangs
	}
	return haproxy.Answers
}

// Code is the status of a check's request.
func (p path) Code(method, uri string) int { return p.to.m.Code(method, uri) }

// behind is the PostgreSQL of n, or its pgbouncer, behind a connection. reach
// reports whether packets arrive there; it runs with the lock held.
func (s *Sandbox) behind(n *node, pooled bool, reach func(w *world) bool) pg.Server {
	return func(do func(*pg.State) error) error {
		w := s.lock()
		defer s.unlock()
		if n == nil || !reach(w) {
			return pg.ErrSilent
		}
		state := &pg.State{Instance: n.m.Instance(), Release: w.gen.pgbouncer, Now: w.Now()}
		if state.Sessions = &n.sessions; pooled {
			state.Pooler = &n.pool
		}
		return do(state)
	}
}
