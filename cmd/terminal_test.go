package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"pgtui/cmd"
)

// TestTerminalIsRestored runs the program on a pseudo-terminal, below a shell
// with job control, and lets it end in every way there is. Whatever the way:
// the terminal is as it was, and no process is left.
func TestTerminalIsRestored(t *testing.T) {
	bin := program(t)
	inv := served(t, bin)
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, c *screen)
		code int
	}{
		{"q", func(_ *testing.T, c *screen) { c.keys("q") }, 0},
		{"ctrl-c", func(_ *testing.T, c *screen) { c.keys("\x03") }, 0},
		{"SIGINT", func(_ *testing.T, c *screen) { c.signal(syscall.SIGINT) }, 0},
		{"SIGTERM", func(_ *testing.T, c *screen) { c.signal(syscall.SIGTERM) }, 0},
		{"SIGHUP", func(_ *testing.T, c *screen) { c.signal(syscall.SIGHUP) }, 0},
		{"the mouse given away first", func(t *testing.T, c *screen) { c.keys("m"); c.await(t, "the terminal has the mouse"); c.keys("q") }, 0},
		{"in a dialog of the palette", func(t *testing.T, c *screen) { c.keys(":find"); c.await(t, "esc cancels"); c.signal(syscall.SIGTERM) }, 0},
		{"ctrl-z, then q", func(t *testing.T, c *screen) { c.keys("\x1a"); c.sleeps(t, "q") }, 0},
		{"SIGTSTP, then q", func(t *testing.T, c *screen) { c.signal(syscall.SIGTSTP); c.sleeps(t, "q") }, 0},
		{"SIGTSTP twice, then q", func(t *testing.T, c *screen) {
			c.signal(syscall.SIGTSTP)
			c.sleeps(t, "")
			c.signal(syscall.SIGTSTP)
			c.sleeps(t, "q")
		}, 0},
		{"SIGTERM while it sleeps", func(t *testing.T, c *screen) {
			c.signal(syscall.SIGTSTP)
			c.stopped(t)
			c.signal(syscall.SIGTERM)
			c.goOn(t)
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := open(t, true, nil, bin, "-i", inv)
			c.await(t, "pg-test-1")
			tt.end(t, c)
			c.left(t, tt.code)
			c.restored(t)
		})
	}
	t.Run("SIGTERM and SIGCONT while it sleeps in the background", func(t *testing.T) {
		c := open(t, true, nil, bin, "-i", inv)
		c.await(t, "pg-test-1")
		c.signal(syscall.SIGTSTP)
		c.stopped(t)
		pid := c.program()
		_ = syscall.Kill(pid, syscall.SIGTERM)
		_ = syscall.Kill(pid, syscall.SIGCONT)
		c.gone(t)
		c.restored(t)
	})
	t.Run("where no shell could wake it ctrl-z only draws anew", func(t *testing.T) {
		c := open(t, false, nil, bin, "-i", inv)
		c.await(t, "pg-test-1")
		c.keys("\x1a")
		c.await(t, "there is no shell to return to")
		c.keys("q")
		c.left(t, 0)
		c.restored(t)
	})
	for name, shell := range map[string]bool{"the terminal hangs up": true, "the terminal hangs up and no signal says so": false} {
		t.Run(name, func(t *testing.T) {
			c := open(t, shell, nil, bin, "-i", inv)
			c.await(t, "pg-test-1")
			if !shell {
				c.detach(t, bin, inv)
			}
			c.tty.Close()
			c.gone(t)
		})
	}
	t.Run("quit has another key, and the fleet other columns", func(t *testing.T) {
		config := filepath.Join(t.TempDir(), "config.yml")
		if err := os.WriteFile(config, []byte("keys: {quit: ctrl+x, help: []}\ncolumns: {fleet: [leader, cluster]}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := open(t, true, []string{"PGTUI_CONFIG=" + config}, bin, "-i", inv)
		c.await(t, "pg-test-1")
		if s := c.text(); strings.Contains(s, "FINDINGS") || strings.Index(s, "LEADER") > strings.Index(s, "CLUSTER") {
			t.Errorf("other columns: %q", tail(s))
		}
		c.keys("q?:find") // the palette takes what follows the keys that are none any more
		c.await(t, "esc cancels")
		c.keys("\x03\x18") // ctrl-c closes the palette, ctrl-x leaves
		c.left(t, 0)
		c.restored(t)
	})
	t.Run("an ssh that hangs", func(t *testing.T) {
		c := openHanging(t, bin, inv)
		c.keys("q")
		c.left(t, 0)
		c.restored(t)
	})
	for _, name := range []string{"update", "work"} {
		t.Run("a panic in "+name, func(t *testing.T) {
			c := open(t, true, []string{"PGTUI_TEST_RUN=broken"}, os.Args[0], "-i", inv)
			c.await(t, "pg-test-1")
			c.keys(map[string]string{"update": "\x1b[24~", "work": "\x1b[23~"}[name]) // f12, f11
			c.left(t, 1)
			c.restored(t)
			if s := c.text(); !strings.Contains(s[strings.LastIndex(s, "\x1b[?1049l"):], "broken on purpose") {
				t.Errorf("the panic is not told after the screen was left: %q", tail(s))
			}
		})
	}
	t.Run("a panic in every question", func(t *testing.T) {
		c := open(t, true, []string{"PGTUI_TEST_RUN=broken"}, os.Args[0], "-i", inv)
		c.await(t, "pg-test-1")
		c.keys("\x1b[21~")         // f10
		c.await(t, "break asking") // ": done" comes later, by itself
		c.keys("f")
		c.await(t, "pgtui itself failed")
		c.keys("q")
		c.left(t, 0)
		c.restored(t)
	})
	// An inventory that takes its time does not keep the screen away: here a
	// program that waits until the test lets it print the sandbox's.
	for _, tt := range []struct {
		name string
		end  func(t *testing.T, c *screen, fifo string)
		code int
	}{
		{"an inventory that comes late", func(t *testing.T, c *screen, fifo string) {
			list, err := exec.CommandContext(t.Context(), bin, "-i", inv, "inventory", "--list").Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(fifo, list, 0); err != nil {
				t.Fatal(err)
			}
			c.await(t, "pg-test-1")
			c.keys("q")
		}, 0},
		{"an inventory that cannot be had after all", func(t *testing.T, c *screen, fifo string) {
			if err := os.WriteFile(fifo, []byte("no JSON"), 0); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"q before the inventory comes", func(_ *testing.T, c *screen, _ string) { c.keys("q") }, 0},
		{"SIGHUP before the inventory comes", func(_ *testing.T, c *screen, _ string) { c.signal(syscall.SIGHUP) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			program, fifo := filepath.Join(dir, "inventory.sh"), filepath.Join(dir, "fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(program, []byte("#!/bin/sh\nexec cat '"+fifo+"'\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			c := open(t, true, nil, bin, "-i", program)
			c.await(t, "reading the inventory")
			tt.end(t, c, fifo)
			c.left(t, tt.code)
			c.restored(t)
			if s := c.text(); tt.code != 0 && !strings.Contains(s[strings.LastIndex(s, "\x1b[?1049l"):], "inventory.sh") {
				t.Errorf("why is not told after the screen was left: %q", tail(s))
			}
		})
	}
	t.Run("TERM=dumb", func(t *testing.T) {
		c := open(t, true, []string{"TERM=dumb"}, bin, "-i", inv)
		c.left(t, 1)
		c.restored(t)
		if s := c.text(); strings.Contains(s, "\x1b") || !strings.Contains(s, "the console needs a terminal") {
			t.Errorf("wrote %q", s)
		}
	})
	t.Run("no terminal", func(t *testing.T) {
		for name, redirect := range map[string]string{"in": "</dev/null", "out": "|cat"} {
			c := open(t, true, nil, "sh", "-c", `"$@" `+redirect, "sh", bin, "-i", inv)
			c.left(t, map[string]int{"in": 1, "out": 0}[name]) // cat's own in a pipe
			c.restored(t)
			if s := c.text(); strings.Contains(s, "\x1b") || !strings.Contains(s, "the console needs a terminal") {
				t.Errorf("no %s: wrote %q", name, s)
			}
		}
	})
}

// broken is what the test's own program runs as: a console in which f12 makes
// the next update panic, and f11 the work it starts.
func broken() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return cmd.RunBroken(ctx, os.Args[1:], cmd.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
}

// served is the inventory of a sandbox that another process serves.
func served(t *testing.T, bin string) string {
	dir := filepath.Join(t.TempDir(), "sandbox")
	c := exec.Command(bin, "demo", "--serve", "--dir", dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Signal(syscall.SIGTERM); _ = c.Wait() })
	inv := filepath.Join(dir, "pigsty.yml")
	within(t, "the sandbox answers", func() bool {
		out, _ := exec.Command(bin, "-i", inv, "status", "pg-test").Output()
		return bytes.Contains(out, []byte("leader pg-test-1"))
	})
	return inv
}

// screen is a pseudo-terminal with a program on it.
type screen struct {
	tty    *os.File // the side of the terminal
	line   *os.File // the side of the programs; kept open, so that its state can be read at the end
	before unix.Termios
	mark   string // in the environment of every process that descends from it
	dir    string
	shell  *exec.Cmd
	script string // what the shell runs

	mu  sync.Mutex
	out []byte
}

// The shell writes what became of the program to files: on the terminal it
// would stand among the program's own.
const shellScript = `set -m
"$@"
code=$?
n=0
while jobs >"$DIR/jobs"; grep -q Stopped "$DIR/jobs"; do
	n=$((n+1)); echo stopped >"$DIR/stopped$n"
	while ! test -e "$DIR/go$n"; do sleep 0.02; done
	fg >/dev/null
	code=$?
done
echo $code >"$DIR/code.new" && mv "$DIR/code.new" "$DIR/code"
while ! test -e "$DIR/end"; do sleep 0.02; done
`

// direct is a program without job control: no shell could wake it.
const directScript = `"$@"
echo $? >"$DIR/code.new" && mv "$DIR/code.new" "$DIR/code"
while ! test -e "$DIR/end"; do sleep 0.02; done
`

func open(t *testing.T, jobs bool, env []string, argv ...string) *screen {
	t.Helper()
	c := &screen{mark: "PGTUI_TEST_MARK=" + t.Name() + strconv.Itoa(os.Getpid()), dir: t.TempDir(), script: directScript}
	var err error
	if c.tty, c.line, err = pty.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.tty.Close(); c.line.Close() })
	if err = pty.Setsize(c.tty, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	c.before = *termios(t, c.line)
	fd, err := unix.FcntlInt(c.tty.Fd(), unix.F_DUPFD_CLOEXEC, 0) // one that can be closed while it is read
	if err != nil || unix.SetNonblock(fd, true) != nil {
		t.Fatal("no second master: ", err)
	}
	c.tty.Close()
	c.tty = os.NewFile(uintptr(fd), "ptmx")
	if jobs {
		c.script = shellScript
	}
	c.shell = exec.Command("sh", append([]string{"-c", c.script, "sh"}, argv...)...)
	c.shell.Stdin, c.shell.Stdout, c.shell.Stderr = c.line, c.line, c.line
	c.shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	c.shell.Env = append(os.Environ(), c.mark, "DIR="+c.dir, "TERM=xterm-256color", "LANG=C.UTF-8", "HOME="+c.dir, "NO_COLOR=", "PGTUI_CONFIG=", "PGTUI_CONTEXT=")
	c.shell.Env = append(c.shell.Env, env...)
	if err := c.shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.shell.Process.Kill()
		for _, pid := range c.processes() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		_ = c.shell.Wait()
	})
	go func() {
		b := make([]byte, 32<<10)
		for {
			n, err := c.tty.Read(b)
			c.mu.Lock()
			c.out = append(c.out, b[:n]...)
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return c
}

func termios(t *testing.T, f *os.File) *unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (c *screen) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.out)
}

