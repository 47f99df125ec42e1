package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/candidate"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
	"pgtui/tui/page"
	"pgtui/tui/page/actions"
)

// candidates is who of pg-test can take over: pg-test-2 can, pg-test-3 cannot.
func (w *world) candidates() candidate.Table {
	gate := func(name string, v candidate.Verdict, what string) candidate.Gate {
		return candidate.Gate{Name: name, Verdict: v, What: what}
	}
	bytes := func(name string, v candidate.Verdict, n int64, what string) candidate.Gate {
		return candidate.Gate{Name: name, Verdict: v, What: what, Value: n, Limit: 1 << 20, Unit: "bytes", By: "B"}
	}
	t := candidate.Table{Cluster: "pg-test", Leader: "pg-test-1", JudgedAt: t0,
		Rules: "ttl 30 s, loop_wait 10 s, maximum_lag_on_failover 1 MB: GET /config of pg-test-1",
		Ports: []candidate.Port{{Service: "primary", Port: 5433, Sessions: 41, Known: true}, {Service: "default", Port: 5436, Sessions: 1, Known: true}, {Service: "replica", Port: 5434}},
		Gap:   candidate.Gap{Low: 2500 * time.Millisecond, High: 5 * time.Second, Parts: []string{"0.5 to 2 s to stop and hand over", "2 to 3 s until HAProxy's checks pass: rise 3 × 1 s"}},
		Gates: []candidate.Gate{gate("pause", candidate.Pass, "Patroni is not paused"), gate("long-transactions", candidate.Note, "2 transactions run for a minute or longer, the oldest 4 min")},
	}
	second := candidate.Candidate{Instance: "pg-test-2", Host: "10.10.10.12", Verdict: candidate.Note, Gates: []candidate.Gate{
		bytes("received-lag", candidate.Pass, 12<<10, "12 kB behind, limit 1 MB"), gate("timeline", candidate.Pass, "timeline 1, as the leader"),
		gate("tags", candidate.Pass, "nofailover is not set"), bytes("replay-backlog", candidate.Note, 3<<20, "3 MB to replay, about 1 s"), gate("login", candidate.Pass, "5432 and 6432 take a login"),
	}}
	third := candidate.Candidate{Instance: "pg-test-3", Host: "10.10.10.13", Verdict: candidate.No, Gates: []candidate.Gate{
		bytes("received-lag", candidate.No, 7<<20, "7 MB behind, limit 1 MB"), gate("timeline", candidate.Unknown, "its Patroni reported no timeline"),
		bytes("replay-backlog", candidate.Pass, 0, "nothing to replay"),
		{Name: "pgbouncer-login", Verdict: candidate.Risk, What: "6432 refuses connections", Risk: plan.RiskPort, Try: "systemctl start pgbouncer on 10.10.10.13"},
	}}
	for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		second.Gates = append(second.Gates, candidate.Gate{Name: "haproxy-view", Verdict: candidate.Pass, What: "5433 primary on " + string(h) + ": would route to it", Host: h})
		v := candidate.Gate{Name: "haproxy-view", Verdict: candidate.Pass, What: "5433 primary on " + string(h) + ": would route to it", Host: h}
		if h == "10.10.10.12" {
			v.Verdict, v.What, v.Try = candidate.No, "5433 primary on 10.10.10.12: drained behind its status DOWN", "pgtui undrain pg-test-3"
		}
		third.Gates = append(third.Gates, v)
	}
	t.Candidates = []candidate.Candidate{second, third}
	return t
}

