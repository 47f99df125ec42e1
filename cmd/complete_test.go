package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const completeInventory = `all:
  children:
    pg-test:
      hosts:
        127.0.0.250: { pg_seq: 1, pg_role: primary, nodename: alpha }
        127.0.0.251: { pg_seq: 2, pg_role: replica }
      vars:
        pg_cluster: pg-test
        pg_services: [ { name: report, port: 5440, selector: "[]" } ]
    pg-meta:
      hosts: { 127.0.0.252: { pg_seq: 1, pg_role: primary } }
      vars: { pg_cluster: pg-meta }
`

// TestCompletion types a tab: what is offered comes from the inventory's files, the
// audit file and the configuration.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	inv := write("pigsty.yml", completeInventory, 0o600)
	ran := filepath.Join(dir, "ran")
	program := write("inventory.sh", "#!/bin/sh\ntouch "+ran+"\n", 0o700)
	env := map[string]string{
		"HOME": dir, "PGTUI_INVENTORY": inv,
		"PGTUI_CONFIG": write("config.yml", "contexts: { prod: { inventory: "+inv+" }, lab: { inventory: "+program+" } }\nentry-points: { nlb: { host: nlb.example.com, cluster: pg-test } }\n", 0o600),
		"PGTUI_AUDIT": write("audit.jsonl", `{"v":1,"run":"r1","kind":"end","at":"2026-11-30T10:00:00Z","action":"reload","cluster":"pg-test","plan":"0123456789ab","inventory":"`+inv+
			`","outcome":"applied","nodes":[{"host":"127.0.0.250","outcome":"applied","backup":"/var/lib/pgtui/backup/x"}]}`+"\n", 0o600),
	}
	for _, tt := range []struct {
		line, word string
		want       []string // the words alone
		directive  string
	}{
		{"status", "pg-", []string{"pg-test", "pg-meta"}, ":4"},
		{"status pg-test", "pg-", []string{"pg-meta"}, ":4"},
		{"", "pg-t", []string{"pg-test"}, ":4"},
		{"", "what", []string{"whatif"}, ":4"},
		{"restart", "pg-test", []string{"pg-test", "pg-test-1", "pg-test-2"}, ":4"},
		{"drain", "pg-m", []string{"pg-meta-1"}, ":4"},
		{"maintenance", "alp", []string{"alpha"}, ":4"},
		{"components", "pg-meta", []string{"pg-meta", "pg-meta-1"}, ":4"},
		{"trace", "", []string{"pg-test", "pg-meta", "nlb"}, ":4"},
		{"trace pg-test", "", []string{"primary", "replica", "default", "offline", "report"}, ":4"},
		{"trace pg-test", "54", []string{"5433", "5434", "5436", "5438", "5440"}, ":4"},
		{"trace pg-meta", "re", []string{"replica"}, ":4"},
		{"drain pg-test-2 --service", "rep", []string{"replica", "report"}, ":4"},
		{"wait pg-test --serves", "", []string{"pg-test-1", "pg-test-2"}, ":4"},
		{"whatif pg-test --down-node", "127", []string{"127.0.0.250", "127.0.0.251"}, ":4"},
		{"reload pg-test --order", "", []string{"127.0.0.250", "127.0.0.251"}, ":4"},
		{"diff pg-meta", "", []string{"127.0.0.252"}, ":4"},
		{"undo", "0", []string{"0123456789ab"}, ":4"},
		{"apply", "", []string{"json"}, ":8"},
		{"status -o", "", []string{"table", "wide", "json", "yaml", "ndjson"}, ":4"},
		{"status -o", "j", []string{"json"}, ":4"},
		{"status --color", "a", []string{"auto", "always"}, ":4"},
		{"status --context", "", []string{"prod", "lab"}, ":4"},
		{"--context prod status", "pg-m", []string{"pg-meta"}, ":4"},
		{"patroni flush pg-test", "", []string{"switchover", "restart"}, ":4"},
		{"patroni", "h", []string{"history"}, ":4"},
		{"help", "envi", []string{"environment"}, ":4"},
		{"help patroni", "h", []string{"history"}, ":4"},
		{"status --every", "", nil, ":4"},
		{"version", "", nil, ":4"},
		{"-i", "", nil, ":0"},
		// what would run a program offers nothing, and nor does a file that is not there
		{"-i " + program + " status", "pg-", nil, ":4"},
		{"--context lab status", "pg-", nil, ":4"},
		{"-i " + filepath.Join(dir, "none.yml") + " status", "pg-", nil, ":4"},
		{"--ask-vault-pass status", "pg-m", []string{"pg-meta"}, ":4"},
	} {
		var out, errs bytes.Buffer
		args := append(append([]string{cobra.ShellCompRequestCmd}, strings.Fields(tt.line)...), tt.word)
		code := Run(t.Context(), args, IO{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(k string) string { return env[k] }})
		var got []string
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		for _, l := range lines[:len(lines)-1] {
			word, _, _ := strings.Cut(l, "\t")
			got = append(got, word)
		}
		if code != 0 || !slices.Equal(got, tt.want) || lines[len(lines)-1] != tt.directive {
			t.Errorf("pgtui %s %s<tab>: exit %d, %q %s, want %q %s", tt.line, tt.word, code, got, lines[len(lines)-1], tt.want, tt.directive)
		}
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("completing a word ran a program")
	}
}

