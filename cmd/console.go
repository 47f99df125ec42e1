package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"pgtui/internal/config"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
	"pgtui/plan"
	"pgtui/render"
	"pgtui/source"
	"pgtui/tui"
)

// terminal reports whether the run has a terminal to draw on.
func (a *app) terminal() bool {
	in, ok1 := a.io.In.(*os.File)
	out, ok2 := a.io.Out.(*os.File)
	return ok1 && ok2 && term.IsTerminal(in.Fd()) && term.IsTerminal(out.Fd()) && a.io.Getenv("TERM") != "dumb"
}

func (a *app) runConsole(cmd *cobra.Command, args []string) error {
	path, err := a.findInventory()
	if len(args) == 1 && err != nil {
		return misuse("pgtui --help", "there is no command %q, and it can be no cluster: %w", text.Line(args[0], 60), err)
	}
	if !a.terminal() {
		return a.noTerminal(cmd.Context(), args)
	}
	if err != nil {
		return err
	}
	a.announce(path)
	a.onScreen = true
	d := a.deps(path)
	if len(args) == 1 {
		d.Start = model.ClusterName(args[0])
	}
	ctx, stop := context.WithCancel(cmd.Context())
	reading := a.reading(ctx, path, args)
	defer func() { stop(); ended(reading, time.Second) }() // an inventory's program must not outlive the console
	select {
	case got := <-reading:
		if d.Inventory = got.inv; got.err != nil {
			return got.err
		}
	case <-a.patience(path):
		d.Load = afterwards(reading, d.Load)
	}
	return tui.Run(cmd.Context(), d, a.io.In, a.io.Out)
}

// noTerminal refuses the console where it cannot be drawn. What is no cluster is
// refused as that: it may be a command that was typed wrong.
func (a *app) noTerminal(ctx context.Context, args []string) error {
	if len(args) == 1 {
		inv, err := a.load(ctx)
		if err != nil {
			return err
		}
		if err := clusterOrCommand(inv, args); err != nil {
			return err
		}
	}
	return &source.Hint{Err: errors.New("the console needs a terminal; for text or JSON use `pgtui status`"), Try: strings.Join(append([]string{"pgtui", "status"}, args...), " ")}
}

// clusterOrCommand is the error of a name that is neither a cluster nor a command.
func clusterOrCommand(inv *model.Inventory, names []string) error {
	_, err := clusters(inv, names)
	if err == nil {
		return nil
	}
	return misuse(source.TryOf(err)+"; pgtui --help lists the commands", "%w, and no command of that name", err)
}

// announce names the programs that reading the inventory is about to run, while
// there is no screen yet.
func (a *app) announce(path string) {
	for _, p := range strings.Split(path, ",") {
		if p = strings.TrimSpace(p); program(p) {
			a.running(p, "--list")
		}
	}
	if file, _ := a.vaultSource(path); file != "" && !a.askVault {
		if st, err := os.Stat(file); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			a.running(file)
		}
	}
}

// firstFrame is how long the console waits for its inventory before it shows
// that it is being read: a large one, or a program that asks a database, is not
// to keep the screen away.
const firstFrame = 10 * time.Millisecond

// read is an inventory, or why there is none.
type read struct {
	inv *model.Inventory
	err error
}

// reading reads the inventory and sees that it has the clusters named. The
// channel has one answer, and is closed when nothing is read any more.
func (a *app) reading(ctx context.Context, path string, names []string) <-chan read {
	out := make(chan read, 1)
	tell := func(r read) { out <- r; close(out) }
	guard.Go("reading the inventory", func() {
		inv, err := a.loadFile(ctx, path)
		if err == nil {
			err = clusterOrCommand(inv, names)
		}
		tell(read{inv, err})
	}, func(err error) { tell(read{err: err}) })
	return out
}

// ended waits until nothing is read any more, but no longer than that.
func ended(reading <-chan read, longest time.Duration) {
	late := time.After(longest)
	for more := true; more; {
		select {
		case _, more = <-reading:
		case <-late:
			return
		}
	}
}

// patience fires when the inventory is waited for no longer; nil, and thus
// never, where a password may be asked for on the terminal meanwhile.
func (a *app) patience(path string) <-chan time.Time {
	if file, _ := a.vaultSource(path); a.askVault || file != "" {
		return nil
	}
	return time.After(firstFrame)
}

// afterwards is what is being read, and load from then on.
func afterwards(reading <-chan read, load func(context.Context) (*model.Inventory, error)) func(context.Context) (*model.Inventory, error) {
	return func(ctx context.Context) (*model.Inventory, error) {
		select {
		case got, first := <-reading:
			if first {
				return got.inv, got.err
			}
			return load(ctx)
		case <-ctx.Done():
			return nil, fmt.Errorf("the inventory is still being read: %w", ctx.Err())
		}
	}
}

