package act

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgtui/haproxy"
	"pgtui/probe/node"
)

// socat stands for a client of HAProxy's sockets: it logs the socket and the
// command, and answers as the files beside it say.
const socat = `#!/bin/sh
read -r line
sock=${3#UNIX-CONNECT:}
printf '%s %s\n' "$sock" "$line" >>"$FAKE/log"
[ ! -e "$FAKE/deaf-$sock" ] || exit 1
case $line in
*"show servers state") cat "$FAKE/states" ;;
*"show stat") cat "$FAKE/stat" ;;
*) cat "$FAKE/answer" ;;
esac
`

// TestServersScript runs the node's script by the shells that nodes have.
func TestServersScript(t *testing.T) {
	f := newFake()
	for _, sh := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		path, err := exec.LookPath(sh[0])
		if err != nil {
			t.Logf("%s is not installed", sh[0])
			continue
		}
		for _, tt := range []struct {
			name     string
			sockets  []string // that exist
			deaf     string   // one that does not answer
			answer   string
			client   bool
			commands []string
			log      string // of what was sent
			err      string
		}{
			{"the worker's socket", []string{"haproxy.sock", "haproxy-master.sock"}, "", "\n", true, []string{"set server a/b state drain", "set server c/d weight 5"},
				"haproxy.sock show servers state\nhaproxy.sock set server a/b state drain\nhaproxy.sock set server c/d weight 5\nhaproxy.sock show servers state\nhaproxy.sock show stat\n", ""},
			{"the master's, where the worker's does not answer", []string{"haproxy.sock", "haproxy-master.sock"}, "haproxy.sock", "No such server.\n", true, []string{"set server a/b state drain"},
				"haproxy.sock show servers state\nhaproxy-master.sock @1 show servers state\nhaproxy-master.sock @1 set server a/b state drain\nhaproxy-master.sock @1 show servers state\nhaproxy-master.sock @1 show stat\n", ""},
			{"read only", []string{"haproxy.sock"}, "", "", true, nil, "haproxy.sock show servers state\nhaproxy.sock show servers state\nhaproxy.sock show stat\n", ""},
			{"none answers: nothing is sent", []string{"haproxy.sock"}, "haproxy.sock", "", true, []string{"set server a/b state drain"}, "haproxy.sock show servers state\n", "no socket answers"},
			{"no client", []string{"haproxy.sock"}, "", "", false, []string{"set server a/b state drain"}, "", "none of socat"},
		} {
			t.Run(sh[0]+" "+tt.name, func(t *testing.T) {
				dir, err := os.MkdirTemp("", "act")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = os.RemoveAll(dir) })
				must(t, os.MkdirAll(filepath.Join(dir, "run"), 0o755), os.MkdirAll(filepath.Join(dir, "bin"), 0o755),
					os.WriteFile(filepath.Join(dir, "states"), []byte(f.showStates("a")), 0o600), os.WriteFile(filepath.Join(dir, "stat"), []byte(f.showStat("a")), 0o600),
					os.WriteFile(filepath.Join(dir, "answer"), []byte(tt.answer), 0o600), os.WriteFile(filepath.Join(dir, "log"), nil, 0o600))
				for _, tool := range []string{"cat", "head", "tr", "wc", "timeout", "sh", "printf"} {
					if at, err := exec.LookPath(tool); err == nil {
						must(t, os.Symlink(at, filepath.Join(dir, "bin", tool)))
					}
				}
				if tt.client {
					must(t, os.WriteFile(filepath.Join(dir, "bin/socat"), []byte(socat), 0o755)) //nolint:gosec // a program
				}
				if tt.deaf != "" {
					must(t, os.WriteFile(filepath.Join(dir, "deaf-"+tt.deaf), nil, 0o600))
				}
				for _, s := range tt.sockets {
					ln, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, "run", s))
					must(t, err)
					defer func() { _ = ln.Close() }()
				}
				args := append(append([]string{}, sh[1:]...), "-c", node.Script(serversScript), "pgtui", strconv.Itoa(haproxy.MaxStates), "4096")
				c := exec.CommandContext(t.Context(), path, append(args, tt.commands...)...)
				c.Env = []string{"PATH=" + filepath.Join(dir, "bin"), "PGTUI_ROOT=" + dir, "FAKE=" + dir, "LC_ALL=C"}
				var out, errs bytes.Buffer
				c.Stdout, c.Stderr = &out, &errs
				if err := c.Run(); err != nil || errs.Len() > 0 {
					t.Fatalf("%v: %s\n%s", err, &errs, &out)
				}
				log, err := os.ReadFile(filepath.Join(dir, "log"))
				must(t, err)
				if string(log) != tt.log {
					t.Errorf("sent\n%swant\n%s", log, tt.log)
				}
				got, err := parseServers(out.Bytes(), len(tt.commands))
				if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("%v, want %q\n%s", err, tt.err, &out)
				}
				if tt.err == "" && (len(got.states) != 1 || len(got.answers) != len(tt.commands) || len(got.answers) > 0 && got.answers[0] != strings.TrimSpace(tt.answer)) {
					t.Errorf("%+v", got)
				}
			})
		}
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
