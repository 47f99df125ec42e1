package tui

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/widget"
)

func TestPaletteGoesToEverything(t *testing.T) {
	for _, tt := range []struct{ typed, path string }{
		{"pg-meta", "fleet › pg-meta"}, {"pg-test-replica", "fleet › replica"}, {"findings", "fleet › findings"},
		{"log", "fleet › log"}, {"pgtst", "fleet › pg-test"},
		{"pg-test-2", "fleet › pg-test-2"},
	} {
		r := newRig(t, newWorld(), 80, 24)
		r.press(":")
		r.typing(tt.typed)
		r.press("enter")
		if got := r.path(); got != tt.path {
			t.Errorf(":%s leads to %s, want %s", tt.typed, got, tt.path)
		}
	}
	r := newRig(t, newWorld(), 80, 24)
	r.press(":")
	r.typing("findi")
	r.want("findings", "screen")
	r.press("tab")
	r.want(":findings")
	r.press("esc")
	r.wantNot(":findings")
	r.press(":")
	r.typing("zzzz")
	r.press("enter")
	r.want("no match: zzzz")
	r.press("q")
	if !r.quit {
		t.Error("the palette kept the keyboard")
	}
}

// TestPaletteTakesWhatAnAlertNames: an address, a port, "instance" and a name;
// and of things with one name the one on screen comes first, then trouble.
func TestPaletteTakesWhatAnAlertNames(t *testing.T) {
	for _, tt := range []struct {
		start       model.ClusterName
		typed, path string
	}{
		{"", "10.10.10.12", "fleet › pg-test-2"}, {"pg-test", "5434", "fleet › pg-test › replica"}, {"pg-meta", "5434", "fleet › pg-meta › replica"},
		{"", "instance pg-test-3", "fleet › pg-test-3"}, {"", "service pg-test  replica", "fleet › replica"}, {"pg-test", "service replica", "fleet › pg-test › replica"},
		{"", "board pg-meta", "fleet › pg-meta"}, {"pg-test", "primary", "fleet › pg-test › primary"}, {"pg-meta", "primary", "fleet › pg-meta › primary"},
		{"pg-test", "findings", "fleet › pg-test › findings"}, {"pg-test", "instance", "fleet › pg-test › pg-test-1"},
	} {
		r := newRig(t, newWorld(), 80, 24, func(d *fake) { d.Start = tt.start })
		r.press(":")
		r.typing(tt.typed)
		r.press("enter")
		if got := r.path(); got != tt.path {
			t.Errorf("at %q, :%s leads to %s, want %s", tt.start, tt.typed, got, tt.path)
		}
	}
	w := newWorld()
	w.shut("pg-test-1", "6432") // pg-test is in trouble, pg-meta comes first in the inventory
	r := newRig(t, w, 80, 24)
	r.press("0", ":")
	r.typing("primary")
	r.press("enter")
	if got := r.path(); got != "fleet › pg-test › primary" {
		t.Errorf("trouble does not come first: %s\n%s", got, r.screen())
	}
}

// TestContextsAreChosen: the word alone opens none.
func TestContextsAreChosen(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Contexts = []ContextInfo{{Name: "a-prod", Environment: "production"}, {Name: "b"}}
		d.Context = d.Contexts[1]
		d.Open = func(context.Context, string) (Deps, error) { return Deps{}, errors.New("was opened") }
	})
	r.press(":")
	r.typing("ctx")
	r.press("enter", "enter")
	r.want("ctx a-prod", "ctx b", "open", "chooses the context")
	r.wantNot("was opened")
	r.press("down", "enter")
	r.want("context a-prod: was opened")
	r = newRig(t, newWorld(), 100, 30)
	r.press(":")
	r.typing("ctx")
	r.press("enter")
	r.want("none is declared: see pgtui config init")
}

// TestAnAlertsNameFindsTheCluster: the fleet's filter takes instances and addresses.
func TestAnAlertsNameFindsTheCluster(t *testing.T) {
	for _, typed := range []string{"test-2", "10.10.10.12", "!meta"} {
		r := newRig(t, newWorld(), 80, 24)
		r.press("/")
		r.typing(typed)
		r.want("▸pg-test ", "1 hidden by the filter")
	}
}

