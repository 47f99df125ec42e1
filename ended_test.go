package pgtui_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheEndOfAContextHasWords: Go's own text of a context that has ended reaches no
// person. What returns or prints that end takes source.Ended, which has words for it;
// the error of the context itself is only compared.
func TestTheEndOfAContextHasWords(t *testing.T) {
	for _, dir := range []string{"apply", "cmd", "haproxy", "model", "pigsty", "plan", "probe", "session", "source", "tui", "internal/sandbox"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.ToSlash(path) == "source/ended.go" {
				return err
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, pos := range ends(f) {
				t.Errorf("%s: ctx.Err() is used as an error: source.Ended(ctx) has words for it", set.Position(pos))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	src := "package x\nfunc x() error { if ctx.Err() != nil || errors.Is(ctx.Err(), y) { return fmt.Errorf(`%w`, work.Err()) }\nif err := ctx.Err(); err != nil {}\nreturn context.Cause(ctx) }"
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(ends(f)); n != 2 { // work is no name of a context
		t.Errorf("%d found: the test is broken", n)
	}
}

// ends are the places of a file where the error of a context is more than compared.
func ends(f *ast.File) (out []token.Pos) {
	compared := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			compared[n.X], compared[n.Y] = true, true
		case *ast.CallExpr:
			switch name := called(n); {
			case name == "errors.Is":
				for _, a := range n.Args {
					compared[a] = true
				}
			case (strings.HasSuffix(strings.ToLower(name), "ctx.err") || name == "limited.Err" || name == "context.Cause") && !compared[n]:
				out = append(out, n.Pos())
			}
		}
		return true
	})
	return out
}

// called is the function of a call as it is written, "errors.Is"; "" of one that has
// no such name.
func called(c *ast.CallExpr) string {
	var name func(e ast.Expr) string
	name = func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.Ident:
			return e.Name
		case *ast.SelectorExpr:
			return name(e.X) + "." + e.Sel.Name
		}
		return ""
	}
	return name(c.Fun)
}
