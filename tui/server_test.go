package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/source"
)

// pools is what the pgbouncer of an instance reports: that of pg-test-2 has clients
// that wait and a paused database.
func pools(name model.InstanceName) model.PoolReport {
	r := model.PoolReport{PoolState: model.PoolState{Version: "1.24.1", PauseKnown: true, Clients: 41, MaxClients: 20000, Databases: []model.PoolDatabase{
		{Name: "app", Active: 50, Servers: 50, Busy: 50, Size: 50}, {Name: "report", Size: 20}}},
		Mode: "transaction", DefaultSize: 50, Reserve: 25, QueryWait: 2 * time.Minute,
		Pools: []model.Pool{{Database: "app", User: "dbuser_app", Mode: "transaction", ClientsActive: 12, Active: 12, Idle: 3, Used: 1, Servers: 16, Size: 50},
			{Database: "app", User: "dbuser_view", Mode: "transaction", ClientsActive: 1, Idle: 1, Servers: 1, Size: 50}}}
	if name != "pg-test-2" {
		return r
	}
	r.Databases[0].Waiting, r.Databases[0].MaxWait, r.Databases[1].Paused = 4, 5*time.Second, true
	r.Pools[0].ClientsActive, r.Pools[0].Active, r.Pools[0].Idle, r.Pools[0].Used, r.Pools[0].Servers = 50, 50, 0, 0, 50
	r.Pools[0].ClientsWaiting, r.Pools[0].MaxWait = 4, 5*time.Second
	for i := range 4 {
		r.WaitingClients = append(r.WaitingClients, model.PoolClient{Database: "app", User: "dbuser_app", Addr: fmt.Sprintf("10.10.10.9%d:4000%d", i, i), Application: "web", Wait: time.Duration(5-i) * time.Second})
	}
	return r
}

// sessions is what a PostgreSQL reports: one session blocks three, and a query whose
// text is hostile.
func sessions() model.ServerReport {
	at := func(pid int, user, state, query string, age time.Duration, blockedBy ...int) model.Backend {
		b := model.Backend{BackendID: model.BackendID{PID: pid, Started: t0.Add(-time.Hour).UnixMicro()}, Kind: "client backend", User: user, Database: "app", Application: "web",
			Client: "10.10.10.99", State: state, Xact: age, InXact: state != "idle", Query: age, Change: age, BlockedBy: blockedBy, Text: query}
		b.Verb, _, _ = strings.Cut(query, " ")
		if len(blockedBy) > 0 {
			b.WaitType, b.Wait = "Lock", "transactionid"
		}
		return b
	}
	return model.ServerReport{Version: "17.5", Uptime: 50 * time.Hour, MaxConnections: 100, Reserved: 3, Sessions: 12,
		States: []model.SessionState{{State: "idle", Count: 7}, {State: "active", Count: 4}, {State: "idle in transaction", Count: 1}},
		Backends: []model.Backend{
			at(4207, "dbuser_app", "idle in transaction", "UPDATE accounts SET balance = balance - 10 WHERE id = 7", 95*time.Second),
			at(4208, "dbuser_app", "active", "UPDATE accounts SET seen = now() WHERE id = 7", 34*time.Second, 4207),
			at(4209, "dbuser_app", "active", "UPDATE accounts SET seen = now() WHERE id = 7", 33*time.Second, 4208),
			at(4210, "dbuser_view", "active", "SELECT \x1b[2J region, sum(amount) FROM orders GROUP BY region", 4*time.Second),
			{BackendID: model.BackendID{PID: 4211, Started: t0.Add(-40 * time.Hour).UnixMicro()}, Kind: "walsender", User: "replicator", Application: "pg-test-2", Client: "10.10.10.12",
				State: "active", Query: 40 * time.Hour, Verb: "START_REPLICATION", Text: "START_REPLICATION SLOT \"pg_test_2\" 0/0 TIMELINE 1"},
			at(4212, "dbuser_app", "idle", "COMMIT", time.Second),
		},
		Slots:    []model.Slot{{Name: "old_standby", Kind: "physical", Retained: 5 << 30, Status: "extended"}, {Name: "pg_test_2", Kind: "physical", Active: true, PID: 4211, Retained: 1 << 20, Status: "reserved"}},
		Archiver: model.Archiver{Mode: "on", Archived: true, Since: 40 * time.Second, File: "00000001000000000000002A", Ready: 0}}
}

// store is what the node reports.
func store() model.NodeStore {
	return model.NodeStore{Data: model.Volume{Mount: "/data", Total: 500 << 30, Free: 120 << 30}, WAL: model.Volume{Mount: "/data", Total: 500 << 30, Free: 120 << 30},
		Backup: model.Backup{Stanza: "pg-test", Status: "ok", Count: 9, Last: t0.Add(-6 * time.Hour), LastFull: t0.Add(-30 * time.Hour), Kind: "incr"}}
}

