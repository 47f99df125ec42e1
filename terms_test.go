package pgtui_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// term is one row of the table of docs/terms.md.
type term struct {
	pattern *regexp.Regexp
	use     string
}

// TestTerms holds the list of docs/terms.md over the strings and comments of
// the sources, over the texts that are embedded in them, and over the pages.
func TestTerms(t *testing.T) {
	terms := readTerms(t)
	counts := map[string]int{}
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" && path != "testdata") {
			return filepath.SkipDir
		}
		data := strings.HasPrefix(path, "testdata") && filepath.Ext(path) != ".md"
		if d.IsDir() || data || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := passages(path)
		if err != nil || text == nil {
			return err
		}
		files++
		dir := filepath.ToSlash(filepath.Dir(path))
		for _, p := range text {
			for _, h := range p.hits(terms) {
				counts[dir]++
				t.Errorf("%s:%s", path, h)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Fatalf("only %d files checked: the walk is broken", files)
	}
	for _, dir := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d in %s", counts[dir], dir)
	}
}

// readTerms reads the table "What to write instead" of docs/terms.md.
func readTerms(t *testing.T) (out []term) {
	t.Helper()
	b, err := os.ReadFile("docs/terms.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `(.+)` \\| (.+) \\| (.+) \\|$")
	for _, m := range row.FindAllStringSubmatch(string(b), -1) {
		expr := strings.ReplaceAll(strings.ReplaceAll(m[1], `\|`, "|"), " ", `\s+`)
		re, err := regexp.Compile("(?i)" + expr)
		if err != nil {
			t.Fatalf("docs/terms.md: %s: %v", m[1], err)
		}
		out = append(out, term{re, m[2]})
	}
	if len(out) < 20 {
		t.Fatalf("docs/terms.md has %d rows with a pattern: the table is not read", len(out))
	}
	return out
}

// passage is a piece of text that a person reads: a string, a comment, or a
// page. The text keeps its line breaks, so that a hit has its own line.
type passage struct {
	text    string
	line    int // of the first character, from 1
	comment bool
}

// hits are the banned terms of a passage, as "LINE: PHRASE: use …".
func (p passage) hits(terms []term) (out []string) {
	for _, tm := range terms {
		for _, at := range tm.pattern.FindAllStringIndex(p.text, -1) {
			line := p.line + strings.Count(p.text[:at[0]], "\n")
			from, to := max(0, at[0]-30), min(len(p.text), at[1]+30)
			kind := "string"
			if p.comment {
				kind = "comment"
			}
			around := strings.Join(strings.Fields(strings.ToValidUTF8(p.text[from:to], "")), " ")
			out = append(out, fmt.Sprintf("%d: %s: %q: use %s (… %s …)", line, kind, p.text[at[0]:at[1]], tm.use, around))
		}
	}
	return out
}

// passages are the texts of a file that a person reads; nil where the file has
// none: it is no source, no page and no embedded text.
func passages(path string) ([]passage, error) {
	ext := filepath.Ext(path)
	if !slices.Contains([]string{".go", ".md", ".sh", ".yml"}, ext) && path != "Makefile" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch {
	case ext == ".go":
		return goPassages(path, b)
	case path == filepath.Join("docs", "terms.md"):
		b = tableRow.ReplaceAllFunc(b, blank)
		fallthrough
	case ext == ".md":
		b = jsonBlock.ReplaceAllFunc(b, blank)
		return []passage{{text: string(inlineCode.ReplaceAllFunc(b, blank)), line: 1}}, nil
	}
	return []passage{{text: string(b), line: 1}}, nil
}

var (
	jsonBlock  = regexp.MustCompile("(?s)```json\n.*?```")
	inlineCode = regexp.MustCompile("`[^`\n]+`")
	tableRow   = regexp.MustCompile(`(?m)^\|.*$`)
	name       = regexp.MustCompile(`^[a-z0-9_./-]*$`)
)

// blank replaces everything but line breaks, so that lines keep their number.
func blank(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return '~'
	}, b)
}

// goPassages are the strings and comments of a Go source.
func goPassages(path string, src []byte) (out []passage, err error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, g := range f.Comments {
		for _, c := range g.List {
			// one passage a group: a phrase may go over the end of a line
			text := strings.ReplaceAll(c.Text, "//", "  ")
			if n := len(out) - 1; c != g.List[0] {
				out[n].text += "\n" + text
				continue
			}
			out = append(out, passage{text: text, line: set.Position(c.Pos()).Line, comment: true})
		}
	}
	for i := range out {
		out[i].text = string(inlineCode.ReplaceAllFunc([]byte(out[i].text), blank))
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			n.Tag = nil
		case *ast.BinaryExpr, *ast.BasicLit:
			text, ok := literal(n.(ast.Expr))
			if ok && !name.MatchString(text) {
				out = append(out, passage{text: text, line: set.Position(n.Pos()).Line})
			}
			return !ok
		}
		return true
	})
	return out, nil
}

// literal is the value of a string literal, or of several that are added; not
// ok for anything else.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		l, lok := literal(e.X)
		r, rok := literal(e.Y)
		return l + r, lok && rok && e.Op == token.ADD
	}
	return "", false
}

// TestTermsCanFail keeps TestTerms honest.
func TestTermsCanFail(t *testing.T) {
	src := `package x

// X is what stands
// there, and "told" is one more.
const (
	name = "told"
	path = "pgtui/told"
	both = "a " + name + " told"
	text = "the roles are " +
		"in step"
)

type T struct { A int ` + "`json:\"was told\"`" + ` }
`
	got, err := goPassages("x.go", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range got {
		for _, h := range p.hits(readTerms(t)) {
			line, _, _ := strings.Cut(h, ": use")
			lines = append(lines, line)
		}
	}
	want := []string{`4: comment: "told"`, `3: comment: "stands\n   there"`, `8: string: "told"`, `9: string: "in step"`}
	if !slices.Equal(lines, want) {
		t.Errorf("hits %q, want %q: the test is broken", lines, want)
	}
}