// actionPlan is the plan of a request on pg-test.
func (w *world) actionPlan(inv *model.Inventory, r action.Request) action.Plan {
	p := action.Plan{ID: "4c1d90aa77e2", Request: r, Inventory: inv.Hash, MadeAt: t0}
	if r.Kind == action.Switchover {
		p.Steps = []action.Step{{Do: action.DoSwitchover, Instance: r.Candidate, From: "pg-test-1", Via: "pg-test-3",
			What:  "POST /switchover to the Patroni of pg-test-3: pg-test-1 hands over to " + string(r.Candidate),
			Proof: string(r.Candidate) + " leads on timeline 2, every HAProxy sends 5433 to it, a login proves it, pg-test-1 streams"}}
		p.Facts = []string{"42 sessions end: 41 on 5433, 1 on 5436", "about 2.5 to 5 s without a leader"}
		p.Risks = []plan.Risk{{Name: plan.RiskSessionsCut, What: "42 sessions end"}}
		p.Next = []string{"pgtui roles pg-test --edit", "pgtui reload pg-test", "pgtui ghosts pg-test --close"}
		return p
	}
	for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		p.Steps = append(p.Steps, action.Step{Do: action.DoServer, Instance: r.Instance, HAProxy: h, Value: string(r.Kind),
			What: fmt.Sprintf("set %s/%s to %s on %s", "pg-test-replica", r.Instance, r.Kind, h), Proof: "HAProxy reads it back"})
	}
	return p
}

// lastServer is a plan that a risk stops.
func (w *world) lastServer(inv *model.Inventory, r action.Request) action.Plan {
	p := w.actionPlan(inv, r)
	p.Risks = []plan.Risk{
		{Name: plan.RiskLastServer, Host: "10.10.10.11", What: "pg-test-primary keeps no server", Try: "undrain another server first"},
		{Name: plan.RiskBlocksFailover, What: "a drain in pg-test-primary blocks a failover to it"},
	}
	return p
}

// switched are the events of a switchover.
func switched() []action.Event {
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	return []action.Event{
		{At: at(0), Step: 0, State: action.Planned, What: "pg-test-1 leads, timeline 1"},
		{At: at(200), State: action.Sent, Host: "10.10.10.13", What: "POST /switchover: pg-test-1 to pg-test-2"},
		{At: at(900), State: action.Demoting, What: "pg-test-1 stops"},
		{At: at(1400), State: action.NoLeader, What: "no member leads"},
		{At: at(2100), State: action.Promoted, What: "pg-test-2 leads, timeline 2"},
		{At: at(2600), State: action.Accepted, Host: "10.10.10.13", What: `200 Successfully switched over to "pg-test-2"`},
		{At: at(4700), State: action.Routed, What: "3 of 3 HAProxies send 5433 to pg-test-2"},
		{At: at(4900), State: action.Proven, What: "a login through 5433 reached pg-test-2"},
	}
}

// acted carries a plan out on paper.
func acted(p action.Plan, emit func(action.Event)) action.Report {
	events := switched()
	if p.Request.Kind != action.Switchover {
		events = []action.Event{{At: t0, State: action.Proven, Host: "10.10.10.11", What: "read back"}}
	}
	for _, e := range events {
		emit(e)
	}
	return action.Report{Plan: p.ID, Outcome: action.EndDone, Events: events, Leader: "pg-test-2", Next: p.Next,
		Longest: 3100 * time.Millisecond, State: "pg-test-2 leads on timeline 2; pg-test-1 streams from it",
		Clients: []action.Client{{Host: "10.10.10.11"}, {Host: "10.10.10.12"}}}
}

// ending makes every action end like that.
func ending(o action.Outcome, err error) func(*fake) {
	return func(d *fake) {
		d.Act = func(_ context.Context, _ *model.Inventory, _ action.Plan, emit func(action.Event)) (action.Report, error) {
			for _, e := range switched()[:2] {
				emit(e)
			}
			emit(action.Event{At: t0.Add(9 * time.Second), State: action.Unknown, What: "the connection ended before the answer", Err: errors.New("read tcp: connection reset by peer")})
			return action.Report{Outcome: o, State: "pg-test-1 leads as before"}, err
		}
	}
}

// confirmed opens the plan of a line and confirms it.
func (r *rig) confirmed(line, typed string) {
	r.press(":")
	r.typing(line)
	r.press("enter", "enter")
	r.fire(true)
	r.readToEnd()
	r.typing(typed)
	r.press("enter")
}