// TestTheMouseComesAndGoes, and each time it is said who has it.
func TestTheMouseComesAndGoes(t *testing.T) {
	r := newRig(t, newWorld(), 80, 24)
	r.press("m")
	r.want("the terminal has the mouse")
	r.press("m")
	r.want("pgtui has the mouse again")
	r.wantNot("the terminal has the mouse")
}

func TestNumbersJumpAndHistoryLeadsBack(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	for _, step := range []struct{ key, path string }{
		{"6", "fleet › pg-test › findings"}, {"7", "fleet › pg-test › events"}, {"1", "fleet"}, {"<", "fleet › pg-test › events"},
		{"<", "fleet › pg-test › findings"}, {">", "fleet › pg-test › events"}, {"esc", "fleet › pg-test"}, {"0", "fleet › pg-test › log"},
	} {
		r.press(step.key)
		if got := r.path(); got != step.path {
			t.Errorf("%s leads to %s, want %s", step.key, got, step.path)
		}
	}
}

func TestEveryScreenOfTheRegistryOpens(t *testing.T) {
	w := newWorld()
	e := page.Env{W: 80, H: 24, Now: t0, Inv: w.inv, Snap: w.snap, Boards: w.boards()}
	names, numbers := map[string]bool{}, map[string]bool{}
	for _, s := range screens() {
		if names[s.Name] || s.Key != "" && numbers[s.Key] || s.Open != nil && s.Help == "" || len(s.Keys) == 0 {
			t.Errorf("%s, %s: there is another one, or no help, or no keys", s.Name, s.Key)
		}
		names[s.Name], numbers[s.Key] = true, true
		if s.Open == nil {
			continue
		}
		if p := s.Open(page.Place{Cluster: "pg-test"}, e); p.Scope() != s.Name {
			t.Errorf("the page of %s has the keys of %s", s.Name, p.Scope())
		}
		for _, z := range [][2]int{{20, 5}, {80, 24}, {300, 100}} {
			r := newRig(t, w, z[0], z[1])
			r.press(":")
			r.typing(s.Name)
			r.press("enter")
			if lines := strings.Split(r.m.View().Content, "\n"); len(lines) != z[1] {
				t.Errorf("%s at %v: %d lines", s.Name, z, len(lines))
			}
		}
	}
}

func TestFrozenScreenHoldsStill(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("space")
	r.want("FROZEN since")
	down := newWorld()
	down.mute("pg-test-1", time.Minute)
	down.snap.Seq = r.m.snap.Seq + 1
	before := r.m.snap
	r.send(snapshotMsg{gen: r.m.gen, snap: down.snap, boards: down.boards(), more: make(chan *model.Snapshot)})
	if r.m.snap != before {
		t.Error("the frozen screen went on")
	}
	r.press("space")
	r.wantNot("FROZEN")
	if r.m.snap != down.snap {
		t.Error("the screen did not go on with the newest answer")
	}
}

func TestRefreshRate(t *testing.T) {
	r := newRig(t, newWorld(), 80, 24)
	r.press("-")
	r.want("probed every 5s")
	r.press("+", "+")
	r.want("probed every 1s")
	r.press("+", "+")
	r.want("every 500ms is the limit")
}

