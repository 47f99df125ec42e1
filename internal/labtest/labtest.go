// Package labtest runs the lab's commands for tests that need real
// PostgreSQL, Patroni, HAProxy and sshd. Such tests carry the build tag lab,
// begin with TestLab, and fail when the lab is not up.
package labtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Dir is testdata/lab of the module the test is in.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata", "lab")
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("the test does not run inside the module")
		}
		dir = up
	}
}

// Run runs one lab command and returns what it printed, without the blanks
// around it. A command that fails ends the test.
func Run(t testing.TB, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(Dir(t), "lab"), args...)
	if t.Context().Err() != nil { // a clean-up: the test's own context has ended
		c = exec.Command(filepath.Join(Dir(t), "lab"), args...) //nolint:noctx // see above
	}
	c.Env = append(os.Environ(), "LAB_QUIET=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("lab %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
