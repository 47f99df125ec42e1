package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/page/detail"
)

// failover are the events of a failover of pg-test, newest first.
func failover() []board.Event {
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	return []board.Event{
		{At: at(-4), Cluster: "pg-test", Kind: "finding", Subject: "no-leader", Before: "no leader: no client can write", Severity: model.Info},
		{At: at(-4), Cluster: "pg-test", Kind: "route", Subject: "primary 5433", Before: "empty", After: "pg-test-2", Severity: model.Info},
		{At: at(-6), Cluster: "pg-meta", Kind: "member", Subject: "pg-meta-1", Before: "leader", After: "unknown", Severity: model.Warning},
		{At: at(-31), Cluster: "pg-test", Kind: "finding", Subject: "no-leader", After: "no leader: no client can write", Severity: model.Critical},
		{At: at(-33), Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "pg-test-1 (TL 1)", After: "none", Severity: model.Critical},
		{At: at(-90000), Cluster: "pg-test", Kind: "route", Subject: "offline 5438", Before: "pg-test-3", After: "mismatch", Severity: model.Warning},
	}
}

func eventful(r *rig) *rig {
	r.m.events = nil
	r.m.happened(failover())
	return r
}

// TestEventFrames holds the events page and the board with events on it.
func TestEventFrames(t *testing.T) {
	onBoard := func(d *fake) { d.Start = "pg-test" }
	w := newWorld()
	golden(t, "events/fleet", frames(t, w, func(r *rig) { eventful(r).press("e", "j") }))
	golden(t, "events/cluster", frames(t, w, func(r *rig) { eventful(r).press("e") }, onBoard))
	golden(t, "events/filtered", frames(t, w, func(r *rig) { eventful(r).press("e", "/"); r.typing("543"); r.press("enter") }))
	golden(t, "events/none", frames(t, w, func(r *rig) { r.press("e") }))
	golden(t, "events/board", frames(t, w, func(r *rig) { eventful(r) }, onBoard))
	golden(t, "events/whatif-choice", frames(t, w, func(r *rig) { r.press("right", "right", "w", "j", "l") }, onBoard))
}

// texts are events as lines without their times.
func texts(events []board.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, e.String())
	}
	return strings.Join(out, "\n")
}

func TestHistoryTellsWhatHappenedAndNotWhatWasHeardFirst(t *testing.T) {
	var h history
	var j check.Judge
	seq := uint64(0)
	follow := func(w *world, at time.Time) string {
		s := *w.snap
		seq++
		s.Seq = seq
		return texts(h.follow(&s, j.Boards(&s, at), at, t0))
	}
	early := newWorld() // one node has not been tried yet
	early.snap.Patroni["pg-test-2"] = model.PatroniView{}
	if got := follow(early, t0); got != "" {
		t.Errorf("at the start: %s", got)
	}
	w := newWorld()
	if got := follow(w, t0); got != "" {
		t.Errorf("when the last node has answered: %s", got)
	}
	if got := follow(newWorld(), t0.Add(time.Second)); got != "" {
		t.Errorf("the same again: %s", got)
	}
	w = newWorld()
	w.mute("pg-test-2", 5*time.Second)
	got := follow(w, t0.Add(2*time.Second))
	if want := "pg-test  pg-test-2  replica streaming → unknown"; !strings.Contains(got, want) {
		t.Errorf("a Patroni falls silent: got %q, want %q in it", got, want)
	}
	if got := follow(newWorld(), t0.Add(20*time.Second)); !strings.Contains(got, "pg-test-1  leader → unknown") {
		t.Errorf("answers grow old: %s", got)
	}
	// A late look at an older snapshot is not news.
	old := newWorld().snap
	old.Seq = 1
	if got := texts(h.follow(old, check.Boards(old, t0), t0, t0)); got != "" {
		t.Errorf("an older snapshot: %s", got)
	}
}

func TestEventsAreBounded(t *testing.T) {
	var kept []board.Event
	for i := range mostEvents + 50 {
		kept = remember(kept, []board.Event{{Subject: fmt.Sprint(i)}})
	}
	if len(kept) != mostEvents || kept[0].Subject != fmt.Sprint(mostEvents+49) {
		t.Errorf("%d events kept, the newest is %s", len(kept), kept[0].Subject)
	}
	if kept = remember(kept, make([]board.Event, 2*mostEvents)); len(kept) != mostEvents {
		t.Errorf("%d events kept after a burst", len(kept))
	}
}

