package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
)

// Record is one line of the audit file. A run writes two: one before it touches
// anything and one at its end. A run that was killed has only the first.
type Record struct {
	V    int       `json:"v"`    // 1
	Run  string    `json:"run"`  // the same in both lines of a run
	Kind string    `json:"kind"` // RecordBegin or RecordEnd
	At   time.Time `json:"at"`
	// Action is what the operator requested: ActionReload, ActionUndo, ActionClose,
	// ActionStates, or the kind of an action on the cluster.
	Action    string            `json:"action"`
	Who       Operator          `json:"who"`
	Cluster   model.ClusterName `json:"cluster"`
	Plan      string            `json:"plan"`
	Diff      string            `json:"diff_sha256"`      // of every file before and after, on every node
	Inventory string            `json:"inventory"`        // its resolved path; older records have it as the operator typed it
	Hash      string            `json:"inventory_hash"`   // of what was read
	Undoes    string            `json:"undoes,omitempty"` // the plan that is put back
	Via       string            `json:"via,omitempty"`    // "pigsty": bin/pgsql-svc did it
	Risks     []string          `json:"risks,omitempty"`  // the names of those that were shown
	Accepted  []string          `json:"accepted_risks,omitempty"`
	// Of an action on the cluster: whom it changes, how long it should last and why.
	Instance model.InstanceName  `json:"instance,omitempty"`
	Services []model.ServiceName `json:"services,omitempty"`
	HAProxy  []model.Host        `json:"haproxy,omitempty"`
	Until    time.Time           `json:"until,omitzero"`
	Why      string              `json:"why,omitempty"`
	Request  json.RawMessage     `json:"request,omitempty"` // plan/action.Request
	Events   []EventRecord       `json:"events,omitempty"`  // its timeline
	Nodes    []NodeRecord        `json:"nodes"`             // in the order of the roll-out
	// Outcome is the end in one word: "applied", "stopped" or "refused"; "" in
	// the first line.
	Outcome string `json:"outcome,omitempty"`
	Error   string `json:"error,omitempty"`
	TookMs  int64  `json:"took_ms,omitempty"`
	// Prev is the SHA-256 of the line before in the audit file, in hex, without
	// its end of line; of nothing where there is no line before. "" in a record
	// of an older version, which has no chain.
	Prev string `json:"prev_sha256,omitempty"`
	// Sum is the SHA-256 of the record itself without this field. It must stay
	// the last field: the line is checked byte for byte.
	Sum string `json:"line_sha256,omitempty"`
}

// EventRecord is one line of the timeline of an action.
type EventRecord struct {
	At    time.Time  `json:"at"`
	State string     `json:"state"`
	Host  model.Host `json:"host,omitempty"`
	What  string     `json:"what"`
	Error string     `json:"error,omitempty"`
}

// Kinds of records.
const (
	RecordBegin = "begin"
	RecordEnd   = "end"
)

// What a run may be.
const (
	ActionReload = "reload"
	ActionUndo   = "undo"
	ActionClose  = "close"  // sessions of old workers
	ActionStates = "states" // the lines of haproxy.cfg that hand servers' states over
)

// How a run may end.
const (
	RunApplied = "applied" // every node is as planned
	RunStopped = "stopped" // it began and did not complete
	RunRefused = "refused" // nothing was touched
	RunUnknown = "unknown" // of an action: a reply was lost, or its end was not seen
)

// Operator is who runs pgtui, as far as the system reports it.
type Operator struct {
	User     string `json:"user"`
	UID      int    `json:"uid"`
	LoginUID int    `json:"login_uid"`           // who logged in, before any sudo; -1 when unknown
	SudoUser string `json:"sudo_user,omitempty"` // who called sudo
	SSHFrom  string `json:"ssh_from,omitempty"`  // address the session came from
	Host     string `json:"host"`
	PID      int    `json:"pid"`
}

// String is "alice as root@admin from 10.1.2.3".
func (o Operator) String() string {
	s := o.User + "@" + o.Host
	if o.SudoUser != "" && o.SudoUser != o.User {
		s = o.SudoUser + " as " + s
	}
	if o.SSHFrom != "" {
		s += " from " + o.SSHFrom
	}
	return s
}

