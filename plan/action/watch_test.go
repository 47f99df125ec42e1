package action_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/plan/action"
)

// scene is one moment of a change of the leader.
type scene func(*modeltest.World)

func calm(*modeltest.World) {}

func stopping(w *modeltest.World) {
	w.Status(1, func(s *model.PatroniStatus) { s.State = "stopping" })
}

func leaderless(w *modeltest.World) {
	w.Status(1, func(s *model.PatroniStatus) { s.State, s.Role = "stopped", "demoted" })
	w.Checks("/primary", 503, 503, 503)
}

// promoted: pg-test-2 leads; HAProxy still routes to no one, and the old leader is down.
func promoted(w *modeltest.World) {
	leaderless(w)
	w.Patroni(2, true)
	w.Status(2, func(s *model.PatroniStatus) { s.Timeline = 2 })
	w.Refuse("pg-test-primary", "pg-test-1")
	w.Refuse("pg-test-replica", "pg-test-1")
	w.Checks("/read-only", 503, 200, 200)
}

func routed(w *modeltest.World) {
	promoted(w)
	w.Only("pg-test-primary", modeltest.Refused("pg-test-1"), modeltest.Up("pg-test-2"), modeltest.Refused("pg-test-3"))
}

func rejoined(w *modeltest.World) {
	routed(w)
	w.Patroni(1, false)
	w.Status(1, func(s *model.PatroniStatus) { s.Timeline = 2 })
	w.Status(3, func(s *model.PatroniStatus) { s.Timeline = 2 })
}

func settled(w *modeltest.World) {
	rejoined(w)
	w.Only("pg-test-replica", modeltest.Up("pg-test-1"), modeltest.Up("pg-test-2"), modeltest.Up("pg-test-3"))
}

// play runs a watcher over scenes, half a second apart, and returns the states. A
// login proves the new leader as soon as it is routed to.
func play(w *action.Watcher, scenes ...scene) (states []string, last *board.Board) {
	for i, s := range scenes {
		x := modeltest.NewWorld()
		s(x)
		at := modeltest.T0.Add(time.Duration(i) * 500 * time.Millisecond)
		b := check.Board(x.Snap, x.Cls, at)
		events := w.Next(x.Snap, &b)
		if w.Reached(action.Routed) && !w.Reached(action.Proven) {
			w.Prove()
			events = append(events, w.Next(x.Snap, &b)...)
		}
		for _, e := range events {
			states = append(states, string(e.State))
		}
		last = &b
	}
	return states, last
}

func TestWatcher(t *testing.T) {
	drained := func(w *modeltest.World) {
		settled(w)
		w.Only("pg-test-replica", haproxy.ServerRow{Name: "pg-test-1", Status: "DRAIN", Weight: 100, UserWeight: 100}, modeltest.Up("pg-test-2"), modeltest.Up("pg-test-3"))
	}
	for _, tt := range []struct {
		name    string
		scenes  []scene
		states  string
		verdict string
		known   bool
	}{
		{"nothing happens", []scene{calm, calm}, "", "pg-test-1 still leads", true},
		{"the whole way", []scene{calm, stopping, leaderless, promoted, routed, rejoined, settled, settled},
			"demoting no-leader promoted routed proven settled", "", false},
		{"in one leap", []scene{calm, settled, settled}, "promoted routed proven settled", "", false},
		{"not settled by one board", []scene{calm, promoted, settled}, "promoted routed proven", "not seen yet", true},
		{"the old leader does not start", []scene{calm, routed, func(w *modeltest.World) {
			routed(w)
			w.Status(1, func(s *model.PatroniStatus) { s.State = "start failed" })
		}}, "promoted routed proven", "pg-test-2 leads, and pg-test-1 is start failed", true},
		{"it streams on an old timeline", []scene{calm, func(w *modeltest.World) {
			settled(w)
			w.Status(1, func(s *model.PatroniStatus) { s.Timeline = 1 })
		}, settled}, "promoted routed proven", "not seen yet", true},
		{"it is not UP again", []scene{calm, rejoined, rejoined, rejoined}, "promoted routed proven", "pg-test-1 is UP in 5434 replica", true},
		{"who was drained by hand is not waited for", []scene{calm, drained, drained}, "promoted routed proven settled", "", false},
		{"no one takes over", []scene{calm, stopping, leaderless, leaderless}, "demoting no-leader", "no member reports that it leads", true},
		{"the old leader still answers as one", []scene{calm, func(w *modeltest.World) { promoted(w); w.Patroni(1, true) }}, "promoted", "pg-test-2 leads", true},
		{"one HAProxy routes to another", []scene{calm, func(w *modeltest.World) {
			routed(w)
			w.Server("10.10.10.13", "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-2") })
		}}, "promoted", " routes 5433 primary to pg-test-2", true},
		{"one HAProxy does not answer, and the old leader is not UP", []scene{calm, func(w *modeltest.World) { rejoined(w); w.SilenceHAProxy(3) }}, "promoted routed proven", "not seen yet", false},
		{"one HAProxy does not answer", []scene{calm, func(w *modeltest.World) { routed(w); w.SilenceHAProxy(3) }}, "promoted routed proven", "", false},
		{"it leads before its promotion", []scene{calm, func(w *modeltest.World) {
			promoted(w)
			w.Status(2, func(s *model.PatroniStatus) { s.Timeline, s.Role = 1, "replica" })
		}}, "", "no member reports that it leads", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &action.Watcher{From: "pg-test-1", To: "pg-test-2", Timeline: 1, Rejoins: true}
			states, b := play(w, tt.scenes...)
			modeltest.Equal(t, "states", strings.Join(states, " "), tt.states)
			if slices.Contains(states, "settled") {
				return
			}
			what, known := w.Verdict(b)
			if !strings.Contains(what, tt.verdict) || tt.verdict != "" && known != tt.known {
				t.Errorf("verdict %q, known %v; want %q, %v", what, known, tt.verdict, tt.known)
			}
		})
	}
}

// TestAnotherMemberLeads: what was asked for did not happen, and that is known.
func TestAnotherMemberLeads(t *testing.T) {
	w := &action.Watcher{From: "pg-test-1", To: "pg-test-3", Timeline: 1, Rejoins: true}
	_, b := play(w, calm, settled, settled)
	if what, known := w.Verdict(b); what != "pg-test-2 leads instead of pg-test-3" || !known {
		t.Errorf("%q, %v", what, known)
	}
}

// TestADeadLeaderIsNotWaitedFor: after a failover it may never come back.
func TestADeadLeaderIsNotWaitedFor(t *testing.T) {
	w := &action.Watcher{From: "pg-test-1", To: "pg-test-2", Timeline: 1}
	states, _ := play(w, leaderless, routed, routed)
	if !slices.Contains(states, "settled") {
		t.Errorf("%v, until %s", states, w.Waits())
	}
}

// TestStreamsByTheLeadersWord: before Patroni 3.0.4 a replica does not report it.
func TestStreamsByTheLeadersWord(t *testing.T) {
	x := modeltest.NewWorld()
	x.Status(2, func(s *model.PatroniStatus) { s.ReplicationState, s.Timeline = "", 0 })
	is := func() bool {
		b := check.Board(x.Snap, x.Cls, modeltest.T0)
		return action.Streams(x.Snap, &b, b.Member("pg-test-2"))
	}
	if is() {
		t.Error("it streams although no one reports it")
	}
	x.Status(1, func(s *model.PatroniStatus) {
		s.Streams = []model.Stream{{Application: "pg-test-2", State: "streaming"}}
	})
	if !is() {
		t.Error("it does not, although the leader reports it")
	}
}