func TestAnEventLeadsToItsCluster(t *testing.T) {
	r := eventful(newRig(t, newWorld(), 100, 30))
	r.press("e", "j")
	r.want("EVENTS 4", "pg-meta-1", "leader → unknown")
	// News come on top; the cursor stays on its event.
	r.m.happened([]board.Event{{At: t0, Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "none", After: "pg-test-2 (TL 2)"}})
	r.press("enter")
	if got := r.path(); got != "fleet › events › pg-meta-1" {
		t.Errorf("path %q", got)
	}
	r.want("EVENTS", "leader → unknown")
	r.press("esc", "tab")
	r.want("EVENTS 7", "no leader: no client can write", "pg-test-1 (TL 1) → none", "none → pg-test-2 (TL 2)", "by incident")
	r.press("tab")
	r.want("EVENTS 4", "pg-test-1 (TL 1) → none → pg-test-2 (TL 2)  in 33 s", "each event")
	r.wantNot("no leader: no client can write") // it is gone, and the leader's row has it
	r.m.events = nil
	r.m.happened([]board.Event{
		{At: t0, Cluster: "pg-test", Kind: "finding", Subject: "lag", Before: "pg-test-2 lags", Severity: model.Info},
		{At: t0.Add(-27 * time.Second), Cluster: "pg-test", Kind: "finding", Subject: "lag", After: "pg-test-2 lags", Severity: model.Warning},
	})
	r.want("EVENTS 1", "resolved after 27 s: pg-test-2 lags")
}

// TestEnterGoesToWhatItIsAbout: from every kind of event and finding.
func TestEnterGoesToWhatItIsAbout(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	for i := range r.m.boards {
		b := &r.m.boards[i]
		found(b, []model.Finding{
			{Code: "empty", Cluster: b.Cluster.Name, Service: "offline", Summary: "of a service"},
			{Code: "lag", Severity: model.Warning, Cluster: b.Cluster.Name, Instance: "pg-test-2", Summary: "of an instance"},
			{Code: "silent", Severity: model.Info, Cluster: b.Cluster.Name, Host: "10.10.10.13", Summary: "of a node"},
		}...)
	}
	for keys, want := range map[string]string{"": "offline", "j": "pg-test-2", "jj": "haproxy 10.10.10.13"} {
		r.press("f")
		r.typing(keys)
		r.press("enter")
		if got := r.path(); got != "fleet › pg-test › findings › "+want {
			t.Errorf("finding %q: path %q", keys, got)
		}
		r.press("esc", "esc")
	}
	for ev, want := range map[board.Event]string{
		{Kind: "leader", Subject: "leader"}:      "topology",
		{Kind: "member", Subject: "pg-test-3"}:   "pg-test-3",
		{Kind: "route", Subject: "replica 5434"}: "replica",
		{Kind: "finding", Subject: "lag", After: "of an instance", About: board.FindingKey{Code: "lag", Instance: "pg-test-2"}}: "pg-test-2",
		{Kind: "finding", Subject: "lag", Before: "of an instance once"}:                                                        "pg-test",
	} {
		ev.Cluster, ev.At = "pg-test", t0
		r.m.events = nil
		r.m.happened([]board.Event{ev})
		r.press("e", "enter")
		if got := r.path(); got != "fleet › pg-test › events › "+want {
			t.Errorf("event %v: path %q", ev, got)
		}
		r.press("esc", "esc")
	}
}

func TestSnapshotsMakeEvents(t *testing.T) {
	w := newWorld()
	ch := make(chan *model.Snapshot, 1)
	r := newRig(t, w, 100, 30)
	next := newWorld()
	next.snap.Inventory = w.inv
	next.snap.Seq = 2
	v := next.snap.Patroni["pg-test-3"]
	v.Status.Err = errors.New("refused")
	next.snap.Patroni["pg-test-3"] = v
	ch <- next.snap
	close(ch)
	r.send(r.m.feed.read(r.m.feed.world, ch, r.m.gen))
	r.press("e")
	r.want("pg-test-3", "replica streaming → unknown")
}

func TestWhatIfOnPaper(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("w")
	r.want("pg-test-1 is down", "on paper", "pg-test-2 leads", "primary  ● pg-test-1", "→  ● pg-test-2", "21")
	r.press("l") // it leads after all
	r.want("pg-test-1 leads", "as requested")
	r.press("j", "j", "enter")
	r.want("pg-test-3 is down, pg-test-1 leads")
	r.press("k", "l")
	r.want("pg-test-3 is down, pg-test-2 leads")
	r.press("enter", "k", "enter")
	r.want("pg-test-3, pg-test-2, pg-test-1 are down", "no leader:", "no server")
	r.press("enter", "j", "enter", "j", "enter")
	r.want("nothing happens to pg-test")
	r.press("esc", "right", "right", "right", "w")
	r.want("pg-test-3 is down", "it leads now and stays")
	if _, ok := r.m.top().(*detail.WhatIf); !ok {
		t.Error("not on the page")
	}
}

