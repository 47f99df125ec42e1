package cmd

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

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestHelpListsEveryVariable: what the sources read of the environment is what
// `pgtui help environment` lists, and no more.
func TestHelpListsEveryVariable(t *testing.T) {
	read := map[string]bool{} // as the argument of Getenv
	named := map[string]bool{"TERM": true}
	for _, dir := range []string{".", "../session", "../probe", "../apply", "../lang"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || d.Name() == "help.go" {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if name, err := strconv.Unquote(n.Value); err == nil {
						named[name] = true
					}
				case *ast.CallExpr:
					if fun, ok := n.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "Getenv" && len(n.Args) == 1 {
						if lit, ok := n.Args[0].(*ast.BasicLit); ok {
							name, _ := strconv.Unquote(lit.Value)
							read[name] = true
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(read) < 15 {
		t.Fatalf("only %d variables found: the walk is broken", len(read))
	}
	twice := map[string]bool{}
	for _, v := range environment() {
		if twice[v.Name] {
			t.Errorf("%s is listed twice", v.Name)
		}
		twice[v.Name] = true
		if !named[v.Name] {
			t.Errorf("nothing reads %s", v.Name)
		}
		delete(read, v.Name)
	}
	for name := range read {
		t.Errorf("pgtui help environment lacks %s", name)
	}
}

// TestHelpFoldsTheGlobalFlags: a command's help has its own flags, one line for
// those of every command, and `pgtui help flags` has these.
func TestHelpFoldsTheGlobalFlags(t *testing.T) {
	_, all, _ := typed(t, "help", "flags")
	var global []string
	root := newApp(IO{Getenv: func(string) string { return "" }}).root()
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { global = append(global, "--"+f.Name) })
	for _, f := range global {
		if !strings.Contains(all, f+" ") && !strings.Contains(all, f+"\n") {
			t.Errorf("pgtui help flags lacks %s", f)
		}
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "completion" || c.Parent() != nil && c.Parent().Name() == "completion" {
			return
		}
		code, out, errs := typed(t, append([]string{"help"}, strings.Fields(c.CommandPath())[1:]...)...)
		usage := strings.SplitN(out, "Usage:\n", 2)
		if code != 0 || errs != "" || len(usage) != 2 {
			t.Errorf("pgtui help %s: exit %d, %s%s", c.CommandPath(), code, out, errs)
			return
		}
		for _, line := range strings.Split(usage[1], "\n") {
			if i := slices.IndexFunc(global, func(f string) bool { return strings.HasPrefix(strings.TrimSpace(line), f+" ") }); i >= 0 {
				t.Errorf("pgtui help %s lists %s: it is a flag of every command", c.CommandPath(), global[i])
			}
		}
		if c.HasParent() && !strings.Contains(out, "\nGlobal flags: pgtui help flags\n") {
			t.Errorf("pgtui help %s does not say where the global flags are", c.CommandPath())
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(usage[1], "--"+f.Name) {
				t.Errorf("pgtui help %s lacks --%s", c.CommandPath(), f.Name)
			}
		})
		for _, s := range c.Commands() {
			walk(s)
		}
	}
	walk(root)
}

// TestHelpFlagIsTranslated: cobra's own flag is one of the texts of pgtui.
func TestHelpFlagIsTranslated(t *testing.T) {
	for name, want := range map[string]string{"en": "print the help", "zh": "打印帮助"} {
		for _, args := range [][]string{{"status", "--help", "--lang", name}, {"help", "config", "show", "--lang", name}} {
			if code, out, _ := typed(t, args...); code != 0 || !strings.Contains(out, want) {
				t.Errorf("%v: exit %d, %s", args, code, out)
			}
		}
	}
}

// TestHelpNamesStay: what a person types is the same in both languages, in the same column.
func TestHelpNamesStay(t *testing.T) {
	names := func(language string) (out []string) {
		_, text, _ := typed(t, "help", "--lang", language)
		for _, line := range strings.Split(text, "\n") {
			if name, _, ok := strings.Cut(strings.TrimPrefix(line, "  "), "  "); ok && name != "" && strings.HasPrefix(line, "  ") { // a text goes on below its name
				out = append(out, name)
			}
		}
		return out
	}
	if en, zh := names("en"), names("zh"); len(en) < 30 || !slices.Equal(en, zh) {
		t.Errorf("English %q, Chinese %q", en, zh)
	}
}
