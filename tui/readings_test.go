package tui

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// reading lets the console read the nodes' files: what they hold is up to f.
// It counts how often pg-test-2 was read.
func reading(asked *int, f func(model.Host) source.Observed[model.NodeConf]) func(*fake) {
	return func(d *fake) {
		d.Start = "pg-test"
		d.Examine = func(_ context.Context, _ *model.Inventory, h model.Host) model.Reading {
			switch h {
			case "10.10.10.10":
				return model.Reading{Conf: asDeclared("pg-meta")}
			case "10.10.10.12":
				*asked++
			}
			return model.Reading{Conf: f(h)}
		}
	}
}

// asDeclared is a node whose files are what the inventory says, and what runs.
func asDeclared(c model.ClusterName, changes ...model.DriftFile) source.Observed[model.NodeConf] {
	var sections []haproxy.Section
	for _, s := range newWorld().inv.Cluster(c).Services() {
		sec := haproxy.Section{File: s.FileName(), Name: s.Proxy(), Binds: []string{"*:" + s.Port}}
		servers, backup := s.Servers()
		for i, sv := range servers {
			sec.Servers = append(sec.Servers, haproxy.ServerLine{Name: string(sv.Name), Weight: sv.Weight, Backup: backup[i]})
		}
		sections = append(sections, sec)
	}
	return seen(model.NodeConf{Sections: sections, Drift: map[model.ClusterName]model.Drift{c: {Changes: changes}}})
}

// TestBoardReadsTheNodesFiles: that a file on a node is not as declared shows on
// the board without a key, and that a node cannot be read is told and not held
// against the cluster.
func TestBoardReadsTheNodesFiles(t *testing.T) {
	asked := 0
	r := newRig(t, newWorld(), 120, 40, reading(&asked, func(h model.Host) source.Observed[model.NodeConf] {
		switch h {
		case "10.10.10.12":
			return asDeclared("pg-test", model.DriftFile{Name: "pg-test-offline.cfg", Kind: "change", Summary: []string{"weight of pg-test-3: 90 → 100"}})
		case "10.10.10.13":
			return source.Observed[model.NodeConf]{Err: errors.New("ssh: permission denied"), Tried: t0}
		}
		return asDeclared("pg-test")
	}))
	r.want("FILES · reading the nodes", "● ok")
	r.send(tickMsg{})
	r.want("FILES up to date on 1 of 3   ≠ differ on pg-test-2 d diff   ? not checked on pg-test-3", "? ssh: permission denied",
		"● ok", "the inventory differs: 1 HAProxy file on pg-test-2 differs from the inventory")
	for range 3 {
		r.send(tickMsg{})
	}
	if asked != 1 {
		t.Errorf("the nodes were read %d times within moments", asked)
	}
	r.press("esc")
	r.want("≠ 1  ", "1 HAProxy") // the fleet says the same
	r.press("R")
	r.wantNot("1 HAProxy")
	r.send(tickMsg{})
	r.want("≠ 1  ", "1 HAProxy")
	if asked != 2 {
		t.Errorf("after R the nodes were read %d times", asked)
	}
}

// TestFilesReadBeforeAReloadDoNotCount: once a HAProxy runs another
// configuration its files are read again, and nothing is said of them until then.
func TestFilesReadBeforeAReloadDoNotCount(t *testing.T) {
	asked := 0
	w := newWorld()
	r := newRig(t, w, 120, 40, reading(&asked, func(model.Host) source.Observed[model.NodeConf] { return asDeclared("pg-test") }))
	r.send(tickMsg{})
	r.want("FILES up to date on 3 of 3")
	r.lazy = true
	w.server("pg-test", "10.10.10.12", "replica", "pg-test-2", func(s *haproxy.ServerRow) { s.UserWeight = 50 })
	next := *w.snap
	next.Seq++
	r.send(snapshotMsg{gen: r.m.gen, snap: r.m.feed.world.nodes.beside(&next), boards: r.m.boards})
	r.want("FILES up to date on 2 of 3   ? not checked on pg-test-2")
	r.lazy = false
	r.send(tickMsg{})
	r.want("FILES up to date on 3 of 3")
	if asked != 2 {
		t.Errorf("the nodes were read %d times", asked)
	}
}

