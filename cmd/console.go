package cmd

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"pgtui/model"
	"pgtui/render"
	"pgtui/tui"
)

// terminal reports whether the run has a terminal to draw on.
func (a *app) terminal() bool {
	in, ok1 := a.io.In.(*os.File)
	out, ok2 := a.io.Out.(*os.File)
	return ok1 && ok2 && term.IsTerminal(in.Fd()) && term.IsTerminal(out.Fd()) && a.io.Getenv("TERM") != "dumb"
}

func (a *app) runConsole(cmd *cobra.Command, args []string) error {
	if !a.terminal() {
		return &model.Hint{Err: errors.New("the console needs a terminal; for text or JSON use `pgtui status`"), Try: "pgtui status"}
	}
	inv, err := a.load(cmd.Context())
	if err != nil {
		return err
	}
	if _, err := clusters(inv, args); err != nil {
		return err
	}
	d := a.deps(inv)
	if len(args) == 1 {
		d.Start = model.ClusterName(args[0])
	}
	return tui.Run(cmd.Context(), d, a.io.In, a.io.Out)
}

// deps is the world the console gets; inv is what its first frame shows.
func (a *app) deps(inv *model.Inventory) tui.Deps {
	ap := a.applier(inv)
	pr := a.prober()
	return tui.Deps{
		Inventory: inv,
		Load:      func(ctx context.Context) (*model.Inventory, error) { return a.loadFile(ctx, inv.Source) },
		Watch: func(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan *model.Snapshot {
			return pr.Watch(ctx, inv, every)
		},
		Plan:    ap.Plan,
		Execute: ap.Execute,
		Diff:    diffLines,
		Summary: func(c model.FileChange) []string { return render.Summary(c.Before, c.After) },
		File: func(inv *model.Inventory, s *model.Service) string {
			return string(render.ServiceFile(s, inv.Dialect, a.managed(inv)))
		},
		Now:     now,
		Version: version(),
	}
}

// diffLines is a change's unified diff for the console.
func diffLines(c model.FileChange) []tui.DiffLine {
	var out []tui.DiffLine
	for _, h := range render.Diff(c.Before, c.After) {
		out = append(out, tui.DiffLine{Kind: '@', Text: h.Header()})
		for _, l := range h.Lines {
			out = append(out, tui.DiffLine{Kind: l.Kind.Mark()[0], Text: l.Text})
		}
	}
	return out
}