func TestCopySaysWhatItCopied(t *testing.T) {
	r := newRig(t, newWorld(), 120, 30, func(d *fake) { d.Start, d.Command = "pg-test", "pgtui -i /x.yml" })
	r.lazy = true
	_, cmd := r.m.Update(keyOf("y"))
	if cmd == nil {
		t.Fatal("nothing was sent to the terminal")
	}
	if got := cmd(); got != tea.SetClipboard("pgtui -i /x.yml status pg-test")() {
		t.Errorf("sent %#v", got)
	}
	r.press("y")
	r.want("sent to the terminal's clipboard: pgtui -i /x.yml status pg-test", "in Pigsty: pg list pg-test")
	r.press("0", "tab", "tab")
	r.want("MESSAGES 1", "clipboard:")
	r = newRig(t, newWorld(), 80, 24, func(d *fake) { d.Start, d.Command = "pg-test", "pgtui -i /srv/a/long/way/to/the/inventory/pigsty.yml" })
	r.press("8", "y")
	r.want("sent to the terminal's clipboard: pgtui -i", "/srv/a/long/way/to/the/inventory/pigsty.yml reload pg-test --dry-run", "Pigsty: bin/pgsql-svc pg-test")
	r.press("\"")
	r.want("MESSAGES 1", "pigsty.yml reload pg-test --dry-run", "Pigsty: bin/pgsql-svc pg-test")
	r.press("esc", "9", "y", "\"", "\"")
	r.want("MESSAGES 2", "pigsty.yml whatif", "--down pg-test-1")
	if got := r.path(); got != "fleet › pg-test › what if › log" {
		t.Errorf("path %q: the messages were opened twice", got)
	}
}

// TestCopiedCommandsAreReadBackByAShell runs what y copies in a real shell, in
// which pgtui prints its arguments.
func TestCopiedCommandsAreReadBackByAShell(t *testing.T) {
	for _, path := range []string{"/x.yml", "/srv/my  pigsty/it's \"here\".yml", "/$(touch /tmp/x)/`id`/a\\b;c&d|e*?[f]~#!.yml", "-", "ä b.yml"} {
		for _, name := range []model.ClusterName{"pg-test", "pg test", "it's", `a "b"  $HOME`, "status", "--watch"} {
			for _, screen := range []struct {
				keys []string
				want []string
			}{{nil, []string{"status", string(name)}}, {[]string{"6"}, []string{"doctor", string(name)}}, {[]string{"7"}, []string{"status", string(name), "--watch"}}} {
				w := newWorld()
				w.inv.Cluster("pg-test").Name = name
				r := newRig(t, w, 120, 30, func(d *fake) { d.Start, d.Command = name, "pgtui -i "+text.Word(path) })
				r.press(screen.keys...)
				r.lazy = true
				_, cmd := r.m.Update(keyOf("y"))
				if cmd == nil {
					t.Fatalf("%q %v: nothing was copied", name, screen.keys)
				}
				copied := fmt.Sprint(cmd())
				out, err := exec.Command("sh", "-c", `pgtui() { printf '%s\n' "$@"; }; `+copied).CombinedOutput()
				want := append([]string{"-i", path}, screen.want...)
				if got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s is read as %q, want %q (%v)", copied, got, want, err)
				}
			}
		}
	}
}

func TestColumnsAreThoseOfTheConfiguration(t *testing.T) {
	r := newRig(t, newWorld(), 120, 30, func(d *fake) { d.Columns = map[string][]string{"fleet": {"state", "nosuch", "Cluster", "tl"}} })
	lines := strings.Split(r.screen(), "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "CLUSTER") })
	if at < 0 {
		t.Fatalf("no title:\n%s", r.screen())
	}
	if got := strings.Fields(lines[at]); !slices.Equal(got, []string{"STATE", "CLUSTER", "TL"}) {
		t.Errorf("the columns are %q", got)
	}
	if row := lines[at+1]; !strings.Contains(row, "ok") || strings.Index(row, "ok") > strings.Index(row, "pg-meta") || strings.Contains(row, "pg-meta-1") {
		t.Errorf("the row is not in the order of its titles: %q", row)
	}
	r.press("j", "enter")
	if got := r.path(); got != "fleet › pg-test" {
		t.Errorf("the cursor leads to %s", got)
	}
}

func TestEveryActionOfAScreenCanBeGivenAKey(t *testing.T) {
	names := Keys().Actions()
	for _, s := range screens() {
		for _, r := range s.Keys {
			if !slices.Contains(names, string(r.Action)) {
				t.Errorf("%s: the configuration does not know the action %s", s.Name, r.Action)
			}
		}
	}
}

func TestBannersCannotBeMissed(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Context = ContextInfo{Name: "prod-a", Environment: "production", Production: true}
		d.ReadOnly = "--read-only"
	})
	r.want("PRODUCTION · prod-a", "READ-ONLY by --read-only")
	for _, z := range [][2]int{{20, 5}, {40, 10}, {300, 100}} {
		r.send(tea.WindowSizeMsg{Width: z[0], Height: z[1]})
		for i, l := range strings.Split(r.screen(), "\n") {
			if widget.Width(l) > z[0] {
				t.Errorf("%v: line %d is %d cells wide", z, i, widget.Width(l))
			}
		}
		r.want("PRODUCTION")
	}
}

