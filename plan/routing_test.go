package plan

import (
	"reflect"
	"strings"
	"testing"

	"pgtui/haproxy"
)

// TestPredicted: the forecast keeps what each server is and changes what the
// plan changes; where that cannot be known there is none.
func TestPredicted(t *testing.T) {
	was := &haproxy.Stats{Proxies: []haproxy.Proxy{
		{Name: "replica", Servers: []haproxy.ServerRow{{Name: "1", Status: "DOWN", Weight: 100, Backup: true}, {Name: "2", Status: "UP", Weight: 100}, {Name: "3", Status: "UP", Weight: 100}}},
		{Name: "primary", Servers: []haproxy.ServerRow{{Name: "1", Status: "UP", Weight: 100}, {Name: "2", Status: "DOWN", Weight: 100}}},
		{Name: "drained", Servers: []haproxy.ServerRow{{Name: "1", Status: "DRAIN", Weight: 0}}},
		{Name: "offline", Servers: []haproxy.ServerRow{{Name: "3", Status: "DOWN 1/3", Weight: 100}, {Name: "2", Status: "UP", Weight: 100, Backup: true}}},
	}}
	n := &Node{Become: []haproxy.Section{
		{Name: "replica", Servers: []haproxy.ServerLine{{Name: "1", Weight: "100", Backup: true}, {Name: "2", Weight: "0"}, {Name: "3", Weight: "100", Backup: true}}},
		{Name: "primary", Servers: []haproxy.ServerLine{{Name: "2"}, {Name: "4"}}},
		{Name: "drained", Servers: []haproxy.ServerLine{{Name: "1", Weight: "100"}}},
		{Name: "new", Servers: []haproxy.ServerLine{{Name: "1"}}},
		{Name: "offline", Servers: []haproxy.ServerLine{{Name: "3"}, {Name: "2", Backup: true}}},
	}}
	want := map[string][]string{"replica": {"3"}}
	if got := Predicted(n, was); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Misrouted(n, want, was); !strings.Contains(got, "replica sends new connections to 2, 3, the plan predicted 3") {
		t.Errorf("%q", got)
	}
	if got := Misrouted(n, map[string][]string{"replica": {"2", "3"}}, was); got != "" {
		t.Errorf("%q", got)
	}
	if got := Misrouted(n, map[string][]string{"drained": {"1"}}, was); !strings.Contains(got, "to no server, the plan predicted 1") {
		t.Errorf("%q", got)
	}
}
