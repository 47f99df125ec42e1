// Package budget bounds what reading one inventory may cost: the steps that are
// taken and the bytes that are allocated for it, counted before they are. A few
// words of an inventory can ask for gigabytes, and a program that has run out of
// memory is gone with its reload and its screen. No clock is read: the same
// inventory is refused on every machine, or on none.
package budget

import (
	"fmt"
	"math"

	"pgtui/source"
)

// What one inventory may cost, from its first file to the last of its values.
// Everything that is allocated at the same time stays below 600 MB with it.
const (
	// Steps are nodes that are read, evaluated or compared.
	Steps = 20_000_000
	// Bytes are those of files, texts, lists and mappings.
	Bytes = 384 << 20
)

// Sizes of what values are kept in, in bytes. Lists and mappings grow by
// doubling, so that an entry costs more than what it holds.
const (
	Item  = 24  // an item of a list
	Entry = 160 // an entry of a mapping
)

// Budget is what is left. It is not safe for concurrent use. A nil Budget
// refuses nothing. Once it is spent it refuses everything, so that a caller that
// cannot return an error may continue, and Err has the reason afterwards.
type Budget struct {
	steps, bytes int64 // spent
	err          error
	// Where is the place that is being worked on and its description, such as
	// "variable pg_port of host a"; nil when unknown.
	Where func() (source.Pos, string)
}

// New is a whole budget.
func New() *Budget { return &Budget{} }

// Error is the refusal of an inventory that exceeds its budget.
type Error struct {
	At   source.Pos // the zero Pos when unknown
	What string     // what was worked on there, "" when unknown
	Of   string     // what there was too much of
}

// Error is "file:line:column: what: more than …".
func (e *Error) Error() string {
	s := "the inventory exceeds its budget: more than " + e.Of
	if e.What != "" {
		s = e.What + ": " + s
	}
	switch {
	case e.At.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", e.At.File, e.At.Line, max(e.At.Column, 1), s)
	case e.At.File != "":
		return e.At.File + ": " + s
	}
	return s
}

// Spend takes steps and bytes off before they are used, and is an error when
// there are not so many left. The error is an *Error in a *model.Hint.
func (b *Budget) Spend(steps, bytes int) error {
	if b == nil {
		return nil
	}
	if b.err == nil && !b.take(steps, bytes) {
		at, what := source.Pos{}, ""
		if b.Where != nil {
			at, what = b.Where()
		}
		b.refuse(at, what)
	}
	return b.err
}

// take counts, and reports whether it was there.
func (b *Budget) take(steps, bytes int) bool {
	b.steps += max(int64(steps), 0)
	b.bytes += max(int64(bytes), 0)
	return b.steps <= Steps && b.bytes <= Bytes && b.steps >= 0 && b.bytes >= 0
}

// SpendAt is Spend for a place that Where does not know.
func (b *Budget) SpendAt(at source.Pos, what string, steps, bytes int) error {
	if b == nil {
		return nil
	}
	if b.err == nil && !b.take(steps, bytes) {
		b.refuse(at, what)
	}
	return b.err
}

func (b *Budget) refuse(at source.Pos, what string) {
	of := fmt.Sprintf("%d million steps", Steps/1_000_000)
	if b.bytes > Bytes || b.bytes < 0 {
		of = fmt.Sprintf("%d MB", Bytes>>20)
	}
	try := "shorten it; ansible-inventory --list shows its value"
	b.err = &source.Hint{Err: &Error{At: at, What: what, Of: of}, Try: try}
}

// Return gives bytes back that are not in use any more.
func (b *Budget) Return(bytes int) {
	if b != nil && b.err == nil {
		b.bytes = max(b.bytes-max(int64(bytes), 0), 0)
	}
}

// Err is the refusal, nil while there is none.
func (b *Budget) Err() error {
	if b == nil {
		return nil
	}
	return b.err
}

// Used is which part of the steps and of the bytes is spent, 1 for all.
func (b *Budget) Used() (steps, bytes float64) {
	if b == nil {
		return 0, 0
	}
	return float64(b.steps) / Steps, float64(b.bytes) / Bytes
}

// Times is a × b, the largest number where that is too large; 0 when either is
// negative.
func Times(a, b int) int {
	switch {
	case a <= 0 || b <= 0:
		return 0
	case a > math.MaxInt/b:
		return math.MaxInt
	}
	return a * b
}

// Plus is the sum of numbers that are not negative, the largest number where
// that is too large.
func Plus(n ...int) int {
	sum := 0
	for _, x := range n {
		if sum += max(x, 0); sum < 0 {
			return math.MaxInt
		}
	}
	return sum
}

// Digits takes off what reading or writing a number of that many digits costs:
// it grows faster than the number does.
func (b *Budget) Digits(n int) error {
	k := n / 128
	return b.Spend(1+n/8+Times(k, k), n)
}
