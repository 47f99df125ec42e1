package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

func (a *app) undoCmd() *cobra.Command {
	var yes, dryRun bool
	var roll rollFlags
	c := &cobra.Command{
		Use:   "undo [cluster|plan-id]",
		Short: "Put back exactly what a reload replaced, as a plan with the same checks",
		Long: "undo takes the newest run of this inventory that left new files on a node, of the cluster when\n" +
			"one is named, or the run of the plan id. It reads on its nodes what that run replaced and makes\n" +
			"a plan that puts it back: shown, confirmed, checked, verified and recorded like a reload. Files\n" +
			"that were changed since are not touched.\n\n" +
			"A run of another inventory is undone by its plan id only, and only when every host of that plan\n" +
			"is in this inventory.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := roll.check(); err != nil {
				return exit(reloadRefused, err)
			}
			ctx := cmd.Context()
			inv, err := a.load(ctx)
			if err != nil {
				return exit(reloadRefused, err)
			}
			run, err := a.undoable(inv, args)
			if err != nil {
				return exit(reloadRefused, err)
			}
			ap := a.applier(inv.Source)
			p, err := ap.Undo(ctx, inv, run)
			if err == nil {
				err = judge(ctx, ap, inv, &p, roll)
			}
			if err = cmp.Or(stopped(ctx), err); err != nil {
				return exit(reloadRefused, err)
			}
			fmt.Fprintf(a.io.Out, "undo of plan %s, %s of %s by %s\n", run.Plan, run.Action, run.Began.Local().Format(time.DateTime), text.Line(run.Who.String(), 120))
			if !sameInventory(inv.Path)(run.Inventory) {
				fmt.Fprintf(a.io.Out, "that plan was made from %s\n", text.Line(run.Inventory, 200))
			}
			printPlan(a.io.Out, p)
			printRisks(a.io.Out, &p)
			switch {
			case diffCode(p) == 2:
				return exit(reloadRefused, fmt.Errorf("refused, nothing was changed: %w", p.Refusal()))
			case !p.Changed():
				fmt.Fprintln(a.io.Out, "nothing to do: every node is as it was before that plan")
				return nil
			case dryRun:
				return nil
			}
			if err := apply.Refused(&p); err != nil {
				return exit(reloadRefused, err)
			}
			if !yes {
				if err := a.confirm(ctx, "undo", string(p.Cluster)); err != nil {
					return exit(reloadRefused, err)
				}
			}
			ap.Rollout.Action, ap.Rollout.Undoes = plan.ActionUndo, run.Plan
			return a.carryOut(ctx, ap, inv, p, roll)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show the plan and change nothing")
	roll.add(c)
	return writes(c, "dry-run")
}

// undoable is the run to undo: the newest of the inventory that left new files,
// of the cluster or of the plan in args.
func (a *app) undoable(inv *model.Inventory, args []string) (*plan.Run, error) {
	all, err := a.runs(inv.Source)
	if err != nil {
		return nil, err
	}
	here := plan.RunsOf(all, sameInventory(inv.Path))
	if len(args) == 0 {
		return a.newest(inv, here, "")
	}
	if run, err := planOf(all, here, args[0], true); run != nil || err != nil {
		return run, err
	}
	if inv.Cluster(model.ClusterName(args[0])) != nil {
		return a.newest(inv, here, model.ClusterName(args[0]))
	}
	run, err := planOf(all, here, args[0], false)
	if run == nil && err == nil {
		err = &source.Hint{Err: fmt.Errorf("%q is neither a cluster of %s nor a plan in %s", args[0], inv.Source, a.auditFile(inv.Source).Path), Try: "pgtui history", Usage: true}
	}
	return run, err
}