// TestWhichFilesAreRead: those of every cluster where the fleet is small, else
// only of the one that is looked at; and again when what was read is old.
func TestWhichFilesAreRead(t *testing.T) {
	asked := map[model.ClusterName]int{}
	open := func(w *world) *rig {
		clear(asked)
		return newRig(t, w, 120, 40, func(d *fake) {
			d.Examine = func(_ context.Context, inv *model.Inventory, h model.Host) model.Reading {
				for i := range inv.Clusters {
					if inv.Clusters[i].LoadBalancer(h) != nil {
						asked[inv.Clusters[i].Name]++
					}
				}
				return model.Reading{Conf: seen(model.NodeConf{})}
			}
		})
	}
	want := func(what string, want map[model.ClusterName]int) {
		t.Helper()
		if !maps.Equal(asked, want) {
			t.Errorf("%s: read %v, want %v", what, asked, want)
		}
	}
	r := open(newWorld())
	for range 4 {
		r.send(tickMsg{})
	}
	want("a small fleet", map[model.ClusterName]int{"pg-meta": 1, "pg-test": 3})
	r.now = r.now.Add(readEvery - time.Second)
	r.send(tickMsg{})
	want("before two minutes are over", map[model.ClusterName]int{"pg-meta": 1, "pg-test": 3})
	r.now = r.now.Add(time.Second)
	r.send(tickMsg{})
	want("after two minutes", map[model.ClusterName]int{"pg-meta": 2, "pg-test": 6})

	r = open(bigWorld(20))
	r.send(tickMsg{})
	want("a large fleet", nil)
	r.press("enter")
	r.send(tickMsg{})
	r.send(tickMsg{})
	want("its first board", map[model.ClusterName]int{"pg-app-00": 3})
}

// TestALookThatCameTooLateDoesNotCount: what was read before a reload began, or
// before the inventory was read again, says nothing of now; and while the screen
// is held no node is read.
func TestALookThatCameTooLateDoesNotCount(t *testing.T) {
	asked := 0
	r := newRig(t, newWorld(), 120, 40, reading(&asked, func(model.Host) source.Observed[model.NodeConf] {
		return asDeclared("pg-test", model.DriftFile{Name: "pg-test-primary.cfg", Kind: "change"})
	}))
	r.lazy = true
	var late []tea.Msg
	for _, cmd := range r.m.readNodes()().(tea.BatchMsg) {
		late = append(late, cmd())
	}
	r.m.feed.world.nodes.forget()
	r.press("space")
	for _, msg := range late {
		r.send(msg)
	}
	if cmd := r.m.readNodes(); cmd != nil {
		t.Error("a node is read while the screen is held")
	}
	r.press("space")
	r.want("FILES · reading the nodes", "● ok")
	if cmd := r.m.readNodes(); cmd == nil {
		t.Error("no node is read any more")
	}
}

// TestANodeThatRefusesIsLeftInPeace: what was read of it before counts for a
// while, beside the error.
func TestANodeThatRefusesIsLeftInPeace(t *testing.T) {
	asked, refuses := 0, false
	r := newRig(t, newWorld(), 120, 40, reading(&asked, func(h model.Host) source.Observed[model.NodeConf] {
		switch {
		case h == "10.10.10.12" && refuses:
			return source.Observed[model.NodeConf]{Err: errors.New("ssh: permission denied"), Tried: t0}
		case h == "10.10.10.12":
			return asDeclared("pg-test", model.DriftFile{Name: "pg-test-offline.cfg", Kind: "change", Summary: []string{"weight"}})
		}
		return asDeclared("pg-test")
	}))
	r.send(tickMsg{})
	refuses = true
	for range 5 {
		r.now = r.now.Add(readSoon)
		r.send(tickMsg{})
	}
	r.want("? not checked on pg-test-2", "ssh: permission", "1 HAProxy file on pg-test-2 differs from the inventory")
	if asked != 2 {
		t.Errorf("its nodes were read %d times", asked)
	}
}

