package model_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/check"
	"pgtui/source"
)

// loggedIn is a login as the instance on that address says it.
func loggedIn(addr string, recovery bool) model.Try {
	return model.Try{Dial: time.Millisecond, Connect: 3 * time.Millisecond, Query: time.Millisecond,
		Answer: model.Answer{Addr: addr, Recovery: recovery, ReadOnly: recovery, Timeline: 1}}
}

func broken(f model.Fault, text string) model.Try {
	return model.Try{Fault: f, Text: text, Dial: time.Millisecond}
}

func (w *world) trace(target model.TraceTarget, attempts ...model.TraceAttempt) model.Trace {
	return model.TraceOf(w.snap, w.snap.Inventory, []model.Board{check.Board(w.snap, w.cls, t0)}, target, attempts)
}

func hopsOf(t *model.Trace) string {
	var out []string
	for _, h := range t.Kept().Hops {
		out = append(out, string(h.Kind)+" "+string(h.Verdict))
	}
	return strings.Join(out, ", ")
}

// TestTrace: the hop that breaks a connection, or is wrong, is named in one line.
func TestTrace(t *testing.T) {
	lookups := []model.Lookup{{Server: "system", Error: "it does not know the name"}, {Server: "10.10.10.10", Addrs: []string{"10.10.10.3"}}}
	entry := model.TraceAttempt{Endpoint: model.Endpoint{Host: "pg-test", Port: 5433}, Addr: "10.10.10.3", Lookups: lookups, Try: loggedIn("10.10.10.11", false)}
	closed := broken(model.FaultClosed, "accepted and closed without a word")
	for _, tt := range []struct {
		name    string
		breakIt func(*world, *model.TraceAttempt)
		health  model.Health
		hops    string
		says    string
	}{
		{"all is well", func(*world, *model.TraceAttempt) {}, model.HealthOK,
			"name ok, address ok, vip ok, haproxy ok, server ok, pgbouncer ok, postgres ok", "pg-test-1, primary, timeline 1"},
		{"wrong name", func(_ *world, a *model.TraceAttempt) {
			a.Lookups = []model.Lookup{{Server: "system", Error: "it does not know the name"}}
			a.Addr, a.Try = "", model.Try{Fault: model.FaultNotTried, Text: "the name does not resolve"}
			a.Skipped = "the name does not resolve"
		}, model.HealthDown, "name wrong", "pg-test does not resolve: it does not know the name by the system's resolver"},
		{"stale record", func(_ *world, a *model.TraceAttempt) {
			a.Addr, a.Disagree = "10.10.10.11", "pg-test is 10.10.10.11 by the DNS server 10.10.10.10, and should be 10.10.10.3"
		}, model.HealthDegraded, "name wrong, address ok, haproxy ok, server ok, pgbouncer ok, postgres ok", "name is wrong: pg-test is 10.10.10.11"},
		{"VIP on the wrong node", func(w *world, _ *model.TraceAttempt) {
			w.snap.VIP["pg-test"] = seen(model.Host("10.10.10.12"))
		}, model.HealthDegraded, "name ok, address ok, vip wrong, haproxy ok, server ok, pgbouncer ok, postgres ok", "vip is wrong: the VIP 10.10.10.3 is on pg-test-2's node 10.10.10.12, and the leader is pg-test-1"},
		{"nobody has the VIP", func(_ *world, a *model.TraceAttempt) {
			a.Try = model.Try{Fault: model.FaultTimeout, Text: "no route to 10.10.10.3:5433"}
		}, model.HealthDown, "name ok, address wrong", "address breaks it: no route to 10.10.10.3:5433"},
		{"no server", func(w *world, a *model.TraceAttempt) {
			w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1") })
			a.Try = closed
		}, model.HealthDown, "name ok, address ok, vip ok, haproxy wrong, pgbouncer unknown", "haproxy breaks it: pg-test-primary on 10.10.10.11: "},
		{"no server, and no pooler on the way", func(w *world, a *model.TraceAttempt) {
			for i := range w.cls.LoadBalancers {
				svc := w.cls.LoadBalancers[i].Service("primary")
				svc.Members = slices.Clone(svc.Members)
				for j := range svc.Members {
					svc.Members[j].Port = "5432"
				}
			}
			w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1") })
			a.Try = closed
		}, model.HealthDown, "name ok, address ok, vip ok, haproxy wrong, postgres unknown", "haproxy breaks it: pg-test-primary on 10.10.10.11: "},
		{"pgbouncer down behind a healthy check", func(_ *world, a *model.TraceAttempt) {
			a.Try = closed
			a.Direct = []model.DirectPort{{Instance: "pg-test-1", Fault: model.FaultRefused, Text: "connection refused: nothing listens on 10.10.10.11:6432"}}
		}, model.HealthDown, "name ok, address ok, vip ok, haproxy ok, server ok, pgbouncer wrong", "pgbouncer breaks it: pgbouncer does not answer: pg-test-1: connection refused: nothing listens on 10.10.10.11:6432"},
		{"pgbouncer without its PostgreSQL", func(_ *world, a *model.TraceAttempt) {
			a.Try = broken(model.FaultPooler, "pgbouncer answers and does not reach PostgreSQL: connect failed")
		}, model.HealthDown, "name ok, address ok, vip ok, haproxy ok, server ok, pgbouncer ok, postgres wrong", "postgres breaks it: pgbouncer answers and does not reach PostgreSQL"},
		{"a replica behind the primary's port", func(_ *world, a *model.TraceAttempt) {
			a.Try = loggedIn("10.10.10.12", true)
		}, model.HealthDegraded, "name ok, address ok, vip ok, haproxy ok, server wrong, pgbouncer ok, postgres wrong", "pg-test-2 answered, and HAProxy says pg-test-1 serves"},
		{"somebody who cannot be named", func(_ *world, a *model.TraceAttempt) {
			a.Try = loggedIn("", false)
		}, model.HealthOK, "name ok, address ok, vip ok, haproxy ok, server ok, pgbouncer ok, postgres unknown", "which one is not known"},
		{"HAProxy does not answer", func(w *world, _ *model.TraceAttempt) {
			w.silence(1, time.Hour)
		}, model.HealthOK, "name ok, address ok, vip unknown, haproxy unknown, server ok, pgbouncer ok, postgres ok", "primary"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, a := accessWorld(), entry
			tt.breakIt(w, &a)
			got := w.trace(model.TraceTarget{DSN: model.DSN{Hosts: []string{"pg-test"}, Ports: []uint16{5433}}}, a)
			if got.Health != tt.health || hopsOf(&got) != tt.hops || !strings.Contains(got.Summary, tt.says) {
				t.Errorf("%v: %s\n%s\n%s", got.Health, hopsOf(&got), got.Summary, got.Kept().Chain())
			}
		})
	}
}

