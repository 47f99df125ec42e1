package failover_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/failover"
)

const mb = 1 << 20

// rules is each rule of docs/whatif.md, by the name it has there.
func ruleTests() []ruleTest {
	leader := failover.Supposition{Down: []model.InstanceName{"pg-test-1"}}
	down := func(ns ...model.InstanceName) failover.Supposition { return failover.Supposition{Down: ns} }
	node := func(hs ...model.Host) failover.Supposition { return failover.Supposition{Nodes: hs} }
	return []ruleTest{
		{"nofailover", "the tag", leader, func(w *modeltest.World) { w.Tag(2, "nofailover", "true", false) }, "pg-test-3", "pg-test-2 does not lead: it has the tag nofailover.", ""},
		{"nofailover", "the text on", leader, func(w *modeltest.World) { w.Tag(2, "nofailover", "on", false) }, "pg-test-3", "", ""},
		{"nofailover", "the text false is true for Python", leader, func(w *modeltest.World) { w.Tag(2, "nofailover", "false", false) }, "pg-test-3", "", ""},
		{"nofailover", "false is false", leader, func(w *modeltest.World) { w.Tag(2, "nofailover", "false", true) }, "pg-test-2", "", ""},
		{"failover-priority-zero", "nobody is left", leader, func(w *modeltest.World) {
			w.Tag(2, "failover_priority", "0", true)
			w.Tag(3, "nofailover", "true", false)
		}, "", "pg-test-2 has failover_priority 0, which is nofailover; pg-test-3 has the tag nofailover", ""},
		{"failover-priority-zero", "not before 3.2", leader, func(w *modeltest.World) { w.Version("3.0.2"); w.Tag(2, "failover_priority", "0", true) }, "pg-test-2", "", ""},
		{"nofailover-over-priority", "nofailover: false wins over failover_priority: 0", leader, func(w *modeltest.World) {
			w.Tag(2, "nofailover", "false", true)
			w.Tag(2, "failover_priority", "0", true)
			w.Tag(3, "nofailover", "true", false)
		}, "pg-test-2", "", ""},
		{"failover-priority", "the higher one at equal positions", leader, func(w *modeltest.World) { w.Tag(3, "failover_priority", "2", false) }, "pg-test-3",
			"pg-test-2 does not lead: it has received as much WAL as pg-test-3 and has the lower failover_priority (1 against 2).", ""},
		{"failover-priority", "more WAL wins over it", leader, func(w *modeltest.World) {
			w.Tag(3, "failover_priority", "9", false)
			w.Wal(8*mb, [2]int64{8 * mb, 8 * mb}, [2]int64{8*mb - 1, 8*mb - 1})
		}, "pg-test-2", "pg-test-3 does not lead: it has received 1 byte less WAL than pg-test-2.", ""},
		{"failover-priority", "not before 3.2", leader, func(w *modeltest.World) { w.Version("3.0.2"); w.Tag(3, "failover_priority", "2", false) }, "pg-test-2", "assumed", ""},
		{"priority-in-sync", "4.0.7 ignores it", leader, func(w *modeltest.World) {
			w.Version("4.0.7")
			w.Synced(2, 3)
			w.Tag(3, "failover_priority", "2", false)
		}, "pg-test-2", "pg-test-3 is equally likely", ""},
		{"priority-in-sync", "4.1.1 heeds it", leader, func(w *modeltest.World) {
			w.Version("4.1.1")
			w.Synced(2, 3)
			w.Tag(3, "failover_priority", "2", false)
		}, "pg-test-3", "", ""},
		{"position", "received counts, not replayed", leader, func(w *modeltest.World) { w.Wal(80*mb, [2]int64{80 * mb, 10 * mb}, [2]int64{79 * mb, 79 * mb}) }, "pg-test-2",
			"pg-test-2 has received 70 MB that it has not replayed", ""},
		{"position", "what is replayed from an archive counts too", leader, func(w *modeltest.World) { w.Wal(80*mb, [2]int64{0, 80 * mb}, [2]int64{79 * mb, 79 * mb}) }, "pg-test-2", "", ""},
		{"maximum-lag", "who is further behind does not lead", leader, func(w *modeltest.World) { w.Wal(80*mb, [2]int64{70 * mb, 70 * mb}, [2]int64{70 * mb, 70 * mb}) }, "", "pg-test-2 is 10 MB behind, more than maximum_lag_on_failover allows (1 MB)", ""},
		{"maximum-lag", "the configuration allows more", leader, func(w *modeltest.World) {
			w.Conf("maximum_lag_on_failover", "104857600")
			w.Wal(80*mb, [2]int64{70 * mb, 70 * mb}, [2]int64{60 * mb, 60 * mb})
		}, "pg-test-2", "", ""},
		{"maximum-lag", "the inventory's pg_rpo stands in", leader, func(w *modeltest.World) {
			w.Cls.Patroni, w.Cls.PatroniFrom = model.PatroniConf{SyncNodes: 1, MaxLag: 20 * mb}, "pg_rpo 20971520"
			w.Wal(80*mb, [2]int64{70 * mb, 70 * mb}, [2]int64{50 * mb, 50 * mb})
		}, "pg-test-2", "", ""},
		{"check-timeline", "an old timeline does not lead", leader, func(w *modeltest.World) {
			w.Conf("check_timeline", "on")
			w.Status(1, func(s *model.PatroniStatus) { s.Timeline = 5 })
			w.Status(2, func(s *model.PatroniStatus) { s.Timeline = 4 })
			w.Status(3, func(s *model.PatroniStatus) { s.Timeline = 5 })
		}, "pg-test-3", "pg-test-2 does not lead: it is on timeline 4, the cluster is on 5, and check_timeline is on.", ""},
		{"check-timeline", "unless it is off", leader, func(w *modeltest.World) {
			w.Status(1, func(s *model.PatroniStatus) { s.Timeline = 5 })
			w.Status(2, func(s *model.PatroniStatus) { s.Timeline = 4 })
		}, "pg-test-2", "", ""},
		{"sync", "who is in /sync", leader, func(w *modeltest.World) { w.Synced(3) }, "pg-test-3", "it is the synchronous standby", ""},
		{"sync", "nobody else promotes itself", down("pg-test-1", "pg-test-3"), func(w *modeltest.World) { w.Synced(3) }, "", "pg-test-2 is not a synchronous standby", ""},
		{"sync", "an asynchronous one ahead does not count", leader, func(w *modeltest.World) {
			w.Synced(2)
			w.Wal(8*mb, [2]int64{8*mb - 500, 8*mb - 500}, [2]int64{8 * mb, 8 * mb})
		}, "pg-test-2", "", ""},
		{"sync", "on by the configuration and nobody in /sync", leader, func(w *modeltest.World) { w.Conf("synchronous_mode", "on") }, "", "is not in the /sync key", ""},
		{"sync", "on by crit.yml", leader, func(w *modeltest.World) {
			w.Cls.Patroni, w.Cls.PatroniFrom = model.PatroniConf{Sync: true, SyncNodes: 1, MaxLag: mb}, "pg_conf crit.yml"
		}, "", "is not in the /sync key", ""},
		{"quorum", "with enough votes", leader, func(w *modeltest.World) { w.Voters(2, 3) }, "pg-test-2", "pg-test-3 is equally likely", ""},
		{"quorum", "without", down("pg-test-1", "pg-test-2"), func(w *modeltest.World) { w.Voters(2, 3) }, "", "pg-test-3 gets 1 of the 2 votes that quorum commit requires", ""},
		{"quorum", "synchronous_node_count lowers the quorum", down("pg-test-1", "pg-test-2"), func(w *modeltest.World) {
			w.Conf("synchronous_mode", "quorum", "synchronous_node_count", "2")
			w.Voters(2, 3)
		}, "pg-test-3", "", ""},
		{"quorum", "who is ahead outside /sync may win", leader, func(w *modeltest.World) {
			w.Voters(2, 3)
			w.More(1)
			w.Wal(8*mb, [2]int64{8*mb - 500, 8*mb - 500}, [2]int64{8*mb - 500, 8*mb - 500}, [2]int64{8 * mb, 8 * mb})
		}, "pg-test-2", "pg-test-3, pg-test-4 are equally likely", ""},
		{"strict", "no standby is left", down("pg-test-2", "pg-test-3"), func(w *modeltest.World) {
			w.Conf("synchronous_mode", "on", "synchronous_mode_strict", "on")
			w.Synced(2)
		}, "pg-test-1", "every commit waits", ""},
		{"sync-moves", "after a failover", leader, func(w *modeltest.World) { w.Synced(2); w.Service("/sync", 2) }, "pg-test-2", "The synchronous standby is then pg-test-3.", "pg-test-3"},
		{"sync-moves", "after the loss of the standby", down("pg-test-2"), func(w *modeltest.World) { w.Synced(2); w.Service("/sync", 2) }, "pg-test-1", "", "pg-test-3"},
		{"sync-moves", "who is one stays one", down("pg-test-4"), func(w *modeltest.World) { w.More(1); w.Synced(3); w.Service("/sync", 3) }, "pg-test-1", "", "pg-test-3"},
		{"sync-moves", "not to a member with nosync", down("pg-test-2"), func(w *modeltest.World) { w.Synced(2); w.Tag(3, "nosync", "true", false); w.Service("/sync", 2) }, "pg-test-1", "asynchronous until", "nobody"},
		{"sync-moves", "not to one that streams from a replica", down("pg-test-2"), func(w *modeltest.World) {
			w.More(1)
			w.Synced(2)
			w.Tag(3, "replicatefrom", "pg-test-4", false)
			w.Service("/sync", 2)
		}, "pg-test-1", "The synchronous standby is then pg-test-4.", "pg-test-4"},
		{"sync-moves", "by sync_priority", down("pg-test-2"), func(w *modeltest.World) { w.More(1); w.Synced(2); w.Tag(4, "sync_priority", "5", false) }, "pg-test-1", "The synchronous standby is then pg-test-4.", ""},
		{"sync-moves", "/read-only-sync", leader, func(w *modeltest.World) { w.Synced(2); w.Service("/read-only-sync", 1, 2) }, "pg-test-2", "", "pg-test-2, pg-test-3"},
		{"sync-moves", "/quorum", leader, func(w *modeltest.World) { w.Voters(2, 3); w.Service("/quorum", 2, 3) }, "pg-test-2", "", "pg-test-3"},
		{"sync-moves", "/async has none then", leader, func(w *modeltest.World) { w.Synced(2); w.Service("/async", 3) }, "pg-test-2", "", "nobody"},
		{"watchdog", "who has none that works", leader, func(w *modeltest.World) { w.Status(2, func(s *model.PatroniStatus) { s.WatchdogFailed = true }) }, "pg-test-3", "pg-test-2 does not lead: it requires a watchdog", ""},
		{"running", "a member that starts", leader, func(w *modeltest.World) {
			w.Status(2, func(s *model.PatroniStatus) { s.State, s.ReplicationState = "starting", "" })
		}, "pg-test-3", "has PostgreSQL in state starting", ""},
		{"running", "from an archive", down("pg-test-1", "pg-test-3"), func(w *modeltest.World) {
			w.Status(2, func(s *model.PatroniStatus) { s.ReplicationState = "in archive recovery" })
		}, "pg-test-2", "", ""},
		{"primary-alive", "a second primary takes the key", leader, func(w *modeltest.World) {
			w.Status(3, func(s *model.PatroniStatus) { s.Role, s.ReplicationState, s.Location = "primary", "", 1000 })
		}, "pg-test-3", "pg-test-2 does not lead: it waits, because pg-test-3 still runs as a primary.", ""},
		{"primary-alive", "unless its timeline is old", leader, func(w *modeltest.World) {
			w.Status(1, func(s *model.PatroniStatus) { s.Timeline = 2 })
			w.Status(3, func(s *model.PatroniStatus) { s.Role, s.ReplicationState, s.Location = "primary", "", 1000 })
		}, "", "pg-test-3 runs as a primary on timeline 1, the cluster is on 2", ""},
		{"paused", "nobody takes over", leader, func(w *modeltest.World) {
			p := w.Snap.Patroni["pg-test-2"]
			p.Cluster = modeltest.Seen(model.PatroniCluster{Paused: true})
			w.Snap.Patroni["pg-test-2"] = p
		}, "", "the cluster is paused", ""},
		{"standby-cluster", "a standby leader", leader, func(w *modeltest.World) { w.Conf("standby_cluster", "", "synchronous_mode", "on") }, "pg-test-2", "takes no writes", ""},
		{"dcs-lost", "the primary demotes itself", node("10.10.10.13"), func(w *modeltest.World) { w.Etcd("10.10.10.13") }, "", "pg-test-1 demotes itself without the DCS", ""},
		{"dcs-lost", "nobody takes over", node("10.10.10.11"), func(w *modeltest.World) { w.Etcd("10.10.10.11") }, "", "no member takes over without the DCS", ""},
		{"dcs-lost", "a majority is enough", node("10.10.10.13"), func(w *modeltest.World) { w.Etcd("10.10.10.11", "10.10.10.12", "10.10.10.13") }, "pg-test-1", "etcd keeps its majority: 2 of 3 members are left.", ""},
		{"dcs-lost", "the majority is lost", node("10.10.10.12", "10.10.10.13"), func(w *modeltest.World) { w.Etcd("10.10.10.11", "10.10.10.12", "10.10.10.13") }, "", "1 of 3 members are left", ""},
		{"dcs-lost", "the instance alone takes no etcd with it", down("pg-test-3"), func(w *modeltest.World) { w.Etcd("10.10.10.13") }, "pg-test-1", "it leads now and stays", ""},
		{"failsafe", "every member answers", node("10.10.10.10"), func(w *modeltest.World) { w.Etcd("10.10.10.10"); w.Conf("failsafe_mode", "yes") }, "pg-test-1", "failsafe_mode keeps it primary", ""},
		{"failsafe", "a member is lost too", node("10.10.10.13"), func(w *modeltest.World) { w.Etcd("10.10.10.13"); w.Conf("failsafe_mode", "yes") }, "", "failsafe_mode keeps a primary only while every member answers it, and pg-test-3 does not", ""},
		{"failsafe", "it is off", node("10.10.10.10"), func(w *modeltest.World) { w.Etcd("10.10.10.10"); w.Conf("failsafe_mode", "no") }, "", "failsafe_mode is off", ""},
		{"failsafe", "/sync needs the DCS", node("10.10.10.10"), func(w *modeltest.World) {
			w.Etcd("10.10.10.10")
			w.Conf("failsafe_mode", "1", "synchronous_mode", "on")
			w.Synced(2)
			w.Service("/sync", 2)
		}, "pg-test-1", "", "nobody"},
		{"paused-without-dcs", "it stays primary", node("10.10.10.10"), func(w *modeltest.World) {
			w.Etcd("10.10.10.10")
			p := w.Snap.Patroni["pg-test-2"]
			p.Cluster = modeltest.Seen(model.PatroniCluster{Paused: true, Members: []model.PatroniMember{{Name: "pg-test-1", Role: "leader"}}})
			w.Snap.Patroni["pg-test-2"] = p
		}, "pg-test-1", "its primary stays primary without the DCS", ""},
		{"lag-check", "who is refused now stays refused", down("pg-test-2"), func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{80 * mb, 80 * mb}, [2]int64{80 * mb, 10 * mb})
			w.Service("/replica?lag=10MB", 2)
		}, "pg-test-1", "", "nobody"},
		{"lag-check", "behind the new leader", leader, func(w *modeltest.World) {
			w.Wal(80*mb, [2]int64{80 * mb, 80 * mb}, [2]int64{80*mb - 1, 10 * mb})
			w.Service("/async?lag=10MB", 2)
		}, "pg-test-2", "", "nobody"},
		{"lag-check", "near enough", leader, func(w *modeltest.World) { w.Service("/replica?lag=10MB", 2, 3) }, "pg-test-2", "", "pg-test-3"},
		{"tag-check", "the text of the tag", leader, func(w *modeltest.World) {
			w.Tag(2, "zone", "a", false)
			w.Tag(3, "zone", "b", false)
			w.Service("/replica?tag_zone=a", 2)
		}, "pg-test-2", "", "nobody"},
		{"noloadbalance", "it serves no reads", failover.Supposition{Leader: "pg-test-2"}, func(w *modeltest.World) { w.Tag(3, "noloadbalance", "true", false); w.Service("/replica", 2) }, "pg-test-2", "", "pg-test-1"},
		{"switchover", "a member that Patroni refuses", failover.Supposition{Leader: "pg-test-3"}, func(w *modeltest.World) { w.Tag(3, "failover_priority", "0", true) }, "pg-test-3", "Patroni refuses a switchover to pg-test-3 now: it has failover_priority 0", ""},
		{"switchover", "in pause as well", failover.Supposition{Leader: "pg-test-3"}, func(w *modeltest.World) { w.Synced(2) }, "pg-test-3", "Patroni refuses a switchover to pg-test-3 now: it is not a synchronous standby", ""},
	}
}

