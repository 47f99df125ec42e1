package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/session"
)

type diffOptions struct{ output format }

func (a *app) diffCmd() *cobra.Command {
	var o diffOptions
	c := &cobra.Command{
		Use:   "diff <cluster…> | diff <cluster> [host…]",
		Short: "What a reload would change on each HAProxy node; exits 0 same, 1 different, 2 unknown",
		Args:  needs(0, "cluster", "pgtui diff pg-test"),
		RunE:  verb(&o, a.diff),
	}
	outputFlag(c, &o.output, "", "text", "json")
	return c
}

func (a *app) diff(ctx context.Context, o *diffOptions, args []string) error {
	inv, err := a.load(ctx)
	if err != nil {
		return exit(2, err)
	}
	names, on := clustersFirst(inv, args)
	cls, err := session.Matching(inv, names...)
	if err != nil {
		return err
	}
	if len(on) > 0 && len(cls) > 1 {
		return misuse("pgtui diff "+string(cls[0].Name)+" "+text.Word(string(on[0])), "hosts need one cluster, and got %d", len(cls))
	}
	if inv.Unpredictable() {
		a.complain(inv, cls)
		return exit(2, session.ErrUnpredictable)
	}
	err = a.replies(question{output: o.output, many: several(names), fail: 2, worse: worseCode, ask: func(c *model.Cluster) (answer, error) {
		defer a.doing(fmt.Sprintf("reading the HAProxy files of %s", c.Name))()
		p, drift, err := a.Applier(inv.Source).Survey(ctx, inv, c.Name, on)
		if err != nil {
			return answer{}, err
		}
		code := driftCode(p, drift)
		return answer{code: code, doc: func() any { return jsonv1.FromDrift(inv, c, code, drift) }, text: func(w show.Out) {
			show.Dialect(w, inv)
			show.Plan(w, p, drift)
		}}, nil
	}}, cls)
	a.complain(inv, cls)
	return err
}

// clustersFirst splits arguments into the names of clusters and the hosts behind
// them: a name that the inventory has as a cluster, and a pattern, is one of them.
func clustersFirst(inv *model.Inventory, args []string) (names []string, on []model.Host) {
	n := 1
	for n < len(args) && (session.Pattern(args[n]) || inv.Cluster(model.ClusterName(args[n])) != nil) {
		n++
	}
	return args[:n], hosts(args[n:])
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
