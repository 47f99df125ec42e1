package plan

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

var riskNow = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// quiet is a plan and a situation without any risk that stops it: one node, one
// service with two servers, of which one serves.
func quiet() (Plan, Situation) {
	const h = model.Host("10.0.0.1")
	now := riskNow
	servers := []haproxy.ServerLine{{Name: "pg-test-1", Weight: "100"}, {Name: "pg-test-2", Weight: "100"}}
	sec := haproxy.Section{File: "pg-test-primary.cfg", Name: "pg-test-primary", Binds: []string{"*:5433"}, Servers: servers}
	p := Plan{Cluster: "pg-test", Nodes: []Node{{
		Host: h, Changes: []FileChange{{Name: sec.File, Before: []byte("a"), After: []byte("b")}},
		Have: map[string]string{sec.File: "a"}, Want: map[string]string{sec.File: "b"},
		Was: []haproxy.Section{sec}, Become: []haproxy.Section{sec},
	}}}
	seen := func(s haproxy.Stats) source.Observed[haproxy.Stats] {
		return source.Observed[haproxy.Stats]{}.Next(s, nil, now, 0)
	}
	s := Situation{
		Snap: &model.Snapshot{HAProxy: map[model.Host]source.Observed[haproxy.Stats]{h: seen(haproxy.Stats{Proxies: []haproxy.Proxy{{Name: sec.Name, Servers: []haproxy.ServerRow{
			{Name: "pg-test-1", Status: "UP", UserWeight: 100, Weight: 100}, {Name: "pg-test-2", Status: "DOWN", UserWeight: 100, Weight: 100},
		}}}})}},
		Board:   &board.Board{Leader: "pg-test-1", Members: []board.Member{{Instance: "pg-test-1", State: "running"}}},
		Conf:    map[model.Host]source.Observed[model.NodeConf]{h: source.Observed[model.NodeConf]{}.Next(model.NodeConf{Sections: []haproxy.Section{sec}}, nil, now, 0)},
		Workers: map[model.Host]source.Observed[haproxy.Processes]{},
		Servers: map[model.Host]source.Observed[haproxy.ServerStates]{h: source.Observed[haproxy.ServerStates]{}.Next(haproxy.ServerStates{Count: 2}, nil, now, 0)},
		Routing: map[model.Host]map[string][]string{h: {sec.Name: {"pg-test-1"}}}, Foreseen: map[model.Host]map[string][]string{h: {sec.Name: {"pg-test-1"}}},
	}
	return p, s
}

