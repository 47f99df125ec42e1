package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/page"
)

// planning answers every question for a plan with p.
func planning(p plan.Plan) func(context.Context, *model.Inventory, model.ClusterName, []model.Host) (plan.Plan, error) {
	return func(context.Context, *model.Inventory, model.ClusterName, []model.Host) (plan.Plan, error) {
		return p, nil
	}
}

// failing makes every run fail its check on host.
func failing(host model.Host) func(*fake) {
	return func(d *fake) {
		d.Execute = func(_ context.Context, _ *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
			return executed(p, emit, host), nil
		}
	}
}

// counting makes a run count itself.
func counting(n *int) func(*fake) {
	return func(d *fake) {
		d.Execute = func(_ context.Context, _ *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
			*n++
			return executed(p, emit, ""), nil
		}
	}
}

func TestWalkFromFleetToServiceAndBack(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30)
	r.want("pg-meta", "pg-test", "2 clusters", "● 2 ok")
	r.press("j", "enter")
	if got := r.path(); got != "fleet › pg-test" {
		t.Fatalf("path %q", got)
	}
	r.want("● serving", "LEADER", "leader pg-test-1", "3/3")
	r.press("down", "enter")
	r.want("5434 replica", "● serving pg-test-2, pg-test-3", "DEFINITION", "SHARE")
	r.press("tab")
	r.want("5436 default")
	r.press("esc", "esc")
	if got := r.path(); got != "fleet" {
		t.Fatalf("path %q", got)
	}
	r.press("esc")
	if r.quit {
		t.Error("esc on the fleet left the console")
	}
	r.press("q")
	if !r.quit {
		t.Error("q did not leave the console")
	}
}

func TestTheCursorStaysOnItsCluster(t *testing.T) {
	w := bigWorld(5)
	r := newRig(t, w, 100, 30)
	r.press("j", "j")
	r.want("▸pg-app-02")
	// Another cluster falls ill and floats to the top.
	w.mute("pg-app-04-1", time.Minute)
	next := *w.snap
	next.Seq++
	r.send(snapshotMsg{gen: r.m.gen, snap: &next, boards: w.boards(), more: make(chan *model.Snapshot)})
	r.want("▸pg-app-02")
	if s := r.screen(); strings.Index(s, "pg-app-04") > strings.Index(s, "pg-app-00") {
		t.Errorf("trouble is not first:\n%s", s)
	}
}

func TestFilterNarrowsAsItIsTypedAndSaysWhatItHides(t *testing.T) {
	r := newRig(t, bigWorld(12), 100, 30)
	r.press("/")
	r.typing("APP-1")
	r.want("pg-app-10", "pg-app-11", "10 hidden by the filter APP-1")
	r.wantNot("pg-app-03")
	r.press("enter")
	r.want("10 hidden")
	r.press("esc")
	r.want("pg-app-03")
	r.press("/")
	r.typing("nosuch")
	r.want("No cluster matches", "12 clusters hidden")
	r.press("esc")
	r.want("pg-app-03")
}

func TestFaultsHideWhatIsOk(t *testing.T) {
	w := bigWorld(6)
	w.mute("pg-app-03-2", time.Minute)
	r := newRig(t, w, 100, 30)
	r.press("z")
	r.want("pg-app-03", "5 hidden by z")
	r.wantNot("pg-app-01 ")
}

func TestEarlyKeysDoNotAnswerTheQuestion(t *testing.T) {
	runs := 0
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" }, counting(&runs))
	r.press("r")
	r.want("Nothing has been changed yet", "weight of pg-test-2: 100 → 50")
	r.press("r")
	r.typing("pg-test")
	r.press("enter", "enter")
	r.want("Type pg-test and Enter to reload", "> …")
	if runs != 0 {
		t.Fatal("keys typed before the question settled started a reload")
	}
	r.fire(true)
	r.press("enter")
	r.want("cancelled: nothing was changed")
	if runs != 0 || r.m.dialog != nil {
		t.Fatalf("Enter on an empty answer: %d runs, dialog %v", runs, r.m.dialog)
	}
}

