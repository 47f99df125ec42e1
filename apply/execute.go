package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
	"pgtui/source"
)

// Execute runs a plan: it checks all nodes, then changes one, the canary, and when
// the checks of that one have ended and its routing is as predicted, the others,
// as configured in Rollout. It stops at the first node that does not end as
// planned: the rest are reported as untouched. The report has every node of the
// plan. The error is what stopped the run, nil when every node is as planned;
// source.TryOf gives the next step.
//
// A plan that must not run (plan.Plan.Refusal), or that was made from another
// inventory, is refused before anything is touched; so is one whose audit
// record cannot be written. Cancelling ctx stops the run between two nodes,
// never within one. emit gets every step of every node as it begins and
// ends, one at a time; it may be nil.
func (a *Applier) Execute(ctx context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
	r, err := a.begin(inv, &p, emit)
	if err != nil {
		return *r.rep, err
	}
	if r.preflight(ctx); r.err == nil {
		r.all(ctx)
	}
	return r.end()
}

// begin refuses a plan that must not run, and otherwise opens its record. The
// rollout that it returns always has a report.
func (a *Applier) begin(inv *model.Inventory, p *plan.Plan, emit func(plan.StepResult)) (*rollout, error) {
	r := &rollout{a: a, inv: inv, p: p, base: map[model.Host]baseline{}, rep: &plan.Report{Plan: p.ID}}
	for _, n := range p.Nodes {
		r.rep.Nodes = append(r.rep.Nodes, plan.NodeReport{Host: n.Host, Outcome: plan.Untouched})
	}
	err := p.Refusal()
	if err == nil {
		err = Refused(p)
	}
	if err == nil && p.Inventory != inv.Hash {
		err = &source.Hint{Err: errors.New("the inventory has changed since the plan was made"), Try: "plan again and review the difference"}
	}
	if err == nil {
		r.ledger, err = a.open(inv, p)
	}
	if err != nil {
		return r, fmt.Errorf("%s: nothing was changed: %w", p.Cluster, err)
	}
	var mu sync.Mutex
	r.emit = func(s plan.StepResult) {
		mu.Lock()
		defer mu.Unlock()
		// When a step cannot be reported, the node is finished all the same, and no
		// other is begun.
		if err := guard.Do("reporting "+s.Step+" on "+string(s.Host), func() {
			r.ledger.step(s)
			if emit != nil {
				emit(s)
			}
		}); err != nil {
			r.fail(err)
		}
	}
	return r, nil
}

// end closes the record.
func (r *rollout) end() (plan.Report, error) {
	err := r.ledger.close(r.rep, r.err, r.a.Now())
	switch {
	case err == nil:
		return *r.rep, r.err
	case r.err == nil:
		return *r.rep, err
	}
	return *r.rep, fmt.Errorf("%w (and %w)", r.err, err)
}

// Refused is why a plan must not run for its risks, nil when each that stops it
// was accepted by name.
func Refused(p *plan.Plan) error {
	names := p.Unaccepted()
	if len(names) == 0 {
		return nil
	}
	for _, r := range p.Risks {
		if r.Name == plan.RiskRejected {
			return &source.Hint{Err: fmt.Errorf("refused for %s: nothing was changed: %s: %s", r.Name, r.Host, r.What), Try: r.Try}
		}
	}
	return &source.Hint{Err: fmt.Errorf("refused for %s: nothing was changed", strings.Join(names, ", ")), Try: AcceptHint(names)}
}

// AcceptHint is what to type to accept these risks.
func AcceptHint(names []string) string {
	return "--accept-risk " + strings.Join(names, ",") + ", once you know that it is safe"
}

// label is the node as an operator knows it.
func label(n *plan.Node) string { return model.Label(n.Host, n.Node) }

