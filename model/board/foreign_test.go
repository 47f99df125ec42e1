package board_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
	"pgtui/source"
)

// TestAStrangerLeadsNothing: what answers at a member's address and is not the
// member is no leader, no candidate and no witness.
func TestAStrangerLeadsNothing(t *testing.T) {
	crm := func(st *model.PatroniStatus) { st.Name, st.Scope, st.SystemID = "pg-crm-1", "pg-crm", "739" }
	tests := []struct {
		name string
		do   func(*modeltest.World)
		want string // leader by known/members health: strangers, ? where it is not sure
	}{
		{"everybody fits", func(*modeltest.World) {}, "pg-test-1 self 3/3 ok:"},
		{"another cluster's primary", func(w *modeltest.World) {
			w.Patroni(3, true)
			w.Identify()
			w.Status(3, func(st *model.PatroniStatus) { crm(st); st.Timeline = 7 })
		}, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"another cluster's replica", func(w *modeltest.World) { w.Status(3, crm) }, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"another cluster at the leader's address", func(w *modeltest.World) { w.Status(1, crm) }, "  2/3 down: pg-test-1"},
		{"the right name and scope, other data", func(w *modeltest.World) { w.Identify("771", "771", "739") }, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"the leader's data is the odd one", func(w *modeltest.World) { w.Identify("739") }, "  2/3 down: pg-test-1"},
		{"only the name is wrong", func(w *modeltest.World) { w.Status(3, func(st *model.PatroniStatus) { st.Name = "pg-test-7" }) }, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"only the scope is wrong", func(w *modeltest.World) { w.Status(3, func(st *model.PatroniStatus) { st.Scope = "pg-test2" }) }, "pg-test-1 self 2/3 degraded: pg-test-3"},
		{"two addresses are swapped", func(w *modeltest.World) {
			w.Status(2, func(st *model.PatroniStatus) { st.Name = "pg-test-3" })
			w.Status(3, func(st *model.PatroniStatus) { st.Name = "pg-test-2" })
		}, "pg-test-1 self 1/3 degraded: pg-test-2 pg-test-3"},
		{"Patroni before 3.2 tells no name", func(w *modeltest.World) {
			for n := 1; n <= 3; n++ {
				w.Status(n, func(st *model.PatroniStatus) { st.Name = "" })
			}
		}, "pg-test-1 self 3/3 ok:"},
		{"a member that is being made has no data yet", func(w *modeltest.World) { w.Identify("771", "771", "") }, "pg-test-1 self 3/3 ok:"},
		{"a group of Citus has the scope of its shard", func(w *modeltest.World) {
			w.Cls.Scope = "pg-citus"
			for n := 1; n <= 3; n++ {
				w.Status(n, func(st *model.PatroniStatus) { st.Scope = "pg-citus" })
			}
		}, "pg-test-1 self 3/3 ok:"},
		{"one against one is a question", func(w *modeltest.World) { w.Silence(3, time.Minute); w.Identify("771", "739", "") }, "  0/3 unknown: pg-test-1? pg-test-2?"},
		{"one of each is a question", func(w *modeltest.World) { w.Identify("1", "2", "3") }, "  0/3 unknown: pg-test-1? pg-test-2? pg-test-3?"},
		{"one that answers is not outvoted by the silent, nor believed", func(w *modeltest.World) {
			w.Silence(2, time.Minute)
			w.Silence(3, time.Minute)
			w.Identify("739", "771", "771")
		}, "  0/3 unknown: pg-test-1?"},
		{"a silent one decides between two", func(w *modeltest.World) { w.Silence(2, time.Minute); w.Identify("771", "771", "739") }, "pg-test-1 self 1/3 degraded: pg-test-3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			w.Identify()
			tt.do(w)
			b := board.Of(w.Snap, w.Cls, modeltest.T0)
			got := fmt.Sprintf("%s %s %d/%d %s:", b.Leader, b.LeaderBy, b.KnownMembers(), len(b.Members), b.Health)
			for _, m := range b.Members {
				if m.Foreign != nil {
					got += " " + string(m.Instance) + map[bool]string{false: "?"}[m.Foreign.Sure]
				}
			}
			modeltest.Equal(t, "board", got, tt.want)
			if b.Health != model.HealthOK && strings.Contains(b.Summary, "Patroni does not answer on pg-test-3") && b.Members[2].Foreign != nil {
				t.Errorf("a stranger is called silent: %s", b.Summary)
			}
			again := board.Of(w.Snap.Screened(w.Cls), w.Cls, modeltest.T0)
			if !reflect.DeepEqual(again, b) {
				t.Errorf("screened twice the board is another: %s, %s", again.Summary, b.Summary)
			}
		})
	}
}

