package model

import (
	"errors"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/source"
)

func TestComplete(t *testing.T) {
	t0 := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	c := &Cluster{Name: "pg-test", Instances: []Instance{{Name: "pg-test-1", Host: "10.10.10.11"}}, LoadBalancers: []LoadBalancer{{Host: "10.10.10.11"}}}
	all := func() *Snapshot {
		return &Snapshot{
			Patroni: map[InstanceName]PatroniView{"pg-test-1": {
				Status:  source.Observed[PatroniStatus]{At: t0, Tried: t0},
				Cluster: source.Observed[PatroniCluster]{Err: errors.New("hangs"), Tried: t0},
				Checks:  map[string]source.Observed[int]{"/primary": {Value: 200, At: t0, Tried: t0}},
			}},
			HAProxy: map[Host]source.Observed[haproxy.Stats]{"10.10.10.11": {Err: errors.New("refused"), Tried: t0}},
			VIP:     map[ClusterName]source.Observed[Host]{"pg-test": {Err: errors.New("refused"), Tried: t0}},
		}
	}
	patroni := func(change func(*PatroniView)) func(*Snapshot) {
		return func(s *Snapshot) {
			v := s.Patroni["pg-test-1"]
			change(&v)
			s.Patroni["pg-test-1"] = v
		}
	}
	for _, tt := range []struct {
		name string
		but  func(*Snapshot)
		want bool
	}{
		{"everything was asked, and some of it failed", func(*Snapshot) {}, true},
		{"no VIP is declared", func(s *Snapshot) { s.VIP = nil }, true},
		{"Patroni not asked", func(s *Snapshot) { delete(s.Patroni, "pg-test-1") }, false},
		{"the status came, a check is on its way", patroni(func(v *PatroniView) { v.Checks = map[string]source.Observed[int]{"/primary": {}} }), false},
		{"the status came, the DCS's word is on its way", patroni(func(v *PatroniView) { v.Cluster = source.Observed[PatroniCluster]{} }), false},
		{"HAProxy not asked", func(s *Snapshot) { s.HAProxy = nil }, false},
		{"the VIP not asked", func(s *Snapshot) { s.VIP["pg-test"] = source.Observed[Host]{} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := all()
			tt.but(s)
			if got := s.Complete(c); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
