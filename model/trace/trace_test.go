package trace_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
	"pgtui/source"
)

// TestTrace: the hop that breaks a connection, or is wrong, is named in one line.
func TestTrace(t *testing.T) {
	lookups := []access.Lookup{{Server: "system", Error: "it does not know the name"}, {Server: "10.10.10.10", Addrs: []string{"10.10.10.3"}}}
	entry := trace.Attempt{Endpoint: model.Endpoint{Host: "pg-test", Port: 5433}, Addr: "10.10.10.3", Lookups: lookups, Try: modeltest.LoggedIn("10.10.10.11", false)}
	closed := modeltest.Broken(model.FaultClosed, "accepted and closed without a word")
	for _, tt := range []struct {
		name    string
		breakIt func(*modeltest.World, *trace.Attempt)
		health  model.Health
		hops    string
		says    string
	}{
		{"all is well", func(*modeltest.World, *trace.Attempt) {}, model.HealthOK,
			"name ok, address ok, vip ok, haproxy ok, server ok, pgbouncer ok, postgres ok", "pg-test-1, primary, timeline 1"},
		{"wrong name", func(_ *modeltest.World, a *trace.Attempt) {
			a.Lookups = []access.Lookup{{Server: "system", Error: "it does not know the name"}}
			a.Addr, a.Try = "", model.Try{Fault: model.FaultNotTried, Text: "the name does not resolve"}
			a.Skipped = "the name does not resolve"
		}, model.HealthDown, "name wrong", "pg-test does not resolve: it does not know the name by the system's resolver"},
		{"stale record", func(_ *modeltest.World, a *trace.Attempt) {
			a.Addr, a.Disagree = "10.10.10.11", "pg-test resolves to 10.10.10.11 by the DNS server 10.10.10.10, but should be 10.10.10.3"
		}, model.HealthDegraded, "name wrong, address ok, haproxy ok, server ok, pgbouncer ok, postgres ok", "the name failed: pg-test resolves to 10.10.10.11"},
		{"VIP on the wrong node", func(w *modeltest.World, _ *trace.Attempt) {
			w.Snap.VIP["pg-test"] = modeltest.Seen(model.Host("10.10.10.12"))
		}, model.HealthDegraded, "name ok, address ok, vip wrong, haproxy ok, server ok, pgbouncer ok, postgres ok", "the VIP failed: VIP 10.10.10.3 is on pg-test-2's node 10.10.10.12, but the leader is pg-test-1"},
		{"nobody has the VIP", func(_ *modeltest.World, a *trace.Attempt) {
			a.Try = model.Try{Fault: model.FaultTimeout, Text: "no route to 10.10.10.3:5433"}
		}, model.HealthDown, "name ok, address wrong", "fails at the address: no route to 10.10.10.3:5433"},
		{"no server", func(w *modeltest.World, a *trace.Attempt) {
			w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
			a.Try = closed
		}, model.HealthDown, "name ok, address ok, vip ok, haproxy wrong, pgbouncer unknown", "fails at HAProxy: pg-test-primary on 10.10.10.11: "},
		{"no server, and no pooler on the way", func(w *modeltest.World, a *trace.Attempt) {
			for i := range w.Cls.LoadBalancers {
				svc := w.Cls.LoadBalancers[i].Service("primary")
				svc.Members = slices.Clone(svc.Members)
				for j := range svc.Members {
					svc.Members[j].Port = "5432"
				}
			}
			w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
			a.Try = closed
		}, model.HealthDown, "name ok, address ok, vip ok, haproxy wrong, postgres unknown", "fails at HAProxy: pg-test-primary on 10.10.10.11: "},
		{"pgbouncer down behind a healthy check", func(_ *modeltest.World, a *trace.Attempt) {
			a.Try = closed
			a.Direct = []model.DirectPort{{Instance: "pg-test-1", Fault: model.FaultRefused, Text: "connection refused: nothing listens on 10.10.10.11:6432"}}
		}, model.HealthDown, "name ok, address ok, vip ok, haproxy ok, server ok, pgbouncer wrong", "fails at pgbouncer: pgbouncer does not answer: pg-test-1: connection refused: nothing listens on 10.10.10.11:6432"},
		{"pgbouncer without its PostgreSQL", func(_ *modeltest.World, a *trace.Attempt) {
			a.Try = modeltest.Broken(model.FaultPooler, "pgbouncer answers and does not reach PostgreSQL: connect failed")
		}, model.HealthDown, "name ok, address ok, vip ok, haproxy ok, server ok, pgbouncer ok, postgres wrong", "fails at PostgreSQL: pgbouncer answers and does not reach PostgreSQL"},
		{"a replica behind the primary's port", func(_ *modeltest.World, a *trace.Attempt) {
			a.Try = modeltest.LoggedIn("10.10.10.12", true)
		}, model.HealthDegraded, "name ok, address ok, vip ok, haproxy ok, server wrong, pgbouncer ok, postgres wrong", "pg-test-2 answered, but HAProxy reports pg-test-1 as serving"},
		{"somebody who cannot be named", func(_ *modeltest.World, a *trace.Attempt) {
			a.Try = modeltest.LoggedIn("", false)
		}, model.HealthOK, "name ok, address ok, vip ok, haproxy ok, server ok, pgbouncer ok, postgres unknown", "instance unknown"},
		{"HAProxy does not answer", func(w *modeltest.World, _ *trace.Attempt) {
			w.Silence(1, time.Hour)
		}, model.HealthOK, "name ok, address ok, vip unknown, haproxy unknown, server ok, pgbouncer ok, postgres ok", "primary"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, a := modeltest.AccessWorld(), entry
			tt.breakIt(w, &a)
			got := w.Trace(trace.Target{DSN: access.DSN{Hosts: []string{"pg-test"}, Ports: []uint16{5433}}}, a)
			if got.Health != tt.health || modeltest.HopsOf(&got) != tt.hops || !strings.Contains(got.Summary, tt.says) {
				t.Errorf("%v: %s\n%s\n%s", got.Health, modeltest.HopsOf(&got), got.Summary, got.Kept().Chain())
			}
		})
	}
}

