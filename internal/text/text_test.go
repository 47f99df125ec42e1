package text

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgtui/internal/fuzz"
)

func TestLine(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"a plain name", "pg-test-1", 20, "pg-test-1"},
		{"other alphabets stay", "Zürich 北京", 20, "Zürich 北京"},
		{"clear screen", "\x1b[2Jup", 20, "[2Jup"},
		{"8-bit escape", "a\u009b31mb", 20, "a31mb"},
		{"window title", "\x1b]0;evil\x07x", 20, "]0;evilx"},
		{"right-to-left override", "abc\u202egpj.exe", 20, "abcgpj.exe"},
		{"zero width", "a\u200b\u200d\ufeffb", 20, "ab"},
		{"lines and tabs", " a\r\n\tb  c ", 20, "a b c"},
		{"non-breaking space", "a\u00a0b", 20, "a b"},
		{"not UTF-8", "a\xff\xfeb", 20, "ab"},
		{"too long", "abcdef", 4, "abc…"},
		{"just fits", "abcd", 4, "abcd"},
		{"fits by runes", "ééé", 3, "ééé"},
		{"cut at a space", "ab cd", 3, "ab…"},
		{"no room", "abc", 0, ""},
		{"empty", "", 5, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Line(tc.in, tc.limit); got != tc.want {
				t.Errorf("Line(%q, %d) = %q, want %q", tc.in, tc.limit, got, tc.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	got := Lines("one\n\n\x1b[31mtwo\r\nthree\nfour", 3, 10)
	if want := []string{"one", "[31mtwo", "…"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Lines("one\ntwo", 2, 10); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("got %q", got)
	}
}

func FuzzLine(f *testing.F) {
	fuzz.Target(f)
	f.Add("pg-test-1", 10)
	f.Add("\x1b[2J\u202e  x\xff", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := Line(s, limit)
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		if n := utf8.RuneCountInString(got); n > max(0, limit) {
			t.Fatalf("%d runes, limit %d", n, limit)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("not printable: %q", got)
		}
		if again := Line(got, limit); again != got {
			t.Fatalf("not stable: %q, then %q", got, again)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	for b.Loop() {
		_ = Line("Layer7 wrong status: Service Unavailable", 80)
	}
}
