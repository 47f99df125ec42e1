package tui

import (
	"slices"

	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/page/actions"
	"pgtui/tui/page/detail"
	"pgtui/tui/page/journal"
	"pgtui/tui/page/overview"
	"pgtui/tui/page/reload"
	"pgtui/tui/page/server"
	"pgtui/tui/page/values"
	"pgtui/tui/page/ways"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
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
		server.PostgresScreen(),
		server.PoolerScreen(),
		ways.AccessScreen(),
		ways.ComponentsScreen(),
		ways.TraceScreen(),
		actions.CandidatesScreen(),
		actions.MenuScreen(),
		values.InventoryScreen(),
		reload.Preview(),
		journal.LogScreen(),
		values.SettingsScreen(),
		journal.LogsScreen(),
		values.ValueScreen(),
		page.HelpScreen(),
		reload.ReloadingScreen(),
		reload.ReloadedScreen(),
		actions.PlanScreen(),
		actions.ActingScreen(),
		actions.ActedScreen(),
	}
}

// Keys is the table of keys of all screens, without a configuration.
func Keys() keys.Table { return page.Table(screens()) }

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
	cluster, missing := m.place(e).Cluster != "", m.missing(e) != nil
	own := m.table[m.top().Scope()]
	out := make(keys.Table, 0, len(own))
	for _, r := range own {
		s := m.screen(r.Opens)
		if r.Scope == keys.Everywhere && slices.ContainsFunc(out, func(o keys.Row) bool { return o.Action == r.Action }) {
			continue // the page has it in its own way
		}
		offered := r.Opens == "" || s.Offered(e) && (cluster || !s.Needs)
		if c := m.command(r.Action); c != nil {
			offered = c.Lacks(m.values(e)) == ""
		}
		if offered && (!missing || r.Scope == keys.Everywhere) && m.holds(r.When, e) {
			out = append(out, r)
		}
	}
	return out
}

// missing says why a page that is drawn from a board cannot be; nil when it can.
func (m *Model) missing(e page.Env) []widget.Line {
	p, ok := m.top().(page.Placed)
	if !ok || !m.screen(m.top().Scope()).Board {
		return nil
	}
	switch c := p.Place(e).Cluster; {
	case e.Inv == nil:
		return []widget.Line{nil, widget.T(theme.Info, " reading the inventory …")}
	case e.Board(c) == nil:
		return []widget.Line{nil, widget.T(theme.Warn, widget.F(" The inventory %s has no cluster %s.", widget.Data(e.Inv.Source), widget.Data(c)))}
	}
	return nil
}

// body is the page that is seen, or why it cannot be drawn.
func (m *Model) body(e page.Env) []widget.Line {
	if why := m.missing(e); why != nil {
		return why
	}
	return m.top().View(e)
}

// holds reports whether a condition of the table of keys is met.
func (m *Model) holds(w keys.When, e page.Env) bool {
	switch w {
	case keys.Always:
		return true
	case keys.Live:
		return m.deps.Replay == nil
	case keys.Replaying:
		return m.deps.Replay != nil
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
