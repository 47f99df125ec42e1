package sandbox

import (
	"container/heap"
	"time"
)

// world is everything that is simulated. It has no goroutines and no clock of
// its own: whoever holds the sandbox's lock moves it forward with advance,
// and between two events nothing in it changes but what can be computed.
type world struct {
	gen      generation
	columns  *columns  // of the stats page
	now      time.Time // how far it has been simulated
	epoch    time.Time // phase of every Patroni's loop
	events   eventQueue
	seq      int
	nodes    []*node
	clusters []*cluster
	byName   map[string]*node
	byAddr   map[string]*node
	etcd     *node // node whose etcd is the DCS of all clusters
	etcdUp   bool
	// patroniPort is where every Patroni listens.
	patroniPort int
	// onPort is told when a port of a node opens or closes; nil in tests
	// that need no listeners.
	onPort func(n *node)
}

// node is one simulated machine.
type node struct {
	name string // nodename, "pg-test-1"
	addr string
	dir  string // stands for the machine's "/"
	m    *member
	ha   *haproxy
	// cut is true while the node's network link is down.
	cut bool
	// frozenAt is when Patroni was stopped with SIGSTOP; zero while it runs.
	frozenAt time.Time
	// noPooler is true while pgbouncer does not run.
	noPooler bool
	pool     pooler
}

func (n *node) frozen() bool { return !n.frozenAt.IsZero() }

// event is something that happens at one moment.
type event struct {
	at  time.Time
	seq int // order of events of the same moment
	do  func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// after schedules do at d from now.
func (w *world) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

// at schedules do at t; a time in the past means now.
func (w *world) at(t time.Time, do func()) {
	if t.Before(w.now) {
		t = w.now
	}
	w.seq++
	heap.Push(&w.events, event{at: t, seq: w.seq, do: do})
}

// advance runs every event up to and including t. HAProxy's checks are brought
// up to each event before it changes the answers, and are otherwise left
// behind until somebody looks at that HAProxy.
func (w *world) advance(t time.Time) {
	for len(w.events) > 0 && !w.events[0].at.After(t) {
		e := heap.Pop(&w.events).(event)
		w.settle(e.at)
		w.now = e.at
		e.do()
	}
	if t.After(w.now) {
		w.now = t
	}
}

// settle brings the checks of every HAProxy up to t.
func (w *world) settle(t time.Time) {
	for _, n := range w.nodes {
		n.ha.catchUp(w, t)
	}
}

// change is for changes that come from outside, not from an event: it brings
// every check up to now first, so that what was answered before stays so.
func (w *world) change(do func()) {
	w.settle(w.now)
	do()
}

// next is the time of the next event; ok is false when none is scheduled.
func (w *world) next() (t time.Time, ok bool) {
	if len(w.events) == 0 {
		return time.Time{}, false
	}
	return w.events[0].at, true
}

// lastLoop is the beginning of the latest loop of Patroni at or before t.
func (w *world) lastLoop(t time.Time) time.Time {
	d := t.Sub(w.epoch)
	return w.epoch.Add(d - d%loopWait)
}

// linked reports whether packets pass from a to b.
func (w *world) linked(a, b *node) bool { return a == b || (!a.cut && !b.cut) }

// dcs reports whether n can reach the DCS.
func (w *world) dcs(n *node) bool { return w.etcdUp && w.linked(n, w.etcd) }

func (w *world) ports(n *node) {
	if w.onPort != nil {
		w.onPort(n)
	}
}
