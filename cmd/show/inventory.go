package show

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/pigsty/lint"
	"pgtui/plan"
	"pgtui/source"
)

// Lint is a block for each finding, and how many there are.
func Lint(w io.Writer, source string, found []lint.Finding) {
	count := map[lint.Severity]int{}
	for _, f := range found {
		count[f.Severity]++
		fmt.Fprintf(w, "%s:%d:%d: %s: %s [%s]\n", text.Line(f.At.File, 200), f.At.Line, f.At.Column, f.Severity, text.Line(f.What, 400), f.Code)
		fmt.Fprintf(w, "    why: %s\n", text.Line(f.Why, 300))
		if f.Fix != "" {
			fmt.Fprintf(w, "    fix: %s\n", text.Line(f.Fix, 300))
		}
	}
	if len(found) == 0 {
		fmt.Fprintf(w, "%s: no findings\n", text.Line(source, 200))
		return
	}
	fmt.Fprintf(w, "%s: %s, %s, %d worth knowing\n", text.Line(source, 200), text.Plural(count[lint.Error], "error"), text.Plural(count[lint.Warning], "warning"), count[lint.Info])
}

// Roles is a line an instance; at is the file and line of a host's pg_role.
func Roles(w io.Writer, rows []board.RoleChange, at func(model.Host) string) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "INSTANCE\tHOST\tINVENTORY\tLIVE\tSHOULD BE\tFILE:LINE")
	for i := range rows {
		row := &rows[i]
		want := row.Want
		if row.Changed() {
			want = "→ " + want
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", row.Instance, row.Host, Dash(text.Line(row.Declared, 40)), Dash(text.Line(row.Live, 40)), Dash(want), Dash(text.Line(at(row.Host), 200)))
	}
	tw.Flush()
	for i := range rows {
		if row := &rows[i]; row.Why != "" {
			fmt.Fprintf(w, "%s: %s\n", row.Instance, text.Line(row.Why, 300))
		}
	}
}

// Origins is the table of where values come from.
func Origins(w io.Writer, rows []source.Origin) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CLUSTER\tHOST\tVARIABLE\tVALUE\tFROM")
	for i := range rows {
		o := &rows[i]
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", Dash(text.Line(o.Cluster, 40)), text.Line(o.Where(), 60), o.Variable,
			text.Line(o.Value, 60), text.Line(o.From(), 120))
	}
	tw.Flush()
}

// History is a table, newest last, with what failed below it. others is how many
// runs of other inventories the audit file has.
func History(w io.Writer, file string, runs []plan.Run, others int) {
	if others > 0 {
		defer fmt.Fprintf(w, "%d runs of other inventories: pgtui history --all\n", others)
	}
	if len(runs) == 0 {
		fmt.Fprintf(w, "nothing in %s\n", file)
		return
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "WHEN\tWHO\tWHAT\tCLUSTER\tPLAN\tENDED\tNODES")
	for _, r := range runs {
		what := r.Action
		if r.Undoes != "" {
			what += " of " + r.Undoes
		}
		ended := r.Outcome
		if r.Interrupted {
			ended = "unknown: interrupted"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Began.Local().Format(time.DateTime), text.Line(r.Who.String(), 60), text.Line(what, 40),
			text.Line(string(r.Cluster), 40), text.Line(r.Plan, 20), text.Line(ended, 30), nodesText(&r))
	}
	tw.Flush()
	for _, r := range runs {
		if r.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", text.Line(r.Plan, 20), text.Line(r.Error, 300))
		}
	}
}

// nodesText is "10.10.10.11 applied, 10.10.10.12 restored"; of an action on the
// cluster whom it changed, and on which HAProxies: "pg-test-2 on 10.10.10.11".
func nodesText(r *plan.Run) string {
	var out []string
	if len(r.Nodes) == 0 && r.Instance != "" {
		out = append(out, text.Line(string(r.Instance), 60))
		if len(r.HAProxy) > 0 {
			out[0] += " on " + text.Line(model.Join(r.HAProxy), 200)
		}
		if r.Why != "" {
			out[0] += ": " + text.Line(r.Why, 100)
		}
	}
	for _, n := range r.Nodes {
		outcome := string(n.Outcome)
		if outcome == "" {
			outcome = "?"
		}
		out = append(out, text.Line(string(n.Host)+" "+outcome, 60))
	}
	return strings.Join(out, ", ")
}
