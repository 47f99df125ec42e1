//go:build lab

package cmd_test

import (
	"strings"
	"testing"
	"time"

	"pgtui/internal/labtest"
)

// TestLabForeignPatroni lets pg-meta's Patroni answer at the address of
// pg-test-3, whose own is dead: it holds a leader key, passes every check of a
// primary, and is nobody's leader here. The seconds until each screen and
// command says so are printed.
func TestLabForeignPatroni(t *testing.T) {
	needLab(t)
	con := openConsole(t, 160, 40, "-i", labInventory(t), "--ssh-config", labtest.SSHConfig(t))
	con.see("2 clusters · ● 2 ok")

	lab(t, "kill", "pg-test-3", "patroni")
	pid := lab(t, "exec", "pg-test-3", "sh", "-c", "setsid socat TCP-LISTEN:8008,bind=10.10.10.13,fork,reuseaddr TCP:10.10.10.10:8008 </dev/null >/dev/null 2>&1 & echo $!")
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-3", "kill", pid)
		lab(t, "start", "pg-test-3", "patroni")
	})
	began := time.Now()
	con.see("another cluster's Patroni answers")
	onFleet := time.Since(began)
	con.keys("/", "t", "e", "s", "t", "Enter", "Enter")
	con.see("SEEN BY", "✕ other cluster", "another cluster's Patroni answers at 10.10.10.13:8008")
	onBoard := time.Since(began)
	con.keys("q")
	con.see("pgtui left with 0")

	d, r := doctor(t, "--count", "0")
	says(t, found(t, d, "foreign-patroni", "10.10.10.13"), "critical", "pg-meta")
	t.Logf("fleet after %.1f s, board after %.1f s with the keys to it, doctor took %.1f s", onFleet.Seconds(), onBoard.Seconds(), r.took.Seconds())
	if strings.Contains(r.out, "reinit") {
		t.Error("a hint wipes somebody")
	}
	c, _ := status(t)
	if c.Leader == nil || *c.Leader != "pg-test-1" || c.LeaderBy != "self" {
		t.Errorf("leader %v by %s: %s", c.Leader, c.LeaderBy, c.Summary)
	}
	until(t, "HAProxy sends writes to the stranger, and that is no service", func() bool {
		c, _ = status(t)
		return service(t, c, "primary").Verdict == "mismatch"
	})
	if w := pgtui(t, labInventory(t), "whatif", "pg-test", "--down", "pg-test-1", "-o", "json"); !strings.Contains(w.out, `"leader": "pg-test-2"`) {
		t.Errorf("what if: %s%s", w.out, w.err)
	}
}