// What is typed after a wrong name must not reach the page below the dialog.
func TestAWrongNameChangesNothingAndKeepsTheDialog(t *testing.T) {
	for _, answer := range []string{"pg-tes", "pg-test ", "PG-TEST", "y", "yes", "pg-meta"} {
		runs := 0
		r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" }, counting(&runs))
		r.press("r", "r")
		r.fire(true)
		r.typing(answer)
		r.press("enter")
		if runs != 0 || r.m.dialog == nil {
			t.Errorf("%q: %d runs, dialog %v", answer, runs, r.m.dialog)
		}
		r.want("nothing was changed")
		r.typing("pg-test")
		if r.press("enter"); runs != 1 {
			t.Errorf("%q, then the name: %d runs", answer, runs)
		}
	}
}

// Letters that were typed for a dialog are no commands, whenever it opens.
func TestLettersForADialogThatIsNotOpenAreNoCommands(t *testing.T) {
	for _, tt := range []struct {
		open  []string
		plans bool // the plan can be carried out
		title string
	}{
		{[]string{"d", "r"}, true, "diff"}, {[]string{"r", "r"}, true, "reload"}, {[]string{"r"}, true, "reload"}, {[]string{"d", "r"}, false, "diff"},
	} {
		w := newWorld()
		r := newRig(t, w, 100, 30, func(d *fake) { d.Start = "pg-test" })
		p, every := planOf(w, "pg-test"), r.m.pace
		if !tt.plans {
			p.Nodes = nil
		}
		r.lazy = true
		r.press(tt.open...)
		r.typing("pg-test-")
		if got := r.path(); got != "fleet › pg-test › "+tt.title || r.m.pace != every {
			t.Errorf("%v: %s, probed every %s", tt.open, got, r.m.pace)
		}
		r.lazy = false
		r.send(page.PlanMsg{Cluster: "pg-test", Inv: w.inv, Plan: p})
		r.typing("pg-test-")
		if asked := r.m.dialog != nil; asked != (tt.plans && len(tt.open) == 2) && r.path() != "fleet › pg-test › "+tt.title {
			t.Errorf("%v: the dialog is open: %v, %s", tt.open, asked, r.path())
		}
		if !tt.plans {
			r.want("no reload: there is nothing to reload")
			r.now = r.now.Add(2 * time.Second)
			if r.press("t"); r.path() == "fleet › pg-test › diff" {
				t.Error("t is no command any more")
			}
		}
	}
}

// Nothing is confirmed that has not been on the screen.
func TestAConfirmationIsReadToItsEnd(t *testing.T) {
	for _, size := range [][2]int{{40, 12}, {80, 24}, {120, 40}} {
		w, runs := newWorld(), 0
		p := planOf(w, "pg-test")
		for _, name := range []string{plan.RiskOldWorkers, plan.RiskMisroute, plan.RiskKeepsDrain} {
			p.Risks = append(p.Risks, plan.Risk{Name: name, What: "what " + name + " does, in a sentence that is longer than one line is on a small screen"})
		}
		r := newRig(t, w, size[0], size[1], func(d *fake) { d.Start, d.Plan = "pg-test", planning(p) }, counting(&runs))
		r.press("r", "r")
		r.fire(true)
		seen := r.screen()
		if strings.Contains(seen, "more lines") {
			r.typing("pg-test")
			if r.press("enter"); runs != 0 {
				t.Errorf("%v: reloaded before it was read", size)
			}
			r.want("to the end first")
			for range 40 {
				r.press("down")
				seen += r.screen()
			}
		} else {
			r.typing("pg-test")
		}
		for _, g := range p.Risks {
			if !strings.Contains(seen, g.Name+":") {
				t.Errorf("%v: %s is not shown", size, g.Name)
			}
		}
		if r.press("enter"); runs != 1 {
			t.Errorf("%v: %d reloads after it was read\n%s", size, runs, r.screen())
		}
	}
}

