package board_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/model/trace"
	"pgtui/source"
)

func TestPoolTrouble(t *testing.T) {
	app, raw := model.Database{Name: "app", Pooled: true}, model.Database{Name: "raw"}
	db := func(name string, f func(*model.PoolDatabase)) model.PoolDatabase {
		d := model.PoolDatabase{Name: name, Servers: 2}
		f(&d)
		return d
	}
	well := func(*model.PoolDatabase) {}
	paused := func(d *model.PoolDatabase) {
		d.Paused, d.Servers, d.Waiting, d.MaxWait = true, 0, 3, 12*time.Second
	}
	disabled := func(d *model.PoolDatabase) { d.Disabled = true }
	stalled := func(d *model.PoolDatabase) { d.Servers, d.Waiting, d.MaxWait = 0, 1, model.PoolWait }
	for _, tt := range []struct {
		name  string
		have  []model.Database // of the inventory
		pool  model.PoolState
		kind  model.PoolHold
		whole bool
		text  string
	}{
		{"well", nil, model.PoolState{Databases: []model.PoolDatabase{db("app", well)}}, "", false, ""},
		{"nothing is told", nil, model.PoolState{}, "", false, ""},
		{"PAUSE", nil, model.PoolState{Paused: true, Databases: []model.PoolDatabase{db("app", well), db("web", well)}}, model.PoolPaused, true,
			"pgbouncer is paused with all its databases (app, web): no client waits yet"},
		{"PAUSE of the clients' database", []model.Database{app, raw}, model.PoolState{Databases: []model.PoolDatabase{db("app", paused), db("postgres", well)}}, model.PoolPaused, true,
			"pgbouncer's database app is paused: 3 clients wait, the longest 12 s"},
		{"PAUSE of one of two", []model.Database{app, {Name: "web", Pooled: true}}, model.PoolState{Databases: []model.PoolDatabase{db("app", paused), db("web", well)}}, model.PoolPaused, false,
			"pgbouncer's database app is paused"},
		{"PAUSE of one that is not the clients'", []model.Database{app}, model.PoolState{Databases: []model.PoolDatabase{db("app", well), db("postgres", paused)}}, model.PoolPaused, false,
			"pgbouncer's database postgres is paused"},
		{"one that pgbouncer does not have does not count", []model.Database{app, {Name: "new", Pooled: true}}, model.PoolState{Databases: []model.PoolDatabase{db("app", disabled)}}, model.PoolDisabled, true,
			"pgbouncer's database app is disabled: no new client gets in"},
		{"the inventory names none, one is held", nil, model.PoolState{Databases: []model.PoolDatabase{db("app", disabled), db("web", well)}}, model.PoolDisabled, false, ""},
		{"the inventory names none, all are held", nil, model.PoolState{Databases: []model.PoolDatabase{db("app", disabled), db("web", paused)}}, model.PoolPaused, true,
			"pgbouncer's database web is paused: 3 clients wait, the longest 12 s; pgbouncer's database app is disabled"},
		{"all that were kept are held", nil, model.PoolState{More: 1, Databases: []model.PoolDatabase{db("app", paused)}}, model.PoolPaused, false, ""},
		{"full", nil, model.PoolState{Clients: 20, MaxClients: 20, Databases: []model.PoolDatabase{db("app", well)}}, model.PoolFull, true, "pgbouncer has 20 of 20 clients (max_client_conn) and accepts no more"},
		{"one is left", nil, model.PoolState{Clients: 19, MaxClients: 20, Databases: []model.PoolDatabase{db("app", well)}}, "", false, ""},
		{"its console is full too", nil, model.PoolState{Full: true}, model.PoolFull, true, "pgbouncer accepts no more clients (max_client_conn)"},
		{"a database is full", nil, model.PoolState{Databases: []model.PoolDatabase{db("app", func(d *model.PoolDatabase) { d.Clients, d.MaxClients = 5, 5 })}}, model.PoolFull, true,
			"pgbouncer's database app is full: 5 of 5 clients"},
		{"no server connection, an old release", nil, model.PoolState{Databases: []model.PoolDatabase{db("app", stalled)}}, model.PoolStalled, true,
			"pgbouncer's database app has no connection to PostgreSQL, and 1 client waits, 3.0 s so far: pgbouncer is paused as a whole or cannot reach PostgreSQL"},
		{"no server connection, and not paused", nil, model.PoolState{PauseKnown: true, Databases: []model.PoolDatabase{db("app", stalled)}}, model.PoolStalled, true,
			"pgbouncer's database app has no connection to PostgreSQL, and 1 client waits, 3.0 s so far: pgbouncer cannot reach PostgreSQL"},
		{"clients wait, and connections are in use", nil, model.PoolState{Databases: []model.PoolDatabase{db("app", func(d *model.PoolDatabase) { d.Waiting, d.MaxWait = 9, time.Minute })}}, "", false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := model.PoolTroubleOf(&model.Cluster{Databases: tt.have}, &tt.pool)
			if got.Kind != tt.kind || got.Whole != tt.whole || !strings.HasPrefix(got.Text, tt.text) || tt.pool.Holds() != (tt.kind != "") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestAPausedPoolTakesTheServerOut: as a port that is shut does.
func TestAPausedPoolTakesTheServerOut(t *testing.T) {
	board := func(p model.PoolState, change func(*modeltest.World)) board.Board {
		w := modeltest.NewWorld()
		v := w.Snap.Patroni["pg-test-1"]
		v.Status.Value.Streams = []model.Stream{{Application: "pg-test-2", State: "streaming"}, {Application: "pg-test-3", State: "streaming"}}
		w.Snap.Patroni["pg-test-1"] = v
		w.Pooled(1, p)
		if change != nil {
			change(w)
		}
		return check.Board(w.Snap, w.Cls, modeltest.T0)
	}
	b := board(model.PoolState{Paused: true, PauseKnown: true}, nil)
	modeltest.Equal(t, "health", b.Health.String(), "down")
	modeltest.Equal(t, "why", b.Summary, "5433 primary takes no writes: the check passes, but connections fail on pg-test-1: pgbouncer is paused with all its databases: no client waits yet")
	r := b.Route("primary")
	names, _ := r.Shut()
	modeltest.Equal(t, "shut", model.Join(names)+" "+r.HeldWord("pg-test-1"), "pg-test-1 pool paused")
	if ports, _ := r.ShutPorts(); len(ports) > 0 {
		t.Errorf("the port of %v answers", ports)
	}
	modeltest.Equal(t, "finding", b.Findings[0].Code+" "+b.Findings[0].Severity.String(), "pool-paused critical")
	for _, f := range b.Findings[1:] {
		t.Errorf("more is found: %+v", f)
	}
	two := []model.PoolDatabase{{Name: "app", Paused: true, Waiting: 2, MaxWait: 5 * time.Second}, {Name: "web", Servers: 1}}
	modeltest.Equal(t, "one of two", board(model.PoolState{Databases: two}, nil).Health.String(), "degraded")
	refused := func(w *modeltest.World) {
		v := w.Snap.Patroni["pg-test-1"]
		v.Pool = source.Observed[model.PoolState]{Err: &model.ConsoleRefused{Text: "not allowed"}, Tried: modeltest.T0}
		v.Ports = []model.PortView{{Port: "6432", Observed: modeltest.Seen(model.PortState{})}}
		w.Snap.Patroni["pg-test-1"] = v
	}
	b = board(model.PoolState{}, refused)
	modeltest.Equal(t, "a console that refuses", b.Health.String()+" "+b.Findings[0].Code, "ok pool-unread")
	old := func(w *modeltest.World) {
		v := w.Snap.Patroni["pg-test-1"]
		v.Pool.At = modeltest.T0.Add(-time.Hour)
		w.Snap.Patroni["pg-test-1"] = v
	}
	modeltest.Equal(t, "an answer of an hour ago", board(model.PoolState{Paused: true}, old).Health.String(), "ok")
	silent := func(w *modeltest.World) { w.Silence(1, 0) }
	if r := board(model.PoolState{Paused: true}, silent).Routes[0]; len(r.Views) > 0 {
		if names, _ := r.Shut(); len(names) > 0 {
			t.Errorf("%v is called paused though its Patroni does not answer either", names)
		}
	}
	replica := func(w *modeltest.World) { w.Pooled(2, model.PoolState{Paused: true}); w.Pooled(1, model.PoolState{}) }
	modeltest.Equal(t, "a replica's", board(model.PoolState{}, replica).Health.String(), "degraded")
}

// TestTraceNamesThePool: not PostgreSQL, which never sees the client.
func TestTraceNamesThePool(t *testing.T) {
	target := trace.Target{DSN: access.DSN{Database: "app"}, Login: model.Login{User: "m", Databases: []string{"postgres"}}}
	hang := modeltest.LoggedIn("", false)
	hang.Fault, hang.Text, hang.Query, hang.Answer = model.FaultTimeout, "no answer within 4s", 0, model.Answer{}
	dbs := func(f func(*model.PoolDatabase)) model.PoolState {
		d := model.PoolDatabase{Name: "app", Servers: 1}
		f(&d)
		return model.PoolState{Databases: []model.PoolDatabase{d, {Name: "postgres", Servers: 1}}}
	}
	for _, tt := range []struct {
		name   string
		pool   model.PoolState
		try    model.Try
		health model.Health
		hops   string
		says   string
	}{
		{"paused as a whole", model.PoolState{Paused: true, Databases: dbs(func(*model.PoolDatabase) {}).Databases}, hang, model.HealthDown, "pgbouncer wrong",
			"fails at pgbouncer: pg-test-1, database app: pgbouncer is paused with all its databases (app, postgres): no client waits yet"},
		{"the client's database is paused, the login went elsewhere", dbs(func(d *model.PoolDatabase) { d.Paused = true }), modeltest.LoggedIn("10.10.10.11", false), model.HealthDegraded, "pgbouncer wrong, postgres ok",
			"connected, but pgbouncer failed: pg-test-1: pgbouncer's database app is paused: no client waits yet"},
		{"disabled", dbs(func(d *model.PoolDatabase) { d.Disabled = true }), modeltest.Broken(model.FaultOther, `database "app" is disabled (08P01)`), model.HealthDown, "pgbouncer wrong",
			"fails at pgbouncer: pg-test-1: pgbouncer's database app is disabled"},
		{"clients wait", dbs(func(d *model.PoolDatabase) { d.Waiting, d.MaxWait, d.Servers, d.Busy = 7, 9*time.Second, 5, 5 }), hang, model.HealthDown, "pgbouncer wrong",
			"fails at pgbouncer: pg-test-1: 7 clients of database app wait for a server connection, the longest 9.0 s; 5 of 5 connections to PostgreSQL are in use"},
		{"nobody waits", dbs(func(*model.PoolDatabase) {}), hang, model.HealthDown, "pgbouncer ok, postgres wrong", "fails at PostgreSQL: no answer within 4s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			w.Pooled(1, tt.pool)
			tr := w.Trace(target, trace.Attempt{Endpoint: model.Endpoint{Host: "10.10.10.11", Port: 5433}, Addr: "10.10.10.11", Try: tt.try})
			if tr.Health != tt.health || !strings.HasPrefix(tr.Summary, tt.says) {
				t.Errorf("%s: %s", tr.Health, tr.Summary)
			}
			if got := modeltest.HopsOf(&tr); got != "address ok, haproxy ok, server ok, "+tt.hops {
				t.Errorf("hops %s", got)
			}
		})
	}
}

// TestPoolCommands: the command is one that can be typed, whatever the database
// is called.
func TestPoolCommands(t *testing.T) {
	c, in := &model.Cluster{Admin: model.User{Name: "dbuser_dba"}}, &model.Instance{Host: "10.10.10.11", BouncerPort: 6432}
	for name, want := range map[string]string{"app": "RESUME app'", "My-App": `RESUME "My-App"'`, "a'; rm": "RESUME DATABASE'", `a"b`: "RESUME DATABASE'"} {
		got := model.PoolEnds(c, in, &model.PoolTrouble{Kind: model.PoolPaused, Held: []model.PoolDatabase{{Name: name}}})
		if !strings.HasPrefix(got, "psql -h 10.10.10.11 -p 6432 -U dbuser_dba pgbouncer -c '"+want) {
			t.Errorf("%q: %s", name, got)
		}
	}
	var refused *model.ConsoleRefused
	if !errors.As(error(&model.ConsoleRefused{Text: "no"}), &refused) || refused.Error() != "no" {
		t.Error("a refusal is not found among errors")
	}
}
