package main

import (
	"cmp"
	"fmt"
	"image/color"
	"strings"
	"unicode"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// The size of a cell and of the margin, in SVG units. Most monospaced letters are
// six tenths of the font size wide; textLength sets the width of the others.
const (
	cellW    = 8.4
	cellH    = 17.0
	fontSize = 14
	base     = 13.0 // from the top of a cell to the baseline
	margin   = 14.0
)

// palette are the sixteen colours of a terminal: bright on dark, with a contrast
// of at least 5:1 to the background.
type palette struct {
	back, front, frame rgb
	colours            [16]rgb
}

type rgb struct{ r, g, b uint8 }

func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// towards is c mixed with a share of another colour, from 0 to 1.
func (c rgb) towards(o rgb, share float64) rgb {
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + share*(float64(b)-float64(a)) + 0.5) }
	return rgb{mix(c.r, o.r), mix(c.g, o.g), mix(c.b, o.b)}
}

// dark is a palette that stands out from a white page and from a dark one.
func dark() palette {
	return palette{
		back: rgb{0x10, 0x15, 0x1d}, front: rgb{0xdf, 0xe6, 0xee}, frame: rgb{0x3d, 0x46, 0x54},
		colours: [16]rgb{
			{0x6b, 0x75, 0x83}, {0xff, 0x7b, 0x72}, {0x56, 0xd3, 0x64}, {0xe3, 0xb3, 0x41},
			{0x79, 0xb8, 0xff}, {0xd2, 0xa8, 0xff}, {0x56, 0xd4, 0xdd}, {0xdf, 0xe6, 0xee},
			{0x8b, 0x94, 0x9e}, {0xff, 0xa1, 0x98}, {0x7e, 0xe7, 0x87}, {0xf2, 0xcc, 0x60},
			{0xa5, 0xd6, 0xff}, {0xe2, 0xc5, 0xff}, {0xb3, 0xf0, 0xff}, {0xff, 0xff, 0xff},
		},
	}
}

