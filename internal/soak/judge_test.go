package soak

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// t0 is when the tests' world begins; at is so many milliseconds later.
var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }

// world is one HAProxy in front of two members, all well; a-1 leads.
type world struct {
	t   *testing.T
	inv *model.Inventory
	j   *Judge
	row map[string]haproxy.ServerRow // servers of a-primary
	// pg is the state of a-1's PostgreSQL as its Patroni reports it.
	pg string
	// wait is how long a client waits in a-1's pgbouncer.
	wait time.Duration
}

func newWorld(t *testing.T) *world {
	servers := []model.Server{{Name: "a-1", Host: "h1", Port: "6432", Weight: "100"}, {Name: "a-2", Host: "h2", Port: "6432", Weight: "100"}}
	inv := &model.Inventory{Clusters: []model.Cluster{{Name: "a",
		Instances:     []model.Instance{{Name: "a-1", Host: "h1"}, {Name: "a-2", Host: "h2"}},
		LoadBalancers: []model.LoadBalancer{{Host: "h1", Services: []model.Service{{Cluster: "a", Name: "primary", Port: "5433", Check: "/primary", Members: servers}}}},
	}}}
	return &world{t: t, inv: inv, j: NewJudge(&inv.Clusters[0]), pg: "running", row: map[string]haproxy.ServerRow{
		"a-1": {Name: "a-1", Status: "UP", Weight: 100, UserWeight: 100, CheckStatus: "L7OK", CheckCode: 200, LastChange: 900},
		"a-2": {Name: "a-2", Status: "DOWN", Weight: 100, UserWeight: 100, CheckStatus: "L7STS", CheckCode: 503, LastChange: 900},
	}}
}

// snapshot is what the probe saw at ms.
func (w *world) snapshot(ms int) *model.Snapshot {
	now := at(ms)
	code := map[string]int{"a-1": 200, "a-2": 503}
	s := &model.Snapshot{TakenAt: now, Inventory: w.inv, Patroni: map[model.InstanceName]model.PatroniView{}, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{}}
	for i, name := range []model.InstanceName{"a-1", "a-2"} {
		st := model.PatroniStatus{Role: []string{"primary", "replica"}[i], State: "running", Timeline: 1}
		if i == 0 {
			st.State = w.pg
		}
		s.Patroni[name] = model.PatroniView{
			Status: source.Observed[model.PatroniStatus]{Value: st, At: now, Tried: now},
			Checks: map[string]source.Observed[int]{"/primary": {Value: code[string(name)], At: now, Tried: now}}}
	}
	if w.wait > 0 {
		v := s.Patroni["a-1"]
		v.Pool = source.Observed[model.PoolState]{Value: model.PoolState{Databases: []model.PoolDatabase{{Name: "test", Size: 1, Waiting: 40, MaxWait: w.wait, Servers: 1}}}, At: now, Tried: now}
		s.Patroni["a-1"] = v
	}
	px := haproxy.Proxy{Name: "a-primary", Servers: []haproxy.ServerRow{w.row["a-1"], w.row["a-2"]}}
	s.HAProxy["h1"] = source.Observed[haproxy.Stats]{Value: haproxy.Stats{Proxies: []haproxy.Proxy{px}}, At: now, Tried: now, Took: time.Millisecond}
	return s
}

func (w *world) look(ms int) { w.j.Observed(w.snapshot(ms)) }

// server changes a row of the stats page.
func (w *world) server(name, status, check string, since int64) {
	r := w.row[name]
	r.Status, r.CheckStatus, r.LastChange = status, check, since
	w.row[name] = r
}

func (w *world) client(from, to int, node string, fault string) bool {
	return w.j.Answered(Answer{Host: "h1", Service: "primary", Start: at(from), End: at(to), Node: model.InstanceName(node), Fault: fault})
}

