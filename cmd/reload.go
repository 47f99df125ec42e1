package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/internal/safe"
	"pgtui/model"
)

// The exit codes of reload, as docs/exit-codes.md has them.
const (
	reloadFailed  = 1
	reloadBroken  = 2
	reloadRefused = 3
)

func (a *app) reloadCmd() *cobra.Command {
	var yes, dryRun bool
	var roll rollFlags
	c := &cobra.Command{
		Use:   "reload <cluster> [host…]",
		Short: "Bring the HAProxy files in step with the inventory, node by node, and verify it",
		Long: "reload stages the cluster's service files on each HAProxy node, has HAProxy check the\n" +
			"whole would-be configuration, swaps the files, reloads, and verifies through the stats\n" +
			"page that the planned servers are live. It stops at the first node that fails and puts\n" +
			"that node back. Without --yes it shows the plan and asks for the cluster's name.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exit(reloadRefused, &model.Hint{Err: errors.New("which cluster?"), Try: "pgtui reload pg-test --dry-run"})
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := roll.check(); err != nil {
				return exit(reloadRefused, err)
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return exit(reloadRefused, err)
			}
			cls, err := clusters(inv, args[:1])
			if err != nil {
				return exit(reloadRefused, err)
			}
			if inv.Unpredictable() {
				a.complain(inv, cls)
				return exit(reloadRefused, errUnpredictable)
			}
			ap := a.applier(inv)
			plan, err := ap.Plan(cmd.Context(), inv, cls[0].Name, hosts(args[1:]))
			if err != nil {
				return exit(reloadRefused, err)
			}
			if err := a.arrange(cmd.Context(), inv, &plan, roll.order); err != nil {
				return exit(reloadRefused, err)
			}
			if roll.resume {
				if err := a.resumes(&plan); err != nil {
					return exit(reloadRefused, err)
				}
			}
			a.printRules(inv)
			printPlan(a.io.Out, plan)
			a.complain(inv, cls)
			if dryRun || (!plan.Changed() && diffCode(plan) == 0) {
				if !dryRun {
					fmt.Fprintln(a.io.Out, "nothing to do: nothing was changed, nothing was reloaded")
				}
				if code := diffCode(plan); code == 2 {
					return exit(reloadRefused, nil)
				}
				return nil
			}
			if diffCode(plan) == 2 {
				return exit(reloadRefused, &model.Hint{Err: errors.New("refused: not every node could be read, nothing was changed"), Try: "name the nodes that can be: pgtui reload " + args[0] + " <host…>"})
			}
			if !yes {
				if err := a.confirm("reload", string(cls[0].Name)); err != nil {
					return exit(reloadRefused, err)
				}
			}
			return a.carryOut(cmd.Context(), ap, inv, plan, roll)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show the plan and change nothing")
	roll.add(c)
	c.Flags().BoolVar(&roll.resume, "resume", false, "go on with the run that stopped, if what is left of it is still the same work")
	return writes(c, "dry-run")
}

// confirm asks for the cluster's name on a terminal, and refuses without one.
func (a *app) confirm(what, name string) error {
	f, ok := a.io.In.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return &model.Hint{Err: errors.New("refused: no terminal to ask on, nothing was changed"), Try: "--yes, after reading what --dry-run says"}
	}
	fmt.Fprintf(a.io.Out, "\ntype %s to %s, anything else to leave: ", name, what)
	line, err := bufio.NewReader(a.io.In).ReadString('\n')
	if strings.TrimSpace(line) != name || (err != nil && line == "") {
		return errors.New("cancelled: nothing was changed")
	}
	return nil
}

// printStep tells one step as it ends.
func (a *app) printStep(s model.StepResult) {
	if !s.Done {
		return
	}
	mark := "ok"
	if s.Err != nil {
		mark = "FAILED"
	}
	fmt.Fprintf(a.io.Out, "%-15s  %-8s %-6s %6d ms  %s\n", s.Host, s.Step, mark, s.Took.Round(time.Millisecond).Milliseconds(), safe.Text(s.Detail, 200))
}

// printReport is the table of what was and was not done.
func (a *app) printReport(r model.Report) {
	if len(r.Nodes) == 0 {
		return
	}
	fmt.Fprintln(a.io.Out)
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	for _, n := range r.Nodes {
		fmt.Fprintf(tw, "%s\t%s\t%s", n.Host, n.Outcome, n.Step)
		if n.Err != nil {
			fmt.Fprintf(tw, "\t%s", safe.Text(n.Err.Error(), 300))
		} else if n.Backup != "" {
			fmt.Fprintf(tw, "\told files in %s", n.Backup)
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
}

// reloadCode is the exit code of a run.
func reloadCode(r model.Report, err error) int {
	if err == nil && r.OK() {
		return 0
	}
	if errors.Is(err, apply.ErrNotBegun) {
		return reloadRefused
	}
	code := reloadRefused
	for _, n := range r.Nodes {
		switch n.Outcome {
		case model.Broken, model.Uncertain:
			return reloadBroken
		case model.Untouched:
			if n.Err != nil {
				code = reloadFailed
			}
		default:
			code = reloadFailed
		}
	}
	return code
}
