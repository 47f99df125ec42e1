package source

import (
	"encoding/json"
	"time"
)

// Observed is the answer to one probe. A failure is data: it keeps the
// last value that was seen, with its age, beside the error.
type Observed[T any] struct {
	Value T             // the last good answer; the zero value when there never was one
	At    time.Time     // when Value arrived; zero when there never was one
	Err   error         // why the latest attempt failed; nil when Value is its answer
	Tried time.Time     // when the latest attempt ended; zero when none was made
	Took  time.Duration // how long the latest attempt lasted
	Holds time.Duration // how old Value may grow before it is probed again; 0, and whatever is shorter, is StaleAfter
}

// Known reports whether Value answers the latest attempt.
func (o Observed[T]) Known() bool { return o.Err == nil && !o.At.IsZero() }

// Ever reports whether there is any Value at all, however old.
func (o Observed[T]) Ever() bool { return !o.At.IsZero() }

// Current reports whether o answers for the present at now: its latest attempt
// did not fail, and is not older than StaleAfter, or than Holds where that is longer.
func (o Observed[T]) Current(now time.Time) bool {
	return o.Known() && o.Age(now) <= max(StaleAfter, o.Holds)
}

// Age is how old Value is at now; 0 when there is none.
func (o Observed[T]) Age(now time.Time) time.Duration {
	if o.At.IsZero() {
		return 0
	}
	return max(0, now.Sub(o.At))
}

// Next is o after one more attempt: a failure keeps the old Value and its time.
func (o Observed[T]) Next(v T, err error, at time.Time, took time.Duration) Observed[T] {
	if err != nil {
		return Observed[T]{Value: o.Value, At: o.At, Err: err, Tried: at, Took: took, Holds: o.Holds}
	}
	return Observed[T]{Value: v, At: at, Tried: at, Took: took, Holds: o.Holds}
}

// Observe is what f returns, with the time that it took by the clock now.
func Observe[T any](now func() time.Time, f func() (T, error)) Observed[T] {
	start := now()
	v, err := f()
	at := now()
	return Observed[T]{}.Next(v, err, at, at.Sub(start))
}

var _ json.Marshaler = Observed[int]{}

// MarshalJSON writes value, age-independent times in RFC 3339 and the error as text.
func (o Observed[T]) MarshalJSON() ([]byte, error) {
	v := struct {
		Value *T         `json:"value"`
		At    *time.Time `json:"at"`
		Error string     `json:"error,omitempty"`
	}{}
	if o.Ever() {
		v.Value, v.At = &o.Value, &o.At
	}
	if o.Err != nil {
		v.Error = o.Err.Error()
	}
	return json.Marshal(v)
}

// StaleAfter is the age past which an answer no longer counts as "now", even
// when no later attempt has failed.
const StaleAfter = 12 * time.Second