func TestActionFrames(t *testing.T) {
	onBoard := func(d *fake) { d.Start = "pg-test" }
	w := newWorld()
	lost := &source.Hint{Err: errors.New("switchover of pg-test to pg-test-2: the reply was lost: its result is unknown"), Try: "pgtui status pg-test"}
	stopped := func(d *fake) {
		d.PlanAction = func(_ context.Context, inv *model.Inventory, r action.Request) (action.Plan, error) {
			return w.lastServer(inv, r), nil
		}
	}
	tests := []struct {
		name  string
		steps func(*rig)
		deps  func(*fake)
	}{
		{"candidates", func(r *rig) { r.press("C") }, func(*fake) {}},
		{"candidates-cannot", func(r *rig) { r.press("C", "j") }, func(*fake) {}},
		{"candidates-all", func(r *rig) { r.press("C", "tab") }, func(*fake) {}},
		{"candidates-unknown", func(r *rig) { r.press("C") }, func(d *fake) {
			d.Candidates = func(context.Context, *model.Inventory, model.ClusterName) (candidate.Table, error) {
				t := w.candidates()
				t.Leader, t.Why, t.Ports, t.Gap = "", "the DCS of pg-test does not answer", nil, candidate.Gap{}
				for i := range t.Candidates {
					t.Candidates[i].Verdict = candidate.Unknown
					t.Candidates[i].Gates = []candidate.Gate{{Name: "received-lag", Verdict: candidate.Unknown, What: "its Patroni does not answer"}}
				}
				return t, nil
			}
		}},
		{"candidates-failed", func(r *rig) { r.press("C") }, func(d *fake) {
			d.Candidates = func(context.Context, *model.Inventory, model.ClusterName) (candidate.Table, error) {
				return candidate.Table{}, &source.Hint{Err: errors.New("no node of pg-test answers"), Try: "pgtui doctor pg-test"}
			}
		}},
		{"candidates-read-only", func(r *rig) { r.press("C") }, func(d *fake) { d.Act = nil }},
		{"menu-instance", func(r *rig) { r.press("j", "right", "right", "x") }, func(*fake) {}},
		{"menu-cluster", func(r *rig) { r.press("x") }, func(*fake) {}},
		{"menu-node", func(r *rig) { r.press("n", "x") }, func(*fake) {}},
		{"menu-read-only", func(r *rig) { r.press("x") }, func(d *fake) { d.Act = nil }},
		{"palette", func(r *rig) { r.press(":"); r.typing("drain pg-t") }, func(*fake) {}},
		{"palette-line", func(r *rig) { r.press(":"); r.typing("drain pg-test-3 --until 2h") }, func(*fake) {}},
		{"plan", func(r *rig) { r.press("C", "enter") }, func(*fake) {}},
		{"plan-stops", func(r *rig) { r.press(":"); r.typing("drain pg-test-1"); r.press("enter") }, stopped},
		{"plan-refused", func(r *rig) { r.press("C", "enter") }, func(d *fake) {
			d.PlanAction = func(_ context.Context, inv *model.Inventory, r action.Request) (action.Plan, error) {
				return action.Plan{Request: r, Inventory: inv.Hash, ID: "4c1d90aa77e2",
					Refused: &source.Hint{Err: errors.New("a switchover is scheduled at 18:30 already"), Try: "pgtui patroni flush pg-test switchover"}}, nil
			}
		}},
		{"confirm", func(r *rig) { r.press("C", "enter", "enter"); r.fire(true); r.typing("pg-te") }, func(*fake) {}},
		{"confirm-stops", func(r *rig) {
			r.press(":")
			r.typing("drain pg-test-1")
			r.press("enter", "enter")
			r.fire(true)
			r.readToEnd()
			r.typing("pg-test-1 drops")
		}, stopped},
		{"run-midway", func(r *rig) { acting(r, w) }, func(*fake) {}},
		{"run-done", func(r *rig) { r.confirmed("switchover pg-test-2", "pg-test") }, func(*fake) {}},
		{"run-unknown", func(r *rig) { r.confirmed("switchover pg-test-2", "pg-test") }, ending(action.EndUnknown, lost)},
		{"run-failed", func(r *rig) { r.confirmed("switchover pg-test-2", "pg-test") }, ending(action.EndFailed, &source.Hint{
			Err: errors.New("switchover of pg-test to pg-test-2: Patroni answered 503: Switchover failed"), Try: "pgtui candidates pg-test"})},
		{"help", func(r *rig) { r.press("C", "?") }, func(*fake) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, "actions/"+tt.name, frames(t, w, tt.steps, onBoard, tt.deps))
		})
	}
}

