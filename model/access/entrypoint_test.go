package access_test

import (
	"slices"
	"strings"
	"testing"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/model/trace"
	"pgtui/source"
)

// pointWorld is accessWorld with entry points: one that may be anybody's, one
// on other ports, one of another cluster.
func pointWorld() *modeltest.World {
	w := modeltest.AccessWorld()
	w.Snap.Inventory.EntryPoints = []model.EntryPoint{
		{Name: "nlb", Host: "nlb.example.com", Cluster: "pg-test", Scheme: "nlb"},
		{Name: "far", Host: "192.0.2.7", Scheme: access.SchemeExternal, Ports: []model.EntryPointPort{{Service: "primary", Port: 6000}, {Port: 5434}, {Port: 5432}}},
		{Name: "other", Host: "192.0.2.8", Cluster: "pg-other", Scheme: access.SchemeExternal},
		{Name: "round", Host: "all.example.com", Scheme: "dns-haproxy", Ports: []model.EntryPointPort{{Port: 5433}}},
	}
	return w
}

// TestAccessEntryPoints: the configuration's entry points are rows like others,
// and where they lead is known only where that can be told.
func TestAccessEntryPoints(t *testing.T) {
	looked := func(addrs ...string) []access.Lookup { return []access.Lookup{{Server: "system", Addrs: addrs}} }
	live := access.Live{Checks: map[model.Endpoint]source.Observed[access.EntryCheck]{
		{Host: "nlb.example.com", Port: 5433}: modeltest.Seen(access.EntryCheck{Lookups: looked("192.0.2.1"), Touches: []access.Touch{{Addr: "192.0.2.1"}}}),
		{Host: "nlb.example.com", Port: 5434}: modeltest.Seen(access.EntryCheck{Lookups: looked("192.0.2.1"), Touches: []access.Touch{{Addr: "192.0.2.1", Fault: model.FaultRefused, Text: "connection refused"}}}),
		{Host: "all.example.com", Port: 5433}: modeltest.Seen(access.EntryCheck{Lookups: looked("10.10.10.11", "10.10.10.12"), Touches: []access.Touch{{Addr: "10.10.10.11"}, {Addr: "10.10.10.12"}}}),
		{Host: "192.0.2.7", Port: 6000}:       modeltest.Seen(access.EntryCheck{Touches: []access.Touch{{Addr: "192.0.2.7"}}}),
	}}
	a := pointWorld().Access(live)
	var got []string
	for i := range a.Entries {
		if e := &a.Entries[i]; e.On.Kind == access.HostExternal {
			got = append(got, e.String()+" "+e.At.Name+" "+string(e.Now.Verdict)+": "+e.Now.Why)
		}
	}
	want := []string{
		"nlb.example.com:5433 primary unknown: it answers; 192.0.2.1 is not a node of pg-test: --prove shows who answers",
		"nlb.example.com:5434 replica down: 192.0.2.1: connection refused",
		"192.0.2.7:5432 postgres unknown: 192.0.2.7 is not a node of pg-test: --prove shows who answers",
		"192.0.2.7:6000 primary unknown: it answers; the port is not in the inventory: --prove shows who answers",
		"192.0.2.7:5434 replica unknown: 192.0.2.7 is not a node of pg-test: --prove shows who answers",
		"all.example.com:5433 primary serving: ",
	}
	if len(got) != len(want) {
		t.Fatalf("%s", strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %s\nwant %s", got[i], want[i])
		}
	}
	if e := entry(t, &a, "nlb.example.com:5433"); e.Way != "nlb nlb → primary" || model.Join(e.Should) != "pg-test-1" || e.DSN.Text(access.FormURI) != "postgres://app@nlb.example.com:5433/shop" {
		t.Errorf("%+v", e)
	}
	for _, s := range access.SchemesOf(&a) {
		switch s.Code {
		case access.SchemeNLB:
			if !s.InUse || s.Verdict != model.Down || !strings.HasSuffix(s.Declared, "entry-points: nlb") {
				t.Errorf("%+v", s)
			}
		case access.SchemeDNSHAProxy:
			if !s.InUse || s.Verdict != model.Serving || !strings.HasPrefix(s.Live, "7 of 7") {
				t.Errorf("%+v", s)
			}
		case access.SchemeRoute53:
			if s.InUse {
				t.Errorf("%+v", s)
			}
		}
	}
	if notes := strings.Join(a.Notes, "\n"); !strings.Contains(notes, "192.0.2.7 is the entry point far of the configuration, scheme external") || strings.Contains(notes, "other") {
		t.Errorf("%s", notes)
	}
}

