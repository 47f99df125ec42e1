package cmd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/plan"
	"pgtui/plan/file"
	"pgtui/session"
	"pgtui/source"
)

type applyOptions struct {
	rollFlags
	yes bool
}

func (a *app) applyCmd() *cobra.Command {
	var o applyOptions
	c := &cobra.Command{
		Use:   "apply <plan.json>",
		Short: "Run exactly a plan that reload --out saved, or refuse it as stale",
		Long: "apply reads a plan that `pgtui reload <cluster> --out plan.json` saved, plans again, and runs\n" +
			"it when the work is the same, file for file. Otherwise it lists what has changed and does\n" +
			"nothing. A plan that was edited, or has no digest, is refused. The risks are assessed\n" +
			"again. Exit codes are reload's.",
		Args: needs(1, "plan", "pgtui reload pg-test --dry-run --out plan.json; pgtui apply plan.json"),
		RunE: verb(&o, a.apply),
	}
	c.Flags().BoolVar(&o.yes, "yes", false, "do not prompt")
	o.add(c)
	return writes(c)
}

func (a *app) apply(ctx context.Context, o *applyOptions, args []string) error {
	if err := o.check(); err != nil {
		return exit(reloadRefused, err)
	}
	if savedAction(args[0]) {
		return a.applyAction(ctx, args[0], o.yes, o.accept)
	}
	saved, err := a.readPlan(args[0])
	if err != nil {
		return exit(reloadRefused, err)
	}
	on, order := saved.Hosts(), hosts(o.order)
	for _, h := range order {
		if !slices.Contains(on, h) {
			return wrong("--order: %s is not in the plan of %s", h, text.Word(args[0]))
		}
	}
	if len(order) == 0 {
		order = on
	}
	made := text.Moment(saved.MadeAt.Local())
	j, err := a.planReload(ctx, session.Reload{Cluster: saved.Cluster, Hosts: on, Order: order, Accept: o.accept, Force: saved.Force, LiveRoles: saved.LiveRoles})
	if err != nil {
		return exit(reloadRefused, fmt.Errorf("the plan of %s cannot be made again, nothing was changed: %w", made, unusage(err)))
	}
	if why := saved.Stale(&j.Plan, document(j)); len(why) > 0 {
		for _, w := range why {
			fmt.Fprintln(a.io.Out, text.Line(w, 400))
		}
		return exit(reloadRefused, &source.Hint{
			Err: fmt.Errorf("plan %s of %s is stale: nothing was changed", saved.Plan, made),
			Try: a.plansAgain(&saved, args[0]) + ", and review it again",
		})
	}
	a.showPlan(j)
	return a.runPlan(ctx, j, &o.rollFlags, o.yes)
}

// savePlan writes a plan for apply. A plan that must not run is not saved.
func savePlan(name string, j *session.Job) error {
	if err := j.Plan.Refusal(); err != nil {
		return fmt.Errorf("--out %s: not saved: %w", name, err)
	}
	return writeFile(name, func(w io.Writer) error { return file.Write(w, document(j)) })
}

// savedAction reports whether a file has the plan of an action. Whether it may run
// is decided when it is read as one.
func savedAction(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, file.MaxSize))
	of := file.ActionOf(text)
	return err == nil && of != "" && of != plan.ActionReload
}

// readPlan reads what savePlan wrote, and nothing else.
func (a *app) readPlan(name string) (file.Plan, error) {
	f, err := os.Open(name)
	if err != nil {
		return file.Plan{}, fmt.Errorf("the plan cannot be read: %w", err)
	}
	defer f.Close()
	p, err := file.Read(f)
	if err != nil {
		err = &source.Hint{Err: fmt.Errorf("%s %s: nothing was changed", text.Line(name, 200), text.Line(err.Error(), 200)), Try: a.plansAgain(&p, name)}
	}
	return p, err
}

// plansAgain is the command that makes a plan like p again, in that file; the
// cluster is the one of the documentation where p names none.
func (a *app) plansAgain(p *file.Plan, name string) string {
	words := []string{"pgtui"}
	if path, err := a.Find(); err == nil {
		words = []string{a.command(path)}
	}
	words = append(words, "reload", text.Word(cmp.Or(p.Cluster, "pg-test")), "--dry-run")
	if p.Force {
		words = append(words, "--force")
	}
	if p.LiveRoles {
		words = append(words, "--live-roles")
	}
	return strings.Join(append(words, "--out", text.Word(name)), " ")
}
