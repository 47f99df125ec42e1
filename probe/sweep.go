package probe

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/source"
)

// target is one host and what is probed of it.
type target struct {
	host      model.Host
	node      *model.Node // nil when the inventory has none of that name
	front     bool        // its HAProxy is probed
	large     bool        // it is one of more than fewHAProxies
	instances []instance
	vip       *vip // this target is a VIP, and nothing else is probed of it
}

// instance is one Patroni of a target.
type instance struct {
	name   model.InstanceName
	addr   string
	tls    bool
	checks []string // as the services have them, each once, and what proves the leader key
	ports  []serverPort
	pool   *pool // nil when it is not probed
}

// instancesOf is an iterator over the instances of all targets.
func instancesOf(targets []target) iter.Seq[*instance] {
	return func(yield func(*instance) bool) {
		for i := range targets {
			for j := range targets[i].instances {
				if !yield(&targets[i].instances[j]) {
					return
				}
			}
		}
	}
}

func (in instance) place() place { return place{string(in.name), in.addr} }

func (t *target) place() place {
	pl := place{name: string(t.host)}
	if t.node != nil {
		pl.addr = strconv.Itoa(int(t.node.HAProxy.Port))
	}
	return pl
}

// targetsOf lists the hosts of the clusters, each once, in inventory order.
func targetsOf(inv *model.Inventory, only []model.ClusterName) ([]target, error) {
	if inv == nil || len(inv.Clusters) == 0 {
		return nil, errors.New("probe: the inventory has no PostgreSQL cluster")
	}
	for _, name := range only {
		if inv.Cluster(name) == nil {
			return nil, fmt.Errorf("probe: the inventory has no cluster %q", name)
		}
	}
	var out []target
	place := map[model.Host]int{}
	at := func(h model.Host) *target {
		i, ok := place[h]
		if !ok {
			i = len(out)
			place[h] = i
			out = append(out, target{host: h, node: inv.Node(h)})
		}
		return &out[i]
	}
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		if len(only) > 0 && !slices.Contains(only, c.Name) {
			continue
		}
		checks, ports := checksOf(c), portsOf(c)
		for _, in := range c.Instances {
			t := at(in.Host)
			t.instances = append(t.instances, instance{
				name:   in.Name,
				addr:   net.JoinHostPort(string(in.Host), strconv.Itoa(int(in.PatroniPort))),
				tls:    in.PatroniTLS,
				checks: withLock(c, checks[in.Name]),
				ports:  ports[in.Name],
				pool:   poolOf(c, &in, ports[in.Name]),
			})
		}
		for _, f := range c.LoadBalancers {
			at(f.Host).front = true
		}
	}
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		if v := vipOf(inv, c); v != nil && (len(only) == 0 || slices.Contains(only, c.Name)) {
			out = append(out, target{host: model.Host(c.VIP), vip: v})
		}
	}
	fronts := 0
	for i := range out {
		if out[i].front {
			fronts++
		}
	}
	for i := range out {
		out[i].large = fronts > fewHAProxies
	}
	return out, nil
}

// checksOf are the check paths of the services that have the instance as a
// server, each once.
func checksOf(c *model.Cluster) map[model.InstanceName][]string {
	out := map[model.InstanceName][]string{}
	for i := range c.LoadBalancers {
		for j := range c.LoadBalancers[i].Services {
			svc := &c.LoadBalancers[i].Services[j]
			servers, _ := svc.Servers()
			for _, s := range servers {
				if !slices.Contains(out[s.Name], svc.Check) {
					out[s.Name] = append(out[s.Name], svc.Check)
				}
			}
		}
	}
	return out
}

// withLock adds the check that proves the leader key where no service has one.
func withLock(c *model.Cluster, checks []string) []string {
	if slices.ContainsFunc(checks, func(path string) bool { return model.LockOnly(path, c.Standby) }) {
		return checks
	}
	return append(slices.Clone(checks), model.LockCheck)
}

