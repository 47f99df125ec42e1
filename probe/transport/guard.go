package transport

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/source"
)

// ErrReadOnly is the refusal of a change.
var ErrReadOnly = errors.New("read-only: nothing was changed")

// Guard is the one door between pgtui and the nodes: everything that runs on a
// node passes it. A read-only Guard lets nothing through that is not marked as a script
// that only reads, and Ran gets everything that went through or was refused.
type Guard struct {
	Runner   Runner
	ReadOnly string // the setting that made it so, such as "--read-only"; "" lets changes through
	Now      func() time.Time
	Ran      func(model.Ran) // nil is none; it must not block
}

// Refusal is why nothing may be changed, nil when it may.
func Refusal(who string) error {
	if who == "" {
		return nil
	}
	return &source.Hint{Err: fmt.Errorf("%w (%s)", ErrReadOnly, who), Try: "leave out what makes pgtui read-only: `pgtui config show` names it"}
}

// Run implements Runner.
func (g *Guard) Run(ctx context.Context, c Cmd) (out Output, err error) {
	at := g.Now()
	if !c.Reads {
		err = Refusal(g.ReadOnly)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", err, ErrNotStarted)
	} else {
		out, err = g.Runner.Run(ctx, c)
	}
	if g.Ran != nil {
		g.Ran(model.Ran{At: at, Node: c.Target.Address, Argv: argvOf(c), Script: c.Script, Took: g.Now().Sub(at), Exit: out.Exit, Err: err, Reads: c.Reads})
	}
	return out, err
}

// argvOf is how a script is called in the log: the comment it begins with and
// its arguments. What goes in on standard input is not part of it.
func argvOf(c Cmd) []string {
	argv := []string{"sh", "-c", "…"}
	for line := range strings.Lines(c.Script) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "# "); ok {
			argv[2] = text
			break
		}
	}
	return append(argv, c.Args...)
}
