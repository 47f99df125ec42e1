package tui

import (
	"slices"
	"testing"

	"pgtui/model"
)

// TestCommands: the operator's commands are in the help, the palette and under
// their keys, and get what is under the cursor.
func TestCommands(t *testing.T) {
	var x terminal
	var readOnly string
	open := func(steps ...string) *rig {
		x.ran = nil
		r := newRig(t, newWorld(), 120, 60, x.into, func(d *fake) {
			d.Start, d.ReadOnly = "pg-test", readOnly
			d.Commands = []model.Command{
				{Name: "uptime", Key: "ctrl+t", Help: "how long the node has run", Argv: []string{"ssh", "{host}", "uptime"}, ReadOnly: true},
				{Name: "vacuum", Key: "V", Argv: []string{"vacuumdb", "-h", "{host}", "-p", "{port}"}, Confirm: true, Pages: []string{"instance"}},
				{Name: "dig", Argv: []string{"dig", "{service}.{cluster}"}},
			}
		})
		r.press(steps...)
		return r
	}
	ran := func(want ...string) {
		t.Helper()
		if len(x.ran) != 1 || !slices.Equal(x.ran[0].Argv, want) {
			t.Errorf("%+v was run, expected %q", x.ran, want)
		}
	}
	r := open("ctrl+t")
	ran("ssh", "10.10.10.11", "uptime")
	r.want("uptime has ended")
	open("t", "j", "enter", "ctrl+t")
	ran("ssh", "10.10.10.12", "uptime")
	open("j", ":", "d", "i", "g", "enter")
	ran("dig", "replica.pg-test")
	r = open("?")
	r.want("ctrl-t", "how long the node has run")
	r.wantNot("vacuumdb")
	r = open(":", "v", "a", "c", "u")
	r.wantNot("vacuumdb")
	open("V")
	if len(x.ran) != 0 {
		t.Errorf("a command of another page was run: %+v", x.ran)
	}
	r = open("t", "j", "enter", "V")
	r.want("Run vacuum on pg-test-2?", "vacuumdb -h 10.10.10.12 -p 54")
	r.fire(true)
	r.typing("pg-test-2")
	if len(x.ran) != 0 {
		t.Errorf("it was run before it was confirmed: %+v", x.ran)
	}
	r.press("enter")
	ran("vacuumdb", "-h", "10.10.10.12", "-p", "5433")
	readOnly = "--read-only"
	r = open("t", "j", "enter", "V")
	r.want("no vacuum: this console is read-only")
	open("ctrl+t")
	ran("ssh", "10.10.10.11", "uptime")
}
