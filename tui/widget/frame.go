package widget

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"pgtui/internal/text"
	"pgtui/tui/theme"
)

// Render makes the bytes of a screen: exactly h lines of at most w cells.
// It is the only way from lines to a terminal.
func Render(lines []Line, w, h int, t *theme.Theme) string {
	if w <= 0 || h <= 0 {
		return ""
	}
	var b strings.Builder
	b.Grow(h * (w + 16))
	for i := range h {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i < len(lines) {
			draw(&b, lines[i].Trunc(w), w, t)
		}
	}
	return b.String()
}

// draw writes one line that fits. Neighbours of one tone share a sequence.
func draw(b *strings.Builder, l Line, w int, t *theme.Theme) {
	cur := ""
	left := w
	for _, s := range l {
		raw := text.Clean(s.Text)
		if t.ASCII {
			raw = ascii(raw)
		}
		n := Width(raw)
		if n > left {
			raw, n = ansi.Truncate(raw, left, ""), left
		}
		if raw == "" {
			continue
		}
		left -= n
		if open := t.Open(s.Tone, s.On); open != cur {
			if cur != "" {
				b.WriteString(ansi.ResetStyle)
			}
			b.WriteString(open)
			cur = open
		}
		b.WriteString(raw)
	}
	if cur != "" {
		b.WriteString(ansi.ResetStyle)
	}
}

// Fit returns exactly h lines: what is too much is cut at the end, what is
// missing is empty.
func Fit(lines []Line, h int) []Line {
	if len(lines) > h {
		return lines[:max(h, 0)]
	}
	for len(lines) < h {
		lines = append(lines, nil)
	}
	return lines
}

// sliver is how many cells beside a box are too few to read.
const sliver = 12

// Overlay lays box over the middle of base, which is w cells wide. Where little of base is
// left beside it, nothing is.
func Overlay(base, box []Line, w int) []Line {
	bw := 0
	for _, l := range box {
		bw = max(bw, l.Width())
	}
	bw = min(bw, w)
	x, y := (w-bw)/2, max((len(base)-len(box))/2, 0)
	out := append([]Line(nil), base...)
	for i, l := range box {
		if y+i >= len(out) {
			break
		}
		under := out[y+i].Pad(w)
		if x < sliver {
			under = Line{}.Pad(w)
		}
		out[y+i] = Join(under.Cut(0, x), l.Pad(bw), under.Cut(x+bw, w))
	}
	return out
}

// Box draws a frame around lines; inner is the width inside it.
func Box(lines []Line, inner int, tone theme.Tone) []Line {
	bar := strings.Repeat("─", inner+2)
	out := []Line{Raw(tone, "┌"+bar+"┐")}
	for _, l := range lines {
		out = append(out, Join(Raw(tone, "│ "), l.Pad(inner), Raw(tone, " │")))
	}
	return append(out, Raw(tone, "└"+bar+"┘"))
}

// Wrap breaks text into lines of at most w cells: at spaces, because names keep their
// dashes together, and around wide characters. A word that is wider than a line is cut.
func Wrap(raw string, w int) []string { return WrapBehind(raw, w, w) }

// WrapBehind is Wrap where the first line has room for first cells only.
func WrapBehind(raw string, first, w int) []string {
	raw = text.Clean(raw)
	if first <= 0 || w <= 0 {
		return nil
	}
	if Width(raw) <= first {
		return []string{raw}
	}
	var out []string
	line, used, room := "", 0, first
	end := func(s string) { out, room = append(out, s), w }
	for _, u := range units(raw) {
		n := Width(u.text)
		if u.apart && line != "" && used+1+n <= room {
			line, used = line+" "+u.text, used+1+n
			continue
		}
		if line != "" && !u.apart && used+n <= room {
			line, used = line+u.text, used+n
			continue
		}
		if line != "" {
			end(line)
		}
		for n > room {
			cut := ansi.Truncate(u.text, room, "")
			if cut == "" { // a wide character in one cell
				cut = u.text
			}
			end(cut)
			u.text = u.text[len(cut):]
			n = Width(u.text)
		}
		line, used = u.text, n
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}

// unit is what Wrap does not break: a word, or a wide character with the punctuation
// behind it.
type unit struct {
	text  string
	apart bool // a space is in front of it
}

func units(s string) []unit {
	var out []unit
	for _, word := range strings.Fields(s) {
		apart := true
		from, wide := 0, false // of the unit that grows
		for i, r := range word {
			w := ansi.StringWidth(string(r)) > 1
			if i > from && (w || wide) && !strings.ContainsRune("，。；：）、”", r) {
				out = append(out, unit{word[from:i], apart})
				from, apart = i, false
			}
			wide = w
		}
		out = append(out, unit{word[from:], apart})
	}
	return out
}

// Window is the part of n rows that h lines can show with row cur among them,
// when the last one shown began at top.
func Window(top, cur, n, h int) int {
	if h <= 0 || n <= h {
		return 0
	}
	if cur < top {
		top = cur
	}
	if cur >= top+h {
		top = cur - h + 1
	}
	return min(max(top, 0), n-h)
}
