package lint

import (
	"testing"

	"pgtui/model"
)

// TestKindOf follows Patroni's table of health checks: by substring, in order.
func TestKindOf(t *testing.T) {
	for _, tt := range []struct {
		check   string
		standby bool
		want    checkKind
		known   bool
	}{
		{"/", false, onLeader, true},
		{"/primary", false, onLeader, true},
		{"/primary", true, onNobody, true},
		{"/leader", true, onLeader, true},
		{"/standby-leader", false, onNobody, true},
		{"/standby_leader", true, onLeader, true},
		{"/replica?lag=16MB&tag_x=y", false, onReplica, true},
		{"/read-only", false, onAll, true},
		{"/read-only-sync", false, onAll, true},
		{"/health", false, onAll, true},
		{"/sync", false, onReplica, true},
		{"/asynchronous", false, onReplica, true},
		{"/read-write", false, onLeader, true},
		{"/liveness", false, onNobody, false},
		{"/cluster", false, onNobody, false},
		{"/syncronous", false, onNobody, false},
	} {
		if k, known := kindOf(tt.check, tt.standby); k != tt.want || known != tt.known {
			t.Errorf("%s standby=%v: kind %d known %v, want %d %v", tt.check, tt.standby, k, known, tt.want, tt.known)
		}
	}
}

// TestBinds reads addresses as HAProxy's bind line has them.
func TestBinds(t *testing.T) {
	meet := func(a, b string) bool {
		for _, x := range bindsOf(a) {
			for _, y := range bindsOf(b) {
				if x.meets(y) {
					return true
				}
			}
		}
		return false
	}
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"*:5433", "*:5433", true},
		{"*:5433", "10.1.1.1:5433", true},
		{"10.1.1.1:5433", "10.1.1.2:5433", false},
		{"10.1.1.1:5433,:::6000", "[::]:6000", true},
		{"*:5400-5433", "*:5433", true},
		{"*:5400-5432", "*:5433", false},
		{"*:many", "*:many", false},
		{"unix@/run/x:5433", "*:5433", false},
	} {
		if got := meet(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
	}
}

// TestHoles: whose leadership leaves a service without a server.
func TestHoles(t *testing.T) {
	c := &model.Cluster{Name: "pg", Instances: []model.Instance{{Name: "pg-1"}, {Name: "pg-2"}, {Name: "pg-3"}}}
	srv := func(names ...model.InstanceName) (l []model.Server) {
		for _, n := range names {
			l = append(l, model.Server{Name: n, Host: model.Host(n), Weight: "100"})
		}
		return l
	}
	for _, tt := range []struct {
		name string
		svc  model.Service
		want string
	}{
		{"every member can be the primary", model.Service{Check: "/primary", Members: srv("pg-1", "pg-2", "pg-3")}, ""},
		{"one member only", model.Service{Check: "/primary", Members: srv("pg-1")}, "pg-2, pg-3"},
		{"a replica check on one member", model.Service{Check: "/replica", Members: srv("pg-3")}, "pg-3"},
		{"with a backup", model.Service{Check: "/replica", Members: srv("pg-3"), Backups: srv("pg-2")}, ""},
		{"reads go anywhere", model.Service{Check: "/read-only", Members: srv("pg-3")}, ""},
		{"weight 0 takes nothing", model.Service{Check: "/read-only", Members: []model.Server{{Name: "pg-1", Host: "a", Weight: "0"}}}, "pg-1, pg-2, pg-3"},
	} {
		if got := model.Join(holes(c, &tt.svc)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
