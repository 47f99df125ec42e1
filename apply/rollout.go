package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// Rollout is how a plan is carried out over its nodes. The zero value goes node
// by node, in the plan's order, without a watchdog.
type Rollout struct {
	// ConfirmWithin is how long a node keeps the new files without a
	// confirmation of its routing: then it restores the old ones by itself. Zero
	// means that it keeps them. Whole seconds.
	ConfirmWithin time.Duration
	// Parallel is how many nodes are done at once after the first, the canary,
	// which is always alone; 0 means 1.
	Parallel int
	// Abort, once closed, ends the run: the node at hand gets its old files
	// back. nil is never.
	Abort <-chan struct{}

	// What the audit file records: plan.ActionReload when Action is "".
	Action string
	Undoes string // the plan that is put back
	Via    string // "pigsty" when bin/pgsql-svc does it
}

// errAborted ends a node's part when Rollout.Abort is closed.
var errAborted = errors.New("stopped by the operator")

// ErrNotBegun is in the error of a run that was refused before its first node.
var ErrNotBegun = errors.New("nothing was changed")

func (r *Rollout) aborted() bool {
	select {
	case <-r.Abort:
		return true
	default:
		return false
	}
}

// Arrange puts the nodes of a plan in the order of the roll-out: the named ones
// first, as named, then the others as the plan has them, and the one that
// carries the cluster's VIP last, unless it is named. vip is "" when its
// node is unknown.
func Arrange(p *plan.Plan, order []model.Host, vip model.Host) {
	rank := func(h model.Host) int {
		if i := slices.Index(order, h); i >= 0 {
			return i
		}
		if h == vip {
			return len(order) + 1
		}
		return len(order)
	}
	p.Nodes = slices.Clone(p.Nodes)
	slices.SortStableFunc(p.Nodes, func(a, b plan.Node) int { return rank(a.Host) - rank(b.Host) })
}

// Order checks that every host of an order is in the plan.
func Order(p *plan.Plan, order []model.Host) error {
	for _, h := range order {
		if !slices.ContainsFunc(p.Nodes, func(n plan.Node) bool { return n.Host == h }) {
			return &source.Hint{
				Err: fmt.Errorf("--order: %s is not in the plan", h),
				Try: "its nodes are " + join(p.Nodes, func(n plan.Node) string { return string(n.Host) }), Usage: true,
			}
		}
	}
	return nil
}

// rollout is one run of a plan.
type rollout struct {
	a    *Applier
	inv  *model.Inventory
	p    *plan.Plan
	emit func(plan.StepResult)
	base map[model.Host]baseline
	// ledger collects what is reported, for the record.
	ledger *ledger

	mu  sync.Mutex
	rep *plan.Report
	err error // the first failure
}

func (r *rollout) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// preflight checks whether every node of the run can be changed and verified, all
// at once, before the first is changed. It reports the nodes that cannot, each
// with its reason.
func (r *rollout) preflight(ctx context.Context) {
	each(len(r.p.Nodes), func(i int) {
		n := &r.p.Nodes[i]
		if !works(r.p, n) {
			return
		}
		base, step, err := r.ready(ctx, n)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.base[n.Host] = base
		if err != nil {
			r.rep.Nodes[i].Step, r.rep.Nodes[i].Err = step, err
		}
	}, func(i int, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.rep.Nodes[i].Step, r.rep.Nodes[i].Err = plan.StepStage, err
	})
	if ctx.Err() != nil { // not the fault of a node
		for i := range r.rep.Nodes {
			r.rep.Nodes[i].Step, r.rep.Nodes[i].Err = "", nil
		}
		r.fail(fmt.Errorf("%s: stopped before the first node: %w; %w", r.p.Cluster, errAborted, ErrNotBegun))
		return
	}
	var bad []string
	for i := range r.rep.Nodes {
		rep := &r.rep.Nodes[i]
		if rep.Err == nil {
			continue
		}
		r.emit(plan.StepResult{Host: rep.Host, Step: rep.Step, Done: true, Err: rep.Err})
		bad = append(bad, string(rep.Host))
		if r.err == nil {
			r.err = r.why(&r.p.Nodes[i], rep)
		}
	}
	more := ""
	if len(bad) > 1 {
		more = fmt.Sprintf(" (and %d more: %s)", len(bad)-1, strings.Join(bad[1:], ", "))
	}
	if r.err != nil {
		r.err = &source.Hint{Err: fmt.Errorf("%w%s; %w", r.err, more, ErrNotBegun), Try: source.TryOf(r.err)}
	}
}

