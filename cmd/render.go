package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/render"
	"pgtui/session"
	"pgtui/source"
)

type renderOptions struct {
	all, keepGoing bool
	out            string
}

func (a *app) renderCmd() *cobra.Command {
	var o renderOptions
	c := &cobra.Command{
		Use:   "render [cluster…|--all]",
		Short: "Print the HAProxy service files that the inventory declares, or write them to a directory",
		RunE:  verb(&o, a.render),
	}
	c.Flags().BoolVar(&o.all, "all", false, "every cluster of the inventory")
	c.Flags().BoolVar(&o.keepGoing, "keep-going", false, "render the other services when one cannot be rendered; exits 1 anyway")
	c.Flags().StringVar(&o.out, "out", "", "directory to write DIR/<haproxy-host>/<file>.cfg to (default: standard output)")
	return writesWith(c, "out")
}

func (a *app) render(ctx context.Context, o *renderOptions, names []string) error {
	if o.all == (len(names) > 0) {
		return misuse("pgtui render pg-test, or pgtui render --all", "give either clusters or --all")
	}
	inv, cls, err := a.matching(ctx, 1, names...)
	if err != nil {
		return err
	}
	bad := a.complain(inv, cls)
	if inv.Unpredictable() {
		return session.ErrUnpredictable
	}
	if bad > 0 && !o.keepGoing {
		return &source.Hint{Err: fmt.Errorf("%s cannot be rendered: nothing was written", text.Plural(bad, "service")), Try: "fix the inventory, or --keep-going to render the others"}
	}
	for _, cl := range cls {
		if err := a.emit(render.Files(inv, cl, a.Managed(inv.Source)), o.out); err != nil {
			return err
		}
	}
	if bad > 0 {
		return exit(1, fmt.Errorf("%s cannot be rendered; the others were rendered", text.Plural(bad, "service")))
	}
	return nil
}

// complain prints the problems of the clusters and counts the fatal ones.
func (a *app) complain(inv *model.Inventory, cls []*model.Cluster) int {
	fatal := 0
	printed := map[source.Problem]bool{}
	warn := func(p source.Problem) {
		if !printed[p] {
			printed[p] = true
			a.warn(p)
		}
	}
	for _, cl := range cls {
		for _, p := range cl.Problems {
			if p.Fatal {
				fatal++
			}
			warn(p)
		}
	}
	for _, p := range inv.Problems {
		warn(p)
	}
	return fatal
}

// warn prints one problem on standard error.
func (a *app) warn(p source.Problem) {
	where := ""
	if p.At.File != "" {
		where = fmt.Sprintf("%s:%d:%d: ", p.At.File, p.At.Line, p.At.Column)
	}
	word := "warning"
	if p.Fatal {
		word = "error"
	}
	fmt.Fprintf(a.io.Err, "pgtui: %s: %s%s: %s\n", word, where, text.Line(p.Subject, 120), text.Line(p.What, 400))
	if p.Try != "" {
		fmt.Fprintf(a.io.Err, "  try: %s\n", text.Line(p.Try, 400))
	}
}

// emit writes files below dir, or prints them when dir is "".
func (a *app) emit(files []render.File, dir string) error {
	for _, f := range files {
		if dir == "" {
			if _, err := fmt.Fprintf(a.io.Out, "==> %s/%s <==\n%s", f.Host, f.Name, f.Data); err != nil {
				return err
			}
			continue
		}
		if !filepath.IsLocal(string(f.Host)) || !filepath.IsLocal(f.Name) {
			return fmt.Errorf("refusing to write %s/%s outside %s", f.Host, f.Name, dir)
		}
		path := filepath.Join(dir, string(f.Host), f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
