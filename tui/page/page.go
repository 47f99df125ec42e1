// Package page holds the pages of the console. A page is a value: it is given
// what there is to show and returns lines, it is given an action and returns
// what it wants done. It cannot start work, read a file or wait for anything.
package page

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Page is one screen of the console.
type Page interface {
	// Scope names the screen of the registry whose keys work on the page.
	Scope() string
	// Title is the page's part of the path in the header.
	Title() widget.Line
	// Do carries out one of its actions; an Intent is what
	// the page wants the console to do.
	Do(a keys.Action, e Env) (Page, Intent)
	// View draws it: at most e.H lines of at most e.W cells count.
	View(e Env) []widget.Line
}

// Listener is a page that takes in results of work.
type Listener interface {
	Page
	// Update takes in a result; messages that are not for the page change nothing.
	Update(msg tea.Msg, e Env) (Page, Intent)
}

// Prompter is a page that opens a dialog when its plan is there.
type Prompter interface {
	Page
	// Prompts reports that the plan is awaited. Letters do nothing meanwhile: they may
	// have been typed for the dialog.
	Prompts() bool
}

// Conditional is a page that decides which rows of the table of keys count.
type Conditional interface {
	Page
	// Holds reports whether a condition of the page's own is met.
	Holds(w keys.When, e Env) bool
}

// Lister is a page with a list, one row of which is under the cursor. The lines
// that View draws a row on carry its number, from 1: a click goes there.
type Lister interface {
	Page
	// List is how many rows there are, and the row of the cursor.
	List(e Env) (n, at int)
	// Choose puts the cursor on row i of them.
	Choose(i int, e Env) Page
}

// Move applies a moving action to a page's list, h rows of which are seen. Other
// actions leave the page as it is.
func Move(p Lister, a keys.Action, h int, e Env) Page {
	n, at := p.List(e)
	if i, ok := keys.Move(a, at, n, h); ok && n > 0 {
		return p.Choose(i, e)
	}
	return p
}

// With is a copy of a page that differs by what set sets: pages are values, and
// the history holds those of before.
func With[T any](p *T, set func(*T)) *T {
	q := *p
	set(&q)
	return &q
}

// Filterer is a page whose list can be narrowed.
type Filterer interface {
	Page
	Filter() string
	SetFilter(text string) Page
}

// Env is everything a page may know.
type Env struct {
	W, H      int // cells and lines the page has
	Now       time.Time
	Began     time.Time               // when the asking of this inventory began
	Since     time.Time               // when pgtui began to watch the context
	Every     time.Duration           // between two rounds of asking
	Ago       bool                    // times are shown as how long ago they were
	Inv       *model.Inventory        // nil until it is read
	OldOf     string                  // when Inv was read, "20:14:36", where its files have changed since; "" while they have not
	Snap      *model.Snapshot         // nil until the first node has answered
	Boards    []board.Board           // one for each cluster, in inventory order
	Digest    *Digest                 // of the boards; nil makes a page work it out itself
	Events    []board.Event           // what has changed, the newest first
	Changes   []board.Change          // the same, gathered by incident
	Traffic   *Traffic                // the last samples of every HAProxy section; nil when none are kept
	ReadOnly  bool                    // nothing can be reloaded from this console
	Acts      bool                    // actions on a running cluster are offered
	Topics    map[Topic]bool          // what a page of its own can probe
	Reads     bool                    // the nodes' files are read by themselves
	LastReads map[model.Host]LastRead // what became of that; a node that is not there has not been read yet
	Messages  []Message               // shown to the operator, oldest first
	Ran       []model.Ran             // what was run on nodes, the oldest first
	// Columns are the columns that screens show, by the name of the screen; a
	// screen that is not there shows all of its own.
	Columns    map[string][]string
	Settings   []Setting // what the console can be set to; empty but on the page of that name
	ConfigFile string    // where they are saved
	Unsaved    string    // why they cannot be; "" when they can
	Texts      Texts
}

