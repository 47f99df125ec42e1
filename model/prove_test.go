package model_test

import (
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// started is when pg-test-n's postmaster began, as Patroni prints it in
// Shanghai and as PostgreSQL tells it.
func started(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, n, 764478000, time.UTC) }

// proving is a healthy world whose members tell who they are.
func proving() *world {
	w := newWorld()
	for i := range w.cls.Instances {
		name := w.cls.Instances[i].Name
		p := w.snap.Patroni[name]
		p.Status.Value.SystemID = "7710"
		p.Status.Value.PostmasterStart = started(i + 1).In(time.FixedZone("", 8*3600)).Format("2006-01-02 15:04:05.000000-07:00")
		w.snap.Patroni[name] = p
	}
	w.snap.Proofs = map[model.PortKey]source.Observed[model.Proof]{}
	return w
}

// answered is one connection that pg-test-n answered through a pooler.
func answered(n int) model.Try {
	return model.Try{Answer: model.Answer{Started: started(n), SystemID: "7710", Recovery: n != 1, Timeline: 1}, Connect: time.Millisecond, Query: time.Millisecond}
}

func failed(f model.Fault, text string) model.Try { return model.Try{Fault: f, Text: text} }

// view is the service on the first HAProxy after these connections through it.
func (w *world) proven(service string, p model.Proof) model.View {
	p.PortKey = model.PortKey{HAProxy: "10.10.10.11", Cluster: "pg-test", Service: model.ServiceName(service)}
	w.snap.Proofs[p.PortKey] = seen(p)
	return model.RouteOf(w.snap, w.cls, model.ServiceName(service), t0).Views[0]
}

func TestIdentify(t *testing.T) {
	now := time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name           string
		do             func(*world)
		answer         model.Answer
		want, by, text string
	}{
		{name: "through pgbouncer: by start time", answer: model.Answer{Started: started(2), SystemID: "7710"}, want: "pg-test-2", by: "start time"},
		{name: "straight to PostgreSQL: by address", answer: model.Answer{Addr: "10.10.10.13", Started: started(3), SystemID: "7710"}, want: "pg-test-3", by: "address"},
		{name: "restarted since Patroni was asked: by address", answer: model.Answer{Addr: "10.10.10.13", Started: now, SystemID: "7710"}, want: "pg-test-3", by: "address"},
		{name: "pgbouncer over 127.0.0.1: by start time", answer: model.Answer{Addr: "127.0.0.1", Started: started(1)}, want: "pg-test-1", by: "start time"},
		{name: "restarted, behind pgbouncer", answer: model.Answer{Started: now, SystemID: "7710"}, text: "may have restarted"},
		{name: "a member's Patroni never answered", do: func(w *world) { w.snap.Patroni["pg-test-2"] = model.PatroniView{} },
			answer: model.Answer{Started: started(2), SystemID: "7710"}, text: "none of the 2 members"},
		{name: "a member's Patroni fell silent: what it told still holds", do: func(w *world) { w.silence(2, time.Minute) },
			answer: model.Answer{Started: started(2), SystemID: "7710"}, want: "pg-test-2", by: "start time"},
		{name: "two members started in the same microsecond", do: func(w *world) {
			p := w.snap.Patroni["pg-test-3"]
			p.Status.Value.PostmasterStart = w.snap.Patroni["pg-test-2"].Status.Value.PostmasterStart
			w.snap.Patroni["pg-test-3"] = p
		}, answer: model.Answer{Started: started(2), SystemID: "7710"}, text: "fits pg-test-2, pg-test-3"},
		{name: "address and start time of two members", answer: model.Answer{Addr: "10.10.10.13", Started: started(2), SystemID: "7710"}, text: "its address is pg-test-3's, its start time is pg-test-2's"},
		{name: "another cluster's server", answer: model.Answer{Addr: "10.10.10.13", Started: started(3), SystemID: "666"}, text: "not this cluster's"},
		{name: "it tells nothing", answer: model.Answer{}, text: "does not tell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := proving()
			if tt.do != nil {
				tt.do(w)
			}
			name, by, why := model.Identify(w.snap, w.cls, tt.answer)
			equal(t, "name", string(name), tt.want)
			equal(t, "by", by, tt.by)
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
		do      func(*world)
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
			why: "pg-test-1 answered 1 of 1 connections, HAProxy says pg-test-2, pg-test-3 serves"},
		{name: "somebody answers where nobody serves", service: "primary", proof: model.Proof{Tries: []model.Try{answered(1)}}, verdict: model.Mismatch,
			do: func(w *world) {
				w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1") })
			}, why: "HAProxy says nobody serves"},
		{name: "another cluster's server", service: "primary", proof: model.Proof{Tries: []model.Try{{Answer: model.Answer{Started: started(1), SystemID: "666"}}}},
			verdict: model.Mismatch, why: "not of this cluster"},
		{name: "a server that cannot be named contradicts nobody", service: "primary", proof: model.Proof{Tries: []model.Try{{Answer: model.Answer{Started: t0, SystemID: "7710"}}}},
			verdict: model.Serving, why: "who answered is not known"},
		{name: "pgbouncer is down", service: "primary", proof: model.Proof{Tries: []model.Try{failed(model.FaultClosed, "closed without a word")}, Direct: shut},
			verdict: model.Mismatch, why: "1 of 1 connections failed: closed without a word; pg-test-1: nothing listens on 10.10.10.11:6432"},
		{name: "pgbouncer of one of two replicas is down: HAProxy takes the other after its retries", service: "replica",
			proof: model.Proof{Tries: []model.Try{slow(answered(3), 3*time.Second), answered(3)}, Direct: []model.DirectPort{
				{Instance: "pg-test-2", Addr: "10.10.10.12:6432", Fault: model.FaultRefused, Text: "nothing listens on 10.10.10.12:6432"}, {Instance: "pg-test-3", Addr: "10.10.10.13:6432"}}},
			verdict: model.Mismatch, why: "a connection waited 3s for a server whose port is dead; pg-test-2: nothing listens on 10.10.10.12:6432"},
		{name: "slow, and no port is dead", service: "replica",
			proof: model.Proof{Tries: []model.Try{slow(answered(3), 3*time.Second)}, Direct: []model.DirectPort{{Instance: "pg-test-2"}, {Instance: "pg-test-3"}}}, verdict: model.Serving},
		{name: "slow, and the dead port is one that HAProxy does not use", service: "replica",
			proof: model.Proof{Tries: []model.Try{slow(answered(3), 3*time.Second)}, Direct: []model.DirectPort{{Instance: "pg-test-1", Fault: model.FaultRefused, Text: "refused"}}}, verdict: model.Serving},
		{name: "the monitoring user is not let in: the port works", service: "primary", proof: model.Proof{Tries: []model.Try{failed(model.FaultAuth, "no")}}, verdict: model.Serving},
		{name: "nobody serves and nobody answers", service: "primary", proof: model.Proof{Tries: []model.Try{failed(model.FaultClosed, "closed")}}, verdict: model.Empty,
			do: func(w *world) {
				w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1") })
			}},
		{name: "the leader takes no writes: it is who should answer", service: "primary", proof: model.Proof{Tries: []model.Try{readOnly(answered(1)), readOnly(answered(1))}},
			readOnly: "pg-test-1", verdict: model.Serving},
		{name: "HAProxy changed meanwhile", service: "primary", proof: model.Proof{Moved: true, Tries: []model.Try{answered(3)}}, verdict: model.Serving, why: "nothing is concluded"},
		{name: "HAProxy is silent: who answers is shown, nothing is concluded", service: "replica", do: func(w *world) { w.silence(1, time.Minute) },
			proof: model.Proof{Tries: []model.Try{answered(2)}}, verdict: model.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := proving()
			if tt.do != nil {
				tt.do(w)
			}
			v := w.proven(tt.service, tt.proof)
			if v.Proven == nil {
				t.Fatal("no proof in the view")
			}
			equal(t, "verdict", string(v.Verdict), string(tt.verdict))
			why := v.Proven.Against + v.Proven.Dead + v.Proven.Note
			if (why != "") != (tt.why != "") || !strings.Contains(why, tt.why) {
				t.Errorf("why %q, want %q", why, tt.why)
			}
			equal(t, "read only", model.Join(v.Proven.ReadOnly), tt.readOnly)
			if v.Proven.Total() != len(tt.proof.Tries) {
				t.Errorf("%d tries, %+v", len(tt.proof.Tries), v.Proven)
			}
		})
	}
}