// TestADeadNodeHoldsUpNoOther: what the others hold is told while one has not
// answered, it is asked once at a time, and no more nodes than readSlots are
// asked at once.
func TestADeadNodeHoldsUpNoOther(t *testing.T) {
	asked := 0
	r := newRig(t, newWorld(), 120, 40, reading(&asked, func(model.Host) source.Observed[model.NodeConf] { return asDeclared("pg-test") }))
	r.lazy = true
	batch, ok := r.m.readNodes()().(tea.BatchMsg)
	if !ok || len(batch) != 4 {
		t.Fatalf("%d nodes are asked, of 4", len(batch))
	}
	dead := 0
	for i, cmd := range batch {
		if msg := cmd().(nodeReadMsg); msg.host == "10.10.10.12" {
			dead = i
		} else {
			r.send(msg)
		}
	}
	r.want("FILES up to date on 2 of 3   · reading pg-test-2")
	if cmd := r.m.readNodes(); cmd != nil {
		t.Error("the dead node is asked again while it is being asked")
	}
	r.send(batch[dead]())
	r.want("FILES up to date on 3 of 3")

	many := newRig(t, bigWorld(8), 120, 40, reading(&asked, func(model.Host) source.Observed[model.NodeConf] { return seen(model.NodeConf{}) }))
	many.lazy = true
	if batch := many.m.readNodes()().(tea.BatchMsg); len(batch) != readSlots {
		t.Errorf("%d nodes are asked at once, of 24", len(batch))
	}
}

// TestDrainThatTheStatsPageHides: what HAProxy's socket says of a server that is
// down shows on the board without a key, in what-if, and is read again soon, so
// that its end shows as well.
func TestDrainThatTheStatsPageHides(t *testing.T) {
	drained, asked := true, 0
	w := newWorld()
	w.snap.Servers = nil
	r := newRig(t, w, 120, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Examine = func(_ context.Context, _ *model.Inventory, h model.Host) model.Reading {
			if h == "10.10.10.10" {
				return model.Reading{Conf: asDeclared("pg-meta"), Servers: seen(haproxy.ServerStates{})}
			}
			asked++
			var s haproxy.ServerStates
			if drained {
				s.Touched = []haproxy.ServerState{{Proxy: "pg-test-primary", Server: "pg-test-3", Bits: haproxy.ForcedDrain, Weight: 100, Configured: 100}}
			}
			return model.Reading{Conf: asDeclared("pg-test"), Servers: seen(s)}
		}
	})
	r.want("● ok")
	r.press("w")
	r.want("drain and maint are unknown for servers that are DOWN on")
	r.press("esc")
	r.send(tickMsg{})
	r.want("pg-test-3 is in drain in 5433 primary on every HAProxy node, hidden by its status DOWN", "– refused ≠")
	r.press("w", "j", "j", "l")
	r.want("pg-test-3 is in drain in 5433 primary on every HAProxy node: it gets no new connections", "no server")
	r.wantNot("not known on")
	r.press("esc")
	drained, asked = false, 0
	r.now = r.now.Add(readSoon)
	r.send(tickMsg{})
	if asked != 3 {
		t.Errorf("%d nodes were read again %s later", asked, readSoon)
	}
	r.wantNot("in drain")
	asked = 0
	r.now = r.now.Add(readSoon)
	r.send(tickMsg{})
	if asked != 0 {
		t.Errorf("%d nodes were read again with nothing to watch", asked)
	}
}
