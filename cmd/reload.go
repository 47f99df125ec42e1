package cmd

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// The exit codes of reload, as docs/exit-codes.md has them.
const (
	reloadFailed  = 1
	reloadBroken  = 2
	reloadRefused = 3
)

func (a *app) reloadCmd() *cobra.Command {
	var yes, dryRun, force, liveRoles bool
	var output, out, via string
	var roll rollFlags
	c := &cobra.Command{
		Use:   "reload <cluster> [host…]",
		Short: "Bring the HAProxy files in step with the inventory, node by node, and verify it",
		Long: "reload stages the cluster's service files on each HAProxy node, has HAProxy check the\n" +
			"whole would-be configuration, swaps the files, reloads, and verifies through the stats\n" +
			"page that the planned servers are live. It stops at the first node that fails and puts\n" +
			"that node back. Without --yes it shows the plan and asks for the cluster's name.\n\n" +
			"The plan names its risks. Those that stop it are accepted by name, with --accept-risk.",
		Args: needs(0, "cluster", "pgtui reload pg-test --dry-run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := roll.check(); err != nil {
				return exit(reloadRefused, err)
			}
			if err := expect("-o", output, "text", "json"); err != nil {
				return err
			}
			if output == "json" && !dryRun {
				return misuse("pgtui reload "+args[0]+" --dry-run -o json", "-o json needs --dry-run")
			}
			if cmd.Flags().Changed("via") && (via != "pigsty" || liveRoles || roll.resume || roll.confirmWithin > 0 || out != "") {
				return misuse("pgtui reload "+args[0]+" --via pigsty", "--via: expected pigsty, and without --live-roles, --resume, --confirm-within and --out: Pigsty renders from the inventory, all nodes at once, and puts nothing back")
			}
			ap, inv, plan, err := a.planFor(ctx, args[0], hosts(args[1:]), roll, force, liveRoles)
			if err != nil {
				return exit(reloadRefused, err)
			}
			if roll.resume {
				if err := a.resumes(inv, &plan); err != nil {
					return exit(reloadRefused, err)
				}
			}
			if out != "" {
				if err := a.savePlan(out, inv, &plan); err != nil {
					return exit(reloadRefused, err)
				}
			}
			if output == "json" {
				if err := printJSON(a.io.Out, a.planJSON(inv, &plan)); err != nil {
					return err
				}
				return exit(planCode(&plan), nil)
			}
			a.showPlan(inv, &plan)
			if out != "" {
				fmt.Fprintf(a.io.Out, "plan %s is in %s: pgtui apply %s runs it, and nothing else\n", plan.ID, out, text.Word(out))
			}
			if dryRun {
				return exit(planCode(&plan), nil)
			}
			if via != "" {
				return a.runPigsty(ctx, ap, inv, plan, args[1:], yes)
			}
			return a.runPlan(ctx, ap, inv, plan, roll, yes)
		},
	}
	f := c.Flags()
	f.BoolVar(&yes, "yes", false, "do not ask")
	f.BoolVar(&dryRun, "dry-run", false, "show the plan and change nothing")
	f.StringVarP(&output, "output", "o", "text", "with --dry-run: text or json")
	f.StringVar(&out, "out", "", "save the plan to this `file`, for pgtui apply")
	f.BoolVar(&force, "force", false, "reload the nodes whose files stay as they are, too")
	f.StringVar(&via, "via", "", "`pigsty`: have bin/pgsql-svc of the Pigsty checkout do it, with the same preview, risks, locks, verification and record around it")
	f.BoolVar(&liveRoles, "live-roles", false, "take the instances' roles from Patroni, not from the inventory")
	roll.add(c)
	f.BoolVar(&roll.resume, "resume", false, "go on with the run that stopped, if what is left of it is still the same work")
	return writesWith(writes(c, "dry-run"), "out")
}

// planFor makes a plan for the hosts of a cluster, all when none are named, in
// the order of its roll-out and with its risks.
func (a *app) planFor(ctx context.Context, cluster string, on []model.Host, roll rollFlags, force, liveRoles bool) (*apply.Applier, *model.Inventory, plan.Plan, error) {
	fail := func(err error) (*apply.Applier, *model.Inventory, plan.Plan, error) {
		return nil, nil, plan.Plan{}, err
	}
	load := a.load
	if liveRoles {
		load = func(ctx context.Context) (*model.Inventory, error) { return a.loadLive(ctx, cluster) }
	}
	inv, err := load(ctx)
	if err != nil {
		return fail(err)
	}
	cls, err := clusters(inv, []string{cluster})
	if err != nil {
		return fail(err)
	}
	if inv.Unpredictable() {
		a.complain(inv, cls)
		return fail(errUnpredictable)
	}
	ap := a.applier(inv.Source)
	plan, err := ap.Plan(ctx, inv, cls[0].Name, on)
	if err = cmp.Or(stopped(ctx), err); err != nil {
		return fail(err)
	}
	plan.Force, plan.LiveRoles = force, liveRoles
	if err := cmp.Or(judge(ctx, ap, inv, &plan, roll), stopped(ctx)); err != nil {
		return fail(err)
	}
	return ap, inv, plan, nil
}

