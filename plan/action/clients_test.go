package action

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/trace"
)

func TestBeatsAreSlicesOfTime(t *testing.T) {
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	b := Beats{From: t0}
	for _, x := range []struct {
		ms    int
		fault string
	}{{0, ""}, {100, ""}, {260, ""}, {300, "refused"}, {1001, ""}, {490, ""}} { // the last one took long
		b.Add(&trace.Sample{At: at(x.ms), Fault: x.fault})
	}
	if got, want := b.Recent(at(1300)), []Beat{BeatServed, BeatLost, BeatNone, BeatNone, BeatServed, BeatNone}; !slices.Equal(got, want) {
		t.Errorf("the slices are %v, want %v", got, want)
	}
	late := b.Recent(t0.Add(24 * 365 * time.Hour))
	if len(late) != maxBeats || slices.Max(late) != BeatNone {
		t.Errorf("a year later %d slices are kept: %v", len(late), late)
	}
	b.Add(&trace.Sample{At: t0, Fault: "one of a slice that is gone"})
	b.Add(&trace.Sample{At: t0.Add(-time.Hour), Fault: "and one before the first"})
	if got := b.Recent(t0); len(got) != maxBeats || slices.Contains(got, BeatLost) {
		t.Errorf("after samples of old slices: %v", got)
	}
}

func TestClientNewsAreTransitions(t *testing.T) {
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ok := func(h model.Host) ClientNow { return ClientNow{Host: h, Served: 5, By: "pg-test-1"} }
	out := func(h model.Host, ms int) ClientNow {
		return ClientNow{Host: h, Served: 5, Out: true, Since: t0.Add(time.Duration(ms) * time.Millisecond), Fault: "refused"}
	}
	back := func(h model.Host, gap time.Duration) ClientNow {
		return ClientNow{Host: h, Served: 6, By: "pg-test-2", Gaps: 1, Latest: gap, Longest: gap}
	}
	never := ClientNow{Host: "c", Out: true, Since: t0.Add(-time.Second), Fault: "no route to host"}
	for _, tt := range []struct {
		name        string
		before, now []ClientNow
		call        time.Time
		want        []string
	}{
		{"served as before", []ClientNow{ok("a")}, []ClientNow{ok("a")}, t0, nil},
		{"served at last", []ClientNow{never}, []ClientNow{{Host: "c", Served: 1, By: "pg-test-2", Before: 5200 * time.Millisecond}}, t0, []string{"clients through c are served by pg-test-2: they were not served before, 5.2 s of it while pgtui watched"}},
		{"the first look", nil, []ClientNow{ok("a")}, time.Time{}, nil},
		{"two go, the first counts", []ClientNow{ok("a"), ok("b")}, []ClientNow{out("a", 480), out("b", 410)}, t0, []string{"clients through a, b are not served since 0.4 s after the call: refused"}},
		{"still gone", []ClientNow{out("a", 400)}, []ClientNow{out("a", 400)}, t0, nil},
		{"never served, before the call", nil, []ClientNow{never}, t0, []string{"clients through c are not served: no route to host"}},
		{"no call yet", nil, []ClientNow{never}, time.Time{}, []string{"clients through c are not served: no route to host"}},
		{"both are back, the longer gap counts", []ClientNow{out("a", 400), out("b", 400)}, []ClientNow{back("a", 3*time.Second), back("b", 3100*time.Millisecond)}, t0, []string{"clients through a, b are served again by pg-test-2: gap 3.1 s"}},
		{"a gap between two looks", []ClientNow{ok("a")}, []ClientNow{back("a", 200*time.Millisecond)}, t0, []string{"clients through a are served again by pg-test-2: gap 0.2 s"}},
		{"one goes, one is back", []ClientNow{ok("a"), out("b", 400)}, []ClientNow{out("a", 900), back("b", time.Second)}, t0, []string{"clients through a are not served since 0.9 s after the call: refused", "clients through b are served again by pg-test-2: gap 1.0 s"}},
		{"a long gap and a short one between two looks", []ClientNow{out("a", 400)}, []ClientNow{{Host: "a", Served: 7, By: "pg-test-2", Gaps: 2, Latest: 200 * time.Millisecond, Longest: 2800 * time.Millisecond}}, t0, []string{"clients through a are served again by pg-test-2: gap 2.8 s"}},
		{"a short gap later", []ClientNow{back("a", 3*time.Second)}, []ClientNow{{Host: "a", Served: 9, Gaps: 2, Latest: 200 * time.Millisecond, Longest: 3 * time.Second}}, t0, []string{"clients through a are served again: gap 0.2 s"}},
		{"served for the first time", []ClientNow{never}, []ClientNow{{Host: "c", Served: 1}}, t0, []string{"clients through c are served"}},
	} {
		modeltest.Equal(t, tt.name, strings.Join(ClientNews(tt.before, tt.now, tt.call), "\n"), strings.Join(tt.want, "\n"))
	}
}
