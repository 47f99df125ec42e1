package tui

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
	"pgtui/tui/page"
	"pgtui/tui/page/reload"
	"pgtui/tui/theme"
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
func frames(t *testing.T, w *world, steps func(*rig), change ...func(*fake)) string {
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
	onBoard := func(d *fake) { d.Start = "pg-test" }
	pages := []struct {
		name  string
		steps func(*rig)
		deps  func(*fake)
	}{
		{"fleet", func(*rig) {}, func(*fake) {}},
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
	onBoard := func(d *fake) { d.Start = "pg-test" }
	w := newWorld()
	tests := []struct {
		name  string
		steps func(*rig)
		deps  func(*fake)
	}{
		{"diff-loading", func(r *rig) { r.m.push(reload.NewDiff("pg-test", false)) }, func(*fake) {}},
		{"diff-same-on-all", func(r *rig) { r.press("d") }, func(*fake) {}},
		{"diff-per-node", func(r *rig) { r.press("r") }, func(d *fake) { d.Plan = planning(perNode(w)) }},
		{"diff-risky", func(r *rig) { r.press("r") }, func(d *fake) { d.Plan = planning(risky(w)) }},
		{"confirm-risky", func(r *rig) { r.press("r", "r"); r.fire(true); r.typing("pg-test pau") }, func(d *fake) { d.Plan = planning(risky(w)) }},
		{"diff-nothing", func(r *rig) { r.press("r") }, func(d *fake) { d.Plan = planning(nothing(w)) }},
		{"diff-unreadable", func(r *rig) { r.press("r") }, func(d *fake) { d.Plan = planning(unreadable(w)) }},
		{"diff-several-hunks", func(r *rig) { r.press("r") }, func(d *fake) { d.Plan = planning(hunky(w)) }},
		{"diff-next-change", func(r *rig) { r.press("r", ".", ".") }, func(d *fake) { d.Plan = planning(hunky(w)) }},
		{"diff-scrolled", func(r *rig) { r.press("r", "right", "right") }, func(d *fake) { d.Plan = planning(hunky(w)) }},
		{"diff-added", func(r *rig) { r.press("d") }, func(d *fake) { d.Plan = planning(oneFile(w, nil, []byte(replicaCfg))) }},
		{"diff-deleted", func(r *rig) { r.press("d") }, func(d *fake) { d.Plan = planning(oneFile(w, []byte(replicaCfg), nil)) }},
		{"diff-wide-chars", func(r *rig) { r.press("d") }, func(d *fake) { d.Plan = planning(wideChars(w)) }},
		{"diff-read-only", func(r *rig) { r.press("r") }, func(d *fake) { d.Execute = nil }},
		{"confirm-early", func(r *rig) { r.press("r", "r") }, func(*fake) {}},
		{"confirm", func(r *rig) { r.press("r", "r"); r.fire(true); r.typing("pg-te") }, func(*fake) {}},
		{"run-midway", func(r *rig) { midway(r, w) }, func(*fake) {}},
		{"run-done", func(r *rig) { r.press("r", "r"); r.fire(true); r.readToEnd(); r.typing("pg-test"); r.press("enter") }, func(*fake) {}},
		{"run-failed", func(r *rig) { r.press("r", "r"); r.fire(true); r.readToEnd(); r.typing("pg-test"); r.press("enter") }, failing("10.10.10.12")},
		{"help", func(r *rig) { r.press("?") }, func(*fake) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, "reload/"+tt.name, frames(t, w, tt.steps, onBoard, tt.deps))
		})
	}
}

