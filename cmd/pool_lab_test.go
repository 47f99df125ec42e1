//go:build lab

package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/cmd"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/labtest"
)

// bouncerDo types a command on the console of a node's pgbouncer, as Pigsty's
// administrator.
func bouncerDo(t *testing.T, node, command string) {
	t.Helper()
	addr := map[string]string{"pg-test-1": "10.10.10.11", "pg-test-2": "10.10.10.12", "pg-test-3": "10.10.10.13"}[node]
	lab(t, "exec", node, "psql", fmt.Sprintf("host=%s port=6432 user=dbuser_dba password=DBUser.DBA dbname=pgbouncer", addr), "-AXtqc", command)
}

// client connects to the primary's port as an application does, again when it is
// not let in, and is ended with the test.
func client(t *testing.T, query string) {
	t.Helper()
	go func() {
		for t.Context().Err() == nil {
			c := exec.CommandContext(t.Context(), labDir+"/lab", "exec", "pg-test-2", "psql", "postgres://test:test@10.10.10.11:5433/test", "-AXtc", query)
			if c.Run() == nil {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	}()
}

func codes(c jsonv1.Cluster) (out []string) {
	for _, f := range c.Findings {
		out = append(out, f.Code)
	}
	return out
}

// TestLabPoolPaused: a pgbouncer that is paused answers its port and lets clients
// hang. pgtui says so, and how long that took is in the log.
func TestLabPoolPaused(t *testing.T) {
	needLab(t)
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-1", "systemctl", "restart", "pgbouncer")
		lab(t, "reset")
	})
	down := func(what, code string) jsonv1.Cluster {
		var c jsonv1.Cluster
		took := until(t, what+": primary is down", func() bool {
			var r result
			c, r = status(t)
			return r.code == 2 && slices.Contains(codes(c), code)
		})
		t.Logf("%s: told after %s: %s", what, took.Round(100*time.Millisecond), c.Findings[0].Summary)
		if slices.Contains(codes(c), "check-yes-port-no") || !strings.Contains(c.Findings[0].Summary, "pg-test-1") {
			t.Errorf("%s: findings %+v", what, c.Findings)
		}
		return c
	}
	well := func(what string) {
		until(t, what, func() bool { _, r := status(t); return r.code == 0 })
	}
	traced := func(what string) {
		r := pgtui(t, labInventory(t), "trace", "postgres://test:test@10.10.10.3:5433/test")
		if r.code != 2 || !strings.Contains(r.out, "fails at pgbouncer: pg-test-1") || !strings.Contains(r.out, "database test") {
			t.Errorf("%s: trace exits %d:\n%s%s", what, r.code, r.out, r.err)
		}
	}

	bouncerDo(t, "pg-test-1", "PAUSE test")
	c := down("PAUSE test", "pool-paused")
	if p := c.Members[0].Pool; p == nil || p.Held != "paused" || !p.TakesNone {
		t.Errorf("pool %+v", p)
	}
	traced("PAUSE test")
	if r := pgtui(t, labInventory(t), "doctor", "pg-test"); strings.Contains(r.out, "is pgbouncer down") || !strings.Contains(r.out, "RESUME test") {
		t.Errorf("doctor:\n%s%s", r.out, r.err)
	}
	bouncerDo(t, "pg-test-1", "RESUME test")
	well("RESUME test")

	// Releases before 1.19 do not tell of a PAUSE of everything: there the
	// client that waits is what is seen.
	bouncerDo(t, "pg-test-1", "PAUSE")
	client(t, "select 1")
	until(t, "PAUSE: primary is down", func() bool { _, r := status(t); return r.code == 2 })
	c, _ = status(t)
	t.Logf("PAUSE: %s", c.Findings[0].Summary)
	if code := c.Findings[0].Code; code != "pool-paused" && code != "pool-stalled" {
		t.Errorf("findings %+v", c.Findings)
	}
	traced("PAUSE")
	bouncerDo(t, "pg-test-1", "RESUME")
	well("RESUME")

	bouncerDo(t, "pg-test-1", "DISABLE test")
	down("DISABLE test", "pool-disabled")
	traced("DISABLE test")
	bouncerDo(t, "pg-test-1", "ENABLE test")
	well("ENABLE test")

	bouncerDo(t, "pg-test-1", "SET max_client_conn = 1")
	client(t, "select pg_sleep(60)")
	down("max_client_conn", "pool-full")
	traced("max_client_conn")
}

// TestLabPoolPausedInTheFeed: `status --watch` tells of a PAUSE within some
// seconds, and of its end.
func TestLabPoolPausedInTheFeed(t *testing.T) {
	needLab(t)
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-1", "systemctl", "restart", "pgbouncer")
		lab(t, "reset")
	})
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		cmd.Run(ctx, []string{"-i", labInventory(t), "status", "pg-test", "--watch", "-o", "json"}, cmd.IO{Out: w, Err: io.Discard, Getenv: func(string) string { return "" }})
		_ = w.Close()
	}()
	defer func() { stop(); _ = r.Close(); <-done }()
	docs := json.NewDecoder(r)
	told := func(health string) string {
		labtest.Step(t, "status --watch reports "+health)
		t0 := time.Now()
		for time.Since(t0) < labtest.Patience(t) {
			var st jsonv1.Status
			if err := docs.Decode(&st); err != nil {
				t.Fatal(err)
			}
			if st.Health == health {
				return time.Since(t0).Round(100 * time.Millisecond).String()
			}
		}
		t.Fatalf("%s is not reported within %s", health, labtest.Patience(t))
		return ""
	}
	told("ok")
	bouncerDo(t, "pg-test-1", "PAUSE test")
	t.Logf("PAUSE test is told after %s", told("down"))
	bouncerDo(t, "pg-test-1", "RESUME test")
	t.Logf("RESUME test is told after %s", told("ok"))
}
