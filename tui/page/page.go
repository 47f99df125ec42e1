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
	"pgtui/tui/keys"
	"pgtui/tui/widget"
)

// Page is one screen of the console.
type Page interface {
	// Title is the page's part of the path in the header.
	Title() string
	// Keys are the bindings that work on it now, the most useful first.
	Keys(e Env) []keys.Binding
	// Do carries out one of its actions; an Intent asks the console for what
	// the page cannot do itself.
	Do(a keys.Action, e Env) (Page, Intent)
	// Update takes in a result of work; messages that are not for it change nothing.
	Update(msg tea.Msg, e Env) (Page, Intent)
	// View draws it: at most e.H lines of at most e.W cells count.
	View(e Env) []widget.Line
}

// Filterer is a page whose list can be narrowed.
type Filterer interface {
	Page
	Filter() string
	SetFilter(text string) Page
}

// Env is everything a page may know.
type Env struct {
	W, H     int // cells and lines the page has
	Now      time.Time
	Began    time.Time           // when the asking of this inventory began
	Every    time.Duration       // between two rounds of asking
	Inv      *model.Inventory    // nil until it is read
	Snap     *model.Snapshot     // nil until the first node has answered
	Boards   []board.Board       // one for each cluster, in inventory order
	Digest   *Digest             // of the boards; nil makes a page work it out itself
	Events   []board.Event       // what has changed, the newest first
	Traffic  *Traffic            // the last samples of every HAProxy section; nil when none are kept
	ReadOnly bool                // nothing can be changed from this console
	Asks     []Topic             // what the nodes can be asked by a page of its own
	Reads    bool                // the nodes' files are read by themselves
	Looks    map[model.Host]Look // what became of that; a node that is not there has not been read yet
	Said     []Said              // what was said to the operator, the oldest first
	Ran      []model.Ran         // what was run on nodes, the oldest first
	// Columns are the columns that screens show, by the name of the screen; a
	// screen that is not there shows all of its own.
	Columns map[string][]string
	Texts   Texts
}

// Look is the last time that a node's files were read. What was read is in the
// snapshot.
type Look struct {
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

// Asking reports that no node has been heard yet.
func (e Env) Asking() bool { return e.Snap == nil }

// Pending reports that some node of the cluster has not been tried yet: what
// looks unknown then is only still being asked.
func (e Env) Pending(b *board.Board) bool {
	if e.Snap == nil {
		return true
	}
	if e.Now.Sub(e.Began) >= patience {
		return false
	}
	for _, m := range b.Members {
		if e.unheard(m.Instance) {
			return true
		}
	}
	for _, f := range b.Cluster.LoadBalancers {
		if e.untriedProxy(f.Host) {
			return true
		}
	}
	return false
}

// patience is how long a node that was never tried counts as being asked;
// after that it is unknown like any other that says nothing.
const patience = 10 * time.Second

// untried reports that the instance's Patroni has not been tried yet.
func (e Env) untried(name model.InstanceName) bool {
	return e.Snap == nil || (e.Snap.Patroni[name].Status.Tried.IsZero() && e.Now.Sub(e.Began) < patience)
}

// unheard reports that not everything the instance's Patroni is asked has been
// asked yet.
func (e Env) unheard(name model.InstanceName) bool {
	return e.untried(name) || !e.Snap.Patroni[name].Probed()
}

// untriedProxy reports that the node's HAProxy has not been tried yet.
func (e Env) untriedProxy(h model.Host) bool {
	return e.Snap == nil || (e.Snap.HAProxy[h].Tried.IsZero() && e.Now.Sub(e.Began) < patience)
}

// health is the state of a cluster as far as it can be said: while nodes have
// not been tried yet, only good and certain news count.
func (e Env) health(b *board.Board) mark {
	certain := b.Health == model.HealthOK || b.Health == model.HealthDown
	return healthMark(b.Health, e.Asking() || (!certain && e.Pending(b)))
}

// summary is the sentence for a cluster.
func (e Env) summary(b *board.Board) string {
	switch {
	case e.Asking():
		return "asking every Patroni and HAProxy of the cluster …"
	case b.Health != model.HealthOK && b.Health != model.HealthDown && e.Pending(b):
		return "still asking; not every node has answered yet"
	}
	return b.Summary
}

// Intent is what a page asks of the console.
type Intent interface{ isIntent() }

type (
	// Goto opens a page on top of this one.
	Goto struct{ Page Page }
	// Back closes the page.
	Back struct{}
	// Home closes every page above the cluster's board, or above the fleet.
	Home struct{}
	// AskPlan asks what a reload of the cluster would do; PlanMsg answers.
	AskPlan struct{ Cluster model.ClusterName }
	// Ask asks the nodes what a page wants to know; AnswerMsg answers.
	Ask struct{ Inquiry *Inquiry }
	// Confirm asks the operator before a plan is carried out.
	Confirm struct{ Plan PlanMsg }
	// Execute carries a confirmed plan out.
	Execute struct{ Plan PlanMsg }
	// StopRun finishes the node that is being worked on and stops there.
	StopRun struct{}
	// Say shows one line to the operator.
	Say struct{ Text string }
	// Yank copies a text and says it: what a terminal drops can still be read.
	Yank struct{ Text string }
)

func (Goto) isIntent() {}

func (Back) isIntent() {}

func (Home) isIntent() {}

func (Yank) isIntent() {}

func (AskPlan) isIntent() {}

func (Ask) isIntent() {}

func (Confirm) isIntent() {}

func (Execute) isIntent() {}

func (StopRun) isIntent() {}

func (Say) isIntent() {}

// PlanMsg answers AskPlan.
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
