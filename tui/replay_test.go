package tui

import (
	"context"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/model/board"
)

// tape is a recording of ten minutes with two events.
type tape struct {
	at      time.Time
	playing bool
	lost    bool
	moved   []string
}

func (p *tape) Source() string { return "incident.rec" }
func (p *tape) Playing() bool  { return p.playing }
func (p *tape) Covered() bool  { return !p.lost }
func (p *tape) Span() (from, to time.Time) {
	return t0.Add(-5 * time.Minute), t0.Add(5 * time.Minute)
}
func (p *tape) Events() []board.Event {
	return []board.Event{
		{At: t0.Add(-time.Minute), Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "pg-test-1 (TL 1)", After: "none", Severity: model.Critical},
		{At: t0.Add(time.Minute), Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "none", After: "pg-test-2 (TL 2)", Severity: model.Info},
	}
}
func (p *tape) ByEvent(forth bool) bool {
	p.moved = append(p.moved, map[bool]string{true: "]", false: "["}[forth])
	return forth
}
func (p *tape) By(d time.Duration) { p.moved = append(p.moved, d.String()) }
func (p *tape) Play()              { p.playing = !p.playing }

func replaying(p *tape) func(*fake) {
	return func(f *fake) { f.Replay, f.Execute, f.Act, f.Examine = p, nil, nil, nil }
}

func TestAReplayCannotBeMistakenForThePresent(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {40, 12}} {
		r := newRig(t, newWorld(), size[0], size[1], replaying(&tape{}))
		r.want("REPLAY 2026-01-02 03:04:05", "◆", "past")
		r.wantNot("live")
		r.press("j", "enter")
		r.want("REPLAY 2026-01-02 03:04:05", "◆")
	}
	r := newRig(t, newWorld(), 80, 24, replaying(&tape{lost: true}))
	r.want("NOT RECORDED")
}

func TestTheKeysOfAReplay(t *testing.T) {
	p := &tape{}
	r := newRig(t, newWorld(), 100, 30, replaying(p))
	r.press("]", "{", "}", "[")
	r.want("no event before this one")
	if got := strings.Join(p.moved, " "); got != "] -1m0s 1m0s [" {
		t.Errorf("%q", got)
	}
	r.press("space")
	r.want("playing")
	r.press("j", "enter", "M")
	r.want("no key M on this page")
	r.press("e")
	r.want("none") // of the event before this time, and not of the one after it
	if strings.Contains(r.screen(), "TL 2") {
		t.Error("an event of later is shown")
	}
}

func TestTheKeysOfAReplayAreNoKeysOfThePresent(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30)
	r.press("]")
	r.want("no key ] on this page")
	r.press("space")
	r.want("FROZEN")
}

func TestBackInTimeAndForthAgain(t *testing.T) {
	p := &tape{}
	w := newWorld()
	past := deps(newWorld())
	replaying(p)(past)
	past.Now = func() time.Time { return t0.Add(-time.Hour) }
	r := newRig(t, w, 100, 30, func(f *fake) {
		f.Past = func(context.Context) (Deps, error) { return past.deps(), nil }
	})
	r.press("j", "enter")
	r.press("H")
	r.want("REPLAY 2026-01-02 02:04:05", "the past; H returns to now")
	if got := r.path(); got != "fleet › pg-test" {
		t.Errorf("path %q", got)
	}
	r.press("H")
	if strings.Contains(r.screen(), "REPLAY") || r.path() != "fleet › pg-test" {
		t.Errorf("it is still the past:\n%s", r.screen())
	}
}
