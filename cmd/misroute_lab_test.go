//go:build lab

package cmd_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// clients connect anew through the primary and the replica port of every
// HAProxy, or through one of them, some 150 times a second together, and count
// where they came out.
type clients struct {
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu                         sync.Mutex
	total, failed, wrong       int
	firstFailure, firstMistake string
}

func connecting(t *testing.T, only ...string) *clients {
	ctx, stop := context.WithCancel(t.Context())
	c := &clients{stop: stop}
	for _, host := range []string{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		for port, recovers := range map[string]string{"5433": "f", "5434": "t"} {
			if len(only) > 0 && !slices.Contains(only, port) {
				continue
			}
			c.wg.Go(func() {
				for ctx.Err() == nil {
					got, err := whither(ctx, host, port)
					if ctx.Err() == nil {
						c.count(host+":"+port, got, recovers, err)
					}
					time.Sleep(25 * time.Millisecond)
				}
			})
		}
	}
	return c
}

// whither asks whoever answers whether it is in recovery: "t" or "f".
func whither(ctx context.Context, host, port string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, "postgres://test:test@"+host+":"+port+"/test?sslmode=disable")
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	res, err := conn.Exec(ctx, "select pg_is_in_recovery()").ReadAll()
	if err != nil || len(res) != 1 || len(res[0].Rows) != 1 {
		return "", fmt.Errorf("asking: %w", err)
	}
	return string(res[0].Rows[0][0]), nil
}

func (c *clients) count(where, got, want string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total++
	switch {
	case err != nil:
		if c.failed++; c.failed == 1 {
			c.firstFailure = where + ": " + err.Error()
		}
	case got != want:
		if c.wrong++; c.wrong == 1 {
			c.firstMistake = where
		}
	}
}

func (c *clients) end() { c.stop(); c.wg.Wait() }

// TestLabReloadMisroutes counts what clients see of reloads in a row, done as
// bin/pgsql-svc does them, by pgtui, and by pgtui where haproxy.cfg lets it hand
// the servers' states over. PGTUI_RELOADS is how many of each, 2 by default.
func TestLabReloadMisroutes(t *testing.T) {
	needLab(t)
	rounds := 2
	if n, err := strconv.Atoi(os.Getenv("PGTUI_RELOADS")); err == nil && n > 0 {
		rounds = n
	}
	nodes := []string{"pg-test-1", "pg-test-2", "pg-test-3"}
	everywhere := func(script string) {
		var wg sync.WaitGroup
		for _, n := range nodes {
			wg.Go(func() { lab(t, "exec", n, "sh", "-c", script) })
		}
		wg.Wait()
	}
	inv := []string{
		edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }"),
		edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 60 }"),
	}
	var reloads time.Duration
	var kept []string // what each reload says of the states
	byPgtui := func(i int) {
		r := pgtui(t, inv[i%2], "reload", "pg-test", "--yes")
		if r.code != 0 || strings.Count(r.out, "  applied  ") != 3 {
			t.Fatalf("reload: exit %d\n%s%s", r.code, r.out, r.err)
		}
		reloads += r.took
		for l := range strings.Lines(r.out) {
			if strings.Contains(l, " took over from ") {
				kept = append(kept, strings.Join(strings.Fields(l), " "))
			}
		}
	}
	everywhere("rm -rf /run/keep; cp -a /etc/haproxy/conf.d /run/keep")
	byPigsty := func(int) {
		t0 := time.Now()
		everywhere("rm -f /etc/haproxy/conf.d/pg-test-*.cfg; cp -a /run/keep/pg-test-*.cfg /etc/haproxy/conf.d/ && " +
			"haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d >/dev/null 2>&1 && systemctl reload haproxy")
		reloads += time.Since(t0)
		time.Sleep(4 * time.Second)
	}
	handOver := func() {
		if r := pgtui(t, labInventory(t), "states", "pg-test"); r.code != 1 {
			t.Fatalf("states before: exit %d\n%s%s", r.code, r.out, r.err)
		}
		r := pgtui(t, labInventory(t), "states", "pg-test", "--enable", "--yes", "--accept-risk", "settling")
		if r.code != 0 || strings.Count(r.out, "  applied  ") != 3 || strings.Contains(r.out, "insecure-password") {
			t.Fatalf("states --enable: exit %d\n%s%s", r.code, r.out, r.err)
		}
		if r = pgtui(t, labInventory(t), "states", "pg-test", "--enable", "--yes"); r.code != 0 || strings.Contains(r.out, "applied") {
			t.Errorf("once more: exit %d\n%s%s", r.code, r.out, r.err)
		}
	}
	t.Cleanup(func() {
		everywhere("sed -i '/server-state-file/d; /load-server-state-from-file/d' /etc/haproxy/haproxy.cfg; systemctl reload haproxy")
	})
	t.Logf("%-44s %7s %12s %7s %10s", "new connections through 5433 and 5434", "opened", "misrouted", "failed", "a reload")
	for _, way := range []struct {
		name   string
		before func()
		reload func(int)
		none   bool
	}{
		{"the steps of bin/pgsql-svc, all nodes at once", func() {}, byPigsty, false},
		{"pgtui reload", func() {}, byPgtui, false},
		{"pgtui reload, states handed over", handOver, byPgtui, true},
	} {
		way.before()
		until(t, "all is well", func() bool { return pgtui(t, labInventory(t), "status", "pg-test").code <= 1 })
		reloads, kept = 0, nil
		c := connecting(t)
		for i := range rounds {
			way.reload(i)
		}
		time.Sleep(time.Second)
		c.end()
		t.Logf("%-44s %7d %12d %7d %10s", way.name, c.total, c.wrong, c.failed, (reloads / time.Duration(rounds)).Round(10*time.Millisecond))
		if c.firstFailure != "" {
			t.Logf("  the first failure: %s", c.firstFailure)
		}
		if c.total < 100*rounds {
			t.Errorf("%s: only %d connections were tried", way.name, c.total)
		}
		if way.none && (c.wrong > 0 || c.failed > 0) {
			t.Errorf("%s: %d misrouted (first at %s), %d failed (%s)\n%s", way.name, c.wrong, c.firstMistake, c.failed, c.firstFailure, strings.Join(kept, "\n"))
		}
	}
	for _, n := range nodes {
		if got := lab(t, "exec", n, "sh", "-c", "ls /run/haproxy-servers.state* 2>/dev/null || true"); got != "" {
			t.Errorf("%s: %s is left: the next reload by another hand would believe it", n, got)
		}
	}
}
