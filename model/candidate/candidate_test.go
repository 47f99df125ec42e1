package candidate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/candidate"
	"pgtui/model/check"
	"pgtui/plan"
	"pgtui/source"
)

const mb = 1 << 20

func table(w *modeltest.World) candidate.Table {
	b := check.Board(w.Snap, w.Cls, modeltest.T0)
	return candidate.Of(w.Snap, &b, modeltest.T0)
}

// sql changes what a login on member n shows.
func sql(w *modeltest.World, n int, f func(*model.ServerFacts)) {
	name := w.Cls.Instances[n-1].Name
	o := w.Snap.SQL[name]
	f(&o.Value)
	w.Snap.SQL[name] = o
}

// dcs changes what every member reads from the DCS.
func dcs(w *modeltest.World, f func(*model.PatroniCluster)) {
	for _, in := range w.Cls.Instances {
		v := w.Snap.Patroni[in.Name]
		v.Cluster.Value.Members = slices.Clone(v.Cluster.Value.Members)
		f(&v.Cluster.Value)
		w.Snap.Patroni[in.Name] = v
	}
}

func drops(name model.InstanceName) func(*model.PatroniCluster) {
	return func(c *model.PatroniCluster) {
		c.Members = slices.DeleteFunc(c.Members, func(m model.PatroniMember) bool { return m.Name == name })
	}
}

// roles sets the roles that the DCS lists for members 2 and 3.
func roles(w *modeltest.World, two, three string) {
	dcs(w, func(c *model.PatroniCluster) { c.Member("pg-test-2").Role, c.Member("pg-test-3").Role = two, three })
}

// behind sets what the DCS has of a member's distance.
func behind(w *modeltest.World, name model.InstanceName, n int64) {
	dcs(w, func(c *model.PatroniCluster) { c.Member(name).Behind = n })
}

// lost is a Patroni that gives no answer; from reports whether the node itself
// refuses.
type lost struct{ from bool }

func (lost) Error() string   { return "no answer" }
func (l lost) Reached() bool { return l.from }

func silent(w *modeltest.World, n int, err error) {
	name := w.Cls.Instances[n-1].Name
	v := w.Snap.Patroni[name]
	v.Status = v.Status.Next(model.PatroniStatus{}, err, modeltest.T0, 2*time.Second)
	v.Cluster = v.Cluster.Next(model.PatroniCluster{}, err, modeltest.T0, 2*time.Second)
	for k, c := range v.Checks {
		v.Checks[k] = c.Next(0, err, modeltest.T0, 2*time.Second)
	}
	w.Snap.Patroni[name] = v
}

// cut keeps a node from the Patroni of a member, and lets every other one through.
func cut(host model.Host, name model.InstanceName) func(*modeltest.World) {
	return func(w *modeltest.World) {
		w.Snap.Reach = map[model.Host]source.Observed[map[model.InstanceName]string]{}
		for _, in := range w.Cls.Instances {
			from := map[model.InstanceName]string{}
			for _, other := range w.Cls.Instances {
				if other.Name != in.Name {
					from[other.Name] = ""
				}
			}
			if in.Host == host {
				from[name] = "no connection"
			}
			w.Snap.Reach[in.Host] = modeltest.Seen(from)
		}
	}
}

func server(w *modeltest.World, host model.Host, f func(*haproxy.ServerRow)) {
	w.Server(host, "pg-test-primary", "pg-test-2", f)
}

// gate is the worst gate of that name, of the cluster when name is of none of the
// member's.
func gate(t *testing.T, tb *candidate.Table, name string) candidate.Gate {
	t.Helper()
	all := append(slices.Clone(tb.Gates), tb.Candidate("pg-test-2").Gates...)
	order := []candidate.Verdict{candidate.Pass, candidate.Note, candidate.Risk, candidate.Unknown, candidate.No}
	var out *candidate.Gate
	for i := range all {
		if g := &all[i]; g.Name == name && (out == nil || slices.Index(order, g.Verdict) > slices.Index(order, out.Verdict)) {
			out = g
		}
	}
	if out == nil {
		t.Fatalf("no gate %s in %+v", name, all)
	}
	return *out
}

