package cmd

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/lang"
)

// Long work shows a line after patient, and how long it has lasted so far every beat.
const (
	patient = time.Second
	beat    = 500 * time.Millisecond
)

// erase clears the line that the cursor is on and goes to its begin.
const erase = "\r\x1b[K"

// progress is the one line on standard error that shows what a command is doing. It is
// there on a terminal only, and is gone before anything else is printed.
type progress struct {
	mu    sync.Mutex
	work  []*work   // what is under way, the outermost first
	since time.Time // when that began
	stop  chan struct{}
	drawn bool
}

// work is one thing that is under way.
type work struct{ what string }

// doing shows that work is under way until done is called, once it has lasted for
// patient. Of work within other work the innermost is shown.
func (a *app) doing(what string) (done func()) {
	f, ok := a.io.Err.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) || a.Getenv("TERM") == "dumb" {
		return func() {}
	}
	p := &a.progress
	w := &work{what}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.work = append(p.work, w); len(p.work) == 1 {
		p.since, p.stop = now(), make(chan struct{})
		stop := p.stop
		guard.Go("showing the progress", func() { p.run(f, stop) }, func(error) {})
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.work = slices.DeleteFunc(p.work, func(o *work) bool { return o == w })
		if len(p.work) == 0 && p.stop != nil {
			close(p.stop)
			p.stop = nil
			p.clear(f)
		}
	}
}

// run draws the line until stop is closed.
func (p *progress) run(f *os.File, stop <-chan struct{}) {
	t := time.NewTimer(patient)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			t.Reset(beat)
		}
		p.mu.Lock()
		if len(p.work) > 0 && p.stop != nil {
			p.draw(f)
		}
		p.mu.Unlock()
	}
}

// draw writes the line over itself. p is locked.
func (p *progress) draw(f *os.File) {
	w, _, err := term.GetSize(f.Fd())
	if err != nil || w < 20 {
		return
	}
	what := lang.Text(text.Line(p.work[len(p.work)-1].what, 200))
	line := fmt.Sprintf("%s … %d s", what, int(now().Sub(p.since).Seconds()))
	fmt.Fprint(f, erase+text.Fit(line, w-1))
	p.drawn = true
}

// clear removes the line. p is locked.
func (p *progress) clear(f *os.File) {
	if p.drawn {
		fmt.Fprint(f, erase)
		p.drawn = false
	}
}

// aside does something that uses the terminal while work is under way: the line is
// gone meanwhile.
func (a *app) aside(do func()) {
	a.progress.mu.Lock()
	defer a.progress.mu.Unlock()
	if f, ok := a.io.Err.(*os.File); ok {
		a.progress.clear(f)
	}
	do()
}
