package probe

import (
	"context"
	"sync"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
)

const (
	publishGap = 100 * time.Millisecond // the shortest time between two snapshots
	firstGap   = 40 * time.Millisecond  // from the start to the first of them
	maxBackoff = 15 * time.Second       // between two turns of a dead node

	// At the start the nodes come in their order, so that the first clusters
	// are whole while the last have not been probed: this many at once, and
	// none keeps its place for longer than firstHold.
	firstAtOnce = 48
	firstHold   = 250 * time.Millisecond
)

// Watch queries every node of the named clusters, of all clusters when none is
// named, again and again, each in a loop of its own: about every `every` (2 s when it is not positive), and less and
// less often, down to once in 15 s, when nothing on the node answers.
//
// Snapshots come on the returned channel: the first within some 40 ms of the
// first answer, then at most ten a second when something has changed, and one
// a second, or each half of `every`, when the answers only repeat themselves. A reader that
// is slow gets the latest one and misses the rest; it never holds up the
// probing. The channel is closed when ctx has ended and nothing runs any more,
// at once when the inventory has no cluster.
func (p *Prober) Watch(ctx context.Context, inv *model.Inventory, every time.Duration, only ...model.ClusterName) <-chan *model.Snapshot {
	if every <= 0 {
		every = defaultTimeout
	}
	w := &watch{
		p: p, inv: inv, every: every,
		out:   make(chan *model.Snapshot, 1),
		wake:  make(chan struct{}, 1),
		first: make(chan struct{}, firstAtOnce),
	}
	var err error
	if w.targets, err = targetsOf(inv, only); err != nil {
		close(w.out)
		return w.out
	}
	easy(w.targets, every)
	spread(w.targets, p.o.Now(), p.o.Jitter)
	ctx, stop := context.WithCancel(ctx)
	guard.Go("watching", func() { defer stop(); w.run(ctx) }, func(error) {}) // the closed channel shows it
	return w.out
}

// watch is one call of Watch.
type watch struct {
	p       *Prober
	inv     *model.Inventory
	every   time.Duration
	targets []target
	out     chan *model.Snapshot
	wake    chan struct{} // holds one token when there is something to publish
	first   chan struct{} // holds one token for each node in its first turn

	mu      sync.Mutex
	urgent  bool // something has changed
	routine bool // something has answered
}

func (w *watch) run(ctx context.Context) {
	defer close(w.out)
	a := w.p.asker(w.inv)
	a.holds = w.every*11/10 + 2*w.p.o.Timeout // a turn begins late by a tenth, and requests Patroni's status before the rest
	var g guard.Group
	g.Go("watching", func() {
		for i := range w.targets {
			if take(ctx, w.first) != nil {
				return
			}
			t := &w.targets[i]
			g.Go("asking "+string(t.host), func() { w.loop(ctx, a, t) }, func(err error) { w.p.blame(ctx, t, w.note, err) })
		}
	}, func(err error) {
		for i := range w.targets {
			w.p.blame(ctx, &w.targets[i], w.note, err)
		}
	})
	for gap := firstGap; w.pending(ctx, gap); gap = publishGap {
		w.publish()
	}
	g.Wait()
}

// loop is the life of one node.
func (w *watch) loop(ctx context.Context, a *asker, t *target) {
	next := w.every
	// The first turns came together: a tenth to eleven tenths spreads them.
	least, over := 0.1, 1.0
	asked := sync.OnceFunc(func() { <-w.first })
	defer time.AfterFunc(firstHold, asked).Stop()
	for {
		wait := next
		next = min(2*next, max(maxBackoff, w.every))
		if w.p.sweep(ctx, a, t, w.note) {
			wait, next = w.every, w.every
		}
		asked()
		if !sleep(ctx, time.Duration((least+over*w.p.o.Jitter())*float64(wait))) {
			return
		}
		least, over = 0.9, 0.2 // they stay apart
	}
}

// note is called at every answer.
func (w *watch) note(news bool) {
	w.mu.Lock()
	w.routine = true
	w.urgent = w.urgent || news
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// pending returns true when the next snapshot is due, gap from now at the
// earliest, and false when ctx has ended.
func (w *watch) pending(ctx context.Context, gap time.Duration) bool {
	if !sleep(ctx, gap) {
		return false
	}
	slow := time.NewTimer(min(w.every/2, time.Second) - gap)
	defer slow.Stop()
	elapsed := false
	for {
		w.mu.Lock()
		due := w.urgent || elapsed && w.routine
		if due {
			w.urgent, w.routine = false, false
		}
		w.mu.Unlock()
		if due {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-slow.C:
			elapsed = true
		case <-w.wake:
		}
	}
}

// publish puts the newest snapshot in the channel, in place of one that no one
// has taken. Only this goroutine sends, so there is room after that.
func (w *watch) publish() {
	s := w.p.snapshot(w.inv, w.targets)
	select {
	case <-w.out:
	default:
	}
	w.out <- s
}

// sleep reports whether the time passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
