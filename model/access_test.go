package model_test

import (
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/check"
	"pgtui/source"
)

// accessWorld is newWorld with ports of the servers' own, a VIP on the leader
// and a name that is bound to it.
func accessWorld() *world {
	w := newWorld()
	w.cls.VIP, w.cls.TTL = "10.10.10.3", 30*time.Second
	w.cls.DNS = model.DNSName{Name: "pg-test", Target: "10.10.10.3", From: "pg_dns_target: auto"}
	w.cls.Admin = model.User{Name: "dbuser_dba", Pooled: true}
	w.cls.Users = []model.User{{Name: "batch"}, {Name: "app", Pooled: true}}
	w.cls.Databases = []model.Database{{Name: "raw"}, {Name: "shop", Pooled: true}}
	for i := range w.cls.Instances {
		w.cls.Instances[i].PgPort, w.cls.Instances[i].BouncerPort = 5432, 6432
	}
	w.snap.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-test": seen(model.Host("10.10.10.11"))}
	return w
}

func (w *world) access(live model.Live) model.Access {
	b := check.Board(w.snap, w.cls, t0)
	return model.AccessOf(w.snap, &b, live)
}

// TestAccess reads cells of the matrix in a healthy world.
func TestAccess(t *testing.T) {
	a := accessWorld().access(model.Live{})
	if len(a.Entries) != 8*4 {
		t.Errorf("%d entries, want 8 hosts by 4 ports", len(a.Entries))
	}
	for _, tt := range []struct{ host, uri, way, now string }{
		{"pg-test:5433", "postgres://app@pg-test:5433/shop", "DNS → VIP → HAProxy → pgbouncer → primary", "pg-test-1"},
		{"10.10.10.3:5434", "postgres://app@10.10.10.3:5434/shop", "VIP → HAProxy → pgbouncer → replica", "pg-test-2, pg-test-3"},
		{"pg-test:5432", "postgres://batch@pg-test:5432/raw", "DNS → VIP → leader", "pg-test-1"},
		{"pg-test-2:6432", "postgres://app@pg-test-2:6432/shop", "DNS → pgbouncer → pg-test-2", "pg-test-2"},
		{"10.10.10.13:5433", "postgres://app@10.10.10.13:5433/shop", "HAProxy → pgbouncer → primary", "pg-test-1"},
	} {
		e := entry(t, &a, tt.host)
		if got := e.DSN.Text(model.FormURI); got != tt.uri || e.Way != tt.way || model.Join(e.Now.Instances) != tt.now || !e.Fine() {
			t.Errorf("%s: %s, %s, now %s (%s %s)", tt.host, got, e.Way, model.Join(e.Now.Instances), e.Now.Verdict, e.Now.Why)
		}
	}
	if h, s := model.AccessHealth(&a); h != model.HealthOK {
		t.Errorf("%v %s", h, s)
	}
	var said []string
	for _, x := range model.AdviceOf(&a) {
		said = append(said, x.String())
	}
	if got := strings.Join(said, " "); got != "pg-test:5433 pg-test:5434 pg-test-1:5432" {
		t.Errorf("advice %s", got)
	}
	if len(a.Smart) != 12 || a.Smart[0].Text(model.FormURI) != "postgres://batch@10.10.10.11:5432,10.10.10.12:5432,10.10.10.13:5432/raw?target_session_attrs=primary" {
		t.Errorf("%d smart, %+v", len(a.Smart), a.Smart[0])
	}
}

func entry(t *testing.T, a *model.Access, at string) *model.Entry {
	t.Helper()
	for i := range a.Entries {
		if a.Entries[i].String() == at {
			return &a.Entries[i]
		}
	}
	t.Fatalf("no entry %s", at)
	return nil
}

