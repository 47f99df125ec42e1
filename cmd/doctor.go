package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model/board"
	"pgtui/session"
)

type doctorOptions struct {
	output format
	count  int
	strict bool
}

func (a *app) doctorCmd() *cobra.Command {
	var o doctorOptions
	c := &cobra.Command{
		Use:   "doctor [cluster…]",
		Short: "Every finding, the worst first, with its evidence and the command to type; exits as status",
		Long: "doctor probes Patroni and HAProxy as status does, connects through every service port,\n" +
			"and reads the HAProxy files and processes of each node over SSH. It changes nothing.",
		Args: cobra.ArbitraryArgs,
		RunE: verb(&o, a.doctor),
	}
	outputFlag(c, &o.output, "", "table", "json")
	c.Flags().IntVar(&o.count, "count", 2, "real connections through each port of each HAProxy; 0 makes none")
	strictFlag(c, &o.strict)
	return c
}

func (a *app) doctor(ctx context.Context, o *doctorOptions, names []string) error {
	if err := within("--count", o.count, 0, mostConnections); err != nil {
		return err
	}
	inv, cls, err := a.matching(ctx, healthUnknown, names...)
	if err != nil {
		return err
	}
	snap, err := a.Examined(ctx, inv, cls, o.count)
	if err != nil {
		return exit(healthUnknown, err)
	}
	at := now()
	boards := session.Boards(snap, cls, at)
	return a.reply(o.output, board.Code(boards, o.strict),
		func() any { return jsonv1.NewDoctor(snap, boards, at, o.strict) },
		func(w show.Out) { show.Doctor(w, boards) })
}
