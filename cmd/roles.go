package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"pgtui/ansible/inventory"
	"pgtui/apply"
	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/pigsty"
	"pgtui/render"
	"pgtui/session"
	"pgtui/source"
)

// The exit codes of roles, as Exits has them.
const (
	rolesDiffer  = 1
	rolesUnknown = 2
	rolesRefused = 3
)

type rolesOptions struct {
	edit, yes bool
	output    format
}

func (a *app) rolesCmd() *cobra.Command {
	var o rolesOptions
	c := &cobra.Command{
		Use:   "roles <cluster…>",
		Short: "pg_role in the inventory against the roles now; --edit brings the inventory up to date",
		Long: "roles shows for each instance the pg_role that the inventory declares, what the instance is\n" +
			"now, and what pg_role should be. After a failover they differ, and what is rendered follows\n" +
			"the inventory. With --edit it replaces just those words in the inventory's files, after\n" +
			"the diff and a prompt for the cluster's name. No node is changed: run pgtui reload next.",
		Args: needs(0, "cluster", "pgtui roles pg-test"),
		RunE: verb(&o, a.roles),
	}
	c.Flags().BoolVar(&o.edit, "edit", false, "replace what differs in the inventory's files, after a prompt")
	c.Flags().BoolVar(&o.yes, "yes", false, "with --edit: do not prompt")
	outputFlag(c, &o.output, "", "table", "json")
	return writesWith(c, "edit")
}

func (a *app) roles(ctx context.Context, o *rolesOptions, names []string) error {
	fail := rolesUnknown
	if o.edit {
		fail = rolesRefused
	}
	switch {
	case o.edit && o.output.document():
		return wrong("-o %s cannot be combined with --edit", o.output)
	case o.edit && len(names) > 1:
		return misuse("pgtui roles "+names[0]+" --edit", "--edit takes one cluster, and got %d", len(names))
	case o.yes && !o.edit:
		return misuse("pgtui roles "+names[0]+" --edit --yes", "--yes needs --edit")
	}
	play, err := a.Play(ctx)
	if err := cmp.Or(session.Stopped(ctx), err); err != nil {
		return exit(fail, err)
	}
	if !o.edit {
		return a.rolesOf(ctx, o, play, names)
	}
	r, err := a.Roles(ctx, play, names[0])
	if err := cmp.Or(session.Stopped(ctx), err); err != nil {
		return exit(fail, err)
	}
	show.Roles(a.plain(), r.Rows, r.At)
	switch {
	case r.Err != nil:
		return exit(fail, fmt.Errorf("refused, nothing was changed: %w", r.Err))
	case rolesCode(r) == 0:
		fmt.Fprintln(a.io.Out, "\nup to date")
		return nil
	}
	if err := a.editRoles(ctx, r, o.yes); err != nil {
		return exit(rolesRefused, err)
	}
	return nil
}

// rolesOf prints the roles of clusters. A play answers one question at a time.
func (a *app) rolesOf(ctx context.Context, o *rolesOptions, play *pigsty.Play, names []string) error {
	cls, err := session.Matching(play.Model, names...)
	if err != nil {
		return err
	}
	return a.replies(question{output: o.output, many: several(names), fail: rolesUnknown, worse: worseCode, alone: true, ask: func(c *model.Cluster) (answer, error) {
		r, err := a.Roles(ctx, play, string(c.Name))
		if err := cmp.Or(session.Stopped(ctx), err); err != nil {
			return answer{}, err
		}
		code := rolesCode(r)
		return answer{code: code, err: r.Err, doc: func() any { return jsonv1.NewRoles(play.Model, r.Cluster, code, r.Rows, r.At, r.Err) }, text: func(w show.Out) {
			show.Roles(w, r.Rows, r.At)
			switch code {
			case 0:
				fmt.Fprintln(w, "\nup to date")
			case rolesDiffer:
				fmt.Fprintf(w, "\ntry: pgtui roles %s --edit\n", c.Name)
			}
		}}, nil
	}}, cls)
}

// rolesCode is the exit code without --edit.
func rolesCode(r *session.Roles) int {
	switch {
	case r.Err != nil:
		return rolesUnknown
	case len(board.RolesChanged(r.Rows)) > 0:
		return rolesDiffer
	}
	return 0
}

// editRoles brings the inventory's files up to date.
func (a *app) editRoles(ctx context.Context, r *session.Roles, yes bool) error {
	if err := r.KeepsUpstream(); err != nil {
		return err
	}
	var changes []inventory.Change
	for _, c := range board.RolesChanged(r.Rows) {
		changes = append(changes, inventory.Change{Host: string(c.Host), Variable: "pg_role", Value: c.Want})
	}
	files, err := r.Play.Inventory.Edit(changes)
	if err != nil {
		fmt.Fprintln(a.io.Out, "\nto change by hand, or where the inventory comes from:")
		for _, c := range board.RolesChanged(r.Rows) {
			fmt.Fprintf(a.io.Out, "  host %s: pg_role: %s  (%s)\n", c.Host, c.Want, text.Line(r.At(c.Host), 200))
		}
		return fmt.Errorf("refused, nothing was changed: %w", err)
	}
	for _, f := range files {
		fmt.Fprintln(a.io.Out)
		a.plain().Unified(render.Unified(strings.TrimPrefix(f.File, "/"), masked(f.Before), masked(f.After)))
	}
	if !yes {
		if err := a.confirm(ctx, "edit", string(r.Cluster.Name)); err != nil {
			if h, ok := errors.AsType[*source.Hint](err); ok {
				return &source.Hint{Err: h.Err, Try: "--yes, after reading the diff"}
			}
			return err
		}
		if err := a.Unmoved(ctx, r); err != nil {
			return err
		}
	}
	if err := session.Stopped(ctx); err != nil {
		return err
	}
	if err := writeAll(files); err != nil {
		return err
	}
	fmt.Fprintln(a.io.Out)
	for _, f := range files {
		fmt.Fprintf(a.io.Out, "wrote %s\n", text.Line(f.File, 200))
	}
	fmt.Fprintf(a.io.Out, "try: pgtui reload %s\n", r.Cluster.Name)
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

// The secrets of a YAML line: what follows a key that names one, and the password
// of a URL.
var (
	secretValue = regexp.MustCompile(`(?i)([\w-]*(?:pass|secret|token|credential|_key)[\w-]*["']?[ \t]*:[ \t]*)("(?:[^"\\\r\n]|\\.)*"|'[^'\r\n]*'|[^\s,}\]#"'][^,}\]\r\n]*)`)
	secretInURL = regexp.MustCompile(`(://[^\s:/@]*:)[^\s@/]+@`)
)

// masked is the text with its secrets hidden.
func masked(text []byte) []byte {
	return secretInURL.ReplaceAll(secretValue.ReplaceAll(text, []byte("${1}********")), []byte("${1}********@"))
}