// quiet is a PostgreSQL on which nothing needs attention.
func quiet(context.Context, *model.Inventory, model.InstanceName, bool) (model.ServerReport, error) {
	return model.ServerReport{Version: "17.5", Recovery: true, Uptime: time.Hour, MaxConnections: 100, Reserved: 3, Archiver: model.Archiver{Mode: "on"}}, nil
}

var errDead = &source.Hint{Err: errors.New("PostgreSQL of pg-test-1: connection refused: nothing listens on 10.10.10.11:5432"), Try: "pgtui status; ssh 10.10.10.11 systemctl status patroni"}

// TestServerFrames holds the pages of an instance's programs.
func TestServerFrames(t *testing.T) {
	w := newWorld()
	onBoard := func(d *fake) { d.Start = "pg-test" }
	noStore := func(d *fake) {
		d.Store = func(context.Context, *model.Inventory, model.InstanceName) (model.NodeStore, error) {
			return model.NodeStore{}, errors.New("space and backups: 10.10.10.11: ssh: connect to host 10.10.10.11 port 22: Connection timed out")
		}
	}
	dies := func(d *fake) {
		n := 0
		d.Activity = func(context.Context, *model.Inventory, model.InstanceName, bool) (model.ServerReport, error) {
			if n++; n == 1 {
				return sessions(), nil
			}
			return model.ServerReport{}, errDead
		}
	}
	later := func(r *rig) {
		r.press("p")
		r.now = r.now.Add(10 * time.Second)
		r.send(tickMsg{})
	}
	for _, tt := range []struct {
		name  string
		steps func(*rig)
		deps  func(*fake)
	}{
		{"pgbouncer", func(r *rig) { r.press("b") }, func(*fake) {}},
		{"pgbouncer-waiting", func(r *rig) { r.press("b", "tab") }, func(*fake) {}},
		{"pgbouncer-refused", func(r *rig) { r.press("b") }, func(d *fake) {
			d.Pooler = func(context.Context, *model.Inventory, model.InstanceName) (model.PoolReport, error) {
				return model.PoolReport{}, &source.Hint{Err: &model.ConsoleRefused{Text: "pgbouncer's console refuses dbuser_monitor: not allowed"}, Try: "add dbuser_monitor to stats_users in pgbouncer.ini"}
			}
		}},
		{"postgres", func(r *rig) { r.press("p", "j") }, func(*fake) {}},
		{"postgres-quiet", func(r *rig) { r.press("p") }, func(d *fake) { d.Activity = quiet; noStore(d) }},
		{"postgres-dead", func(r *rig) { r.press("p") }, func(d *fake) {
			d.Activity = func(context.Context, *model.Inventory, model.InstanceName, bool) (model.ServerReport, error) {
				return model.ServerReport{}, errDead
			}
		}},
		{"postgres-died", later, dies},
	} {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, "server/"+tt.name, frames(t, w, tt.steps, onBoard, tt.deps))
		})
	}
}

// TestServersAreReadOnlyWhileTheyAreSeen: no connection while another page is shown,
// one every 3 s while theirs is, none while the screen is frozen, and the one on its
// way ends with the page.
func TestServersAreReadOnlyWhileTheyAreSeen(t *testing.T) {
	var sql, ssh, console int
	var life context.Context
	r := newRig(t, newWorld(), 120, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Activity = func(ctx context.Context, _ *model.Inventory, name model.InstanceName, text bool) (model.ServerReport, error) {
			if sql++; name != "pg-test-1" || !text {
				t.Errorf("it reads %s, text %t", name, text)
			}
			life = ctx
			return sessions(), nil
		}
		d.Store = func(context.Context, *model.Inventory, model.InstanceName) (model.NodeStore, error) {
			ssh++
			return store(), nil
		}
		d.Pooler = func(context.Context, *model.Inventory, model.InstanceName) (model.PoolReport, error) {
			console++
			return pools(""), nil
		}
	})
	for _, tt := range []struct {
		what              string
		keys              []string
		seconds           int
		sql, ssh, console int // afterwards
	}{
		{"the board", nil, 70, 0, 0, 0},
		{"the instance", []string{"i"}, 10, 0, 0, 0},
		{"the page opens", []string{"p"}, 0, 1, 1, 0},
		{"it is seen", nil, 9, 4, 1, 0},
		{"its node", nil, 60, 24, 2, 0},
		{"frozen", []string{"space"}, 60, 24, 2, 0},
		{"again", []string{"space"}, 1, 25, 3, 0},
		{"another page above it", []string{"b"}, 6, 25, 3, 3},
		{"help above it", []string{"?"}, 30, 25, 3, 3},
		{"back to it", []string{"esc", "esc"}, 1, 26, 3, 3},
		{"closed", []string{"esc"}, 70, 26, 3, 3},
	} {
		r.press(tt.keys...)
		for range tt.seconds {
			r.now = r.now.Add(time.Second)
			r.send(tickMsg{})
		}
		if sql != tt.sql || ssh != tt.ssh || console != tt.console {
			t.Errorf("%s: read %d times, its node %d, pgbouncer %d; want %d, %d, %d", tt.what, sql, ssh, console, tt.sql, tt.ssh, tt.console)
		}
	}
	r.lazy = true
	next, cmd := r.m.Update(keyOf("p"))
	r.m = next.(Model)
	r.press("esc")
	r.lazy = false
	r.drain(cmd)
	if life.Err() == nil {
		t.Error("the reading of a page that was closed goes on")
	}
}

