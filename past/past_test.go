package past_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/past"
	"pgtui/source"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func after(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }

func TestNotCovered(t *testing.T) {
	has := []past.Span{{after(0), after(10)}, {after(20), after(30)}}
	for _, tt := range []struct {
		n    past.NotCovered
		want string
	}{
		{past.NotCovered{At: after(-1), Has: has}, "2026-01-02 03:04:04 is unknown: recorder begins at 2026-01-02 03:04:05"},
		{past.NotCovered{At: after(15), Has: has}, "2026-01-02 03:04:20 is unknown: recorder has a gap from 2026-01-02 03:04:15 to 2026-01-02 03:04:25"},
		{past.NotCovered{At: after(40), Has: has}, "2026-01-02 03:04:45 is unknown: recorder ends at 2026-01-02 03:04:35"},
		{past.NotCovered{At: after(0)}, "2026-01-02 03:04:05 is unknown: recorder has nothing"},
		{past.NotCovered{At: after(0), Why: "it refused the login"}, "2026-01-02 03:04:05 is unknown: recorder: it refused the login"},
	} {
		if tt.n.Source = "recorder"; tt.n.Error() != tt.want {
			t.Errorf("got  %s\nwant %s", tt.n.Error(), tt.want)
		}
	}
}

func TestGapsOf(t *testing.T) {
	has := []past.Span{{after(0), after(10)}, {after(20), after(30)}}
	for _, tt := range []struct {
		from, to int
		want     []past.Span
	}{
		{2, 8, nil},
		{5, 25, []past.Span{{after(10), after(20)}}},
		{-5, 40, []past.Span{{after(-5), after(0)}, {after(10), after(20)}, {after(30), after(40)}}},
		{12, 18, []past.Span{{after(12), after(18)}}},
	} {
		if got := past.GapsOf(has, after(tt.from), after(tt.to)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%d to %d: %v", tt.from, tt.to, got)
		}
	}
}

func TestIDsOfEvents(t *testing.T) {
	e := board.Event{At: t0, Cluster: "pg-test", Kind: "leader", Subject: "leader", Before: "a", After: "b"}
	id := past.IDOf(&e)
	elsewhere := e
	elsewhere.At = t0.In(time.FixedZone("", 8*3600))
	if !past.IsID(id) || past.IDOf(&elsewhere) != id {
		t.Errorf("%s, and in another time zone %s", id, past.IDOf(&elsewhere))
	}
	if e.After = "c"; past.IDOf(&e) == id {
		t.Error("two events have one ID")
	}
	for _, s := range []string{"", "e123", "e1234567g", "x12345678", "03:12:07"} {
		if past.IsID(s) {
			t.Errorf("%q is an ID", s)
		}
	}
}

// store knows the moments of one second.
type store struct {
	name string
	at   time.Time
	err  error
}

func (s store) Name() string { return s.name }
func (s store) At(_ context.Context, t time.Time, _ ...model.ClusterName) (past.Moment, error) {
	if s.err != nil || !s.at.Equal(t) {
		return past.Moment{}, errors.Join(s.err, &past.NotCovered{At: t, Source: s.name})
	}
	return past.Moment{Judged: t, Source: s.name}, nil
}
func (s store) Events(context.Context, time.Time, time.Time, ...model.ClusterName) ([]past.Event, error) {
	return nil, s.err
}
func (s store) Gaps(context.Context, time.Time, time.Time) ([]past.Span, error) { return nil, s.err }

func TestFirst(t *testing.T) {
	all := []past.Source{store{name: "recorder", at: t0}, store{name: "victoria-metrics", at: after(1)}}
	if m, _, err := past.First(context.Background(), all, after(1)); err != nil || m.Source != "victoria-metrics" {
		t.Errorf("%+v, %v", m, err)
	}
	_, _, err := past.First(context.Background(), all, after(2))
	want := "2026-01-02 03:04:07 is unknown: recorder has nothing; 2026-01-02 03:04:07 is unknown: victoria-metrics has nothing"
	if err == nil || err.Error() != want || source.TryOf(err) == "" {
		t.Errorf("%v", err)
	}
	ended, stop := context.WithCancel(context.Background())
	stop()
	if _, _, err := past.First(ended, all, after(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
