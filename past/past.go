// Package past is what was observed at a time that is over. A Source is a
// recording, or a store of metrics and logs: the commands and the console judge
// what it returns as they judge a live answer.
package past

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// Source is one place that knows what was observed. Its methods contact no node, may be
// called at the same time, and return when their context ends.
type Source interface {
	// Name is what screens and documents call it: "recorder", "incident.rec".
	Name() string
	// At is what was observed at t of these clusters, of all when none is named. A
	// time that the source does not cover is *NotCovered: it is never an empty Moment.
	At(ctx context.Context, t time.Time, only ...model.ClusterName) (Moment, error)
	// Events are the transitions from one time to another, both included, oldest
	// first. A source that does not cover the whole of it returns what it has, and Gaps
	// says what is missing.
	Events(ctx context.Context, from, to time.Time, only ...model.ClusterName) ([]Event, error)
	// Gaps are the parts of the time between that the source does not cover, in order.
	// What happened there is unknown.
	Gaps(ctx context.Context, from, to time.Time) ([]Span, error)
}

// Moment is what was observed at one time. Verdicts are made by
// check.Boards(Snap, Judged).
type Moment struct {
	Snap *model.Snapshot // immutable, never nil; Inventory is set
	// Judged is when the observations were the present ones, at the time requested or
	// before: ages count from it.
	Judged time.Time
	// Within is how far the moment may be from the true time, "±"; 0 where the
	// observation was made by pgtui itself.
	Within time.Duration
	Source string // Name of the source
}

// Span is a part of time, both ends included. A zero end is open.
type Span struct{ From, To time.Time }

// Has reports whether t is in the span.
func (s Span) Has(t time.Time) bool {
	return (s.From.IsZero() || !t.Before(s.From)) && (s.To.IsZero() || !t.After(s.To))
}

// Event is one transition, with what shows it.
type Event struct {
	board.Event
	// Within is how far At may be from the true time; 0 is less than what is shown.
	Within time.Duration
	// Evidence are the sources that have it, the most exact first. It is never empty.
	Evidence []Evidence
	// Contradicts are the sources that have something else for the same time.
	Contradicts []Evidence
}

// Evidence is what one source has of an event.
type Evidence struct {
	Source string    // "recorder", "journal of pg-test-2", "victoria-metrics"
	At     time.Time // by the clock of the source
	Text   string    // what it has, one harmless line
}

// ID is short, and the same wherever the event is read from: eight hexadecimal
// digits with an e before them.
func (e *Event) ID() string { return IDOf(&e.Event) }

// IDOf is Event.ID of an event without its evidence.
func IDOf(e *board.Event) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{e.At.UTC().Format(time.RFC3339Nano), string(e.Cluster), e.Kind, e.Subject, e.Before, e.After}, "\x00")))
	return "e" + hex.EncodeToString(sum[:4])
}

// IsID reports whether s has the form of an event's ID.
func IsID(s string) bool {
	_, err := hex.DecodeString(strings.TrimPrefix(s, "e"))
	return len(s) == 9 && s[0] == 'e' && err == nil
}

// NotCovered is the error of a time that a source knows nothing of.
type NotCovered struct {
	At     time.Time
	Source string
	Has    []Span // what the source covers, in order; nil is nothing
	Why    string // "" where Has is the reason
	Next   string // what to type next; "" is the source's own
}

// Error says which time is unknown, and what is covered.
func (n *NotCovered) Error() string {
	at := n.At.Format(Layout)
	switch {
	case n.Why != "":
		return fmt.Sprintf("%s is unknown: %s: %s", at, n.Source, n.Why)
	case len(n.Has) == 0:
		return fmt.Sprintf("%s is unknown: %s has nothing", at, n.Source)
	}
	before, after := n.around()
	switch {
	case before == nil:
		return fmt.Sprintf("%s is unknown: %s begins at %s", at, n.Source, after.From.Format(Layout))
	case after == nil:
		return fmt.Sprintf("%s is unknown: %s ends at %s", at, n.Source, before.To.Format(Layout))
	}
	return fmt.Sprintf("%s is unknown: %s has a gap from %s to %s", at, n.Source, before.To.Format(Layout), after.From.Format(Layout))
}

// around are the spans before and after the time; nil where there is none.
func (n *NotCovered) around() (before, after *Span) {
	for i := range n.Has {
		switch s := &n.Has[i]; {
		case s.From.After(n.At):
			if after == nil {
				after = s
			}
		default:
			before = s
		}
	}
	return before, after
}

// Layout is how times of the past are written: with the date, in local time.
const Layout = "2006-01-02 15:04:05"

// First tries one source after the other, and returns the first that knows the moment. When none
// does, the error names each.
func First(ctx context.Context, sources []Source, t time.Time, only ...model.ClusterName) (Moment, Source, error) {
	var why []string
	try := ""
	for _, s := range sources {
		m, err := s.At(ctx, t, only...)
		if err == nil {
			return m, s, nil
		}
		if ended := source.Ended(ctx); ended != nil {
			return Moment{}, nil, ended
		}
		var not *NotCovered
		if errors.As(err, &not) {
			try = cmp.Or(try, not.Next)
		}
		why, try = append(why, err.Error()), cmp.Or(try, source.TryOf(err))
	}
	if len(why) == 0 {
		why = []string{fmt.Sprintf("%s is unknown: there is no source", t.Format(Layout))}
	}
	return Moment{}, nil, &source.Hint{Err: errors.New(strings.Join(why, "; ")), Try: cmp.Or(try, "pgtui record --help")}
}

// Sorted are events in the order of their time, each once.
func Sorted(events []Event) []Event {
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return slices.CompactFunc(events, func(a, b Event) bool { return a.ID() == b.ID() })
}

// GapsOf are the parts between two times that no span has. spans are in order.
func GapsOf(spans []Span, from, to time.Time) []Span {
	var out []Span
	at := from
	for _, s := range spans {
		if s.To.Before(at) || s.From.After(to) {
			continue
		}
		if s.From.After(at) {
			out = append(out, Span{at, s.From})
		}
		if s.To.After(at) {
			at = s.To
		}
	}
	if at.Before(to) {
		out = append(out, Span{at, to})
	}
	return out
}