// NodeRecord is one node's part of a record.
type NodeRecord struct {
	Host    model.Host   `json:"host"`
	Node    string       `json:"node,omitempty"`
	Want    string       `json:"want_sha256"` // of the cluster's files as they should become
	Steps   []StepRecord `json:"steps,omitempty"`
	Outcome NodeOutcome  `json:"outcome,omitempty"`
	Step    string       `json:"failed_step,omitempty"`
	Error   string       `json:"error,omitempty"`
	Backup  string       `json:"backup,omitempty"`
	// Recovered are the interrupted runs there, and how they ended.
	Recovered []Recovery `json:"recovered,omitempty"`
	// Before and After are the servers that got new connections, by section.
	Before    map[string][]string `json:"routing_before,omitempty"`
	After     map[string][]string `json:"routing_after,omitempty"`
	SettledMs int64               `json:"settled_ms,omitempty"`
}

// StepRecord is one step that ended.
type StepRecord struct {
	Step   string `json:"step"`
	OK     bool   `json:"ok"`
	TookMs int64  `json:"took_ms"`
	Detail string `json:"detail,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Run is what the audit file has of one run.
type Run struct {
	Record      // its last line
	Began       time.Time
	Interrupted bool // it has no last line: pgtui was killed, or still runs
}

// Runs puts the lines of the audit file together, oldest first.
func Runs(records []Record) []Run {
	var out []Run
	at := map[string]int{}
	for _, r := range records {
		i, ok := at[r.Run]
		if !ok {
			at[r.Run] = len(out)
			out = append(out, Run{Record: r, Began: r.At, Interrupted: r.Kind != RecordEnd})
			continue
		}
		if r.Kind == RecordEnd {
			out[i].Record, out[i].Interrupted = r, false
		}
	}
	return out
}

// History is what the audit file has of an inventory.
type History struct {
	File   string  // its path
	Runs   []Run   // oldest first
	Others int     // runs of other inventories
	Breaks []Break // in the order of the file
}

// Break is one place where the audit file is not what pgtui wrote.
type Break struct {
	Line int // from 1
	What string
}

// What is the action, and which plan it undoes.
func (r *Run) What() string {
	if r.Undoes != "" {
		return r.Action + " of " + r.Undoes
	}
	return r.Action
}

// Ended is how the run ended, in a word or two; "unknown: interrupted" where its end
// is not recorded.
func (r *Run) Ended() string {
	if r.Interrupted {
		return "unknown: interrupted"
	}
	return r.Outcome
}

// Failed reports whether the run did not end as planned, or its end is unknown.
func (r *Run) Failed() bool { return r.Interrupted || r.Outcome != RunApplied }

// Changed are the nodes with their outcomes, "10.10.10.11 applied, 10.10.10.12 restored".
// Of an action on the cluster it is whom it changed, and on which HAProxies:
// "pg-test-2 on 10.10.10.11".
func (r *Run) Changed() string {
	var out []string
	if len(r.Nodes) == 0 && r.Instance != "" {
		out = append(out, text.Line(string(r.Instance), 60))
		if len(r.HAProxy) > 0 {
			out[0] += " on " + text.Line(model.Join(r.HAProxy), 200)
		}
		if r.Why != "" {
			out[0] += ": " + text.Line(r.Why, 100)
		}
	}
	for _, n := range r.Nodes {
		outcome := string(n.Outcome)
		if outcome == "" {
			outcome = "?"
		}
		out = append(out, text.Line(string(n.Host)+" "+outcome, 60))
	}
	return strings.Join(out, ", ")
}

// RunsOf are the runs of the inventory that same reports a path to be, in their
// order.
func RunsOf(runs []Run, same func(path string) bool) []Run {
	var out []Run
	for _, r := range runs {
		if same(r.Inventory) {
			out = append(out, r)
		}
	}
	return out
}

// Undoable reports whether the run left new files on a node.
func (r *Run) Undoable() bool {
	for _, n := range r.Nodes {
		if n.Backup != "" && (n.Outcome == Applied || n.Outcome == Uncertain) {
			return true
		}
	}
	return false
}

// MayUndo reports whether undo may find something: the run left new files, or it
// was interrupted and only the nodes have its result. Closed sessions cannot be
// restored.
func (r *Run) MayUndo() bool {
	return r.ChangesFiles() && (r.Undoable() || r.Interrupted)
}

// ChangesFiles reports whether the action is one on the nodes' files.
func (r *Record) ChangesFiles() bool {
	return slices.Contains([]string{"", ActionReload, ActionUndo, ActionStates}, r.Action)
}

// OnCluster reports whether the action is one on a running cluster: Patroni's or
// one on HAProxy's servers.
func (r *Record) OnCluster() bool {
	return !r.ChangesFiles() && r.Action != ActionClose && r.Cluster != ""
}
