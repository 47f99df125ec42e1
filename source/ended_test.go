package source

import (
	"context"
	"errors"
	"testing"
)

func TestEnded(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	<-late.Done()
	slow, stop := context.WithCancelCause(t.Context())
	stop(context.DeadlineExceeded)
	for _, c := range []struct {
		name string
		ctx  context.Context
		text string
		is   error
	}{
		{"it goes on", t.Context(), "", nil},
		{"interrupted", interrupted, "interrupted", context.Canceled},
		{"its time is over", late, "no answer before the deadline", context.DeadlineExceeded},
		{"stopped because the time is over", slow, "no answer before the deadline", context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Ended(c.ctx)
			if c.is == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || err.Error() != c.text || !errors.Is(err, c.is) {
				t.Errorf("%v, expected %q and %v in the chain", err, c.text, c.is)
			}
		})
	}
}