// TestLogFrames holds the log: what was changed, commands, one row of them in full,
// messages, what a filter leaves, and nothing.
func TestLogFrames(t *testing.T) {
	w := newWorld()
	onLog := func(r *rig) {
		r.m.messages = saidLately()
		r.press("0", "tab")
	}
	ran := func(d *fake) { d.Ran, d.History = ranLately, changedLately }
	golden(t, "events/before", frames(t, w, func(r *rig) { eventful(r).press("e", "end") }, func(d *fake) { d.Start, d.History, d.Timelines = "pg-test", changedLately, leadersLately }))
	golden(t, "log/changes", frames(t, w, func(r *rig) { r.press("0") }, ran))
	golden(t, "log/change-in-full", frames(t, w, func(r *rig) { r.press("0", "enter", "j", "enter") }, ran))
	golden(t, "log/chain-broken", frames(t, w, func(r *rig) { r.press("0") }, func(d *fake) {
		d.History = func() (plan.History, error) {
			h, err := changedLately()
			h.Breaks = []plan.Break{{Line: 12, What: "the line is not as it was written"}, {Line: 13, What: "a line before it is missing"}}
			return h, err
		}
	}))
	golden(t, "log/unreadable", frames(t, w, func(r *rig) { r.press("0") }, func(d *fake) {
		d.History = func() (plan.History, error) {
			return plan.History{}, &source.Hint{Err: errors.New("the audit file cannot be read: /home/dba/.local/state/pgtui/audit.jsonl: its mode is 0666: others can change it"), Try: "chmod 600 /home/dba/.local/state/pgtui/audit.jsonl"}
		}
	}))
	golden(t, "log/commands", frames(t, w, onLog, ran))
	golden(t, "log/in-full", frames(t, w, func(r *rig) { onLog(r); r.press("enter") }, ran))
	golden(t, "log/messages", frames(t, w, func(r *rig) { onLog(r); r.press("tab") }, ran))
	golden(t, "log/filtered", frames(t, w, func(r *rig) { onLog(r); r.press("/"); r.typing("backup"); r.press("enter") }, ran))
	golden(t, "log/no-match", frames(t, w, func(r *rig) { onLog(r); r.press("/"); r.typing("xyz"); r.press("enter") }, ran))
	golden(t, "log/empty", frames(t, w, func(r *rig) { r.press("0") }))
	golden(t, "log/no-messages", frames(t, w, func(r *rig) { r.press("0", "tab", "tab") }))
}

// changedLately are runs of every kind, the oldest first.
func changedLately() (plan.History, error) {
	alice := plan.Operator{User: "root", SudoUser: "alice", Host: "admin-1", SSHFrom: "192.168.100.20"}
	bob := plan.Operator{User: "bob", Host: "admin-1"}
	run := func(id, action, planned string, ago time.Duration, who plan.Operator, outcome string) plan.Run {
		return plan.Run{Began: t0.Add(-ago), Record: plan.Record{Run: id, Action: action, Plan: planned, Who: who, Cluster: "pg-test", Outcome: outcome, TookMs: 8200}}
	}
	reloaded := run("1", plan.ActionReload, "7f3a91c2d4", 50*time.Hour, alice, plan.RunApplied)
	reloaded.Nodes = []plan.NodeRecord{{Host: "10.10.10.11", Outcome: plan.Applied, Backup: "/var/lib/pgtui/backup/7f3a91c2d4"}, {Host: "10.10.10.12", Outcome: plan.Applied}}
	failed := run("2", plan.ActionReload, "91bb02aa17", 40*time.Minute, bob, plan.RunStopped)
	failed.Error = "pg-test: stopped at 10.10.10.11"
	failed.Nodes = []plan.NodeRecord{{Host: "10.10.10.11", Outcome: plan.Restored, Step: plan.StepVerify, Error: "pg-test-2 has weight 100, planned 50"}, {Host: "10.10.10.12", Outcome: plan.Untouched}}
	drained := run("3", "drain", "c0ffee1234", 20*time.Minute, alice, plan.RunApplied)
	drained.Instance, drained.HAProxy, drained.Why = "pg-test-2", []model.Host{"10.10.10.11", "10.10.10.12"}, "kernel update"
	drained.Events = []plan.EventRecord{{At: t0.Add(-20 * time.Minute), State: "done", Host: "10.10.10.11", What: "pg-test-2 is in drain"}}
	killed := run("4", plan.ActionUndo, "5511ee77aa", 30*time.Hour, bob, "")
	killed.Undoes, killed.Interrupted = "7f3a91c2d4", true
	return plan.History{File: "/home/dba/.local/state/pgtui/audit.jsonl", Runs: []plan.Run{reloaded, killed, failed, drained}}, nil
}

