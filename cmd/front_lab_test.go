//go:build lab

package cmd_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/labtest"
)

// onEvery runs one command of HAProxy's socket on every node of pg-test.
func onEvery(t *testing.T, command string) {
	t.Helper()
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		if out := lab(t, "exec", n, "sh", "-c", "echo '"+command+"' | socat - /run/haproxy.sock"); out != "" {
			t.Fatalf("%s: %s: %s", n, command, out)
		}
	}
}

// occupy holds one session of a client through 5433 of each HAProxy until the test ends.
func occupy(t *testing.T, hosts ...string) {
	t.Helper()
	for _, h := range hosts {
		c := exec.CommandContext(t.Context(), "psql", "-Xqc", "select pg_sleep(600)", "host="+h+" port=5433 user=test password=test dbname=test")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	}
	until(t, "the sessions show", func() bool {
		c, _ := status(t)
		n := 0
		for _, v := range service(t, c, "primary").Views {
			if v.Frontend != nil && v.Frontend.Scur > 0 {
				n++
			}
		}
		return n == len(hosts)
	})
}

// first waits until the console's fleet and a board show words, and until doctor
// has the finding, and logs after how many seconds each did.
func first(t *testing.T, began time.Time, fleet, board *console, inFleet, onBoard, code string) jsonv1.Finding {
	t.Helper()
	fleet.see(inFleet)
	t.Logf("fleet shows %q after %.1f s", inFleet, time.Since(began).Seconds())
	board.see(onBoard)
	t.Logf("board shows %q after %.1f s", onBoard, time.Since(began).Seconds())
	var f jsonv1.Finding
	until(t, "doctor reports "+code, func() bool {
		d, _ := doctor(t, "--count", "0")
		for _, x := range d.Findings {
			if x.Code == code {
				f = x
				return true
			}
		}
		return false
	})
	t.Logf("doctor reports %s after %.1f s: %s", code, time.Since(began).Seconds(), f.Summary)
	return f
}

// openBoth opens the fleet and the board of pg-test, and waits until both are live.
func openBoth(t *testing.T) (fleet, board *console) {
	t.Helper()
	fleet = openConsole(t, 120, 40, "-i", labInventory(t), "--ssh-config", labtest.SSHConfig(t))
	board = openConsole(t, 80, 24, "-i", labInventory(t), "--ssh-config", labtest.SSHConfig(t), "pg-test")
	fleet.see("pg-test", "● 2 ok")
	board.see("every service is served as declared")
	return fleet, board
}

// TestLabPortClosed pauses the primary's frontend, then lets it be full: the
// servers are as they were, and no client gets in.
func TestLabPortClosed(t *testing.T) {
	needLab(t)
	fleet, board := openBoth(t)
	for _, tc := range []struct {
		does, undoes, inFleet, onBoard, says string
		hold                                 bool // one client stays connected to each HAProxy
	}{
		{"disable frontend pg-test-primary", "enable frontend pg-test-primary", "✕ port paused", "PAUSED", "its frontend is PAUSED", false},
		{"set maxconn frontend pg-test-primary 1", "set maxconn frontend pg-test-primary 3000", "✕ port full", "port is full", "1 of 1 sessions (maxconn of the frontend)", true},
	} {
		if tc.hold {
			occupy(t, "10.10.10.11", "10.10.10.12", "10.10.10.13")
		}
		onEvery(t, tc.does)
		f := first(t, time.Now(), fleet, board, tc.inFleet, tc.onBoard, "port-closed")
		if f.Severity != "critical" || f.Service != "primary" || !strings.Contains(f.Summary, tc.says) {
			t.Errorf("%s: %+v", tc.does, f)
		}
		c, r := status(t)
		if s := service(t, c, "primary"); r.code != 2 || len(s.Serving) != 0 || s.Views[0].Frontend == nil {
			t.Errorf("%s: exit %d, serving %v: %s", tc.does, r.code, s.Serving, c.Summary)
		}
		if w := pgtui(t, labInventory(t), "wait", "pg-test", "--serves", "pg-test-1", "--timeout", "2s"); w.code == 0 {
			t.Errorf("%s: wait says %s", tc.does, w.out)
		}
		if d := pgtui(t, labInventory(t), "reload", "pg-test", "--dry-run", "--force"); !strings.Contains(d.out+d.err, "reopens-frontend") != tc.hold {
			t.Errorf("%s: the plan's risks:\n%s%s", tc.does, d.out, d.err)
		}
		onEvery(t, tc.undoes)
		fleet.see("● 2 ok")
		board.see("every service is served as declared")
	}
}

// TestLabOneWayBlock lets the HAProxy of pg-test-3, and nobody else, get no
// answer from the Patroni of pg-test-1.
func TestLabOneWayBlock(t *testing.T) {
	needLab(t)
	fleet, board := openBoth(t)
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-3", "sh", "-c", "ip rule del pref 100; ip route flush table 100; ip neigh del 10.10.10.99 dev eth0; true")
	})
	lab(t, "exec", "pg-test-3", "sh", "-ec", "ip neigh replace 10.10.10.99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent; ip route replace 10.10.10.11 via 10.10.10.99 dev eth0 table 100; ip rule add pref 100 to 10.10.10.11 ipproto tcp dport 8008 lookup 100")
	f := first(t, time.Now(), fleet, board, "cannot reach Patroni", "(L4TOUT)", "haproxy-disagree")
	if !strings.Contains(f.Summary, "HAProxy on pg-test-3 cannot reach Patroni on pg-test-1 (L4TOUT), but 2 other HAProxy nodes can") || !strings.HasPrefix(f.Hint, "ssh 10.10.10.13 curl") {
		t.Errorf("%+v", f)
	}
}