// acting stops the picture while the old leader is waited for.
func acting(r *rig, w *world) {
	req := action.Request{Kind: action.Switchover, Cluster: "pg-test", Candidate: "pg-test-2"}
	r.m.push(actions.NewTimeline(page.ActionPlan{Inv: w.inv, Plan: w.actionPlan(w.inv, req)}))
	for _, e := range switched() {
		r.send(page.EventMsg{Event: e})
	}
	r.send(page.EventMsg{Event: action.Event{At: t0, State: action.Waiting, Host: "10.10.10.11", What: "pg-test-1 streams again", Done: 12, Total: 40}})
	r.send(page.EventMsg{Event: action.Event{At: t0.Add(5 * time.Second), State: action.Waiting, What: "clients through 10.10.10.12 are served again", Clients: clientsNow()}})
}

// clientsNow are probe clients 5 s into a switchover: one is not served yet, one is
// again, and one was never.
func clientsNow() []action.ClientNow {
	beats := func(served, lost, again, none int) []action.Beat {
		return slices.Concat(slices.Repeat([]action.Beat{action.BeatServed}, served), slices.Repeat([]action.Beat{action.BeatLost}, lost),
			slices.Repeat([]action.Beat{action.BeatServed}, again), make([]action.Beat, none))
	}
	return []action.ClientNow{
		{Host: "10.10.10.11", Served: 9, Failed: 40, Out: true, Since: t0.Add(900 * time.Millisecond), Fault: "the connection was closed", Recent: beats(4, 15, 0, 1)},
		{Host: "10.10.10.12", Served: 17, Failed: 31, By: "pg-test-2", Gaps: 1, Latest: 3100 * time.Millisecond, Longest: 3100 * time.Millisecond, Recent: beats(4, 13, 3, 0)},
		{Host: "10.10.10.13", Failed: 49, Out: true, Since: t0, Fault: "connection refused", Recent: beats(0, 20, 0, 0)},
	}
}

// TestFromFindingToReload: an incident in at most 12 keys beside the typed names:
// a finding, who can take over, a switchover, then the next steps, the reload last.
func TestFromFindingToReload(t *testing.T) {
	w := newWorld()
	w.drain("pg-test-primary", "pg-test-3", "10.10.10.12")
	var done []string
	r := newRig(t, w, 80, 24, func(d *fake) {
		d.Start = "pg-test"
		act, execute := d.Act, d.Execute
		d.Act = func(ctx context.Context, inv *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error) {
			done = append(done, p.Request.Line())
			return act(ctx, inv, p, emit)
		}
		d.Execute = func(ctx context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
			done = append(done, "reload "+string(p.Cluster))
			return execute(ctx, inv, p, emit)
		}
	})
	n := 0
	press := func(names ...string) {
		n += len(names)
		r.press(names...)
	}
	name := func(typed string) { // the typed name is not counted, Enter is
		r.fire(true)
		r.readToEnd()
		r.typing(typed)
		press("enter")
	}
	press("f")
	r.want("FINDINGS", "in drain")
	press("C")
	r.want("WHO CAN TAKE OVER", "pg-test-2 can take over", "▸pg-test-2")
	press("enter")
	r.want("switchover of pg-test to pg-test-2", "Nothing has been sent yet", "POST /switchover")
	press("enter")
	r.want("Type pg-test and Enter")
	name("pg-test")
	r.want("done and proven", "pgtui roles pg-test --edit", "longest gap 3.1 s")
	press("enter")
	r.want("sent to the terminal's clipboard: pgtui roles pg-test --edit")
	press("j", "enter")
	r.want("› switchover done › reload", "Review the changes")
	press("r")
	name("pg-test")
	r.want("reloaded and verified")
	if got := strings.Join(done, "; "); got != "switchover pg-test --candidate pg-test-2; reload pg-test" {
		t.Errorf("carried out: %s", got)
	}
	if n > 12 {
		t.Errorf("%d keys, at most 12 wanted", n)
	}
}