// advice is what to do about a node that did not end as planned.
func advice(n *plan.Node, r *plan.NodeReport) string {
	if try := source.TryOf(r.Err); try != "" {
		return try
	}
	kept := ""
	if r.Backup != "" {
		kept = "; the old files are in " + r.Backup
	}
	switch r.Outcome {
	case plan.Untouched:
		return fmt.Sprintf("nothing on %s has changed; correct the cause and plan again", n.Host)
	case plan.Restored:
		return fmt.Sprintf("%s runs what it ran before; check `journalctl -u haproxy` there", n.Host)
	case plan.Broken:
		return fmt.Sprintf("check %s now: `haproxy -c -f /etc/haproxy/haproxy.cfg -f %s` and `systemctl status haproxy`%s", n.Host, n.ConfDir, kept)
	default:
		return fmt.Sprintf("check %s: pgtui could not determine whether it has the old or the new files%s", n.Host, kept)
	}
}

// node runs one node's part of the plan to its end.
func (a *Applier) node(ctx context.Context, inv *model.Inventory, p *plan.Plan, n *plan.Node, base baseline, emit func(plan.StepResult)) plan.NodeReport {
	prefix := string(p.Cluster) + "-"
	var text []byte
	var before map[string][]string
	if err := guard.Do("to prepare "+string(n.Host), func() { text, before = payload(n, prefix, true), plan.Routing(n, &base.stats) }); err != nil {
		return plan.NodeReport{Host: n.Host, Outcome: plan.Untouched, Step: plan.StepStage, Err: err}
	}
	rctx, cancel := context.WithTimeout(ctx, cmp.Or(a.RunFor, 5*time.Minute))
	r, err := a.runScript(rctx, n, emit, text,
		"apply", p.ID, n.ConfDir, a.who(), prefix, a.Now().UTC().Format("20060102T150405Z"), a.window())
	cancel()
	if err != nil {
		a.settle(ctx, p, n, r, err)
	}
	rep := plan.NodeReport{Host: n.Host, Outcome: outcomeOf(r), Step: r.failed, Err: r.err, Backup: r.backup, Recovered: r.recovered, Before: before}
	if rep.Outcome != plan.Applied {
		rep.Err = cmp.Or(rep.Err, errNoCause)
		return rep
	}
	if r.loaded.IsZero() {
		r.loaded = a.Now()
	}
	base.renewed = r.renewed
	return a.verifyOrRestore(ctx, inv, p, n, base, r.loaded, rep, emit)
}

var errNoCause = errors.New("the node reported no cause")

func outcomeOf(r *run) plan.NodeOutcome {
	switch o := plan.NodeOutcome(r.outcome); o {
	case plan.Applied, plan.Untouched, plan.Restored, plan.Broken:
		return o
	default:
		return plan.Uncertain
	}
}

// settle reads how an interrupted run ended, and makes sure that a run which had
// not changed anything never will. It sets r.outcome.
func (a *Applier) settle(ctx context.Context, p *plan.Plan, n *plan.Node, r *run, cause error) {
	if r.failed == "" {
		r.failed = cmp.Or(r.step, plan.StepStage)
		r.err = cause
	}
	if r.outcome != "" {
		return // the script reported its end, only the transport failed
	}
	if errors.Is(cause, transport.ErrNotStarted) {
		r.outcome = string(plan.Untouched)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.RunFor, 5*time.Minute))
	defer cancel()
	s, err := a.runScript(ctx, n, nil, payload(n, "", false), "settle", p.ID, n.ConfDir, a.who())
	r.recovered = append(r.recovered, s.recovered...)
	switch {
	case err != nil:
		r.err = fmt.Errorf("%w (and reading how it ended: %w)", cause, err)
	case s.recovery(p.ID) == plan.Undecided:
		r.backup = cmp.Or(s.backup, r.backup)
		r.err = fmt.Errorf("%w; %s", cause, s.recovered[0].Text())
	case s.state == "new" && s.backup != "":
		// The second part succeeded: only its output was lost.
		r.outcome, r.failed, r.err, r.backup = string(plan.Applied), "", nil, s.backup
	case s.state == "old" && (r.reached[plan.StepSwap] || s.recovery(p.ID) == plan.Restored):
		r.outcome = string(plan.Restored)
	case s.state == "old":
		r.outcome = string(plan.Untouched)
	case s.state == "broken" || s.state == "mixed":
		r.outcome = string(plan.Broken)
	default:
		r.err = fmt.Errorf("%w (its files are neither the old nor the new ones: %q)", cause, s.state)
	}
}

