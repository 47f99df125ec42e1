// Package guard catches panics: a panic must not end the program, which would
// leave the terminal in raw mode and a node with half of its changes.
package guard

import (
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"pgtui/internal/text"
)

// Fault is a caught panic.
type Fault struct {
	Doing string // the activity, such as "probing 10.10.10.11"
	Cause string // the value of the panic, harmless for a terminal
	At    string // the innermost line of pgtui, "probe/haproxy.go:88"; "" when there is none
	Stack []byte // the whole stack, for a report
}

// Error is one harmless line with the place of the panic.
func (f *Fault) Error() string {
	s := "pgtui itself failed " + f.Doing + ", please report it: " + f.Cause
	if f.At != "" {
		s += " (" + f.At + ")"
	}
	return s
}

// Do runs f. The error is a *Fault when f panics, else nil.
func Do(doing string, f func()) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = &Fault{Doing: text.Line(doing, 80), Cause: text.Line(fmt.Sprint(x), 160), At: place(), Stack: debug.Stack()}
		}
	}()
	f()
	return nil
}

// Try is Do of a function that returns an error. That error is the result when f
// does not panic.
func Try(doing string, f func() error) error {
	var err error
	if fault := Do(doing, func() { err = f() }); fault != nil {
		return fault
	}
	return err
}

// Go runs f in a goroutine. When f panics, failed runs in the same goroutine with
// the error; it puts the error in the place of the answer. Locks that f holds stay
// locked, unless f unlocks them with defer. A panic of failed is ignored.
func Go(doing string, f func(), failed func(error)) {
	go guarded(doing, f, failed)
}

// Group is a sync.WaitGroup of goroutines that Go starts. The zero value is ready
// for use.
type Group struct{ wg sync.WaitGroup }

// Go runs f as the function Go does, and counts it.
func (g *Group) Go(doing string, f func(), failed func(error)) {
	g.wg.Go(func() { guarded(doing, f, failed) })
}

// Wait returns when all of them have ended.
func (g *Group) Wait() { g.wg.Wait() }

// Collect runs f for every item at the same time, and returns the results by their
// keys. doing is the activity of an item; failed gives the result where f panics.
func Collect[T any, K comparable, V any](items []T, doing func(T) string, f func(T) (K, V), failed func(T, error) (K, V)) map[K]V {
	out := make(map[K]V, len(items))
	var mu sync.Mutex
	keep := func(k K, v V) {
		mu.Lock()
		defer mu.Unlock()
		out[k] = v
	}
	var g Group
	for _, x := range items {
		g.Go(doing(x), func() { keep(f(x)) }, func(err error) { keep(failed(x, err)) })
	}
	g.Wait()
	return out
}

func guarded(doing string, f func(), failed func(error)) {
	if err := Do(doing, f); err != nil {
		_ = Do(doing, func() { failed(err) })
	}
}

// place is the innermost line of pgtui on the stack of a panic, as folder, file
// and line. The deferred function that catches the panic calls it.
func place() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "pgtui/") && !strings.HasPrefix(f.Function, "pgtui/internal/guard.") {
			return fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(f.File)), path.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}