// deps is the world the console gets, of the inventory at source.
func (a *app) deps(from string) tui.Deps {
	ap := a.applier(from)
	ap.Rollout.ConfirmWithin = consoleConfirm
	pr := a.prober()
	d := tui.Deps{
		Load:  a.load,
		Stamp: stamped,
		Watch: func(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan *model.Snapshot {
			return pr.Watch(ctx, inv, every)
		},
		Plan: func(ctx context.Context, inv *model.Inventory, c model.ClusterName, hosts []model.Host) (plan.Plan, error) {
			now := *ap
			now.Managed = a.managed(inv.Source) // of the inventory as it is now
			p, err := now.Plan(ctx, inv, c, hosts)
			if err == nil {
				err = judge(ctx, &now, inv, &p, rollFlags{})
			}
			return p, err
		},
		Execute: ap.Execute,
		Examine: func(ctx context.Context, inv *model.Inventory, h model.Host) model.Reading {
			all, _ := clusters(inv, nil) // whose files are nobody's is told by all of them
			look := ap.ExamineHosts(ctx, inv, all, []model.Host{h})
			return look.Of(h)
		},
		Access: func(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, name model.ClusterName) (access.Access, error) {
			cls, err := clusters(inv, []string{string(name)})
			if err != nil {
				return access.Access{}, err
			}
			acc, _, err := a.accessOf(ctx, inv, snap, cls[0], 0)
			return acc, errors.Join(err, ctx.Err())
		},
		Components: func(ctx context.Context, inv *model.Inventory, name model.ClusterName) ([]model.ComponentRow, error) {
			nodes, err := nodesOf(inv, []string{string(name)})
			if err != nil {
				return nil, err
			}
			return a.componentsOf(ctx, inv, nodes, true), ctx.Err()
		},
		Trace: func(ctx context.Context, inv *model.Inventory, target []string) (trace.Trace, error) {
			t, err := traceTarget(inv, target)
			if err != nil {
				return trace.Trace{}, err
			}
			tr, _ := traced(ctx, a.prober(), inv, t)
			return tr, ctx.Err()
		},
		Origins: func(ctx context.Context, inv *model.Inventory, name model.ClusterName) (source.Origins, error) {
			play, err := a.play(ctx)
			if err != nil {
				return source.Origins{}, err
			}
			found, err := originsOf(play, string(name))
			return found, errors.Join(err, ctx.Err())
		},
		Rules: func(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, name model.ClusterName) (model.RuleFacts, error) {
			cls, err := clusters(inv, []string{string(name)})
			if err != nil {
				return model.RuleFacts{}, err
			}
			return a.prober().Rules(ctx, inv, cls[0], snap), ctx.Err()
		},
		Diff:    diffLines,
		Summary: func(c plan.FileChange) []string { return render.Summary(c.Before, c.After) },
		File: func(inv *model.Inventory, s *model.Service) string {
			return string(render.ServiceFile(s, inv.Dialect, a.managed(inv.Source)))
		},
		Now:      now,
		Version:  version(),
		Every:    a.refresh(),
		ReadOnly: a.readOnly(),
		Theme:    a.themeName(),
		NoMouse:  a.config.NoMouse,
		Keys:     a.config.Keys,
		Columns:  a.config.Columns,
		Context:  infoOf(a.context),
		Ran:      a.log.all,
		Command:  a.called(from),
		Open:     a.openContext,
	}
	if a.config.NoFiles {
		d.Examine = nil
	}
	for _, c := range a.config.Contexts {
		d.Contexts = append(d.Contexts, infoOf(c))
	}
	return d
}

func infoOf(c config.Context) tui.ContextInfo {
	return tui.ContextInfo{Name: c.Name, Environment: c.Environment, Colour: c.Colour, Production: c.Production()}
}

// openContext is the world of another context of the configuration. It works
// on a run of its own, so that what is under way in this one stays as it is.
func (a *app) openContext(ctx context.Context, name string) (tui.Deps, error) {
	b := &app{
		io: a.io, dialect: a.dialect, core: a.core, preview: a.preview, config: a.config, onlyRead: a.onlyRead, sudo: a.sudo,
		contextName: name, log: a.log, loading: a.loading, onScreen: true,
		pigstyHome: a.io.Getenv("PIGSTY_HOME"), vaultFile: a.io.Getenv("ANSIBLE_VAULT_PASSWORD_FILE"),
	}
	c, ok := a.config.Of(name)
	if !ok {
		return tui.Deps{}, fmt.Errorf("no context %q in %s", name, a.configFile())
	}
	if err := b.enter(nil, c); err != nil {
		return tui.Deps{}, err
	}
	b.requireAuth = a.requireAuth
	inv, err := b.load(ctx)
	if err != nil {
		return tui.Deps{}, err
	}
	d := b.deps(inv.Source)
	d.Inventory = inv
	return d, nil
}

// refresh is the time between two rounds of asking, 0 for pgtui's own choice.
func (a *app) refresh() time.Duration {
	if a.context.Refresh > 0 {
		return a.context.Refresh
	}
	return a.config.Refresh
}

// themeName is the theme of the context, else of the file; none under NO_COLOR.
func (a *app) themeName() string {
	for _, name := range []string{map[bool]string{true: "none"}[a.io.Getenv("NO_COLOR") != ""], a.context.Theme, a.config.Theme} {
		if name != "" {
			return name
		}
	}
	return "terminal"
}

// called is how pgtui is called so that it reads the same inventory in the same
// way: the context or the inventory, and the flags that were given with it.
func (a *app) called(source string) string {
	words := []string{"pgtui"}
	switch {
	case a.context.Name != "" && a.inventory == a.expand(a.context.Inventory):
		words = append(words, "--context", text.Word(a.context.Name))
	case a.inventory != "":
		words = append(words, "-i", text.Word(source))
	}
	return strings.Join(append(words, a.given...), " ")
}

// commandLog is what was run on nodes, the last of it.
type commandLog struct {
	mu  *sync.Mutex
	ran *[]model.Ran
}

// mostRan is how many commands are kept.
const mostRan = 1000

func newCommandLog() commandLog { return commandLog{mu: new(sync.Mutex), ran: new([]model.Ran)} }

func (l commandLog) add(r model.Ran) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*l.ran = append(*l.ran, r)
	if len(*l.ran) > mostRan {
		*l.ran = slices.Clone((*l.ran)[len(*l.ran)-mostRan:])
	}
}

func (l commandLog) all() []model.Ran {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(*l.ran)
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
