package cmd

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/plan"
	"pgtui/source"
)

func (a *app) historyCmd() *cobra.Command {
	var output string
	var limit int
	var all bool
	c := &cobra.Command{
		Use:   "history [cluster]",
		Short: "What was done with this inventory: when, by whom, to which nodes, and how it ended",
		Long: "history reads the audit file: $PGTUI_AUDIT, else pgtui/audit.jsonl in $XDG_STATE_HOME or\n" +
			"~/.local/state; a sandbox has its own. pgtui only ever adds to it, a JSON record a line. It shows\n" +
			"the runs of the inventory at hand, with --all those of every inventory.\n\n" +
			"Each line has the hash of the line before. Where the chain is broken, history names the line and\n" +
			"exits 1.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cmp.Or(expect("-o", output, "text", "json"), within("--limit", limit, 0, math.MaxInt)); err != nil {
				return err
			}
			path, err := a.findInventory()
			if err != nil && !all {
				return &source.Hint{Err: err, Try: cmp.Or(source.TryOf(err), "pgtui -i /path/to/pigsty.yml history") + "; `pgtui history --all` needs none"}
			}
			log, err := a.auditLog(path)
			if err != nil {
				return err
			}
			runs, here := plan.Runs(log.Records), resolved(path)
			if all {
				here = ""
			} else {
				runs = plan.RunsOf(runs, sameInventory(here))
			}
			others := len(plan.Runs(log.Records)) - len(runs)
			runs = slices.DeleteFunc(runs, func(r plan.Run) bool { return len(args) == 1 && string(r.Cluster) != args[0] })
			if len(runs) == 0 && len(args) == 1 { // one that is gone has its runs all the same
				if inv, err := a.load(cmd.Context()); err == nil {
					if _, err := clusters(inv, args); err != nil {
						return err
					}
				}
			}
			if limit > 0 && len(runs) > limit {
				runs = runs[len(runs)-limit:]
			}
			if output == "json" {
				if err := printJSON(a.io.Out, jsonv1.FromRuns(a.auditFile(path).Path, here, runs, breaks(log))); err != nil {
					return err
				}
				return exit(min(len(log.Breaks), 1), nil)
			}
			a.printHistory(path, runs, others)
			return exit(min(len(log.Breaks), 1), nil)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	c.Flags().BoolVar(&all, "all", false, "the runs of every inventory in the file")
	c.Flags().IntVarP(&limit, "limit", "n", 20, "how many of the newest runs; 0 is all")
	return c
}

func breaks(log apply.AuditLog) []jsonv1.Break {
	out := []jsonv1.Break{}
	for _, b := range log.Breaks {
		out = append(out, jsonv1.Break(b))
	}
	return out
}

// printHistory is a table, newest last, with what failed below each run. others
// is how many runs of other inventories the file of the inventory at path has.
func (a *app) printHistory(path string, runs []plan.Run, others int) {
	if others > 0 {
		defer fmt.Fprintf(a.io.Out, "%d runs of other inventories: pgtui history --all\n", others)
	}
	if len(runs) == 0 {
		fmt.Fprintf(a.io.Out, "nothing in %s\n", a.auditFile(path).Path)
		return
	}
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "WHEN\tWHO\tWHAT\tCLUSTER\tPLAN\tENDED\tNODES")
	for _, r := range runs {
		what := r.Action
		if r.Undoes != "" {
			what += " of " + r.Undoes
		}
		ended := r.Outcome
		if r.Interrupted {
			ended = "did not say how it ended"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Began.Local().Format(time.DateTime), text.Line(r.Who.String(), 60), text.Line(what, 40),
			text.Line(string(r.Cluster), 40), text.Line(r.Plan, 20), text.Line(ended, 30), nodesText(&r))
	}
	tw.Flush()
	for _, r := range runs {
		if r.Error != "" {
			fmt.Fprintf(a.io.Out, "%s: %s\n", text.Line(r.Plan, 20), text.Line(r.Error, 300))
		}
	}
}

// nodesText is "10.10.10.11 applied, 10.10.10.12 restored".
func nodesText(r *plan.Run) string {
	var out []string
	for _, n := range r.Nodes {
		outcome := string(n.Outcome)
		if outcome == "" {
			outcome = "?"
		}
		out = append(out, text.Line(string(n.Host)+" "+outcome, 60))
	}
	return strings.Join(out, ", ")
}