// turn is one round of questions to one host.
type turn struct {
	p     *Prober
	a     *asker
	slots chan struct{} // of this host
	note  func(news bool)
	doing string // "asking 10.10.10.11"
	mu    sync.Mutex
	alive bool
}

// sweep probes everything of t once, and reports whether anything answered. note is
// called after each answer that was recorded; news reports whether it differs in
// more than its age and counters.
func (p *Prober) sweep(ctx context.Context, a *asker, t *target, note func(news bool)) bool {
	r := &turn{p: p, a: a, slots: make(chan struct{}, perNode), note: note, doing: "asking " + string(t.host)}
	var g guard.Group
	if t.vip != nil {
		g.Go(r.doing, func() { r.askVIP(ctx, t.vip) }, func(err error) { r.keepVIP(ctx, t.vip, faulty[model.Host](r, err)) })
	}
	if t.front {
		g.Go(r.doing, func() { r.askHAProxy(ctx, t) }, func(err error) { r.keepHAProxy(ctx, t.place(), faulty[haproxy.Stats](r, err)) })
	}
	for _, in := range t.instances {
		g.Go(r.doing, func() { r.askPatroni(ctx, in) }, func(err error) { r.keepStatus(ctx, in, faulty[model.PatroniStatus](r, err)) })
	}
	g.Wait()
	return r.alive
}

// blame makes err the answer of everything that t was to be probed.
func (p *Prober) blame(ctx context.Context, t *target, note func(bool), err error) {
	r := &turn{p: p, note: note}
	if t.vip != nil {
		r.keepVIP(ctx, t.vip, faulty[model.Host](r, err))
	}
	if t.front {
		r.keepHAProxy(ctx, t.place(), faulty[haproxy.Stats](r, err))
	}
	for _, in := range t.instances {
		r.keepStatus(ctx, in, faulty[model.PatroniStatus](r, err))
	}
}

// faulty is the answer of a question that pgtui itself has failed over.
func faulty[T any](r *turn, err error) answer[T] { return answer[T]{err: err, at: r.p.o.Now()} }

func (r *turn) askHAProxy(ctx context.Context, t *target) {
	pl := t.place()
	r.keepHAProxy(ctx, pl, do(ctx, r, func(ctx context.Context) (haproxy.Stats, error) {
		if t.node == nil {
			return haproxy.Stats{}, fmt.Errorf("haproxy: %s is not a host of the inventory", t.host)
		}
		r.p.mu.Lock()
		old := r.p.haproxy[pl].Value
		r.p.mu.Unlock()
		st, err := r.a.stats(ctx, t.node, old.URI)
		if err != nil {
			return st, err
		}
		st.Process = r.a.process(ctx, t, old.Process, &st)
		return st, nil
	}))
}

func (r *turn) keepHAProxy(ctx context.Context, pl place, got answer[haproxy.Stats]) {
	r.record(ctx, func() bool {
		old := r.p.haproxy[pl]
		r.p.haproxy[pl] = got.after(old)
		return isNews(old, got, sameStats)
	})
}

// askPatroni requests the status first: when no one answers that, the other
// questions would only take their time to fail the same way. The ports behind
// it are probed as long as there is a way to the node.
func (r *turn) askPatroni(ctx context.Context, in instance) {
	p := patroniAPI{r.a, in.addr, in.tls}
	st := do(ctx, r, p.status)
	r.keepStatus(ctx, in, st)
	var g guard.Group
	if dead(st.err) {
		for _, path := range in.checks {
			r.keepCheck(ctx, in, path, answer[int]{err: st.err, at: st.at})
		}
		r.keepCluster(ctx, in, answer[model.PatroniCluster]{err: st.err, at: st.at})
		if !reached(st.err) {
			r.losePorts(ctx, in, st.err)
			return
		}
	} else {
		r.askRest(ctx, &g, p, in)
	}
	for _, pt := range in.ports {
		g.Go(r.doing, func() { r.askPort(ctx, in, pt) }, func(error) {}) // then nothing is known of the port
	}
	g.Wait()
	if in.pool != nil { // it comes last: who serves is known without it
		g.Go(r.doing, func() { r.askPool(ctx, in) }, func(error) {}) // as above
		g.Wait()
	}
}