// baseline is the stats page from before anything was changed.
type baseline struct {
	stats haproxy.Stats
	at    time.Time
	fits  bool // it already matched the plan
	// renewed: the master has listed a new worker since.
	renewed bool
}

func (a *Applier) baseline(ctx context.Context, inv *model.Inventory, n *plan.Node) (baseline, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.VerifyFor, 20*time.Second))
	defer cancel()
	st, err := a.stats(ctx, inv, n)
	if err != nil {
		return baseline{}, err
	}
	return baseline{stats: st, at: a.Now(), fits: plan.Mismatch(n, &st) == ""}, nil
}

func (a *Applier) stats(ctx context.Context, inv *model.Inventory, n *plan.Node) (haproxy.Stats, error) {
	node := inv.Node(n.Host)
	if node == nil {
		return haproxy.Stats{}, fmt.Errorf("%s is not in the inventory", n.Host)
	}
	return a.Stats(ctx, *node)
}

// verifyOrRestore checks whether HAProxy runs what the plan has and routes as
// predicted. It confirms that to a node that waits for it, or restores the old
// files.
func (a *Applier) verifyOrRestore(ctx context.Context, inv *model.Inventory, p *plan.Plan, n *plan.Node,
	base baseline, loaded time.Time, rep plan.NodeReport, emit func(plan.StepResult),
) plan.NodeReport {
	began := a.Now()
	emit(plan.StepResult{Host: n.Host, Step: plan.StepVerify})
	now, err := a.verified(ctx, inv, n, base)
	detail := ""
	if err == nil {
		rep.After, rep.Settled = plan.Routing(n, &now), max(0, a.Now().Sub(loaded))
		detail = fmt.Sprintf("live: %s; settled %.1f s after the reload", liveText(n), rep.Settled.Seconds())
		if a.Rollout.ConfirmWithin > 0 {
			rep = a.confirm(ctx, p, n, rep)
		}
	}
	if err == nil {
		emit(plan.StepResult{Host: n.Host, Step: plan.StepVerify, Done: true, Err: rep.Err, Detail: detail, Took: a.Now().Sub(began)})
		return rep
	}
	emit(plan.StepResult{Host: n.Host, Step: plan.StepVerify, Done: true, Err: err, Took: a.Now().Sub(began)})
	rep.Step, rep.Err = plan.StepVerify, err
	r, rerr := a.restore(ctx, p, n, rep.Backup, emit)
	if rerr != nil {
		rep.Outcome, rep.Err = plan.Uncertain, fmt.Errorf("%w; and the end of the restore was not reported: %w", err, rerr)
		if a.Rollout.ConfirmWithin > 0 {
			rep.Err = fmt.Errorf("%w; the node restores the old files by itself %s after its reload", rep.Err, a.Rollout.ConfirmWithin)
		}
		return rep
	}
	rep.Recovered = append(rep.Recovered, r.recovered...)
	if rep.Outcome = outcomeOf(r); r.err != nil {
		rep.Err = fmt.Errorf("%w; then restore: %w", err, r.err)
	}
	_ = guard.Do("checking again", func() { // the node has its old files; only the routing cannot be reported
		if st, err := a.stats(ctx, inv, n); err == nil {
			rep.After = plan.Routing(n, &st)
		}
	})
	return rep
}

// confirm confirms to a node that its routing is good. A node that gets no
// confirmation restores the old files by itself, so pgtui retries until its window
// is over.
func (a *Applier) confirm(ctx context.Context, p *plan.Plan, n *plan.Node, rep plan.NodeReport) plan.NodeReport {
	var r *run
	var err error
	for end := a.Now().Add(a.Rollout.ConfirmWithin); ; {
		rctx, cancel := context.WithTimeout(ctx, cmp.Or(a.ReadFor, 20*time.Second))
		r, err = a.runScript(rctx, n, nil, nil, "confirm", p.ID, n.ConfDir, a.who(), rep.Backup)
		cancel()
		if err == nil || a.Now().After(end) {
			break
		}
		time.Sleep(cmp.Or(a.Poll, 200*time.Millisecond))
	}
	rep.Recovered = append(rep.Recovered, r.recovered...)
	switch {
	case err != nil:
		rep.Step, rep.Outcome = plan.StepVerify, plan.Uncertain
		rep.Err = fmt.Errorf("the new routing is good, but the node got no confirmation and has restored the old files by itself: %w", err)
	case r.err != nil || outcomeOf(r) != plan.Applied:
		rep.Step, rep.Outcome = plan.StepVerify, outcomeOf(r)
		rep.Err = cmp.Or(r.err, errors.New("the node did not keep the new files"))
	}
	return rep
}

