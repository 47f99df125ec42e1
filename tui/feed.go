package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/tui/page"
)

// feed is the only place of the console that starts work. Everything it
// starts ends with its context.
type feed struct {
	// ctx is the life of the console. It is kept here because Bubble Tea's
	// commands take no argument and are not waited for at the end.
	ctx   context.Context
	after func(time.Duration, tea.Msg) tea.Cmd // a timer; tests bring their own
	world *opened                              // read where commands are made, and nowhere else

	mu    sync.Mutex
	stop  context.CancelFunc                   // ends the present watch; nil when there is none
	began time.Time                            // when the present watch began
	going *activeRun                           // the reload or action under way; nil when there is none
	asked map[*page.Inquiry]context.CancelFunc // what pages wait for
	logs  map[*page.Inquiry]following          // those that are logs
	over  bool                                 // no work is begun any more
	work  sync.WaitGroup                       // what has begun and not ended

	failed error // why there is no inventory to begin with
	job    *job  // nil where there is no terminal
}

// opened is the world that work is done in: the one of a context. Work that has
// begun in one ends in it.
type opened struct {
	deps  Deps
	judge check.Judge
	past  history
	nodes readings
}

// The messages of work. The pages' own (PlanMsg, StepMsg, DoneMsg) are in page.
type (
	inventoryMsg struct { // the inventory was read again
		gen int // of the watch it was requested under
		inv *model.Inventory
		err error
	}
	snapshotMsg struct { // what the nodes answered, judged
		gen    int
		snap   *model.Snapshot
		boards []board.Board
		events []board.Event // what has changed since the last one
		more   <-chan *model.Snapshot
		cost   time.Duration // what judging it took
	}
	plannedMsg struct { // a plan, and the watch it was requested under
		page.PlanMsg
		gen int
	}
	judgedMsg struct { // an old snapshot judged at a later time
		gen    int
		seq    uint64
		boards []board.Board
		events []board.Event
	}
	watchEndMsg struct{ gen int }
	tickMsg     struct{}
	settleMsg   struct{ asked int }
	actionMsg   struct {
		label string
		err   error
	}
	contextMsg struct { // another context was opened
		name string
		deps Deps
		err  error
	}
)

func newFeed(ctx context.Context, d Deps) *feed {
	return &feed{ctx: ctx, world: &opened{deps: d}, asked: map[*page.Inquiry]context.CancelFunc{}, logs: map[*page.Inquiry]following{}, after: func(d time.Duration, msg tea.Msg) tea.Cmd {
		return func() tea.Msg {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-t.C:
				return msg
			case <-ctx.Done():
				return nil
			}
		}
	}}
}

// use makes another world the one that work is begun in.
func (f *feed) use(d Deps) { f.world = &opened{deps: d} }

// tick comes once a second, to notice data that grows old.
func (f *feed) tick() tea.Cmd { return f.after(time.Second, tickMsg{}) }

// suspend gives the terminal back to the shell until it wakes the console.
func (f *feed) suspend() tea.Cmd {
	if f.job == nil {
		return nil
	}
	return f.job.suspend()
}

// begun counts work, so that the end can wait for it; nil says that there is no
// time for any.
func (f *feed) begun(work func() tea.Msg) tea.Cmd {
	return func() tea.Msg {
		f.mu.Lock()
		over := f.over
		if !over {
			f.work.Add(1)
		}
		f.mu.Unlock()
		if over {
			return nil
		}
		defer f.work.Done()
		return work()
	}
}

// limited is work that ends after limit at the latest.
func (f *feed) limited(limit time.Duration, work func(context.Context) tea.Msg) tea.Cmd {
	return f.begun(func() tea.Msg {
		ctx, cancel := context.WithTimeout(f.ctx, limit)
		defer cancel()
		return work(ctx)
	})
}

// rest waits until all work has ended, but no longer than that. The context of
// the feed must have ended.
func (f *feed) rest(longest time.Duration) {
	f.mu.Lock()
	f.over = true
	f.mu.Unlock()
	ended := make(chan struct{})
	guard.Go("waiting", func() { f.work.Wait(); close(ended) }, func(error) {}) // the time is over then
	t := time.NewTimer(longest)
	defer t.Stop()
	select {
	case <-ended:
	case <-t.C:
	}
}

// load reads the inventory.
func (f *feed) load(gen int) tea.Cmd {
	read := f.world.deps.Load
	return f.limited(30*time.Second, func(ctx context.Context) tea.Msg {
		var inv *model.Inventory
		err := guard.Try("reading the inventory", func() (err error) { inv, err = read(ctx); return err })
		return inventoryMsg{gen: gen, inv: inv, err: err}
	})
}

