package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
	"pgtui/tui/page"
)

// desk is a console whose inventory's file can be written.
type desk struct {
	*rig
	stamp string // of the file now
	read  []string
	next  func() (*model.Inventory, error) // what reading it again gives
}

func newDesk(t *testing.T, runs bool, change ...func(*fake)) *desk {
	d := &desk{stamp: "1"}
	w := newWorld()
	inv := *w.inv
	inv.LoadedAt = t0
	w.inv = &inv
	inv.Inputs = []source.Input{{Path: "/x/pigsty.yml", Name: "pigsty.yml", Stamp: "1", Runs: runs}}
	d.next = func() (*model.Inventory, error) {
		again := inv
		again.Hash, again.LoadedAt = "hash of "+d.stamp, d.now
		again.Inputs = []source.Input{{Path: "/x/pigsty.yml", Name: "pigsty.yml", Stamp: d.stamp, Runs: runs}}
		return &again, nil
	}
	d.rig = newRig(t, w, 120, 30, append([]func(*fake){func(deps *fake) {
		deps.Stamp = func(in []source.Input) []source.Input {
			out := append([]source.Input{}, in...)
			out[0].Stamp = d.stamp
			return out
		}
		deps.Load = func(context.Context) (*model.Inventory, error) {
			d.read = append(d.read, d.stamp)
			return d.next()
		}
	}}, change...)...)
	return d
}

// wait lets seconds pass.
func (d *desk) wait(seconds int) {
	for range seconds {
		d.now = d.now.Add(time.Second)
		d.fire(false)
	}
}

func (d *desk) wantRead(stamps ...string) {
	d.t.Helper()
	if got, want := strings.Join(d.read, " "), strings.Join(stamps, " "); got != want {
		d.t.Errorf("read at %q, want %q", got, want)
	}
}

// TestTheInventoryIsReadAgainWhenItsFileChanges, once it is not being written any
// more; until then the screen says so.
func TestTheInventoryIsReadAgainWhenItsFileChanges(t *testing.T) {
	d := newDesk(t, false)
	before := d.screen()
	d.wait(5)
	if d.screen() != before {
		t.Errorf("nothing happened and the screen changed:\n%s", d.screen())
	}
	d.wantRead()
	for _, s := range []string{"2", "3", "4"} { // it is being written
		d.stamp = s
		d.wait(1)
		d.want("OLD INVENTORY of 03:04:05: pigsty.yml changed at ")
	}
	d.wait(2)
	d.wantRead("4")
	d.wantNot("OLD INVENTORY")
	d.want("the inventory was reread, every node is being probed: pigsty.yml changed")
	d.wait(5)
	d.wantRead("4")
}

// TestATouchedInventoryIsTheSame: nothing is asked anew for it.
func TestATouchedInventoryIsTheSame(t *testing.T) {
	d := newDesk(t, false)
	gen, same := d.m.gen, d.next
	d.next = func() (*model.Inventory, error) {
		inv, err := same()
		inv.Hash = d.m.inv.Hash
		return inv, err
	}
	d.stamp = "2"
	d.wait(6)
	d.wantRead("2")
	d.wantNot("OLD INVENTORY", "read again")
	if d.m.gen != gen {
		t.Error("the nodes are asked anew")
	}
}

// TestAnInventoryThatDoesNotLoad leaves the old one, marked as that, and is tried
// again when its file has changed once more.
func TestAnInventoryThatDoesNotLoad(t *testing.T) {
	d := newDesk(t, false)
	good := d.next
	d.next = func() (*model.Inventory, error) {
		return nil, &source.Unread{Err: errors.New("pigsty.yml:12:3: expected a mapping"), Inputs: []source.Input{{Path: "/x/pigsty.yml", Name: "pigsty.yml", Stamp: d.stamp}}}
	}
	d.stamp = "2"
	d.wait(20)
	d.wantRead("2")
	d.want("OLD INVENTORY of 03:04:05: pigsty.yml:12:3: expected a mapping", "pg-test")
	d.next, d.stamp = good, "3"
	d.wait(4)
	d.wantRead("2", "3")
	d.wantNot("OLD INVENTORY")
}

// TestAProgramIsNotRunAgainByItself: its file is watched, R runs it.
func TestAProgramIsNotRunAgainByItself(t *testing.T) {
	d := newDesk(t, true)
	d.stamp = "2"
	d.wait(20)
	d.wantRead()
	d.want("OLD INVENTORY of 03:04:05: pigsty.yml changed at 03:04:07, R rereads it and runs its program")
	d.press("R")
	d.wantRead("2")
	d.wantNot("OLD INVENTORY")
}

