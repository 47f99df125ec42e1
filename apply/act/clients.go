package act

import (
	"context"
	"slices"
	"sync"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
	"pgtui/plan/action"
)

// clientEvery is how often a probe client connects, and clientLimit how long one
// connection may take. A connection that hangs does not hold up the next ones.
const (
	clientEvery = 200 * time.Millisecond
	clientLimit = time.Second
)

// clientTarget is where one probe client connects.
type clientTarget struct {
	host model.Host
	trace.Target
}

// primaryTargets are the primary ports of every HAProxy of the cluster.
func (r *run) primaryTargets() []clientTarget {
	c := r.cluster()
	var out []clientTarget
	for i := range c.LoadBalancers {
		f := &c.LoadBalancers[i]
		at := slices.IndexFunc(f.Services, func(s model.Service) bool { return s.Name == "primary" })
		if at < 0 {
			at = slices.IndexFunc(f.Services, func(s model.Service) bool { return model.WantsPrimary(s.Check) })
		}
		if at < 0 {
			continue
		}
		port := access.PortNumber(f.Services[at].Port)
		d := access.DsnOf(c, access.ServicePort(c, &f.Services[at], port), port, string(f.Host))
		out = append(out, clientTarget{f.Host, trace.Target{DSN: d, Login: c.Monitor, As: "the monitoring user"}})
	}
	return out
}

// try is one connection of a client.
func (r *run) try(ctx context.Context, t *clientTarget, snap *model.Snapshot) trace.Sample {
	begun := r.Now()
	got := r.Connect(ctx, r.inv, t.Target, clientLimit, false)
	if len(got) == 0 {
		return trace.Sample{At: begun, Done: r.Now(), Fault: "no connection was tried"}
	}
	s, _ := trace.SampleOf(snap, r.inv, t.Target, &got[len(got)-1], begun, r.Now())
	return s
}

// clients are the probe clients of a run.
type clients struct {
	cancel context.CancelFunc
	group  guard.Group

	mu     sync.Mutex
	snap   *model.Snapshot
	gaps   []action.Client
	served []time.Time // when the latest connection that was served began, by client
	beats  []action.Beats
	call   time.Time // when the call was sent; zero before
}

// clientsTold is how often a run reports what its clients see.
const clientsTold = 500 * time.Millisecond

// connectClients starts one client for each HAProxy: it connects through the primary
// port again and again.
func (r *run) connectClients(ctx context.Context, snap *model.Snapshot) *clients {
	targets := r.primaryTargets()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cs := &clients{cancel: cancel, snap: snap, gaps: make([]action.Client, len(targets)), served: make([]time.Time, len(targets)), beats: make([]action.Beats, len(targets))}
	for i := range targets {
		t := &targets[i]
		cs.gaps[i].Host, cs.beats[i].From = t.host, r.Now()
		cs.group.Go("a client through "+string(t.host), func() {
			tick := time.NewTicker(clientEvery)
			defer tick.Stop()
			for ctx.Err() == nil {
				cs.group.Go("a connection through "+string(t.host), func() {
					s := r.try(ctx, t, cs.seen())
					if ctx.Err() == nil { // else this end interrupted it
						cs.add(i, s)
					}
				}, func(error) {})
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		}, func(error) {})
	}
	cs.group.Go("reporting what the clients see", func() { r.tellClients(ctx, cs) }, func(error) {})
	return cs
}

// tellClients reports what the clients see until they end, and a last time then.
func (r *run) tellClients(ctx context.Context, cs *clients) {
	tick := time.NewTicker(clientsTold)
	defer tick.Stop()
	for before := []action.ClientNow(nil); ; {
		over := ctx.Err() != nil
		now, call := cs.now(r.Now())
		for _, what := range action.ClientNews(before, now, call) {
			r.tell(action.Event{State: action.Waiting, What: what, Clients: now})
		}
		if before = now; len(now) > 0 {
			r.tell(action.Event{State: action.Waiting, Clients: now})
		}
		if over {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// keep writes what probe clients saw into the report.
func (r *run) keep(seen []action.Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rep.Clients = seen
	for i := range seen {
		r.rep.Longest = max(r.rep.Longest, seen[i].Gap.Longest)
	}
}

func (cs *clients) seen() *model.Snapshot {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.snap
}

// see gives the clients the latest answers, by which they name who answered.
func (cs *clients) see(s *model.Snapshot) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.snap = s
}

// add takes a sample. One that fails although a later connection was served says
// nothing of now.
func (cs *clients) add(i int, s trace.Sample) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.beats[i].Add(&s)
	switch g := &cs.gaps[i].Gap; {
	case s.Fault != "" && s.At.Before(cs.served[i]):
		g.Failed++
	default:
		if s.Fault == "" && s.At.After(cs.served[i]) {
			cs.served[i] = s.At
		}
		g.Add(s, true)
	}
}

// called notes when the call was sent.
func (cs *clients) called(at time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.call = at
}

// now is what the clients see, and when the call was sent.
func (cs *clients) now(at time.Time) ([]action.ClientNow, time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	out := make([]action.ClientNow, len(cs.gaps))
	for i := range cs.gaps {
		out[i] = action.NowOf(&cs.gaps[i], &cs.beats[i], at)
	}
	return out, cs.call
}

// stop ends the clients and returns what each saw.
func (cs *clients) stop() []action.Client {
	cs.cancel()
	cs.group.Wait()
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.gaps
}
