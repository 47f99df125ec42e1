// Package safe makes text from other machines fit for a terminal.
package safe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s as one harmless line of at most limit runes. Line breaks,
// tabs and odd spaces become a single space; escape and other control
// characters, bidirectional and zero-width controls and bytes that are not
// UTF-8 are dropped. What is cut off is marked by a final "…". A limit below 1
// gives "".
func Text(s string, limit int) string {
	if plain(s, limit) {
		return s
	}
	if limit < 1 {
		return ""
	}
	var b strings.Builder
	n, space := 0, false
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case r == utf8.RuneError && size == 1:
			continue
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case !unicode.IsPrint(r):
			continue
		}
		if n += 1; space {
			n++
		}
		if n > limit {
			return cut(b.String(), limit-1) + "…"
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plain reports whether Text would leave s as it is; nearly every answer is.
func plain(s string, limit int) bool {
	if len(s) > limit || s != "" && (s[0] == ' ' || s[len(s)-1] == ' ') {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && s[i-1] == ' ' {
			return false
		}
	}
	return true
}

func cut(s string, runes int) string {
	for i := range s {
		if runes == 0 {
			return s[:i]
		}
		runes--
	}
	return s
}

// Lines splits s into at most limit harmless lines of at most width runes
// each, without empty ones. When lines are left out the last one is "…".
func Lines(s string, limit, width int) []string {
	var out []string
	for line := range strings.Lines(s) {
		line = Text(line, width)
		if line == "" {
			continue
		}
		if len(out) == limit {
			if limit > 0 {
				out[limit-1] = "…"
			}
			break
		}
		out = append(out, line)
	}
	return out
}