func TestWhatDoesNotAnswerTheQuestion(t *testing.T) {
	runs := 0
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" }, counting(&runs))
	for _, key := range []string{"esc", "ctrl+c"} {
		r.press("r", "r")
		r.fire(true)
		r.typing("pg-test")
		r.press(key)
		if r.m.dialog != nil || r.quit {
			t.Errorf("%s: dialog %v, quit %v", key, r.m.dialog, r.quit)
		}
		r.press("esc")
	}
	// A tick of a question that was cancelled settles no later one.
	r.press("r", "r")
	late := r.timers
	r.press("esc", "r")
	r.timers = nil
	for _, msg := range late {
		r.send(msg)
	}
	r.typing("pg-test")
	r.press("enter")
	// A name from the clipboard was not typed.
	r.fire(true)
	r.send(tea.PasteMsg{Content: "pg-test"})
	r.want("pasted text is ignored")
	r.press("enter")
	if runs != 0 {
		t.Errorf("%d reloads ran", runs)
	}
}

func TestTheRightNameReloads(t *testing.T) {
	runs := 0
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" }, counting(&runs))
	r.press("r", "r")
	r.fire(true)
	r.typing("pg-testx")
	r.press("backspace", "enter")
	if runs != 1 {
		t.Fatalf("%d reloads ran", runs)
	}
	r.want("reloaded and verified: 3 nodes", "✓ verify 1.4 s", "/var/lib/pgtui/backup")
	r.press("enter")
	if got := r.path(); got != "fleet › pg-test" {
		t.Errorf("after the run: %q", got)
	}
}

func TestAFailedReloadSaysWhatWasAndWasNotDone(t *testing.T) {
	r := newRig(t, newWorld(), 110, 40, func(d *fake) { d.Start = "pg-test" }, failing("10.10.10.12"))
	r.press("r", "r")
	r.fire(true)
	r.typing("pg-test")
	r.press("enter")
	r.want("the reload did not finish", "✓ pg-test-1 10.10.10.11  new files in place, reloaded, verified",
		"10.10.10.12  failed at check, before anything was changed", "10.10.10.13  not started",
		"unknown keyword 'wieght'", "mend the service in the inventory")
}

func TestAnInterruptedReloadFinishesItsNode(t *testing.T) {
	inside, goOn := make(chan bool), make(chan bool)
	var ended []string
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Start = "pg-test"
		d.Execute = func(ctx context.Context, _ *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
			for i, n := range p.Nodes { // as apply: the context is looked at between two nodes
				if ctx.Err() != nil {
					ended = append(ended, fmt.Sprintf("%s not begun", n.Host))
					return plan.Report{Nodes: []plan.NodeReport{
						{Host: p.Nodes[0].Host, Outcome: plan.Applied}, {Host: n.Host, Outcome: plan.Untouched}}}, ctx.Err()
				}
				emit(plan.StepResult{Host: n.Host, Step: plan.StepStage})
				if i == 0 {
					inside <- true
					<-goOn
				}
				emit(plan.StepResult{Host: n.Host, Step: plan.StepVerify, Done: true})
				ended = append(ended, string(n.Host))
			}
			return plan.Report{}, errors.New("ran to the end")
		}
	})
	r.press("r", "r")
	r.fire(true)
	r.typing("pg-test")
	r.lazy = true
	r.press("enter")
	<-inside
	r.press("q")
	if r.quit {
		t.Fatal("q left in the middle of a reload")
	}
	next, cmd := r.m.Update(suspendMsg{}) // SIGTSTP
	if r.m = next.(Model); cmd != nil {
		t.Fatal("SIGTSTP stops in the middle of a reload")
	}
	r.want("a reload is running")
	r.press("ctrl+c")
	r.want("finishing")
	goOn <- true
	<-r.m.run.ended
	r.lazy = false
	r.drain(r.m.feed.event(r.m.run))
	if got := strings.Join(ended, ", "); got != "10.10.10.11, 10.10.10.12 not begun" {
		t.Errorf("the run went: %s", got)
	}
	r.want("10.10.10.11", "applied", "10.10.10.12", "not touched")
}