// TestTraceHosts: none of several hosts is what is asked for, or the second one is.
func TestTraceHosts(t *testing.T) {
	w := accessWorld()
	target := model.TraceTarget{DSN: model.DSN{Hosts: []string{"10.10.10.11", "10.10.10.12"}, Ports: []uint16{5432, 5432}, Attrs: "standby"}}
	first := model.TraceAttempt{Endpoint: model.Endpoint{Host: "10.10.10.11", Port: 5432}, Addr: "10.10.10.11", Try: loggedIn("10.10.10.11", false)}
	first.Skipped = first.Try.Answer.Unfit("standby")
	second := model.TraceAttempt{Endpoint: model.Endpoint{Host: "10.10.10.12", Port: 5432}, Addr: "10.10.10.12", Try: loggedIn("10.10.10.12", true)}
	got := w.trace(target, first, second)
	if got.Health != model.HealthOK || got.Attempts[1].Instance != "pg-test-2" || got.Attempts[0].Skipped == "" || hopsOf(&got) != "address ok, postgres ok" {
		t.Errorf("%+v", got)
	}
	if got = w.trace(target, first); got.Health != model.HealthDown || !strings.Contains(got.Summary, "none of 2 hosts is what target_session_attrs=standby wants") {
		t.Errorf("%v %s", got.Health, got.Summary)
	}
	second.Try, second.Endpoint, second.Addr = broken(model.FaultAuth, "not let in"), model.Endpoint{Host: "192.0.2.1", Port: 5432}, "192.0.2.1"
	if got = w.trace(target, second); got.Health != model.HealthDown || got.Attempts[0].Cluster != "" || !strings.Contains(got.Summary, "postgres breaks it: not let in") {
		t.Errorf("%v %s", got.Health, got.Summary)
	}
	if got = w.trace(target); got.Health != model.HealthDown || got.Answered {
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
	w := accessWorld()
	text := func() string {
		d, err := model.TraceDSN(w.cls, "primary")
		if err != nil {
			return err.Error()
		}
		return d.Text(model.FormURI)
	}
	equal(t, "by name", text(), "postgres://app@pg-test:5433/shop")
	w.cls.DNS = model.DNSName{}
	equal(t, "by VIP", text(), "postgres://app@10.10.10.3:5433/shop")
	w.cls.VIP = ""
	equal(t, "by every HAProxy", text(), "postgres://app@10.10.10.11:5433,10.10.10.12:5433,10.10.10.13:5433/shop")
	if _, err := model.TraceDSN(w.cls, "prim"); err == nil || source.TryOf(err) != "one of: primary, replica" {
		t.Errorf("%v", err)
	}
}

// TestTraceGap: the gap is from the last answer before it to the first after it.
func TestTraceGap(t *testing.T) {
	at := func(ms int, who string, tl int, fault string) model.TraceSample {
		done := t0.Add(time.Duration(ms) * time.Millisecond)
		return model.TraceSample{At: done.Add(-time.Millisecond), Done: done, Instance: model.InstanceName(who), Timeline: tl, Fault: fault}
	}
	var g model.TraceGap
	for _, tt := range []struct {
		s    model.TraceSample
		says string
	}{
		{at(0, "pg-test-1", 1, ""), "pg-test-1 answers, timeline 1"},
		{at(100, "pg-test-1", 1, ""), ""},
		{at(200, "", 0, "refused"), "not served: refused"},
		{at(300, "", 0, "closed"), ""},
		{at(1350, "pg-test-2", 2, ""), "pg-test-2 answers, timeline 2: gap 1250 ms, 2 connections failed"},
		{at(1400, "pg-test-1", 3, ""), "pg-test-1 answers, timeline 3, before it was pg-test-2: no connection failed, 50 ms between the two"},
		{at(1500, "", 0, "refused"), "not served: refused"},
	} {
		equal(t, "says", g.Add(tt.s, true), tt.says)
	}
	equal(t, "summary", g.Summary(), "4 connections served, 3 failed, 1 gaps, the longest 1250 ms; not served at the end: refused")
	if !g.Out() || g.Longest != 1250*time.Millisecond {
		t.Errorf("%+v", g)
	}
	var never model.TraceGap
	never.Add(at(0, "", 0, "refused"), true)
	equal(t, "first answer", never.Add(at(10, "pg-test-1", 1, ""), true), "pg-test-1 answers, timeline 1; 1 connections failed before")
	if never.Gaps != 0 {
		t.Error("no gap begins before the first answer")
	}
	// Where any replica may answer, another one is no news.
	var reads model.TraceGap
	reads.Add(at(0, "pg-test-2", 1, ""), false)
	equal(t, "another replica", reads.Add(at(1, "pg-test-3", 1, ""), false), "")
}

func TestServedBy(t *testing.T) {
	w := accessWorld()
	replica := model.TraceAttempt{Try: loggedIn("10.10.10.12", true)}
	for _, tt := range []struct {
		port uint16
		a    model.TraceAttempt
		want string
	}{
		{5433, replica, "takes no writes"}, {5434, replica, ""}, {5433, model.TraceAttempt{Try: broken(model.FaultClosed, "closed")}, "closed"},
		{5434, model.TraceAttempt{Skipped: "in recovery"}, "in recovery"},
	} {
		got := model.ServedBy(model.TraceTarget{}, model.WayInOf(w.snap.Inventory, "10.10.10.3", tt.port), &tt.a)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%d: %q, want %q", tt.port, got, tt.want)
		}
	}
}

func TestTraceSpread(t *testing.T) {
	w := accessWorld()
	tr := w.trace(model.TraceTarget{}, model.TraceAttempt{Endpoint: model.Endpoint{Host: "10.10.10.3", Port: 5434}, Addr: "10.10.10.3", Try: loggedIn("10.10.10.12", true)})
	s := model.TraceSpread(w.snap, &tr, []model.Try{loggedIn("10.10.10.12", true), loggedIn("10.10.10.13", true), loggedIn("10.10.10.12", true), broken(model.FaultClosed, "closed"), loggedIn("", true)})
	equal(t, "text", s.Text(), "5 connections: pg-test-2 ×2, pg-test-3 ×1, not named ×1, failed ×1 (closed); 4.0–4.0 ms, median 4.0")
	if s.Health() != model.HealthDegraded {
		t.Error(s.Health())
	}
	if none := model.TraceSpread(nil, &tr, []model.Try{broken(model.FaultClosed, "closed")}); none.Health() != model.HealthDown || none.Max != 0 {
		t.Errorf("%+v", none)
	}
}
