package board_test

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
	"pgtui/source"
)

func TestBoardHealth(t *testing.T) {
	tests := []struct {
		name    string
		do      func(*modeltest.World)
		want    string // health leader by known/members
		summary string
	}{
		{"healthy", func(*modeltest.World) {}, "ok pg-test-1 self 3/3", "as declared"},
		{"a replica's node is gone", func(w *modeltest.World) { w.Silence(3, time.Minute) }, "degraded pg-test-1 self 2/3", "pg-test-3"},
		{"everything is gone", func(w *modeltest.World) {
			for i := 1; i <= 3; i++ {
				w.Silence(i, time.Minute)
			}
		}, "unknown   0/3", "no Patroni in the cluster answers"},
		{"nobody holds the key", func(w *modeltest.World) { w.Patroni(1, false) }, "down   3/3", "no member holds the leader key"},
		{"the primary's Patroni was not asked for its lock yet", func(w *modeltest.World) {
			w.Snap.Patroni["pg-test-1"].Checks["/primary"] = source.Observed[int]{}
		}, "unknown   3/3", "the holder of the leader key is unknown"},
		{"the primary's Patroni refuses its own check", func(w *modeltest.World) {
			w.Snap.Patroni["pg-test-1"].Checks["/primary"] = modeltest.Seen(503)
		}, "down   3/3", "no member holds the leader key"},
		{"the leader's PostgreSQL is back after a crash, and not promoted yet", func(w *modeltest.World) {
			p := w.Snap.Patroni["pg-test-1"]
			p.Status.Value.Role = "replica"
			w.Snap.Patroni["pg-test-1"] = p
		}, "down pg-test-1 self 3/3", "pg-test-1 holds the leader key, but its PostgreSQL is in recovery"},
		{"the leader's node is gone and nobody says who leads", func(w *modeltest.World) { w.Silence(1, time.Minute) }, "unknown   2/3", "the leader is unknown"},
		{"the leader's node is gone, the DCS still names it", func(w *modeltest.World) {
			w.Silence(1, time.Minute)
			p := w.Snap.Patroni["pg-test-2"]
			p.Cluster = modeltest.Seen(model.PatroniCluster{Members: []model.PatroniMember{{Name: "pg-test-1", Role: "leader", State: "running", Timeline: 1, Lag: -1}}})
			w.Snap.Patroni["pg-test-2"] = p
		}, "degraded pg-test-1 dcs 2/3", "pg-test-1"},
		{"primary served by nobody", func(w *modeltest.World) {
			for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
				w.Server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.Status, s.CheckStatus = "DOWN", "L4CON" })
			}
		}, "down pg-test-1 self 3/3", "5433 primary has no server"},
		{"the only server of primary takes no connections", func(w *modeltest.World) { w.Shut(1) }, "down pg-test-1 self 3/3", "5433 primary takes no writes: the check passes, but connections fail on pg-test-1"},
		{"and one HAProxy is silent too", func(w *modeltest.World) { w.Shut(1); w.Silence(3, time.Minute) }, "down pg-test-1 self 2/3", "5433 primary takes no writes: the check passes, but connections fail on pg-test-1: port 6432 refuses connections; 2 of 3 HAProxy nodes answer, no current state from pg-test-3"},
		{"nor in a standby cluster, which takes no writes anyway", func(w *modeltest.World) { w.Cls.Standby = true; w.Shut(1) }, "degraded pg-test-1 self 3/3", "5433 primary: the check passes, but connections fail on pg-test-1"},
		{"a replica takes no connections", func(w *modeltest.World) { w.Shut(2) }, "degraded pg-test-1 self 3/3", "replica"},
		{"every HAProxy still sends writes to who is no primary any more", func(w *modeltest.World) {
			w.Patroni(1, false)
			w.Patroni(2, true)
		}, "down pg-test-2 self 3/3", "pg-test-1 gets connections although Patroni answers 503 to /primary"},
		{"one of three HAProxies does", func(w *modeltest.World) {
			w.Server("10.10.10.13", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
			w.Server("10.10.10.13", "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { *s = modeltest.Up("pg-test-2") })
		}, "degraded pg-test-1 self 3/3", "HAProxy nodes disagree"},
		{"primary served by nobody, and one HAProxy is silent too", func(w *modeltest.World) {
			for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
				w.Server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.Status, s.CheckStatus = "DOWN", "L4CON" })
			}
			w.Silence(3, time.Minute)
		}, "down pg-test-1 self 2/3", "5433 primary has no server"},
		{"one HAProxy is silent, its Patroni is not", func(w *modeltest.World) { w.SilenceHAProxy(3) }, "degraded pg-test-1 self 3/3", "no current state from HAProxy on pg-test-3"},
		{"every HAProxy is silent", func(w *modeltest.World) {
			for n := 1; n <= 3; n++ {
				w.SilenceHAProxy(n)
			}
		}, "unknown pg-test-1 self 3/3", "no current state from any of its 3 HAProxy nodes"},
		{"a silent HAProxy does not hide a service without a server", func(w *modeltest.World) {
			w.SilenceHAProxy(3)
			w.Everywhere("pg-test-replica", func(px *haproxy.Proxy) {
				for i := range px.Servers {
					px.Servers[i].Status = "MAINT"
				}
			})
		}, "degraded pg-test-1 self 3/3", "5434 replica: pg-test-1, pg-test-2 and pg-test-3 are in maint"},
		{"the primary's frontend is paused everywhere", func(w *modeltest.World) {
			w.Everywhere("pg-test-primary", func(px *haproxy.Proxy) { px.Front.Status = "PAUSED" })
		}, "down pg-test-1 self 3/3", "5433 primary accepts no clients: the port refuses connections: its frontend is PAUSED"},
		{"the primary's frontend is full everywhere", func(w *modeltest.World) {
			w.Everywhere("pg-test-primary", func(px *haproxy.Proxy) {
				px.Front = haproxy.ProxyRow{Status: "OPEN", Sessions: 3000, Limit: 3000}
			})
		}, "down pg-test-1 self 3/3", "the port is full: 3000 of 3000 sessions"},
		{"the primary's frontend is stopped on one HAProxy", func(w *modeltest.World) {
			o := w.Snap.HAProxy["10.10.10.12"]
			o.Value.Proxy("pg-test-primary").Front.Status = "STOP"
		}, "degraded pg-test-1 self 3/3", "HAProxy nodes disagree"},
		{"the replica's frontend is paused everywhere", func(w *modeltest.World) {
			w.Everywhere("pg-test-replica", func(px *haproxy.Proxy) { px.Front.Status = "PAUSED" })
		}, "degraded pg-test-1 self 3/3", "5434 replica: the port refuses connections"},
		{"the primary's only server has a full queue", func(w *modeltest.World) {
			w.Everywhere("pg-test-primary", func(px *haproxy.Proxy) { modeltest.Fill(&px.Servers[0]) })
		}, "down pg-test-1 self 3/3", "no server accepts new connections; pg-test-1: its queue is full: 100 of 100 sessions (maxconn), 128 of 128 wait"},
		{"one of two replicas has a full queue", func(w *modeltest.World) {
			w.Everywhere("pg-test-replica", func(px *haproxy.Proxy) { modeltest.Fill(&px.Servers[1]) })
		}, "ok pg-test-1 self 3/3", "every service is served; pg-test-2 in 5434 replica: its queue is full"},
		{"HAProxy has a replica down that Patroni passes", func(w *modeltest.World) {
			w.Everywhere("pg-test-replica", func(px *haproxy.Proxy) {
				s := px.Server("pg-test-2")
				s.Status, s.CheckStatus, s.CheckCode = "DOWN 1/3", "L4CON", 0
			})
		}, "ok pg-test-1 self 3/3", "every service is served; pg-test-2 in 5434 replica: Patroni now answers 200 to /read-only, but HAProxy still reports DOWN 1/3"},
		{"every HAProxy has reached its global maxconn", func(w *modeltest.World) {
			for n := 1; n <= 3; n++ {
				w.Crowd(n, 9500, modeltest.T0)
			}
		}, "down pg-test-1 self 3/3", "HAProxy is full: 9500 of 9500 connections (global maxconn)"},
		{"and had some time ago", func(w *modeltest.World) {
			for n := 1; n <= 3; n++ {
				w.Crowd(n, 9500, modeltest.T0.Add(-time.Minute))
			}
		}, "ok pg-test-1 self 3/3", "as declared"},
		{"a standby cluster has no primary service", func(w *modeltest.World) {
			w.Cls.Standby = true
			st := w.Snap.Patroni["pg-test-1"]
			st.Status.Value.Role = "standby_leader"
			st.Checks["/primary"] = modeltest.Seen(503)
			w.Snap.Patroni["pg-test-1"] = st
			for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
				w.Server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
			}
		}, "ok pg-test-1 self 3/3", "as declared"},
		{"a replica crashed", func(w *modeltest.World) {
			p := w.Snap.Patroni["pg-test-2"]
			p.Status.Value.State = "crashed"
			w.Snap.Patroni["pg-test-2"] = p
		}, "degraded pg-test-1 self 3/3", "pg-test-2 is crashed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			b := board.Of(w.Snap, w.Cls, modeltest.T0)
			modeltest.Equal(t, "board", fmt.Sprintf("%s %s %s %d/%d", b.Health, b.Leader, b.LeaderBy, b.KnownMembers(), len(b.Members)), tt.want)
			if !strings.Contains(b.Summary, tt.summary) {
				t.Errorf("summary %q lacks %q", b.Summary, tt.summary)
			}
		})
	}
}

