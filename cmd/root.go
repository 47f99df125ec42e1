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
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pgtui/internal/config"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/postgres"
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

// app is one run.
type app struct {
	io          IO
	inventory   string // -i
	sshConfig   string
	dialect     string
	managedAt   string
	pigstyHome  string
	vaultFile   string
	askVault    bool
	askBecome   bool
	typed       string              // the vault password that was asked for
	sudo        func() model.Secret // gives the password for sudo; nil without --ask-become-pass
	lines       *bufio.Reader       // of standard input, for passwords without a terminal
	requireAuth string              // --require-auth: how PostgreSQL may ask for the password
	core        string              // --ansible-core
	preview     bool                // worth a second to learn the version of ansible-core

	config      config.Config
	context     config.Context // the zero value is none
	contextName string         // --context
	onlyRead    bool           // --read-only
	sshProgram  string
	sshControl  string
	given       []string // flags that change how an inventory is read, as they were typed
	log         commandLog
	onScreen    bool                  // the console has the terminal: nothing else is written there
	passedOver  []string              // ansible.cfg that were told to be passed over
	loading     chan struct{}         // has room for the one load that is under way
	roles       map[model.Host]string // pg_role in place of the inventory's
	begun       bool                  // the command itself has begun
	held        *bytes.Buffer         // what a command that only reads has printed; nil when it prints at once
	out         io.Writer             // where held goes
}

// Run runs pgtui and returns its exit code; docs/exit-codes.md lists them.
func Run(ctx context.Context, args []string, ios IO) int {
	a := &app{io: ios, log: newCommandLog(), loading: make(chan struct{}, 1)}
	root := a.root()
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

// printError says what is wrong and what to type next.
func printError(w io.Writer, err error) {
	lines := text.Lines(err.Error(), 30, 600)
	fmt.Fprintf(w, "pgtui: %s\n", strings.Join(lines, "\n  "))
	if try := source.TryOf(err); try != "" {
		fmt.Fprintf(w, "  try: %s\n", text.Line(try, 400))
	}
	if fault, ok := errors.AsType[*guard.Fault](err); ok {
		fmt.Fprintf(w, "  %s\n", strings.Join(text.Lines(string(fault.Stack), 60, 200), "\n  "))
	}
}

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "pgtui [cluster]",
		Short: "Which PostgreSQL instance serves each Pigsty service port, and why",
		Long: "pgtui reads a Pigsty inventory, asks Patroni and HAProxy on every node, shows which\n" +
			"instance serves each service port and why, previews what a reload would change on\n" +
			"each node, and reloads on confirmation. Without a command it opens the console.",
		Args:          cobra.MaximumNArgs(1),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          a.runConsole,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.preview = cmd.Name() == "diff" || cmd.Name() == "reload" || cmd.Name() == "apply" || cmd.Name() == "version"
			if err := a.checkRules(); err != nil {
				return err
			}
			if cmd.Hidden || cmd.Name() == "version" {
				return nil
			}
			a.given = given(cmd)
			if err := a.configure(cmd); err != nil {
				return exit(unaskable(cmd.Name()), err)
			}
			if err := postgres.CheckAuth(a.requireAuth); err != nil {
				return wrong("--require-auth: %w", err)
			}
			if err := a.refuse(cmd); err != nil || !a.askBecome {
				return err
			}
			password, err := a.asked(cmd.Context(), "sudo password for the nodes: ")
			if err != nil {
				return exit(unaskable(cmd.Name()), fmt.Errorf("--ask-become-pass: %w", err))
			}
			a.sudo = func() model.Secret { return model.Secret(password) }
			return nil
		},
	}
	f := c.PersistentFlags()
	f.VarP(&sourceFlag{to: &a.inventory}, "inventory", "i", "Pigsty inventory, given several times for several that are read together; else $PGTUI_INVENTORY, ansible.cfg in $PIGSTY_HOME or ~/pigsty, ./pigsty.yml, ~/pigsty/pigsty.yml")
	f.StringVar(&a.sshConfig, "ssh-config", a.io.Getenv("PGTUI_SSH_CONFIG"), "OpenSSH client configuration to use instead of ~/.ssh/config")
	f.StringVar(&a.dialect, "dialect", "", "Pigsty version whose rules apply, such as v4.5.0 (default: the checkout's, else the inventory's version:, else the newest)")
	f.StringVar(&a.managedAt, "managed-at", "", "date of the 'ansible managed' line, \"2006-01-02 15:04:05\" (default: the template's, else the inventory's)")
	f.StringVar(&a.pigstyHome, "pigsty-home", a.io.Getenv("PIGSTY_HOME"), "Pigsty checkout that the playbooks run from: its template, role defaults and CA (default: the inventory's directory, when it is one)")
	f.StringVar(&a.core, "ansible-core", "", "version of ansible-core that runs the playbooks, such as 2.19.3 (default: the one found here)")
	f.StringVar(&a.vaultFile, "vault-password-file", a.io.Getenv("ANSIBLE_VAULT_PASSWORD_FILE"), "file with the password of !vault values, or a program that prints it (default: the one ansible.cfg names)")
	f.StringVar(&a.contextName, "context", "", "context of ~/.config/pgtui/config.yml to use (default: $PGTUI_CONTEXT, else the file's)")
	f.BoolVar(&a.onlyRead, "read-only", false, "change nothing, neither on a node nor on this machine: commands that write are refused, ssh keeps no host key and no connection; PGTUI_READ_ONLY and the configuration can say so too; docs/config.md has what it covers")
	f.StringVar(&a.requireAuth, "require-auth", a.io.Getenv("PGREQUIREAUTH"), "how PostgreSQL may ask for the monitoring user's password, as libpq's require_auth, such as scram-sha-256 (default: any but clear text)")
	f.BoolVarP(&a.askBecome, "ask-become-pass", "K", false, "ask once for the password that sudo wants on the nodes; it is kept in memory only")
	f.BoolVar(&a.askVault, "ask-vault-pass", false, "ask for the password of !vault values")
	c.AddCommand(a.statusCmd(), a.doctorCmd(), a.accessCmd(), a.traceCmd(), a.componentsCmd(), a.renderCmd(), a.configCmd(), a.diffCmd(), a.lintCmd(), a.rolesCmd(), a.reloadCmd(), a.applyCmd(), a.undoCmd(), a.ghostsCmd(), a.statesCmd(), a.historyCmd(), a.inventoryCmd(), a.routesCmd(), a.whatifCmd(), a.waitCmd(), a.demoCmd(), a.versionCmd(), a.sandboxNodeCmd())
	c.CompletionOptions.HiddenDefaultCmd = true
	c.SetHelpCommand(a.helpCmd())
	c.InitDefaultHelpCmd()
	c.SetOut(a.io.Out) // which completion takes when it is made
	c.InitDefaultCompletionCmd()
	a.harden(c)
	return c
}

