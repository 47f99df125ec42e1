package cmd

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"pgtui/internal/sandbox"
)

// ended runs pgtui until its context is over.
func endedBy(ctx context.Context, t *testing.T, inventory string, out interface{ Write([]byte) (int, error) }, args ...string) (code int, errs string) {
	t.Helper()
	env := map[string]string{"HOME": t.TempDir(), "PGTUI_INVENTORY": inventory}
	var e bytes.Buffer
	code = Run(ctx, args, IO{In: strings.NewReader(""), Out: out, Err: &e, Getenv: func(k string) string { return env[k] }})
	return code, e.String()
}

// hanging is an inventory whose nodes take connections and never answer. asked is
// called with the first one.
func hanging(t *testing.T, asked func()) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked()
			t.Cleanup(func() { c.Close() })
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pigsty.yml")
	text := "all: { children: { pg-test: { hosts: { 127.0.0.1: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-test, ansible_port: PORT, patroni_port: PORT, haproxy_exporter_port: PORT, pg_port: PORT, pgbouncer_port: PORT } } } }\n"
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "PORT", port)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestAnInterruptedQuestionHasNoAnswer: whatever only reads prints no verdict
// once it is interrupted. The commands are those of the tree.
func TestAnInterruptedQuestionHasNoAnswer(t *testing.T) {
	a := newApp(IO{Getenv: func(string) string { return "" }})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var lines [][]string
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, s := range c.Commands() {
			walk(s)
		}
		if _, writes := c.Annotations["writes"]; c.HasParent() && !c.HasSubCommands() && !writes && c.Annotations[ends] == "" && !c.DisableFlagParsing && c.Name() != "init" {
			lines = append(lines, append(strings.Fields(c.CommandPath())[1:], good(c)...))
		}
	}
	walk(a.root())
	if len(lines) < 15 {
		t.Fatalf("only %d commands: the walk is broken", len(lines))
	}
	lines = append(lines, []string{"status", "-o", "json"}, []string{"status", "--watch"}, []string{"trace", "pg-test", "primary", "--watch"}, []string{"demo"})
	inv := hanging(t, func() {})
	for _, args := range lines {
		var out bytes.Buffer
		code, errs := endedBy(over, t, inv, &out, args...)
		if code != 130 || out.Len() > 0 && args[0] != "completion" && args[0] != "help" || errs != "pgtui: interrupted, nothing concluded\n" {
			t.Errorf("pgtui %s: exit %d\n%s%s", strings.Join(args, " "), code, out.String(), errs)
		}
	}
}

// TestInterruptedWhileNodesAreAsked: in the middle of it, too.
func TestInterruptedWhileNodesAreAsked(t *testing.T) {
	for _, line := range []string{"status", "status pg-test -o json", "status --prove", "doctor", "components --no-ssh", "routes", "whatif pg-test --down pg-test-1", "candidates pg-test", "wait pg-test", "access pg-test", "roles pg-test", "trace host=127.0.0.1"} {
		ctx, cancel := context.WithCancel(t.Context())
		inv := hanging(t, cancel)
		args := strings.Fields(line)
		if args[0] == "trace" {
			b, err := os.ReadFile(inv)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(b), "pg_port: ")
			port, _, _ := strings.Cut(rest, ",")
			if _, err := strconv.Atoi(port); err != nil {
				t.Fatal(err)
			}
			args = []string{"trace", "host=127.0.0.1 user=x port=" + port}
		}
		var out bytes.Buffer
		if code, errs := endedBy(ctx, t, inv, &out, args...); code != 130 || out.Len() > 0 || errs != "pgtui: interrupted, nothing concluded\n" {
			t.Errorf("pgtui %s: exit %d\n%s%s", line, code, out.String(), errs)
		}
		cancel()
	}
}

// changing are the lines of every command that changes something, with --yes and
// with --dry-run where it has them.
func changing(t *testing.T) (lines [][]string) {
	t.Helper()
	a := newApp(IO{Getenv: func(string) string { return "" }})
	given := map[string][]string{
		"drain": {"pg-test-1"}, "undrain": {"pg-test-1"}, "maint": {"pg-test-1"}, "ready": {"pg-test-1"}, "weight": {"pg-test-1", "50"}, "enable": {"pg-test", "--service", "primary"},
		"maintenance": {"127.0.0.1"}, "reinit": {"pg-test-1"}, "failover": {"pg-test", "--candidate", "pg-test-1"},
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, s := range c.Commands() {
			walk(s)
		}
		name := c.Name()
		if _, writes := c.Annotations["writes"]; !writes || name == "init" || name == "apply" || name == "undo" {
			return // apply and undo need a plan or a run; TestScripts has them
		}
		args := given[name]
		if args == nil {
			args = good(c)
		}
		for _, flag := range []string{"yes", "dry-run"} {
			if c.Flags().Lookup(flag) != nil {
				lines = append(lines, slices.Concat(strings.Fields(c.CommandPath())[1:], args, []string{"--" + flag}))
			}
		}
	}
	walk(a.root())
	for _, line := range []string{"reload pg-test --via pigsty --yes", "states pg-test --enable --yes", "ghosts pg-test --close --yes", "roles pg-test --edit --yes", "patroni config pg-test --set ttl=40 --yes"} {
		lines = append(lines, strings.Fields(line))
	}
	if len(lines) < 30 {
		t.Fatalf("only %d lines: the walk is broken", len(lines))
	}
	return lines
}

// TestAnInterruptedChangeHasAnOutcome: whatever changes something keeps the codes of
// its outcomes, and says that nothing was changed, whether it is interrupted before
// the nodes are probed or while they are.
func TestAnInterruptedChangeHasAnOutcome(t *testing.T) {
	for _, args := range changing(t) {
		for _, when := range []string{"before", "while nodes are probed"} {
			ctx, cancel := context.WithCancel(t.Context())
			inv := hanging(t, cancel)
			if when == "before" {
				cancel()
			}
			var out bytes.Buffer
			code, errs := endedBy(ctx, t, inv, &out, args...)
			if code != 3 || out.Len() > 0 || errs != "pgtui: interrupted, nothing was changed\n" {
				t.Errorf("pgtui %s, interrupted %s: exit %d\n%s%s", strings.Join(args, " "), when, code, out.String(), errs)
			}
			cancel()
		}
	}
}

// untilSaid is an output that ends a run once it has printed a text.
type untilSaid struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	end  context.CancelFunc
}

func (u *untilSaid) Write(b []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.buf.Write(b)
	if strings.Contains(u.buf.String(), u.text) {
		u.end()
	}
	return len(b), nil
}

// TestAnInterruptedWatchHasItsSummary: it has had its answers, and ends with what
// they come to.
func TestAnInterruptedWatchHasItsSummary(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Do(t.Context(), "kill pgbouncer pg-test-1"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ line, until, want string }{
		{"status --watch", "watching; ctrl-c ends", "pg-test"},
		{"trace pg-test primary --watch --every 20ms", "not served", "connections served, "},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &untilSaid{text: tt.until, end: cancel}
		code, errs := endedBy(ctx, t, sb.InventoryPath(), out, strings.Fields(tt.line)...)
		if got := out.buf.String(); code > 3 || errs != "" || !strings.Contains(got, tt.want) {
			t.Errorf("pgtui %s: exit %d\n%s%s", tt.line, code, got, errs)
		}
		cancel()
	}
}
