package tui

import (
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/source"
	"pgtui/tui/theme"
)

// How often the files of the inventory are checked: a thousand of them a second
// at most, and again soon while they are being written.
const (
	stampEvery    = 2 * time.Second
	stampsASecond = 1000
)

// staleness is what is known of the files that the inventory was read from.
type staleness struct {
	base    []source.Input // as they were when they were read last, well or not
	last    []source.Input // as they were at the last look
	looked  time.Time      // when that was
	going   bool           // they are being looked at
	rereads bool           // they are being read again

	names []string  // what has changed since base
	since time.Time // when that was seen first
	err   string    // why the last reading failed; "" when it did not
}

// stampedMsg are the inputs as they are now.
type stampedMsg struct {
	gen int
	in  []source.Input
}

// stamp looks at the files when it is time for that.
func (m *Model) stamp() tea.Cmd {
	s := &m.stale
	rest := max(stampEvery, time.Duration(len(s.base))*time.Second/stampsASecond)
	if s.going || s.rereads || len(s.base) == 0 || len(s.names) == 0 && m.now.Sub(s.looked) < rest {
		return nil
	}
	s.going, s.looked = true, m.now
	return m.feed.stamp(m.gen, s.base)
}

// stamp looks at files.
func (f *feed) stamp(gen int, in []source.Input) tea.Cmd {
	stamp := f.world.deps.Stamp
	return f.begun(func() tea.Msg {
		out := in // as if nothing had changed, where pgtui itself fails over it
		_ = guard.Do("checking the inventory's files", func() { out = stamp(in) })
		return stampedMsg{gen, out}
	})
}

// stamped takes in how the files are now. They are read again once they have
// been the same twice, unless a program would be run, a reload is running or
// waits for confirmation, or the screen is frozen.
func (m *Model) stamped(msg stampedMsg) tea.Cmd {
	s := &m.stale
	s.going = false
	if msg.gen != m.gen || s.rereads {
		return nil
	}
	still := len(source.ChangedInputs(s.last, msg.in)) == 0
	s.last = msg.in
	if s.names = source.ChangedInputs(s.base, msg.in); len(s.names) == 0 {
		s.since = time.Time{}
		return nil
	}
	if s.since.IsZero() {
		s.since = m.now
	}
	if !still || source.RunsProgram(s.base) || m.reload != nil || m.dialog != nil || !m.frozen.IsZero() {
		return nil
	}
	s.rereads = true
	return m.feed.load(m.gen)
}

// fresh makes the inventory the one that was read last.
func (m *Model) fresh(inv *model.Inventory) {
	m.stale = staleness{base: inv.Inputs, last: inv.Inputs, looked: m.now}
}

// unread keeps why the inventory could not be read again, and waits for its
// files to change once more.
func (m *Model) unread(err error) {
	s := &m.stale
	base := s.last
	if u, ok := errors.AsType[*source.Unread](err); ok && len(u.Inputs) > 0 {
		base = u.Inputs
	}
	m.stale = staleness{base: base, last: base, looked: m.now, err: err.Error()}
}

// staleText says that what is shown is not of the inventory as it is now, "" when
// it is. The place of a mistake comes early: a narrow screen cuts the end off.
func (m *Model) staleText() string {
	s := &m.stale
	at := "the start" // when the inventory that is shown was read
	if m.inv != nil && !m.inv.LoadedAt.IsZero() {
		at = m.inv.LoadedAt.Format("15:04:05")
	}
	old := "OLD INVENTORY of " + at + ": "
	switch {
	case len(s.names) > 0 && source.RunsProgram(s.base):
		return old + changedText(s.names) + " changed at " + s.since.Format("15:04:05") + ", R rereads it and runs its program"
	case len(s.names) > 0:
		return old + changedText(s.names) + " changed at " + s.since.Format("15:04:05") + ", not reread yet"
	case s.err != "":
		return old + s.err
	}
	return ""
}

// changedText are the names of files, three at most.
func changedText(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// againText is shown for an inventory that was read again.
func againText(names []string) string {
	text := "the inventory was reread, every node is being probed"
	if len(names) > 0 {
		text += ": " + changedText(names) + " changed"
	}
	return text
}

// reloaded takes over an inventory that was read again, or why it could not be.
func (m *Model) reloaded(msg inventoryMsg) tea.Cmd {
	names, was := m.stale.names, m.stale.err
	if msg.err != nil {
		m.unread(msg.err)
		m.say(theme.Bad, errorText(msg.err))
		return nil
	}
	if m.stale.rereads && m.inv.Hash == msg.inv.Hash && was == "" { // touched, and the same
		m.fresh(msg.inv)
		return nil
	}
	m.say(theme.Info, againText(names))
	m.take(msg.inv)
	return m.feed.watch(m.inv, m.gen, m.every())
}
