package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// ActionNames are the names of all actions that keys can be given to.
func ActionNames() []string {
	out := []string{string(keys.Left), string(keys.Right), string(keys.Next), string(keys.Prev), string(keys.NextNode), string(keys.PrevNode),
		string(keys.NextChange), string(keys.PrevChange),
		string(keys.Open), string(keys.Findings), string(keys.Events), string(keys.WhatIf), string(keys.Toggle), string(keys.Lead), string(keys.Diff),
		string(keys.Reload), string(keys.Faults), string(keys.Again), string(keys.Filter),
		string(keys.Access), string(keys.Parts), string(keys.Trace), string(keys.DSN), string(keys.Values),
		string(keys.Topology), string(keys.Instance), string(keys.Node), string(keys.Sort), string(keys.Reverse)}
	for _, t := range [][]keys.Binding{keys.Moves(), keys.Global()} {
		for _, b := range t {
			out = append(out, string(b.Do))
		}
	}
	for _, s := range page.Screens() {
		out = append(out, string(keys.Screen(s.Name)))
	}
	return out
}

// Columns are the columns that a configuration can choose from, by screen.
func Columns() map[string][]string { return page.Columns() }

// ScreenKeys are the keys that mean something on one screen without a
// configuration, in the order that they are looked for: the screen's own go before
// those that work everywhere.
type ScreenKeys struct {
	Screen string
	Keys   []ActionKeys
}

// ActionKeys are the keys of one action.
type ActionKeys struct {
	Action string
	Keys   []string
}

// DefaultKeys are those of every screen.
func DefaultKeys() []ScreenKeys {
	everywhere := keys.Global()
	for _, s := range page.Screens() {
		if s.Key != "" {
			everywhere = append(everywhere, screenKey(s))
		}
	}
	var out []ScreenKeys
	for _, d := range page.AllDefaults() {
		one := ScreenKeys{Screen: d.Screen}
		for _, t := range [][]keys.Binding{d.Keys, everywhere} {
			for _, b := range t {
				one.Keys = append(one.Keys, ActionKeys{string(b.Do), b.Keys()})
			}
		}
		out = append(out, one)
	}
	return out
}

// screenKey is the number that jumps to a screen.
func screenKey(s page.Screen) keys.Binding {
	return keys.New(keys.Screen(s.Name), "", s.Key, s.Name+": "+s.Help, s.Key)
}

// banner is one line that cannot be missed, nil when nothing asks for one:
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
		parts = append(parts, "FROZEN since "+m.frozen.Format("15:04:05")+", space goes on")
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
// in which nobody must act without knowing.
func (m *Model) alarms() []string {
	var name model.ClusterName
	if one, single := m.second(); single {
		name = one.Name()
	}
	_, board := m.top().(*page.Cluster)
	var words []string
	names := map[string][]string{}
	for _, a := range m.digest.Alarms(name) {
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

// copyCommand copies the command that prints this screen, and says it: what a
// terminal without OSC 52 drops can still be read and selected.
func (m *Model) copyCommand(e page.Env) tea.Cmd {
	c, ok := m.top().(page.Commander)
	if !ok {
		m.say(theme.Info, "no command prints this screen")
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
func (m *Model) yank(raw, more string) tea.Cmd {
	m.say(theme.Info, "copied: "+raw+more)
	return tea.SetClipboard(text.Clean(raw))
}

// ContextInfo is one context as the console knows it.
type ContextInfo struct {
	Name        string
	Environment string
	Colour      string // of the banner; "" is none, or red in production
	Production  bool
}
