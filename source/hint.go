package source

import "errors"

// Hint is an error with the next thing to type.
type Hint struct {
	Err error
	Try string
	// Usage says that the question is wrong, and not the answer: what was typed
	// cannot be meant, or names what the inventory does not have.
	Usage bool
}

// ErrUsage is in the chain of every error whose Hint has Usage set.
var ErrUsage = errors.New("wrong usage")

// Error is the error's own text; the hint is printed beside it, not in it.
func (h *Hint) Error() string { return h.Err.Error() }

// Unwrap gives the cause.
func (h *Hint) Unwrap() error { return h.Err }

// Is makes errors.Is(err, ErrUsage) true for a question that is wrong.
func (h *Hint) Is(target error) bool { return h.Usage && target == ErrUsage }

// TryOf returns the nearest hint in err's chain, "" when there is none.
func TryOf(err error) string {
	if h, ok := errors.AsType[*Hint](err); ok {
		return h.Try
	}
	return ""
}

// Because is an error as the tail of a sentence, ": connection refused"; "" for nil.
func Because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}