// leadersLately are the ends of timelines that Patroni has of a cluster: one without a time,
// and one that the console saw itself.
func leadersLately(model.ClusterName) ([]action.TimelineSwitch, error) {
	return []action.TimelineSwitch{
		{Timeline: 1, LSN: 25623960, Reason: "no recovery target specified"},
		{Timeline: 2, LSN: 83886920, Reason: "no recovery target specified", At: t0.Add(-26 * time.Hour).Format(time.RFC3339Nano), Leader: "pg-test-3"},
		{Timeline: 3, LSN: 93886920, Reason: "no recovery target specified", At: t0.Add(-25 * time.Hour).Format(time.RFC3339Nano), Leader: "pg-test-1"},
		{Timeline: 4, LSN: 99886920, Reason: "no recovery target specified", At: t0.Add(time.Second).Format(time.RFC3339Nano), Leader: "pg-test-2"},
	}, nil
}

// ranLately are commands of every kind, the oldest first.
func ranLately() []model.Ran {
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	read := []string{"sh", "-c", "the files of a directory", "/etc/haproxy/conf.d"}
	return []model.Ran{
		{At: at(-90), Node: "10.10.10.11", Argv: read, Took: 84e6, Reads: true},
		{At: at(-90), Node: "10.10.10.12", Argv: read, Took: 5003e6, Reads: true, Err: &source.Hint{
			Err: errors.New("10.10.10.12: sudo wants a password: nothing was run"), Try: "start pgtui with -K (--ask-become-pass), which asks for it once; leave the console for that"}},
		{At: at(-60), Node: "10.10.10.11", Took: 1840e6, Argv: []string{"sh", "-c", "what a reload does on a node", "apply", "7f3a91c2d4", "/etc/haproxy/conf.d",
			"dba@admin-1 (from 192.168.100.20, by sudo from vagrant)", "pg-test-", "20260803T101112Z", "60"}},
		{At: at(-58), Node: "pg-test-3.example.com", Took: 12e6, Exit: 4, Reads: true, Argv: []string{"sh", "-c", "the backup of a plan", "7f3a91c2d4"}},
		{At: at(-5), Argv: []string{"./pgsql.yml", "-l", "pg-test", "--tags", "pg_service"}, Took: 61200e6},
	}
}

func saidLately() []page.Message {
	return []page.Message{
		{At: t0.Add(-120 * time.Second), Tone: theme.Info, Text: "the inventory was reread, every node is being probed"},
		{At: t0.Add(-60 * time.Second), Tone: theme.Bad, Text: "the inventory cannot be read: pigsty.yml:12: mapping values are not allowed in this context · try: pgtui lint, which says what is wrong with the line, and what was meant"},
		{At: t0.Add(-5 * time.Second), Tone: theme.Warn, Text: reloadRunning},
	}
}

// midway stops the picture in the middle of the second node.
func midway(r *rig, w *world) {
	r.m.push(reload.NewProgress(page.PlanMsg{Cluster: "pg-test", Inv: w.inv, Plan: planOf(w, "pg-test")}))
	for _, h := range []model.Host{"10.10.10.11", "10.10.10.12"} {
		for _, s := range []string{plan.StepStage, plan.StepCheck, plan.StepCompare, plan.StepBackup, plan.StepSwap, plan.StepReload, plan.StepVerify} {
			r.send(page.StepMsg{Result: plan.StepResult{Host: h, Step: s}})
			if h == "10.10.10.12" && s == plan.StepSwap {
				return
			}
			r.send(page.StepMsg{Result: plan.StepResult{Host: h, Step: s, Done: true, Took: 1400e6}})
		}
	}
}

// perNode is a plan in which every node differs: changed, added and deleted.
func perNode(w *world) plan.Plan {
	p := planOf(w, "pg-test")
	p.Nodes[0].Changes = append(p.Nodes[0].Changes, plan.FileChange{Name: "pg-test-report.cfg", After: []byte("listen pg-test-report\n    bind *:5439\n")})
	p.Nodes[1].Changes = []plan.FileChange{{Name: "pg-test-old.cfg", Before: []byte("listen pg-test-old\n    bind *:5440\n")}}
	p.Nodes[2].Changes, p.Nodes[2].Same = nil, 4
	return p
}