// Setting is one thing that the console can be set to while it runs.
type Setting struct {
	Name    string
	Path    []string // of its key in the configuration; nil is not saved
	Value   string   // as the configuration has it
	Choices []string // in their order
	Help    string
	Changed bool // since the start, or since it was saved; false for one that is not saved
}

// LastRead is the last time that a node's files were read. What was read is in the
// snapshot.
type LastRead struct {
	At  time.Time // zero when they never were
	Err error     // why the latest attempt failed
}

// Texts are the words that other layers have for things.
type Texts struct {
	Diff    func(plan.FileChange) []DiffLine
	Summary func(plan.FileChange) []string
	File    func(*model.Inventory, *model.Service) string
}

// DiffLine is one line of a unified diff.
type DiffLine struct {
	Kind     byte // ' ' context, '+' added, '-' removed, '@' hunk header
	Text     string
	Old, New int  // line numbers in the old and the new file, from 1; 0 when it is not there
	NoEOL    bool // its file ends here, without a line end
	// Pair is the number that a removed line shares with the added one that took
	// its place, from 1 in each hunk; 0 when there is none.
	Pair int
	// Words are the bytes from..to of Text that the other line of the pair lacks.
	Words [][2]int
}

// Board returns the board of that cluster, or nil.
func (e Env) Board(name model.ClusterName) *board.Board {
	for i := range e.Boards {
		if e.Boards[i].Cluster.Name == name {
			return &e.Boards[i]
		}
	}
	return nil
}

// Named reports whether a word is the name of a cluster, an instance or a node of
// the inventory.
func (e Env) Named(word string) bool {
	return e.Inv != nil && (e.Inv.Cluster(model.ClusterName(word)) != nil || e.Inv.HostOf(word) != "")
}

// ScreenOf is the screen that shows what a command of pgtui prints; "" for none.
func ScreenOf(command string) string {
	return map[string]string{"status": "board", "doctor": "findings", "reload": "reload", "diff": "diff", "access": "access",
		"components": "components", "candidates": "candidates", "whatif": "what-if", "inventory": "inventory", "routes": "haproxy",
		"trace": "trace", "history": "log", "postgres": "postgres", "pgbouncer": "pgbouncer"}[command]
}

// NoAnswer reports that no node has answered yet.
func (e Env) NoAnswer() bool { return e.Snap == nil }

// Pending reports that some node of the cluster has not been probed yet: what
// looks unknown then is only still being probed.
func (e Env) Pending(b *board.Board) bool {
	return e.Snap == nil || e.Now.Sub(e.Began) < patience && !e.Snap.Complete(b.Cluster)
}

// Rows is how many rows of a list there is room for: the page without small lines
// on a low screen, without tall ones where there is room for more than the list.
func (e Env) Rows(small, tall int) int {
	if e.H < 14 {
		return max(e.H-small, 1)
	}
	return max(e.H-tall, 1)
}

// patience is how long a node that was never probed counts as pending; after that
// it is unknown like any other that does not answer.
const patience = 10 * time.Second

// notProbed reports that the instance's Patroni has not been probed yet.
func (e Env) notProbed(name model.InstanceName) bool {
	return e.Snap == nil || (e.Snap.Patroni[name].Status.Tried.IsZero() && e.Now.Sub(e.Began) < patience)
}

// ProxyNotProbed reports that the node's HAProxy has not been probed yet.
func (e Env) ProxyNotProbed(h model.Host) bool {
	return e.Snap == nil || (e.Snap.HAProxy[h].Tried.IsZero() && e.Now.Sub(e.Began) < patience)
}

// Health is the state of a cluster as far as it is known: while nodes have not
// been probed yet, only ok and down count.
func (e Env) Health(b *board.Board) Mark {
	certain := b.Health == model.HealthOK || b.Health == model.HealthDown
	return HealthMark(b.Health, e.NoAnswer() || (!certain && e.Pending(b)))
}