func TestReadOnlyConsoleExecutesNothing(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 80, 24, func(d *fake) { d.ReadOnly = "PGTUI_READ_ONLY" })
	r.drain(r.m.perform(page.Execute{Plan: page.PlanMsg{Cluster: "pg-test", Inv: w.inv, Plan: planOf(w, "pg-test")}}))
	if r.m.run != nil {
		t.Error("a read-only console reloads")
	}
	r.want("read-only")
}

func TestCommandLog(t *testing.T) {
	r := newRig(t, newWorld(), 120, 20, func(d *fake) {
		d.Ran = func() []model.Ran {
			return []model.Ran{{At: t0, Node: "10.10.10.11", Argv: []string{"sh", "-c", "read" + hostile}, Took: 41 * time.Millisecond, Exit: 2}}
		}
	})
	r.fire(false)
	r.press("0")
	r.want("CHANGES 0", "Nothing was changed with this inventory: /home/dba/.local/state/pgtui/audit.jsonl has no run of it.")
	r.press("tab")
	r.want("COMMANDS 1", "10.10.10.11  41  2     read")
	harmless(t, "log", r.m.View().Content)
	r.press("enter")
	r.want("10.10.10.11  41  2     read", "exit 2  41 ms", "sh -c read")
	harmless(t, "log in full", r.m.View().Content)
	r.press("enter")
	r.wantNot("sh -c read")
	r.press("tab")
	r.want("MESSAGES 0")
	r.press("tab")
	r.want("CHANGES 0")
	r.press("h")
	r.want("MESSAGES 0")
}

// TestLogKeepsItsRow: the cursor stays on its row when another comes, what failed
// lately is first, and enter opens one row.
func TestLogKeepsItsRow(t *testing.T) {
	more := 0
	r := newRig(t, newWorld(), 100, 24, func(d *fake) {
		d.History = changedLately
		d.Ran = func() []model.Ran {
			ran := ranLately()
			for i := range more {
				ran = append(ran, model.Ran{At: t0.Add(time.Duration(i) * time.Second), Node: "10.10.10.13", Argv: []string{"later"}})
			}
			return ran
		}
	})
	r.fire(false)
	under := func(want string) {
		t.Helper()
		for _, l := range strings.Split(r.screen(), "\n") {
			if strings.HasPrefix(l, "▸") && !strings.Contains(l, want) {
				t.Errorf("the cursor is on %q, expected %q", l, want)
			}
		}
	}
	r.press("0")
	under("stopped") // 40 minutes ago; the one of 30 hours ago is in its place
	r.press("enter", "tab")
	under("the backup of a plan")
	r.press("j", "j", "enter")
	r.want("exit 0  61200 ms")
	under("./pgsql.yml")
	more = 3
	r.fire(false)
	r.want("COMMANDS 8", "exit 0  61200 ms")
	under("./pgsql.yml")
	r.press("G")
	under("the files of a directory")
	r.press("g", "enter")
	r.want("exit 4  12 ms")
	r.wantNot("exit 0  61200 ms")
	r.press("/")
	r.typing("later")
	r.press("enter")
	r.want("COMMANDS 3")
	under("later")
}

