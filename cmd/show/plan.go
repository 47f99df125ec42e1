package show

import (
	"fmt"
	"path"
	"strings"
	"time"

	"pgtui/lang"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/render"
	"pgtui/source"
)

// stateWords explain the state of a file.
func stateWords(f plan.FileDrift) string {
	switch f.State {
	case plan.FileCosmetic:
		return "comments, blanks or order only: the same to HAProxy"
	case plan.FileMissing:
		return "declared and missing: a reload adds it"
	case plan.FileExtra:
		return "no longer declared: a reload deletes it"
	case plan.FileUnrendered:
		return "cannot be rendered: left alone"
	case plan.FileStale:
		return "left behind: this node no longer provides the cluster, but its HAProxy still listens, and a reload does not remove it"
	case plan.FileForeign:
		if f.Owner != "" {
			return "belongs to " + string(f.Owner) + ": left alone"
		}
		return "belongs to no cluster in the inventory: left alone"
	}
	return strings.Join(f.Summary, "; ")
}

// fileStates is a line for every file of the node that differs from the
// inventory.
func fileStates(w Out, n plan.NodeDrift) {
	tw := lang.NewTable(w)
	for _, f := range n.Files {
		if f.State != plan.FileSame {
			fmt.Fprintf(tw, "  %s\t%s\t%s\n", w.line(f.Name, 120), f.State, w.line(stateWords(f), 300))
		}
	}
	tw.Flush()
	if len(n.ByHand) > 0 {
		fmt.Fprintf(w, "  taken out by hand in its HAProxy: %s; a reload puts them back, unless server states are kept\n", w.line(strings.Join(n.ByHand, ", "), 400))
	}
}

// formerNodes is what was found on nodes that no longer provide the cluster.
func formerNodes(w Out, drift []plan.NodeDrift) {
	for _, n := range drift {
		label := nodeLabel(plan.Node{Host: n.Host, Node: n.Node})
		switch {
		case n.Front:
		case n.Err != nil:
			fmt.Fprintf(w, "%s: could not check for files left behind: %s\n", label, w.line(n.Err.Error(), 300))
		case n.Differs():
			fmt.Fprintf(w, "%s: no longer provides the cluster; %d files left behind in %s\n", label, len(n.Files), n.ConfDir)
			fileStates(w, n)
			fmt.Fprintf(w, "  try: remove them and reload its HAProxy, once no client uses that node\n")
		}
	}
}

// Plan is a line for each state that nodes are in, then for each file what changes
// in words and as a unified diff. Nodes in the same state share a line, those with
// the same change share a diff. drift is the state of every file, nil for none.
func Plan(w Out, p plan.Plan, drift []plan.NodeDrift) {
	states := map[model.Host]plan.NodeDrift{}
	for _, n := range drift {
		states[n.Host] = n
	}
	var lines, diffs shared
	changes := map[string]plan.Node{} // by the first node that has them
	for _, n := range p.Nodes {
		label := nodeLabel(n)
		lines.add(label, nodeState(w, n, states[n.Host]))
		if n.Err != nil || !n.Changed() {
			continue
		}
		key := label
		for first, m := range changes {
			if sameChanges(m.Changes, n.Changes) {
				key = first
			}
		}
		if key == label {
			changes[label] = n
		}
		diffs.add(label, key)
	}
	for _, l := range lines {
		fmt.Fprintf(w, "%s: %s", strings.Join(l.nodes, ", "), l.text)
	}
	formerNodes(w, drift)
	for _, n := range p.Nodes {
		if len(n.Foreign) > 0 && drift == nil {
			fmt.Fprintf(w, "%s: files of others, left alone: %s\n", nodeLabel(n), w.line(strings.Join(n.Foreign, " "), 400))
		}
	}
	for _, g := range diffs {
		first := changes[g.text]
		fmt.Fprintf(w, "\n=== on %s\n", strings.Join(g.nodes, ", "))
		for _, c := range first.Changes {
			for _, s := range render.Summary(c.Before, c.After) {
				fmt.Fprintf(w, "# %s: %s\n", c.Name, w.line(s, 300))
			}
			w.Unified(render.Unified(strings.TrimPrefix(path.Join(first.ConfDir, c.Name), "/"), c.Before, c.After))
		}
	}
}

// shared are texts with the nodes that share each, in the order of the first node.
type shared []struct {
	nodes []string
	text  string
}

// add adds a node to those of a text.
func (s *shared) add(node, text string) {
	for i := range *s {
		if (*s)[i].text == text {
			(*s)[i].nodes = append((*s)[i].nodes, node)
			return
		}
	}
	*s = append(*s, struct {
		nodes []string
		text  string
	}{[]string{node}, text})
}