// TestEveryWordIsCompleted: a command that takes arguments and a flag that has a
// value say what they name.
func TestEveryWordIsCompleted(t *testing.T) {
	none := []string{"help", "completion"} // these complete themselves
	untold := []string{"ansible-core", "at", "count", "dialect", "every", "for", "managed-at", "limit", "lines", "require-auth", "clusters", "speed", "confirm-within", "parallel", "schedule", "set", "since", "timeout", "until", "why"}
	seen := map[string]bool{}
	flags := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		name := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "pgtui"), " ")
		if c.Hidden || slices.ContainsFunc(none, func(n string) bool { return strings.HasPrefix(name, n) }) {
			return
		}
		_, kinds := argumentKinds()[name]
		seen[name] = true
		if takes := !c.HasSubCommands() && (c.Args == nil || c.Args(c, []string{"x"}) == nil || c.Args(c, []string{"x", "y"}) == nil); takes != kinds && name != "" {
			t.Errorf("pgtui %s takes arguments: %v, and argumentKinds has it: %v", name, takes, kinds)
		}
		each := c.LocalNonPersistentFlags()
		if !c.HasParent() {
			each = c.PersistentFlags()
		}
		each.VisitAll(func(f *pflag.Flag) {
			_, known := flagKinds()[f.Name]
			_, few := f.Value.(*choice)
			flags++
			if f.Value.Type() != "bool" && !known && !few && !slices.Contains(untold, f.Name) {
				t.Errorf("pgtui %s --%s: flagKinds does not have it", name, f.Name)
			}
		})
		for _, s := range c.Commands() {
			walk(s)
		}
	}
	walk(newApp(IO{Getenv: func(string) string { return "" }}).root())
	for name := range argumentKinds() {
		if !seen[name] {
			t.Errorf("argumentKinds has %q, which is no command", name)
		}
	}
	if flags < 100 {
		t.Errorf("only %d flags seen: the walk is broken", flags)
	}
}

// BenchmarkComplete: a tab costs little more than the start of the program, which
// version is.
func BenchmarkComplete(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pigsty.yml"), []byte(completeInventory), 0o600); err != nil {
		b.Fatal(err)
	}
	env := map[string]string{"HOME": dir, "PGTUI_INVENTORY": filepath.Join(dir, "pigsty.yml")}
	for _, line := range []string{"version", "__complete status pg-", "__complete trace pg-test 54"} {
		b.Run(strings.ReplaceAll(line, " ", "-"), func(b *testing.B) {
			for b.Loop() {
				var out, errs bytes.Buffer
				if code := Run(b.Context(), strings.Fields(line), IO{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(k string) string { return env[k] }}); code != 0 {
					b.Fatal(errs.String())
				}
			}
		})
	}
}
