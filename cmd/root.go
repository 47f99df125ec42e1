// Package cmd is the command line: flags, exit codes, text and JSON. It wires
// the inventory, the prober, the applier and the console together and decides
// nothing itself.
package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pgtui/internal/config"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/probe/postgres"
	"pgtui/session"
	"pgtui/source"
)

// IO is what a run may use of the process.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
}

// exitError carries an exit code, with or without something to print.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit is nil for code 0, else an error that ends the run with that code.
func exit(code int, err error) error {
	if code == 0 && err == nil {
		return nil
	}
	return &exitError{code: code, err: err}
}

// app is one run: the session, and what it prints where.
type app struct {
	*session.Session
	io        IO
	progress  progress
	askBecome bool
	lines     *bufio.Reader // of standard input, for passwords without a terminal

	config       config.Config
	context      config.Context // the zero value is none
	contextName  string         // --context
	onlyRead     bool           // --read-only
	language     string         // --lang
	color        string         // --color: auto, always or never
	inColour     bool           // what is printed as text has colours
	given        []string       // flags that change how an inventory is read, as they were typed
	printVersion bool           // --version
	consolePast  pastOptions    // --at and --from of the console
	started      bool           // the command itself has started
	held         *bytes.Buffer  // what a command that only reads has printed; nil when it prints at once
	out          io.Writer      // where held goes
	unprepared   error          // why the configuration is not in effect; a report is made without it
}

// newApp is a run before its flags are read.
func newApp(ios IO) *app {
	a := &app{io: ios}
	a.Session = session.New(session.Options{}, session.World{
		Getenv: ios.Getenv, Now: now, Ask: a.password,
		Notice: func(text string) { a.aside(func() { fmt.Fprintln(a.io.Err, "pgtui: "+lang.Text(text)) }) },
		Doing:  a.doing,
		Loaded: a.speak,
	})
	return a
}

// Run runs pgtui and returns its exit code; Exits lists them.
func Run(ctx context.Context, args []string, ios IO) int {
	a := newApp(ios)
	a.language = languageOf(args)
	a.speak(nil)
	root := a.root()
	inLanguage(root)
	if completing(args) {
		a.complete(root)
	}
	root.SetArgs(args)
	root.SetIn(ios.In)
	root.SetOut(ios.Out)
	root.SetErr(ios.Err)
	c, err := root.ExecuteContextC(ctx)
	err = a.conclude(ctx, c, a.refusedByCobra(c, err))
	if err == nil {
		return 0
	}
	code := 1
	var ee *exitError
	if errors.As(err, &ee) {
		code = ee.code
	}
	if errors.Is(err, source.ErrUsage) {
		code = exitUsage
	}
	if ee == nil || ee.err != nil {
		printError(ios.Err, err)
	}
	return code
}

