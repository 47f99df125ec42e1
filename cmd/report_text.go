package cmd

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
)

// printReport prints a report as text. It is in English, whatever the language of the process, and
// made from the document: what was taken out of that is not in it.
func printReport(w io.Writer, r *jsonv1.Report) {
	p := r.Pgtui
	fmt.Fprintf(w, "pgtui %s, %s", p.Version, p.Go)
	if p.Commit != nil && p.CommitDate != nil {
		fmt.Fprintf(w, ", commit %s of %s", *p.Commit, *p.CommitDate)
	}
	fmt.Fprintf(w, "\ntaken at %s\n", r.TakenAt.Format(time.RFC3339))
	m := r.Machine
	fmt.Fprintf(w, "\nMACHINE\n  %s, Linux %s, %s, %d CPUs\n  %s\n", m.OS, m.Kernel, m.Arch, m.CPUs, show.Dash(m.SSH))
	fmt.Fprintf(w, "  terminal %s, %d columns, %d rows, input %v, output %v, language %s\n", show.Dash(m.Terminal.Type), m.Terminal.Columns, m.Terminal.Rows, m.Terminal.Input, m.Terminal.Output, m.Language)
	section(w, "ERRORS", len(r.Errors), func(i int) string { return r.Errors[i].What + ": " + r.Errors[i].Error })
	section(w, "ENVIRONMENT", len(r.Environment), func(i int) string { return r.Environment[i].Name + "=" + r.Environment[i].Value })
	exists := ""
	if !r.Config.Exists {
		exists = " (does not exist)"
	}
	section(w, "CONFIGURATION "+r.Config.File+exists, len(r.Config.Settings), func(i int) string { return r.Config.Settings[i] })
	reportInventory(w, r.Inventory)
	reportStatus(w, r)
	section(w, "RUNS", len(r.Runs), func(i int) string {
		x := &r.Runs[i]
		return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", x.Began.UTC().Format(time.RFC3339), x.Action, x.Cluster, show.Dash(x.Outcome), x.Error))
	})
	fmt.Fprintln(w)
	printManifest(w, r)
}

// section is a title and its lines; nothing where there is none.
func section(w io.Writer, title string, n int, line func(i int) string) {
	if n == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for i := range n {
		fmt.Fprintf(w, "  %s\n", text.Line(line(i), mostReported))
	}
}

func reportInventory(w io.Writer, inv *jsonv1.ReportInventory) {
	if inv == nil {
		return
	}
	fmt.Fprintf(w, "\nINVENTORY %s: %d files, %d nodes, %d clusters, Pigsty %s (from %s)\n", inv.Source, inv.Files, inv.Nodes, len(inv.Clusters), inv.Dialect, inv.DialectFrom)
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "  CLUSTER\tINSTANCES\tHAPROXIES\tSERVICES\tDATABASES\tUSERS\tETCD\tVIP\tSTANDBY\tPROBLEMS")
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		fmt.Fprintf(tw, "  %s\t%d\t%d\t%d\t%d\t%d\t%d\t%v\t%v\t%d\n", c.Name, c.Instances, c.HAProxies, c.Services, c.Databases, c.Users, c.Etcd, c.VIP, c.Standby, c.Problems)
	}
	tw.Flush()
	section(w, "PROBLEMS OF THE INVENTORY", len(inv.Problems), func(i int) string { return inv.Problems[i] })
}

// reportStatus is what was observed: the clusters, what answered and when, the findings.
func reportStatus(w io.Writer, r *jsonv1.Report) {
	if r.Status == nil {
		fmt.Fprintln(w, "\nNODES\n  not probed")
		return
	}
	fmt.Fprintln(w, "\nSTATUS")
	for i := range r.Status.Clusters {
		c := &r.Status.Clusters[i]
		fmt.Fprintf(w, "  %s  %s  %s\n", c.Name, c.Health, text.Line(c.Summary, mostReported))
		for k := range c.Services {
			s := &c.Services[k]
			fmt.Fprintf(w, "    %v %s  %s  %s  %s\n", s.Port, s.Name, show.Dash(strings.Join(s.Serving, ", ")), s.Verdict, text.Line(s.Why, mostReported))
		}
	}
	fmt.Fprintln(w, "\nOBSERVED")
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "  HOST\tINSTANCE\tWHAT\tAGE\tTOOK\tRUNS\tERROR")
	for i := range r.Observed {
		o := &r.Observed[i]
		age := "never"
		if o.AgeMs != nil {
			age = fmt.Sprintf("%d ms", *o.AgeMs)
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%d ms\t%s\t%s\n", o.Host, show.Dash(o.Instance), o.What, age, o.TookMs, show.Dash(o.Runs), text.Line(o.Error, mostReported))
	}
	tw.Flush()
	var found []string
	for i := range r.Status.Clusters {
		for _, f := range r.Status.Clusters[i].Findings {
			found = append(found, fmt.Sprintf("%s: %s [%s]: %s", r.Status.Clusters[i].Name, f.Severity, f.Code, f.Summary))
		}
	}
	section(w, "FINDINGS", len(found), func(i int) string { return found[i] })
}

// printManifest lists what a report has, and what it does not have.
func printManifest(w io.Writer, r *jsonv1.Report) {
	fmt.Fprintln(w, "IN THIS REPORT (report.txt and report.json have the same)")
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, p := range r.Parts {
		fmt.Fprintf(tw, "  %s\t%s\n", p.Name, p.What)
	}
	tw.Flush()
	fmt.Fprintln(w, "\nLEFT OUT")
	for _, l := range r.LeftOut {
		fmt.Fprintf(w, "  %s\n", l)
	}
}

// reportParts are the parts of every report.
func reportParts() []jsonv1.ReportPart {
	return []jsonv1.ReportPart{
		{Name: "pgtui", What: "version, commit and toolchain of pgtui"},
		{Name: "machine", What: "system, SSH client and terminal of the machine that pgtui runs on"},
		{Name: "environment", What: "the variables that pgtui reads and that are set; pgtui help environment lists them"},
		{Name: "config", What: "the settings in effect; of the operator's own commands the names only"},
		{Name: "inventory", What: "its shape: clusters and counts, versions, problems"},
		{Name: "observed", What: "each thing that was probed: age and duration of the answer, error"},
		{Name: "status", What: "what pgtui status -o json prints, findings included"},
		{Name: "runs", What: fmt.Sprintf("the newest %d runs of the audit file: action, cluster, outcome, error", mostRuns)},
		{Name: "errors", What: "what the report could not read"},
	}
}

// leftOut is what is never in a report.
func leftOut(anonymised bool) []string {
	out := []string{
		"passwords, keys, tokens and certificates; a known one that an error quotes is replaced by " + stars,
		"values of the inventory's variables, and its files",
		"files and logs of the nodes; nothing was read over SSH",
		"texts of queries, names of sessions, addresses of clients",
		"~/.ssh, ~/.pgpass, the text of the configuration, the operator's own commands",
		"who did a run of the audit file, from where and why",
		"the home directory's path, which is ~",
	}
	if anonymised {
		return append(out, "names and addresses of the inventory: clusters, instances, nodes, databases, users; each is replaced by one word everywhere. Names of services stay")
	}
	return out
}
