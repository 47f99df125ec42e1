package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model/board"
)

type routesOptions struct {
	output format
	past   pastOptions
}

func (a *app) routesCmd() *cobra.Command {
	var o routesOptions
	c := &cobra.Command{
		Use:   "routes [cluster…]",
		Short: "node:port → instance, a line for each HAProxy and service; exits as status does",
		Args:  cobra.ArbitraryArgs,
		RunE:  verb(&o, a.routes),
	}
	outputFlag(c, &o.output, "", "table", "json")
	return pastFlags(c, &o.past)
}

func (a *app) routes(ctx context.Context, o *routesOptions, names []string) error {
	if o.past.given() {
		m, err := a.moment(ctx, &o.past, names)
		if err != nil {
			return err
		}
		return a.routesOf(o, m)
	}
	inv, cls, err := a.matching(ctx, healthUnknown, names...)
	if err != nil {
		return err
	}
	snap, err := a.Probe(ctx, inv, cls, 0)
	if err != nil {
		return exit(healthUnknown, err)
	}
	return a.routesOf(o, present(inv, cls, snap))
}

// routesOf replies the routes of a moment.
func (a *app) routesOf(o *routesOptions, m *moment) error {
	boards := m.boards()
	return a.reply(o.output, board.Code(boards, false),
		func() any {
			d := jsonv1.NewRoutes(boards, m.judged)
			d.Past = m.past
			return d
		},
		func(w show.Out) {
			m.header(w)
			show.Routes(w, boards, m.judged)
		})
}