// Summary is the sentence for a cluster.
func (e Env) Summary(b *board.Board) string {
	switch {
	case e.NoAnswer():
		return "probing every Patroni and HAProxy of the cluster …"
	case b.Health != model.HealthOK && b.Health != model.HealthDown && e.Pending(b):
		return "still probing: not every node has answered yet"
	case b.Health == model.HealthOK && e.OldOf != "":
		return "every service is served as declared at " + e.OldOf
	}
	return b.Summary
}

// Intent is what a page wants the console to do.
type Intent interface{ isIntent() }

type (
	// Goto opens a page on top of this one.
	Goto struct{ Page Page }
	// Open opens the screen of that name on top of this one.
	Open struct {
		Screen string
		At     Place
	}
	// Set gives a setting one of its values, at once.
	Set struct{ Name, Value string }
	// Save writes the settings that have changed into the configuration.
	Save struct{}
	// Back closes the page.
	Back struct{}
	// Home closes every page above the cluster's board, or above the fleet.
	Home struct{}
	// MakePlan plans a reload of the cluster; PlanMsg answers.
	MakePlan struct{ Cluster model.ClusterName }
	// Probe probes the nodes for a page; AnswerMsg answers.
	Probe struct{ Inquiry *Inquiry }
	// Both is several intents, carried out in order.
	Both []Intent
	// Confirm prompts the operator before something is changed.
	Confirm struct{ Ask Ask }
	// Execute executes a confirmed plan.
	Execute struct{ Plan PlanMsg }
	// PlanAction opens the plan of an action.
	PlanAction struct{ Request action.Request }
	// Act carries out a confirmed plan of an action.
	Act struct{ Plan ActionPlan }
	// RunProgram gives the terminal to a program.
	RunProgram struct{ Program model.Program }
	// StopRun finishes the node or step that is being worked on and stops there.
	StopRun struct{}
	// Type opens the palette with a text, to be completed.
	Type struct{ Text string }
	// Say shows one line to the operator.
	Say struct{ Text string }
	// Refuse says why no dialog opens. Letters that were typed for it do nothing.
	Refuse struct{ Text string }
	// Yank copies a text and says it: what a terminal drops can still be read.
	Yank struct{ Text string }
)

func (Goto) isIntent()       {}
func (Open) isIntent()       {}
func (Set) isIntent()        {}
func (Save) isIntent()       {}
func (Back) isIntent()       {}
func (Home) isIntent()       {}
func (Yank) isIntent()       {}
func (MakePlan) isIntent()   {}
func (Probe) isIntent()      {}
func (Both) isIntent()       {}
func (Confirm) isIntent()    {}
func (Execute) isIntent()    {}
func (PlanAction) isIntent() {}
func (Act) isIntent()        {}
func (RunProgram) isIntent() {}
func (StopRun) isIntent()    {}
func (Type) isIntent()       {}
func (Say) isIntent()        {}
func (Refuse) isIntent()     {}

// PlanMsg answers MakePlan.
type PlanMsg struct {
	Cluster model.ClusterName
	Inv     *model.Inventory // the inventory the plan was made from
	Plan    plan.Plan
	Err     error
}

// StepMsg is one step of a run, as it happens.
type StepMsg struct{ Result plan.StepResult }

// DoneMsg ends a run.
type DoneMsg struct {
	Report plan.Report
	Err    error
}

// ActionPlan is the plan of an action, and the inventory it was made from.
type ActionPlan struct {
	Inv  *model.Inventory
	Plan action.Plan
}

// EventMsg is one event of an action, as it happens.
type EventMsg struct{ Event action.Event }

// ActedMsg ends an action.
type ActedMsg struct {
	Report action.Report
	Err    error
}

// Runner is the page of a reload or an action under way, and of its end.
type Runner interface {
	Page
	// Stopping marks that no further node or step will be begun.
	Stopping() Page
}

// Message is one line shown to the operator.
type Message struct {
	At   time.Time
	Tone theme.Tone
	Text string
}

// Place is what a page is about.
type Place = model.Place

