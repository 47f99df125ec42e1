package model_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// identify lets every member tell its own name, scope and system identifier.
func (w *world) identify(ids ...string) {
	w.cls.Scope = "pg-test"
	for i := range w.cls.Instances {
		w.cls.Instances[i].PatroniPort = 8008
		w.status(i+1, func(st *model.PatroniStatus) {
			st.Name, st.Scope, st.SystemID, st.Version = string(w.cls.Instances[i].Name), "pg-test", "771", "4.0.7"
			if i < len(ids) {
				st.SystemID = ids[i]
			}
		})
	}
}

// TestAStrangerLeadsNothing: what answers at a member's address and is not the
// member is no leader, no candidate and no witness.
func TestAStrangerLeadsNothing(t *testing.T) {
	crm := func(st *model.PatroniStatus) { st.Name, st.Scope, st.SystemID = "pg-crm-1", "pg-crm", "739" }
	tests := []struct {
		name string
		do   func(*world)
		want string // leader by known/members health: strangers, ? where it is not sure
	}{
		{"everybody fits", func(*world) {}, "pg-test-1 self 3/3 ok:"},
		{"another cluster's primary", func(w *world) {
			w.patroni(3, true)
			w.identify()
			w.status(3, func(st *model.PatroniStatus) { crm(st); st.Timeline = 7 })
		}, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"another cluster's replica", func(w *world) { w.status(3, crm) }, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"another cluster at the leader's address", func(w *world) { w.status(1, crm) }, "  2/3 down: pg-test-1"},
		{"the right name and scope, other data", func(w *world) { w.identify("771", "771", "739") }, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"the leader's data is the odd one", func(w *world) { w.identify("739") }, "  2/3 down: pg-test-1"},
		{"only the name is wrong", func(w *world) { w.status(3, func(st *model.PatroniStatus) { st.Name = "pg-test-7" }) }, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"only the scope is wrong", func(w *world) { w.status(3, func(st *model.PatroniStatus) { st.Scope = "pg-test2" }) }, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"two addresses are swapped", func(w *world) {
			w.status(2, func(st *model.PatroniStatus) { st.Name = "pg-test-3" })
			w.status(3, func(st *model.PatroniStatus) { st.Name = "pg-test-2" })
		}, "pg-test-1 self 1/3 degraded: pg-test-2 pg-test-3"},
		{"Patroni before 3.2 tells no name", func(w *world) {
			for n := 1; n <= 3; n++ {
				w.status(n, func(st *model.PatroniStatus) { st.Name = "" })
			}
		}, "pg-test-1 self 3/3 ok:"},
		{"a member that is being made has no data yet", func(w *world) { w.identify("771", "771", "") }, "pg-test-1 self 3/3 ok:"},
		{"a group of Citus has the scope of its shard", func(w *world) {
			w.cls.Scope = "pg-citus"
			for n := 1; n <= 3; n++ {
				w.status(n, func(st *model.PatroniStatus) { st.Scope = "pg-citus" })
			}
		}, "pg-test-1 self 3/3 ok:"},
		{"one against one is a question", func(w *world) { w.silence(3, time.Minute); w.identify("771", "739", "") }, "  0/3 unknown: pg-test-1? pg-test-2?"},
		{"one of each is a question", func(w *world) { w.identify("1", "2", "3") }, "  0/3 unknown: pg-test-1? pg-test-2? pg-test-3?"},
		{"one that answers is not outvoted by the silent, nor believed", func(w *world) {
			w.silence(2, time.Minute)
			w.silence(3, time.Minute)
			w.identify("739", "771", "771")
		}, "  0/3 unknown: pg-test-1?"},
		{"a silent one decides between two", func(w *world) { w.silence(2, time.Minute); w.identify("771", "771", "739") }, "pg-test-1 self 1/3 degraded: pg-test-3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.identify()
			tt.do(w)
			b := model.BoardOf(w.snap, w.cls, t0)
			got := fmt.Sprintf("%s %s %d/%d %s:", b.Leader, b.LeaderBy, b.KnownMembers(), len(b.Members), b.Health)
			for _, m := range b.Members {
				if m.Foreign != nil {
					got += " " + string(m.Instance) + map[bool]string{false: "?"}[m.Foreign.Sure]
				}
			}
			equal(t, "board", got, tt.want)
			if b.Health != model.HealthOK && strings.Contains(b.Summary, "Patroni does not answer on pg-test-3") && b.Members[2].Foreign != nil {
				t.Errorf("a stranger is called silent: %s", b.Summary)
			}
			again := model.BoardOf(w.snap.Screened(w.cls), w.cls, t0)
			if !reflect.DeepEqual(again, b) {
				t.Errorf("screened twice the board is another: %s, %s", again.Summary, b.Summary)
			}
		})
	}
}

