package apply

import (
	"cmp"
	"context"

	"fmt"

	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// StateLines are the two lines of haproxy.cfg with which a new worker loads the
// server states of the one before, with the section each belongs to.
func StateLines() [][2]string {
	return [][2]string{
		{"global", "server-state-file /run/haproxy-servers.state"},
		{"defaults", "load-server-state-from-file global"},
	}
}

// States is, for each HAProxy node of the cluster, the file that hands over the
// servers' states, "" where haproxy.cfg does not configure one. It changes nothing.
func (a *Applier) States(ctx context.Context, inv *model.Inventory, c *model.Cluster) map[model.Host]source.Observed[string] {
	return ofHosts(fronts(c), func(h model.Host) source.Observed[string] {
		return source.Observe(a.Now, func() (string, error) {
			ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.ReadFor, 20*time.Second))
			defer cancel()
			n := nodeOf(inv, h)
			r, err := a.readScript(ctx, n, nil, "states", "0", n.ConfDir, a.who(), "-")
			return r.handed, cmp.Or(err, r.err)
		})
	}, func(err error) source.Observed[string] { return source.Observed[string]{Err: err, Tried: a.Now()} })
}

// nodeOf is a host as scripts need it, with nothing planned.
func nodeOf(inv *model.Inventory, h model.Host) *plan.Node {
	n := &plan.Node{Host: h, ConfDir: inv.Dialect.ConfDir(), Target: model.SSHTarget{Address: string(h)}}
	if node := inv.Node(h); node != nil {
		n.Node, n.Target = node.Name, node.SSH
	}
	return n
}

// PlanStates is a plan that leaves every file of the cluster's nodes as it is, for
// EnableStates.
func (a *Applier) PlanStates(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) (plan.Plan, error) {
	p, err := a.Plan(ctx, inv, cluster, nil)
	p.Force, p.Problems = true, nil
	for i := range p.Nodes {
		n := &p.Nodes[i]
		n.Changes, n.Want, n.Become = nil, n.Have, n.Was
	}
	p.ID = plan.IDOf(&p)
	return p, err
}

// EnableStates puts the StateLines into haproxy.cfg of the plan's nodes, one
// after the other, and reloads them; it stops at the first that fails. The file is
// edited, checked and kept on the node and never read by pgtui, because it has
// passwords. The plan has the nodes and their order, and is refused for its risks
// as in Execute.
func (a *Applier) EnableStates(ctx context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
	r, err := a.begin(inv, &p, emit)
	if err != nil {
		return *r.rep, err
	}
	r.preflight(ctx)
	for i := range p.Nodes {
		n, node := &p.Nodes[i], &r.rep.Nodes[i]
		if r.failed() != nil || r.halted(ctx, label(n)) {
			break
		}
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(a.RunFor, 5*time.Minute))
		s, err := a.runScript(rctx, n, r.emit, nil, "states", p.ID, n.ConfDir, a.who(), a.Now().UTC().Format("20060102T150405Z"), "enable")
		cancel()
		if err != nil {
			r.a.settle(context.WithoutCancel(ctx), &p, n, s, err)
		}
		node.Outcome, node.Step, node.Err, node.Backup, node.Recovered = outcomeOf(s), s.failed, s.err, s.backup, s.recovered
		if s.outcome == string(plan.Unchanged) {
			node.Outcome = plan.Unchanged
		}
		if node.Outcome == plan.Applied && s.err == nil {
			*node = a.again(ctx, inv, n, r.base[n.Host], *node, r.emit)
		}
		if node.Outcome != plan.Applied && node.Outcome != plan.Unchanged {
			node.Err = cmp.Or(node.Err, errNoCause)
			r.fail(r.why(n, node))
		}
	}
	return r.end()
}

// again waits until the node routes as it did before.
func (a *Applier) again(ctx context.Context, inv *model.Inventory, n *plan.Node, base baseline, rep plan.NodeReport, emit func(plan.StepResult)) plan.NodeReport {
	began := a.Now()
	base.renewed = true // the node has listed the new worker
	emit(plan.StepResult{Host: n.Host, Step: plan.StepVerify})
	now, err := a.verified(context.WithoutCancel(ctx), inv, n, base)
	if err == nil {
		rep.Before, rep.After, rep.Settled = plan.Routing(n, &base.stats), plan.Routing(n, &now), max(0, a.Now().Sub(began))
	} else {
		rep.Outcome, rep.Step, rep.Err = plan.Broken, plan.StepVerify, fmt.Errorf("%w; the old haproxy.cfg is in %s/files", err, rep.Backup)
	}
	emit(plan.StepResult{Host: n.Host, Step: plan.StepVerify, Done: true, Err: err, Detail: liveText(n), Took: a.Now().Sub(began)})
	return rep
}
