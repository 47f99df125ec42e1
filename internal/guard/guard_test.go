package guard_test

import (
	"errors"
	"strings"
	"testing"

	"pgtui/internal/guard"
)

func TestAPanicIsAnError(t *testing.T) {
	var none []int
	err := guard.Do("counting\x1b[2J", func() { none[3]++ })
	var f *guard.Fault
	if !errors.As(err, &f) {
		t.Fatalf("%v", err)
	}
	want := "pgtui itself failed counting[2J, please report it: runtime error: index out of range [3] with length 0 (guard/guard_test.go:"
	if !strings.HasPrefix(err.Error(), want) || !strings.Contains(string(f.Stack), "TestAPanicIsAnError") {
		t.Errorf("got %q\n%s", err, f.Stack)
	}
	if err := guard.Do("nothing", func() {}); err != nil {
		t.Errorf("nothing failed: %v", err)
	}
	own := errors.New("its own")
	if err := guard.Try("nothing", func() error { return own }); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
	if err := guard.Try("all", func() error { panic(own) }); !errors.As(err, &f) {
		t.Errorf("got %v", err)
	}
}

func TestAGroupOutlivesItsPanics(t *testing.T) {
	var g guard.Group
	var got error
	g.Go("one", func() { panic("no") }, func(err error) { got = err })
	g.Go("two", func() { panic("no") }, func(error) { panic("not this either") })
	g.Wait()
	if got == nil || !strings.Contains(got.Error(), "pgtui itself failed one, please report it: no") {
		t.Errorf("got %v", got)
	}
	failed := make(chan error)
	guard.Go("three", func() { panic("no") }, func(err error) { failed <- err })
	if err := <-failed; err == nil {
		t.Error("failed was not called")
	}
}
