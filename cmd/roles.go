package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/apply"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/pigsty"
	"pgtui/render"
	"pgtui/source"
)

// The exit codes of roles, as docs/exit-codes.md has them.
const (
	rolesDiffer  = 1
	rolesUntold  = 2
	rolesRefused = 3
)

func (a *app) rolesCmd() *cobra.Command {
	var edit, yes bool
	var output string
	c := &cobra.Command{
		Use:   "roles <cluster>",
		Short: "pg_role in the inventory against the roles now; --edit puts the inventory in step",
		Long: "roles shows for each instance the pg_role that the inventory declares, what the instance is\n" +
			"now, and what pg_role should be. After a failover they differ, and what is rendered follows\n" +
			"the inventory. With --edit it replaces just those words in the inventory's files, after\n" +
			"showing the diff and asking for the cluster's name. No node is changed: pgtui reload is next.",
		Args: needs(1, "cluster", "pgtui roles pg-test"),
		RunE: func(cmd *cobra.Command, args []string) error {
			fail := rolesUntold
			if edit {
				fail = rolesRefused
			}
			switch {
			case expect("-o", output, "table", "json") != nil:
				return expect("-o", output, "table", "json")
			case edit && output == "json":
				return wrong("-o json and --edit exclude each other")
			case yes && !edit:
				return misuse("pgtui roles "+args[0]+" --edit --yes", "--yes needs --edit")
			}
			play, err := a.play(cmd.Context())
			if err != nil {
				return exit(fail, err)
			}
			r, err := a.rolesOf(cmd.Context(), play, args)
			if err := cmp.Or(stopped(cmd.Context()), err); err != nil {
				return exit(fail, err)
			}
			if output == "json" {
				if err := printJSON(a.io.Out, jsonv1.NewRoles(play.Model, r.cluster, r.code(), r.rows, r.at, r.err)); err != nil {
					return err
				}
				return exit(r.code(), nil)
			}
			printRoles(a.io.Out, r)
			switch {
			case r.err != nil && edit:
				return exit(fail, fmt.Errorf("refused, nothing was changed: %w", r.err))
			case r.err != nil:
				return exit(fail, r.err)
			case r.code() == 0:
				fmt.Fprintln(a.io.Out, "\nin step")
				return nil
			case !edit:
				fmt.Fprintf(a.io.Out, "\ntry: pgtui roles %s --edit\n", args[0])
				return exit(rolesDiffer, nil)
			}
			if err := a.editRoles(cmd.Context(), play, r, yes); err != nil {
				return exit(rolesRefused, err)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&edit, "edit", false, "replace what differs in the inventory's files, after asking")
	c.Flags().BoolVar(&yes, "yes", false, "with --edit: do not ask")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return writesWith(c, "edit")
}

// roles are the roles of one cluster.
type roles struct {
	cluster *model.Cluster
	rows    []board.RoleChange
	err     error                   // why they cannot be told
	at      func(model.Host) string // file:line of the host's pg_role
}

// code is the exit code without --edit.
func (r *roles) code() int {
	switch {
	case r.err != nil:
		return rolesUntold
	case len(board.RolesChanged(r.rows)) > 0:
		return rolesDiffer
	}
	return 0
}

// rolesOf asks the cluster's nodes.
func (a *app) rolesOf(ctx context.Context, play *pigsty.Play, args []string) (*roles, error) {
	cls, err := clusters(play.Model, args)
	if err != nil {
		return nil, err
	}
	snap, err := a.prober().Probe(ctx, play.Model, only(cls)...)
	if err != nil {
		return nil, err
	}
	r := &roles{cluster: cls[0], at: func(h model.Host) string {
		if x := play.Inventory.Host(string(h)); x != nil {
			if e := x.All().Lookup("pg_role"); e != nil {
				return placeText(e.At)
			}
		}
		return ""
	}}
	b := board.Of(snap, cls[0], now())
	r.rows, r.err = board.Roles(&b)
	return r, nil
}

// placeText is "file:line", or the file alone where lines are not known.
func placeText(at source.Pos) string {
	if at.Line < 1 {
		return at.File
	}
	return fmt.Sprintf("%s:%d", at.File, at.Line)
}

func printRoles(w io.Writer, r *roles) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "INSTANCE\tHOST\tINVENTORY\tLIVE\tSHOULD BE\tFILE:LINE")
	for i := range r.rows {
		row := &r.rows[i]
		want := row.Want
		if row.Changed() {
			want = "→ " + want
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", row.Instance, row.Host, dash(text.Line(row.Declared, 40)), dash(text.Line(row.Live, 40)), dash(want), dash(text.Line(r.at(row.Host), 200)))
	}
	tw.Flush()
	for i := range r.rows {
		if row := &r.rows[i]; row.Why != "" {
			fmt.Fprintf(w, "%s: %s\n", row.Instance, text.Line(row.Why, 300))
		}
	}
}

// editRoles puts the inventory's files in step. A nil error means that they are.
func (a *app) editRoles(ctx context.Context, play *pigsty.Play, r *roles, yes bool) error {
	changed := board.RolesChanged(r.rows)
	if err := upstreamStays(play, r); err != nil {
		return err
	}
	changes := make([]inventory.Change, 0, len(changed))
	for _, c := range changed {
		changes = append(changes, inventory.Change{Host: string(c.Host), Variable: "pg_role", Value: c.Want})
	}
	files, err := play.Inventory.Edit(changes)
	if err != nil {
		fmt.Fprintln(a.io.Out, "\nto change by hand, or where the inventory comes from:")
		for _, c := range changed {
			fmt.Fprintf(a.io.Out, "  host %s: pg_role: %s  (%s)\n", c.Host, c.Want, text.Line(r.at(c.Host), 200))
		}
		return fmt.Errorf("refused, nothing was changed: %w", err)
	}
	for _, f := range files {
		fmt.Fprintf(a.io.Out, "\n%s", render.Unified(strings.TrimPrefix(f.File, "/"), masked(f.Before), masked(f.After)))
	}
	if !yes {
		if err := a.confirm(ctx, "edit", string(r.cluster.Name)); err != nil {
			if h, ok := errors.AsType[*source.Hint](err); ok {
				return &source.Hint{Err: h.Err, Try: "--yes, after reading the diff"}
			}
			return err
		}
		if err := a.unmoved(ctx, play, r); err != nil {
			return err
		}
	}
	if err := stopped(ctx); err != nil {
		return err
	}
	if err := writeAll(files); err != nil {
		return err
	}
	fmt.Fprintln(a.io.Out)
	for _, f := range files {
		fmt.Fprintf(a.io.Out, "wrote %s\n", text.Line(f.File, 200))
	}
	fmt.Fprintf(a.io.Out, "try: pgtui reload %s\n", r.cluster.Name)
	return nil
}

// unmoved reports roles that have changed while somebody was asked.
func (a *app) unmoved(ctx context.Context, play *pigsty.Play, r *roles) error {
	again, err := a.rolesOf(ctx, play, []string{string(r.cluster.Name)})
	if err == nil {
		err = again.err
	}
	for i := 0; err == nil && i < len(r.rows); i++ {
		if is := again.rows[i]; is.Want != r.rows[i].Want {
			err = fmt.Errorf("%s is %s by now", is.Instance, is.Live)
		}
	}
	if err != nil {
		return &source.Hint{Err: fmt.Errorf("refused, nothing was changed: %w", err), Try: "pgtui roles " + string(r.cluster.Name)}
	}
	return nil
}

// upstreamStays refuses to move the role of a standby cluster's primary away
// from the host that has pg_upstream: without it, nothing says that the cluster
// is a standby one.
func upstreamStays(play *pigsty.Play, r *roles) error {
	if !r.cluster.Standby {
		return nil
	}
	for _, c := range board.RolesChanged(r.rows) {
		if v, ok, err := play.Var(c.Host, "pg_upstream"); c.Want == string(model.RolePrimary) && (err != nil || !ok || !py.Truthy(v)) {
			return &source.Hint{Err: fmt.Errorf("refused, nothing was changed: %s is a standby cluster, and %s, which leads it now, has no pg_upstream", r.cluster.Name, c.Instance),
				Try: fmt.Sprintf("move pg_upstream to host %s by hand, then pgtui roles %s --edit", c.Host, r.cluster.Name)}
		}
	}
	return nil
}

// writeAll writes the files, all or none.
func writeAll(files []inventory.Edited) error {
	for i, f := range files {
		err := apply.WriteInventory(f.File, f.Before, f.After)
		if err == nil {
			continue
		}
		for _, g := range files[:i] {
			if back := apply.WriteInventory(g.File, g.After, g.Before); back != nil {
				err = errors.Join(err, fmt.Errorf("%s stays written: %w", g.File, back))
			}
		}
		return err
	}
	return nil
}

// The secrets of a YAML line: what stands behind a key that names one, and the
// password of a URL.
var (
	secretValue = regexp.MustCompile(`(?i)([\w-]*(?:pass|secret|token|credential|_key)[\w-]*["']?[ \t]*:[ \t]*)("(?:[^"\\\r\n]|\\.)*"|'[^'\r\n]*'|[^\s,}\]#"'][^,}\]\r\n]*)`)
	secretInURL = regexp.MustCompile(`(://[^\s:/@]*:)[^\s@/]+@`)
)

// masked is the text with its secrets hidden.
func masked(text []byte) []byte {
	return secretInURL.ReplaceAll(secretValue.ReplaceAll(text, []byte("${1}********")), []byte("${1}********@"))
}
