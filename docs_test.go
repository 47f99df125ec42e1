package pgtui_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocsNameWhatExists: every Go file, function, type and test that the pages
// name is there, and so is every page that they link to.
func TestDocsNameWhatExists(t *testing.T) {
	names := declared(t)
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	made, err := filepath.Glob("docs/*/*.md") // those of docs/adr too
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(append(pages, made...), "README.md", "README.zh.md", "CONTRIBUTING.md", "SECURITY.md") {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quotedName.FindAllStringSubmatch(string(b), -1) {
			seen++
			if why := missing(m[1], names); why != "" {
				t.Errorf("%s: `%s`: %s", page, m[1], why)
			}
		}
		for _, m := range pageLink.FindAllStringSubmatch(string(b), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: link to %s: no such file", page, m[1])
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d names checked: the test is broken", seen)
	}
	for _, name := range []string{"model/nothing.go", "TestNothing", "model.Nothing"} {
		if missing(name, names) == "" {
			t.Errorf("%s is not missed: the test is broken", name)
		}
	}
}

// TestReadmesTypeTheSame: the two pages have the same commands in the same order.
func TestReadmesTypeTheSame(t *testing.T) {
	typed := func(page string) (out []string) {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range strings.Split(string(b), "```") {
			for line := range strings.Lines(block) {
				if line, _, _ = strings.Cut(line, "  "); i%2 == 1 && strings.TrimSpace(line) != "" {
					out = append(out, strings.TrimSpace(line))
				}
			}
		}
		return out
	}
	en, zh := typed("README.md"), typed("README.zh.md")
	if len(en) < 25 || !slices.Equal(en, zh) {
		t.Errorf("the commands differ:\n%q\n%q", en, zh)
	}
}

var (
	quotedName = regexp.MustCompile("`([A-Za-z0-9_./]+)`")
	pageLink   = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	goPath     = regexp.MustCompile(`^[a-z0-9_]+(/[a-z0-9_]+)*\.go$`)
	testName   = regexp.MustCompile(`^(Test|Fuzz|Benchmark)[A-Z]\w*(/\w+)?$`)
	// qualified is package.Name, or package.Type.Method.
	qualified = regexp.MustCompile(`^[a-z]+[a-z0-9]*\.[A-Z]\w*(\.\w+)?$`)
)

// missing is why a name in a page leads nowhere; "" where it exists, and for
// text that names no code.
func missing(name string, names map[string]bool) string {
	switch {
	case goPath.MatchString(name):
		if _, err := os.Stat(name); err != nil {
			return "no such file"
		}
	case testName.MatchString(name):
		if test, _, _ := strings.Cut(name, "/"); !names[test] {
			return "no such test"
		}
	case qualified.MatchString(name):
		pkg, rest, _ := strings.Cut(name, ".")
		if !names[pkg] || names[pkg+"."+rest] {
			return "" // another project's
		}
		return "no such declaration"
	}
	return ""
}

// declared are the packages of the tree by their name, what they declare as
// package.Name and package.Type.Method, and the tests by their bare name.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg := f.Name.Name
		names[pkg] = true
		for _, d := range f.Decls {
			for _, name := range declares(d) {
				names[pkg+"."+name] = true
				if strings.HasSuffix(path, "_test.go") {
					names[name] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// declares are the names of a declaration: Name, and Type.Name of a method or
// a field.
func declares(d ast.Decl) (out []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		return []string{name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					out = append(out, n.Name)
				}
			case *ast.TypeSpec:
				out = append(out, s.Name.Name)
				if st, ok := s.Type.(*ast.StructType); ok {
					for _, f := range st.Fields.List {
						for _, n := range f.Names {
							out = append(out, s.Name.Name+"."+n.Name)
						}
					}
				}
			}
		}
	}
	return out
}

// receiver is the name of a method's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