// TestAStrangerIsNobodysWitness: neither routes, nor what-if, topology, proofs or
// stuck sessions take its word.
func TestAStrangerIsNobodysWitness(t *testing.T) {
	w := modeltest.NewWorld()
	w.Patroni(3, true)
	w.Identify()
	w.Status(3, func(st *model.PatroniStatus) {
		st.Name, st.Scope, st.SystemID = "pg-crm-1", "pg-crm", "739"
		st.Streams = []model.Stream{{Application: "pg-test-2", State: "streaming"}}
	})
	v := w.Snap.Patroni["pg-test-3"]
	v.Cluster = modeltest.Seen(model.PatroniCluster{Scope: "pg-crm", Paused: true, Members: []model.PatroniMember{{Name: "pg-crm-1", Role: "leader"}}})
	w.Snap.Patroni["pg-test-3"] = v
	w.Server("10.10.10.11", "pg-test-primary", "pg-test-3", func(s *haproxy.ServerRow) { *s = modeltest.Up("pg-test-3") })

	r := routeOf(w, "primary", modeltest.T0)
	modeltest.Equal(t, "view", string(r.Views[0].Verdict), "mismatch")
	for _, c := range r.Views[0].Cells {
		if c.Instance == "pg-test-3" && (c.Allowed != 0 || !strings.Contains(c.Note, "pg-crm-1 of pg-crm")) {
			t.Errorf("cell: %+v", c)
		}
	}
	b := board.Of(w.Snap, w.Cls, modeltest.T0)
	if b.Paused || len(b.Unlisted) > 0 {
		t.Errorf("another cluster's DCS is believed: %+v", b)
	}
	out, err := failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Down: []model.InstanceName{"pg-test-1"}}, modeltest.T0)
	if err != nil || out.Leader != "pg-test-2" {
		t.Errorf("what if: %s %v", out.Leader, err)
	}
	if _, err := failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Leader: "pg-test-3"}, modeltest.T0); err == nil || !strings.Contains(err.Error(), "pg-crm") {
		t.Errorf("a stranger may lead: %v", err)
	}
	for _, br := range board.Topology(w.Snap, &b, modeltest.T0) {
		if br.Upstream == "pg-test-3" || br.Member.Instance == "pg-test-3" && br.Upstream != "" {
			t.Errorf("branch: %+v", br)
		}
	}
	if name, _, why := board.Identify(w.Snap, w.Cls, model.Answer{Addr: "10.10.10.13", SystemID: "739"}); name != "" || !strings.Contains(why, "not this cluster's") {
		t.Errorf("identified as %s: %s", name, why)
	}
}

// TestAPrimaryServiceToAStrangerIsDown: writes to another cluster are no service.
func TestAPrimaryServiceToAStrangerIsDown(t *testing.T) {
	w := modeltest.NewWorld()
	w.Identify()
	w.Status(1, func(st *model.PatroniStatus) { st.Name, st.Scope, st.SystemID = "pg-crm-1", "pg-crm", "739" })
	b := board.Of(w.Snap, w.Cls, modeltest.T0)
	modeltest.Equal(t, "health", b.Health.String(), "down")
	if !strings.Contains(b.Route("primary").Why, "pg-crm") {
		t.Error(b.Route("primary").Why)
	}
}

