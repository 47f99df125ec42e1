package action_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/plan/action"
	"pgtui/source"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func seen[T any](v T) source.Observed[T] { return source.Observed[T]{Value: v, At: t0, Tried: t0} }

// trio is pg-test with three members, whose HAProxies route 5433 to the leader
// pg-test-1 and 5434 to the other two, with the leader as the backup.
func trio() *action.Input {
	hosts := []model.Host{"a", "b", "c"}
	c := &model.Cluster{Name: "pg-test"}
	var members []model.Server
	b := &board.Board{Cluster: c, Leader: "pg-test-1", LeaderBy: "self"}
	for i, h := range hosts {
		name := model.InstanceName(fmt.Sprintf("pg-test-%d", i+1))
		c.Instances = append(c.Instances, model.Instance{Name: name, Host: h})
		members = append(members, model.Server{Name: name, Host: h, Weight: "100"})
		role := "replica"
		if i == 0 {
			role = "leader"
		}
		b.Members = append(b.Members, board.Member{Instance: name, Host: h, Role: role, State: "streaming", Known: true})
	}
	services := []model.Service{
		{Cluster: "pg-test", Name: "primary", Port: "5433", Check: "/primary", Members: members},
		{Cluster: "pg-test", Name: "replica", Port: "5434", Check: "/read-only", Members: members, Backups: members[:1]},
	}
	in := &action.Input{Inventory: &model.Inventory{Hash: "h"}, Cluster: c, Board: b, Now: t0, Table: &candidate.Table{Leader: "pg-test-1"},
		Allowed: map[model.InstanceName]error{"pg-test-1": nil, "pg-test-2": nil, "pg-test-3": nil}}
	in.Snap = &model.Snapshot{Inventory: in.Inventory, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{}}
	in.Snap.Servers = map[model.Host]source.Observed[haproxy.ServerStates]{}
	in.Snap.Patroni = map[model.InstanceName]model.PatroniView{}
	for i := range b.Members {
		m := &b.Members[i]
		in.Snap.Patroni[m.Instance] = model.PatroniView{Status: seen(model.PatroniStatus{Role: m.Role, State: "running", Version: "4.0.7"}), Cluster: seen(model.PatroniCluster{})}
	}
	for _, h := range hosts {
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: h, Services: services})
		in.Snap.Servers[h] = seen(haproxy.ServerStates{Count: 6})
		in.Snap.HAProxy[h] = seen(haproxy.Stats{Proxies: []haproxy.Proxy{
			{Name: "pg-test-primary", Front: haproxy.ProxyRow{Status: "OPEN", Sessions: 3}, Servers: []haproxy.ServerRow{row("pg-test-1", "UP", 3), row("pg-test-2", "DOWN", 0), row("pg-test-3", "DOWN", 0)}},
			{Name: "pg-test-replica", Front: haproxy.ProxyRow{Status: "OPEN"}, Servers: []haproxy.ServerRow{backup(row("pg-test-1", "UP", 0)), row("pg-test-2", "UP", 2), row("pg-test-3", "UP", 2)}},
		}})
	}
	in.Inventory.Clusters = []model.Cluster{*c}
	return in
}

func row(name, status string, sessions int64) haproxy.ServerRow {
	return haproxy.ServerRow{Name: name, Status: status, Weight: 100, UserWeight: 100, Sessions: sessions}
}

func backup(r haproxy.ServerRow) haproxy.ServerRow { r.Backup = true; return r }

// status sets the status of a server on the HAProxies.
func status(in *action.Input, server, to string, hosts ...model.Host) {
	backend, name, _ := strings.Cut(server, "/")
	for _, h := range hosts {
		stats := in.Snap.HAProxy[h].Value
		stats.Proxy(backend).Server(name).Status = to
	}
}

// hidden drains a server that is DOWN.
func hidden(in *action.Input, server string, hosts ...model.Host) {
	backend, name, _ := strings.Cut(server, "/")
	for _, h := range hosts {
		in.Snap.Servers[h] = seen(haproxy.ServerStates{Count: 6, Touched: []haproxy.ServerState{{Proxy: backend, Server: name, Bits: haproxy.ForcedDrain, Weight: 100, Configured: 100}}})
	}
}

