// Package transport runs commands on nodes. It is the only package of pgtui
// that starts a process.
package transport

import (
	"context"
	"errors"
	"time"

	"pgtui/model"
)

// Cmd is one script for one node.
type Cmd struct {
	Target model.SSHTarget
	// Script is POSIX shell text, run by `sh` as root (`sudo -n` unless the
	// login is root already) inside a function and a subshell: `exit` ends it,
	// and nothing of it runs unless all of it has arrived. PGTUI_ROOT is set to
	// the target's Root, LC_ALL to C.
	Script string
	// Args become $1, $2 … of Script. They may hold any byte but NUL.
	Args []string
	// Stdin is the script's standard input, byte for byte; it is empty, not
	// the terminal's, when nil.
	Stdin []byte
	// Begin is how long it may take until Script is sent: to connect, to log in and to
	// become root. 0 sets no limit beside the context's.
	Begin time.Duration
	// Reads means that the script changes nothing on the node. A Guard that is
	// read-only runs no other: what is not marked so counts as a change.
	Reads bool
	// OnLine, when not nil, gets every line of standard output as it arrives,
	// without its line feed and cut at 64 KB, from one goroutine. While it blocks,
	// nothing more is read from the node; it must not block longer than the
	// context lasts. The text is the node's: it is not fit for a terminal yet.
	OnLine func(line string)
	// LinesOnly leaves Output.Stdout empty: a script that follows something has
	// no end.
	LinesOnly bool
}

// Output is what a finished script left.
type Output struct {
	Stdout    []byte // the first 8 MB
	Stderr    []byte // the first 64 KB
	Exit      int    // exit code of the script itself
	Truncated bool   // there was more on standard output
}

// Runner runs one script on one node. An error means that the script did not
// run to its end (no connection, no sudo, time out); a script that ran and
// failed is an Output with Exit != 0. Every error wraps ErrNotStarted or
// ErrInterrupted.
type Runner interface {
	Run(ctx context.Context, c Cmd) (Output, error)
}

// How far a script came that did not run to its end.
var (
	// ErrNotStarted means that not one command of the script ran.
	ErrNotStarted = errors.New("nothing was run")
	// ErrInterrupted means that contact was lost while the script ran: it may
	// have stopped anywhere, or have finished, or still be running.
	ErrInterrupted = errors.New("contact was lost while the script ran")
)

// Limits of what is kept of a script's output, in bytes.
const (
	maxStdout = 8 << 20
	maxStderr = 64 << 10
	maxLine   = 64 << 10
)
