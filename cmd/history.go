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

	"pgtui/cmd/jsonv1"
	"pgtui/internal/safe"
	"pgtui/model"
)

func (a *app) historyCmd() *cobra.Command {
	var output string
	var limit int
	c := &cobra.Command{
		Use:   "history [cluster]",
		Short: "What was done from here: when, by whom, to which nodes, and how it ended",
		Long: "history reads the audit file: $PGTUI_AUDIT, else pgtui/audit.jsonl in $XDG_STATE_HOME or\n" +
			"~/.local/state. pgtui only ever adds to it, a JSON record a line.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cmp.Or(expect("-o", output, "text", "json"), within("--limit", limit, 0, math.MaxInt)); err != nil {
				return err
			}
			runs, err := a.runs()
			if err != nil {
				return err
			}
			runs = slices.DeleteFunc(runs, func(r model.Run) bool { return len(args) == 1 && string(r.Cluster) != args[0] })
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
				return printJSON(a.io.Out, jsonv1.FromRuns(a.auditFile().Path, runs))
			}
			a.printHistory(runs)
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	c.Flags().IntVarP(&limit, "limit", "n", 20, "how many of the newest runs; 0 is all")
	return c
}

// printHistory is a table, newest last, with what failed below each run.
func (a *app) printHistory(runs []model.Run) {
	if len(runs) == 0 {
		fmt.Fprintf(a.io.Out, "nothing in %s\n", a.auditFile().Path)
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
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Began.Local().Format(time.DateTime), safe.Text(r.Who.String(), 60), safe.Text(what, 40),
			safe.Text(string(r.Cluster), 40), safe.Text(r.Plan, 20), safe.Text(ended, 30), nodesText(&r))
	}
	tw.Flush()
	for _, r := range runs {
		if r.Error != "" {
			fmt.Fprintf(a.io.Out, "%s: %s\n", safe.Text(r.Plan, 20), safe.Text(r.Error, 300))
		}
	}
}

// nodesText is "10.10.10.11 applied, 10.10.10.12 restored".
func nodesText(r *model.Run) string {
	var out []string
	for _, n := range r.Nodes {
		outcome := string(n.Outcome)
		if outcome == "" {
			outcome = "?"
		}
		out = append(out, safe.Text(string(n.Host)+" "+outcome, 60))
	}
	return strings.Join(out, ", ")
}
