package board_test

import (
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// started is when pg-test-n's postmaster began, as Patroni prints it in
// Shanghai and as PostgreSQL tells it.
func started(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, n, 764478000, time.UTC) }

// proving is a healthy world whose members tell who they are.
func proving() *modeltest.World {
	w := modeltest.NewWorld()
	for i := range w.Cls.Instances {
		name := w.Cls.Instances[i].Name
		p := w.Snap.Patroni[name]
		p.Status.Value.SystemID = "7710"
		p.Status.Value.PostmasterStart = started(i + 1).In(time.FixedZone("", 8*3600)).Format("2006-01-02 15:04:05.000000-07:00")
		w.Snap.Patroni[name] = p
	}
	w.Snap.Proofs = map[model.PortKey]source.Observed[model.Proof]{}
	return w
}

// answered is one connection that pg-test-n answered through a pooler.
func answered(n int) model.Try {
	return model.Try{Answer: model.Answer{Started: started(n), SystemID: "7710", Recovery: n != 1, Timeline: 1}, Connect: time.Millisecond, Query: time.Millisecond}
}

func failed(f model.Fault, text string) model.Try { return model.Try{Fault: f, Text: text} }

func TestIdentify(t *testing.T) {
	now := time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name           string
		do             func(*modeltest.World)
		answer         model.Answer
		want, by, text string
	}{
		{name: "through pgbouncer: by start time", answer: model.Answer{Started: started(2), SystemID: "7710"}, want: "pg-test-2", by: "start time"},
		{name: "straight to PostgreSQL: by address", answer: model.Answer{Addr: "10.10.10.13", Started: started(3), SystemID: "7710"}, want: "pg-test-3", by: "address"},
		{name: "restarted since Patroni was asked: by address", answer: model.Answer{Addr: "10.10.10.13", Started: now, SystemID: "7710"}, want: "pg-test-3", by: "address"},
		{name: "pgbouncer over 127.0.0.1: by start time", answer: model.Answer{Addr: "127.0.0.1", Started: started(1)}, want: "pg-test-1", by: "start time"},
		{name: "restarted, behind pgbouncer", answer: model.Answer{Started: now, SystemID: "7710"}, text: "may have just restarted"},
		{name: "a member's Patroni never answered", do: func(w *modeltest.World) { w.Snap.Patroni["pg-test-2"] = model.PatroniView{} },
			answer: model.Answer{Started: started(2), SystemID: "7710"}, text: "none of the 2 members"},
		{name: "a member's Patroni fell silent: what it told still holds", do: func(w *modeltest.World) { w.Silence(2, time.Minute) },
			answer: model.Answer{Started: started(2), SystemID: "7710"}, want: "pg-test-2", by: "start time"},
		{name: "two members started in the same microsecond", do: func(w *modeltest.World) {
			p := w.Snap.Patroni["pg-test-3"]
			p.Status.Value.PostmasterStart = w.Snap.Patroni["pg-test-2"].Status.Value.PostmasterStart
			w.Snap.Patroni["pg-test-3"] = p
		}, answer: model.Answer{Started: started(2), SystemID: "7710"}, text: "matches pg-test-2, pg-test-3"},
		{name: "address and start time of two members", answer: model.Answer{Addr: "10.10.10.13", Started: started(2), SystemID: "7710"}, text: "its address is that of pg-test-3, its start time that of pg-test-2"},
		{name: "another cluster's server", answer: model.Answer{Addr: "10.10.10.13", Started: started(3), SystemID: "666"}, text: "not this cluster's"},
		{name: "it tells nothing", answer: model.Answer{}, text: "does not report its start time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := proving()
			if tt.do != nil {
				tt.do(w)
			}
			name, by, why := board.Identify(w.Snap, w.Cls, tt.answer)
			modeltest.Equal(t, "name", string(name), tt.want)
			modeltest.Equal(t, "by", by, tt.by)
			if (why != "") != (tt.text != "") || !strings.Contains(why, tt.text) {
				t.Errorf("why: %q, want %q", why, tt.text)
			}
		})
	}
}

// slow is a try whose login took so long.
func slow(t model.Try, d time.Duration) model.Try { t.Connect = d; return t }