// printError prints an error and what to type next.
func printError(w io.Writer, err error) {
	lines := text.Lines(lang.Text(source.Words(err)), 30, 600)
	fmt.Fprintf(w, "pgtui: %s\n", strings.Join(lines, "\n  "))
	if try := source.TryOf(err); try != "" {
		fmt.Fprintln(w, "  "+lang.Text("try: "+text.Line(try, 400)))
	}
	if fault, ok := errors.AsType[*guard.Fault](err); ok {
		fmt.Fprintf(w, "  %s\n", strings.Join(text.Lines(string(fault.Stack), 60, 200), "\n  "))
	}
}

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "pgtui [cluster]",
		Short: "Which PostgreSQL instance serves each Pigsty service port, and why",
		Long: "pgtui reads a Pigsty inventory, probes Patroni and HAProxy on every node, shows which\n" +
			"instance serves each service port and why, previews what a reload would change on\n" +
			"each node, and reloads on confirmation. Without a command it opens the console.",
		Args:          clusterOnly,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          a.runConsole,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if a.inColour = a.colours(); a.printVersion {
				return nil
			}
			a.Preview = slices.Contains([]string{"diff", "reload", "apply", "version"}, cmd.Name())
			a.ReadOnly = a.readOnly()
			if err := a.checkRules(); err != nil {
				return err
			}
			if cmd.Hidden || cmd.Name() == "version" {
				return nil
			}
			if cmd.Name() == reportName {
				return a.prepareReport(cmd)
			}
			return a.prepare(cmd)
		},
	}
	c.Flags().BoolVar(&a.printVersion, "version", false, "print the version")
	pastFlags(c, &a.consolePast)
	a.globalFlags(c)
	c.AddCommand(
		a.statusCmd(), a.doctorCmd(), a.accessCmd(), a.traceCmd(), a.componentsCmd(), a.pgbouncerCmd(), a.logsCmd(), a.postgresCmd(), a.routesCmd(), a.whatifCmd(), a.candidatesCmd(), a.waitCmd(), a.recordCmd(), a.replayCmd(),
		a.inventoryCmd(), a.lintCmd(), a.rulesCmd(), a.renderCmd(), a.diffCmd(), a.rolesCmd(), a.ghostsCmd(), a.statesCmd(), a.historyCmd(), a.timelineCmd(),
		a.reloadCmd(), a.applyCmd(), a.undoCmd(),
		a.switchoverCmd(), a.failoverCmd(), a.restartCmd(), a.reinitCmd(), a.pauseCmd(), a.resumeCmd(), a.patroniCmd(),
		a.configCmd(), a.demoCmd(), a.versionCmd(), a.reportCmd(), a.sandboxNodeCmd(),
	)
	c.AddCommand(a.serverCmds()...)
	c.AddCommand(a.enableCmd(), a.maintenanceCmd())
	c.AddCommand(a.signalCmds()...)
	c.SetFlagErrorFunc(refusedFlag)
	c.SetUsageFunc(usageOf)
	c.CompletionOptions.HiddenDefaultCmd = true
	c.SetHelpCommand(a.helpCmd())
	c.InitDefaultHelpCmd()
	c.SetOut(a.io.Out) // completion copies it here
	c.InitDefaultCompletionCmd()
	a.harden(c)
	helpFlag(c)
	return c
}

// globalFlags adds the flags of every command. `pgtui help flags` lists them; a
// new one is a line here, and one in environment where a variable has its value.
func (a *app) globalFlags(c *cobra.Command) {
	f := c.PersistentFlags()
	f.Var(languageFlag{a}, "lang", "language of screens, messages and help, en or zh (default: $PGTUI_LANG, the inventory's language, the locale)")
	f.VarP(&sourceFlag{to: &a.Inventory}, "inventory", "i", "Pigsty inventory; several are read together, the later on top (default: $PGTUI_INVENTORY, ansible.cfg in $PIGSTY_HOME or ~/pigsty, ./pigsty.yml, ~/pigsty/pigsty.yml)")
	f.StringVar(&a.SSHConfig, "ssh-config", a.Getenv("PGTUI_SSH_CONFIG"), "OpenSSH client configuration to use instead of ~/.ssh/config")
	f.StringVar(&a.Dialect, "dialect", "", "Pigsty version to follow, such as v4.5.0 (default: the checkout's, else the inventory's version:, else the newest)")
	f.StringVar(&a.ManagedAt, "managed-at", "", "date of the 'ansible managed' line, \"2006-01-02 15:04:05\" (default: the template's, else the inventory's)")
	f.StringVar(&a.PigstyHome, "pigsty-home", a.Getenv("PIGSTY_HOME"), "Pigsty checkout that the playbooks run from: its template, role defaults and CA (default: the inventory's directory, when it is one)")
	f.StringVar(&a.Core, "ansible-core", "", "version of ansible-core that runs the playbooks, such as 2.19.3 (default: the one found here)")
	f.StringVar(&a.VaultFile, "vault-password-file", a.Getenv("ANSIBLE_VAULT_PASSWORD_FILE"), "file with the password of !vault values, or a program that prints it (default: from ansible.cfg)")
	f.StringVar(&a.contextName, "context", "", "context of ~/.config/pgtui/config.yml to use (default: $PGTUI_CONTEXT, else the file's)")
	f.BoolVar(&a.onlyRead, "read-only", false, "change nothing, neither on a node nor on this machine: commands that write are refused, ssh keeps no host key and no connection; also PGTUI_READ_ONLY and read-only in the configuration, see docs/config.md")
	f.StringVar(&a.RequireAuth, "require-auth", a.Getenv("PGREQUIREAUTH"), "how PostgreSQL may request the monitoring user's password, as libpq's require_auth, such as scram-sha-256 (default: any but clear text)")
	f.BoolVarP(&a.askBecome, "ask-become-pass", "K", false, "prompt for the sudo password on the nodes; it is kept in memory only")
	a.color = colorAuto
	f.Var(&choice{flag: "--color", to: &a.color, of: []string{colorAuto, colorAlways, colorNever}}, "color", "auto, always or never: colours in what is printed, and in the console (default: auto, on a terminal; see pgtui help output)")
	f.BoolVar(&a.AskVault, "ask-vault-pass", false, "prompt for the password of !vault values")
}

