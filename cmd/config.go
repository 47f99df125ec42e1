package cmd

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pgtui/internal/config"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/probe/store"
	"pgtui/probe/transport"
	"pgtui/record/ring"
	"pgtui/session"
	"pgtui/source"
	"pgtui/tui"
)

//go:embed config.yml
var configText string

// maxConfig is the size of the largest configuration file that is read.
const maxConfig = 1 << 20

// writes marks a command that changes something, on a node or on this machine: a
// read-only run refuses it before it starts. reads are the flags with which it
// changes nothing.
func writes(c *cobra.Command, reads ...string) *cobra.Command {
	return marked(c, "writes", strings.Join(reads, " "))
}

// writesWith marks a command that changes something with that flag, whatever the
// others are.
func writesWith(c *cobra.Command, flag string) *cobra.Command {
	return marked(c, "writes-with", flag)
}

func marked(c *cobra.Command, key, value string) *cobra.Command {
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations[key] = value
	return c
}

// refuse refuses a command that would change something in a read-only run.
// transport.Guard refuses once more what would run on nodes.
func (a *app) refuse(c *cobra.Command) error {
	given := func(flag string) bool {
		fl := c.Flags().Lookup(flag)
		return fl != nil && fl.Changed && fl.Value.String() != "false"
	}
	reads, ok := c.Annotations["writes"]
	changes := ok && !slices.ContainsFunc(strings.Fields(reads), given) || given(c.Annotations["writes-with"])
	if a.readOnly() == "" || !changes {
		return nil
	}
	return exit(3, transport.Refusal(a.readOnly()))
}

// readOnly names what makes this run read-only, "" for nothing. The flag, the
// variable, the file and its context each can; none can undo it.
func (a *app) readOnly() string {
	switch v := strings.ToLower(a.Getenv("PGTUI_READ_ONLY")); {
	case a.onlyRead:
		return "--read-only"
	case v != "" && v != "0" && v != "false" && v != "no" && v != "off":
		return "PGTUI_READ_ONLY"
	case a.config.ReadOnly:
		return "read-only in " + a.configFile()
	case a.context.ReadOnly:
		return "context " + a.context.Name
	}
	return ""
}

// configFile is where the configuration is: $PGTUI_CONFIG, else below
// $XDG_CONFIG_HOME, else below ~/.config.
func (a *app) configFile() string {
	if f := a.Getenv("PGTUI_CONFIG"); f != "" {
		return f
	}
	dir := a.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		if dir = a.Getenv("HOME"); dir == "" {
			return ""
		}
		dir = filepath.Join(dir, ".config")
	}
	return filepath.Join(dir, "pgtui", "config.yml")
}

// readConfig reads the file; without one the configuration is empty.
func (a *app) readConfig() (c config.Config, problems []config.Problem, err error) {
	name := a.configFile()
	if name == "" {
		return c, nil, nil
	}
	data, err := readAtMost(name, maxConfig)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil, nil
	}
	if err != nil {
		return c, nil, err
	}
	c, problems = config.Parse(name, data, known())
	return c, problems, nil
}

// known is what the file may name.
func known() config.Known {
	table := tui.Keys()
	k := config.Known{Actions: table.Actions(), Columns: tui.Columns(), Schemes: access.SchemeNames(), Values: model.Values()}
	for _, scope := range table.Scopes() {
		one := config.Screen{Name: scope}
		for _, r := range table.In(scope) {
			if r.Keys != "" {
				one.Bindings = append(one.Bindings, config.Binding{Action: string(r.Action), Keys: r.Names()})
			}
		}
		k.Screens = append(k.Screens, one)
	}
	return k
}

// configure reads the file and applies it and its context where neither a flag
// nor a variable is set. A wrong file ends the run: half a configuration may lack
// its read-only.
func (a *app) configure(c *cobra.Command) error {
	cfg, problems, err := a.readConfig()
	if err != nil {
		return err
	}
	problems = slices.DeleteFunc(problems, func(p config.Problem) bool { return p.Warning })
	if len(problems) > 0 {
		return &source.Hint{Err: fmt.Errorf("%w%s", problems[0], more(len(problems)-1)), Try: "pgtui config check"}
	}
	if c.Name() == "demo" { // the sandbox has its own inventory
		cfg.Context, cfg.Contexts, cfg.EntryPoints = "", nil, nil
		a.config = cfg
		return a.enter(c, config.Context{})
	}
	a.config = cfg
	name := cmp.Or(a.contextName, a.Getenv("PGTUI_CONTEXT"), cfg.Context)
	if name == "" {
		return a.enter(c, config.Context{})
	}
	ctx, ok := cfg.Of(name)
	if !ok {
		return a.noContext(cfg, name)
	}
	return a.enter(c, ctx)
}