func (c *screen) keys(s string) { _, _ = io.WriteString(c.tty, s) }

// await waits until the program has written a text.
func (c *screen) await(t *testing.T, text string) {
	t.Helper()
	within(t, "the screen shows "+text, func() bool { return strings.Contains(c.text(), text) })
}

// processes are those that descend from the shell, whatever became of their
// parents, without the shell.
func (c *screen) processes() []int {
	var out []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(d))
		env, err := os.ReadFile(filepath.Join(d, "environ"))
		if err == nil && pid != c.shell.Process.Pid && bytes.Contains(env, []byte(c.mark+"\x00")) {
			out = append(out, pid)
		}
	}
	return out
}

// program is the process of pgtui.
func (c *screen) program() int {
	for _, pid := range c.processes() {
		if line := cmdline(pid); strings.Contains(line, "\x00-i\x00") && !strings.HasPrefix(line, "sh\x00") {
			return pid
		}
	}
	return 0
}

func cmdline(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return string(b)
}

func (c *screen) signal(s syscall.Signal) { _ = syscall.Kill(c.program(), s) }

// stopped waits until the shell says so, and proves that the terminal is the
// shell's again.
func (c *screen) stopped(t *testing.T) {
	t.Helper()
	n := 1
	for ; exists(filepath.Join(c.dir, fmt.Sprintf("go%d", n))); n++ {
	}
	within(t, "the shell says it is stopped", func() bool { return exists(filepath.Join(c.dir, fmt.Sprintf("stopped%d", n))) })
	c.restored(t)
}

