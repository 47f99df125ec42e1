package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model/board"
	"pgtui/session"
)

type routesOptions struct{ output format }

func (a *app) routesCmd() *cobra.Command {
	var o routesOptions
	c := &cobra.Command{
		Use:   "routes [cluster…]",
		Short: "node:port → instance, a line for each HAProxy and service; exits as status does",
		Args:  cobra.ArbitraryArgs,
		RunE:  verb(&o, a.routes),
	}
	outputFlag(c, &o.output, "", "table", "json")
	return c
}

func (a *app) routes(ctx context.Context, o *routesOptions, names []string) error {
	inv, cls, err := a.matching(ctx, healthUnknown, names...)
	if err != nil {
		return err
	}
	snap, err := a.Probe(ctx, inv, cls, 0)
	if err != nil {
		return exit(healthUnknown, err)
	}
	at := now()
	boards := session.Boards(snap, cls, at)
	return a.reply(o.output, board.Code(boards, false),
		func() any { return jsonv1.NewRoutes(boards, at) },
		func(w show.Out) { show.Routes(w, boards, at) })
}
