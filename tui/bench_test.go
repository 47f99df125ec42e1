package tui

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
)

// BenchmarkView: one frame of 50 clusters at 200x50, on the fleet and on a
// board; budget 4 ms.
func BenchmarkView(b *testing.B) {
	for name, start := range map[string]model.ClusterName{"fleet": "", "board": "pg-app-07"} {
		b.Run(name, func(b *testing.B) {
			m := benchModel(start)
			for b.Loop() {
				_ = m.View()
			}
		})
	}
}

// BenchmarkFirstFrame: from an inventory of 50 clusters to the first frame;
// budget 50 ms, of which a process start takes its part.
func BenchmarkFirstFrame(b *testing.B) {
	w := bigWorld(50)
	d := deps(w)
	d.Now = func() time.Time { return t0 }
	for b.Loop() {
		m := New(d.deps())
		next, _ := m.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
		_ = next.View()
	}
}

// BenchmarkKey: one key press on the fleet and the frame that follows; budget 5 ms.
func BenchmarkKey(b *testing.B) {
	m := benchModel("")
	keys := []tea.KeyPressMsg{keyOf("j"), keyOf("k")}
	for i := 0; b.Loop(); i++ {
		next, _ := m.Update(keys[i%2])
		_ = next.View()
		m = next.(Model)
	}
}

// BenchmarkKeyInTrouble: the same on 333 clusters, all of them in trouble;
// budget 5 ms.
func BenchmarkKeyInTrouble(b *testing.B) {
	m := benchModelOf(333, "", func(w *world) {
		for i := range w.inv.Clusters {
			w.mute(w.inv.Clusters[i].Instances[2].Name, time.Minute)
		}
	})
	keys := []tea.KeyPressMsg{keyOf("j"), keyOf("k")}
	for i := 0; b.Loop(); i++ {
		next, _ := m.Update(keys[i%2])
		_ = next.View()
		m = next.(Model)
	}
}

func benchModel(start model.ClusterName) Model { return benchModelOf(50, start, func(*world) {}) }

func benchModelOf(n int, start model.ClusterName, hurt func(*world)) Model {
	w := bigWorld(n)
	hurt(w)
	d := deps(w)
	d.Start = start
	d.Now = func() time.Time { return t0 }
	m := New(d.deps())
	next, _ := m.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
	next, _ = next.Update(snapshotMsg{gen: m.gen, snap: w.snap, boards: w.boards()})
	return next.(Model)
}
