package cmd

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/session"
	"pgtui/source"
)

type statesOptions struct {
	rollFlags
	enable, yes bool
}

func (a *app) statesCmd() *cobra.Command {
	var o statesOptions
	c := &cobra.Command{
		Use:   "states <cluster…>",
		Short: "Whether a reload keeps server states; --enable adds the two lines of haproxy.cfg for it",
		Long: "A new HAProxy process takes every server for up until its own first check, so that a plain reload\n" +
			"sends some connections to a wrong instance. Two lines of haproxy.cfg let pgtui pass it the states of\n" +
			"the old process. states shows which nodes have them, and exits 1 when one does not. With --enable it\n" +
			"adds them, node by node: checked by haproxy, backed up, reloaded, verified. The file stays on the node.",
		Args: needs(0, "cluster", "pgtui states pg-test"),
		RunE: verb(&o, a.states),
	}
	c.Flags().BoolVar(&o.enable, "enable", false, "add the two lines where they are missing, after a prompt")
	c.Flags().BoolVar(&o.yes, "yes", false, "with --enable: do not prompt")
	c.Flags().StringSliceVar(&o.order, "order", nil, "`hosts` to start with, in this order")
	c.Flags().StringSliceVar(&o.accept, "accept-risk", nil, "`names` of risks to accept; see docs/risks.md")
	o.parallel = 1
	return writesWith(c, "enable")
}

func (a *app) states(ctx context.Context, o *statesOptions, names []string) error {
	fail := 2
	if o.enable {
		fail = reloadRefused
	}
	if err := o.check(); err != nil {
		return exit(fail, err)
	}
	if o.enable && len(names) > 1 {
		return misuse("pgtui states "+names[0]+" --enable", "--enable takes one cluster, and got %d", len(names))
	}
	if !o.enable {
		return a.statesOf(ctx, names, hosts(o.order))
	}
	inv, cls, err := a.open(ctx, fail, names...)
	if err != nil {
		return err
	}
	j, err := a.PlanStates(ctx, inv, cls[0], hosts(o.order))
	if err != nil {
		return exit(fail, err)
	}
	states := j.States(ctx, inv, cls[0])
	if err := session.Stopped(ctx); err != nil {
		return exit(fail, err)
	}
	show.States(a.plain(), inv, cls[0], states)
	code := statesCode(cls[0], states)
	if code == 0 {
		return nil
	}
	if err := cmp.Or(j.Assess(ctx, hosts(o.order), o.accept), session.Stopped(ctx)); err != nil {
		return exit(fail, err)
	}
	fmt.Fprintln(a.io.Out, "\nhaproxy.cfg will get these lines, and HAProxy will be reloaded:")
	for _, l := range apply.StateLines() {
		fmt.Fprintf(a.io.Out, "   %s\n  +    %s\n", l[0], l[1])
	}
	show.Risks(a.plain(), &j.Plan)
	return a.enableStates(ctx, j, code, o.yes)
}

// statesOf prints which nodes of clusters keep server states.
func (a *app) statesOf(ctx context.Context, names []string, order []model.Host) error {
	inv, cls, err := a.matching(ctx, 2, names...)
	if err != nil {
		return err
	}
	return a.replies(question{many: several(names), fail: 2, worse: worseCode, ask: func(c *model.Cluster) (answer, error) {
		j, err := a.PlanStates(ctx, inv, c, order)
		if err != nil {
			return answer{}, err
		}
		states := j.States(ctx, inv, c)
		if err := session.Stopped(ctx); err != nil {
			return answer{}, err
		}
		code := statesCode(c, states)
		return answer{code: code, text: func(w show.Out) {
			show.States(w, inv, c, states)
			if code == 1 {
				fmt.Fprintf(w, "\ntry: pgtui states %s --enable\n", c.Name)
			}
		}}, nil
	}}, cls)
}

// statesCode is 0 when every reload keeps server states, 1 when one does not, 2
// when one is unknown.
func statesCode(c *model.Cluster, states map[model.Host]source.Observed[string]) int {
	code := 0
	for _, f := range c.LoadBalancers {
		switch o := states[f.Host]; {
		case o.Err != nil:
			return 2
		case o.Value == "":
			code = 1
		}
	}
	return code
}

// enableStates carries out the plan, once it is accepted. code is that of the
// states before.
func (a *app) enableStates(ctx context.Context, j *session.Job, code int, yes bool) error {
	if code == 2 {
		return exit(reloadRefused, errUnread)
	}
	if err := a.accept(ctx, &j.Plan, "change haproxy.cfg of", yes); err != nil {
		return err
	}
	ctx, _, stop := a.interrupts(ctx, "finishing this node, then stopping", "this node is finished first: its haproxy.cfg is being changed")
	defer stop()
	if err := session.Stopped(ctx); err != nil {
		return exit(reloadRefused, err)
	}
	report, err := j.EnableStates(ctx, j.Inv, j.Plan, a.printStep)
	show.Report(a.plain(), report)
	return exit(reloadCode(report, err), err)
}
