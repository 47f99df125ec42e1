package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

const (
	// patience is the time in which a text must appear.
	patience = 40 * time.Second
	// quiet is the time without output after which a frame is complete.
	quiet = 60 * time.Millisecond
)

// terminal is a pseudo-terminal with a program, and its screen.
type terminal struct {
	tty   *os.File
	cmd   *exec.Cmd
	wrote chan struct{} // has one entry after the program wrote
	ended chan struct{} // closed at the end of the output
	read  sync.WaitGroup

	mu  sync.Mutex
	emu *vt.Emulator
}

// start runs a program on a terminal of that size. Its environment is the
// caller's without the settings of the console's looks: home has no configuration,
// and the terminal has sixteen colours.
func start(ctx context.Context, cols, rows int, home string, argv ...string) (*terminal, error) {
	t := &terminal{emu: vt.NewEmulator(cols, rows), wrote: make(chan struct{}, 1), ended: make(chan struct{})}
	t.cmd = exec.CommandContext(ctx, argv[0], argv[1:]...)
	t.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=", "NO_COLOR=", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=UTC",
		"HOME="+home, "TMPDIR="+home, "XDG_CONFIG_HOME="+home, "PGTUI_CONFIG=", "PGTUI_CONTEXT=", "PGTUI_INVENTORY=", "PIGSTY_HOME="+home)
	t.cmd.Cancel = func() error { return t.cmd.Process.Signal(syscall.SIGTERM) }
	t.cmd.WaitDelay = 5 * time.Second
	tty, err := pty.StartWithSize(t.cmd, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)})
	if err != nil {
		return nil, err
	}
	t.tty = tty
	t.read.Add(2)
	go t.follow()
	go t.answer()
	return t, nil
}

// follow gives the output of the program to the emulator, until the program ends.
func (t *terminal) follow() {
	defer t.read.Done()
	defer close(t.ended)
	b := make([]byte, 32<<10)
	for {
		n, err := t.tty.Read(b)
		t.mu.Lock()
		_, _ = t.emu.Write(b[:n])
		t.mu.Unlock()
		select {
		case t.wrote <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// answer gives the emulator's answers to the program. The emulator blocks until
// they are read, also after the end of the program.
func (t *terminal) answer() {
	defer t.read.Done()
	_, _ = io.Copy(t.tty, t.emu)
	_, _ = io.Copy(io.Discard, t.emu)
}

// press types keys.
func (t *terminal) press(keys string) error {
	_, err := io.WriteString(t.tty, keys)
	return err
}

// screen is a copy of the screen.
func (t *terminal) screen() [][]uv.Cell {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := make([][]uv.Cell, t.emu.Height())
	for y := range rows {
		rows[y] = make([]uv.Cell, t.emu.Width())
		for x := range rows[y] {
			if c := t.emu.CellAt(x, y); c != nil {
				rows[y][x] = *c
			}
		}
	}
	return rows
}

// textOf is a screen without its colours.
func textOf(screen [][]uv.Cell) string {
	var b strings.Builder
	for _, row := range screen {
		var l strings.Builder
		for _, c := range row {
			if c.Width > 0 {
				l.WriteString(content(c.Content))
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return b.String()
}

// await is the first whole screen for which ok holds.
func (t *terminal) await(ctx context.Context, ok func(text string) bool) ([][]uv.Cell, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if err := t.settle(ctx); err != nil {
			return nil, fmt.Errorf("%w; the screen is:\n%s", err, textOf(t.screen()))
		}
		if s := t.screen(); ok(textOf(s)) {
			return s, nil
		}
		select {
		case <-t.wrote:
		case <-ctx.Done():
		case <-t.ended:
			return nil, fmt.Errorf("the program ended; the screen is:\n%s", textOf(t.screen()))
		}
	}
}

// settle waits until the program has written nothing for a moment.
func (t *terminal) settle(ctx context.Context) error {
	still := time.NewTimer(quiet)
	defer still.Stop()
	for {
		select {
		case <-still.C:
			return nil
		case <-t.wrote:
			still.Reset(quiet)
		case <-ctx.Done():
			return errors.New("the screen did not appear in time")
		}
	}
}

// close ends the program and its sandbox. It returns the program's error.
func (t *terminal) close() error {
	_ = t.cmd.Cancel()
	kill := time.AfterFunc(t.cmd.WaitDelay, func() { _ = t.cmd.Process.Kill() })
	defer kill.Stop()
	err := t.cmd.Wait()
	_ = t.tty.Close()
	if answers, ok := t.emu.InputPipe().(io.Closer); ok { // the emulator's own Close races with its Read
		_ = answers.Close()
	}
	t.read.Wait()
	return err
}
