package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

func TestProbeHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet([]byte(page))
		f.role["10.0.0.1"] = "primary"
		p, inv := tester(f), inventory(2, 3)
		s, err := p.Probe(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		if s.Seq != 1 || s.Inventory != inv || !s.TakenAt.Equal(time.Now()) || len(s.Patroni) != 6 || len(s.HAProxy) != 6 {
			t.Errorf("seq %d, %d Patroni, %d HAProxy", s.Seq, len(s.Patroni), len(s.HAProxy))
		}
		for name := range s.Patroni {
			known(t, s, name)
		}
		v := s.Patroni["c0-1"]
		if v.Status.Value.Role != "primary" || v.Checks["/primary"].Value != 200 || s.Patroni["c0-2"].Checks["/primary"].Value != 503 {
			t.Errorf("%+v", v)
		}
		if got := keys(v.Checks); got != "/primary /read-only" {
			t.Errorf("c0-1 was asked %s", got)
		}
		if got := keys(s.Patroni["c0-3"].Checks); got != "/primary /read-only replica" || s.Patroni["c0-3"].Checks["replica"].Value != 200 {
			t.Errorf("c0-3 was asked %s", got)
		}
		if st := s.HAProxy["10.0.0.1"]; !st.Known() || st.Value.URI != "/haproxy/c0-1/" || st.Value.Proxy("c0-primary") == nil {
			t.Errorf("%+v", st)
		}
		if f.most > 2 {
			t.Errorf("%d requests in flight on one node", f.most)
		}
		one, err := p.Probe(t.Context(), inv, "c1")
		if err != nil || one.Seq != 2 || len(one.Patroni) != 3 || len(one.HAProxy) != 3 {
			t.Errorf("only c1: %v, seq %d, %d Patroni", err, one.Seq, len(one.Patroni))
		}
	})
}

func TestProbeNothingToAsk(t *testing.T) {
	p := New(Options{})
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, try := range map[string]func() (*model.Snapshot, error){
		"no inventory":    func() (*model.Snapshot, error) { return p.Probe(t.Context(), nil) },
		"no cluster":      func() (*model.Snapshot, error) { return p.Probe(t.Context(), &model.Inventory{}) },
		"unknown cluster": func() (*model.Snapshot, error) { return p.Probe(t.Context(), inventory(1, 1), "nope") },
		"stopped before":  func() (*model.Snapshot, error) { return p.Probe(canceled, inventory(1, 1)) },
	} {
		if s, err := try(); err == nil || s != nil {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

// What one broken node costs, and what is still known of it and of the others.
func TestProbeBrokenNode(t *testing.T) {
	const slowest = defaultTimeout + defaultTimeout/3
	for _, tc := range []struct {
		name   string
		break1 func(*fleet)
		took   time.Duration // on the bubble's clock
		check  func(t *testing.T, v model.PatroniView, h source.Observed[haproxy.Stats])
	}{
		{"no route to the node", func(f *fleet) { f.dead["10.0.0.1"] = true }, defaultTimeout,
			func(t *testing.T, v model.PatroniView, h source.Observed[haproxy.Stats]) {
				for _, err := range []error{v.Status.Err, v.Cluster.Err, v.Checks["/primary"].Err, h.Err} {
					if err == nil || !strings.Contains(err.Error(), "no connection to 10.0.0.1:") || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v", err)
					}
				}
				if v.Status.Known() || !v.Status.Ever() || v.Status.Value.Role != "primary" || v.Status.Age(time.Now()) < defaultTimeout {
					t.Errorf("the last value and its age are lost: %+v", v.Status)
				}
				if c := v.Checks["/primary"]; c.Known() || c.Value != 200 || !c.Tried.After(c.At) {
					t.Errorf("%+v", c)
				}
			}},
		{"Patroni is frozen", func(f *fleet) {
			for _, p := range []string{"/patroni", "/cluster", "/primary", "/read-only"} {
				f.hang["10.0.0.1 "+p] = true
			}
		}, defaultTimeout,
			func(t *testing.T, v model.PatroniView, h source.Observed[haproxy.Stats]) {
				if v.Status.Err == nil || !strings.Contains(v.Status.Err.Error(), "connected, but no answer") || v.Checks["/primary"].Known() || v.Cluster.Known() || !h.Known() {
					t.Errorf("%+v", v)
				}
			}},
		{"the DCS is down", func(f *fleet) { f.hang["10.0.0.1 /cluster"] = true }, defaultTimeout,
			func(t *testing.T, v model.PatroniView, h source.Observed[haproxy.Stats]) {
				if v.Cluster.Known() || !v.Status.Known() || !v.Checks["/primary"].Known() || !v.Checks["/read-only"].Known() || !h.Known() {
					t.Errorf("%+v", v)
				}
			}},
		{"PostgreSQL is down and Patroni slow", func(f *fleet) {
			for _, p := range []string{"/patroni", "/cluster", "/primary", "/read-only"} {
				f.delay["10.0.0.1 "+p] = 1800 * time.Millisecond
			}
		}, slowest,
			func(t *testing.T, v model.PatroniView, h source.Observed[haproxy.Stats]) {
				if !v.Status.Known() || v.Checks["/primary"].Known() || v.Cluster.Known() {
					t.Errorf("%+v", v)
				}
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet([]byte(page))
				f.role["10.0.0.1"] = "primary"
				p, inv := tester(f), inventory(1, 3)
				if _, err := p.Probe(t.Context(), inv); err != nil {
					t.Fatal(err)
				}
				tc.break1(f)
				start := time.Now()
				s, err := p.Probe(t.Context(), inv)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took > tc.took {
					t.Errorf("took %v, want at most %v", took, tc.took)
				}
				known(t, s, "c0-2")
				known(t, s, "c0-3")
				tc.check(t, s.Patroni["c0-1"], s.HAProxy["10.0.0.1"])
				time.Sleep(time.Minute) // the fleet's own goroutines end
			})
		})
	}
}

