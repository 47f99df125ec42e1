package candidate_test

import (
	"fmt"
	"strings"
	"testing"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/candidate"
)

// TestPredict is what Patroni answers, by version, as api.py and ha.py have it.
func TestPredict(t *testing.T) {
	sync := func(two, three string) func(*modeltest.World) {
		return func(w *modeltest.World) { w.Conf("synchronous_mode", "True"); roles(w, two, three) }
	}
	quorum := func(nodes, two, three string) func(*modeltest.World) {
		return func(w *modeltest.World) {
			w.Conf("synchronous_mode", "quorum", "synchronous_node_count", nodes)
			roles(w, two, three)
		}
	}
	all := func(fs ...func(*modeltest.World)) func(*modeltest.World) {
		return func(w *modeltest.World) {
			for _, f := range fs {
				f(w)
			}
		}
	}
	of := func(v string) func(*modeltest.World) { return func(w *modeltest.World) { w.Version(v) } }
	lags := func(two, three int64) func(*modeltest.World) {
		return func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{80*mb - two, 0}, [2]int64{80*mb - three, 0})
			behind(w, "pg-test-2", two)
			behind(w, "pg-test-3", three)
		}
	}
	nofailover := func(n int) func(*modeltest.World) {
		return func(w *modeltest.World) { w.Tag(n, "nofailover", "true", false) }
	}
	paused := func(w *modeltest.World) { dcs(w, func(c *model.PatroniCluster) { c.Paused = true }) }
	dead := func(n int, from bool) func(*modeltest.World) {
		return func(w *modeltest.World) { silent(w, n, lost{from}) }
	}
	calmly := func(*modeltest.World) {}
	const switchover, failover = false, true
	for _, tt := range []struct {
		name string
		do   func(*modeltest.World)
		to   model.InstanceName
		fail bool
		want string // verdict gate status leaders
		text string // of the answer and the reason
	}{
		{"calm", calmly, "pg-test-2", switchover, "pass  0 pg-test-2", ""},
		{"calm, to whom Patroni likes", calmly, "", switchover, "pass  0 pg-test-2, pg-test-3", ""},
		{"calm, failover", calmly, "pg-test-3", failover, "pass  0 pg-test-3", ""},
		{"failover to whom?", calmly, "", failover, "no A 400 ", "Failover could be performed only to a specific candidate"},
		{"to the leader, 3.0.2", of("3.0.2"), "pg-test-1", switchover, "no B 503 ", "Switchover failed"},
		{"to the leader, 4.0.7", of("4.0.7"), "pg-test-1", switchover, "no A 400 ", "Switchover target and source are the same"},
		{"to the leader, failover", of("4.0.7"), "pg-test-1", failover, "no B 503 ", "Failover failed"},
		{"to the leader in synchronous mode, 3.0.2", all(of("3.0.2"), sync("sync_standby", "replica")), "pg-test-1", switchover, "no A 412 ", "candidate name does not match with sync_standby"},

		{"its Patroni is dead", dead(2, true), "pg-test-2", switchover, "no A 412 ", "switchover is not possible: no good candidates have been found; pg-test-2: not reachable"},
		{"its Patroni is dead, failover", dead(2, true), "pg-test-2", failover, "no A 412 ", "failover is not possible: no good candidates have been found"},
		{"its Patroni is dead, to another", dead(2, true), "", switchover, "pass  0 pg-test-3", ""},
		{"the way to it is cut", dead(2, false), "pg-test-2", switchover, "unknown  0 ", "no answer"},
		{"the way to it is cut, to another", dead(2, false), "", switchover, "pass  0 pg-test-3", ""},
		{"the DCS has lost it", all(dead(2, false), func(w *modeltest.World) { dcs(w, drops("pg-test-2")) }), "pg-test-2", switchover, "no A 412 ", "candidate does not exists"},
		{"no PostgreSQL", func(w *modeltest.World) {
			w.Status(2, func(st *model.PatroniStatus) { st.State, st.Received, st.Replayed = "stopped", -1, -1 })
		}, "pg-test-2", switchover, "no A 412 ", "no good candidates"},
		{"nofailover", nofailover(2), "pg-test-2", switchover, "no A 412 ", "not allowed to promote"},
		{"nofailover, failover", nofailover(2), "pg-test-2", failover, "no A 412 ", "failover is not possible: no good candidates have been found"},
		{"nofailover, the other one", nofailover(2), "", switchover, "pass  0 pg-test-3", ""},
		{"both nofailover", all(nofailover(2), nofailover(3)), "", switchover, "no A 412 ", "no good candidates"},
		{"no watchdog", func(w *modeltest.World) { w.Status(2, func(st *model.PatroniStatus) { st.WatchdogFailed = true }) }, "pg-test-2", switchover, "no A 412 ", "not watchdog capable"},

		{"far behind", lags(64*mb, 0), "pg-test-2", switchover, "no B 503 ", "Switchover failed; pg-test-2: 64 MB behind in WAL received, limit 1 MB"},
		{"far behind, failover", lags(64*mb, 0), "pg-test-2", failover, "no B 503 ", "Failover failed"},
		{"far behind, the other one", lags(64*mb, 0), "", switchover, "pass  0 pg-test-3", ""},
		{"both far behind", lags(64*mb, 2*mb), "", switchover, "no B 503 ", "pg-test-2: 64 MB behind in WAL received, limit 1 MB; pg-test-3: 2 MB behind"},
		{"behind by the leader's word only, and no stream", func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{70 * mb, 0})
			w.Status(1, func(st *model.PatroniStatus) { st.Streams = nil })
			w.Status(2, func(st *model.PatroniStatus) { st.ReplicationState = "" })
		}, "pg-test-2", switchover, "unknown  0 ", "up to loop_wait old"},
		{"behind on the timeline", func(w *modeltest.World) {
			w.Conf("check_timeline", "True")
			w.Status(1, func(st *model.PatroniStatus) { st.Timeline = 2 })
		}, "pg-test-2", switchover, "no B 503 ", "on timeline 1, the cluster is on 2"},
		{"behind on the timeline, not checked", func(w *modeltest.World) { w.Status(1, func(st *model.PatroniStatus) { st.Timeline = 2 }) }, "pg-test-2", switchover, "pass  0 pg-test-2", ""},
		{"a second primary", func(w *modeltest.World) {
			w.Status(2, func(st *model.PatroniStatus) { st.Role, st.Location = "primary", 1000 })
		}, "pg-test-2", switchover, "no B 503 ", "it runs as a primary"},

		{"synchronous, to the standby", sync("sync_standby", "replica"), "pg-test-2", switchover, "pass  0 pg-test-2", ""},
		{"synchronous, to another", sync("sync_standby", "replica"), "pg-test-3", switchover, "no A 412 ", "candidate name does not match with sync_standby"},
		{"synchronous, to whom Patroni likes", sync("replica", "sync_standby"), "", switchover, "pass  0 pg-test-3", ""},
		{"synchronous, and no standby", sync("replica", "replica"), "", switchover, "no A 412 ", "switchover is not possible: can not find sync_standby"},
		{"synchronous, failover to another, 3.0.2", all(of("3.0.2"), sync("sync_standby", "replica")), "pg-test-3", failover, "no B 503 ", "Failover failed"},
		{"synchronous, failover to another, 3.1.2", all(of("3.1.2"), sync("sync_standby", "replica")), "pg-test-3", failover, "no B 503 ", "Failover failed"},
		{"synchronous, failover to another, 3.2.0", all(of("3.2.0"), sync("sync_standby", "replica")), "pg-test-3", failover, "pass  0 pg-test-3", ""},
		{"synchronous, failover to another, 4.0.7", sync("sync_standby", "replica"), "pg-test-3", failover, "pass  0 pg-test-3", ""},
		{"two standbys, one far behind, 3.0.2: the other one counts", all(of("3.0.2"), sync("sync_standby", "sync_standby"), lags(64*mb, 0)), "pg-test-2", switchover, "pass  0 pg-test-2", ""},
		{"two standbys, one far behind, 3.1.0", all(of("3.1.0"), sync("sync_standby", "sync_standby"), lags(64*mb, 0)), "pg-test-2", switchover, "no B 503 ", "64 MB behind"},

		{"quorum, to a voter", quorum("1", "quorum_standby", "quorum_standby"), "pg-test-2", switchover, "pass  0 pg-test-2", ""},
		{"quorum, to another", quorum("1", "quorum_standby", "replica"), "pg-test-3", switchover, "no B 503 ", "Switchover failed; not in the /sync key, and synchronous_mode is quorum"},
		{"quorum, failover to another", quorum("1", "quorum_standby", "replica"), "pg-test-3", failover, "pass  0 pg-test-3", ""},
		{"quorum of two, to whom Patroni likes", quorum("1", "quorum_standby", "quorum_standby"), "", switchover, "pass  0 pg-test-2, pg-test-3", ""},
		{"quorum of two, one far behind", all(quorum("1", "quorum_standby", "quorum_standby"), lags(64*mb, 0)), "", switchover, "no B 503 ", "1 synchronous standbys can lead, and quorum commit requires 2"},
		{"quorum of two, one far behind, to the other", all(quorum("1", "quorum_standby", "quorum_standby"), lags(64*mb, 0)), "pg-test-3", switchover, "pass  0 pg-test-3", ""},
		{"quorum of one of two, one far behind", all(quorum("2", "quorum_standby", "quorum_standby"), lags(64*mb, 0)), "", switchover, "pass  0 pg-test-3", ""},
		{"quorum before 4.0 is off", all(of("3.3.8"), quorum("1", "replica", "replica")), "pg-test-2", switchover, "pass  0 pg-test-2", ""},

		{"paused, to one", paused, "pg-test-2", switchover, "pass  0 pg-test-2", ""},
		{"paused, to whom Patroni likes", paused, "", switchover, "no A 400 ", "Switchover is possible only to a specific candidate in a paused state"},
		{"no leader, switchover", noLeader, "pg-test-2", switchover, "no A 400 ", "Switchover could be performed only from a specific leader"},
		{"no leader, failover", noLeader, "pg-test-2", failover, "pass  0 pg-test-2", ""},
		{"no leader, failover to one that lags", all(noLeader, func(w *modeltest.World) { behind(w, "pg-test-2", 64*mb) }), "pg-test-2", failover, "pass  0 pg-test-2", ""},
		{"no leader, failover to one that may not", all(noLeader, nofailover(2)), "pg-test-2", failover, "no A 412 ", "not allowed to promote"},
		{"the leader does not answer", dead(1, false), "pg-test-2", failover, "unknown  0 ", "pg-test-1 leads, as the DCS lists it, and its Patroni does not answer"},
		{"the leader's PostgreSQL is down", func(w *modeltest.World) { w.Status(1, func(st *model.PatroniStatus) { st.State = "stopped" }) }, "pg-test-2", switchover, "unknown  0 ", "stopped"},
		{"the configuration was not read", func(w *modeltest.World) { w.Snap.Rules = nil }, "pg-test-2", switchover, "unknown  0 ", "what Patroni decides by is unknown"},
		{"the DCS is lost", func(w *modeltest.World) { w.Status(1, func(st *model.PatroniStatus) { st.Failsafe = true }) }, "pg-test-2", switchover, "unknown  0 ", "failsafe_mode is active"},
		{"a member that the inventory does not have", func(w *modeltest.World) { w.Listed(model.PatroniMember{Name: "pg-test-9", Role: "replica"}) }, "pg-test-9", switchover, "unknown  0 ", "the inventory has no member pg-test-9"},
		{"both may not, a third one is unlisted", all(nofailover(2), nofailover(3), func(w *modeltest.World) { w.Listed(model.PatroniMember{Name: "pg-test-9", Role: "replica"}) }), "", switchover, "unknown  0 ", "the inventory does not have"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.Calm()
			tt.do(w)
			tb := table(w)
			p := candidate.Predict(&tb, tt.to, tt.fail)
			modeltest.Equal(t, "prediction", fmt.Sprintf("%s %s %d %s", p.Verdict, p.Gate, p.Status, model.Join(p.Leaders)), tt.want)
			if got := p.Says + "; " + p.Why; !strings.Contains(got, tt.text) {
				t.Errorf("%q lacks %q", got, tt.text)
			}
			if p.Verdict != candidate.Pass && p.Why == "" {
				t.Error("no reason")
			}
		})
	}
}

