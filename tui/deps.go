// Package tui is the console: a Bubble Tea program that draws boards and starts
// reloads. It knows the model and the terminal; everything that touches
// the world arrives through Deps.
package tui

import (
	"context"
	"time"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
	"pgtui/plan"
	"pgtui/source"
	"pgtui/tui/page"
)

// Deps is the world as the console may use it. Every function must return
// when its context ends.
type Deps struct {
	// Inventory is the inventory as it was read at the start: the first frame
	// shows its clusters. nil makes the console begin with Load, and end
	// with its error.
	Inventory *model.Inventory
	// Load reads the inventory afresh.
	Load func(ctx context.Context) (*model.Inventory, error)
	// Stamp looks at the files that an inventory was read from, and gives them with
	// their stamps as they are now. nil leaves changes unseen.
	Stamp func(in []source.Input) []source.Input
	// Watch probes the inventory's nodes until ctx ends and sends immutable
	// snapshots; the channel is closed at the end.
	Watch func(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan *model.Snapshot
	// Plan reads the cluster's HAProxy nodes and says what a reload would do.
	Plan func(ctx context.Context, inv *model.Inventory, cluster model.ClusterName, hosts []model.Host) (plan.Plan, error)
	// Execute carries a plan out, telling each step as it happens. nil means
	// a read-only console.
	Execute func(ctx context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error)
	// Examine reads what a HAProxy node holds on disk, which processes run there and
	// what was done to its servers, over SSH. It changes nothing. nil leaves the files to the diff.
	Examine func(ctx context.Context, inv *model.Inventory, h model.Host) model.Reading
	// Access says every way into a cluster and where each leads now: it connects
	// to all of them. snap is the newest snapshot, and may be nil. nil
	// offers no access page.
	Access func(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, cluster model.ClusterName) (access.Access, error)
	// Components checks everything that Pigsty runs on a cluster's nodes. nil offers
	// no components page.
	Components func(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) ([]model.ComponentRow, error)
	// Trace makes one connection and reports what each hop did. target is what
	// `pgtui trace` is given: a cluster or an entry point and a service, or a
	// connection string. nil offers no trace page.
	Trace func(ctx context.Context, inv *model.Inventory, target []string) (trace.Trace, error)
	// Origins reads the inventory afresh and says where the values of a cluster
	// come from, of all clusters when it is "". inv is what the console shows; its
	// hash differs when the file has changed since. nil offers no inventory page.
	Origins func(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) (source.Origins, error)
	// Rules reads what Patroni decides a failover of a cluster by. snap is the newest
	// snapshot, and may be nil. nil leaves it to the inventory.
	Rules func(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, cluster model.ClusterName) (model.RuleFacts, error)
	// Diff is the unified diff of one change, line by line, for display.
	Diff func(c plan.FileChange) []DiffLine
	// Summary is a change in plain words.
	Summary func(c plan.FileChange) []string
	// File is a service's rendered file, for the service page.
	File func(inv *model.Inventory, s *model.Service) string
	// Now is the clock.
	Now func() time.Time
	// Actions are extra keys of the sandbox; nil outside `pgtui demo`.
	Actions []Action
	Every   time.Duration // refresh interval; 0 means 2 s, and up to 5 s for a large fleet
	Version string
	// Environ is the environment, KEY=value, with the terminal's
	// character set and colours; nil means the process's own.
	Environ []string
	// ReadOnly names what made the console read-only, "" when nothing did.
	ReadOnly string
	// Theme is the name of the theme; "" is the terminal's own colours.
	Theme string
	// NoMouse leaves the mouse to the terminal from the start.
	NoMouse bool
	// Keys gives actions other keys, Columns screens other columns.
	Keys, Columns map[string][]string
	// Context is the one that is open, Contexts are all there are.
	Context  ContextInfo
	Contexts []ContextInfo
	// Open is the world of another context.
	Open func(ctx context.Context, name string) (Deps, error)
	// Ran is everything that was run on nodes, the oldest first; nil is nothing.
	Ran func() []model.Ran
	// Command is how pgtui was called, with the flags that tell its inventory;
	// "" is plain pgtui. Commands that are copied begin with it.
	Command string
	// Start is the cluster to open on; "" opens the fleet.
	Start model.ClusterName
}

// Action is one sandbox key: it makes something happen to the simulated nodes.
type Action struct {
	Key   string
	Label string
	Do    func(ctx context.Context) error
}

// DiffLine is one line of a unified diff.
type DiffLine = page.DiffLine

// ContextInfo is one context as the console knows it.
type ContextInfo struct {
	Name        string
	Environment string
	Colour      string // of the banner; "" is none, or red in production
	Production  bool
}
