package tui

import (
	"slices"

	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/page/detail"
	"pgtui/tui/page/journal"
	"pgtui/tui/page/overview"
	"pgtui/tui/page/reload"
	"pgtui/tui/page/values"
	"pgtui/tui/page/ways"
)

// screens are the screens of the console, in the order of the palette, then
// those that only other pages open. A new screen is a line here.
func screens() []page.Screen {
	return []page.Screen{
		overview.FleetScreen(),
		overview.BoardScreen(),
		overview.TopologyScreen(),
		detail.ServiceScreen(),
		detail.InstanceScreen(),
		detail.NodeScreen(),
		journal.FindingsScreen(),
		journal.EventsScreen(),
		reload.DiffScreen(),
		detail.WhatIfScreen(),
		ways.AccessScreen(),
		ways.ComponentsScreen(),
		ways.TraceScreen(),
		values.InventoryScreen(),
		reload.ReloadScreen(),
		journal.LogScreen(),
		values.ValueScreen(),
		page.HelpScreen(),
		reload.ReloadingScreen(),
		reload.ReloadedScreen(),
	}
}

// ActionNames are the names of all actions that keys can be given to.
func ActionNames() []string { return page.Table(screens()).Actions() }

// Columns are the columns that a configuration can choose from, by screen.
func Columns() map[string][]string {
	out := map[string][]string{}
	for _, s := range screens() {
		if len(s.Columns) > 0 {
			out[s.Name] = s.Columns
		}
	}
	return out
}

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
	table := page.Table(screens())
	var out []ScreenKeys
	for _, s := range screens() {
		one := ScreenKeys{Screen: s.Name}
		for _, r := range table.In(s.Name) {
			if r.Keys != "" {
				one.Keys = append(one.Keys, ActionKeys{string(r.Action), r.Names()})
			}
		}
		out = append(out, one)
	}
	return out
}

// screen is the screen of that name; the zero one when there is none.
func (m *Model) screen(name string) page.Screen {
	if i := slices.IndexFunc(m.screens, func(s page.Screen) bool { return s.Name == name }); i >= 0 {
		return m.screens[i]
	}
	return page.Screen{}
}

// rows are the rows of the table of keys that count here and now, those of the
// page that is seen first.
func (m *Model) rows(e page.Env) keys.Table {
	cluster := m.place(e).Cluster != ""
	return slices.DeleteFunc(m.table.In(m.top().Scope()), func(r keys.Row) bool {
		if s := m.screen(r.Opens); r.Opens != "" && (!s.Offered(e) || s.Needs && !cluster) {
			return true
		}
		return !m.holds(r.When, e)
	})
}

// holds reports whether a condition of the table of keys is met.
func (m *Model) holds(w keys.When, e page.Env) bool {
	switch w {
	case keys.Always:
		return true
	case keys.HasPast:
		return len(m.past) > 0
	case keys.HasFuture:
		return len(m.future) > 0
	case keys.Prints:
		_, ok := m.top().(page.Commander)
		return ok
	}
	c, ok := m.top().(page.Conditional)
	return ok && c.Holds(w, e)
}
