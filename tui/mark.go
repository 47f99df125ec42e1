package tui

import (
	"fmt"

	"pgtui/tui/theme"
)

// recording says once that nothing is recorded, and why.
func (m *Model) recording() {
	why := m.deps.Unrecorded()
	if why == m.unrecorded {
		return
	}
	if m.unrecorded = why; why != "" {
		m.say(theme.Info, why)
	}
}

// mark sets a mark into the recording.
func (m *Model) mark() {
	what := fmt.Sprintf("mark %d", m.marks+1)
	if err := m.deps.Mark(m.now, m.cluster(), what); err != nil {
		m.say(theme.Warn, fmt.Sprintf("no mark was set: %s", err))
		return
	}
	m.marks++
	m.say(theme.Info, fmt.Sprintf("%s is set in the recording", what))
}
