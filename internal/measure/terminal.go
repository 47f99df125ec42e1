package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
)

// terminal is a program on a 120×40 terminal, and its output so far.
type terminal struct {
	tty   *os.File
	cmd   *exec.Cmd
	began time.Time

	mu  sync.Mutex
	buf []byte
}

// open starts a program; env is added to the environment.
func open(ctx context.Context, argv []string, env ...string) (*terminal, error) {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = append(append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "SSH_TTY=/dev/pts/0"), env...)
	t := &terminal{cmd: c, began: time.Now()}
	tty, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		return nil, err
	}
	t.tty = tty
	go t.read()
	return t, nil
}

// close ends the program: with its own key, or a second later without.
func (t *terminal) close(quit string) {
	t.press(quit)
	kill := time.AfterFunc(time.Second, func() { _ = t.cmd.Process.Kill() })
	_ = t.cmd.Wait()
	kill.Stop()
	_ = t.tty.Close()
}

func (t *terminal) press(keys string) { _, _ = io.WriteString(t.tty, keys) }

func (t *terminal) read() {
	b := make([]byte, 32<<10)
	for {
		n, err := t.tty.Read(b)
		t.mu.Lock()
		t.buf = append(t.buf, b[:n]...)
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (t *terminal) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.buf)
}

// shows waits for one of the texts in the raw output. It returns the time since
// the start of the program.
func (t *terminal) shows(texts ...string) (time.Duration, error) {
	return t.wait(texts, func(b []byte) []byte { return b })
}

// reads is shows of the output without escape sequences.
func (t *terminal) reads(text string) (time.Duration, error) {
	return t.wait([]string{text}, func(b []byte) []byte { return []byte(ansi.Strip(string(b))) })
}

func (t *terminal) wait(texts []string, of func([]byte) []byte) (time.Duration, error) {
	for time.Since(t.began) < 10*time.Second {
		t.mu.Lock()
		out := of(t.buf)
		t.mu.Unlock()
		for _, text := range texts {
			if bytes.Contains(out, []byte(text)) {
				return time.Since(t.began), nil
			}
		}
		time.Sleep(200 * time.Microsecond)
	}
	return 0, fmt.Errorf("%s: no %q within 10 s", t.cmd.Args[0], strings.Join(texts, " or "))
}
