//go:build lab

package cmd_test

import (
	"cmp"
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

// clients connect anew, through ports of HAProxies, again and again, and count what
// they see.
type clients struct {
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu    sync.Mutex
	phase string
	seen  map[string]*tally    // by phase; what is begun in one counts there
	last  map[string]time.Time // by where: the end of the last success
}

// tally is what clients saw.
type tally struct {
	total, failed, wrong       int
	firstFailure, firstMistake string
	gap                        time.Duration // the longest between two successes at one place
	gapAt                      string
}

// connecting are clients of the primary and the replica port of every HAProxy, or
// of one of them, some 150 a second together, who count where they came out.
func connecting(t *testing.T, only ...string) *clients {
	c := newClients()
	for _, host := range fronts() {
		for port, recovers := range map[string]string{"5433": "f", "5434": "t"} {
			if len(only) > 0 && !slices.Contains(only, port) {
				continue
			}
			c.client(t, host+":"+port, 25*time.Millisecond, func(ctx context.Context) (wrong bool, err error) {
				got, err := connectAnd(ctx, host, port, "select pg_is_in_recovery()")
				return got != recovers, err
			})
		}
	}
	return c
}

// writing are clients who connect through the primary port and write a row, n of
// them on each HAProxy, with a pause after each. The table is made first.
func writing(t *testing.T, n int, pause time.Duration, hosts ...string) *clients {
	t.Helper()
	if _, err := connectAnd(t.Context(), "10.10.10.11", "5433", "create table if not exists written (at timestamptz, who text); select 'ok'"); err != nil {
		t.Fatal(err)
	}
	c := newClients()
	for _, host := range hosts {
		for range n {
			c.client(t, host, pause, func(ctx context.Context) (bool, error) {
				_, err := connectAnd(ctx, host, "5433", "insert into written values (now(), '"+host+"') returning 'ok'")
				return false, err
			})
		}
	}
	return c
}

// fronts are the HAProxies of pg-test.
func fronts() []string { return []string{"10.10.10.11", "10.10.10.12", "10.10.10.13"} }

func newClients() *clients {
	return &clients{stop: func() {}, seen: map[string]*tally{"": {}}, last: map[string]time.Time{}}
}

// client adds one client, who runs until end.
func (c *clients) client(t *testing.T, where string, pause time.Duration, do func(context.Context) (wrong bool, err error)) {
	ctx, stop := context.WithCancel(t.Context())
	before := c.stop
	c.stop = func() { before(); stop() }
	c.wg.Go(func() {
		for ctx.Err() == nil {
			phase := c.now()
			wrong, err := do(ctx)
			if ctx.Err() == nil {
				c.count(phase, where, wrong, err)
			}
			time.Sleep(pause)
		}
	})
}

// now is the phase, and begin begins one.
func (c *clients) now() string { c.mu.Lock(); defer c.mu.Unlock(); return c.phase }

func (c *clients) begin(phase string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase = phase; c.seen[phase] == nil {
		c.seen[phase] = &tally{}
	}
}

// all is what was seen in these phases together; in every one when none is named.
func (c *clients) all(phases ...string) tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum tally
	for name, s := range c.seen {
		if len(phases) > 0 && !slices.Contains(phases, name) {
			continue
		}
		sum.total, sum.failed, sum.wrong = sum.total+s.total, sum.failed+s.failed, sum.wrong+s.wrong
		sum.firstFailure, sum.firstMistake = cmp.Or(sum.firstFailure, s.firstFailure), cmp.Or(sum.firstMistake, s.firstMistake)
		if s.gap > sum.gap {
			sum.gap, sum.gapAt = s.gap, s.gapAt
		}
	}
	return sum
}

// connectAnd connects, and returns the first column of the last row of the queries.
func connectAnd(ctx context.Context, host, port, queries string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, "postgres://test:test@"+host+":"+port+"/test?sslmode=disable")
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	res, err := conn.Exec(ctx, queries).ReadAll()
	if err != nil || len(res) == 0 || len(res[len(res)-1].Rows) != 1 {
		return "", fmt.Errorf("the query: %w", err)
	}
	return string(res[len(res)-1].Rows[0][0]), nil
}

func (c *clients) count(phase, where string, wrong bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.seen[phase]
	s.total++
	if err != nil {
		if s.failed++; s.failed == 1 {
			s.firstFailure = where + ": " + err.Error()
		}
		return
	}
	if wrong {
		if s.wrong++; s.wrong == 1 {
			s.firstMistake = where
		}
	}
	now := time.Now()
	if was, ok := c.last[where]; ok && now.Sub(was) > s.gap {
		s.gap, s.gapAt = now.Sub(was), where
	}
	c.last[where] = now
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
		if r.code != 0 || strings.Count(r.out, "  applied") != 3 {
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
		if r.code != 0 || strings.Count(r.out, "  applied") != 3 || strings.Contains(r.out, "insecure-password") {
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
		seen := c.all()
		t.Logf("%-44s %7d %12d %7d %10s", way.name, seen.total, seen.wrong, seen.failed, (reloads / time.Duration(rounds)).Round(10*time.Millisecond))
		if seen.firstFailure != "" {
			t.Logf("  the first failure: %s", seen.firstFailure)
		}
		if seen.total < 100*rounds {
			t.Errorf("%s: only %d connections were tried", way.name, seen.total)
		}
		if way.none && (seen.wrong > 0 || seen.failed > 0) {
			t.Errorf("%s: %d misrouted (first at %s), %d failed (%s)\n%s", way.name, seen.wrong, seen.firstMistake, seen.failed, seen.firstFailure, strings.Join(kept, "\n"))
		}
	}
	for _, n := range nodes {
		if got := lab(t, "exec", n, "sh", "-c", "ls /run/haproxy-servers.state* 2>/dev/null || true"); got != "" {
			t.Errorf("%s: %s is left: the next reload by another hand would believe it", n, got)
		}
	}
}
