package main

import (
	"math"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
)

// shownBy is what a terminal of that size shows after s was written to it.
func shownBy(cols, rows int, s string) [][]uv.Cell {
	t := &terminal{emu: vt.NewEmulator(cols, rows)}
	_, _ = t.emu.WriteString(s)
	return t.screen()
}

// body is a picture without what all of them have around the cells.
func body(t *testing.T, svg string) string {
	t.Helper()
	_, in, ok := strings.Cut(svg, "<g ")
	_, in, head := strings.Cut(in, ">\n")
	in, _, foot := strings.Cut(in, "</g>\n</svg>\n")
	if !ok || !head || !foot {
		t.Fatalf("no picture: %s", svg)
	}
	return in
}

func TestDrawSVG(t *testing.T) {
	for name, tt := range map[string]struct{ ansi, want string }{
		"plain, and two spaces end a run": {"ab c  d", `<text x="14" y="27" textLength="33.6" lengthAdjust="spacingAndGlyphs">ab c</text>
<text x="64.4" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs">d</text>
`},
		"bold and a colour": {"\x1b[1;31mno\x1b[0m", `<text x="14" y="27" textLength="16.8" lengthAdjust="spacingAndGlyphs" fill="#ff7b72" font-weight="bold">no</text>
`},
		"bright, 256 and true colours": {"\x1b[91ma\x1b[38;5;2mb\x1b[38;5;196mc\x1b[38;2;1;2;3md", `<text x="14" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs" fill="#ffa198">a</text>
<text x="22.4" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs" fill="#56d364">b</text>
<text x="30.8" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs" fill="#ff0000">c</text>
<text x="39.2" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs" fill="#010203">d</text>
`},
		"reverse, spaces too": {"\x1b[7ma  \x1b[0m", `<rect x="14" y="14" width="25.2" height="17" fill="#dfe6ee"/>
<text x="14" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs" fill="#10151d">a</text>
`},
		"a reversed colour": {"x\x1b[32;7mok\x1b[0m", `<rect x="22.4" y="14" width="16.8" height="17" fill="#56d364"/>
<text x="14" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs">x</text>
<text x="22.4" y="27" textLength="16.8" lengthAdjust="spacingAndGlyphs" fill="#10151d">ok</text>
`},
		"faint": {"\x1b[2mf", `<text x="14" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs" fill="#90979f">f</text>
`},
		"italic, underlined, struck out": {"\x1b[3;4;9mi", `<text x="14" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs" font-style="italic" text-decoration="underline line-through">i</text>
`},
		"concealed": {"\x1b[8msecret", ""},
		"a wide one stands alone, two cells long": {"a漢b", `<text x="14" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs">a</text>
<text x="22.4" y="27" textLength="16.8" lengthAdjust="spacingAndGlyphs">漢</text>
<text x="39.2" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs">b</text>
`},
		"a symbol stands alone": {"● ok", `<text x="14" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs">●</text>
<text x="30.8" y="27" textLength="16.8" lengthAdjust="spacingAndGlyphs">ok</text>
`},
		"boxes are drawn and end a run": {"a│b", `<path d="M22.4 14m3.7 0h1v17h-1zm-3.7 0" fill="#dfe6ee"/>
<text x="14" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs">a</text>
<text x="30.8" y="27" textLength="8.4" lengthAdjust="spacingAndGlyphs">b</text>
`},
		"the second row": {"\r\nz", `<text x="14" y="44" textLength="8.4" lengthAdjust="spacingAndGlyphs">z</text>
`},
		"escaped": {`<&>"`, `<text x="14" y="27" textLength="33.6" lengthAdjust="spacingAndGlyphs">&lt;&amp;&gt;&quot;</text>
`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := body(t, drawSVG(shownBy(8, 2, tt.ansi), "t", dark())); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// TestFrame: the size follows from the cells, the title is text.
func TestFrame(t *testing.T) {
	want := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 112 62" width="112" height="62" role="img">
<title>a &lt; b</title>
<rect x=".5" y=".5" width="111" height="61" rx="8" fill="#10151d" stroke="#3d4654"/>
`
	if got := drawSVG(shownBy(10, 2, ""), "a < b", dark()); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestNothingButText: what XML forbids, and what would turn the text around,
// is in no picture, whatever a cell holds.
func TestNothingButText(t *testing.T) {
	row := []uv.Cell{}
	for _, s := range []string{"\x00", "\x1b", "\x07", "\x7f", "\u009b", "\ufffe", "\u202e", "\xff", "a\x1bb"} {
		row = append(row, uv.Cell{Content: s, Width: 1})
	}
	got := drawSVG([][]uv.Cell{row}, "\x1b]0;t\x07", dark())
	wellFormed(t, got)
	for _, r := range got {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0x202e {
			t.Errorf("%q is in %q", r, got)
		}
	}
	if n := strings.Count(got, "\ufffd"); n != 9+2 {
		t.Errorf("%d of 11 replaced: %q", n, got)
	}
}

// TestContrast: text of every colour can be read on the background.
func TestContrast(t *testing.T) {
	p := dark()
	for i, c := range append(p.colours[1:], p.front, p.front.towards(p.back, 0.38)) {
		if r := (luminance(c) + 0.05) / (luminance(p.back) + 0.05); r < 5 {
			t.Errorf("colour %d, %s: %.1f:1", i+1, c, r)
		}
	}
}

// luminance is WCAG's, its exponent rounded to 2.2.
func luminance(c rgb) float64 {
	lin := func(v uint8) float64 { return math.Pow(float64(v)/255, 2.2) }
	return 0.2126*lin(c.r) + 0.7152*lin(c.g) + 0.0722*lin(c.b)
}
