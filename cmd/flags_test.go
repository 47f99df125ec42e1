package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const usageInventory = `all:
  children:
    pg-test:
      hosts:
        127.0.0.250: { pg_seq: 1, pg_role: primary }
        127.0.0.251: { pg_seq: 2, pg_role: replica }
      vars: { pg_cluster: pg-test }
`

// typed runs pgtui on an inventory of one cluster, without a terminal.
func typed(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pigsty.yml"), []byte(usageInventory), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": dir, "PGTUI_INVENTORY": filepath.Join(dir, "pigsty.yml")}
	var o, e bytes.Buffer
	code = Run(context.Background(), args, IO{In: strings.NewReader(""), Out: &o, Err: &e, Getenv: func(k string) string { return env[k] }})
	return code, o.String(), e.String()
}

// good are arguments with which each command that needs some is typed right.
func good(c *cobra.Command) []string {
	switch c.CommandPath() {
	case "pgtui access", "pgtui candidates", "pgtui ghosts", "pgtui states", "pgtui roles", "pgtui wait", "pgtui reload", "pgtui diff", "pgtui render",
		"pgtui switchover", "pgtui restart", "pgtui pause", "pgtui resume", "pgtui patroni config", "pgtui patroni history", "pgtui patroni reload",
		"pgtui timeline":
		return []string{"pg-test"}
	case "pgtui whatif":
		return []string{"pg-test", "--down", "pg-test-1"}
	case "pgtui trace":
		return []string{"pg-test", "primary"}
	case "pgtui failover":
		return []string{"pg-test", "--candidate", "pg-test-2"}
	case "pgtui pgbouncer", "pgtui postgres", "pgtui logs":
		return []string{"pg-test-1"}
	case "pgtui cancel", "pgtui terminate":
		return []string{"pg-test-1", "4711"}
	case "pgtui reinit":
		return []string{"pg-test-2"}
	case "pgtui patroni flush":
		return []string{"pg-test", "switchover"}
	case "pgtui apply":
		return []string{"plan.json"}
	}
	return nil
}

// free are the flags with a value that anything may be, or that is not looked at
// before the nodes or files are.
func free() []string {
	return []string{"inventory", "ssh-config", "pigsty-home", "vault-password-file", "out", "dir", "script", "playbook-dir", "help", "candidate", "why"}
}

