package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"pgtui/internal/config"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/render"
	"pgtui/session"
	"pgtui/source"
	"pgtui/tui"
)

// terminal reports whether the run has a terminal to draw on.
func (a *app) terminal() bool {
	in, ok1 := a.io.In.(*os.File)
	out, ok2 := a.io.Out.(*os.File)
	return ok1 && ok2 && term.IsTerminal(in.Fd()) && term.IsTerminal(out.Fd()) && a.Getenv("TERM") != "dumb"
}

// clusterOnly takes one cluster. Of more arguments the first was meant as a command.
func clusterOnly(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return model.NotFound(fmt.Errorf("no command %q", text.Line(args[0], 60)), args[0], commandNames(c), "pgtui help")
	}
	return nil
}

func (a *app) runConsole(cmd *cobra.Command, args []string) error {
	if a.printVersion {
		fmt.Fprintf(a.io.Out, "pgtui %s\n", version())
		return nil
	}
	if a.consolePast.given() {
		return a.replayConsole(cmd.Context(), &a.consolePast, model.ClusterName(strings.Join(args, "")))
	}
	path, err := a.Find()
	if len(args) == 1 && err != nil {
		return model.NotFound(fmt.Errorf("no command %q, and no inventory to find a cluster in", text.Line(args[0], 60)), args[0], commandNames(cmd), source.TryOf(err))
	}
	if !a.terminal() {
		return a.noTerminal(cmd, args)
	}
	if err != nil {
		return err
	}
	a.Announce(path)
	d := a.deps(path)
	if len(args) == 1 {
		d.Start = model.ClusterName(args[0])
	}
	defer a.EndRecording(recordingEnds)
	ctx, stop := context.WithCancel(cmd.Context())
	loading := a.loading(ctx, cmd, path, args)
	defer func() { stop(); await(loading, time.Second) }() // an inventory's program must not outlive the console
	select {
	case got := <-loading:
		if d.Inventory = got.inv; got.err != nil {
			return got.err
		}
	case <-a.patience(path):
		d.Session = starting{a.Session, loading}
	}
	return tui.Run(cmd.Context(), d, a.io.In, a.io.Out)
}

// noTerminal refuses the console where it cannot be drawn. An argument that is
// not a cluster is refused first: it may be a mistyped command.
func (a *app) noTerminal(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		inv, err := a.Load(cmd.Context())
		if err = cmp.Or(err, clusterOrCommand(cmd, inv, args)); err != nil {
			return err
		}
	}
	return &source.Hint{Err: errors.New("the console needs a terminal; for text or JSON use `pgtui status`"), Try: strings.Join(append([]string{"pgtui", "status"}, args...), " ")}
}

// clusterOrCommand is the error of a name that is neither a cluster nor a
// command; nil without an inventory.
func clusterOrCommand(c *cobra.Command, inv *model.Inventory, names []string) error {
	if inv == nil || len(names) == 0 || inv.Cluster(model.ClusterName(names[0])) != nil {
		return nil
	}
	err := fmt.Errorf("no cluster %q in %s, and no command of that name", text.Line(names[0], 60), inv.Source)
	if commands := commandNames(c); text.Nearest(names[0], commands) != "" {
		return model.NotFound(err, names[0], commands, "")
	}
	return model.NotFound(err, names[0], inv.Names(), "pgtui status lists the clusters, pgtui help the commands")
}

// firstFrame is how long the console waits for its inventory before it shows
// that it is loading: a large one, or a program that queries a database, must
// not delay the screen.
const firstFrame = 10 * time.Millisecond

// loaded is an inventory, or why there is none.
type loaded struct {
	inv *model.Inventory
	err error
}

// loading reads the inventory and checks that it has the clusters named. The
// channel has one answer, and is closed once nothing is read any more.
func (a *app) loading(ctx context.Context, cmd *cobra.Command, path string, names []string) <-chan loaded {
	out := make(chan loaded, 1)
	send := func(l loaded) { out <- l; close(out) }
	guard.Go("reading the inventory", func() {
		inv, err := a.LoadFile(ctx, path)
		send(loaded{inv, cmp.Or(err, clusterOrCommand(cmd, inv, names))})
	}, func(err error) { send(loaded{err: err}) })
	return out
}

// await waits until nothing is read any more, but no longer than that.
func await(loading <-chan loaded, longest time.Duration) {
	late := time.After(longest)
	for more := true; more; {
		select {
		case _, more = <-loading:
		case <-late:
			return
		}
	}
}

// patience fires when the console stops waiting for the inventory; nil, and thus
// never, where a password prompt may need the terminal meanwhile.
func (a *app) patience(path string) <-chan time.Time {
	if a.AsksForPassword(path) {
		return nil
	}
	return time.After(firstFrame)
}

// starting is a session whose first inventory is still being read.
type starting struct {
	*session.Session
	first <-chan loaded
}

