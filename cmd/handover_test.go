package cmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTerminalIsHandedOver gives the terminal to programs on a real one, lets them
// end in every way there is, and takes it back: the console draws and takes keys
// again, and what the operator typed for the program never ends the console.
func TestTerminalIsHandedOver(t *testing.T) {
	bin := program(t)
	inv := served(t, bin)
	shell := func(t *testing.T, env ...string) *screen {
		t.Helper()
		c := open(t, true, append(env, "ENV="), bin, "-i", inv, "pg-test")
		c.await(t, "pg-test-1")
		c.keys("!")
		c.await(t, "\x1b[?1049l")
		c.keys("echo the root is $PGTUI_ROOT\n")
		c.await(t, "the root is /")
		return c
	}
	back := func(t *testing.T, c *screen, text string) {
		t.Helper()
		c.await(t, text)
		c.keys("q")
		c.left(t, 0)
		c.restored(t)
	}
	t.Run("a shell, ctrl-c in it, and its exit code", func(t *testing.T) {
		c := shell(t)
		c.keys("sleep 1000\n")
		within(t, "it sleeps", func() bool { return strings.Contains(c.running(), "sleep\x001000") })
		c.keys("\x03")
		c.keys("echo still $((40 + 2))\n")
		c.await(t, "still 42")
		c.keys("exit 7\n")
		back(t, c, "ended with exit code 7")
	})
	t.Run("a shell that is stopped stops the console, and fg resumes both", func(t *testing.T) {
		c := shell(t)
		c.keys("kill -STOP $$\n")
		c.stopped(t)
		c.goOn(t)
		c.keys("echo still $((40 + 2))\n")
		c.await(t, "still 42")
		c.keys("exit\n")
		back(t, c, "has ended")
	})
	t.Run("SIGTERM while a shell has the terminal", func(t *testing.T) {
		c := shell(t)
		c.signal(syscall.SIGTERM)
		c.left(t, 0)
		c.restored(t)
	})
	t.Run("the terminal hangs up while a shell has it", func(t *testing.T) {
		c := shell(t)
		c.tty.Close()
		c.gone(t)
	})
	t.Run("the sandbox has no SQL", func(t *testing.T) {
		c := open(t, true, nil, bin, "-i", inv, "pg-test")
		c.await(t, "pg-test-1")
		c.keys("P")
		back(t, c, "not in the sandbox: psql postgres://")
	})
	t.Run("an ssh that fails stays on the screen until it was read", func(t *testing.T) {
		c := openHanging(t, bin, inv)
		failing := filepath.Join(filepath.Dir(c.config()), "ssh")
		if err := os.WriteFile(failing+".new", []byte("#!/bin/sh\ntest \"$1\" = -G && exit 1\necho \"ssh: connect to host $*: refused\" >&2\nexit 255\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(failing+".new", failing); err != nil {
			t.Fatal(err)
		}
		c.keys("!")
		c.await(t, "press any key to return")
		if s := c.text(); !strings.Contains(s, "refused") || !strings.Contains(s, "-l root -- 127.") || strings.Contains(s, "BatchMode") {
			t.Errorf("ssh was called with %q", tail(s))
		}
		c.mu.Lock()
		c.out = nil
		c.mu.Unlock()
		c.keys("\x03") // a key like any other
		back(t, c, "ended with exit code 255")
	})
	t.Run("E opens the line, and the diff of what was changed follows", func(t *testing.T) {
		dir := t.TempDir()
		text, err := os.ReadFile(inv)
		if err != nil {
			t.Fatal(err)
		}
		own, editor := filepath.Join(dir, "pigsty.yml"), filepath.Join(dir, "nano")
		script := "#!/bin/sh\necho \"edits $*\"\nsed -i 's/pg_seq: 2,/pg_seq: 2, pg_weight: 37,/' \"$2\"\n"
		for file, s := range map[string]string{own: string(text), editor: script} {
			if err := os.WriteFile(file, []byte(s), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		c := open(t, true, []string{"VISUAL=" + editor}, bin, "-i", own, "pg-test")
		c.await(t, "pg-test-1")
		c.keys("E")
		c.await(t, "edits +")
		c.await(t, "37") // the weight in the diff
		c.keys("q")
		c.left(t, 0)
		c.restored(t)
		ro := open(t, true, []string{"VISUAL=" + editor, "PGTUI_READ_ONLY=1"}, bin, "-i", own, "pg-test")
		ro.await(t, "pg-test-1")
		ro.keys("E")
		back(t, ro, "read-only: nothing was changed")
	})
}

// running are the command lines of the screen's processes.
func (c *screen) running() string {
	var out []string
	for _, pid := range c.processes() {
		out = append(out, cmdline(pid))
	}
	return strings.Join(out, "\n")
}

// config is the configuration that the program was opened with.
func (c *screen) config() string {
	for _, e := range c.shell.Env {
		if name, ok := strings.CutPrefix(e, "PGTUI_CONFIG="); ok && name != "" {
			return name
		}
	}
	return ""
}
