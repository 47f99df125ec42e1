package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/plan/file"
	"pgtui/session"
	"pgtui/source"
)

// actFlags are the flags of every action on a cluster.
type actFlags struct {
	yes, dryRun bool
	output      format
	out         string
	accept      []string
}

// add adds the flags to a command and marks it as one that writes.
func (o *actFlags) add(c *cobra.Command) *cobra.Command {
	f := c.Flags()
	f.BoolVar(&o.yes, "yes", false, "do not prompt")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the plan and change nothing")
	outputFlag(c, &o.output, "json and yaml with --dry-run", "text", "json")
	f.StringVar(&o.out, "out", "", "save the plan to this `file`, for pgtui apply")
	f.StringSliceVar(&o.accept, "accept-risk", nil, "`names` of risks to accept, as the plan lists them; see docs/risks.md")
	return writesWith(writes(c, "dry-run"), "out")
}

func (o *actFlags) check(c string) error {
	if err := acceptable(o.accept); err != nil {
		return exit(action.EndRefused.Code(), err)
	}
	if o.output.document() && !o.dryRun {
		return misuse("pgtui "+c+" --dry-run -o json", "-o %s needs --dry-run", o.output)
	}
	return nil
}

// timeOf is the time of a flag, as action.ParseUntil reads it; zero for "".
func timeOf(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	at, err := action.ParseUntil(s, now())
	if err != nil {
		return at, misuse(flag+" 2h", "%s: %w", flag, err)
	}
	return at, nil
}

// act plans an action, shows it, and carries it out once it is confirmed.
func (a *app) act(ctx context.Context, o *actFlags, inv *model.Inventory, r action.Request) error {
	p, err := a.PlanAction(ctx, inv, r)
	if err != nil {
		return exit(action.EndRefused.Code(), err)
	}
	p.Accepted = o.accept
	if o.out != "" {
		if err := saveAction(o.out, inv, &p); err != nil {
			return exit(action.EndRefused.Code(), err)
		}
	}
	doc := file.NewAction(inv, &p)
	if o.output.document() {
		return a.reply(o.output, doc.ExitCode, func() any { return doc }, nil)
	}
	show.Action(a.plain(), &p)
	if o.out != "" {
		fmt.Fprintf(a.io.Out, "plan %s saved to %s: pgtui apply %s runs exactly this plan\n", p.ID, o.out, text.Word(o.out))
	}
	if o.dryRun {
		return exit(doc.ExitCode, nil)
	}
	return a.runAction(ctx, inv, &p, o.yes)
}

// runAction carries out a plan that was shown, once it is accepted.
func (a *app) runAction(ctx context.Context, inv *model.Inventory, p *action.Plan, yes bool) error {
	if p.Refused == nil && !p.Changes() {
		fmt.Fprintln(a.io.Out, "nothing to do")
		return nil
	}
	if p.Refused == nil && len(p.Unaccepted()) == 0 && !yes {
		if err := a.confirm(ctx, p.Request.Title(), p.Subject()); err != nil {
			return exit(action.EndRefused.Code(), err)
		}
	}
	ctx, _, stop := a.interrupts(ctx, "finishing this step, then stopping; what was sent stays sent", "this step is finished first")
	defer stop()
	if err := session.Stopped(ctx); err != nil {
		return exit(action.EndRefused.Code(), err)
	}
	report, err := a.Act(ctx, inv, *p, func(e action.Event) { show.Event(a.plain(), p, e) })
	show.ActionReport(a.plain(), &report)
	return exit(report.Outcome.Code(), err)
}

// saveAction writes the plan of an action for apply. A plan that must not run is
// not saved.
func saveAction(name string, inv *model.Inventory, p *action.Plan) error {
	if p.Refused != nil {
		return fmt.Errorf("--out %s: not saved: %w", name, p.Refused)
	}
	return writeFile(name, func(w io.Writer) error { return file.Write(w, file.NewAction(inv, p)) })
}

// writeFile replaces a file as a whole, or leaves it.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err == nil {
		err = errors.Join(write(f), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), name)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// applyAction runs exactly the action that a file has, or refuses it as stale.
func (a *app) applyAction(ctx context.Context, name string, yes bool, accept []string) error {
	refused := action.EndRefused.Code()
	f, err := os.Open(name)
	if err != nil {
		return exit(refused, fmt.Errorf("the plan cannot be read: %w", err))
	}
	defer f.Close()
	saved, err := file.ReadAction(f)
	if err != nil {
		return exit(refused, fmt.Errorf("%s %s: nothing was sent", text.Line(name, 200), text.Line(err.Error(), 200)))
	}
	inv, err := a.load(ctx)
	if err != nil {
		return exit(refused, err)
	}
	p, err := a.PlanAction(ctx, inv, saved.Request)
	if err != nil {
		return exit(refused, fmt.Errorf("the plan cannot be made again, nothing was sent: %w", unusage(err)))
	}
	if why := saved.Stale(&p); len(why) > 0 {
		for _, w := range why {
			fmt.Fprintln(a.io.Out, text.Line(w, 400))
		}
		return exit(refused, &source.Hint{Err: fmt.Errorf("plan %s of %s is stale: nothing was sent", saved.Plan, text.Moment(saved.MadeAt.Local())),
			Try: "plan again with --dry-run --out, and review it again"})
	}
	p.Accepted = accept
	show.Action(a.plain(), &p)
	return a.runAction(ctx, inv, &p, yes)
}
