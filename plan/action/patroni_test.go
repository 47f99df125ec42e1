package action_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/candidate"
	"pgtui/model/check"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
)

// conf is GET /config of the tests' cluster.
const conf = `{"ttl": 30, "loop_wait": 5, "primary_start_timeout": 25, "synchronous_mode": false,
 "postgresql": {"parameters": {"max_connections": 100, "pg_stat_statements.max": 5000}, "recovery_conf": {"password": "s3cret"}}}`

// world is pg-test with what an action needs, damaged by do.
type world struct {
	*modeltest.World
	gates  map[model.InstanceName]candidate.Gate // beside those that are judged
	inputs func(*action.Input)
}

func plans(do func(*world), r action.Request) action.Plan {
	w := &world{World: modeltest.Calm(), gates: map[model.InstanceName]candidate.Gate{}, inputs: func(*action.Input) {}}
	w.Conf("maximum_lag_on_failover", "1048576")
	if do != nil {
		do(w)
	}
	b := check.Board(w.Snap, w.Cls, modeltest.T0)
	table := candidate.Of(w.Snap, &b, modeltest.T0)
	for name, g := range w.gates {
		c := table.Candidate(name)
		c.Gates, c.Verdict = append(c.Gates, g), g.Verdict
	}
	in := action.Input{Inventory: w.Snap.Inventory, Cluster: w.Cls, Snap: w.Snap, Board: &b, Table: &table, Now: modeltest.T0, Config: json.RawMessage(conf)}
	w.inputs(&in)
	r.Cluster = "pg-test"
	return action.Build(&in, r)
}

// marked is pg-test with one action in the audit file.
func marked(m model.Mark) map[model.ClusterName][]model.Mark {
	m.Cluster = "pg-test"
	return map[model.ClusterName][]model.Mark{"pg-test": {m}}
}

// names are the risks that stop the plan.
func names(p *action.Plan) string { return strings.Join(p.Unaccepted(), ",") }

// order is whom the steps change, and how.
func order(p *action.Plan) string {
	var out []string
	for i := range p.Steps {
		s := &p.Steps[i]
		out = append(out, strings.TrimSuffix(string(s.Do)+" "+string(s.Instance), " "))
	}
	return strings.Join(out, ", ")
}

func (w *world) gate(name model.InstanceName, g candidate.Gate) { w.gates[name] = g }

// behind leaves a member without 64 MB of the leader's WAL.
func (w *world) behind(n int) {
	w.Wal(100<<20, [2]int64{100 << 20, 100 << 20}, [2]int64{100 << 20, 100 << 20})
	w.Status(n, func(s *model.PatroniStatus) { s.Received, s.Replayed = 36<<20, 36<<20 })
	for name, v := range w.Snap.Patroni {
		v.Cluster.Value.Members = slices.Clone(v.Cluster.Value.Members)
		v.Cluster.Value.Members[n-1].Behind = 64 << 20
		w.Snap.Patroni[name] = v
	}
}

// runs has the leader run with this max_connections.
func (w *world) runs(n int64) {
	w.Snap.SQL = map[model.InstanceName]source.Observed[model.ServerFacts]{"pg-test-1": modeltest.Seen(model.ServerFacts{Read: true, Standby: map[string]int64{"max_connections": n}})}
}

// switched makes the DCS list a scheduled switchover.
func (w *world) switched() {
	w.Listed()
	for name, v := range w.Snap.Patroni {
		v.Cluster.Value.Switch = model.ScheduledSwitchover{At: "2026-01-02T04:00:00+00:00", From: "pg-test-1"}
		w.Snap.Patroni[name] = v
	}
}