// restore puts a backup back. After a lost connection it tries once more: a second
// restore is harmless.
func (a *Applier) restore(ctx context.Context, p *plan.Plan, n *plan.Node, backup string, emit func(plan.StepResult)) (*run, error) {
	var r *run
	var err error
	for range 2 {
		rctx, cancel := context.WithTimeout(ctx, cmp.Or(a.RunFor, 5*time.Minute))
		r, err = a.runScript(rctx, n, emit, nil, "restore", p.ID, n.ConfDir, a.who(), backup)
		cancel()
		if err == nil {
			break
		}
	}
	return r, err
}

// verified is verify, and that the routing of the page can be reported. Where pgtui
// itself fails, the new files are not kept: nothing has verified them.
func (a *Applier) verified(ctx context.Context, inv *model.Inventory, n *plan.Node, base baseline) (now haproxy.Stats, err error) {
	err = guard.Try("reading the stats page of "+string(n.Host), func() error {
		if now, err = a.verify(ctx, inv, n, base); err == nil {
			plan.Routing(n, &now)
		}
		return err
	})
	return now, err
}

// verify polls the stats page until it shows the plan's servers and the
// predicted routing, from a process that has made its first checks, and
// returns that page.
func (a *Applier) verify(ctx context.Context, inv *model.Inventory, n *plan.Node, base baseline) (haproxy.Stats, error) {
	limit := cmp.Or(a.VerifyFor, 20*time.Second)
	if w := a.Rollout.ConfirmWithin; w > 0 {
		limit = min(limit, w)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	want := plan.Predicted(n, &base.stats)
	proven, why := base.renewed, "it was not read in time"
	for {
		if a.Rollout.aborted() {
			return haproxy.Stats{}, errAborted
		}
		st, err := a.stats(ctx, inv, n)
		switch {
		case err != nil && ctx.Err() != nil: // interrupted at the end: the last page counts
		case err != nil:
			why = err.Error()
		default:
			fits := plan.Mismatch(n, &st)
			proven = proven || fits == "" && !base.fits || haproxy.NewWorker(&base.stats, &st, a.Now().Sub(base.at))
			if why = unlike(n, fits, want, &st); why == "" && proven {
				return st, nil
			} else if why == "" {
				why = "the page is as planned, but nothing proves that it comes from a new worker"
			}
		}
		timer := time.NewTimer(cmp.Or(a.Poll, 200*time.Millisecond))
		select {
		case <-timer.C:
		case <-a.Rollout.Abort:
			timer.Stop()
			return haproxy.Stats{}, errAborted
		case <-ctx.Done():
			timer.Stop()
			return haproxy.Stats{}, fmt.Errorf("the stats page does not confirm the reload: %s", why)
		}
	}
}

// unlike is what a stats page still lacks, "" when nothing.
func unlike(n *plan.Node, fits string, want map[string][]string, st *haproxy.Stats) string {
	if fits != "" {
		return fits
	}
	if wait := plan.Unsettled(n, st); wait != "" {
		return "no check of " + wait + " has ended yet"
	}
	return plan.Misrouted(n, want, st)
}

// liveText counts what was verified.
func liveText(n *plan.Node) string {
	servers := 0
	for _, x := range n.Become {
		servers += len(x.Servers)
	}
	s := fmt.Sprintf("%d sections, %d servers", len(n.Become), servers)
	if gone := n.Gone(); len(gone) > 0 {
		s += ", removed: " + strings.Join(gone, " ")
	}
	return s
}
