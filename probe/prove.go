package probe

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

const (
	// dialTimeout is for a look at one server's port without HAProxy.
	dialTimeout = time.Second
	// maxTries bounds the connections to one port.
	maxTries = 100
)

// Prove connects count times to every service port of the named clusters, of
// all clusters when none is named, through every HAProxy, as the monitoring
// user, and reads who answers. Each connection ends within 4 s; at most two
// are open at once to one node. A port that lets no one in is data.
func (p *Prober) Prove(ctx context.Context, inv *model.Inventory, count int, only ...model.ClusterName) map[model.PortKey]source.Observed[model.Proof] {
	count = min(max(count, 1), maxTries)
	slots := slotsOf(inv)
	var trials []*trial
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		if len(only) > 0 && !slices.Contains(only, c.Name) {
			continue
		}
		for j := range c.LoadBalancers {
			f := &c.LoadBalancers[j]
			for k := range f.Services {
				trials = append(trials, &trial{p: p, login: c.Monitor, svc: &f.Services[k], host: f.Host, slots: slots})
			}
		}
	}
	observed := func(t *trial, f func() model.Proof) (model.PortKey, source.Observed[model.Proof]) {
		return t.proof().PortKey, source.Observe(p.o.Now, func() (model.Proof, error) { return f(), nil })
	}
	return guard.Collect(trials, (*trial).doing, func(t *trial) (model.PortKey, source.Observed[model.Proof]) {
		return observed(t, func() model.Proof { return t.run(ctx, count) })
	}, func(t *trial, err error) (model.PortKey, source.Observed[model.Proof]) {
		proof := t.proof()
		proof.Tries = []model.Try{faultyTry(err)}
		return observed(t, func() model.Proof { return proof })
	})
}

// slotsOf gives every host of the inventory its share of connections.
func slotsOf(inv *model.Inventory) map[model.Host]chan struct{} {
	out := map[model.Host]chan struct{}{}
	for i := range inv.Clusters {
		for j := range inv.Clusters[i].LoadBalancers {
			f := &inv.Clusters[i].LoadBalancers[j]
			out[f.Host] = make(chan struct{}, perNode)
			for k := range f.Services {
				servers, _ := f.Services[k].Servers()
				for _, s := range servers {
					out[s.Host] = make(chan struct{}, perNode)
				}
			}
		}
	}
	return out
}

// trial is one port that is tried.
type trial struct {
	p     *Prober
	login model.Login
	svc   *model.Service
	host  model.Host
	slots map[model.Host]chan struct{} // of each node

	mu sync.Mutex
	db int // which of the login's databases lets us in
}

// faultyTry is a connection that pgtui itself has failed over. It shows nothing
// of the port.
func faultyTry(err error) model.Try { return model.Try{Fault: model.FaultOther, Text: err.Error()} }

// proof is one of the port without any tries.
func (t *trial) proof() model.Proof {
	return model.Proof{PortKey: model.PortKey{HAProxy: t.host, Cluster: t.svc.Cluster, Service: t.svc.Name}, Port: t.svc.Port}
}

func (t *trial) doing() string { return "trying " + t.svc.Proxy() + " on " + string(t.host) }

func (t *trial) run(ctx context.Context, count int) model.Proof {
	proof := t.proof()
	proof.Tries = make([]model.Try, count)
	var g guard.Group
	for i := range proof.Tries {
		g.Go(t.doing(), func() { proof.Tries[i] = t.try(ctx) }, func(err error) { proof.Tries[i] = faultyTry(err) })
	}
	g.Wait()
	for _, try := range proof.Tries {
		if try.Fault != "" && try.Fault != model.FaultNotTried || try.Connect >= model.SlowConnect {
			proof.Direct = t.direct(ctx)
			break
		}
	}
	if t.db < len(t.login.Databases) {
		proof.Database = t.login.Databases[t.db]
	}
	return proof
}

// try makes one connection within the limits, and another one to the next
// database where a pooler does not know the first.
func (t *trial) try(ctx context.Context) model.Try {
	leave, err := t.p.enter(ctx, t.slots[t.host])
	if err != nil {
		return model.Try{Fault: model.FaultNotTried, Text: "not tried: its turn did not come"}
	}
	defer leave()
	addr := net.JoinHostPort(string(t.host), t.svc.Port)
	for {
		t.mu.Lock()
		i := t.db
		t.mu.Unlock()
		if i >= len(t.login.Databases) {
			return model.Try{Fault: model.FaultDatabase, Text: "no database to connect to"}
		}
		try := t.p.connect(ctx, addr, t.login, t.login.Databases[i], postgres.ProveTimeout)
		if try.Fault != model.FaultDatabase || i+1 >= len(t.login.Databases) {
			return try
		}
		t.mu.Lock()
		t.db = max(t.db, i+1)
		t.mu.Unlock()
	}
}

// enter waits until one more connection is allowed, to the host of the slots and to
// all hosts together.
func (p *Prober) enter(ctx context.Context, host chan struct{}) (leave func(), err error) {
	if err := take(ctx, host); err != nil {
		return nil, err
	}
	if err := take(ctx, p.slots); err != nil {
		<-host
		return nil, err
	}
	return func() { <-p.slots; <-host }, nil
}

// connect is one connection, one question, one goodbye, within that time.
func (p *Prober) connect(ctx context.Context, addr string, login model.Login, db string, limit time.Duration) model.Try {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	line := p.line(addr)
	defer line.Close()
	conn, try := p.identify(ctx, line, login, db, limit)
	if conn != nil {
		_ = conn.Close(ctx) // the question is answered or lost already
	}
	return try
}

// line is a connection that is not open yet.
func (p *Prober) line(addr string) *postgres.Line {
	return &postgres.Line{Dial: p.o.Dial, Addr: addr, Now: p.o.Now, Auth: p.o.RequireAuth}
}

// direct connects to the port of each server of the service without HAProxy,
// and sends nothing to it.
func (t *trial) direct(ctx context.Context) []model.DirectPort {
	servers, _ := t.svc.Servers()
	out := make([]model.DirectPort, len(servers))
	var g guard.Group
	for i, s := range servers {
		out[i] = model.DirectPort{Instance: s.Name, Addr: net.JoinHostPort(string(s.Host), s.Port)}
		g.Go("trying "+out[i].Addr, func() {
			leave, err := t.p.enter(ctx, t.slots[s.Host])
			if err != nil {
				out[i].Fault, out[i].Text = model.FaultNotTried, "not tried: its turn did not come"
				return
			}
			defer leave()
			ctx, cancel := context.WithTimeout(ctx, dialTimeout)
			defer cancel()
			conn, err := t.p.o.Dial(ctx, "tcp", out[i].Addr)
			if err != nil {
				try := postgres.FaultOf(err, out[i].Addr, dialTimeout)
				out[i].Fault, out[i].Text = try.Fault, try.Text
				return
			}
			_ = conn.Close()
		}, func(err error) { out[i].Fault, out[i].Text = model.FaultNotTried, err.Error() })
	}
	g.Wait()
	return out
}