func TestSwitchoverAndFailoverPlans(t *testing.T) {
	to2 := action.Request{Kind: action.Switchover, Candidate: "pg-test-2"}
	any := action.Request{Kind: action.Switchover}
	over2 := action.Request{Kind: action.Failover, Candidate: "pg-test-2"}
	dead := func(w *world) { // the leader is gone, and the DCS has its key no more
		w.Listed()
		w.Silence(1, time.Minute)
		for name, v := range w.Snap.Patroni {
			v.Cluster.Value.Members = slices.Clone(v.Cluster.Value.Members)[1:]
			v.Cluster.Value.Members[0].Behind = 2048
			w.Snap.Patroni[name] = v
		}
	}
	for _, tt := range []struct {
		name    string
		do      func(*world)
		r       action.Request
		steps   string
		stops   string
		refused string
	}{
		{"a calm cluster", nil, to2, "switchover pg-test-2", "", ""},
		{"Patroni chooses", nil, any, "switchover", "", ""},
		{"to the leader", nil, action.Request{Kind: action.Switchover, Candidate: "pg-test-1"}, "", "", "leads already"},
		{"to a stranger", nil, action.Request{Kind: action.Switchover, Candidate: "pg-other-1"}, "", "", "no member pg-other-1"},
		{"to one that does not answer", func(w *world) { w.Silence(2, time.Minute) }, to2, "", "", "pg-test-2: Patroni does not answer"},
		{"one is scheduled", func(w *world) { w.switched() }, to2, "", "", "is scheduled at 2026-01-02T04:00:00+00:00 already"},
		{"another action runs", func(w *world) {
			w.inputs = func(in *action.Input) {
				in.Snap.Marks = marked(model.Mark{Action: "restart", Open: true, Alive: true, Who: "bob@admin", At: modeltest.T0})
			}
		}, to2, "", "", "restart by bob@admin is under way"},
		{"one that was killed is not", func(w *world) {
			w.inputs = func(in *action.Input) {
				in.Snap.Marks = marked(model.Mark{Action: "restart", Open: true, Who: "bob@admin"})
			}
		}, to2, "switchover pg-test-2", "", ""},
		{"no leader", dead, to2, "", "", "no known leader"},
		{"paused, without a candidate", paused, any, "", "", "requires a candidate"},
		{"paused, with one", paused, to2, "switchover pg-test-2", "paused", ""},
		{"paused, scheduled", paused, action.Request{Kind: action.Switchover, Candidate: "pg-test-2", At: modeltest.T0.Add(time.Hour)}, "", "", "schedules no switchover"},
		{"scheduled", nil, action.Request{Kind: action.Switchover, Candidate: "pg-test-2", At: modeltest.T0.Add(time.Hour)}, "schedule pg-test-2", "", ""},
		{"a standby cluster", func(w *world) { w.Cls.Standby = true }, to2, "", "", "standby cluster"},
		{"a Citus group", func(w *world) { w.Cls.Scope = "pg-citus" }, to2, "", "", "Citus"},
		{"Patroni refuses it", func(w *world) { w.behind(2) }, to2, "switchover pg-test-2", "patroni-refuses", ""},
		{"Patroni takes the other", func(w *world) { w.behind(2) }, any, "switchover", "", ""},
		{"a HAProxy would not route", func(w *world) {
			w.gate("pg-test-2", candidate.Gate{Name: "haproxy-view", Verdict: candidate.Risk, Risk: plan.RiskUnrouted, What: "drained"})
		}, to2, "switchover pg-test-2", "candidate-unrouted", ""},
		{"a gate is unknown", func(w *world) {
			w.gate("pg-test-2", candidate.Gate{Name: "pooled-login", Verdict: candidate.Unknown, What: "not tried"})
		}, to2, "switchover pg-test-2", "candidate-unread", ""},
		{"a member restarts", func(w *world) { w.Status(3, func(s *model.PatroniStatus) { s.State = "starting" }) }, to2, "switchover pg-test-2", "failover", ""},
		{"no right to write", func(w *world) {
			w.inputs = func(in *action.Input) {
				deny := errors.New("403")
				in.Allowed = map[model.InstanceName]error{"pg-test-1": deny, "pg-test-2": deny, "pg-test-3": deny}
			}
		}, to2, "", "", "403"},
		{"a right at one member", func(w *world) {
			w.inputs = func(in *action.Input) { in.Allowed = map[model.InstanceName]error{"pg-test-3": errors.New("403")} }
		}, to2, "switchover pg-test-2", "", ""},

		{"a failover with a leader that answers", nil, over2, "failover pg-test-2", "failover", ""},
		{"and a candidate that is behind", func(w *world) { w.Wal(5000, [2]int64{1000, 1000}) }, over2, "failover pg-test-2", "failover,data-loss", ""},
		{"without a leader", dead, over2, "failover pg-test-2", "data-loss", ""},
		{"to an async one in sync mode", func(w *world) { w.Synced(3) }, over2, "failover pg-test-2", "failover,async-candidate", ""},
		{"to nobody", nil, action.Request{Kind: action.Failover}, "", "", "requires a candidate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plans(tt.do, tt.r)
			modeltest.Equal(t, "steps", order(&p), tt.steps)
			modeltest.Equal(t, "stops", names(&p), tt.stops)
			if t.Failed() {
				t.Logf("%+v", p.Risks)
			}
			if refused := p.Refused; (refused == nil) != (tt.refused == "") || refused != nil && !strings.Contains(refused.Error(), tt.refused) {
				t.Errorf("refused: %v, want %q", refused, tt.refused)
			}
		})
	}
}

