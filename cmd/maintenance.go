package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/plan/action"
	"pgtui/session"
	"pgtui/source"
)

type maintenanceOptions struct {
	actFlags
	end, cut   bool
	wait       time.Duration
	until, why string
}

func (a *app) maintenanceCmd() *cobra.Command {
	var o maintenanceOptions
	c := &cobra.Command{
		Use:   "maintenance <node>",
		Short: "Make a node safe to stop; --end brings it back",
		Long: "maintenance prepares a node for a patch or a reboot, as one plan: a switchover away where its instance\n" +
			"leads, its instance drained on every HAProxy, its sessions ended, the VIP on another node. The node may\n" +
			"be named by its address, its nodename or its instance. Each step is shown before; ctrl-c stops between\n" +
			"two of them. --end brings the node back: it streams, its checks have passed, and it gets connections.",
		Args: needs(1, "node", "pgtui maintenance pg-test-2"),
		RunE: verb(&o, a.maintenance),
	}
	f := c.Flags()
	f.BoolVar(&o.end, "end", false, "bring the node back into service")
	f.DurationVar(&o.wait, "timeout", action.MaintenanceWaits, "wait this long for the sessions to end")
	f.BoolVar(&o.cut, "cut", false, "end the sessions that are left, after --timeout")
	untilFlags(c, &o.until, &o.why)
	return o.add(c)
}

func (a *app) maintenance(ctx context.Context, o *maintenanceOptions, args []string) error {
	r := action.Request{Kind: action.Maintenance, Why: text.Line(o.why, 300), Wait: o.wait, Cut: o.cut}
	if o.end {
		r = action.Request{Kind: action.EndMaintenance}
	}
	if err := o.check("maintenance " + args[0]); err != nil {
		return err
	}
	if err := lasting("--timeout", o.wait, 0, 24*time.Hour); err != nil {
		return err
	}
	var err error
	if r.Until, err = timeOf("--until", o.until); err != nil {
		return err
	}
	inv, err := a.load(ctx)
	if err != nil {
		return exit(action.EndRefused.Code(), err)
	}
	if r.Node, err = session.HostOf(inv, args[0]); err != nil {
		return err
	}
	c, in := inv.InstanceOn(r.Node, args[0])
	if c == nil {
		return exit(action.EndRefused.Code(), &source.Hint{Err: fmt.Errorf("%s runs no instance: there is nothing to move away from it", r.Node), Try: "pgtui components " + args[0] + " shows what runs there"})
	}
	r.Cluster, r.Instance = c.Name, in.Name
	return a.act(ctx, &o.actFlags, inv, r)
}
