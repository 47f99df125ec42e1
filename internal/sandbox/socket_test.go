package sandbox

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ha "pgtui/haproxy"
	"pgtui/model"
	probenode "pgtui/probe/node"
	"pgtui/probe/transport"
	"pgtui/source"
)

// reply is the answer of a node's HAProxy to a command on its socket.
func reply(t *testing.T, s *Sandbox, node, command string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(filepath.Join(s.NodeRoot(node), "run/haproxy.sock"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHiddenDrain plays the walk: a replica drained in the primary service is
// DOWN like the others, and when it leads the service has no server until it is
// ready. pgtui's own script reads what the page hides.
func TestHiddenDrain(t *testing.T) {
	for name, dir := range map[string]string{"a short path": "", "a path that is too long for a socket": filepath.Join(t.TempDir(), strings.Repeat("long", 30))} {
		t.Run(name, func(t *testing.T) {
			s := startAt(t, dir)
			do(t, s, "drain all pg-test-primary/pg-test-3")
			if got := servers(s, "pg-test-1", "pg-test-primary"); got != "pg-test-1 UP, pg-test-2 DOWN, pg-test-3 DOWN" {
				t.Fatal(got)
			}
			node := &model.Node{Host: "a", SSH: model.SSHTarget{Root: s.NodeRoot("pg-test-1")}}
			read := func() source.Observed[ha.ServerStates] {
				return probenode.Reader{Runner: transport.Local{}, Now: time.Now}.Servers(t.Context(), []*model.Node{node})["a"]
			}
			o := read()
			want := ha.ServerState{Proxy: "pg-test-primary", Server: "pg-test-3", Bits: ha.ForcedDrain, Weight: 100, Configured: 100}
			if o.Err != nil || len(o.Value.Touched) != 1 || o.Value.Touched[0] != want || o.Value.Count < 8 {
				t.Fatalf("%+v", o)
			}
			do(t, s, "switchover pg-test pg-test-3")
			when(t, s, "pg-test-3 is drained", func() bool { return strings.Contains(servers(s, "pg-test-1", "pg-test-primary"), "pg-test-3 DRAIN") })
			for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
				if got := reply(t, s, n, "set server pg-test-primary/pg-test-3 state ready"); got != "\n" {
					t.Fatalf("%q", got)
				}
			}
			if got := servers(s, "pg-test-1", "pg-test-primary"); !strings.Contains(got, "pg-test-3 UP") {
				t.Error(got)
			}
			if o = read(); o.Err != nil || len(o.Value.Touched) != 0 {
				t.Errorf("%+v", o)
			}
			do(t, s, "kill haproxy pg-test-1")
			if o = read(); o.Err == nil {
				t.Errorf("a HAProxy that does not run answered: %+v", o)
			}
		})
	}
}

func TestSocketCommands(t *testing.T) {
	s := startAt(t, "")
	for command, want := range map[string]string{
		"show servers state nosuch":                         "srv_admin_state",
		"set server pg-test-primary/nosuch state ready":     "No such server",
		"set server pg-test-primary/pg-test-2 state x":      "expects 'ready'",
		"set server pg-test-primary/pg-test-2 weight 999":   "from 0 to 256",
		"set server pg-test-primary/pg-test-2 addr 1.2.3.4": "usage",
		"show info": "Unknown command",
	} {
		if got := reply(t, s, "pg-test-2", command); !strings.Contains(got, want) {
			t.Errorf("%s: %q", command, got)
		}
	}
	reply(t, s, "pg-test-2", "set server pg-test-primary/pg-test-2 weight 0")
	reply(t, s, "pg-test-2", "set server pg-test-primary/pg-test-3 state maint")
	got := reply(t, s, "pg-test-2", "show servers state pg-test-primary")
	for _, want := range []string{" pg-test-2 " + s.Addr("pg-test-2") + " 0 0 0 100 ", " pg-test-3 " + s.Addr("pg-test-3") + " 0 1 100 100 "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if reply(t, s, "pg-test-2", "set server pg-test-primary/pg-test-2 weight 100%"); strings.Contains(reply(t, s, "pg-test-2", "show servers state"), " 0 0 0 100 ") {
		t.Error("100% is not the configured weight")
	}
}

// startAt starts a sandbox with a clock that stands still in dir.
func startAt(t *testing.T, dir string) *Sandbox {
	t.Helper()
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Start(context.Background(), Options{Dir: dir, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