// The page says by which of Patroni's rules, who else is lost with the node, and
// asks again when it is told to.
func TestWhatIfSaysWhy(t *testing.T) {
	w := newWorld()
	for i := range w.inv.Clusters {
		if c := &w.inv.Clusters[i]; c.Name == "pg-test" {
			c.Etcd = []model.Endpoint{{Host: string(c.Instances[0].Host), Port: 2379}}
		}
	}
	p := w.snap.Patroni["pg-test-2"]
	p.Status.Value.Tags = map[string]string{"nofailover": "true"}
	w.snap.Patroni["pg-test-2"] = p
	asked := 0
	r := newRig(t, w, 120, 40, func(d *fake) {
		d.Start = "pg-test"
		rules := d.Rules
		d.Rules = func(ctx context.Context, inv *model.Inventory, s *model.Snapshot, c model.ClusterName) (model.RuleFacts, error) {
			if asked++; asked > 1 {
				return model.RuleFacts{}, errors.New("gone")
			}
			return rules(ctx, inv, s, c)
		}
	})
	r.press("w")
	r.want("then pg-test-3 leads", "pg-test-2 does not lead: it has the tag nofailover.", "GET /config of pg-test-1",
		"If the whole node is lost", "The only etcd is on the lost node", "No member takes over")
	r.press("R")
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	r.want("GET /config of pg-test-1") // the last answer stays
}

// TestTimesAreAgoByAKey: one key shows in every list and sentence how long ago
// something was; the same key shows the time of day again, and it holds on every page.
func TestTimesAreAgoByAKey(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 40, func(d *fake) { d.Start, d.Ran = "pg-test", ranLately })
	r.m.happened([]board.Event{
		{At: t0.Add(-40 * time.Second), Cluster: "pg-test", Kind: "member", Subject: "pg-test-2", Before: "unknown", After: "replica streaming", Severity: model.Info},
		{At: t0.Add(-3 * time.Hour), Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "pg-test-2 (TL 1)", After: "pg-test-1 (TL 2)", Severity: model.Info},
	})
	clock := page.Clock(t0.Add(-40*time.Second), t0)
	r.press("e")
	r.want("TIME", clock, page.Clock(t0.Add(-3*time.Hour), t0))
	r.press("@")
	r.want("AGO", "40 s ", " 3 h ")
	r.wantNot("TIME")
	r.press("esc")
	r.want(" 40 s ")
	r.press("0", "tab")
	r.want("AGO", " 1 min ", " 5 s ")
	r.wantNot("TIME")
	r.press("@")
	r.want(page.Clock(t0.Add(-90*time.Second), t0))
	r.wantNot("ago")
}

