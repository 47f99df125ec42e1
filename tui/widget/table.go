package widget

import (
	"strings"

	"pgtui/tui/theme"
)

// Column is one column of a table.
type Column struct {
	Title Words
	Min   int // cells it never goes below while it is shown
	Max   int // cells it never goes above; 0 means as wide as its widest cell
	Right bool
	// Flex columns count with their Min only while it is decided what fits, and
	// then share the room that is left.
	Flex bool
	// Sparse columns are not shown while no row has anything in them.
	Sparse bool
	// Drop is when the column gives way on a narrow screen: the highest goes
	// first, 0 never.
	Drop int
}

// Table is rows of cells under columns.
type Table struct {
	Cols []Column
	Rows [][]Line
	Gap  int // cells between columns; 0 means 2
}

// Layout is the columns a table shows at some width, and how wide they are.
type Layout struct {
	cols  []Column
	index []int
	width []int
	gap   int
}

// Pick leaves the columns of those titles, in that order; titles are written
// in any case, and one that there is not is passed over. No names leave all.
func (t Table) Pick(names []string) Table {
	var at []int
	for _, n := range names {
		for i, c := range t.Cols {
			if strings.EqualFold(string(c.Title), n) {
				at = append(at, i)
			}
		}
	}
	if len(at) == 0 {
		return t
	}
	out := Table{Gap: t.Gap}
	for _, i := range at {
		out.Cols = append(out.Cols, t.Cols[i])
	}
	for _, r := range t.Rows {
		row := make([]Line, len(at))
		for j, i := range at {
			if i < len(r) {
				row[j] = r[i]
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// Layout decides for w cells: columns are dropped by priority until the rest
// fits, then the widest are narrowed.
func (t Table) Layout(w int) Layout {
	gap := t.Gap
	if gap == 0 {
		gap = 2
	}
	lay := Layout{gap: gap}
	var want []int
	for i, c := range t.Cols {
		n, widest := max(Width(c.Title.Local()), c.Min), 0
		for _, r := range t.Rows {
			if i < len(r) {
				widest = max(widest, r[i].Width())
			}
		}
		if n = max(n, widest); c.Sparse && widest == 0 {
			want = append(want, 0)
			continue
		}
		if c.Max > 0 {
			n = min(n, max(c.Max, Width(c.Title.Local())))
		}
		want = append(want, n)
		if c.Flex {
			n = min(n, max(c.Min, Width(c.Title.Local())))
		}
		lay.cols, lay.index, lay.width = append(lay.cols, c), append(lay.index, i), append(lay.width, n)
	}
	for lay.total() > w && lay.drop() {
	}
	for over := lay.total() - w; over > 0; over-- {
		if !lay.narrow() {
			break
		}
	}
	for i, col := range lay.index {
		if room := w - lay.total(); lay.cols[i].Flex && room > 0 {
			lay.width[i] = min(want[col], lay.width[i]+room)
		}
	}
	return lay
}

func (l *Layout) total() int {
	n := 0
	for _, w := range l.width {
		n += w + l.gap
	}
	return n - l.gap
}

// drop takes the column out that gives way first; false when none does.
func (l *Layout) drop() bool {
	best := -1
	for i, c := range l.cols {
		if c.Drop > 0 && (best < 0 || c.Drop > l.cols[best].Drop) {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	l.cols = append(l.cols[:best:best], l.cols[best+1:]...)
	l.index = append(l.index[:best:best], l.index[best+1:]...)
	l.width = append(l.width[:best:best], l.width[best+1:]...)
	return true
}

// narrow takes one cell from the widest column; false when all are at their least.
func (l *Layout) narrow() bool {
	best := -1
	for i, w := range l.width {
		if w > max(l.cols[i].Min, 1) && (best < 0 || w > l.width[best]) {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	l.width[best]--
	return true
}

// Head is the line of column titles.
func (l Layout) Head() Line {
	return l.line(func(i int) Line { return T(theme.Head, l.cols[i].Title) })
}

// Row is one row of the table.
func (l Layout) Row(row []Line) Line {
	return l.line(func(i int) Line {
		if at := l.index[i]; at < len(row) {
			return row[at]
		}
		return nil
	})
}

// Rows is one row of the table: a cell that does not fit in one line continues below, in at
// most most lines.
func (l Layout) Rows(row []Line, most int) []Line {
	if one := l.Row(row); most < 2 || !one.IsCut() {
		return []Line{one}
	}
	cells, n := make([][]Line, len(row)), 1
	for i, at := range l.index {
		if at >= len(row) {
			continue
		}
		parts := row[at].Wrap(l.width[i])
		if len(parts) > most {
			parts = parts[:most]
			parts[most-1] = parts[most-1].More(parts[most-1][0].Tone, l.width[i])
		}
		cells[at], n = parts, max(n, len(parts))
	}
	out := make([]Line, n)
	for k := range out {
		part := make([]Line, len(row))
		for at, c := range cells {
			if k < len(c) {
				part[at] = c[k]
			}
		}
		out[k] = l.Row(part)
	}
	return out
}

// line puts the cells of the columns behind one another.
func (l Layout) line(cell func(i int) Line) Line {
	var out Line
	for i, c := range l.cols {
		if i > 0 {
			out = append(out, Span{Text: "          "[:min(l.gap, 10)]})
		}
		text := cell(i)
		if c.Right {
			text = text.PadLeft(l.width[i])
		}
		out = append(out, text.Pad(l.width[i])...)
	}
	return out
}
