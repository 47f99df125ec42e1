package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Clean removes from s whatever can move a cursor, change a mode, hide or reorder
// the text after it: escape sequences, control and format characters. A tab or
// line end becomes one space, broken UTF-8 a "?".
func Clean(s string) string {
	if ASCII(s) {
		return s
	}
	if strings.ContainsAny(s, "\x1b\u009b\u009d\u0090") {
		s = ansi.Strip(s)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == utf8.RuneError:
			return '?'
		case harmful(r), unicode.Is(unicode.Variation_Selector, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, s)
}

// Block removes control and format characters from s. It keeps line ends and tabs.
func Block(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && harmful(r) {
			return -1
		}
		return r
	}, s)
}

// harmful reports whether a terminal may obey r instead of showing it.
func harmful(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// ASCII reports whether s is printable US-ASCII only.
func ASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
