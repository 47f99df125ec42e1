package check_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/source"
)

// tree is the causes of a board, each with the codes that follow from it.
func tree(b *board.Board) string {
	var out []string
	for _, c := range b.Causes {
		var codes []string
		for _, i := range c.Effects {
			codes = append(codes, b.Findings[i].Code)
		}
		axis := c.Severity.String()
		if c.Drift {
			axis = "drift"
		}
		out = append(out, fmt.Sprintf("%s %s: %s [%s]", axis, c.Code, c.Summary, strings.Join(codes, " ")))
	}
	return strings.Join(out, "\n")
}

// loseLeader takes pg-test-1 and its node away, seen ago before now.
func loseLeader(w *modeltest.World, ago time.Duration) {
	w.Listed()
	w.Wal(1000, [2]int64{1000, 1000}, [2]int64{1000, 1000})
	w.Cls.TTL = 30 * time.Second
	lose(w, 1, ago)
}

// lose takes a node away: nothing on it answers, and the HAProxies of the others report it.
func lose(w *modeltest.World, n int, ago time.Duration) {
	w.Silence(n, ago)
	w.SilenceHAProxy(n)
	for _, proxy := range []string{"pg-test-primary", "pg-test-replica"} {
		w.Everywhere(proxy, func(p *haproxy.Proxy) {
			s := p.Server(string(w.Cls.Instances[n-1].Name))
			s.Status, s.CheckStatus, s.CheckCode = "DOWN", "L4TOUT", 0
		})
	}
}

// killLeader stops Patroni and PostgreSQL of pg-test-1, seen ago before now; HAProxy runs there.
func killLeader(w *modeltest.World, ago time.Duration) {
	w.Listed()
	w.DCS(func(c *model.PatroniCluster) {
		c.Members[1].Behind, c.Members[2].Behind = 0, 0
	})
	w.Wal(1000, [2]int64{1000, 1000}, [2]int64{1000, 1000})
	w.Cls.TTL = 30 * time.Second
	stats := w.Snap.HAProxy[w.Cls.Instances[0].Host]
	w.Silence(1, ago)
	w.Snap.HAProxy[w.Cls.Instances[0].Host] = stats
	w.Cls.Instances[0].PgPort = 5432
	v := w.Snap.Patroni["pg-test-1"]
	v.Ports = []model.PortView{{Port: "5432", Observed: modeltest.Seen(model.PortState{Why: "port 5432 refuses connections", Refused: true})}}
	w.Snap.Patroni["pg-test-1"] = v
	for _, proxy := range []string{"pg-test-primary", "pg-test-replica"} {
		w.Everywhere(proxy, func(p *haproxy.Proxy) {
			s := p.Server("pg-test-1")
			s.Status, s.CheckStatus, s.CheckCode = "DOWN", "L4CON", 0
		})
	}
}

// leaderless is killLeader after the key has expired.
func leaderless(w *modeltest.World, paused bool) {
	killLeader(w, time.Minute)
	w.DCS(func(c *model.PatroniCluster) { c.Members, c.Paused = c.Members[1:], paused })
	for _, n := range []int{2, 3} {
		w.Status(n, func(s *model.PatroniStatus) { s.Unlocked = true })
	}
}