func TestCalmClusterPassesEveryGate(t *testing.T) {
	w := modeltest.Calm()
	tb := table(w)
	modeltest.Equal(t, "verdict", string(tb.Verdict()), "pass")
	modeltest.Equal(t, "summary", tb.Summary(), "pg-test-2, pg-test-3 can take over")
	for _, c := range tb.Candidates {
		for _, g := range append(tb.Gates, c.Gates...) {
			if g.Verdict != candidate.Pass || g.What == "" || g.Risk != "" || g.Try != "" {
				t.Errorf("%s: %+v", c.Instance, g)
			}
		}
		for _, name := range []string{"reachable", "state", "received-lag", "timeline", "sync", "nofailover", "failover-priority", "watchdog", "replication",
			"replay-backlog", "pending-restart", "role", "postgres-port", "pooler-port", "haproxy-view"} {
			if !slices.ContainsFunc(c.Gates, func(g candidate.Gate) bool { return g.Name == name }) {
				t.Errorf("%s has no gate %s", c.Instance, name)
			}
		}
	}
	if g := tb.Gap; g.Low != 2500*time.Millisecond || g.High != 6*time.Second || g.Open || len(g.Parts) != 3 {
		t.Errorf("gap %+v", g)
	}
	if len(tb.Ports) != 2 || !tb.Ports[0].Known || tb.Ports[0].Port != 5433 {
		t.Errorf("ports %+v", tb.Ports)
	}
}

