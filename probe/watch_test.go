package probe

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgtui/model"
)

// watching collects every snapshot, and when it came, from a reader that is
// always there. synctest fails the test when a goroutine is left behind.
type watching struct {
	mu    sync.Mutex
	snaps []*model.Snapshot
	at    []time.Duration // since the start
	done  chan struct{}
}

func watchAll(ctx context.Context, p *Prober, inv *model.Inventory, every time.Duration) *watching {
	w := &watching{done: make(chan struct{})}
	start := time.Now()
	ch := p.Watch(ctx, inv, every)
	go func() {
		defer close(w.done)
		for s := range ch {
			w.mu.Lock()
			w.snaps, w.at = append(w.snaps, s), append(w.at, time.Since(start))
			w.mu.Unlock()
		}
	}()
	return w
}

// all is what came so far.
func (w *watching) all() ([]*model.Snapshot, []time.Duration) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.snaps), slices.Clone(w.at)
}

func (w *watching) last() *model.Snapshot {
	snaps, _ := w.all()
	return snaps[len(snaps)-1]
}

func TestWatchFirstAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		f.dead["10.0.0.1"] = true
		w := watchAll(ctx, tester(f), inventory(1, 3), 2*time.Second)
		time.Sleep(200 * time.Millisecond)
		snaps, at := w.all()
		if len(snaps) != 1 || at[0] > 200*time.Millisecond {
			t.Fatalf("%d snapshots, at %v", len(snaps), at)
		}
		known(t, snaps[0], "c0-2")
		// The dead node has not failed yet: it is there, and not known.
		if v, ok := snaps[0].Patroni["c0-1"]; !ok || v.Status.Known() || v.Status.Err != nil || len(v.Checks) != 2 {
			t.Errorf("%v %+v", ok, v)
		}
		time.Sleep(2 * time.Second)
		if v := w.last().Patroni["c0-1"]; v.Status.Err == nil {
			t.Errorf("after its deadline the dead node has no error: %+v", v.Status)
		}
		cancel()
		<-w.done
	})
}

// uneven asks a fleet at uneven moments, the same in each run.
func uneven(f *fleet) *Prober {
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	return New(Options{Dial: f.dial, Jitter: func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return random.Float64()
	}})
}

func TestWatchIsCoalescedAndCalm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		w := watchAll(ctx, uneven(f), inventory(4, 5), 2*time.Second)
		time.Sleep(time.Minute)
		snaps, at := w.all()
		if n := len(snaps); n < 28 || n > 62 {
			t.Errorf("%d snapshots in a minute in which nothing changed", n)
		}
		for i := 1; i < len(snaps); i++ {
			if snaps[i].Seq <= snaps[i-1].Seq {
				t.Fatalf("seq %d after %d", snaps[i].Seq, snaps[i-1].Seq)
			}
			if gap := at[i] - at[i-1]; gap < 100*time.Millisecond {
				t.Fatalf("two snapshots within %v", gap)
			}
		}
		now := time.Now()
		for name, v := range w.last().Patroni {
			if age := v.Status.Age(now); age > 4*time.Second {
				t.Errorf("%s is shown with an age of %v", name, age)
			}
		}
		cancel()
		<-w.done
	})
}

// TestWatchSlowly: what is asked once a minute and answers each time is known all the while.
func TestWatchSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := watchAll(ctx, uneven(newFleet([]byte(page))), inventory(2, 3), time.Minute)
		time.Sleep(time.Second)
		for range 600 {
			time.Sleep(time.Second)
			s, now := w.last(), time.Now()
			for name, v := range s.Patroni {
				if !v.Status.Current(now) || !v.Checks["/primary"].Current(now) {
					t.Fatalf("%s counts as not known %v after its answer", name, v.Status.Age(now))
				}
			}
			for host, o := range s.HAProxy {
				if !o.Current(now) {
					t.Fatalf("HAProxy on %s counts as not known %v after its answer", host, o.Age(now))
				}
			}
		}
		cancel()
		<-w.done
	})
}

// TestWatchSpreadsTheTurns: the first turns come together, and after them those
// of a large fleet are spread over the whole period; else all of them would be
// answered, and judged, in the same half of it.
func TestWatchSpreadsTheTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		inv := inventory(100, 2)
		const tenths, every = 10, 5 * time.Second
		t0 := time.Now()
		w := watchAll(ctx, uneven(f), inv, every)
		time.Sleep(10 * every)
		var turns [tenths]int
		for _, n := range inv.Nodes {
			for _, d := range f.dialled(string(n.Host)) {
				if since := d.Sub(t0); since > 3*every {
					turns[since%every*tenths/every]++
				}
			}
		}
		if least, most := slices.Min(turns[:]), slices.Max(turns[:]); most > 4*least {
			t.Errorf("turns in each tenth of the period: %v", turns)
		}
		cancel()
		<-w.done
	})
}

