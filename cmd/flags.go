package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

// exitUsage is the exit code of wrong usage, EX_USAGE of sysexits.h: an unknown
// command, help topic, flag or flag value, a missing or extra argument, flags
// that cannot be combined, and a name that the inventory does not have. No
// command has another meaning for it.
const exitUsage = 64

// usage marks an error as wrong usage: it exits 64, whatever wraps it.
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

// unusage takes the mark of wrong usage away: the names in the error come from a
// file, and not from the command line.
func unusage(err error) error {
	if !errors.Is(err, source.ErrUsage) {
		return err
	}
	return &source.Hint{Err: errors.New(err.Error()), Try: source.TryOf(err)}
}

// choice is the value of a flag that has a few. The value of the flag before it
// is set is not checked.
type choice struct {
	flag string // as it is typed
	to   *string
	of   []string
	try  string // what to type instead
}

func (f *choice) String() string {
	if f.to == nil {
		return ""
	}
	return *f.to
}

func (f *choice) Type() string { return "string" }

// refused is the error of another value.
func (f *choice) refused(value string) error {
	err := fmt.Errorf("%s %s: expected %s", f.flag, text.Line(value, 60), text.Or(f.of))
	if text.Nearest(value, f.of) != "" {
		return model.NotFound(err, value, f.of, "")
	}
	return misuse(f.try, "%w", err)
}

func (f *choice) Set(value string) error {
	if !slices.Contains(f.of, value) {
		return f.refused(value)
	}
	*f.to = value
	return nil
}

// refusedFlag is the error of a flag in the words of the other errors of usage,
// with the flag that was probably meant.
func refusedFlag(c *cobra.Command, err error) error {
	help := c.CommandPath() + " --help"
	if h, ok := errors.AsType[*source.Hint](err); ok { // of a choice, without what pflag adds
		return h
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return noFlag(c, e, help)
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return misuse(help, "--%s needs a value", e.GetFlag().Name)
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return misuse(help, "--%s %s: expected %s", e.GetFlag().Name, text.Line(e.GetValue(), 60), expected(e.GetFlag().Value.Type()))
	}
	return misuse(help, "%w", err)
}

// noFlag is the error of a flag that a command does not have.
func noFlag(c *cobra.Command, e *pflag.NotExistError, help string) error {
	name := e.GetSpecifiedName()
	if e.GetSpecifiedShortnames() != "" {
		return misuse(help, "%s has no flag -%s", typedName(c), text.Line(name, 1))
	}
	var have []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			have = append(have, "--"+f.Name)
		}
	})
	return model.NotFound(fmt.Errorf("%s has no flag --%s", typedName(c), text.Line(name, 60)), "--"+name, have, help)
}

// expected is what a flag of a pflag type takes.
func expected(of string) string {
	switch of {
	case "bool":
		return "true or false"
	case "int":
		return "a whole number"
	case "float64":
		return "a number"
	case "duration":
		return "a duration such as 500ms, 2s or 5m"
	}
	return "a value of another form"
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

// needs takes n arguments, or with 0 one or more; without any it names the one
// that is missing.
func needs(n int, what, example string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return misuse(example, "no %s given: %s takes one", what, c.Name())
		case n > 0 && len(args) > n:
			return tooMany(c, args, text.Plural(n, what), example)
		}
		return nil
	}
}

// upTo takes at most n arguments.
func upTo(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > n {
			return tooMany(c, args, "at most "+text.Plural(n, what), c.CommandPath()+" --help")
		}
		return nil
	}
}

// none takes no argument.
func none(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse(c.CommandPath()+" --help", "%s takes no argument: %s", typedName(c), text.Line(strings.Join(args, " "), 200))
	}
	return nil
}

// tooMany is the error of more arguments than a command takes.
func tooMany(c *cobra.Command, args []string, takes, try string) error {
	return misuse(try, "%s takes %s, and got %d: %s", c.Name(), takes, len(args), text.Line(strings.Join(args, " "), 200))
}

// harden makes every command below c refuse wrong usage in the same way, and
// records when a command starts: what cobra itself refuses comes before that.
func (a *app) harden(c *cobra.Command) {
	if !c.Runnable() && c.HasSubCommands() {
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(c *cobra.Command, args []string) error {
			names := commandNames(c)
			if len(args) > 0 {
				return model.NotFound(fmt.Errorf("%s has no command %q", typedName(c), text.Line(args[0], 60)), args[0], names, c.CommandPath()+" --help")
			}
			return misuse(c.CommandPath()+" "+names[0], "no command given: %s takes one of %s", typedName(c), strings.Join(names, ", "))
		}
	}
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			a.started = true
			a.hold(c)
			return run(c, args)
		}
	} else if run := c.Run; run != nil {
		c.Run = func(c *cobra.Command, args []string) {
			a.started = true
			run(c, args)
		}
	}
	for _, s := range c.Commands() {
		a.harden(s)
	}
}

// refusedByCobra is an error from before the command started: an unknown command
// or flag, or a wrong number of arguments.
func (a *app) refusedByCobra(c *cobra.Command, err error) error {
	var ee *exitError
	if err == nil || a.started || errors.As(err, &ee) {
		return err
	}
	if source.TryOf(err) == "" && c != nil && !errors.Is(err, source.ErrUsage) {
		return misuse(c.CommandPath()+" --help", "%w", err)
	}
	return usage(err)
}

// typedName is how an error calls a command: "status", "patroni config", "pgtui".
func typedName(c *cobra.Command) string { return strings.TrimPrefix(c.CommandPath(), "pgtui ") }

// commandNames are the commands below c that a person types.
func commandNames(c *cobra.Command) []string {
	var names []string
	for _, s := range c.Commands() {
		if !s.Hidden {
			names = append(names, s.Name())
		}
	}
	return names
}
