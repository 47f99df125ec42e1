package cmd_test

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/cmd"
	"pgtui/internal/sandbox"
)

// lesson is one command of the guide's first section and the lines that it
// shows below it.
type lesson struct {
	args  []string
	lines []string
}

// TestGuidesFirstIncident types the commands of docs/guide.md's first section
// on a sandbox whose leader dies, and compares what they print with the page:
// numbers and blanks apart, every line of the page must come in its order; …
// is anything. The sandbox's clock moves only where the test moves it.
func TestGuidesFirstIncident(t *testing.T) {
	lessons := readLessons(t, "../docs/guide.md")
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Close() })
	do := func(script string) {
		t.Helper()
		if err := sb.Do(t.Context(), script); err != nil {
			t.Fatal(err)
		}
	}
	do("fail pg-test-1\nwait 8s")
	for _, l := range lessons {
		switch l.args[0] {
		case "wait":
			do("wait 40s")
		case "roles":
			do("start pg-test-1\nwait 40s")
			l.args = append(l.args, "--yes")
		case "reload":
			l.args = append(l.args, "--yes")
			defer flow(t, sb)()
		}
		var out, errb bytes.Buffer
		cmd.Run(t.Context(), append([]string{"-i", sb.InventoryPath()}, l.args...),
			cmd.IO{In: strings.NewReader(""), Out: &out, Err: &errb, Getenv: func(string) string { return "" }})
		if line := absent(l.lines, out.String()); line != "" {
			t.Errorf("pgtui %s does not print %q as docs/guide.md has it, but:\n%s%s", strings.Join(l.args, " "), line, out.String(), errb.String())
		}
	}
	if absent([]string{"a 12  b", "… z"}, "a 3 b\nz") != "" || absent([]string{"b", "a"}, "a\nb") != "a" {
		t.Error("the comparison is broken")
	}
}

// flow lets the sandbox's time pass until stop is called.
func flow(t *testing.T, sb *sandbox.Sandbox) (stop func()) {
	end, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-end:
				ended <- nil
				return
			case <-time.After(10 * time.Millisecond):
			}
			if err := sb.Do(t.Context(), "wait 200ms"); err != nil {
				ended <- err
				return
			}
		}
	}()
	return func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// readLessons are the commands of the first section of the page, but for the
// one that starts the sandbox.
func readLessons(t *testing.T, page string) (out []lesson) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(b), "\n## ")
	section, _, _ = strings.Cut(section, "\n## ")
	for i, block := range strings.Split(section, "```") {
		if i%2 == 0 {
			continue
		}
		for line := range strings.Lines(block) {
			typed, ok := strings.CutPrefix(line, "$ ")
			switch {
			case ok && strings.HasPrefix(typed, "pgtui "):
				typed, _, _ = strings.Cut(typed, "#")
				out = append(out, lesson{args: strings.Fields(typed)[1:]})
			case ok:
				out = append(out, lesson{}) // another program: its lines are not compared
			case len(out) > 0:
				out[len(out)-1].lines = append(out[len(out)-1].lines, line)
			}
		}
	}
	var pgtui []lesson
	for _, l := range out {
		if len(l.args) > 0 && l.args[0] != "demo" {
			pgtui = append(pgtui, l)
		}
	}
	if len(pgtui) < 6 {
		t.Fatalf("%s has %d commands in its first section: the page is not read", page, len(pgtui))
	}
	return pgtui
}

// number is a number, or a duration with its unit.
var number = regexp.MustCompile(`[0-9]+(\.[0-9]+)?(m?s\b)?`)

// absent is the first line that does not come in the output after the ones
// before it; "" when all do.
func absent(lines []string, output string) string {
	plain := func(s string) string { return strings.Join(strings.Fields(number.ReplaceAllString(s, "0")), " ") }
	rest := plain(output)
	for _, line := range lines {
		for part := range strings.SplitSeq(line, "…") {
			_, after, ok := strings.Cut(rest, plain(part))
			if !ok {
				return strings.TrimSpace(line)
			}
			rest = after
		}
	}
	return ""
}

// TestGuidesAreTheSame: the Chinese guide has the sections of the English one, its first
// section types the same commands, and it names every command that the other one names.
func TestGuidesAreTheSame(t *testing.T) {
	read := func(page string) string {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	en, zh := read("../docs/guide.md"), read("../docs/guide.zh.md")
	if n, m := strings.Count(en, "\n## "), strings.Count(zh, "\n## "); n != m {
		t.Errorf("%d sections in English, %d in Chinese", n, m)
	}
	var typed [2][]string
	for i, page := range []string{"../docs/guide.md", "../docs/guide.zh.md"} {
		for _, l := range readLessons(t, page) {
			typed[i] = append(typed[i], strings.Join(l.args, " "))
		}
	}
	if !slices.Equal(typed[0], typed[1]) {
		t.Errorf("the first sections type\n%q\n%q", typed[0], typed[1])
	}
	named := func(page string) map[string]bool {
		out := map[string]bool{}
		for _, m := range regexp.MustCompile("(?m)(?:`|^\\$ )pgtui ([a-z]+)").FindAllStringSubmatch(page, -1) {
			out[m[1]] = true
		}
		return out
	}
	have, want := named(zh), named(en)
	if len(want) < 20 {
		t.Fatalf("only %d commands in the English guide: it is not read", len(want))
	}
	for name := range want {
		if !have[name] {
			t.Errorf("docs/guide.zh.md does not name pgtui %s", name)
		}
	}
	quoted := regexp.MustCompile("(?m)(?:`|^\\$ )pgtui ([^`#\n]*)")
	for _, m := range quoted.FindAllStringSubmatch(zh, -1) {
		words := strings.Fields(m[1])
		if len(words) == 0 || words[0] == "make" || strings.HasPrefix(words[0], "--") || strings.HasPrefix(words[0], "pg-") {
			continue
		}
		var out, errb bytes.Buffer
		help := append([]string{"help"}, words[0])
		if code := cmd.Run(t.Context(), help, cmd.IO{In: strings.NewReader(""), Out: &out, Err: &errb, Getenv: func(string) string { return "" }}); code != 0 {
			t.Errorf("docs/guide.zh.md: `pgtui %s`: %s", m[1], errb.String())
			continue
		}
		for _, w := range words[1:] {
			flag, _, _ := strings.Cut(w, "=")
			if strings.HasPrefix(flag, "--") && !strings.Contains(out.String(), flag) {
				t.Errorf("docs/guide.zh.md: `pgtui %s`: there is no %s", m[1], flag)
			}
		}
	}
}
