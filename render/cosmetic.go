package render

import (
	"bytes"
	"slices"
	"strings"

	"pgtui/haproxy"
)

// Cosmetic reports whether two files differ only in what HAProxy ignores:
// comments, blanks, and the order of settings that have no order. The order of
// servers, default-server and rules counts. So does a missing final line end:
// HAProxy refuses such a file.
func Cosmetic(a, b []byte) bool {
	if a == nil || b == nil || bytes.HasSuffix(a, []byte("\n")) != bytes.HasSuffix(b, []byte("\n")) {
		return false
	}
	return slices.Equal(canonical(a), canonical(b))
}

// canonical are the lines of a file that HAProxy does not ignore, words joined by
// one blank; the settings of a section whose order does not count are sorted by
// keyword.
func canonical(data []byte) []string {
	var out, loose []string
	unordered := []string{"bind", "mode", "maxconn", "balance", "option", "timeout", "retries", "log"}
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
		if slices.Contains(unordered, w[0]) {
			loose = append(loose, text)
			continue
		}
		if haproxy.OpensSection(w[0]) {
			flush()
		}
		out = append(out, text)
	}
	flush()
	return out
}

// keyword is what a setting sets: two lines of one keyword keep their order,
// because the later one may win.
func keyword(line string) string {
	w := strings.SplitN(line, " ", 3)
	if len(w) > 1 && (w[0] == "option" || w[0] == "timeout") {
		return w[0] + " " + w[1]
	}
	return w[0]
}
