package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pgtui/cmd"
	"pgtui/lang"
)

// writePages writes a page for each command, in each language.
func writePages(dir string, e edition) error {
	for _, in := range []struct{ language, dir string }{{lang.English, "man1"}, {lang.Chinese, "zh_CN/man1"}} {
		to := filepath.Join(dir, in.dir)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		codes, err := exitCodes("docs/reference/exit-codes.md")
		if err != nil {
			return err
		}
		for name, text := range pages(cmd.NewManual(in.language), e, codes) {
			if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// pages are the manual pages by file name, in the language of the process.
func pages(m cmd.Manual, e edition, codes map[string][]exitCode) map[string]string {
	out := map[string]string{}
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		out[pageName(c)+".1"] = page(c, m, e, codes)
		for _, s := range c.Commands() {
			if s.IsAvailableCommand() && s.Name() != "help" {
				add(s)
			}
		}
	}
	add(m.Root)
	return out
}

// pageName is "pgtui-patroni-config".
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// page is the manual page of one command.
func page(c *cobra.Command, m cmd.Manual, e edition, codes map[string][]exitCode) string {
	r := &roff{zh: lang.Current() == lang.Chinese}
	name := pageName(c)
	r.line(`.\" made from pgtui's own help`)
	if r.zh {
		r.line(breaks)
	}
	r.line(".ds AD l") // lines of Chinese have no spaces to stretch; groff before 1.23 has .ad only
	r.line(".TH", quote(strings.ToUpper(name)), "1", e.Date.Format("2006-01-02"), quote("pgtui "+e.Version), quote("Pigsty"))
	r.line(".ad l")
	r.line(".nh") // names of instances are never hyphenated
	r.section("NAME")
	r.line(escape(name), `\-`, escape(c.Short))
	r.section("SYNOPSIS")
	r.synopsis(c)
	r.section("DESCRIPTION")
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	r.text(about)
	if c.HasAvailableSubCommands() {
		r.section("COMMANDS")
		for _, s := range c.Commands() {
			if s.IsAvailableCommand() && s.Name() != "help" {
				r.item(`\fB`+escape(pageName(s))+`\fP(1)`, s.Short)
			}
		}
	}
	own := c.LocalNonPersistentFlags()
	if own.HasAvailableFlags() {
		r.section("OPTIONS")
		r.flags(own)
	}
	if !c.HasParent() {
		r.section("GLOBAL OPTIONS")
		r.flags(c.PersistentFlags())
		r.section("NAMES")
		r.text(m.Names)
		r.section("OUTPUT")
		r.text(m.Output)
		r.section("ENVIRONMENT")
		for _, v := range m.Environment {
			r.item(`\fB`+escape(v.Name)+`\fP`, v.What)
		}
		r.section("FILES")
		for _, f := range files {
			r.item(`\fI`+escape(f[0])+`\fP`, lang.Text(f[1]))
		}
	}
	r.exits(strings.TrimPrefix(c.CommandPath(), "pgtui "), codes)
	r.section("SEE ALSO")
	r.line(strings.Join(related(c), ", "))
	return r.b.String()
}

// files are what pgtui reads and writes on the machine that it runs on.
var files = [][2]string{ //nolint:gochecknoglobals // a table
	{"~/.config/pgtui/config.yml", "pgtui's own configuration"},
	{"~/.local/state/pgtui/audit.jsonl", "the audit file: what was changed, when and by whom"},
	{"~/pigsty/pigsty.yml", "the inventory, unless another one is given"},
	{"~/.ssh/config", "how the nodes are reached"},
	{"/usr/share/doc/pgtui/docs", "the guide, and all other pages that are named here as docs/"},
}

// related are the pages that lead on from that of a command.
func related(c *cobra.Command) (out []string) {
	ref := func(name string, section int) { out = append(out, fmt.Sprintf(`\fB%s\fP(%d)`, escape(name), section)) }
	for p := c.Parent(); p != nil; p = p.Parent() {
		ref(pageName(p), 1)
	}
	slices.Reverse(out)
	if !c.HasParent() {
		ref("ssh", 1)
		ref("ssh_config", 5)
		ref("haproxy", 1)
		ref("psql", 1)
	}
	return out
}

// roff is a manual page that is written.
type roff struct {
	b  strings.Builder
	zh bool
}

func (r *roff) line(words ...string) { r.b.WriteString(strings.Join(words, " ") + "\n") }

func (r *roff) section(title string) { r.line(".SH", quote(lang.Text(title))) }

func (r *roff) item(head, body string) {
	r.line(".TP")
	r.line(head)
	r.line(escape(body))
}

// synopsis has the ways to type a command.
func (r *roff) synopsis(c *cobra.Command) {
	path := escape(c.CommandPath())
	if c.Runnable() && (c.HasParent() || !c.HasAvailableSubCommands()) || !c.HasParent() {
		args := strings.TrimSpace(strings.TrimPrefix(strings.TrimSuffix(c.UseLine(), "[flags]"), c.CommandPath()))
		if c.HasAvailableLocalFlags() {
			args = strings.TrimSpace(lang.Text("[options]") + " " + args)
		}
		r.line(`\fB`+path+`\fP`, escape(args))
	}
	if c.HasAvailableSubCommands() {
		r.line(".br")
		r.line(`\fB`+path+`\fP`, escape(lang.Text("<command>")), "...")
	}
}

// table is a line of a block that keeps its lines: indented, or in columns.
var table = regexp.MustCompile(`(?m)^\s|\S {2,}\S`)

// text has paragraphs; a block in columns stays as it is.
func (r *roff) text(s string) {
	for i, p := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		if i > 0 {
			r.line(".PP")
		}
		if table.MatchString(p) {
			r.line(".RS 2")
			r.line(".nf")
			for _, l := range strings.Split(p, "\n") {
				r.line(escape(l))
			}
			r.line(".fi")
			r.line(".RE")
			continue
		}
		join := " "
		if r.zh {
			join = "" // lines of Chinese are joined without a space
		}
		r.line(escape(strings.ReplaceAll(p, "\n", join)))
	}
}

// flags has the options, with their default values.
func (r *roff) flags(set *pflag.FlagSet) {
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		head := `\fB` + escape("--"+f.Name) + `\fP`
		if f.Shorthand != "" {
			head = `\fB` + escape("-"+f.Shorthand) + `\fP, ` + head
		}
		if value != "" {
			head += ` \fI` + escape(value) + `\fP`
		}
		if !strings.Contains(usage, f.DefValue) && !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
			usage += lang.Text(" (default: " + f.DefValue + ")")
		}
		r.item(head, usage)
	})
}

