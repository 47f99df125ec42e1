package handover

import (
	"context"
	"slices"
	"sync"
	"time"

	"pgtui/internal/soak"
	"pgtui/model"
)

// clientEvery is the time between two connections of the independent client.
const clientEvery = 100 * time.Millisecond

// client connects through one HAProxy's primary port again and again, and
// remembers what came of it. It shares nothing with pgtui's own clients.
type client struct {
	mu      sync.Mutex
	answers []soak.Answer
}

// run connects until ctx ends. No connection waits for the one before.
func (c *client) run(ctx context.Context, host model.Host, login model.Login) {
	var all sync.WaitGroup
	tick := time.NewTicker(clientEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		all.Go(func() {
			begun := time.Now()
			a := soak.Connect(context.WithoutCancel(ctx), string(host), "5433", login)
			a.Start, a.End = begun, time.Now()
			c.mu.Lock()
			c.answers = append(c.answers, a)
			c.mu.Unlock()
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	all.Wait()
}

// longest is the longest time between the ends of two connections that were
// served by a primary, with one between them that was not; 0 when all were.
func (c *client) longest() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return longest(c.answers)
}

// longest is the gap that a client sees: from the last answer of a primary that
// was begun before a failure to the first that was begun after it.
func longest(answers []soak.Answer) time.Duration {
	var out time.Duration
	for _, bad := range answers {
		if served(&bad) {
			continue
		}
		var before, after time.Time
		for i := range answers {
			a := &answers[i]
			switch {
			case !served(a):
			case a.Start.Before(bad.Start):
				if a.End.After(before) {
					before = a.End
				}
			case after.IsZero() || a.End.Before(after):
				after = a.End
			}
		}
		if !before.IsZero() && !after.IsZero() {
			out = max(out, after.Sub(before))
		}
	}
	return out
}

// served reports whether a primary answered.
func served(a *soak.Answer) bool { return a.Fault == "" && !a.Recovery }

// slack is how exact the client's own measure is on this machine: its slowest
// connection that was served, and the longest pause between two beginnings above
// clientEvery.
func (c *client) slack() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var slow, late time.Duration
	starts := make([]time.Time, 0, len(c.answers))
	for i := range c.answers {
		a := &c.answers[i]
		starts = append(starts, a.Start)
		if served(a) {
			slow = max(slow, a.End.Sub(a.Start))
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	for i := 1; i < len(starts); i++ {
		late = max(late, starts[i].Sub(starts[i-1])-clientEvery)
	}
	return slow + late
}