// noContext is the error of a context that the file does not have: one of usage
// where the name was typed.
func (a *app) noContext(cfg config.Config, name string) error {
	err := model.NotFound(fmt.Errorf("no context %q in %s", text.Line(name, 60), a.configFile()), name, contextNames(cfg), "pgtui config show")
	if a.contextName == "" {
		return unusage(err)
	}
	return err
}

func more(n int) string {
	if n < 1 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", n)
}

func contextNames(c config.Config) []string {
	var out []string
	for _, x := range c.Contexts {
		out = append(out, x.Name)
	}
	return out
}

// entryPoints are those of the file and of the open context; of two with the same
// name, the context's.
func (a *app) entryPoints() []model.EntryPoint {
	var out []model.EntryPoint
	for _, list := range [][]config.EntryPoint{a.config.EntryPoints, a.context.EntryPoints} {
		for _, x := range list {
			p := model.EntryPoint{Name: x.Name, Host: x.Host, Cluster: model.ClusterName(x.Cluster), Scheme: x.Scheme}
			for _, port := range x.Ports {
				p.Ports = append(p.Ports, model.EntryPointPort{Service: port.Service, Port: port.Number})
			}
			if x.Consul != "" {
				p.Consul = &model.Consul{Address: x.Consul, HTTP: x.ConsulHTTP, DNS: x.ConsulDNS}
			}
			i := slices.IndexFunc(out, func(q model.EntryPoint) bool { return q.Name == p.Name })
			if i >= 0 {
				out[i] = p
				continue
			}
			out = append(out, p)
		}
	}
	return out
}

// stores are those of the configuration.
func (a *app) stores() []session.Store {
	var out []session.Store
	for _, x := range a.config.Stores {
		for _, of := range []struct {
			kind store.Kind
			url  string
		}{{store.Metrics, x.Metrics}, {store.Logs, x.Logs}} {
			if of.url != "" {
				out = append(out, session.Store{PasswordFile: a.Expand(x.PasswordFile),
					Site: store.Site{Name: x.Name, Kind: of.kind, URL: of.url, User: x.User, CAFile: a.Expand(x.CA)}})
			}
		}
	}
	return out
}

// enter makes ctx the context of the run; typed flags stay. c is nil where none
// was typed.
func (a *app) enter(c *cobra.Command, ctx config.Context) error {
	a.context = ctx
	set := func(flag string, to *string, values ...string) {
		if c != nil && c.Flags().Changed(flag) {
			return
		}
		for _, v := range values {
			if v != "" {
				*to = a.Expand(v)
				return
			}
		}
	}
	if a.Getenv("PGTUI_INVENTORY") == "" || a.contextName != "" {
		set("inventory", &a.Inventory, ctx.Inventory)
	}
	set("ssh-config", &a.SSHConfig, ctx.SSH.Config, a.Getenv("PGTUI_SSH_CONFIG"), a.config.SSH.Config)
	set("pigsty-home", &a.PigstyHome, ctx.PigstyHome)
	set("vault-password-file", &a.VaultFile, ctx.VaultFile)
	set("require-auth", &a.RequireAuth, a.Getenv("PGREQUIREAUTH"), a.config.RequireAuth)
	a.SSHProgram, a.SSHControl = "", ""
	set("", &a.SSHProgram, ctx.SSH.Program, a.config.SSH.Program)
	set("", &a.SSHControl, ctx.SSH.ControlDir, a.config.SSH.ControlDir)
	a.ReadOnly, a.NoFiles, a.EntryPoints = a.readOnly(), a.config.NoFiles, a.entryPoints()
	a.Stores = a.stores()
	a.Recorder = session.RecorderOptions{Off: a.config.Record.Off, Most: a.config.Record.Size, Keep: a.config.Record.Keep, Program: "pgtui " + version()}
	return nil
}

func (a *app) configCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "pgtui's own configuration: init, check, show",
		Long:  "The file is $PGTUI_CONFIG, else pgtui/config.yml in $XDG_CONFIG_HOME or ~/.config.\nIt is optional; docs/config.md explains every key.",
		Args:  none,
		// config must work on a wrong file.
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return a.refuse(c) },
	}
	c.AddCommand(
		writes(&cobra.Command{Use: "init", Short: "Write a file with every key, commented out", Args: none, RunE: func(*cobra.Command, []string) error { return a.configInit() }}),
		&cobra.Command{Use: "check", Short: "Check the file and list its errors with their lines; exits 0 or 1", Args: none, RunE: func(*cobra.Command, []string) error { return a.configCheck() }},
		&cobra.Command{Use: "show", Short: "Show the settings in effect, and what makes the run read-only", Args: none, RunE: func(c *cobra.Command, _ []string) error { return a.configShow(c) }},
	)
	return c
}