// TestMembersThatTheInventoryHasNot are on the board, whatever they are.
func TestMembersThatTheInventoryHasNot(t *testing.T) {
	nine := model.PatroniMember{Name: "pg-test-9", Role: "leader", State: "running", Host: "10.10.10.19", Timeline: 2, Lag: -1}
	w := modeltest.NewWorld()
	w.Patroni(1, false)
	w.Listed(nine)
	for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		w.Server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
	}
	b := board.Of(w.Snap, w.Cls, modeltest.T0)
	modeltest.Equal(t, "board", fmt.Sprintf("%s %s %s %d/%d", b.Health, b.Leader, b.LeaderBy, b.KnownMembers(), len(b.Members)), "down pg-test-9 dcs 3/3")
	modeltest.Equal(t, "summary", b.Summary, "pg-test-9 at 10.10.10.19 leads but is not in the inventory; 5433 primary does not reach it")
	tree := board.Topology(w.Snap, &b, modeltest.T0)
	if len(tree) != 4 || tree[0].Member.Instance != "pg-test-9" || tree[1].Upstream != "pg-test-9" || tree[1].Depth != 1 {
		t.Errorf("tree: %+v", tree)
	}

	nine.Role, nine.Host, nine.APIURL = "replica", "", "http://10.10.10.19:8008/patroni"
	w = modeltest.NewWorld()
	w.Listed(nine)
	b = board.Of(w.Snap, w.Cls, modeltest.T0)
	modeltest.Equal(t, "a replica", fmt.Sprintf("%s %s %s", b.Leader, b.Unlisted[0].Instance, b.Unlisted[0].Host), "pg-test-1 pg-test-9 10.10.10.19")

	// The other groups of a Citus cluster are in the inventory under a name of their own.
	w.Cls.Scope = "pg-citus"
	w.Snap.Inventory.Clusters = append(w.Snap.Inventory.Clusters, model.Cluster{Name: "pg-citus1", Scope: "pg-citus", Instances: []model.Instance{{Name: "pg-test-9"}}})
	w.Listed(nine)
	if b = board.Of(w.Snap, &w.Snap.Inventory.Clusters[0], modeltest.T0); len(b.Unlisted) > 0 {
		t.Errorf("another group's member: %+v", b.Unlisted)
	}
}

// TestWhatProvesTheLeaderKey does not depend on what the services ask.
func TestWhatProvesTheLeaderKey(t *testing.T) {
	only := func(w *modeltest.World, path string, leader int) {
		for i := range w.Cls.Instances {
			v := w.Snap.Patroni[w.Cls.Instances[i].Name]
			code := 503
			if i == 0 {
				code = leader
			}
			v.Checks = map[string]source.Observed[int]{path: modeltest.Seen(code), "/read-only": modeltest.Seen(200)}
			w.Snap.Patroni[w.Cls.Instances[i].Name] = v
			for j := range w.Cls.LoadBalancers[i].Services {
				if w.Cls.LoadBalancers[i].Services[j].Name == "primary" {
					w.Cls.LoadBalancers[i].Services[j].Check = path
				}
			}
		}
	}
	for _, path := range []string{"/leader", "/read-write", "/master", "/primary", "/", "/leader?tag_x=y", "/primary;v=1"} {
		w := modeltest.NewWorld()
		only(w, path, 200)
		b := board.Of(w.Snap, w.Cls, modeltest.T0)
		modeltest.Equal(t, path, fmt.Sprintf("%s %s %s", b.Health, b.Leader, b.LeaderBy), "ok pg-test-1 self")
		w.Shut(1)
		b = board.Of(w.Snap, w.Cls, modeltest.T0)
		modeltest.Equal(t, path+", its port refuses", b.Health.String(), "down")
		only(w, path, 503)
		b = board.Of(w.Snap, w.Cls, modeltest.T0)
		modeltest.Equal(t, path+" fails", fmt.Sprintf("%s %s", b.Health, b.Leader), "down ")
	}
	for _, path := range []string{"/leader", "/standby-leader", "/standby_leader"} {
		w := modeltest.NewWorld()
		w.Cls.Standby = true
		w.Status(1, func(st *model.PatroniStatus) { st.Role = "standby_leader" })
		only(w, path, 200)
		b := board.Of(w.Snap, w.Cls, modeltest.T0)
		modeltest.Equal(t, "standby cluster, "+path, fmt.Sprintf("%s %s %s %s", b.Health, b.Leader, b.LeaderBy, b.Members[0].Role), "ok pg-test-1 self standby_leader")
		w.Shut(1)
		b = board.Of(w.Snap, w.Cls, modeltest.T0)
		modeltest.Equal(t, "standby cluster, "+path+", its port refuses", b.Health.String(), "down")
	}
}