func TestParseStarted(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-11-21 02:32:04.764478+00:00": time.Date(2026, 11, 21, 2, 32, 4, 764478000, time.UTC),
		"2026-11-21 10:32:04+08:00":        time.Date(2026, 11, 21, 2, 32, 4, 0, time.UTC), // Python leaves out .000000
		"2026-11-21T02:32:04.5Z":           time.Date(2026, 11, 21, 2, 32, 4, 500000000, time.UTC),
		"":                                 {},
		"yesterday":                        {},
	} {
		if got := model.ParseStarted(text); !got.Equal(want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// readOnly is the same answer with default_transaction_read_only.
func readOnly(t model.Try) model.Try { t.Answer.ReadOnly = true; return t }

func TestProven(t *testing.T) {
	shut := []model.DirectPort{{Instance: "pg-test-1", Addr: "10.10.10.11:6432", Fault: model.FaultRefused, Text: "nothing listens on 10.10.10.11:6432"}}
	for _, tt := range []struct {
		name    string
		service string
		do      func(*modeltest.World)
		proof   model.Proof
		verdict model.Verdict
		why     string // of the proof: Against, Dead or Note

		readOnly string // who takes no writes outside of recovery
	}{
		{name: "the leader answers", service: "primary", proof: model.Proof{Tries: []model.Try{answered(1), answered(1)}}, verdict: model.Serving},
		{name: "both replicas answer", service: "replica", proof: model.Proof{Tries: []model.Try{answered(2), answered(3)}}, verdict: model.Serving},
		{name: "one connection cannot show the spread", service: "replica", proof: model.Proof{Tries: []model.Try{answered(3)}}, verdict: model.Serving},
		{name: "a replica answers for the primary", service: "primary", proof: model.Proof{Tries: []model.Try{answered(1), answered(2)}}, verdict: model.Mismatch,
			why: "1 of 2 connections were answered by a server in recovery"},
		{name: "the leader answers for the replicas", service: "replica", proof: model.Proof{Tries: []model.Try{answered(1)}}, verdict: model.Mismatch,
			why: "pg-test-1 answered 1 of 1 connections, but HAProxy reports pg-test-2, pg-test-3 as serving"},
		{name: "somebody answers where nobody serves", service: "primary", proof: model.Proof{Tries: []model.Try{answered(1)}}, verdict: model.Mismatch,
			do: func(w *modeltest.World) {
				w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
			}, why: "HAProxy reports no server as serving"},
		{name: "another cluster's server", service: "primary", proof: model.Proof{Tries: []model.Try{{Answer: model.Answer{Started: started(1), SystemID: "666"}}}},
			verdict: model.Mismatch, why: "belongs to another cluster"},
		{name: "a server that cannot be named contradicts nobody", service: "primary", proof: model.Proof{Tries: []model.Try{{Answer: model.Answer{Started: modeltest.T0, SystemID: "7710"}}}},
			verdict: model.Serving, why: "the instance that answered is unknown"},
		{name: "pgbouncer is down", service: "primary", proof: model.Proof{Tries: []model.Try{failed(model.FaultClosed, "closed without a word")}, Direct: shut},
			verdict: model.Mismatch, why: "1 of 1 connections failed: closed without a word; pg-test-1: nothing listens on 10.10.10.11:6432"},
		{name: "pgbouncer of one of two replicas is down: HAProxy takes the other after its retries", service: "replica",
			proof: model.Proof{Tries: []model.Try{slow(answered(3), 3*time.Second), answered(3)}, Direct: []model.DirectPort{
				{Instance: "pg-test-2", Addr: "10.10.10.12:6432", Fault: model.FaultRefused, Text: "nothing listens on 10.10.10.12:6432"}, {Instance: "pg-test-3", Addr: "10.10.10.13:6432"}}},
			verdict: model.Mismatch, why: "a connection waited 3s for a server whose port does not answer; pg-test-2: nothing listens on 10.10.10.12:6432"},
		{name: "slow, and no port is dead", service: "replica",
			proof: model.Proof{Tries: []model.Try{slow(answered(3), 3*time.Second)}, Direct: []model.DirectPort{{Instance: "pg-test-2"}, {Instance: "pg-test-3"}}}, verdict: model.Serving},
		{name: "slow, and the dead port is one that HAProxy does not use", service: "replica",
			proof: model.Proof{Tries: []model.Try{slow(answered(3), 3*time.Second)}, Direct: []model.DirectPort{{Instance: "pg-test-1", Fault: model.FaultRefused, Text: "refused"}}}, verdict: model.Serving},
		{name: "the monitoring user is not let in: the port works", service: "primary", proof: model.Proof{Tries: []model.Try{failed(model.FaultAuth, "no")}}, verdict: model.Serving},
		{name: "nobody serves and nobody answers", service: "primary", proof: model.Proof{Tries: []model.Try{failed(model.FaultClosed, "closed")}}, verdict: model.Empty,
			do: func(w *modeltest.World) {
				w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
			}},
		{name: "the leader takes no writes: it is who should answer", service: "primary", proof: model.Proof{Tries: []model.Try{readOnly(answered(1)), readOnly(answered(1))}},
			readOnly: "pg-test-1", verdict: model.Serving},
		{name: "HAProxy changed meanwhile", service: "primary", proof: model.Proof{Moved: true, Tries: []model.Try{answered(3)}}, verdict: model.Serving, why: "no conclusion"},
		{name: "HAProxy is silent: who answers is shown, nothing is concluded", service: "replica", do: func(w *modeltest.World) { w.Silence(1, time.Minute) },
			proof: model.Proof{Tries: []model.Try{answered(2)}}, verdict: model.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := proving()
			if tt.do != nil {
				tt.do(w)
			}
			v := w.Proven(tt.service, tt.proof)
			if v.Proven == nil {
				t.Fatal("no proof in the view")
			}
			modeltest.Equal(t, "verdict", string(v.Verdict), string(tt.verdict))
			why := v.Proven.Against + v.Proven.Dead + v.Proven.Note
			if (why != "") != (tt.why != "") || !strings.Contains(why, tt.why) {
				t.Errorf("why %q, want %q", why, tt.why)
			}
			modeltest.Equal(t, "read only", model.Join(v.Proven.ReadOnly), tt.readOnly)
			if v.Proven.Total() != len(tt.proof.Tries) {
				t.Errorf("%d tries, %+v", len(tt.proof.Tries), v.Proven)
			}
		})
	}
}

func TestAnOldProofIsNotNow(t *testing.T) {
	w := proving()
	w.Proven("primary", model.Proof{Tries: []model.Try{answered(2)}})
	for k, o := range w.Snap.Proofs {
		o.At = modeltest.T0.Add(-model.ProofAge - time.Second)
		w.Snap.Proofs[k] = o
	}
	if v := routeOf(w, "primary", modeltest.T0).Views[0]; v.Proven != nil || v.Verdict != model.Serving {
		t.Errorf("%+v", v)
	}
}

func TestMoved(t *testing.T) {
	later := func(w *modeltest.World, d time.Duration) {
		for h, o := range w.Snap.HAProxy {
			o.At = o.At.Add(d)
			for i := range o.Value.Proxies {
				for j := range o.Value.Proxies[i].Servers {
					o.Value.Proxies[i].Servers[j].LastChange += 100 + int64(d/time.Second)
				}
			}
			w.Snap.HAProxy[h] = o
		}
	}
	// warm ends the slowstart that every world below begins with.
	warm := func(w *modeltest.World, section int64) {
		w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange, s.Throttle = 1, 0 })
		for i := range w.Snap.HAProxy["10.10.10.11"].Value.Proxies {
			w.Snap.HAProxy["10.10.10.11"].Value.Proxies[i].Back.LastChange = section
		}
	}
	for _, tt := range []struct {
		name string
		do   func(*modeltest.World)
		want bool
	}{
		{"quiet", func(*modeltest.World) {}, false},
		{"a server went down", func(w *modeltest.World) {
			w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1"); s.LastChange = 100 })
		}, true},
		{"a server went down and came back", func(w *modeltest.World) {
			w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange = 1 })
		}, true},
		{"a reload", func(w *modeltest.World) {
			w.Server("10.10.10.11", "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { s.CheckStatus = "INI" })
		}, true},
		{"slowstart ended", func(w *modeltest.World) { warm(w, 200) }, false},
		{"a reload during slowstart", func(w *modeltest.World) { warm(w, 1) }, true},
		{"HAProxy fell silent", func(w *modeltest.World) { w.Silence(1, 0) }, true},
		{"another HAProxy changed", func(w *modeltest.World) {
			w.Server("10.10.10.12", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange = 1 })
		}, false},
	} {
		before, after := modeltest.NewWorld(), modeltest.NewWorld()
		later(before, 0)
		later(after, 3*time.Second)
		for _, w := range []*modeltest.World{before, after} {
			w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.Throttle = 90 })
		}
		tt.do(after)
		if got := model.Moved(before.Snap, after.Snap, "10.10.10.11", "pg-test-primary"); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	// A transition of the second before the first look has aged like any other.
	for aged, want := range map[int64]bool{2: true, 3: false, 4: false} {
		before, after := modeltest.NewWorld(), modeltest.NewWorld()
		later(before, 0)
		later(after, 3*time.Second)
		before.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange = 0 })
		after.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange = aged })
		if got := model.Moved(before.Snap, after.Snap, "10.10.10.11", "pg-test-primary"); got != want {
			t.Errorf("3 s after a young transition, it is %d s old: %v", aged, got)
		}
	}
}
