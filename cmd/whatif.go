package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/safe"
	"pgtui/model"
)

func (a *app) whatifCmd() *cobra.Command {
	var down []string
	var leader, output string
	var noSSH bool
	c := &cobra.Command{
		Use:   "whatif <cluster> --down <instance> [--leader <instance>]",
		Short: "On paper: who would serve each port if an instance were gone, or another one led",
		Long: "whatif asks Patroni and HAProxy as status does, and over SSH each HAProxy's socket which of its servers\n" +
			"are in drain or maint: the stats page hides that while a server is DOWN. It changes nothing.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(down) == 0 && leader == "" {
				return &model.Hint{Err: errors.New("suppose what?"), Try: "pgtui whatif " + args[0] + " --down " + args[0] + "-1"}
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return err
			}
			snap, err := a.probeWithServers(cmd.Context(), inv, cls, !noSSH)
			if err != nil {
				return err
			}
			sup := model.Supposition{Leader: model.InstanceName(leader)}
			for _, d := range down {
				sup.Down = append(sup.Down, model.InstanceName(d))
			}
			at := now()
			out, err := model.WhatIf(snap, cls[0], sup, at)
			if err != nil {
				return err
			}
			if output == "json" {
				enc := json.NewEncoder(a.io.Out)
				enc.SetIndent("", "  ")
				return enc.Encode(jsonv1.NewWhatIf(sup, out, at))
			}
			a.printWhatIf(out)
			return nil
		},
	}
	c.Flags().StringSliceVar(&down, "down", nil, "instances that are gone")
	c.Flags().StringVar(&leader, "leader", "", "the instance that leads then (default: the likely one)")
	c.Flags().BoolVar(&noSSH, "no-ssh", false, "ask over the network only: whether a server that is DOWN is drained is then not known")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

// probeWithServers is a snapshot of clusters, and with ssh what was done by hand to
// the servers of their HAProxies.
func (a *app) probeWithServers(ctx context.Context, inv *model.Inventory, cls []*model.Cluster, ssh bool) (*model.Snapshot, error) {
	prober := a.prober()
	var servers map[model.Host]model.Observed[model.ServerStates]
	var snap *model.Snapshot
	var faults [2]error
	var g safe.Group
	if ssh {
		g.Go("reading HAProxy's servers", func() { servers = prober.ReadServers(ctx, a.runner(), frontNodes(inv, cls)) }, func(err error) { faults[0] = err })
	}
	g.Go("asking the cluster", func() { snap, faults[1] = prober.Probe(ctx, inv, only(cls)...) }, func(err error) { faults[1] = err })
	g.Wait()
	if err := errors.Join(faults[:]...); err != nil {
		return nil, err
	}
	snap.Servers = servers
	return snap, nil
}

// frontNodes are the HAProxy nodes of clusters, each once.
func frontNodes(inv *model.Inventory, cls []*model.Cluster) []*model.Node {
	var out []*model.Node
	for _, c := range cls {
		for i := range c.Fronts {
			h := c.Fronts[i].Host
			if slices.ContainsFunc(out, func(n *model.Node) bool { return n.Host == h }) {
				continue
			}
			n := inv.Node(h)
			if n == nil {
				n = &model.Node{Host: h, SSH: model.SSHTarget{Address: string(h)}}
			}
			out = append(out, n)
		}
	}
	return out
}

func (a *app) printWhatIf(out model.Outcome) {
	leader := string(out.Leader)
	if leader == "" {
		leader = "nobody"
	}
	fmt.Fprintf(a.io.Out, "%s  leader %s → %s (%s)\n\n", out.After.Cluster.Name, leaderText(&out.Before), leader, safe.Text(out.Why, 200))
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "  PORT\tSERVICE\tNOW\tTHEN\tSESSIONS CUT\tWHY")
	for i, r := range out.After.Routes {
		why := ""
		if r.Verdict != model.Serving {
			why = r.Why
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%d\t%s\n", r.Port, r.Service, serves(out.Before.Routes[i]), serves(r), out.Cut[r.Service], safe.Text(why, 160))
	}
	tw.Flush()
	for i := range out.Held {
		fmt.Fprintf(a.io.Out, "\n  %s; pgtui doctor %s names the command that ends it\n", safe.Text(out.Held[i].Text(), 240), out.After.Cluster.Name)
	}
	if text := model.UnreadText(out.Unread); text != "" {
		fmt.Fprintf(a.io.Out, "\n  %s\n", safe.Text(text, 400))
	}
	fmt.Fprintln(a.io.Out, "\n  once every check has settled; a failover itself takes Patroni's ttl and HAProxy's checks")
}
