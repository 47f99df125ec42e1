package probe

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// How long the last answer of a port lasts before it is probed again. No one
// else looks after pgbouncer, so it is probed in every turn of a usual watch.
// Patroni looks after PostgreSQL, which may log every connection: its port is
// probed seldom. One that is shut is probed in every turn. One that does not answer is
// not: what it has not accepted waits in its queue.
const (
	poolerGap   = time.Second
	postgresGap = 30 * time.Second
	silentGap   = 10 * time.Second

	// A watch of more ports than few queries them in every third turn at most.
	fewPorts   = 200
	portRounds = 3
)

// serverPort is one port of an instance that services lead to.
type serverPort struct {
	number string
	addr   string
	pooler bool // pgbouncer's
	gap    time.Duration
}

// name is what listens there.
func (p serverPort) name() string {
	if p.pooler {
		return "pgbouncer"
	}
	return "PostgreSQL"
}

// portsOf are the ports that services send clients to, by instance, each once:
// PostgreSQL's and pgbouncer's, for what listens on others may not speak their
// protocol. They come in order.
func portsOf(c *model.Cluster) map[model.InstanceName][]serverPort {
	out := map[model.InstanceName][]serverPort{}
	for i := range c.LoadBalancers {
		for j := range c.LoadBalancers[i].Services {
			servers, _ := c.LoadBalancers[i].Services[j].Servers()
			for _, s := range servers {
				in := c.Instance(s.Name)
				if in == nil || slices.ContainsFunc(out[s.Name], func(p serverPort) bool { return p.number == s.Port }) {
					continue
				}
				pt := serverPort{number: s.Port, addr: net.JoinHostPort(string(in.Host), s.Port), gap: postgresGap}
				if in.Pools(s.Port) {
					pt.pooler, pt.gap = true, poolerGap
				} else if s.Port != strconv.Itoa(int(in.PgPort)) {
					continue
				}
				out[s.Name] = append(out[s.Name], pt)
			}
		}
	}
	for _, ports := range out {
		slices.SortFunc(ports, func(a, b serverPort) int { return strings.Compare(a.number, b.number) })
	}
	return out
}

// easy spares a large fleet: where the targets have many ports, none that is
// healthy is probed again before portRounds turns of a watch have passed, and
// pgbouncers' consoles are probed once a minute.
func easy(targets []target, every time.Duration) {
	if !manyPorts(targets) {
		return
	}
	for in := range instancesOf(targets) {
		if in.pool != nil {
			in.pool.gap = manyConsolesGap
		}
		for k := range in.ports {
			in.ports[k].gap = max(in.ports[k].gap, min(portRounds*every, postgresGap))
		}
	}
}

// manyPorts reports whether the targets have more than fewPorts.
func manyPorts(targets []target) bool {
	ports := 0
	for in := range instancesOf(targets) {
		ports += len(in.ports)
	}
	return ports > fewPorts
}

// due reports whether a port is to be probed again.
func (p serverPort) due(old model.PortView, now time.Time) bool {
	gap := p.gap
	switch {
	case old.Value.Refused:
		gap = 0
	case old.Err != nil, old.Value.Why != "":
		gap = silentGap
	}
	return old.Tried.IsZero() || now.Sub(old.Tried) >= gap
}

// losePorts is what is known of an instance's ports when there is no way to it:
// nothing any more, and they are probed as soon as there is one again.
func (r *turn) losePorts(ctx context.Context, in instance, why error) {
	r.view(ctx, in, func(v *model.PatroniView) bool {
		ports := make([]model.PortView, len(in.ports))
		for i, pt := range in.ports {
			ports[i] = v.Port(pt.number)
			ports[i].Err, ports[i].Tried = why, time.Time{}
		}
		v.Ports = ports
		if in.pool != nil {
			v.Pool.Err, v.Pool.Tried = why, time.Time{}
		}
		return false // the status is news already
	})
}

// askPort probes whether one port speaks PostgreSQL's protocol.
func (r *turn) askPort(ctx context.Context, in instance, pt serverPort) {
	r.p.mu.Lock()
	old := r.p.patroni[in.place()].Port(pt.number)
	r.p.mu.Unlock()
	if !pt.due(old, r.p.o.Now()) {
		return
	}
	got := do(ctx, r, func(ctx context.Context) (model.PortState, error) { return r.p.shut(ctx, pt) })
	r.view(ctx, in, func(v *model.PatroniView) bool {
		now := model.PortView{Port: pt.number, Observed: v.Port(pt.number).Observed}
		news := got.replace(&now.Observed, same)
		v.Ports = slices.DeleteFunc(slices.Clone(v.Ports), func(p model.PortView) bool { return p.Port == pt.number })
		v.Ports = append(v.Ports, now)
		return news
	})
}

// shut reports why a port takes no connections; "" when it speaks PostgreSQL's
// protocol. Only what the node itself has answered counts: that no connection
// comes about may be a firewall's doing, or this machine's, and is an error.
func (p *Prober) shut(ctx context.Context, pt serverPort) (st model.PortState, err error) {
	limited, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	connected := false
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := p.o.Dial(ctx, network, addr)
		connected = err == nil
		return c, err
	}
	_, err = postgres.SSLRequest(limited, dial, pt.addr)
	if err == nil || ctx.Err() != nil {
		return st, source.Ended(ctx)
	}
	try := postgres.FaultOf(err, pt.addr, p.o.Timeout)
	switch {
	case try.Fault == model.FaultRefused:
		st = model.PortState{Refused: true, Why: fmt.Sprintf("port %s refuses connections: no %s listens there", pt.number, pt.name())}
	case !connected:
		return st, fmt.Errorf("port %s cannot be reached from here: %s", pt.number, text.Line(postgres.LastCause(err), 120))
	case try.Fault == model.FaultTimeout:
		st.Why = fmt.Sprintf("port %s takes connections and does not answer within %v: %s hangs", pt.number, p.o.Timeout, pt.name())
	case try.Fault == model.FaultClosed:
		st.Why = fmt.Sprintf("port %s accepts connections and closes them: %s is not healthy", pt.number, pt.name())
	default:
		st.Why = fmt.Sprintf("%s on port %s: %s", pt.name(), pt.number, try.Text)
	}
	return st, nil
}
