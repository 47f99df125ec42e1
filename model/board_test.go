package model_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

func TestBoardHealth(t *testing.T) {
	tests := []struct {
		name    string
		do      func(*world)
		want    string // health leader by known/members
		summary string
	}{
		{"healthy", func(*world) {}, "ok pg-test-1 self 3/3", "as declared"},
		{"a replica's node is gone", func(w *world) { w.silence(3, time.Minute) }, "degraded pg-test-1 self 2/3", "pg-test-3"},
		{"everything is gone", func(w *world) {
			for i := 1; i <= 3; i++ {
				w.silence(i, time.Minute)
			}
		}, "unknown   0/3", "no Patroni of the cluster answers"},
		{"nobody holds the key", func(w *world) { w.patroni(1, false) }, "down   3/3", "no member holds the leader key"},
		{"the primary's Patroni was not asked for its lock yet", func(w *world) {
			w.snap.Patroni["pg-test-1"].Checks["/primary"] = source.Observed[int]{}
		}, "unknown   3/3", "who holds the leader key is not known"},
		{"the primary's Patroni refuses its own check", func(w *world) {
			w.snap.Patroni["pg-test-1"].Checks["/primary"] = seen(503)
		}, "down   3/3", "no member holds the leader key"},
		{"the leader's PostgreSQL is back after a crash, and not promoted yet", func(w *world) {
			p := w.snap.Patroni["pg-test-1"]
			p.Status.Value.Role = "replica"
			w.snap.Patroni["pg-test-1"] = p
		}, "down pg-test-1 self 3/3", "pg-test-1 holds the leader key and its PostgreSQL is in recovery"},
		{"the leader's node is gone and nobody says who leads", func(w *world) { w.silence(1, time.Minute) }, "unknown   2/3", "the leader is not known"},
		{"the leader's node is gone, the DCS still names it", func(w *world) {
			w.silence(1, time.Minute)
			p := w.snap.Patroni["pg-test-2"]
			p.Cluster = seen(model.PatroniCluster{Members: []model.PatroniMember{{Name: "pg-test-1", Role: "leader", State: "running", Timeline: 1, Lag: -1}}})
			w.snap.Patroni["pg-test-2"] = p
		}, "degraded pg-test-1 dcs 2/3", "pg-test-1"},
		{"primary served by nobody", func(w *world) {
			for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
				w.server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.Status, s.CheckStatus = "DOWN", "L4CON" })
			}
		}, "down pg-test-1 self 3/3", "primary (5433) is served by nobody"},
		{"the only server of primary takes no connections", func(w *world) { w.shut(1) }, "down pg-test-1 self 3/3", "primary (5433) takes no writes: the check passes, connections fail on pg-test-1"},
		{"and one HAProxy is silent too", func(w *world) { w.shut(1); w.silence(3, time.Minute) }, "down pg-test-1 self 2/3", "primary (5433) takes no writes: the check passes, connections fail on pg-test-1: port 6432 refuses connections; 2 of 3 HAProxies answer, not known: pg-test-3"},
		{"nor in a standby cluster, which takes no writes anyway", func(w *world) { w.cls.Standby = true; w.shut(1) }, "degraded pg-test-1 self 3/3", "primary (5433): the check passes, connections fail on pg-test-1"},
		{"a replica takes no connections", func(w *world) { w.shut(2) }, "degraded pg-test-1 self 3/3", "replica"},
		{"every HAProxy still sends writes to who is no primary any more", func(w *world) {
			w.patroni(1, false)
			w.patroni(2, true)
		}, "down pg-test-2 self 3/3", "pg-test-1 gets connections though Patroni answers 503 to /primary"},
		{"one of three HAProxies does", func(w *world) {
			w.server("10.10.10.13", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1") })
			w.server("10.10.10.13", "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { *s = up("pg-test-2") })
		}, "degraded pg-test-1 self 3/3", "HAProxies disagree"},
		{"primary served by nobody, and one HAProxy is silent too", func(w *world) {
			for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
				w.server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.Status, s.CheckStatus = "DOWN", "L4CON" })
			}
			w.silence(3, time.Minute)
		}, "down pg-test-1 self 2/3", "primary (5433) is served by nobody"},
		{"one HAProxy is silent, its Patroni is not", func(w *world) { w.silenceHAProxy(3) }, "degraded pg-test-1 self 3/3", "no current state from HAProxy on pg-test-3"},
		{"every HAProxy is silent", func(w *world) {
			for n := 1; n <= 3; n++ {
				w.silenceHAProxy(n)
			}
		}, "unknown pg-test-1 self 3/3", "none of its 3 HAProxies is known"},
		{"a silent HAProxy does not hide a service without a server", func(w *world) {
			w.silenceHAProxy(3)
			w.everywhere("pg-test-replica", func(px *haproxy.Proxy) {
				for i := range px.Servers {
					px.Servers[i].Status = "MAINT"
				}
			})
		}, "degraded pg-test-1 self 3/3", "replica (5434): no server gets connections"},
		{"the primary's frontend is paused everywhere", func(w *world) {
			w.everywhere("pg-test-primary", func(px *haproxy.Proxy) { px.Front.Status = "PAUSED" })
		}, "down pg-test-1 self 3/3", "primary (5433) is served by nobody: the port refuses connections: its frontend is PAUSED"},
		{"the primary's frontend is full everywhere", func(w *world) {
			w.everywhere("pg-test-primary", func(px *haproxy.Proxy) {
				px.Front = haproxy.ProxyRow{Status: "OPEN", Sessions: 3000, Limit: 3000}
			})
		}, "down pg-test-1 self 3/3", "the port is full: 3000 of 3000 sessions"},
		{"the primary's frontend is stopped on one HAProxy", func(w *world) {
			o := w.snap.HAProxy["10.10.10.12"]
			o.Value.Proxy("pg-test-primary").Front.Status = "STOP"
		}, "degraded pg-test-1 self 3/3", "HAProxies disagree"},
		{"the replica's frontend is paused everywhere", func(w *world) {
			w.everywhere("pg-test-replica", func(px *haproxy.Proxy) { px.Front.Status = "PAUSED" })
		}, "degraded pg-test-1 self 3/3", "replica (5434): the port refuses connections"},
		{"the primary's only server has a full queue", func(w *world) {
			w.everywhere("pg-test-primary", func(px *haproxy.Proxy) { fill(&px.Servers[0]) })
		}, "down pg-test-1 self 3/3", "no server takes a new connection; pg-test-1: its queue is full: 100 of 100 sessions (maxconn), 128 of 128 wait"},
		{"one of two replicas has a full queue", func(w *world) {
			w.everywhere("pg-test-replica", func(px *haproxy.Proxy) { fill(&px.Servers[1]) })
		}, "ok pg-test-1 self 3/3", "as declared"},
		{"every HAProxy has reached its global maxconn", func(w *world) {
			for n := 1; n <= 3; n++ {
				w.crowd(n, 9500, t0)
			}
		}, "down pg-test-1 self 3/3", "HAProxy is full: 9500 of 9500 connections (global maxconn)"},
		{"and had some time ago", func(w *world) {
			for n := 1; n <= 3; n++ {
				w.crowd(n, 9500, t0.Add(-time.Minute))
			}
		}, "ok pg-test-1 self 3/3", "as declared"},
		{"a standby cluster has no primary service", func(w *world) {
			w.cls.Standby = true
			st := w.snap.Patroni["pg-test-1"]
			st.Status.Value.Role = "standby_leader"
			st.Checks["/primary"] = seen(503)
			w.snap.Patroni["pg-test-1"] = st
			for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
				w.server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1") })
			}
		}, "ok pg-test-1 self 3/3", "as declared"},
		{"a replica crashed", func(w *world) {
			p := w.snap.Patroni["pg-test-2"]
			p.Status.Value.State = "crashed"
			w.snap.Patroni["pg-test-2"] = p
		}, "degraded pg-test-1 self 3/3", "pg-test-2 is crashed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			tt.do(w)
			b := model.BoardOf(w.snap, w.cls, t0)
			equal(t, "board", fmt.Sprintf("%s %s %s %d/%d", b.Health, b.Leader, b.LeaderBy, b.KnownMembers(), len(b.Members)), tt.want)
			if !strings.Contains(b.Summary, tt.summary) {
				t.Errorf("summary %q lacks %q", b.Summary, tt.summary)
			}
		})
	}
}