func TestAnActionIsConfirmedByItsNameAndItsRisks(t *testing.T) {
	w := newWorld()
	for _, tt := range []struct {
		typed string
		runs  bool
	}{
		{"pg-test-1 drops-last-server", true}, {"pg-test-1", false}, {"", false}, {"pg-test drops-last-server", false},
		{"pg-test-1 drops-last-server blocks-failover", false}, {"pg-test-1 drops-last", false}, {"y", false},
	} {
		ran := []string(nil)
		r := newRig(t, w, 100, 30, func(d *fake) {
			d.Start = "pg-test"
			d.PlanAction = func(_ context.Context, inv *model.Inventory, q action.Request) (action.Plan, error) {
				return w.lastServer(inv, q), nil
			}
			d.Act = func(_ context.Context, _ *model.Inventory, p action.Plan, _ func(action.Event)) (action.Report, error) {
				ran = append(ran, strings.Join(p.Accepted, ","))
				return action.Report{Outcome: action.EndDone}, nil
			}
		})
		r.confirmed("drain pg-test-1", tt.typed)
		if got := strings.Join(ran, ";"); (got == "drops-last-server") != tt.runs || !tt.runs && got != "" {
			t.Errorf("%q: ran with %q", tt.typed, ran)
		}
		if !tt.runs {
			r.want("cancel")
		}
	}
}

func TestPastedTextConfirmsNoAction(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("C", "enter", "enter")
	r.press("p") // before it has settled
	r.fire(true)
	r.readToEnd()
	r.send(tea.PasteMsg{Content: "pg-test"})
	r.want("pasted text is ignored")
	r.press("enter")
	r.want("cancelled: nothing was changed")
	if r.m.run != nil {
		t.Error("a paste carried an action out")
	}
}

func TestReadOnlyOffersNoAction(t *testing.T) {
	ran := 0
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Start, d.ReadOnly = "pg-test", "--read-only"
		d.Act = func(context.Context, *model.Inventory, action.Plan, func(action.Event)) (action.Report, error) {
			ran++
			return action.Report{}, nil
		}
	})
	r.press("x", "enter", "e")
	r.want("no action: this console is read-only")
	r.press("esc", "C", "enter", "s", "F")
	r.want("pg-test-2 can take over", "no action: this console is read-only")
	r.press(":")
	r.typing("drain pg-test-2")
	r.wantNot(" act ")
	r.press("enter")
	r.want("no match")
	for _, k := range action.Kinds() {
		r.drain(r.m.perform(page.Act{Plan: page.ActionPlan{Inv: r.m.inv, Plan: action.Plan{Request: action.Request{Kind: k, Cluster: "pg-test"}, Inventory: "h0"}}}))
	}
	if ran > 0 || r.m.run != nil {
		t.Errorf("a read-only console acted %d times", ran)
	}
	r.want("read-only")
}

// TestCtrlCStopsAnActionBetweenSteps: q leaves nothing half done, ctrl-c ends the
// context and the page shows what was reported, whatever that is.
func TestCtrlCStopsAnActionBetweenSteps(t *testing.T) {
	inside := make(chan bool)
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Start = "pg-test"
		d.Act = func(ctx context.Context, _ *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error) {
			emit(action.Event{At: t0, State: action.Sent, What: "POST /switchover"})
			inside <- true
			<-ctx.Done()
			return action.Report{Outcome: action.EndUnknown}, errors.New("stopped while it was watched: its result is unknown")
		}
	})
	r.press("C", "enter", "enter")
	r.fire(true)
	r.readToEnd()
	r.typing("pg-test")
	r.lazy = true
	r.press("enter")
	<-inside
	r.press("q")
	if r.quit {
		t.Fatal("q left in the middle of an action")
	}
	r.want("an action is running")
	r.press("1", "esc")
	r.want("switchover running")
	r.press("ctrl+c")
	r.want("finishing this step")
	<-r.m.run.ended
	r.lazy = false
	for r.m.run != nil {
		r.drain(r.m.feed.event(r.m.run))
	}
	r.want("UNKNOWN: switchover of pg-test to pg-test-2", "switchover unknown")
	r.wantNot("FAILED", "failed")
}

