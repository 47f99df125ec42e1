package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/session"
)

type diffOptions struct{ output format }

func (a *app) diffCmd() *cobra.Command {
	var o diffOptions
	c := &cobra.Command{
		Use:   "diff <cluster> [host…]",
		Short: "What a reload would change on each HAProxy node; exits 0 same, 1 different, 2 unknown",
		Args:  needs(0, "cluster", "pgtui diff pg-test"),
		RunE:  verb(&o, a.diff),
	}
	outputFlag(c, &o.output, "", "text", "json")
	return c
}

func (a *app) diff(ctx context.Context, o *diffOptions, args []string) error {
	inv, cls, err := a.open(ctx, 2, args[0])
	if err != nil {
		return err
	}
	if inv.Unpredictable() {
		a.complain(inv, cls)
		return exit(2, session.ErrUnpredictable)
	}
	p, drift, err := a.Applier(inv.Source).Survey(ctx, inv, cls[0].Name, hosts(args[1:]))
	if err != nil {
		return exit(2, err)
	}
	code := driftCode(p, drift)
	err = a.reply(o.output, code,
		func() any { return jsonv1.FromDrift(inv, cls[0], code, drift) },
		func(w show.Out) {
			show.Dialect(w, inv)
			show.Plan(w, p, drift)
		})
	a.complain(inv, cls)
	return err
}

// driftCode is the exit code of diff: files left behind on nodes that no longer
// provide the cluster are a difference too; one of these that cannot be read
// does not make the answer unknown.
func driftCode(p plan.Plan, drift []plan.NodeDrift) int {
	code := diffCode(p)
	for _, n := range drift {
		if code == 0 && n.Differs() {
			code = 1
		}
	}
	return code
}

// diffCode is the exit code of a plan that is only shown.
func diffCode(p plan.Plan) int {
	for _, n := range p.Nodes {
		if n.Err != nil {
			return 2
		}
	}
	if p.Changed() {
		return 1
	}
	return 0
}

func hosts(args []string) []model.Host {
	out := make([]model.Host, len(args))
	for i, a := range args {
		out[i] = model.Host(a)
	}
	return out
}
