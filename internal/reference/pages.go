package main

import (
	"fmt"
	"go/ast"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pgtui/cmd"
	"pgtui/internal/config"
	"pgtui/lang"
	"pgtui/model/check"
	"pgtui/plan"
)

// cell is a text in a table.
func cell(s string) string {
	if s == "" {
		return "–"
	}
	return strings.ReplaceAll(s, "|", `\|`)
}

// configuration is the page of pgtui's own file.
func configuration() string {
	var b strings.Builder
	b.WriteString(head("Configuration: every key"))
	b.WriteString("[`config.md`](../config.md) has where the file is, examples, and what is trusted. `pgtui config init` writes a file with every key\ncommented out, `pgtui config check` reports mistakes, `pgtui config show` prints the values in effect.\n")
	for _, s := range config.Sections() {
		if s.Name == "" {
			fmt.Fprintf(&b, "\n## The file\n\n%s\n", s.What)
		} else {
			fmt.Fprintf(&b, "\n## `%s`\n\n%s\n", s.Name, s.What)
		}
		b.WriteString("\n| key | value | default |\n|---|---|---|\n")
		for _, k := range s.Keys {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, cell(k.Value), cell(k.Default))
		}
	}
	return b.String()
}

// risks is the page of the risks of plans.
func risks() string {
	var b strings.Builder
	b.WriteString(head("Risks: every name"))
	b.WriteString("[`risks.md`](../risks.md) has how a plan is judged. A risk that *stops* must be accepted by its name: `--accept-risk NAME`. A *note* is only shown.\n")
	for _, part := range []struct {
		title  string
		action bool
	}{{"Of a reload", false}, {"Of an action on a cluster", true}} {
		fmt.Fprintf(&b, "\n## %s\n\n| risk | | when | what to do |\n|---|---|---|---|\n", part.title)
		for _, k := range plan.RiskKinds() {
			if k.OfAction != part.action {
				continue
			}
			word := "note"
			if k.Stops {
				word = "stops"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, word, cell(k.When), cell(k.Do))
		}
	}
	return b.String()
}

// exits is the page of the exit codes.
func exits() string {
	var b strings.Builder
	b.WriteString(head("Exit codes: every command"))
	b.WriteString("[`exit-codes.md`](../exit-codes.md) has what holds for interrupted commands and for several clusters. The codes are stable.\n\n")
	b.WriteString("| command | 0 | 1 | 2 | 3 |\n|---|---|---|---|---|\n")
	for _, r := range cmd.Exits() {
		var names []string
		for _, c := range r.Commands {
			if c != "others" {
				c = "`" + c + "`"
			}
			names = append(names, c)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", strings.Join(names, ", "), cell(r.Means[0]), cell(r.Means[1]), cell(r.Means[2]), cell(r.Means[3]))
	}
	b.WriteString("\nThese are the same for every command:\n\n| code | meaning |\n|---|---|\n")
	for _, c := range cmd.ExitsOfAll() {
		fmt.Fprintf(&b, "| %d | %s |\n", c.Code, cell(c.Means))
	}
	return b.String()
}

// commands is the page of the command line.
func commands() string {
	m := cmd.NewManual(lang.English)
	var b strings.Builder
	b.WriteString(head("Commands: every flag"))
	b.WriteString("`pgtui help COMMAND` prints the same. [`guide.md`](../guide.md) has when to use which, [`exit-codes.md`](exit-codes.md) the exit codes,\n[`docs/schema`](../schema/README.md) the documents of `-o json`.\n\n")
	list := available(m.Root)
	for _, c := range list {
		fmt.Fprintf(&b, "- [`%s`](#%s): %s\n", c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
	}
	for _, c := range list {
		fmt.Fprintf(&b, "\n## %s\n\n", c.CommandPath())
		if c.Long == "" {
			b.WriteString(c.Short + ".\n")
		} else {
			b.WriteString(prose(c.Long))
		}
		fmt.Fprintf(&b, "\n```\n%s\n```\n", c.UseLine())
		if own := c.LocalNonPersistentFlags(); own.HasAvailableFlags() {
			b.WriteString("\n" + flags(own))
		}
	}
	b.WriteString("\n## Flags of every command\n\n" + flags(m.Root.PersistentFlags()))
	b.WriteString("\n## Environment\n\n| variable | |\n|---|---|\n")
	for _, v := range m.Environment {
		fmt.Fprintf(&b, "| `%s` | %s |\n", v.Name, cell(v.What))
	}
	return b.String()
}

// available are the commands below c that help lists, each before its own.
func available(c *cobra.Command) (out []*cobra.Command) {
	out = append(out, c)
	for _, s := range c.Commands() {
		if s.IsAvailableCommand() && s.Name() != "help" {
			out = append(out, available(s)...)
		}
	}
	return out
}

// prose is help as Markdown: a block in columns keeps its lines.
func prose(s string) string {
	var out []string
	for _, p := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		if strings.HasPrefix(p, " ") || strings.Contains(p, "\n ") {
			p = "```\n" + p + "\n```"
		} else {
			p = plain(p)
		}
		out = append(out, p)
	}
	return strings.Join(out, "\n\n") + "\n"
}

// plain keeps Markdown from reading signs of a sentence as its own.
func plain(s string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "_", `\_`).Replace(s)
}

