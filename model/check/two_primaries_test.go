package check_test

import (
	"testing"
	"time"

	"pgtui/model/check"
)

// TestSwitchoverIsNoSplitBrain: pg-test-2 was promoted to timeline 2; whether
// two primaries were seen depends on when pg-test-1 last said it was one.
func TestSwitchoverIsNoSplitBrain(t *testing.T) {
	for name, tt := range map[string]struct {
		old  time.Duration // when the old primary answered, seen from the new one's answer
		tl   int           // the old primary's timeline
		want bool
	}{
		"it answered before the new one did":     {-time.Second, 1, false},
		"it said so after the new one":           {time.Second, 1, true},
		"both on one timeline, whoever is first": {-time.Second, 2, true},
	} {
		in := input(func(in *check.Input) {
			m := in.Board.Members
			m[1].Role, m[1].Timeline, m[1].At = "leader", 2, t0
			m[0].Timeline, m[0].At = tt.tl, t0.Add(tt.old)
			in.Board.Leader, in.Board.Timeline = "pg-test-2", 2
		})
		found := false
		for _, f := range check.Diagnose(in) {
			found = found || f.Code == "two-primaries"
		}
		if found != tt.want {
			t.Errorf("%s: found %v, want %v", name, found, tt.want)
		}
	}
}
