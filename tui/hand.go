package tui

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/tui/theme"
)

// What the work around a program that gets the terminal ends with.
type (
	programMsg struct { // the program is known
		gen  int
		p    model.Program
		then func(*Model) tea.Cmd // once it has ended with 0; nil is nothing
		err  error
	}
	handedMsg struct { // the terminal is the console's again
		programMsg
		exit int
	}
)

// prepare finds out which program is to get the terminal.
func (f *feed) prepare(gen int, then func(*Model) tea.Cmd, find func(context.Context, Deps) (model.Program, error)) tea.Cmd {
	d := f.world.deps
	return f.limited(10*time.Second, func(ctx context.Context) tea.Msg {
		msg := programMsg{gen: gen, then: then}
		msg.err = guard.Try("finding the program", func() (err error) { msg.p, err = find(ctx, d); return err })
		return msg
	})
}

// program takes in a program that is known now, and gives it the terminal.
func (m *Model) program(msg programMsg) tea.Cmd {
	switch {
	case msg.err != nil:
		m.say(theme.Bad, errorText(msg.err))
		return nil
	case m.run != nil: // its events are read by the console only
		m.say(theme.Warn, m.run.running)
		return nil
	case msg.gen < m.first || m.dialog != nil:
		return nil
	}
	return m.feed.hand(msg)
}

// handed takes the terminal back, and says how the program ended.
func (m *Model) handed(msg handedMsg) tea.Cmd {
	switch {
	case msg.err != nil:
		m.say(theme.Bad, errorText(msg.err))
		return nil
	case msg.exit != 0:
		m.say(theme.Warn, fmt.Sprintf("%s ended with exit code %d", msg.p.Title, msg.exit))
		return nil
	}
	m.say(theme.Info, msg.p.Title+" has ended")
	if msg.then != nil && msg.gen >= m.first {
		return msg.then(m)
	}
	return nil
}

// hand gives the terminal to a program until it ends.
func (f *feed) hand(msg programMsg) tea.Cmd {
	h := &handing{job: f.job, p: msg.p, run: f.world.deps.Foreground, ctx: f.ctx}
	done := func(err error) tea.Msg {
		out := handedMsg{programMsg: msg, exit: h.exit}
		out.err = err
		return out
	}
	if f.job == nil { // there is no terminal: a test
		return func() tea.Msg { return done(h.Run()) }
	}
	h.ctx = f.job.life
	return tea.Exec(h, done)
}

// handing is a program while it has the terminal.
type handing struct {
	*job
	p    model.Program
	run  func(ctx context.Context, p model.Program, in, out *os.File, stopped func()) (int, error)
	ctx  context.Context // that of Run
	in   *os.File
	out  *os.File
	exit int
}

func (h *handing) SetStdin(r io.Reader) {
	if t, ok := r.(hearing); ok {
		h.in = t.File
	}
}
func (h *handing) SetStdout(w io.Writer) { h.out, _ = w.(*os.File) }
func (h *handing) SetStderr(io.Writer)   {}

// Run runs the program. What it printed stays on the screen until a key is pressed
// where the operator has to read it.
func (h *handing) Run() error {
	if h.job != nil {
		h.asleep.Lock()
		defer h.asleep.Unlock()
	}
	err := guard.Try("running "+h.p.Title, func() (err error) {
		h.exit, err = h.run(h.ctx, h.p, h.in, h.out, func() { _ = sleep{h.job}.rest() })
		return err
	})
	if err == nil && h.job != nil && h.p.Keeps(h.exit) && h.ctx.Err() == nil {
		h.keep()
	}
	return err
}

// keep waits for a key, so that what is on the screen can be read.
func (h *handing) keep() {
	fmt.Fprintf(h.out, "\r\n[pgtui] %s ended with exit code %d; press any key to return\r\n", text.Line(h.p.Title, 200), h.exit)
	was, err := term.MakeRaw(h.in.Fd()) // ctrl-c is a key too
	if err != nil {
		return
	}
	defer func() { _ = term.Restore(h.in.Fd(), was) }()
	pressed := make(chan struct{})
	guard.Go("waiting for a key", func() {
		defer close(pressed)
		_, _ = h.in.Read(make([]byte, 64)) // a key may be several bytes
	}, func(error) {})
	select {
	case <-pressed:
	case <-h.ctx.Done(): // the read ends with the process
	}
}
