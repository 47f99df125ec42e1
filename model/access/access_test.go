package access_test

import (
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/source"
)

// TestAccess reads cells of the matrix in a healthy world.
func TestAccess(t *testing.T) {
	a := modeltest.AccessWorld().Access(access.Live{})
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
		if got := e.DSN.Text(access.FormURI); got != tt.uri || e.Way != tt.way || model.Join(e.Now.Instances) != tt.now || !e.Fine() {
			t.Errorf("%s: %s, %s, now %s (%s %s)", tt.host, got, e.Way, model.Join(e.Now.Instances), e.Now.Verdict, e.Now.Why)
		}
	}
	if h, s := access.Health(&a); h != model.HealthOK {
		t.Errorf("%v %s", h, s)
	}
	var said []string
	for _, x := range access.AdviceOf(&a) {
		said = append(said, x.String())
	}
	if got := strings.Join(said, " "); got != "pg-test:5433 pg-test:5434 pg-test-1:5432" {
		t.Errorf("advice %s", got)
	}
	if len(a.Smart) != 12 || a.Smart[0].Text(access.FormURI) != "postgres://batch@10.10.10.11:5432,10.10.10.12:5432,10.10.10.13:5432/raw?target_session_attrs=primary" {
		t.Errorf("%d smart, %+v", len(a.Smart), a.Smart[0])
	}
}