// TestALostActionIsUnknown: a report without an outcome, and a panic.
func TestALostActionIsUnknown(t *testing.T) {
	for name, act := range map[string]func(context.Context, *model.Inventory, action.Plan, func(action.Event)) (action.Report, error){
		"no outcome": func(context.Context, *model.Inventory, action.Plan, func(action.Event)) (action.Report, error) {
			return action.Report{}, nil
		},
		"panic": func(context.Context, *model.Inventory, action.Plan, func(action.Event)) (action.Report, error) {
			panic("on purpose")
		},
	} {
		r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start, d.Act = "pg-test", act })
		r.confirmed("switchover pg-test-2", "pg-test")
		if !strings.Contains(r.screen(), "UNKNOWN: switchover") {
			t.Errorf("%s:\n%s", name, r.screen())
		}
	}
}

func TestLeavingDuringAnActionEndsIt(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 100, 30, func(d *fake) {
		d.Act = func(ctx context.Context, _ *model.Inventory, _ action.Plan, _ func(action.Event)) (action.Report, error) {
			<-ctx.Done()
			return action.Report{Outcome: action.EndUnknown}, ctx.Err()
		}
	})
	run, _ := r.m.feed.carryOut(page.ActionPlan{Inv: w.inv, Plan: w.actionPlan(w.inv, action.Request{Kind: action.Switchover, Cluster: "pg-test", Candidate: "pg-test-2"})})
	waited := ""
	err := r.m.feed.finish(func(what string) { waited = what })
	if waited != "switchover of pg-test to pg-test-2" {
		t.Errorf("waited for %q", waited)
	}
	if err == nil || !strings.Contains(err.Error(), "switchover of pg-test to pg-test-2: unknown") {
		t.Errorf("the account is: %v", err)
	}
	<-run.ended
}

// TestThePaletteKnowsActions: what an operator types, and where it leads.
func TestThePaletteKnowsActions(t *testing.T) {
	for _, tt := range []struct{ typed, line, shows string }{
		{"switchover pg-test-2", "switchover pg-test --candidate pg-test-2", ""},
		{"drain pg-test-3", "drain pg-test-3", ""},
		{"weight pg-test-2 50", "weight pg-test-2 50", ""},
		{`drain pg-test-2 --until 2h --why "Patch It"`, "drain pg-test-2 --until 2026-01-02T05:04:05Z --why 'Patch It'", ""},
		{"maintenance 10.10.10.12", "maintenance 10.10.10.12", ""},
		{"pause pg-test", "pause pg-test", ""},
		{"weight pg-test-2 500", "", "expected a number from 0 to 256"},
		{"drain pg-test-9", "", `has no instance "pg-test-9"`},
	} {
		var planned []string
		r := newRig(t, newWorld(), 100, 30, func(d *fake) {
			plan := d.PlanAction
			d.PlanAction = func(ctx context.Context, inv *model.Inventory, q action.Request) (action.Plan, error) {
				planned = append(planned, q.Line())
				return plan(ctx, inv, q)
			}
		})
		r.press(":")
		r.typing(tt.typed)
		r.press("enter")
		if got := strings.Join(planned, "; "); got != tt.line {
			t.Errorf("%s: planned %q, want %q", tt.typed, got, tt.line)
		}
		if tt.shows != "" {
			r.want(tt.shows)
		} else if !strings.HasPrefix(r.path(), "fleet › pg-test › ") {
			t.Errorf("%s: path %q", tt.typed, r.path())
		}
	}
	// A command without its names is completed.
	r := newRig(t, newWorld(), 100, 30)
	r.press(":")
	r.typing("weight")
	r.press("enter")
	r.typing("pg-test-2")
	r.want("weight pg-test-2 ")
	r.press("enter")
	if got := r.m.palette.input.Value(); got != "weight pg-test-2 " {
		t.Errorf("the line is %q", got)
	}
}

