package render

import (
	"bytes"
	"slices"
	"strings"

	"pgtui/haproxy"
)

// Cosmetic reports whether HAProxy reads two files the same although their
// bytes differ: comments, blanks, and the order of settings that have none.
// Servers, default-server and rules are read in order, so theirs counts. A
// file without a final line end is refused by HAProxy: that counts too.
func Cosmetic(a, b []byte) bool {
	if a == nil || b == nil || bytes.HasSuffix(a, []byte("\n")) != bytes.HasSuffix(b, []byte("\n")) {
		return false
	}
	return slices.Equal(canonical(a), canonical(b))
}

// canonical are the lines of a file that say something, words joined by one
// blank; settings of a section whose order does not count are sorted by their
// keyword.
func canonical(data []byte) []string {
	var out, loose []string
	flush := func() {
		slices.SortStableFunc(loose, func(a, b string) int { return strings.Compare(keyword(a), keyword(b)) })
		out = append(out, loose...)
		loose = nil
	}
	for line := range strings.Lines(string(data)) {
		w := haproxy.Words(line)
		if len(w) == 0 {
			continue
		}
		text := strings.Join(w, " ")
		switch w[0] {
		case "bind", "mode", "maxconn", "balance", "option", "timeout", "retries", "log":
			loose = append(loose, text)
		case "listen", "global", "defaults", "frontend", "backend", "userlist", "peers", "resolvers", "cache", "program", "ring", "mailers":
			flush()
			out = append(out, text)
		default:
			out = append(out, text)
		}
	}
	flush()
	return out
}

// keyword is what a setting sets: two lines of one keyword keep their order,
// for the later one may win.
func keyword(line string) string {
	w := strings.SplitN(line, " ", 3)
	if len(w) > 1 && (w[0] == "option" || w[0] == "timeout") {
		return w[0] + " " + w[1]
	}
	return w[0]
}
