package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/plan/file"
	"pgtui/session"
	"pgtui/source"
)

// The exit codes of reload, as Exits has them.
const (
	reloadFailed  = 1
	reloadBroken  = 2
	reloadRefused = 3
)

type reloadOptions struct {
	rollFlags
	yes, dryRun, force, liveRoles bool
	output                        format
	out, via                      string
}

func (a *app) reloadCmd() *cobra.Command {
	var o reloadOptions
	c := &cobra.Command{
		Use:   "reload <cluster> [host…]",
		Short: "Bring the HAProxy files up to date with the inventory, node by node, and verify it",
		Long: "reload stages the cluster's service files on each HAProxy node, has HAProxy check the\n" +
			"whole new configuration, swaps the files, reloads, and verifies through the stats page\n" +
			"that the planned servers are live. It stops at the first node that fails and restores\n" +
			"that node. Without --yes it shows the plan and prompts for the cluster's name.\n\n" +
			"The plan names its risks. Those that stop it are accepted by name, with --accept-risk.",
		Args: needs(0, "cluster", "pgtui reload pg-test --dry-run"),
		RunE: verb(&o, a.reload),
	}
	f := c.Flags()
	f.BoolVar(&o.yes, "yes", false, "do not prompt")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the plan and change nothing")
	outputFlag(c, &o.output, "json and yaml with --dry-run", "text", "json")
	f.StringVar(&o.out, "out", "", "save the plan to this `file`, for pgtui apply")
	f.BoolVar(&o.force, "force", false, "also reload the nodes whose files do not change")
	f.Var(&choice{"--via", &o.via, []string{"pigsty"}, "pgtui reload pg-test --via pigsty"}, "via", "pigsty: run bin/pgsql-svc of the Pigsty checkout, with the same preview, risks, locks, verification and record around it")
	f.BoolVar(&o.liveRoles, "live-roles", false, "take the instances' roles from Patroni, not from the inventory")
	o.add(c)
	f.BoolVar(&o.resume, "resume", false, "continue the run that stopped, if the rest of it is still the same work")
	return writesWith(writes(c, "dry-run"), "out")
}

func (o *reloadOptions) check(cluster string) error {
	if err := o.rollFlags.check(); err != nil {
		return exit(reloadRefused, err)
	}
	if o.output.document() && !o.dryRun {
		return misuse("pgtui reload "+cluster+" --dry-run -o json", "-o %s needs --dry-run", o.output)
	}
	if o.via != "" && (o.liveRoles || o.resume || o.confirmWithin > 0 || o.out != "") {
		return misuse("pgtui reload "+cluster+" --via pigsty", "--via pigsty cannot be combined with --live-roles, --resume, --confirm-within or --out: Pigsty renders from the inventory, all nodes at once, and restores nothing")
	}
	return nil
}

func (a *app) reload(ctx context.Context, o *reloadOptions, args []string) error {
	if err := o.check(args[0]); err != nil {
		return err
	}
	j, err := a.planReload(ctx, session.Reload{Cluster: args[0], Hosts: hosts(args[1:]), Order: hosts(o.order), Accept: o.accept, Force: o.force, LiveRoles: o.liveRoles})
	if err != nil {
		return exit(reloadRefused, err)
	}
	if o.resume {
		run, err := a.Resumes(j.Inv, &j.Plan)
		if err != nil {
			return exit(reloadRefused, err)
		}
		fmt.Fprintf(a.io.Out, "continuing plan %s, started %s by %s\n", run.Plan, text.Moment(run.Began.Local()), run.Who)
	}
	if o.out != "" {
		if err := savePlan(o.out, j); err != nil {
			return exit(reloadRefused, err)
		}
	}
	if o.output.document() {
		return a.reply(o.output, planCode(&j.Plan), func() any { return document(j) }, nil)
	}
	a.showPlan(j)
	if o.out != "" {
		fmt.Fprintf(a.io.Out, "plan %s saved to %s: pgtui apply %s runs exactly this plan\n", j.Plan.ID, o.out, text.Word(o.out))
	}
	switch {
	case o.dryRun:
		return exit(planCode(&j.Plan), nil)
	case o.via != "":
		return a.runPigsty(ctx, j, args[1:], o.yes)
	}
	return a.runPlan(ctx, j, &o.rollFlags, o.yes)
}

// planReload plans a reload, and reports why an inventory cannot be planned for.
func (a *app) planReload(ctx context.Context, r session.Reload) (*session.Job, error) {
	j, err := a.PlanReload(ctx, r)
	if errors.Is(err, session.ErrUnpredictable) {
		a.complain(j.Inv, []*model.Cluster{j.Inv.Cluster(model.ClusterName(r.Cluster))})
	}
	return j, err
}

// document is the document of a plan, for apply and for -o json.
func document(j *session.Job) file.Plan { return file.New(j.Inv, &j.Plan, planCode(&j.Plan)) }

// planCode is the exit code of a plan that is only shown.
func planCode(p *plan.Plan) int {
	if diffCode(*p) == 2 {
		return reloadRefused
	}
	return 0
}

// showPlan prints a plan as text: the changes, then the risks.
func (a *app) showPlan(j *session.Job) {
	show.Dialect(a.plain(), j.Inv)
	if j.Plan.LiveRoles {
		fmt.Fprintln(a.io.Out, "roles from Patroni, not from the inventory")
	}
	show.Plan(a.plain(), j.Plan, nil)
	if c := j.Inv.Cluster(j.Plan.Cluster); c != nil {
		a.complain(j.Inv, []*model.Cluster{c})
	}
	show.Risks(a.plain(), &j.Plan)
}

// runPlan carries out a plan that was shown, once it is accepted.
func (a *app) runPlan(ctx context.Context, j *session.Job, r *rollFlags, yes bool) error {
	if diffCode(j.Plan) != 2 && !j.Plan.Changed() && !j.Plan.Force {
		fmt.Fprintln(a.io.Out, "nothing to do: no file was changed and no HAProxy reloaded (--force reloads anyway)")
		return nil
	}
	if err := a.accept(ctx, &j.Plan, "reload", yes); err != nil {
		return err
	}
	return a.carryOut(ctx, j, r)
}

// errUnread refuses a change of nodes that are unknown.
var errUnread = errors.New("refused: not every node could be read, nothing was changed")

// accept refuses a plan that must not run, and prompts for the cluster's name
// unless yes: what is what will be done.
func (a *app) accept(ctx context.Context, p *plan.Plan, what string, yes bool) error {
	if diffCode(*p) == 2 {
		return exit(reloadRefused, &source.Hint{Err: errUnread, Try: "name the nodes that can be read: pgtui reload " + string(p.Cluster) + " <host…>"})
	}
	err := apply.Refused(p)
	if err == nil && !yes {
		err = a.confirm(ctx, what, string(p.Cluster))
	}
	if err != nil {
		return exit(reloadRefused, err)
	}
	return nil
}

// reloadCode is the exit code of a run.
func reloadCode(r plan.Report, err error) int {
	if err == nil && r.OK() {
		return 0
	}
	if errors.Is(err, apply.ErrNotBegun) {
		return reloadRefused
	}
	code := reloadRefused
	for _, n := range r.Nodes {
		switch n.Outcome {
		case plan.Broken, plan.Uncertain:
			return reloadBroken
		case plan.Untouched:
			if n.Err != nil {
				code = reloadFailed
			}
		default:
			code = reloadFailed
		}
	}
	return code
}
