package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// CheckEntries tries endpoints of a cluster without logging in: names are
// resolved by every configured resolver, every address is connected to and
// receives a TLS request, as a client does first. All at once, at most two connections
// to one address, each ended within the prober's timeout.
func (p *Prober) CheckEntries(ctx context.Context, inv *model.Inventory, c *model.Cluster, entries []model.Endpoint) map[model.Endpoint]source.Observed[access.EntryCheck] {
	k := &checker{p: p, inv: inv, names: map[string]func() []access.Lookup{}, slots: map[string]chan struct{}{}}
	if c.VIP != "" {
		k.vip, k.holder = c.VIP, sync.OnceValue(func() model.Host {
			h, _ := p.holderNow(ctx, inv, c) // unknown: shown by the VIP's own row
			return h
		})
	}
	for _, e := range entries { // each name is resolved once
		if k.names[e.Host] == nil {
			k.names[e.Host] = sync.OnceValue(func() []access.Lookup { return p.Resolve(ctx, inv, e.Host) })
		}
	}
	return tryAll(p, entries, func(e model.Endpoint) (access.EntryCheck, error) { return k.check(ctx, e) })
}

// checker shares what endpoints have in common.
type checker struct {
	p      *Prober
	inv    *model.Inventory
	names  map[string]func() []access.Lookup
	vip    string
	holder func() model.Host

	mu    sync.Mutex
	slots map[string]chan struct{} // by address
}

// check fails only when pgtui itself does.
func (k *checker) check(ctx context.Context, e model.Endpoint) (access.EntryCheck, error) {
	c := access.EntryCheck{Lookups: k.names[e.Host]()}
	addrs := c.Addrs()
	if len(c.Lookups) == 0 {
		addrs = []string{e.Host}
	}
	c.Disagree = access.Disagreement(e.Host, c.Lookups, access.LeadsOf(k.inv, e.Host))
	c.Touches = make([]access.Touch, len(addrs))
	faults := make([]error, len(addrs))
	var g guard.Group
	for i, addr := range addrs {
		g.Go("trying "+addr, func() { c.Touches[i] = k.touch(ctx, addr, e.Port) }, func(err error) { faults[i] = err })
	}
	g.Wait()
	return c, errors.Join(faults...)
}

func (k *checker) touch(ctx context.Context, addr string, port uint16) access.Touch {
	t := k.inTurn(ctx, addr, port)
	switch {
	case addr == k.vip:
		t.Holder = k.holder()
	case k.inv.Node(model.Host(addr)) != nil:
		t.Holder = model.Host(addr)
	}
	return t
}

// inTurn touches an address within the limits.
func (k *checker) inTurn(ctx context.Context, addr string, port uint16) access.Touch {
	k.mu.Lock()
	slots := k.slots[addr]
	if slots == nil {
		slots = make(chan struct{}, perNode)
		k.slots[addr] = slots
	}
	k.mu.Unlock()
	leave, err := k.p.enter(ctx, slots)
	if err != nil {
		return access.Touch{Addr: addr, Fault: model.FaultNotTried, Text: "not tried: its turn did not come"}
	}
	defer leave()
	return k.p.touch(ctx, addr, port)
}

// touch connects and requests TLS, and looks whether it comes about when the
// server agrees: nothing else is sent.
func (p *Prober) touch(ctx context.Context, addr string, port uint16) access.Touch {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	at := net.JoinHostPort(addr, strconv.Itoa(int(port)))
	t := access.Touch{Addr: addr}
	start := p.o.Now()
	tls, err := postgres.SSLRequest(ctx, p.o.Dial, at)
	t.Took, t.TLS = p.o.Now().Sub(start), tls
	if err != nil {
		try := postgres.FaultOf(err, at, p.o.Timeout)
		if try.Fault == model.FaultTimeout && ctx.Err() != nil {
			try.Text = fmt.Sprintf("no answer from %s within %v", at, p.o.Timeout)
		}
		t.Fault, t.Text = try.Fault, try.Text
	}
	return t
}

// holderNow reads whose stats page answers at the cluster's VIP.
func (p *Prober) holderNow(ctx context.Context, inv *model.Inventory, c *model.Cluster) (model.Host, error) {
	v := vipOf(inv, c)
	if v == nil {
		return "", fmt.Errorf("%s has no VIP", text.Line(string(c.Name), 80))
	}
	return p.asker(inv).holder(ctx, v.addr, v.nodes)
}
