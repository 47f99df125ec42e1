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

func TestShares(t *testing.T) {
	up := func(weight int, backup bool) ServerRow {
		return ServerRow{Status: "UP", Weight: weight, Backup: backup}
	}
	for _, tt := range []struct {
		name    string
		servers []ServerRow
		want    []int
	}{
		{"equal weights", []ServerRow{up(100, false), up(100, false), up(100, false)}, []int{33, 33, 33}},
		{"a light server gets at least 1", []ServerRow{up(256, false), up(1, false)}, []int{100, 1}},
		{"a backup beside a regular server", []ServerRow{up(1, true), up(1, false)}, []int{0, 100}},
		{"the first backup gets all, whatever its weight", []ServerRow{up(0, false), up(1, true), up(200, true)}, []int{0, 100, 0}},
		{"no server", []ServerRow{{Status: "MAINT", Weight: 1}, {Status: "NOLB", Weight: 1}, {Status: "DRAIN", Weight: 1}}, []int{0, 0, 0}},
	} {
		if got := Shares(tt.servers); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestUnanswered has every check status of HAProxy's check.c. A check that got an
// HTTP response, or has not ended, was not left without an answer.
func TestUnanswered(t *testing.T) {
	for check, want := range map[string]bool{
		"L4CON": true, "L4TOUT": true, "L6TOUT": true, "L6RSP": true, "L7TOUT": true, "L7RSP": true,
		"": false, "UNK": false, "INI": false, "SOCKERR": false, "L4OK": false, "L6OK": false, "L7OK": false, "L7OKC": false, "L7STS": false,
		"PROCERR": false, "PROCTOUT": false, "PROCOK": false,
	} {
		if Unanswered("DOWN", check) != want || Unanswered("DOWN 1/3", check) != want || Unanswered("UP 1/3", check) || Unanswered("MAINT", check) {
			t.Errorf("%q: want %v", check, want)
		}
	}
}
