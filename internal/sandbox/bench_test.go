package sandbox

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkStart: the four nodes of the demo; the first frame waits for it.
// Budget 20 ms.
func BenchmarkStart(b *testing.B) { benchStart(b, 1) }

// BenchmarkStartFleet: 1,000 nodes, 2,000 ports, 4,000 files. Budget 2 s.
func BenchmarkStartFleet(b *testing.B) { benchStart(b, 333) }

func benchStart(b *testing.B, clusters int) {
	for b.Loop() {
		s, err := Start(b.Context(), Options{Clusters: clusters})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkSweep: every Patroni's /patroni and every HAProxy's CSV of 1,000
// nodes in memory, two seconds after the last sweep. Budget 200 ms.
func BenchmarkSweep(b *testing.B) {
	s := fleet(b, 333)
	b.ReportAllocs()
	for b.Loop() {
		s.Advance(2 * time.Second)
		w := s.lock()
		for _, n := range w.nodes {
			if a := n.m.Answer("GET", "/patroni"); a.Code != 200 {
				b.Fatal(a.Code)
			}
			n.ha.CatchUp(w.Now())
			if len(n.ha.CSV("")) == 0 {
				b.Fatal("no rows")
			}
		}
		s.unlock()
	}
}

// BenchmarkFailover: a minute of the fleet in which a leader is lost.
func BenchmarkFailover(b *testing.B) {
	s := fleet(b, 333)
	for b.Loop() {
		do(b, s, "fail leader:pg-test\nwait 60s\nstart all\nwait 60s")
	}
}

func fleet(b *testing.B, clusters int) *Sandbox {
	b.Helper()
	s, err := Start(b.Context(), Options{Clusters: clusters, Manual: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkSweepHTTP: the same over loopback with both ends in this process,
// six requests a node, 64 at a time: the requests of a prober of a fleet.
// Budget 3 s on two cores.
func BenchmarkSweepHTTP(b *testing.B) {
	s := fleet(b, 333)
	type target struct{ method, url, user, password string }
	for b.Loop() {
		s.Advance(2 * time.Second)
		work := make(chan target)
		var wg sync.WaitGroup
		var failed atomic.Int64
		for range 64 {
			wg.Go(func() {
				for t := range work {
					if code, _ := request(t.method, t.url, t.user, t.password, patient); code == 0 {
						failed.Add(1)
					}
				}
			})
		}
		for _, d := range s.hosts {
			base := "http://" + net.JoinHostPort(d.addr, strconv.Itoa(s.patroniPort))
			for _, path := range []string{"/primary", "/read-only", "/replica"} {
				work <- target{"OPTIONS", base + path, "", ""}
			}
			work <- target{"GET", base + "/patroni", "", ""}
			work <- target{"GET", base + "/cluster", "", ""}
			work <- target{"GET", "http://" + net.JoinHostPort(d.addr, strconv.Itoa(s.statsPort)) + "/haproxy/" + d.name() + "/;csv", "admin", "pigsty"}
		}
		close(work)
		wg.Wait()
		if n := failed.Load(); n > 0 {
			b.Fatalf("%d requests were not answered", n)
		}
	}
}
