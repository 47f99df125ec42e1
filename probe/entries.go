package probe

import (
	"context"
	"net"
	"slices"
	"strconv"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// ProveEntries connects count times to every entry of a cluster as the
// monitoring user and reads who answers. A name is resolved by the system's
// resolver, else by dnsmasq on the infra nodes, once. Each connection ends
// within 4 s; at most two are open at once to one address. An entry that lets
// no one in is data.
func (p *Prober) ProveEntries(ctx context.Context, inv *model.Inventory, c *model.Cluster, entries []model.Endpoint, count int) map[model.Endpoint]source.Observed[access.EntryProof] {
	count = min(max(count, 1), maxTries)
	addrs := p.resolveAll(ctx, inv, entries)
	slots := map[string]chan struct{}{}
	for _, a := range addrs {
		slots[a.addr] = make(chan struct{}, perNode)
	}
	return tryAll(p, entries, func(e model.Endpoint) (access.EntryProof, error) {
		return p.proveEntry(ctx, c, e, addrs[e.Host], slots[addrs[e.Host].addr], count), nil
	})
}

// tryAll calls try for every endpoint at the same time.
func tryAll[T any](p *Prober, entries []model.Endpoint, try func(model.Endpoint) (T, error)) map[model.Endpoint]source.Observed[T] {
	return guard.Collect(entries, func(e model.Endpoint) string { return "trying " + e.String() },
		func(e model.Endpoint) (model.Endpoint, source.Observed[T]) {
			return e, source.Observe(p.o.Now, func() (T, error) { return try(e) })
		}, func(e model.Endpoint, err error) (model.Endpoint, source.Observed[T]) {
			return e, source.Observed[T]{Err: err, Tried: p.o.Now()}
		})
}

// resolved is where a host of an entry is.
type resolved struct {
	addr string
	err  string // why there is no addr
}

func (p *Prober) resolveAll(ctx context.Context, inv *model.Inventory, entries []model.Endpoint) map[string]resolved {
	var hosts []string
	for _, e := range entries {
		if !slices.Contains(hosts, e.Host) {
			hosts = append(hosts, e.Host)
		}
	}
	return guard.Collect(hosts, func(host string) string { return "resolving " + host },
		func(host string) (string, resolved) { return host, p.resolve(ctx, inv, host) },
		func(host string, err error) (string, resolved) { return host, resolved{err: err.Error()} })
}

// resolve finds the address of a name: the first that anybody gives.
func (p *Prober) resolve(ctx context.Context, inv *model.Inventory, host string) resolved {
	lookups := p.Resolve(ctx, inv, host)
	if lookups == nil {
		return resolved{addr: host}
	}
	if addrs := (access.EntryCheck{Lookups: lookups}).Addrs(); len(addrs) > 0 {
		return resolved{addr: addrs[0]}
	}
	return resolved{err: lookups[0].Error}
}

func (p *Prober) proveEntry(ctx context.Context, c *model.Cluster, e model.Endpoint, at resolved, slot chan struct{}, count int) access.EntryProof {
	proof := access.EntryProof{Tries: make([]model.Try, count)}
	if at.addr == "" {
		for i := range proof.Tries {
			proof.Tries[i] = model.Try{Fault: model.FaultOther, Text: "the name does not resolve: " + at.err}
		}
		return proof
	}
	if at.addr != e.Host {
		proof.Addr = at.addr
	}
	addr, db := net.JoinHostPort(at.addr, strconv.Itoa(int(e.Port))), 0
	for i := range proof.Tries {
		for {
			proof.Tries[i] = p.tryEntry(ctx, addr, slot, c.Monitor, db)
			if proof.Tries[i].Fault != model.FaultDatabase || db+1 >= len(c.Monitor.Databases) {
				break
			}
			db++
		}
		if proof.Tries[i].Fault == "" {
			proof.Database = c.Monitor.Databases[db]
		}
	}
	return proof
}

func (p *Prober) tryEntry(ctx context.Context, addr string, slot chan struct{}, login model.Login, db int) model.Try {
	if db >= len(login.Databases) {
		return model.Try{Fault: model.FaultDatabase, Text: "no database to connect to"}
	}
	leave, err := p.enter(ctx, slot)
	if err != nil {
		return model.Try{Fault: model.FaultNotTried, Text: "not tried: its turn did not come"}
	}
	defer leave()
	return p.connect(ctx, addr, login, login.Databases[db], postgres.ProveTimeout)
}
