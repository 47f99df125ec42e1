// Package keys holds what a key press means. The bindings a page offers are
// the ones that are executed, listed in its footer and explained in its help:
// there is one table, so the three cannot drift apart.
package keys

import "charm.land/bubbles/v2/key"

// Action is what a key asks for.
type Action string

// The actions.
const (
	Up       Action = "up"
	Down     Action = "down"
	Left     Action = "left"
	Right    Action = "right"
	Top      Action = "top"
	Bottom   Action = "bottom"
	PageUp   Action = "page-up"
	PageDown Action = "page-down"
	Next     Action = "next"
	Prev     Action = "prev"
	NextNode Action = "next-node"
	PrevNode Action = "prev-node"
	Open     Action = "open"
	Findings Action = "findings"
	Events   Action = "events"
	WhatIf   Action = "what-if"
	Topology Action = "topology"
	Instance Action = "instance"
	Node     Action = "node"
	Sort     Action = "sort"
	Reverse  Action = "sort-reverse"
	Toggle   Action = "toggle"
	Lead     Action = "lead"
	Diff     Action = "diff"
	Reload   Action = "reload"
	Faults   Action = "faults"
	Access   Action = "access"
	Parts    Action = "components"
	DSN      Action = "copy-dsn"
	Trace    Action = "trace"
	Values   Action = "inventory"
	Stop     Action = "stop"
	Again    Action = "again"

	NextChange Action = "next-change"
	PrevChange Action = "prev-change"

	Filter  Action = "filter"
	Refresh Action = "refresh"
	Help    Action = "help"
	Back    Action = "back"
	Quit    Action = "quit"
	Cancel  Action = "cancel"
	Suspend Action = "suspend"

	Palette Action = "palette"
	Past    Action = "history-back"
	Future  Action = "history-forward"
	Freeze  Action = "freeze"
	Faster  Action = "faster"
	Slower  Action = "slower"
	Copy    Action = "copy"
	Mouse   Action = "mouse"
)

// Screen is the action that jumps to the screen of that name.
func Screen(name string) Action { return Action("screen-" + name) }

// Binding ties keys to an action.
type Binding struct {
	key.Binding
	Do Action
	// Label is the word in the footer; "" keeps the binding out of it.
	Label string
}

// New makes a binding: shown is how the keys are written, help what they do.
func New(do Action, label, shown, help string, names ...string) Binding {
	return Binding{
		Binding: key.NewBinding(key.WithKeys(names...), key.WithHelp(shown, help)),
		Do:      do, Label: label,
	}
}

// Find returns the action of the key of that name, the first that has it.
func Find(name string, tables ...[]Binding) (Action, bool) {
	for _, t := range tables {
		for _, b := range t {
			if !b.Enabled() {
				continue
			}
			for _, k := range b.Keys() {
				if k == name {
					return b.Do, true
				}
			}
		}
	}
	return "", false
}

// Moves are the keys of every list: up, down and in leaps.
func Moves() []Binding {
	return []Binding{
		New(Up, "", "↑/k", "up", "up", "k"),
		New(Down, "", "↓/j", "down", "down", "j"),
		New(PageUp, "", "pgup", "a page up", "pgup", "ctrl+b", "ctrl+u"),
		New(PageDown, "", "pgdn", "a page down", "pgdown", "ctrl+f", "ctrl+d"),
		New(Top, "", "g", "to the top", "g", "home"),
		New(Bottom, "", "G", "to the end", "G", "end"),
	}
}

// Global are the keys that work everywhere.
func Global() []Binding {
	return []Binding{
		New(Help, "help", "?", "the keys that work here", "?", "f1"),
		New(Back, "back", "esc", "back to where you came from", "esc"),
		New(Palette, "", ":", "go to a screen, cluster, service, instance, or do something by its name", ":", "ctrl+p"),
		New(Past, "", "<", "the screen you were on before", "<", "alt+left"),
		New(Future, "", ">", "forward again in that history", ">", "alt+right"),
		New(Freeze, "", "space", "hold the screen still to read it; again: go on", "space"),
		New(Faster, "", "+", "ask the nodes more often", "+", "="),
		New(Slower, "", "-", "ask them less often", "-"),
		New(Copy, "", "y", "copy the command that prints this, and Pigsty's own", "y"),
		New(Mouse, "", "m", "let the terminal have the mouse, to select text; again: take it", "m"),
		New(Refresh, "", "R", "read the inventory again and ask every node anew", "R", "ctrl+r"),
		New(Quit, "quit", "q", "leave pgtui", "q"),
		New(Cancel, "", "ctrl-c", "leave pgtui; during a reload: finish this node and stop", "ctrl+c"),
		New(Suspend, "", "ctrl-z", "to the shell; fg comes back", "ctrl+z"),
	}
}

// Move applies a moving action to a cursor over n rows, h of which are seen.
func Move(do Action, cur, n, h int) (int, bool) {
	switch do {
	case Up:
		cur--
	case Down:
		cur++
	case PageUp:
		cur -= max(h-1, 1)
	case PageDown:
		cur += max(h-1, 1)
	case Top:
		cur = 0
	case Bottom:
		cur = n - 1
	default:
		return cur, false
	}
	return max(min(cur, n-1), 0), true
}

// Remap gives actions other keys: those of an action that is in to are replaced.
func Remap(table []Binding, to map[string][]string) []Binding {
	if len(to) == 0 {
		return table
	}
	out := make([]Binding, 0, len(table))
	for _, b := range table {
		if names, ok := to[string(b.Do)]; ok && len(names) > 0 {
			b.Binding = key.NewBinding(key.WithKeys(names...), key.WithHelp(names[0], b.Help().Desc))
		} else if ok {
			continue // no key at all
		}
		out = append(out, b)
	}
	return out
}
