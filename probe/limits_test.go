package probe

import (
	"os"
	"testing"
	"time"

	"pgtui/model"
)

func TestLimits(t *testing.T) {
	for release, want := range map[string]model.ProcessLimits{"bookworm": {Current: 1, Max: 9500}, "trixie": {Current: 1, Max: 9500}} {
		page, err := os.ReadFile(captures + "/" + release + "/healthy/haproxy-pg-test-1-metrics.prom")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseLimits(page); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", release, got, err, want)
		}
	}
	for _, bad := range []string{"", "<html>", "haproxy_process_current_connections 1\n", "haproxy_process_current_connections x\nhaproxy_process_max_connections 1\n",
		"haproxy_process_current_connections 1\nhaproxy_process_max_connections NaN\n", "haproxy_process_current_connections -1\nhaproxy_process_max_connections 1\n"} {
		if got, err := ParseLimits([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestLimitsAreAskedSeldom(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	idle := &model.HAProxyStats{}
	busy := &model.HAProxyStats{Proxies: []model.Proxy{{Front: model.ProxyRow{Sessions: 60}}, {Front: model.ProxyRow{Sessions: 40}}}}
	asked := func(ago time.Duration) model.Observed[model.ProcessLimits] {
		return model.Observed[model.ProcessLimits]{Tried: now.Add(-ago)}
	}
	for _, tc := range []struct {
		name  string
		old   model.Observed[model.ProcessLimits]
		st    *model.HAProxyStats
		large bool
		want  bool
	}{
		{"never asked", model.Observed[model.ProcessLimits]{}, idle, false, true},
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