// of is the colour of a cell; otherwise is for a cell without one.
func (p palette) of(c color.Color, otherwise rgb) rgb {
	switch c := c.(type) {
	case nil:
		return otherwise
	case ansi.BasicColor:
		return p.colours[c&15]
	case ansi.IndexedColor:
		if c < 16 {
			return p.colours[c]
		}
	}
	r, g, b, _ := c.RGBA()
	return rgb{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
}

// style is the style in which a cell is drawn.
type style struct {
	front, back                     rgb
	bold, italic, under, strike, no bool
}

// styleOf resolves faint and reverse in the order of terminals: first the letters
// are dimmed, then the two colours are swapped.
func (p palette) styleOf(s uv.Style) style {
	has := func(a uint8) bool { return s.Attrs&a != 0 }
	l := style{
		front: p.of(s.Fg, p.front), back: p.of(s.Bg, p.back),
		bold: has(uv.AttrBold), italic: has(uv.AttrItalic), strike: has(uv.AttrStrikethrough), no: has(uv.AttrConceal),
		under: s.Underline != ansi.UnderlineNone,
	}
	if has(uv.AttrFaint) {
		l.front = l.front.towards(l.back, 0.38)
	}
	if has(uv.AttrReverse) {
		l.front, l.back = l.back, l.front
	}
	return l
}

// attributes are the attributes of a text that differ from the picture's.
func (l style) attributes(p palette) string {
	out := ""
	if l.front != p.front {
		out += fmt.Sprintf(` fill="%s"`, l.front)
	}
	if l.bold {
		out += ` font-weight="bold"`
	}
	if l.italic {
		out += ` font-style="italic"`
	}
	var lines []string
	if l.under {
		lines = append(lines, "underline")
	}
	if l.strike {
		lines = append(lines, "line-through")
	}
	if len(lines) > 0 {
		out += ` text-decoration="` + strings.Join(lines, " ") + `"`
	}
	return out
}

// drawSVG is the picture of a screen: a rectangle, the cells with their own
// background, and the text in runs. Each run has its place and its length: the
// columns are straight in any font.
func drawSVG(screen [][]uv.Cell, title string, p palette) string {
	cols := 0
	for _, row := range screen {
		cols = max(cols, len(row))
	}
	w, h := float64(cols)*cellW+2*margin, float64(len(screen))*cellH+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img">`+"\n", num(w), num(h), num(w), num(h))
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(title))
	fmt.Fprintf(&b, `<rect x=".5" y=".5" width="%s" height="%s" rx="8" fill="%s" stroke="%s"/>`+"\n", num(w-1), num(h-1), p.back, p.frame)
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace" font-size="%d" fill="%s">`+"\n", fontSize, p.front)
	for y, row := range screen {
		drawBacks(&b, p, row, y)
		drawLines(&b, p, row, y)
		drawSpans(&b, p, row, y)
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// drawBacks draws the backgrounds of a row that differ from the picture's.
func drawBacks(b *strings.Builder, p palette, row []uv.Cell, y int) {
	for x := 0; x < len(row); {
		back, from := p.styleOf(row[x].Style).back, x
		for x++; x < len(row) && (row[x].Width == 0 || p.styleOf(row[x].Style).back == back); x++ {
		}
		if back != p.back {
			fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`+"\n", left(from), num(margin+float64(y)*cellH), num(float64(x-from)*cellW), num(cellH), back)
		}
	}
}

// span is text of one style that begins at one cell.
type span struct {
	x, cells int
	text     strings.Builder
	kind     kind
	style    style
}

// kind separates the letters of every monospaced font from those that may come
// from another font with another width.
type kind uint8

const (
	space kind = iota
	letters
	symbol // a span of its own: its width must not move its neighbours
	line   // drawn, not written
)

func kindOf(s string) kind {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case s == "" || s == " ":
		return space
	case size == len(s) && strokes(r) != "":
		return line
	case size == len(s) && r > ' ' && r < utf8.RuneSelf:
		return letters
	}
	return symbol
}

// spansOf cuts a row into spans. One space stays inside a span, two end it.
func spansOf(p palette, row []uv.Cell) []*span {
	var out []*span
	var cur *span
	gap := 0
	for x := range row {
		c := &row[x]
		k, l := kindOf(c.Content), p.styleOf(c.Style)
		switch {
		case c.Width == 0: // the second half of a wide one
			continue
		case l.no || k == space && !l.under && !l.strike:
			gap++
			continue
		case k == line:
			cur = nil
			continue
		case cur == nil || gap > 1 || k == symbol || cur.kind == symbol || cur.style != l:
			cur = &span{x: x, kind: k, style: l}
			out = append(out, cur)
		case gap == 1:
			cur.text.WriteByte(' ')
			cur.cells++
		}
		gap = 0
		cur.text.WriteString(content(c.Content))
		cur.cells += c.Width
	}
	return out
}

// content is the text of a cell; a space for an empty one, which may be underlined.
func content(s string) string { return cmp.Or(s, " ") }

// drawSpans writes the text of a row.
func drawSpans(b *strings.Builder, p palette, row []uv.Cell, y int) {
	for _, r := range spansOf(p, row) {
		fmt.Fprintf(b, `<text x="%s" y="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
			left(r.x), num(margin+float64(y)*cellH+base), num(float64(r.cells)*cellW), r.style.attributes(p), escape(r.text.String()))
	}
}

// drawLines draws the boxes and blocks of a row as paths: letters of a font
// would leave gaps between the rows.
func drawLines(b *strings.Builder, p palette, row []uv.Cell, y int) {
	paths, order := map[rgb]*strings.Builder{}, []rgb{}
	for x := range row {
		r, size := utf8.DecodeRuneInString(row[x].Content)
		l := p.styleOf(row[x].Style)
		d := strokes(r)
		if size != len(row[x].Content) || d == "" || l.no {
			continue
		}
		if paths[l.front] == nil {
			paths[l.front] = &strings.Builder{}
			order = append(order, l.front)
		}
		fmt.Fprintf(paths[l.front], "M%s %s%s", left(x), num(margin+float64(y)*cellH), d)
	}
	for _, c := range order {
		fmt.Fprintf(b, `<path d="%s" fill="%s"/>`+"\n", paths[c], c)
	}
}

// strokes is the outline of a box or block drawing character, from the top left
// of its cell; "" for a character that is written as text.
func strokes(r rune) string {
	const mid, high = (cellW - 1) / 2, (cellH - 1) / 2 // where lines of one unit begin
	box := func(x, y, w, h float64) string {
		return "m" + num(x) + " " + num(y) + "h" + num(w) + "v" + num(h) + "h" + num(-w) + "zm" + num(-x) + " " + num(-y)
	}
	var (
		l = box(0, high, mid+1, 1)
		h = box(mid, high, cellW-mid, 1)
		u = box(mid, 0, 1, high+1)
		d = box(mid, high, 1, cellH-high)
	)
	switch r {
	case '─':
		return box(0, high, cellW, 1)
	case '│':
		return box(mid, 0, 1, cellH)
	case '┃':
		return box(mid-0.5, 0, 2, cellH)
	case '┌', '╭':
		return h + d
	case '┐', '╮':
		return l + d
	case '└', '╰':
		return h + u
	case '┘', '╯':
		return l + u
	case '├':
		return box(mid, 0, 1, cellH) + h
	case '┤':
		return box(mid, 0, 1, cellH) + l
	case '┬':
		return box(0, high, cellW, 1) + d
	case '┴':
		return box(0, high, cellW, 1) + u
	case '┼':
		return box(0, high, cellW, 1) + box(mid, 0, 1, cellH)
	case '▏', '▎', '▍', '▌', '▋', '▊', '▉':
		return box(0, 0, cellW*float64('▐'-r)/8, cellH)
	case '▐':
		return box(cellW/2, 0, cellW/2, cellH)
	case '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█':
		part := cellH * float64(r-'▁'+1) / 8
		return box(0, cellH-part, cellW, part)
	}
	return ""
}

// left is the left edge of a column.
func left(x int) string { return num(margin + float64(x)*cellW) }

// num is a number with at most two decimals.
func num(f float64) string {
	s := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", f), "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// escape is s as text of an XML document. Characters that XML forbids or that
// reorder their neighbours become U+FFFD.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, s)
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;", `"`, "&quot;").Replace(s)
}