// ready checks one node without changing it.
func (r *rollout) ready(ctx context.Context, n *plan.Node) (baseline, string, error) {
	// Without a way to verify the result nothing may be changed.
	base, err := r.a.baseline(ctx, r.inv, n)
	if err != nil {
		return base, plan.StepVerify, fmt.Errorf("the result could not be verified: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.a.ReadFor, 20*time.Second))
	defer cancel()
	s, err := r.a.runScript(ctx, n, nil, nil, "ready", r.p.ID, n.ConfDir, r.a.who())
	return base, plan.StepStage, cmp.Or(err, s.err)
}

// all does the nodes: the first that changes alone, then the others.
func (r *rollout) all(ctx context.Context) {
	var todo []int
	for i := range r.p.Nodes {
		if works(r.p, &r.p.Nodes[i]) {
			todo = append(todo, i)
		} else {
			r.rep.Nodes[i].Outcome = plan.Unchanged
		}
	}
	if len(todo) == 0 {
		return
	}
	r.one(ctx, todo[0])
	var g guard.Group
	slots := make(chan struct{}, max(1, r.a.Rollout.Parallel))
	for _, i := range todo[1:] {
		slots <- struct{}{} // before checking the result of the others
		g.Go("going on", func() {
			defer func() { <-slots }()
			r.one(ctx, i)
		}, r.fail)
	}
	g.Wait()
}

// one does one node, unless the run has failed or was stopped.
func (r *rollout) one(ctx context.Context, i int) {
	n := &r.p.Nodes[i]
	if r.failed() != nil || r.halted(ctx, label(n)) {
		return
	}
	rep := plan.NodeReport{Host: n.Host, Outcome: plan.Uncertain, Step: plan.StepVerify}
	if err := guard.Do("over "+string(n.Host), func() {
		rep = r.a.node(context.WithoutCancel(ctx), r.inv, r.p, n, r.base[n.Host], r.emit)
	}); err != nil {
		rep.Err = err
	}
	r.mu.Lock()
	r.rep.Nodes[i] = rep
	r.mu.Unlock()
	if rep.Outcome != plan.Applied {
		r.fail(r.why(n, &rep))
	}
}

// halted reports whether the run must stop before what comes next, a node by its
// label, and makes that its error. It is checked last, right before the node is
// changed.
func (r *rollout) halted(ctx context.Context, next string) bool {
	if ctx.Err() == nil && !r.a.Rollout.aborted() {
		return false
	}
	try := fmt.Sprintf("pgtui reload %s --resume continues with the remaining nodes", r.p.Cluster)
	switch {
	case r.a.Rollout.Via != "":
		try = fmt.Sprintf("pgtui reload %s --via %s starts again", r.p.Cluster, r.a.Rollout.Via)
	case r.a.Rollout.Action == plan.ActionStates:
		try = fmt.Sprintf("pgtui states %s --enable continues with the remaining nodes", r.p.Cluster)
	case r.a.Rollout.Action == plan.ActionUndo:
		try = fmt.Sprintf("pgtui undo %s continues with the remaining nodes", r.a.Rollout.Undoes)
	}
	r.fail(&source.Hint{Err: fmt.Errorf("%s: stopped before %s: %w", r.p.Cluster, next, errAborted), Try: try})
	return true
}

func (r *rollout) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// why is what stopped the run at a node, with what to do about it.
func (r *rollout) why(n *plan.Node, rep *plan.NodeReport) error {
	return &source.Hint{Err: fmt.Errorf("%s: %s: %s: %w", r.p.Cluster, label(n), rep.Step, rep.Err), Try: advice(n, rep)}
}

// who is what node.sh shows to a second operator.
func (a *Applier) who() string {
	if a.Who.User == "" {
		return "pgtui"
	}
	return strings.Join(strings.Fields(a.Who.String()), " ")
}

// window is ConfirmWithin for node.sh.
func (a *Applier) window() string { return strconv.Itoa(int(a.Rollout.ConfirmWithin / time.Second)) }
