package page

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"pgtui/internal/text"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Code is a line of an HAProxy configuration, quietly toned: its keyword, with
// the name where one follows, and its comment.
func Code(raw string) widget.Line {
	raw = text.Clean(Spaced(raw))
	end := commentAt(raw)
	from := len(raw[:end]) - len(strings.TrimLeft(raw[:end], " "))
	to := from + wordLen(raw[from:end])
	if named(raw[from:to]) {
		gap := len(raw[to:end]) - len(strings.TrimLeft(raw[to:end], " "))
		if n := wordLen(raw[to+gap : end]); n > 0 {
			to += gap + n
		}
	}
	var out widget.Line
	for _, s := range []widget.Span{{Text: raw[:from]}, {Text: raw[from:to], Tone: theme.Keyword}, {Text: raw[to:end]}, {Text: raw[end:], Tone: theme.Dim}} {
		if s.Text != "" {
			out = append(out, s)
		}
	}
	return out
}

// named reports whether a name follows the keyword: a section's or a server's.
func named(keyword string) bool {
	return slices.Contains([]string{"server", "listen", "frontend", "backend", "defaults", "peers", "peer", "resolvers", "userlist", "user"}, keyword)
}

// wordLen is the length of the word that text begins with, in bytes.
func wordLen(text string) int {
	if n := strings.IndexFunc(text, unicode.IsSpace); n >= 0 {
		return n
	}
	return len(text)
}

// commentAt is the byte at which a line's comment begins, the line's length
// when it has none. Quotes and a backslash take a # its meaning.
func commentAt(text string) int {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#':
			return i
		}
	}
	return len(text)
}

// Changed is a line that is only in one of two files, in that tone; its words
// that the other one lacks are in the tone of words. Spans that do not lie at
// characters of the line are passed over, and so are all of them where the line
// holds what no terminal may be sent.
func Changed(l DiffLine, tone, words theme.Tone) widget.Line {
	if raw := Spaced(l.Text); text.Clean(raw) != raw {
		return widget.Raw(tone, text.Clean(raw))
	}
	var out widget.Line
	add := func(tone theme.Tone, raw string) {
		if raw != "" {
			out = append(out, widget.Span{Text: Spaced(raw), Tone: tone})
		}
	}
	at := 0
	for _, w := range l.Words {
		if w[0] < at || w[1] <= w[0] || w[1] > len(l.Text) || !starts(l.Text, w[0]) || !starts(l.Text, w[1]) {
			continue
		}
		add(tone, l.Text[at:w[0]])
		add(words, l.Text[w[0]:w[1]])
		at = w[1]
	}
	add(tone, l.Text[at:])
	return out
}

// starts reports whether a character starts at byte i of text, or text ends there.
func starts(text string, i int) bool { return i == len(text) || utf8.RuneStart(text[i]) }

// Spaced writes tabs as the four blanks they are shown as.
func Spaced(text string) string { return strings.ReplaceAll(text, "\t", "    ") }
