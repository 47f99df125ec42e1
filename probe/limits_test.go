package probe

import (
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/source"
)

func TestLimitsAreAskedSeldom(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	idle := &haproxy.Stats{}
	busy := &haproxy.Stats{Proxies: []haproxy.Proxy{{Front: haproxy.ProxyRow{Sessions: 60}}, {Front: haproxy.ProxyRow{Sessions: 40}}}}
	asked := func(ago time.Duration) source.Observed[haproxy.ProcessLimits] {
		return source.Observed[haproxy.ProcessLimits]{Tried: now.Add(-ago)}
	}
	for _, tc := range []struct {
		name  string
		old   source.Observed[haproxy.ProcessLimits]
		st    *haproxy.Stats
		large bool
		want  bool
	}{
		{"never asked", source.Observed[haproxy.ProcessLimits]{}, idle, false, true},
		{"asked 2 s ago", asked(2 * time.Second), busy, false, false},
		{"asked 15 s ago", asked(15 * time.Second), idle, false, true},
		{"a large fleet, few sessions", asked(time.Hour), idle, true, false},
		{"a large fleet, many sessions", asked(time.Hour), busy, true, true},
	} {
		if got := limitsDue(tc.old, tc.st, tc.large, now); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}
