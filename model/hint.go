package model

import "errors"

// Hint is an error with the next thing to type.
type Hint struct {
	Err error
	Try string
}

// Error is the error's own text; the hint is printed beside it, not in it.
func (h *Hint) Error() string { return h.Err.Error() }

// Unwrap gives the cause.
func (h *Hint) Unwrap() error { return h.Err }

// TryOf returns the nearest hint in err's chain, "" when there is none.
func TryOf(err error) string {
	if h, ok := errors.AsType[*Hint](err); ok {
		return h.Try
	}
	return ""
}