func TestJudge(t *testing.T) {
	type want struct {
		agreed, outside, wrong, disagreements, singles, portNo, noticed int
	}
	cases := []struct {
		name string
		play func(w *world)
		want want
	}{
		{"the one who is named answers", func(w *world) {
			w.look(0)
			w.client(100, 110, "a-1", "")
			w.look(500)
		}, want{agreed: 1}},
		{"another one answers, and the board is sure", func(w *world) {
			w.look(0)
			w.client(100, 110, "a-2", "")
			w.look(500)
		}, want{wrong: 1, disagreements: 1}},
		{"another one answers while the servers change", func(w *world) {
			w.look(0)
			w.client(400, 410, "a-2", "")
			w.server("a-1", "DOWN", "L7STS", 0)
			w.server("a-2", "UP", "L7OK", 0)
			w.look(500)
		}, want{outside: 1}},
		{"a reload came and went between two looks", func(w *world) {
			w.look(0)
			w.client(200, 210, "a-2", "")
			w.server("a-1", "UP", "L7OK", 0)
			w.server("a-2", "DOWN", "L7STS", 0)
			w.look(500)
		}, want{outside: 1}},
		{"settling is not compared", func(w *world) {
			w.server("a-2", "UP 1/3", "INI", 0)
			w.look(0)
			w.client(200, 210, "a-2", "")
			w.look(500)
		}, want{outside: 1}},
		{"a probe that began before the end of the client proves nothing", func(w *world) {
			w.look(0)
			w.client(400, 600, "a-2", "")
			w.look(500)
			w.server("a-2", "UP 1/3", "INI", 0)
			w.look(1000)
		}, want{outside: 1}},
		{"an answer where the board has no server", func(w *world) {
			w.server("a-1", "DOWN", "L4CON", 900)
			w.look(0)
			w.client(100, 110, "a-1", "")
			w.look(500)
		}, want{wrong: 1, disagreements: 1}},
		{"no answer where the board has no server", func(w *world) {
			w.server("a-1", "DOWN", "L4CON", 900)
			w.look(0)
			w.client(100, 110, "", "closed")
			w.look(500)
		}, want{agreed: 1}},
		{"a port that fails once", func(w *world) {
			w.look(0)
			w.client(100, 110, "", "refused")
			w.look(500)
		}, want{singles: 1}},
		{"a port that fails repeatedly, without a finding", func(w *world) {
			w.look(0)
			w.client(100, 110, "", "refused")
			if !w.client(600, 610, "", "refused") {
				w.t.Error("the port is not in doubt")
			}
			w.look(1000)
		}, want{disagreements: 2}},
		{"a port that fails, and its server's PostgreSQL is down on the board", func(w *world) {
			w.pg = "crashed"
			w.look(0)
			w.client(100, 110, "", "the database system is starting up")
			w.client(600, 610, "", "the database system is starting up")
			w.look(1000)
		}, want{agreed: 2}},
		{"a port that fails while clients wait in its server's pgbouncer", func(w *world) {
			w.wait = 4 * time.Second
			w.look(0)
			w.client(100, 2100, "", "no answer within 2s")
			w.client(2200, 4200, "", "no answer within 2s")
			w.look(4300)
		}, want{agreed: 2}},
		{"a port that fails, with a reason on a board in between", func(w *world) {
			w.look(0)
			w.client(100, 900, "", "refused")
			w.client(950, 960, "", "refused")
			w.pg = "crashed"
			w.look(500)
			w.pg = "running"
			w.look(1000)
		}, want{agreed: 2}},
		{"a port that fails before HAProxy's checks notice", func(w *world) {
			w.look(0)
			w.client(100, 110, "", "refused")
			w.client(600, 610, "", "refused")
			w.look(1000)
			w.server("a-1", "UP 1/3", "L7STS", 900)
			w.look(1500)
		}, want{noticed: 2}},
		{"a port that failed and worked again, and a server that is taken out later", func(w *world) {
			w.look(0)
			w.client(100, 110, "", "refused")
			w.client(600, 610, "", "refused")
			w.look(1000)
			w.client(1100, 1110, "a-1", "")
			w.look(1500)
			w.server("a-1", "MAINT", "", 0)
			w.look(2000)
		}, want{agreed: 1, disagreements: 2}},
		{"a port that fails while this machine is held up", func(w *world) {
			w.look(0)
			w.client(100, 110, "", "no answer")
			w.client(600, 610, "", "no answer")
			w.j.Stalled(at(50), at(650))
			w.look(1000)
		}, want{outside: 2}},
		{"a port whose client ran far over its own limit", func(w *world) {
			w.look(0)
			w.client(100, 3100, "", "no answer")
			w.look(3500)
		}, want{outside: 1}},
		{"two servers take turns, one of them does not answer", func(w *world) {
			w.server("a-2", "UP", "L7OK", 900)
			w.look(0)
			w.client(100, 110, "", "refused")
			w.client(600, 610, "a-1", "")
			w.client(1100, 1110, "", "refused")
			w.look(1500)
		}, want{outside: 3}}, // two on a primary service are a mismatch to begin with
		{"a port that fails, also in the proof", func(w *world) {
			w.look(0)
			w.client(100, 110, "", "closed")
			w.client(600, 610, "", "closed")
			w.look(1000)
			s := w.snapshot(2000)
			key := model.PortKey{HAProxy: "h1", Cluster: "a", Service: "primary"}
			s.Proofs = map[model.PortKey]source.Observed[model.Proof]{key: {At: at(2000), Tried: at(2000),
				Value: model.Proof{PortKey: key, Port: "5433", Tries: []model.Try{{Fault: model.FaultClosed, Text: "closed"}}}}}
			w.j.Proved(at(1500), s)
			w.client(3000, 3010, "", "closed")
			w.look(3500)
			w.client(4000, 4010, "a-1", "")
			w.look(4500)
			w.client(5000, 5010, "", "closed")
			w.look(5500)
		}, want{portNo: 3, agreed: 1, singles: 1}},
		{"a port that fails, and the proof logs in after longer than our client waits", func(w *world) {
			w.look(0)
			w.client(100, 2100, "", "no answer")
			w.client(600, 2600, "", "no answer")
			w.look(3000)
			s := w.snapshot(5000)
			key := model.PortKey{HAProxy: "h1", Cluster: "a", Service: "primary"}
			s.Proofs = map[model.PortKey]source.Observed[model.Proof]{key: {At: at(5000), Tried: at(5000),
				Value: model.Proof{PortKey: key, Port: "5433", Tries: []model.Try{{Connect: clientTimeout}}}}}
			w.j.Proved(at(2600), s)
		}, want{portNo: 2}},
		{"the primary service is answered by one in recovery", func(w *world) {
			w.look(0)
			w.j.Answered(Answer{Host: "h1", Service: "primary", Start: at(100), End: at(110), Node: "a-1", Recovery: true})
			w.look(500)
		}, want{wrong: 1, disagreements: 1}},
		{"there is no board yet", func(w *world) {
			w.client(0, 10, "a-1", "")
			w.look(500)
			w.look(1000)
		}, want{outside: 1}},
		{"there is no board any more", func(w *world) {
			w.look(0)
			w.client(100, 110, "a-1", "")
		}, want{outside: 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.play(w)
			r := w.j.Report()
			outside := 0
			for _, n := range r.Outside {
				outside += n
			}
			got := want{r.Agreed, outside, r.Wrong(), len(r.Disagreements), len(r.Singles), r.PortNo, r.Noticed}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if (r.Err() == nil) != (got.disagreements == 0 && r.Compared() > 0) {
				t.Errorf("%+v: %v", got, r.Err())
			}
		})
	}
}

