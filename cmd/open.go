package cmd

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"pgtui/model"
	"pgtui/session"
)

// verb makes the RunE of a command from a function over its options and
// arguments. Each command is such a function, so that a test calls it with the
// options that it wants.
func verb[T any](o *T, run func(context.Context, *T, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error { return run(c.Context(), o, args) }
}

// open loads the inventory and picks the named clusters, all when none is named.
// An error exits with that code.
func (a *app) open(ctx context.Context, code int, names ...string) (*model.Inventory, []*model.Cluster, error) {
	inv, err := a.load(ctx)
	if err != nil {
		return nil, nil, exit(code, err)
	}
	cls, err := session.Clusters(inv, names...)
	if err != nil {
		return nil, nil, exit(code, err)
	}
	return inv, cls, nil
}

// instance reads the inventory and finds the instance of that name in it. An inventory
// that cannot be read is an error with that exit code.
func (a *app) instance(ctx context.Context, code int, name string) (*model.Inventory, *model.Cluster, *model.Instance, error) {
	inv, err := a.load(ctx)
	if err != nil {
		return nil, nil, nil, exit(code, err)
	}
	c, err := session.ClusterWith(inv, model.InstanceName(name))
	if err != nil {
		return nil, nil, nil, exit(code, err)
	}
	return inv, c, c.Instance(model.InstanceName(name)), nil
}

// load finds and reads the inventory. One that is interrupted is session.ErrStopped.
func (a *app) load(ctx context.Context) (*model.Inventory, error) {
	inv, err := a.Load(ctx)
	return inv, cmp.Or(session.Stopped(ctx), err)
}