func (a *app) configInit() error {
	name := a.configFile()
	if name == "" {
		return &source.Hint{Err: errors.New("neither HOME nor XDG_CONFIG_HOME is set"), Try: "PGTUI_CONFIG=/path/to/config.yml pgtui config init"}
	}
	err := createFile(name, []byte(configText))
	if errors.Is(err, os.ErrExist) {
		return &source.Hint{Err: fmt.Errorf("%s already exists: it was not changed", name), Try: "pgtui config check"}
	}
	if err != nil {
		return fmt.Errorf("config init: %w", err)
	}
	fmt.Fprintf(a.io.Out, "wrote %s\n", name)
	return nil
}

func (a *app) configCheck() error {
	cfg, problems, err := a.readConfig()
	if err != nil {
		return err
	}
	if _, ok := cfg.Of(a.contextName); a.contextName != "" && !ok {
		return a.noContext(cfg, a.contextName)
	}
	for _, p := range problems {
		fmt.Fprintln(a.io.Out, text.Line(p.Error(), 400))
	}
	if slices.ContainsFunc(problems, func(p config.Problem) bool { return !p.Warning }) {
		return exit(1, nil)
	}
	if _, err := os.Stat(a.configFile()); err != nil {
		fmt.Fprintf(a.io.Out, "%s does not exist: pgtui runs without one\n", a.configFile())
		return nil
	}
	fmt.Fprintf(a.io.Out, "%s: ok\n", a.configFile())
	return nil
}

func (a *app) configShow(c *cobra.Command) error {
	if err := a.configure(c); err != nil {
		return err
	}
	where := a.configFile()
	if _, err := os.Stat(where); err != nil {
		where += " (does not exist)"
	}
	fmt.Fprintf(a.io.Out, "# %s\n", where)
	a.showSettings(a.io.Out, func(argv []string) string { return strings.Join(argv, ", ") })
	return nil
}

// showSettings prints the settings in effect, a line each; command shows the program of one
// of the operator's own commands with its arguments.
func (a *app) showSettings(w io.Writer, command func(argv []string) string) {
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s: %s\n", key, text.Line(value, 400))
		}
	}
	line("context", a.context.Name)
	line("environment", a.context.Environment)
	line("inventory", a.Inventory)
	line("pigsty-home", a.PigstyHome)
	line("vault-password-file", a.VaultFile)
	line("ssh-config", a.SSHConfig)
	line("ssh-program", a.SSHProgram)
	line("ssh-control-dir", a.SSHControl)
	if d := a.refresh(); d > 0 {
		line("refresh", d.String())
	} else {
		line("refresh", "automatic # 2s, up to 5s for a large fleet")
	}
	line("theme", a.themeName())
	line("require-auth", a.RequireAuth)
	if a.ReadOnly != "" {
		line("read-only", "true # "+a.ReadOnly)
	} else {
		line("read-only", "false")
	}
	fmt.Fprintf(w, "read-files: %v\n", !a.NoFiles)
	fmt.Fprintf(w, "mouse: %v\n", !a.config.NoMouse)
	fmt.Fprintf(w, "record: {on: %v, size: %dMB, keep: %s}\n", !a.Recorder.Off, cmp.Or(a.Recorder.Most, ring.Most)>>20, cmp.Or(a.Recorder.Keep, ring.Keep))
	line("times", map[bool]string{true: "ago", false: "clock"}[a.config.Ago])
	for _, m := range []struct {
		title string
		of    map[string][]string
	}{{"keys", a.config.Keys}, {"columns", a.config.Columns}} {
		if len(m.of) > 0 {
			fmt.Fprintf(w, "%s:\n", m.title)
		}
		for _, k := range slices.Sorted(maps.Keys(m.of)) {
			fmt.Fprintf(w, "  %s: [%s]\n", k, text.Line(strings.Join(m.of[k], ", "), 200))
		}
	}
	if len(a.config.Commands) > 0 {
		fmt.Fprintln(w, "commands:")
	}
	for _, c := range a.config.Commands {
		line("  "+c.Name, fmt.Sprintf("[%s] # %s", command(c.Argv), cmp.Or(c.Key, "no key")))
	}
	if len(a.EntryPoints) > 0 {
		fmt.Fprintln(w, "entry-points:")
	}
	for _, p := range a.EntryPoints {
		line("  "+p.Name, fmt.Sprintf("%s # %s", p.Host, p.Scheme))
	}
	line("contexts", strings.Join(contextNames(a.config), ", "))
}