// TestGates is each gate of pg-test-2, or of the cluster, by its case.
func TestGates(t *testing.T) {
	status := func(f func(*model.PatroniStatus)) func(*modeltest.World) {
		return func(w *modeltest.World) { w.Status(2, f) }
	}
	role := func(r model.Role) func(*modeltest.World) {
		return func(w *modeltest.World) { w.Cls.Instances[1].Role = r }
	}
	port := func(f model.Fault, text string, dial time.Duration) func(*modeltest.World) {
		return func(w *modeltest.World) {
			sql(w, 2, func(s *model.ServerFacts) { s.Pooled = model.Try{Fault: f, Text: text, Dial: dial} })
		}
	}
	row := func(f func(*haproxy.ServerRow)) func(*modeltest.World) {
		return func(w *modeltest.World) { server(w, "10.10.10.13", f) }
	}
	lead := func(f func(*model.ServerFacts)) func(*modeltest.World) {
		return func(w *modeltest.World) { sql(w, 1, f) }
	}
	for _, tt := range []struct {
		gate, name string
		do         func(*modeltest.World)
		want       string // verdict, risk, Patroni's gate
		text       string // in What
	}{
		{"reachable", "its Patroni is dead", func(w *modeltest.World) { silent(w, 2, lost{true}) }, "no  A", "no answer"},
		{"reachable", "the way to it is cut", func(w *modeltest.World) { silent(w, 2, lost{false}) }, "unknown  A", "whether the other members reach it is unknown"},
		{"reachable", "the DCS has lost it", func(w *modeltest.World) { silent(w, 2, lost{false}); dcs(w, drops("pg-test-2")) }, "no  A", "the DCS does not list it"},
		{"reachable", "another cluster's", status(func(st *model.PatroniStatus) { st.Name, st.Scope, st.SystemID = "pg-x-1", "pg-x", "9" }), "no  ", "pg-x"},
		{"reachable", "another member does not reach it", cut("10.10.10.13", "pg-test-2"), "note  A", "pg-test-3 does not reach it: no connection"},
		{"reachable", "the leader does not reach it", cut("10.10.10.11", "pg-test-2"), "no  B", "pg-test-1, which leads, does not reach it: no connection"},
		{"reachable", "a node that could not be read shows nothing", func(w *modeltest.World) {
			cut("10.10.10.11", "pg-test-2")(w)
			o := w.Snap.Reach["10.10.10.11"]
			o.Err = errors.New("no connection")
			w.Snap.Reach["10.10.10.11"] = o
		}, "pass  A", "its Patroni answered"},
		{"state", "stopped", status(func(st *model.PatroniStatus) { st.State, st.Received, st.Replayed = "stopped", -1, -1 }), "no  A", "its Patroni reports no WAL position; PostgreSQL is stopped"},
		{"state", "starting and answering", status(func(st *model.PatroniStatus) { st.State = "starting" }), "risk candidate-unread ", "starting"},
		{"state", "a second primary", status(func(st *model.PatroniStatus) { st.Role, st.Location = "primary", 1000 }), "no  B", "without the leader key"},
		{"received-lag", "less than the limit", func(w *modeltest.World) { w.Wal(80*mb, [2]int64{80*mb - 1000, 80*mb - 1000}) }, "pass  B", "1000 bytes behind in WAL received, limit 1 MB"},
		{"received-lag", "exactly the limit", func(w *modeltest.World) { w.Wal(80*mb, [2]int64{79 * mb, 0}) }, "pass  B", "1 MB behind"},
		{"received-lag", "one byte more, by both words", func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{79*mb - 1, 0})
			behind(w, "pg-test-2", mb+1)
		}, "no  B", "behind in WAL received, limit 1 MB"},
		{"received-lag", "the DCS lags behind the leader, and it does not stream", func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{70 * mb, 70 * mb})
			w.Status(1, func(st *model.PatroniStatus) { st.Streams = nil })
			w.Status(2, func(st *model.PatroniStatus) { st.ReplicationState = "" })
		}, "unknown  B", "10 MB behind as it reports itself and 0 bytes as the DCS lists it"},
		{"received-lag", "read moments apart, and it streams", func(w *modeltest.World) { w.Wal(80*mb, [2]int64{75 * mb, 75 * mb}) }, "pass  B", "as the DCS lists it"},
		{"received-lag", "the configuration allows more", func(w *modeltest.World) {
			w.Conf("maximum_lag_on_failover", "104857600")
			w.Wal(80*mb, [2]int64{70 * mb, 70 * mb})
		}, "pass  B", "limit 100 MB"},
		{"received-lag", "the limit is not Patroni's own word", func(w *modeltest.World) { w.Snap.Rules = nil }, "unknown  B", "no answer to GET /config"},
		{"timeline", "behind, not checked", status(func(st *model.PatroniStatus) { st.Timeline = 0 }), "pass  B", "timeline"},
		{"timeline", "behind, checked", func(w *modeltest.World) {
			w.Conf("check_timeline", "True")
			w.Status(1, func(st *model.PatroniStatus) { st.Timeline = 3 })
		}, "no  B", "on timeline 1, the cluster is on 3, and check_timeline is on"},
		{"timeline", "behind, and Patroni does not check it", func(w *modeltest.World) { w.Status(1, func(st *model.PatroniStatus) { st.Timeline = 3 }) }, "risk data-loss B", "check_timeline is off"},
		{"timeline", "none reported, checked", func(w *modeltest.World) {
			w.Conf("check_timeline", "on")
			w.Status(2, func(st *model.PatroniStatus) { st.Timeline = 0 })
		}, "no  B", ""},
		{"sync", "not a synchronous standby", func(w *modeltest.World) {
			w.Conf("synchronous_mode", "True")
			roles(w, "replica", "sync_standby")
		}, "no  A", "not in the /sync key"},
		{"sync", "a synchronous standby", func(w *modeltest.World) {
			w.Conf("synchronous_mode", "True")
			roles(w, "sync_standby", "replica")
		}, "pass  A", "in the /sync key, synchronous_mode on"},
		{"sync", "outside the quorum", func(w *modeltest.World) {
			w.Conf("synchronous_mode", "quorum")
			roles(w, "replica", "quorum_standby")
		}, "no  B", "synchronous_mode is quorum"},
		{"sync", "quorum means nothing before 4.0", func(w *modeltest.World) { w.Version("3.0.2"); w.Conf("synchronous_mode", "quorum") }, "pass  A", "synchronous_mode is off"},
		{"sync", "a key that an earlier mode left", func(w *modeltest.World) { roles(w, "replica", "sync_standby") }, "pass  A", "synchronous_mode is off"},
		{"nofailover", "the tag", func(w *modeltest.World) { w.Tag(2, "nofailover", "true", false) }, "no  A", "the tag nofailover is true"},
		{"nofailover", "false", func(w *modeltest.World) { w.Tag(2, "nofailover", "false", true) }, "pass  A", ""},
		{"failover-priority", "0 is nofailover", func(w *modeltest.World) { w.Tag(2, "failover_priority", "0", true) }, "no  A", "failover_priority 0, which is nofailover"},
		{"failover-priority", "not before 3.2", func(w *modeltest.World) { w.Version("3.0.2"); w.Tag(2, "failover_priority", "0", true) }, "pass  A", "ignores"},
		{"watchdog", "required and not there", status(func(st *model.PatroniStatus) { st.WatchdogFailed = true }), "no  A", "watchdog"},
		{"replication", "no walsender", func(w *modeltest.World) {
			w.Status(1, func(st *model.PatroniStatus) { st.Streams = st.Streams[1:] })
			w.Status(2, func(st *model.PatroniStatus) { st.ReplicationState = "in archive recovery" })
		}, "risk data-loss C", "it does not stream"},
		{"replication", "catching up", func(w *modeltest.World) {
			w.Status(1, func(st *model.PatroniStatus) { st.Streams[0].State = "catchup" })
		}, "risk data-loss C", "state catchup"},
		{"replication", "a cascade", func(w *modeltest.World) {
			w.Status(1, func(st *model.PatroniStatus) { st.Streams = st.Streams[1:] })
			w.Status(3, func(st *model.PatroniStatus) {
				st.Streams = []model.Stream{{Application: "pg-test-2", State: "streaming"}}
			})
		}, "note  C", "streams from pg-test-3"},
		{"replay-backlog", "a little", func(w *modeltest.World) { w.Wal(80*mb, [2]int64{80 * mb, 80*mb - 4096}) }, "pass  ", "4 kB received and not replayed"},
		{"replay-backlog", "much, at an unknown speed", func(w *modeltest.World) { w.Wal(80*mb, [2]int64{80 * mb, 10 * mb}) }, "risk replay-backlog ", "70 MB received and not replayed; how long that takes is unknown: its replay was not measured"},
		{"replay-backlog", "replayed in half a second", func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{80 * mb, 40 * mb})
			sql(w, 2, func(f *model.ServerFacts) { f.ReplayRate, f.ReplaySpan = 80*mb, 300*time.Millisecond })
		}, "note  ", "about 500 ms more outage, by the 80 MB/s that it replayed during 300 ms"},
		{"replay-backlog", "replayed in four seconds", func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{80 * mb, 40 * mb})
			sql(w, 2, func(f *model.ServerFacts) { f.ReplayRate, f.ReplaySpan = 10*mb, 300*time.Millisecond })
		}, "risk replay-backlog ", "about 4 s more outage"},
		{"replay-backlog", "it stands still", func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{80 * mb, 78 * mb})
			sql(w, 2, func(f *model.ServerFacts) { f.ReplayRate, f.ReplaySpan = 0, 300*time.Millisecond })
		}, "note  ", "it replayed nothing in 300 ms"},
		{"pending-restart", "with its reason", status(func(st *model.PatroniStatus) {
			st.PendingRestart, st.PendingReasons = true, []string{"max_connections: 100 → 200"}
		}), "note  ", "max_connections: 100 → 200"},
		{"role", "offline", role(model.RoleOffline), "risk unfit-role ", "offline"},
		{"role", "delayed", role(model.RoleDelayed), "risk unfit-role ", "delayed"},
		{"postgres-port", "starting up", func(w *modeltest.World) {
			sql(w, 2, func(s *model.ServerFacts) {
				s.Direct = modeltest.Broken(model.FaultStarting, "the database system is starting up")
			})
		}, "risk candidate-port ", "port 5432: the database system is starting up"},
		{"pooler-port", "nothing listens", port(model.FaultRefused, "connection refused", 0), "risk candidate-port ", "pgbouncer's port 6432: connection refused"},
		{"pooler-port", "it does not reach PostgreSQL", port(model.FaultPooler, "pgbouncer answers and does not reach PostgreSQL", 1), "risk candidate-port ", "does not reach"},
		{"pooler-port", "the monitoring user is not let in", port(model.FaultAuth, "the monitoring user is not let in", 1), "note  ", "answers"},
		{"pooler-port", "no route, and Patroni answers", port(model.FaultTimeout, "no answer within 2s", 0), "risk candidate-port ", "no answer"},
		{"pooler-port", "no login was tried", func(w *modeltest.World) { w.Snap.SQL = nil }, "unknown  ", "no login was tried"},
		{"pooler-port", "not tried, and the watch found it shut", func(w *modeltest.World) { w.Snap.SQL = nil; w.Shut(2) }, "risk candidate-port ", "port 6432 refuses connections"},
		{"haproxy-view", "drain", row(func(s *haproxy.ServerRow) { s.Status = "DRAIN" }), "risk candidate-unrouted ", "5433 primary on pg-test-3: in drain"},
		{"haproxy-view", "maint", row(func(s *haproxy.ServerRow) { s.Status = "MAINT" }), "risk candidate-unrouted ", "in maint"},
		{"haproxy-view", "a drain behind DOWN", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-2", haproxy.ForcedDrain, "10.10.10.12")
		}, "risk candidate-unrouted ", "on pg-test-2: in drain, hidden by its status DOWN"},
		{"haproxy-view", "a maint behind DOWN", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-2", haproxy.ForcedMaint, "10.10.10.12")
		}, "risk candidate-unrouted ", "in maint, hidden"},
		{"haproxy-view", "a drain of another service", func(w *modeltest.World) {
			w.Drained("pg-test-replica", "pg-test-2", haproxy.ForcedDrain, "10.10.10.12")
		}, "pass  ", ""},
		{"haproxy-view", "the states were not read", func(w *modeltest.World) { w.Snap.Servers = nil }, "unknown  ", "whether a drain hides behind DOWN is unknown"},
		{"haproxy-view", "the states of one were not read", func(w *modeltest.World) {
			w.Snap.Servers["10.10.10.13"] = source.Observed[haproxy.ServerStates]{Err: errors.New("sudo: a password is required")}
		}, "unknown  ", "on pg-test-3: whether a drain hides behind DOWN is unknown: show servers state was not read: sudo"},
		{"haproxy-view", "weight 0", row(func(s *haproxy.ServerRow) { s.UserWeight = 0 }), "risk candidate-unrouted ", "its weight is 0"},
		{"haproxy-view", "its check is disabled while it is DOWN", row(func(s *haproxy.ServerRow) { s.CheckStatus, s.CheckCode = "", 0 }), "risk candidate-unrouted ", "its health check is disabled"},
		{"haproxy-view", "HAProxy does not answer", func(w *modeltest.World) { w.SilenceHAProxy(3) }, "unknown  ", "on pg-test-3"},
		{"haproxy-view", "no such server", func(w *modeltest.World) {
			w.Only("pg-test-primary", modeltest.Up("pg-test-1"), modeltest.Refused("pg-test-3"))
		}, "risk candidate-unrouted ", "HAProxy has no such server"},
		{"archiver", "fails", lead(func(f *model.ServerFacts) {
			f.Archived, f.ArchiveFail, f.FailedFile, f.ArchiveReady = modeltest.T0.Add(-time.Hour), modeltest.T0.Add(-5*time.Second), "00000001", 3
		}), "risk archiver-stuck C", "archive_command fails, the last time 5 s ago on 00000001; 3 WAL files to archive"},
		{"archiver", "failed once, and works", lead(func(f *model.ServerFacts) { f.ArchiveFail = modeltest.T0.Add(-time.Hour) }), "pass  C", ""},
		{"archiver", "a backlog", lead(func(f *model.ServerFacts) { f.ArchiveReady = 400 }), "risk archiver-stuck C", "400 WAL files to archive"},
		{"archiver", "off", lead(func(f *model.ServerFacts) { f.ArchiveMode, f.ArchiveReady = "off", 900 }), "pass  C", "archive_mode is off"},
		{"archiver", "not read", lead(func(f *model.ServerFacts) { f.Read = false }), "unknown candidate-unread ", "may not read it"},
		{"prepared-transactions", "two", lead(func(f *model.ServerFacts) { f.Prepared, f.OldestPrepared = 2, time.Hour }), "note open-transactions ", "2 prepared transactions, the oldest 1h0m0s"},
		{"long-transactions", "one", lead(func(f *model.ServerFacts) { f.Long, f.OldestXact = 1, 90*time.Second }), "note open-transactions ", "1 transaction of a minute or longer, the oldest 1m30s"},
		{"long-transactions", "not visible", lead(func(f *model.ServerFacts) { f.Long = -1 }), "unknown candidate-unread ", "pg_read_all_stats"},
		{"pause", "paused", func(w *modeltest.World) { dcs(w, func(c *model.PatroniCluster) { c.Paused = true }) }, "risk paused A", "a switchover needs --candidate"},
		{"scheduled", "soon", func(w *modeltest.World) {
			dcs(w, func(c *model.PatroniCluster) { c.Switch.At = modeltest.T0.Add(time.Minute).Format(time.RFC3339) })
		}, "risk scheduled-soon ", "is scheduled at"},
		{"scheduled", "later", func(w *modeltest.World) {
			dcs(w, func(c *model.PatroniCluster) { c.Switch.At = modeltest.T0.Add(9 * time.Hour).Format(time.RFC3339) })
		}, "risk scheduled ", ""},
		{"leader", "it does not answer", func(w *modeltest.World) { silent(w, 1, lost{false}) }, "unknown  A", "pg-test-1 leads, as the DCS lists it, and its Patroni does not answer"},
		{"leader", "none", noLeader, "risk no-leader A", "no member holds the leader key"},
		{"dcs", "no word of it", func(w *modeltest.World) {
			for _, in := range w.Cls.Instances {
				v := w.Snap.Patroni[in.Name]
				v.Cluster = source.Observed[model.PatroniCluster]{}
				w.Snap.Patroni[in.Name] = v
			}
		}, "unknown  A", "no Patroni answered GET /cluster"},
		{"dcs", "failsafe_mode is active", status(func(st *model.PatroniStatus) { st.Failsafe = true }), "no  A", "failsafe_mode is active"},
		{"foreign", "another cluster's", status(func(st *model.PatroniStatus) { st.Name, st.Scope, st.SystemID = "pg-x-1", "pg-x", "9" }), "risk foreign-patroni ", "pg-x"},
		{"standby-cluster", "it is one", func(w *modeltest.World) { w.Cls.Standby = true }, "note  ", "takes no writes"},
	} {
		t.Run(tt.gate+"/"+tt.name, func(t *testing.T) {
			w := modeltest.Calm()
			tt.do(w)
			tb := table(w)
			g := gate(t, &tb, tt.gate)
			modeltest.Equal(t, "gate", fmt.Sprintf("%s %s %s", g.Verdict, g.Risk, g.By), tt.want)
			if !strings.Contains(g.What, tt.text) {
				t.Errorf("%q lacks %q", g.What, tt.text)
			}
			if g.Risk != "" && !slices.Contains(plan.RiskNames(), g.Risk) || g.Risk == "" && g.Verdict == candidate.Risk {
				t.Errorf("%q is no risk that --accept-risk takes", g.Risk)
			}
			if g.Verdict == candidate.Risk && g.Try == "" && g.Name != "state" && g.Name != "pause" && g.Name != "leader" {
				t.Errorf("nothing to try: %+v", g)
			}
		})
	}
}