func TestProbeDeadDatacentre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet([]byte(page))
		inv := inventory(40, 5)
		for i, n := range inv.Nodes {
			f.dead[string(n.Host)] = i%10 != 0
		}
		start := time.Now()
		s, err := tester(f).Probe(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took >= 3*time.Second {
			t.Errorf("took %v", took)
		}
		for _, in := range inv.Clusters {
			for _, i := range in.Instances {
				v := s.Patroni[i.Name]
				if dead := f.dead[string(i.Host)]; dead == v.Status.Known() || v.Status.Tried.IsZero() {
					t.Errorf("%s: dead %v, %+v", i.Name, dead, v.Status)
				}
			}
		}
	})
}

func TestInFlightIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet([]byte(page))
		inv := inventory(10, 5)
		for _, n := range inv.Nodes {
			for _, path := range []string{"/patroni", "/cluster", "/primary", "/read-only"} {
				f.delay[string(n.Host)+" "+path] = 10 * time.Millisecond
			}
		}
		if _, err := tester(f).Probe(t.Context(), inv); err != nil || f.most != 2 {
			t.Errorf("%d in flight on one node, %v", f.most, err)
		}
		f.set(func() { f.most, f.mostAll = 0, 0 })
		p := New(Options{Dial: f.dial, InFlight: 7})
		s, err := p.Probe(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		if f.mostAll > 7 || f.most > 2 {
			t.Errorf("%d in flight, %d on one node", f.mostAll, f.most)
		}
		known(t, s, "c9-5")
	})
}

// A published snapshot must not change when more answers come in.
func TestSnapshotIsImmutable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet([]byte(page))
		p, inv := tester(f), inventory(1, 1)
		first, _ := p.Probe(t.Context(), inv)
		f.role["10.0.0.1"] = "primary"
		time.Sleep(time.Second)
		second, _ := p.Probe(t.Context(), inv)
		if a, b := first.Patroni["c0-1"].Checks["/primary"].Value, second.Patroni["c0-1"].Checks["/primary"].Value; a != 503 || b != 200 {
			t.Errorf("first says %d, second %d", a, b)
		}
	})
}

