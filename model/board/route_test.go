package board_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
)

// shape is a view in one line: verdict, who serves, and every server's verdict
// and share.
func shape(v board.View) string {
	var cells []string
	for _, c := range v.Cells {
		s := strings.TrimPrefix(string(c.Instance), "pg-test-") + ":" + string(c.Verdict)
		if c.Share > 0 {
			s += fmt.Sprintf("%d%%", c.Share)
		}
		cells = append(cells, s)
	}
	serving := "nil"
	if v.Serving != nil {
		serving = "[" + model.Join(v.Serving) + "]"
	}
	return fmt.Sprintf("%s %s %s", v.Verdict, serving, strings.Join(cells, " "))
}

func TestViewFollowsHAProxysRules(t *testing.T) {
	const h = model.Host("10.10.10.11")
	set := func(f func(*haproxy.ServerRow)) func(*modeltest.World, string, string) {
		return func(w *modeltest.World, px, sv string) { w.Server(h, px, sv, f) }
	}
	down := set(func(s *haproxy.ServerRow) { s.Status, s.CheckStatus, s.CheckCode = "DOWN", "L4CON", 0 })
	status := func(st string) func(*modeltest.World, string, string) {
		return set(func(s *haproxy.ServerRow) { s.Status = st })
	}
	tests := []struct {
		name    string
		service model.ServiceName
		do      func(*modeltest.World)
		want    string
	}{
		{"healthy primary", "primary", func(*modeltest.World) {}, "serving [pg-test-1] 1:serving100% 2:refused 3:refused"},
		{"healthy replica: the backup is held back", "replica", func(*modeltest.World) {}, "serving [pg-test-2, pg-test-3] 1:standby 2:serving50% 3:serving50%"},
		{"weights share the connections", "replica", func(w *modeltest.World) {
			set(func(s *haproxy.ServerRow) { s.Weight = 300 })(w, "pg-test-replica", "pg-test-2")
		},
			"serving [pg-test-2, pg-test-3] 1:standby 2:serving75% 3:serving25%"},
		{"all replicas down: the backup serves", "replica", func(w *modeltest.World) {
			down(w, "pg-test-replica", "pg-test-2")
			down(w, "pg-test-replica", "pg-test-3")
		}, "backup-serving [pg-test-1] 1:backup-serving100% 2:down 3:down"},
		{"two usable backups: only the first in file order", "replica", func(w *modeltest.World) {
			set(func(s *haproxy.ServerRow) { s.Backup = true })(w, "pg-test-replica", "pg-test-2")
			down(w, "pg-test-replica", "pg-test-3")
		}, "backup-serving [pg-test-1] 1:backup-serving100% 2:standby 3:down"},
		{"UP 1/3 still serves", "primary", func(w *modeltest.World) { status("UP 1/3")(w, "pg-test-primary", "pg-test-1") },
			"serving [pg-test-1] 1:serving100% 2:refused 3:refused"},
		{"DOWN 2/3 does not serve yet", "primary", func(w *modeltest.World) {
			status("DOWN 2/3")(w, "pg-test-primary", "pg-test-1")
		}, "empty [] 1:down 2:refused 3:refused"},
		{"no check serves", "replica", func(w *modeltest.World) { status("no check")(w, "pg-test-replica", "pg-test-3") },
			"serving [pg-test-2, pg-test-3] 1:standby 2:serving50% 3:serving50%"},
		{"NOLB gets nothing new", "replica", func(w *modeltest.World) { status("NOLB")(w, "pg-test-replica", "pg-test-3") },
			"serving [pg-test-2] 1:standby 2:serving100% 3:draining"},
		{"drain", "replica", func(w *modeltest.World) { status("DRAIN")(w, "pg-test-replica", "pg-test-3") },
			"serving [pg-test-2] 1:standby 2:serving100% 3:draining"},
		{"maint through another section", "replica", func(w *modeltest.World) { status("MAINT (via a/b)")(w, "pg-test-replica", "pg-test-3") },
			"serving [pg-test-2] 1:standby 2:serving100% 3:maint"},
		{"weight 0 stays UP and gets nothing", "replica", func(w *modeltest.World) {
			set(func(s *haproxy.ServerRow) { s.Weight = 0 })(w, "pg-test-replica", "pg-test-3")
		},
			"serving [pg-test-2] 1:standby 2:serving100% 3:draining"},
		{"just reloaded: INI is not three primaries", "primary", func(w *modeltest.World) {
			for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
				set(func(s *haproxy.ServerRow) { s.Status, s.CheckStatus, s.CheckCode = "UP 1/3", "INI", 0 })(w, "pg-test-primary", n)
			}
		}, "settling nil 1:settling33% 2:settling33% 3:settling33%"},
		{"nobody", "primary", func(w *modeltest.World) { down(w, "pg-test-primary", "pg-test-1") }, "empty [] 1:down 2:refused 3:refused"},
		{"two pass the primary check", "primary", func(w *modeltest.World) {
			set(func(s *haproxy.ServerRow) { *s = modeltest.Up("pg-test-2") })(w, "pg-test-primary", "pg-test-2")
			w.Patroni(2, true)
		}, "mismatch [pg-test-1, pg-test-2] 1:serving50% 2:serving50% 3:refused"},
		{"HAProxy still sends writes to a demoted primary", "primary", func(w *modeltest.World) { w.Patroni(1, false) },
			"mismatch [pg-test-1] 1:serving100% 2:refused 3:refused"},
		{"section not loaded", "primary", func(w *modeltest.World) {
			w.Snap.HAProxy[h] = modeltest.Seen(haproxy.Stats{})
		}, "missing nil 1:missing 2:missing 3:missing"},
		{"a row that cannot be read is not missing", "replica", func(w *modeltest.World) { w.Damage(1, "pg-test-replica", 2) },
			"unknown nil 1:standby 2:serving100% 3:unknown"},
		{"a backup's row that cannot be read changes nothing while regular servers serve", "replica", func(w *modeltest.World) { w.Damage(1, "pg-test-replica", 0) },
			"serving [pg-test-2, pg-test-3] 2:serving50% 3:serving50% 1:unknown"},
		{"rows without a section: the section may be there", "primary", func(w *modeltest.World) {
			w.Snap.HAProxy[h] = modeltest.Seen(haproxy.Stats{Damaged: 3})
		}, "unknown nil 1:unknown 2:unknown 3:unknown"},
		{"a state of a later HAProxy", "replica", func(w *modeltest.World) { status("SLEEPING")(w, "pg-test-replica", "pg-test-2") },
			"unknown nil 1:standby 2:unknown 3:serving100%"},
		{"the frontend is paused", "replica", func(w *modeltest.World) {
			w.Everywhere("pg-test-replica", func(px *haproxy.Proxy) { px.Front.Status = "PAUSED" })
		},
			"empty [] 1:draining 2:draining 3:draining"},
		{"the frontend is full", "replica", func(w *modeltest.World) {
			w.Everywhere("pg-test-replica", func(px *haproxy.Proxy) { px.Front.Status, px.Front.Sessions, px.Front.Limit = "OPEN", 5, 5 })
		}, "empty [] 1:draining 2:draining 3:draining"},
		{"the frontend has room for one", "replica", func(w *modeltest.World) {
			w.Everywhere("pg-test-replica", func(px *haproxy.Proxy) { px.Front.Status, px.Front.Sessions, px.Front.Limit = "OPEN", 4, 5 })
		}, "serving [pg-test-2, pg-test-3] 1:standby 2:serving50% 3:serving50%"},
		{"both queues are full", "replica", func(w *modeltest.World) {
			w.Everywhere("pg-test-replica", func(px *haproxy.Proxy) { modeltest.Fill(&px.Servers[1]); modeltest.Fill(&px.Servers[2]) })
		}, "mismatch [pg-test-2, pg-test-3] 1:standby 2:serving50% 3:serving50%"},
		{"server not loaded", "replica", func(w *modeltest.World) {
			o := w.Snap.HAProxy[h]
			px := o.Value.Proxy("pg-test-replica")
			px.Servers = px.Servers[:2]
		}, "serving [pg-test-2] 1:standby 2:serving100% 3:missing"},
		{"HAProxy silent: last state is not the present", "primary", func(w *modeltest.World) { w.Silence(1, 20*time.Second) },
			"unknown nil 1:unknown 2:unknown 3:unknown"},
		{"HAProxy answered too long ago", "primary", func(w *modeltest.World) {
			o := w.Snap.HAProxy[h]
			o.At = modeltest.T0.Add(-time.Minute)
			w.Snap.HAProxy[h] = o
		}, "unknown nil 1:unknown 2:unknown 3:unknown"},
		{"HAProxy never answered", "primary", func(w *modeltest.World) { delete(w.Snap.HAProxy, h) },
			"unknown nil 1:unknown 2:unknown 3:unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			r := routeOf(w, tt.service, modeltest.T0)
			modeltest.Equal(t, "view", shape(r.Views[0]), tt.want)
		})
	}
}

