package cmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTheConsoleKeepsItsPromises on a terminal: a reload that is stopped on its
// first node leaves the others alone, and an inventory that is edited is not
// shown as if it had not been.
func TestTheConsoleKeepsItsPromises(t *testing.T) {
	bin := program(t)
	text, err := os.ReadFile(served(t, bin))
	if err != nil {
		t.Fatal(err)
	}
	inv := filepath.Join(t.TempDir(), "pigsty.yml")
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(inv, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	was := []byte("pg_seq: 2, pg_role: replica")
	if !bytes.Contains(text, was) {
		t.Fatalf("%s", text)
	}
	weighed := bytes.Replace(text, was, append(was, ", pg_weight: 50"...), 1)
	write(text)
	c := open(t, true, []string{"PGTUI_AUDIT=" + filepath.Join(t.TempDir(), "audit.jsonl")}, bin, "-i", inv, "pg-test")
	c.await(t, "pg-test-1")
	write([]byte("all:\n  children: [1]\n"))
	c.await(t, "OLD INVENTORY of ")
	c.await(t, "pigsty.yml:2")
	write(weighed)
	c.await(t, "pigsty.yml changed")
	c.keys("r")
	c.await(t, "Review the changes")
	c.keys("r")
	c.await(t, "Type pg-test and Enter")
	c.await(t, "▏") // the dialog takes keys
	c.keys("pg-test\r")
	c.await(t, "stage")
	c.keys("\x03")
	c.await(t, "not touched")
	c.await(t, "stopped before")
	if n := strings.Count(c.text(), "not started, unchanged"); n < 2 {
		t.Errorf("%d nodes were not begun, want 2: %q", n, tail(c.text()))
	}
	c.keys("q")
	c.left(t, 0)
	c.restored(t)
}

// TestCtrlCAtAQuestion: what asks for a password is interrupted at once, and the
// terminal shows what is typed again.
func TestCtrlCAtAQuestion(t *testing.T) {
	bin := program(t)
	inv := filepath.Join(t.TempDir(), "pigsty.yml")
	if err := os.WriteFile(inv, []byte("all: { children: { pg-a: { hosts: { 127.0.0.1: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-a } } } }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, code := range map[string]int{"status": 130, "reload pg-a": 3} {
		c := open(t, true, nil, append([]string{bin, "-i", inv, "-K"}, strings.Fields(args)...)...)
		c.await(t, "sudo password for the nodes: ")
		within(t, "nothing typed is shown", func() bool { return termios(t, c.line).Lflag&unix.ECHO == 0 })
		c.keys("\x03")
		c.left(t, code)
		c.restored(t)
	}
}

// TestTheConsoleOfNoClusterIsWrongUsage, on a terminal as without one.
func TestTheConsoleOfNoClusterIsWrongUsage(t *testing.T) {
	bin := program(t)
	inv := filepath.Join(t.TempDir(), "pigsty.yml")
	if err := os.WriteFile(inv, []byte("all: { children: { pg-a: { hosts: { 127.0.0.1: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg-a } } } }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, true, nil, bin, "-i", inv, "nosuch")
	c.left(t, 64)
	c.restored(t)
	if s := c.text(); !strings.Contains(s, `no cluster "nosuch" in `) || !strings.Contains(s, "one of: pg-a") {
		t.Errorf("%q", tail(s))
	}
}