// TestAStrangerIsNobodysWitness: neither routes, nor what-if, topology, proofs or
// stuck sessions take its word.
func TestAStrangerIsNobodysWitness(t *testing.T) {
	w := newWorld()
	w.patroni(3, true)
	w.identify()
	w.status(3, func(st *model.PatroniStatus) {
		st.Name, st.Scope, st.SystemID = "pg-crm-1", "pg-crm", "739"
		st.Streams = []model.Stream{{Application: "pg-test-2", State: "streaming"}}
	})
	v := w.snap.Patroni["pg-test-3"]
	v.Cluster = seen(model.PatroniCluster{Scope: "pg-crm", Paused: true, Members: []model.PatroniMember{{Name: "pg-crm-1", Role: "leader"}}})
	w.snap.Patroni["pg-test-3"] = v
	w.server("10.10.10.11", "pg-test-primary", "pg-test-3", func(s *haproxy.ServerRow) { *s = up("pg-test-3") })

	r := model.RouteOf(w.snap, w.cls, "primary", t0)
	equal(t, "view", string(r.Views[0].Verdict), "mismatch")
	for _, c := range r.Views[0].Cells {
		if c.Instance == "pg-test-3" && (c.Allowed != 0 || !strings.Contains(c.Note, "pg-crm-1 of pg-crm")) {
			t.Errorf("cell: %+v", c)
		}
	}
	b := model.BoardOf(w.snap, w.cls, t0)
	if b.Paused || len(b.Unlisted) > 0 {
		t.Errorf("another cluster's DCS is believed: %+v", b)
	}
	out, err := model.WhatIf(w.snap, w.cls, model.Supposition{Down: []model.InstanceName{"pg-test-1"}}, t0)
	if err != nil || out.Leader != "pg-test-2" {
		t.Errorf("what if: %s %v", out.Leader, err)
	}
	if _, err := model.WhatIf(w.snap, w.cls, model.Supposition{Leader: "pg-test-3"}, t0); err == nil || !strings.Contains(err.Error(), "pg-crm") {
		t.Errorf("a stranger may lead: %v", err)
	}
	for _, br := range model.Topology(w.snap, &b, t0) {
		if br.Upstream == "pg-test-3" || br.Member.Instance == "pg-test-3" && br.Upstream != "" {
			t.Errorf("branch: %+v", br)
		}
	}
	if name, _, why := model.Identify(w.snap, w.cls, model.Answer{Addr: "10.10.10.13", SystemID: "739"}); name != "" || !strings.Contains(why, "not this cluster's") {
		t.Errorf("identified as %s: %s", name, why)
	}
}

// TestAPrimaryServiceToAStrangerIsDown: writes to another cluster are no service.
func TestAPrimaryServiceToAStrangerIsDown(t *testing.T) {
	w := newWorld()
	w.identify()
	w.status(1, func(st *model.PatroniStatus) { st.Name, st.Scope, st.SystemID = "pg-crm-1", "pg-crm", "739" })
	b := model.BoardOf(w.snap, w.cls, t0)
	equal(t, "health", b.Health.String(), "down")
	if !strings.Contains(b.Route("primary").Why, "pg-crm") {
		t.Error(b.Route("primary").Why)
	}
}

// listed lets every member read a DCS that has these members besides its own.
func (w *world) listed(more ...model.PatroniMember) {
	c := model.PatroniCluster{Scope: "pg-test"}
	for i := range w.cls.Instances {
		role := "replica"
		if i == 0 && (len(more) == 0 || more[0].Role != "leader") {
			role = "leader"
		}
		c.Members = append(c.Members, model.PatroniMember{Name: w.cls.Instances[i].Name, Role: role, State: "running", Host: string(w.cls.Instances[i].Host), Timeline: 1, Lag: -1})
	}
	c.Members = append(c.Members, more...)
	for i := range w.cls.Instances {
		v := w.snap.Patroni[w.cls.Instances[i].Name]
		v.Cluster = seen(c)
		w.snap.Patroni[w.cls.Instances[i].Name] = v
	}
}

