package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/session"
)

type undoOptions struct {
	rollFlags
	yes, dryRun bool
}

func (a *app) undoCmd() *cobra.Command {
	var o undoOptions
	c := &cobra.Command{
		Use:   "undo [cluster|plan-id]",
		Short: "Restore exactly what a reload replaced, as a plan with the same checks",
		Long: "undo takes the newest run of this inventory that left new files on a node, of the cluster when\n" +
			"one is named, or the run of the plan id. It reads on its nodes what that run replaced and makes\n" +
			"a plan that restores it: shown, confirmed, checked, verified and recorded like a reload. Files\n" +
			"that changed since are not touched.\n\n" +
			"A run of another inventory is undone by its plan id only, and only when every host of that plan\n" +
			"is in this inventory.",
		Args: upTo(1, "cluster or plan"),
		RunE: verb(&o, a.undo),
	}
	c.Flags().BoolVar(&o.yes, "yes", false, "do not prompt")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show the plan and change nothing")
	o.add(c)
	return writes(c, "dry-run")
}

func (a *app) undo(ctx context.Context, o *undoOptions, args []string) error {
	if err := o.check(); err != nil {
		return exit(reloadRefused, err)
	}
	inv, _, err := a.open(ctx, reloadRefused)
	if err != nil {
		return err
	}
	run, err := a.Undoable(inv, args...)
	if err != nil {
		return exit(reloadRefused, err)
	}
	j, err := a.PlanUndo(ctx, inv, run, hosts(o.order), o.accept)
	if err != nil {
		return exit(reloadRefused, err)
	}
	fmt.Fprintf(a.io.Out, "undo of plan %s, %s of %s by %s\n", run.Plan, run.Action, text.Moment(run.Began.Local()), text.Line(run.Who.String(), 120))
	if !session.SameInventory(inv.Path)(run.Inventory) {
		fmt.Fprintf(a.io.Out, "that plan was made from %s\n", text.Line(run.Inventory, 200))
	}
	show.Plan(a.plain(), j.Plan, nil)
	show.Risks(a.plain(), &j.Plan)
	switch {
	case diffCode(j.Plan) == 2:
		return exit(reloadRefused, fmt.Errorf("refused, nothing was changed: %w", j.Plan.Refusal()))
	case !j.Plan.Changed():
		fmt.Fprintln(a.io.Out, "nothing to do: every node is as it was before that plan")
		return nil
	case o.dryRun:
		return nil
	}
	if err := a.accept(ctx, &j.Plan, "undo", o.yes); err != nil {
		return err
	}
	return a.carryOut(ctx, j, &o.rollFlags)
}
