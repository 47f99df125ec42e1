// Package tui is the console: a Bubble Tea program that draws boards and starts
// reloads. It knows the model and the terminal; everything that touches
// the world arrives through Deps.
package tui

import (
	"context"
	"os"
	"time"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/model/trace"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
	"pgtui/tui/page"
)

// Session is an opened context as the console uses it. Every method returns when
// its context ends. inv is the inventory that the console shows.
type Session interface {
	// Lock makes the session and those that are opened from it read-only until the
	// program ends. by is what did it.
	Lock(by string)
	// Can reports whether the context does it: what it cannot do is not offered.
	Can(a model.Ability) bool
	// Load reads the inventory again.
	Load(ctx context.Context) (*model.Inventory, error)
	// Stamp are the files that an inventory was read from, with their present
	// stamps.
	Stamp(in []source.Input) []source.Input
	// Watch probes the inventory's nodes until ctx ends and sends immutable
	// snapshots; the channel is closed at the end.
	Watch(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan *model.Snapshot
	// Plan reads the cluster's HAProxy nodes and returns what a reload would do.
	Plan(ctx context.Context, inv *model.Inventory, cluster model.ClusterName, hosts []model.Host) (plan.Plan, error)
	// Execute carries a plan out, and calls emit for each step.
	Execute(ctx context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error)
	// Examine reads a HAProxy node's files, processes and servers over SSH.
	Examine(ctx context.Context, inv *model.Inventory, h model.Host) model.Reading
	// Access connects to every endpoint of a cluster. snap is the newest snapshot,
	// and may be nil.
	Access(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, cluster model.ClusterName) (access.Access, error)
	// Components probes everything that Pigsty runs on a cluster's nodes.
	Components(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) ([]model.ComponentRow, error)
	// Trace makes one connection and returns what each hop did. target is what
	// `pgtui trace` takes: a cluster or an entry point and a service, or a connection
	// string.
	Trace(ctx context.Context, inv *model.Inventory, target []string) (trace.Trace, error)
	// Origins reads the inventory again and returns where the values of a cluster
	// come from, of all clusters for "". Its hash differs from that of inv when the
	// file changed.
	Origins(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) (source.Origins, error)
	// Rules reads what Patroni decides a failover of a cluster by. snap is the newest
	// snapshot, and may be nil.
	Rules(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, cluster model.ClusterName) (model.RuleFacts, error)
	// Candidates is who of a cluster can take over. The nodes are probed.
	Candidates(ctx context.Context, inv *model.Inventory, cluster model.ClusterName) (candidate.Table, error)
	// Pooler reads what the pgbouncer of an instance reports.
	Pooler(ctx context.Context, inv *model.Inventory, name model.InstanceName) (model.PoolReport, error)
	// Activity reads the sessions of an instance's PostgreSQL, with text the beginning
	// of each query.
	Activity(ctx context.Context, inv *model.Inventory, name model.InstanceName, text bool) (model.ServerReport, error)
	// Store reads the backups and the disk of an instance over SSH.
	Store(ctx context.Context, inv *model.Inventory, name model.InstanceName) (model.NodeStore, error)
	// PlanAction reads the cluster and returns what an action would do.
	PlanAction(ctx context.Context, inv *model.Inventory, r action.Request) (action.Plan, error)
	// Act carries out an action, and calls emit for each event.
	Act(ctx context.Context, inv *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error)
	// Logs reads logs of a node and calls emit with what arrives; with Follow it
	// returns when ctx ends.
	Logs(ctx context.Context, inv *model.Inventory, h model.Host, r model.LogRequest, emit func(model.LogBatch)) error
	// Shell is a shell on a node.
	Shell(ctx context.Context, inv *model.Inventory, h model.Host) (model.Program, error)
	// Psql is psql on a connection string, which has no password.
	Psql(inv *model.Inventory, cluster model.ClusterName, dsn string) (model.Program, error)
	// Editor is the operator's editor on the file and line that decide what is at a
	// place; pos is that line where it is known already.
	Editor(ctx context.Context, inv *model.Inventory, at model.Place, pos source.Pos) (model.Program, error)
	// Foreground gives the terminal to a program until it ends, and returns its exit
	// code. stopped is called when ctrl-z stops it, and returns when it is to resume.
	Foreground(ctx context.Context, p model.Program, in, out *os.File, stopped func()) (int, error)
	// File is a service's rendered file.
	File(inv *model.Inventory, s *model.Service) string
	// History is what was changed with the inventory, by whom, and how it ended.
	History(ctx context.Context, inv *model.Inventory) (plan.History, error)
	// Recorded takes in what was observed and how it was judged, for the flight recorder. It
	// does not wait.
	Recorded(at time.Time, snap *model.Snapshot, events []board.Event)
	// Mark sets a mark of the operator into the recording.
	Mark(at time.Time, cluster model.ClusterName, what string) error
	// Unrecorded is why nothing is recorded; "" where the recorder runs.
	Unrecorded() string
	// PatroniHistory is the ends of a cluster's timelines, the oldest first; ssh sends the
	// request on the node.
	PatroniHistory(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool) ([]action.TimelineSwitch, error)
	// Ran is everything that ran on nodes, the oldest first.
	Ran() []model.Ran
}

// Deps is what the console is opened with.
type Deps struct {
	Session
	// Inventory is the inventory as it was read at the start: the first frame
	// shows its clusters. nil makes the console start with Load, and end with its
	// error.
	Inventory *model.Inventory
	// Diff is the unified diff of one change, line by line, for display.
	Diff func(c plan.FileChange) []DiffLine
	// Summary is a change in plain words.
	Summary func(c plan.FileChange) []string
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
	// Themes are the names of all themes.
	Themes []string
	// ConfigFile is the configuration that SaveSettings writes, "" where there is none.
	ConfigFile string
	// SaveSettings writes settings into the configuration and returns the file. nil
	// where nothing is saved.
	SaveSettings func(changed []page.Setting) (string, error)
	// Theme is the name of the theme; "" is the terminal's own colours.
	Theme string
	// NoMouse leaves the mouse to the terminal from the start.
	NoMouse bool
	// Ago shows from the start how long ago events were.
	Ago bool
	// Keys gives actions other keys, Columns screens other columns.
	Keys, Columns map[string][]string
	// Commands are the operator's own.
	Commands []model.Command
	// Context is the one that is open, Contexts are all there are.
	Context  ContextInfo
	Contexts []ContextInfo
	// Open opens another context; nil where there is none.
	Open func(ctx context.Context, name string) (Deps, error)
	// Command is how pgtui was called, with the flags that tell its inventory;
	// "" is plain pgtui. Commands that are copied begin with it.
	Command string
	// Replay is the recording that the session plays; nil where it probes nodes.
	Replay Replay
	// Past opens the recordings of the same clusters; nil where there are none.
	Past func(ctx context.Context) (Deps, error)
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
