package transport

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/source"
)

func script(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRunInventory(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, script, want, wrong string }{
		{"it prints its list", "#!/bin/sh\necho \"$1:{}\"; echo noise >&2\n", "--list:{}\n", ""},
		{"the database is away", "#!/bin/sh\necho 'psql: error: connection refused' >&2; exit 2\n", "", "connection refused"},
		{"no such interpreter", "#!/no/such/interpreter\n", "", "no such file"},
		{"it has no terminal to ask on", "#!/bin/sh\n(: </dev/tty) 2>/dev/null && echo tty; cat; echo end\n", "end\n", ""},
		{"what it leaves behind does not hold it up", "#!/bin/sh\nsleep 60 &\necho done\n", "done\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := RunInventory(t.Context(), script(t, dir, "inventory.sh", tt.script), "--list")
			if tt.wrong == "" && (err != nil || string(out) != tt.want) {
				t.Fatalf("got %q, %v", out, err)
			}
			if tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong) || !strings.Contains(err.Error(), "inventory.sh")) {
				t.Fatalf("got %q, %v", out, err)
			}
		})
	}
}

func TestProgramThatDoesNotEnd(t *testing.T) {
	path := script(t, t.TempDir(), "slow.sh", "#!/bin/sh\necho waiting for the lock >&2\nsleep 60 & wait\n")
	_, err := runProgram(t.Context(), "slow.sh", 300*time.Millisecond, 1<<20, []string{path, "--list"})
	if err == nil || !strings.Contains(err.Error(), "no end within 300ms") || !strings.Contains(err.Error(), "waiting for the lock") {
		t.Errorf("got %v", err)
	}
	if try := source.TryOf(err); !strings.Contains(try, path+" --list") {
		t.Errorf("try: %q", try)
	}
}

func TestProgramThatPrintsTooMuch(t *testing.T) {
	path := script(t, t.TempDir(), "endless.sh", "#!/bin/sh\nwhile :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done\n")
	_, err := runProgram(t.Context(), "endless.sh", time.Minute, 1<<20, []string{path})
	if err == nil || !strings.Contains(err.Error(), "more than 1 MB") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := RunInventory(ctx, path); err == nil {
		t.Error("a cancelled run has a result")
	}
}

func TestCoreVersion(t *testing.T) {
	for _, tt := range []struct{ out, want string }{
		{"ansible [core 2.14.18]\n  config file = None\n", "2.14.18"},
		{"ansible-playbook [core 2.19.0rc1]\n", "2.19.0rc1"},
		{"ansible 2.9.6\n", "2.9.6"},
		{"Traceback (most recent call last):\n", ""},
	} {
		if got := coreVersion([]byte(tt.out)); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.out, got, tt.want)
		}
	}
}

// An ansible in a virtual environment is found without starting Python; when
// the package is not where it should be, the command is asked.
func TestAnsibleCore(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", filepath.Join(dir, "bin"))
	if got := AnsibleCore(t.Context(), true); got != "" {
		t.Errorf("no ansible at all: got %q", got)
	}
	script(t, dir, "bin/ansible-playbook", "#!"+dir+"/bin/python3\nimport sys\n")
	script(t, dir, "lib/python3.12/site-packages/ansible/release.py", "__version__ = '2.19.3'\n__author__ = 'x'\n")
	if got := AnsibleCore(t.Context(), true); got != "2.19.3" {
		t.Errorf("in a virtual environment: got %q", got)
	}
	script(t, dir, "lib/python3.11/site-packages/ansible/release.py", "__version__ = '2.14.1'\n")
	script(t, dir, "bin/ansible-playbook", "#!/bin/sh\necho 'ansible-playbook [core 2.16.4]'\n")
	if got := AnsibleCore(t.Context(), true); got != "2.16.4" {
		t.Errorf("two packages: got %q", got)
	}
}