func TestAnOldProofIsNotNow(t *testing.T) {
	w := proving()
	w.proven("primary", model.Proof{Tries: []model.Try{answered(2)}})
	for k, o := range w.snap.Proofs {
		o.At = t0.Add(-model.ProofAge - time.Second)
		w.snap.Proofs[k] = o
	}
	if v := model.RouteOf(w.snap, w.cls, "primary", t0).Views[0]; v.Proven != nil || v.Verdict != model.Serving {
		t.Errorf("%+v", v)
	}
}

func TestMoved(t *testing.T) {
	later := func(w *world, d time.Duration) {
		for h, o := range w.snap.HAProxy {
			o.At = o.At.Add(d)
			for i := range o.Value.Proxies {
				for j := range o.Value.Proxies[i].Servers {
					o.Value.Proxies[i].Servers[j].LastChange += 100 + int64(d/time.Second)
				}
			}
			w.snap.HAProxy[h] = o
		}
	}
	// warm ends the slowstart that every world below begins with.
	warm := func(w *world, section int64) {
		w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange, s.Throttle = 1, 0 })
		for i := range w.snap.HAProxy["10.10.10.11"].Value.Proxies {
			w.snap.HAProxy["10.10.10.11"].Value.Proxies[i].Back.LastChange = section
		}
	}
	for _, tt := range []struct {
		name string
		do   func(*world)
		want bool
	}{
		{"quiet", func(*world) {}, false},
		{"a server went down", func(w *world) {
			w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = refused("pg-test-1"); s.LastChange = 100 })
		}, true},
		{"a server went down and came back", func(w *world) {
			w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange = 1 })
		}, true},
		{"a reload", func(w *world) {
			w.server("10.10.10.11", "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { s.CheckStatus = "INI" })
		}, true},
		{"slowstart ended", func(w *world) { warm(w, 200) }, false},
		{"a reload during slowstart", func(w *world) { warm(w, 1) }, true},
		{"HAProxy fell silent", func(w *world) { w.silence(1, 0) }, true},
		{"another HAProxy changed", func(w *world) {
			w.server("10.10.10.12", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange = 1 })
		}, false},
	} {
		before, after := newWorld(), newWorld()
		later(before, 0)
		later(after, 3*time.Second)
		for _, w := range []*world{before, after} {
			w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.Throttle = 90 })
		}
		tt.do(after)
		if got := model.Moved(before.snap, after.snap, "10.10.10.11", "pg-test-primary"); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	// A transition of the second before the first look has aged like any other.
	for aged, want := range map[int64]bool{2: true, 3: false, 4: false} {
		before, after := newWorld(), newWorld()
		later(before, 0)
		later(after, 3*time.Second)
		before.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange = 0 })
		after.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.LastChange = aged })
		if got := model.Moved(before.snap, after.snap, "10.10.10.11", "pg-test-primary"); got != want {
			t.Errorf("3 s after a young transition, it is %d s old: %v", aged, got)
		}
	}
}
