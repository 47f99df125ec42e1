package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// TestSections: every key that is read has its row, and no other has one.
func TestSections(t *testing.T) {
	read := map[string][]string{} // by function
	for _, name := range []string{"config.go", "read.go", "commands.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok || len(lit.Elts) != 2 {
					return true
				}
				if id, named := lit.Type.(*ast.Ident); lit.Type != nil && (!named || id.Name != "field") {
					return true
				}
				if s, ok := lit.Elts[0].(*ast.BasicLit); ok && s.Kind == token.STRING {
					key, err := strconv.Unquote(s.Value)
					if err != nil {
						t.Fatal(err)
					}
					read[fn.Name.Name] = append(read[fn.Name.Name], key)
				}
				return true
			})
		}
	}
	by := map[string]string{"": "config", "ssh": "ssh", "record": "record", "commands": "commands", "entry-points": "entryPoints", "stores": "stores", "contexts": "contexts"}
	for _, s := range Sections() {
		var listed []string
		for _, k := range s.Keys {
			if listed = append(listed, k.Name); k.Value == "" || k.Default == "" {
				t.Errorf("%s.%s has no value or no default", s.Name, k.Name)
			}
		}
		keys := read[by[s.Name]]
		slices.Sort(keys)
		slices.Sort(listed)
		if !slices.Equal(keys, listed) {
			t.Errorf("section %q: %q are read, %q are listed", s.Name, keys, listed)
		}
		delete(read, by[s.Name])
		delete(by, s.Name)
	}
	if len(by) > 0 || len(read) > 0 {
		t.Errorf("sections without a list: %v, %v", by, read)
	}
}
