package values

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Settings are what the console can be set to while it runs, each applied at once.
type Settings struct {
	cursor int
	top    int
}

// SettingsScreen is the page in the registry.
func SettingsScreen() page.Screen {
	return page.Screen{Name: "settings", Letter: ",", As: keys.Settings, Help: "theme, refresh, mouse, times, columns: a change applies at once, s saves it",
		Open: func(page.Place, page.Env) page.Page { return &Settings{} },
		Keys: append([]keys.Row{
			{Keys: "enter right l", Action: keys.Next, Label: "next value", Help: "apply the next value"},
			{Keys: "left h", Action: keys.Prev, Help: "apply the previous value"},
			{Keys: "s", Action: keys.Save, Label: "save", Help: "save the changed settings to the configuration; comments and other keys stay"},
		}, keys.Moves()...)}
}

// Title of the page.
func (p *Settings) Title() widget.Line { return widget.P("settings") }

// Scope of the page's keys.
func (p *Settings) Scope() string { return "settings" }

// List is the settings.
func (p *Settings) List(e page.Env) (n, at int) {
	return len(e.Settings), max(min(p.cursor, len(e.Settings)-1), 0)
}

// Choose puts the cursor on a setting.
func (p *Settings) Choose(i int, e page.Env) page.Page {
	return page.With(p, func(q *Settings) {
		q.cursor, q.top = i, widget.Window(p.top, i, len(e.Settings), p.space(e))
	})
}

// Do changes the setting under the cursor, or saves.
func (p *Settings) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	n, at := p.List(e)
	switch {
	case a == keys.Save:
		return p, page.Save{}
	case n > 0 && (a == keys.Next || a == keys.Prev):
		s := e.Settings[at]
		i := max(slices.Index(s.Choices, s.Value), 0)
		return p, page.Set{Name: s.Name, Value: s.Choices[page.Neighbour(a, i, len(s.Choices))]}
	}
	return page.Move(p, a, p.space(e), e), nil
}

func (p *Settings) space(e page.Env) int { return max(e.H-8, 1) }

// View draws the settings, and below them what the one under the cursor is for.
func (p *Settings) View(e page.Env) []widget.Line {
	n, at := p.List(e)
	changed := 0
	t := widget.Table{Cols: []widget.Column{{Title: "SETTING"}, {Title: "VALUE", Min: 8}, {Title: "OF", Min: 10, Flex: true, Drop: 1}}}
	for _, s := range e.Settings {
		value := widget.Raw(theme.Strong, s.Value)
		if s.Changed {
			changed++
			value = value.Add(theme.Warn, " *")
		}
		t.Rows = append(t.Rows, []widget.Line{widget.Raw(theme.Plain, s.Name), value, widget.Raw(theme.Dim, strings.Join(s.Choices, ", "))})
	}
	out := []widget.Line{widget.T(theme.Head, widget.F(" SETTINGS %d", n)), nil}
	h := p.space(e)
	top := widget.Window(p.top, at, n, h)
	last := min(top+h, n)
	out = append(out[:1], page.ListLines(t.Layout(e.W-2), t.Rows[top:last], top, at, n, h, e)...)
	if n > 0 && e.H > 10 {
		out = append(out, nil)
	}
	if n > 0 {
		out = append(out, page.Wrapped(theme.Plain, widget.Words(e.Settings[at].Help), " ", e.W, 2)...)
	}
	where := e.Unsaved
	switch {
	case where != "":
	case changed > 0:
		where = fmt.Sprintf("* has changed: s saves to %s", e.ConfigFile)
	default:
		where = "saved in " + e.ConfigFile
	}
	return append(out, page.Wrapped(theme.Dim, widget.Words(where), " ", e.W, 2)...)
}