// prepare reads the configuration, refuses a command that must not run, and
// prompts for the sudo password.
func (a *app) prepare(c *cobra.Command) error {
	a.given = given(c)
	if err := a.configure(c); err != nil {
		return exit(failCode(c.Name()), err)
	}
	if err := postgres.CheckAuth(a.RequireAuth); err != nil {
		return wrong("--require-auth: %w", err)
	}
	if err := a.refuse(c); err != nil || !a.askBecome {
		return err
	}
	password, err := a.password(c.Context(), "sudo password for the nodes: ")
	if err != nil {
		return exit(failCode(c.Name()), fmt.Errorf("--ask-become-pass: %w", err))
	}
	a.Sudo = func() model.Secret { return model.Secret(password) }
	return nil
}

// checkRules checks the flags that decide by which rules an inventory is read.
func (a *app) checkRules() error {
	if _, err := time.Parse(session.ManagedLayout, a.ManagedAt); a.ManagedAt != "" && err != nil {
		return wrong("--managed-at %q: expected the form %q", a.ManagedAt, session.ManagedLayout)
	}
	if a.Dialect != "" {
		if _, err := pigsty.ParseDialect(a.Dialect); err != nil {
			return usage(fmt.Errorf("--dialect: %w", err))
		}
	}
	if a.Core != "" && !coreVersion.MatchString(a.Core) {
		return misuse("--ansible-core 2.19.3", "--ansible-core %q: expected a version", text.Line(a.Core, 60))
	}
	return nil
}

// coreVersion is a version of ansible-core, such as 2.19.3 or 2.20.0rc1.
var coreVersion = regexp.MustCompile(`^\d+\.\d+(\.\d+\w*)?$`)

// sourceFlag is -i. As with ansible, several are read together, the later on top.
type sourceFlag struct {
	to    *string
	given bool
}

func (f *sourceFlag) String() string {
	if f.to == nil {
		return ""
	}
	return *f.to
}

func (f *sourceFlag) Type() string { return "path" }

func (f *sourceFlag) Set(path string) error {
	if f.given {
		path = *f.to + "," + path
	}
	*f.to, f.given = path, true
	return nil
}

// given are the typed flags that decide how an inventory is read.
func given(c *cobra.Command) []string {
	var out []string
	for _, name := range []string{"ssh-config", "dialect", "managed-at", "pigsty-home", "ansible-core", "vault-password-file"} {
		if f := c.Flags().Lookup(name); f != nil && f.Changed {
			out = append(out, "--"+name, text.Word(f.Value.String()))
		}
	}
	return out
}

// failCode is the exit code of a command that failed before it started.
func failCode(command string) int {
	switch command {
	case "status", "doctor", "lint", "reload", "apply", "access", "trace", "candidates", "pgbouncer", "postgres", "logs", "timeline",
		"switchover", "failover", "restart", "reinit", "pause", "resume", "flush",
		"drain", "undrain", "maint", "ready", "weight", "enable", "maintenance", "cancel", "terminate":
		return 3
	case "diff", "roles", "ghosts", "states":
		return 2
	}
	return 1
}

// now is the wall clock; the only place outside probe and apply that reads it.
func now() time.Time { return time.Now() }
