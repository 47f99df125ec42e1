package cmd

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"pgtui/render/emit"
)

type rulesOptions struct{}

func (a *app) rulesCmd() *cobra.Command {
	var o rulesOptions
	return &cobra.Command{
		Use:   "rules [cluster…]",
		Short: "Alerting rules for Prometheus and vmalert, from the services that the inventory declares",
		Long: "rules prints alerts that Pigsty does not have: no member leads, a service without a server, HAProxies\n" +
			"that disagree, a server that is drained or in maintenance although it is up, pg_role that is out of\n" +
			"date, a cluster that stays paused, and a service without series. Each alert has the pgtui command to\n" +
			"type. Without a cluster, the rules of every cluster. docs/alerts.md describes where to put them.",
		Args: cobra.ArbitraryArgs,
		RunE: verb(&o, a.rules),
	}
}

func (a *app) rules(ctx context.Context, _ *rulesOptions, names []string) error {
	inv, cls, err := a.matching(ctx, 1, names...)
	if err != nil {
		return err
	}
	a.complain(inv, cls)
	text, err := emit.Rules(inv, cls)
	if err == nil {
		_, err = io.WriteString(a.io.Out, text)
	}
	return err
}
