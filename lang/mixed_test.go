package lang_test

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgtui/lang"
)

// corpus are texts that pgtui shows: the English frames of the console, and what the
// commands printed in their scripts.
func corpus(t *testing.T) []string {
	t.Helper()
	seen := map[string]bool{}
	read := func(path string) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		sc := bufio.NewScanner(f)
		for sc.Scan() {
			if strings.HasPrefix(sc.Text(), " pgtui ") { // the path of pages is many texts
				continue
			}
			seen[sc.Text()] = true
			for _, part := range parts(sc.Text()) {
				seen[part] = true
			}
		}
		if err := sc.Err(); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir("../tui/testdata", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".golden") && !strings.Contains(path, "/zh/") && !strings.Contains(path, "/styled/") {
			read(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	read("testdata/printed.txt")
	var out []string
	for s := range seen {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// gap is what divides the texts of a line.
var gap = regexp.MustCompile(` {2,}| [│·] `)

func parts(line string) []string {
	out := gap.Split(line, -1)
	return slices.DeleteFunc(out, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// TestNothingIsMixed: a text is wholly Chinese except for data, or the English one as it is.
func TestNothingIsMixed(t *testing.T) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	chinese, english := 0, 0
	for _, s := range corpus(t) {
		got := lang.Text(s)
		if got == s {
			if sentences.MatchString(s) {
				english++
			}
			continue
		}
		chinese++
		for _, part := range parts(got) {
			if !strings.ContainsFunc(part, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }) {
				continue
			}
			if rest := sayings.FindString(data.ReplaceAllString(part, "·")); rest != "" {
				t.Errorf("%q becomes %q: %q is English", s, part, rest)
			}
		}
	}
	if chinese < 2000 {
		t.Errorf("only %d texts are translated", chinese)
	}
	t.Logf("%d texts are Chinese, %d sentences English", chinese, english)
}

var (
	// data in a Chinese text: what is quoted, commands with their flags, values with spaces in them.
	data = regexp.MustCompile(`"[^"]*"|'[^']*'|` + "`[^`]*`" + `|\b(pgtui|ssh|psql|curl|systemctl|patronictl|sudo|journalctl|haproxy|show|set|enable|disable|shutdown|tail|pg) [ -~]+|idle in transaction|creating replica|master socket|in archive recovery|Consul DNS|application/json`)
	// sayings are words that only English sentences have.
	sayings = regexp.MustCompile(`\b(the|a|is|are|of|with|that|when|which|has|have|does|not|and|its|it|by|at|from|to|in|on|for|or|was|were|no)\b \w+|[a-z]{2,} [a-z]{2,} [a-z]{2,}`)
	// sentences are texts with such a word.
	sentences = regexp.MustCompile(`[a-z] (the|a|is|are|of|with|that|when|which|has|does|not|and|its|it) [a-z]`)
)
