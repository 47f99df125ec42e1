package tui

import (
	"errors"
	"testing"

	"pgtui/model"
	"pgtui/source"
)

// terminal is what programs were run in the terminal, and how they end.
type terminal struct {
	ran  []model.Program
	exit int
	err  error
}

func (x *terminal) into(d *fake) {
	d.Shell = func(inv *model.Inventory, h model.Host) (model.Program, error) {
		return model.Program{Title: "the shell on " + inv.Label(h), Argv: []string{"ssh", string(h)}}, nil
	}
	d.Foreground = func(p model.Program) (int, error) {
		x.ran = append(x.ran, p)
		return x.exit, x.err
	}
}

// last is the last argument of the only program that was run.
func (x *terminal) last(t *testing.T) string {
	t.Helper()
	if len(x.ran) != 1 {
		t.Fatalf("%d programs were run: %+v", len(x.ran), x.ran)
	}
	return x.ran[0].Argv[len(x.ran[0].Argv)-1]
}

// TestShell: ! is a shell on the node that is meant on each page, and how it ended
// is on the screen.
func TestShell(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps func(*rig)
		want  string
	}{
		{"fleet: the leader of the cluster", func(r *rig) { r.press("j") }, "10.10.10.11"},
		{"board: the leader", func(r *rig) { r.press("j", "enter") }, "10.10.10.11"},
		{"topology: the member", func(r *rig) { r.press("j", "enter", "t", "j") }, "10.10.10.12"},
		{"instance", func(r *rig) { r.press("j", "enter", "t", "j", "enter") }, "10.10.10.12"},
		{"node", func(r *rig) { r.press("j", "enter", "n", "tab") }, "10.10.10.12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var x terminal
			r := newRig(t, newWorld(), 120, 40, x.into)
			tt.steps(r)
			r.press("!")
			if got := x.last(t); got != tt.want {
				t.Errorf("a shell on %s, expected %s:\n%s", got, tt.want, r.screen())
			}
			r.want("the shell on", "has ended")
		})
	}
	x := terminal{exit: 255}
	r := newRig(t, newWorld(), 120, 40, x.into)
	r.press("!")
	r.want("ended with exit code 255")
	x.err = &source.Hint{Err: errors.New("there is no ssh"), Try: "install ssh"}
	r.press("!")
	r.want("there is no ssh · try: install ssh")
	r.m.run = &activeRun{running: actionRunning}
	x.ran = nil
	r.press("!")
	r.want(actionRunning)
	if len(x.ran) != 0 {
		t.Errorf("the terminal was given away while an action was running: %+v", x.ran)
	}
}

// TestPsql: P connects to what is chosen, and no password is in the arguments.
func TestPsql(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps func(*rig)
		want  string
	}{
		{"board: the service of the row", func(r *rig) { r.press("j", "enter", "j") }, "postgres://app@pg-test:5434/shop"},
		{"instance: itself", func(r *rig) { r.press("j", "enter", "t", "j", "enter") }, "postgres://app@10.10.10.12:5432/shop"},
		{"access: the entry of the cursor", func(r *rig) { r.press("j", "enter", "a", "right") }, "postgres://app@pg-test:5434/shop"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var x terminal
			r := newRig(t, newWorld(), 120, 40, x.into)
			tt.steps(r)
			r.press("P")
			if got := x.last(t); got != tt.want {
				t.Errorf("psql %s, expected %s:\n%s", got, tt.want, r.screen())
			}
		})
	}
}

// TestEditor: E opens the line of the value, and the diff follows when the file
// has changed.
func TestEditor(t *testing.T) {
	var at model.Place
	var pos source.Pos
	var x terminal
	changed := false
	open := func(steps ...string) *rig {
		x.ran = nil
		w := newWorld()
		w.inv.Inputs = []source.Input{{Path: "/etc/pigsty.yml", Name: "pigsty.yml", Stamp: "1"}}
		r := newRig(t, w, 120, 40, x.into, func(d *fake) {
			d.Editor = func(p model.Place, l source.Pos) (model.Program, error) {
				at, pos = p, l
				return model.Editor([]string{"vim"}, "pigsty.yml", l.Line), nil
			}
			d.Stamp = func(in []source.Input) []source.Input {
				out := []source.Input{in[0]}
				if changed {
					out[0].Stamp = "2"
				}
				return out
			}
		})
		r.press(steps...)
		r.press("E")
		return r
	}
	r := open("j", "enter", "v", "j")
	if x.last(t) != "pigsty.yml" || pos.Line == 0 {
		t.Errorf("%+v at %v", x.ran, pos)
	}
	r.want("the inventory was not changed")
	changed = true
	r = open("j", "enter", "j")
	if want := (model.Place{Cluster: "pg-test", Service: "replica"}); at != want || pos.File != "" {
		t.Errorf("the place is %+v at %v, expected %+v", at, pos, want)
	}
	if r.path() != "fleet › pg-test › diff" {
		t.Errorf("after the editor: %s\n%s", r.path(), r.screen())
	}
	x.exit = 1
	r = open("j", "enter")
	r.want("ended with exit code 1")
	if r.path() != "fleet › pg-test" {
		t.Errorf("after an editor that failed: %s", r.path())
	}
}

// TestAnEditorsFilesAreComparedWithCare: what panics while it looks at them ends nothing,
// and counts as no change.
func TestAnEditorsFilesAreComparedWithCare(t *testing.T) {
	r := newRig(t, newWorld(), 120, 30, func(d *fake) { d.Stamp = func([]source.Input) []source.Input { panic("a bug") } })
	r.drain(r.m.feed.compare(r.m.gen, "pg-test", nil))
	r.want("the inventory was not changed")
}
