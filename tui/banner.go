package tui

import (
	"strings"

	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// banner is one line that cannot be missed, nil when there is no reason for one:
// what may be done here, and what is wrong with the cluster that is shown.
func (m *Model) banner() widget.Line {
	var parts []string
	tone := theme.Alarm
	if c := m.deps.Context; c.Name != "" && (c.Production || c.Colour != "") {
		text := c.Name
		if c.Environment != "" {
			text = strings.ToUpper(c.Environment) + " · " + c.Name
		}
		parts = append(parts, text)
		tone = theme.Flag(c.Colour)
	}
	if !m.frozen.IsZero() {
		parts = append(parts, "FROZEN since "+m.frozen.Format("15:04:05")+", space resumes")
	}
	if m.deps.ReadOnly != "" {
		parts = append(parts, "READ-ONLY by "+m.deps.ReadOnly)
	}
	if alarms := m.alarms(); len(alarms) > 0 {
		parts, tone = append(parts, alarms...), theme.Alarm
	}
	if len(parts) == 0 {
		return nil
	}
	return widget.T(tone, " "+strings.Join(parts, " │ ")).Pad(m.w)
}

// alarms are the states of the cluster that is shown, or of any of the fleet,
// that no one may overlook before acting.
func (m *Model) alarms() []string {
	board := m.top().Scope() == "board"
	var words []string
	names := map[string][]string{}
	for _, a := range m.digest.Alarms(m.cluster()) {
		if a.Text == "PAUSED" && board {
			continue // the board says it itself
		}
		if names[a.Text] == nil {
			words = append(words, a.Text)
		}
		names[a.Text] = append(names[a.Text], string(a.Cluster))
	}
	for i, w := range words {
		words[i] = w + ": " + strings.Join(names[w], ", ")
	}
	return words
}
