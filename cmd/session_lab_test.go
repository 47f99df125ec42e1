//go:build lab

package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pgtui/cmd/jsonv1"
)

// psqlTo is psql as Pigsty's administrator on the PostgreSQL of pg-test-1.
func psqlTo(ctx context.Context, more ...string) *exec.Cmd {
	return exec.CommandContext(ctx, labDir+"/lab", append([]string{"exec", "pg-test-1", "psql", "host=10.10.10.11 user=dbuser_dba password=DBUser.DBA dbname=test"}, more...)...)
}

// postgresOf is `pgtui postgres -o json` of pg-test-1.
func postgresOf(t *testing.T, more ...string) (jsonv1.Postgres, result) {
	t.Helper()
	r := pgtui(t, labInventory(t), append([]string{"postgres", "pg-test-1", "-o", "json"}, more...)...)
	var doc jsonv1.Postgres
	if err := json.Unmarshal([]byte(r.out), &doc); err != nil {
		t.Fatalf("%v: %s%s", err, r.out, r.err)
	}
	return doc, r
}

// blocked makes one session of pg-test-1 hold a row and another wait for it, and returns
// their process IDs.
func blocked(t *testing.T) (holder, waiter int) {
	t.Helper()
	if out, err := psqlTo(t.Context(), "-qc", "drop table if exists pgtui_lock; create table pgtui_lock(i int); insert into pgtui_lock values (1)").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	hold := psqlTo(t.Context(), "-q")
	in, err := hold.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = hold.Wait() })
	fmt.Fprintln(in, "begin; update pgtui_lock set i = 2;")
	var doc jsonv1.Postgres
	until(t, "a session is idle in its transaction", func() bool {
		doc, _ = postgresOf(t, "--no-ssh")
		for _, b := range doc.Backends {
			if b.State == "idle in transaction" && b.User == "dbuser_dba" {
				holder = b.PID
			}
		}
		return holder != 0
	})
	wait := psqlTo(t.Context(), "-qc", "update pgtui_lock set i = 3 where i = 1 or 'hidden-in-text' is null")
	if err := wait.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = wait.Process.Kill(); _ = wait.Wait() })
	until(t, "another waits for it", func() bool {
		doc, _ = postgresOf(t, "--no-ssh")
		for _, b := range doc.Backends {
			if len(b.BlockedBy) == 1 && b.BlockedBy[0] == holder {
				waiter = b.PID
			}
		}
		return waiter != 0
	})
	return holder, waiter
}