// TestEvidence: the evidence names the fault, the client and both boards.
func TestEvidence(t *testing.T) {
	w := newWorld(t)
	w.look(0)
	w.client(100, 110, "a-2", "")
	bad := w.j.Observed(w.snapshot(500))
	if len(bad) != 1 {
		t.Fatalf("%d disagreements", len(bad))
	}
	text := bad[0].Text([]Event{{Name: "kill", What: "lab kill a-1 postgres", Do: at(50)}})
	for _, part := range []string{"answered by another", "a-2 answered", "lab kill a-1 postgres", "board before", "board after", "serving [a-1]", "a-2: refused"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	var out bytes.Buffer
	r := w.j.Report()
	r.Seed = 7
	r.Print(&out)
	for _, part := range []string{"seed 7", "connections 1: compared 1", "agreement 0.000%", "1 answered by another"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is not in\n%s", part, out.String())
		}
	}
}

// TestWindows: how long a port was settling, and for how long its answers were
// left out.
func TestWindows(t *testing.T) {
	w := newWorld(t)
	w.look(0)
	w.client(100, 110, "a-1", "")
	w.server("a-2", "UP 1/3", "INI", 0)
	w.look(500)
	w.client(600, 610, "a-2", "")
	w.look(1000)
	w.client(1100, 1110, "a-1", "")
	w.server("a-2", "DOWN", "L7STS", 1)
	w.look(1500)
	w.server("a-2", "DOWN", "L7STS", 5)
	w.look(5000)
	w.client(5100, 5110, "a-1", "")
	w.look(5500)
	r := w.j.Report()
	if len(r.Windows) != 1 || r.Windows[0].Word != model.Settling || r.Windows[0].Long != time.Second {
		t.Errorf("windows %+v", r.Windows)
	}
	if len(r.Gaps) != 1 || r.Gaps[0].To.Sub(r.Gaps[0].From) != 1010*time.Millisecond || r.Agreed != 1 {
		t.Errorf("gaps %+v, agreed %d", r.Gaps, r.Agreed)
	}
}

// TestSameSeedSameFaults: a seed that is printed can be played again.
func TestSameSeedSameFaults(t *testing.T) {
	w := newWorld(t)
	play := func(seed uint64) string {
		rng := Random(seed)
		var b strings.Builder
		for _, k := range deck(rng, regexp.MustCompile("")) {
			p := placeOf(rng, &w.inv.Clusters[0], &board.Board{Leader: "a-1"})
			b.WriteString(k.name + " " + line(k.do(p)) + "\n")
			if k.undo != nil {
				b.WriteString(line(k.undo(p)) + "\n")
			}
		}
		return b.String()
	}
	one := play(1)
	if one != play(1) || one == play(2) {
		t.Error("the sequence does not follow the seed")
	}
	if n := strings.Count(one, "\n"); n < len(kinds()) {
		t.Errorf("%d lines for %d kinds", n, len(kinds()))
	}
}