// TestAReloadKeepsItsPlan: while one is asked for or under way, and while the
// screen is held, the inventory is not exchanged; that it has changed is said.
func TestAReloadKeepsItsPlan(t *testing.T) {
	inside, goOn := make(chan bool), make(chan bool)
	d := newDesk(t, false, func(deps *fake) {
		deps.Start = "pg-test"
		deps.Execute = func(_ context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
			emit(plan.StepResult{Host: p.Nodes[0].Host, Step: plan.StepStage})
			inside <- true
			<-goOn
			if inv.Hash != "hash of 1" {
				t.Errorf("it runs on %q", inv.Hash)
			}
			return executed(p, emit, ""), nil
		}
	})
	d.press("r", "r") // the preview reads the inventory
	d.wantRead("1")
	d.fire(true)
	d.stamp = "2"
	d.wait(6)
	d.wantRead("1")
	d.want("OLD INVENTORY of ")
	d.typing("pg-test")
	d.lazy = true
	d.press("enter")
	<-inside
	d.lazy = false
	d.wait(6)
	d.wantRead("1")
	d.want("OLD INVENTORY of ")
	goOn <- true
	<-d.m.run.ended
	for d.m.run != nil {
		d.drain(d.m.feed.event(d.m.run))
	}
	d.wait(4)
	d.wantRead("1", "2")
	d.wantNot("OLD INVENTORY")
}

// TestAPreviewOfAnOldInventoryIsNotCarriedOut.
func TestAPreviewOfAnOldInventoryIsNotCarriedOut(t *testing.T) {
	d := newDesk(t, false, func(deps *fake) { deps.Start = "pg-test" })
	d.press("r")
	d.want("Review the changes")
	d.stamp = "2"
	d.wait(6)
	d.wantRead("1", "2")
	d.want("no reload: the inventory has changed since this preview: R updates it")
	d.press("r")
	if d.m.dialog != nil {
		t.Error("the old preview can be carried out")
	}
	d.press("R")
	d.want("Review the changes")
}

// TestNothingIsAsDeclaredOverAnOldInventory: every page shows the time of the
// inventory that it compares with.
func TestNothingIsAsDeclaredOverAnOldInventory(t *testing.T) {
	d := newDesk(t, false)
	d.next = func() (*model.Inventory, error) {
		return nil, &source.Unread{Err: errors.New("/srv/pigsty/pigsty.yml:12:3: expected a mapping")}
	}
	seen := map[bool]int{}
	look := func(old bool) {
		t.Helper()
		for _, s := range d.m.screens {
			if s.Open == nil || !s.Offered(d.m.env(d.m.bodyHeight())) {
				continue
			}
			for _, service := range []model.ServiceName{"offline", "primary"} {
				d.drain(d.m.jump(s, page.Place{Cluster: "pg-meta", Service: service, Instance: "pg-meta-1"}, d.m.env(d.m.bodyHeight())))
				text := d.screen()
				all, dated := strings.Count(text, "as declared"), strings.Count(text, "as declared at 03:04:05")
				seen[old] += all
				if old && all != dated || !old && dated > 0 {
					t.Errorf("%s, the inventory is old: %v:\n%s", s.Name, old, text)
				}
			}
		}
	}
	look(false)
	d.stamp = "2"
	d.wait(4)
	d.want("OLD INVENTORY of 03:04:05: /srv/pigsty/pigsty.yml:12:3: expected a mapping")
	look(true)
	if seen[false] < 3 || seen[true] < 3 {
		t.Errorf("%v seen: the test is broken", seen)
	}
}

// TestTheReasonOfAnOldInventoryIsReadable: where the screen has room, the mark takes
// the lines that it needs; on a small one its end is cut, and the place stays.
func TestTheReasonOfAnOldInventoryIsReadable(t *testing.T) {
	d := newDesk(t, false)
	d.next = func() (*model.Inventory, error) {
		return nil, errors.New("/srv/pigsty/pigsty.yml:12:3: not valid YAML: did not find the expected ',' or ']' in a list of hosts")
	}
	d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	d.stamp = "2"
	d.wait(30) // the message is gone by then
	lines := strings.Split(d.screen(), "\n")
	if !strings.Contains(lines[1], "OLD INVENTORY of 03:04:05: /srv/pigsty/pigsty.yml:12:3: not valid YAML") || !strings.Contains(lines[2], "or ']' in a list of hosts") {
		t.Error(d.screen())
	}
	d.send(tea.WindowSizeMsg{Width: 80, Height: 12})
	if lines = strings.Split(d.screen(), "\n"); !strings.Contains(lines[1], "pigsty.yml:12:3: ") || strings.Contains(lines[2], "hosts") {
		t.Error(d.screen())
	}
}