// askRest probes everything but the status of a Patroni that answers.
func (r *turn) askRest(ctx context.Context, g *guard.Group, p patroniAPI, in instance) {
	for _, path := range in.checks {
		g.Go(r.doing, func() {
			r.keepCheck(ctx, in, path, do(ctx, r, func(ctx context.Context) (int, error) { return p.check(ctx, "/"+strings.TrimPrefix(path, "/")) }))
		}, func(err error) { r.keepCheck(ctx, in, path, faulty[int](r, err)) })
	}
	g.Go(r.doing, func() { r.keepCluster(ctx, in, do(ctx, r, p.cluster)) },
		func(err error) { r.keepCluster(ctx, in, faulty[model.PatroniCluster](r, err)) })
}

func (r *turn) keepStatus(ctx context.Context, in instance, st answer[model.PatroniStatus]) {
	r.view(ctx, in, func(v *model.PatroniView) bool { return st.replace(&v.Status, sameStatus) })
}

func (r *turn) keepCheck(ctx context.Context, in instance, path string, got answer[int]) {
	r.view(ctx, in, func(v *model.PatroniView) bool {
		o := v.Checks[path]
		news := got.replace(&o, same)
		v.Checks[path] = o
		return news
	})
}

func (r *turn) keepCluster(ctx context.Context, in instance, got answer[model.PatroniCluster]) {
	r.view(ctx, in, func(v *model.PatroniView) bool { return got.replace(&v.Cluster, sameCluster) })
}

// view changes what is known of one instance.
func (r *turn) view(ctx context.Context, in instance, change func(*model.PatroniView) bool) {
	r.record(ctx, func() bool {
		v := r.p.patroni[in.place()]
		if v.Checks == nil {
			v.Checks = map[string]source.Observed[int]{}
		}
		news := change(&v)
		r.p.patroni[in.place()] = v
		return news
	})
}

// record runs change under the lock and reports it, unless the answer is only
// that somebody has left.
func (r *turn) record(ctx context.Context, change func() bool) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	r.note(func() bool {
		r.p.mu.Lock()
		defer r.p.mu.Unlock() // also when change panics
		return change()
	}())
}

// answer is how one request ended.
type answer[T any] struct {
	v    T
	err  error
	at   time.Time
	took time.Duration

	holds time.Duration // model.Observed.Holds
}

// after is what is known once the answer is in.
func (a answer[T]) after(old source.Observed[T]) source.Observed[T] {
	old.Holds = a.holds
	return old.Next(a.v, a.err, a.at, a.took)
}

// replace puts the answer in the place of an older one, and reports whether it is
// news.
func (a answer[T]) replace(o *source.Observed[T], same func(a, b T) bool) bool {
	old := *o
	*o = a.after(old)
	return isNews(old, a, same)
}

// do runs one request within the limits.
func do[T any](ctx context.Context, r *turn, f func(context.Context) (T, error)) answer[T] {
	a := answer[T]{holds: r.a.holds}
	start := r.p.o.Now()
	leave, err := r.p.enter(ctx, r.slots)
	if a.err = err; err == nil {
		defer leave()
		start = r.p.o.Now()
		a.v, a.err = safely(ctx, r.doing, f)
	}
	a.at = r.p.o.Now()
	a.took = max(0, a.at.Sub(start))
	if !dead(a.err) {
		r.mu.Lock()
		r.alive = true
		r.mu.Unlock()
	}
	return a
}

// safely makes a fault of pgtui's own over one answer that answer's error: it
// must not take the console, and the terminal, with it.
func safely[T any](ctx context.Context, doing string, f func(context.Context) (T, error)) (v T, err error) {
	if fault := guard.Do(doing, func() { v, err = f(ctx) }); fault != nil {
		return v, &failure{text: fault.Error(), cause: fault, answered: true}
	}
	return v, err
}

func take(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &failure{text: "not checked: the probe ended before its turn", cause: source.Ended(ctx)}
	}
}