// TestUnknownStateIsNotDown: Patroni could not ask PostgreSQL; its port tells more.
func TestUnknownStateIsNotDown(t *testing.T) {
	for want, port := range map[string]*model.PortState{
		"degraded": {}, "down": {Why: "port 5432 refuses connections", Refused: true}, "unknown": nil,
	} {
		w := modeltest.NewWorld()
		w.Cls.Instances[0].PgPort = 5432
		w.Status(1, func(st *model.PatroniStatus) { st.State = "unknown" })
		if port != nil {
			v := w.Snap.Patroni["pg-test-1"]
			v.Ports = []model.PortView{{Port: "5432", Observed: modeltest.Seen(*port)}}
			w.Snap.Patroni["pg-test-1"] = v
		}
		b := board.Of(w.Snap, w.Cls, modeltest.T0)
		modeltest.Equal(t, "health", b.Health.String(), want)
	}
}

// TestAheadOfTheLeader: what was written between two answers is not ahead.
func TestAheadOfTheLeader(t *testing.T) {
	const mb = 1 << 20
	base := func(w *modeltest.World) {
		w.Identify()
		w.Status(1, func(st *model.PatroniStatus) { st.Location = 100 * mb })
		w.Status(3, func(st *model.PatroniStatus) { st.Received, st.Replayed, st.ReplicationState = 116*mb, 116*mb, "" })
	}
	later := func(w *modeltest.World, by time.Duration) {
		v := w.Snap.Patroni["pg-test-3"]
		v.Status.At = modeltest.T0.Add(by)
		w.Snap.Patroni["pg-test-3"] = v
	}
	tests := []struct {
		name string
		do   func(*modeltest.World)
		want string
	}{
		{"it does not stream", base, "16 false"},
		{"its Patroni was asked a second later", func(w *modeltest.World) { base(w); later(w, time.Second) }, "16 false"},
		{"an old Patroni that does not tell, at the same time", func(w *modeltest.World) {
			base(w)
			w.Status(3, func(st *model.PatroniStatus) { st.Version = "3.0.2" })
		}, "16 false"},
		{"an old Patroni, a second later", func(w *modeltest.World) {
			base(w)
			w.Status(3, func(st *model.PatroniStatus) { st.Version = "3.0.2" })
			later(w, time.Second)
		}, "0 false"},
		{"it streams from somebody unknown, a second later", func(w *modeltest.World) {
			base(w)
			w.Status(3, func(st *model.PatroniStatus) { st.ReplicationState = "streaming" })
			later(w, time.Second)
		}, "0 false"},
		{"the leader streams to it", func(w *modeltest.World) {
			base(w)
			w.Status(1, func(st *model.PatroniStatus) {
				st.Streams = []model.Stream{{Application: "pg-test-3", State: "streaming"}}
			})
		}, "0 false"},
		{"it is behind", func(w *modeltest.World) {
			base(w)
			w.Status(3, func(st *model.PatroniStatus) { st.Received, st.Replayed = 90*mb, 90*mb })
		}, "0 false"},
		{"received and not replayed counts", func(w *modeltest.World) {
			base(w)
			w.Status(3, func(st *model.PatroniStatus) { st.Replayed = 90 * mb })
		}, "16 false"},
		{"a newer timeline", func(w *modeltest.World) {
			w.Identify()
			w.Status(3, func(st *model.PatroniStatus) { st.Timeline = 2 })
		}, "0 true"},
		{"a newer timeline by an answer after the leader's", func(w *modeltest.World) {
			w.Identify()
			w.Status(3, func(st *model.PatroniStatus) { st.Timeline = 2 })
			later(w, time.Millisecond)
		}, "0 false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			b := board.Of(w.Snap, w.Cls, modeltest.T0.Add(time.Second))
			modeltest.Equal(t, "ahead", fmt.Sprintf("%d %v", b.Members[2].Ahead/mb, b.Members[2].NewerTimeline), tt.want)
		})
	}
}

