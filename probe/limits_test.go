package probe

import (
	"os"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/source"
)

func TestLimits(t *testing.T) {
	for release, want := range map[string]haproxy.ProcessLimits{"bookworm": {Current: 1, Max: 9500}, "trixie": {Current: 1, Max: 9500}} {
		page, err := os.ReadFile(captures + "/" + release + "/healthy/haproxy-pg-test-1-metrics.prom")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := haproxy.ParseLimits(page); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", release, got, err, want)
		}
	}
	for _, bad := range []string{"", "<html>", "haproxy_process_current_connections 1\n", "haproxy_process_current_connections x\nhaproxy_process_max_connections 1\n",
		"haproxy_process_current_connections 1\nhaproxy_process_max_connections NaN\n", "haproxy_process_current_connections -1\nhaproxy_process_max_connections 1\n"} {
		if got, err := haproxy.ParseLimits([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

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
