package source

import (
	"context"
	"errors"
	"strings"
)

// Ended is why ctx has ended, in words for a person, and nil while it has not. The
// error of the context itself is in its chain.
func Ended(ctx context.Context) error {
	err := ctx.Err()
	switch late := context.DeadlineExceeded; {
	case err == nil:
		return nil
	case errors.Is(err, late) || errors.Is(context.Cause(ctx), late):
		return &ended{"no answer before the deadline", late}
	}
	return &ended{"interrupted", err}
}

// Words is an error's text without Go's own words for the end of a context, which
// libraries wrap.
func Words(err error) string {
	return strings.NewReplacer("context canceled", "interrupted", "context deadline exceeded", "no answer before the deadline").Replace(err.Error())
}

// ended is the end of a context. Go's own text of it is no sentence for a person.
type ended struct {
	text  string
	cause error
}

func (e *ended) Error() string { return e.text }
func (e *ended) Unwrap() error { return e.cause }
