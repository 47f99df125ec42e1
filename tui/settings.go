package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/guard"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// byPalette is what makes a console read-only that was not at the start.
const byPalette = ":read-only"

// lock makes the console read-only until it ends. A reload or an action that is under
// way is finished or stopped first.
func (m *Model) lock() {
	switch {
	case m.run != nil:
		m.say(theme.Warn, m.run.running)
	case m.deps.ReadOnly != "":
		m.say(theme.Info, "the console is read-only already, by "+m.deps.ReadOnly)
	default:
		m.deps.Lock(byPalette)
		m.deps.ReadOnly, m.locked = byPalette, true
		m.say(theme.Info, "the console is read-only until pgtui is restarted")
	}
}

// settings are what can be tried here, with their present values.
func (m *Model) settings() []page.Setting {
	onOff := func(on bool) string { return map[bool]string{true: "true", false: "false"}[on] }
	out := []page.Setting{ // read-only is near the top: it is three keys away, on any page
		{Name: "theme", Path: []string{"theme"}, Value: cmp.Or(m.look.Name, "terminal"), Choices: m.deps.Themes, Help: "the colours; terminal is your terminal's own 16"},
		{Name: "read-only", Value: onOff(m.deps.ReadOnly != ""), Choices: []string{"true"}, Help: "true: the console is read-only until pgtui is restarted"},
		{Name: "refresh", Path: []string{"refresh"}, Value: rate(m.pace), Choices: m.rates(), Help: "the time between two rounds of probing; + and - change it on every page"},
		{Name: "mouse", Path: []string{"mouse"}, Value: onOff(!m.noMouse), Choices: []string{"true", "false"}, Help: "false: the terminal keeps the mouse, to select text; m on every page"},
		{Name: "times", Path: []string{"times"}, Value: map[bool]string{true: "ago", false: "clock"}[m.ago], Choices: []string{"clock", "ago"}, Help: "show the time of day of an event, or how long ago it was; @ on every page"},
	}
	for _, s := range m.screens {
		for _, c := range s.Columns {
			out = append(out, page.Setting{Name: columnSetting(s.Name, c), Path: []string{"columns", s.Name}, Value: onOff(slices.Contains(m.columns(s), c)), Choices: []string{"true", "false"}, Help: "whether the page " + s.Name + " has this column"})
		}
	}
	for i, s := range out {
		out[i].Changed = s.Path != nil && m.atStart != nil && m.atStart[s.Name] != s.Value
	}
	return out
}

// rates are the refresh rates that can be chosen: those of + and -, and the one that
// the console was opened with.
func (m *Model) rates() []string {
	all := append(paces(), 0, m.deps.Every)
	slices.Sort(all)
	var out []string
	for _, d := range slices.Compact(all) {
		out = append(out, rate(d))
	}
	return out
}

