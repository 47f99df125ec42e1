package tui

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/model"
	"pgtui/tui/page"
)

var update = flag.Bool("update", false, "write the golden frames anew")

// sizes are the terminals that every page is looked at on.
func sizes() [][2]int { return [][2]int{{80, 24}, {120, 40}, {200, 50}, {40, 10}} }

// golden compares frames with the file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run `make golden` and look at what it wrote", err)
	}
	if !bytes.Equal(want, []byte(got)) {
		t.Errorf("%s: the frame has changed; got:\n%s", path, got)
	}
}

// frames draws what steps leads to at every size, one after the other.
func frames(t *testing.T, w *world, steps func(*rig), change ...func(*Deps)) string {
	var b strings.Builder
	for _, z := range sizes() {
		r := newRig(t, w, z[0], z[1], change...)
		steps(r)
		fmt.Fprintf(&b, "=== %dx%d\n", z[0], z[1])
		for _, l := range strings.Split(r.screen(), "\n") {
			b.WriteString(strings.TrimRight(l, " ") + "\n")
		}
	}
	return b.String()
}

// TestFrames holds every page of the state pages in every situation.
func TestFrames(t *testing.T) {
	onBoard := func(d *Deps) { d.Start = "pg-test" }
	pages := []struct {
		name  string
		steps func(*rig)
		deps  func(*Deps)
	}{
		{"fleet", func(*rig) {}, func(*Deps) {}},
		{"board", func(*rig) {}, onBoard},
		{"cell", func(r *rig) { r.press("j", "right", "right", "right") }, onBoard},
		{"service", func(r *rig) { r.press("j", "enter") }, onBoard},
		{"findings", func(r *rig) { r.press("f") }, onBoard},
		{"whatif", func(r *rig) { r.press("w") }, onBoard},
		{"topology", func(r *rig) { r.press("t", "j") }, onBoard},
		{"instance", func(r *rig) { r.press("i") }, onBoard},
		{"node", func(r *rig) { r.press("n", "j") }, onBoard},
	}
	for _, s := range situations() {
		for _, p := range pages {
			t.Run(p.name+"/"+s.name, func(t *testing.T) {
				golden(t, p.name+"/"+s.name, frames(t, s.w, p.steps, p.deps))
			})
		}
	}
}

// TestReloadFrames holds the pages on the way through a reload.
func TestReloadFrames(t *testing.T) {
	onBoard := func(d *Deps) { d.Start = "pg-test" }
	w := newWorld()
	tests := []struct {
		name  string
		steps func(*rig)
		deps  func(*Deps)
	}{
		{"diff-loading", func(r *rig) { r.m.push(page.NewDiff("pg-test", false)) }, func(*Deps) {}},
		{"diff-same-on-all", func(r *rig) { r.press("d") }, func(*Deps) {}},
		{"diff-per-node", func(r *rig) { r.press("r") }, func(d *Deps) { d.Plan = planning(perNode(w)) }},
		{"diff-risky", func(r *rig) { r.press("r") }, func(d *Deps) { d.Plan = planning(risky(w)) }},
		{"confirm-risky", func(r *rig) { r.press("r", "r"); r.fire(true); r.typing("pg-test pau") }, func(d *Deps) { d.Plan = planning(risky(w)) }},
		{"diff-nothing", func(r *rig) { r.press("r") }, func(d *Deps) { d.Plan = planning(nothing(w)) }},
		{"diff-unreadable", func(r *rig) { r.press("r") }, func(d *Deps) { d.Plan = planning(unreadable(w)) }},
		{"diff-several-hunks", func(r *rig) { r.press("r") }, func(d *Deps) { d.Plan = planning(hunky(w)) }},
		{"diff-next-change", func(r *rig) { r.press("r", ".", ".") }, func(d *Deps) { d.Plan = planning(hunky(w)) }},
		{"diff-scrolled", func(r *rig) { r.press("r", "right", "right") }, func(d *Deps) { d.Plan = planning(hunky(w)) }},
		{"diff-added", func(r *rig) { r.press("d") }, func(d *Deps) { d.Plan = planning(oneFile(w, nil, []byte(replicaCfg))) }},
		{"diff-deleted", func(r *rig) { r.press("d") }, func(d *Deps) { d.Plan = planning(oneFile(w, []byte(replicaCfg), nil)) }},
		{"diff-wide-chars", func(r *rig) { r.press("d") }, func(d *Deps) { d.Plan = planning(wideChars(w)) }},
		{"diff-read-only", func(r *rig) { r.press("r") }, func(d *Deps) { d.Execute = nil }},
		{"confirm-early", func(r *rig) { r.press("r", "r") }, func(*Deps) {}},
		{"confirm", func(r *rig) { r.press("r", "r"); r.fire(true); r.typing("pg-te") }, func(*Deps) {}},
		{"run-midway", func(r *rig) { midway(r, w) }, func(*Deps) {}},
		{"run-done", func(r *rig) { r.press("r", "r"); r.fire(true); r.typing("pg-test"); r.press("enter") }, func(*Deps) {}},
		{"run-failed", func(r *rig) { r.press("r", "r"); r.fire(true); r.typing("pg-test"); r.press("enter") }, failing("10.10.10.12")},
		{"help", func(r *rig) { r.press("?") }, func(*Deps) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, "reload/"+tt.name, frames(t, w, tt.steps, onBoard, tt.deps))
		})
	}
}