// TestEveryCommandAndFlagThatIsTypedWrong walks the tree of commands: what is
// added to it is tried too.
func TestEveryCommandAndFlagThatIsTypedWrong(t *testing.T) {
	a := newApp(IO{Getenv: func(string) string { return "" }})
	tried := 0
	refused := func(c *cobra.Command, more ...string) {
		t.Helper()
		tried++
		args := append(strings.Fields(c.CommandPath())[1:], more...)
		code, out, errs := typed(t, args...)
		if code != exitUsage || out != "" || !strings.HasPrefix(errs, "pgtui: ") {
			t.Errorf("pgtui %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, exitUsage, out, errs)
		}
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.DisableFlagParsing {
			return // what the sandbox's nodes run, and nobody types
		}
		refused(c, append(good(c), "--no-such-flag")...)
		if c.HasSubCommands() {
			refused(c, "no-such-command")
		}
		if c.HasParent() && c.HasSubCommands() {
			refused(c)
		}
		if c.Args != nil && c.Args(c, nil) != nil {
			refused(c)
		}
		extra := slices.Repeat([]string{"pg-test"}, 5)
		if c.Args != nil && c.Args(c, extra) != nil {
			refused(c, extra...)
		}
		flags := c.LocalNonPersistentFlags()
		if !c.HasParent() {
			flags = c.PersistentFlags()
		}
		flags.VisitAll(func(f *pflag.Flag) {
			if slices.Contains(free(), f.Name) {
				return
			}
			if f.Name == "order" && slices.Contains([]string{"apply", "undo"}, c.Name()) {
				return // of a plan, and here is none
			}
			if f.Name == "context" { // of a file, which the root command has no need of without a terminal
				refused(c.Root(), "status", "--context", "nosuch")
				return
			}
			on := c
			if !c.HasParent() {
				on, _, _ = c.Find([]string{"lint"})
			}
			refused(on, append(good(on), "--"+f.Name+"=nosuch")...)
			switch f.Value.Type() {
			case "int", "float64":
				refused(on, append(good(on), "--"+f.Name+"=-1")...)
			case "duration":
				refused(on, append(good(on), "--"+f.Name+"=-1s")...)
			}
		})
		if g := good(c); len(g) > 0 && g[0] == "pg-test" {
			refused(c, append([]string{"nosuch"}, g[1:]...)...)
		}
		for _, s := range c.Commands() {
			walk(s)
		}
	}
	walk(a.root())
	if tried < 100 {
		t.Errorf("only %d lines were tried: the walk is broken", tried)
	}
}

// TestWhatIsTypedWrong are the kinds that the tree of commands does not tell.
func TestWhatIsTypedWrong(t *testing.T) {
	for _, line := range []string{
		"nosuch", "status nosuch", "doctor nosuch", "components nosuch", "routes nosuch", "history nosuch", "undo nosuch", "inventory nosuch", "help nosuch", "help config nosuch",
		"demo nosuch", "render pg-test nosuch", "render", "render --all pg-test",
		"diff pg-test nosuch", "reload pg-test nosuch --dry-run", "reload pg-test --order nosuch --dry-run", "states pg-test --enable --order nosuch",
		"whatif pg-test", "whatif pg-test --down nosuch", "whatif pg-test --leader nosuch", "whatif pg-test --down pg-test-1 --leader pg-test-1",
		"wait pg-test --service nosuch", "wait pg-test --serves nosuch", "wait pg-test --timeout 0s",
		"trace pg-test", "trace pg-test nosuch", "trace nosuch primary", "trace postgres://h:x/y", "trace pg-test primary --watch -o json", "trace pg-test primary --watch --count 2", "trace pg-test primary --count 0",
		"trace pg-test primary --every 1ms", "access pg-test --emit nosuch", "access pg-test -o dsn --scheme", "access pg-test --prove --count 0",
		"status --prove --watch", "status -o ndjson", "status --prove --count 0", "status --watch --every 0s",
		"ghosts pg-test --close -o json", "roles pg-test --edit -o json", "roles pg-test --yes",
		"inventory --list --graph", "inventory --list -o json", "inventory --host nosuch", "inventory --graph nosuch", "inventory --list pg-test", "inventory --host=",
		"reload pg-test -o json", "reload pg-test --via pigsty --resume", "reload pg-test --confirm-within 1s", "reload pg-test --confirm-within 90500ms", "reload pg-test --parallel 11", "reload pg-test --accept-risk config-rejected",
		"config show --context nosuch", "config check --context nosuch", "--dialect nosuch inventory --list", "--managed-at nosuch version", "demo --speed 0", "demo --clusters 0",
	} {
		code, out, errs := typed(t, strings.Fields(line)...)
		if code != exitUsage || out != "" || !strings.HasPrefix(errs, "pgtui: ") {
			t.Errorf("pgtui %s: exit %d, want %d\n%s%s", line, code, exitUsage, out, errs)
		}
	}
}

// TestWhatIsNotTypedWrong keeps its codes: a bad inventory, a bad configuration,
// a read-only run, a plan that has become another.
func TestWhatIsNotTypedWrong(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yml")
	if err := os.WriteFile(bad, []byte("all: {"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		line string
		code int
	}{
		{"status -i nosuch.yml", 3}, {"status -i " + bad, 3}, {"diff pg-test -i " + bad, 2}, {"pg-test -i " + bad, 1}, {"render --all -i " + bad, 1}, {"wait pg-test -i " + bad, 1},
		{"--read-only reload nosuch", 3}, {"--read-only ghosts nosuch --close", 3}, {"--read-only roles nosuch --edit", 3},
		{"apply nosuch.json", 3}, {"undo", 3}, {"reload pg-test --resume", 3}, {"pg-test", 1}, {"", 1}, {"help", 0}, {"help status", 0}, {"status --help", 0}, {"version", 0}, {"lint", 0}, {"inventory pg-test", 0}, {"inventory --graph pg-test", 0},
	} {
		if code, out, errs := typed(t, strings.Fields(tt.line)...); code != tt.code {
			t.Errorf("pgtui %s: exit %d, want %d\n%s%s", tt.line, code, tt.code, out, errs)
		}
	}
}
