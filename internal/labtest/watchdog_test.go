//go:build linux

package labtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestHangs hangs on purpose, when TestHungStep starts it in a process of its
// own: with a command, with the program's own code, and with a daemon beside.
func TestHangs(t *testing.T) {
	dir := os.Getenv("LABTEST_DIR")
	if dir == "" {
		return // nothing to do in the outer process
	}
	start := func(name string, args ...string) {
		c := exec.Command(name, args...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	Step(t, "a step that ends")
	// Three processes: a child, its child, and a daemon that has left both.
	start("sh", "-c", "echo $$ >"+dir+"/1; sleep 600 & echo $! >"+dir+"/2; wait")
	start("sh", "-c", "setsid sh -c 'echo $$ >"+dir+"/3; exec sleep 600' &")
	Until(t, "the processes run", func() bool { return len(pids(dir)) == 3 }, nil)
	if os.Getenv("LABTEST_HOW") == "in a command" {
		Step(t, "the step that waits for ever")
		_ = exec.Command("sleep", "600").Run()
		Step(t, "a step after it")
	}
	Step(t, "the step that waits for ever")
	select {}
}

func pids(dir string) []int {
	var out []int
	files, _ := filepath.Glob(filepath.Join(dir, "[0-9]"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			out = append(out, pid)
		}
	}
	return out
}

// TestHungStep: a test that hangs is ended with the name of the step, and leaves
// no process behind, however it hangs and whichever limit comes first.
func TestHungStep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ how, slow, timeout string }{
		{"in a command", "0.02", "5m"}, // of 5 minutes: 6 s
		{"in the program", "0.02", "5m"},
		{"in a command", "1", "14s"}, // 10 s are reserved
		{"in the program", "1", "14s"},
	} {
		t.Run(fmt.Sprintf("%s, with %s of the limit and -timeout %s", tt.how, tt.slow, tt.timeout), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestHangs$", "-test.timeout", tt.timeout)
			c.Env = append(os.Environ(), "LABTEST_DIR="+dir, "LABTEST_HOW="+tt.how, "LAB_SLOW="+tt.slow)
			out, err := c.CombinedOutput()
			if err == nil || ctx.Err() != nil {
				t.Fatalf("it did not fail in time: %v\n%s", err, out)
			}
			if !strings.Contains(string(out), "TestHangs: this step hung: the step that waits for ever") {
				t.Errorf("the step is not named:\n%s", out)
			}
			if strings.Contains(string(out), "test timed out") {
				t.Errorf("go test's own time limit came first:\n%s", out)
			}
			started := pids(dir)
			if len(started) != 3 {
				t.Fatalf("%d processes were started:\n%s", len(started), out)
			}
			for _, pid := range started {
				if !ended(pid) {
					t.Errorf("process %d is left behind", pid)
				}
			}
		})
	}
}
