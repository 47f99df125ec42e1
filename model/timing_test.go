package model_test

import (
	"testing"
	"time"

	"pgtui/model"
)

func TestTimingOfHealthChecks(t *testing.T) {
	for _, tt := range []struct {
		options     string
		least, most time.Duration
		given       bool
	}{
		{"inter 2s fastinter 1s downinter 2s rise 3 fall 3 on-marked-down shutdown-sessions weight 100", 2 * time.Second, 4 * time.Second, true},
		{"inter 4s fastinter 2s downinter 4s rise 3 fall 3", 4 * time.Second, 8 * time.Second, true},
		{"inter 1s fastinter 500 downinter 1s rise 2", 500 * time.Millisecond, 1500 * time.Millisecond, true},
		{"rise 1", 0, 5 * time.Second, false},
		{"", 2 * time.Second, 7 * time.Second, false},
		{"fastinter soon downinter -1s rise none", 2 * time.Second, 7 * time.Second, false},
	} {
		s := model.Service{Options: tt.options}
		if got := s.Timing(); got.Least() != tt.least || got.Most() != tt.most || got.Given != tt.given {
			t.Errorf("%q: %v to %v, given %v; expected %v to %v, %v", tt.options, got.Least(), got.Most(), got.Given, tt.least, tt.most, tt.given)
		}
	}
}