// TestCauses: one thing that is wrong is one line, and each finding is in one of them.
func TestCauses(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(w *modeltest.World)
		want []string
	}{
		{"a calm cluster", func(*modeltest.World) {}, nil},
		{"the leader's node is lost", func(w *modeltest.World) { loseLeader(w, 7*time.Second) },
			[]string{"critical node-lost: pg-test-1 is lost: 5433 has no server until Patroni elects by itself, in about 25 s; candidates pg-test-2, pg-test-3, lag 0 bytes"}},
		{"long ago", func(w *modeltest.World) { loseLeader(w, 40*time.Second) },
			[]string{"critical node-lost: pg-test-1 is lost: 5433 has no server until Patroni elects by itself; the election is due; candidates pg-test-2, pg-test-3, lag 0 bytes"}},
		{"the leader's Patroni and PostgreSQL die", func(w *modeltest.World) { killLeader(w, 7*time.Second) },
			[]string{"critical leader-silent: Patroni and PostgreSQL on pg-test-1 do not run: 5433 has no server until Patroni elects by itself, in about 25 s; candidates pg-test-2, pg-test-3, lag 0 bytes [service-empty patroni-silent]"}},
		{"they died, and the cluster is paused", func(w *modeltest.World) {
			killLeader(w, 7*time.Second)
			w.DCS(func(c *model.PatroniCluster) { c.Paused = true })
		}, []string{"critical leader-silent: Patroni and PostgreSQL on pg-test-1 do not run: 5433 has no server: pg-test is paused, so Patroni elects no one; start Patroni on pg-test-1, or fail over to pg-test-2 (0 bytes behind) [service-empty patroni-silent paused]"}},
		{"paused, and the key has expired", func(w *modeltest.World) { leaderless(w, true) },
			[]string{"critical no-leader: no leader: pg-test is paused, so Patroni elects no one; start Patroni on pg-test-1, or fail over to pg-test-2 (0 bytes behind) [service-empty patroni-silent dcs-trouble paused]"}},
		{"paused, and the old leader's PostgreSQL runs", func(w *modeltest.World) {
			leaderless(w, true)
			v := w.Snap.Patroni["pg-test-1"]
			v.Ports = []model.PortView{{Port: "5432", Observed: modeltest.Seen(model.PortState{})}}
			w.Snap.Patroni["pg-test-1"] = v
		}, []string{"critical no-leader: no leader: pg-test is paused, so Patroni elects no one; PostgreSQL on pg-test-1 still runs: start Patroni there [service-empty patroni-silent dcs-trouble paused]"}},
		{"the key is free and an election runs", func(w *modeltest.World) { leaderless(w, false) },
			[]string{"critical no-leader: no leader, and Patroni on pg-test-1 does not answer: no client can write until Patroni elects by itself; candidates pg-test-2, pg-test-3, lag 0 bytes [service-empty patroni-silent dcs-trouble]"}},
		{"no member may lead", func(w *modeltest.World) {
			loseLeader(w, 7*time.Second)
			w.Tag(2, "nofailover", "true", false)
			w.Tag(3, "nofailover", "true", false)
		}, []string{"critical node-lost: pg-test-1 is lost: 5433 has no server; no member takes over: pg-test-2 has the tag nofailover; pg-test-3 has the tag nofailover"}},
		{"a replica's node is lost", func(w *modeltest.World) {
			w.Listed()
			lose(w, 3, 7*time.Second)
		}, []string{"warning node-lost: pg-test-3 is lost: neither Patroni nor HAProxy answers there"}},
		{"two nodes are lost", func(w *modeltest.World) {
			lose(w, 2, 7*time.Second)
			lose(w, 3, 7*time.Second)
		}, []string{"warning node-lost: pg-test-2, pg-test-3 are lost: neither Patroni nor HAProxy answers there [haproxy-silent haproxy-silent patroni-silent patroni-silent service-on-backup]"}},
		{"silent from here only", func(w *modeltest.World) {
			w.Silence(3, 7*time.Second)
			w.SilenceHAProxy(3)
		}, []string{
			"warning haproxy-silent: the stats page of HAProxy on pg-test-3 does not answer []",
			"warning patroni-silent: Patroni on pg-test-3 does not answer []",
		}},
		{"nothing answers from here", func(w *modeltest.World) {
			for n := range 3 {
				lose(w, n+1, 7*time.Second)
			}
		}, []string{
			"warning haproxy-silent: the stats page of HAProxy on pg-test-1, pg-test-2, pg-test-3 does not answer []",
			"warning patroni-silent: Patroni on pg-test-1, pg-test-2, pg-test-3 does not answer [leader-silent]",
		}},
		{"a weight by hand on every node, and old roles", func(w *modeltest.World) {
			w.Everywhere("pg-test-replica", func(p *haproxy.Proxy) { p.Server("pg-test-2").UserWeight = 50 })
			w.Cls.Instances[0].Role = model.RoleReplica
			w.Cls.Instances[2].Role = model.RolePrimary
		}, []string{
			"drift running-differs: HAProxy on pg-test-1, pg-test-2, pg-test-3 runs a configuration that differs from the inventory []",
			"drift stale-roles: pg_role is out of date: the inventory says pg-test-3, the leader is pg-test-1 []",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.Calm()
			tt.do(w)
			b := check.Board(w.Snap, w.Cls, modeltest.T0)
			got := tree(&b)
			lines := strings.Split(got, "\n")
			if len(tt.want) == 0 && got != "" || len(tt.want) > 0 && len(lines) != len(tt.want) {
				t.Fatalf("causes:\n%s\nfindings: %+v", got, b.Findings)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("got  %s\nwant %s", lines[i], want)
				}
			}
			once(t, &b)
		})
	}
}

