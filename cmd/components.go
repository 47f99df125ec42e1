package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/session"
)

type componentsOptions struct {
	output format
	noSSH  bool
	past   pastOptions
}

func (a *app) componentsCmd() *cobra.Command {
	var o componentsOptions
	c := &cobra.Command{
		Use:   "components [cluster|node…]",
		Short: "What Pigsty runs on each node: port, reachable, health, version; exits as status",
		Long: "components checks everything that Pigsty runs on the nodes of a cluster, on one node, or on all\n" +
			"nodes: over the network, and systemd over SSH. It changes nothing. Exit codes: 0 all are healthy,\n" +
			"1 a component that only monitors is unhealthy, 2 one that carries traffic is unhealthy, 3 none is\n" +
			"unhealthy and one is unknown.",
		Args: cobra.ArbitraryArgs,
		RunE: verb(&o, a.components),
	}
	outputFlag(c, &o.output, "", "table", "json")
	c.Flags().BoolVar(&o.noSSH, "no-ssh", false, "probe over the network only: a component without a port is unknown")
	return pastFlags(c, &o.past)
}

func (a *app) components(ctx context.Context, o *componentsOptions, args []string) error {
	if o.past.given() {
		m, err := a.moment(ctx, &o.past, nil)
		if err != nil {
			return err
		}
		nodes, err := session.NodesOf(m.inv, args...)
		if err != nil {
			return err
		}
		return a.componentsOf(o, m, nodes, model.Components(nodes, m.snap.ComponentStates(nodes, m.judged)))
	}
	inv, _, err := a.open(ctx, healthUnknown)
	if err != nil {
		return err
	}
	nodes, err := session.NodesOf(inv, args...)
	if err != nil {
		return exit(healthUnknown, err)
	}
	rows := a.ComponentsOf(ctx, inv, nodes, !o.noSSH)
	return a.componentsOf(o, present(inv, nil, nil), nodes, rows)
}

// componentsOf replies the components of a moment.
func (a *app) componentsOf(o *componentsOptions, m *moment, nodes []*model.Node, rows []model.ComponentRow) error {
	health, summary := model.ComponentsHealth(rows)
	return a.reply(o.output, int(health),
		func() any {
			d := jsonv1.NewComponents(m.inv, nodes, rows, m.judged)
			d.Past = m.past
			return d
		},
		func(w show.Out) {
			m.header(w)
			show.Components(w, nodes, rows)
			fmt.Fprintf(w, "\n%s\n", show.Verdict(w, health, summary))
		})
}
