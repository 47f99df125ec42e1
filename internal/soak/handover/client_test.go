package handover

import (
	"testing"
	"time"

	"pgtui/internal/soak"
)

func TestLongest(t *testing.T) {
	t0 := time.Unix(0, 0)
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	ok := func(from, to int) soak.Answer { return soak.Answer{Start: at(from), End: at(to)} }
	bad := func(from, to int) soak.Answer { return soak.Answer{Start: at(from), End: at(to), Fault: "closed"} }
	read := func(from, to int) soak.Answer { return soak.Answer{Start: at(from), End: at(to), Recovery: true} }
	for _, tt := range []struct {
		name string
		in   []soak.Answer
		want int
	}{
		{"all served", []soak.Answer{ok(0, 5), ok(100, 105)}, 0},
		{"one failed", []soak.Answer{ok(0, 5), bad(100, 110), ok(200, 210)}, 205},
		{"a replica is no primary", []soak.Answer{ok(0, 5), read(100, 110), read(200, 210), ok(300, 310)}, 305},
		{"one that hangs ends late and out of order", []soak.Answer{ok(0, 5), ok(200, 210), bad(100, 2100), ok(300, 310)}, 205},
		{"served before is needed", []soak.Answer{bad(0, 5), ok(100, 105)}, 0},
		{"the longest of two", []soak.Answer{ok(0, 5), bad(10, 20), ok(30, 35), bad(40, 50), bad(60, 70), ok(90, 95)}, 60},
	} {
		if got := longest(tt.in); got != time.Duration(tt.want)*time.Millisecond {
			t.Errorf("%s: %v, want %d ms", tt.name, got, tt.want)
		}
	}
}
