package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/model/activity"
	"pgtui/probe"
)

type postgresOptions struct {
	output           format
	noSSH, queryText bool
}

func (a *app) postgresCmd() *cobra.Command {
	var o postgresOptions
	c := &cobra.Command{
		Use:   "postgres <instance>",
		Short: "Sessions, blockers, replication slots, archive and backup of an instance's PostgreSQL",
		Long: "postgres logs in to an instance's PostgreSQL once, as the monitoring user and read-only, and shows its\n" +
			"sessions: who blocks whom, the oldest transactions and queries, then the replication slots with the WAL\n" +
			"that they retain, the archiver, and, over SSH, pgbackrest's last backup and the space on disk. Queries may\n" +
			"hold secrets: only the first word of each is shown, with --query-text its beginning. It changes nothing;\n" +
			"pgtui cancel and pgtui terminate do. Exit codes: 0 nothing needs attention, 1 something needs attention, 2 PostgreSQL\n" +
			"accepts no more sessions, 3 it does not answer.",
		Args: needs(1, "instance", "pgtui postgres pg-test-1"),
		RunE: verb(&o, a.postgres),
	}
	outputFlag(c, &o.output, "", "table", "json")
	c.Flags().BoolVar(&o.queryText, "query-text", false, "show the beginning of each query, which may hold secrets")
	c.Flags().BoolVar(&o.noSSH, "no-ssh", false, "do not read the node: the backup and the space on disk are unknown")
	return c
}

func (a *app) postgres(ctx context.Context, o *postgresOptions, names []string) error {
	inv, c, in, err := a.instance(ctx, healthUnknown, names[0])
	if err != nil {
		return err
	}
	rep, store, err := a.ServerOf(ctx, inv, in.Name, o.queryText, !o.noSSH)
	switch {
	case errors.Is(err, probe.ErrCrowded):
		return exit(int(model.HealthDown), err)
	case err != nil:
		return exit(healthUnknown, err)
	}
	var known *model.NodeStore
	if store.Known() {
		known = &store.Value
	}
	health, troubles := activity.Verdict(&rep, known)
	return a.reply(o.output, int(health),
		func() any { return jsonv1.NewPostgres(inv, c, in, &rep, store, now()) },
		func(w show.Out) {
			show.Server(w, in, &rep, store, o.queryText, now())
			fmt.Fprintf(w, "\n%s\n", show.Verdict(w, health, activity.Summary(&rep, troubles)))
			for i := 1; i < len(troubles); i++ {
				fmt.Fprintf(w, "  %s\n", troubles[i])
			}
		})
}
