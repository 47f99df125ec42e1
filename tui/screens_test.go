package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// TestTopologyFrames holds the tree of a cascade and of one that is broken.
func TestTopologyFrames(t *testing.T) {
	onTree := func(r *rig) { r.press("t", "G") }
	onBoard := func(d *fake) { d.Start = "pg-test" }
	streams := func(w *world, name model.InstanceName, sync string, to ...string) {
		v := w.snap.Patroni[name]
		v.Status.Value.Streams = nil
		for _, n := range to {
			v.Status.Value.Streams = append(v.Status.Value.Streams, model.Stream{Application: n, ClientAddr: "10.10.10.99", State: "streaming", SyncState: sync})
		}
		w.snap.Patroni[name] = v
	}
	cascade := newWorld()
	streams(cascade, "pg-test-1", "sync", "pg-test-2")
	streams(cascade, "pg-test-2", "async", "pg-test-3")
	golden(t, "topology/cascade", frames(t, cascade, onTree, onBoard))
	broken := newWorld()
	streams(broken, "pg-test-1", "async", "pg-test-2")
	v := broken.snap.Patroni["pg-test-3"]
	v.Status.Value.ReplicationState, v.Status.Value.Timeline, v.Status.Value.Replayed = "", 1, 1<<29
	broken.snap.Patroni["pg-test-3"] = v
	golden(t, "topology/not-streaming", frames(t, broken, onTree, onBoard))
}

// TestFleetSortsByEveryColumn: one key goes through the columns, the other
// turns the order round, and what is sorted by stays in sight.
func TestFleetSortsByEveryColumn(t *testing.T) {
	w := bigWorld(3)
	w.lead(w.inv.Cluster("pg-app-01"), 1, 7)
	w.mute("pg-app-02-3", time.Minute)
	for i, lag := range []int64{3 << 20, 9 << 20, 1 << 20} {
		name := model.InstanceName(fmt.Sprintf("pg-app-%02d-3", i))
		for n, v := range w.snap.Patroni {
			for k := range v.Cluster.Value.Members {
				if m := &v.Cluster.Value.Members[k]; m.Name == name {
					m.Lag = lag
				}
			}
			w.snap.Patroni[n] = v
		}
	}
	order := func(r *rig) string {
		var out []string
		for _, l := range strings.Split(r.screen(), "\n")[3:6] {
			for _, f := range strings.Fields(l) {
				if name, ok := strings.CutPrefix(strings.TrimPrefix(f, "▸"), "pg-app-0"); ok {
					out = append(out, name)
					break
				}
			}
		}
		return strings.Join(out, " ")
	}
	r := newRig(t, w, 80, 24)
	for i, want := range []struct{ column, order, reversed string }{
		{"STATE", "", ""}, {"CLUSTER▾", "0 1 2", "2 1 0"}, {"LEADER▾", "0 1 2", "2 1 0"}, {"TL▾", "1 ", ""}, {"MEMBERS▾", "2 ", ""},
		{"WORST LAG▾", "1 0 2", "2 0 1"}, {"5433▾", "2", ""}, {"5434▾", "", ""}, {"5436▾", "", ""}, {"5438▾", "", ""}, {"DRIFT▾", "1", ""}, {"FINDINGS▾", "", ""}, {"STATE", "", ""},
	} {
		r.want(want.column)
		if got := order(r); !strings.HasPrefix(got, want.order) {
			t.Errorf("key %d, %s: order %q, want %q", i, want.column, got, want.order)
		}
		if want.reversed != "" {
			r.press("S")
			if got := order(r); got != want.reversed {
				t.Errorf("key %d, %s, the other way round: order %q, want %q", i, want.column, got, want.reversed)
			}
		}
		r.press("s")
	}
}

// TestTrafficShowsItsPast: what a section carried is drawn beside the number.
func TestTrafficShowsItsPast(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 40, func(d *fake) { d.Start = "pg-test" })
	for i := range 100 {
		next := *w.snap
		next.Seq = uint64(i + 2)
		next.HAProxy = map[model.Host]source.Observed[haproxy.Stats]{}
		for h, o := range w.snap.HAProxy {
			st := haproxy.Stats{Proxies: append([]haproxy.Proxy(nil), o.Value.Proxies...)}
			for k := range st.Proxies {
				st.Proxies[k].Servers = append([]haproxy.ServerRow(nil), st.Proxies[k].Servers...)
				if len(st.Proxies[k].Servers) > 0 {
					st.Proxies[k].Servers[0].Sessions = int64(i)
				}
			}
			o.Value, o.At = st, t0.Add(time.Duration(i)*time.Millisecond)
			next.HAProxy[h] = o
		}
		r.send(snapshotMsg{gen: r.m.gen, snap: &next, boards: r.m.boards})
	}
	r.press("enter")
	r.want("sessions 297 ▆▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇▇▇▇▇▇▇█") // 3 HAProxies of 99 sessions each
	r.press("esc", "n")
	r.want("SESSIONS", "  99      0      0  ▆▆")
	if n := len(r.m.traffic.Of("10.10.10.11", "pg-test-primary")); n != 60 {
		t.Errorf("%d samples are kept", n)
	}
	if got := r.m.traffic.Of("10.10.10.11", "pg-test-primary")[59].Sessions; got != 99 {
		t.Errorf("the newest sample has %d sessions", got)
	}
}
