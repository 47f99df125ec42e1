//go:build linux

// Package labtest runs the lab's commands for tests that need real
// PostgreSQL, Patroni, HAProxy and sshd. Such tests carry the build tag lab,
// begin with TestLab, and fail when the lab is not up.
//
// A test names its steps, and each step has a time limit. When one hangs, the
// test fails with the name of the step, and every process that the test started
// is killed.
package labtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

// State is the state directory of the lab that is up: LAB_STATE, or .state in Dir.
func State(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("LAB_STATE"); dir != "" {
		return dir
	}
	return filepath.Join(Dir(t), ".state")
}

// SSHConfig is the ssh_config that leads to the lab's nodes. The test fails when
// the lab is not up.
func SSHConfig(t testing.TB) string {
	t.Helper()
	file := filepath.Join(State(t), "ssh_config")
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("the lab is not up: %v", err)
	}
	return file
}

// Run runs one lab command, as a step, and returns what it printed, without the
// blanks around it. A command that fails ends the test.
func Run(t testing.TB, args ...string) string {
	t.Helper()
	name := "lab " + strings.Join(args, " ")
	Step(t, name)
	c := exec.CommandContext(t.Context(), filepath.Join(Dir(t), "lab"), args...)
	if t.Context().Err() != nil { // a clean-up: the test's own context has ended
		c = exec.Command(filepath.Join(Dir(t), "lab"), args...) //nolint:noctx // see above
	}
	c.Env = append(os.Environ(), "LAB_QUIET=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Until polls, as a step, until ok holds, and returns how long that took. The
// test fails when ok does not hold within Patience; why, which may be nil, is
// then printed.
func Until(t testing.TB, what string, ok func() bool, why func() string) time.Duration {
	t.Helper()
	Step(t, what)
	start, limit := time.Now(), Patience(t)
	for !ok() {
		if time.Since(start) > limit {
			if why != nil {
				what += "\n" + why()
			}
			t.Fatalf("not within %s: %s", limit, what)
		}
		time.Sleep(200 * time.Millisecond)
	}
	return time.Since(start)
}