type ruleTest struct {
	rule, name string
	sup        failover.Supposition
	do         func(*modeltest.World)
	leader     model.InstanceName
	says       string // in why, a reason
	serves     string // who serves service x then; "" is not looked at
}

func TestPatronisRules(t *testing.T) {
	for _, tt := range ruleTests() {
		t.Run(tt.rule+": "+tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			out, err := failover.WhatIf(w.Snap, w.Cls, tt.sup, modeltest.T0)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Equal(t, "leader", string(out.Leader), string(tt.leader))
			said := strings.Join(append([]string{out.Why}, out.Reasons...), "\n")
			if !strings.Contains(said, tt.says) {
				t.Errorf("%q lacks %q", said, tt.says)
			}
			if tt.serves != "" {
				r := out.After.Route("x")
				got := model.Join(r.Serving)
				if r.Serving != nil && got == "" {
					got = "nobody"
				}
				modeltest.Equal(t, "x", got, tt.serves)
			}
		})
	}
}

// TestEveryRuleIsTested holds the table of docs/whatif.md and the tests together.
func TestEveryRuleIsTested(t *testing.T) {
	text, err := os.ReadFile("../../docs/whatif.md")
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{"booleans": true, "numbers": true, "replication-state": true} // TestParse…, TestHealthRules
	for _, tt := range ruleTests() {
		tested[tt.rule] = true
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| .+ \\| .*`patroni/.+ \\| .+ \\|$").FindAllStringSubmatch(string(text), -1) {
		told[m[1]] = true
		if !tested[m[1]] {
			t.Errorf("rule %s has no test", m[1])
		}
	}
	for rule := range tested {
		if !told[rule] {
			t.Errorf("rule %s is not in docs/whatif.md", rule)
		}
	}
}

func TestParseBool(t *testing.T) {
	for v, want := range map[string]string{"on": "true true", "True": "true true", "YES": "true true", "1": "true true",
		"off": "false true", "false": "false true", "No": "false true", "0": "false true", "": "false false", "foo": "false false", "t": "false false"} {
		got, ok := model.ParseBool(v)
		modeltest.Equal(t, v, fmt.Sprint(got, ok), want)
	}
}

func TestParseInt(t *testing.T) {
	for v, want := range map[string]string{"1": "1 true", " -070": "-56 true", "0x10": "16 true", "10MB": "10485760 true", "16kB": "16384 true", " 1 GB ": "1073741824 true",
		"1.5MB": "1572864 true", "1.0004kB": "1024 true", ".5kB": "512 true", "1e3": "1000 true", "10mb": "0 false", "10M": "0 false", "MB": "0 false", "": "0 false", "09": "0 false", "1e300": "0 false"} {
		got, ok := model.ParseInt(v, "B")
		modeltest.Equal(t, v, fmt.Sprint(got, ok), want)
	}
	if _, ok := model.ParseInt("1MB", ""); ok {
		t.Error("a unit is accepted where Patroni has none")
	}
}

// The loss of the node is reported beside the loss of the instance.
func TestNodeLoss(t *testing.T) {
	w := modeltest.NewWorld()
	w.Etcd("10.10.10.12")
	w.Conf("failsafe_mode", "true")
	out, err := failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Down: []model.InstanceName{"pg-test-2"}}, modeltest.T0)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Equal(t, "leader", string(out.Leader), "pg-test-1")
	if out.NodeLoss == nil || out.NodeLoss.Leader != "" || !strings.Contains(out.NodeLoss.Why, "The only etcd is on the lost node") {
		t.Fatalf("%+v", out.NodeLoss)
	}
	out, err = failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Nodes: []model.Host{"10.10.10.12"}}, modeltest.T0)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Equal(t, "outcome", string(out.Leader)+" "+modeltest.Routes(&out.After), " primary=:empty replica=3:serving")
	for _, r := range out.After.Routes {
		if len(r.Views) != 2 {
			t.Errorf("%s: %d views, want those of the HAProxies that are left", r.Service, len(r.Views))
		}
	}
	w.Cls.LoadBalancers = w.Cls.LoadBalancers[1:2]
	out, err = failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Nodes: []model.Host{"10.10.10.12"}}, modeltest.T0)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Equal(t, "no HAProxy is left", modeltest.Routes(&out.After), "primary=:empty replica=:empty")
}

// A server that one HAProxy cannot reach stays out there; one whose check
// answers as before stays as HAProxy has it.
func TestServersStayAsHAProxySeesThem(t *testing.T) {
	w := modeltest.NewWorld()
	w.Server("10.10.10.11", "pg-test-primary", "pg-test-3", func(s *haproxy.ServerRow) { s.CheckStatus, s.CheckCode = "L4TOUT", 0 })
	w.Server("10.10.10.12", "pg-test-replica", "pg-test-2", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-2") })
	out, err := failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Leader: "pg-test-3"}, modeltest.T0)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out.After.Route("primary").Views {
		if v.HAProxy == "10.10.10.11" {
			modeltest.Equal(t, "who serves where pg-test-3 is out of reach", model.Join(v.Serving), "")
		} else {
			modeltest.Equal(t, "who serves elsewhere", model.Join(v.Serving), "pg-test-3")
		}
	}
	for _, v := range out.After.Route("replica").Views {
		if v.HAProxy == "10.10.10.12" && slices.Contains(v.Serving, "pg-test-2") {
			t.Error("a check that fails now, and is decided on the same then, passes")
		}
	}
}

// Nobody says who leads: nobody can say who leads then.
func TestLeaderNotKnown(t *testing.T) {
	w := modeltest.NewWorld()
	w.Silence(1, 0)
	out, err := failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Down: []model.InstanceName{"pg-test-2"}}, modeltest.T0)
	if err != nil {
		t.Fatal(err)
	}
	if out.Leader != "" || !out.Unsure || !strings.Contains(out.Why, "Patroni does not answer on pg-test-1") {
		t.Errorf("%q, unsure %t: %s", out.Leader, out.Unsure, out.Why)
	}
}
