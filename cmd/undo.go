package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/model"
)

func (a *app) undoCmd() *cobra.Command {
	var yes, dryRun bool
	var roll rollFlags
	c := &cobra.Command{
		Use:   "undo [plan-id]",
		Short: "Put back exactly what a reload replaced, as a plan with the same checks",
		Long: "undo takes the newest run that left new files on a node, or the one of the plan id, reads\n" +
			"on its nodes what it had replaced, and makes a plan that puts that back: shown, confirmed,\n" +
			"checked, verified and recorded like a reload. Files that were changed since are not touched.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := roll.check(); err != nil {
				return exit(reloadRefused, err)
			}
			ctx := cmd.Context()
			run, err := a.undoable(args)
			if err != nil {
				return exit(reloadRefused, err)
			}
			inv, err := a.load(ctx)
			if err != nil {
				return exit(reloadRefused, err)
			}
			ap := a.applier(inv.Source)
			plan, err := ap.Undo(ctx, inv, run)
			if err == nil {
				err = judge(ctx, ap, inv, &plan, roll)
			}
			if err = cmp.Or(stopped(ctx), err); err != nil {
				return exit(reloadRefused, err)
			}
			fmt.Fprintf(a.io.Out, "undo of plan %s, %s of %s by %s\n", run.Plan, run.Action, run.Began.Local().Format(time.DateTime), run.Who)
			printPlan(a.io.Out, plan)
			printRisks(a.io.Out, &plan)
			switch {
			case diffCode(plan) == 2:
				return exit(reloadRefused, fmt.Errorf("refused, nothing was changed: %w", plan.Refusal()))
			case !plan.Changed():
				fmt.Fprintln(a.io.Out, "nothing to do: every node is as it was before that plan")
				return nil
			case dryRun:
				return nil
			}
			if err := apply.Refused(&plan); err != nil {
				return exit(reloadRefused, err)
			}
			if !yes {
				if err := a.confirm(ctx, "undo", string(plan.Cluster)); err != nil {
					return exit(reloadRefused, err)
				}
			}
			ap.Rollout.Action, ap.Rollout.Undoes = model.ActionUndo, run.Plan
			return a.carryOut(ctx, ap, inv, plan, roll)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show the plan and change nothing")
	roll.add(c)
	return writes(c, "dry-run")
}

// undoable is the run to undo: the newest of the plan in args, or of any.
func (a *app) undoable(args []string) (*model.Run, error) {
	runs, err := a.runs()
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Backward(runs) {
		if len(args) == 1 && strings.HasPrefix(r.Plan, args[0]) || len(args) == 0 && (r.Undoable() || r.Interrupted) {
			return &r, nil
		}
	}
	if len(args) == 1 {
		return nil, &model.Hint{Err: fmt.Errorf("no plan %q in %s", args[0], a.auditFile().Path), Try: "pgtui history", Usage: true}
	}
	return nil, &model.Hint{Err: fmt.Errorf("nothing to undo: no run in %s has left new files", a.auditFile().Path), Try: "pgtui history"}
}

// runs are all runs of the audit file, oldest first.
func (a *app) runs() ([]model.Run, error) {
	records, bad, err := a.auditFile().Read()
	if err != nil {
		return nil, err
	}
	if bad > 0 {
		fmt.Fprintf(a.io.Err, "pgtui: %d lines of %s are no records and were passed over\n", bad, a.auditFile().Path)
	}
	return model.Runs(records), nil
}

// resumes checks that the plan is what the cluster's last run has left undone.
func (a *app) resumes(p *model.Plan) error {
	runs, err := a.runs()
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(runs) {
		if r.Cluster != p.Cluster || r.Action == model.ActionClose {
			continue
		}
		if r.Outcome == model.RunApplied {
			break
		}
		for i := range p.Nodes {
			n := &p.Nodes[i]
			at := slices.IndexFunc(r.Nodes, func(rec model.NodeRecord) bool { return rec.Host == n.Host })
			if at < 0 || r.Nodes[at].Want != apply.WantSum(n) {
				return &model.Hint{
					Err: fmt.Errorf("--resume: %s is not to become what plan %s made of it: the inventory or its files have changed since", n.Host, r.Plan),
					Try: "pgtui reload " + string(p.Cluster) + " --dry-run, and begin anew",
				}
			}
		}
		fmt.Fprintf(a.io.Out, "going on with plan %s, begun %s by %s\n", r.Plan, r.Began.Local().Format(time.DateTime), r.Who)
		return nil
	}
	return &model.Hint{Err: errors.New("--resume: the last run of " + string(p.Cluster) + " did not stop half-way"), Try: "pgtui history " + string(p.Cluster)}
}