// rate is a pace as the configuration has it.
func rate(d time.Duration) string {
	switch {
	case d == 0:
		return "automatic"
	case d%time.Second == 0:
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
	return d.String()
}

func columnSetting(screen, column string) string { return screen + " · " + column }

// columns are the columns that a screen shows.
func (m *Model) columns(s page.Screen) []string {
	if chosen := m.deps.Columns[s.Name]; len(chosen) > 0 {
		var out []string
		for _, c := range chosen {
			if i := slices.IndexFunc(s.Columns, func(x string) bool { return strings.EqualFold(x, c) }); i >= 0 {
				out = append(out, s.Columns[i])
			}
		}
		return out
	}
	return s.Columns
}

// settingValues are the settings as they are, by name.
func (m *Model) settingValues() map[string]string {
	out := map[string]string{}
	for _, s := range m.settings() {
		out[s.Name] = s.Value
	}
	return out
}

// set gives a setting a value that is one of its choices.
func (m *Model) set(name, value string) tea.Cmd {
	i := slices.IndexFunc(m.settings(), func(s page.Setting) bool { return s.Name == name })
	if i < 0 || !slices.Contains(m.settings()[i].Choices, value) {
		return nil
	}
	switch name {
	case "theme":
		look := m.look
		look.Name = value
		return m.dress(look)
	case "refresh":
		d, _ := time.ParseDuration(value) // automatic is 0
		return m.probeEvery(d)
	case "mouse":
		m.noMouse = value == "false"
	case "times":
		m.ago = value == "ago"
	case "read-only":
		m.lock()
	default:
		m.setColumn(name, value == "true")
	}
	return nil
}

// setColumn shows or hides a column. The last one stays.
func (m *Model) setColumn(name string, shown bool) {
	for _, s := range m.screens {
		for _, c := range s.Columns {
			if columnSetting(s.Name, c) != name {
				continue
			}
			have := slices.Clone(m.columns(s))
			if shown {
				have = append(have, c)
				slices.SortFunc(have, func(a, b string) int { return slices.Index(s.Columns, a) - slices.Index(s.Columns, b) })
			} else {
				have = slices.DeleteFunc(have, func(x string) bool { return x == c })
			}
			if len(have) == 0 {
				m.say(theme.Info, "the last column cannot be hidden")
				return
			}
			all := map[string][]string{}
			for k, v := range m.deps.Columns {
				all[k] = v
			}
			all[s.Name] = have
			m.deps.Columns = all
		}
	}
}

// changed are the settings to save: those that differ from the start, the columns of
// a screen as one list.
func (m *Model) changed() (out []page.Setting) {
	lists := map[string]bool{}
	for _, s := range m.settings() {
		switch {
		case !s.Changed:
		case s.Path[0] == "columns":
			lists[s.Path[1]] = true
		default:
			out = append(out, s)
		}
	}
	for _, s := range m.screens {
		if lists[s.Name] {
			var quoted []string
			for _, c := range m.columns(s) {
				quoted = append(quoted, strconv.Quote(strings.ToLower(c)))
			}
			out = append(out, page.Setting{Name: "columns of " + s.Name, Path: []string{"columns", s.Name}, Value: "[" + strings.Join(quoted, ", ") + "]"})
		}
	}
	return out
}

// unsaved is why settings cannot be saved, "" when they can.
func (m *Model) unsaved() string {
	switch {
	case m.deps.SaveSettings == nil:
		return "this console has no configuration to save to"
	case m.deps.ReadOnly != "":
		return "settings are not saved: the console is read-only by " + m.deps.ReadOnly
	}
	return ""
}

// save writes what has changed into the configuration.
func (m *Model) save() tea.Cmd {
	changed := m.changed()
	switch why := m.unsaved(); {
	case why != "":
		m.say(theme.Warn, why)
		return nil
	case len(changed) == 0:
		m.say(theme.Info, "no changes to save")
		return nil
	}
	return m.feed.save(changed, m.settingValues())
}

// savedMsg is the end of a save.
type savedMsg struct {
	world  *opened
	values map[string]string // of all settings when they were saved
	names  []string
	file   string
	err    error
}

// save writes settings.
func (f *feed) save(changed []page.Setting, values map[string]string) tea.Cmd {
	out, write := savedMsg{world: f.world, values: values}, f.world.deps.SaveSettings
	return f.begun(func() tea.Msg {
		for _, s := range changed {
			out.names = append(out.names, s.Name)
		}
		out.err = guard.Try("saving the settings", func() (err error) { out.file, err = write(changed); return err })
		return out
	})
}

// saved shows what a save came to.
func (m *Model) saved(msg savedMsg) {
	if msg.err != nil {
		m.say(theme.Bad, "not saved: "+errorText(msg.err))
		return
	}
	if msg.world == m.feed.world {
		m.atStart = msg.values
	}
	m.say(theme.Info, fmt.Sprintf("saved to %s: %s", msg.file, strings.Join(msg.names, ", ")))
}

// themeChoices are the themes in the palette, listed once the word was typed.
func (m *Model) themeChoices() (out []choice) {
	for _, name := range m.deps.Themes {
		help := widget.Words("draw with these colours; :settings saves them")
		if name == cmp.Or(m.look.Name, "terminal") {
			help = "in use"
		}
		out = append(out, choice{name: "theme " + name, only: "theme", kind: "setting", help: help, set: &page.Set{Name: "theme", Value: name}})
	}
	return out
}
