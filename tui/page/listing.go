package page

import (
	"fmt"

	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// listing is a text some of whose lines can be chosen: up and down go from
// one to the next, pages scroll the whole.
type listing struct {
	cursor int // of the lines that can be chosen
	top    int // first line that is seen
}

// move applies a moving action; at are the chosen lines' numbers, n is how many
// lines there are, h how many are seen.
func (l listing) move(a keys.Action, at []int, n, h int) listing {
	l.cursor = max(min(l.cursor, len(at)-1), 0)
	if (a == keys.Up || a == keys.Down) && len(at) > 0 {
		next, _ := keys.Move(a, l.cursor, len(at), h)
		if next != l.cursor || l.hidden(at, h) {
			l.cursor = next
			l.top = min(max(min(l.top, at[next]-1), at[next]-h+2, 0), max(n-h, 0))
			return l
		}
	}
	l.top = scroll(a, l.top, n, h)
	return l
}

// hidden reports that the chosen line is not seen.
func (l listing) hidden(at []int, h int) bool { return at[l.cursor] < l.top || at[l.cursor] >= l.top+h }

// page is what is seen of lines, with the mark of the cursor.
func (l listing) page(lines []widget.Line, at []int, e Env) []widget.Line {
	lines = append([]widget.Line(nil), lines...)
	cur := max(min(l.cursor, len(at)-1), 0)
	for i, line := range at {
		if lines[line] = lines[line].Hits(i + 1); i == cur {
			lines[line] = cursorRow(lines[line][min(1, len(lines[line])):], i, cur, e.W)
		}
	}
	return scrolled(lines, l.top, e)
}

// cursorRow is row i of a list, with the mark of the cursor when it is on it.
func cursorRow(l widget.Line, i, cur, w int) widget.Line {
	if i != cur {
		return widget.Join(widget.P(" "), l).Hits(i + 1)
	}
	return widget.Join(widget.P("▸"), l).Pad(w).Under().Hits(i + 1)
}

// neighbour is the index after i of n, before it when a goes back; the ends meet.
func neighbour(a keys.Action, i, n int) int {
	if a == keys.Prev {
		return (i + n - 1) % n
	}
	return (i + 1) % n
}

// scroll is the first visible line of a text of n lines seen through h, once an
// action has moved it.
func scroll(a keys.Action, top, n, h int) int {
	last := max(n-h, 0)
	if a == keys.Bottom {
		return last
	}
	top, _ = keys.Move(a, min(top, last), last+1, h)
	return top
}

// scrolled is the part of a text that is seen, with a note of what is not.
func scrolled(lines []widget.Line, top int, e Env) []widget.Line {
	top = min(top, max(len(lines)-e.H, 0))
	out := append([]widget.Line(nil), lines[top:min(top+e.H, len(lines))]...)
	if below := len(lines) - top - e.H; below > 0 && e.H > 4 {
		out[len(out)-1] = widget.T(theme.Dim, fmt.Sprintf("   ↓ %d more lines", below+1))
	}
	return out
}
