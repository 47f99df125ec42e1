package apply

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgtui/model"
)

func TestRouted(t *testing.T) {
	up := func(name string, weight int, backup bool) model.ServerStat {
		return model.ServerStat{Name: name, Status: "UP", Weight: weight, Backup: backup}
	}
	down := model.ServerStat{Name: "d", Status: "DOWN", Weight: 100}
	for _, tt := range []struct {
		name    string
		servers []model.ServerStat
		want    []string
	}{
		{"nobody", nil, []string{}},
		{"all that are up", []model.ServerStat{up("b", 100, false), up("a", 1, false), down}, []string{"a", "b"}},
		{"on the way down it still serves", []model.ServerStat{{Name: "a", Status: "UP 2/3", Weight: 1}}, []string{"a"}},
		{"no weight, no connections", []model.ServerStat{up("a", 0, false), up("b", 1, false)}, []string{"b"}},
		{"a backup only when no other is up", []model.ServerStat{up("a", 1, false), up("b", 1, true)}, []string{"a"}},
		{"the first backup that is up", []model.ServerStat{down, {Name: "b", Status: "DOWN", Backup: true, Weight: 1}, up("c", 1, true), up("e", 1, true)}, []string{"c"}},
		{"never checked", []model.ServerStat{{Name: "a", Status: "no check", Weight: 1}}, []string{"a"}},
		{"maintenance", []model.ServerStat{{Name: "a", Status: "MAINT", Weight: 1}}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := routed(tt.servers); !slices.Equal(got, tt.want) || got == nil {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestPredicted: the forecast keeps what each server is and changes what the
// plan changes; where that cannot be known there is none.
func TestPredicted(t *testing.T) {
	was := &model.HAProxyStats{Proxies: []model.Proxy{
		{Name: "replica", Servers: []model.ServerStat{{Name: "1", Status: "DOWN", Weight: 100, Backup: true}, {Name: "2", Status: "UP", Weight: 100}, {Name: "3", Status: "UP", Weight: 100}}},
		{Name: "primary", Servers: []model.ServerStat{{Name: "1", Status: "UP", Weight: 100}, {Name: "2", Status: "DOWN", Weight: 100}}},
		{Name: "drained", Servers: []model.ServerStat{{Name: "1", Status: "DRAIN", Weight: 0}}},
		{Name: "offline", Servers: []model.ServerStat{{Name: "3", Status: "DOWN 1/3", Weight: 100}, {Name: "2", Status: "UP", Weight: 100, Backup: true}}},
	}}
	n := &model.NodePlan{Expect: []model.ExpectedProxy{
		{Name: "replica", Servers: []model.ExpectedServer{{Name: "1", Weight: "100", Backup: true}, {Name: "2", Weight: "0"}, {Name: "3", Weight: "100", Backup: true}}},
		{Name: "primary", Servers: []model.ExpectedServer{{Name: "2"}, {Name: "4"}}},
		{Name: "drained", Servers: []model.ExpectedServer{{Name: "1", Weight: "100"}}},
		{Name: "new", Servers: []model.ExpectedServer{{Name: "1"}}},
		{Name: "offline", Servers: []model.ExpectedServer{{Name: "3"}, {Name: "2", Backup: true}}},
	}}
	want := map[string][]string{"replica": {"3"}}
	if got := predicted(n, was); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := misrouted(n, want, was); !strings.Contains(got, "replica gives new connections to 2, 3, and the plan foresaw 3") {
		t.Errorf("%q", got)
	}
	if got := misrouted(n, map[string][]string{"replica": {"2", "3"}}, was); got != "" {
		t.Errorf("%q", got)
	}
	if got := misrouted(n, map[string][]string{"drained": {"1"}}, was); !strings.Contains(got, "to nobody, and the plan foresaw 1") {
		t.Errorf("%q", got)
	}
}

func TestGhosts(t *testing.T) {
	c := &model.Cluster{Name: "pg-test", Fronts: []model.Front{{Host: "10.10.10.11", Services: []model.Service{{Cluster: "pg-test", Name: "primary"}}}}}
	pin := func(proxy string, n int64) model.Pin {
		return model.Pin{Proxy: proxy, Server: "pg-test-1", Sessions: n}
	}
	got := ghosts(map[model.Host]model.Observed[model.Processes]{
		"10.10.10.12": {Value: model.Processes{Workers: []model.Worker{{PID: 9, Old: true, Pins: []model.Pin{pin("pg-test-primary", 1)}}}}},
		"10.10.10.11": {Value: model.Processes{Workers: []model.Worker{
			{PID: 7, Pins: []model.Pin{pin("pg-test-primary", 5)}},             // the present one
			{PID: 5, Old: true, Pins: []model.Pin{pin("pg-other-primary", 5)}}, // another cluster's sessions
			{PID: 6, Old: true, Pins: []model.Pin{pin("pg-test-primary", 3), pin("pg-other-primary", 5)}},
			{PID: 4, Old: true, Pins: []model.Pin{pin("pg-test-primary", 2)}},
		}}},
	}, c)
	var lines []string
	for _, g := range got {
		lines = append(lines, string(g.Host)+" "+g.Text())
	}
	want := []string{"10.10.10.11 2 sessions: pg-test-primary/pg-test-1 2", "10.10.10.11 3 sessions: pg-test-primary/pg-test-1 3", "10.10.10.12 1 sessions: pg-test-primary/pg-test-1 1"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q\nwant %q", lines, want)
	}
}
