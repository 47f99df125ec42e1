// Package widget is the paper the pages draw on: lines of toned text, tables
// that give up columns, one place where they become bytes for a terminal. No
// page writes an escape sequence, and none that arrives in data gets past
// Clean, because only Render makes a string and it cleans whatever it draws.
package widget

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/tui/theme"
)

// Span is a piece of text in one tone.
type Span struct {
	Text string
	Tone theme.Tone
	On   bool // under the cursor
	// Cut says that text was left out behind it: it is a "…" of Trunc, or of a text that
	// has more lines than it was given.
	Cut bool
	// Hit is the number, from 1, of what a click on it chooses: a row of the
	// page's list, a key of the footer, a page of the path. 0 is nothing.
	Hit int32
}

// Line is one line of the screen.
type Line []Span

// Words are a text of pgtui's own, in English: it is translated where it is drawn. A
// literal is one; a text that another package made is called one by name. What a file,
// a log, a server or a person wrote stays a string, and is drawn as it is.
type Words string

// Data is an argument of F that stays as it is.
type Data string

// What stands around data in words, from Unicode's private use; inside stands for data
// while the words are translated.
const (
	opens  = "\ue000"
	closes = "\ue001"
	inside = '\ue100'
)

// F is words by a format. An argument is translated where it is words of its own, unless
// it is Data, which takes the verb %s.
func F(format string, args ...any) Words {
	for i, a := range args {
		if d, ok := a.(Data); ok {
			args[i] = opens + strings.NewReplacer(opens, "", closes, "").Replace(string(d)) + closes
		}
	}
	return Words(fmt.Sprintf(format, args...))
}

// Local is w in the language of the process.
func (w Words) Local() string {
	if !strings.Contains(string(w), opens) {
		return lang.Text(string(w))
	}
	var data []string
	var text strings.Builder
	for i, part := range strings.Split(string(w), opens) {
		if in, behind, ok := strings.Cut(part, closes); i > 0 && ok {
			text.WriteRune(inside + rune(len(data)))
			data, part = append(data, string(inside+rune(len(data))), in), behind
		}
		text.WriteString(part)
	}
	return strings.NewReplacer(data...).Replace(lang.Text(text.String()))
}

// T is a line of one tone.
func T(tone theme.Tone, w Words) Line { return Raw(tone, w.Local()) }

// P is a line of plain words.
func P(w Words) Line { return T(theme.Plain, w) }

// Raw is a line of one tone as it is: data.
func Raw(tone theme.Tone, text string) Line { return Line{{Text: text, Tone: tone}} }

// Add returns l with more words behind it.
func (l Line) Add(tone theme.Tone, w Words) Line { return l.AddRaw(tone, w.Local()) }

// AddRaw returns l with data behind it, as it is.
func (l Line) AddRaw(tone theme.Tone, text string) Line {
	return append(l[:len(l):len(l)], Span{Text: text, Tone: tone})
}

// Join puts lines behind one another.
func Join(parts ...Line) Line {
	var out Line
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// Under returns l as it looks under the cursor.
func (l Line) Under() Line {
	out := make(Line, len(l))
	for i, s := range l {
		s.On = true
		out[i] = s
	}
	return out
}

// Hits sets that number on every span of l, and returns l.
func (l Line) Hits(n int) Line {
	for i := range l {
		l[i].Hit = int32(n) //nolint:gosec // rows of a screen's list
	}
	return l
}

// HitAt is the number of the span at cell x, 0 when there is none.
func (l Line) HitAt(x int) int {
	for _, s := range l {
		if x -= Width(s.Text); x < 0 {
			return int(s.Hit)
		}
	}
	return 0
}

// String is the text of the line without its tones.
func (l Line) String() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Width is the number of cells the line takes.
func (l Line) Width() int {
	n := 0
	for _, s := range l {
		n += Width(s.Text)
	}
	return n
}

// Cut returns the cells from..to of the line. A wide character that crosses
// an edge becomes a space.
func (l Line) Cut(from, to int) Line {
	var out Line
	at := 0
	for _, s := range l {
		w := Width(s.Text)
		a, b := max(from-at, 0), min(to-at, w)
		if a < b {
			t := s
			if a > 0 || b < w {
				t.Text = ansi.Cut(text.Clean(s.Text), a, b)
				if short := b - a - Width(t.Text); short > 0 {
					t.Text = strings.Repeat(" ", short) + t.Text
				}
			}
			out = append(out, t)
		}
		at += w
	}
	return out
}

// Trunc shortens the line to w cells; a line that was longer ends in "…".
func (l Line) Trunc(w int) Line {
	if l.Width() <= w {
		return l
	}
	if w <= 0 {
		return nil
	}
	out := l.Cut(0, w-1)
	tail := Span{Text: "…"}
	if len(out) > 0 {
		tail = out[len(out)-1]
		tail.Text = "…"
	}
	tail.Cut = true
	return append(out, tail)
}

// More returns l with a mark that it continues, in at most w cells.
func (l Line) More(tone theme.Tone, w int) Line {
	const mark = " …"
	if n := w - Width(mark); l.Width() > n {
		l = l.Cut(0, n)
	}
	return append(l[:len(l):len(l)], Span{Text: mark, Tone: tone, Cut: true})
}

// IsCut reports whether text was left out of the line.
func (l Line) IsCut() bool { return slices.ContainsFunc(l, func(s Span) bool { return s.Cut }) }

// Wrap is the line as lines of at most w cells: at spaces, in the tone of its first span
// where it does not fit in one.
func (l Line) Wrap(w int) []Line {
	if l.Width() <= w || w <= 0 {
		return []Line{l}
	}
	var out []Line
	for _, part := range Wrap(l.String(), w) {
		out = append(out, Raw(l[0].Tone, part))
	}
	return out
}

// Pad fills the line with spaces up to w cells, or shortens it to w.
func (l Line) Pad(w int) Line {
	n := l.Width()
	if n > w {
		return l.Trunc(w)
	}
	if n == w {
		return l
	}
	fill := Span{Text: strings.Repeat(" ", w-n)}
	if len(l) > 0 {
		fill.On, fill.Hit = l[len(l)-1].On, l[len(l)-1].Hit
	}
	return append(l[:len(l):len(l)], fill)
}

// PadLeft fills the line with spaces in front, or shortens it to w.
func (l Line) PadLeft(w int) Line {
	n := l.Width()
	if n >= w {
		return l.Trunc(w)
	}
	return append(Line{{Text: strings.Repeat(" ", w-n)}}, l...)
}

// Width is the number of cells that text takes once it is cleaned.
func Width(raw string) int {
	if text.ASCII(raw) {
		return len(raw)
	}
	return ansi.StringWidth(text.Clean(raw))
}

// Tail shortens text to w cells from the left, so that its end stays: the end
// of an instance name distinguishes it from its siblings.
func Tail(raw string, w int) string {
	n := Width(raw)
	if n <= w || w <= 0 {
		return raw
	}
	return "…" + ansi.TruncateLeft(text.Clean(raw), n-w+1, "")
}

// ascii replaces what is not US-ASCII, cell for cell.
func ascii(raw string) string {
	if text.ASCII(raw) {
		return raw
	}
	var b strings.Builder
	for _, r := range raw {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for range ansi.StringWidth(string(r)) {
			b.WriteByte(theme.Glyph(r))
		}
	}
	return b.String()
}
