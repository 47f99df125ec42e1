package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"pgtui/internal/text"
	"pgtui/source"
)

const (
	// inventoryTime is how long an executable inventory may take.
	inventoryTime = 15 * time.Second
	// maxInventory is how much of its output is taken, in bytes.
	maxInventory = 64 << 20
)

// RunInventory runs an executable inventory, such as the inventory.sh that
// Pigsty makes for its CMDB, on this machine and as this user, and returns
// what it printed. It has 15 seconds, no terminal and no standard input, and
// may print 64 MB. One that others may have written is refused, see Trusted. A failure carries the last lines of its standard error.
func RunInventory(ctx context.Context, path string, args ...string) ([]byte, error) {
	return runTrusted(ctx, "inventory", path, maxInventory, args...)
}

// RunPassword runs an executable vault password file, as Ansible does, and
// returns what it printed. It has 15 seconds.
func RunPassword(ctx context.Context, path string) ([]byte, error) {
	return runTrusted(ctx, "vault password file", path, maxStderr)
}

// runTrusted runs a program that only root and this user can have written. kind is
// what it is for.
func runTrusted(ctx context.Context, kind, path string, size int, args ...string) ([]byte, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, err, ErrNotStarted)
	}
	if err := Trusted(abs); err != nil {
		return nil, fmt.Errorf("the %s %s is a program, and is not run: %w", kind, text.Line(path, 200), err)
	}
	return runProgram(ctx, path, inventoryTime, size, append([]string{abs}, args...))
}

// runProgram runs a program of this machine to its end and returns what it
// printed, which is at most size bytes.
func runProgram(ctx context.Context, subject string, limit time.Duration, size int, argv []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, stderr := &capped{max: size, full: cancel}, &bounded{max: maxStderr}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, stderr
	// A session of its own: it cannot ask the terminal for a password, and all
	// of it is ended together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return signalGroup(cmd, syscall.SIGKILL) }
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted)
	}
	err := cmd.Wait()
	lines := text.Lines(string(stderr.bytes()), 10, 300)
	for i, l := range lines {
		lines[i] = plainWords(l)
	}
	said := strings.Join(lines, "\n")
	printed, over := out.result()
	switch {
	case over:
		err = fmt.Errorf("%s: it prints more than %d MB", subject, size>>20)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("%s: no end within %s", subject, limit)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: %w", subject, source.Ended(ctx))
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil // something it left behind holds its output open; it has succeeded itself
	case err != nil:
		err = fmt.Errorf("%s: it failed: %w", subject, err)
	}
	if err == nil {
		return printed, nil
	}
	if said != "" {
		err = fmt.Errorf("%w\n%s", err, said)
	}
	return nil, &source.Hint{Err: err, Try: "run it by hand: " + strings.Join(argv, " ")}
}

// capped keeps up to max bytes and calls full when there are more.
type capped struct {
	mu   sync.Mutex
	b    bytes.Buffer
	max  int
	over bool
	full func()
}

// Write implements io.Writer.
func (c *capped) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.b.Len()+len(p) > c.max {
		c.over = true
		c.full()
		return 0, errors.New("too much output")
	}
	return c.b.Write(p)
}

func (c *capped) result() (printed []byte, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.b.Bytes()), c.over
}
