package failover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
)

func TestWhatIf(t *testing.T) {
	tests := []struct {
		name string
		sup  failover.Supposition
		do   func(*modeltest.World)
		want string
		why  string
		cut  int64 // sessions of both services
	}{
		{"the leader dies, a replica is assumed to win", failover.Supposition{Down: []model.InstanceName{"pg-test-1"}}, func(*modeltest.World) {},
			"pg-test-2 primary=2:serving replica=2, 3:serving", "assumed; pg-test-3 is equally likely", 7},
		{"the leader dies, the laggard does not win", failover.Supposition{Down: []model.InstanceName{"pg-test-1"}}, func(w *modeltest.World) {
			p := w.Snap.Patroni["pg-test-2"]
			p.Status.Value.Received, p.Status.Value.Replayed = 1, 1
			w.Snap.Patroni["pg-test-2"] = p
		}, "pg-test-3 primary=3:serving replica=2, 3:serving", "it has received the most WAL", 7},
		{"all replicas are too far behind: nobody wins", failover.Supposition{Down: []model.InstanceName{"pg-test-1"}}, func(w *modeltest.World) {
			for n, at := range map[model.InstanceName]int64{"pg-test-1": 100 << 20, "pg-test-2": 36 << 20, "pg-test-3": 36 << 20} {
				p := w.Snap.Patroni[n]
				p.Status.Value.Location, p.Status.Value.Received, p.Status.Value.Replayed = at, at, at
				w.Snap.Patroni[n] = p
			}
		}, " primary=:empty replica=2, 3:serving", "no member can take over: pg-test-2 is 64 MB behind, more than maximum_lag_on_failover allows (1 MB); pg-test-3 is 64 MB behind, ", 7},
		{"the synchronous standby wins", failover.Supposition{Down: []model.InstanceName{"pg-test-1"}}, func(w *modeltest.World) {
			p := w.Snap.Patroni["pg-test-3"]
			p.Status.Value.SyncStandby = true
			w.Snap.Patroni["pg-test-3"] = p
		}, "pg-test-3 primary=3:serving replica=2, 3:serving", "synchronous standby", 7},
		{"a switchover", failover.Supposition{Leader: "pg-test-3"}, func(*modeltest.World) {},
			"pg-test-3 primary=3:serving replica=2, 3:serving", "as requested", 7},
		{"both replicas die: the backup serves reads", failover.Supposition{Down: []model.InstanceName{"pg-test-2", "pg-test-3"}}, func(*modeltest.World) {},
			"pg-test-1 primary=1:serving replica=1:backup-serving", "leads now and stays", 10},
		{"everything dies", failover.Supposition{Down: []model.InstanceName{"pg-test-1", "pg-test-2", "pg-test-3"}}, func(*modeltest.World) {},
			" primary=:empty replica=:empty", "no healthy member", 17},
		{"paused: nobody takes over", failover.Supposition{Down: []model.InstanceName{"pg-test-1"}}, func(w *modeltest.World) {
			p := w.Snap.Patroni["pg-test-2"]
			p.Cluster = modeltest.Seen(model.PatroniCluster{Paused: true})
			w.Snap.Patroni["pg-test-2"] = p
		}, " primary=:empty replica=2, 3:serving", "paused", 7},
		{"a server put put in maintenance stays out", failover.Supposition{Leader: "pg-test-3"}, func(w *modeltest.World) {
			for _, h := range []model.Host{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
				w.Server(h, "pg-test-primary", "pg-test-3", func(s *haproxy.ServerRow) { s.Status, s.CheckStatus = "MAINT", "" })
			}
		}, "pg-test-3 primary=:empty replica=2, 3:serving", "as requested", 7},
		{"a HAProxy that is silent hides nothing of the others", failover.Supposition{Leader: "pg-test-3"}, func(w *modeltest.World) { w.SilenceHAProxy(2) },
			"pg-test-3 primary=3:serving replica=2, 3:serving", "as requested", 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { s.Sessions = 7 })
			w.Server("10.10.10.11", "pg-test-replica", "pg-test-2", func(s *haproxy.ServerRow) { s.Sessions = 4 })
			w.Server("10.10.10.11", "pg-test-replica", "pg-test-3", func(s *haproxy.ServerRow) { s.Sessions = 6 })
			tt.do(w)
			before := fmt.Sprintf("%+v", w.Snap.HAProxy)
			got, err := failover.WhatIf(w.Snap, w.Cls, tt.sup, modeltest.T0)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Equal(t, "outcome", string(got.Leader)+" "+modeltest.Routes(&got.After), tt.want)
			if !strings.Contains(got.Why, tt.why) {
				t.Errorf("why %q lacks %q", got.Why, tt.why)
			}
			if cut := got.Cut["primary"] + got.Cut["replica"]; cut != tt.cut {
				t.Errorf("%d sessions cut, want %d: %v", cut, tt.cut, got.Cut)
			}
			modeltest.Equal(t, "the real snapshot", fmt.Sprintf("%+v", w.Snap.HAProxy), before)
		})
	}
	w := modeltest.NewWorld()
	if _, err := failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Down: []model.InstanceName{"nosuch"}}, modeltest.T0); err == nil {
		t.Error("an unknown instance is accepted")
	}
	if _, err := failover.WhatIf(w.Snap, w.Cls, failover.Supposition{Leader: "pg-test-1", Down: []model.InstanceName{"pg-test-1"}}, modeltest.T0); err == nil {
		t.Error("a dead leader is accepted")
	}
}

