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
	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
	"pgtui/probe"
	"pgtui/source"
)

func (a *app) whatifCmd() *cobra.Command {
	var down, nodes []string
	var leader, output string
	var noSSH bool
	c := &cobra.Command{
		Use:   "whatif <cluster> --down <instance> [--down-node <node>] [--leader <instance>]",
		Short: "On paper: who would serve each port if an instance or a node were gone, or another one led",
		Long: "whatif asks Patroni and HAProxy as status does, and over SSH each HAProxy's socket which of its servers\n" +
			"are in drain or maint: the stats page hides that while a server is DOWN. It changes nothing.",
		Args: needs(1, "cluster", "pgtui whatif pg-test --down pg-test-1"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(down) == 0 && len(nodes) == 0 && leader == "" {
				return misuse("pgtui whatif "+args[0]+" --down "+args[0]+"-1", "suppose what? --down, --down-node or --leader names one")
			}
			if err := expect("-o", output, "table", "json"); err != nil {
				return err
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return err
			}
			sup := failover.Supposition{Leader: model.InstanceName(leader)}
			for _, d := range down {
				sup.Down = append(sup.Down, model.InstanceName(d))
			}
			for _, n := range nodes {
				host, err := lostNode(inv, n)
				if err != nil {
					return err
				}
				sup.Nodes = append(sup.Nodes, host)
			}
			if err := sup.Check(cls[0]); err != nil {
				return err
			}
			pr := a.prober()
			snap, err := a.probeWithServers(cmd.Context(), pr, inv, cls, !noSSH)
			if err != nil {
				return err
			}
			snap.Rules = map[model.ClusterName]model.RuleFacts{cls[0].Name: pr.Rules(cmd.Context(), inv, cls[0], snap)}
			at := now()
			out, err := failover.WhatIf(snap, cls[0], sup, at)
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
	c.Flags().StringSliceVar(&nodes, "down-node", nil, "nodes that are gone, with the HAProxy and the etcd there: an address, a nodename or an instance")
	c.Flags().StringVar(&leader, "leader", "", "the instance that leads then (default: by Patroni's rules)")
	c.Flags().BoolVar(&noSSH, "no-ssh", false, "ask over the network only: whether a server that is DOWN is drained is then not known")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

// lostNode is the host of a node by its address, its nodename or an instance on
// it. An error names a node that the inventory lacks.
func lostNode(inv *model.Inventory, name string) (model.Host, error) {
	for i := range inv.Nodes {
		if n := &inv.Nodes[i]; string(n.Host) == name || n.Name != "" && n.Name == name {
			return n.Host, nil
		}
	}
	for i := range inv.Clusters {
		if in := inv.Clusters[i].Instance(model.InstanceName(name)); in != nil {
			return in.Host, nil
		}
	}
	if i := slices.IndexFunc(inv.Clusters, func(c model.Cluster) bool { return len(c.Instances) > 0 }); i >= 0 {
		return "", &source.Hint{Err: fmt.Errorf("the inventory has no node %s", name), Try: "name a node as the inventory does, " + string(inv.Clusters[i].Instances[0].Host), Usage: true}
	}
	return "", &source.Hint{Err: fmt.Errorf("the inventory has no node %s", name), Usage: true}
}

// maxSaid is the longest sentence that is printed, in characters.
const maxSaid = 500

// probeWithServers is a snapshot of clusters, and with ssh what was done by hand to
// the servers of their HAProxies.
func (a *app) probeWithServers(ctx context.Context, prober *probe.Prober, inv *model.Inventory, cls []*model.Cluster, ssh bool) (*model.Snapshot, error) {
	var servers map[model.Host]source.Observed[haproxy.ServerStates]
	var snap *model.Snapshot
	var faults [2]error
	var g guard.Group
	if ssh {
		g.Go("reading HAProxy's servers", func() { servers = a.nodes().Servers(ctx, frontNodes(inv, cls)) }, func(err error) { faults[0] = err })
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
		for i := range c.LoadBalancers {
			h := c.LoadBalancers[i].Host
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

func (a *app) printWhatIf(out failover.Outcome) {
	leader := string(out.Leader)
	switch {
	case out.Unsure:
		leader = "not known"
	case leader == "":
		leader = "nobody"
	}
	fmt.Fprintf(a.io.Out, "%s  leader %s → %s (%s)\n", out.After.Cluster.Name, leaderText(&out.Before), leader, text.Line(out.Why, maxSaid))
	for _, r := range out.Reasons {
		fmt.Fprintf(a.io.Out, "  %s\n", text.Line(r, maxSaid))
	}
	if l := out.NodeLoss; l != nil {
		fmt.Fprintf(a.io.Out, "  ! If the whole node is lost (%s): %s\n", model.JoinHosts(l.Nodes), text.Line(l.Why, maxSaid))
	}
	fmt.Fprintln(a.io.Out)
	tw := tabwriter.NewWriter(a.io.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "  PORT\tSERVICE\tNOW\tTHEN\tSESSIONS CUT\tWHY")
	for i, r := range out.After.Routes {
		why := ""
		if r.Verdict != model.Serving {
			why = r.Why
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%d\t%s\n", r.Port, r.Service, serves(out.Before.Routes[i]), serves(r), out.Cut[r.Service], text.Line(why, 160))
	}
	tw.Flush()
	for i := range out.Held {
		fmt.Fprintf(a.io.Out, "\n  %s; pgtui doctor %s names the command that ends it\n", text.Line(out.Held[i].Text(), 240), out.After.Cluster.Name)
	}
	if raw := board.UnreadText(out.Unread); raw != "" {
		fmt.Fprintf(a.io.Out, "\n  %s\n", text.Line(raw, 400))
	}
	fmt.Fprintln(a.io.Out, "\n  once every check has settled; a failover itself takes Patroni's ttl and HAProxy's checks")
	fmt.Fprintf(a.io.Out, "  %s\n", text.Line(out.Rules.Words(), maxSaid))
}