func TestLeavingDuringAReloadWaitsForTheNode(t *testing.T) {
	inside, goOn := make(chan bool), make(chan bool)
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Execute = func(ctx context.Context, _ *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
			emit(plan.StepResult{Host: p.Nodes[0].Host, Step: plan.StepStage})
			inside <- true
			<-goOn
			return plan.Report{Nodes: []plan.NodeReport{{Host: p.Nodes[0].Host, Outcome: plan.Applied}, {Host: p.Nodes[1].Host, Outcome: plan.Untouched}}}, ctx.Err()
		}
	})
	run, _ := r.m.feed.execute(page.PlanMsg{Cluster: "pg-test", Plan: planOf(newWorld(), "pg-test")})
	<-inside
	waited := ""
	err := r.m.feed.finish(func(what string) {
		waited = what
		goOn <- true
	})
	if waited != "10.10.10.11" {
		t.Errorf("waited for %q", waited)
	}
	if err == nil || !strings.Contains(err.Error(), "10.10.10.11 applied, 10.10.10.12 untouched") || !errors.Is(err, context.Canceled) {
		t.Errorf("the account is: %v", err)
	}
	<-run.ended
}

func TestReadOnlyRefusesAReload(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start, d.Execute = "pg-test", nil })
	r.want("read-only")
	r.press("r", "r", "enter")
	if r.m.dialog != nil {
		t.Error("a read-only console asked whether to reload")
	}
	r.want("this console is read-only")
	r.m.perform(page.Execute{Plan: page.PlanMsg{Cluster: "pg-test"}})
	if r.m.run != nil {
		t.Error("a read-only console began a run")
	}
}

// A risk is accepted by its name, typed in full, and by nothing else.
func TestRisksAreAcceptedByName(t *testing.T) {
	w := newWorld()
	for typed, runs := range map[string]bool{
		"pg-test": false, "pg-test paused": false, "pg-test all": false, "pg-test paused hand-edite": false,
		"paused hand-edited": false, "pg-test hand-edited paused": true, "pg-test  paused hand-edited": false, "pg-test paused hand-edited no-leader": false,
	} {
		var got *plan.Plan
		r := newRig(t, w, 100, 40, func(d *fake) {
			d.Start, d.Plan = "pg-test", planning(risky(w))
			d.Execute = func(_ context.Context, _ *model.Inventory, p plan.Plan, _ func(plan.StepResult)) (plan.Report, error) {
				got = &p
				return plan.Report{Plan: p.ID}, nil
			}
		})
		r.press("r", "r")
		r.want("Type pg-test paused hand-edited and Enter")
		r.fire(true)
		r.typing(typed)
		r.press("enter")
		if (got != nil) != runs {
			t.Errorf("%q: ran %v, want %v", typed, got != nil, runs)
		}
		if got != nil && len(got.Unaccepted()) > 0 {
			t.Errorf("%q: the run does not know that %q was accepted", typed, got.Unaccepted())
		}
	}
	p := risky(w)
	p.Risks = append(p.Risks, plan.Risk{Name: plan.RiskRejected, Host: "10.10.10.11", What: "pg-test-x.cfg:3: unknown keyword"})
	r := newRig(t, w, 100, 40, func(d *fake) { d.Start, d.Plan = "pg-test", planning(p) })
	r.press("r", "r")
	if r.m.dialog != nil {
		t.Error("the console asked whether to load what HAProxy refuses")
	}
	r.want("would reject it: pg-test-x.cfg:3")
}

func TestAPlanThatMustNotRunAsksNothing(t *testing.T) {
	w := newWorld()
	for name, p := range map[string]plan.Plan{"unreadable": unreadable(w), "nothing": nothing(w)} {
		r := newRig(t, w, 100, 30, func(d *fake) { d.Start = "pg-test"; d.Plan = planning(p) })
		r.press("r", "r", "enter")
		if r.m.dialog != nil {
			t.Errorf("%s: the console asked whether to reload", name)
		}
	}
}