// TestMembersThatTheInventoryHasNot are on the board, whatever they are.
func TestMembersThatTheInventoryHasNot(t *testing.T) {
	nine := model.PatroniMember{Name: "pg-test-9", Role: "leader", State: "running", Host: "10.10.10.19", Timeline: 2, Lag: -1}
	w := newWorld()
	w.patroni(1, false)
	w.listed(nine)
	for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		w.server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1") })
	}
	b := model.BoardOf(w.snap, w.cls, t0)
	equal(t, "board", fmt.Sprintf("%s %s %s %d/%d", b.Health, b.Leader, b.LeaderBy, b.KnownMembers(), len(b.Members)), "down pg-test-9 dcs 3/3")
	equal(t, "summary", b.Summary, "pg-test-9 at 10.10.10.19 leads and is not in the inventory, and primary (5433) does not reach it")
	tree := model.Topology(w.snap, &b, t0)
	if len(tree) != 4 || tree[0].Member.Instance != "pg-test-9" || tree[1].Upstream != "pg-test-9" || tree[1].Depth != 1 {
		t.Errorf("tree: %+v", tree)
	}

	nine.Role, nine.Host, nine.APIURL = "replica", "", "http://10.10.10.19:8008/patroni"
	w = newWorld()
	w.listed(nine)
	b = model.BoardOf(w.snap, w.cls, t0)
	equal(t, "a replica", fmt.Sprintf("%s %s %s", b.Leader, b.Unlisted[0].Instance, b.Unlisted[0].Host), "pg-test-1 pg-test-9 10.10.10.19")

	// The other groups of a Citus cluster are in the inventory under a name of their own.
	w.cls.Scope = "pg-citus"
	w.snap.Inventory.Clusters = append(w.snap.Inventory.Clusters, model.Cluster{Name: "pg-citus1", Scope: "pg-citus", Instances: []model.Instance{{Name: "pg-test-9"}}})
	w.listed(nine)
	if b = model.BoardOf(w.snap, &w.snap.Inventory.Clusters[0], t0); len(b.Unlisted) > 0 {
		t.Errorf("another group's member: %+v", b.Unlisted)
	}
}

// TestWhatProvesTheLeaderKey does not depend on what the services ask.
func TestWhatProvesTheLeaderKey(t *testing.T) {
	only := func(w *world, path string, leader int) {
		for i := range w.cls.Instances {
			v := w.snap.Patroni[w.cls.Instances[i].Name]
			code := 503
			if i == 0 {
				code = leader
			}
			v.Checks = map[string]source.Observed[int]{path: seen(code), "/read-only": seen(200)}
			w.snap.Patroni[w.cls.Instances[i].Name] = v
			for j := range w.cls.LoadBalancers[i].Services {
				if w.cls.LoadBalancers[i].Services[j].Name == "primary" {
					w.cls.LoadBalancers[i].Services[j].Check = path
				}
			}
		}
	}
	for _, path := range []string{"/leader", "/read-write", "/master", "/primary", "/", "/leader?tag_x=y", "/primary;v=1"} {
		w := newWorld()
		only(w, path, 200)
		b := model.BoardOf(w.snap, w.cls, t0)
		equal(t, path, fmt.Sprintf("%s %s %s", b.Health, b.Leader, b.LeaderBy), "ok pg-test-1 self")
		w.shut(1)
		b = model.BoardOf(w.snap, w.cls, t0)
		equal(t, path+", its port refuses", b.Health.String(), "down")
		only(w, path, 503)
		b = model.BoardOf(w.snap, w.cls, t0)
		equal(t, path+" fails", fmt.Sprintf("%s %s", b.Health, b.Leader), "down ")
	}
	for _, path := range []string{"/leader", "/standby-leader", "/standby_leader"} {
		w := newWorld()
		w.cls.Standby = true
		w.status(1, func(st *model.PatroniStatus) { st.Role = "standby_leader" })
		only(w, path, 200)
		b := model.BoardOf(w.snap, w.cls, t0)
		equal(t, "standby cluster, "+path, fmt.Sprintf("%s %s %s %s", b.Health, b.Leader, b.LeaderBy, b.Members[0].Role), "ok pg-test-1 self standby_leader")
		w.shut(1)
		b = model.BoardOf(w.snap, w.cls, t0)
		equal(t, "standby cluster, "+path+", its port refuses", b.Health.String(), "down")
	}
}