// noLeader takes the leader key from pg-test-1, which follows then.
func noLeader(w *modeltest.World) {
	w.Patroni(1, false)
	w.Identify()
	w.Listed()
	dcs(w, func(c *model.PatroniCluster) { c.Member("pg-test-1").Role = "replica" })
}

// TestVerdictOfTheWhole: one that can is enough; what is known to refuse outranks
// what is unknown.
func TestVerdictOfTheWhole(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*modeltest.World)
		want string
		code int
	}{
		{"one is drained", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-2", haproxy.ForcedDrain, "10.10.10.12")
		}, "pg-test-3 can take over", 0},
		{"both are drained", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-2", haproxy.ForcedDrain, "10.10.10.12")
			w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedDrain, "10.10.10.12")
		}, "pg-test-2, pg-test-3 can take over, with a risk: candidate-unrouted", 1},
		{"one may not, the other is drained", func(w *modeltest.World) {
			w.Tag(2, "nofailover", "true", false)
			w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedDrain, "10.10.10.12")
		}, "pg-test-3 can take over, with a risk: candidate-unrouted", 1},
		{"neither may", func(w *modeltest.World) {
			w.Tag(2, "nofailover", "true", false)
			w.Tag(3, "nofailover", "true", false)
		}, "no member can take over", 2},
		{"one may not, the other is unknown", func(w *modeltest.World) {
			w.Tag(2, "nofailover", "true", false)
			silent(w, 3, lost{false})
		}, "it is unknown whether a member can take over: pg-test-3, reachable: Patroni does not answer", 3},
		{"the leader does not answer", func(w *modeltest.World) { silent(w, 1, lost{false}) }, "it is unknown whether a member can take over: pg-test-1 leads, as the DCS lists it", 3},
		{"the archiver fails", func(w *modeltest.World) {
			sql(w, 1, func(f *model.ServerFacts) { f.ArchiveFail = modeltest.T0.Add(time.Second) })
		}, "pg-test-2, pg-test-3 can take over, with a risk: archiver-stuck", 1},
		{"the archiver was not read", func(w *modeltest.World) { sql(w, 1, func(f *model.ServerFacts) { f.Read = false }) }, "can take over, with a risk: candidate-unread", 1},
		{"long transactions are worth a note", func(w *modeltest.World) {
			sql(w, 1, func(f *model.ServerFacts) { f.Long, f.OldestXact = 3, time.Hour })
		}, "pg-test-2, pg-test-3 can take over", 0},
	} {
		w := modeltest.Calm()
		tt.do(w)
		tb := table(w)
		if got := tb.Summary(); !strings.Contains(got, tt.want) || tb.Code() != tt.code {
			t.Errorf("%s: %d %q, expected %d %q", tt.name, tb.Code(), got, tt.code, tt.want)
		}
	}
}

// TestGapHasNoEndWithoutARate: an unknown part is not counted as nothing.
func TestGapHasNoEndWithoutARate(t *testing.T) {
	w := modeltest.Calm()
	w.Wal(80*mb, [2]int64{80 * mb, 40 * mb}, [2]int64{80 * mb, 40 * mb})
	if g := table(w).Gap; !g.Open || !strings.Contains(strings.Join(g.Parts, "\n"), "the replay of 40 MB on pg-test-2: how long that takes is unknown") {
		t.Errorf("%+v", g)
	}
	sql(w, 2, func(f *model.ServerFacts) { f.ReplayRate, f.ReplaySpan = 20*mb, 300*time.Millisecond })
	if g := table(w).Gap; g.Open || g.Low != 4500*time.Millisecond || g.High != 8*time.Second {
		t.Errorf("%+v", g)
	}
	sql(w, 1, func(f *model.ServerFacts) { f.ArchiveFail = modeltest.T0.Add(time.Second) })
	if g := table(w).Gap; !g.Open {
		t.Errorf("%+v", g)
	}
}