func paused(w *world) {
	w.Listed()
	for name, v := range w.Snap.Patroni {
		v.Cluster.Value.Paused, v.Status.Value.Paused = true, true
		w.Snap.Patroni[name] = v
	}
}

// TestTheCallGoesToWhoStaysUp: neither to the leader nor to the candidate where
// another answers, else to the candidate, else to the leader.
func TestTheCallGoesToWhoStaysUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*world)
		via  model.InstanceName
	}{
		{"all answer", nil, "pg-test-3"},
		{"the third does not", func(w *world) { w.Silence(3, time.Minute) }, "pg-test-2"},
		{"the third takes no writes", func(w *world) {
			w.inputs = func(in *action.Input) { in.Allowed = map[model.InstanceName]error{"pg-test-3": errors.New("403")} }
		}, "pg-test-2"},
	} {
		p := plans(tt.do, action.Request{Kind: action.Switchover, Candidate: "pg-test-2"})
		if len(p.Steps) != 1 || p.Steps[0].Via != tt.via || p.Steps[0].From != "pg-test-1" {
			t.Errorf("%s: %+v, refused %v", tt.name, p.Steps, p.Refused)
		}
	}
}

// TestAFailoverShowsTheBytes that would be lost, also when they are unknown.
func TestAFailoverShowsTheBytes(t *testing.T) {
	over := action.Request{Kind: action.Failover, Candidate: "pg-test-2"}
	p := plans(func(w *world) { w.Wal(5<<20, [2]int64{3 << 20, 3 << 20}) }, over)
	if text := lossOf(&p); !strings.Contains(text, "pg-test-2 lacks 2 MB of WAL") {
		t.Error(text)
	}
	p = plans(func(w *world) {
		w.Silence(1, time.Minute)
		for name, v := range w.Snap.Patroni {
			v.Cluster = source.Observed[model.PatroniCluster]{}
			w.Snap.Patroni[name] = v
		}
	}, over)
	if text := lossOf(&p); !strings.Contains(text, "an unknown amount of WAL") || !slices.Contains(p.Unaccepted(), "data-loss") {
		t.Error(text, p.Unaccepted())
	}
}

// lossOf is what a plan reports of data that may be lost, once: a risk, and no fact.
func lossOf(p *action.Plan) string {
	for _, r := range p.Risks {
		if r.Name == plan.RiskDataLoss && !slices.Contains(p.Facts, r.What) {
			return r.What + ": " + r.Try
		}
	}
	return ""
}

