package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/source"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func seen[T any](v T) source.Observed[T] { return source.Observed[T]{Value: v, At: t0, Tried: t0} }

// healthy is a one-line view of a service on one HAProxy.
func view(host model.Host, verdict model.Verdict, cells ...board.Cell) board.View {
	return board.View{HAProxy: host, Node: "n-" + string(host), Verdict: verdict, Why: "because", Cells: cells}
}

// input is a board of two members with one primary and one replica route; f
// breaks it.
func input(f func(*check.Input)) check.Input {
	two := model.Server{Name: "pg-test-2", Host: "b"}
	one := model.Server{Name: "pg-test-1", Host: "a"}
	services := []model.Service{
		{Cluster: "pg-test", Name: "primary", Port: "5433", Check: "/primary", Members: []model.Server{one, two}},
		{Cluster: "pg-test", Name: "replica", Port: "5434", Check: "/read-only", Members: []model.Server{one, two}, Backups: []model.Server{one}},
	}
	cls := &model.Cluster{Name: "pg-test",
		Instances:     []model.Instance{{Name: "pg-test-1", Host: "a", Role: model.RolePrimary}, {Name: "pg-test-2", Host: "b", Role: model.RoleReplica}},
		LoadBalancers: []model.LoadBalancer{{Host: "a", Services: services}, {Host: "b", Services: services}}}
	in := check.Input{Now: t0,
		Snap: &model.Snapshot{Inventory: &model.Inventory{Source: "pigsty.yml"},
			Patroni: map[model.InstanceName]model.PatroniView{}, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{}},
		Board: &board.Board{Cluster: cls, Leader: "pg-test-1", LeaderBy: "self", Timeline: 1,
			Members: []board.Member{
				{Instance: "pg-test-1", Host: "a", Declared: model.RolePrimary, Role: "leader", State: "running", Timeline: 1, Known: true, Lag: -1},
				{Instance: "pg-test-2", Host: "b", Declared: model.RoleReplica, Role: "replica", State: "streaming", Timeline: 1, Known: true},
			},
			Routes: []board.Route{
				{Service: "primary", Port: "5433", Verdict: model.Serving, Agreed: true, Serving: []model.InstanceName{"pg-test-1"},
					Views: []board.View{view("a", model.Serving), view("b", model.Serving)}},
				{Service: "replica", Port: "5434", Verdict: model.Serving, Agreed: true, Serving: []model.InstanceName{"pg-test-2"},
					Views: []board.View{view("a", model.Serving), view("b", model.Serving)}},
			}}}
	f(&in)
	return in
}

// skewed lets the two members answer with clocks that far from this machine's.
func skewed(in *check.Input, a, b time.Duration) {
	in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{Skew: a})}
	in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: seen(model.PatroniStatus{Skew: b})}
}

// TestDisagreementInPassing: where a HAProxy is about to turn, that is said, and
// to wait is what comes first.
func TestDisagreementInPassing(t *testing.T) {
	for status, want := range map[string]struct{ evidence, hint string }{
		"UP":       {"", "pgtui diff pg-test shows whether their files differ"},
		"DOWN 2/3": {"checks are about to change: pg-test-1 is DOWN 2/3 on n-b", "check again in a few seconds, when the checks have ended; if it persists, pgtui diff pg-test shows whether their files differ"},
	} {
		found := check.Diagnose(input(func(in *check.Input) {
			r := &in.Board.Routes[0]
			r.Verdict, r.Agreed = model.Mismatch, false
			r.Views[0].Serving, r.Views[1].Serving = []model.InstanceName{"pg-test-1"}, nil
			r.Views[1].Cells = []board.Cell{{Instance: "pg-test-1", Status: status}}
		}))
		if len(found) != 1 || found[0].Hint != want.hint || strings.Join(found[0].Evidence[1:], "; ") != want.evidence {
			t.Errorf("%s: %+v", status, found)
		}
	}
}

// TestSilentPatroniTellsOfThePortsBehindIt: whether the old primary still runs.
func TestSilentPatroniTellsOfThePortsBehindIt(t *testing.T) {
	open, refused := seen(model.PortState{}), seen(model.PortState{Why: "port 6432 refuses connections", Refused: true})
	lost := source.Observed[model.PortState]{Value: model.PortState{}, At: t0, Err: errText("timeout")}
	for want, ports := range map[string][]model.PortView{
		"":                                       {{Port: "5432", Observed: lost}, {Port: "6432", Observed: lost}},
		"PostgreSQL on 5432 accepts connections": {{Port: "5432", Observed: open}, {Port: "6432", Observed: lost}},
		"PostgreSQL on 5432 accepts connections, pgbouncer on 6432 refuses connections": {{Port: "5432", Observed: open}, {Port: "6432", Observed: refused}},
	} {
		found := check.Diagnose(input(func(in *check.Input) {
			in.Board.Cluster.Instances[1].BouncerPort = 6432
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: source.Observed[model.PatroniStatus]{Err: errText("refused")}, Ports: ports}
		}))
		if len(found) != 1 || strings.Join(found[0].Evidence[1:], "; ") != want {
			t.Errorf("want %q: %+v", want, found)
		}
	}
}