// planCode is the exit code of a plan that is only shown.
func planCode(p *plan.Plan) int {
	if diffCode(*p) == 2 {
		return reloadRefused
	}
	return 0
}

// showPlan prints a plan as text: the changes, then the risks.
func (a *app) showPlan(inv *model.Inventory, p *plan.Plan) {
	a.printRules(inv)
	if p.LiveRoles {
		fmt.Fprintln(a.io.Out, "roles from Patroni, not from the inventory")
	}
	printPlan(a.io.Out, *p)
	if c := inv.Cluster(p.Cluster); c != nil {
		a.complain(inv, []*model.Cluster{c})
	}
	printRisks(a.io.Out, p)
}

// runPlan carries out a plan that was shown, once it is accepted.
func (a *app) runPlan(ctx context.Context, ap *apply.Applier, inv *model.Inventory, p plan.Plan, roll rollFlags, yes bool) error {
	switch {
	case diffCode(p) == 2:
		return exit(reloadRefused, &source.Hint{Err: errors.New("refused: not every node could be read, nothing was changed"), Try: "name the nodes that can be: pgtui reload " + string(p.Cluster) + " <host…>"})
	case !p.Changed() && !p.Force:
		fmt.Fprintln(a.io.Out, "nothing to do: nothing was changed, nothing was reloaded (--force reloads all the same)")
		return nil
	}
	if err := apply.Refused(&p); err != nil {
		return exit(reloadRefused, err)
	}
	if !yes {
		if err := a.confirm(ctx, "reload", string(p.Cluster)); err != nil {
			return exit(reloadRefused, err)
		}
	}
	return a.carryOut(ctx, ap, inv, p, roll)
}

// printRisks writes a plan's risks, those of several nodes once, and what
// bin/pgsql-svc would do otherwise.
func printRisks(w io.Writer, p *plan.Plan) {
	told := p.Grouped()
	if len(told) > 0 {
		fmt.Fprintln(w, "\nrisks:")
	}
	for _, g := range told {
		mark := "note"
		switch {
		case g.Open:
			mark = "STOP"
		case g.Stops():
			mark = "accepted"
		}
		fmt.Fprintf(w, "  %-8s  %-20s  %s\n", mark, g.Name, text.Line(g.Where()+g.What, 500))
		if mark != "accepted" && g.Try != "" {
			fmt.Fprintf(w, "  %-8s  %-20s  try: %s\n", "", "", text.Line(g.Try, 300))
		}
	}
	if len(p.Pigsty) > 0 {
		fmt.Fprintln(w, "\nbin/pgsql-svc would do otherwise:")
		for _, s := range p.Pigsty {
			fmt.Fprintln(w, "  "+text.Line(s, 500))
		}
	}
}

// confirm asks for the cluster's name on a terminal, and refuses without one. An
// interrupt is a no.
func (a *app) confirm(ctx context.Context, what, name string) error {
	f, ok := a.io.In.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return &source.Hint{Err: errors.New("refused: no terminal to ask on, nothing was changed"), Try: "--yes, after reading what --dry-run says"}
	}
	fmt.Fprintf(a.io.Out, "\ntype %s to %s, anything else to leave: ", name, what)
	type answer struct {
		line string
		err  error
	}
	typed := make(chan answer, 1)
	guard.Go("reading the answer", func() {
		line, err := bufio.NewReader(a.io.In).ReadString('\n')
		typed <- answer{line, err}
	}, func(err error) { typed <- answer{err: err} })
	select {
	case got := <-typed:
		if strings.TrimSpace(got.line) != name || (got.err != nil && got.line == "") {
			return errors.New("cancelled: nothing was changed")
		}
	case <-ctx.Done():
		fmt.Fprintln(a.io.Out)
	}
	return stopped(ctx)
}

// printStep tells one step as it ends.
func (a *app) printStep(s plan.StepResult) {
	if !s.Done {
		return
	}
	mark := "ok"
	if s.Err != nil {
		mark = "FAILED"
	}
	fmt.Fprintf(a.io.Out, "%-15s  %-8s %-6s %6d ms  %s\n", s.Host, s.Step, mark, s.Took.Round(time.Millisecond).Milliseconds(), text.Line(s.Detail, 200))
}

// printReport is the table of what was and was not done.
func (a *app) printReport(r plan.Report) {
	if len(r.Nodes) == 0 {
		return
	}
	fmt.Fprintln(a.io.Out)
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	for _, n := range r.Nodes {
		fmt.Fprintf(tw, "%s\t%s\t%s", n.Host, n.Outcome, n.Step)
		if n.Err != nil {
			fmt.Fprintf(tw, "\t%s", text.Line(n.Err.Error(), 300))
		} else if n.Backup != "" {
			fmt.Fprintf(tw, "\told files in %s", n.Backup)
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
	for _, n := range r.Nodes {
		for _, x := range n.Recovered {
			fmt.Fprintf(a.io.Out, "%s: %s\n", n.Host, text.Line(x.Text(), 500))
		}
	}
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
