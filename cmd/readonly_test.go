package cmd

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"
)

// writing are the command lines that change something, by command: every command
// with --yes, each with what makes it write.
func writing() map[string][]string {
	return map[string][]string{
		"pgtui reload": {"reload pg-test"}, "pgtui apply": {"apply plan.json"}, "pgtui undo": {"undo"},
		"pgtui ghosts": {"ghosts pg-test --close"}, "pgtui roles": {"roles pg-test --edit"}, "pgtui states": {"states pg-test --enable"},
		"pgtui switchover":     {"switchover pg-test", "switchover pg-test --candidate pg-test-2 --schedule 2h"},
		"pgtui failover":       {"failover pg-test --candidate pg-test-2"},
		"pgtui restart":        {"restart pg-test", "restart pg-test --pending", "restart pg-test-2", "restart pg-test --ssh"},
		"pgtui reinit":         {"reinit pg-test-2"},
		"pgtui pause":          {"pause pg-test"},
		"pgtui resume":         {"resume pg-test"},
		"pgtui patroni config": {"patroni config pg-test --set ttl=40"},
		"pgtui patroni reload": {"patroni reload pg-test"},
		"pgtui patroni flush":  {"patroni flush pg-test switchover", "patroni flush pg-test restart pg-test-2"},
		"pgtui drain":          {"drain pg-test-2", "drain pg-test-2 --timeout 5s --cut"},
		"pgtui undrain":        {"undrain pg-test-2"},
		"pgtui maint":          {"maint pg-test-2"},
		"pgtui ready":          {"ready pg-test-2"},
		"pgtui weight":         {"weight pg-test-2 50"},
		"pgtui enable":         {"enable pg-test --service replica"},
		"pgtui maintenance":    {"maintenance 127.0.0.1", "maintenance 127.0.0.1 --end"},
		"pgtui cancel":         {"cancel pg-test-1 4711"},
		"pgtui terminate":      {"terminate pg-test-1 4711"},
	}
}

// touched counts what reaches a node: connections to its ports, and starts of ssh.
type touched struct {
	inventory, dir, ssh string
	conns               atomic.Int64
}

// touchable is an inventory whose nodes are this machine's, and count. The PATH of
// the test has an ssh that counts.
func touchable(t *testing.T) *touched {
	t.Helper()
	n := &touched{dir: t.TempDir()}
	n.inventory, n.ssh = filepath.Join(n.dir, "pigsty.yml"), filepath.Join(n.dir, "ssh.log")
	listen := func() int { // the same port of both nodes
		l := n.listen(t, "127.0.0.1:0")
		n.listen(t, fmt.Sprintf("127.0.0.2:%d", l))
		return l
	}
	text := fmt.Sprintf("all:\n  vars: { patroni_port: %d, haproxy_exporter_port: %d, pg_port: %d, pgbouncer_port: %d }\n", listen(), listen(), listen(), listen()) +
		"  children:\n    pg-test:\n      hosts:\n        127.0.0.1: { pg_seq: 1, pg_role: primary }\n        127.0.0.2: { pg_seq: 2, pg_role: replica }\n      vars: { pg_cluster: pg-test }\n"
	for name, data := range map[string]string{n.inventory: text, filepath.Join(n.dir, "ssh"): "#!/bin/sh\necho \"$@\" >>" + n.ssh + "\nexit 255\n"} {
		if err := os.WriteFile(name, []byte(data), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", n.dir+":"+os.Getenv("PATH"))
	return n
}

// listen counts the connections to an address, and returns its port.
func (n *touched) listen(t *testing.T, addr string) int {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n.conns.Add(1)
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// total is how often a node was touched.
func (n *touched) total() int {
	log, _ := os.ReadFile(n.ssh)
	return int(n.conns.Load()) + bytes.Count(log, []byte("\n"))
}

// run runs pgtui on the inventory, with one more variable.
func (n *touched) run(variable string, args []string) (code int, out, errs string) {
	env := map[string]string{"HOME": n.dir, "PGTUI_INVENTORY": n.inventory, "PATH": n.dir}
	if name, value, ok := strings.Cut(variable, "="); ok {
		env[name] = value
	}
	var o, e bytes.Buffer
	code = Run(context.Background(), args, IO{In: strings.NewReader(""), Out: &o, Err: &e, Getenv: func(k string) string { return env[k] }})
	return code, o.String(), e.String()
}

// TestReadOnlyRefusesEveryAction walks the tree of commands: each that has --yes is
// refused at one gate, by the flag and by the variable, before a node gets one
// connection and before this machine has one file more.
func TestReadOnlyRefusesEveryAction(t *testing.T) {
	n := touchable(t)
	lines := writing()
	tried := 0
	refused := func(line string) {
		t.Helper()
		for _, way := range []struct {
			variable, name string
			flag           []string
		}{{"", "--read-only", []string{"--read-only"}}, {"PGTUI_READ_ONLY=1", "PGTUI_READ_ONLY", nil}} {
			tried++
			code, out, errs := n.run(way.variable, slices.Concat(way.flag, strings.Fields(line), []string{"--yes"}))
			if code != 3 || out != "" || !strings.Contains(errs, "read-only: nothing was changed ("+way.name+")") {
				t.Errorf("pgtui %s, %s: exit %d, expected 3 of the one gate\n%s%s", line, way.name, code, out, errs)
			}
		}
	}
	before, _ := os.ReadDir(n.dir)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Flags().Lookup("yes") != nil {
			if len(lines[c.CommandPath()]) == 0 {
				t.Errorf("%s has --yes: writing has no line of it", c.CommandPath())
			}
			for _, l := range lines[c.CommandPath()] {
				refused(l)
			}
			delete(lines, c.CommandPath())
		}
		for _, s := range c.Commands() {
			walk(s)
		}
	}
	walk(newApp(IO{Getenv: func(string) string { return "" }}).root())
	if len(lines) > 0 {
		t.Errorf("no command with --yes: %v", lines)
	}
	after, _ := os.ReadDir(n.dir)
	if got := n.total(); got != 0 || len(after) != len(before) {
		t.Errorf("%d lines touched a node %d times, and left %d files, before %d", tried, got, len(after), len(before))
	}
	// the counters count: what only reads does reach the nodes
	if n.run("PGTUI_READ_ONLY=1", []string{"drain", "pg-test-2", "--dry-run"}); n.total() == 0 {
		t.Error("a --dry-run touched no node: the counters are broken")
	}
	t.Logf("%d command lines were refused", tried)
}
