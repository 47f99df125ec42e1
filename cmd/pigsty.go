package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"sync"

	"pgtui/internal/text"
	"pgtui/probe/transport"
	"pgtui/session"
	"pgtui/source"
)

// runPigsty has bin/pgsql-svc carry out a plan that was shown, once it is
// accepted. on are the hosts as they were named.
func (a *app) runPigsty(ctx context.Context, j *session.Job, on []string, yes bool) error {
	home := a.PigstyHome
	if home == "" || !session.Executable(filepath.Join(home, "bin/pgsql-svc")) {
		home = a.Home(j.Inv.Source)
	}
	c := j.Inv.Cluster(j.Plan.Cluster)
	switch script := filepath.Join(home, "bin/pgsql-svc"); {
	case home == "":
		return exit(reloadRefused, &source.Hint{Err: errors.New("--via pigsty: no Pigsty checkout was found"), Try: "--pigsty-home ~/pigsty"})
	case !session.Executable(script):
		return exit(reloadRefused, &source.Hint{Err: fmt.Errorf("--via pigsty: %s is not a program", script), Try: "--pigsty-home of another checkout"})
	case c.Provider != "" && len(on) > 0:
		return exit(reloadRefused, &source.Hint{
			Err: fmt.Errorf("--via pigsty: %s is delegated to %s: Pigsty writes to all of that group, from the primary's run, and with another limit it changes nothing and reports success", c.Name, c.Provider),
			Try: "pgtui reload " + string(c.Name) + " --via pigsty, without hosts",
		})
	}
	if err := a.accept(ctx, &j.Plan, "reload", yes); err != nil {
		return err
	}
	inventory, err := filepath.Abs(j.Inv.Source)
	if err != nil {
		return exit(reloadRefused, err)
	}
	ctx, abort, stop := a.interrupts(ctx, "finishing bin/pgsql-svc, then stopping; a second interrupt ends it", "ending bin/pgsql-svc")
	defer stop()
	if err := session.Stopped(ctx); err != nil {
		return exit(reloadRefused, err)
	}
	j.Rollout.Abort, j.Rollout.Via = abort, "pigsty"
	fmt.Fprintf(a.io.Out, "\nplan %s, by bin/pgsql-svc of %s\n", j.Plan.ID, home)
	out := &printer{w: a.io.Out}
	report, err := j.ViaPigsty(ctx, j.Inv, j.Plan, func(ctx context.Context) error {
		defer out.end()
		return transport.PgsqlSvc(ctx, home, inventory, append([]string{string(j.Plan.Cluster)}, on...), out)
	}, a.printStep)
	return a.report(ctx, j, report, err)
}

// printer writes what a program prints line by line, made harmless.
type printer struct {
	w    io.Writer
	mu   sync.Mutex
	line []byte
}

// Write never fails.
func (p *printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = append(p.line, b...)
	for {
		line, rest, found := bytes.Cut(p.line, []byte("\n"))
		if !found && len(p.line) < 64<<10 {
			return len(b), nil
		}
		p.say(line)
		p.line = bytes.Clone(rest)
	}
}

// say drops colours, which scripts print even without a terminal.
func (p *printer) say(line []byte) {
	fmt.Fprintln(p.w, "  | "+text.Line(colour.ReplaceAllString(string(line), ""), 400))
}

var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// end writes a last line without a line break.
func (p *printer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.line) > 0 {
		p.say(p.line)
	}
	p.line = nil
}
