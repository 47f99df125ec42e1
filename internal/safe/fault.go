package safe

import (
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// Fault is a panic that was caught: it must not end the program, which would
// leave the terminal in raw mode and a node half done.
type Fault struct {
	Doing string // what pgtui was about, such as "asking 10.10.10.11"
	Cause string // what the panic said, harmless
	At    string // the innermost line of pgtui's own, "probe/haproxy.go:88"; "" when there is none
	Stack []byte // all of it, for a report
}

// Error is one harmless line with the place, which is what a report needs most.
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
			err = &Fault{Doing: Text(doing, 80), Cause: Text(fmt.Sprint(x), 160), At: place(), Stack: debug.Stack()}
		}
	}()
	f()
	return nil
}

// Try is Do of a function that has an error of its own, returned where it does
// not panic.
func Try(doing string, f func() error) error {
	var err error
	if fault := Do(doing, func() { err = f() }); fault != nil {
		return fault
	}
	return err
}

// Go runs f in a goroutine. When f panics, failed is told, in the same goroutine
// and without what f holds locked being let go: lock with defer in f. It is for
// failed to leave the error where the answer was to be. One that panics itself
// is not heard.
func Go(doing string, f func(), failed func(error)) {
	go guarded(doing, f, failed)
}

// Group is a sync.WaitGroup of what Go starts. The zero value is ready for use.
type Group struct{ wg sync.WaitGroup }

// Go runs f as the function Go does, and counts it.
func (g *Group) Go(doing string, f func(), failed func(error)) {
	g.wg.Go(func() { guarded(doing, f, failed) })
}

// Wait returns when everything that was begun has ended.
func (g *Group) Wait() { g.wg.Wait() }

func guarded(doing string, f func(), failed func(error)) {
	if err := Do(doing, f); err != nil {
		_ = Do(doing, func() { failed(err) })
	}
}

// place is the innermost line of pgtui's own on the stack of a panic, folder
// and file. It is called by the deferred function that has caught it.
func place() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "pgtui/") && !strings.HasPrefix(f.Function, "pgtui/internal/safe.") {
			return fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(f.File)), path.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}