// TestVia: the call goes to a member that stays up and reaches the candidate, and
// the answer depends on who gets it.
func TestVia(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*modeltest.World)
		to   model.InstanceName
		via  model.InstanceName // of the call; "" takes Via
		want string             // Via, then the verdict, its gate and status
	}{
		{"calm", func(*modeltest.World) {}, "pg-test-2", "", "pg-test-3: pass  0"},
		{"calm, to whom Patroni likes", func(*modeltest.World) {}, "", "", "pg-test-2: pass  0"},
		{"the third one does not reach it", cut("10.10.10.13", "pg-test-2"), "pg-test-2", "", "pg-test-2: pass  0"},
		{"the third one does not reach it, and gets the call", cut("10.10.10.13", "pg-test-2"), "pg-test-2", "pg-test-3", "pg-test-2: no A 412"},
		{"the leader does not reach it", cut("10.10.10.11", "pg-test-2"), "pg-test-2", "", "pg-test-3: no B 503"},
		{"the leader does not reach it, and gets the call", cut("10.10.10.11", "pg-test-2"), "pg-test-2", "pg-test-1", "pg-test-3: no A 412"},
		{"the leader reaches another", cut("10.10.10.11", "pg-test-2"), "", "", "pg-test-2: pass  0"},
		{"the third one is dead", func(w *modeltest.World) { silent(w, 3, lost{true}) }, "pg-test-2", "", "pg-test-2: pass  0"},
		{"both are dead", func(w *modeltest.World) { silent(w, 2, lost{true}); silent(w, 3, lost{true}) }, "pg-test-2", "", "pg-test-1: no A 412"},
	} {
		w := modeltest.Calm()
		tt.do(w)
		tb := table(w)
		via := tb.Via(tt.to)
		p := candidate.Predict(&tb, tt.to, false)
		if tt.via != "" {
			p = candidate.PredictVia(&tb, tt.to, false, tt.via)
		}
		modeltest.Equal(t, tt.name, fmt.Sprintf("%s: %s %s %d", via, p.Verdict, p.Gate, p.Status), tt.want)
	}
}