func TestMemberLag(t *testing.T) {
	w := modeltest.NewWorld()
	p := w.Snap.Patroni["pg-test-2"]
	p.Status.Value.Replayed = 400
	w.Snap.Patroni["pg-test-2"] = p
	b := board.Of(w.Snap, w.Cls, modeltest.T0)
	worst, behind := b.WorstLag()
	modeltest.Equal(t, "lag by positions", fmt.Sprint(b.Members[0].Lag, b.Members[1].Lag, b.Members[2].Lag, worst, behind), "-1 600 0 600 -1ns")
	p.Cluster = modeltest.Seen(model.PatroniCluster{Members: []model.PatroniMember{{Name: "pg-test-2", Role: "replica", State: "streaming", Lag: 12}}})
	w.Snap.Patroni["pg-test-2"] = p
	b = board.Of(w.Snap, w.Cls, modeltest.T0)
	modeltest.Equal(t, "lag by the DCS", fmt.Sprint(b.Members[1].Lag), "12")
}

func TestServersAreInFileOrder(t *testing.T) {
	a, b, c := model.Server{Name: "a", Host: "1"}, model.Server{Name: "b", Host: "2"}, model.Server{Name: "c", Host: "3"}
	s := model.Service{Members: []model.Server{a, b}, Backups: []model.Server{c, a}}
	servers, backup := s.Servers()
	modeltest.Equal(t, "servers", fmt.Sprint(servers[0].Name, servers[1].Name, servers[2].Name, backup), "abc[true false true]")
}