// Load is what is being read, and a new load from then on.
func (s starting) Load(ctx context.Context) (*model.Inventory, error) {
	select {
	case got, first := <-s.first:
		if first {
			return got.inv, got.err
		}
		return s.Session.Load(ctx)
	case <-ctx.Done():
		return nil, fmt.Errorf("the inventory is still being read: %w", source.Ended(ctx))
	}
}

// deps is what the console gets, with the inventory at path.
func (a *app) deps(path string) tui.Deps {
	a.Notice, a.Doing = nil, nil // the console has the terminal from here on
	d := tui.Deps{
		Session:  a.Session,
		Diff:     diffLines,
		Summary:  func(c plan.FileChange) []string { return render.Summary(c.Before, c.After) },
		Now:      now,
		Version:  version(),
		Every:    a.refresh(),
		Ago:      a.config.Ago,
		ReadOnly: a.ReadOnly,
		Theme:    a.themeName(),
		Themes:   config.Themes(),
		NoMouse:  a.config.NoMouse,
		Keys:     a.config.Keys,
		Columns:  a.config.Columns,
		Context:  infoOf(a.context),
		Command:  a.command(path),
		Open:     a.openContext,
		Past:     func(ctx context.Context) (tui.Deps, error) { return a.pastDeps(ctx, path) },
	}
	if a.color == colorAlways {
		d.Environ = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NO_COLOR=") })
	}
	if d.ConfigFile = a.configFile(); d.ConfigFile != "" {
		d.SaveSettings = a.saveSettings
	}
	for _, c := range a.config.Commands {
		d.Commands = append(d.Commands, model.Command{Name: c.Name, Key: c.Key, Help: c.Help, Argv: c.Argv, Shell: c.Shell, Confirm: c.Confirm, ReadOnly: c.ReadOnly, Pages: c.Pages})
	}
	for _, c := range a.config.Contexts {
		d.Contexts = append(d.Contexts, infoOf(c))
	}
	return d
}

func infoOf(c config.Context) tui.ContextInfo {
	return tui.ContextInfo{Name: c.Name, Environment: c.Environment, Colour: c.Colour, Production: c.Production()}
}

// openContext opens another context of the configuration in a session of its
// own, so that work in progress in this one is not affected.
func (a *app) openContext(ctx context.Context, name string) (tui.Deps, error) {
	c, ok := a.config.Of(name)
	if !ok {
		return tui.Deps{}, fmt.Errorf("no context %q in %s", name, a.configFile())
	}
	b := &app{io: a.io, config: a.config, onlyRead: a.onlyRead, color: a.color, contextName: name}
	b.Session = a.Another(session.Options{
		Dialect: a.Dialect, Core: a.Core, Preview: a.Preview,
		PigstyHome: a.Getenv("PIGSTY_HOME"), VaultFile: a.Getenv("ANSIBLE_VAULT_PASSWORD_FILE"),
	})
	if err := b.enter(nil, c); err != nil {
		return tui.Deps{}, err
	}
	b.RequireAuth = a.RequireAuth
	inv, err := b.Load(ctx)
	if err != nil {
		return tui.Deps{}, err
	}
	d := b.deps(inv.Source)
	d.Inventory = inv
	return d, nil
}

// refresh is the time between two rounds of probing, 0 for pgtui's own choice.
func (a *app) refresh() time.Duration { return max(cmp.Or(a.context.Refresh, a.config.Refresh), 0) }

// themeName is the theme of the context, else of the file; none where there are no
// colours.
func (a *app) themeName() string {
	if a.color == colorNever || a.color == colorAuto && a.Getenv("NO_COLOR") != "" {
		return "none"
	}
	return cmp.Or(a.context.Theme, a.config.Theme, "terminal")
}

// command is how pgtui is called to read the same inventory in the same way: the
// context or the inventory at path, and the flags that were given with it.
func (a *app) command(path string) string {
	words := []string{"pgtui"}
	switch {
	case a.context.Name != "" && a.Inventory == a.Expand(a.context.Inventory):
		words = append(words, "--context", text.Word(a.context.Name))
	case a.Inventory != "":
		words = append(words, "-i", text.Word(path))
	}
	return strings.Join(append(words, a.given...), " ")
}

// diffLines is a change's unified diff for the console.
func diffLines(c plan.FileChange) []tui.DiffLine {
	var out []tui.DiffLine
	for _, h := range render.Diff(c.Before, c.After) {
		out = append(out, tui.DiffLine{Kind: '@', Text: h.Header()})
		for _, l := range h.Lines {
			out = append(out, tui.DiffLine{
				Kind: l.Kind.Mark()[0], Text: l.Text, Old: l.Old, New: l.New, NoEOL: l.NoEOL, Pair: l.Pair, Words: l.Words,
			})
		}
	}
	return out
}
