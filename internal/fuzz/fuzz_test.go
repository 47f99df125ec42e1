package fuzz_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/internal/fuzz"
)

// FuzzTarget: the limit holds when Go asks for it.
func FuzzTarget(f *testing.F) {
	fuzz.Target(f)
	if got := flag.Lookup("test.fuzzminimizetime").Value.String(); got == "1m0s" {
		f.Errorf("new inputs are made smaller for %s each", got)
	}
	f.Add([]byte("a"))
	f.Fuzz(func(*testing.T, []byte) {})
}

// TestEveryTarget: every fuzz target of the module begins with Target.
func TestEveryTarget(t *testing.T) {
	targets := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Fuzz") {
				continue
			}
			targets++
			if !beginsWithTarget(fn) {
				t.Errorf("%s: %s must begin with fuzz.Target(f)", path, fn.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if targets < 30 {
		t.Errorf("%d targets only: the walk is broken", targets)
	}
}

func beginsWithTarget(fn *ast.FuncDecl) bool {
	if len(fn.Body.List) == 0 {
		return false
	}
	st, ok := fn.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := st.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Target"
}