func TestObservedKeepsTheLastAnswer(t *testing.T) {
	o := source.Observed[int]{}.Next(200, nil, modeltest.T0, time.Millisecond)
	o = o.Next(0, errors.New("timeout"), modeltest.T0.Add(5*time.Second), 2*time.Second)
	if o.Known() || !o.Ever() || o.Value != 200 || o.Age(modeltest.T0.Add(7*time.Second)) != 7*time.Second {
		t.Errorf("got %+v", o)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := model.Secret("DBUser.DBA")
	for _, got := range []string{fmt.Sprint(s), fmt.Sprintf("%v %s %q %#v %+v", s, s, s, s, struct{ P model.Secret }{s})} {
		if strings.Contains(got, "DBUser") {
			t.Errorf("printed: %s", got)
		}
	}
}

// TestLagInTime: a replica at rest is 0 s behind however old the last commit is, one
// that lags as long as the newest commit that it has replayed is old, and where no
// clock shows that it is unknown.
func TestLagInTime(t *testing.T) {
	commit := func(ago time.Duration) func(*model.PatroniStatus) {
		return func(st *model.PatroniStatus) { st.ReplayedAt = modeltest.T0.Add(-ago).Unix() }
	}
	streams := func(st *model.PatroniStatus) {
		st.Streams = []model.Stream{{Application: "pg-test-2", State: "streaming"}, {Application: "pg-test-3", State: "streaming"}}
	}
	tests := []struct {
		name string
		hurt func(*modeltest.World)
		want time.Duration
	}{
		{"at rest for hours", func(w *modeltest.World) { w.Wal(1<<30, [2]int64{1 << 30, 1 << 30}); w.Status(2, commit(5*time.Hour)) }, 0},
		{"behind in replay", func(w *modeltest.World) {
			w.Wal(1<<30, [2]int64{1 << 30, 1<<30 - 500})
			w.Status(2, commit(42*time.Second))
		}, 42 * time.Second},
		{"does not stream", func(w *modeltest.World) {
			w.Wal(1<<30, [2]int64{1 << 20, 1 << 20})
			w.Status(2, commit(3*time.Hour))
			w.Status(1, func(st *model.PatroniStatus) { st.Streams = nil })
		}, 3 * time.Hour},
		{"a little WAL is on its way, on a cluster at rest", func(w *modeltest.World) {
			w.Wal(1<<30, [2]int64{1<<30 - 56, 1<<30 - 56})
			w.Status(1, streams)
			w.Status(2, commit(5*time.Hour))
		}, -1},
		{"much WAL is on its way", func(w *modeltest.World) {
			w.Wal(1<<30, [2]int64{1 << 29, 1 << 29})
			w.Status(1, streams)
			w.Status(2, commit(9*time.Second))
		}, 9 * time.Second},
		{"replay is paused", func(w *modeltest.World) {
			w.Wal(1<<30, [2]int64{1<<30 - 56, 1<<30 - 56})
			w.Status(1, streams)
			w.Status(2, func(st *model.PatroniStatus) { commit(time.Hour)(st); st.ReplayPaused = true })
		}, time.Hour},
		{"the leader's clock is ahead", func(w *modeltest.World) {
			w.Wal(1<<30, [2]int64{1 << 30, 1 << 29})
			w.Status(1, func(st *model.PatroniStatus) { st.Skew = 30 * time.Second })
			w.Status(2, commit(-20*time.Second))
		}, 10 * time.Second},
		{"no timestamp", func(w *modeltest.World) { w.Wal(1<<30, [2]int64{1 << 30, 1 << 29}) }, -1},
		{"does not answer", func(w *modeltest.World) { w.Status(2, commit(time.Hour)); w.Silence(2, time.Minute) }, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.hurt(w)
			for n, v := range w.Snap.Patroni {
				for i := range v.Cluster.Value.Members {
					v.Cluster.Value.Members[i].Lag = -1 // the positions decide
				}
				w.Snap.Patroni[n] = v
			}
			b := board.Of(w.Snap, w.Cls, modeltest.T0)
			if got := b.Member("pg-test-2").LagTime; got != tt.want {
				t.Errorf("%s behind, want %s (%d bytes)", got, tt.want, b.Member("pg-test-2").Lag)
			}
			if leader := b.Member("pg-test-1").LagTime; leader >= 0 {
				t.Errorf("the leader is %s behind itself", leader)
			}
			again := b.Redated(w.Snap, modeltest.T0)
			if got := again.Member("pg-test-2").LagTime; got != tt.want {
				t.Errorf("%s behind once it is dated again, want %s", got, tt.want)
			}
		})
	}
}
