package session

import (
	"context"
	"time"

	"pgtui/model"
	"pgtui/probe/node"
	"pgtui/probe/transport"
	"pgtui/source"
)

// deadFor is how long a plan waits for SSH to a node that answers nothing else.
const deadFor = 2 * time.Second

// patience is a Runner for what is read over SSH beside a probe. A node on which
// neither Patroni nor HAProxy answers the probe is waited for until deadFor has
// passed; any other one as long as each read may take.
type patience struct {
	transport.Runner
	began  time.Time
	now    func() time.Time
	silent map[string]bool // by the target's address; written before ended is
	ended  context.Context //nolint:containedctx // it ends the reads of such nodes, and carries nothing
	end    context.CancelFunc
}

func (s *Session) patience() *patience {
	p := &patience{Runner: s.Runner(), began: s.Now(), now: s.Now}
	p.ended, p.end = context.WithCancel(context.Background())
	return p
}

// nodes reads several nodes at once, with this patience.
func (p *patience) nodes() node.Reader { return node.Reader{Runner: p, Now: p.now} }

// probed gives it the result of a probe, and with that the nodes that do not answer.
// The first counts.
func (p *patience) probed(inv *model.Inventory, c *model.Cluster, snap *model.Snapshot) {
	if p.silent != nil {
		return
	}
	p.silent = map[string]bool{}
	for _, n := range append(lbNodes(inv, c), memberNodes(inv, c)...) {
		in := c.OnHost(n.Host)
		if unheard(snap.HAProxy[n.Host]) && (in == nil || unheard(snap.PatroniStatus(in.Name))) {
			p.silent[n.SSH.Address] = true
		}
	}
	time.AfterFunc(deadFor-p.now().Sub(p.began), p.end)
}

// unheard reports whether the last attempt to read it failed.
func unheard[T any](o source.Observed[T]) bool { return o.Err != nil || !o.Known() }

// Run implements transport.Runner.
func (p *patience) Run(ctx context.Context, c transport.Cmd) (transport.Output, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(p.ended, func() {
		if p.silent[c.Target.Address] {
			cancel(context.DeadlineExceeded)
		}
	})
	defer stop()
	return p.Runner.Run(ctx, c)
}