// TestLabSessions: a blocked session of a real PostgreSQL is shown below the one that
// blocks it, the query of one is cancelled, and the other is terminated.
func TestLabSessions(t *testing.T) {
	needLab(t)
	holder, waiter := blocked(t)
	until(t, "the wait is worth a look", func() bool { _, r := postgresOf(t, "--no-ssh"); return r.code == 1 })
	doc, r := postgresOf(t)
	if !strings.Contains(doc.Summary, fmt.Sprintf("backend %d of dbuser_dba blocks 1 of them", holder)) || doc.Backends[0].PID != holder || doc.Backends[1].Depth != 1 || doc.Backends[1].PID != waiter {
		t.Errorf("%s; %+v", doc.Summary, doc.Backends)
	}
	if strings.Contains(r.out, "hidden-in-text") || strings.Contains(r.out, "DBUser") {
		t.Error("JSON has the text of a query, or a password")
	}
	if doc.Node == nil || doc.Node.Data.TotalBytes == 0 || doc.Node.Backup.Error != "the node has no pgbackrest" || len(doc.Slots) != 2 || doc.MaxConnections != 100 {
		t.Errorf("node %+v %s, slots %+v, max_connections %d", doc.Node, doc.NodeError, doc.Slots, doc.MaxConnections)
	}
	if r := pgtui(t, labInventory(t), "postgres", "pg-test-1", "--query-text", "--no-ssh"); !strings.Contains(r.out, "hidden-in-text") {
		t.Errorf("--query-text:\n%s%s", r.out, r.err)
	}
	act := func(what string, code int, args ...string) string {
		r := pgtui(t, labInventory(t), args...)
		if r.code != code {
			t.Errorf("%s exits %d, want %d:\n%s%s", what, r.code, code, r.out, r.err)
		}
		return r.out + r.err
	}
	pid := func(n int) string { return fmt.Sprint(n) }
	act("cancel of an idle session", 3, "cancel", "pg-test-1", pid(holder), "--yes")
	if out := act("cancel", 0, "cancel", "pg-test-1", pid(waiter), "--yes"); !strings.Contains(out, "the query has ended") {
		t.Error(out)
	}
	t0 := time.Now()
	act("terminate", 0, "terminate", "pg-test-1", pid(holder), "--yes")
	t.Logf("terminate took %s", time.Since(t0).Round(100*time.Millisecond))
	act("terminate again", 3, "terminate", "pg-test-1", pid(holder), "--yes")
	doc, _ = postgresOf(t, "--no-ssh")
	for _, b := range doc.Backends {
		if b.PID == holder {
			t.Errorf("it is still there: %+v", b)
		}
		if b.Kind == "walsender" {
			act("terminate of a walsender", 3, "terminate", "pg-test-1", pid(b.PID), "--yes")
		}
	}
	// The monitoring user has no right to end sessions: the plan says so.
	inv := edited(t, "pg_admin_username: dbuser_dba", "pg_admin_username: dbuser_monitor")
	text, err := os.ReadFile(inv)
	if err == nil {
		err = os.WriteFile(inv, []byte(strings.Replace(string(text), "pg_admin_password: DBUser.DBA", "pg_admin_password: DBUser.Monitor", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	holder, _ = blocked(t)
	if r := pgtui(t, inv, "terminate", "pg-test-1", pid(holder), "--yes"); r.code != 3 || !strings.Contains(r.out, "sudo -iu postgres psql") || strings.Contains(r.out+r.err, "DBUser.Monitor") {
		t.Errorf("without the right: exit %d\n%s%s", r.code, r.out, r.err)
	}
	act("terminate", 0, "terminate", "pg-test-1", pid(holder), "--yes")
}

// TestLabPgbouncer: waiting clients of a full pool, a paused database and the limits of a
// real pgbouncer.
func TestLabPgbouncer(t *testing.T) {
	needLab(t)
	t.Cleanup(func() {
		lab(t, "exec", "pg-test-1", "systemctl", "restart", "pgbouncer")
		lab(t, "reset")
	})
	read := func() (doc jsonv1.Pooler, r result) {
		r = pgtui(t, labInventory(t), "pgbouncer", "pg-test-1", "-o", "json")
		if err := json.Unmarshal([]byte(r.out), &doc); err != nil {
			t.Fatalf("%v: %s%s", err, r.out, r.err)
		}
		return doc, r
	}
	doc, r := read()
	if r.code != 0 || doc.Limits.MaxClientConn == 0 || doc.Limits.DefaultPoolSize == 0 || doc.Limits.PoolMode == "" {
		t.Errorf("exit %d, %+v", r.code, doc.Limits)
	}
	t.Run("clients wait", func(t *testing.T) { // they end with it: a PAUSE waits for them
		lab(t, "exec", "pg-test-1", "systemctl", "restart", "pgbouncer") // a pool that has more connections already keeps them
		bouncerDo(t, "pg-test-1", "SET default_pool_size = 1")
		client(t, "select pg_sleep(20)")
		client(t, "select pg_sleep(20)")
		until(t, "a client waits for a connection of a full pool", func() bool {
			doc, r = read()
			return r.code == 1 && len(doc.WaitingClients) > 0
		})
		t.Log(doc.Summary)
		if p := doc.Pools[0]; p.Database != "test" || p.ClWaiting == 0 || p.SvActive == 0 || p.State != "full" || doc.WaitingClients[0].User != "test" || doc.WaitingClients[0].WaitMs < 1000 {
			t.Errorf("%+v, waiting %+v", p, doc.WaitingClients)
		}
		bouncerDo(t, "pg-test-1", "DISABLE test")
		until(t, "its database is disabled", func() bool { doc, r = read(); return r.code == 2 && doc.Pools[0].State == "disabled" })
	})
	bouncerDo(t, "pg-test-1", "ENABLE test")
	lab(t, "exec", "pg-test-1", "systemctl", "restart", "pgbouncer")
	bouncerDo(t, "pg-test-1", "PAUSE test")
	until(t, "its database is paused", func() bool {
		doc, r = read()
		return r.code == 2 && strings.Contains(doc.Summary, "pgbouncer's database test is paused")
	})
}
