package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

func (a *app) statesCmd() *cobra.Command {
	var enable, yes bool
	var roll rollFlags
	c := &cobra.Command{
		Use:   "states <cluster>",
		Short: "Does haproxy.cfg let a reload hand the servers' states over? --enable adds the two lines",
		Long: "A new HAProxy worker takes every server for up until its own first check, so that a plain reload\n" +
			"sends some connections astray. Two lines of haproxy.cfg let pgtui hand it what the old worker knew.\n" +
			"states tells on which nodes they are, and exits 1 when one lacks them. With --enable it adds them,\n" +
			"node by node: checked by haproxy, kept a copy of, reloaded, verified. The file stays on the node.",
		Args: needs(1, "cluster", "pgtui states pg-test"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, fail := cmd.Context(), 2
			if enable {
				fail = reloadRefused
			}
			if err := roll.check(); err != nil {
				return exit(fail, err)
			}
			inv, err := a.load(ctx)
			if err != nil {
				return exit(fail, err)
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return exit(fail, err)
			}
			ap := a.applier(inv.Source)
			p, err := ap.PlanStates(ctx, inv, cls[0].Name)
			if err == nil {
				err = apply.Order(&p, hosts(roll.order))
			}
			if err != nil {
				return exit(fail, err)
			}
			states := ap.States(ctx, inv, inv.Cluster(p.Cluster))
			if err := stopped(ctx); err != nil {
				return exit(fail, err)
			}
			code := a.printStates(inv, inv.Cluster(p.Cluster), states)
			if !enable || code == 0 {
				return exit(code, nil)
			}
			if err := cmp.Or(judge(ctx, ap, inv, &p, roll), stopped(ctx)); err != nil {
				return exit(fail, err)
			}
			fmt.Fprintln(a.io.Out, "\nhaproxy.cfg would get, and HAProxy be reloaded with:")
			for _, l := range apply.StateLines() {
				fmt.Fprintf(a.io.Out, "   %s\n  +    %s\n", l[0], l[1])
			}
			printRisks(a.io.Out, &p)
			if code == 2 {
				return exit(reloadRefused, errors.New("refused: not every node could be read, nothing was changed"))
			}
			if err := apply.Refused(&p); err != nil {
				return exit(reloadRefused, err)
			}
			if !yes {
				if err := a.confirm(ctx, "change haproxy.cfg of", string(p.Cluster)); err != nil {
					return exit(reloadRefused, err)
				}
			}
			ctx, _, stop := a.interrupts(ctx, "finishing this node, then stopping", "this node is finished first: its haproxy.cfg is being changed")
			defer stop()
			if err := stopped(ctx); err != nil {
				return exit(fail, err)
			}
			ap.Rollout.Action = plan.ActionStates
			report, err := ap.EnableStates(ctx, inv, p, a.printStep)
			a.printReport(report)
			return exit(reloadCode(report, err), err)
		},
	}
	c.Flags().BoolVar(&enable, "enable", false, "add the two lines where they are missing, after asking")
	c.Flags().BoolVar(&yes, "yes", false, "with --enable: do not ask")
	c.Flags().StringSliceVar(&roll.order, "order", nil, "`hosts` to begin with, in this order")
	c.Flags().StringSliceVar(&roll.accept, "accept-risk", nil, "`names` of risks to accept; see docs/risks.md")
	roll.parallel = 1
	return writesWith(c, "enable")
}

// printStates is a line a node; 0 when all hand states over, 1 when one does
// not, 2 when one could not be read.
func (a *app) printStates(inv *model.Inventory, c *model.Cluster, states map[model.Host]source.Observed[string]) int {
	code := 0
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	for _, f := range c.LoadBalancers {
		n := plan.Node{Host: f.Host}
		if node := inv.Node(f.Host); node != nil {
			n.Node = node.Name
		}
		o := states[f.Host]
		switch {
		case o.Err != nil:
			code = 2
			fmt.Fprintf(tw, "%s\tcannot tell: %s\n", nodeLabel(n), text.Line(o.Err.Error(), 300))
		case o.Value == "":
			code = max(code, 1)
			fmt.Fprintf(tw, "%s\tplain reloads: new connections may go astray for 0.2 to 1 s\n", nodeLabel(n))
		default:
			fmt.Fprintf(tw, "%s\tstates are handed over by %s\n", nodeLabel(n), text.Line(o.Value, 120))
		}
	}
	tw.Flush()
	if code == 1 {
		fmt.Fprintf(a.io.Out, "\ntry: pgtui states %s --enable\n", c.Name)
	}
	return code
}
