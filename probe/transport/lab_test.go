//go:build lab

package transport

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/internal/labtest"
	"pgtui/model"
	"pgtui/source"
)

// These tests use the real ssh, sshd and sudo of the lab. They fail when the
// lab is not up. Run them by `testdata/lab/lab hold`.

func labSSH(t testing.TB) *SSH {
	t.Helper()
	labtest.Step(t, "ssh to the lab")
	conf := labtest.SSHConfig(t)
	// A socket's path is short, and t.TempDir's may not be.
	dir, err := os.MkdirTemp("", "pgtui-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sockets, _ := filepath.Glob(dir + "/*")
		for _, s := range sockets {
			exec.Command("ssh", "-F", conf, "-o", "ControlPath="+s, "-O", "exit", "lab").Run()
		}
		os.RemoveAll(dir)
	})
	return &SSH{ConfigFile: conf, ControlDir: dir}
}

func labNode(host string) model.SSHTarget { return model.SSHTarget{Address: host} }

func TestLabRunsAsRoot(t *testing.T) {
	s := labSSH(t)
	in := everyByte(300_000)
	for _, user := range []string{"", "root"} {
		for _, try := range []string{"first connection", "shared connection"} {
			start := time.Now()
			target := labNode("10.10.10.11")
			target.User = user
			var lines []string
			got, err := s.Run(t.Context(), Cmd{
				Target: target, Args: []string{"it's", ""}, Stdin: in,
				Script: `id -u; hostname; printf '<%s>\n' "$@"; cat; exit 3`,
				OnLine: func(l string) { lines = append(lines, l) },
			})
			want := "0\npg-test-1\n<it's>\n<>\n" + string(in)
			if err != nil || string(got.Stdout) != want || got.Exit != 3 || len(got.Stderr) > 0 || len(lines) < 4 || lines[1] != "pg-test-1" {
				t.Errorf("user %q, %s: %.100q, %q, exit %d, %v", user, try, got.Stdout, got.Stderr, got.Exit, err)
			}
			t.Logf("user %q, %s: %v", user, try, time.Since(start))
		}
	}
	if sockets, _ := filepath.Glob(s.ControlDir + "/*"); len(sockets) != 2 {
		t.Errorf("%d shared connections, want one for each user: %v", len(sockets), sockets)
	}
}

func TestLabRefusals(t *testing.T) {
	s := labSSH(t)
	for name, tc := range map[string]struct {
		target model.SSHTarget
		want   string
	}{
		"a login without the key": {model.SSHTarget{Address: "10.10.10.11", User: "no-such-login"}, "ssh: no key was accepted"},
		"a login without sudo":    {model.SSHTarget{Address: "10.10.10.11", User: "postgres"}, "sudo wants a password"},
		"a port without sshd":     {model.SSHTarget{Address: "10.10.10.11", Port: 23}, "ssh: connection refused"},
		"an unknown host key":     {model.SSHTarget{Address: "10.10.10.11", CommonArgs: "-o UserKnownHostsFile=/dev/null"}, "ssh: its host key is unknown"},
		"a name without address":  {model.SSHTarget{Address: "no-such-node.invalid"}, "ssh: its name does not resolve"},
	} {
		_, err := s.Run(t.Context(), Cmd{Target: tc.target, Script: "true"})
		if err == nil || !strings.Contains(err.Error(), tc.want) || !errors.Is(err, ErrNotStarted) || source.TryOf(err) == "" {
			t.Errorf("%s: %v (hint %q)", name, err, source.TryOf(err))
		}
	}
}

func TestLabConnectionLost(t *testing.T) {
	s := labSSH(t)
	// The script ends the sshd that serves it.
	got, err := s.Run(t.Context(), Cmd{Target: labNode("10.10.10.12"), Script: `echo begun
p=$$
while [ "$p" -gt 1 ]; do
case $(cat "/proc/$p/comm") in sshd*) break ;; esac # sshd-session since OpenSSH 9.8
p=$(sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$p/stat"); done
kill -9 "$p"; sleep 5`})
	if !errors.Is(err, ErrInterrupted) || !bytes.HasPrefix(got.Stdout, []byte("begun\n")) {
		t.Errorf("%q, %v", got.Stdout, err)
	}
}

func TestLabDeadline(t *testing.T) {
	s := labSSH(t)
	for name, tc := range map[string]struct {
		target model.SSHTarget
		is     error
	}{
		"a script that does not end": {labNode("10.10.10.13"), ErrInterrupted},
		"a host that does not exist": {labNode("10.10.10.99"), ErrNotStarted},
		"a server that says nothing": {model.SSHTarget{Address: "10.10.10.1", Port: mute(t)}, ErrNotStarted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // a handshake takes 0.3 s
			defer cancel()
			start := time.Now()
			_, err := s.Run(ctx, Cmd{Target: tc.target, Script: "sleep 60"})
			if !errors.Is(err, tc.is) {
				t.Error(err)
			}
			t.Logf("%v after %v", err, time.Since(start))
		})
	}
}

// mute is a port of this machine that accepts and never answers.
func mute(t *testing.T) uint16 {
	l, err := net.Listen("tcp", "10.10.10.1:0")
	if err != nil {
		t.Fatalf("the lab is not up: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// BenchmarkLabSSH: one script over a shared connection; budget 40 ms.
func BenchmarkLabSSH(b *testing.B) {
	s := labSSH(b)
	for b.Loop() {
		if _, err := s.Run(b.Context(), Cmd{Target: labNode("10.10.10.11"), Script: "true"}); err != nil {
			b.Fatal(err)
		}
	}
}
