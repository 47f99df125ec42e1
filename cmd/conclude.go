package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pgtui/session"
	"pgtui/source"
)

// exitInterrupted is the exit code of a command that only reads and was
// interrupted: 128 and the number of SIGINT, as a shell has it.
const exitInterrupted = 130

// errInterrupted is the whole answer of an interrupted question.
var errInterrupted = errors.New("interrupted, nothing concluded")

// ends names, in a command's annotations, how it ends when it is interrupted:
// "itself" when that is how it is meant to end.
const ends = "ends"

// reads reports whether this call of c only reads: interrupted, it has no answer.
// A watch has printed its answers by then, and a change has outcomes of its own.
func (a *app) reads(c *cobra.Command) bool {
	_, writes := c.Annotations["writes"]
	return c.HasParent() && !writes && !on(c, c.Annotations["writes-with"]) && !on(c, "watch") && !on(c, "follow") && c.Annotations[ends] != "itself"
}

// on reports whether a flag of c was switched on.
func on(c *cobra.Command, flag string) bool {
	f := c.Flags().Lookup(flag)
	return f != nil && f.Changed && f.Value.String() != "false"
}

// hold keeps back what a command that only reads prints until it has ended: half
// an answer is not an answer.
func (a *app) hold(c *cobra.Command) {
	if on(c, "watch") || on(c, "follow") {
		a.Doing = nil // its lines come at any time
	}
	if a.reads(c) {
		a.held = &bytes.Buffer{}
		a.out, a.io.Out = a.io.Out, a.held
	}
}

// conclude prints what was held, or that the command was interrupted.
func (a *app) conclude(ctx context.Context, c *cobra.Command, err error) error {
	if a.held != nil {
		a.io.Out = a.out
	}
	if ctx.Err() != nil && c != nil && !errors.Is(err, source.ErrUsage) && (a.reads(c) || on(c, "watch") && errors.Is(err, session.ErrStopped)) {
		return exit(exitInterrupted, errInterrupted)
	}
	if a.held != nil {
		if _, werr := a.out.Write(a.held.Bytes()); err == nil && werr != nil {
			return fmt.Errorf("the answer could not be printed: %w", werr)
		}
	}
	return err
}
