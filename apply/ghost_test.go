package apply

import (
	"slices"
	"testing"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

func TestGhosts(t *testing.T) {
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
