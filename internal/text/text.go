// Package text makes text from other machines harmless for a terminal, and a
// word harmless for a shell.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one harmless line of at most limit runes. Line breaks,
// tabs and odd spaces become a single space; escape and other control
// characters, bidirectional and zero-width controls and bytes that are not
// UTF-8 are dropped. A final "…" marks a cut. A limit below 1
// gives "".
func Line(s string, limit int) string {
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

// plain reports whether Line returns s unchanged, as it does for nearly every answer.
func plain(s string, limit int) bool {
	return len(s) <= limit && ASCII(s) && !strings.HasPrefix(s, " ") && !strings.HasSuffix(s, " ") && !strings.Contains(s, "  ")
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

// Lines splits s into at most limit harmless lines of at most width runes each,
// without empty ones. The last one is "…" when lines are left out.
func Lines(s string, limit, width int) []string {
	var out []string
	for line := range strings.Lines(s) {
		line = Line(line, width)
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