// TestUnknownStateIsNotDown: Patroni could not ask PostgreSQL; its port tells more.
func TestUnknownStateIsNotDown(t *testing.T) {
	for want, port := range map[string]*model.PortState{
		"degraded": {}, "down": {Why: "port 5432 refuses connections", Refused: true}, "unknown": nil,
	} {
		w := newWorld()
		w.cls.Instances[0].PgPort = 5432
		w.status(1, func(st *model.PatroniStatus) { st.State = "unknown" })
		if port != nil {
			v := w.snap.Patroni["pg-test-1"]
			v.Ports = []model.PortView{{Port: "5432", Observed: seen(*port)}}
			w.snap.Patroni["pg-test-1"] = v
		}
		b := model.BoardOf(w.snap, w.cls, t0)
		equal(t, "health", b.Health.String(), want)
	}
}

// TestAheadOfTheLeader: what was written between two answers is not ahead.
func TestAheadOfTheLeader(t *testing.T) {
	const mb = 1 << 20
	base := func(w *world) {
		w.identify()
		w.status(1, func(st *model.PatroniStatus) { st.Location = 100 * mb })
		w.status(3, func(st *model.PatroniStatus) { st.Received, st.Replayed, st.ReplicationState = 116*mb, 116*mb, "" })
	}
	later := func(w *world, by time.Duration) {
		v := w.snap.Patroni["pg-test-3"]
		v.Status.At = t0.Add(by)
		w.snap.Patroni["pg-test-3"] = v
	}
	tests := []struct {
		name string
		do   func(*world)
		want string
	}{
		{"it does not stream", base, "16 false"},
		{"its Patroni was asked a second later", func(w *world) { base(w); later(w, time.Second) }, "16 false"},
		{"an old Patroni that does not tell, at the same time", func(w *world) {
			base(w)
			w.status(3, func(st *model.PatroniStatus) { st.Version = "3.0.2" })
		}, "16 false"},
		{"an old Patroni, a second later", func(w *world) {
			base(w)
			w.status(3, func(st *model.PatroniStatus) { st.Version = "3.0.2" })
			later(w, time.Second)
		}, "0 false"},
		{"it streams from somebody unknown, a second later", func(w *world) {
			base(w)
			w.status(3, func(st *model.PatroniStatus) { st.ReplicationState = "streaming" })
			later(w, time.Second)
		}, "0 false"},
		{"the leader streams to it", func(w *world) {
			base(w)
			w.status(1, func(st *model.PatroniStatus) {
				st.Streams = []model.Stream{{Application: "pg-test-3", State: "streaming"}}
			})
		}, "0 false"},
		{"it is behind", func(w *world) {
			base(w)
			w.status(3, func(st *model.PatroniStatus) { st.Received, st.Replayed = 90*mb, 90*mb })
		}, "0 false"},
		{"received and not replayed counts", func(w *world) { base(w); w.status(3, func(st *model.PatroniStatus) { st.Replayed = 90 * mb }) }, "16 false"},
		{"a newer timeline", func(w *world) {
			w.identify()
			w.status(3, func(st *model.PatroniStatus) { st.Timeline = 2 })
		}, "0 true"},
		{"a newer timeline by an answer after the leader's", func(w *world) {
			w.identify()
			w.status(3, func(st *model.PatroniStatus) { st.Timeline = 2 })
			later(w, time.Millisecond)
		}, "0 false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			tt.do(w)
			b := model.BoardOf(w.snap, w.cls, t0.Add(time.Second))
			equal(t, "ahead", fmt.Sprintf("%d %v", b.Members[2].Ahead/mb, b.Members[2].NewerTimeline), tt.want)
		})
	}
}

