package cmd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestASignal: a process that only reads exits with 130 on each of the signals, one
// that changes something with the code of its outcome, and each prints one line. The
// inventory is a program that never ends.
func TestASignal(t *testing.T) {
	bin := program(t)
	const concluded, changed = "interrupted, nothing concluded", "interrupted, nothing was changed"
	for _, c := range []struct {
		name string
		sig  os.Signal
		args []string
		code int
		says string
	}{
		{"ctrl-c", syscall.SIGINT, []string{"status"}, 130, concluded},
		{"ctrl-c as JSON", syscall.SIGINT, []string{"status", "-o", "json"}, 130, concluded},
		{"ctrl-c in a watch that has seen nothing", syscall.SIGINT, []string{"status", "--watch"}, 130, concluded},
		{"ctrl-c in another watch", syscall.SIGINT, []string{"trace", "pg-test", "primary", "--watch"}, 130, concluded},
		{"ctrl-c in wait", syscall.SIGINT, []string{"wait", "pg-test"}, 130, concluded},
		{"SIGTERM", syscall.SIGTERM, []string{"doctor"}, 130, concluded},
		{"SIGHUP", syscall.SIGHUP, []string{"diff", "pg-test"}, 130, concluded},
		{"ctrl-c in a reload", syscall.SIGINT, []string{"reload", "pg-test", "--yes"}, 3, changed},
		{"ctrl-c in an action", syscall.SIGINT, []string{"switchover", "pg-test", "--yes"}, 3, changed},
		{"SIGTERM in an action on servers", syscall.SIGTERM, []string{"drain", "pg-test-1", "--yes"}, 3, changed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			begun := filepath.Join(dir, "begun")
			inv := filepath.Join(dir, "inventory")
			if err := os.WriteFile(inv, []byte("#!/bin/sh\n: > "+begun+"\nexec sleep 60\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			p := exec.CommandContext(t.Context(), bin, append(c.args, "-i", inv)...)
			p.Env = append(os.Environ(), "HOME="+dir)
			var out, errs bytes.Buffer
			p.Stdout, p.Stderr = &out, &errs
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			for t0 := time.Now(); time.Since(t0) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
				if _, err := os.Stat(begun); err == nil {
					break
				}
			}
			if err := p.Process.Signal(c.sig); err != nil {
				t.Fatal(err)
			}
			_ = p.Wait()
			want := "pgtui: running " + inv + " --list\npgtui: " + c.says + "\n"
			if code := p.ProcessState.ExitCode(); code != c.code || out.Len() > 0 || errs.String() != want {
				t.Errorf("exit %d\n%s%s", code, out.String(), errs.String())
			}
		})
	}
}
