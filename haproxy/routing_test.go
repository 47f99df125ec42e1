package haproxy

import (
	"slices"
	"testing"
)

func TestRouted(t *testing.T) {
	up := func(name string, weight int, backup bool) ServerRow {
		return ServerRow{Name: name, Status: "UP", Weight: weight, Backup: backup}
	}
	down := ServerRow{Name: "d", Status: "DOWN", Weight: 100}
	for _, tt := range []struct {
		name    string
		servers []ServerRow
		want    []string
	}{
		{"nobody", nil, []string{}},
		{"all that are up", []ServerRow{up("b", 100, false), up("a", 1, false), down}, []string{"a", "b"}},
		{"on the way down it still serves", []ServerRow{{Name: "a", Status: "UP 2/3", Weight: 1}}, []string{"a"}},
		{"no weight, no connections", []ServerRow{up("a", 0, false), up("b", 1, false)}, []string{"b"}},
		{"a backup only when no other is up", []ServerRow{up("a", 1, false), up("b", 1, true)}, []string{"a"}},
		{"the first backup that is up", []ServerRow{down, {Name: "b", Status: "DOWN", Backup: true, Weight: 1}, up("c", 1, true), up("e", 1, true)}, []string{"c"}},
		{"never checked", []ServerRow{{Name: "a", Status: "no check", Weight: 1}}, []string{"a"}},
		{"maintenance", []ServerRow{{Name: "a", Status: "MAINT", Weight: 1}}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Routed(tt.servers); !slices.Equal(got, tt.want) || got == nil {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
