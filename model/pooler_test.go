package model

import (
	"testing"
	"time"
)

func TestPoolReportVerdict(t *testing.T) {
	c := &Cluster{Name: "pg-test", Databases: []Database{{Name: "app", Pooled: true}}}
	db := func(d PoolDatabase) PoolReport {
		d.Name = "app"
		return PoolReport{PoolState: PoolState{Clients: 7, MaxClients: 100, PauseKnown: true, Databases: []PoolDatabase{d, {Name: "other"}}}}
	}
	near := db(PoolDatabase{})
	near.Clients = 80
	for _, tt := range []struct {
		name   string
		rep    PoolReport
		health Health
		text   string
	}{
		{"nothing waits", db(PoolDatabase{}), HealthOK, "clients: 7; no client waits"},
		{"a short wait", db(PoolDatabase{Waiting: 2, MaxWait: time.Second, Servers: 1}), HealthOK, "2 clients wait, the longest 1.0 s"},
		{"a long wait", db(PoolDatabase{Waiting: 2, MaxWait: 4 * time.Second, Servers: 1}), HealthDegraded, "2 clients wait, the longest 4.0 s"},
		{"paused", db(PoolDatabase{Paused: true}), HealthDown, "pgbouncer's database app is paused: no client waits yet"},
		{"near the limit", near, HealthDegraded, "80 of 100 clients (max_client_conn): the limit is near"},
		{"full", PoolReport{PoolState: PoolState{Full: true}}, HealthDown, "pgbouncer accepts no more clients (max_client_conn)"},
	} {
		if h, text := tt.rep.Verdict(c); h != tt.health || text != tt.text {
			t.Errorf("%s: %s, %q; want %s, %q", tt.name, h, text, tt.health, tt.text)
		}
	}
	held := db(PoolDatabase{Disabled: true})
	if got := held.HeldWithoutPool(); len(got) != 1 || got[0].Name != "app" {
		t.Errorf("held without a pool: %v", got)
	}
	held.Pools = []Pool{{Database: "app", User: "u"}}
	if got := held.HeldWithoutPool(); len(got) != 0 || held.StateOf(&held.Pools[0]) != "disabled" {
		t.Errorf("held with a pool: %v, state %q", got, held.StateOf(&held.Pools[0]))
	}
}