// TestTheCauseAndWhatEndsIt: a finding names what the evidence shows, with the
// command that ends it, not the symptom.
func TestTheCauseAndWhatEndsIt(t *testing.T) {
	cell := func(status, check string, v model.Verdict) board.Cell {
		return board.Cell{Instance: "pg-test-1", Status: status, Check: check, Verdict: v}
	}
	for name, tc := range map[string]struct {
		cells [2]board.Cell // of 5433 on a and b
		want  string        // a part of the hint
	}{
		"drained on both":     {[2]board.Cell{cell("DRAIN", "L7OK", model.Draining), cell("DRAIN", "L7OK", model.Draining)}, `pgtui undrain pg-test-1 --service primary`},
		"maintenance on both": {[2]board.Cell{cell("MAINT", "", model.Maint), cell("MAINT", "", model.Maint)}, `pgtui ready pg-test-1 --service primary`},
		"weight 0 on both":    {[2]board.Cell{cell("UP", "L7OK", model.Draining), cell("UP", "L7OK", model.Draining)}, `pgtui weight pg-test-1 100 --service primary`},
		"Patroni is dead":     {[2]board.Cell{cell("DOWN", "L4CON", model.Down), cell("DOWN", "L4CON", model.Down)}, "systemctl status patroni"},
		"Patroni says no":     {[2]board.Cell{cell("DOWN", "L7STS", model.Refused), cell("DOWN", "L7STS", model.Refused)}, "curl -m 3 -i -X OPTIONS http://a:8008/primary"},
	} {
		found := check.Diagnose(input(func(in *check.Input) {
			r := &in.Board.Routes[0]
			r.Verdict, r.Serving = model.Empty, []model.InstanceName{}
			for i := range r.Views {
				r.Views[i].Verdict, r.Views[i].Cells = model.Empty, tc.cells[i:i+1]
			}
			for i := range in.Board.Cluster.LoadBalancers {
				in.Board.Cluster.LoadBalancers[i].Services[0].Members[0].CheckPort = "8008"
			}
		}))
		if !slices.ContainsFunc(found, func(f model.Finding) bool { return f.Code == "service-empty" && strings.Contains(f.Hint, tc.want) }) {
			t.Errorf("%s: no hint has %q: %+v", name, tc.want, found)
		}
	}
}

// pooled lets the leader's pgbouncer say p, and one HAProxy send clients there.
func pooled(in *check.Input, p model.PoolState) {
	in.Board.Cluster.Instances[0].BouncerPort = 6432
	in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{Role: "primary", State: "running", Streams: []model.Stream{{Application: "pg-test-2", State: "streaming"}}}), Pool: seen(p)}
	in.Board.Routes[0].Views[0].Cells = []board.Cell{{Instance: "pg-test-1", Share: 100, Pooled: true}}
}