// short is a step in a few words: "server a drain pg-test-replica/pg-test-2".
func short(s *action.Step) string {
	return strings.Join(slices.DeleteFunc([]string{string(s.Do), string(s.HAProxy), s.Value, strings.Join(s.Servers, ",")}, func(x string) bool { return x == "" }), " ")
}

func TestServers(t *testing.T) {
	all := []model.Host{"a", "b", "c"}
	for _, tt := range []struct {
		name  string
		r     action.Request
		do    func(*action.Input)
		steps []string // nil: none
		risks []string // name, in order, each once
		fact  string
		fails string // of Refused
	}{
		{name: "drain a replica in the services that route to it", r: action.Request{Kind: action.Drain, Instance: "pg-test-2"},
			steps: []string{"server a drain pg-test-replica/pg-test-2", "server b drain pg-test-replica/pg-test-2", "server c drain pg-test-replica/pg-test-2"},
			fact:  "6 sessions stay and end by themselves"},
		{name: "one HAProxy, one service, hidden", r: action.Request{Kind: action.Drain, Instance: "pg-test-2", Service: "primary", HAProxy: "b"},
			steps: []string{"server b drain pg-test-primary/pg-test-2"}, risks: []string{"blocks-failover", "hidden-until-up"}},
		{name: "drain the leader", r: action.Request{Kind: action.Drain, Instance: "pg-test-1", HAProxy: "a"},
			steps: []string{"server a drain pg-test-primary/pg-test-1,pg-test-replica/pg-test-1"}, risks: []string{"drops-last-server", "blocks-failover"}},
		{name: "the last regular server: reads go to the backup", r: action.Request{Kind: action.Drain, Instance: "pg-test-2", HAProxy: "a"},
			do:    func(in *action.Input) { status(in, "pg-test-replica/pg-test-3", "DOWN", all...) },
			steps: []string{"server a drain pg-test-replica/pg-test-2"}, fact: "5434 replica: new clients go to the backup pg-test-1 meanwhile"},
		{name: "already in drain", r: action.Request{Kind: action.Drain, Instance: "pg-test-2"}, do: func(in *action.Input) { status(in, "pg-test-replica/pg-test-2", "DRAIN", all...) },
			fact: "No service routes to pg-test-2"},
		{name: "already in drain, and its sessions are waited for and cut", r: action.Request{Kind: action.Drain, Instance: "pg-test-2", Wait: time.Minute, Cut: true},
			do: func(in *action.Input) { status(in, "pg-test-replica/pg-test-2", "DRAIN", "a") },
			steps: []string{"server b drain pg-test-replica/pg-test-2", "server c drain pg-test-replica/pg-test-2", "sessions pg-test-replica/pg-test-2",
				"cut a pg-test-replica/pg-test-2", "cut b pg-test-replica/pg-test-2", "cut c pg-test-replica/pg-test-2"}},
		{name: "one in maint stays there", r: action.Request{Kind: action.Drain, Instance: "pg-test-2"}, do: func(in *action.Input) { status(in, "pg-test-replica/pg-test-2", "MAINT", "a") },
			steps: []string{"server b drain pg-test-replica/pg-test-2", "server c drain pg-test-replica/pg-test-2"}, fact: "is in maint on a and stays there"},
		{name: "a HAProxy that does not answer", r: action.Request{Kind: action.Drain, Instance: "pg-test-2"},
			do: func(in *action.Input) {
				in.Snap.HAProxy["b"] = source.Observed[haproxy.Stats]{Err: errors.New("refused"), Tried: t0}
			},
			steps: []string{"server a drain pg-test-replica/pg-test-2", "server c drain pg-test-replica/pg-test-2", "server b drain pg-test-replica/pg-test-2"}, risks: []string{"unseen"}},
		{name: "a reload", r: action.Request{Kind: action.Drain, Instance: "pg-test-2", HAProxy: "a"},
			do:    func(in *action.Input) { in.Handed = map[model.Host]source.Observed[string]{"a": seen("/run/x.state")} },
			steps: []string{"server a drain pg-test-replica/pg-test-2"}, fact: "A reload by pgtui keeps the drain on a"},
		{name: "undrain finds hidden ones", r: action.Request{Kind: action.Undrain, Instance: "pg-test-2"}, do: func(in *action.Input) { hidden(in, "pg-test-primary/pg-test-2", "c") },
			steps: []string{"server c ready pg-test-primary/pg-test-2"}},
		{name: "undrain leaves maint", r: action.Request{Kind: action.Undrain, Instance: "pg-test-2"}, do: func(in *action.Input) { status(in, "pg-test-replica/pg-test-2", "MAINT", "c") },
			fact: "is in maint on c: pgtui ready pg-test-2 brings it back"},
		{name: "undrain of one that the configuration drains", r: action.Request{Kind: action.Undrain, Instance: "pg-test-2"}, do: func(in *action.Input) { status(in, "pg-test-replica/pg-test-2", "DRAIN (agent)", "c") },
			fact: "stays DRAIN (agent) on c"},
		{name: "undrain where the states are unknown", r: action.Request{Kind: action.Undrain, Instance: "pg-test-2", HAProxy: "a"}, do: func(in *action.Input) { delete(in.Snap.Servers, "a") }, risks: []string{"drain-unread"}},
		{name: "maint cuts", r: action.Request{Kind: action.Maint, Instance: "pg-test-2", HAProxy: "a"},
			steps: []string{"server a maint pg-test-replica/pg-test-2"}, risks: []string{"sessions-cut"}},
		{name: "ready after maint goes by drain and a check", r: action.Request{Kind: action.Ready, Instance: "pg-test-2"},
			do: func(in *action.Input) {
				status(in, "pg-test-replica/pg-test-2", "MAINT", "a", "b")
				status(in, "pg-test-replica/pg-test-2", "DRAIN", "c")
			},
			steps: []string{"server a drain pg-test-replica/pg-test-2", "server b drain pg-test-replica/pg-test-2", "checked a pg-test-replica/pg-test-2", "checked b pg-test-replica/pg-test-2",
				"server a ready pg-test-replica/pg-test-2", "server b ready pg-test-replica/pg-test-2", "server c ready pg-test-replica/pg-test-2"}},
		{name: "ready on a HAProxy that does not answer goes by drain too", r: action.Request{Kind: action.Ready, Instance: "pg-test-2"},
			do: func(in *action.Input) {
				status(in, "pg-test-replica/pg-test-2", "DRAIN", "a")
				in.Snap.HAProxy["b"] = source.Observed[haproxy.Stats]{Err: errors.New("refused"), Tried: t0}
			},
			steps: []string{"server a ready pg-test-replica/pg-test-2", "server b drain pg-test-replica/pg-test-2", "checked b pg-test-replica/pg-test-2", "server b ready pg-test-replica/pg-test-2"}, risks: []string{"unseen"}},
		{name: "ready of one through another server", r: action.Request{Kind: action.Ready, Instance: "pg-test-2"}, do: func(in *action.Input) { status(in, "pg-test-replica/pg-test-2", "MAINT (via x/y)", "c") },
			fact: "stays MAINT (via x/y) on c"},
		{name: "weight", r: action.Request{Kind: action.Weight, Instance: "pg-test-2", HAProxy: "a", Weight: 50}, steps: []string{"server a weight 50 pg-test-replica/pg-test-2"}},
		{name: "weight 0 is a drain", r: action.Request{Kind: action.Weight, Instance: "pg-test-1", HAProxy: "a", Service: "primary"}, steps: []string{"server a weight 0 pg-test-primary/pg-test-1"},
			risks: []string{"drops-last-server", "blocks-failover"}},
		{name: "the same weight", r: action.Request{Kind: action.Weight, Instance: "pg-test-2", Weight: 100}, fact: "Every server of pg-test-2 has that weight"},
		{name: "a weight without SSH", r: action.Request{Kind: action.Weight, Instance: "pg-test-2", Weight: 50}, fails: "a weight needs HAProxy's socket",
			do: func(in *action.Input) {
				in.Snap.Servers["b"] = source.Observed[haproxy.ServerStates]{Err: errors.New("refused"), Tried: t0}
			},
			steps: []string{"server a weight 50 pg-test-replica/pg-test-2", "server b weight 50 pg-test-replica/pg-test-2", "server c weight 50 pg-test-replica/pg-test-2"}},
		{name: "no such instance", r: action.Request{Kind: action.Drain, Instance: "x"}, fails: `pg-test has no instance "x"`},
		{name: "no such service", r: action.Request{Kind: action.Drain, Instance: "pg-test-2", Service: "x"}, fails: `pg-test has no service "x"`},
		{name: "no such HAProxy", r: action.Request{Kind: action.Drain, Instance: "pg-test-2", HAProxy: "x"}, fails: "x is not a HAProxy node"},
		{name: "another one of it runs", r: action.Request{Kind: action.Ready, Instance: "pg-test-2"}, fails: "drain of pg-test-2, which alice began, is still running",
			do: func(in *action.Input) {
				in.Snap.Marks = marked(model.Mark{Action: "drain", Instance: "pg-test-2", Who: "alice", Open: true, Alive: true})
			}},
		{name: "while roles change", r: action.Request{Kind: action.Maint, Instance: "pg-test-2", HAProxy: "a"}, do: func(in *action.Input) {
			in.Snap.Marks = marked(model.Mark{Action: "switchover", Who: "alice", Open: true, Alive: true})
		},
			steps: []string{"server a maint pg-test-replica/pg-test-2"}, risks: []string{"failover", "sessions-cut"}},
		{name: "enable a frontend", r: action.Request{Kind: action.EnableFrontend, Service: "primary"}, do: func(in *action.Input) { in.Snap.HAProxy["b"].Value.Proxies[0].Front.Status = "PAUSED" },
			steps: []string{"frontend b pg-test-primary"}},
		{name: "a stopped frontend", r: action.Request{Kind: action.EnableFrontend, Service: "primary"}, do: func(in *action.Input) { in.Snap.HAProxy["b"].Value.Proxies[0].Front.Status = "STOP" },
			fails: "only a reload opens it again"},
		{name: "no closed frontend", r: action.Request{Kind: action.EnableFrontend, Service: "primary"}, fact: "The port of primary is open on every HAProxy"},
		{name: "enable without a service", r: action.Request{Kind: action.EnableFrontend}, fails: "has no service"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := trio()
			if tt.do != nil {
				tt.do(in)
			}
			tt.r.Cluster = "pg-test"
			p := action.Build(in, tt.r)
			var steps, risks []string
			for i := range p.Steps {
				steps = append(steps, short(&p.Steps[i]))
			}
			for _, r := range p.Risks {
				if !slices.Contains(risks, r.Name) {
					risks = append(risks, r.Name)
				}
			}
			if !slices.Equal(steps, tt.steps) {
				t.Errorf("steps\n  %s\nwant\n  %s", strings.Join(steps, "\n  "), strings.Join(tt.steps, "\n  "))
			}
			if !slices.Equal(risks, tt.risks) {
				t.Errorf("risks %v, want %v: %+v", risks, tt.risks, p.Risks)
			}
			if !strings.Contains(strings.Join(p.Facts, "\n"), tt.fact) {
				t.Errorf("no fact %q in %q", tt.fact, p.Facts)
			}
			if (p.Refused != nil) != (tt.fails != "") || p.Refused != nil && !strings.Contains(p.Refused.Error(), tt.fails) {
				t.Errorf("refused: %v, want %q", p.Refused, tt.fails)
			}
		})
	}
}