// The limit of probing a fleet: this many nodes a second. Small fleets are probed
// every quickest, no fleet less often than every slowest.
const (
	quickest     = 2 * time.Second
	slowest      = 5 * time.Second
	nodesASecond = 200
)

// pace is the time between two probes of the nodes of inv: wanted, or, when that
// is 0, what the size of the fleet allows.
func pace(wanted time.Duration, inv *model.Inventory) time.Duration {
	switch {
	case wanted > 0:
		return wanted
	case inv == nil:
		return quickest
	}
	return min(max(time.Duration(len(inv.Nodes))*time.Second/nodesASecond, quickest), slowest)
}

// watch probes the nodes of inv until another watch takes over.
func (f *feed) watch(inv *model.Inventory, gen int, every time.Duration) tea.Cmd {
	w := f.world
	return func() tea.Msg {
		ctx, cancel := context.WithCancel(f.ctx)
		f.mu.Lock()
		if f.stop != nil {
			f.stop()
		}
		f.stop, f.began = cancel, w.deps.Now()
		f.mu.Unlock()
		return f.read(w, w.deps.Watch(ctx, inv, every), gen)
	}
}

// next waits for the next snapshot of a watch. Judging a large fleet takes its
// time, so that the pause before it grows with what the last one cost: at most
// a fifth of one core goes into boards.
func (f *feed) next(m snapshotMsg) tea.Cmd {
	wait, w := f.after(min(4*m.cost, 300*time.Millisecond), nil), f.world
	return func() tea.Msg {
		wait()
		return f.read(w, m.more, m.gen)
	}
}

// read waits for a snapshot, takes the newest that is there, and judges it:
// the boards are computed here, once, and not while drawing.
func (f *feed) read(w *opened, ch <-chan *model.Snapshot, gen int) tea.Msg {
	s, ok := <-ch
	for more := ok; more; {
		select {
		case newer, still := <-ch:
			if more = still; still {
				s = newer
			}
		default:
			more = false
		}
	}
	if !ok || s == nil {
		return watchEndMsg{gen}
	}
	began := w.deps.Now()
	s = w.nodes.beside(s)
	boards, events := f.verdicts(w, s, began)
	return snapshotMsg{gen: gen, snap: s, boards: boards, events: events, more: ch, cost: w.deps.Now().Sub(began)}
}

// rejudge works the boards of an old snapshot out again: what was current when
// it came may have grown too old to count.
func (f *feed) rejudge(s *model.Snapshot, gen int, now time.Time) tea.Cmd {
	w := f.world
	return func() tea.Msg {
		boards, events := f.verdicts(w, s, now)
		return judgedMsg{gen: gen, seq: s.Seq, boards: boards, events: events}
	}
}

// verdicts are the boards of a snapshot, and what has changed on them.
func (f *feed) verdicts(w *opened, s *model.Snapshot, now time.Time) ([]board.Board, []board.Event) {
	f.mu.Lock()
	began := f.began
	f.mu.Unlock()
	boards := w.judge.Boards(s, now)
	if w.deps.Replay != nil {
		return boards, nil // its events are recorded
	}
	events := w.past.follow(s, boards, now, began)
	w.deps.Recorded(now, s, events)
	return boards, events
}

// plan reads the inventory afresh and then the cluster's nodes: a preview is
// of the file as it is now, not as it was when the console was opened.
func (f *feed) plan(cluster model.ClusterName, gen int) tea.Cmd {
	d := f.world.deps
	return f.limited(time.Minute, func(ctx context.Context) tea.Msg {
		var inv *model.Inventory
		err := guard.Try("reading the inventory", func() (err error) { inv, err = d.Load(ctx); return err })
		if err == nil && inv.Cluster(cluster) == nil {
			err = fmt.Errorf("the inventory %s has no cluster %s", inv.Source, cluster)
		}
		if err != nil {
			return plannedMsg{page.PlanMsg{Cluster: cluster, Err: err}, gen}
		}
		var p plan.Plan
		err = guard.Try("planning "+string(cluster), func() (err error) { p, err = d.Plan(ctx, inv, cluster, nil); return err })
		return plannedMsg{page.PlanMsg{Cluster: cluster, Inv: inv, Plan: p, Err: err}, gen}
	})
}