// TestEveryOfferedActionIsUnderstood: each line of the menu is a command.
func TestEveryOfferedActionIsUnderstood(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range situations() {
		if s.name != "healthy" && s.name != "failing" && s.name != "unknown" {
			continue
		}
		for _, keys := range [][]string{{"x"}, {"j", "right", "x"}, {"j", "right", "right", "x"}, {"n", "x"}, {"i", "x"}, {"C", "x"}} {
			for n, all := 0, 1; n < all; n++ {
				r := newRig(t, s.w, 100, 40, func(d *fake) { d.Start = "pg-test" })
				r.press(keys...)
				all, _ = r.m.top().(page.Lister).List(r.m.env(40))
				for range n {
					r.press("j")
				}
				before := r.screen()
				r.press("enter")
				switch got := r.path(); {
				case r.m.palette != nil:
					seen[strings.Fields(r.m.palette.input.Value())[0]] = true
				case strings.HasSuffix(got, "actions"):
					t.Fatalf("%s, %v, row %d leads nowhere:\n%s\n%s", s.name, keys, n, before, r.screen())
				default:
					seen[got[strings.LastIndex(got, "› ")+4:]] = true
				}
			}
		}
	}
	for _, want := range []string{"switchover", "failover", "drain", "undrain", "maint", "ready", "weight", "restart", "reinit", "pause", "maintenance", "maintenance-end", "candidates"} {
		if !seen[want] {
			t.Errorf("the menu offers no %s: %v", want, seen)
		}
	}
}

// TestAFindingsNextStepIsPlanned: a finding whose hint is an action.
func TestAFindingsNextStepIsPlanned(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 100, 30, func(d *fake) { d.Start = "pg-test" })
	boards := w.boards()
	for i := range boards {
		if boards[i].Cluster.Name == "pg-test" {
			found(&boards[i], []model.Finding{
				{Code: "drained", Cluster: "pg-test", Instance: "pg-test-2", Severity: model.Warning, Summary: "drained by hand", Hint: "pgtui undrain pg-test-2 ends it"},
				{Code: "other", Cluster: "pg-test", Instance: "pg-test-3", Severity: model.Info, Summary: "something", Hint: "systemctl status patroni"},
			}...)
		}
	}
	r.m.judge(boards)
	r.press("f")
	r.want("plan it")
	r.press("p")
	r.want("undrain of pg-test-2")
	r.press("esc", "j")
	r.wantNot("plan it")
	r.press("enter")
	if got := r.path(); got != "fleet › pg-test › findings › pg-test-3" {
		t.Errorf("path %q", got)
	}
}

// TestAFindingsNextStepOfAReader: a read-only console copies the whole command.
func TestAFindingsNextStepOfAReader(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 120, 30, func(d *fake) { d.Start, d.ReadOnly = "pg-test", "--read-only" })
	boards := w.boards()
	for i := range boards {
		if boards[i].Cluster.Name == "pg-test" {
			found(&boards[i], model.Finding{Code: "weight", Cluster: "pg-test", Severity: model.Warning, Summary: "a weight", Hint: "pgtui weight pg-test-2 50 sets it"})
		}
	}
	r.m.judge(boards)
	r.press("f", "enter")
	r.want("sent to the terminal's clipboard: pgtui weight pg-test-2 50")
	r.wantNot("sent to the terminal's clipboard: pgtui weight pg-test-2 50 sets")
}

