// Package keys holds what a key press means: one table of rows, each a key's
// meaning in a scope. The keys that are executed, the footer, the help, the
// palette, the operator's own keys and their validation all come from it.
package keys

import (
	"slices"
	"strings"
)

// Action is what a key does.
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
	Again    Action = "again"

	Candidates Action = "candidates"
	Postgres   Action = "postgres"
	Pgbouncer  Action = "pgbouncer"
	StopQuery  Action = "cancel-query"
	Terminate  Action = "terminate"
	Act        Action = "act"
	Plan       Action = "plan"
	Failover   Action = "plan-failover"
	Edit       Action = "edit"

	Mark       Action = "mark"
	Time       Action = "past"
	NextEvent  Action = "next-event"
	PrevEvent  Action = "prev-event"
	NextMinute Action = "next-minute"
	PrevMinute Action = "prev-minute"
	NextChange Action = "next-change"
	PrevChange Action = "prev-change"

	Filter  Action = "filter"
	Refresh Action = "refresh"
	Help    Action = "help"
	Back    Action = "back"
	Quit    Action = "quit"
	Cancel  Action = "cancel"
	Suspend Action = "suspend"

	Palette  Action = "palette"
	Past     Action = "history-back"
	Future   Action = "history-forward"
	Freeze   Action = "freeze"
	Faster   Action = "faster"
	Slower   Action = "slower"
	Copy     Action = "copy"
	Mouse    Action = "mouse"
	Lock     Action = "read-only"
	Settings Action = "settings"
	Save     Action = "save"
	Times    Action = "times"
	Said     Action = "messages"

	Logs   Action = "logs"
	Shell  Action = "shell"
	Psql   Action = "psql"
	Editor Action = "edit-inventory"
)

// Screen is the action that jumps to the screen of that name.
func Screen(name string) Action { return Action("screen-" + name) }

// When is a condition under which a row counts. Pages have conditions of their
// own beside these.
type When string

// The conditions of the whole console.
const (
	Always    When = ""
	HasPast   When = "past"    // there is a screen to go back to
	HasFuture When = "future"  // and one to go forward to
	Prints    When = "command" // a command prints the screen
	Live      When = "live"    // the nodes are shown
	Replaying When = "replay"  // a recording is shown
)

// Row is one line of the table.
type Row struct {
	Scope  string // the screen on which it counts; Everywhere is all
	Keys   string // by their names, separated by blanks; "" is none
	Action Action
	Label  string // in the footer; "" keeps the row out of it
	Help   string
	When   When
	Opens  string // the screen that the action opens; "" leaves the action to the page
	Own    bool   // the operator wrote Help: it is not translated
}

// Everywhere is the scope of the keys that work on all screens.
const Everywhere = ""

// Table is rows in the order of the footer and the help. Of two rows with one
// key the first that counts has it.
type Table []Row

// Scope are rows as those of a scope.
func Scope(name string, rows []Row) Table {
	out := slices.Clone(rows)
	for i := range out {
		out[i].Scope = name
	}
	return out
}

// In are the rows that count in a scope: its own, then those that count everywhere. If
// the scope uses a key for another action, the key does not open a screen, even while
// that action is not possible.
func (t Table) In(scope string) Table {
	var own, all Table
	for _, r := range t {
		switch r.Scope {
		case scope:
			own = append(own, r)
		case Everywhere:
			all = append(all, r)
		}
	}
	return append(own, slices.DeleteFunc(all, own.takes)...)
}

// takes reports whether rows have all keys of r, which opens a screen, for another
// action.
func (t Table) takes(r Row) bool {
	taken := func(key string) bool {
		o, ok := t.Find(key)
		return ok && o.Action != r.Action
	}
	return r.Opens != "" && r.Keys != "" && !slices.ContainsFunc(r.Names(), func(key string) bool { return !taken(key) })
}

// Find is the first row that has the key of that name.
func (t Table) Find(key string) (Row, bool) {
	for _, r := range t {
		if slices.Contains(r.Names(), key) {
			return r, true
		}
	}
	return Row{}, false
}

// Actions are the names of all actions, each once.
func (t Table) Actions() []string {
	return t.each(func(r Row) string { return string(r.Action) })
}