// nodeState is what follows the name of a node: how much changes there, and the
// files that differ.
func nodeState(w Out, n plan.Node, d plan.NodeDrift) string {
	var b strings.Builder
	w.Writer = &b
	switch {
	case n.Err != nil:
		fmt.Fprintf(w, "%s: %s\n", w.tint(yellow, "unknown"), w.line(n.Err.Error(), 400))
		if try := source.TryOf(n.Err); try != "" {
			fmt.Fprintf(w, "  try: %s\n", w.line(try, 300))
		}
		return b.String()
	case n.Changed():
		fmt.Fprintln(w, changeCount(n))
	default:
		fmt.Fprintf(w, "same, %d files\n", n.Same)
	}
	fileStates(w, d)
	return b.String()
}

// Dialect is the version of Pigsty that the preview follows, and where it is from.
func Dialect(w Out, inv *model.Inventory) {
	fmt.Fprintf(w, "Pigsty %s, from %s\n", inv.Dialect, w.line(inv.DialectFrom, 300))
}

func nodeLabel(n plan.Node) string {
	if n.Node != "" && n.Node != string(n.Host) {
		return fmt.Sprintf("%s (%s)", n.Host, n.Node)
	}
	return string(n.Host)
}

// changeCount is "2 files change, 1 added, 1 deleted".
func changeCount(n plan.Node) string {
	count := map[string]int{}
	for _, c := range n.Changes {
		count[c.Kind()]++
	}
	var parts []string
	for _, k := range []struct{ kind, word string }{{"change", "changed"}, {"add", "added"}, {"delete", "deleted"}} {
		if count[k.kind] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[k.kind], k.word))
		}
	}
	return fmt.Sprintf("%s, %d the same", strings.Join(parts, ", "), n.Same)
}

// sameChanges reports whether two nodes would see the same diff. The rendering
// host in a file's header differs between nodes; it does not count.
func sameChanges(a, b []plan.FileChange) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Kind() != b[i].Kind() ||
			diffBody(a[i]) != diffBody(b[i]) {
			return false
		}
	}
	return true
}

// diffBody is a change's diff without the lines that name the rendering host.
func diffBody(c plan.FileChange) string {
	var keep []string
	for _, l := range strings.Split(render.Unified(c.Name, c.Before, c.After), "\n") {
		if !strings.Contains(l, "# service: ") {
			keep = append(keep, l)
		}
	}
	return strings.Join(keep, "\n")
}

// Risks are a plan's risks, those of several nodes once, and where bin/pgsql-svc
// would behave differently.
func Risks(w Out, p *plan.Plan) {
	riskGroups(w, p.Grouped())
	if len(p.Pigsty) > 0 {
		fmt.Fprintln(w, "\nbin/pgsql-svc would behave differently:")
		for _, s := range p.Pigsty {
			fmt.Fprintln(w, "  "+w.line(s, 500))
		}
	}
}

// riskGroups prints risks, those that stop first.
func riskGroups(w Out, groups []plan.RiskGroup) {
	if len(groups) > 0 {
		fmt.Fprintln(w, "\nrisks:")
	}
	for _, g := range groups {
		mark := "note"
		switch {
		case g.Open:
			mark = "STOP"
		case g.Stops():
			mark = "accepted"
		}
		fmt.Fprintf(w, "  %-8s  %-20s  %s\n", mark, g.Name, w.line(g.Where()+g.What, 500))
		if mark != "accepted" && g.Try != "" {
			fmt.Fprintf(w, "  %-8s  %-20s  try: %s\n", "", "", w.line(g.Try, 300))
		}
	}
}

// Step is a line for a step that has ended.
func Step(w Out, s plan.StepResult) {
	if !s.Done {
		return
	}
	mark := "ok"
	if s.Err != nil {
		mark = "FAILED"
	}
	fmt.Fprintf(w, "%-15s  %-8s %-6s %6d ms  %s\n", s.Host, s.Step, mark, s.Took.Round(time.Millisecond).Milliseconds(), w.line(s.Detail, 200))
}

// Report is the table of what was and was not done.
func Report(w Out, r plan.Report) {
	if len(r.Nodes) == 0 {
		return
	}
	fmt.Fprintln(w)
	tw := lang.NewTable(w)
	for _, n := range r.Nodes {
		fmt.Fprintf(tw, "%s\t%s\t%s", n.Host, n.Outcome, n.Step)
		if n.Err != nil {
			fmt.Fprintf(tw, "\t%s", w.line(n.Err.Error(), 300))
		} else if n.Backup != "" {
			fmt.Fprintf(tw, "\told files in %s", n.Backup)
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
	for _, n := range r.Nodes {
		for _, x := range n.Recovered {
			fmt.Fprintf(w, "%s: %s\n", n.Host, w.line(x.Text(), 500))
		}
	}
}
