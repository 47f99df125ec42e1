// Package probe queries the nodes: Patroni, HAProxy and the files on
// disk. It only reads. Every answer, failures included, ends as data in a
// model.Snapshot.
package probe

import (
	"cmp"
	"context"
	"crypto/x509"

	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

const (
	defaultTimeout  = 2 * time.Second
	defaultInFlight = 256
	perNode         = 2 // requests in flight: Patroni has five threads and a short queue
)

// Options are a Prober's dependencies and limits. The zero value works.
type Options struct {
	// CAFile is the CA that signed Patroni's certificates; "" takes the
	// inventory's, and the system's when it has none.
	CAFile string
	// Timeout is for one request from connecting to the last byte; 2 s when 0.
	Timeout time.Duration
	// InFlight bounds the requests in flight to all nodes together; 256 when
	// 0. A dead node holds two of them for the whole Timeout.
	InFlight int
	// Dial opens connections; a net.Dialer's when nil.
	Dial postgres.DialFunc
	// Now is the clock; the system's when nil.
	Now func() time.Time
	// RequireAuth are the ways of login that a PostgreSQL server may ask for, as
	// in libpq's require_auth, such as "scram-sha-256"; "" is all but a password
	// in clear text.
	RequireAuth string
	// Jitter gives numbers in [0,1) that keep the nodes' turns apart;
	// math/rand when nil.
	Jitter func() float64
}

// Prober queries nodes. It remembers the last good answer of each, so that a
// failure is shown with the age of what was known before. It is safe for
// concurrent use.
type Prober struct {
	o     Options
	slots chan struct{}

	mu      sync.Mutex // guards what follows
	seq     uint64
	patroni map[place]model.PatroniView
	haproxy map[place]source.Observed[haproxy.Stats]
	vips    map[place]source.Observed[model.Host]
}

// place is what an answer belongs to: an instance that moves to another
// address starts with nothing known.
type place struct{ name, addr string }

// New makes a Prober.
func New(o Options) *Prober {
	o.Timeout, o.InFlight = cmp.Or(max(o.Timeout, 0), defaultTimeout), cmp.Or(max(o.InFlight, 0), defaultInFlight)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of an injected clock
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	return &Prober{
		o:       o,
		slots:   make(chan struct{}, o.InFlight),
		patroni: map[place]model.PatroniView{},
		haproxy: map[place]source.Observed[haproxy.Stats]{},
		vips:    map[place]source.Observed[model.Host]{},
	}
}

// Probe queries every node of the named clusters, of all clusters when none is
// named, once and at the same time. It takes at most a third more than one
// request's timeout, however many nodes are dead. What a node did not answer
// is in the snapshot as that target's error; Probe itself fails only when
// there was nothing to ask.
func (p *Prober) Probe(ctx context.Context, inv *model.Inventory, only ...model.ClusterName) (*model.Snapshot, error) {
	targets, err := targetsOf(inv, only)
	if err != nil {
		return nil, err
	}
	if err := source.Ended(ctx); err != nil {
		return nil, fmt.Errorf("the nodes were not probed: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout+p.o.Timeout/3)
	defer cancel()
	skipped := unasked(targets)
	a := p.asker(inv)
	var g guard.Group
	for i := range targets {
		t := &targets[i]
		g.Go("asking "+string(t.host), func() { p.sweep(ctx, a, t, func(bool) {}) }, func(err error) { p.blame(ctx, t, func(bool) {}, err) })
	}
	g.Wait()
	s := p.snapshot(inv, targets)
	s.PoolsUnasked = skipped
	return s, nil
}

// asker reads the CA file, when the inventory has use for one.
func (p *Prober) asker(inv *model.Inventory) *asker {
	a := &asker{dial: p.o.Dial, timeout: p.o.Timeout, now: p.o.Now}
	a.roots, a.rootErr = rootsOf(cmp.Or(p.o.CAFile, inv.CAFile), inv)
	return a
}

// Roots are the CAs that sign the certificates of the inventory's Patronis; nil
// trusts the system's.
func (p *Prober) Roots(inv *model.Inventory) (*x509.CertPool, error) {
	return rootsOf(cmp.Or(p.o.CAFile, inv.CAFile), inv)
}

// rootsOf reads a CA file, when the inventory has use for one.
func rootsOf(file string, inv *model.Inventory) (*x509.CertPool, error) {
	tls := func(c model.Cluster) bool {
		return slices.ContainsFunc(c.Instances, func(in model.Instance) bool { return in.PatroniTLS })
	}
	if file == "" || !slices.ContainsFunc(inv.Clusters, tls) {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("CA certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA certificate %s: no certificate in it", file)
	}
	return roots, nil
}

// snapshot is everything known of the targets now. A target that has not been
// probed yet is there with its zero value.
func (p *Prober) snapshot(inv *model.Inventory, targets []target) *model.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq++
	s := &model.Snapshot{
		Seq: p.seq, TakenAt: p.o.Now(), Inventory: inv,
		Patroni: make(map[model.InstanceName]model.PatroniView, len(targets)),
		HAProxy: make(map[model.Host]source.Observed[haproxy.Stats], len(targets)),
		VIP:     map[model.ClusterName]source.Observed[model.Host]{},
	}
	for i := range targets {
		t := &targets[i]
		for _, in := range t.instances {
			known := p.patroni[in.place()]
			view := model.PatroniView{
				Status: known.Status, Cluster: known.Cluster,
				Checks: make(map[string]source.Observed[int], len(in.checks)),
				Ports:  make([]model.PortView, len(in.ports)),
				Pool:   known.Pool,
			}
			for k, pt := range in.ports {
				view.Ports[k] = known.Port(pt.number)
			}
			for _, path := range in.checks {
				view.Checks[path] = known.Checks[path]
			}
			s.Patroni[in.name] = view
		}
		if t.vip != nil {
			s.VIP[t.vip.cluster] = p.vips[t.vip.place()]
		}
		if t.front {
			s.HAProxy[t.host] = p.haproxy[t.place()]
		}
	}
	return s
}

// Stats queries the stats page of one node, once and at once.
func (p *Prober) Stats(ctx context.Context, n model.Node) (haproxy.Stats, error) {
	p.mu.Lock()
	first := p.haproxy[(&target{host: n.Host, node: &n}).place()].Value.URI
	p.mu.Unlock()
	a := &asker{dial: p.o.Dial, timeout: p.o.Timeout, now: p.o.Now}
	st, err := a.stats(ctx, &n, first)
	if err != nil {
		return st, fmt.Errorf("%s: %w", n.Host, err)
	}
	return st, nil
}
