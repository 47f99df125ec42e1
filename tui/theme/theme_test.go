package theme

import (
	"testing"
	"unicode/utf8"
)

// TestEveryShapeHasAPlainOne: the two lists have the same length, and a few of
// their pairs are named here.
func TestEveryShapeHasAPlainOne(t *testing.T) {
	if n := utf8.RuneCountInString(shapes); n != len(plain) {
		t.Fatalf("%d shapes, %d plain ones", n, len(plain))
	}
	for r, want := range map[rune]byte{
		'●': '*', '◌': 'o', '×': 'x', '✓': '+', '▲': '!', '»': '>', '←': '<', '‐': '-', '┃': '|', '┼': '+', '░': '.', '▌': '#', '▴': '^', '▾': 'v',
		'▁': '_', '▃': '.', '▅': '-', '▇': '=', '≤': '<', '\u2009': ' ', '’': '\'', '“': '"', '”': '"', 'ä': '?', '世': '?',
	} {
		if got := Glyph(r); got != want {
			t.Errorf("%q is drawn as %q, want %q", r, got, want)
		}
	}
}