func TestAFailedPlanSaysWhyAndCanBeReadAgain(t *testing.T) {
	asked := 0
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Start = "pg-test"
		d.Plan = func(context.Context, *model.Inventory, model.ClusterName, []model.Host) (plan.Plan, error) {
			asked++
			return plan.Plan{}, &source.Hint{Err: errors.New("no HAProxy node"), Try: "declare pg_services"}
		}
	})
	r.press("d")
	r.want("no plan could be made", "no HAProxy node", "declare pg_services")
	r.press("R")
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestRefreshReadsTheInventoryAgain(t *testing.T) {
	w := newWorld()
	bad := false
	r := newRig(t, w, 100, 30, func(d *fake) {
		d.Load = func(context.Context) (*model.Inventory, error) {
			if bad {
				return nil, &source.Hint{Err: errors.New("pigsty.yml:12:3: expected a mapping"), Try: "pgtui render"}
			}
			return w.inv, nil
		}
	})
	gen := r.m.gen
	r.press("R")
	if r.m.gen != gen+1 {
		t.Error("R did not begin a new watch")
	}
	bad = true
	r.press("R")
	r.want("pigsty.yml:12:3", "pg-test")
	// What an older watch still sends does not count.
	r.send(snapshotMsg{gen: gen, snap: &model.Snapshot{Inventory: w.inv}})
	r.want("● 2 ok")
}

func TestTheFirstFrameKnowsNothingAndSaysSo(t *testing.T) {
	w := newWorld()
	d := deps(w)
	d.Now = func() time.Time { return t0 }
	m := New(d.deps())
	next, _ := m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	r := &rig{t: t, m: next.(Model)}
	r.want("pg-meta", "pg-test", "probing")
	r.wantNot("● ok", "serves", "DOWN", "unknown")
}

func TestANodeThatWasNotTriedYetIsNotInTrouble(t *testing.T) {
	w := situations()[0].w
	r := newRig(t, w, 120, 30)
	r.want("· 1 probing", "● 1 ok")
	r.wantNot("unknown", "degraded")
	r.press("j", "enter")
	r.want("● serving", "1/3 ·", "· probing")
	// One that is never tried does not stay excused.
	r.now = t0.Add(11 * time.Second)
	r.fire(false)
	r.want("1/3 ?", "? no answer")
	r.wantNot("probing")
}

func TestRereadingKeepsTheScreenUntilAllNodesWereTried(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 30, func(d *fake) {
		next := w.snap
		d.Watch = func(context.Context, *model.Inventory, time.Duration) <-chan *model.Snapshot {
			ch := make(chan *model.Snapshot, 1)
			ch <- next
			next = situations()[0].w.snap
			return ch
		}
	})
	r.want("● 2 ok")
	r.press("R")
	r.want("● 2 ok")
	r.wantNot("asking every", "1 asking")
}

func TestOldDataIsNotCalledLive(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30)
	r.want("● live", "● 2 ok")
	r.now = t0.Add(30 * time.Second)
	r.fire(false)
	r.want("30 s old", "? 2 unknown")
	r.wantNot("● live", "● 2 ok")
}

func TestAnIdleTickChangesNothing(t *testing.T) {
	for _, start := range []model.ClusterName{"", "pg-test"} {
		r := newRig(t, newWorld(), 120, 40, func(d *fake) { d.Start = start })
		before := r.m.View().Content
		for i := range 5 {
			r.now = t0.Add(time.Duration(i) * time.Second)
			r.fire(false)
			next := *r.m.snap
			next.Seq, next.TakenAt = next.Seq+1, r.now
			r.send(snapshotMsg{gen: r.m.gen, snap: &next, boards: r.m.boards, more: make(chan *model.Snapshot)})
			if after := r.m.View().Content; after != before {
				t.Fatalf("%q: nothing happened and the screen changed:\n%s", start, after)
			}
		}
	}
}

func TestHelpListsWhatIsExecuted(t *testing.T) {
	r := newRig(t, newWorld(), 100, 70, func(d *fake) {
		d.Start = "pg-test"
		d.Actions = []Action{{Key: "f2", Label: "fail the leader", Do: func(context.Context) error { return nil }}}
	})
	e := r.m.env(10)
	rows := r.m.rows(e)
	r.press("?")
	for _, row := range rows {
		if row.Keys != "" {
			r.want(row.Help)
		}
	}
	r.want("SANDBOX", "fail the leader", "SHAPES")
	r.press("esc", "f2")
	r.want("fail the leader: done")
}