func TestMemberLag(t *testing.T) {
	w := newWorld()
	p := w.snap.Patroni["pg-test-2"]
	p.Status.Value.Replayed = 400
	w.snap.Patroni["pg-test-2"] = p
	b := model.BoardOf(w.snap, w.cls, t0)
	equal(t, "lag by positions", fmt.Sprint(b.Members[0].Lag, b.Members[1].Lag, b.Members[2].Lag, b.WorstLag()), "-1 600 0 600")
	p.Cluster = seen(model.PatroniCluster{Members: []model.PatroniMember{{Name: "pg-test-2", Role: "replica", State: "streaming", Lag: 12}}})
	w.snap.Patroni["pg-test-2"] = p
	b = model.BoardOf(w.snap, w.cls, t0)
	equal(t, "lag by the DCS", fmt.Sprint(b.Members[1].Lag), "12")
}

func TestServersAreInFileOrder(t *testing.T) {
	a, b, c := model.Server{Name: "a", Host: "1"}, model.Server{Name: "b", Host: "2"}, model.Server{Name: "c", Host: "3"}
	s := model.Service{Members: []model.Server{a, b}, Backups: []model.Server{c, a}}
	servers, backup := s.Servers()
	equal(t, "servers", fmt.Sprint(servers[0].Name, servers[1].Name, servers[2].Name, backup), "abc[true false true]")
}

func TestObservedKeepsTheLastAnswer(t *testing.T) {
	o := source.Observed[int]{}.Next(200, nil, t0, time.Millisecond)
	o = o.Next(0, errors.New("timeout"), t0.Add(5*time.Second), 2*time.Second)
	if o.Known() || !o.Ever() || o.Value != 200 || o.Age(t0.Add(7*time.Second)) != 7*time.Second {
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