func TestRisks(t *testing.T) {
	const h = model.Host("10.0.0.1")
	px := func(s *Situation) *haproxy.Proxy { return &s.Snap.HAProxy[h].Value.Proxies[0] }
	conf := func(s *Situation, change func(*model.NodeConf)) {
		o := s.Conf[h]
		change(&o.Value)
		s.Conf[h] = o
	}
	touch := func(s *Situation, st haproxy.ServerState) {
		o := s.Servers[h]
		o.Value.Touched = append(o.Value.Touched, st)
		s.Servers[h] = o
	}
	state := func(proxy, server string, bits haproxy.AdminBits) func(*Plan, *Situation) {
		return func(_ *Plan, s *Situation) {
			touch(s, haproxy.ServerState{Proxy: proxy, Server: server, Bits: bits, Weight: 100, Configured: 100})
		}
	}
	find := func(code string) func(*Plan, *Situation) {
		return func(_ *Plan, s *Situation) { s.Board.Findings = []model.Finding{{Code: code, Summary: code}} }
	}
	for _, c := range []struct {
		name   string
		change func(*Plan, *Situation)
		want   string // the risk's name; "" is none beside those that are always told
	}{
		{"nothing special", func(*Plan, *Situation) {}, ""},
		{"HAProxy refuses it", func(_ *Plan, s *Situation) { s.Checked = map[model.Host]error{h: errors.New("a.cfg:3: no")} }, RiskRejected},
		{"the last server goes", func(p *Plan, _ *Situation) { p.Nodes[0].Become = []haproxy.Section{{Name: "pg-test-primary"}} }, RiskLastServer},
		{"the one that serves goes", func(_ *Plan, s *Situation) { s.Foreseen[h]["pg-test-primary"] = []string{} }, RiskLastServer},
		{"others take over", func(p *Plan, _ *Situation) {
			p.Nodes[0].Become = []haproxy.Section{{Name: "pg-test-primary", Servers: []haproxy.ServerLine{{Name: "pg-test-9"}}}}
		}, RiskDisjoint},
		{"one stays", func(p *Plan, _ *Situation) {
			p.Nodes[0].Become = []haproxy.Section{{Name: "pg-test-primary", Servers: []haproxy.ServerLine{{Name: "pg-test-2"}, {Name: "pg-test-9"}}}}
		}, ""},
		{"the port goes, and is used", func(p *Plan, s *Situation) { p.Nodes[0].Become = nil; px(s).Front.Sessions = 3 }, RiskGone},
		{"the port goes, and nobody uses it", func(p *Plan, _ *Situation) { p.Nodes[0].Become = nil }, RiskIdle},
		{"somebody else listens there", func(_ *Plan, s *Situation) {
			conf(s, func(n *model.NodeConf) {
				n.Sections = append(n.Sections, haproxy.Section{File: "haproxy.cfg", Name: "stats", Binds: []string{"127.0.0.1:5433"}})
			})
		}, RiskCollision},
		{"two of its own listen there", func(p *Plan, _ *Situation) {
			p.Nodes[0].Become = append(p.Nodes[0].Become, haproxy.Section{File: "pg-test-x.cfg", Name: "pg-test-x", Binds: []string{"*:5433"}})
		}, RiskCollision},
		{"no leader", func(_ *Plan, s *Situation) { s.Board.Leader = "" }, RiskNoLeader},
		{"the leader changes", func(_ *Plan, s *Situation) { s.Board.Leader, s.Board.LeaderUnsure = "", true }, RiskFailover},
		{"a member starts", func(_ *Plan, s *Situation) { s.Board.Members[0].State = "starting" }, RiskFailover},
		{"two primaries", find("two-primaries"), RiskFailover},
		{"HAProxy nodes disagree", find("haproxy-disagree"), RiskDisagree},
		{"roles are stale", find("stale-roles"), RiskStaleRoles},
		{"paused", func(_ *Plan, s *Situation) { s.Board.Paused = true }, RiskPaused},
		{"a frontend was paused by hand", func(_ *Plan, s *Situation) { px(s).Front.Status = "PAUSED" }, RiskReopens},
		{"a frontend was shut down", func(_ *Plan, s *Situation) { px(s).Front.Status = "STOP" }, RiskReopens},
		{"another cluster's Patroni answers", find("foreign-patroni"), RiskForeign},
		{"a switchover in ten minutes", func(_ *Plan, s *Situation) {
			s.Board.Judged, s.Board.Switch.At = riskNow, "2026-11-28T12:10:00+00:00"
		}, RiskSoon},
		{"a switchover next month", func(_ *Plan, s *Situation) {
			s.Board.Judged, s.Board.Switch.At = riskNow, "2026-12-28T12:10:00+00:00"
		}, RiskScheduled},
		{"a switchover at a time that cannot be read", func(_ *Plan, s *Situation) { s.Board.Judged, s.Board.Switch.At = riskNow, "soon" }, RiskSoon},
		{"a restart next month", func(_ *Plan, s *Situation) {
			s.Board.Judged, s.Board.Members[0].Restart = riskNow, "2026-12-28T12:10:00.5+01:00"
		}, RiskScheduled},
		{"a check has not ended", func(_ *Plan, s *Situation) { px(s).Servers[1].CheckStatus = "INI" }, RiskSettling},
		{"changed by hand", func(_ *Plan, s *Situation) { s.Edited = map[model.Host]string{h: "abc"} }, RiskHandEdited},
		{"another's section was edited", func(_ *Plan, s *Situation) {
			conf(s, func(n *model.NodeConf) {
				n.Sections = append(n.Sections, haproxy.Section{File: "b.cfg", Name: "b"})
			})
		}, RiskUnloaded},
		{"another's server was edited", func(_ *Plan, s *Situation) {
			conf(s, func(n *model.NodeConf) {
				n.Sections = append(n.Sections, haproxy.Section{File: "b.cfg", Name: "b", Servers: []haproxy.ServerLine{{Name: "x", Weight: "1"}}})
			})
			o := s.Snap.HAProxy[h]
			o.Value.Proxies = append(o.Value.Proxies, haproxy.Proxy{Name: "b", Servers: []haproxy.ServerRow{{Name: "y", Status: "UP"}}})
			s.Snap.HAProxy[h] = o
		}, RiskUnloaded},
		{"another's file is newer than the worker", func(_ *Plan, s *Situation) {
			conf(s, func(n *model.NodeConf) {
				n.Files = append(n.Files, model.ConfFile{Name: "b.cfg", Read: true, Changed: riskNow})
			})
			s.Workers[h] = source.Observed[haproxy.Processes]{}.Next(haproxy.Processes{Workers: []haproxy.Worker{{PID: 7, Started: riskNow.Add(-time.Minute)}}}, nil, riskNow, 0)
		}, RiskUnloaded},
		{"the stats page is silent", func(_ *Plan, s *Situation) { s.Snap.HAProxy = nil }, RiskUnseen},
		{"the directory was not read", func(_ *Plan, s *Situation) { s.Conf = nil }, RiskUnseen},
		{"nothing was seen", func(_ *Plan, s *Situation) { s.Snap, s.Board = nil, nil }, RiskUnseen},
		{"drained behind its status DOWN", state("pg-test-primary", "pg-test-2", haproxy.ForcedDrain), RiskEndsDrain},
		{"the same, and the states are handed over", func(p *Plan, s *Situation) {
			state("pg-test-primary", "pg-test-2", haproxy.ForcedDrain)(p, s)
			s.Handed = map[model.Host]string{h: "/run/haproxy-servers.state"}
		}, RiskKeepsDrain},
		{"put put in maintenance, and the page says so", func(_ *Plan, s *Situation) { px(s).Servers[1].Status = "MAINT" }, RiskEndsDrain},
		{"put put in maintenance by its configuration", func(p *Plan, s *Situation) {
			px(s).Servers[1].Status = "MAINT"
			state("pg-test-primary", "pg-test-2", haproxy.ForcedMaint|haproxy.ConfiguredMaint)(p, s)
		}, ""},
		{"put put in maintenance with the server it tracks", func(_ *Plan, s *Situation) { px(s).Servers[1].Status = "MAINT (via a/b)" }, ""},
		{"drained, as the page shows", func(_ *Plan, s *Situation) { px(s).Servers[0].Status = "DRAIN" }, RiskEndsDrain},
		{"weight 0 by hand", func(_ *Plan, s *Situation) {
			px(s).Servers[1].UserWeight = 0
			touch(s, haproxy.ServerState{Proxy: "pg-test-primary", Server: "pg-test-2", Configured: 100})
		}, RiskEndsDrain},
		{"it was drained, and serves by now", state("pg-test-primary", "pg-test-1", haproxy.ForcedDrain), ""},
		{"another cluster's server is drained", func(p *Plan, s *Situation) {
			o := s.Snap.HAProxy[h]
			o.Value.Proxies = append(o.Value.Proxies, haproxy.Proxy{Name: "b", Servers: []haproxy.ServerRow{{Name: "y", Status: "DOWN", UserWeight: 100}}})
			s.Snap.HAProxy[h] = o
			state("b", "y", haproxy.ForcedDrain)(p, s)
		}, RiskEndsDrain},
		{"its section goes away", func(p *Plan, s *Situation) {
			state("pg-test-primary", "pg-test-2", haproxy.ForcedDrain)(p, s)
			p.Nodes[0].Become = nil
		}, RiskIdle},
		{"what was done by hand is not known", func(_ *Plan, s *Situation) { s.Servers = nil }, RiskDrainUnread},
		{"sessions", func(_ *Plan, s *Situation) { px(s).Servers[0].Sessions = 4 }, RiskOldWorkers},
		{"no recovery at boot", func(_ *Plan, s *Situation) { s.Unarmed = map[model.Host]string{h: "this node has no systemd"} }, RiskUnarmed},
		{"an old worker", func(_ *Plan, s *Situation) {
			s.Workers[h] = source.Observed[haproxy.Processes]{}.Next(haproxy.Processes{Workers: []haproxy.Worker{{PID: 7, Old: true}}}, nil, riskNow, 0)
		}, RiskGhosts},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, s := quiet()
			c.change(&p, &s)
			got := Risks(&p, &s)
			var names []string
			for _, r := range got {
				if r.Name != RiskMisroute && !slices.Contains(names, r.Name) {
					names = append(names, r.Name)
				}
				if r.What == "" {
					t.Errorf("%+v", r)
				}
			}
			if strings.Join(names, " ") != c.want {
				t.Errorf("risks %q, want %q: %+v", names, c.want, got)
			}
			p.Risks = got
			if stops := p.Unaccepted(); (len(stops) > 0) != RiskStops(c.want) && c.want != "" {
				t.Errorf("stops for %q", stops)
			}
			p.Accepted = []string{c.want}
			if left := p.Unaccepted(); len(left) > 0 && c.want != RiskRejected {
				t.Errorf("accepted, and still stops for %q", left)
			}
		})
	}
	p, s := quiet()
	p.Nodes[0].Changes = nil
	s.Board.Paused = true
	if got := Risks(&p, &s); len(got) > 0 {
		t.Errorf("a plan with nothing to do has risks: %+v", got)
	}
	s.Board.Findings = []model.Finding{{Code: "stale-roles", Summary: "roles"}}
	if got := Risks(&p, &s); len(got) != 1 || got[0].Name != RiskStaleRoles {
		t.Errorf("that there is nothing to do may be the roles' fault, and is not told: %+v", got)
	}
	s.Board.Findings = nil
	p.Force = true
	if got := Risks(&p, &s); !slices.ContainsFunc(got, func(r Risk) bool { return r.Name == RiskPaused }) {
		t.Errorf("a forced reload has no risks: %+v", got)
	}
	p.Risks = []Risk{{Name: RiskRejected}}
	p.Accepted = []string{RiskRejected}
	if len(p.Unaccepted()) == 0 {
		t.Error("what HAProxy refuses was accepted")
	}
}

// TestRiskKinds: every name of a risk has its explanation, once.
func TestRiskKinds(t *testing.T) {
	src, err := os.ReadFile("risk.go")
	if err != nil {
		t.Fatal(err)
	}
	names := RiskNames()
	consts := regexp.MustCompile(`(?m)^\tRisk\w+ += "([a-z-]+)"`).FindAllStringSubmatch(string(src), -1)
	for _, m := range consts {
		if !slices.Contains(names, m[1]) {
			t.Errorf("RiskKinds has no %s", m[1])
		}
	}
	if len(consts) != len(names) {
		t.Errorf("%d names, %d kinds", len(consts), len(names))
	}
	for _, k := range RiskKinds() {
		if k.When == "" {
			t.Errorf("%s: when is not explained", k.Name)
		}
	}
}