// midway stops the picture in the middle of the second node.
func midway(r *rig, w *world) {
	r.m.push(page.NewRun(page.PlanMsg{Cluster: "pg-test", Inv: w.inv, Plan: planOf(w, "pg-test")}))
	for _, h := range []model.Host{"10.10.10.11", "10.10.10.12"} {
		for _, s := range []string{model.StepStage, model.StepCheck, model.StepCompare, model.StepBackup, model.StepSwap, model.StepReload, model.StepVerify} {
			r.send(page.StepMsg{Result: model.StepResult{Host: h, Step: s}})
			if h == "10.10.10.12" && s == model.StepSwap {
				return
			}
			r.send(page.StepMsg{Result: model.StepResult{Host: h, Step: s, Done: true, Took: 1400e6}})
		}
	}
}

// perNode is a plan in which every node differs: changed, added and deleted.
func perNode(w *world) model.Plan {
	p := planOf(w, "pg-test")
	p.Nodes[0].Changes = append(p.Nodes[0].Changes, model.FileChange{Name: "pg-test-report.cfg", After: []byte("listen pg-test-report\n    bind *:5439\n")})
	p.Nodes[1].Changes = []model.FileChange{{Name: "pg-test-old.cfg", Before: []byte("listen pg-test-old\n    bind *:5440\n")}}
	p.Nodes[2].Changes, p.Nodes[2].Same = nil, 4
	return p
}

// oneFile changes one file on every node.
func oneFile(w *world, before, after []byte) model.Plan {
	p := planOf(w, "pg-test")
	for i := range p.Nodes {
		p.Nodes[i].Changes = []model.FileChange{{Name: "pg-test-replica.cfg", Before: before, After: after}}
	}
	return p
}

// hunky changes a file in several places: a word, a line more, a line less, a
// long line near its end, and space.
func hunky(w *world) model.Plan {
	return oneFile(w, []byte(replicaCfg), edited(replicaCfg,
		"# service backups   10.10.10.11\n", "# service backups   10.10.10.11, 10.10.10.14\n",
		"maxqueue 128 weight 100", "maxqueue 64 weight 100",
		"12:6432 check port 8008 weight 100", "12:6432 check port 8008 weight 50",
		"    server pg-test-3 10.10.10.13:6432 check port 8008 weight 100\n", "",
		"weight 100 backup\n", "weight 100 backup \n    server pg-test-4 10.10.10.14:6432 check port 8008 weight 100 backup\n"))
}

// wideChars changes a file with characters of two cells, and a tab.
func wideChars(w *world) model.Plan {
	text := "# 服务 pg-test-只读：報表と分析のためのレプリカ\nlisten pg-test-replica\n\tbind *:5434 # ポート\n\tmode tcp\n"
	return oneFile(w, []byte(text), edited(text, "分析", "監視", "\tbind *:5434", "    bind *:5435"))
}

func nothing(w *world) model.Plan {
	p := planOf(w, "pg-test")
	for i := range p.Nodes {
		p.Nodes[i].Changes, p.Nodes[i].Same = nil, 4
	}
	return p
}

// risky has a risk that stops it on two nodes, one of the cluster, and one that
// is only told.
func risky(w *world) model.Plan {
	p := planOf(w, "pg-test")
	p.Risks = []model.Risk{
		{Name: model.RiskPaused, What: "Patroni is paused: nobody takes over if the leader fails meanwhile"},
		{Name: model.RiskHandEdited, Host: "10.10.10.11", What: "the cluster's files are not as plan 0123456789ab left them: somebody has changed them since"},
		{Name: model.RiskHandEdited, Host: "10.10.10.12", What: "the cluster's files are not as plan 0123456789ab left them: somebody has changed them since"},
		{Name: model.RiskOldWorkers, Host: "10.10.10.11", What: "81 sessions, 66 of them of this cluster, stay with the old worker until they end"},
	}
	p.Pigsty = []string{"on 10.10.10.11 it would delete pg-test-dr-primary.cfg as well: they are not of pg-test, but its `rm` takes pg-test-*.cfg"}
	return p
}

func unreadable(w *world) model.Plan {
	p := planOf(w, "pg-test")
	p.Nodes[2].Changes = nil
	p.Nodes[2].Err = &model.Hint{Err: errors.New("ssh 10.10.10.13: connect to port 22: no route to host"), Try: "ssh 10.10.10.13, then R here"}
	return p
}

// TestStyledFrames holds what the colours say, escape sequences and all.
func TestStyledFrames(t *testing.T) {
	for _, s := range situations() {
		if s.name != "healthy" && s.name != "failing" {
			continue
		}
		r := newRig(t, s.w, 80, 24, func(d *Deps) { d.Start = "pg-test" })
		golden(t, "styled/board-"+s.name, strings.ReplaceAll(r.m.View().Content, "\x1b", "␛")+"\n")
	}
	w := newWorld()
	for name, z := range map[string][2]int{"diff": {80, 40}, "diff-wide": {140, 36}} {
		for _, colours := range []string{"terminal", "none"} {
			r := newRig(t, w, z[0], z[1], func(d *Deps) { d.Start, d.Theme, d.Plan = "pg-test", colours, planning(hunky(w)) })
			r.press("d")
			golden(t, "styled/"+name+"-"+colours, strings.ReplaceAll(r.m.View().Content, "\x1b", "␛")+"\n")
		}
	}
}
