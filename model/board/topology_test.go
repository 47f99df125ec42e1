package board_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
)

// tree draws a topology in a line: depth, name, upstream, what is odd.
func tree(w *modeltest.World) string {
	b := board.Of(w.Snap, w.Cls, modeltest.T0)
	var parts []string
	for _, br := range board.Topology(w.Snap, &b, modeltest.T0) {
		s := fmt.Sprintf("%d %s", br.Depth, br.Member.Instance)
		if br.Upstream != "" {
			s += " < " + string(br.Upstream)
		}
		if br.Stream.State != "" {
			s += " " + br.Stream.State + "/" + br.Stream.SyncState
		}
		if br.Why != "" {
			s += " (" + br.Why + ")"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

func TestTopologyHangsReplicasOnWhoeverSendsToThem(t *testing.T) {
	sends := func(sync string, to ...int) func(*model.PatroniStatus) {
		return func(st *model.PatroniStatus) {
			st.Streams = nil
			for _, n := range to {
				st.Streams = append(st.Streams, model.Stream{Application: fmt.Sprintf("pg-test-%d", n), State: "streaming", SyncState: sync})
			}
		}
	}
	tests := []struct {
		name string
		hurt func(*modeltest.World)
		want string
	}{
		{"two replicas of the leader", func(w *modeltest.World) { w.Status(1, sends("async", 2, 3)) },
			"0 pg-test-1; 1 pg-test-2 < pg-test-1 streaming/async; 1 pg-test-3 < pg-test-1 streaming/async"},
		{"a cascade", func(w *modeltest.World) { w.Status(1, sends("sync", 3)); w.Status(3, sends("async", 2)) },
			"0 pg-test-1; 1 pg-test-3 < pg-test-1 streaming/sync; 2 pg-test-2 < pg-test-3 streaming/async"},
		{"a replica that nobody sends to", func(w *modeltest.World) { w.Status(1, sends("async", 2)) },
			"0 pg-test-1; 1 pg-test-2 < pg-test-1 streaming/async; 1 pg-test-3 < pg-test-1 (pg-test-1 has no walsender for it: it does not stream)"},
		{"a declared cascade whose upstream does not send", func(w *modeltest.World) {
			w.Status(1, sends("async", 2))
			w.Status(3, func(st *model.PatroniStatus) { st.Tags = map[string]string{"replicatefrom": "pg-test-2"} })
		}, "0 pg-test-1; 1 pg-test-2 < pg-test-1 streaming/async; 2 pg-test-3 < pg-test-2 (pg-test-2 has no walsender for it: it does not stream)"},
		{"an old leader that is silent, and gets nothing", func(w *modeltest.World) {
			w.Status(1, sends("async", 2))
			p := w.Snap.Patroni["pg-test-3"]
			p.Status.Err = errors.New("refused")
			w.Snap.Patroni["pg-test-3"] = p
		}, "0 pg-test-1; 1 pg-test-2 < pg-test-1 streaming/async; 0 pg-test-3 (pg-test-1 has no walsender for it, and its own Patroni does not answer)"},
		{"two that name each other", func(w *modeltest.World) {
			w.Status(1, sends(""))
			w.Status(2, sends("async", 3))
			w.Status(3, sends("async", 2))
		}, "0 pg-test-1; 0 pg-test-2 < pg-test-3 streaming/async; 1 pg-test-3 < pg-test-2 streaming/async"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.hurt(w)
			if got := tree(w); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