// TestTheHeaderShowsAge: old data have their age, and beside it the time of day unless
// the operator wants ages only.
func TestTheHeaderShowsAge(t *testing.T) {
	e := page.Env{W: 120, Now: t0, Every: 2 * time.Second}
	at := t0.Add(-40 * time.Second)
	for _, tt := range []struct {
		name string
		w    int
		ago  bool
		want string
	}{
		{"wide", 120, false, " ! 40 s old, of " + page.Clock(at, t0) + " "}, {"narrow", 80, false, " ! 40 s old "}, {"ages only", 120, true, " ! 40 s old "},
	} {
		e.W, e.Ago = tt.w, tt.ago
		if got := e.AgeMark(at).String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestEnterFollowsTheNextStep: Enter on a finding opens the page of the command that
// its next step names, prepares an action in the palette, or copies a command that has
// no page. It carries nothing out, and without a command it leads to the subject.
func TestEnterFollowsTheNextStep(t *testing.T) {
	for _, tt := range []struct{ hint, path, line, copied string }{
		{hint: "pgtui diff pg-test 10.10.10.11; then pgtui reload pg-test 10.10.10.11", path: "diff"},
		{hint: "do not restart HAProxy there; pgtui reload pg-test 10.10.10.11 writes the files again", path: "reload"},
		{hint: "it replays with a delay; pgtui whatif --down shows who serves without it", path: "what if"},
		{hint: "pgtui history pg-test shows who began it", path: "log"},
		{hint: "when the maintenance is over: pgtui resume pg-test", line: "resume pg-test"},
		{hint: "a reload puts it back; so does pgtui undrain pg-test-2 --service replica, on each", line: "undrain pg-test-2 --service replica"},
		{hint: "pgtui roles pg-test --edit; or switch back to pg-test-1 when writes may pause", copied: "pgtui roles pg-test --edit"},
		{hint: "pgtui ghosts pg-test --close ends these sessions only", copied: "pgtui ghosts pg-test --close"},
		{hint: "repeat pgtui status pg-test --prove; if it persists, look for another listener", path: "pg-test-2"},
		{hint: "ssh 10.10.10.12 systemctl status patroni", path: "pg-test-2"},
		{hint: "", path: "pg-test-2"},
	} {
		for _, readOnly := range []string{"", "a test"} {
			r := newRig(t, newWorld(), 120, 40, func(d *fake) { d.Start, d.ReadOnly = "pg-test", readOnly })
			boards := newWorld().boards()
			for i := range boards {
				if boards[i].Cluster.Name == "pg-test" {
					found(&boards[i], model.Finding{Code: "x", Cluster: "pg-test", Instance: "pg-test-2", Summary: "something", Hint: tt.hint})
				}
			}
			r.m.judge(boards)
			r.press("f", "enter")
			line, copied := tt.line, tt.copied
			if readOnly != "" && line != "" {
				line, copied = "", "pgtui "+strings.TrimSuffix(tt.line, " --service replica")
			}
			at, _ := strings.CutPrefix(r.path(), "fleet › pg-test › findings")
			switch {
			case line != "":
				if r.m.palette == nil || r.m.palette.input.Value() != line || at != "" {
					t.Errorf("%q: path %q, palette %v", tt.hint, at, r.m.palette)
				}
			case copied != "":
				if !strings.HasPrefix(r.m.toast.text, "sent to the terminal's clipboard: "+copied) || at != "" {
					t.Errorf("%q, read-only %q: path %q, message %q", tt.hint, readOnly, at, r.m.toast.text)
				}
			case at != " › "+tt.path:
				t.Errorf("%q: path %q, want %q", tt.hint, at, tt.path)
			}
			if r.m.run != nil || r.m.dialog != nil {
				t.Errorf("%q: something was begun", tt.hint)
			}
		}
	}
}

// TestFirstSeen is of the finding, not of another with its code.
func TestFirstSeen(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 40, func(d *fake) { d.Start = "pg-test" })
	boards := w.boards()
	for i := range boards {
		if boards[i].Cluster.Name == "pg-test" {
			found(&boards[i], []model.Finding{
				{Code: "lag", Cluster: "pg-test", Instance: "pg-test-2", Severity: model.Warning, Summary: "pg-test-2 lags"},
				{Code: "lag", Cluster: "pg-test", Instance: "pg-test-3", Severity: model.Warning, Summary: "pg-test-3 lags"},
			}...)
		}
	}
	r.m.judge(boards)
	r.m.events = []board.Event{{At: t0.Add(-time.Hour), Cluster: "pg-test", Kind: "finding", Subject: "lag", About: board.KeyOf(&model.Finding{Code: "lag", Instance: "pg-test-3"}), After: "pg-test-3 lags"}}
	r.press("f", "tab")
	r.want("pg-test-2 lags")
	r.wantNot("first seen")
	r.press("tab", "j", "tab")
	r.want("pg-test-3 lags", "first seen "+page.Clock(t0.Add(-time.Hour), t0))
}

// TestMessagesAreOneStepOfTheHistory, asked for again too.
func TestMessagesAreOneStepOfTheHistory(t *testing.T) {
	r := newRig(t, newWorld(), 120, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("0")
	messages := r.path()
	past := len(r.m.past)
	r.drain(r.m.do(keys.Said, r.m.env(r.m.bodyHeight())))
	if r.path() != messages || len(r.m.past) != past+1 || len(r.m.past[past]) != len(r.m.stack) {
		t.Errorf("%s, %d steps, the last of %d pages", r.path(), len(r.m.past), len(r.m.past[len(r.m.past)-1]))
	}
}

// TestAChangeEndsInSight: where the states of a change do not fit, the last one stays.
func TestAChangeEndsInSight(t *testing.T) {
	c := board.Changes([]board.Event{
		{At: t0, Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "pg-test-1 (by DCS)", After: "pg-test-2 (TL 2)"},
		{At: t0.Add(-29 * time.Second), Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "pg-test-1 (TL 1)", After: "pg-test-1 (by DCS)"},
	})
	for room, want := range map[int]string{
		0:  "pg-test-1 (TL 1) → pg-test-1 (by DCS) → pg-test-2 (TL 2)  in 29 s",
		70: "pg-test-1 (TL 1) → pg-test-1 (by DCS) → pg-test-2 (TL 2)  in 29 s",
		50: "pg-test-1 (TL 1) → … → pg-test-2 (TL 2)  in 29 s",
		40: "… → pg-test-2 (TL 2)  in 29 s",
	} {
		if got := page.Became(&c[0], room).String(); got != want {
			t.Errorf("%d cells: %q, want %q", room, got, want)
		}
	}
}

// TestWhatTheConsoleDoesIsAnEvent: a reread of the inventory and the end of a reload are on the
// page of events, in the clusters that they are about, and an inventory that is read again does
// not begin the watch anew.
func TestWhatTheConsoleDoesIsAnEvent(t *testing.T) {
	r := newRig(t, newWorld(), 120, 30)
	since := r.m.now
	r.m.now = t0.Add(time.Minute)
	r.press("e")
	r.m.take(r.m.inv)
	r.want("Nothing has changed since "+page.Clock(since, r.m.now), "and no earlier change is recorded")
	r.m.reread([]string{"pigsty.yml"})
	done := page.DoneMsg{Report: plan.Report{Nodes: []plan.NodeReport{{Host: "10.10.10.12", Outcome: plan.Applied}, {Host: "10.10.10.13", Outcome: plan.Uncertain}}}}
	r.m.happened([]board.Event{ran(&activeRun{title: "reload of pg-test", cluster: "pg-test"}, done, r.m.now)})
	r.m.happened([]board.Event{ran(&activeRun{title: "reload of pg-meta", cluster: "pg-meta"}, page.DoneMsg{}, r.m.now)})
	r.want("EVENTS 3", "pigsty.yml changed, and was read again", "reload of pg-test", "10.10.10.12 applied, 10.10.10.13 uncertain")
	if r.m.events[1].Severity != model.Warning || r.m.events[0].Severity != model.Info {
		t.Errorf("%+v", r.m.events)
	}
	r.press("esc")
	r.m.push(r.m.screen("events").Open(page.Place{Cluster: "pg-test"}, r.m.env(20)))
	r.want("EVENTS 2", "pigsty.yml changed, and was read again", "reload of pg-test")
	r.wantNot("reload of pg-meta")
}

// TestWhatHappenedBefore: the page of events has the runs of the audit file and the leaders of
// Patroni's history below what the console saw, each once, and reads them when it opens and
// on R, never while it draws.
func TestWhatHappenedBefore(t *testing.T) {
	var reads, asked int
	var fails error
	r := newRig(t, newWorld(), 140, 30, func(d *fake) {
		d.Start = "pg-test"
		d.History = func() (plan.History, error) {
			reads++
			h, err := changedLately()
			return h, errors.Join(err, fails)
		}
		d.Timelines = func(c model.ClusterName) ([]action.TimelineSwitch, error) {
			asked++
			if c != "pg-test" {
				t.Errorf("the timelines of %s", c)
			}
			lines, err := leadersLately(c)
			return lines, errors.Join(err, fails)
		}
	})
	r.press("e")
	r.want("EVENTS 6", "drain", "applied, by alice: pg-test-2 on 10.10.10.11, 10.10.10.12: kernel update", "stopped, by bob",
		"undo of 7f3a91c2d4", "unknown: interrupted, by bob", "TL 2 → pg-test-3 (TL 3)", "pg-test-3 (TL 3) → pg-test-1 (TL 4)")
	r.wantNot("TL 5", "no recovery target")
	// The end of a run that the console saw is in the audit file too.
	r.m.happened([]board.Event{{At: t0.Add(-20*time.Minute + time.Second), Cluster: "pg-test", Kind: "run", Subject: "drain of pg-test-2", After: "done"}})
	r.want("EVENTS 6", "drain of pg-test-2")
	r.wantNot("by alice: pg-test-2 on")
	r.press("enter")
	if got := r.path(); got != "fleet › pg-test › events › log" {
		t.Errorf("a run leads to %s", got)
	}
	r.press("esc", "tab")
	r.want("EVENTS 6", "by incident")
	r.screen()
	if reads != 2 || asked != 1 { // the log reads the audit file too
		t.Errorf("read %d times, queried %d times", reads, asked)
	}
	fails = errors.New("no space left")
	r.press("R")
	if reads != 3 || asked != 2 {
		t.Errorf("R: read %d times, queried %d times", reads, asked)
	}
	r.want("EVENTS 6", "The audit file could not be read: no space left", "Patroni's earlier timelines could not be read: no space left")
	// The whole fleet has no timelines: they are a request to each cluster.
	r.press("1", "e")
	r.want("events", "The audit file could not be read")
	if asked != 2 {
		t.Errorf("the fleet queried %d clusters", asked-2)
	}
}