// once checks that each finding has one place in the tree.
func once(t *testing.T, b *board.Board) {
	t.Helper()
	seen := map[int]int{}
	for _, c := range b.Causes {
		for _, i := range append(append([]int{}, c.Same...), c.Effects...) {
			seen[i]++
		}
	}
	for i := range b.Findings {
		if seen[i] != 1 {
			t.Errorf("finding %d (%s) is %d times in the tree", i, b.Findings[i].Code, seen[i])
		}
	}
}

// TestDriftIsNoHealth: what differs from the inventory while clients are served is named
// beside the health, and counts only where the caller is strict.
func TestDriftIsNoHealth(t *testing.T) {
	w := modeltest.Calm()
	w.Cls.Instances[0].Role, w.Cls.Instances[1].Role = model.RoleReplica, model.RolePrimary
	b := check.Board(w.Snap, w.Cls, modeltest.T0)
	if b.Health != model.HealthOK || len(b.Drift()) != 1 || b.Drift()[0].Code != "stale-roles" {
		t.Fatalf("%s, drift %+v", b.Health, b.Drift())
	}
	modeltest.Equal(t, "summary", b.Summary, "every service is served; the inventory differs: pg_role is out of date: the inventory says pg-test-2, the leader is pg-test-1")
	boards := []board.Board{b}
	if got := [2]int{board.Code(boards, false), board.Code(boards, true)}; got != [2]int{0, 1} {
		t.Errorf("codes %v", got)
	}
	if got := board.Code(nil, true); got != int(model.HealthUnknown) {
		t.Errorf("no cluster: %d", got)
	}
}

// TestACountdownIsJudgedAgain: a summary with a time in it does not stand still.
func TestACountdownIsJudgedAgain(t *testing.T) {
	w := modeltest.Calm()
	loseLeader(w, 2*time.Second)
	var j check.Judge
	first := j.Boards(w.Snap, modeltest.T0)[0].Summary
	second := j.Boards(w.Snap, modeltest.T0.Add(9*time.Second))[0].Summary
	if !strings.Contains(first, "in about 30 s") || !strings.Contains(second, "in about 20 s") {
		t.Errorf("%s\n%s", first, second)
	}
}

// TestCounts: a board counts the rows of the findings' page, faults and drift apart, however
// many findings are behind a row.
func TestCounts(t *testing.T) {
	b := board.Board{
		Findings: []model.Finding{{Code: "a"}, {Code: "d", Drift: true}, {Code: "d", Drift: true}, {Code: "e", Drift: true}},
		Causes: []model.Cause{
			{Finding: model.Finding{Code: "a"}, Same: []int{0}},
			{Finding: model.Finding{Code: "d", Drift: true}, Same: []int{1, 2}, Effects: []int{3}},
		},
	}
	if faults, drift := b.Counts(); faults != 1 || drift != 1 {
		t.Errorf("%d faults and %d drift", faults, drift)
	}
}

// TestNoPatroniAnswers: while Patroni answers on no member that is the one cause, and the
// summary of the cluster.
func TestNoPatroniAnswers(t *testing.T) {
	w := modeltest.NewWorld()
	for i := range w.Cls.Instances {
		name := w.Cls.Instances[i].Name
		w.Snap.Patroni[name] = model.PatroniView{Status: source.Observed[model.PatroniStatus]{Err: errors.New("connection refused"), Tried: modeltest.T0}}
		for _, lb := range w.Cls.LoadBalancers {
			for _, svc := range lb.Services {
				if svc.Server(name) != nil {
					w.Server(lb.Host, svc.Proxy(), string(name), func(s *haproxy.ServerRow) { s.Status, s.CheckStatus, s.CheckCode = "DOWN", "L4CON", 0 })
				}
			}
		}
	}
	b := check.Board(w.Snap, w.Cls, modeltest.T0)
	const want = "Patroni on pg-test-1, pg-test-2, pg-test-3 does not answer"
	if len(b.Causes) == 0 || b.Causes[0].Summary != want || b.Causes[0].Severity != model.Critical || b.Summary != want {
		t.Errorf("summary %q, causes:\n%s", b.Summary, tree(&b))
	}
	if faults, _ := b.Counts(); faults != 1 {
		t.Errorf("%d faults:\n%s", faults, tree(&b))
	}
}