// Placed is a page that is about something.
type Placed interface {
	Page
	// Place is what the page, or the row under its cursor, is about.
	Place(e Env) Place
}

// Connected is a page on which one endpoint is chosen.
type Connected interface {
	Page
	// DSN is that endpoint as a URI without a password; "" when there is none.
	DSN(e Env) string
}

// Declared is a page on which one line of the inventory is chosen.
type Declared interface {
	Page
	// Line is where it is; the zero one when it is unknown.
	Line(e Env) source.Pos
}

// Commander is a page that knows the command that prints what it shows, and
// what one would type in Pigsty's own tools; "" is none.
type Commander interface {
	Page
	Command(e Env) (pgtui, pigsty string)
}

// Screen is one entry of the registry of screens: the palette, the numbers, the
// table of keys and the tests of all pages come from it.
type Screen struct {
	Name string // as it is typed behind `:`, and the scope of its keys
	Key  string // jumps to it from everywhere: a digit; "" has none
	// Letter does the same wherever no page uses it for something of its own, as the
	// action As: a page that opens the screen by As has its own row for it.
	Letter string
	As     keys.Action
	Help   string
	// Needs says that the screen is of a cluster.
	Needs bool
	// Board says that it is drawn from the cluster's board, which its pages may
	// then take for granted.
	Board bool
	// Topic is what it probes the nodes for; "" when it is drawn from the watch.
	Topic Topic
	// Keys are the keys that work on it, the most useful first.
	Keys []keys.Row
	// Columns are those that a configuration can choose from.
	Columns []string
	// Open makes the page; nil when only other pages open it.
	Open func(Place, Env) Page
}

// Offered reports whether there is somebody to ask what the screen shows.
func (s Screen) Offered(e Env) bool { return s.Open != nil && (s.Topic == "" || e.Offers(s.Topic)) }

// Table is the table of keys of all screens.
func Table(screens []Screen) keys.Table {
	var out keys.Table
	for _, s := range screens {
		out = append(out, keys.Scope(s.Name, s.Keys)...)
	}
	out = append(out, keys.Scope(keys.Everywhere, keys.Global())...)
	for _, s := range screens {
		if s.Open != nil {
			out = append(out, keys.Row{Keys: s.Key, Action: keys.Screen(s.Name), Help: s.Name + ": " + s.Help, Opens: s.Name})
		}
	}
	for _, s := range screens {
		if s.Letter != "" {
			out = append(out, keys.Row{Keys: s.Letter, Action: s.As, Help: s.Name + ": " + s.Help, Opens: s.Name})
		}
	}
	return out
}

// CommandOf is a command and the cluster it is of, if any.
func CommandOf(command string, c model.ClusterName) string {
	if c == "" {
		return command
	}
	return command + " " + string(c)
}

// ServiceOf is the service at a place, the cluster's first when none is named.
func (e Env) ServiceOf(at Place) model.ServiceName {
	if b := e.Board(at.Cluster); at.Service == "" && b != nil && len(b.Routes) > 0 {
		return b.Routes[0].Service
	}
	return at.Service
}

// InstanceOf is the instance at a place, else the cluster's leader, else its first.
func (e Env) InstanceOf(at Place) model.InstanceName {
	b := e.Board(at.Cluster)
	switch {
	case at.Instance != "" || b == nil:
		return at.Instance
	case b.Member(b.Leader) == nil && len(b.Members) > 0:
		return b.Members[0].Instance
	}
	return b.Leader
}

// HostOf is the host at a place, else the one of its instance, else the first
// that has an HAProxy of the cluster.
func (e Env) HostOf(at Place) model.Host {
	b := e.Board(at.Cluster)
	if at.Host != "" || b == nil {
		return at.Host
	}
	if in := b.Cluster.Instance(at.Instance); in != nil {
		return in.Host
	}
	if len(b.Cluster.LoadBalancers) > 0 {
		return b.Cluster.LoadBalancers[0].Host
	}
	return ""
}