// TestNoKeyMeansTwoThings: on one screen a key has one meaning, under whatever condition.
func TestNoKeyMeansTwoThings(t *testing.T) {
	seen := map[[2]string]keys.Action{}
	for _, r := range page.Table(screens()) {
		for _, k := range r.Names() {
			at := [2]string{r.Scope, k}
			if other, twice := seen[at]; twice && other != r.Action {
				t.Errorf("%s: %s is both %s and %s", r.Scope, k, other, r.Action)
			}
			seen[at] = r.Action
		}
	}
}

func TestAServiceThatNodesDeclareOtherwiseSaysWhere(t *testing.T) {
	w := newWorld()
	c := w.inv.Cluster("pg-test")
	c.LoadBalancer("10.10.10.12").Service("primary").Port = "6433"
	f := c.LoadBalancer("10.10.10.13")
	f.Services = f.Services[1:]
	r := newRig(t, w, 120, 60, func(d *fake) { d.Start = "pg-test" })
	r.press("enter")
	r.want("declared differently for 10.10.10.12, 10.10.10.13 (missing)")
}

func TestKeysOfTheSandboxReportWhatCameOfThem(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Actions = []Action{{Key: "f2", Label: "cut the cable", Do: func(context.Context) error { return errors.New("no such cable") }}}
	})
	r.want("demo", "f2 cut the cable")
	r.press("f2")
	r.want("cut the cable: no such cable")
}

func TestALargeFleetIsAskedLessOften(t *testing.T) {
	fleet := func(n int) *model.Inventory { return &model.Inventory{Nodes: make([]model.Node, n)} }
	for _, tt := range []struct {
		name   string
		wanted time.Duration
		inv    *model.Inventory
		want   time.Duration
	}{
		{"no inventory yet", 0, nil, 2 * time.Second},
		{"four nodes", 0, fleet(4), 2 * time.Second},
		{"700 nodes", 0, fleet(700), 3500 * time.Millisecond},
		{"5,000 nodes", 0, fleet(5000), 5 * time.Second},
		{"as requested", time.Second, fleet(5000), time.Second},
	} {
		if got := pace(tt.wanted, tt.inv); got != tt.want {
			t.Errorf("%s: every %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestSudoWithoutAPasswordSaysWhatToDo: on the diff, before a reload, and after one
// that could not begin.
func TestSudoWithoutAPasswordSaysWhatToDo(t *testing.T) {
	w := newWorld()
	wants := &source.Hint{Err: errors.New("10.10.10.11: sudo wants a password: nothing was run"), Try: "start pgtui with -K (--ask-become-pass), which asks for it once; leave the console for that"}
	for _, size := range [][2]int{{80, 24}, {40, 30}} {
		for _, key := range []string{"d", "r"} {
			r := newRig(t, w, size[0], size[1], func(d *fake) {
				d.Start = "pg-test"
				p := planOf(w, "pg-test")
				p.Nodes[0].Changes, p.Nodes[0].Err = nil, wants
				d.Plan = planning(p)
			})
			r.press(key)
			r.want("sudo wants", "start pgtui with -K")
		}
		r := newRig(t, w, size[0], size[1], func(d *fake) {
			d.Start = "pg-test"
			d.Execute = func(_ context.Context, _ *model.Inventory, p plan.Plan, _ func(plan.StepResult)) (plan.Report, error) {
				rep := plan.Report{Plan: p.ID}
				for _, n := range p.Nodes {
					rep.Nodes = append(rep.Nodes, plan.NodeReport{Host: n.Host, Outcome: plan.Untouched})
				}
				return rep, wants
			}
		})
		r.press("r", "r")
		r.fire(true)
		r.typing("pg-test")
		r.press("enter")
		r.want("sudo wants", "start pgtui with -K")
	}
}
