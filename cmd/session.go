package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan/action"
)

type signalOptions struct {
	actFlags
	kind action.Kind
	why  string
}

// signalCmds end one session of PostgreSQL, or its query.
func (a *app) signalCmds() []*cobra.Command {
	same := "\nIt is sent once, as pg_admin_username, and only if the process is still the session of the plan. Exit codes:\n" +
		"0 pg_stat_activity shows that it has ended, 1 it is still there after 10 s, 2 unknown, 3 nothing was sent."
	return []*cobra.Command{
		a.signalCmd(&signalOptions{kind: action.Cancel}, "End the query that a session of PostgreSQL runs; the session stays",
			"cancel ends the query that a session runs, by pg_cancel_backend. pgtui postgres lists the sessions."+same),
		a.signalCmd(&signalOptions{kind: action.Terminate}, "End a session of PostgreSQL; its transaction is rolled back",
			"terminate ends a session, by pg_terminate_backend. pgtui postgres lists the sessions. To end a session of replication,\n"+
				"Patroni or pgbackrest is the risk system-session."+same),
	}
}

func (a *app) signalCmd(o *signalOptions, short, long string) *cobra.Command {
	c := &cobra.Command{Use: string(o.kind) + " <instance> <pid>", Short: short, Long: long,
		Args: between(2, 2, "an instance and a process ID", "pgtui "+string(o.kind)+" pg-test-1 4711"), RunE: verb(o, a.signal)}
	c.Flags().StringVar(&o.why, "why", "", "the reason, kept in the audit file")
	return o.add(c)
}

func (a *app) signal(ctx context.Context, o *signalOptions, args []string) error {
	r := action.Request{Kind: o.kind, Instance: model.InstanceName(args[0]), Why: text.Line(o.why, 300)}
	if err := o.check(string(o.kind) + " " + args[0] + " " + args[1]); err != nil {
		return err
	}
	var err error
	if r.PID, err = action.ParsePID(args[1]); err != nil {
		return misuse("pgtui postgres "+args[0]+", which lists the sessions", "%w", err)
	}
	inv, c, _, err := a.instance(ctx, action.EndRefused.Code(), args[0])
	if err != nil {
		return err
	}
	r.Cluster = c.Name
	return a.act(ctx, &o.actFlags, inv, r)
}
