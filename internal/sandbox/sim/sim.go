// Package sim is what everything in a sandbox shares: simulated time, the
// machines and the network between them.
package sim

import (
	"container/heap"
	"hash/fnv"
	"time"
)

// World is the simulated time, the events that are due in it, and the links
// between the machines. It has no goroutines and no clock of its own: the holder
// of the sandbox's lock moves it forward with Advance. Between two events nothing
// changes except what can be computed.
type World struct {
	Etcd   *Machine // its etcd is the DCS of all clusters
	EtcdUp bool
	// Settle computes up to t the changes between two events: the checks of the
	// HAProxies.
	Settle func(t time.Time)
	// Logs takes what the programs on a machine write to their logs.
	Logs   func(m *Machine, l Line)
	now    time.Time // how far it has been simulated
	events eventQueue
	seq    int
}

// NewWorld is a world without machines at that time.
func NewWorld(now time.Time) *World {
	return &World{now: now, Settle: func(time.Time) {}, Logs: func(*Machine, Line) {}}
}

// Machine is one simulated machine.
type Machine struct {
	Name string // nodename, "pg-test-1"
	Addr string
	Dir  string // stands for the machine's "/"
	Cut  bool   // its network link is down
}

// Line is one line of a log.
type Line struct {
	At    time.Time
	Unit  string // patroni, postgres, haproxy
	Level string // in the words of the program: INFO, LOG, WARNING
	Text  string
}

// Now is how far the world has been simulated.
func (w *World) Now() time.Time { return w.now }

// event is a change at one moment.
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

// After schedules do at d from now.
func (w *World) After(d time.Duration, do func()) { w.At(w.now.Add(d), do) }

// At schedules do at t; a time in the past means now.
func (w *World) At(t time.Time, do func()) {
	if t.Before(w.now) {
		t = w.now
	}
	w.seq++
	heap.Push(&w.events, event{at: t, seq: w.seq, do: do})
}

// Advance runs every event up to and including t. Settle runs before each of
// them, because an event changes what a check gets as its answer.
func (w *World) Advance(t time.Time) {
	for len(w.events) > 0 && !w.events[0].at.After(t) {
		e := heap.Pop(&w.events).(event)
		w.Settle(e.at)
		w.now = e.at
		e.do()
	}
	if t.After(w.now) {
		w.now = t
	}
}

// Change runs a change that comes from outside, not from an event. Settle runs
// first: the past is simulated with the answers of before the change.
func (w *World) Change(do func()) {
	w.Settle(w.now)
	do()
}

// Next is the time of the next event; ok is false when none is scheduled.
func (w *World) Next() (t time.Time, ok bool) {
	if len(w.events) == 0 {
		return time.Time{}, false
	}
	return w.events[0].at, true
}

// Linked reports whether packets pass from a to b.
func (w *World) Linked(a, b *Machine) bool { return a == b || (!a.Cut && !b.Cut) }

// DCS reports whether m can reach the DCS.
func (w *World) DCS(m *Machine) bool { return w.EtcdUp && w.Linked(m, w.Etcd) }

// Hash is a number from 0 to 2²⁴-1 that depends on the names only: what looks
// arbitrary in a sandbox is the same in every run.
func Hash(names ...string) int {
	h := fnv.New32a()
	for _, n := range names {
		h.Write([]byte(n))
		h.Write([]byte{0})
	}
	return int(h.Sum32() & 0xffffff)
}