func TestRouteAgreement(t *testing.T) {
	tests := []struct {
		name   string
		do     func(*modeltest.World)
		want   string
		reason string // a part of Why
	}{
		{"all agree", func(*modeltest.World) {}, "serving [pg-test-1] 3/3", "Patroni answers 200"},
		{"one silent: what the others agree on stands, and it is named", func(w *modeltest.World) { w.Silence(2, time.Hour) }, "serving [pg-test-1] 2/3", "2 of 3 HAProxy nodes answer, no current state from pg-test-2"},
		{"one silent, the others disagree", func(w *modeltest.World) {
			w.Silence(2, time.Hour)
			w.Server("10.10.10.13", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
		}, "mismatch [] 1/3", "pg-test-3 → empty; 2 of 3 HAProxy nodes answer"},
		{"a row that cannot be read: its HAProxy is not known", func(w *modeltest.World) { w.Damage(2, "pg-test-primary", 0) }, "serving [pg-test-1] 2/3", "no current state from pg-test-2"},
		{"a row that cannot be read on every HAProxy node", func(w *modeltest.World) {
			for n := 1; n <= 3; n++ {
				w.Damage(n, "pg-test-primary", 0)
			}
		}, "unknown [] 0/3", "it is unknown whether pg-test-1 gets connections: its row on the stats page cannot be read"},
		{"all silent", func(w *modeltest.World) {
			for i := 1; i <= 3; i++ {
				w.Silence(i, time.Hour)
			}
		}, "unknown [] 0/3", "no current state from any of its 3 HAProxy nodes"},
		{"one sends elsewhere", func(w *modeltest.World) {
			w.Patroni(2, true)
			w.Server("10.10.10.13", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
			w.Server("10.10.10.13", "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { *s = modeltest.Up("pg-test-2") })
		}, "mismatch [] 2/3", "pg-test-3 → pg-test-2"},
		{"one is settling after its reload", func(w *modeltest.World) {
			w.Server("10.10.10.13", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.CheckStatus = "INI" })
		}, "settling [] 2/3", "pg-test-3 → settling"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			r := routeOf(w, "primary", modeltest.T0)
			same, all := r.Agreement()
			modeltest.Equal(t, "route", fmt.Sprintf("%s [%s] %d/%d", r.Verdict, model.Join(r.Serving), same, all), tt.want)
			if !strings.Contains(r.Why, tt.reason) {
				t.Errorf("why %q lacks %q", r.Why, tt.reason)
			}
			if r.Agreed != (len(r.Serving) > 0) {
				t.Errorf("agreed %v with serving %v", r.Agreed, r.Serving)
			}
		})
	}
}

func TestCellNotesNameTheDifference(t *testing.T) {
	const h = model.Host("10.10.10.11")
	tests := []struct {
		name, service, proxy, server string
		do                           func(*modeltest.World)
		want                         string
		differs                      bool
	}{
		{"weight", "replica", "pg-test-replica", "pg-test-2", func(w *modeltest.World) {
			w.Server(h, "pg-test-replica", "pg-test-2", func(s *haproxy.ServerRow) { s.UserWeight = 50 })
		}, "runs with weight 50, but the inventory declares 100", true},
		{"backup lost", "replica", "pg-test-replica", "pg-test-1", func(w *modeltest.World) {
			w.Server(h, "pg-test-replica", "pg-test-1", func(s *haproxy.ServerRow) { s.Backup = false })
		}, "declared as backup, but runs as a regular server", true},
		{"a server nobody declared", "replica", "pg-test-replica", "pg-test-9", func(w *modeltest.World) {
			o := w.Snap.HAProxy[h]
			px := o.Value.Proxy("pg-test-replica")
			px.Servers = append(px.Servers, modeltest.Up("pg-test-9"))
		}, "the inventory does not select it", true},
		{"Patroni back, HAProxy not yet", "primary", "pg-test-primary", "pg-test-2", func(w *modeltest.World) { w.Patroni(2, true) },
			"Patroni now answers 200 to /primary", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			r := routeOf(w, model.ServiceName(tt.service), modeltest.T0)
			for _, c := range r.Views[0].Cells {
				switch {
				case string(c.Instance) == tt.server:
					if !strings.Contains(c.Note, tt.want) || c.Differs != tt.differs {
						t.Errorf("%s: note %q differs %v, want %q %v", c.Instance, c.Note, c.Differs, tt.want, tt.differs)
					}
				case c.Note != "":
					t.Errorf("%s: unexpected note %q", c.Instance, c.Note)
				}
			}
		})
	}
}