func TestMaintenance(t *testing.T) {
	drains := func(name string) []string {
		return []string{"server a drain pg-test-replica/" + name, "server b drain pg-test-replica/" + name, "server c drain pg-test-replica/" + name}
	}
	for _, tt := range []struct {
		name  string
		r     action.Request
		do    func(*action.Input)
		steps []string
		risk  string
		fails string
	}{
		{name: "a replica's node", r: action.Request{Kind: action.Maintenance, Node: "b", Wait: time.Minute},
			steps: append(drains("pg-test-2"), "sessions pg-test-replica/pg-test-2", "safe")},
		{name: "the leader's node", r: action.Request{Kind: action.Maintenance, Node: "a"},
			do: func(in *action.Input) {
				in.Table.Candidates = []candidate.Candidate{{Instance: "pg-test-2", Verdict: candidate.No}, {Instance: "pg-test-3", Verdict: candidate.Note}}
				in.Board.VIP = board.VIPState{Address: "10.0.0.3", Holder: "a", OnLeader: true}
			},
			steps: append(append([]string{"switchover"}, drains("pg-test-1")...), "vip 10.0.0.3", "safe"), risk: "candidate-unread"},
		{name: "the leader's node, and no member can take over", r: action.Request{Kind: action.Maintenance, Node: "a"},
			do: func(in *action.Input) {
				in.Table.Candidates = []candidate.Candidate{{Instance: "pg-test-2", Verdict: candidate.No}}
			},
			fails: "no other member can take over"},
		{name: "the only other member is unknown", r: action.Request{Kind: action.Maintenance, Node: "a"},
			do: func(in *action.Input) {
				in.Table.Candidates = []candidate.Candidate{{Instance: "pg-test-2", Verdict: candidate.Unknown, Gates: []candidate.Gate{{Name: "pooled-login", Verdict: candidate.Unknown, What: "not tried"}}}}
			},
			steps: append(append([]string{"switchover"}, drains("pg-test-1")...), "safe"), risk: "candidate-unread"},
		{name: "no leader", r: action.Request{Kind: action.Maintenance, Node: "b"}, do: func(in *action.Input) { in.Board.Leader = "" }, steps: append(drains("pg-test-2"), "safe"), risk: "no-leader"},
		{name: "the last server for reads", r: action.Request{Kind: action.Maintenance, Node: "b"},
			do: func(in *action.Input) {
				for _, h := range []model.Host{"a", "b", "c"} {
					status(in, "pg-test-replica/pg-test-3", "DOWN", h)
					status(in, "pg-test-replica/pg-test-1", "DOWN", h)
				}
			}, steps: append(drains("pg-test-2"), "safe"), risk: "drops-last-server"},
		{name: "a node without an instance", r: action.Request{Kind: action.Maintenance, Node: "x"}, fails: "x runs no instance of pg-test"},
		{name: "back", r: action.Request{Kind: action.EndMaintenance, Node: "b"}, do: func(in *action.Input) { status(in, "pg-test-replica/pg-test-2", "DRAIN", "a", "c") },
			steps: []string{"streaming", "checked a passed pg-test-replica/pg-test-2", "checked c passed pg-test-replica/pg-test-2", "server a ready pg-test-replica/pg-test-2", "server c ready pg-test-replica/pg-test-2"}},
		{name: "back from maint", r: action.Request{Kind: action.EndMaintenance, Node: "b"}, do: func(in *action.Input) { status(in, "pg-test-replica/pg-test-2", "MAINT", "a") },
			steps: []string{"streaming", "server a drain pg-test-replica/pg-test-2", "checked a pg-test-replica/pg-test-2", "server a ready pg-test-replica/pg-test-2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := trio()
			if tt.do != nil {
				tt.do(in)
			}
			tt.r.Cluster = "pg-test"
			p := action.Build(in, tt.r)
			if (p.Refused != nil) != (tt.fails != "") || p.Refused != nil && !strings.Contains(p.Refused.Error(), tt.fails) {
				t.Fatalf("refused: %v, want %q", p.Refused, tt.fails)
			}
			var steps []string
			for i := range p.Steps {
				steps = append(steps, short(&p.Steps[i]))
			}
			if tt.fails == "" && !slices.Equal(steps, tt.steps) {
				t.Errorf("steps\n  %s\nwant\n  %s", strings.Join(steps, "\n  "), strings.Join(tt.steps, "\n  "))
			}
			found := tt.risk == ""
			for _, r := range p.Risks {
				found = found || r.Name == tt.risk
			}
			if !found {
				t.Errorf("no risk %s: %+v", tt.risk, p.Risks)
			}
		})
	}
}
