package model

import (
	"fmt"
	"testing"

	"pgtui/source"
)

// TestWhatIsUnknownIsNotWell: the sum of components is ok only when each of them
// is known to be.
func TestWhatIsUnknownIsNotWell(t *testing.T) {
	for _, tt := range []struct {
		states []ComponentHealth // of vip-manager, haproxy, node_exporter
		want   Health
		text   string
	}{
		{[]ComponentHealth{ComponentUp, ComponentUp, ComponentUp}, HealthOK, "3 components are healthy"},
		{[]ComponentHealth{ComponentUnknown, ComponentUp, ComponentUp}, HealthUnknown, "2 of 3 components are healthy, 1 unknown: vip-manager on h"},
		{[]ComponentHealth{ComponentUnknown, ComponentUnknown, ComponentUnknown}, HealthUnknown, "no component could be probed"},
		{[]ComponentHealth{ComponentUnknown, ComponentUp, ComponentDown}, HealthDegraded, "1 of 3 components are unhealthy, 1 unknown: node_exporter on h"},
		{[]ComponentHealth{ComponentUnknown, ComponentDown, ComponentUnknown}, HealthDown, "1 of 3 components are unhealthy, 2 unknown: haproxy on h"},
	} {
		var rows []ComponentRow
		for i, name := range []string{"vip-manager", "haproxy", "node_exporter"} {
			rows = append(rows, ComponentRow{Component: Component{Name: name, Host: "h"}, State: source.Observed[ComponentState]{Value: ComponentState{Health: tt.states[i]}}})
		}
		if got, text := ComponentsHealth(rows); got != tt.want || text != tt.text {
			t.Errorf("%v: %v %q, want %v %q", fmt.Sprint(tt.states), got, text, tt.want, tt.text)
		}
	}
}
