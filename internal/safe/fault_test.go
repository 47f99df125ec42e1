package safe_test

import (
	"errors"
	"strings"
	"testing"

	"pgtui/internal/safe"
)

func TestAPanicIsAnError(t *testing.T) {
	var none []int
	err := safe.Do("counting\x1b[2J", func() { none[3]++ })
	var f *safe.Fault
	if !errors.As(err, &f) {
		t.Fatalf("%v", err)
	}
	want := "pgtui itself failed counting[2J, please report it: runtime error: index out of range [3] with length 0 (safe/fault_test.go:"
	if !strings.HasPrefix(err.Error(), want) || !strings.Contains(string(f.Stack), "TestAPanicIsAnError") {
		t.Errorf("got %q\n%s", err, f.Stack)
	}
	if err := safe.Do("nothing", func() {}); err != nil {
		t.Errorf("nothing failed: %v", err)
	}
	own := errors.New("its own")
	if err := safe.Try("nothing", func() error { return own }); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
	if err := safe.Try("all", func() error { panic(own) }); !errors.As(err, &f) {
		t.Errorf("got %v", err)
	}
}

func TestAGroupOutlivesItsPanics(t *testing.T) {
	var g safe.Group
	var got error
	g.Go("one", func() { panic("no") }, func(err error) { got = err })
	g.Go("two", func() { panic("no") }, func(error) { panic("not this either") })
	g.Wait()
	if got == nil || !strings.Contains(got.Error(), "pgtui itself failed one, please report it: no") {
		t.Errorf("got %v", got)
	}
	told := make(chan error)
	safe.Go("three", func() { panic("no") }, func(err error) { told <- err })
	if err := <-told; err == nil {
		t.Error("nobody was told")
	}
}
