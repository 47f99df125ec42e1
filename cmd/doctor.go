package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/setup"
)

type doctorOptions struct {
	output format
	count  int
	strict bool
	setup  bool
	past   pastOptions
}

func (a *app) doctorCmd() *cobra.Command {
	var o doctorOptions
	c := &cobra.Command{
		Use:   "doctor [cluster…]",
		Short: "Every finding, the worst first, with its evidence and the command to type; exits as status",
		Long: "doctor probes Patroni and HAProxy as status does, connects through every service port,\n" +
			"and reads the HAProxy files and processes of each node over SSH. It changes nothing.\n\n" +
			"With --setup it checks instead that this machine has what pgtui needs of the nodes: SSH and sudo,\n" +
			"HAProxy's files, master socket and stats page, Patroni's REST API, the monitoring user's logins and\n" +
			"the clocks. It prints the fix of what is missing, and the sudoers line that the logins need. Exit\n" +
			"codes: 0 nothing is missing, 1 something is, 3 something could not be checked.",
		Args: cobra.ArbitraryArgs,
		RunE: verb(&o, a.doctor),
	}
	outputFlag(c, &o.output, "", "table", "json")
	c.Flags().IntVar(&o.count, "count", 2, "real connections through each port of each HAProxy; 0 makes none")
	strictFlag(c, &o.strict)
	c.Flags().BoolVar(&o.setup, "setup", false, "check SSH, sudo, ports, passwords and clocks from this machine")
	return pastFlags(c, &o.past)
}

func (a *app) doctor(ctx context.Context, o *doctorOptions, names []string) error {
	if err := within("--count", o.count, 0, mostConnections); err != nil {
		return err
	}
	if o.past.given() {
		if o.setup {
			return wrong("--at cannot be combined with --setup: it contacts no node")
		}
		m, err := a.moment(ctx, &o.past, names)
		if err != nil {
			return err
		}
		return a.doctorOf(o, m)
	}
	inv, cls, err := a.matching(ctx, healthUnknown, names...)
	if err != nil {
		return err
	}
	if o.setup {
		return a.setup(ctx, o, inv, cls)
	}
	snap, err := a.Examined(ctx, inv, cls, o.count)
	if err != nil {
		return exit(healthUnknown, err)
	}
	return a.doctorOf(o, present(inv, cls, snap))
}

// doctorOf replies the findings of a moment.
func (a *app) doctorOf(o *doctorOptions, m *moment) error {
	boards := m.boards()
	return a.reply(o.output, board.Code(boards, o.strict),
		func() any {
			d := jsonv1.NewDoctor(m.snap, boards, m.judged, o.strict)
			d.Past = m.past
			return d
		},
		func(w show.Out) {
			m.header(w)
			show.Doctor(w, boards)
		})
}

// setup checks what pgtui needs of the nodes.
func (a *app) setup(ctx context.Context, o *doctorOptions, inv *model.Inventory, cls []*model.Cluster) error {
	items, sudoers, err := a.Setup(ctx, inv, cls)
	if err != nil {
		return exit(healthUnknown, err)
	}
	at, code := now(), setupCode(items)
	return a.reply(o.output, code,
		func() any { return jsonv1.NewSetup(inv, items, sudoers, at, code) },
		func(w show.Out) { show.Setup(w, inv, items, sudoers) })
}

// setupCode is the exit code of the checks.
func setupCode(items []setup.Item) int {
	code := 0
	for i := range items {
		switch items[i].State {
		case setup.Missing:
			return 1
		case setup.Unknown:
			code = healthUnknown
		}
	}
	return code
}
