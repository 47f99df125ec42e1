package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/model"
	"pgtui/plan/action"
)

type pauseOptions struct {
	patroniFlags
	until string
}

func (a *app) pauseCmd() *cobra.Command {
	var o pauseOptions
	c := &cobra.Command{
		Use:   "pause <cluster>",
		Short: "Put Patroni into maintenance mode: no member takes over when the leader fails; verified on every member",
		Long:  "pause sets pause in Patroni's configuration and waits until every member that answers reports it. The\nreason and the time are kept, and a finding reminds of it.\n" + watchedLong,
		Args:  needs(1, "cluster", `pgtui pause pg-test --why "kernel update"`),
		RunE: verb(&o, func(ctx context.Context, o *pauseOptions, args []string) error {
			return a.pauseTo(ctx, o, args[0], action.Pause)
		}),
	}
	c.Flags().StringVar(&o.until, "until", "", "when it should be over, kept beside --why: a `time` or 2h; pgtui ends nothing by itself")
	return o.add(c)
}

func (a *app) resumeCmd() *cobra.Command {
	var o pauseOptions
	c := &cobra.Command{
		Use:   "resume <cluster>",
		Short: "End Patroni's maintenance mode; verified on every member",
		Long:  "resume removes pause from Patroni's configuration and waits until no member that answers reports it.\n" + watchedLong,
		Args:  needs(1, "cluster", "pgtui resume pg-test"),
		RunE: verb(&o, func(ctx context.Context, o *pauseOptions, args []string) error {
			return a.pauseTo(ctx, o, args[0], action.Resume)
		}),
	}
	return o.add(c)
}

func (a *app) pauseTo(ctx context.Context, o *pauseOptions, name string, kind action.Kind) error {
	until, err := timeOf("--until", o.until)
	if err != nil {
		return err
	}
	return a.performOn(ctx, string(kind), name, "", &o.patroniFlags, func(*model.Cluster) (action.Request, error) {
		return action.Request{Kind: kind, Until: until}, nil
	})
}
