// Package soak tests whether the board is right: it breaks the lab in a seeded
// random order while real clients connect through every service port, and
// compares each answer with the board of that moment. It is `make soak`, and in
// a short form the lab test TestLabAgreement.
package soak

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"pgtui/model"
	"pgtui/probe"
)

// Options are the settings of Run. Lab, Inventory, Cluster and Now are required.
type Options struct {
	Lab       Lab
	Inventory *model.Inventory
	Cluster   model.ClusterName
	Login     model.Login   // of the clients
	For       time.Duration // the time in which faults begin; Run ends some time later
	Only      string        // a regular expression of the kinds of faults; "" is all
	Seed      uint64        // the same seed gives the same faults in the same order
	Every     time.Duration // between two probes of a node; 500 ms when 0
	Log       io.Writer     // progress and evidence; nowhere when nil
	Now       func() time.Time
}

// maxEvidence is the number of disagreements that are printed in full.
const maxEvidence = 20

// clientGap is the time between two connections to one port.
const clientGap = 500 * time.Millisecond

// campaign is one call of Run.
type campaign struct {
	Options
	cluster *model.Cluster
	rng     *rand.Rand
	ready   chan struct{} // closed when there is a board

	proofs  sync.WaitGroup
	mu      sync.Mutex             // guards what follows, and Log
	proving map[model.PortKey]bool // ports with a running proof
	printed int                    // number of disagreements that were printed
	judge   *Judge
	faults  []Event
}

// Run breaks and compares until o.For has passed. The error is of Run itself; a
// wrong board is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &campaign{Options: o, proving: map[model.PortKey]bool{}, cluster: o.Inventory.Cluster(o.Cluster), ready: make(chan struct{})}
	if r.cluster == nil {
		return nil, fmt.Errorf("soak: the inventory has no cluster %q", o.Cluster)
	}
	r.Every, r.Log = cmp.Or(r.Every, 500*time.Millisecond), cmp.Or(r.Log, io.Discard)
	r.rng = Random(o.Seed)
	r.judge = NewJudge(r.cluster)
	start := r.Now()

	work, stop := context.WithCancel(ctx)
	defer stop()
	var clients, watchers sync.WaitGroup
	prober := probe.New(probe.Options{})
	watchCtx, stopWatch := context.WithCancel(ctx)
	defer stopWatch()
	watchers.Go(func() { r.watch(watchCtx, prober) })
	watchers.Go(func() { r.heartbeat(watchCtx) })
	select {
	case <-r.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for i := range r.cluster.LoadBalancers {
		f := &r.cluster.LoadBalancers[i]
		for j := range f.Services {
			clients.Go(func() { r.client(work, f.Host, &f.Services[j]) })
		}
	}
	err := r.breakThings(ctx)
	stop()
	clients.Wait()
	// The last answers are judged by the boards after them.
	pause(ctx, 4*r.Every)
	r.proofs.Wait()
	stopWatch()
	watchers.Wait()

	printed := len(r.judge.report.Disagreements)
	rep := r.judge.Report()
	r.print(rep.Disagreements[printed:])
	r.mu.Lock()
	defer r.mu.Unlock()
	rep.Seed, rep.Took, rep.Faults = o.Seed, r.Now().Sub(start), r.faults
	if err != nil && !errors.Is(err, context.Canceled) {
		return rep, err
	}
	return rep, nil
}

// Random is the source of a run's choices. ChaCha8 mixes the seed at once: the
// first draws of neighbouring seeds have nothing in common.
func Random(seed uint64) *rand.Rand {
	var b [32]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	return rand.New(rand.NewChaCha8(b))
}

// watch gives the judge every snapshot.
func (r *campaign) watch(ctx context.Context, p *probe.Prober) {
	first := true
	for s := range p.Watch(ctx, r.Inventory, r.Every, r.Cluster) {
		r.mu.Lock()
		bad := r.judge.Observed(s)
		r.mu.Unlock()
		if first {
			close(r.ready)
			first = false
		}
		r.print(bad)
	}
}

// heartbeat notices a stall of this machine, and so perhaps of the whole lab on
// it: a pause of 50 ms that took much longer.
func (r *campaign) heartbeat(ctx context.Context) {
	const beat, late = 50 * time.Millisecond, 250 * time.Millisecond
	for last := r.Now(); pause(ctx, beat); {
		now := r.Now()
		if now.Sub(last) > late {
			r.mu.Lock()
			r.judge.Stalled(last, now)
			r.mu.Unlock()
		}
		last = now
	}
}

// print prints evidence at once: a run that is interrupted has printed it.
func (r *campaign) print(bad []Disagreement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range bad {
		if r.printed++; r.printed > maxEvidence {
			fmt.Fprintf(r.Log, "DISAGREEMENT %s: %s through %s, %s\n", bad[i].Kind, bad[i].Answer.Service, bad[i].Answer.Host, clock(bad[i].Answer.Start))
			continue
		}
		fmt.Fprintf(r.Log, "DISAGREEMENT\n%s\n", bad[i].Text(r.faults))
	}
}

// client connects to one port, again and again. It does not wait for the end of
// the connection before.
func (r *campaign) client(ctx context.Context, host model.Host, svc *model.Service) {
	var open sync.WaitGroup
	defer open.Wait()
	for ok := true; ok; ok = pause(ctx, clientGap) {
		open.Go(func() { r.connect(ctx, host, svc) })
	}
}

// connect makes one connection to one port and gives its answer to the judge.
func (r *campaign) connect(ctx context.Context, host model.Host, svc *model.Service) {
	start := r.Now()
	a := Connect(ctx, string(host), svc.Port, r.Login)
	if ctx.Err() != nil {
		return
	}
	a.Host, a.Service, a.Start, a.End = host, svc.Name, start, r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	doubt := r.judge.Answered(a)
	if key := (model.PortKey{HAProxy: host, Cluster: r.Cluster, Service: svc.Name}); doubt && !r.proving[key] {
		r.proving[key] = true
		r.proofs.Go(func() { r.prove(context.WithoutCancel(ctx), key) })
	}
}

// prove runs the proof of `pgtui status --prove` for a port that fails although
// the board calls it serving.
func (r *campaign) prove(ctx context.Context, key model.PortKey) {
	p := probe.New(probe.Options{})
	before, err := p.Probe(ctx, r.Inventory, r.Cluster)
	start := r.Now()
	var s *model.Snapshot
	if err == nil {
		inv, servers := r.only(key)
		proofs := p.Prove(ctx, inv, servers+2, r.Cluster) // clients too get one server after the other
		if s, err = p.Probe(ctx, r.Inventory, r.Cluster); err == nil {
			s = s.Proved(before, proofs)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.judge.Proved(start, s)
	}
	delete(r.proving, key)
}

// only is the inventory reduced to one port, and the number of servers that the
// board has for it.
func (r *campaign) only(key model.PortKey) (inv *model.Inventory, servers int) {
	c := *r.cluster
	c.LoadBalancers = []model.LoadBalancer{{Host: key.HAProxy, Services: []model.Service{*r.cluster.LoadBalancer(key.HAProxy).Service(key.Service)}}}
	few := *r.Inventory
	few.Clusters = []model.Cluster{c}
	if v := viewOf(r.board(), Answer{Host: key.HAProxy, Service: key.Service}); v != nil {
		servers = len(v.Serving)
	}
	return &few, max(1, servers)
}

// pause reports whether d passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