// TestByDesign: what the inventory and the members' tags ask for is no fault.
func TestByDesign(t *testing.T) {
	tests := []struct {
		name string
		do   func(*modeltest.World)
		want string
	}{
		{"a service without check is served by the leader, its backup", func(w *modeltest.World) {
			for i := range w.Cls.LoadBalancers {
				w.Cls.LoadBalancers[i].Services[1].Check, w.Cls.LoadBalancers[i].Services[1].NoCheck = "/", true
			}
			w.Refuse("pg-test-replica", "pg-test-2")
			w.Refuse("pg-test-replica", "pg-test-3")
			w.Checks("/", 200, 503, 503)
		}, "ok"},
		{"and has no server when it leaves the primary out", func(w *modeltest.World) {
			for i := range w.Cls.LoadBalancers {
				s := &w.Cls.LoadBalancers[i].Services[1]
				s.Check, s.NoCheck, s.Members, s.Backups = "/", true, s.Members[1:], nil
			}
			w.Only("pg-test-replica", modeltest.Refused("pg-test-2"), modeltest.Refused("pg-test-3"))
			w.Checks("/", 200, 503, 503)
		}, "ok"},
		{"one that says /primary and leaves the leader out is down", func(w *modeltest.World) {
			for i := range w.Cls.LoadBalancers {
				s := &w.Cls.LoadBalancers[i].Services[1]
				s.Check, s.Members, s.Backups = "/primary", s.Members[1:], nil
			}
			w.Only("pg-test-replica", modeltest.Refused("pg-test-2"), modeltest.Refused("pg-test-3"))
		}, "down"},
		{"replicas that take no reads by their tag", func(w *modeltest.World) {
			w.Tag(2, "noloadbalance", "true", false)
			w.Tag(3, "noloadbalance", "true", false)
			w.Refuse("pg-test-replica", "pg-test-2")
			w.Refuse("pg-test-replica", "pg-test-3")
			w.Checks("/read-only", 200, 503, 503)
		}, "ok"},
		{"one of them without the tag", func(w *modeltest.World) {
			w.Tag(2, "noloadbalance", "true", false)
			w.Refuse("pg-test-replica", "pg-test-2")
			w.Refuse("pg-test-replica", "pg-test-3")
			w.Checks("/read-only", 200, 503, 503)
		}, "degraded"},
		{"the other kind of cluster's leader", func(w *modeltest.World) {
			for i := range w.Cls.LoadBalancers {
				w.Cls.LoadBalancers[i].Services[1].Check = "/standby-leader"
			}
			for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
				w.Refuse("pg-test-replica", n)
			}
			w.Checks("/standby-leader", 503, 503, 503)
		}, "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			b := board.Of(w.Snap, w.Cls, modeltest.T0)
			if b.Health.String() != tt.want {
				t.Errorf("got %s, want %s: %s", b.Health, tt.want, b.Summary)
			}
		})
	}
}

// TestAStatusThatIsNotPatronis: Patroni answers health checks with 200 or 503.
func TestAStatusThatIsNotPatronis(t *testing.T) {
	w := modeltest.NewWorld()
	w.Server("10.10.10.11", "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { s.CheckCode = 404 })
	c := routeOf(w, "primary", modeltest.T0).Views[0].Cells[1]
	modeltest.Equal(t, "HAProxy's check", string(c.Verdict)+" "+c.Why, "down something other than Patroni answers at 10.10.10.12:8008: 404 to /primary")
	w = modeltest.NewWorld()
	w.Snap.Patroni["pg-test-1"].Checks["/primary"] = modeltest.Seen(404)
	r := routeOf(w, "primary", modeltest.T0)
	modeltest.Equal(t, "its own", r.Views[0].Cells[0].Other, "something other than Patroni answers at 10.10.10.11:8008: 404 to /primary")
	if strings.Contains(r.Why, "Patroni answers 404") {
		t.Error(r.Why)
	}
}