// TestTheCursorStaysOnItsSession: the list changes under it.
func TestTheCursorStaysOnItsSession(t *testing.T) {
	all := sessions()
	r := newRig(t, newWorld(), 120, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Activity = func(context.Context, *model.Inventory, model.InstanceName, bool) (model.ServerReport, error) {
			return all, nil
		}
	})
	r.press("p", "j", "j", "j")
	r.want("4210 dbuser_view@app", "SELECT [2J region")
	all.Backends = all.Backends[3:] // the tree is gone
	r.now = r.now.Add(5 * time.Second)
	r.send(tickMsg{})
	r.want("4210 dbuser_view@app")
	r.wantNot("4207", "\x1b[2J")
	all.Backends = nil
	r.now = r.now.Add(5 * time.Second)
	r.send(tickMsg{})
	r.want("no session")
}

// TestSessionsAreEndedFromTheirRow: s and K plan the end of the session under the
// cursor; a read-only console offers neither.
func TestSessionsAreEndedFromTheirRow(t *testing.T) {
	for _, tt := range []struct {
		keys []string
		want string
	}{
		{[]string{"p", "K"}, "terminate pg-test-1 4207"},
		{[]string{"p", "j", "s"}, "cancel pg-test-1 4208"},
		{[]string{"p", "tab", "j", "j", "K"}, "terminate pg-test-2 4209"},
	} {
		var planned []string
		r := newRig(t, newWorld(), 120, 40, func(d *fake) {
			d.Start = "pg-test"
			plan := d.PlanAction
			d.PlanAction = func(ctx context.Context, inv *model.Inventory, q action.Request) (action.Plan, error) {
				planned = append(planned, q.Line())
				return plan(ctx, inv, q)
			}
		})
		r.press(tt.keys...)
		if got := strings.Join(planned, "; "); got != tt.want {
			t.Errorf("%v: planned %q, want %q", tt.keys, got, tt.want)
		}
		r.press("esc")
		r.want("SESSIONS 12/100")
	}
	r := newRig(t, newWorld(), 120, 40, func(d *fake) { d.Start, d.Act = "pg-test", nil })
	r.press("p")
	r.wantNot("cancel query", "terminate")
	r.press("K", "s")
	if got := r.path(); !strings.HasSuffix(got, "postgres pg-test-1") {
		t.Errorf("path %q", got)
	}
}

// TestAFindingLeadsToTheServer: Enter on clients that wait opens the pgbouncer of their
// instance.
func TestAFindingLeadsToTheServer(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 40, func(d *fake) { d.Start = "pg-test" })
	boards := w.boards()
	for i := range boards {
		if boards[i].Cluster.Name == "pg-test" {
			found(&boards[i], model.Finding{Code: "pool-waiting", Cluster: "pg-test", Instance: "pg-test-2", Severity: model.Warning, Summary: "clients wait",
				Hint: "pgtui pgbouncer pg-test-2 lists who waits, and pgtui postgres pg-test-2 what holds the connections"})
		}
	}
	r.m.judge(boards)
	r.press("f", "enter")
	r.want("pgbouncer 1.24.1  10.10.10.12:6432", "WAITING CLIENT")
}

// TestANodeThatIsNotReadAgain: what was read of it before stays, with its age and why
// there is nothing newer.
func TestANodeThatIsNotReadAgain(t *testing.T) {
	n := 0
	r := newRig(t, newWorld(), 140, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Store = func(context.Context, *model.Inventory, model.InstanceName) (model.NodeStore, error) {
			if n++; n == 1 {
				return store(), nil
			}
			return model.NodeStore{}, errors.New("10.10.10.11: ssh: Connection timed out")
		}
	})
	r.press("p")
	r.wantNot("the last attempt failed")
	r.now = r.now.Add(2 * time.Minute)
	r.send(tickMsg{})
	r.want("NODE", "read 2 min ago; the last attempt failed: 10.10.10.11: ssh: Connection timed out", "stanza pg-test")
}