// given are the flags that were typed and that say how an inventory is read.
func given(c *cobra.Command) []string {
	var out []string
	for _, name := range []string{"ssh-config", "dialect", "managed-at", "pigsty-home", "ansible-core", "vault-password-file"} {
		if f := c.Flags().Lookup(name); f != nil && f.Changed {
			out = append(out, "--"+name, text.Word(f.Value.String()))
		}
	}
	return out
}

// unaskable is the exit code of a command whose question could not be asked.
func unaskable(command string) int {
	switch command {
	case "status", "doctor", "lint", "reload", "apply", "access", "trace":
		return 3
	case "diff", "roles", "ghosts", "states":
		return 2
	}
	return 1
}

// clusters picks the named clusters of inv, all when none is named.
func clusters(inv *model.Inventory, args []string) ([]*model.Cluster, error) {
	var out []*model.Cluster
	if len(args) == 0 {
		for i := range inv.Clusters {
			out = append(out, &inv.Clusters[i])
		}
		return out, nil
	}
	for _, a := range args {
		c := inv.Cluster(model.ClusterName(a))
		if c == nil {
			var have []model.InstanceName
			for i := range inv.Clusters {
				have = append(have, model.InstanceName(inv.Clusters[i].Name))
			}
			return nil, &source.Hint{Err: fmt.Errorf("no cluster %q in %s", a, inv.Source), Try: "one of: " + model.Join(have), Usage: true}
		}
		out = append(out, c)
	}
	return out, nil
}

// now is the wall clock; the only place outside probe and apply that reads it.
func now() time.Time { return time.Now() }

// stat is os.Stat's modification time, zero when there is no such file.
func modTime(path string) time.Time {
	st, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return st.ModTime()
}