// flags is a table of flags.
func flags(set *pflag.FlagSet) string {
	var b strings.Builder
	b.WriteString("| flag | |\n|---|---|\n")
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + value
		}
		if d := f.DefValue; d != "" && d != "false" && d != "[]" && d != "0" && d != "0s" && !strings.Contains(usage, "(default") {
			usage += " (default: " + d + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, cell(plain(usage)))
	})
	return b.String()
}

// findings is the page of the findings: each check of check.All with the comment of its
// function, and the severities that the function sets.
func findings(root string) (string, error) {
	files, err := parse(filepath.Join(root, "model/check"))
	if err != nil {
		return "", err
	}
	funcs := map[string]*ast.FuncDecl{}
	by := map[string]string{} // code to function
	consts := map[string]string{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil {
					funcs[n.Name.Name] = n
				} else {
					funcs["."+n.Name.Name] = n
				}
			case *ast.ValueSpec:
				if len(n.Values) == 1 {
					consts[n.Names[0].Name] = literal(n.Values[0])
				}
			}
			return true
		})
	}
	ast.Inspect(funcs["All"], func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok && lit.Type == nil {
			code, name := pairOf(lit)
			if c, ok := consts[code]; ok {
				code = c
			}
			by[code] = name
		}
		return true
	})
	var b strings.Builder
	b.WriteString(head("Findings: every code"))
	b.WriteString("What `pgtui doctor` and the board report, the most severe kind first. A finding of *drift* does not count for health: see\n[`verdicts.md`](../verdicts.md). `code` in JSON is the code, and stable; the sentences of findings are not. `pgtui lint` has rules of its own:\n[`lint.md`](../lint.md).\n\n| code | axis | severity | what it finds |\n|---|---|---|---|\n")
	for _, c := range check.All() {
		fn := funcs[by[c.Code]]
		if fn == nil {
			return "", fmt.Errorf("check.All: the function of %s is not found", c.Code)
		}
		_, what, ok := strings.Cut(sentence(fn.Doc), ": ")
		if !ok {
			return "", fmt.Errorf("%s: the comment does not begin with its name and a colon", fn.Name.Name)
		}
		for code, name := range by {
			if strings.ToLower(name) != name { // no word of English
				what = strings.ReplaceAll(what, name, "`"+code+"`")
			}
		}
		axis := "health"
		if c.Drift {
			axis = "drift"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Code, axis, severities(fn, funcs), cell(strings.ToUpper(what[:1])+what[1:]))
	}
	return b.String(), nil
}

// literal is the text of a string literal, or a name.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(e.Value, `"`)
	case *ast.Ident:
		return e.Name
	case *ast.CallExpr:
		return literal(e.Fun)
	}
	return ""
}

// pairOf are the code and the function of one row of check.All.
func pairOf(lit *ast.CompositeLit) (code, name string) {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			switch literal(kv.Key) {
			case "Code":
				code = literal(kv.Value)
			case "Find":
				name = literal(kv.Value)
			}
		}
	}
	return code, name
}

// severities are those that a check sets, the worst first: in its function, in what that
// hands report to, and in what makes its findings.
func severities(fn *ast.FuncDecl, funcs map[string]*ast.FuncDecl) string {
	seen := map[string]bool{}
	var visit func(fn *ast.FuncDecl)
	visited := map[*ast.FuncDecl]bool{nil: true}
	visit = func(fn *ast.FuncDecl) {
		if visited[fn] {
			return
		}
		visited[fn] = true
		ast.Inspect(fn, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "model" {
					seen[strings.ToLower(n.Sel.Name)] = true
				}
				if n.Sel.Name == "of" {
					visit(funcs[".of"])
				}
			case *ast.CallExpr:
				id, ok := n.Fun.(*ast.Ident)
				if ok && (strings.HasSuffix(id.Name, "Severity") || slices.ContainsFunc(n.Args, func(e ast.Expr) bool { return literal(e) == "report" })) {
					visit(funcs[id.Name])
				}
			}
			return true
		})
	}
	visit(fn)
	var out []string
	for _, s := range []string{"critical", "warning", "info"} {
		if seen[s] {
			out = append(out, s)
		}
	}
	return cell(strings.Join(slices.Compact(out), ", "))
}
