package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// comments are those of types, by "package.Type", and of their fields, by
// "package.Type.Field". The package is its folder below the root.
type comments map[string]string

// readComments reads the packages whose types are documents.
func readComments(root string) (comments, error) {
	out := comments{}
	for _, dir := range []string{"cmd/jsonv1", "plan", "plan/file", "plan/action"} {
		files, err := parse(filepath.Join(root, dir))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.TYPE {
					continue
				}
				for _, s := range g.Specs {
					out.add(dir, g, s.(*ast.TypeSpec))
				}
			}
		}
	}
	return out, nil
}

func (c comments) add(dir string, g *ast.GenDecl, s *ast.TypeSpec) {
	name := "pgtui/" + dir + "." + s.Name.Name
	if c[name] = sentence(s.Doc); c[name] == "" {
		c[name] = sentence(g.Doc)
	}
	st, ok := s.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range st.Fields.List {
		text := sentence(f.Doc)
		if text == "" {
			text = sentence(f.Comment)
		}
		for _, n := range f.Names {
			c[name+"."+n.Name] = text
		}
	}
}

// sentence is a comment in one line.
func sentence(g *ast.CommentGroup) string {
	if g == nil {
		return ""
	}
	return strings.Join(strings.Fields(g.Text()), " ")
}

// parse are the files of a package, without its tests.
func parse(dir string) ([]*ast.File, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}
