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

// TestHintsDoNotBeginWithTry: "try: " is printed before every hint, by cmd, tui and
// show. Elsewhere no text has it, and nowhere does a hint begin with the word.
func TestHintsDoNotBeginWithTry(t *testing.T) {
	prints := func(path string) bool { return strings.HasPrefix(path, "cmd/") || strings.HasPrefix(path, "tui/") }
	hints := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Try" {
					hints++
					if s, _ := literal(first(n.Value)); begins(s) {
						t.Errorf("%s: the hint %q begins with the word that is printed before it", set.Position(n.Pos()), s)
					}
				}
			case *ast.CallExpr:
				if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "misuse" && len(n.Args) > 0 {
					hints++
					if s, _ := literal(first(n.Args[0])); begins(s) {
						t.Errorf("%s: the hint %q begins with the word that is printed before it", set.Position(n.Pos()), s)
					}
				}
			case *ast.BasicLit:
				if s, ok := literal(n); ok && begins(s) && strings.Contains(s, ": ") && !prints(filepath.ToSlash(path)) {
					t.Errorf("%s: %q: a hint has no try: of its own", set.Position(n.Pos()), s)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if hints < 100 || !begins("try: x") || begins("tryst") {
		t.Errorf("%d hints seen: the test is broken", hints)
	}
}

// first is the leftmost operand of a sum.
func first(e ast.Expr) ast.Expr {
	for {
		b, ok := e.(*ast.BinaryExpr)
		if !ok {
			return e
		}
		e = b.X
	}
}

// begins reports whether a text begins with the word that is printed before a hint.
func begins(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.HasPrefix(s, "try:") || strings.HasPrefix(s, "try ")
}
