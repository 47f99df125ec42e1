package tui

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// commandRows are the operator's commands as rows of the table of keys.
func commandRows(all []model.Command) keys.Table {
	var out keys.Table
	for _, c := range all {
		row := keys.Row{Keys: c.Key, Action: keys.Action(c.Name), Help: cmp.Or(c.Help, "runs "+commandLine(c.Argv)), Own: c.Help != ""}
		if c.Pages == nil {
			out = append(out, row)
		}
		for _, p := range c.Pages {
			out = append(out, keys.Scope(p, []keys.Row{row})...)
		}
	}
	return out
}

// commandLine is a program and its arguments as they would be typed.
func commandLine(argv []string) string {
	words := make([]string, len(argv))
	for i, w := range argv {
		words[i] = text.Word(w)
	}
	return text.Line(strings.Join(words, " "), 400)
}

// command is the operator's command of that action, or nil.
func (m *Model) command(a keys.Action) *model.Command {
	if i := slices.IndexFunc(m.deps.Commands, func(c model.Command) bool { return c.Name == string(a) }); i >= 0 {
		return &m.deps.Commands[i]
	}
	return nil
}

// values are what a command gets: of what is under the cursor, and where that is a
// cluster only, of its leader and its first service.
func (m *Model) values(e page.Env) map[string]string {
	if m.inv == nil {
		return nil
	}
	at := m.place(e)
	if at.Host == "" {
		at.Instance = e.InstanceOf(at)
	}
	if at.Instance == "" {
		at.Service = e.ServiceOf(at)
	}
	return m.inv.ValuesAt(at)
}

// runCommand runs one of the operator's commands, after its confirmation where it
// wants one.
func (m *Model) runCommand(c *model.Command, e page.Env) tea.Cmd {
	if !c.ReadOnly && !m.deps.Can(model.CanReload) {
		m.say(theme.Warn, "no "+c.Name+": this console is read-only, and the command does not set read-only: true")
		return nil
	}
	values := m.values(e)
	p, err := c.Program(values)
	if err != nil {
		m.say(theme.Warn, err.Error())
		return nil
	}
	run := page.RunProgram{Program: p}
	if !c.Confirm {
		return m.perform(run)
	}
	on := cmp.Or(values["instance"], values["host"], values["cluster"], c.Name)
	return m.perform(page.Confirm{Ask: page.Ask{
		Title: widget.F("Run %s on %s?", widget.Data(c.Name), widget.Data(on)), Verb: "run", Subject: on,
		About: func(w int) []widget.Line { return page.WrappedRaw(theme.Plain, commandLine(p.Argv), "", w, 6) },
		Yes:   func([]string) page.Intent { return run },
	}})
}