// TestEntryPointProven: real connections tell where it leads.
func TestEntryPointProven(t *testing.T) {
	w := pointWorld()
	at := model.Endpoint{Host: "nlb.example.com", Port: 5433}
	try := func(recovery bool) access.Live {
		return access.Live{Proofs: map[model.Endpoint]source.Observed[access.EntryProof]{at: modeltest.Seen(access.EntryProof{Database: "postgres",
			Tries: []model.Try{{Answer: model.Answer{Recovery: recovery, Timeline: 1}}}})}}
	}
	a := w.Access(try(true))
	if e := entry(t, &a, at.String()); e.Now.Verdict != model.Mismatch || !strings.Contains(e.Now.Why, "takes no writes") {
		t.Errorf("%+v", e.Now)
	}
}

// TestTracePoint: a trace knows the cluster and the promise of an entry point,
// and says that it sees no more of the way.
func TestTracePoint(t *testing.T) {
	w := pointWorld()
	inv := w.Snap.Inventory
	d, c, err := access.TracePoint(inv, inv.EntryPoint("far"), "primary")
	if err != nil || c != w.Cls || d.Text(access.FormURI) != "postgres://app@192.0.2.7:6000/shop" {
		t.Fatalf("%+v %v", d, err)
	}
	for _, tt := range []struct{ point, service, want, try string }{
		{"far", "offline", `entry point far has no port for "offline" of pg-test`, "one of: postgres, primary, replica"},
		{"other", "primary", "entry point other belongs to cluster pg-other, which is not in the inventory", "cluster: NAME below entry-points.other in the configuration"},
	} {
		if _, _, err := access.TracePoint(inv, inv.EntryPoint(tt.point), tt.service); err == nil || err.Error() != tt.want || source.TryOf(err) != tt.try {
			t.Errorf("%v, try %s", err, source.TryOf(err))
		}
	}
	target := trace.Target{DSN: d}
	if got := trace.Clusters(inv, target, nil); !slices.Equal(got, []*model.Cluster{c}) {
		t.Errorf("%v", got)
	}
	b := check.Board(w.Snap, c, modeltest.T0)
	attempt := trace.Attempt{Endpoint: model.Endpoint{Host: "192.0.2.7", Port: 6000}, Addr: "192.0.2.7",
		Try: model.Try{Dial: 1, Connect: 2, Query: 1, Answer: model.Answer{Recovery: true, ReadOnly: true, Timeline: 1}}}
	tr := trace.Of(w.Snap, inv, []board.Board{b}, target, []trace.Attempt{attempt})
	if k := tr.Kept(); len(k.Hops) != 2 || k.Cluster != "pg-test" || k.Service != "primary" {
		t.Errorf("%+v", k)
	}
	way := trace.WayOf(inv, &attempt)
	if why := trace.ServedBy(target, way, &attempt); !strings.Contains(why, "takes no writes") {
		t.Errorf("%q", why)
	}
	inv.Clusters = append(inv.Clusters, model.Cluster{Name: "pg-b"})
	if _, _, err := access.TracePoint(inv, inv.EntryPoint("far"), "primary"); err == nil || !strings.Contains(err.Error(), "names no cluster") {
		t.Errorf("%v", err)
	}
}