// inquire probes the nodes for a page. Its context ends once no page waits for
// the answer any more: see only.
func (f *feed) inquire(q *page.Inquiry, inv *model.Inventory, snap *model.Snapshot) tea.Cmd {
	d := f.world.deps
	ctx, cancel := context.WithTimeout(f.ctx, time.Minute)
	f.mu.Lock()
	f.asked[q] = cancel
	f.mu.Unlock()
	return f.begun(func() tea.Msg {
		began := d.Now()
		var answer any
		err := guard.Try("probing for this page", func() (err error) {
			switch q.Topic {
			case page.TopicAccess:
				answer, err = d.Access(ctx, inv, snap, q.Cluster)
			case page.TopicComponents:
				answer, err = d.Components(ctx, inv, q.Cluster)
			case page.TopicTrace:
				answer, err = d.Trace(ctx, inv, q.Target)
			case page.TopicOrigins:
				answer, err = d.Origins(ctx, inv, q.Cluster)
			case page.TopicRules:
				answer, err = d.Rules(ctx, inv, snap, q.Cluster)
			case page.TopicCandidates:
				answer, err = d.Candidates(ctx, inv, q.Cluster)
			case page.TopicPooler:
				answer, err = d.Pooler(ctx, inv, q.Instance)
			case page.TopicPostgres:
				answer, err = d.Activity(ctx, inv, q.Instance, true)
			case page.TopicStore:
				answer, err = d.Store(ctx, inv, q.Instance)
			case page.TopicHistory:
				answer, err = d.History(ctx, inv)
			case page.TopicTimelines:
				answer, err = timelines(ctx, d, inv, q.Cluster)
			case page.TopicAction:
				answer, err = planAction(ctx, d, *q.Request)
			}
			return err
		})
		at := d.Now()
		return page.AnswerMsg{Inquiry: q, Answer: answer, Err: err, At: at, Took: at.Sub(began)}
	})
}

// following is what comes of logs, until no page reads them.
type following struct {
	msgs <-chan tea.Msg
	over <-chan struct{}
}

// follow reads the logs of a node for a page, which takes them one message after
// the other: the node waits for the screen. It ends as an inquiry does.
func (f *feed) follow(q *page.Inquiry, inv *model.Inventory) tea.Cmd {
	d := f.world.deps
	ctx, cancel := context.WithCancel(f.ctx)
	ch := make(chan tea.Msg, 4)
	f.mu.Lock()
	f.asked[q], f.logs[q] = cancel, following{ch, ctx.Done()}
	f.mu.Unlock()
	send := func(msg page.LogsMsg) {
		msg.Inquiry = q
		select {
		case ch <- msg:
		case <-ctx.Done():
		}
	}
	read := f.begun(func() tea.Msg {
		err := guard.Try("reading logs", func() error {
			return d.Logs(ctx, inv, q.Host, q.Logs, func(b model.LogBatch) { send(page.LogsMsg{Batch: b}) })
		})
		send(page.LogsMsg{Ended: true, Err: err})
		return nil
	})
	return tea.Batch(read, f.more(q))
}

// more waits for what comes next of logs that a page reads.
func (f *feed) more(q *page.Inquiry) tea.Cmd {
	f.mu.Lock()
	l, ok := f.logs[q]
	f.mu.Unlock()
	if !ok {
		return nil
	}
	return func() tea.Msg {
		select {
		case msg := <-l.msgs:
			return msg
		case <-l.over:
			return nil
		}
	}
}

// timelines are the ends of a cluster's timelines, the oldest first.
func timelines(ctx context.Context, d Deps, inv *model.Inventory, name model.ClusterName) ([]action.TimelineSwitch, error) {
	c := inv.Cluster(name)
	if c == nil {
		return nil, fmt.Errorf("the inventory has no cluster %s any more", name)
	}
	return d.PatroniHistory(ctx, inv, c, false)
}

// planAction reads the inventory again and plans an action by it.
func planAction(ctx context.Context, d Deps, r action.Request) (page.ActionPlan, error) {
	inv, err := d.Load(ctx)
	if err != nil {
		return page.ActionPlan{}, err
	}
	p, err := d.PlanAction(ctx, inv, r)
	return page.ActionPlan{Inv: inv, Plan: p}, err
}

// only cancels every inquiry except those that a page waits for.
func (f *feed) only(waited []*page.Inquiry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for q, cancel := range f.asked {
		if !slices.Contains(waited, q) {
			cancel()
			delete(f.asked, q)
			delete(f.logs, q)
		}
	}
}

// open reads another context.
func (f *feed) open(name string) tea.Cmd {
	open := f.world.deps.Open
	return f.limited(time.Minute, func(ctx context.Context) tea.Msg {
		if open == nil {
			return contextMsg{name: name, err: errors.New("there are no contexts here")}
		}
		var d Deps
		err := guard.Try("opening "+name, func() (err error) { d, err = open(ctx, name); return err })
		return contextMsg{name: name, deps: d, err: err}
	})
}

