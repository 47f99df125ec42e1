package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/proc"
)

// suspendMsg makes the console give the terminal back and stop, as ctrl-z does;
// awakeMsg reports that it resumed.
type (
	suspendMsg struct{}
	awakeMsg   struct{ err error }
)

// job is the console as a shell's job. SIGTSTP from outside is what ctrl-z is
// inside: the terminal is the shell's while the console is stopped.
type job struct {
	stops  chan os.Signal
	life   context.Context // of Run: it ends when the console is to leave
	asleep sync.Mutex      // held while the terminal is the shell's
}

// newJob listens for SIGTSTP until done is called. The console leaves when ctx
// ends. A process that was started
// with SIGTSTP ignored keeps ignoring it.
func newJob(ctx context.Context) (j *job, done func()) {
	j = &job{life: ctx, stops: make(chan os.Signal, 1)}
	if !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(j.stops, syscall.SIGTSTP)
	}
	return j, func() { signal.Stop(j.stops) }
}

// follow passes every SIGTSTP to p until end is closed.
func (j *job) follow(p *tea.Program, end <-chan struct{}) {
	for {
		select {
		case <-j.stops:
			p.Send(suspendMsg{})
		case <-end:
			return
		}
	}
}

// end calls leave once the console is on the screen: what Bubble Tea switches on
// when it comes back, and then off again before it has drawn, comes out in the
// wrong order.
func (j *job) end(leave func()) {
	if !j.asleep.TryLock() {
		j.asleep.Lock()
		time.Sleep(10 * frameEvery)
	}
	j.asleep.Unlock()
	leave()
}

// settled is how long after waking up a signal that came with SIGCONT is seen.
const settled = 20 * time.Millisecond

// suspend stops the process group and returns once it resumes. Bubble Tea's own
// waits forever where nothing stops the group: in an orphaned one, such as
// a console that is the only program of its terminal.
func (j *job) suspend() tea.Cmd {
	return tea.Exec(sleep{j}, func(err error) tea.Msg { return awakeMsg{err} })
}

// sleep is what runs while the terminal is not the console's.
type sleep struct{ *job }

func (sleep) SetStdin(io.Reader)  {}
func (sleep) SetStdout(io.Writer) {}
func (sleep) SetStderr(io.Writer) {}

// Run stops the group and returns when it is woken, or at once with an error
// when nothing could resume it. The signal is SIGSTOP: Go does not give SIGTSTP
// its own effect back once it was listened for.
func (s sleep) Run() error {
	s.asleep.Lock()
	defer s.asleep.Unlock()
	return s.rest()
}

// rest is Run while the terminal is not the console's anyway.
func (s sleep) rest() error {
	if orphaned() {
		return errors.New("there is no shell to return to: nothing could resume pgtui")
	}
	woken := make(chan os.Signal, 1)
	signal.Notify(woken, syscall.SIGCONT)
	defer signal.Stop(woken)
	if err := syscall.Kill(0, syscall.SIGSTOP); err != nil {
		return err
	}
	<-woken
	t := time.NewTimer(settled)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.life.Done():
		// `kill %1`: it wakes up in the background to leave, and may neither
		// stop there for touching the terminal nor for reading it.
		signal.Ignore(syscall.SIGTTOU, syscall.SIGTTIN)
	}
	return nil
}

// orphaned reports that no process outside of this one's group and inside of
// its session has started it: no shell there handles stopped jobs.
func orphaned() bool {
	self, err := proc.Read(os.Getpid())
	for p := self; err == nil; {
		if p, err = proc.Read(p.Parent); err != nil || p.Session != self.Session {
			return true
		}
		if p.Group != self.Group {
			return false
		}
	}
	return false // there is no /proc here
}

// hearing is the terminal as input. It calls gone when the terminal has hung up:
// Bubble Tea takes that for the end of the input, and would stay without a keyboard.
type hearing struct {
	*os.File
	gone func()
}

func (h hearing) Read(b []byte) (int, error) {
	n, err := h.File.Read(b)
	if n == 0 && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		h.gone()
	}
	return n, err
}