// newest is the newest of the runs that can be undone; of any cluster for "".
func (a *app) newest(inv *model.Inventory, runs []plan.Run, c model.ClusterName) (*plan.Run, error) {
	for _, r := range slices.Backward(runs) {
		if (c == "" || r.Cluster == c) && r.MayUndo() {
			return &r, nil
		}
	}
	of := inv.Source
	if c != "" {
		of = string(c) + " in " + of
	}
	return nil, &source.Hint{
		Err: fmt.Errorf("nothing to undo: no run of %s has left new files, says %s", of, a.auditFile(inv.Source).Path),
		Try: "pgtui history; `pgtui history --all` has the runs of other inventories",
	}
}

// planOf is the newest run of the plan with that id, or with an id that begins
// so: one that can be undone, of the inventory at hand, where there is one. nil
// is none. Two plans that begin so are an error.
func planOf(all, here []plan.Run, id string, whole bool) (*plan.Run, error) {
	var found *plan.Run
	ids := map[string]bool{}
	for _, undoable := range []bool{true, false} {
		for _, runs := range [][]plan.Run{here, all} {
			for _, r := range slices.Backward(runs) {
				if r.Plan == "" || id == "" || r.Plan != id && (whole || !strings.HasPrefix(r.Plan, id)) {
					continue
				}
				ids[r.Plan] = true
				if found == nil && (r.MayUndo() || !undoable) {
					found = &r
				}
			}
		}
	}
	if len(ids) > 1 {
		return nil, &source.Hint{
			Err: fmt.Errorf("%d plans begin with %q: nothing was changed", len(ids), id),
			Try: "one of: " + strings.Join(slices.Sorted(maps.Keys(ids))[:min(len(ids), 10)], ", "),
		}
	}
	return found, nil
}

// sameInventory tells whether the path in a record is that of the inventory
// known by here. Older versions have recorded the path as it was given: an
// absolute one is resolved now, of a relative one nobody knows where it was.
func sameInventory(here string) func(string) bool {
	return func(recorded string) bool {
		return recorded == here || filepath.IsAbs(recorded) && resolved(recorded) == here
	}
}

// runs are all runs in the audit file of the inventory at path, oldest first.
func (a *app) runs(path string) ([]plan.Run, error) {
	log, err := a.auditLog(path)
	return plan.Runs(log.Records), err
}

// auditLog reads the audit file of the inventory at path and says on standard
// error what in it is no record, and where its chain breaks.
func (a *app) auditLog(path string) (apply.AuditLog, error) {
	file := a.auditFile(path)
	log, err := file.Read()
	if log.Bad > 0 {
		fmt.Fprintf(a.io.Err, "pgtui: %d lines of %s are no records and were passed over\n", log.Bad, file.Path)
	}
	for _, b := range log.Breaks {
		fmt.Fprintf(a.io.Err, "pgtui: %s:%d: the chain is broken: %s\n", file.Path, b.Line, b.What)
	}
	return log, err
}

// resumes checks that the plan is what the cluster's last run has left undone.
func (a *app) resumes(inv *model.Inventory, p *plan.Plan) error {
	runs, err := a.runs(inv.Source)
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(plan.RunsOf(runs, sameInventory(inv.Path))) {
		if r.Cluster != p.Cluster || r.Action == plan.ActionClose {
			continue
		}
		if r.Outcome == plan.RunApplied {
			break
		}
		for i := range p.Nodes {
			n := &p.Nodes[i]
			at := slices.IndexFunc(r.Nodes, func(rec plan.NodeRecord) bool { return rec.Host == n.Host })
			if at < 0 || r.Nodes[at].Want != apply.WantSum(n) {
				return &source.Hint{
					Err: fmt.Errorf("--resume: %s is not to become what plan %s made of it: the inventory or its files have changed since", n.Host, r.Plan),
					Try: "pgtui reload " + string(p.Cluster) + " --dry-run, and begin again",
				}
			}
		}
		fmt.Fprintf(a.io.Out, "going on with plan %s, begun %s by %s\n", r.Plan, r.Began.Local().Format(time.DateTime), r.Who)
		return nil
	}
	return &source.Hint{Err: errors.New("--resume: the last run of " + string(p.Cluster) + " did not stop half-way"), Try: "pgtui history " + string(p.Cluster)}
}
