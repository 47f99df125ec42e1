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
		}, "ok pg-test-1 self 3/3", "as declared"},
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
	modeltest.Equal(t, "lag by positions", fmt.Sprint(b.Members[0].Lag, b.Members[1].Lag, b.Members[2].Lag, b.WorstLag()), "-1 600 0 600")
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
