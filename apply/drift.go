package apply

import (
	"cmp"
	"context"

	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/node"
	"pgtui/render"
)

// Survey is Plan with the state of every file. It also reads the nodes that may
// have provided the cluster's services before, for stale files; those are in the
// drift only. hosts may name such nodes too.
func (a *Applier) Survey(ctx context.Context, inv *model.Inventory, cluster model.ClusterName, hosts []model.Host) (plan.Plan, []plan.NodeDrift, error) {
	c, err := question(inv, cluster, hosts, true)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	ask := among(append(fronts(c), plan.Former(inv, c)...), hosts)
	want, have := render.Files(inv, c, a.Managed), a.readAll(ctx, inv, ask)
	p := plan.Build(inv, c, want, have)
	p.MadeAt = a.Now()
	drift := plan.Drift(inv, c, want, have)
	a.readByHand(ctx, inv, drift)
	return p, drift, nil
}

// readByHand adds the servers that were taken out by hand, on the nodes that can be
// read.
func (a *Applier) readByHand(ctx context.Context, inv *model.Inventory, drift []plan.NodeDrift) {
	each(len(drift), func(i int) {
		d := &drift[i]
		if !d.Front || d.Err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.ReadFor, 20*time.Second))
		defer cancel()
		if run, err := node.ReadRuntime(ctx, a.Runner, nodeOf(inv, d.Host).Target); err == nil {
			d.ByHand = run.Servers.ByHand()
		}
	}, func(int, error) {})
}
