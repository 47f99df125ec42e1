package session_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/record"
	"pgtui/record/ring"
	"pgtui/session"
)

// taped is a recording of a minute, an event at second 20 and one at 40, and a minute without
// moments before its last.
func taped(t *testing.T) *session.Player {
	t.Helper()
	name := filepath.Join(t.TempDir(), "incident.rec")
	to, err := ring.Append(name, "pgtui test")
	if err != nil {
		t.Fatal(err)
	}
	t0 := modeltest.T0
	for s := 0; s <= 120; s += 2 {
		if s > 60 && s < 120 {
			continue
		}
		at := t0.Add(time.Duration(s) * time.Second)
		snap := *modeltest.NewWorld().Snap
		snap.TakenAt = at
		if err := to.Moment(at, &snap); err != nil {
			t.Fatal(err)
		}
		if s == 20 || s == 40 {
			if err := to.Event(record.KindEvent, board.Event{At: at, Cluster: "pg-test", Kind: "leader", After: "pg-test-1"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := ring.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := session.NewPlayer(context.Background(), r, t0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestAPlayerGoesByEventAndMinute(t *testing.T) {
	p := taped(t)
	at := func(want int) {
		t.Helper()
		if got := int(p.Now().Sub(modeltest.T0).Seconds()); got != want {
			t.Errorf("at second %d, not %d", got, want)
		}
	}
	at(0)
	if !p.ByEvent(true) {
		t.Error("no event")
	}
	at(20)
	p.ByEvent(true)
	at(40)
	if p.ByEvent(true) {
		t.Error("a third event")
	}
	p.ByEvent(false)
	at(20)
	if p.ByEvent(false) {
		t.Error("an event before the first")
	}
	p.By(time.Minute)
	if p.Covered() { // second 80 is in the gap
		t.Error("the gap is covered")
	}
	p.By(-10 * time.Minute)
	at(0)
	p.By(time.Hour)
	at(120)
}

func TestAPlayerShowsWhatWasAndNothingInAGap(t *testing.T) {
	p := taped(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	snaps := p.Watch(ctx, nil, 0)
	next := func() *model.Snapshot {
		t.Helper()
		select {
		case s := <-snaps:
			return s
		case <-time.After(30 * time.Second):
			t.Fatal("no snapshot")
			return nil
		}
	}
	first := next()
	if len(first.Patroni) == 0 {
		t.Error("nothing is known of the begin")
	}
	p.By(90 * time.Second)
	gap := next()
	if len(gap.Patroni) != 0 || gap.Inventory == nil || gap.Seq <= first.Seq {
		t.Errorf("in the gap: %d instances are known", len(gap.Patroni))
	}
	p.By(-time.Hour)
	p.Play()
	for s := next(); !s.TakenAt.After(modeltest.T0); s = next() {
	}
}

func TestAPlayerChangesNothing(t *testing.T) {
	p := taped(t)
	for _, a := range []model.Ability{model.CanReload, model.CanAct, model.CanExamine, model.CanTrace, model.CanOrigins} {
		if p.Can(a) {
			t.Errorf("it can %s", a)
		}
	}
	if _, err := p.Execute(context.Background(), nil, plan.Plan{}, nil); err == nil || err.Error() != "a replay contacts no node" {
		t.Error(err)
	}
	if err := p.Mark(time.Now(), "", ""); err == nil || errors.Unwrap(err) == nil {
		t.Error(err)
	}
}