// TestLogReadsTheAuditFile when it opens and on R, and not while it is drawn.
func TestLogReadsTheAuditFile(t *testing.T) {
	read := 0
	r := newRig(t, newWorld(), 100, 24, func(d *fake) {
		d.History = func() (plan.History, error) { read++; return changedLately() }
	})
	r.press("0")
	r.fire(false)
	r.screen()
	if read != 1 {
		t.Errorf("read %d times", read)
	}
	r.press("R")
	if read != 2 {
		t.Errorf("R: read %d times", read)
	}
}

func TestKeysCanBeGivenToOthers(t *testing.T) {
	r := newRig(t, newWorld(), 100, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Keys = map[string][]string{"findings": {"x"}, "copy": {}}
	})
	r.press("f")
	if got := r.path(); got != "fleet › pg-test" {
		t.Errorf("f still leads to %s", got)
	}
	r.press("x")
	if got := r.path(); got != "fleet › pg-test › findings" {
		t.Errorf("x leads to %s", got)
	}
	r.press("y")
	r.wantNot("copied")
	if Keys().Actions() == nil {
		t.Error("no action has a name")
	}
}

func TestMouse(t *testing.T) {
	r := newRig(t, bigWorld(20), 100, 30)
	if r.m.View().MouseMode != tea.MouseModeCellMotion {
		t.Error("the mouse is not taken")
	}
	body := strings.Split(r.screen(), "\n")
	y := 6
	name := strings.Fields(body[y])[0]
	r.send(tea.MouseClickMsg{X: 5, Y: y, Button: tea.MouseLeft})
	r.send(tea.MouseClickMsg{X: 5, Y: y, Button: tea.MouseLeft})
	if got := r.path(); got != "fleet › "+name {
		t.Errorf("two clicks on %q lead to %s", name, got)
	}
	foot := strings.Split(r.screen(), "\n")[29]
	r.send(tea.MouseClickMsg{X: strings.Index(foot, "findings") + 1, Y: 29, Button: tea.MouseLeft})
	if got := r.path(); got != "fleet › "+name+" › findings" {
		t.Errorf("a click on the footer's findings leads to %s", got)
	}
	r.send(tea.MouseClickMsg{X: 9, Y: 0, Button: tea.MouseLeft})
	if got := r.path(); got != "fleet › "+name {
		t.Errorf("a click on the path leads to %s", got)
	}
	r.press("1")
	before := r.screen()
	r.send(tea.MouseWheelMsg{X: 5, Y: 10, Button: tea.MouseWheelDown})
	if r.screen() == before {
		t.Error("the wheel moves nothing")
	}
	r.press("m")
	if r.m.View().MouseMode != tea.MouseModeNone {
		t.Error("m does not let the terminal have the mouse")
	}
}

func TestFilterModes(t *testing.T) {
	for filter, want := range map[string]bool{
		"meta": true, "!meta": false, "~^pg-m.t": true, "~^meta": false, "!~^meta": true, "=pgmt": true, "=tmgp": false, "~(": true, "!": true, "": true,
	} {
		r := newRig(t, newWorld(), 100, 30)
		r.press("/")
		r.typing(filter)
		r.press("enter")
		if got := strings.Contains(r.screen(), "pg-meta  "); got != want {
			t.Errorf("%q shows pg-meta: %v, want %v", filter, got, want)
		}
	}
}

// TestTheFilterLineIsEdited: the caret moves, and words are deleted whole.
func TestTheFilterLineIsEdited(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30)
	r.press("/")
	r.typing("pg-tst")
	r.press("left", "left", "e")
	r.want("/pg-te▏st", "▸pg-test")
	r.press("ctrl+e")
	r.typing(" meta")
	r.press("ctrl+w", "backspace")
	r.want("/pg-test▏", "▸pg-test")
	r.press("ctrl+u")
	r.want("/▏", "pg-meta")
}

func TestThemesSayTheSame(t *testing.T) {
	want := newRig(t, newWorld(), 80, 24).screen()
	for _, name := range []string{"dark", "light", "colour-blind", "none"} {
		if got := newRig(t, newWorld(), 80, 24, func(d *fake) { d.Theme = name }).screen(); got != want {
			t.Errorf("%s shows other text:\n%s", name, got)
		}
	}
}

