package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/model"
	"pgtui/plan/action"
)

type restartOptions struct {
	patroniFlags
	pending, switchFirst bool
	schedule             string
}

func (a *app) restartCmd() *cobra.Command {
	var o restartOptions
	c := &cobra.Command{
		Use:   "restart <cluster | instance>",
		Short: "Restart PostgreSQL: replicas one after the other, each streaming again, then the leader",
		Long: "restart has Patroni restart PostgreSQL of one member, or of all: each replica streams again before the\n" +
			"next, and the leader is last. The first that does not come back stops the run.\n" + watchedLong,
		Args: needs(1, "cluster or instance", "pgtui restart pg-test"),
		RunE: verb(&o, a.restart),
	}
	c.Flags().BoolVar(&o.pending, "pending", false, "only members that report a pending restart")
	c.Flags().BoolVar(&o.switchFirst, "switchover", false, "restart the leader by a switchover, which stops and starts its PostgreSQL")
	scheduleFlag(c, &o.schedule)
	return o.add(c)
}

func (a *app) restart(ctx context.Context, o *restartOptions, args []string) error {
	at, err := timeOf("--schedule", o.schedule)
	if err != nil {
		return err
	}
	return a.perform(ctx, "restart "+args[0], &o.patroniFlags, args[0], func(_ *model.Cluster, instance model.InstanceName) (action.Request, error) {
		return action.Request{Kind: action.Restart, Instance: instance, Pending: o.pending, SwitchFirst: o.switchFirst, At: at}, nil
	})
}

type reinitOptions struct {
	patroniFlags
	fromLeader bool
}

func (a *app) reinitCmd() *cobra.Command {
	var o reinitOptions
	c := &cobra.Command{
		Use:   "reinit <instance>",
		Short: "Replace the data of a replica by a new copy, and wait until it streams",
		Long:  "reinit has Patroni delete the data directory of a replica and copy it again from another member.\n" + watchedLong,
		Args:  needs(1, "instance", "pgtui reinit pg-test-2"),
		RunE:  verb(&o, a.reinit),
	}
	c.Flags().BoolVar(&o.fromLeader, "from-leader", false, "copy from the leader (Patroni 4.1 and newer)")
	return o.add(c)
}

func (a *app) reinit(ctx context.Context, o *reinitOptions, args []string) error {
	return a.perform(ctx, "reinit "+args[0], &o.patroniFlags, args[0], func(c *model.Cluster, instance model.InstanceName) (action.Request, error) {
		if instance == "" {
			return action.Request{}, misuse("pgtui reinit "+string(c.Name)+"-2", "%s is a cluster: pgtui reinit takes an instance", c.Name)
		}
		return action.Request{Kind: action.Reinit, Instance: instance, FromLeader: o.fromLeader}, nil
	})
}
