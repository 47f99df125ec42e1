//go:build lab

package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgtui/internal/labtest"
)

// console is the real program in a tmux of its own.
type console struct {
	t    *testing.T
	sock string
}

// openConsole builds pgtui and opens it in a terminal of the given size.
func openConsole(t *testing.T, cols, rows int, args ...string) *console {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Fatalf("tmux is missing: testdata/lab/lab install")
	}
	dir, bin := t.TempDir(), program(t)
	c := &console{t: t, sock: filepath.Join(dir, "tmux")}
	line := bin + " " + strings.Join(args, " ") + "; echo pgtui left with $?; exec cat"
	c.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows), line)
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", c.sock, "kill-server").Run() })
	return c
}

func (c *console) tmux(args ...string) string {
	c.t.Helper()
	cm := exec.Command("tmux", append([]string{"-S", c.sock}, args...)...)
	cm.Env = append(os.Environ(), "LANG=C.UTF-8", "TERM=xterm-256color")
	out, err := cm.CombinedOutput()
	if err != nil {
		c.t.Fatalf("tmux %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// screen is what stands on it now.
func (c *console) screen() string { return c.tmux("capture-pane", "-p") }

// keys types, key by key.
func (c *console) keys(keys ...string) {
	c.t.Helper()
	c.tmux(append([]string{"send-keys"}, keys...)...)
}

// see waits until every text stands on the screen.
func (c *console) see(texts ...string) string {
	c.t.Helper()
	return c.shows(fmt.Sprintf("%q", texts), func(screen string) bool {
		return !slices.ContainsFunc(texts, func(want string) bool { return !strings.Contains(screen, want) })
	})
}

// shows waits until the screen is as wanted, and returns it.
func (c *console) shows(what string, wanted func(screen string) bool) string {
	c.t.Helper()
	last := ""
	labtest.Until(c.t, "the console shows "+what, func() bool { last = c.screen(); return wanted(last) }, func() string { return last })
	return last
}

// TestLabConsoleReloads walks the console through a reload as a DBA would, on
// real nodes and a wide terminal, and checks the result on the nodes. The small
// one is TestLabConsoleIncident's.
func TestLabConsoleReloads(t *testing.T) {
	needLab(t)
	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }")
	c := openConsole(t, 200, 50, "-i", inv, "--ssh-config", labtest.SSHConfig(t))
	c.see("pg-meta", "pg-test", "fleet")
	c.keys("/", "t", "e", "s", "t", "Enter")
	c.see("pg-test", "hidden")
	c.keys("Enter")
	c.see("5433", "● serving", "leader pg-test-1", "3/3")
	c.keys("d")
	c.see("weight of pg-test-2: 100 → 50")
	c.keys("r")
	c.see("Reload HAProxy for pg-test?", "> ▏") // the dialog has settled
	c.keys("p", "g", "-", "t", "e", "s", "t", "Enter")
	c.see("reloaded and verified: 3 nodes")
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		if got := lab(t, "exec", n, "grep", "-c", "weight 50", "/etc/haproxy/conf.d/pg-test-replica.cfg"); got != "1" {
			t.Errorf("%s: the new weight stands in %s lines", n, got)
		}
	}
	c.keys("Enter")
	c.see("5433", "leader pg-test-1")
	c.keys("q")
	c.see("pgtui left with 0")
}

// TestLabConsoleCancels types another name: nothing may change.
func TestLabConsoleCancels(t *testing.T) {
	needLab(t)
	before := sums(t)
	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }")
	c := openConsole(t, 80, 24, "-i", inv, "--ssh-config", labtest.SSHConfig(t), "pg-test")
	c.see("● serving")
	c.keys("r") // the plan is read first …
	c.see("weight of pg-test-2: 100 → 50")
	c.keys("r") // … then asked about
	c.see("Reload HAProxy for pg-test?", "> ▏")
	c.keys("p", "g", "-", "m", "e", "t", "a", "Enter")
	c.see("Reload HAProxy for pg-test?", "> ▏", "is not pg-test: nothing was changed")
	c.keys("Escape")
	c.see("cancelled")
	c.keys("r")
	c.see("Reload HAProxy for pg-test?", "> ▏")
	c.keys("Enter") // an empty answer cancels
	c.shows("the page without the dialog", func(screen string) bool {
		return strings.Contains(screen, "cancelled") && !strings.Contains(screen, "Reload HAProxy for pg-test?")
	})
	if after := sums(t); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

// TestLabConsoleShowsAPartition watches a node go: unknown, never healthy; and
// what can still be read of the others is read without it.
func TestLabConsoleShowsAPartition(t *testing.T) {
	needLab(t)
	args := []string{"-i", labInventory(t), "--ssh-config", labtest.SSHConfig(t), "pg-test"}
	c := openConsole(t, 80, 24, args...)
	c.see("● serving", "3/3")
	lab(t, "partition", "pg-test-3")
	late := openConsole(t, 80, 24, args...)
	late.see("FILES up to date on 2 of 3   · reading pg-test-3")
	late.see("FILES up to date on 2 of 3   ? not checked on pg-test-3", "? read /etc/haproxy/conf.d: ")
	screen := c.see("? no answer", "2/3")
	if strings.Contains(screen, "● ok") {
		t.Errorf("drawn as healthy:\n%s", screen)
	}
	lab(t, "heal", "pg-test-3")
	c.see("3/3", "● serving")
}
