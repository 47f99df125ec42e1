package check_test

import (
	"errors"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/source"
)

// onDemand are the cases of what is asked on demand only: proofs, files on
// disk, processes.
func onDemand() []struct {
	name string
	do   func(*check.Input)
	want string
} {
	proven := func(p board.Proven) func(*check.Input) {
		return func(in *check.Input) {
			in.Board.Routes[0].Views[1].Proven = &p
			in.Board.Routes[0].Views[1].Verdict = model.Mismatch // as prove leaves it
		}
	}
	// onDisk is what node a has on disk, beside a page that runs it.
	onDisk := func(do func(*model.NodeConf, *haproxy.Stats)) func(*check.Input) {
		return func(in *check.Input) {
			server := []haproxy.ServerLine{{Name: "pg-test-1", Weight: "100"}}
			conf := model.NodeConf{Dir: "/etc/haproxy/conf.d", Sections: []haproxy.Section{
				{File: "pg-test-primary.cfg", Name: "pg-test-primary", Binds: []string{"*:5433"}, Servers: server},
				{File: "pg-test-replica.cfg", Name: "pg-test-replica", Binds: []string{"*:5434"}, Servers: server},
			}, Files: []model.ConfFile{{Name: "pg-test-primary.cfg", Read: true, Changed: t0}, {Name: "pg-test-replica.cfg", Read: true, Changed: t0}}}
			row := []haproxy.ServerRow{{Name: "pg-test-1", Status: "UP", Weight: 100, UserWeight: 100}}
			page := haproxy.Stats{Proxies: []haproxy.Proxy{{Name: "pg-test-primary", Servers: row}, {Name: "pg-test-replica", Servers: row}}}
			do(&conf, &page)
			in.Snap.Conf = map[model.Host]source.Observed[model.NodeConf]{"a": seen(conf)}
			in.Snap.HAProxy["a"] = seen(page)
		}
	}
	ghosts := func(age time.Duration, pins ...haproxy.Pin) func(*check.Input) {
		return func(in *check.Input) {
			in.Snap.Workers = map[model.Host]source.Observed[haproxy.Processes]{"a": seen(haproxy.Processes{At: t0, Socket: true, Workers: []haproxy.Worker{
				{PID: 40, Started: t0.Add(-time.Minute)}, {PID: 38, Old: true, Known: true, Started: t0.Add(-age), Pins: pins}}})}
		}
	}
	// cells puts pg-test-2 into the route's view of so many HAProxies.
	cells := func(route, views int, c board.Cell) func(*check.Input) {
		return func(in *check.Input) {
			c.Instance = "pg-test-2"
			for i := range views {
				in.Board.Routes[route].Views[i].Cells = []board.Cell{c}
			}
		}
	}
	hidden := board.Cell{Verdict: model.Refused, Status: "DOWN", Admin: haproxy.AdminDrain, Held: "in drain by hand"}
	maint := board.Cell{Verdict: model.Maint, Status: "MAINT", Admin: haproxy.AdminMaint, Why: "taken out by hand"}
	return []struct {
		name string
		do   func(*check.Input)
		want string
	}{
		{"checks switched off on a replica in the primary service", cells(0, 2, board.Cell{Verdict: model.Serving, Status: "no check"}),
			"health-forced critical the health check of pg-test-2 is disabled in 5433 primary on every HAProxy node: it counts as up"},
		{"checks switched off in a service of replicas", cells(1, 1, board.Cell{Verdict: model.Serving, Status: "no check"}),
			"health-forced warning the health check of pg-test-2 is disabled in 5434 replica on 1 of 2 HAProxy nodes"},
		{"an action without an end", func(in *check.Input) {
			in.Snap.Marks = map[model.ClusterName][]model.Mark{"pg-test": {{Action: "switchover", Cluster: "pg-test", Instance: "pg-test-2", Who: "alice@admin", At: t0, Open: true}}}
		}, "action-open warning switchover of pg-test-2 began at 03:04 UTC and has no end: pgtui was stopped while it ran; pg-test-1 leads now"},
		{"an action under way", func(in *check.Input) {
			in.Snap.Marks = map[model.ClusterName][]model.Mark{"pg-test": {{Action: "restart", Cluster: "pg-test", Who: "alice@admin", At: t0, Open: true, Alive: true}}}
		}, "action-open info restart of pg-test is still running"},
		{"a replica drained behind its status DOWN", cells(0, 2, hidden),
			"drain-hidden critical pg-test-2 is in drain in 5433 primary on every HAProxy node, hidden by its status DOWN: when it leads, 5433 has no server there"},
		{"the same on one HAProxy", cells(0, 1, hidden), "drain-hidden critical pg-test-2 is in drain in 5433 primary on 1 of 2 HAProxy nodes"},
		{"in a service of replicas", cells(1, 2, hidden), "drain-hidden warning pg-test-2 is in drain in 5434 replica on every HAProxy node, hidden by its status DOWN: it gets no new connections"},
		{"one that may not lead", func(in *check.Input) {
			cells(0, 2, hidden)(in)
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: seen(model.PatroniStatus{Tags: map[string]string{"nofailover": "true"}})}
		}, "drain-hidden warning pg-test-2 is in drain in 5433 primary"},
		{"of a standby cluster", func(in *check.Input) {
			cells(0, 2, hidden)(in)
			in.Board.Cluster.Standby = true
		}, "drain-hidden warning pg-test-2 is in drain in 5433 primary"},
		{"one whose failover_priority is 0", func(in *check.Input) {
			cells(0, 2, hidden)(in)
			in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: seen(model.PatroniStatus{Version: "4.0.7", Tags: map[string]string{"failover_priority": "0"}})}
		}, "drain-hidden warning pg-test-2 is in drain in 5433 primary"},
		{"of a standby cluster, in the service of its leader", func(in *check.Input) {
			cells(0, 2, hidden)(in)
			in.Board.Cluster.Standby = true
			for i := range in.Board.Cluster.LoadBalancers {
				in.Board.Cluster.LoadBalancers[i].Services[0].Check = "/standby-leader"
			}
		}, "drain-hidden critical pg-test-2 is in drain in 5433 primary"},
		{"where the check is /leader", func(in *check.Input) {
			cells(0, 2, hidden)(in)
			in.Board.Cluster.LoadBalancers[0].Services[0].Check = "/leader"
		}, "drain-hidden critical pg-test-2 is in drain in 5433 primary"},
		{"weight 0 behind its status DOWN", cells(0, 2, board.Cell{Verdict: model.Refused, Status: "DOWN", Held: "weight at 0"}),
			"drain-hidden critical pg-test-2 is in drain (weight 0) in 5433 primary"},
		{"a replica put in maintenance in the primary service", cells(0, 2, maint),
			"drain-hidden critical pg-test-2 is in maint in 5433 primary on every HAProxy node: when it leads, 5433 has no server there"},
		{"HAProxy's socket does not answer", func(in *check.Input) {
			in.Snap.Servers = map[model.Host]source.Observed[haproxy.ServerStates]{"a": {Err: errors.New("no socket answers"), Tried: t0}}
		}, "node-unread info drain and maint are unknown for servers of HAProxy on a that are DOWN"},
		{"the leader put in maintenance is no secret", func(in *check.Input) {
			cells(0, 2, maint)(in)
			in.Board.Leader, in.Board.Members[1].Declared, in.Board.Members[0].Declared = "pg-test-2", model.RolePrimary, model.RoleReplica
		}, "server-by-hand warning pg-test-2 is maint in 5433 primary"},
		{"a replica put in maintenance in its own service is no secret", cells(1, 2, maint), "server-by-hand warning pg-test-2 is maint in 5434 replica"},
		{"a proof that agrees", proven(board.Proven{Instances: map[model.InstanceName]int{"pg-test-1": 3}}), "misrouted critical"},
		{"somebody else answers", proven(board.Proven{Against: "pg-test-2 answered"}),
			"proof-differs critical 5433 primary: real connections reach the wrong server on 1 of 2 HAProxy nodes"},
		{"the leader takes no writes", func(in *check.Input) {
			in.Board.Routes[0].Views[1].Proven = &board.Proven{Instances: map[model.InstanceName]int{"pg-test-1": 3}, ReadOnly: []model.InstanceName{"pg-test-1"}}
		}, "leader-read-only critical pg-test-1 leads but accepts no writes: its transactions are read-only"},
		{"pgbouncer is down", proven(board.Proven{Dead: "3 of 3 connections failed"}),
			"check-yes-port-no critical 5433 primary: the check passes, but connections fail on 1 of 2 HAProxy nodes"},
		{"disk, inventory and worker are one", onDisk(func(*model.NodeConf, *haproxy.Stats) {}), ""},
		{"a weight edited by hand, never loaded", onDisk(func(c *model.NodeConf, _ *haproxy.Stats) {
			c.Sections[0].Servers = []haproxy.ServerLine{{Name: "pg-test-1", Weight: "50"}}
		}), "config-unloaded warning the HAProxy files on a were edited but not loaded"},
		{"a new section, never loaded", onDisk(func(c *model.NodeConf, p *haproxy.Stats) { p.Proxies = p.Proxies[:1] }), "config-unloaded warning"},
		{"a file is not as declared", onDisk(func(c *model.NodeConf, _ *haproxy.Stats) {
			c.Drift = map[model.ClusterName]model.Drift{"pg-test": {Changes: []model.DriftFile{{Name: "pg-test-primary.cfg", Kind: "change", Summary: []string{"weight of pg-test-1: 50 → 100"}}}}}
		}), "config-drift warning 1 HAProxy file on a differs from the inventory"},
		{"whether it is as declared cannot be told", onDisk(func(c *model.NodeConf, _ *haproxy.Stats) {
			c.Drift = map[model.ClusterName]model.Drift{"pg-test": {Err: "wanted by another cluster"}}
		}), "config-drift warning could not determine whether the HAProxy files on a are up to date"},
		{"a playbook died after the wipe", onDisk(func(c *model.NodeConf, _ *haproxy.Stats) { c.Sections, c.Files = c.Sections[:1], c.Files[:1] }),
			"half-wiped critical 1 of 2 services run on a without a file on disk"},
		{"a copy of a file binds its port again", onDisk(func(c *model.NodeConf, p *haproxy.Stats) {
			c.Sections = append(c.Sections, haproxy.Section{File: "old.cfg", Name: "old-primary", Binds: []string{"10.0.0.1:5433"}})
		}), "port-twice critical port 5433 on a is bound by pg-test-primary and old-primary"},
		{"a retired cluster's file", onDisk(func(c *model.NodeConf, _ *haproxy.Stats) {
			c.Files = append(c.Files, model.ConfFile{Name: "pg-old-primary.cfg", Read: true, Foreign: true}, model.ConfFile{Name: "note.txt", Foreign: true})
		}), "foreign-files info HAProxy on a reads 1 file that belongs to no cluster in the inventory"},
		{"a node that ssh does not reach", func(in *check.Input) {
			in.Snap.Conf = map[model.Host]source.Observed[model.NodeConf]{"b": {Err: errText("permission denied")}}
			in.Snap.Workers = map[model.Host]source.Observed[haproxy.Processes]{"b": {Err: errText("permission denied")}}
		}, "node-unread warning could not read the files and processes of HAProxy on b"},
		{"an old Pigsty without a master socket", func(in *check.Input) {
			in.Snap.Workers = map[model.Host]source.Observed[haproxy.Processes]{"b": seen(haproxy.Processes{At: t0, Missing: "no master socket"})}
		}, "node-unread info sessions of old HAProxy processes on b are unknown"},
		{"an old worker with a reader", ghosts(5*time.Minute, haproxy.Pin{Proxy: "pg-test-replica", Server: "pg-test-2", Sessions: 2}),
			"ghost-worker info 1 old HAProxy process on a with 2 sessions"},
		{"an old worker since yesterday", ghosts(26*time.Hour, haproxy.Pin{Proxy: "pg-test-replica", Server: "pg-test-2", Sessions: 2}), "ghost-worker warning"},
	}
}

// pinnedWriters leaves writers on a demoted primary: the worker itself is a
// finding too, so it is judged apart.
func pinnedWriters(in *check.Input) {
	in.Snap.Workers = map[model.Host]source.Observed[haproxy.Processes]{"a": seen(haproxy.Processes{At: t0, Socket: true, Workers: []haproxy.Worker{
		{PID: 38, Old: true, Known: true, Started: t0.Add(-time.Minute), Pins: []haproxy.Pin{{Proxy: "pg-test-primary", Server: "pg-test-2", Sessions: 3}}}}})}
	in.Snap.Patroni["pg-test-2"] = model.PatroniView{Status: seen(model.PatroniStatus{}), Checks: map[string]source.Observed[int]{"/primary": seen(503)}}
}