// TestTraceHosts: none of several hosts is what is asked for, or the second one is.
func TestTraceHosts(t *testing.T) {
	w := modeltest.AccessWorld()
	target := trace.Target{DSN: access.DSN{Hosts: []string{"10.10.10.11", "10.10.10.12"}, Ports: []uint16{5432, 5432}, Attrs: "standby"}}
	first := trace.Attempt{Endpoint: model.Endpoint{Host: "10.10.10.11", Port: 5432}, Addr: "10.10.10.11", Try: modeltest.LoggedIn("10.10.10.11", false)}
	first.Skipped = first.Try.Answer.Unfit("standby")
	second := trace.Attempt{Endpoint: model.Endpoint{Host: "10.10.10.12", Port: 5432}, Addr: "10.10.10.12", Try: modeltest.LoggedIn("10.10.10.12", true)}
	got := w.Trace(target, first, second)
	if got.Health != model.HealthOK || got.Attempts[1].Instance != "pg-test-2" || got.Attempts[0].Skipped == "" || modeltest.HopsOf(&got) != "address ok, postgres ok" {
		t.Errorf("%+v", got)
	}
	if got = w.Trace(target, first); got.Health != model.HealthDown || !strings.Contains(got.Summary, "none of 2 hosts matches target_session_attrs=standby") {
		t.Errorf("%v %s", got.Health, got.Summary)
	}
	second.Try, second.Endpoint, second.Addr = modeltest.Broken(model.FaultAuth, "not let in"), model.Endpoint{Host: "192.0.2.1", Port: 5432}, "192.0.2.1"
	if got = w.Trace(target, second); got.Health != model.HealthDown || got.Attempts[0].Cluster != "" || !strings.Contains(got.Summary, "fails at PostgreSQL: not let in") {
		t.Errorf("%v %s", got.Health, got.Summary)
	}
	if got = w.Trace(target); got.Health != model.HealthDown || got.Answered {
		t.Errorf("%+v", got)
	}
}

func TestUnfit(t *testing.T) {
	primary, standby, guarded := model.Answer{}, model.Answer{Recovery: true, ReadOnly: true}, model.Answer{ReadOnly: true}
	for _, tt := range []struct {
		attrs                     string
		primary, standby, guarded bool // fit
	}{
		{"any", true, true, true}, {"primary", true, false, true}, {"standby", false, true, false},
		{"read-write", true, false, false}, {"read-only", false, true, true},
	} {
		got := [3]bool{primary.Unfit(tt.attrs) == "", standby.Unfit(tt.attrs) == "", guarded.Unfit(tt.attrs) == ""}
		if got != [3]bool{tt.primary, tt.standby, tt.guarded} {
			t.Errorf("%s: %v", tt.attrs, got)
		}
	}
}

func TestTraceDSN(t *testing.T) {
	w := modeltest.AccessWorld()
	text := func() string {
		d, err := trace.DSN(w.Cls, "primary")
		if err != nil {
			return err.Error()
		}
		return d.Text(access.FormURI)
	}
	modeltest.Equal(t, "by name", text(), "postgres://app@pg-test:5433/shop")
	w.Cls.DNS = model.DNSName{}
	modeltest.Equal(t, "by VIP", text(), "postgres://app@10.10.10.3:5433/shop")
	w.Cls.VIP = ""
	modeltest.Equal(t, "by every HAProxy", text(), "postgres://app@10.10.10.11:5433,10.10.10.12:5433,10.10.10.13:5433/shop")
	if _, err := trace.DSN(w.Cls, "prim"); err == nil || source.TryOf(err) != "one of: primary, replica" {
		t.Errorf("%v", err)
	}
}

