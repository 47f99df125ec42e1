package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/render"
	"pgtui/source"
)

// ViaPigsty carries a plan out by having play run bin/pgsql-svc, which writes
// and reloads every node of the plan whether it changes or not. Around it are
// the checks of Execute, a lock on every node, and the verification of the files
// and of what HAProxy runs. Nothing is put back: pgtui does not undo
// Pigsty's changes, and reports where a node is not as planned.
func (a *Applier) ViaPigsty(ctx context.Context, inv *model.Inventory, p plan.Plan, play func(context.Context) error, emit func(plan.StepResult)) (plan.Report, error) {
	p.Force = true
	r, err := a.begin(inv, &p, emit)
	if err != nil {
		return *r.rep, err
	}
	if r.preflight(ctx); r.err == nil {
		r.pigsty(ctx, play)
	}
	return r.end()
}

// pigsty locks the nodes, runs the play, and looks at what came of it.
func (r *rollout) pigsty(ctx context.Context, play func(context.Context) error) {
	defer each(len(r.p.Nodes), func(i int) { // also what was locked before one could not be
		_, _ = r.a.runScript(context.WithoutCancel(ctx), &r.p.Nodes[i], nil, nil, "release", r.p.ID, r.p.Nodes[i].ConfDir, r.a.who())
	}, func(int, error) {}) // as for a node that does not answer: its lock expires
	each(len(r.p.Nodes), func(i int) {
		n, rep := &r.p.Nodes[i], &r.rep.Nodes[i]
		s, err := r.a.runScript(ctx, n, nil, nil, "hold", r.p.ID, n.ConfDir, r.a.who())
		if err = cmp.Or(err, s.err); err != nil {
			rep.Step, rep.Err = plan.StepStage, err
			r.fail(&source.Hint{Err: fmt.Errorf("%w; %w", r.why(n, rep), ErrNotBegun), Try: source.TryOf(err)})
		}
	}, func(_ int, err error) { r.fail(fmt.Errorf("%s: %w; %w", r.p.Cluster, err, ErrNotBegun)) })
	if r.failed() != nil || r.halted(ctx, "bin/pgsql-svc") {
		return
	}
	// It writes to all nodes together: there is no border between two of them,
	// and when interrupted it leaves them in a state of no plan.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	guard.Go("waiting for an abort", func() {
		select {
		case <-r.a.Rollout.Abort:
			cancel()
		case <-ctx.Done():
		}
	}, func(error) {})
	played := guard.Try("running bin/pgsql-svc", func() error { return play(ctx) })
	each(len(r.p.Nodes), func(i int) {
		n, rep := &r.p.Nodes[i], &r.rep.Nodes[i]
		began := r.a.Now()
		r.emit(plan.StepResult{Host: n.Host, Step: plan.StepVerify})
		base := r.base[n.Host]
		rep.Outcome, rep.Before = plan.Applied, plan.Routing(n, &base.stats)
		err := r.a.asPlanned(context.WithoutCancel(ctx), r.inv, r.p, n.Host)
		if err == nil && played == nil {
			var now haproxy.Stats
			if now, err = r.a.verified(context.WithoutCancel(ctx), r.inv, n, base); err == nil {
				rep.After = plan.Routing(n, &now)
			}
		}
		if err = cmp.Or(err, played); err != nil {
			rep.Outcome, rep.Step, rep.Err = plan.Broken, plan.StepVerify, err
			r.fail(&source.Hint{
				Err: fmt.Errorf("%s: %s after bin/pgsql-svc: %w", r.p.Cluster, label(n), err),
				Try: fmt.Sprintf("pgtui diff %s; `pgtui reload %s` without --via writes what is missing, and reloads", r.p.Cluster, r.p.Cluster),
			})
		}
		r.emit(plan.StepResult{Host: n.Host, Step: plan.StepVerify, Done: true, Err: err, Detail: liveText(n), Took: r.a.Now().Sub(began)})
	}, func(i int, err error) {
		rep := &r.rep.Nodes[i]
		rep.Outcome, rep.Step, rep.Err = plan.Uncertain, plan.StepVerify, err
		r.fail(r.why(&r.p.Nodes[i], rep))
	})
}

// asPlanned reads a node's files again and reports how they differ from the
// inventory.
func (a *Applier) asPlanned(ctx context.Context, inv *model.Inventory, p *plan.Plan, h model.Host) error {
	c := inv.Cluster(p.Cluster)
	now := plan.Build(inv, c, render.Files(inv, c, a.Managed), map[model.Host]plan.NodeFiles{h: a.read(ctx, inv, h)})
	for _, n := range now.Nodes {
		if n.Err != nil {
			return fmt.Errorf("its files cannot be read: %w", n.Err)
		}
		words := map[string]string{"add": "is missing", "change": "is not as planned", "delete": "still exists"}
		var bad []string
		for _, ch := range n.Changes {
			bad = append(bad, text.Line(ch.Name, 80)+" "+words[ch.Kind()])
		}
		if len(bad) > 0 {
			return errors.New(strings.Join(bad, ", "))
		}
	}
	return nil
}
