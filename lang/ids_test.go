package lang_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// id is one text of the program that a person reads.
type id struct {
	text  string
	where string // the first place
	label bool   // of a column, a key or a state: it has the room of the English one
}

// silent are folders whose texts no person reads on a screen: the sandbox's nodes, tests'
// helpers, what writes files, JSON.
func silent(dir string) bool {
	for _, p := range []string{"internal", "testdata", "lang", "cmd/jsonv1", "render", "tui/theme", "ansible/jinja", "ansible/jmespath"} {
		if dir == p || strings.HasPrefix(dir, p+"/") {
			return dir != "internal/guard" && dir != "internal/config"
		}
	}
	return false
}

// ids are the texts of all sources below root, sorted.
func ids(t *testing.T, root string) []id {
	t.Helper()
	found := map[string]id{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case slices.Contains([]string{"cmd/exits.go", "plan/riskkind.go", "internal/config/keys.go", "cmd/report_text.go"}, rel):
			return nil // what docs/reference is made of, and a report of a bug, in English
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || silent(filepath.ToSlash(filepath.Dir(rel))):
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		v := &visitor{where: func(p token.Pos) string { return rel + ":" + strconv.Itoa(set.Position(p).Line) }, out: found,
			screen: strings.HasPrefix(rel, "tui/") || strings.HasPrefix(rel, "cmd/"), tables: strings.HasPrefix(rel, "cmd/")}
		ast.Inspect(f, v.node)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]id, 0, len(found))
	for _, x := range found {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b id) int { return strings.Compare(a.text, b.text) })
	return out
}

// visitor collects the texts of one file.
type visitor struct {
	where          func(token.Pos) string
	out            map[string]id
	screen, tables bool // words alone count, as labels; tabs are between cells
}

// node takes in one node; false when what is below it is no text.
func (v *visitor) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.Field:
		return false
	case *ast.CaseClause:
		for _, s := range n.Body {
			ast.Inspect(s, v.node)
		}
		return false
	case *ast.IndexExpr:
		return false
	case *ast.BinaryExpr:
		if n.Op != token.ADD {
			if n.Op == token.EQL || n.Op == token.NEQ {
				return false
			}
			return true
		}
		text, has := v.chain(n)
		if has {
			v.add(text, n.Pos(), false)
		}
		return !has
	case *ast.KeyValueExpr:
		if k, ok := n.Key.(*ast.Ident); ok {
			if l, ok := n.Value.(*ast.BasicLit); ok && l.Kind == token.STRING {
				switch k.Name {
				case "Title", "Label", "Word":
					v.label(l)
					return false
				case "Name", "Keys", "Code", "Use", "Opens", "Topic", "Screen":
					return false
				}
			}
		}
	case *ast.CallExpr:
		if name := called(n); strings.HasPrefix(name, "regexp.") || name == "MustCompile" {
			return false
		}
		if v.screen {
			for _, a := range n.Args {
				if l, ok := a.(*ast.BasicLit); ok && l.Kind == token.STRING && drawn(called(n)) {
					v.label(l)
				}
			}
		}
	case *ast.BasicLit:
		if n.Kind == token.STRING {
			if s, err := strconv.Unquote(n.Value); err == nil {
				v.add(s, n.Pos(), strings.HasPrefix(n.Value, "`"))
			}
		}
	}
	return true
}

// called is the name of what a call calls.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
		return "." + f.Sel.Name
	}
	return ""
}

// drawn reports whether a call draws its texts.
func drawn(name string) bool {
	_, method, _ := strings.Cut(name, ".")
	return name == "widget.T" || name == "widget.P" || method == "Add" || name == "T" || name == "P"
}

// chain is a sum of strings as a format: what is no literal becomes a verb.
func (v *visitor) chain(e ast.Expr) (text string, has bool) {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			a, x := v.chain(e.X)
			b, y := v.chain(e.Y)
			return a + b, x || y
		}
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			if s, err := strconv.Unquote(e.Value); err == nil {
				return strings.ReplaceAll(s, "%", "%%"), true
			}
		}
	case *ast.CallExpr:
		if name := called(e); name == "fmt.Sprintf" && len(e.Args) > 0 {
			if l, ok := e.Args[0].(*ast.BasicLit); ok {
				s, _ := strconv.Unquote(l.Value)
				return s, true
			}
		}
		ast.Inspect(e, v.node)
	}
	return "%s", false
}

func (v *visitor) label(l *ast.BasicLit) {
	s, err := strconv.Unquote(l.Value)
	if s = strings.TrimSpace(s); err == nil && word.MatchString(s) {
		v.put(trimSigns(s), l.Pos(), true)
	}
}

// add takes in a text that may be a sentence.
func (v *visitor) add(s string, at token.Pos, raw bool) {
	if raw {
		return
	}
	if v.tables && strings.Contains(s, "\t") {
		for _, cell := range strings.FieldsFunc(s, func(r rune) bool { return r == '\t' || r == '\n' }) {
			if word.MatchString(verbs.ReplaceAllString(cell, "")) {
				v.put(trimSigns(cell), at, true)
			}
		}
		return
	}
	if plain := verbs.ReplaceAllString(s, " "); sentence.MatchString(plain) || plain != s && phrase.MatchString(trimSigns(s)) {
		v.put(trimSigns(s), at, false)
	}
}

func (v *visitor) put(s string, at token.Pos, label bool) {
	if s == "" || command.MatchString(s) && !explained.MatchString(s) {
		return
	}
	if old, ok := v.out[s]; ok {
		old.label = old.label || label
		v.out[s] = old
		return
	}
	v.out[s] = id{text: s, where: v.where(at), label: label}
}

// trimSigns takes off what is around a sentence, as the catalogue does.
func trimSigns(s string) string {
	s = strings.Trim(s, " \n")
	return strings.TrimLeft(s, "·→●○✕!?–…≠≈~▸└ ")
}

var (
	word     = regexp.MustCompile(`[A-Za-z]{2}`)
	sentence = regexp.MustCompile(`[A-Za-z]{2,}[,;:.')]* +[(a-zA-Z]{2,}`)
	// phrase is a word beside an argument, as "lag %s".
	phrase = regexp.MustCompile(`(^|[ (])[A-Za-z]{3,} %|%[a-z] [a-z]{2,}($|[ ,;:)])`)
	verbs  = regexp.MustCompile(`%(?:\[\d+\])?[-+# 0]*\d*(?:\.\d+)?[a-zA-Z%]`)
	// explained is a command with a sentence behind it.
	explained = regexp.MustCompile(`;|: | (shows|writes|checks|to|on|for|when|until|has|is|lists|prints|needs|and|with|in) `)
	// command is what a person types or another program reads.
	command = regexp.MustCompile(`^(pgtui (access|apply|candidates|config|diff|doctor|drain|enable|failover|ghosts|history|inventory|lint|maint|maintenance|patroni|pause|pgbouncer|ready|reinit|reload|render|restart|resume|roles|routes|states|status|switchover|trace|undo|undrain|wait|weight|whatif|help|demo|logs|postgres|-i)|ssh|sudo|curl|patronictl|SELECT|SHOW|systemctl|echo|/|--|-o |\$)\b`)
)
