package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/render"
	"pgtui/source"
)

func (a *app) renderCmd() *cobra.Command {
	var all, keepGoing bool
	var out string
	c := &cobra.Command{
		Use:   "render [cluster…|--all]",
		Short: "Print the HAProxy service files the inventory asks for, or write them to a directory",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return misuse("pgtui render pg-test, or pgtui render --all", "name clusters, or all of them")
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return err
			}
			bad := a.complain(inv, cls)
			if inv.Unpredictable() {
				return errUnpredictable
			}
			if bad > 0 && !keepGoing {
				return &source.Hint{Err: fmt.Errorf("%d services cannot be rendered: nothing written", bad), Try: "mend the inventory, or --keep-going to render the others"}
			}
			for _, cl := range cls {
				if err := a.emit(render.Files(inv, cl, a.managed(inv.Source)), out); err != nil {
					return err
				}
			}
			if bad > 0 {
				return exit(1, fmt.Errorf("%d services cannot be rendered; the others are", bad))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every cluster of the inventory")
	c.Flags().BoolVar(&keepGoing, "keep-going", false, "render what can be rendered when a service cannot; exits 1 all the same")
	c.Flags().StringVar(&out, "out", "", "directory to write DIR/<haproxy-host>/<file>.cfg to (default: standard output)")
	return writesWith(c, "out")
}

// errUnpredictable follows the problem that complain printed.
var errUnpredictable = errors.New("what Ansible would write cannot be predicted: nothing was read, written or changed")

// complain prints the problems of the clusters and counts the fatal ones.
func (a *app) complain(inv *model.Inventory, cls []*model.Cluster) int {
	fatal := 0
	said := map[source.Problem]bool{}
	warn := func(p source.Problem) {
		if !said[p] {
			said[p] = true
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
