package page

import (
	"regexp"
	"slices"
	"strings"

	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Listing is a text some of whose lines can be chosen: up and down go from
// one to the next, pages scroll the whole.
type Listing struct {
	Cursor int // of the lines that can be chosen
	Top    int // first line that is seen
}

// Move applies a moving action; at are the chosen lines' numbers, n is how many
// lines there are, h how many are seen.
func (l Listing) Move(a keys.Action, at []int, n, h int) Listing {
	l.Cursor = max(min(l.Cursor, len(at)-1), 0)
	if (a == keys.Up || a == keys.Down) && len(at) > 0 {
		next, _ := keys.Move(a, l.Cursor, len(at), h)
		if next != l.Cursor || l.hidden(at, h) {
			l.Cursor = next
			l.Top = min(max(min(l.Top, at[next]-1), at[next]-h+2, 0), max(n-h, 0))
			return l
		}
	}
	l.Top = Scroll(a, l.Top, n, h)
	return l.seen(a, at, h)
}

// seen is the list with its cursor on a line that is seen: at the end that a leads to,
// else on the first or the last.
func (l Listing) seen(a keys.Action, at []int, h int) Listing {
	switch {
	case len(at) == 0:
	case a == keys.Top:
		l.Cursor = 0
	case a == keys.Bottom:
		l.Cursor = len(at) - 1
	case l.hidden(at, h) && at[l.Cursor] < l.Top:
		if i := slices.IndexFunc(at, func(line int) bool { return line >= l.Top }); i >= 0 {
			l.Cursor = i
		}
	case l.hidden(at, h):
		for i, line := range at {
			if line < l.Top+h {
				l.Cursor = i
			}
		}
	}
	return l
}

// hidden reports that the chosen line is not seen.
func (l Listing) hidden(at []int, h int) bool { return at[l.Cursor] < l.Top || at[l.Cursor] >= l.Top+h }

// Page is what is seen of lines, with the mark of the cursor.
func (l Listing) Page(lines []widget.Line, at []int, e Env) []widget.Line {
	lines = append([]widget.Line(nil), lines...)
	cur := max(min(l.Cursor, len(at)-1), 0)
	for i, line := range at {
		if lines[line] = lines[line].Hits(i + 1); i == cur {
			lines[line] = CursorRow(lines[line][min(1, len(lines[line])):], i, cur, e.W)
		}
	}
	return Scrolled(lines, l.Top, e)
}

// CursorRow is row i of a list, with the mark of the cursor when it is on it.
func CursorRow(l widget.Line, i, cur, w int) widget.Line {
	if i != cur {
		return widget.Join(widget.P(" "), l).Hits(i + 1)
	}
	return widget.Join(widget.P("▸"), l).Pad(w).Under().Hits(i + 1)
}

// Neighbour is the index after i of n, before it when a goes back; the ends meet.
func Neighbour(a keys.Action, i, n int) int {
	if a == keys.Prev {
		return (i + n - 1) % n
	}
	return (i + 1) % n
}

// Scroll is the first visible line of a text of n lines seen through h, once an
// action has moved it.
func Scroll(a keys.Action, top, n, h int) int {
	last := max(n-h, 0)
	if a == keys.Bottom {
		return last
	}
	top, _ = keys.Move(a, min(top, last), last+1, h)
	return top
}

// Scrolled is the part of a text that is seen, with a note of what is not.
func Scrolled(lines []widget.Line, top int, e Env) []widget.Line {
	top = min(top, max(len(lines)-e.H, 0))
	out := append([]widget.Line(nil), lines[top:min(top+e.H, len(lines))]...)
	if below := len(lines) - top - e.H; below > 0 && e.H > 4 {
		out[len(out)-1] = widget.T(theme.Dim, widget.F("   ↓ %d more lines", below+1))
	}
	return out
}

// TableLines are the head and the rows of a table.
func TableLines(t widget.Table, e Env) []widget.Line {
	out, _ := TableRows(t, e)
	return out
}

// cellLines is how many lines a cell of a table without a cursor may take.
func cellLines(e Env) int { return max(4, e.H/4) }

// TableRows are the head and the rows of a table, and the line that each row begins on. A
// cell that has no room continues below.
func TableRows(t widget.Table, e Env) (out []widget.Line, at []int) {
	lay := t.Layout(e.W - 2)
	out = []widget.Line{widget.Join(widget.P(" "), lay.Head())}
	for _, r := range t.Rows {
		at = append(at, len(out))
		for _, l := range lay.Rows(r, cellLines(e)) {
			out = append(out, widget.Join(widget.P(" "), l))
		}
	}
	return out, at
}

// Squeezed is lines without as many of their empty ones as it takes to fit in h, the last
// first.
func Squeezed(lines []widget.Line, h int) []widget.Line {
	for i := len(lines) - 1; i >= 0 && len(lines) > h; i-- {
		if len(lines[i]) == 0 {
			lines = slices.Delete(lines, i, i+1)
		}
	}
	return lines
}

// RowLines are rows of a table, each in as many lines as its cells need where all of them
// fit in room lines, else in one.
func RowLines(lay widget.Layout, rows [][]widget.Line, room int) [][]widget.Line {
	out, one, n := make([][]widget.Line, len(rows)), make([][]widget.Line, len(rows)), 0
	for i, r := range rows {
		one[i] = []widget.Line{lay.Row(r)}
		if out[i] = one[i]; len(rows) <= room && one[i][0].IsCut() {
			out[i] = lay.Rows(r, room)
		}
		n += len(out[i])
	}
	if n > room {
		return one
	}
	return out
}

// ListLines are the head of a list and rows of it, which are first, first+1 … of n;
// cur is the row of the cursor. What is below them is counted. Below the head are room
// lines for them.
func ListLines(lay widget.Layout, rows [][]widget.Line, first, cur, n, room int, e Env) []widget.Line {
	out := []widget.Line{widget.Join(widget.P(" "), lay.Head())}
	if len(rows) < n {
		room = 0
	}
	for i, lines := range RowLines(lay, rows, room) {
		out = append(out, CursorRows(lines, first+i, cur, e.W)...)
	}
	return append(out, Below(n-first-len(rows))...)
}

// CursorRows is row i of a list over several lines, with the mark of the cursor on the
// first when it is on it.
func CursorRows(lines []widget.Line, i, cur, w int) []widget.Line {
	out := make([]widget.Line, len(lines))
	for k, l := range lines {
		if out[k] = CursorRow(l, i, cur, w); k > 0 {
			out[k][0].Text = " "
		}
	}
	return out
}

// Below is the line that counts the n rows of a list below those that are seen,
// none where there are none.
func Below(n int) []widget.Line {
	if n <= 0 {
		return nil
	}
	return []widget.Line{widget.T(theme.Dim, widget.F("  %d more below", n))}
}

// ListTitle is the title of a list of n rows, hidden of which a filter hides.
func ListTitle(title string, n, hidden int, filter string) widget.Line {
	l := widget.T(theme.Head, widget.F(" %s %d", title, n))
	if hidden > 0 {
		l = l.Add(theme.Warn, widget.F(" · %d hidden by the filter %s", hidden, widget.Data(filter)))
	}
	return l
}

// FindingsTitle heads the findings of a cluster: their number, and how many are drift.
func FindingsTitle(faults, drift int) widget.Line {
	l := widget.T(theme.Head, widget.F(" FINDINGS %d", faults+drift))
	if drift > 0 {
		l = l.Add(theme.Dim, widget.F(", %d drift", drift))
	}
	return l
}

// FilterHelp says how a filter is written.
const FilterHelp = "!not  ~regex  =fuzzy"

// Matches reports whether any of the texts meets the filter: as a part of it,
// by a regular expression behind ~, by its letters in order behind =; ! in front
// turns it round. An empty filter meets everything, and so does an expression
// that is not finished yet.
func Matches(filter string, text ...string) bool {
	return NewFilter(filter)(text...)
}

// NewFilter is a filter that is made once for many texts.
func NewFilter(filter string) func(text ...string) bool {
	all := func(...string) bool { return true }
	rest, not := strings.CutPrefix(strings.TrimSpace(filter), "!")
	if rest == "" || rest == "~" || rest == "=" {
		return all
	}
	var one func(string) bool
	switch rest[0] {
	case '~':
		re, err := regexp.Compile("(?i)" + rest[1:])
		if err != nil {
			return all
		}
		one = re.MatchString
	case '=':
		want := strings.ToLower(rest[1:])
		one = func(s string) bool { return Fuzzy(want, strings.ToLower(s)) > 0 }
	default:
		want := strings.ToLower(rest)
		one = func(s string) bool { return strings.Contains(strings.ToLower(s), want) }
	}
	return func(text ...string) bool {
		for _, t := range text {
			if one(t) {
				return !not
			}
		}
		return not
	}
}

// Fuzzy is how well s contains the letters of want in their order: 0 is not at
// all, higher is better. Both are in lower case.
func Fuzzy(want, s string) int {
	if want == "" {
		return 1
	}
	if i := strings.Index(s, want); i >= 0 {
		score := 1000 - len(s)
		if i == 0 {
			score += 500
		}
		return max(score, 200)
	}
	at, score := 0, 100
	for _, c := range want {
		i := strings.IndexRune(s[at:], c)
		if i < 0 {
			return 0
		}
		score -= min(i, 5)
		at += i + len(string(c))
	}
	return max(score, 1)
}
