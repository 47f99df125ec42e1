package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"pgtui/cmd/show"
	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/session"
	"pgtui/tui"
)

func (a *app) demoCmd() *cobra.Command {
	var serve bool
	var script string
	var o sandbox.Options
	c := &cobra.Command{
		Use:   "demo [cluster]",
		Short: "The same console on an embedded, simulated four-node Pigsty",
		Long: "demo starts four simulated nodes on loopback and opens the console on them; its\n" +
			"keys f2 to f8 cause failures. Without a terminal it prints the board once. With --serve it\n" +
			"keeps the nodes running for other commands and reads what should happen to them from\n" +
			"standard input or --script, one command a line:\n\n" + sandbox.Help(),
		Args: upTo(1, "cluster"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := demoFlags(&o); err != nil {
				return err
			}
			sb, err := sandbox.Start(cmd.Context(), o)
			if err != nil && cmd.Context().Err() != nil {
				return exit(exitInterrupted, errInterrupted)
			}
			if err != nil {
				return err
			}
			defer func() { _ = sb.Close() }()
			a.Inventory = sb.InventoryPath()
			if script != "" && !serve {
				if err := runScript(cmd.Context(), sb, script); err != nil {
					return err
				}
			}
			switch {
			case serve:
				return a.serve(cmd.Context(), sb, script)
			case !a.terminal():
				return a.demoBoard(cmd.Context(), sb, args)
			}
			return a.demoConsole(cmd.Context(), sb, args)
		},
	}
	c.Annotations = map[string]string{ends: "itself"}
	c.Flags().BoolVar(&serve, "serve", false, "keep the sandbox running and print the inventory to use")
	c.Flags().StringVar(&script, "script", "", "file of sandbox commands to run first")
	c.Flags().StringVar(&o.Dir, "dir", "", "directory to keep the sandbox's files in (default: a temporary one, removed at the end)")
	c.Flags().Var(&choice{flag: "--generation", to: &o.Generation, of: []string{sandbox.Bookworm, sandbox.Trixie}}, "generation", "bookworm (Patroni 3.0, the default) or trixie (Patroni 4.0)")
	c.Flags().Float64Var(&o.Speed, "speed", 1, "how much faster than real the sandbox's time runs")
	c.Flags().IntVar(&o.Clusters, "clusters", 1, "number of three-node clusters; 333 make 1,000 nodes")
	return writesWith(c, "dir")
}

// demoFlags checks the flags that make a sandbox.
func demoFlags(o *sandbox.Options) error {
	if !(o.Speed > 0 && o.Speed <= 1000) { // NaN included
		return wrong("--speed %g: expected more than 0, at most 1000", o.Speed)
	}
	return within("--clusters", o.Clusters, 1, 1000)
}

// demoConsole is the console on the sandbox, with its extra keys.
func (a *app) demoConsole(ctx context.Context, sb *sandbox.Sandbox, args []string) error {
	inv, err := a.Load(ctx)
	if err != nil {
		return err
	}
	if _, err := session.Clusters(inv, args...); err != nil {
		return err
	}
	defer a.EndRecording(recordingEnds)
	d := a.deps(inv.Source)
	d.Inventory = inv
	for _, act := range sb.Actions() {
		d.Actions = append(d.Actions, tui.Action{Key: act.Key, Label: act.Label, Do: func(ctx context.Context) error { return sb.Do(ctx, act.Command) }})
	}
	if len(args) == 1 {
		d.Start = model.ClusterName(args[0])
	}
	return tui.Run(ctx, d, a.io.In, a.io.Out)
}

// demoBoard prints the board once the simulated checks have settled.
func (a *app) demoBoard(ctx context.Context, sb *sandbox.Sandbox, args []string) error {
	inv, cls, err := a.open(ctx, 1, args...)
	if err != nil {
		return err
	}
	operator := ctx // ends when the operator interrupts
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var boards []board.Board
	for snap := range a.Prober().Watch(ctx, inv, 200*time.Millisecond, session.Only(cls)...) {
		boards = session.Boards(snap, cls, now())
		if snap.Complete(cls...) && !anySettling(boards) {
			break
		}
	}
	if operator.Err() != nil {
		return exit(exitInterrupted, errInterrupted)
	}
	if len(boards) == 0 {
		return errors.New("the sandbox did not answer")
	}
	show.Boards(a.plain(), boards, now(), len(boards) > 3)
	fmt.Fprintf(a.io.Out, "\nthis is the embedded sandbox: on a terminal `pgtui demo` opens the console on it, `pgtui demo --serve` keeps it for other commands\n")
	return nil
}

func anySettling(boards []board.Board) bool {
	for i := range boards {
		for _, r := range boards[i].Routes {
			if r.Verdict == model.Settling {
				return true
			}
		}
	}
	return false
}

// serve keeps the sandbox running until it is interrupted. Commands are read
// from standard input; its end does not end the sandbox.
func (a *app) serve(ctx context.Context, sb *sandbox.Sandbox, script string) error {
	fmt.Fprintf(a.io.Out, "inventory %s\n", sb.InventoryPath())
	fmt.Fprintf(a.io.Out, "try: pgtui -i %s status\n", sb.InventoryPath())
	if script != "" {
		if err := runScript(ctx, sb, script); err != nil {
			return err
		}
	}
	if f, ok := a.io.In.(*os.File); ok && term.IsTerminal(f.Fd()) {
		fmt.Fprintln(a.io.Out, "type a command, `help` lists them, ctrl-c ends")
	}
	go func() {
		for sc := bufio.NewScanner(a.io.In); sc.Scan(); {
			line := strings.TrimSpace(sc.Text())
			switch line {
			case "":
			case "help":
				fmt.Fprint(a.io.Out, sandbox.Help())
			default:
				if err := sb.Do(ctx, line); err != nil {
					printError(a.io.Err, err)
					continue
				}
				fmt.Fprintln(a.io.Out, "done:", line)
			}
		}
	}()
	<-ctx.Done()
	return nil
}

// runScript gives the sandbox a file of commands.
func runScript(ctx context.Context, sb *sandbox.Sandbox, file string) error {
	commands, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("--script: %w", err)
	}
	return sb.Do(ctx, string(commands))
}

// sandboxNodeCmd is what the sandbox nodes' haproxy and systemctl run.
func (a *app) sandboxNodeCmd() *cobra.Command {
	return &cobra.Command{
		Use:                "sandbox-node",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			return exit(sandbox.NodeMain(args, a.io.Getenv, a.io.Out, a.io.Err), nil)
		},
	}
}
