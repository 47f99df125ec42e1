package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/model/failover"
	"pgtui/session"
)

type whatifOptions struct {
	down, nodes []string
	leader      string
	output      format
	noSSH       bool
	past        pastOptions
}

func (a *app) whatifCmd() *cobra.Command {
	var o whatifOptions
	c := &cobra.Command{
		Use:   "whatif <cluster> --down <instance> [--down-node <node>] [--leader <instance>]",
		Short: "Simulate the loss of an instance or a node, or another leader: what each port would serve",
		Long: "whatif probes Patroni and HAProxy as status does, and reads over SSH from each HAProxy's socket which of\n" +
			"its servers are in drain or maint: the stats page hides that while a server is DOWN. It changes nothing.",
		Args: needs(1, "cluster", "pgtui whatif pg-test --down pg-test-1"),
		RunE: verb(&o, a.whatif),
	}
	c.Flags().StringSliceVar(&o.down, "down", nil, "instances that are lost")
	c.Flags().StringSliceVar(&o.nodes, "down-node", nil, "nodes that are lost, with their HAProxy and etcd: an address, a nodename or an instance")
	c.Flags().StringVar(&o.leader, "leader", "", "the instance that leads then (default: by Patroni's rules)")
	c.Flags().BoolVar(&o.noSSH, "no-ssh", false, "probe over the network only: whether a server that is DOWN is in drain is unknown then")
	outputFlag(c, &o.output, "", "table", "json")
	return pastFlags(c, &o.past)
}

func (a *app) whatif(ctx context.Context, o *whatifOptions, names []string) error {
	if len(o.down) == 0 && len(o.nodes) == 0 && o.leader == "" {
		return misuse("pgtui whatif "+names[0]+" --down "+names[0]+"-1", "nothing to simulate: give --down or --leader")
	}
	if o.past.given() {
		m, err := a.moment(ctx, &o.past, names)
		if err != nil {
			return err
		}
		sup, err := supposed(m.inv, m.cls[0], o)
		if err != nil {
			return err
		}
		return a.whatifOf(o, sup, m)
	}
	inv, cls, err := a.open(ctx, 1, names...)
	if err != nil {
		return err
	}
	sup, err := supposed(inv, cls[0], o)
	if err != nil {
		return err
	}
	snap, err := a.WithServers(ctx, inv, cls[0], !o.noSSH)
	if err != nil {
		return err
	}
	return a.whatifOf(o, sup, present(inv, cls, snap))
}

// whatifOf replies what would be served, by the state of a moment.
func (a *app) whatifOf(o *whatifOptions, sup failover.Supposition, m *moment) error {
	out, err := failover.WhatIf(m.snap, m.cls[0], sup, m.judged)
	if err != nil {
		return err
	}
	return a.reply(o.output, 0,
		func() any {
			d := jsonv1.NewWhatIf(sup, out, m.judged)
			d.Past = m.past
			return d
		},
		func(w show.Out) {
			m.header(w)
			show.WhatIf(w, out)
		})
}

// supposed is the supposition of the flags, which fits the cluster.
func supposed(inv *model.Inventory, c *model.Cluster, o *whatifOptions) (failover.Supposition, error) {
	sup, err := supposition(inv, o)
	if err != nil {
		return sup, err
	}
	return sup, sup.Check(c)
}

// supposition is what the flags simulate.
func supposition(inv *model.Inventory, o *whatifOptions) (failover.Supposition, error) {
	sup := failover.Supposition{Leader: model.InstanceName(o.leader)}
	for _, d := range o.down {
		sup.Down = append(sup.Down, model.InstanceName(d))
	}
	for _, n := range o.nodes {
		host, err := session.HostOf(inv, n)
		if err != nil {
			return sup, err
		}
		sup.Nodes = append(sup.Nodes, host)
	}
	return sup, nil
}
