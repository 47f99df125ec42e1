package apply

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// TestPredicted: the forecast keeps what each server is and changes what the
// plan changes; where that cannot be known there is none.
func TestPredicted(t *testing.T) {
	t.Parallel()
	was := &haproxy.Stats{Proxies: []haproxy.Proxy{
		{Name: "replica", Servers: []haproxy.ServerRow{{Name: "1", Status: "DOWN", Weight: 100, Backup: true}, {Name: "2", Status: "UP", Weight: 100}, {Name: "3", Status: "UP", Weight: 100}}},
		{Name: "primary", Servers: []haproxy.ServerRow{{Name: "1", Status: "UP", Weight: 100}, {Name: "2", Status: "DOWN", Weight: 100}}},
		{Name: "drained", Servers: []haproxy.ServerRow{{Name: "1", Status: "DRAIN", Weight: 0}}},
		{Name: "offline", Servers: []haproxy.ServerRow{{Name: "3", Status: "DOWN 1/3", Weight: 100}, {Name: "2", Status: "UP", Weight: 100, Backup: true}}},
	}}
	n := &plan.Node{Expect: []plan.ExpectedProxy{
		{Name: "replica", Servers: []haproxy.ExpectedServer{{Name: "1", Weight: "100", Backup: true}, {Name: "2", Weight: "0"}, {Name: "3", Weight: "100", Backup: true}}},
		{Name: "primary", Servers: []haproxy.ExpectedServer{{Name: "2"}, {Name: "4"}}},
		{Name: "drained", Servers: []haproxy.ExpectedServer{{Name: "1", Weight: "100"}}},
		{Name: "new", Servers: []haproxy.ExpectedServer{{Name: "1"}}},
		{Name: "offline", Servers: []haproxy.ExpectedServer{{Name: "3"}, {Name: "2", Backup: true}}},
	}}
	want := map[string][]string{"replica": {"3"}}
	if got := plan.Predicted(n, was); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := plan.Misrouted(n, want, was); !strings.Contains(got, "replica gives new connections to 2, 3, and the plan foresaw 3") {
		t.Errorf("%q", got)
	}
	if got := plan.Misrouted(n, map[string][]string{"replica": {"2", "3"}}, was); got != "" {
		t.Errorf("%q", got)
	}
	if got := plan.Misrouted(n, map[string][]string{"drained": {"1"}}, was); !strings.Contains(got, "to nobody, and the plan foresaw 1") {
		t.Errorf("%q", got)
	}
}

func TestGhosts(t *testing.T) {
	t.Parallel()
	c := &model.Cluster{Name: "pg-test", LoadBalancers: []model.LoadBalancer{{Host: "10.10.10.11", Services: []model.Service{{Cluster: "pg-test", Name: "primary"}}}}}
	pin := func(proxy string, n int64) haproxy.Pin {
		return haproxy.Pin{Proxy: proxy, Server: "pg-test-1", Sessions: n}
	}
	got := ghosts(map[model.Host]source.Observed[haproxy.Processes]{
		"10.10.10.12": {Value: haproxy.Processes{Workers: []haproxy.Worker{{PID: 9, Old: true, Pins: []haproxy.Pin{pin("pg-test-primary", 1)}}}}},
		"10.10.10.11": {Value: haproxy.Processes{Workers: []haproxy.Worker{
			{PID: 7, Pins: []haproxy.Pin{pin("pg-test-primary", 5)}},             // the present one
			{PID: 5, Old: true, Pins: []haproxy.Pin{pin("pg-other-primary", 5)}}, // another cluster's sessions
			{PID: 6, Old: true, Pins: []haproxy.Pin{pin("pg-test-primary", 3), pin("pg-other-primary", 5)}},
			{PID: 4, Old: true, Pins: []haproxy.Pin{pin("pg-test-primary", 2)}},
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