// TestLossInPlainWords: the risk of a failover without a leader is one sentence, and no
// member with more WAL is spoken of where there is none.
func TestLossInPlainWords(t *testing.T) {
	dead := func(w *world) {
		w.Listed()
		w.Wal(1000, [2]int64{1000, 1000}, [2]int64{1000, 1000})
		w.Silence(1, time.Minute)
	}
	p := plans(dead, action.Request{Kind: action.Failover, Candidate: "pg-test-2"})
	want := "pg-test-2 has all WAL that the leader last reported; what the leader wrote in its last seconds may be lost: pgtui candidates pg-test"
	if got := lossOf(&p); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRestartPlans(t *testing.T) {
	pend := func(n int, reasons ...string) func(*world) {
		return func(w *world) {
			for i := range n {
				w.Status(i+1, func(s *model.PatroniStatus) { s.PendingRestart, s.PendingReasons = true, reasons })
			}
		}
	}
	for _, tt := range []struct {
		name  string
		do    func(*world)
		r     action.Request
		steps string
		why   string
	}{
		{"a cluster", nil, action.Request{}, "restart pg-test-2, restart pg-test-3, restart pg-test-1", ""},
		{"by switchover", nil, action.Request{SwitchFirst: true}, "restart pg-test-2, restart pg-test-3, switchover pg-test-2", ""},
		{"a replica", nil, action.Request{Instance: "pg-test-3"}, "restart pg-test-3", ""},
		{"the leader", nil, action.Request{Instance: "pg-test-1"}, "restart pg-test-1", ""},
		{"pending: none", nil, action.Request{Pending: true}, "", ""},
		{"pending: two", pend(2), action.Request{Pending: true}, "restart pg-test-2, restart pg-test-1", ""},
		{"raised", pend(3, "max_connections: 100 → 200"), action.Request{Pending: true}, "restart pg-test-2, restart pg-test-3, restart pg-test-1", ""},
		{"lowered", pend(3, "max_connections: 200 → 100"), action.Request{Pending: true}, "restart pg-test-1, restart pg-test-2, restart pg-test-3", ""},
		{"lowered, without reasons", func(w *world) { pend(3)(w); w.runs(200) }, action.Request{Pending: true}, "restart pg-test-1, restart pg-test-2, restart pg-test-3", ""},
		{"raised, without reasons", func(w *world) { pend(3)(w); w.runs(50) }, action.Request{Pending: true}, "restart pg-test-2, restart pg-test-3, restart pg-test-1", ""},
		{"lowered, and the leader has it", func(w *world) { pend(3)(w); w.runs(100) }, action.Request{Pending: true}, "restart pg-test-2, restart pg-test-3, restart pg-test-1", ""},
		{"lowered, of another kind", pend(3, "shared_buffers: 200 → 100"), action.Request{Pending: true}, "restart pg-test-2, restart pg-test-3, restart pg-test-1", ""},
		{"scheduled", nil, action.Request{Instance: "pg-test-3", At: modeltest.T0.Add(time.Hour)}, "schedule pg-test-3", ""},
		{"a member does not answer", func(w *world) { w.Silence(2, time.Minute) }, action.Request{}, "", "pg-test-2"},
		{"nobody to switch to", func(w *world) {
			w.Tag(2, "nofailover", "true", false)
			w.Tag(3, "nofailover", "true", false)
		}, action.Request{Instance: "pg-test-1", SwitchFirst: true}, "", "no member can take over"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.r.Kind = action.Restart
			p := plans(tt.do, tt.r)
			modeltest.Equal(t, "steps", order(&p), tt.steps)
			if (p.Refused == nil) != (tt.why == "") || p.Refused != nil && !strings.Contains(p.Refused.Error(), tt.why) {
				t.Errorf("refused: %v, want %q", p.Refused, tt.why)
			}
		})
	}
	p := plans(nil, action.Request{Kind: action.Restart})
	at := slices.IndexFunc(p.Risks, func(r plan.Risk) bool { return r.Name == plan.RiskStartTimeout })
	if at < 0 || !strings.Contains(p.Risks[at].What, "25s (GET /config)") || len(p.Unaccepted()) > 0 {
		t.Errorf("%+v", p.Risks)
	}
}

func TestReinitPlans(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*world)
		r    action.Request
		text string
	}{
		{"the leader", nil, action.Request{Instance: "pg-test-1"}, "a leader is not reinitialised"},
		{"a leader that does not answer", func(w *world) { w.Silence(1, time.Minute) }, action.Request{Instance: "pg-test-2"}, "may have no source"},
		{"it is being copied", func(w *world) { w.Status(2, func(s *model.PatroniStatus) { s.State = "creating replica" }) }, action.Request{Instance: "pg-test-2"}, "creating replica already"},
		{"an old Patroni would ignore from_leader", func(w *world) { w.Version("4.0.7") }, action.Request{Instance: "pg-test-2", FromLeader: true}, "4.1"},
	} {
		tt.r.Kind = action.Reinit
		if p := plans(tt.do, tt.r); p.Refused == nil || !strings.Contains(p.Refused.Error(), tt.text) || len(p.Steps) > 0 {
			t.Errorf("%s: refused %v, steps %s", tt.name, p.Refused, order(&p))
		}
	}
	p := plans(func(w *world) {
		w.Tag(3, "clonefrom", "true", false)
		w.Snap.SQL = map[model.InstanceName]source.Observed[model.ServerFacts]{"pg-test-1": modeltest.Seen(model.ServerFacts{Read: true, Bytes: 3 << 30})}
		w.inputs = func(in *action.Input) {
			in.Free = map[model.InstanceName]source.Observed[int64]{"pg-test-2": modeltest.Seen(int64(49 << 30))}
		}
	}, action.Request{Kind: action.Reinit, Instance: "pg-test-2"})
	text := strings.Join(p.Facts, "\n")
	for _, want := range []string{"one of pg-test-3", "3 GB", "49 GB"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	modeltest.Equal(t, "steps", order(&p), "reinit pg-test-2")
}

func TestPausePlans(t *testing.T) {
	p := plans(nil, action.Request{Kind: action.Pause})
	if len(p.Steps) != 1 || p.Steps[0].Value != `{"pause":true}` {
		t.Errorf("%+v", p.Steps)
	}
	if p = plans(paused, action.Request{Kind: action.Pause}); p.Changes() {
		t.Errorf("a second pause: %+v", p.Steps)
	}
	if p = plans(paused, action.Request{Kind: action.Resume}); len(p.Steps) != 1 || p.Steps[0].Value != `{"pause":null}` {
		t.Errorf("%+v", p.Steps)
	}
}

