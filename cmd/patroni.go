package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/session"
)

func (a *app) patroniCmd() *cobra.Command {
	c := &cobra.Command{Use: "patroni", Short: "Patroni's configuration, history, and what it has scheduled"}
	c.AddCommand(a.patroniConfigCmd(), a.patroniHistoryCmd(), a.patroniReloadCmd(), a.patroniFlushCmd())
	return c
}

type patroniConfigOptions struct {
	patroniFlags
	set []string
}

func (a *app) patroniConfigCmd() *cobra.Command {
	var o patroniConfigOptions
	c := &cobra.Command{
		Use:   "config <cluster>",
		Short: "Print Patroni's dynamic configuration; --set changes keys of it, and shows what needs a restart",
		Long: "config prints GET /config with secrets masked. --set key=value changes keys by PATCH, never by PUT: the\n" +
			"plan has the difference, which keys take a restart and of which members, and in which order. The value\n" +
			"is a YAML scalar; null removes the key.\n" + watchedLong,
		Args: needs(1, "cluster", "pgtui patroni config pg-test --set ttl=30"),
		RunE: verb(&o, a.patroniConfig),
	}
	c.Flags().StringArrayVar(&o.set, "set", nil, "`key=value` to set, such as postgresql.parameters.max_connections=200; again for several")
	o.add(c)
	delete(c.Annotations, "writes") // without --set it only reads
	return writesWith(c, "set")
}

func (a *app) patroniConfig(ctx context.Context, o *patroniConfigOptions, args []string) error {
	if len(o.set) > 0 {
		if _, err := action.ParseSettings(o.set); err != nil {
			return misuse("--set postgresql.parameters.max_connections=200", "%w", err)
		}
		return a.performOn(ctx, "patroni config", args[0], "", &o.patroniFlags, func(*model.Cluster) (action.Request, error) {
			return action.Request{Kind: action.PatroniConfig, Set: o.set}, nil
		})
	}
	if o.yes || o.dryRun || o.out != "" || len(o.accept) > 0 {
		return misuse("pgtui patroni config "+args[0]+" --set key=value", "these flags need --set")
	}
	inv, c, err := a.patroniCluster(ctx, args[0], "patroni config")
	if err != nil {
		return err
	}
	doc, err := a.PatroniConfig(ctx, inv, c, o.ssh)
	if err != nil {
		return exit(1, err)
	}
	return printJSON(a.io.Out, doc)
}

// patroniCluster loads the inventory and picks a cluster.
func (a *app) patroniCluster(ctx context.Context, name, command string) (*model.Inventory, *model.Cluster, error) {
	inv, err := a.load(ctx)
	if err != nil {
		return nil, nil, exit(1, err)
	}
	c, instance, err := session.ClusterOf(inv, name)
	if err == nil {
		err = wholeCluster(c, instance, command)
	}
	return inv, c, err
}

type patroniHistoryOptions struct {
	output format
	ssh    bool
}

func (a *app) patroniHistoryCmd() *cobra.Command {
	var o patroniHistoryOptions
	c := &cobra.Command{
		Use:   "history <cluster…>",
		Short: "The timelines of a cluster: when each ended, and who led then",
		Args:  needs(0, "cluster", "pgtui patroni history pg-test"),
		RunE:  verb(&o, a.patroniHistory),
	}
	outputFlag(c, &o.output, "", "table", "json")
	c.Flags().BoolVar(&o.ssh, "ssh", false, "read it through SSH from a node")
	return c
}

func (a *app) patroniHistory(ctx context.Context, o *patroniHistoryOptions, names []string) error {
	inv, cls, err := a.matching(ctx, 1, names...)
	if err != nil {
		return err
	}
	return a.replies(question{output: o.output, many: several(names), fail: 1, worse: worseCode, ask: func(c *model.Cluster) (answer, error) {
		rows, err := a.PatroniHistory(ctx, inv, c, o.ssh)
		if err != nil {
			return answer{}, err
		}
		return answer{doc: func() any { return jsonv1.NewTimelines(c, rows) }, text: func(w show.Out) { showTimelines(w, rows) }}, nil
	}}, cls)
}

func showTimelines(w io.Writer, rows []action.TimelineSwitch) {
	if len(rows) == 0 {
		fmt.Fprintln(w, "the first timeline has not ended yet")
		return
	}
	t := lang.NewTable(w)
	defer t.Flush()
	fmt.Fprintln(t, "TL\tLSN\tREASON\tAT\tNEW LEADER")
	for _, r := range rows {
		fmt.Fprintf(t, "%d\t%X/%X\t%s\t%s\t%s\n", r.Timeline, r.LSN>>32, r.LSN&0xffffffff, text.Line(r.Reason, 60), text.Line(r.At, 40), text.Line(r.Leader, 60))
	}
}

func (a *app) patroniReloadCmd() *cobra.Command {
	var o patroniFlags
	c := &cobra.Command{
		Use:   "reload <cluster>",
		Short: "Have the Patroni of every member read its configuration file again",
		Long:  "reload sends POST /reload to every member that answers. It takes effect at Patroni's next loop, which\nreports no result.\n" + watchedLong,
		Args:  needs(1, "cluster", "pgtui patroni reload pg-test"),
		RunE: verb(&o, func(ctx context.Context, o *patroniFlags, args []string) error {
			return a.performOn(ctx, "patroni reload", args[0], "", o, func(*model.Cluster) (action.Request, error) {
				return action.Request{Kind: action.PatroniReload}, nil
			})
		}),
	}
	return o.add(c)
}

func (a *app) patroniFlushCmd() *cobra.Command {
	var o patroniFlags
	c := &cobra.Command{
		Use:   "flush <cluster> <switchover | restart <instance>>",
		Short: "Cancel a scheduled switchover, or the scheduled restart of an instance",
		Long:  "flush cancels what Patroni has scheduled, and reads back that it is gone.\n" + watchedLong,
		Args:  between(1, 3, "a cluster, and switchover or restart with an instance", "pgtui patroni flush pg-test switchover"),
		RunE: verb(&o, func(ctx context.Context, o *patroniFlags, args []string) error {
			return a.patroniFlush(ctx, o, args)
		}),
	}
	return o.add(c)
}

func (a *app) patroniFlush(ctx context.Context, o *patroniFlags, args []string) error {
	try := "pgtui patroni flush " + args[0] + " switchover, or pgtui patroni flush " + args[0] + " restart " + args[0] + "-1"
	switch {
	case len(args) == 2 && args[1] == "switchover", len(args) == 3 && args[1] == "restart":
	default:
		return misuse(try, "expected switchover, or restart and an instance")
	}
	return a.performOn(ctx, "patroni flush", args[0], " "+args[1], o, func(c *model.Cluster) (action.Request, error) {
		r := action.Request{Kind: action.Flush, Flush: args[1]}
		if len(args) == 3 {
			var err error
			if r.Instance, err = member(c, args[2], "restart"); err != nil {
				return r, err
			}
		}
		return r, nil
	})
}
