package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// Plan is everything a reload of one cluster does. It is a value: pgtui runs
// exactly what was reviewed, or nothing.
type Plan struct {
	ID        string // hash of what it does
	Cluster   model.ClusterName
	Inventory string // hash of the inventory it was made from
	MadeAt    time.Time
	Nodes     []Node // in the order of the roll-out
	// Problems are the cluster's fatal problems: services that could not be
	// rendered. A plan that has any deletes nothing and must not run.
	Problems []source.Problem
	// Risks are those of running it, judged when it was made.
	Risks []Risk
	// Accepted are the names of the risks that its operator has accepted.
	Accepted []string
	// Pigsty is what bin/pgsql-svc would do differently, in sentences.
	Pigsty []string
	// Force also reloads nodes whose files do not change.
	Force bool
	// LiveRoles: the files are rendered from the roles that Patroni reports, not from
	// those of the inventory.
	LiveRoles bool
}

// Node is one HAProxy node's part of a plan.
type Node struct {
	Host    model.Host
	Node    string // nodename
	Target  model.SSHTarget
	ConfDir string       // where the service files live
	Changes []FileChange // by file name; unchanged files are not listed
	Same    int          // files of the cluster that are up to date
	Foreign []string     // files in ConfDir that are not this cluster's, by name
	// Have and Want are the hashes of this cluster's files, as previewed and as
	// planned; the node compares them before anything is changed.
	Have, Want map[string]string
	// Was and Become are the sections of the cluster's files, by file name: as they
	// are on disk, and as the plan leaves them. HAProxy must show those afterwards.
	Was, Become []haproxy.Section
	// Err is why the node's files could not be read; the plan must not run then.
	Err error
}

// become is the section of that name as the plan leaves it, nil when there is
// none.
func (n *Node) become(name string) *haproxy.Section {
	for i := range n.Become {
		if n.Become[i].Name == name {
			return &n.Become[i]
		}
	}
	return nil
}

// Gone are the names of the sections that HAProxy must not show afterwards.
func (n *Node) Gone() []string {
	var out []string
	for i := range n.Was {
		if name := n.Was[i].Name; name != "" && n.become(name) == nil && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// FileChange is one file that a plan adds, changes or deletes.
type FileChange struct {
	Name   string // file name in ConfDir
	Before []byte // nil when the file does not exist
	After  []byte // nil when it is deleted
}

// Kind is "add", "change" or "delete".
func (f FileChange) Kind() string {
	switch {
	case f.Before == nil:
		return "add"
	case f.After == nil:
		return "delete"
	default:
		return "change"
	}
}

// Changed reports whether the plan would change any file on the node.
func (n Node) Changed() bool { return len(n.Changes) > 0 }

// Changed reports whether the plan would change any file anywhere.
func (p Plan) Changed() bool {
	for _, n := range p.Nodes {
		if n.Changed() {
			return true
		}
	}
	return false
}

// Refusal is why the plan must not run, nil when it may: a service could
// not be rendered, or a node's files could not be read.
func (p Plan) Refusal() error {
	for _, x := range p.Problems {
		return &source.Hint{
			Err: fmt.Errorf("%s: %s: a service cannot be rendered, and a reload would leave it out", x.Subject, x.What),
			Try: cmp.Or(x.Try, "correct the inventory, then plan again"),
		}
	}
	for _, n := range p.Nodes {
		if n.Err != nil {
			return fmt.Errorf("%s: %w", n.Host, n.Err)
		}
	}
	return nil
}

// Steps of a node, in order.
const (
	StepStage   = "stage"   // the new files are beside the live ones
	StepCheck   = "check"   // haproxy -c accepted the whole new configuration
	StepCompare = "compare" // the files on disk are still those of the preview
	StepBackup  = "backup"  // the old files are kept
	StepSwap    = "swap"    // the new files are in place
	StepReload  = "reload"  // systemctl reload haproxy returned
	StepVerify  = "verify"  // the stats page shows the new servers
	StepRestore = "restore" // something failed: the old files are back
)

// StepResult is one step of one node, reported as it happens.
type StepResult struct {
	Host   model.Host
	Step   string
	Done   bool   // false: it has begun; true: it has ended
	Err    error  // why it failed
	Detail string // what it printed, bounded
	Took   time.Duration
}

// NodeOutcome is how one node ended.
type NodeOutcome string

// The outcomes.
const (
	Untouched NodeOutcome = "untouched" // nothing on the node changed
	Unchanged NodeOutcome = "unchanged" // nothing had to change
	Applied   NodeOutcome = "applied"   // new files in place, reloaded, verified
	Restored  NodeOutcome = "restored"  // it failed and the old files are back and loaded
	Broken    NodeOutcome = "broken"    // it failed and could not be restored: check the node now
	Uncertain NodeOutcome = "uncertain" // the connection was lost: the state is unknown
)

// Undecided is the outcome of a Recovery that left the files unchanged: they had
// been changed since, or the record cannot be followed.
const Undecided NodeOutcome = "undecided"

// Recovery is how a node ended an interrupted run.
type Recovery struct {
	Plan    string      `json:"plan"`             // the interrupted run
	Outcome NodeOutcome `json:"outcome"`          // Applied, Restored, Untouched, Broken or Undecided
	Backup  string      `json:"backup,omitempty"` // its old files on the node; "" when it has none
	Why     string      `json:"why"`
}

// Text is the recovery in a sentence.
func (r Recovery) Text() string {
	s := "plan " + r.Plan + " was interrupted on this node and is now " + string(r.Outcome) + ": " + r.Why
	if r.Backup != "" {
		s += "; its old files are in " + r.Backup
	}
	return s
}

// NodeReport is how one node ended and why.
type NodeReport struct {
	Host    model.Host
	Outcome NodeOutcome
	Step    string // the step that failed; "" when none did
	Err     error
	Backup  string // where the old files are kept; "" when none were replaced
	// Recovered are the interrupted runs that this one found on the node and ended
	// first.
	Recovered []Recovery
	// Before and After are the servers that got new connections, by section; nil
	// when unknown.
	Before, After map[string][]string
	// Settled is the time from the reload until every check had ended and the routing
	// was as planned; 0 when unknown.
	Settled time.Duration
}

// Report is the end of a run: every node of the plan, in order.
type Report struct {
	Plan  string
	Nodes []NodeReport
}

// OK reports whether every node is as planned.
func (r Report) OK() bool {
	for _, n := range r.Nodes {
		if n.Outcome != Applied && n.Outcome != Unchanged {
			return false
		}
	}
	return true
}