func TestEachFinding(t *testing.T) {
	route := func(in *check.Input, i int, v model.Verdict) { in.Board.Routes[i].Verdict = v }
	silent := source.Observed[haproxy.Stats]{Err: &source.Hint{Err: errText("401"), Try: "mend haproxy_admin_password"}}
	tests := []struct {
		name string
		do   func(*check.Input)
		want string // code severity summary; "" for none
	}{
		{"healthy", func(*check.Input) {}, ""},
		{"no leader", func(in *check.Input) { in.Board.Leader, in.Board.Members[0].Role = "", "replica" }, "no-leader critical no leader: no client can write"},
		{"no leader known, but a member is silent", func(in *check.Input) { in.Board.Leader, in.Board.Members[0].Known = "", false }, ""},
		{"split brain", func(in *check.Input) { in.Board.Members[1].Role = "primary" }, "two-primaries critical two writable primaries: pg-test-1, pg-test-2"},
		{"leader by the DCS only", func(in *check.Input) { in.Board.LeaderBy = "dcs" }, "leader-silent warning pg-test-1 holds the leader key, but its Patroni does not answer"},
		{"primary empty", func(in *check.Input) { route(in, 0, model.Empty) }, "service-empty critical 5433 primary has no server"},
		{"replica empty", func(in *check.Input) { route(in, 1, model.Empty) }, "service-empty warning 5434 replica has no server"},
		{"standby cluster: primary is empty by design", func(in *check.Input) { in.Board.Cluster.Standby = true; route(in, 0, model.Empty) }, ""},
		{"misrouted", func(in *check.Input) { in.Board.Routes[0].Views[1].Verdict = model.Mismatch }, "misrouted critical 5433 primary goes to the wrong server on 1 of 2 HAProxy nodes"},
		{"a port is shut behind a check that passes", func(in *check.Input) {
			for i := range in.Board.Routes[0].Views {
				v := &in.Board.Routes[0].Views[i]
				v.Verdict, v.Cells = model.Mismatch, []board.Cell{{Instance: "pg-test-1", Share: 100, Allowed: 200, Shut: "port 6432 refuses connections"}}
			}
		}, "check-yes-port-no critical 5433 primary: HAProxy sends clients to pg-test-1, whose PostgreSQL accepts no connections"},
		{"a paused frontend", func(in *check.Input) {
			route(in, 0, model.Empty)
			for i := range in.Board.Routes[0].Views {
				v := &in.Board.Routes[0].Views[i]
				v.Verdict, v.Closed, v.Ends = model.Empty, "its frontend is PAUSED", "enable frontend pg-test-primary"
			}
		}, "port-closed critical 5433 primary accepts no new clients on every HAProxy node: its frontend is PAUSED"},
		{"a paused frontend on one HAProxy", func(in *check.Input) {
			r := &in.Board.Routes[0]
			r.Verdict, r.Agreed, r.Serving = model.Mismatch, false, nil
			r.Views[0].Serving = []model.InstanceName{"pg-test-1"}
			r.Views[1].Verdict, r.Views[1].Serving, r.Views[1].Closed = model.Empty, []model.InstanceName{}, "its frontend is PAUSED"
		}, "port-closed warning 5433 primary accepts no new clients on 1 of 2 HAProxy nodes: its frontend is PAUSED"},
		{"a full HAProxy", func(in *check.Input) {
			in.Snap.HAProxy["b"] = seen(haproxy.Stats{Process: seen(haproxy.ProcessLimits{Current: 10, Max: 10})})
		}, "haproxy-full critical HAProxy on b is full: 10 of 10 connections (global maxconn); new clients wait on every port"},
		{"a HAProxy that is nearly full", func(in *check.Input) {
			in.Snap.HAProxy["b"] = seen(haproxy.Stats{Process: seen(haproxy.ProcessLimits{Current: 90, Max: 100})})
		}, "haproxy-full warning HAProxy on b is nearly full: 90 of 100 connections (global maxconn)"},
		{"clients wait", func(in *check.Input) {
			in.Board.Routes[0].Views[0].Cells = []board.Cell{{Instance: "pg-test-1", Share: 100, Sessions: 5, Limit: 5, Queue: 2, QueueLimit: 128}}
		}, "clients-wait warning 5433 primary: 2 clients wait in HAProxy's queue"},
		{"every queue is full", func(in *check.Input) {
			route(in, 0, model.Mismatch)
			v := &in.Board.Routes[0].Views[0]
			v.Verdict, v.Cells = model.Mismatch, []board.Cell{{Instance: "pg-test-1", Share: 100, Sessions: 5, Limit: 5, Queue: 7, QueueLimit: 7, Full: "its queue is full"}}
		}, "clients-wait critical 5433 primary: 7 clients wait in HAProxy's queue, and the queue is full"},
		{"primary empty: its leader is drained by hand", func(in *check.Input) {
			route(in, 0, model.Empty)
			in.Board.Routes[0].Views[1].Cells = []board.Cell{{Instance: "pg-test-1", Verdict: model.Refused, Status: "DRAIN"}}
		}, "service-empty critical 5433 primary has no server: pg-test-1 was drained by hand"},
		{"primary empty: nobody leads that is known", func(in *check.Input) {
			route(in, 0, model.Empty)
			in.Board.Leader, in.Board.LeaderUnsure = "", true
		}, "service-empty critical 5433 primary has no server: the leader is unknown"},
		{"primary empty: HAProxy cannot reach the leader's Patroni", func(in *check.Input) {
			route(in, 0, model.Empty)
			in.Board.Routes[0].Views[0].Cells = []board.Cell{{Instance: "pg-test-1", Verdict: model.Down, Status: "DOWN", Check: "L4CON"}}
		}, "service-empty critical 5433 primary has no server: HAProxy cannot reach Patroni on pg-test-1 (L4CON)"},
		{"replica empty: its only regular server is put in maintenance, one HAProxy is silent", func(in *check.Input) {
			route(in, 1, model.Empty)
			in.Board.Routes[1].Silent = []model.Host{"a"}
			in.Board.Routes[1].Views[1].Cells = []board.Cell{{Instance: "pg-test-2", Verdict: model.Down, Status: "MAINT"}}
		}, "service-empty warning 5434 replica has no server on the only HAProxy node that answers: pg-test-2 was put in maintenance by hand"},
		{"one HAProxy alone cannot reach a Patroni", func(in *check.Input) {
			r := &in.Board.Routes[0]
			r.Verdict, r.Agreed = model.Mismatch, false
			r.Views[0].Serving, r.Views[1].Serving = []model.InstanceName{"pg-test-1"}, []model.InstanceName{}
			r.Views[0].Cells = []board.Cell{{Instance: "pg-test-1", Verdict: model.Serving, Share: 100, Status: "UP", Check: "L7OK"}}
			r.Views[1].Cells = []board.Cell{{Instance: "pg-test-1", Verdict: model.Down, Status: "DOWN", Check: "L4TOUT"}}
		}, "haproxy-disagree warning HAProxy nodes disagree about 5433 primary: HAProxy on n-b cannot reach Patroni on pg-test-1 (L4TOUT), but 1 other HAProxy node can"},
		{"HAProxy nodes disagree", func(in *check.Input) {
			r := &in.Board.Routes[0]
			r.Verdict, r.Agreed = model.Mismatch, false
			r.Views[0].Serving, r.Views[1].Serving = []model.InstanceName{"pg-test-1"}, []model.InstanceName{"pg-test-2"}
		}, "haproxy-disagree warning HAProxy nodes disagree about 5433 primary"},
		{"HAProxy silent", func(in *check.Input) { in.Snap.HAProxy["b"] = silent }, "haproxy-silent warning the stats page of HAProxy on b does not answer"},
		{"stats page refused", func(in *check.Input) {
			in.Snap.HAProxy["b"] = seen(haproxy.Stats{Source: haproxy.FromMetrics, Why: errText("wrong password")})
		}, "stats-refused warning the stats page of HAProxy on b cannot be used"},
		{"Patroni silent", func(in *check.Input) {
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: source.Observed[model.PatroniStatus]{Err: errText("timeout")}}
		}, "patroni-silent warning Patroni on pg-test-2 does not answer"},
		{"replica crashed", func(in *check.Input) { in.Board.Members[1].State = "crashed" }, "member-state warning PostgreSQL on pg-test-2 is crashed"},
		{"leader's PostgreSQL is down", func(in *check.Input) { in.Board.Members[0].State = "crashed" }, "member-state critical PostgreSQL on pg-test-1 is crashed"},
		{"Patroni cannot query the leader's PostgreSQL", func(in *check.Input) { in.Board.Members[0].State = "unknown" }, "member-state warning Patroni on pg-test-1 cannot query PostgreSQL"},
		{"and its port refuses", func(in *check.Input) {
			in.Board.Members[0].State, in.Board.Members[0].Port = "unknown", board.PortShut
		}, "member-state critical Patroni on pg-test-1 cannot query PostgreSQL"},
		{"another cluster's Patroni", func(in *check.Input) {
			m := &in.Board.Members[1]
			m.Known, m.Foreign = false, &model.Foreign{Address: "b:8008", Name: "pg-crm-1", Scope: "pg-crm", Sure: true, Why: "another cluster's Patroni answers at b:8008: pg-crm-1 of pg-crm"}
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: source.Observed[model.PatroniStatus]{Err: errText("foreign")}}
		}, "foreign-patroni critical pg-test-2: another cluster's Patroni answers at b:8008: pg-crm-1 of pg-crm"},
		{"a leader that the inventory has not", func(in *check.Input) {
			in.Board.Leader, in.Board.LeaderBy = "pg-test-9", "dcs"
			in.Board.Members[0].Role = "replica"
			in.Board.Unlisted = []board.Member{{Instance: "pg-test-9", Host: "i", Role: "leader", State: "running"}}
		}, "member-unlisted critical pg-test-9 at i leads pg-test but is not in the inventory"},
		{"a replica that the inventory has not", func(in *check.Input) {
			in.Board.Unlisted = []board.Member{{Instance: "pg-test-9", Host: "i", Role: "replica", State: "streaming"}}
		}, "member-unlisted warning pg-test-9 at i is a member of pg-test but is not in the inventory"},
		{"two replicas that the inventory has not", func(in *check.Input) {
			in.Board.Unlisted = []board.Member{{Instance: "pg-test-8", Host: "h", Role: "replica"}, {Instance: "pg-test-9", Role: "replica"}}
		}, "member-unlisted warning 2 members of pg-test are not in the inventory: pg-test-8 (h), pg-test-9 (an unknown address)"},
		{"a replica has more WAL than its leader", func(in *check.Input) { in.Board.Members[1].Ahead = 20 << 20 },
			"ahead-of-leader warning pg-test-2 is ahead of the leader pg-test-1 by 20 MB of WAL: it cannot rejoin without pg_rewind"},
		{"a replica on a newer timeline", func(in *check.Input) {
			in.Board.Members[1].NewerTimeline, in.Board.Members[1].Timeline = true, 2
		}, "ahead-of-leader warning pg-test-2 is ahead of the leader pg-test-1: on timeline 2, which the leader on 1 does not have"},
		{"a newer timeline that may be older than it looks", func(in *check.Input) { in.Board.Members[1].Timeline = 2 }, ""},
		{"a 404 to a check", func(in *check.Input) {
			in.Board.Routes[1].Views[0].Cells = []board.Cell{{Instance: "pg-test-2", Verdict: model.Down, Other: "something other than Patroni answers at b:8008: 404 to /read-only"}}
		}, "not-patroni warning pg-test-2: something other than Patroni answers at b:8008: 404 to /read-only"},
		{"a switchover is scheduled", func(in *check.Input) {
			in.Board.Switch = model.ScheduledSwitchover{At: "2030-01-01T07:40:00+00:00", From: "pg-test-1", To: "pg-test-2"}
		}, "scheduled-switchover info a switchover is scheduled at 2030-01-01T07:40:00+00:00 from pg-test-1 to pg-test-2"},
		{"a restart is scheduled", func(in *check.Input) { in.Board.Members[1].Restart = "2030-01-01T07:40:00+00:00" },
			"scheduled-restart info a restart of pg-test-2 is scheduled at 2030-01-01T07:40:00+00:00"},

		{"other timeline", func(in *check.Input) { in.Board.Timeline = 3; in.Board.Members[1].Timeline = 2 }, "member-state warning pg-test-2 is on timeline 2, the leader on 3"},
		{"backup serves", func(in *check.Input) { route(in, 1, model.BackupServing) }, "service-on-backup warning 5434 replica is served by its backup"},
		{"drained by hand", func(in *check.Input) {
			in.Board.Routes[1].Views[0].Cells = []board.Cell{{Instance: "pg-test-2", Verdict: model.Draining}}
		}, "server-by-hand warning pg-test-2 is draining in 5434 replica on 1 of 2 HAProxy nodes"},
		{"inventory roles are stale", func(in *check.Input) { in.Board.Leader = "pg-test-2"; in.Board.Members[0].Role = "replica" }, "stale-roles info pg_role is out of date: the inventory says pg-test-1, the leader is pg-test-2"},
		{"and the replica service reaches the leader", func(in *check.Input) {
			in.Board.Leader, in.Board.Members[0].Role = "pg-test-2", "replica"
			in.Board.Routes[1].Views[0].Cells = []board.Cell{{Instance: "pg-test-2", Verdict: model.Serving}}
		}, "stale-roles warning pg_role is out of date: the inventory says pg-test-1, the leader is pg-test-2"},
		{"section missing", func(in *check.Input) { in.Board.Routes[1].Views[0].Verdict = model.Missing }, "section-missing warning 5434 replica does not exist on 1 of 2 HAProxy nodes"},
		{"running differs", func(in *check.Input) {
			in.Board.Routes[1].Views[0].Cells = []board.Cell{{Instance: "pg-test-2", Verdict: model.Serving, Note: "runs with weight 50", Differs: true}}
		}, "running-differs warning HAProxy on n-a runs a configuration that differs from the inventory"},
		{"failsafe", func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{Unlocked: true, Failsafe: true})}
		}, "dcs-trouble critical failsafe mode"},
		{"unlocked", func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{Unlocked: true})}
		}, "dcs-trouble warning no member holds the leader key"},
		{"paused", func(in *check.Input) { in.Board.Paused = true }, "paused warning paused: Patroni will not fail over"},
		{"settling", func(in *check.Input) { in.Board.Routes[0].Views[0].Verdict = model.Settling }, "settling info HAProxy on n-a has just reloaded"},
		{"VIP nowhere", func(in *check.Input) {
			in.Snap.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-test": {Err: errText("refused"), Tried: t0}}
		}, "vip warning no node is known to have VIP "},
		{"VIP on a replica", func(in *check.Input) {
			in.Snap.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-test": seen(model.Host("b"))}
		}, "vip warning VIP  is on b, the leader is pg-test-1"},
		{"VIP on the leader", func(in *check.Input) {
			in.Snap.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-test": seen(model.Host("a"))}
		}, ""},
		{"VIP on two nodes", func(in *check.Input) {
			in.Board.Cluster.VIP = "10.0.0.2"
			in.Snap.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-test": seen(model.Host("a"))}
			both := seen(model.NodeFacts{Addrs: []model.NodeAddr{{Device: "eth0", Addr: "10.0.0.2"}}})
			in.Snap.Nodes = map[model.Host]source.Observed[model.NodeFacts]{"a": both, "b": both}
		}, "vip critical VIP 10.0.0.2 is on 2 nodes"},
		{"VIP on a node, and silent", func(in *check.Input) {
			in.Board.Cluster.VIP = "10.0.0.2"
			in.Snap.VIP = map[model.ClusterName]source.Observed[model.Host]{"pg-test": {Err: errText("refused"), Tried: t0}}
			in.Snap.Nodes = map[model.Host]source.Observed[model.NodeFacts]{"a": seen(model.NodeFacts{Addrs: []model.NodeAddr{{Addr: "10.0.0.2"}}}), "b": {Err: errText("ssh")}}
		}, "vip warning VIP 10.0.0.2 does not answer, but a has it"},
		{"a clock that is ahead", func(in *check.Input) { skewed(in, 90*time.Second, 0) }, "clock-skew warning the clock of a is 1m30s ahead of this machine"},
		{"a clock that is behind", func(in *check.Input) { skewed(in, 0, -5*time.Second) }, "clock-skew warning the clock of b is 5s behind this machine"},
		{"this machine's own clock", func(in *check.Input) { skewed(in, time.Hour, time.Hour) }, "clock-skew warning the clocks of all 2 nodes differ from this machine"},
		{"replica far behind", func(in *check.Input) { in.Board.Members[1].Lag = 20 << 20 }, "replica-lag warning pg-test-2 is 20 MB behind the leader"},
		{"a delayed replica is behind by design", func(in *check.Input) {
			in.Board.Members[1].Lag, in.Board.Members[1].Declared = 20<<20, model.RoleDelayed
		}, "replica-lag info pg-test-2 is 20 MB behind the leader, as expected of a delayed instance"},
		{"nostream is behind by design", func(in *check.Input) { in.Board.Members[1].Lag, in.Board.Members[1].NoStream = 20<<20, true },
			"replica-lag info pg-test-2 is 20 MB behind the leader, as expected with the tag nostream"},
		{"nostream does not stream by design", func(in *check.Input) {
			in.Board.Members[1].NoStream = true
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{Role: "primary", State: "running"})}
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: seen(model.PatroniStatus{State: "running", ReplicationState: "in archive recovery"})}
		}, ""},
		{"replica without a walsender", func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{Role: "primary", State: "running"})}
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: seen(model.PatroniStatus{State: "running"})}
		}, "replica-not-streaming warning pg-test-2 does not stream from pg-test-1"},
		{"replica that streams from another replica", func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{Role: "primary", State: "running"})}
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: seen(model.PatroniStatus{State: "running"})}
			in.Snap.Patroni["pg-test-3"] = model.PatroniView{Status: seen(model.PatroniStatus{State: "running", Tags: map[string]string{"replicatefrom": "pg-test-1"},
				Streams: []model.Stream{{Application: "pg-test-2", State: "streaming"}}})}
			in.Board.Members = append(in.Board.Members, board.Member{Instance: "pg-test-3", Host: "c", Role: "replica", State: "streaming", Timeline: 1, Known: true})
		}, ""},
		{"a cascading replica streams from another", func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{Role: "primary", State: "running"})}
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: seen(model.PatroniStatus{State: "running", Tags: map[string]string{"replicatefrom": "pg-test-3"}})}
		}, ""},
		{"pending restart", func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Status: seen(model.PatroniStatus{PendingRestart: true})}
		}, "pending-restart info a restart is pending on pg-test-1"},
		{"the DCS cannot be read", func(in *check.Input) {
			for _, n := range []model.InstanceName{"pg-test-1", "pg-test-2"} {
				in.Snap.Patroni[n] = model.PatroniView{Cluster: source.Observed[model.PatroniCluster]{Err: errText("timeout"), Tried: t0}}
			}
		}, "dcs-unreachable warning no Patroni can read the DCS"},
		{"one member can read the DCS", func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Cluster: source.Observed[model.PatroniCluster]{Err: errText("timeout"), Tried: t0}}
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Cluster: seen(model.PatroniCluster{})}
		}, ""},
		{"a pool is paused", func(in *check.Input) { pooled(in, model.PoolState{Paused: true}) },
			"pool-paused critical pg-test-1: pgbouncer is paused with all its databases: no client waits yet"},
		{"a pool is paused, and real connections fail", func(in *check.Input) {
			pooled(in, model.PoolState{Databases: []model.PoolDatabase{{Name: "app", Paused: true}, {Name: "web"}}})
			in.Board.Routes[0].Views[0].Proven = &board.Proven{Dead: "3 of 3 connections failed"}
		}, "pool-paused critical pg-test-1: pgbouncer's database app is paused"},
		{"a pool that nobody is sent to is paused", func(in *check.Input) {
			pooled(in, model.PoolState{Paused: true})
			in.Board.Routes[0].Views[0].Cells = nil
		}, "pool-paused warning pg-test-1: pgbouncer is paused"},
		{"a database is disabled", func(in *check.Input) {
			pooled(in, model.PoolState{Databases: []model.PoolDatabase{{Name: "app", Disabled: true}}})
		}, "pool-disabled critical pg-test-1: pgbouncer's database app is disabled"},
		{"a pool is full", func(in *check.Input) { pooled(in, model.PoolState{Clients: 100, MaxClients: 100}) },
			"pool-full critical pg-test-1: pgbouncer has 100 of 100 clients (max_client_conn)"},
		{"a pool has no server connection", func(in *check.Input) {
			pooled(in, model.PoolState{Databases: []model.PoolDatabase{{Name: "app", Waiting: 2, MaxWait: 4 * time.Second}}})
		}, "pool-stalled critical pg-test-1: pgbouncer's database app has no connection to PostgreSQL, and 2 clients wait"},
		{"clients wait", func(in *check.Input) {
			pooled(in, model.PoolState{Databases: []model.PoolDatabase{{Name: "app", Waiting: 2, MaxWait: 4 * time.Second, Servers: 5, Busy: 5}, {Name: "web", Waiting: 1, MaxWait: 3 * time.Second, Servers: 1}}})
		}, "pool-waiting warning pg-test-1: pgbouncer: 2 clients of database app wait for a server connection, the longest 4.0 s; 5 of 5 connections to PostgreSQL are in use"},
		{"a client waits a moment", func(in *check.Input) {
			pooled(in, model.PoolState{Databases: []model.PoolDatabase{{Name: "app", Waiting: 2, MaxWait: time.Second, Servers: 5, Busy: 5}}})
		}, ""},
		{"consoles that refuse are one finding", func(in *check.Input) {
			for i := range in.Board.Cluster.Instances {
				inst := &in.Board.Cluster.Instances[i]
				inst.BouncerPort = 6432
				in.Snap.Patroni[inst.Name] = model.PatroniView{Pool: source.Observed[model.PoolState]{Err: &model.ConsoleRefused{Text: "not allowed"}, Tried: t0},
					Ports: []model.PortView{{Port: "6432", Observed: seen(model.PortState{})}}}
			}
		}, "pool-unread info the console of pgbouncer cannot be read on 2 of 2 members"},
		{"a port that is shut says enough", func(in *check.Input) {
			in.Board.Cluster.Instances[0].BouncerPort = 6432
			in.Snap.Patroni["pg-test-1"] = model.PatroniView{Pool: source.Observed[model.PoolState]{Err: errText("refused"), Tried: t0},
				Ports: []model.PortView{{Port: "6432", Observed: seen(model.PortState{Why: "refused", Refused: true})}}}
		}, ""},
		{"inventory problem", func(in *check.Input) {
			in.Board.Cluster.Problems = []source.Problem{{Subject: "service x", What: "has no port", Fatal: true}}
		}, "inventory-problem warning service x: has no port"},
	}
	tests = append(tests, onDemand()...)
	provoked := map[string]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := check.Diagnose(input(tt.do))
			if tt.want == "" {
				if len(got) > 0 {
					t.Fatalf("found %+v", got)
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("found %d: %+v", len(got), got)
			}
			f := got[0]
			provoked[f.Code] = true
			if line := f.Code + " " + f.Severity.String() + " " + f.Summary; !strings.HasPrefix(line, tt.want) {
				t.Errorf("got %q, want %q", line, tt.want)
			}
			if f.Cluster != "pg-test" {
				t.Errorf("cluster %q", f.Cluster)
			}
		})
	}
	pinned := check.Diagnose(input(pinnedWriters))
	if len(pinned) != 2 || pinned[0].Code != "ghost-pinned" || pinned[0].Severity != model.Critical ||
		pinned[0].Summary != "3 sessions of primary are stuck on pg-test-2, which Patroni refuses for it" {
		t.Errorf("writers on a demoted primary: %+v", pinned)
	}
	provoked["ghost-pinned"], provoked["overdue"], provoked["node-lost"] = true, true, true // TestMarks, TestCauses
	for _, c := range check.All() {
		if !provoked[c.Code] {
			t.Errorf("no case provokes %s: add one to TestEachFinding, or to onDemand (ondemand_test.go)", c.Code)
		}
	}
}

