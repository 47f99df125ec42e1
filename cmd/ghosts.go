package cmd

import (
	"cmp"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pgtui/apply"
	"pgtui/cmd/jsonv1"
	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/source"
)

// The exit codes of ghosts.
const (
	ghostsStuck   = 1
	ghostsUntold  = 2
	ghostsRefused = 3
)

func (a *app) ghostsCmd() *cobra.Command {
	var shut, yes bool
	var output string
	c := &cobra.Command{
		Use:   "ghosts <cluster>",
		Short: "Old HAProxy workers and what they hold; --close ends sessions that are stuck to a wrong instance",
		Long: "A reload leaves the old worker with the sessions it has. It makes no checks: after a failover\n" +
			"its sessions stay with the instance they were on. ghosts lists the old workers on the cluster's\n" +
			"HAProxy nodes. With --close it ends, after asking for the cluster's name, those sessions whose\n" +
			"instance Patroni refuses for their service now, one by one, and no others.",
		Args: needs(1, "cluster", "pgtui ghosts pg-test"),
		RunE: func(cmd *cobra.Command, args []string) error {
			fail := ghostsUntold
			if shut {
				fail = ghostsRefused
			}
			if err := expect("-o", output, "table", "json"); err != nil {
				return err
			}
			if output == "json" && shut {
				return wrong("-o json and --close exclude each other")
			}
			ctx := cmd.Context()
			inv, err := a.load(ctx)
			if err != nil {
				return exit(fail, err)
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return exit(fail, err)
			}
			ap := a.applier(inv.Source)
			look := ap.Examine(ctx, inv, cls)
			snap, err := a.prober().Probe(ctx, inv, cls[0].Name)
			if err := cmp.Or(stopped(ctx), err); err != nil {
				return exit(fail, err)
			}
			snap.Conf, snap.Workers, snap.Servers = look.Conf, look.Workers, look.Servers
			bd := check.Board(snap, cls[0], now())
			var stuck []board.Pinned
			untold := false
			for _, f := range cls[0].LoadBalancers {
				untold = untold || !snap.Workers[f.Host].Known() || snap.Workers[f.Host].Value.Missing != ""
				stuck = append(stuck, board.PinnedSessions(snap, &bd, f.Host, now())...)
			}
			stuck = slices.DeleteFunc(stuck, func(p board.Pinned) bool { return !p.Refused })
			code := 0
			switch {
			case len(stuck) > 0:
				code = ghostsStuck
			case untold:
				code = ghostsUntold
			}
			if output == "json" {
				if err := printJSON(a.io.Out, jsonv1.NewGhosts(cls[0], code, snap.Workers, stuck)); err != nil {
					return err
				}
				return exit(code, nil)
			}
			a.printWorkers(cls[0], snap.Workers, stuck)
			if !shut || len(stuck) == 0 {
				return exit(code, nil)
			}
			if !yes {
				if err := a.confirm(ctx, "close these sessions of", string(cls[0].Name)); err != nil {
					return exit(ghostsRefused, err)
				}
			}
			ctx, _, stop := a.interrupts(ctx, "finishing this worker, then stopping", "this worker is finished first")
			defer stop()
			if err := stopped(ctx); err != nil {
				return exit(fail, err)
			}
			done, err := ap.Close(ctx, inv, cls[0], stuck)
			for _, x := range done {
				fmt.Fprintf(a.io.Out, "%s: old worker %d, %s to %s: %d sessions told to end, %d left\n", x.Host, x.Worker.PID, x.Service, x.Instance, x.Ended, x.Left)
				if x.Err != nil {
					fmt.Fprintf(a.io.Out, "  %s\n", text.Line(x.Err.Error(), 300))
					code = ghostsUntold
				}
			}
			if err != nil {
				return exit(ghostsUntold, err)
			}
			if code == ghostsStuck && !slices.ContainsFunc(done, func(x apply.Closed) bool { return x.Left > 0 }) {
				code = 0
			}
			return exit(code, nil)
		},
	}
	c.Flags().BoolVar(&shut, "close", false, "end the sessions that are stuck to an instance which Patroni refuses for their service")
	c.Flags().BoolVar(&yes, "yes", false, "with --close: do not ask")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return writesWith(c, "close")
}

// printWorkers lists the old workers of every node with what they hold.
func (a *app) printWorkers(c *model.Cluster, workers map[model.Host]source.Observed[haproxy.Processes], stuck []board.Pinned) {
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "HAPROXY\tOLD WORKER\tAGE\tSESSIONS\tSERVICE\tTO\t")
	n := 0
	for _, f := range c.LoadBalancers {
		o := workers[f.Host]
		if !o.Known() || o.Value.Missing != "" {
			fmt.Fprintf(tw, "%s\tcannot tell: %s\t\t\t\t\t\n", f.Host, text.Line(whyUnknown(o), 160))
			continue
		}
		for _, w := range o.Value.Workers {
			if !w.Old {
				continue
			}
			n++
			age := o.Value.At.Sub(w.Started).Round(time.Second)
			if len(w.Pins) == 0 {
				fmt.Fprintf(tw, "%s\t%d\t%s\t0\t\t%s\t\n", f.Host, w.PID, age, text.Line(w.Err, 100))
			}
			for _, p := range w.Pins {
				mark := ""
				for _, s := range stuck {
					if s.Host == f.Host && s.Worker.PID == w.PID && string(s.Instance) == p.Server && f.Service(s.Service) != nil && f.Service(s.Service).Proxy() == p.Proxy {
						mark = fmt.Sprintf("stuck: Patroni answers %d", s.Allowed)
					}
				}
				fmt.Fprintf(tw, "%s\t%d\t%s\t%d\t%s\t%s\t%s\n", f.Host, w.PID, age, p.Sessions, text.Line(p.Proxy, 80), text.Line(p.Server, 80), mark)
			}
		}
	}
	tw.Flush()
	if n == 0 {
		fmt.Fprintln(a.io.Out, "no old worker")
	}
	if len(stuck) > 0 {
		fmt.Fprintf(a.io.Out, "\ntry: pgtui ghosts %s --close\n", c.Name)
	}
}

func whyUnknown(o source.Observed[haproxy.Processes]) string {
	if o.Err != nil {
		return o.Err.Error()
	}
	return o.Value.Missing
}