// exitCode is what a code means.
type exitCode struct{ Code, Meaning string }

// exits has the exit codes of a command. They are in English only, so a Chinese page
// has none.
func (r *roff) exits(command string, codes map[string][]exitCode) {
	own, ok := codes[command]
	if !ok {
		own = codes["others"]
	}
	if r.zh {
		return
	}
	r.section("EXIT STATUS")
	for _, c := range append(slices.Clone(own), codes["all"]...) {
		r.item(`\fB`+c.Code+`\fP`, c.Meaning)
	}
}

// exitCodes reads the two tables of docs/reference/exit-codes.md: the codes by command, and under
// "all" those of every command.
func exitCodes(file string) (map[string][]exitCode, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out := map[string][]exitCode{}
	for _, l := range strings.Split(string(b), "\n") {
		cells := strings.Split(strings.Trim(l, "| "), " | ")
		switch {
		case len(cells) == 5 && cells[0] != "command":
			var codes []exitCode
			for i, meaning := range cells[1:] {
				if meaning != "–" {
					codes = append(codes, exitCode{fmt.Sprint(i), meaning})
				}
			}
			for _, name := range strings.Split(cells[0], ", ") {
				name = strings.Trim(name, "`")
				if _, options, ok := strings.Cut(name, " --"); ok { // a command with an option has codes of its own
					name = strings.TrimSuffix(name, " --"+options)
					for _, c := range codes {
						out[name] = append(out[name], exitCode{c.Code, "With --" + options + ": " + c.Meaning})
					}
					continue
				}
				out[name] = append(codes, out[name]...)
			}
		case len(cells) == 2 && regexp.MustCompile(`^\d+$`).MatchString(cells[0]):
			out["all"] = append(out["all"], exitCode{cells[0], cells[1]})
		}
	}
	if len(out["all"]) == 0 || len(out["status"]) != 4 {
		return nil, fmt.Errorf("%s: its tables cannot be read", file)
	}
	return out, nil
}

// breaks lets groff break lines between Chinese characters, as it must do without spaces:
// not before closing punctuation, not behind an opening one.
const breaks = `.if \n(.g \{\
.  class [han] \[u3040]-\[u9FFF]
.  cflags 512 \C'[han]'
.  class [hanclose] \[u3001] \[u3002] \[uFF01] \[uFF09] \[uFF0C] \[uFF1A] \[uFF1B] \[uFF1F]
.  cflags 258 \C'[hanclose]'
.  class [hanopen] \[uFF08]
.  cflags 16 \C'[hanopen]'
.\}`

// code is a word in backquotes.
var code = regexp.MustCompile("`([^`]*)`")

// escape is a text as roff has it: signs as they are typed, code in bold.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "~", `\(ti`, "^", `\(ha`).Replace(s)
	s = code.ReplaceAllString(s, `\fB$1\fP`)
	s = strings.ReplaceAll(s, "`", `\(ga`)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// quote is a text as an argument of a macro.
func quote(s string) string { return `"` + strings.ReplaceAll(escape(s), `"`, `\(dq`) + `"` }