// oneFile changes one file on every node.
func oneFile(w *world, before, after []byte) plan.Plan {
	p := planOf(w, "pg-test")
	for i := range p.Nodes {
		p.Nodes[i].Changes = []plan.FileChange{{Name: "pg-test-replica.cfg", Before: before, After: after}}
	}
	return p
}

// hunky changes a file in several places: a word, a line more, a line less, a
// long line near its end, and space.
func hunky(w *world) plan.Plan {
	return oneFile(w, []byte(replicaCfg), edited(replicaCfg,
		"# service backups   10.10.10.11\n", "# service backups   10.10.10.11, 10.10.10.14\n",
		"maxqueue 128 weight 100", "maxqueue 64 weight 100",
		"12:6432 check port 8008 weight 100", "12:6432 check port 8008 weight 50",
		"    server pg-test-3 10.10.10.13:6432 check port 8008 weight 100\n", "",
		"weight 100 backup\n", "weight 100 backup \n    server pg-test-4 10.10.10.14:6432 check port 8008 weight 100 backup\n"))
}

// wideChars changes a file with characters of two cells, and a tab.
func wideChars(w *world) plan.Plan {
	text := "# 服务 pg-test-只读：報表と分析のためのレプリカ\nlisten pg-test-replica\n\tbind *:5434 # ポート\n\tmode tcp\n"
	return oneFile(w, []byte(text), edited(text, "分析", "監視", "\tbind *:5434", "    bind *:5435"))
}

func nothing(w *world) plan.Plan {
	p := planOf(w, "pg-test")
	for i := range p.Nodes {
		p.Nodes[i].Changes, p.Nodes[i].Same = nil, 4
	}
	return p
}

// risky has a risk that stops it on two nodes, one of the cluster, and one that
// is only told.
func risky(w *world) plan.Plan {
	p := planOf(w, "pg-test")
	p.Risks = []plan.Risk{
		{Name: plan.RiskPaused, What: "Patroni is paused: nobody takes over if the leader fails meanwhile"},
		{Name: plan.RiskHandEdited, Host: "10.10.10.11", What: "the cluster's files are not as plan 0123456789ab left them: somebody has changed them since"},
		{Name: plan.RiskHandEdited, Host: "10.10.10.12", What: "the cluster's files are not as plan 0123456789ab left them: somebody has changed them since"},
		{Name: plan.RiskOldWorkers, Host: "10.10.10.11", What: "81 sessions, 66 of them of this cluster, stay with the old worker until they end"},
	}
	p.Pigsty = []string{"on 10.10.10.11 it would delete pg-test-dr-primary.cfg as well: they are not of pg-test, but its `rm` takes pg-test-*.cfg"}
	return p
}

func unreadable(w *world) plan.Plan {
	p := planOf(w, "pg-test")
	p.Nodes[2].Changes = nil
	p.Nodes[2].Err = &source.Hint{Err: errors.New("ssh 10.10.10.13: connect to port 22: no route to host"), Try: "ssh 10.10.10.13, then R here"}
	return p
}

// TestStyledFrames holds what the colours say, escape sequences and all.
func TestStyledFrames(t *testing.T) {
	for _, s := range situations() {
		if s.name != "healthy" && s.name != "failing" {
			continue
		}
		r := newRig(t, s.w, 80, 24, func(d *fake) { d.Start = "pg-test" })
		golden(t, "styled/board-"+s.name, strings.ReplaceAll(r.m.View().Content, "\x1b", "␛")+"\n")
		r.send(tea.ColorProfileMsg{Profile: colorprofile.TrueColor})
		r.send(tea.BackgroundColorMsg{Color: color.Black})
		golden(t, "styled/board-tint-"+s.name, strings.ReplaceAll(r.m.View().Content, "\x1b", "␛")+"\n")
	}
	w := newWorld()
	for name, z := range map[string][2]int{"diff": {80, 40}, "diff-wide": {140, 36}} {
		for _, colours := range []string{"terminal", "none"} {
			r := newRig(t, w, z[0], z[1], func(d *fake) { d.Start, d.Theme, d.Plan = "pg-test", colours, planning(hunky(w)) })
			r.press("d")
			golden(t, "styled/"+name+"-"+colours, strings.ReplaceAll(r.m.View().Content, "\x1b", "␛")+"\n")
		}
	}
}