func TestConfigPlans(t *testing.T) {
	for _, tt := range []struct {
		name    string
		set     []string
		value   string
		fact    string
		refused string
	}{
		{"a number", []string{"ttl=40"}, `{"ttl":40}`, "ttl: 30 → 40", ""},
		{"as it is", []string{"ttl=30"}, "", "ttl is 30 already", ""},
		{"a parameter with a dot", []string{"postgresql.parameters.pg_stat_statements.max=9000"}, `{"postgresql":{"parameters":{"pg_stat_statements.max":9000}}}`, "5000 → 9000", ""},
		{"two in one section", []string{"postgresql.parameters.max_connections=200", "postgresql.parameters.work_mem=64MB"},
			`{"postgresql":{"parameters":{"max_connections":200,"work_mem":"64MB"}}}`, "it is raised", ""},
		{"removed", []string{"ttl=null"}, `{"ttl":null}`, "ttl: 30 → not set", ""},
		{"removed, and not there", []string{"nothing=null"}, "", "nothing is not set already", ""},
		{"YAML's words", []string{"synchronous_mode=on"}, `{"synchronous_mode":true}`, "false → true", ""},
		{"a secret", []string{"postgresql.authentication.superuser.password=x"}, "", "", "may be a secret"},
		{"no value", []string{"ttl"}, "", "", "expected key=value"},
		{"twice", []string{"ttl=1", "ttl=2"}, "", "", "given twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := plans(nil, action.Request{Kind: action.PatroniConfig, Set: tt.set})
			got := ""
			if len(p.Steps) > 0 {
				got = p.Steps[0].Value
			}
			modeltest.Equal(t, "value", got, tt.value)
			text := strings.Join(p.Facts, "\n")
			for _, r := range p.Risks {
				text += "\n" + r.What
			}
			if !strings.Contains(text, tt.fact) {
				t.Errorf("no %q in:\n%s", tt.fact, text)
			}
			if (p.Refused == nil) != (tt.refused == "") || p.Refused != nil && !strings.Contains(p.Refused.Error(), tt.refused) {
				t.Errorf("refused: %v, want %q", p.Refused, tt.refused)
			}
			if len(p.Unaccepted()) > 0 {
				t.Errorf("stopped by %v", p.Unaccepted())
			}
		})
	}
	var doc any
	if err := json.Unmarshal([]byte(conf), &doc); err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(action.Masked(doc))
	if strings.Contains(string(b), "s3cret") || !strings.Contains(string(b), "5000") {
		t.Errorf("%s", b)
	}
}

func TestFlushPlans(t *testing.T) {
	if p := plans(nil, action.Request{Kind: action.Flush, Flush: "switchover"}); p.Changes() || p.Refused != nil {
		t.Errorf("nothing is scheduled: %+v", p)
	}
	p := plans(func(w *world) { w.switched() }, action.Request{Kind: action.Flush, Flush: "switchover"})
	modeltest.Equal(t, "steps", order(&p), "flush")
	p = plans(func(w *world) {
		w.Status(2, func(s *model.PatroniStatus) { s.ScheduledRestart = "2026-01-02T04:00:00+00:00" })
	}, action.Request{Kind: action.Flush, Flush: "restart", Instance: "pg-test-2"})
	modeltest.Equal(t, "steps", order(&p), "flush pg-test-2")
	if p = plans(nil, action.Request{Kind: action.Flush, Flush: "tables"}); p.Refused == nil {
		t.Error("anything can be flushed")
	}
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"2026-01-03T00:00:00+01:00": "2026-01-02T23:00:00Z", "2h": "2026-01-02T17:00:00Z", "16:30": "2026-01-02T16:30:00Z",
		"14:30": "2026-01-03T14:30:00Z", "2026-01-01T00:00:00Z": "", "soon": "", "-2h": "",
	} {
		at, err := action.ParseUntil(in, now)
		if got := at.UTC().Format(time.RFC3339); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%s: %s, %v; want %q", in, got, err, want)
		}
	}
}

func TestHistoryKeepsShortLines(t *testing.T) {
	rows, err := action.ParseHistory([]byte(`[[1,83886920,"no recovery target specified"],[2,99,"x","2026-01-02T03:04:05+00:00","pg-test-2"]]`))
	if err != nil || len(rows) != 2 || rows[0].Leader != "" || rows[1].Leader != "pg-test-2" || rows[0].LSN != 83886920 {
		t.Errorf("%+v, %v", rows, err)
	}
	if _, err := action.ParseHistory([]byte(`{}`)); err == nil {
		t.Error("an object is a history")
	}
}