// TestAPlanFollowsTheInventory: a plan of an inventory that was replaced meanwhile
// is not carried out.
func TestAPlanFollowsTheInventory(t *testing.T) {
	w := newWorld()
	r := newRig(t, w, 100, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("C", "enter")
	newer := *w.inv
	newer.Hash = "h1"
	r.send(inventoryMsg{gen: r.m.gen, inv: &newer})
	r.want("the inventory has changed since this plan was made")
	r.press("enter")
	if r.m.dialog != nil {
		t.Error("a stale plan is offered")
	}
}

// TestCandidatesPlanWhatTheyShow: Enter follows the leader, F never waits for it, and
// the cursor starts on the member that fits best whatever the page before was about.
func TestCandidatesPlanWhatTheyShow(t *testing.T) {
	for _, tt := range []struct {
		leader model.InstanceName
		keys   []string
		want   string
	}{
		{"pg-test-1", []string{"C", "enter"}, "switchover pg-test --candidate pg-test-2"},
		{"pg-test-1", []string{"C", "F"}, "failover pg-test --candidate pg-test-2"},
		{"", []string{"C", "enter"}, "failover pg-test --candidate pg-test-2"},
		{"pg-test-1", []string{"C", "j", "s"}, "switchover pg-test --candidate pg-test-3"},
		{"pg-test-1", []string{"j", "right", "right", "right", "i", "C", "enter"}, "switchover pg-test --candidate pg-test-2"},
	} {
		var planned []string
		r := newRig(t, newWorld(), 100, 30, func(d *fake) {
			d.Start = "pg-test"
			table, makes := d.Candidates, d.PlanAction
			d.Candidates = func(ctx context.Context, inv *model.Inventory, c model.ClusterName) (candidate.Table, error) {
				got, err := table(ctx, inv, c)
				got.Leader = tt.leader
				return got, err
			}
			d.PlanAction = func(ctx context.Context, inv *model.Inventory, q action.Request) (action.Plan, error) {
				planned = append(planned, q.Line())
				return makes(ctx, inv, q)
			}
		})
		r.press(tt.keys...)
		if got := strings.Join(planned, "; "); got != tt.want {
			t.Errorf("leader %q, %v: planned %q, want %q", tt.leader, tt.keys, got, tt.want)
		}
	}
}

// TestAnActionIsPlannedWithoutBlocking: keys work while it is planned, and a late
// plan of a page that was left is dropped.
func TestAnActionIsPlannedWithoutBlocking(t *testing.T) {
	var ended []error
	r := newRig(t, newWorld(), 100, 30, func(d *fake) {
		d.Start = "pg-test"
		makes := d.PlanAction
		d.PlanAction = func(ctx context.Context, inv *model.Inventory, q action.Request) (action.Plan, error) {
			ended = append(ended, ctx.Err())
			return makes(ctx, inv, q)
		}
	})
	r.press("C")
	r.lazy = true
	next, cmd := r.m.Update(keyOf("enter"))
	r.m = next.(Model)
	r.want("~ reading pg-test to plan: switchover of pg-test to pg-test-2")
	r.press("enter") // nothing to confirm yet
	if r.m.dialog != nil {
		t.Fatal("a plan that is not there is confirmed")
	}
	r.press("esc")
	r.lazy = false
	r.drain(cmd)
	if got := r.path(); got != "fleet › pg-test › candidates" {
		t.Errorf("path %q", got)
	}
	if len(ended) != 1 || !errors.Is(ended[0], context.Canceled) {
		t.Errorf("the work of the page that was left ended with %v", ended)
	}
}

// TestThePaletteOffersOnlyWhatIsUnderstood: each line that it completes is a command,
// or is completed further.
func TestThePaletteOffersOnlyWhatIsUnderstood(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30)
	for _, c := range action.Commands() {
		all := r.m.acting(page.Place{})(c.Name+" ", c.Name+" ")
		if len(all) < 2 {
			t.Errorf("%s: %d choices", c.Name, len(all))
		}
		for _, ch := range all {
			if _, err := action.Parse(ch.line, r.m.inv, t0); ch.fill == "" && err != nil {
				t.Errorf("%s: %v", ch.line, err)
			}
		}
	}
}
