package pgtui_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule says what the packages of one folder may import: which of pgtui's own
// packages, which modules, and which parts of the standard library they must
// not touch. The longest matching folder rules.
type rule struct {
	dir  string
	own  []string // folders of pgtui, with everything below them; "" is none
	mods []string // import path prefixes outside the standard library
	not  []string // standard library packages that are off limits
}

// outside are the packages that reach out of the process.
var outside = []string{"os", "os/exec", "net", "net/http", "log/slog", "syscall"}

// leaf may be imported by all: places in files, and errors with hints.
const leaf = "source"

func rules() []rule {
	charm := []string{"charm.land/", "github.com/charmbracelet/"}
	return []rule{
		{dir: "model", own: []string{"haproxy", "model", "internal/text"}, not: outside},
		{dir: "source", not: outside},
		{dir: "past", own: []string{"model", "past"}, not: outside},
		{dir: "record", own: []string{"haproxy", "model", "past", "internal/text"}, not: outside},
		{dir: "record/ring", own: []string{"model", "past", "record"}, mods: []string{"golang.org/x/sys"}, not: []string{"os/exec", "net", "net/http"}},
		{dir: "ansible", own: []string{"ansible"}, not: outside},
		{dir: "ansible/inventory", own: []string{"ansible"}, mods: []string{"gopkg.in/yaml.v3"}, not: outside},
		{dir: "ansible/jmespath", own: []string{"ansible"}, mods: []string{"github.com/jmespath/go-jmespath"}, not: outside},
		{dir: "haproxy", own: []string{"internal/text"}, not: outside},
		{dir: "pigsty", own: []string{"ansible", "haproxy", "model", "pigsty"}, mods: []string{"gopkg.in/yaml.v3"}, not: outside},
		{dir: "render", own: []string{"haproxy", "model", "internal/text"}, mods: []string{"github.com/aymanbagabas/go-udiff"}, not: outside},
		{dir: "render/emit", own: []string{"model", "render", "internal/text"}, mods: []string{"gopkg.in/yaml.v3"}, not: outside},
		{dir: "plan", own: []string{"plan", "haproxy", "model", "render", "internal/text"}, not: outside},
		{dir: "probe", own: []string{"haproxy", "model", "probe", "internal/guard", "internal/text"}, mods: []string{"golang.org/x/", "github.com/jackc/pgx/v5/pgconn", "github.com/jackc/pgx/v5/pgproto3", "github.com/miekg/dns"}, not: []string{"os/exec"}},
		{dir: "probe/transport", own: []string{"model", "internal/guard", "internal/text"}, mods: []string{"golang.org/x/"}},
		{dir: "apply", own: []string{"plan", "haproxy", "model", "render", "probe", "internal/guard", "internal/text"}, mods: []string{"golang.org/x/"}, not: []string{"os/exec", "net", "net/http"}},
		{dir: "apply/act", own: []string{"apply", "plan", "haproxy", "model", "probe", "internal/guard", "internal/text"}, not: []string{"os", "os/exec"}},
		{dir: "lang", own: nil, mods: []string{"golang.org/x/text", "github.com/charmbracelet/x/ansi"}, not: outside},
		{dir: "tui", own: []string{"plan", "haproxy", "model", "tui", "lang", "internal/guard", "internal/text", "internal/proc"}, mods: charm, not: []string{"os/exec", "net", "net/http"}},
		{dir: "internal/guard", own: []string{"internal/text"}, not: outside},
		{dir: "internal/text", mods: []string{"github.com/charmbracelet/x/ansi"}, not: outside},
		{dir: "internal/proc", not: []string{"os/exec", "net", "net/http", "log/slog", "syscall"}},
		{dir: "internal/config", own: []string{"internal/text"}, mods: []string{"gopkg.in/yaml.v3"}, not: outside},
		{dir: "internal/sandbox", own: []string{"pigsty", "haproxy", "model", "render", "internal/text", "internal/sandbox"}, not: []string{"os/exec"}},
		{dir: "internal/sandbox/sim", not: outside},
		{dir: "internal/sandbox/haproxy", own: []string{"haproxy", "internal/sandbox/sim"}, not: []string{"os/exec", "net"}},
		{dir: "internal/sandbox/patroni", own: []string{"model", "internal/sandbox/sim", "internal/sandbox/pg"}, not: []string{"os", "os/exec", "net"}},
		{dir: "internal/sandbox/pg", mods: []string{"github.com/jackc/pgx/v5/pgproto3"}, not: []string{"os", "os/exec", "net/http"}},
		{dir: ".", own: nil},
		{dir: "session", own: []string{"session", "past", "record", "plan", "ansible", "pigsty", "haproxy", "model", "render", "probe", "apply", "internal"}, not: []string{"os/exec", "net", "net/http"}},
		{dir: "cmd", own: []string{"cmd", "session", "past", "record", "plan", "ansible", "pigsty", "haproxy", "model", "render", "probe", "apply", "tui", "lang", "internal"}, mods: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/charmbracelet/x/term", "golang.org/x/", "gopkg.in/yaml.v3"}, not: []string{"os/exec"}},
		{dir: "internal/labtest"},
		{dir: "internal/fuzz"},
		{dir: "internal/storetest"},
		{dir: "internal/modeltest", own: []string{"haproxy", "model"}, not: outside},
		{dir: "internal/captures", own: []string{"haproxy", "model", "probe"}},
		{dir: "internal/soak", own: []string{"pigsty", "haproxy", "model", "probe", "internal/text", "internal/soak"}, mods: []string{"github.com/jackc/pgx/v5/pgconn"}},
		{dir: "internal/soak/handover", own: []string{"session", "plan/action", "model", "internal/soak"}},
		{dir: "internal/measure", own: []string{"internal/proc"}, mods: []string{"github.com/creack/pty", "github.com/charmbracelet/x/ansi"}},
		{dir: "internal/ship", own: []string{"cmd", "lang"}, mods: []string{"github.com/spf13/cobra", "github.com/spf13/pflag"}},
		{dir: "internal/reference", own: []string{"cmd", "internal/config", "lang", "model/check", "plan"}, mods: []string{"github.com/spf13/cobra", "github.com/spf13/pflag"}},
		{dir: "internal/shots", mods: []string{"github.com/creack/pty", "github.com/charmbracelet/"}},
		{dir: "cmd/jsonv1", own: []string{"internal/text", "plan", "pigsty", "haproxy", "model"}, not: outside},
		{dir: "cmd/show", own: []string{"internal/text", "lang", "plan", "pigsty/lint", "haproxy", "model", "render"}, mods: []string{"github.com/charmbracelet/x/ansi"}, not: outside},
	}
}

// TestLayers holds the arrows of docs/adr/0001-layers.md. It parses the
// sources itself, so that the test cache cannot serve a stale answer.
func TestLayers(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || (strings.HasPrefix(d.Name(), ".") && path != ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		dir := filepath.ToSlash(filepath.Dir(path))
		r, ok := ruleOf(dir)
		if !ok {
			t.Errorf("%s: no rule for folder %s: add one here and say why in docs/adr", path, dir)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, im := range f.Imports {
			imp, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			if why := r.forbids(imp); why != "" {
				t.Errorf("%s imports %s: %s", path, imp, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Fatalf("only %d files seen: the walk is broken", files)
	}
}

// ruleOf is the rule of the nearest folder above dir that has one.
func ruleOf(dir string) (best rule, ok bool) {
	for _, r := range rules() {
		if (dir == r.dir || strings.HasPrefix(dir, r.dir+"/")) && len(r.dir) >= len(best.dir) {
			best, ok = r, true
		}
	}
	return best, ok
}

// forbids says why the import breaks the rule, "" when it does not.
func (r rule) forbids(imp string) string {
	if own, ok := strings.CutPrefix(imp, "pgtui/"); ok {
		for _, o := range append(r.own, leaf) {
			if own == o || strings.HasPrefix(own, o+"/") {
				return ""
			}
		}
		return r.dir + " must not know " + own
	}
	if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") {
		for _, m := range r.mods {
			if strings.HasPrefix(imp, m) {
				return ""
			}
		}
		return r.dir + " must not need that module"
	}
	for _, n := range r.not {
		if imp == n {
			return r.dir + " must not reach outside the process that way"
		}
	}
	return ""
}

// unguarded are the files whose goroutines may end the program: they run for
// commands without a screen only.
func unguarded() []string { return []string{"cmd/carry.go", "cmd/trace.go", "cmd/demo.go"} }

// TestGoroutinesAreGuarded: a panic in a goroutine would leave the terminal in raw
// mode, so whatever may run below the console is started by guard.Go or a
// guard.Group.
func TestGoroutinesAreGuarded(t *testing.T) {
	for _, dir := range []string{"probe", "apply", "session", "cmd", "tui"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || slices.Contains(unguarded(), filepath.ToSlash(path)) {
				return err
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, pos := range bare(f) {
				t.Errorf("%s: a goroutine that nothing guards: use guard.Go or guard.Group", set.Position(pos))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc x() { go x(); wg.Go(x); guard.Go(`x`, x, nil) }", 0)
	if err != nil || len(bare(f)) != 2 {
		t.Errorf("%v, %d found: the test is broken", err, len(bare(f)))
	}
}

// bare are the goroutines of a file that are begun without a guard: by a go
// statement, or by the Go of a sync.WaitGroup or the like.
func bare(f *ast.File) (out []token.Pos) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			out = append(out, n.Pos())
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" && len(n.Args) == 1 {
				out = append(out, n.Pos())
			}
		}
		return true
	})
	return out
}

// TestRulesCanFail keeps TestLayers honest.
func TestRulesCanFail(t *testing.T) {
	for _, tt := range []struct{ dir, imp string }{
		{"model", "os"}, {"ansible/jinja", "pgtui/model"}, {"source", "pgtui/ansible/py"}, {"haproxy", "pgtui/model"}, {"model", "pgtui/pigsty"}, {"model/check", "net/http"}, {"model", "gopkg.in/yaml.v3"}, {"tui/page", "pgtui/apply"},
		{"render", "pgtui/probe"}, {"probe", "os/exec"}, {"apply", "pgtui/tui"}, {"session", "pgtui/tui"}, {"session", "pgtui/cmd"}, {"cmd/show", "os"}, {"internal/sandbox", "pgtui/cmd"},
	} {
		if r, _ := ruleOf(tt.dir); r.forbids(tt.imp) == "" {
			t.Errorf("%s may import %s", tt.dir, tt.imp)
		}
	}
}
