package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/render"
	"pgtui/source"
)

func (a *app) diffCmd() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "diff <cluster> [host…]",
		Short: "What a reload would change on each HAProxy node; exits 0 same, 1 different, 2 could not tell",
		Args:  needs(0, "cluster", "pgtui diff pg-test"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := expect("-o", output, "text", "json"); err != nil {
				return err
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return exit(2, err)
			}
			cls, err := clusters(inv, args[:1])
			if err != nil {
				return exit(2, err)
			}
			if inv.Unpredictable() {
				a.complain(inv, cls)
				return exit(2, errUnpredictable)
			}
			plan, drift, err := a.applier(inv.Source).Survey(cmd.Context(), inv, cls[0].Name, hosts(args[1:]))
			if err != nil {
				return exit(2, err)
			}
			code := driftCode(plan, drift)
			if output == "json" {
				if err := printJSON(a.io.Out, jsonv1.FromDrift(inv, cls[0], code, drift, fileDiff)); err != nil {
					return err
				}
			} else {
				a.printRules(inv)
				printPlanWith(a.io.Out, plan, drift)
			}
			a.complain(inv, cls)
			return exit(code, nil)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// fileDiff is the unified diff of one file; "" for files of others and those
// that a reload leaves alone.
func fileDiff(n plan.NodeDrift, f plan.FileDrift) string {
	switch f.State {
	case plan.FileCosmetic, plan.FileSemantic, plan.FileMissing, plan.FileExtra:
		return render.Unified(strings.TrimPrefix(path.Join(n.ConfDir, f.Name), "/"), f.Before, f.After)
	}
	return ""
}

// printJSON writes one document.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// driftCode is the exit code of diff: what was left behind on nodes that no
// longer provide the cluster differs too; one of them that cannot be read does
// not keep the question from being answered.
func driftCode(p plan.Plan, drift []plan.NodeDrift) int {
	code := diffCode(p)
	for _, n := range drift {
		if code == 0 && n.Differs() {
			code = 1
		}
	}
	return code
}

// stateWords say what a file's state means.
func stateWords(f plan.FileDrift) string {
	switch f.State {
	case plan.FileCosmetic:
		return "comments, blanks or order only: HAProxy reads the same"
	case plan.FileMissing:
		return "declared, not there yet: a reload adds it"
	case plan.FileExtra:
		return "not declared any more: a reload deletes it"
	case plan.FileUnrendered:
		return "what it should be cannot be told: left alone"
	case plan.FileStale:
		return "left behind: this node no longer provides it; HAProxy still listens there, and no reload removes it"
	case plan.FileForeign:
		if f.Owner != "" {
			return "belongs to " + string(f.Owner) + ": left alone"
		}
		return "of no cluster in the inventory: left alone"
	}
	return strings.Join(f.Summary, "; ")
}

// printStates writes a line for every file of the node that is not as
// declared.
func printStates(w io.Writer, n plan.NodeDrift) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range n.Files {
		if f.State != plan.FileSame {
			fmt.Fprintf(tw, "  %s\t%s\t%s\n", text.Line(f.Name, 120), f.State, text.Line(stateWords(f), 300))
		}
	}
	tw.Flush()
	if len(n.ByHand) > 0 {
		fmt.Fprintf(w, "  taken out by hand in its HAProxy: %s; a reload ends that, unless the servers' states are handed over\n", text.Line(strings.Join(n.ByHand, ", "), 400))
	}
}

// printFormer writes what was found on nodes that no longer provide the
// cluster, when there is something to say.
func printFormer(w io.Writer, drift []plan.NodeDrift) {
	for _, n := range drift {
		label := nodeLabel(plan.Node{Host: n.Host, Node: n.Node})
		switch {
		case n.Front:
		case n.Err != nil:
			fmt.Fprintf(w, "%s: could not look for files left behind: %s\n", label, text.Line(n.Err.Error(), 300))
		case n.Differs():
			fmt.Fprintf(w, "%s: no longer provides the cluster, %d left behind in %s\n", label, len(n.Files), n.ConfDir)
			printStates(w, n)
			fmt.Fprintf(w, "  try: remove them there and reload its HAProxy, once no client uses that node\n")
		}
	}
}

// diffCode is the exit code of a plan that is only looked at.
func diffCode(p plan.Plan) int {
	for _, n := range p.Nodes {
		if n.Err != nil {
			return 2
		}
	}
	if p.Changed() {
		return 1
	}
	return 0
}

func hosts(args []string) []model.Host {
	out := make([]model.Host, len(args))
	for i, a := range args {
		out[i] = model.Host(a)
	}
	return out
}

// printPlan shows a plan: a line a node, then for each file what changes in
// words and as a unified diff. Nodes with the same change share one diff.
func printPlan(w io.Writer, p plan.Plan) { printPlanWith(w, p, nil) }

// printRules says which Pigsty's rules the preview follows, and why those.
func (a *app) printRules(inv *model.Inventory) {
	fmt.Fprintf(a.io.Out, "rules of Pigsty %s, from %s\n", inv.Dialect, text.Line(inv.DialectFrom, 300))
}

// printPlanWith is printPlan with the state of every file beside it.
func printPlanWith(w io.Writer, p plan.Plan, drift []plan.NodeDrift) {
	states := map[model.Host]plan.NodeDrift{}
	for _, n := range drift {
		states[n.Host] = n
	}
	type group struct {
		nodes []string
		first plan.Node
	}
	var groups []group
	for _, n := range p.Nodes {
		label := nodeLabel(n)
		if n.Err != nil {
			fmt.Fprintf(w, "%s: could not tell: %s\n", label, text.Line(n.Err.Error(), 400))
			if try := source.TryOf(n.Err); try != "" {
				fmt.Fprintf(w, "  try: %s\n", text.Line(try, 300))
			}
			continue
		}
		if !n.Changed() {
			fmt.Fprintf(w, "%s: same, %d files\n", label, n.Same)
			printStates(w, states[n.Host])
			continue
		}
		fmt.Fprintf(w, "%s: %s\n", label, changeCount(n))
		printStates(w, states[n.Host])
		merged := false
		for i := range groups {
			if sameChanges(groups[i].first.Changes, n.Changes) {
				groups[i].nodes, merged = append(groups[i].nodes, label), true
			}
		}
		if !merged {
			groups = append(groups, group{nodes: []string{label}, first: n})
		}
	}
	printFormer(w, drift)
	for _, n := range p.Nodes {
		if len(n.Foreign) > 0 && drift == nil {
			fmt.Fprintf(w, "%s: not of this cluster, left alone: %s\n", nodeLabel(n), text.Line(strings.Join(n.Foreign, " "), 400))
		}
	}
	for _, g := range groups {
		fmt.Fprintf(w, "\n=== on %s\n", strings.Join(g.nodes, ", "))
		for _, c := range g.first.Changes {
			for _, s := range render.Summary(c.Before, c.After) {
				fmt.Fprintf(w, "# %s: %s\n", c.Name, text.Line(s, 300))
			}
			fmt.Fprint(w, render.Unified(strings.TrimPrefix(path.Join(g.first.ConfDir, c.Name), "/"), c.Before, c.After))
		}
	}
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
