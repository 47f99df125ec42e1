package haproxy

import "strings"

// Words splits a line as HAProxy does: at white space outside quotes, up to a
// "#" outside quotes. Quotes and backslashes stay in the words: Unquote removes
// them. It accepts any bytes; a quote that is not closed ends with the line.
func Words(line string) []string {
	line = strings.TrimRight(line, "\n") // an unquoted "\r" is white space
	var out []string
	start, quote := -1, byte(0)
	flush := func(end int) {
		if start >= 0 {
			out, start = append(out, line[start:end]), -1
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		if quote == 0 && strings.IndexByte(" \t\r\v\f#", c) >= 0 {
			if flush(i); c == '#' {
				return out
			}
			continue
		}
		if start < 0 {
			start = i
		}
		switch {
		case c == '\\' && quote != '\'':
			i++ // the next character is itself
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		}
	}
	flush(len(line))
	return out
}

// Unquote is one of the Words as HAProxy takes it, without its quotes and
// backslashes; not ok when a quote is not closed.
func Unquote(word string) (text string, ok bool) {
	if !strings.ContainsAny(word, `"'\`) {
		return word, true
	}
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(word):
			i++
			b.WriteByte(word[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), quote == 0
}

// OpensSection reports whether a line that begins with the word opens a
// section, in HAProxy 2.4 to 3.x.
func OpensSection(word string) bool {
	switch word {
	case "global", "defaults", "listen", "frontend", "backend", "userlist", "peers", "resolvers", "mailers",
		"cache", "program", "http-errors", "ring", "log-forward", "fcgi-app", "crt-store", "log-profile", "traces":
		return true
	}
	return false
}
