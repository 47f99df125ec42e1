package cmd

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/plan"
	"pgtui/session"
	"pgtui/source"
)

type historyOptions struct {
	output format
	limit  int
	all    bool
}

func (a *app) historyCmd() *cobra.Command {
	var o historyOptions
	c := &cobra.Command{
		Use:   "history [cluster…]",
		Short: "What was done with this inventory: when, by whom, to which nodes, and how it ended",
		Long: "history reads the audit file: $PGTUI_AUDIT, else pgtui/audit.jsonl in $XDG_STATE_HOME or\n" +
			"~/.local/state; a sandbox has its own. pgtui only appends to it, a JSON record a line. It shows\n" +
			"the runs of this inventory, with --all those of every inventory.\n\n" +
			"Each line has the hash of the line before. Where the chain is broken, history names the line and\n" +
			"exits 1.",
		Args: cobra.ArbitraryArgs,
		RunE: verb(&o, a.history),
	}
	outputFlag(c, &o.output, "", "text", "json")
	c.Flags().BoolVar(&o.all, "all", false, "the runs of every inventory in the file")
	c.Flags().IntVarP(&o.limit, "limit", "n", 20, "how many of the newest runs; 0 is all")
	return c
}

func (a *app) history(ctx context.Context, o *historyOptions, names []string) error {
	if err := within("--limit", o.limit, 0, math.MaxInt); err != nil {
		return err
	}
	path, err := a.Find()
	if err != nil && !o.all {
		return &source.Hint{Err: err, Try: cmp.Or(source.TryOf(err), "pgtui -i /path/to/pigsty.yml history") + "; `pgtui history --all` needs none"}
	}
	here := session.Resolved(path)
	if o.all {
		here = ""
	}
	h, err := a.HistoryOf(path, here)
	if err != nil {
		return err
	}
	runs := h.Runs
	for _, name := range names { // a cluster that was removed still has its runs
		if slices.ContainsFunc(runs, func(r plan.Run) bool { return session.Matches([]string{name}, r.Cluster) }) {
			continue
		}
		if inv, err := a.Load(ctx); err == nil {
			if _, err := session.Matching(inv, name); err != nil {
				return err
			}
		}
	}
	runs = slices.DeleteFunc(runs, func(r plan.Run) bool { return len(names) > 0 && !session.Matches(names, r.Cluster) })
	if o.limit > 0 && len(runs) > o.limit {
		runs = runs[len(runs)-o.limit:]
	}
	return a.reply(o.output, min(len(h.Breaks), 1),
		func() any {
			breaks := []jsonv1.Break{}
			for _, b := range h.Breaks {
				breaks = append(breaks, jsonv1.Break(b))
			}
			return jsonv1.FromRuns(h.File, here, runs, breaks)
		},
		func(w show.Out) { show.History(w, h.File, runs, h.Others) })
}
