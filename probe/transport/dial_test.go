package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/model"
)

// sshThatRuns is a program that stands for ssh: it keeps its arguments and runs body.
func sshThatRuns(t *testing.T, body string) (program, args string) {
	t.Helper()
	dir := t.TempDir()
	program, args = filepath.Join(dir, "ssh"), filepath.Join(dir, "args")
	script := "#!/bin/sh\n[ \"$1\" = -G ] && exit 0\necho \"$@\" >" + args + "\n" + body + "\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, args
}

func TestDialThroughSSH(t *testing.T) {
	program, args := sshThatRuns(t, `read -r line; echo "got $line"`)
	s := &SSH{Program: program, ControlDir: t.TempDir()}
	conn, err := s.Dial(t.Context(), model.SSHTarget{Address: "10.10.10.12", User: "dba"}, "10.10.10.12:8008")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PATCH\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "got PATCH\n" {
		t.Errorf("%q, %v", got, err)
	}
	argv, _ := os.ReadFile(args)
	if !strings.Contains(string(argv), "-W 10.10.10.12:8008") || !strings.HasSuffix(strings.TrimSpace(string(argv)), "-- 10.10.10.12") {
		t.Errorf("ssh %s", argv)
	}
}

// TestDialErrors: only a channel that never opened is known to have sent nothing.
func TestDialErrors(t *testing.T) {
	for _, tt := range []struct {
		name, body, text string
		notStarted       bool
	}{
		{"forwarding is forbidden", `echo "channel 0: open failed: administratively prohibited: open failed" >&2; echo "stdio forwarding failed" >&2; exit 255`, "forwarding failed", true},
		{"nothing listens", `echo "channel 0: open failed: connect failed: Connection refused" >&2; exit 255`, "open failed", true},
		{"the connection is lost", `read -r line; echo "Connection reset by 10.10.10.12 port 22" >&2; exit 255`, "reset", false},
		{"nothing is printed", `read -r line; exit 0`, "EOF", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program, _ := sshThatRuns(t, tt.body)
			s := &SSH{Program: program, ControlDir: t.TempDir()}
			conn, err := s.Dial(t.Context(), model.SSHTarget{Address: "10.10.10.12"}, "10.10.10.12:8008")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "POST\n")
			_, err = conn.Read(make([]byte, 10))
			if err == nil || errors.Is(err, ErrNotStarted) != tt.notStarted || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestDialKeepsDeadlines(t *testing.T) {
	program, _ := sshThatRuns(t, "sleep 60")
	s := &SSH{Program: program, ControlDir: t.TempDir()}
	conn, err := s.Dial(t.Context(), model.SSHTarget{Address: "10.10.10.12"}, "10.10.10.12:8008")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(50 * time.Millisecond))
	var timeout net.Error
	if _, err := conn.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("%v", err)
	}
}

// TestAReadOnlyGuardOpensNothing: what is sent may change something.
func TestAReadOnlyGuardOpensNothing(t *testing.T) {
	g := &Guard{Runner: &Auto{}, ReadOnly: "--read-only", Now: time.Now}
	if _, err := g.Dial(context.Background(), model.SSHTarget{Address: "127.0.0.1"}, "127.0.0.1:1"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v", err)
	}
}
