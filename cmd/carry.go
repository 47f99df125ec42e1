package cmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/session"
)

// rollFlags are how a plan is carried out.
type rollFlags struct {
	confirmWithin time.Duration
	parallel      int
	order         []string
	resume        bool
	accept        []string
}

func (r *rollFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.DurationVar(&r.confirmWithin, "confirm-within", 0, "a node whose routing is not verified within this `time` restores its old files by itself; 0 is never")
	f.IntVar(&r.parallel, "parallel", 1, "how many nodes to reload at once, after the first")
	f.StringSliceVar(&r.order, "order", nil, "`hosts` to start with, in this order; the node with the VIP is last by default")
	f.StringSliceVar(&r.accept, "accept-risk", nil, "`names` of risks to accept, as the plan lists them; see docs/risks.md")
}

func (r *rollFlags) check() error {
	switch {
	case r.confirmWithin != 0 && (r.confirmWithin < 10*time.Second || r.confirmWithin > 10*time.Minute):
		return misuse("--confirm-within 60s", "--confirm-within %s: expected from 10s to 10m, or 0 for none", r.confirmWithin)
	case r.confirmWithin%time.Second != 0:
		return wrong("--confirm-within %s: expected whole seconds", r.confirmWithin)
	}
	if err := within("--parallel", r.parallel, 1, 10); err != nil {
		return err
	}
	return acceptable(r.accept)
}

// acceptableRisks are the names that --accept-risk takes.
func acceptableRisks() []string {
	return slices.DeleteFunc(plan.RiskNames(), func(n string) bool { return !plan.RiskStops(n) || n == plan.RiskRejected })
}

// acceptable checks the names of accepted risks.
func acceptable(accept []string) error {
	for _, name := range accept {
		if !slices.Contains(plan.RiskNames(), name) || name == plan.RiskRejected {
			return model.NotFound(fmt.Errorf("--accept-risk %s: no risk of that name can be accepted", text.Line(name, 60)), name, acceptableRisks(), "the risks that the plan lists; see docs/risks.md")
		}
	}
	return nil
}

// carryOut runs a plan that was shown and accepted.
func (a *app) carryOut(ctx context.Context, j *session.Job, r *rollFlags) error {
	ctx, abort, stop := a.interrupts(ctx, "finishing this node, then stopping; a second interrupt restores this node", "restoring this node, then stopping")
	defer stop()
	if err := session.Stopped(ctx); err != nil {
		return exit(reloadRefused, err)
	}
	j.Rollout.ConfirmWithin, j.Rollout.Parallel, j.Rollout.Abort = r.confirmWithin, r.parallel, abort
	fmt.Fprintf(a.io.Out, "\nplan %s\n", j.Plan.ID)
	report, err := j.Execute(ctx, j.Inv, j.Plan, a.printStep)
	return a.report(ctx, j, report, err)
}

// interrupts makes the first interrupt end the run before its next node, with
// the first text, and the second close abort, with the second: the node in work
// is restored then. An interrupt from before ends the run too.
func (a *app) interrupts(ctx context.Context, first, second string) (context.Context, <-chan struct{}, func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	before := ctx.Err() != nil
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if before {
		cancel()
	}
	abort, done := make(chan struct{}), make(chan struct{})
	go func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			switch n {
			case 1:
				fmt.Fprintln(a.io.Err, "pgtui: "+first)
				cancel()
			case 2:
				fmt.Fprintln(a.io.Err, "pgtui: "+second)
				close(abort)
			}
		}
	}()
	return ctx, abort, func() { signal.Stop(signals); close(done); cancel() }
}

// printStep prints a step as it ends.
func (a *app) printStep(s plan.StepResult) { show.Step(a.plain(), s) }

// report prints what a run did and the old HAProxy processes that hold sessions
// after it, and exits with its code.
func (a *app) report(ctx context.Context, j *session.Job, r plan.Report, err error) error {
	show.Report(a.plain(), r)
	reloaded := slices.ContainsFunc(r.Nodes, func(n plan.NodeReport) bool { return n.Outcome == plan.Applied || n.Outcome == plan.Restored })
	if c := j.Inv.Cluster(j.Plan.Cluster); c != nil && reloaded {
		for _, g := range j.Ghosts(context.WithoutCancel(ctx), j.Inv, c) {
			fmt.Fprintf(a.io.Out, "%s: old HAProxy process %d still holds %s\n", g.Host, g.PID, g.Text())
		}
	}
	return exit(reloadCode(r, err), err)
}
