package page

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// document is a plan written out once, with the lines where nodes and files begin.
type document struct {
	lines        []widget.Line
	nodes, files []int
}

// nodeText is one node's changes, each with its diff.
type nodeText struct {
	model.NodePlan
	diffs [][]DiffLine
}

// newDocument writes a plan: nodes with the same change are one section.
func newDocument(p model.Plan, t Texts) document {
	var d document
	var nodes []nodeText
	for _, n := range p.Nodes {
		if n.Err != nil {
			continue
		}
		text := nodeText{NodePlan: n}
		for _, f := range n.Changes {
			var lines []DiffLine
			if t.Diff != nil {
				lines = t.Diff(f)
			}
			text.diffs = append(text.diffs, lines)
		}
		nodes = append(nodes, text)
	}
	done := make([]bool, len(nodes))
	for i, n := range nodes {
		if done[i] {
			continue
		}
		group := []nodeText{n}
		for j := i + 1; j < len(nodes); j++ {
			if !done[j] && sameChange(n, nodes[j]) {
				group, done[j] = append(group, nodes[j]), true
			}
		}
		d.section(group, len(p.Nodes), t)
	}
	return d
}

// sameChange reports whether two nodes have the same files changed in the
// same lines. The files themselves may differ: each names its node.
func sameChange(a, b nodeText) bool {
	if len(a.Changes) != len(b.Changes) || (len(a.Changes) == 0 && a.Same != b.Same) {
		return false
	}
	for i := range a.Changes {
		if a.Changes[i].Name != b.Changes[i].Name || a.Changes[i].Kind() != b.Changes[i].Kind() ||
			!slices.Equal(a.diffs[i], b.diffs[i]) {
			return false
		}
		if a.diffs[i] == nil && !bytes.Equal(a.Changes[i].After, b.Changes[i].After) {
			return false
		}
	}
	return true
}

// section is one or more nodes with the same change.
func (d *document) section(group []nodeText, all int, t Texts) {
	d.nodes = append(d.nodes, len(d.lines))
	names := make([]string, len(group))
	for i, n := range group {
		names[i] = nodeName(n.NodePlan)
	}
	n, what := group[0], "on "
	switch {
	case len(n.Changes) == 0:
		what = fmt.Sprintf("nothing changes, %s as they should be, on ", plural(n.Same, "file"))
	case len(group) == all && all > 1:
		what = fmt.Sprintf("the same on all %d nodes: ", all)
	case len(group) > 1:
		what = fmt.Sprintf("the same on %d nodes: ", len(group))
	}
	title := widget.T(theme.Dim, " "+what).Add(theme.Strong, strings.Join(names, ", "))
	d.lines = append(d.lines, title)
	for i, f := range n.Changes {
		d.file(f, n.diffs[i], n.ConfDir, t)
	}
	d.lines = append(d.lines, nil)
}

// file is one file's change: in words, then line by line.
func (d *document) file(f model.FileChange, diff []DiffLine, dir string, t Texts) {
	d.files = append(d.files, len(d.lines))
	verb, tone := "change", theme.Warn
	switch f.Kind() {
	case "add":
		verb, tone = "add", theme.Added
	case "delete":
		verb, tone = "DELETE", theme.Bad
	}
	d.lines = append(d.lines, widget.P(" ▸ ").Add(tone, verb+" ").Add(theme.Strong, f.Name).Add(theme.Dim, "  "+dir))
	if t.Summary != nil {
		for _, s := range t.Summary(f) {
			d.lines = append(d.lines, widget.T(theme.Plain, "     "+s))
		}
	}
	for _, l := range diff {
		tone, mark := theme.Plain, " "
		switch l.Kind {
		case '+':
			tone, mark = theme.Added, "+"
		case '-':
			tone, mark = theme.Removed, "-"
		case '@':
			tone, mark = theme.Hunk, ""
		}
		d.lines = append(d.lines, widget.T(tone, "   "+mark+strings.ReplaceAll(l.Text, "\t", "    ")))
	}
}

// width is the widest line in cells.
func (d *document) width() int {
	w := 0
	for _, l := range d.lines {
		w = max(w, l.Width())
	}
	return w
}
