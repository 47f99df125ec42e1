//go:build linux && lab

package cmd_test

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"pgtui/internal/labtest"
)

// audience are clients: on each HAProxy some that write through the primary port, and
// half as many that read through the replica's. Those of the HAProxy that stops are
// counted apart.
type audience struct{ own, others *clients }

func attend(t *testing.T, writers int) *audience {
	t.Helper()
	a := &audience{}
	for who, hosts := range map[**clients][]string{&a.own: fronts()[:1], &a.others: fronts()[1:]} {
		c := writing(t, writers, 500*time.Millisecond, hosts...)
		for _, host := range hosts {
			for range (writers + 1) / 2 {
				c.client(t, host+":5434", 500*time.Millisecond, func(ctx context.Context) (bool, error) {
					_, err := connectAnd(ctx, host, "5434", "select 'ok'") // the check of the replica's port takes a leader, too
					return false, err
				})
			}
		}
		*who = c
	}
	return a
}

func (a *audience) begin(phase string) { a.own.begin(phase); a.others.begin(phase) }

// settle waits until no client of the other HAProxies has failed for a second: on a
// busy machine pgbouncer takes a while to let in all who waited for the switchover.
func (a *audience) settle(t *testing.T) {
	t.Helper()
	was, since := -1, time.Now()
	until(t, "the clients are served again", func() bool {
		if n := a.others.all().failed; n != was {
			was, since = n, time.Now()
		}
		return time.Since(since) > time.Second
	})
}

func (a *audience) end() { a.own.end(); a.others.end() }

// stopNode is what a patch begins with, and startNode what it ends with.
func stopNode(t *testing.T, node string) {
	t.Helper()
	lab(t, "exec", node, "systemctl", "stop", "patroni")
	lab(t, "exec", node, "systemctl", "stop", "haproxy")
}

func startNode(t *testing.T, node string) {
	t.Helper()
	lab(t, "exec", node, "systemctl", "start", "haproxy")
	lab(t, "exec", node, "systemctl", "start", "patroni")
}

// away is one way to get the leader's node ready to be stopped, and back.
type away struct {
	name          string
	prepare, back func(*testing.T)
}

// byHand is what is typed: patronictl reports success, and the node is stopped.
func byHand(t *testing.T) {
	t.Helper()
	lab(t, "exec", "pg-test-2", "patronictl", "-c", "/etc/patroni/patroni.yml", "switchover", "pg-test", "--candidate", "pg-test-2", "--force")
}

// TestLabMaintenanceOfTheLeader stops the leader's node under clients: after
// `pgtui maintenance`, and after `patronictl switchover`, as it is done by hand. With
// PGTUI_LONG there are 51 clients and three rounds, and what the clients of the other
// HAProxies see is judged; else it is printed, for 9 clients beside everything else that
// runs on the machine.
func TestLabMaintenanceOfTheLeader(t *testing.T) {
	d := labDesk(t)
	long := os.Getenv("PGTUI_LONG") != ""
	rounds, writers := 1, 2
	if long {
		rounds, writers = 3, 11
	}
	ways := []away{
		{"by hand", byHand, func(*testing.T) {}},
		{"pgtui maintenance", func(t *testing.T) {
			t.Helper()
			r := d.must(0, []string{"pg-test-1 (10.10.10.11) is safe to stop"}, "maintenance", "pg-test-1", "--yes", "--timeout", "30s")
			t.Logf("pgtui maintenance took %s", r.took.Round(100*time.Millisecond))
			c, _ := status(t)
			if c.Leader == nil || *c.Leader == "pg-test-1" || slices.Contains(service(t, c, "replica").Serving, "pg-test-1") {
				t.Errorf("leader %v, replica %v", c.Leader, service(t, c, "replica").Serving)
			}
		}, func(t *testing.T) {
			t.Helper()
			d.must(0, []string{"pg-test-1 is ready on"}, "maintenance", "pg-test-1", "--end", "--yes")
		}},
	}
	failed := map[string]int{}
	t.Logf("%-18s %-8s %-23s %7s %7s  %s", "", "phase", "clients of", "opened", "failed", "longest gap")
	for range rounds {
		for _, w := range ways {
			needLab(t)
			a := attend(t, writers)
			a.begin("prepare")
			w.prepare(t)
			if w.name != "by hand" {
				a.settle(t)
			}
			labtest.Step(t, "stop the node, "+w.name)
			a.begin("stop")
			stopNode(t, "pg-test-1")
			time.Sleep(4 * time.Second)
			a.end()
			for _, phase := range []string{"prepare", "stop"} {
				for _, c := range []struct {
					of  string
					who *clients
				}{{"the other HAProxies", a.others}, {"the HAProxy that stops", a.own}} {
					seen := c.who.all(phase)
					t.Logf("%-18s %-8s %-23s %7d %7d  %-6s at %s  %s", w.name, phase, c.of, seen.total, seen.failed, seen.gap.Round(10*time.Millisecond), seen.gapAt, seen.firstFailure)
				}
			}
			seen := a.others.all("stop")
			failed[w.name] += seen.failed
			if seen.total < 5*writers {
				t.Errorf("%s: only %d connections while the node stopped", w.name, seen.total)
			}
			if long && w.name != "by hand" && seen.failed > 0 {
				t.Errorf("after \"safe to stop\" %d clients of the other HAProxies failed: %s", seen.failed, seen.firstFailure)
			}
			startNode(t, "pg-test-1")
			w.back(t)
		}
	}
	if long && failed["pgtui maintenance"] > failed["by hand"] {
		t.Errorf("more failed with pgtui than by hand: %v", failed)
	}
}