// TestTheLeaderKeyIsAlwaysAsked: where no service asks what only its holder
// passes, one more question is asked, and none elsewhere.
func TestTheLeaderKeyIsAlwaysAsked(t *testing.T) {
	for _, c := range []struct {
		checks  []string
		standby bool
		want    string
	}{
		{nil, false, "/leader"},
		{[]string{"/primary", "/read-only"}, false, "/primary /read-only"},
		{[]string{"/read-only"}, false, "/read-only /leader"},
		{[]string{"/", "/replica"}, false, "/ /replica"},
		{[]string{"/leader?x=1"}, false, "/leader?x=1"},
		{[]string{"/standby-leader"}, false, "/standby-leader /leader"},
		{[]string{"/primary"}, true, "/primary /leader"},
		{[]string{"/standby-leader"}, true, "/standby-leader"},
	} {
		if got := strings.Join(withLock(&model.Cluster{Standby: c.standby}, c.checks), " "); got != c.want {
			t.Errorf("%q, standby cluster %v: %q, want %q", c.checks, c.standby, got, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		inv := inventory(1, 2)
		for i := range inv.Clusters[0].LoadBalancers {
			inv.Clusters[0].LoadBalancers[i].Services = nil
		}
		f := newFleet([]byte(page))
		f.role["10.0.0.1"] = "primary"
		s, err := tester(f).Probe(t.Context(), inv)
		if err != nil || len(s.Patroni["c0-1"].Checks) != 1 || !s.Patroni["c0-1"].Checks["/leader"].Known() {
			t.Errorf("%v: %+v", err, s.Patroni["c0-1"].Checks)
		}
	})
}

func TestMovedInstanceStartsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet([]byte(page))
		p, inv := tester(f), inventory(1, 1)
		if _, err := p.Probe(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
		moved := inventory(1, 1)
		moved.Clusters[0].Instances[0].Host = "10.9.9.9"
		f.dead["10.9.9.9"] = true
		s, err := p.Probe(t.Context(), moved)
		if err != nil || s.Patroni["c0-1"].Status.Ever() {
			t.Errorf("the old address's answer is shown for the new one: %+v", s.Patroni["c0-1"].Status)
		}
	})
}

func TestFrontOutsideTheInventory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inv := inventory(1, 1)
		inv.Clusters[0].LoadBalancers = append(inv.Clusters[0].LoadBalancers, model.LoadBalancer{Host: "10.8.8.8"})
		s, err := tester(newFleet([]byte(page))).Probe(t.Context(), inv)
		if err != nil || s.HAProxy["10.8.8.8"].Err == nil {
			t.Errorf("%+v", s.HAProxy["10.8.8.8"])
		}
	})
}

// BenchmarkProbe: 100 nodes on loopback TCP, 5 of them dead; the time is the
// one timeout that dead nodes may cost (here 1 s) and what the rest adds.
// Budget: 250 ms without dead nodes, 1.1 s with.
// A fault of pgtui's own over one answer is that answer's error, and the node
// counts as one that answers.
func TestSafely(t *testing.T) {
	v, err := safely(t.Context(), "asking 10.0.0.1", func(context.Context) (int, error) {
		return strings.Count("", "") / len(strings.Fields(" ")), nil
	})
	if v != 0 || err == nil || !strings.Contains(err.Error(), "divide by zero") || dead(err) {
		t.Errorf("%d, %v", v, err)
	}
	if v, err = safely(t.Context(), "asking 10.0.0.1", func(context.Context) (int, error) { return 2, nil }); v != 2 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
}

func BenchmarkProbe(b *testing.B) {
	page, err := os.ReadFile(captures + "/bookworm/healthy/haproxy-pg-test-1-stats.csv")
	if err != nil {
		b.Fatal(err)
	}
	f := newFleet(page)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, port, _ := net.SplitHostPort(r.Host)
		code, body := f.say(host, port, r.URL.Path, "replica")
		w.WriteHeader(code)
		w.Write([]byte(body))
	}))
	defer server.Close()
	for _, dead := range []int{0, 5} {
		b.Run(fmt.Sprintf("100nodes/%ddead", dead), func(b *testing.B) {
			inv := inventory(20, 5)
			gone := map[string]bool{}
			for _, n := range inv.Nodes[:dead] {
				gone[string(n.Host)] = true
			}
			p := New(Options{Timeout: time.Second, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if host, _, _ := net.SplitHostPort(addr); gone[host] {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				var d net.Dialer
				return d.DialContext(ctx, network, server.Listener.Addr().String())
			}})
			b.ReportAllocs()
			for b.Loop() {
				s, err := p.Probe(b.Context(), inv)
				if err != nil {
					b.Fatal(err)
				}
				for name, v := range s.Patroni {
					if v.Status.Known() == gone[string(inv.Cluster(model.ClusterName(strings.Split(string(name), "-")[0])).Instance(name).Host)] {
						b.Fatalf("%s: %v", name, v.Status.Err)
					}
				}
			}
		})
	}
}