// each is what of says of the rows, each once; "" is left out.
func (t Table) each(of func(Row) string) []string {
	var out []string
	for _, r := range t {
		if s := of(r); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Scopes are the names of all scopes but Everywhere, in their order.
func (t Table) Scopes() []string { return t.each(func(r Row) string { return r.Scope }) }

// Remap gives actions other keys: those of an action that is in to are replaced,
// and an empty list leaves none.
func (t Table) Remap(to map[string][]string) Table {
	out := slices.Clone(t)
	for i := range out {
		if names, ok := to[string(out[i].Action)]; ok {
			out[i].Keys = strings.Join(names, " ")
		}
	}
	return out
}

// Names are the names of the row's keys.
func (r Row) Names() []string { return strings.Fields(r.Keys) }

// Shown is how the footer and the help write the row's keys: the first one, and
// the letter beside an arrow; "" when it has none.
func (r Row) Shown() string {
	names := r.Names()
	if len(names) == 0 {
		return ""
	}
	name := names[0]
	switch {
	case len(names) > 1 && name[0] >= '0' && name[0] <= '9':
		return name + "/" + names[1]
	}
	switch name {
	case "up", "down", "left", "right":
		arrow := map[string]string{"up": "↑", "down": "↓", "left": "←", "right": "→"}[name]
		return strings.Join(append([]string{arrow}, names[1:min(len(names), 2)]...), "/")
	case "pgdown":
		return "pgdn"
	case "+":
		return name
	}
	return strings.ReplaceAll(name, "+", "-")
}

// Moves are the keys of every list: up, down and in leaps.
func Moves() []Row {
	return []Row{
		{Keys: "up k", Action: Up, Help: "one row up"},
		{Keys: "down j", Action: Down, Help: "one row down"},
		{Keys: "pgup ctrl+b ctrl+u", Action: PageUp, Help: "a page up"},
		{Keys: "pgdown ctrl+f ctrl+d", Action: PageDown, Help: "a page down"},
		{Keys: "g home", Action: Top, Help: "to the top"},
		{Keys: "G end", Action: Bottom, Help: "to the end"},
	}
}

// Global are the keys that work everywhere.
func Global() []Row {
	return []Row{
		{Keys: "? f1", Action: Help, Label: "help", Help: "the keys that work here"},
		{Keys: "esc", Action: Back, Label: "back", Help: "back to where you came from"},
		{Keys: ": ctrl+p", Action: Palette, Help: "go to a screen, cluster, service or instance, or run an action, by name"},
		{Keys: "< alt+left", Action: Past, Help: "back in the history of screens", When: HasPast},
		{Keys: "> alt+right", Action: Future, Help: "forward in the history of screens", When: HasFuture},
		{Keys: "space", Action: Freeze, Help: "freeze the screen to read it; in a replay: play; again: resume"},
		{Keys: "[", Action: PrevEvent, Label: "event before", Help: "to the event before", When: Replaying},
		{Keys: "]", Action: NextEvent, Label: "event after", Help: "to the event after", When: Replaying},
		{Keys: "{", Action: PrevMinute, Help: "a minute back", When: Replaying},
		{Keys: "}", Action: NextMinute, Help: "a minute forth", When: Replaying},
		{Keys: "H", Action: Time, Help: "to the recordings of these clusters; again: back to now"},
		{Keys: "+ =", Action: Faster, Help: "probe the nodes more often"},
		{Keys: "-", Action: Slower, Help: "probe the nodes less often"},
		{Keys: "\"", Action: Said, Help: "the messages of this console in full, the newest first"},
		{Keys: "M", Action: Mark, Help: "set a mark in the recording, to find this moment again", When: Live},
		{Keys: "@", Action: Times, Help: "show how long ago things happened instead of the time of day; again: the time of day"},
		{Keys: "y", Action: Copy, Help: "copy the command that prints this screen, and Pigsty's own", When: Prints},
		{Keys: "!", Action: Shell, Help: "a shell on this node by ssh; on a cluster: on its leader's node"},
		{Keys: "P", Action: Psql, Help: "psql through this service, or to this instance"},
		{Keys: "D", Action: DSN, Help: "copy the DSN of this service or instance, never with a password"},
		{Keys: "E", Action: Editor, Help: "edit the inventory at the line that declares this, then show the diff"},
		{Keys: "m", Action: Mouse, Help: "give the mouse to the terminal, to select text; again: take it back"},
		{Action: Lock, Help: "make the console read-only until pgtui is restarted"},
		{Keys: "R ctrl+r", Action: Refresh, Help: "reread the inventory and probe every node again"},
		{Keys: "q", Action: Quit, Label: "quit", Help: "leave pgtui"},
		{Keys: "ctrl+c", Action: Cancel, Help: "leave pgtui; during a reload or an action: finish this node or step and stop"},
		{Keys: "ctrl+z", Action: Suspend, Help: "suspend to the shell; fg resumes"},
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
