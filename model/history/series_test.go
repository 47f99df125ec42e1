package history_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgtui/model"
	"pgtui/model/history"
	"pgtui/pigsty"
)

// cluster is pg-test: three instances, each with a HAProxy.
func cluster(t testing.TB) *model.Cluster {
	t.Helper()
	inv, err := pigsty.Load(fstest.MapFS{"pigsty.yml": {Data: []byte(`
pg-test:
  hosts:
    10.0.0.1: { pg_seq: 1, pg_role: primary }
    10.0.0.2: { pg_seq: 2, pg_role: replica }
    10.0.0.3: { pg_seq: 3, pg_role: replica }
  vars: { pg_cluster: pg-test }
`)}}, "pigsty.yml", pigsty.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return inv.Cluster("pg-test")
}

// scrapes are samples every 10 s from an offset, values by the second since t0; a missing
// value has no sample.
type scrapes struct {
	all    []history.Series
	offset time.Duration
}

func (s *scrapes) add(name string, labels map[string]string, value func(sec int) (float64, bool)) {
	x := history.Series{Name: name, Labels: labels}
	for sec := int(s.offset / time.Second); sec <= 300; sec += 10 {
		if v, ok := value(sec); ok {
			x.Samples = append(x.Samples, history.Sample{At: t0.Add(time.Duration(sec) * time.Second), Value: v})
		}
	}
	s.all = append(s.all, x)
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// failover is a store with a failover from 1 to 2: PostgreSQL of 1 dies at 100 s, HAProxy on host
// h marks it DOWN at 104 s and 2 UP at 130 s; 2 is primary from 125 s. One reload of HAProxy on 3 at
// 200 s gives 3 connections on 5433 to pg-test-3.
func failover() []history.Series {
	var s scrapes
	for h := 1; h <= 3; h++ {
		s.offset = time.Duration(h) * time.Second
		ip := fmt.Sprintf("10.0.0.%d", h)
		target := func(more ...string) map[string]string {
			l := map[string]string{"job": "node", "instance": ip + ":9101", "ip": ip, "proxy": "pg-test-primary"}
			for i := 0; i+1 < len(more); i += 2 {
				l[more[i]] = more[i+1]
			}
			return l
		}
		for n := 1; n <= 3; n++ {
			server := fmt.Sprintf("pg-test-%d", n)
			up := func(sec int) bool { return n == 1 && sec < 104 || n == 2 && sec >= 130 }
			for _, state := range []string{"UP", "DOWN", "DRAIN", "MAINT"} {
				s.add("haproxy_server_status", target("server", server, "state", state), func(sec int) (float64, bool) {
					return yes(state == "UP" && up(sec) || state == "DOWN" && !up(sec)), true
				})
			}
			s.add("haproxy_server_check_last_change_seconds", target("server", server), func(sec int) (float64, bool) {
				last := -500
				if n == 1 && sec >= 104 {
					last = 104
				} else if n == 2 && sec >= 130 {
					last = 130
				}
				return float64(sec - last), true
			})
			s.add("haproxy_server_loadbalanced_total", target("server", server), func(sec int) (float64, bool) {
				switch {
				case h == 3 && n == 3 && sec > 200:
					return 3, true
				case n == 1:
					return float64(min(sec, 100)), true
				case n == 2 && sec > 130:
					return float64(sec - 130), true
				}
				return 0, true
			})
		}
		s.add("haproxy_process_start_time_seconds", map[string]string{"instance": ip + ":9101"}, func(sec int) (float64, bool) {
			if h == 3 && sec > 200 {
				return float64(t0.Unix() + 200), true
			}
			return float64(t0.Unix() - 5000), true
		})
		in := map[string]string{"job": "pgsql", "instance": ip + ":8008", "ip": ip, "cls": "pg-test", "ins": fmt.Sprintf("pg-test-%d", h)}
		alive := func(sec int) bool { return h != 1 || sec < 100 }
		s.add("patroni_primary", in, func(sec int) (float64, bool) { return yes(h == 1 || h == 2 && sec >= 125), alive(sec) })
		s.add("patroni_replica", in, func(sec int) (float64, bool) { return yes(h == 3 || h == 2 && sec < 125), alive(sec) })
		s.add("patroni_postgres_running", in, func(int) (float64, bool) { return 1, true })
		s.add("patroni_postgres_timeline", in, func(sec int) (float64, bool) { return 4 + yes(sec >= 125), alive(sec) })
		s.add("patroni_is_paused", in, func(int) (float64, bool) { return 0, alive(0) })
		s.add("patroni_cluster_unlocked", in, func(sec int) (float64, bool) { return yes(sec >= 110 && sec < 122), alive(sec) })
		s.add("up", in, func(sec int) (float64, bool) { return yes(alive(sec)), true })
		s.add("up", map[string]string{"instance": ip + ":9101"}, func(int) (float64, bool) { return 1, true })
	}
	return s.all
}

// lines are events as short text, with the second since t0.
func lines(events []history.Event) []string {
	var out []string
	for i := range events {
		e := &events[i]
		out = append(out, fmt.Sprintf("%d±%d %s %s: %s", e.At.Sub(t0)/time.Second, e.Within/time.Second, e.Kind, e.Subject(), e.Change()))
	}
	return out
}

// TestTransitionsOfSeries: the transitions of a failover, to the second where HAProxy has it, and
// none that did not happen.
func TestTransitionsOfSeries(t *testing.T) {
	c := cluster(t)
	seen := history.FromSeries(c, "store", failover(), t0, t0.Add(300*time.Second))
	got := lines(seen.Events)
	for _, want := range []string{
		"104±1 server pg-test-1 in pg-test-primary on 10.0.0.1: UP → DOWN", "104±1 server pg-test-1 in pg-test-primary on 10.0.0.2: UP → DOWN",
		"130±1 server pg-test-2 in pg-test-primary on 10.0.0.3: DOWN → UP", "200±1 reload 10.0.0.3: a new worker started",
		"127±5 role pg-test-2: replica → primary",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	var servers int
	for i := range seen.Events {
		if seen.Events[i].Kind == history.KindServer {
			servers++
		}
	}
	if servers != 6 {
		t.Errorf("%d transitions of servers, want 6:\n%s", servers, strings.Join(got, "\n"))
	}
	if len(seen.Misrouted) != 1 || seen.Misrouted[0].Connections != 3 || seen.Misrouted[0].Instance != "pg-test-3" || seen.Misrouted[0].Host != "10.0.0.3" {
		t.Errorf("misrouted: %+v", seen.Misrouted)
	}
	if len(seen.Missing) != 0 || seen.Targets != 6 {
		t.Errorf("missing %v of %d", seen.Missing, seen.Targets)
	}
	unknown := slices.DeleteFunc(slices.Clone(seen.Unknown), func(u history.Span) bool { return u.What != "Patroni of pg-test-1" })
	if len(unknown) != 1 || unknown[0].From.Sub(t0) != 91*time.Second || !unknown[0].To.Equal(t0.Add(300*time.Second)) || unknown[0].Why != "the scrape failed (up is 0)" {
		t.Errorf("the dead Patroni is not unknown: %+v", unknown)
	}
}

// TestSeriesThatLie: a value of a target whose scrape failed does not count, a state that cannot
// be read is unknown, and a target without samples is missing.
func TestSeriesThatLie(t *testing.T) {
	c := cluster(t)
	all := failover()
	all = slices.DeleteFunc(all, func(s history.Series) bool { return s.Labels["ip"] == "10.0.0.2" })
	for i := range all {
		s := &all[i]
		switch {
		case s.Name == "up" && s.Labels["instance"] == "10.0.0.1:9101":
			for k := range s.Samples {
				if s.Samples[k].At.After(t0.Add(95 * time.Second)) {
					s.Samples[k].Value = 0
				}
			}
		case s.Name == "haproxy_server_status" && s.Labels["ip"] == "10.0.0.3" && s.Labels["state"] == "DRAIN":
			for k := range s.Samples {
				s.Samples[k].Value = 1 // two states at once
			}
		}
	}
	seen := history.FromSeries(c, "store", all, t0, t0.Add(300*time.Second))
	for i := range seen.Events {
		if e := &seen.Events[i]; e.Kind == history.KindServer {
			t.Errorf("an event out of nothing: %+v", e)
		}
	}
	if want := []string{"Patroni of pg-test-2", "HAProxy on 10.0.0.2", "HAProxy on 10.0.0.3"}; !slices.Equal(seen.Missing, want) {
		t.Errorf("missing %v, want %v", seen.Missing, want)
	}
	if !slices.ContainsFunc(seen.Unknown, func(u history.Span) bool {
		return u.What == "HAProxy on 10.0.0.1" && u.Why == "the scrape failed (up is 0)" && u.From.Before(t0.Add(100*time.Second))
	}) {
		t.Errorf("unknown: %+v", seen.Unknown)
	}
	for _, g := range history.Of(c, t0, t0.Add(300*time.Second), seen, nil, nil).Gaps {
		t.Errorf("a gap that nothing shows: %+v", g)
	}
}

// TestTimelineOfAFailover: the events of store and logs are one list, and what a port, the clients
// and each layer went through follows from it.
func TestTimelineOfAFailover(t *testing.T) {
	c := cluster(t)
	seen := history.FromSeries(c, "store", failover(), t0, t0.Add(300*time.Second))
	var logged []history.Event
	line := func(sec float64, host model.Host, text string) {
		e, ok := history.ParseHAProxy(text, t0.Add(time.Duration(sec*float64(time.Second))), host, "journal of "+string(host))
		if !ok {
			t.Fatalf("no event: %s", text)
		}
		logged = append(logged, e)
	}
	for _, h := range []model.Host{"10.0.0.1", "10.0.0.2"} {
		line(104.3, h, `Server pg-test-primary/pg-test-1 is DOWN, reason: Layer4 connection problem. 0 active and 0 backup servers left. 5 sessions active, 0 requeued`)
		line(104.3, h, `proxy 'pg-test-primary' has no server available!`)
	}
	line(130.2, "10.0.0.1", `Server pg-test-primary/pg-test-2 is UP, reason: Layer7 check passed, code: 200. 1 active and 0 backup servers online.`)
	for sec, text := range map[float64]string{122: "acquired session lock as a leader", 124: "promoted self to leader by acquiring session lock"} {
		e, _ := history.ParsePatroni(text, t0.Add(time.Duration(sec)*time.Second), c.Instance("pg-test-2"), "patroni.log of pg-test-2")
		logged = append(logged, e)
	}
	tl := history.Of(c, t0, t0.Add(300*time.Second), seen, logged, []model.Host{"10.0.0.1", "10.0.0.2"})
	got := lines(tl.Events)
	find := func(want string) *history.Event {
		i := slices.Index(got, want)
		if i < 0 {
			t.Fatalf("no %q:\n%s", want, strings.Join(got, "\n"))
		}
		return &tl.Events[i]
	}
	down := find("104±0 server pg-test-1 in pg-test-primary on 10.0.0.1: UP → DOWN")
	if len(down.Evidence) != 2 || !strings.HasPrefix(down.Evidence[0].Source, "journal") || down.Cut != 5 || down.Against != nil {
		t.Errorf("not one event of two sources: %+v", down)
	}
	promoted := find("124±1 role pg-test-2: replica → primary")
	if len(promoted.Evidence) != 2 {
		t.Errorf("%+v", promoted)
	}
	if up := find("130±1 server pg-test-2 in pg-test-primary on 10.0.0.2: DOWN → UP"); len(up.Against) != 1 {
		t.Errorf("what the log lacks is no contradiction: %+v", up)
	}
	if n, known := tl.Cut(); n != 10 || !known {
		t.Errorf("%d sessions cut, %v", n, known)
	}
	if len(tl.Gaps) != 3 {
		t.Fatalf("gaps: %+v", tl.Gaps)
	}
	for _, g := range tl.Gaps {
		if g.Port != "5433" || (g.Took()-26*time.Second).Abs() > time.Second || g.Open || g.Before {
			t.Errorf("gap: %+v", g)
		}
	}
	var layers []string
	for _, l := range tl.Failovers[0].Layers {
		took := l.To.Sub(l.From) / time.Second
		if l.Unknown != "" {
			took = -1
		}
		layers = append(layers, fmt.Sprintf("%s %d %s", l.Name, took, l.Unknown))
	}
	if len(tl.Failovers) != 1 || layers[0] != "leader key 31 " || layers[1] != "promotion 2 " || layers[2] != "HAProxy 6 " || layers[3] != "VIP -1 no line of vip-manager" {
		t.Errorf("%d failovers: %q", len(tl.Failovers), layers)
	}
}

// TestMerge: what may be one event is one, and what is not stays apart.
func TestMerge(t *testing.T) {
	ev := func(sec int, within time.Duration, from string, after string) history.Event {
		return history.Event{At: t0.Add(time.Duration(sec) * time.Second), Within: within, Kind: history.KindServer, Host: "h", Proxy: "p", Instance: "i", After: after, Cut: -1, Left: -1, Evidence: []history.Evidence{{Source: from}}}
	}
	for name, tt := range map[string]struct {
		in   []history.Event
		want string
	}{
		"two sources":           {[]history.Event{ev(10, 5*time.Second, "store", "DOWN"), ev(14, 0, "log", "DOWN")}, "14±0 2"},
		"another state":         {[]history.Event{ev(10, 5*time.Second, "store", "DOWN"), ev(14, 0, "log", "UP")}, "10±5 1, 14±0 1"},
		"too far apart":         {[]history.Event{ev(10, time.Second, "store", "DOWN"), ev(20, 0, "log", "DOWN")}, "10±1 1, 20±0 1"},
		"one source twice":      {[]history.Event{ev(10, time.Second, "log", "DOWN"), ev(11, time.Second, "log", "DOWN")}, "10±1 1, 11±1 1"},
		"a flap, seen by three": {[]history.Event{ev(10, 0, "log", "DOWN"), ev(20, 0, "log", "DOWN"), ev(19, time.Second, "store", "DOWN")}, "10±0 1, 20±0 2"},
	} {
		var got []string
		for _, e := range history.Merge(tt.in) {
			got = append(got, fmt.Sprintf("%d±%d %d", e.At.Sub(t0)/time.Second, e.Within/time.Second, len(e.Evidence)))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: %s, want %s", name, s, tt.want)
		}
	}
}

// BenchmarkFromSeries: a day of a cluster with three HAProxies at 10 s; budget 1 s.
func BenchmarkFromSeries(b *testing.B) {
	c := cluster(b)
	all := failover()
	for i := range all {
		s := &all[i]
		for k := len(s.Samples); k > 0 && k < 8640; k++ {
			s.Samples = append(s.Samples, history.Sample{At: s.Samples[k-1].At.Add(10 * time.Second), Value: s.Samples[k-1].Value})
		}
	}
	for b.Loop() {
		history.FromSeries(c, "store", all, t0, t0.Add(24*time.Hour))
	}
}
