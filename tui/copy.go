package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/tui/page"
	"pgtui/tui/theme"
)

// copyCommand copies the command that prints this screen, and says it: what a
// terminal without OSC 52 drops can still be read and selected.
func (m *Model) copyCommand(e page.Env) tea.Cmd {
	c, ok := m.top().(page.Commander)
	if !ok {
		m.say(theme.Info, "this screen has no command")
		return nil
	}
	own, pigsty := c.Command(e)
	if name := string(m.place(e).Cluster); name != "" {
		own = strings.Replace(own, " "+name, " "+text.Word(name), 1)
		pigsty = strings.Replace(pigsty, " "+name, " "+text.Word(name), 1)
	}
	if m.deps.Command != "" {
		own = m.deps.Command + strings.TrimPrefix(own, "pgtui")
	}
	if pigsty != "" {
		pigsty = "   in Pigsty: " + pigsty
	}
	return m.yank(own, pigsty)
}

// yank copies a text, and says it with what there is to add.
func (m *Model) yank(line, more string) tea.Cmd {
	m.say(theme.Info, "copied: "+line+more)
	return tea.SetClipboard(text.Clean(line))
}