// goOn is the shell's fg.
func (c *screen) goOn(t *testing.T) {
	t.Helper()
	for n := 1; ; n++ {
		if f := filepath.Join(c.dir, fmt.Sprintf("go%d", n)); !exists(f) {
			if err := os.WriteFile(f, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}

// sleeps is to be stopped, to be woken and to draw everything anew, and then
// to take keys.
func (c *screen) sleeps(t *testing.T, keys string) {
	t.Helper()
	c.stopped(t)
	c.mu.Lock()
	c.out = nil
	c.mu.Unlock()
	c.goOn(t)
	c.await(t, "\x1b[?1049h")
	c.await(t, "pg-meta")
	c.await(t, "pg-test")
	if now := termios(t, c.line); now.Lflag&unix.ICANON != 0 {
		t.Error("awake, and the terminal is not in raw mode")
	}
	c.keys(keys)
}

// left waits for the end of the program.
func (c *screen) left(t *testing.T, code int) {
	t.Helper()
	within(t, "the program ends", func() bool { return exists(filepath.Join(c.dir, "code")) })
	b, err := os.ReadFile(filepath.Join(c.dir, "code"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(b)); got != strconv.Itoa(code) {
		t.Errorf("left with %s, want %d: %q", got, code, tail(c.text()))
	}
	c.alone(t)
}

// alone proves that no process is left but what the shell waits with, and what
// it has just written the code with.
func (c *screen) alone(t *testing.T) {
	t.Helper()
	for _, pid := range c.processes() {
		if line := cmdline(pid); line != "" && !strings.HasPrefix(line, "sleep\x00") && !strings.HasPrefix(line, "mv\x00") && !strings.Contains(line, c.script) {
			t.Errorf("%d still runs: %q", pid, line)
		}
	}
}

// gone waits until the program has ended although nobody can say so.
func (c *screen) gone(t *testing.T) {
	t.Helper()
	within(t, "the program ends", func() bool { return c.program() == 0 })
	c.alone(t)
}

// restored proves that the terminal is as it was before the program. What was
// written may still be on its way to the test.
func (c *screen) restored(t *testing.T) {
	t.Helper()
	var wrong []string
	for t0 := time.Now(); time.Since(t0) < waits; time.Sleep(10 * time.Millisecond) {
		if wrong = c.wrong(t); len(wrong) == 0 {
			return
		}
	}
	t.Errorf("%s: %q", strings.Join(wrong, "\n"), tail(c.text()))
}

// wrong is what differs from the terminal before the program.
func (c *screen) wrong(t *testing.T) (out []string) {
	t.Helper()
	if now := termios(t, c.line); *now != c.before {
		out = append(out, fmt.Sprintf("the terminal was %+v, and is %+v", c.before, *now))
	}
	s := c.text()
	for mode, on := range modes(s) {
		if on != (mode == "?25") {
			out = append(out, fmt.Sprintf("mode %s is on: %v", mode, on))
		}
	}
	if n, m := strings.Count(s, "\x1b[?1049h"), strings.Count(s, "\x1b[?1049l"); n != m {
		out = append(out, fmt.Sprintf("the alternate screen was entered %d times, and left %d times", n, m))
	}
	return out
}

// modes are the terminal's modes that were touched, and whether they are on in
// the end: the private ones by their numbers, the keyboard's by what sets them.
func modes(s string) map[string]bool {
	out := map[string]bool{}
	for _, m := range regexp.MustCompile(`\x1b\[\?([0-9;]+)([hl])`).FindAllStringSubmatch(s, -1) {
		for _, n := range strings.Split(m[1], ";") {
			out["?"+n] = m[2] == "h"
		}
	}
	pushed := 0
	for _, m := range regexp.MustCompile(`\x1b\[([<>=])([0-9;]*)u`).FindAllStringSubmatch(s, -1) {
		switch m[1] {
		case ">":
			pushed++
		case "<":
			pushed--
		case "=":
			out["kitty keyboard"] = m[2] != "" && !strings.HasPrefix(m[2], "0")
		}
	}
	out["kitty keyboard, pushed"] = pushed > 0
	for _, m := range regexp.MustCompile(`\x1b\[>4(?:;([0-9]+))?m`).FindAllStringSubmatch(s, -1) {
		out["modifyOtherKeys"] = m[1] != "" && m[1] != "0"
	}
	for _, m := range regexp.MustCompile(`\x1b([=>])`).FindAllStringSubmatch(s, -1) {
		out["keypad"] = m[1] == "="
	}
	for _, m := range regexp.MustCompile(`\x1b\[([0-9;]*)m`).FindAllStringSubmatch(s, -1) {
		out["colour"] = m[1] != "" && m[1] != "0"
	}
	return out
}

// detach starts the program once more on a terminal that is nobody's
// controlling one, as `setsid pgtui </dev/pts/5` does, in place of the first:
// a hang-up sends no signal then.
func (c *screen) detach(t *testing.T, bin, inv string) {
	t.Helper()
	c.keys("q")
	c.left(t, 0)
	p := exec.Command(bin, "-i", inv)
	p.Stdin, p.Stdout, p.Stderr = c.line, c.line, c.line
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p.Env = append(c.shell.Env, "X=1")
	c.mu.Lock()
	c.out = nil
	c.mu.Unlock()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.Wait() }()
	c.await(t, "pg-test-1")
}

// openHanging is a console that is asking a node through an ssh that does not
// answer.
func openHanging(t *testing.T, bin, inv string) *screen {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(inv)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`, pgtui_root: "[^"]*"`).ReplaceAll(text, nil)
	text = bytes.ReplaceAll(text, []byte("ansible_connection: local"), []byte("ansible_user: root\n    ansible_port: 2222"))
	far := filepath.Join(dir, "pigsty.yml")
	program, config := filepath.Join(dir, "ssh"), filepath.Join(dir, "config.yml")
	for file, s := range map[string]string{
		far:     string(text),
		program: "#!/bin/sh\ntest \"$1\" = -G && exit 1\ntrap '' HUP\necho $$ >>" + dir + "/asked\ntail -f /dev/null\n",
		config:  "ssh: {program: " + program + ", control-dir: " + dir + "/c}\n",
	} {
		if err := os.WriteFile(file, []byte(s), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, true, []string{"PGTUI_CONFIG=" + config}, bin, "-i", far, "pg-test")
	c.await(t, "pg-test-1")
	c.keys("d")
	within(t, "ssh is called", func() bool { return exists(filepath.Join(dir, "asked")) })
	return c
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func tail(s string) string { return s[max(0, len(s)-700):] }

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for t0 := time.Now(); time.Since(t0) < waits; time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %s: %s", waits, what)
}

// waits is how long anything may take; it is seconds only on a busy machine.
const waits = 30 * time.Second