// What changes is told right after the answer, not with the next calm round.
func TestWatchTellsChangesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		f.delay["10.0.0.2 /primary"] = 50 * time.Millisecond // answers when the rest of the round is told already
		w := watchAll(ctx, tester(f), inventory(1, 3), 2*time.Second)
		time.Sleep(10500 * time.Millisecond)
		f.set(func() { f.role["10.0.0.2"] = "primary" })
		for before := len(f.dialled("10.0.0.2")); len(f.dialled("10.0.0.2")) == before; {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(250 * time.Millisecond)
		if code := w.last().Patroni["c0-2"].Checks["/primary"].Value; code != 200 {
			t.Errorf("a quarter of a second after it was asked the new leader is not told: %d", code)
		}
		cancel()
		<-w.done
	})
}

// Many changes at many moments are at most ten snapshots a second.
func TestWatchCoalescesChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		inv := inventory(20, 5)
		for i, n := range inv.Nodes {
			f.delay[string(n.Host)+" /patroni"] = time.Duration(i) * 10 * time.Millisecond
		}
		w := watchAll(ctx, tester(f), inv, 3*time.Second)
		time.Sleep(1600 * time.Millisecond) // the last node waits for its first turn, too
		snaps, at := w.all()
		if len(snaps) < 13 || len(snaps) > 16 {
			t.Errorf("%d snapshots, at %v", len(snaps), at)
		}
		known(t, snaps[len(snaps)-1], "c19-5")
		cancel()
		<-w.done
	})
}

func TestWatchBacksOffAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		inv := inventory(1, 2)
		inv.Clusters[0].LoadBalancers = inv.Clusters[0].LoadBalancers[1:] // node 1 has Patroni only: one dial a turn
		f.dead["10.0.0.1"] = true
		w := watchAll(ctx, tester(f), inv, 2*time.Second)
		time.Sleep(5 * time.Minute)
		var gaps []time.Duration
		dials := f.dialled("10.0.0.1")
		for i := 1; i < len(dials); i++ {
			gaps = append(gaps, dials[i].Sub(dials[i-1])-defaultTimeout)
		}
		if want := []time.Duration{1200, 4000, 8000, 15000, 15000}; len(gaps) < 5 || !slices.EqualFunc(gaps[:5], want, func(a, b time.Duration) bool { return a == b*time.Millisecond }) {
			t.Errorf("pauses %v, want %v milliseconds and so on", gaps, want)
		}
		if gaps[len(gaps)-1] != maxBackoff {
			t.Errorf("last pause %v", gaps[len(gaps)-1])
		}
		if n := len(f.dialled("10.0.0.2")); n < 5*30*3 {
			t.Errorf("the node that lives was dialled %d times only", n)
		}
		f.set(func() { delete(f.dead, "10.0.0.1") })
		time.Sleep(maxBackoff + 3*time.Second)
		known(t, w.last(), "c0-1")
		before := len(f.dialled("10.0.0.1"))
		time.Sleep(10 * time.Second)
		if n := len(f.dialled("10.0.0.1")) - before; n < 4*4 {
			t.Errorf("after its return the node is still asked rarely: %d dials in 10 s", n)
		}
		cancel()
		<-w.done
	})
}

func TestWatchSlowReaderGetsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		ch := tester(f).Watch(ctx, inventory(1, 1), 2*time.Second)
		time.Sleep(time.Minute) // nobody reads
		dials := len(f.dialled("10.0.0.1"))
		if dials < 30*3 {
			t.Errorf("%d dials: the reader holds up the probing", dials)
		}
		s := <-ch
		if age := time.Since(s.TakenAt); age > 2*time.Second {
			t.Errorf("the snapshot is %v old", age)
		}
		cancel()
		for range ch { // what was published before the end, then closed
		}
	})
}

func TestWatchEndsInTheMiddleOfAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		f.dead["10.0.0.1"] = true
		f.hang["10.0.0.2 /patroni"] = true
		p, inv := tester(f), inventory(1, 3)
		ch := p.Watch(ctx, inv, 2*time.Second)
		time.Sleep(150 * time.Millisecond)
		start := time.Now()
		cancel()
		for range ch {
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("it took %v to end", d)
		}
		// Leaving is not an answer: it must not be kept as the nodes' failure.
		targets, err := targetsOf(inv, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v := p.snapshot(inv, targets).Patroni["c0-1"]; v.Status.Err != nil {
			t.Errorf("%v", v.Status.Err)
		}
	})
}

func TestWatchWithoutClusters(t *testing.T) {
	if _, open := <-New(Options{}).Watch(t.Context(), &model.Inventory{}, 0); open {
		t.Error("a snapshot of nothing")
	}
}
