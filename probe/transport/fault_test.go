package transport

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/source"
)

// TestAPanicOverALineIsTheScriptsError: the script runs to its end all the same,
// and whoever has begun it must not believe to have heard all of it.
func TestAPanicOverALineIsTheScriptsError(t *testing.T) {
	heard := 0
	out, err := Local{}.Run(t.Context(), Cmd{Target: model.SSHTarget{Address: "n1", Root: t.TempDir()}, Script: "echo a; echo b; echo c", OnLine: func(string) {
		if heard++; heard == 2 {
			panic("broken on purpose")
		}
	}})
	if !errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), "n1: pgtui itself failed reading the output of a script") || string(out.Stdout) != "a\nb\nc\n" || heard != 2 {
		t.Errorf("%v after %d lines and %q", err, heard, out.Stdout)
	}
}

// TestAPanicOverThePasswordSendsNothing.
func TestAPanicOverThePasswordSendsNothing(t *testing.T) {
	asks := []string{"sh", "-c", "printf '" + sudoAsks + "' >&2; read p; echo \"got $p\" >&2; exit 1"}
	_, err := run(context.WithoutCancel(t.Context()), asks, Cmd{Script: "true"}, "n1", func() model.Secret { panic("broken on purpose") })
	if fault, ok := errors.AsType[*guard.Fault](err); !ok || !errors.Is(err, ErrNotStarted) || len(fault.Stack) == 0 {
		t.Errorf("%v", err)
	}
}

// TestSudoSaysWhatToDo: whatever sudo says for want of a password, the console
// cannot ask for one, and says how to come to one.
func TestSudoSaysWhatToDo(t *testing.T) {
	for _, said := range []string{
		"sudo: a password is required", "sudo: a terminal is required to read the password; either use the -S option to read from standard input",
		"sudo: no password was provided", "sudo: 1 incorrect password attempt",
	} {
		err := diagnose("n1", said)
		if try := source.TryOf(err); !errors.Is(err, ErrNotStarted) || !strings.Contains(try, "start pgtui with -K") || !strings.Contains(try, "leave the console") {
			t.Errorf("%s: %v, try %q", said, err, try)
		}
	}
}
