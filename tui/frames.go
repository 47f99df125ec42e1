package tui

import (
	"reflect"
	"runtime/debug"
	"time"
	"unsafe"

	tea "charm.land/bubbletea/v2"
)

// How long the terminal waits for a change at most: while somebody types, and
// while nobody does. Bubble Tea looks for changes at one rate from the start to
// the end: fast enough for a key, it costs a console at rest more than asking
// the nodes does.
const (
	quickFrame = 5 * time.Millisecond
	calmFrame  = 50 * time.Millisecond
	calmAfter  = 2 * time.Second // without a key
)

// typingGC is Go's GC percentage while somebody types. A key that is typed while
// the collector marks the answers of a large fleet waits for it; the memory that
// fewer rounds cost is given back when nobody types any more.
const typingGC = 300

// frameRate is the rate at which the console is drawn. The zero value leaves it as
// Bubble Tea has it.
type frameRate struct {
	ticker  *time.Ticker
	program *tea.Program
	now     time.Duration // between two frames; 0 is Bubble Tea's own
	typed   time.Time     // the last key
	collect int           // the GC percentage at rest, while it is another; else 0
}

// hurry shows what a key has changed soon. It is called by Update only, which
// runs where Bubble Tea has made its ticker.
func (f *frameRate) hurry(now time.Time) {
	f.typed = now
	f.set(quickFrame)
	if f.collect == 0 && f.program != nil {
		f.collect = debug.SetGCPercent(typingGC)
	}
}

// rest lets a screen that nobody types at be drawn more seldom.
func (f *frameRate) rest(now time.Time) {
	switch {
	case f.typed.IsZero():
		f.typed = now // the console has just been opened
	case now.Sub(f.typed) >= calmAfter:
		f.set(calmFrame)
		if f.collect != 0 {
			debug.SetGCPercent(f.collect)
			f.collect = 0
		}
	}
}

func (f *frameRate) set(d time.Duration) {
	if f.program == nil || f.now == d {
		return
	}
	if f.ticker == nil {
		f.ticker = tickerOf(f.program)
	}
	if f.ticker != nil {
		f.ticker.Reset(d)
		f.now = d
	}
}

// tickerOf is the ticker of a program's renderer, for which Bubble Tea has no
// name; nil when a version of it keeps none there.
func tickerOf(p *tea.Program) *time.Ticker {
	f := reflect.ValueOf(p).Elem().FieldByName("ticker")
	if !f.IsValid() || f.Type() != reflect.TypeFor[*time.Ticker]() {
		return nil
	}
	return *(**time.Ticker)(unsafe.Pointer(f.UnsafeAddr())) //nolint:gosec // its type was looked at
}