// TestTraceGap: the gap is from the last answer before it to the first after it.
func TestTraceGap(t *testing.T) {
	at := func(ms int, who string, tl int, fault string) trace.Sample {
		done := modeltest.T0.Add(time.Duration(ms) * time.Millisecond)
		return trace.Sample{At: done.Add(-time.Millisecond), Done: done, Instance: model.InstanceName(who), Timeline: tl, Fault: fault}
	}
	var g trace.Gap
	for _, tt := range []struct {
		s    trace.Sample
		says string
	}{
		{at(0, "pg-test-1", 1, ""), "pg-test-1 answers, timeline 1"},
		{at(100, "pg-test-1", 1, ""), ""},
		{at(200, "", 0, "refused"), "not served: refused"},
		{at(300, "", 0, "closed"), ""},
		{at(1350, "pg-test-2", 2, ""), "pg-test-2 answers, timeline 2: gap 1250 ms, 2 connections failed"},
		{at(1400, "pg-test-1", 3, ""), "pg-test-1 answers, timeline 3 instead of pg-test-2: no connection failed, 50 ms between the two"},
		{at(1500, "", 0, "refused"), "not served: refused"},
	} {
		modeltest.Equal(t, "says", g.Add(tt.s, true), tt.says)
	}
	modeltest.Equal(t, "summary", g.Summary(), "4 connections served, 3 failed, 1 gap, the longest 1250 ms; not served at the end: refused")
	if !g.Out() || g.Longest != 1250*time.Millisecond {
		t.Errorf("%+v", g)
	}
	var never trace.Gap
	never.Add(at(0, "", 0, "refused"), true)
	modeltest.Equal(t, "first answer", never.Add(at(10, "pg-test-1", 1, ""), true), "pg-test-1 answers, timeline 1; 1 connections failed before")
	if never.Before != 11*time.Millisecond {
		t.Errorf("not served before: %s", never.Before)
	}
	if never.Gaps != 0 {
		t.Error("no gap begins before the first answer")
	}
	// Where any replica may answer, another one is no news.
	var reads trace.Gap
	reads.Add(at(0, "pg-test-2", 1, ""), false)
	modeltest.Equal(t, "another replica", reads.Add(at(1, "pg-test-3", 1, ""), false), "")
}

func TestServedBy(t *testing.T) {
	w := modeltest.AccessWorld()
	replica := trace.Attempt{Try: modeltest.LoggedIn("10.10.10.12", true)}
	for _, tt := range []struct {
		port uint16
		a    trace.Attempt
		want string
	}{
		{5433, replica, "takes no writes"}, {5434, replica, ""}, {5433, trace.Attempt{Try: modeltest.Broken(model.FaultClosed, "closed")}, "closed"},
		{5434, trace.Attempt{Skipped: "in recovery"}, "in recovery"},
	} {
		got := trace.ServedBy(trace.Target{}, trace.WayInOf(w.Snap.Inventory, "10.10.10.3", tt.port), &tt.a)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%d: %q, want %q", tt.port, got, tt.want)
		}
	}
}

func TestTraceSpread(t *testing.T) {
	w := modeltest.AccessWorld()
	tr := w.Trace(trace.Target{}, trace.Attempt{Endpoint: model.Endpoint{Host: "10.10.10.3", Port: 5434}, Addr: "10.10.10.3", Try: modeltest.LoggedIn("10.10.10.12", true)})
	s := trace.SpreadOf(w.Snap, &tr, []model.Try{modeltest.LoggedIn("10.10.10.12", true), modeltest.LoggedIn("10.10.10.13", true), modeltest.LoggedIn("10.10.10.12", true), modeltest.Broken(model.FaultClosed, "closed"), modeltest.LoggedIn("", true)})
	modeltest.Equal(t, "text", s.Text(), "5 connections: pg-test-2 ×2, pg-test-3 ×1, unnamed ×1, failed ×1 (closed); 4.0–4.0 ms, median 4.0")
	if s.Health() != model.HealthDegraded {
		t.Error(s.Health())
	}
	if none := trace.SpreadOf(nil, &tr, []model.Try{modeltest.Broken(model.FaultClosed, "closed")}); none.Health() != model.HealthDown || none.Max != 0 {
		t.Errorf("%+v", none)
	}
}
