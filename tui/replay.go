package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/guard"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Replay is a recording that the console shows in place of the nodes. Its methods
// do not wait for a network.
type Replay interface {
	Source() string
	Playing() bool
	Covered() bool              // the recording knows the time
	Span() (from, to time.Time) // of the recording
	Events() []board.Event      // all of them, the oldest first
	ByEvent(forth bool) bool
	By(d time.Duration)
	Play()
}

// replays carries out a key of a replay.
func (m *Model) replays(do keys.Action) tea.Cmd {
	r := m.deps.Replay
	if do == keys.Time {
		return m.travel()
	}
	switch do {
	case keys.NextEvent, keys.PrevEvent:
		if !r.ByEvent(do == keys.NextEvent) {
			m.say(theme.Info, map[bool]string{true: "no event after this one", false: "no event before this one"}[do == keys.NextEvent])
		}
	case keys.NextMinute:
		r.By(time.Minute)
	case keys.PrevMinute:
		r.By(-time.Minute)
	case keys.Freeze:
		r.Play()
	}
	m.now = m.deps.Now()
	return nil
}

// travel opens the past of this console, and returns from it.
func (m *Model) travel() tea.Cmd {
	switch {
	case m.live != nil:
		d := *m.live
		m.live = nil
		return m.arrive(d, "now")
	case m.deps.Past == nil:
		m.say(theme.Info, "this console was opened on a recording: there is no now to return to")
		return nil
	case m.run != nil || m.dialog != nil:
		m.say(theme.Warn, "the past was not opened: a reload or an action is running or waits for confirmation")
		return nil
	}
	open := m.deps.Past
	return m.feed.limited(10*time.Second, func(ctx context.Context) tea.Msg {
		var d Deps
		err := guard.Try("opening the recordings", func() (err error) { d, err = open(ctx); return err })
		return pastMsg{d, err}
	})
}

// pastMsg is a recording that was opened.
type pastMsg struct {
	deps Deps
	err  error
}

// enters shows a recording that was opened.
func (m *Model) enters(msg pastMsg) tea.Cmd {
	if msg.err != nil {
		m.say(theme.Warn, errorText(msg.err))
		return nil
	}
	live := m.deps
	live.Inventory = m.inv
	m.live = &live
	return m.arrive(msg.deps, "the past; H returns to now")
}

// arrive shows another time of the same clusters, on the page that is seen.
func (m *Model) arrive(d Deps, where string) tea.Cmd {
	stack, clock := m.stack, d.Now
	live := m.live
	m.deps.Now = clock
	m.now = clock()
	cmd := m.switched(contextMsg{deps: d})
	m.live, m.toast = live, toast{}
	m.deps.Now, m.stack = clock, stack
	m.say(theme.Info, where)
	return cmd
}

// relive makes the events of a replay those up to its time.
func (m *Model) relive() {
	all := m.deps.Replay.Events()
	n := len(all)
	for n > 0 && all[n-1].At.After(m.now) {
		n--
	}
	past := slices.Clone(all[max(0, n-mostEvents):n])
	slices.Reverse(past)
	m.events, m.changes = past, board.Changes(past)
}

// replayBanner says that what is seen is over; "" for the present.
func (m *Model) replayBanner() string {
	r := m.deps.Replay
	if r == nil {
		return ""
	}
	state := "space plays"
	switch {
	case !r.Covered():
		state = "NOT RECORDED"
	case r.Playing():
		state = "playing"
	}
	return strings.Join([]string{widget.F("REPLAY %s", widget.Data(m.now.Local().Format("2006-01-02 15:04:05"))).Local(), widget.Words(state).Local(), r.Source()}, " │ ")
}

// scrubber is the time of a recording as a line, with its events and where the replay is.
func (m *Model) scrubber() widget.Line {
	r := m.deps.Replay
	if r == nil || m.h < 12 {
		return nil
	}
	from, to := r.Span()
	layout := "15:04:05"
	if to.Sub(from) > 12*time.Hour {
		layout = "01-02 15:04"
	}
	left, right := " "+from.Local().Format(layout)+" ", " "+to.Local().Format(layout)+" "
	w := m.w - len(left) - len(right)
	if w < 8 {
		return nil
	}
	track := []rune(strings.Repeat("─", w))
	place := func(at time.Time) int {
		if !to.After(from) {
			return 0
		}
		return min(max(int(float64(at.Sub(from))/float64(to.Sub(from))*float64(w-1)), 0), w-1)
	}
	for _, e := range r.Events() {
		mark := '┬'
		if e.Severity <= 1 {
			mark = '!'
		}
		if i := place(e.At); track[i] != '!' {
			track[i] = mark
		}
	}
	at := place(m.now)
	return widget.Raw(theme.Dim, left).AddRaw(theme.Dim, string(track[:at])).AddRaw(theme.Strong, "◆").AddRaw(theme.Dim, string(track[at+1:])).AddRaw(theme.Dim, right)
}