// TestAccessFaults: each fault is named in one line at the entry.
func TestAccessFaults(t *testing.T) {
	try := func(at model.Endpoint, c model.EntryCheck) model.Live {
		return model.Live{Checks: map[model.Endpoint]source.Observed[model.EntryCheck]{at: seen(c)}}
	}
	name, vip := model.Endpoint{Host: "pg-test", Port: 5433}, model.Endpoint{Host: "10.10.10.3", Port: 5432}
	answered := []model.Touch{{Addr: "10.10.10.12", TLS: true}}
	pooler := model.Endpoint{Host: "10.10.10.11", Port: 6432}
	leads := []string{"10.10.10.3"}
	stale := []model.Lookup{{Server: "10.10.10.10", Addrs: []string{"10.10.10.12"}}}
	prove := func(at model.Endpoint, tries ...model.Try) model.Live {
		return model.Live{Proofs: map[model.Endpoint]source.Observed[model.EntryProof]{at: seen(model.EntryProof{Tries: tries})}}
	}
	for _, tt := range []struct {
		what string
		at   model.Endpoint
		live model.Live
		harm func(*world)
		v    model.Verdict
		why  string
	}{
		{"a wrong name", name, try(name, model.EntryCheck{Lookups: []model.Lookup{{Server: "system", Error: "it does not know the name"}}}), nil,
			model.Down, "the name does not resolve: it does not know the name"},
		{"a stale record", name, try(name, model.EntryCheck{Lookups: stale, Disagree: model.Disagreement("pg-test", stale, leads), Touches: answered}), nil,
			model.Mismatch, "pg-test is 10.10.10.12 by the DNS server 10.10.10.10, and should be 10.10.10.3: a stale or foreign record"},
		{"resolvers that differ", name, try(name, model.EntryCheck{Lookups: stale, Disagree: model.Disagreement("pg-test", append([]model.Lookup{{Server: "system", Addrs: leads}}, stale...), nil), Touches: answered}), nil,
			model.Mismatch, "pg-test is 10.10.10.3 by the system's resolver, and 10.10.10.12 by the DNS server 10.10.10.10"},
		{"a VIP on the wrong node", vip, model.Live{}, func(w *world) { w.snap.VIP["pg-test"] = seen(model.Host("10.10.10.12")) },
			model.Mismatch, "it leads to pg-test-2, and the leader is pg-test-1: the VIP has not followed it"},
		{"nobody knows the VIP", vip, model.Live{}, func(w *world) { w.snap.VIP = nil }, model.Unknown, "who has the VIP 10.10.10.3 is not known"},
		{"pgbouncer down", pooler, try(pooler, model.EntryCheck{Touches: []model.Touch{{Addr: "10.10.10.11", Fault: model.FaultRefused, Text: "connection refused"}}}), nil,
			model.Down, "10.10.10.11: connection refused"},
		{"pgbouncer down behind a healthy check", name, prove(name, model.Try{Fault: model.FaultRefused, Text: "connection refused"}), nil,
			model.Down, "connection refused"},
		{"a service with no server", model.Endpoint{Host: "10.10.10.12", Port: 5433}, model.Live{}, func(w *world) {
			w.server("10.10.10.12", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1") })
		}, "", "pg-test-1"},
		{"one of two addresses", name, try(name, model.EntryCheck{Touches: []model.Touch{{Addr: "10.10.10.3"}, {Addr: "10.10.10.9", Fault: model.FaultTimeout, Text: "no answer"}}}), nil,
			model.Mismatch, "1 of its 2 addresses do not answer: 10.10.10.9: no answer"},
	} {
		w := accessWorld()
		if tt.harm != nil {
			tt.harm(w)
		}
		a := w.access(tt.live)
		e := entry(t, &a, tt.at.String())
		if tt.v != "" && e.Now.Verdict != tt.v || !strings.Contains(e.Now.Why, tt.why) || e.Fine() {
			t.Errorf("%s: %s %q, want %s %q", tt.what, e.Now.Verdict, e.Now.Why, tt.v, tt.why)
		}
	}
}

// TestAccessProvider: a provider's nodes have the services, the cluster's own
// only the servers' ports.
func TestAccessProvider(t *testing.T) {
	w := accessWorld()
	w.cls.Provider = "proxy"
	w.cls.LoadBalancers = []model.LoadBalancer{{Host: "10.10.10.21", Services: w.cls.LoadBalancers[0].Services}}
	a := w.access(model.Live{})
	if e := entry(t, &a, "10.10.10.21:5433"); e.On.Kind != model.HostProvider || e.Now.Verdict != model.Unknown && e.Now.Verdict != model.Missing {
		t.Errorf("%+v", e.Now)
	}
	if len(a.Entries) != 8*2+2 || !strings.Contains(strings.Join(a.Notes, "\n"), "the services are on the nodes of proxy") {
		t.Errorf("%d entries, notes %q", len(a.Entries), a.Notes)
	}
}

// TestAccessHealth: no way to the primary is down, one entry astray degraded.
func TestAccessHealth(t *testing.T) {
	w := accessWorld()
	w.snap.VIP["pg-test"] = seen(model.Host("10.10.10.12"))
	a := w.access(model.Live{})
	if h, s := model.AccessHealth(&a); h != model.HealthDegraded || !strings.Contains(s, "pg-test:5432") {
		t.Errorf("%v %s", h, s)
	}
	for _, p := range a.Entries {
		if p.At.Service == "primary" {
			e := entry(t, &a, p.String())
			e.Now.Verdict = model.Down
		}
	}
	if h, s := model.AccessHealth(&a); h != model.HealthDown {
		t.Errorf("%v %s", h, s)
	}
	if h, _ := model.AccessHealth(&model.Access{}); h != model.HealthUnknown {
		t.Errorf("nothing known is %v", h)
	}
}

// TestDSN writes awkward names in every form.
func TestDSN(t *testing.T) {
	d := model.DSN{Hosts: []string{"a", "fd00::1"}, Ports: []uint16{5432, 6432}, User: "o'brien@x", Database: `a b`, Attrs: "prefer-standby"}
	for f, want := range map[model.Form]string{
		model.FormURI:    "postgres://o%27brien%40x@a:5432,[fd00::1]:6432/a%20b?target_session_attrs=prefer-standby",
		model.FormKV:     `host=a,fd00::1 port=5432,6432 user='o\'brien@x' dbname='a b' target_session_attrs=prefer-standby`,
		model.FormJDBC:   "jdbc:postgresql://a:5432,[fd00::1]:6432/a%20b?user=o%27brien%40x&targetServerType=preferSecondary",
		model.FormGo:     `pgx.Connect(ctx, "postgres://o%27brien%40x@a:5432,[fd00::1]:6432/a%20b?target_session_attrs=prefer-standby")`,
		model.FormPython: `psycopg.connect("host=a,fd00::1 port=5432,6432 user='o\\'brien@x' dbname='a b' target_session_attrs=prefer-standby")`,
	} {
		if got := d.Text(f); got != want {
			t.Errorf("%s:\n got %s\nwant %s", f, got, want)
		}
	}
}

// TestSchemes: what the cluster has of them, and how long a failover takes.
func TestSchemes(t *testing.T) {
	w := accessWorld()
	a := w.access(model.Live{})
	got := map[model.SchemeCode]model.Scheme{}
	for _, s := range model.SchemesOf(&a) {
		got[s.Code] = s
	}
	vip := got[model.SchemeL2VIPHAProxy]
	if len(got) != 12 || !vip.InUse || vip.Failover != 37*time.Second || vip.Verdict != model.Serving || !strings.Contains(vip.Live, "4 of 4 entries") {
		t.Errorf("%d schemes, %+v", len(got), vip)
	}
	if s := got[model.SchemeStaticDNS]; s.InUse {
		t.Errorf("a name that is the VIP is no static record: %+v", s)
	}
	w.cls.DNS.Target = "10.10.10.11"
	w.cls.LoadBalancers[0].Services[0].Options = "inter 2s fastinter 500ms downinter 1s rise 3"
	w.snap.VIP["pg-test"] = seen(model.Host("10.10.10.12"))
	a = w.access(model.Live{})
	for _, s := range model.SchemesOf(&a) {
		switch s.Code {
		case model.SchemeStaticDNS:
			if !s.InUse || s.Declared != "pg_dns_target: auto: pg-test is 10.10.10.11" {
				t.Errorf("%+v", s)
			}
		case model.SchemeL2VIPHAProxy:
			if s.Verdict != model.Mismatch || s.Failover != 32*time.Second {
				t.Errorf("%+v", s)
			}
		}
	}
}
