package text

import (
	"strings"
	"testing"
	"unicode"

	"pgtui/internal/fuzz"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"pg-test-1": "pg-test-1", "": "", "Zürich 北京": "Zürich 北京", "a\u00a0b": "a\u00a0b",
		"\x1b[2Jup": "up", "\x1b]0;evil\x07x": "x", "a\u009b31mb": "a31mb", "a\tb\r\nc": "a b  c", "a\xffb": "a?b",
		"abc\u202egpj": "abcgpj", "a\u200bb\ufe0f": "ab", "a\u2028b": "ab", "a\x00\x7fb": "ab",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, expected %q", in, got, want)
		}
	}
}

func TestBlock(t *testing.T) {
	for in, want := range map[string]string{
		"a\n\tb\n": "a\n\tb\n", "\x1b[2Ja\r\nb": "[2Ja\nb", "a\u202eb": "ab", "a\u009b31m": "a31m", "a\u00a0b": "a\u00a0b",
	} {
		if got := Block(in); got != want {
			t.Errorf("Block(%q) = %q, expected %q", in, got, want)
		}
	}
}

// FuzzClean: no character that a terminal obeys remains.
func FuzzClean(f *testing.F) {
	fuzz.Target(f)
	f.Add("\x1b[2J\u202e  x\xff")
	f.Add("\u009bm\x90q\x1b\\")
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Clean(s), strings.NewReplacer("\n", "", "\t", "").Replace(Block(s))} {
			if strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
				t.Fatalf("%q leaves %q", s, got)
			}
		}
	})
}
