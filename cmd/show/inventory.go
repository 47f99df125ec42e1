package show

import (
	"fmt"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/pigsty/lint"
	"pgtui/plan"
	"pgtui/source"
)

// Lint is a block for each finding, and how many there are.
func Lint(w Out, source string, found []lint.Finding) {
	count := map[lint.Severity]int{}
	for _, f := range found {
		count[f.Severity]++
		fmt.Fprintf(w, "%s:%d:%d: %s: %s [%s]\n", w.line(f.At.File, 200), f.At.Line, f.At.Column, f.Severity, w.line(f.What, 400), f.Code)
		fmt.Fprintf(w, "    why: %s\n", w.line(f.Why, 300))
		if f.Fix != "" {
			fmt.Fprintf(w, "    fix: %s\n", w.line(f.Fix, 300))
		}
	}
	if len(found) == 0 {
		fmt.Fprintf(w, "%s: no findings\n", w.line(source, 200))
		return
	}
	fmt.Fprintf(w, "%s: %s, %s, %d info\n", w.line(source, 200), text.Plural(count[lint.Error], "error"), text.Plural(count[lint.Warning], "warning"), count[lint.Info])
}

// Roles is a line an instance; at is the file and line of a host's pg_role.
func Roles(w Out, rows []board.RoleChange, at func(model.Host) string) {
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "INSTANCE\tHOST\tINVENTORY\tLIVE\tSHOULD BE\tFILE:LINE")
	for i := range rows {
		row := &rows[i]
		want := row.Want
		if row.Changed() {
			want = "→ " + want
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", row.Instance, row.Host, Dash(w.line(row.Declared, 40)), Dash(w.line(row.Live, 40)), Dash(want), Dash(w.line(at(row.Host), 200)))
	}
	tw.Flush()
	for i := range rows {
		if row := &rows[i]; row.Why != "" {
			fmt.Fprintf(w, "%s: %s\n", row.Instance, w.line(row.Why, 300))
		}
	}
}

// Origins is the table of where values come from.
func Origins(w Out, rows []source.Origin) {
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "CLUSTER\tHOST\tVARIABLE\tVALUE\tFROM")
	for i := range rows {
		o := &rows[i]
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", Dash(w.line(o.Cluster, 40)), w.line(o.Where(), 60), o.Variable,
			w.line(o.Value, 60), w.line(o.From(), 120))
	}
	tw.Flush()
}

// History is a table, newest last, with what failed below it. others is how many
// runs of other inventories the audit file has.
func History(w Out, file string, runs []plan.Run, others int) {
	if others > 0 {
		defer fmt.Fprintf(w, "%d runs of other inventories: pgtui history --all\n", others)
	}
	if len(runs) == 0 {
		fmt.Fprintf(w, "nothing in %s\n", file)
		return
	}
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, w.wider("WHEN\tWHO\tWHAT\tCLUSTER\tPLAN\tENDED\tNODES", "VIA\tINVENTORY"))
	for _, r := range runs {
		fmt.Fprintln(tw, w.wider(fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", text.Moment(r.Began.Local()), w.line(r.Who.String(), 60), w.line(r.What(), 40),
			w.line(string(r.Cluster), 40), w.line(r.Plan, 20), w.line(r.Ended(), 30), r.Changed()), Dash(w.line(r.Via, 40))+"\t"+w.line(r.Inventory, 200)))
	}
	tw.Flush()
	for _, r := range runs {
		if r.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", w.line(r.Plan, 20), w.line(r.Error, 300))
		}
	}
}