func TestAnotherContextLeavesNothingOfTheOldOne(t *testing.T) {
	other := bigWorld(2)
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Contexts = []ContextInfo{{Name: "a"}, {Name: "b", Environment: "production", Production: true}}
		d.Open = func(_ context.Context, name string) (Deps, error) {
			if name != "b" {
				return Deps{}, errors.New("no such file")
			}
			next := deps(other)
			next.Context = ContextInfo{Name: "b", Environment: "production", Production: true}
			return next.deps(), nil
		}
	})
	old := r.m.gen
	late := []tea.Msg{
		snapshotMsg{gen: old, snap: r.m.snap, boards: r.m.boards, events: []board.Event{{At: t0, Cluster: "pg-test"}}, more: make(chan *model.Snapshot)},
		judgedMsg{gen: old, events: []board.Event{{At: t0, Cluster: "pg-test"}}},
		inventoryMsg{gen: old, inv: r.m.inv},
		plannedMsg{page.PlanMsg{Cluster: "pg-test", Inv: r.m.inv}, old},
	}
	r.press(":")
	r.typing("ctx a")
	r.press("enter")
	r.want("context a: no such file", "pg-test")
	r.press(":")
	r.typing("ctx b")
	r.press("enter")
	r.want("PRODUCTION · b", "pg-app-00")
	for _, msg := range late {
		r.send(msg)
		r.wantNot("pg-test")
	}
	if r.m.inv != other.inv || len(r.m.events) != 0 {
		t.Errorf("the old context came back: %s, %d events", r.m.inv.Source, len(r.m.events))
	}
}

func TestAlarmsAreShownOnEveryScreen(t *testing.T) {
	for _, tt := range []struct {
		code     string
		severity model.Severity
		want     string
	}{
		{"two-primaries", model.Critical, "SPLIT BRAIN: pg-test"}, {"dcs-trouble", model.Critical, "FAILSAFE: pg-test"},
		{"dcs-trouble", model.Warning, "NO LEADER KEY: pg-test"}, {"paused", model.Warning, "PAUSED: pg-test"},
	} {
		r := newRig(t, newWorld(), 80, 24)
		boards := newWorld().boards()
		for i := range boards {
			if boards[i].Cluster.Name == "pg-test" {
				found(&boards[i], model.Finding{Code: tt.code, Cluster: "pg-test", Severity: tt.severity})
			}
		}
		r.m.judge(boards)
		r.want(tt.want)
		r.press("0")
		r.want(tt.want)
		r.press(":")
		r.typing("pg-meta")
		r.press("enter")
		r.wantNot(tt.want)
	}
}

// TestDefaultKeysAreWhole: the table that a configuration is held against has every
// action, and nobody's key is taken by another's without a configuration.
func TestDefaultKeysAreWhole(t *testing.T) {
	all := map[string]bool{}
	for _, scope := range Keys().Scopes() {
		owner := map[string]keys.Action{}
		for _, r := range Keys().In(scope) {
			all[string(r.Action)] = true
			has := r.Keys == ""
			for _, k := range r.Names() {
				if owner[k] == "" {
					owner[k] = r.Action
				}
				has = has || owner[k] == r.Action
			}
			if r.When == keys.Replaying && (scope == "diff" || scope == "reload") {
				continue // a replay has no plan
			}
			if !has && !(scope == "help" && r.Action == keys.Freeze) { // which stands still, and pages by space
				t.Errorf("on %s no key is left for %s: its keys belong to %s", scope, r.Action, owner[r.Names()[0]])
			}
		}
	}
	for _, name := range Keys().Actions() {
		if screen, ok := strings.CutPrefix(name, "screen-"); ok && !slices.ContainsFunc(screens(), func(s page.Screen) bool { return s.Name == screen && s.Key != "" }) {
			continue
		}
		if !all[name] {
			t.Errorf("no screen has %s: the table of keys lacks it", name)
		}
	}
	for screen, columns := range Columns() {
		if len(columns) == 0 || !all["screen-"+screen] {
			t.Errorf("%s: columns %v", screen, columns)
		}
	}
}
