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
	var rates []string
	for _, d := range paces() {
		rates = append(rates, rate(d))
	}
	out := []page.Setting{
		{Name: "theme", Path: []string{"theme"}, Value: cmp.Or(m.look.Name, "terminal"), Choices: m.deps.Themes, Help: "the colours; terminal is your terminal's own 16"},
		{Name: "refresh", Path: []string{"refresh"}, Value: m.chosenRate(), Near: rate(m.every()), Choices: rates, Help: "the time between two rounds of probing; + and - change it on every page"},
		{Name: "mouse", Path: []string{"mouse"}, Value: onOff(!m.noMouse), Choices: []string{"true", "false"}, Help: "false: the terminal keeps the mouse, to select text; m on every page"},
		{Name: "times", Value: map[bool]string{true: "ago", false: "clock"}[m.ago], Choices: []string{"clock", "ago"}, Help: "show the time of day of an event, or how long ago it was; @ on every page"},
		{Name: "read-only", Value: onOff(m.deps.ReadOnly != ""), Choices: []string{"true"}, Help: "true: the console is read-only until pgtui is restarted"},
	}
	for _, s := range m.screens {
		for _, c := range s.Columns {
			out = append(out, page.Setting{Name: columnSetting(s.Name, c), Value: onOff(slices.Contains(m.columns(s), c)), Choices: []string{"true", "false"}, Help: "whether the page " + s.Name + " has this column"})
		}
	}
	was := m.atStart
	for i := range out {
		out[i].Changed = was != nil && was[out[i].Name] != out[i].Value
	}
	return out
}

// chosenRate is the pace that was chosen here or in the configuration, else automatic.
func (m *Model) chosenRate() string {
	if d := cmp.Or(m.pace, m.deps.Every); d > 0 {
		return rate(d)
	}
	return "automatic"
}

// rate is a pace as the configuration has it.
func rate(d time.Duration) string {
	if d < time.Second {
		return strconv.Itoa(int(d.Milliseconds())) + "ms"
	}
	return strconv.Itoa(int(d.Seconds())) + "s"
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

// begin remembers the settings as they are, to know what has changed.
func (m *Model) begin() {
	at := map[string]string{}
	for _, s := range m.settings() {
		at[s.Name] = s.Value
	}
	m.atStart = at
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
		m.dress(look)
	case "refresh":
		for _, d := range paces() {
			if rate(d) == value {
				return m.probeEvery(d)
			}
		}
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
		case s.Path != nil:
			out = append(out, s)
		case strings.Contains(s.Name, " · "):
			screen, _, _ := strings.Cut(s.Name, " · ")
			lists[screen] = true
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

// save writes what has changed into the configuration.
func (m *Model) save() tea.Cmd {
	changed := m.changed()
	switch {
	case m.deps.SaveSettings == nil:
		m.say(theme.Warn, "this console has no configuration to save to")
		return nil
	case m.deps.ReadOnly != "":
		m.say(theme.Warn, "not saved: the console is read-only by "+m.deps.ReadOnly)
		return nil
	case len(changed) == 0:
		m.say(theme.Info, "no changes to save")
		return nil
	}
	return m.feed.save(changed)
}

// savedMsg is the end of a save.
type savedMsg struct {
	names []string
	file  string
	err   error
}

// save writes settings.
func (f *feed) save(changed []page.Setting) tea.Cmd {
	write := f.world.deps.SaveSettings
	return f.begun(func() tea.Msg {
		out := savedMsg{}
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
	m.begin()
	m.say(theme.Info, fmt.Sprintf("saved to %s: %s", msg.file, strings.Join(msg.names, ", ")))
}

// themeChoices are the themes in the palette, listed once the word was typed.
func (m *Model) themeChoices() (out []choice) {
	for _, name := range m.deps.Themes {
		help := "draw with these colours; :settings saves them"
		if name == cmp.Or(m.look.Name, "terminal") {
			help = "in use"
		}
		out = append(out, choice{name: "theme " + name, only: "theme", kind: "setting", help: help, set: &page.Set{Name: "theme", Value: name}})
	}
	return out
}