// routeOf is the board's route of a service at now.
func routeOf(w *modeltest.World, service model.ServiceName, now time.Time) board.Route {
	b := board.Of(w.Snap, w.Cls, now)
	return *b.Route(service)
}

// TestWordOfARoute: a service has one word, on every screen and in every command.
func TestWordOfARoute(t *testing.T) {
	svc := func(check string, servers ...model.Server) *model.Cluster {
		return &model.Cluster{Name: "c", LoadBalancers: []model.LoadBalancer{{Services: []model.Service{{Name: "s", Check: check, Members: servers}}}}}
	}
	closed := []board.View{{Verdict: model.Empty, Closed: "x", Frontend: haproxy.RowState{Status: "PAUSED"}}}
	for _, tt := range []struct {
		name    string
		cluster *model.Cluster
		route   board.Route
		want    string
	}{
		{"a verdict is its own word", svc("/primary", model.Server{Name: "c-1"}), board.Route{Verdict: model.Serving}, "serving"},
		{"no server", svc("/primary", model.Server{Name: "c-1"}), board.Route{Verdict: model.Empty}, "empty"},
		{"no server is selected", svc("/replica"), board.Route{Verdict: model.Empty}, "empty by design"},
		{"the port is paused", svc("/primary", model.Server{Name: "c-1"}), board.Route{Verdict: model.Empty, Views: closed}, "port paused"},
	} {
		tt.route.Service = "s"
		b := board.Board{Cluster: tt.cluster}
		if got := b.Word(&tt.route); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