// act performs one of the sandbox's actions.
func (f *feed) act(a Action) tea.Cmd {
	return f.limited(time.Minute, func(ctx context.Context) tea.Msg {
		return actionMsg{label: a.Label, err: a.Do(ctx)}
	})
}

// settle makes a dialog's keys count after a while.
func (f *feed) settle(asked int) tea.Cmd { return f.after(page.Settle, settleMsg{asked}) }

// activeRun is a reload or an action under way.
type activeRun struct {
	title   string // "reload of pg-test"
	cluster model.ClusterName
	running string // shown where it keeps the operator on its page
	halting string // shown when it is to stop
	events  chan tea.Msg
	halt    func() // begins no further node or step
	ctx     context.Context
	ended   chan struct{}

	mu   sync.Mutex
	on   string // the node or step that is being worked on
	done tea.Msg
}

// execute carries a plan out. It is stopped by run.halt only, which ends the
// context that Execute has: that finishes the node it is on, and looks at the
// context right before the next.
func (f *feed) execute(p page.PlanMsg) (*activeRun, tea.Cmd) {
	d := f.world.deps
	r := &activeRun{title: "reload of " + string(p.Cluster), cluster: p.Cluster, running: reloadRunning, halting: "finishing this node, then stopping"}
	return f.run(r, func() tea.Msg {
		rep, err := d.Execute(r.ctx, p.Inv, p.Plan, func(s plan.StepResult) {
			r.enters(string(s.Host))
			r.tell(f.ctx, page.StepMsg{Result: s})
		})
		return page.DoneMsg{Report: rep, Err: err}
	}, func(err error) tea.Msg {
		return page.DoneMsg{Err: fmt.Errorf("the reload was interrupted on %s; its state is unknown: %w", r.at(), err)}
	})
}

// carryOut carries an action out. run.halt ends the context that Act has: that
// ends a wait, and begins no further step.
func (f *feed) carryOut(p page.ActionPlan) (*activeRun, tea.Cmd) {
	d := f.world.deps
	title := p.Plan.Request.Title()
	r := &activeRun{title: title, cluster: p.Plan.Request.Cluster, on: title, running: actionRunning, halting: "finishing this step, then stopping; what was sent stays sent"}
	return f.run(r, func() tea.Msg {
		rep, err := d.Act(r.ctx, p.Inv, p.Plan, func(e action.Event) { r.tell(f.ctx, page.EventMsg{Event: e}) })
		return page.ActedMsg{Report: rep, Err: err}
	}, func(err error) tea.Msg {
		return page.ActedMsg{Report: action.Report{Outcome: action.EndUnknown}, Err: fmt.Errorf("%s was interrupted; its state is unknown: %w", title, err)}
	})
}

// run begins work that ends with the message it returns. A panic in it must not
// take the terminal along: the run then ends with what lost makes of it.
func (f *feed) run(r *activeRun, work func() tea.Msg, lost func(error) tea.Msg) (*activeRun, tea.Cmd) {
	r.events, r.ended = make(chan tea.Msg, 64), make(chan struct{})
	r.ctx, r.halt = context.WithCancel(context.WithoutCancel(f.ctx))
	f.mu.Lock()
	f.going = r
	f.mu.Unlock()
	guard.Go("running the "+r.title, func() {
		defer r.halt()
		f.ended(r, work())
	}, func(err error) { f.ended(r, lost(err)) })
	return r, f.event(r)
}

// ended is the end of a run.
func (f *feed) ended(r *activeRun, done tea.Msg) {
	r.mu.Lock()
	r.done = done
	r.mu.Unlock()
	close(r.ended)
	r.tell(f.ctx, done)
}

// enters notes the node a step is on.
func (r *activeRun) enters(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = what
}

// at is the node or step that is being worked on, "" before the first.
func (r *activeRun) at() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.on
}

// tell hands an event to the screen, if there still is one.
func (r *activeRun) tell(ctx context.Context, msg tea.Msg) {
	select {
	case r.events <- msg:
	case <-ctx.Done():
	}
}

// event waits for the next event of a run.
func (f *feed) event(r *activeRun) tea.Cmd {
	return func() tea.Msg {
		select {
		case msg := <-r.events:
			return msg
		case <-f.ctx.Done():
			return nil
		}
	}
}