// TestByDesign: what the inventory and the members' tags ask for is no fault.
func TestByDesign(t *testing.T) {
	tests := []struct {
		name string
		do   func(*world)
		want string
	}{
		{"a service without check is served by the leader, its backup", func(w *world) {
			for i := range w.cls.LoadBalancers {
				w.cls.LoadBalancers[i].Services[1].Check, w.cls.LoadBalancers[i].Services[1].NoCheck = "/", true
			}
			w.refuse("pg-test-replica", "pg-test-2")
			w.refuse("pg-test-replica", "pg-test-3")
			w.checks("/", 200, 503, 503)
		}, "ok"},
		{"and has no server when it leaves the primary out", func(w *world) {
			for i := range w.cls.LoadBalancers {
				s := &w.cls.LoadBalancers[i].Services[1]
				s.Check, s.NoCheck, s.Members, s.Backups = "/", true, s.Members[1:], nil
			}
			w.only("pg-test-replica", refused("pg-test-2"), refused("pg-test-3"))
			w.checks("/", 200, 503, 503)
		}, "ok"},
		{"one that says /primary and leaves the leader out is down", func(w *world) {
			for i := range w.cls.LoadBalancers {
				s := &w.cls.LoadBalancers[i].Services[1]
				s.Check, s.Members, s.Backups = "/primary", s.Members[1:], nil
			}
			w.only("pg-test-replica", refused("pg-test-2"), refused("pg-test-3"))
		}, "down"},
		{"replicas that take no reads by their tag", func(w *world) {
			w.tag(2, "noloadbalance", "true", false)
			w.tag(3, "noloadbalance", "true", false)
			w.refuse("pg-test-replica", "pg-test-2")
			w.refuse("pg-test-replica", "pg-test-3")
			w.checks("/read-only", 200, 503, 503)
		}, "ok"},
		{"one of them without the tag", func(w *world) {
			w.tag(2, "noloadbalance", "true", false)
			w.refuse("pg-test-replica", "pg-test-2")
			w.refuse("pg-test-replica", "pg-test-3")
			w.checks("/read-only", 200, 503, 503)
		}, "degraded"},
		{"the other kind of cluster's leader", func(w *world) {
			for i := range w.cls.LoadBalancers {
				w.cls.LoadBalancers[i].Services[1].Check = "/standby-leader"
			}
			for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
				w.refuse("pg-test-replica", n)
			}
			w.checks("/standby-leader", 503, 503, 503)
		}, "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			tt.do(w)
			b := model.BoardOf(w.snap, w.cls, t0)
			if b.Health.String() != tt.want {
				t.Errorf("got %s, want %s: %s", b.Health, tt.want, b.Summary)
			}
		})
	}
}

// refuse lets one server fail its check on every HAProxy; a backup stays one.
func (w *world) refuse(proxy, name string) {
	for i := range w.cls.LoadBalancers {
		w.server(w.cls.LoadBalancers[i].Host, proxy, name, func(s *haproxy.ServerRow) { b := s.Backup; *s = refused(name); s.Backup = b })
	}
}

// only gives a section these servers on every HAProxy.
func (w *world) only(proxy string, rows ...haproxy.ServerRow) {
	for i := range w.cls.LoadBalancers {
		o := w.snap.HAProxy[w.cls.LoadBalancers[i].Host]
		o.Value.Proxy(proxy).Servers = rows
	}
}

// checks sets what the members answer to one check.
func (w *world) checks(path string, codes ...int) {
	for i, code := range codes {
		w.snap.Patroni[w.cls.Instances[i].Name].Checks[path] = seen(code)
	}
}

// TestAStatusThatIsNotPatronis: Patroni answers health checks with 200 or 503.
func TestAStatusThatIsNotPatronis(t *testing.T) {
	w := newWorld()
	w.server("10.10.10.11", "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { s.CheckCode = 404 })
	c := model.RouteOf(w.snap, w.cls, "primary", t0).Views[0].Cells[1]
	equal(t, "HAProxy's check", string(c.Verdict)+" "+c.Why, "down something other than Patroni answers at 10.10.10.12:8008: 404 to /primary")
	w = newWorld()
	w.snap.Patroni["pg-test-1"].Checks["/primary"] = seen(404)
	r := model.RouteOf(w.snap, w.cls, "primary", t0)
	equal(t, "its own", r.Views[0].Cells[0].Other, "something other than Patroni answers at 10.10.10.11:8008: 404 to /primary")
	if strings.Contains(r.Why, "Patroni answers 404") {
		t.Error(r.Why)
	}
}