func TestEvents(t *testing.T) {
	w := modeltest.NewWorld()
	before := board.Of(w.Snap, w.Cls, modeltest.T0)
	before.Findings = []model.Finding{{Code: "paused", Summary: "paused"}}
	before.Causes = []model.Cause{{Finding: before.Findings[0], Same: []int{0}}}
	if e := board.Events(&before, &before); len(e) != 0 {
		t.Errorf("nothing changed, yet: %v", e)
	}
	for i := 1; i <= 3; i++ {
		w.Patroni(i, i == 2)
		h := w.Cls.Instances[i-1].Host
		w.Server(h, "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) { *s = modeltest.Refused("pg-test-1") })
		w.Server(h, "pg-test-primary", "pg-test-2", func(s *haproxy.ServerRow) { *s = modeltest.Up("pg-test-2") })
	}
	after := board.Of(w.Snap, w.Cls, modeltest.T0.Add(time.Second))
	after.Findings = []model.Finding{{Code: "stale-roles", Summary: "roles are stale", Severity: model.Info}}
	after.Causes = []model.Cause{{Finding: after.Findings[0], Same: []int{0}}}
	var got []string
	for _, e := range board.Events(&before, &after) {
		got = append(got, e.String())
		if !e.At.Equal(modeltest.T0.Add(time.Second)) {
			t.Errorf("%s at %s", e, e.At)
		}
	}
	modeltest.Equal(t, "events", strings.Join(got, "\n"), strings.Join([]string{
		"pg-test  leader  pg-test-1 (TL 1) → pg-test-2 (TL 1)",
		"pg-test  pg-test-1  leader → replica streaming",
		"pg-test  pg-test-2  replica streaming → leader",
		"pg-test  primary 5433  pg-test-1 → pg-test-2",
		"pg-test  stale-roles: roles are stale",
		"pg-test  paused: gone (paused)",
	}, "\n"))
}

func TestHealthRules(t *testing.T) {
	leader := model.HealthFacts{Lock: true, DCS: true, Role: "primary", Running: true}
	replica := model.HealthFacts{DCS: true, Role: "replica", Running: true, QuorumPaths: true}
	sync, lost, lagging, standby := replica, replica, replica, leader
	sync.Sync = true
	lost.DCS = false
	lagging.LeaderLSN, lagging.Replayed = 10<<20, 1<<20
	standby.Standby, standby.Role = true, "standby_leader"
	archive, older := replica, replica
	archive.Replication, archive.StatePaths = "in archive recovery", true
	older.Replication = "in archive recovery"
	tests := []struct {
		name string
		f    model.HealthFacts
		want string // paths that answer 200
	}{
		{"leader", leader, "/ /primary /leader /read-write /read-only /health /read-only-sync"},
		{"replica", replica, "/replica /read-only /health /async /replica?lag=1MB /replica?replication_state=streaming"},
		{"replica in archive recovery", archive, "/replica /read-only /health /async /replica?lag=1MB"},
		{"the same before Patroni reads replication_state", older, "/replica /read-only /health /async /replica?lag=1MB /replica?replication_state=streaming"},
		{"sync standby", sync, "/replica /read-only /health /sync /read-only-sync /replica?lag=1MB /replica?replication_state=streaming"},
		{"replica without the DCS", lost, "/replica /read-only /health /replica?lag=1MB /replica?replication_state=streaming"},
		{"replica 9 MB behind", lagging, "/replica /read-only /health /async /replica?replication_state=streaming"},
		{"leader of a standby cluster", standby, "/leader /standby-leader /read-only /health /read-only-sync"},
	}
	for _, tt := range tests {
		var ok []string
		for _, p := range []string{"/", "/primary", "/leader", "/standby-leader", "/read-write", "/replica", "/read-only", "/health", "/sync", "/async", "/quorum", "/read-only-sync", "/replica?lag=1MB", "/replica?replication_state=streaming", "/nosuch"} {
			if tt.f.Code(p) == 200 {
				ok = append(ok, p)
			}
		}
		modeltest.Equal(t, tt.name, strings.Join(ok, " "), tt.want)
	}
}