// errText is an error that is its text.
type errText string

func (e errText) Error() string { return string(e) }

func TestWorstFirst(t *testing.T) {
	got := check.Diagnose(input(func(in *check.Input) {
		in.Board.Paused = true
		in.Board.Routes[0].Views[0].Verdict = model.Settling
		in.Board.Members[1].Role = "primary"
	}))
	var codes []string
	for _, f := range got {
		codes = append(codes, f.Code)
	}
	if s := strings.Join(codes, " "); s != "two-primaries paused settling" {
		t.Errorf("order: %s", s)
	}
}

// TestTheSummaryNamesTheCause: the sentence of a cluster is the finding's that
// knows why, not the route's that only sees that.
func TestTheSummaryNamesTheCause(t *testing.T) {
	s := fleet(1)
	c := &s.Inventory.Clusters[0]
	for _, f := range c.LoadBalancers {
		o := s.HAProxy[f.Host]
		px := o.Value.Proxy("pg-app-000-primary")
		px.Servers = slices.Clone(px.Servers)
		px.Server("pg-app-000-1").Status = "DRAIN"
		s.HAProxy[f.Host] = o
	}
	b := check.Board(s, c, t0)
	if want := "5433 primary has no server: pg-app-000-1 was drained by hand"; b.Summary != want || b.Health != model.HealthDown {
		t.Errorf("%s %q, want %q", b.Health, b.Summary, want)
	}
}

