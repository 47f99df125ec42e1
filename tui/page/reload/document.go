package reload

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgtui/internal/text"
	"pgtui/plan"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// sideBySide is the width, in cells, from which old and new stand side by side.
const sideBySide = 140

// document is a plan written out once, for narrow and for wide pages.
type document struct {
	unified, split script
	wide           int // cells of the widest line of a file
	digits         int // of the highest line number
}

// script is one way to write a plan: its rows, and those at which nodes, files
// and changes begin. The first change of a file begins with the file.
type script struct {
	rows                  []row
	nodes, files, changes []int
}

// row is a line as it is, or one line of a file: of the old one, of the new
// one, or of both.
type row struct {
	line     widget.Line // not looked at when there is an old or a new
	old, new *side
	src      int // the row of the unified script that it stands for
}

// side is a line of one version of a file.
type side struct {
	number string      // of the line; "" when it has none
	mark   widget.Line // one cell
	text   widget.Line
	still  bool // it does not move when long lines are scrolled
	// start is the cell of text where the first changed words begin, and need
	// how many cells of it show them whole; both are 0 when there are none.
	start, need int
}

// nodeText is one node's changes, each with its diff.
type nodeText struct {
	plan.Node
	diffs [][]page.DiffLine
}

// newDocument writes a plan: nodes with the same change are one section.
func newDocument(p plan.Plan, t page.Texts) document {
	var d document
	nodes := nodeTexts(p, t)
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

// nodeTexts are the diffs of all nodes that could be read.
func nodeTexts(p plan.Plan, t page.Texts) []nodeText {
	var out []nodeText
	for _, n := range p.Nodes {
		if n.Err != nil {
			continue
		}
		text := nodeText{Node: n}
		for _, f := range n.Changes {
			var lines []page.DiffLine
			if t.Diff != nil {
				lines = t.Diff(f)
			}
			text.diffs = append(text.diffs, lines)
		}
		out = append(out, text)
	}
	return out
}

// sameChange reports whether two nodes have the same files changed in the
// same lines. The files themselves may differ: each names its node.
func sameChange(a, b nodeText) bool {
	if len(a.Changes) != len(b.Changes) || (len(a.Changes) == 0 && a.Same != b.Same) {
		return false
	}
	for i := range a.Changes {
		if a.Changes[i].Name != b.Changes[i].Name || a.Changes[i].Kind() != b.Changes[i].Kind() ||
			!slices.EqualFunc(a.diffs[i], b.diffs[i], sameLine) {
			return false
		}
		if a.diffs[i] == nil && !bytes.Equal(a.Changes[i].After, b.Changes[i].After) {
			return false
		}
	}
	return true
}

// sameLine reports whether two lines of a diff say the same.
func sameLine(a, b page.DiffLine) bool {
	return a.Kind == b.Kind && a.Text == b.Text && a.Old == b.Old && a.New == b.New && a.NoEOL == b.NoEOL
}

// narrow is the width that names of nodes are broken for: that of a small screen.
const narrow = 79

// section is one or more nodes with the same change.
func (d *document) section(group []nodeText, all int, t page.Texts) {
	d.unified.nodes, d.split.nodes = append(d.unified.nodes, len(d.unified.rows)), append(d.split.nodes, len(d.split.rows))
	names := make([]string, len(group))
	for i, n := range group {
		names[i] = nodeName(n.Node)
	}
	n, what := group[0], "on "
	switch {
	case len(n.Changes) == 0:
		what = fmt.Sprintf("no changes, %s up to date, on ", text.Plural(n.Same, "file"))
	case len(group) == all && all > 1:
		what = fmt.Sprintf("the same on all %d nodes: ", all)
	case len(group) > 1:
		what = fmt.Sprintf("the same on %d nodes: ", len(group))
	}
	head, list := widget.T(theme.Dim, widget.Words(" "+what)), strings.Join(names, ", ")
	for i, l := range widget.WrapBehind(list, max(narrow-head.Width(), 1), narrow-3) {
		if i > 0 {
			head = widget.P("   ")
		}
		d.say(head.AddRaw(theme.Strong, l))
	}
	for i, f := range n.Changes {
		d.file(f, n.diffs[i], n.ConfDir, t)
	}
	d.say(nil)
}

// say adds a line to both scripts.
func (d *document) say(l widget.Line) {
	r := row{line: l, src: len(d.unified.rows)}
	d.unified.rows, d.split.rows = append(d.unified.rows, r), append(d.split.rows, r)
}

// file is one file's change: in words, then line by line.
func (d *document) file(f plan.FileChange, diff []page.DiffLine, dir string, t page.Texts) {
	for _, s := range []*script{&d.unified, &d.split} {
		s.files, s.changes = append(s.files, len(s.rows)), append(s.changes, len(s.rows))
	}
	verb, tone, now, after := "change", theme.Warn, "now", "after the reload"
	switch f.Kind() {
	case "add":
		verb, tone, now = "add", theme.Added, "now: no such file"
	case "delete":
		verb, tone, after = "DELETE", theme.Bad, "after the reload: no such file"
	}
	d.say(widget.P(" ▸ ").Add(tone, widget.Words(verb+" ")).AddRaw(theme.Strong, f.Name).AddRaw(theme.Dim, "  "+dir))
	if t.Summary != nil {
		for _, s := range t.Summary(f) {
			d.say(widget.T(theme.Plain, widget.Words("     "+s)))
		}
	}
	if len(diff) == 0 {
		return
	}
	label := func(s string) *side { return &side{text: widget.T(theme.Dim, widget.Words(s)), still: true} }
	d.split.rows = append(d.split.rows, row{old: label(now), new: label(after), src: len(d.unified.rows)})
	d.code(diff)
}

// code adds the lines of a file's diff to both scripts.
func (d *document) code(diff []page.DiffLine) {
	base := len(d.unified.rows)
	for i := 0; i < len(diff); {
		l := diff[i]
		switch l.Kind {
		case '@':
			d.hunk(l, i > 0)
			i++
		case '-', '+':
			mid := i + kindLen(diff[i:], '-')
			end := mid + kindLen(diff[mid:], '+')
			d.block(diff[i:mid], diff[mid:end], base+i)
			i = end
		default:
			old, new := d.side(l, l.Old), d.side(l, l.New)
			d.unified.rows = append(d.unified.rows, row{old: old, new: new, src: base + i})
			d.split.rows = append(d.split.rows, row{old: old, new: new, src: base + i})
			i++
		}
	}
}

// kindLen is the number of lines of that kind that lines begin with.
func kindLen(lines []page.DiffLine, kind byte) int {
	n := 0
	for n < len(lines) && lines[n].Kind == kind {
		n++
	}
	return n
}

// hunk begins a hunk: with its header, or, where line numbers tell as much, with
// dots for the lines that were left out since the one before.
func (d *document) hunk(l page.DiffLine, more bool) {
	src := len(d.unified.rows)
	d.unified.rows = append(d.unified.rows, row{line: widget.Raw(theme.Hunk, "   "+text.Clean(page.Spaced(l.Text))), src: src})
	if more {
		d.unified.changes, d.split.changes = append(d.unified.changes, src), append(d.split.changes, len(d.split.rows))
		dots := &side{number: "··", still: true}
		d.split.rows = append(d.split.rows, row{old: dots, new: dots, src: src})
	}
}

// block adds removed lines and the added ones behind them: one below the other,
// and with the pairs among them on one row. src is the first one's row.
func (d *document) block(removed, added []page.DiffLine, src int) {
	var old, new []*side
	for i, l := range removed {
		old = append(old, d.side(l, l.Old))
		d.unified.rows = append(d.unified.rows, row{old: old[i], src: src + i})
	}
	for i, l := range added {
		new = append(new, d.side(l, l.New))
		d.unified.rows = append(d.unified.rows, row{new: new[i], src: src + len(removed) + i})
	}
	for _, a := range matched(removed, added) {
		o, n := old[a[0]], new[a[1]]
		start, need := min(o.start, n.start), max(o.need, n.need)
		if o.need == 0 || n.need == 0 {
			start = max(o.start, n.start)
		}
		o.start, n.start, o.need, n.need = start, start, need, need
	}
	for i, j := 0, 0; i < len(old) || j < len(new); {
		r := row{src: src + min(i, len(old)-1)}
		switch {
		case i < len(old) && (removed[i].Pair == 0 || j == len(new)):
			r.old = old[i]
			i++
		case j < len(new) && (added[j].Pair == 0 || i == len(old)):
			r.new = new[j]
			j++
		case removed[i].Pair == added[j].Pair:
			r.old, r.new = old[i], new[j]
			i, j = i+1, j+1
		default: // pairs that are not in order
			r.old = old[i]
			i++
		}
		d.split.rows = append(d.split.rows, r)
	}
}

// matched are the pairs of removed and added lines, as indices into the two.
func matched(removed, added []page.DiffLine) [][2]int {
	var out [][2]int
	at := map[int]int{}
	for i, l := range removed {
		at[l.Pair] = i
	}
	for j, l := range added {
		if i, ok := at[l.Pair]; ok && l.Pair > 0 {
			out = append(out, [2]int{i, j})
		}
	}
	return out
}

// side is a line of a diff as a line of one file, at that number of it.
func (d *document) side(l page.DiffLine, number int) *side {
	s := &side{mark: widget.P(" ")}
	switch l.Kind {
	case '+':
		s.mark, s.text = widget.T(theme.Added, "+"), page.Changed(l, theme.Added, theme.AddedWord)
	case '-':
		s.mark, s.text = widget.T(theme.Removed, "-"), page.Changed(l, theme.Removed, theme.GoneWord)
	default:
		s.text = page.Code(l.Text)
	}
	if l.NoEOL {
		s.text = s.text.Add(theme.Dim, "  (no newline at end of file)")
	}
	if number > 0 {
		s.number = strconv.Itoa(number)
	}
	s.start, s.need = firstWords(s.text)
	d.wide, d.digits = max(d.wide, s.text.Width()), max(d.digits, len(s.number), 2)
	return s
}

// firstWords is the cell at which the first changed words of a line begin, and
// the cells that show the line as far as their end; 0 and 0 when there are none.
func firstWords(l widget.Line) (start, need int) {
	at, width := 0, l.Width()
	for _, s := range l {
		n := widget.Width(s.Text)
		if s.Tone == theme.AddedWord || s.Tone == theme.GoneWord {
			if at+n < width {
				return at, at + n + 1 // the last cell is the "…" of what follows
			}
			return at, width
		}
		at += n
	}
	return 0, 0
}

// at is the script for a page of w cells.
func (d *document) at(w int) *script {
	if w >= sideBySide {
		return &d.split
	}
	return &d.unified
}

// moved is the row of the other script that shows what row i of this one does,
// or what follows it.
func (d *document) moved(i int, toSplit bool) int {
	from, to := &d.split, &d.unified
	if toSplit {
		from, to = to, from
	}
	if i >= len(from.rows) {
		return len(to.rows)
	}
	src := from.rows[i].src
	return max(slices.IndexFunc(to.rows, func(r row) bool { return r.src >= src }), 0)
}

// room is the cells that a line of a file has on a page of w cells.
func (d *document) room(w int) int {
	if w >= sideBySide {
		return max((w-1)/2-d.digits-5, 1)
	}
	return max(w-4, 1)
}

// draw draws a row on a page of w cells, from cell left of the files' lines on.
func (d *document) draw(r row, w, left int) widget.Line {
	room := d.room(w)
	switch {
	case r.old == nil && r.new == nil:
		return r.line
	case w >= sideBySide:
		return widget.Join(d.half(r.old, left, room).Pad((w-1)/2), widget.T(theme.Dim, "│"), d.half(r.new, left, room))
	case r.new != nil:
		return widget.Join(widget.P("   "), r.new.mark, r.new.fitted(left, room))
	}
	return widget.Join(widget.P("   "), r.old.mark, r.old.fitted(left, room))
}

// half is one side of a row: number, mark, text. nil is an empty one.
func (d *document) half(s *side, left, room int) widget.Line {
	if s == nil {
		return nil
	}
	number := widget.Raw(theme.Dim, s.number).PadLeft(d.digits)
	return widget.Join(widget.P(" "), number, widget.P(" "), s.mark.Pad(1), widget.P(" "), s.fitted(left, room))
}

// leadIn is the cells that are shown in front of a change where a line is cut
// in its middle: enough for the keyword that its number belongs to.
const leadIn = 12

// fitted is the text from cell left on, in room cells; "…" stands where it is
// cut. A line whose first change would be out of sight is cut in its middle, as
// long as it is not scrolled: what changes is seen first of all.
func (s *side) fitted(left, room int) widget.Line {
	l, n := s.text, s.text.Width()
	dots := widget.T(theme.Dim, "…")
	switch {
	case s.still || left == 0 && s.need <= room:
	case left == 0:
		from := max(s.start-leadIn, 0)
		lead := max(room-1-(s.need-from), room/3)
		l = widget.Join(l.Cut(0, lead), dots, l.Cut(min(max(from, s.need-room+lead+1), s.start), n))
	case n <= left:
		return nil
	default:
		l = widget.Join(dots, l.Cut(left+1, n))
	}
	if l.Width() > room {
		return widget.Join(l.Cut(0, room-1), dots)
	}
	return l
}
