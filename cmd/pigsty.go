package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"pgtui/apply"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
	"pgtui/source"
)

// runPigsty has bin/pgsql-svc carry out a plan that was shown, once it is
// accepted. on are the hosts as they were named.
func (a *app) runPigsty(ctx context.Context, ap *apply.Applier, inv *model.Inventory, p plan.Plan, on []string, yes bool) error {
	home := a.pigstyHome
	if home == "" || !executable(filepath.Join(home, "bin/pgsql-svc")) {
		home = a.home(inv.Source)
	}
	c := inv.Cluster(p.Cluster)
	switch script := filepath.Join(home, "bin/pgsql-svc"); {
	case home == "":
		return exit(reloadRefused, &source.Hint{Err: errors.New("--via pigsty: no Pigsty checkout was found"), Try: "--pigsty-home ~/pigsty"})
	case !executable(script):
		return exit(reloadRefused, &source.Hint{Err: fmt.Errorf("--via pigsty: there is no program %s", script), Try: "--pigsty-home of another checkout"})
	case c.Provider != "" && len(on) > 0:
		return exit(reloadRefused, &source.Hint{
			Err: fmt.Errorf("--via pigsty: %s is delegated to %s: Pigsty writes to all of that group, from the primary's run, and with another limit does nothing and says that it is done", c.Name, c.Provider),
			Try: "pgtui reload " + string(c.Name) + " --via pigsty, without hosts",
		})
	}
	if diffCode(p) == 2 {
		return exit(reloadRefused, &source.Hint{Err: errors.New("refused: not every node could be read, nothing was changed"), Try: "pgtui diff " + string(p.Cluster)})
	}
	if err := apply.Refused(&p); err != nil {
		return exit(reloadRefused, err)
	}
	if !yes {
		if err := a.confirm(ctx, "reload", string(p.Cluster)); err != nil {
			return exit(reloadRefused, err)
		}
	}
	source, err := filepath.Abs(inv.Source)
	if err != nil {
		return exit(reloadRefused, err)
	}
	ctx, abort, stop := a.interrupts(ctx, "finishing bin/pgsql-svc, then stopping; once more ends it", "ending bin/pgsql-svc")
	defer stop()
	if err := stopped(ctx); err != nil {
		return exit(reloadRefused, err)
	}
	ap.Rollout.Abort = abort
	fmt.Fprintf(a.io.Out, "\nplan %s, by bin/pgsql-svc of %s\n", p.ID, home)
	out := &printer{w: a.io.Out}
	ap.Rollout.Via = "pigsty"
	report, err := ap.ViaPigsty(ctx, inv, p, func(ctx context.Context) error {
		defer out.end()
		return transport.PgsqlSvc(ctx, home, source, append([]string{string(p.Cluster)}, on...), out)
	}, a.printStep)
	a.printReport(report)
	a.printGhosts(context.WithoutCancel(ctx), ap, inv, p.Cluster, report)
	return exit(reloadCode(report, err), err)
}

func executable(file string) bool {
	st, err := os.Stat(file)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
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

// say drops colours, which scripts print whether it is a terminal or not.
func (p *printer) say(line []byte) {
	fmt.Fprintln(p.w, "  | "+text.Line(colour.ReplaceAllString(string(line), ""), 400))
}

var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// end writes a last line that has no end of its own.
func (p *printer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.line) > 0 {
		p.say(p.line)
	}
	p.line = nil
}