// TestHintsThatWipe: what wipes or rewinds a member is named only where the
// leader, its walsenders and the DCS say the same, and its log comes first.
func TestHintsThatWipe(t *testing.T) {
	lead := func(tl int, stream string) model.PatroniView {
		v := model.PatroniView{Status: seen(model.PatroniStatus{Role: "primary", State: "running", Timeline: 3}),
			Cluster: seen(model.PatroniCluster{Members: []model.PatroniMember{{Name: "pg-test-1", Role: "leader", Timeline: 3}, {Name: "pg-test-2", Timeline: tl}}})}
		if stream != "" {
			v.Status.Value.Streams = []model.Stream{{Application: stream}}
		}
		return v
	}
	for name, c := range map[string]struct {
		do    func(*check.Input)
		wipes bool
	}{
		"only its own word":        {func(*check.Input) {}, false},
		"all sources agree":        {func(in *check.Input) { in.Snap.Patroni["pg-test-1"] = lead(2, "") }, true},
		"the DCS has another one":  {func(in *check.Input) { in.Snap.Patroni["pg-test-1"] = lead(3, "") }, false},
		"the leader streams to it": {func(in *check.Input) { in.Snap.Patroni["pg-test-1"] = lead(2, "pg-test-2") }, false},
		"the leader by the DCS only": {func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"], in.Board.LeaderBy = lead(2, ""), "dcs"
		}, false},
		"it has more WAL": {func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"], in.Board.Members[1].Ahead = lead(2, ""), 1<<20
		}, false},
		"it is another cluster's": {func(in *check.Input) {
			in.Snap.Patroni["pg-test-1"] = lead(2, "")
			in.Board.Members[1].Known, in.Board.Members[1].Foreign = false, &model.Foreign{Sure: true}
		}, false},
	} {
		all := ""
		for _, f := range check.Diagnose(input(func(in *check.Input) {
			in.Board.Timeline, in.Board.Members[0].Timeline, in.Board.Members[1].Timeline = 3, 3, 2
			c.do(in)
		})) {
			all += f.Hint + "\n"
		}
		if got := strings.Contains(all, "reinit"); got != c.wipes {
			t.Errorf("%s: %s", name, all)
		}
		if c.wipes && strings.Index(all, "tail /pg/log") > strings.Index(all, "reinit") {
			t.Errorf("%s: the log comes first: %s", name, all)
		}
	}
}

// TestTwoClaimsOfTheLeaderKey: no hint stops a PostgreSQL, and one in recovery is
// not called writable.
func TestTwoClaimsOfTheLeaderKey(t *testing.T) {
	for state, want := range map[string]string{
		"running":     "two writable primaries: pg-test-1, pg-test-2",
		"in recovery": "more than one Patroni reports that it holds the leader key: pg-test-1, pg-test-2",
	} {
		var got string
		for _, f := range check.Diagnose(input(func(in *check.Input) { in.Board.Members[1].Role, in.Board.Members[1].State = "leader", state })) {
			if f.Code == "two-primaries" {
				got = f.Summary
			}
			if strings.Contains(f.Hint, "stop PostgreSQL") {
				t.Error(f.Hint)
			}
		}
		if got != want {
			t.Errorf("%s: %q", state, got)
		}
	}
}
