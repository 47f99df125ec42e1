package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
)

type pgbouncerOptions struct{ output format }

func (a *app) pgbouncerCmd() *cobra.Command {
	var o pgbouncerOptions
	c := &cobra.Command{
		Use:   "pgbouncer <instance>",
		Short: "Pools, waiting clients, paused databases and limits of an instance's pgbouncer",
		Long: "pgbouncer logs in to the console of an instance's pgbouncer, as the monitoring user, and shows its\n" +
			"pools, the clients that wait for a server connection, the paused and disabled databases, and how near\n" +
			"its limits are. It changes nothing. Exit codes: 0 clients get through, 1 some wait for " + model.PoolWait.String() + " or longer,\n" +
			"a database is paused, or max_client_conn is near, 2 no client gets through, 3 the console does not answer.",
		Args: needs(1, "instance", "pgtui pgbouncer pg-test-1"),
		RunE: verb(&o, a.pgbouncer),
	}
	outputFlag(c, &o.output, "", "table", "json")
	return c
}

func (a *app) pgbouncer(ctx context.Context, o *pgbouncerOptions, names []string) error {
	inv, c, in, err := a.instance(ctx, healthUnknown, names[0])
	if err != nil {
		return err
	}
	rep, err := a.Pooler(ctx, inv, in.Name)
	if err != nil {
		return exit(healthUnknown, err)
	}
	health, summary := rep.Verdict(c)
	return a.reply(o.output, int(health),
		func() any { return jsonv1.NewPooler(inv, c, in, &rep, now()) },
		func(w show.Out) {
			show.Pooler(w, in, &rep)
			fmt.Fprintf(w, "\n%s\n", show.Verdict(w, health, summary))
		})
}