// finish is the end of the console: it lets a reload or an action that is under
// way come to the end of its node or step. It returns nil when none was, or an error that says
// what was and was not done. waiting gets what it waits for.
func (f *feed) finish(waiting func(string)) error {
	f.mu.Lock()
	r := f.going
	f.mu.Unlock()
	if r == nil {
		return nil
	}
	select {
	case <-r.ended:
		if f.seen(r) {
			return nil
		}
	default:
		r.halt()
		next := f.event(r)
		guard.Go("leaving", func() { // no page reads the events any more
			for f.ctx.Err() == nil {
				next()
			}
		}, func(error) {})
		waiting(r.at())
		<-r.ended
	}
	return r.account()
}

// release forgets a run whose end has been shown.
func (f *feed) release(r *activeRun) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.going == r {
		f.going = nil
	}
}

func (f *feed) seen(r *activeRun) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.going != r
}

// account is a run that was cut short, as an error.
func (r *activeRun) account() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	parts, err := ended(r.done)
	if err == nil {
		err = errors.New("the console was closed")
	}
	return fmt.Errorf("%s: %s: %w", r.title, strings.Join(parts, ", "), err)
}

// ended is how the end of a reload or an action came out, node by node, and its error.
func ended(msg tea.Msg) (parts []string, err error) {
	switch done := msg.(type) {
	case page.DoneMsg:
		for _, n := range done.Report.Nodes {
			parts = append(parts, fmt.Sprintf("%s %s", n.Host, n.Outcome))
		}
		err = done.Err
	case page.ActedMsg:
		parts, err = append(parts, string(done.Report.Outcome)), done.Err
	}
	return parts, err
}

// ran is the end of a reload or an action as an event.
func ran(r *activeRun, msg tea.Msg, at time.Time) board.Event {
	ev := board.Event{At: at, Cluster: r.cluster, Kind: "run", Subject: r.title, Severity: model.Info}
	parts, err := ended(msg)
	good := err == nil
	switch done := msg.(type) {
	case page.DoneMsg:
		good = good && done.Report.OK()
	case page.ActedMsg:
		good = good && done.Report.Outcome == action.EndDone
	}
	if err != nil {
		parts = append(parts, err.Error())
	}
	if ev.After = strings.Join(parts, ", "); !good {
		ev.Severity = model.Warning
	}
	return ev
}

// unasked are the boards before any node has answered: nothing is known.
func unasked(inv *model.Inventory, now time.Time) []board.Board {
	return check.Boards(&model.Snapshot{Inventory: inv, TakenAt: now}, now)
}

// mostEvents is how many events the console keeps.
const mostEvents = 1000

// history remembers the last board of each cluster that rested on an answer of
// every node, to tell what has changed since.
type history struct {
	mu   sync.Mutex
	seq  uint64 // of the snapshot that was compared last
	last map[model.ClusterName]*board.Board
}

// follow returns what has changed on the boards, in their order. A cluster of
// which some node has not been probed yet gives no event: a first answer is not a
// change. A snapshot older than one that was followed gives none either.
func (h *history) follow(s *model.Snapshot, boards []board.Board, now, began time.Time) []board.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Seq < h.seq {
		return nil
	}
	h.seq = s.Seq
	e := page.Env{Snap: s, Now: now, Began: began}
	last := make(map[model.ClusterName]*board.Board, len(boards))
	var out []board.Event
	for i := range boards {
		b := &boards[i]
		was := h.last[b.Cluster.Name]
		if e.Pending(b) {
			if was != nil {
				last[b.Cluster.Name] = was
			}
			continue
		}
		if was != nil && !restated(was, b) {
			out = append(out, board.Events(was, b)...)
		}
		last[b.Cluster.Name] = b
	}
	h.last = last
	return out
}

// restated reports whether b is a with other times only, as a Judge makes it:
// then both share their cells.
func restated(a, b *board.Board) bool {
	for i := range min(len(a.Routes), len(b.Routes)) {
		x, y := a.Routes[i].Views, b.Routes[i].Views
		if len(x) > 0 && len(y) > 0 && len(x[0].Cells) > 0 && len(y[0].Cells) > 0 {
			return &x[0].Cells[0] == &y[0].Cells[0]
		}
	}
	return false
}

// happened takes new events in.
func (m *Model) happened(news []board.Event) {
	if len(news) > 0 {
		m.events = remember(m.events, news)
		m.changes = board.Changes(m.events)
	}
}

// remember puts new events in front of the ones that are kept; the oldest are
// forgotten. The list is a new one: a frame may still be reading the old one.
func remember(kept, news []board.Event) []board.Event {
	if len(news) == 0 {
		return kept
	}
	out := make([]board.Event, 0, min(len(kept)+len(news), mostEvents))
	out = append(out, news[:min(len(news), mostEvents)]...)
	return append(out, kept[:min(len(kept), mostEvents-len(out))]...)
}