func entry(t *testing.T, a *access.Access, at string) *access.Entry {
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
	try := func(at model.Endpoint, c access.EntryCheck) access.Live {
		return access.Live{Checks: map[model.Endpoint]source.Observed[access.EntryCheck]{at: modeltest.Seen(c)}}
	}
	name, vip := model.Endpoint{Host: "pg-test", Port: 5433}, model.Endpoint{Host: "10.10.10.3", Port: 5432}
	answered := []access.Touch{{Addr: "10.10.10.12", TLS: true}}
	pooler := model.Endpoint{Host: "10.10.10.11", Port: 6432}
	leads := []string{"10.10.10.3"}
	stale := []access.Lookup{{Server: "10.10.10.10", Addrs: []string{"10.10.10.12"}}}
	prove := func(at model.Endpoint, tries ...model.Try) access.Live {
		return access.Live{Proofs: map[model.Endpoint]source.Observed[access.EntryProof]{at: modeltest.Seen(access.EntryProof{Tries: tries})}}
	}
	for _, tt := range []struct {
		what string
		at   model.Endpoint
		live access.Live
		harm func(*modeltest.World)
		v    model.Verdict
		why  string
	}{
		{"a wrong name", name, try(name, access.EntryCheck{Lookups: []access.Lookup{{Server: "system", Error: "it does not know the name"}}}), nil,
			model.Down, "the name does not resolve: it does not know the name"},
		{"a stale record", name, try(name, access.EntryCheck{Lookups: stale, Disagree: access.Disagreement("pg-test", stale, leads), Touches: answered}), nil,
			model.Mismatch, "pg-test resolves to 10.10.10.12 by the DNS server 10.10.10.10, but should be 10.10.10.3: a stale or foreign record"},
		{"resolvers that differ", name, try(name, access.EntryCheck{Lookups: stale, Disagree: access.Disagreement("pg-test", append([]access.Lookup{{Server: "system", Addrs: leads}}, stale...), nil), Touches: answered}), nil,
			model.Mismatch, "pg-test resolves to 10.10.10.3 by the system's resolver, but to 10.10.10.12 by the DNS server 10.10.10.10"},
		{"a VIP on the wrong node", vip, access.Live{}, func(w *modeltest.World) { w.Snap.VIP["pg-test"] = modeltest.Seen(model.Host("10.10.10.12")) },
			model.Mismatch, "it leads to pg-test-2, but the leader is pg-test-1: the VIP has not followed the leader"},
		{"nobody knows the VIP", vip, access.Live{}, func(w *modeltest.World) { w.Snap.VIP = nil }, model.Unknown, "the holder of VIP 10.10.10.3 is unknown"},
		{"pgbouncer down", pooler, try(pooler, access.EntryCheck{Touches: []access.Touch{{Addr: "10.10.10.11", Fault: model.FaultRefused, Text: "connection refused"}}}), nil,
			model.Down, "10.10.10.11: connection refused"},
		{"pgbouncer down behind a healthy check", name, prove(name, model.Try{Fault: model.FaultRefused, Text: "connection refused"}), nil,
			model.Down, "connection refused"},
		{"a service with no server", model.Endpoint{Host: "10.10.10.12", Port: 5433}, access.Live{}, func(w *modeltest.World) {
			w.Server("10.10.10.12", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
		}, "", "pg-test-1"},
		{"one of two addresses", name, try(name, access.EntryCheck{Touches: []access.Touch{{Addr: "10.10.10.3"}, {Addr: "10.10.10.9", Fault: model.FaultTimeout, Text: "no answer"}}}), nil,
			model.Mismatch, "1 of its 2 addresses do not answer: 10.10.10.9: no answer"},
	} {
		w := modeltest.AccessWorld()
		if tt.harm != nil {
			tt.harm(w)
		}
		a := w.Access(tt.live)
		e := entry(t, &a, tt.at.String())
		if tt.v != "" && e.Now.Verdict != tt.v || !strings.Contains(e.Now.Why, tt.why) || e.Fine() {
			t.Errorf("%s: %s %q, want %s %q", tt.what, e.Now.Verdict, e.Now.Why, tt.v, tt.why)
		}
	}
}

// TestAccessProvider: a provider's nodes have the services, the cluster's own
// only the servers' ports.
func TestAccessProvider(t *testing.T) {
	w := modeltest.AccessWorld()
	w.Cls.Provider = "proxy"
	w.Cls.LoadBalancers = []model.LoadBalancer{{Host: "10.10.10.21", Services: w.Cls.LoadBalancers[0].Services}}
	a := w.Access(access.Live{})
	if e := entry(t, &a, "10.10.10.21:5433"); e.On.Kind != access.HostProvider || e.Now.Verdict != model.Unknown && e.Now.Verdict != model.Missing {
		t.Errorf("%+v", e.Now)
	}
	if len(a.Entries) != 8*2+2 || !strings.Contains(strings.Join(a.Notes, "\n"), "the services are on the nodes of proxy") {
		t.Errorf("%d entries, notes %q", len(a.Entries), a.Notes)
	}
}

// TestAccessHealth: no way to the primary is down, one entry astray degraded.
func TestAccessHealth(t *testing.T) {
	w := modeltest.AccessWorld()
	w.Snap.VIP["pg-test"] = modeltest.Seen(model.Host("10.10.10.12"))
	a := w.Access(access.Live{})
	if h, s := access.Health(&a); h != model.HealthDegraded || !strings.Contains(s, "pg-test:5432") {
		t.Errorf("%v %s", h, s)
	}
	for _, p := range a.Entries {
		if p.At.Service == "primary" {
			e := entry(t, &a, p.String())
			e.Now.Verdict = model.Down
		}
	}
	if h, s := access.Health(&a); h != model.HealthDown {
		t.Errorf("%v %s", h, s)
	}
	if h, _ := access.Health(&access.Access{}); h != model.HealthUnknown {
		t.Errorf("nothing known is %v", h)
	}
}

// TestDSN writes awkward names in every form.
func TestDSN(t *testing.T) {
	d := access.DSN{Hosts: []string{"a", "fd00::1"}, Ports: []uint16{5432, 6432}, User: "o'brien@x", Database: `a b`, Attrs: "prefer-standby"}
	for f, want := range map[access.Form]string{
		access.FormURI:    "postgres://o%27brien%40x@a:5432,[fd00::1]:6432/a%20b?target_session_attrs=prefer-standby",
		access.FormKV:     `host=a,fd00::1 port=5432,6432 user='o\'brien@x' dbname='a b' target_session_attrs=prefer-standby`,
		access.FormJDBC:   "jdbc:postgresql://a:5432,[fd00::1]:6432/a%20b?user=o%27brien%40x&targetServerType=preferSecondary",
		access.FormGo:     `pgx.Connect(ctx, "postgres://o%27brien%40x@a:5432,[fd00::1]:6432/a%20b?target_session_attrs=prefer-standby")`,
		access.FormPython: `psycopg.connect("host=a,fd00::1 port=5432,6432 user='o\\'brien@x' dbname='a b' target_session_attrs=prefer-standby")`,
	} {
		if got := d.Text(f); got != want {
			t.Errorf("%s:\n got %s\nwant %s", f, got, want)
		}
	}
}

// TestSchemes: what the cluster has of them, and how long a failover takes.
func TestSchemes(t *testing.T) {
	w := modeltest.AccessWorld()
	a := w.Access(access.Live{})
	got := map[access.SchemeCode]access.Scheme{}
	for _, s := range access.SchemesOf(&a) {
		got[s.Code] = s
	}
	vip := got[access.SchemeL2VIPHAProxy]
	if len(got) != 12 || !vip.InUse || vip.Failover != 37*time.Second || vip.Verdict != model.Serving || !strings.Contains(vip.Live, "4 of 4 endpoints") {
		t.Errorf("%d schemes, %+v", len(got), vip)
	}
	if s := got[access.SchemeStaticDNS]; s.InUse {
		t.Errorf("a name that is the VIP is no static record: %+v", s)
	}
	w.Cls.DNS.Target = "10.10.10.11"
	w.Cls.LoadBalancers[0].Services[0].Options = "inter 2s fastinter 500ms downinter 1s rise 3"
	w.Snap.VIP["pg-test"] = modeltest.Seen(model.Host("10.10.10.12"))
	a = w.Access(access.Live{})
	for _, s := range access.SchemesOf(&a) {
		switch s.Code {
		case access.SchemeStaticDNS:
			if !s.InUse || s.Declared != "pg_dns_target: auto: pg-test is 10.10.10.11" {
				t.Errorf("%+v", s)
			}
		case access.SchemeL2VIPHAProxy:
			if s.Verdict != model.Mismatch || s.Failover != 32*time.Second {
				t.Errorf("%+v", s)
			}
		}
	}
}
