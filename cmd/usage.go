package cmd

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/source"
)

// exitUsage is the exit code of a command that was typed wrong, EX_USAGE of
// sysexits.h: an unknown command, help topic, flag or flag value, a missing or
// extra argument, flags that exclude each other, and a name that the inventory
// does not have. No command has another meaning for it.
const exitUsage = 64

// usage marks an error as one of what was typed: it exits 64, whatever wraps it.
func usage(err error) error {
	if err == nil || errors.Is(err, source.ErrUsage) {
		return err
	}
	return &source.Hint{Err: err, Try: source.TryOf(err), Usage: true}
}

// wrong is a usage error without a hint.
func wrong(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// misuse is a usage error with what to type instead.
func misuse(try, format string, args ...any) error {
	return &source.Hint{Err: fmt.Errorf(format, args...), Try: try, Usage: true}
}

// answered is an error as an answer: the names in it come from a file that was
// written earlier, and not from the command line.
func answered(err error) error {
	if !errors.Is(err, source.ErrUsage) {
		return err
	}
	return &source.Hint{Err: errors.New(err.Error()), Try: source.TryOf(err)}
}

// expect checks the value of a flag that has a few: the error names them.
func expect(flag, value string, values ...string) error {
	for _, v := range values {
		if value == v {
			return nil
		}
	}
	list := strings.Join(values, ", ")
	if n := len(values); n > 1 {
		list = strings.Join(values[:n-1], ", ") + " or " + values[n-1]
	}
	return wrong("%s %s: expected %s", flag, text.Line(value, 60), list)
}

// within checks a number of a flag.
func within(flag string, n, least, most int) error {
	if n < least || n > most {
		return wrong("%s %d: expected from %d to %d", flag, n, least, most)
	}
	return nil
}

// lasting checks a duration of a flag.
func lasting(flag string, d, least, most time.Duration) error {
	if d < least || d > most {
		return wrong("%s %s: expected from %s to %s", flag, d, least, most)
	}
	return nil
}

// The bounds of flags that several commands have.
const (
	mostConnections = 1000
	leastEvery      = 10 * time.Millisecond
	mostEvery       = 24 * time.Hour
)

// oneOf takes one cluster of the inventory, or several arguments as the
// command has them; without any it says which one it misses.
func needs(n int, what, example string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return misuse(example, "which %s? %s takes one", what, c.Name())
		case n > 0 && len(args) > n:
			return misuse(example, "%s takes %d %s, and not %d: %s", c.Name(), n, plainPlural(n, what), len(args), text.Line(strings.Join(args, " "), 200))
		}
		return nil
	}
}

func plainPlural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

// harden makes every command below c answer a question that was typed wrong in
// the same way, and notes when a command begins: what cobra itself refuses
// comes before that.
func (a *app) harden(c *cobra.Command) {
	if !c.Runnable() && c.HasSubCommands() {
		c.RunE = func(c *cobra.Command, _ []string) error {
			var names []string
			for _, s := range c.Commands() {
				names = append(names, s.Name())
			}
			return misuse(c.CommandPath()+" "+names[0], "which %s command? it is one of %s", c.Name(), strings.Join(names, ", "))
		}
	}
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			a.begun = true
			a.hold(c)
			return run(c, args)
		}
	} else if run := c.Run; run != nil {
		c.Run = func(c *cobra.Command, args []string) {
			a.begun = true
			run(c, args)
		}
	}
	for _, s := range c.Commands() {
		a.harden(s)
	}
}

// refusedByCobra is an error that came before the command began: what was typed
// is no command, no flag, or not its number of arguments.
func (a *app) refusedByCobra(c *cobra.Command, err error) error {
	var ee *exitError
	if err == nil || a.begun || errors.As(err, &ee) {
		return err
	}
	if source.TryOf(err) == "" && c != nil {
		return misuse(c.CommandPath()+" --help", "%w", err)
	}
	return usage(err)
}

// helpCmd is cobra's help, for topics that there are.
func (a *app) helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return misuse("pgtui help", "there is no help topic %q", text.Line(strings.Join(args, " "), 100))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}
