package session

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/model/check"
	"pgtui/model/trace"
	"pgtui/past"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/record/ring"
	"pgtui/source"
)

// Player is a session on a recording. It has no prober, no runner and no executor: what it does not know
// from the recording it refuses with errPast.
type Player struct {
	src    *ring.Reader
	events []past.Event // oldest first
	spans  []past.Span

	mu      sync.Mutex
	at      time.Time // where the player is
	moment  past.Moment
	covered bool // moment is of at
	playing bool
	seq     uint64
	kick    chan struct{} // has room for one
}

// errPast refuses what a recording does not have.
var errPast = &source.Hint{Err: errors.New("a replay contacts no node"), Try: "H, which returns to now"}

// NewPlayer opens a recording at a time; the zero time is its end.
func NewPlayer(ctx context.Context, src *ring.Reader, at time.Time) (*Player, error) {
	p := &Player{src: src, kick: make(chan struct{}, 1)}
	var err error
	if p.spans, err = src.Spans(ctx); err != nil {
		return nil, err
	}
	if len(p.spans) == 0 {
		return nil, &past.NotCovered{At: at, Source: src.Name()}
	}
	if at.IsZero() {
		at = p.spans[len(p.spans)-1].To
	}
	if p.events, err = src.Events(ctx, p.spans[0].From, p.spans[len(p.spans)-1].To); err != nil {
		return nil, err
	}
	if p.moment, err = src.At(ctx, at); err != nil {
		return nil, err
	}
	p.at, p.covered = at, true
	return p, nil
}

// Close closes the recording.
func (p *Player) Close() error { return p.src.Close() }

// Now is the clock of the replay: ages are those of the moment.
func (p *Player) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now()
}

func (p *Player) now() time.Time {
	if p.covered {
		return p.moment.Judged.Local()
	}
	return p.at.Local()
}

// Source is the name of the recording.
func (p *Player) Source() string { return p.src.Name() }

// Playing reports whether it plays.
func (p *Player) Playing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.playing
}

// Covered reports whether the recording knows the time.
func (p *Player) Covered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.covered
}

// Span is from the first moment of the recording to the last.
func (p *Player) Span() (from, to time.Time) {
	return p.spans[0].From, p.spans[len(p.spans)-1].To
}

// Events are all events of the recording, the oldest first. They are not to be changed.
func (p *Player) Events() []board.Event {
	out := make([]board.Event, len(p.events))
	for i := range p.events {
		out[i] = p.events[i].Event
	}
	return out
}

// ByEvent goes to the event after the present time, or to the one before; false when there is none.
func (p *Player) ByEvent(forth bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.at
	if p.covered && !forth {
		now = p.moment.Judged
	}
	i := slices.IndexFunc(p.events, func(e past.Event) bool { return e.At.After(now) })
	if forth && i < 0 {
		return false
	}
	if !forth {
		if i = len(p.events); i > 0 {
			i = lastBefore(p.events, now)
		}
		if i < 0 || len(p.events) == 0 {
			return false
		}
	}
	p.seek(p.events[i].At)
	return true
}

// lastBefore is the place of the last event before t; -1 when there is none.
func lastBefore(events []past.Event, t time.Time) int {
	for i, e := range slices.Backward(events) {
		if e.At.Before(t) {
			return i
		}
	}
	return -1
}

// By goes that far; not beyond the ends of the recording.
func (p *Player) By(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seek(p.at.Add(d))
}

// Play begins to play, or stops.
func (p *Player) Play() {
	p.mu.Lock()
	p.playing = !p.playing
	p.mu.Unlock()
	p.wake()
}

// seek moves. The lock must be held.
func (p *Player) seek(at time.Time) {
	from, to := p.Span()
	if at.Before(from) {
		at = from
	}
	if at.After(to) {
		at = to
	}
	p.at = at
	m, err := p.src.At(context.Background(), at)
	if p.covered = err == nil; p.covered {
		p.moment = m
	}
	p.wake()
}

func (p *Player) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// snapshot is what was observed at the time; of a time that is not covered nothing is known.
func (p *Player) snapshot() *model.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq++
	out := &model.Snapshot{Inventory: p.moment.Snap.Inventory, TakenAt: p.at}
	if p.covered {
		*out = *p.moment.Snap
	}
	out.Seq = p.seq
	return out
}

// tick is how far it moves at once while it plays.
const tick = 500 * time.Millisecond

// Watch sends what was observed, at each step.
func (p *Player) Watch(ctx context.Context, _ *model.Inventory, _ time.Duration) <-chan *model.Snapshot {
	out := make(chan *model.Snapshot, 1)
	guard.Go("replaying", func() {
		defer close(out)
		for {
			select {
			case <-out:
			default:
			}
			out <- p.snapshot()
			if !p.wait(ctx) {
				return
			}
		}
	}, func(error) {})
	return out
}

// wait returns when there is another moment to show; false when ctx has ended.
func (p *Player) wait(ctx context.Context) bool {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-p.kick:
			return true
		case <-t.C:
			if p.advance() {
				return true
			}
		}
	}
}

// advance lets one tick pass while it plays. It stops at the end.
func (p *Player) advance() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.playing {
		return false
	}
	if _, to := p.Span(); !p.at.Before(to) {
		p.playing = false
		return true
	}
	was := p.moment.Judged
	p.seek(p.at.Add(tick))
	return !p.covered || !p.moment.Judged.Equal(was)
}

// Load is the inventory as it was recorded.
func (p *Player) Load(context.Context) (*model.Inventory, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moment.Snap.Inventory, nil
}

// Candidates is who could take over then.
func (p *Player) Candidates(_ context.Context, _ *model.Inventory, name model.ClusterName) (candidate.Table, error) {
	p.mu.Lock()
	m, ok := p.moment, p.covered
	p.mu.Unlock()
	c := m.Snap.Inventory.Cluster(name)
	if !ok || c == nil {
		return candidate.Table{}, errPast
	}
	b := check.Board(m.Snap, c, m.Judged)
	return candidate.Of(m.Snap, &b, m.Judged), nil
}

// Rules is what Patroni decided a failover by, where it was recorded.
func (p *Player) Rules(_ context.Context, _ *model.Inventory, _ *model.Snapshot, name model.ClusterName) (model.RuleFacts, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moment.Snap.Rules[name], nil
}

// Access is where the endpoints led then, by what the nodes reported.
func (p *Player) Access(_ context.Context, _ *model.Inventory, _ *model.Snapshot, name model.ClusterName) (access.Access, error) {
	p.mu.Lock()
	m, ok := p.moment, p.covered
	p.mu.Unlock()
	c := m.Snap.Inventory.Cluster(name)
	if !ok || c == nil {
		return access.Access{}, errPast
	}
	b := check.Board(m.Snap, c, m.Judged)
	return access.Of(m.Snap, &b, access.Live{}), nil
}

// Components is what the recording has of them.
func (p *Player) Components(_ context.Context, inv *model.Inventory, name model.ClusterName) ([]model.ComponentRow, error) {
	nodes, err := NodesOf(inv, string(name))
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.covered {
		return nil, errPast
	}
	return model.Components(nodes, p.moment.Snap.ComponentStates(nodes, p.moment.Judged)), nil
}

// Can reports that a replay changes nothing and reads no node.
func (p *Player) Can(a model.Ability) bool {
	return a == model.CanAccess || a == model.CanComponents
}

// Lock does nothing: a replay is read-only.
func (p *Player) Lock(string) {}

// Stamp are the inputs as they were: files of another time do not count.
func (p *Player) Stamp(in []source.Input) []source.Input { return in }

// Recorded does nothing: the past is not recorded again.
func (p *Player) Recorded(time.Time, *model.Snapshot, []board.Event) {}

// Unrecorded is "": nothing is missing.
func (p *Player) Unrecorded() string { return "" }

// Ran is nothing.
func (p *Player) Ran() []model.Ran { return nil }

// File is not in a recording.
func (p *Player) File(*model.Inventory, *model.Service) string { return "" }

// Examine reads no node.
func (p *Player) Examine(context.Context, *model.Inventory, model.Host) model.Reading {
	return model.Reading{}
}

// What follows a recording does not have: each is refused.

// Mark is refused.
func (p *Player) Mark(time.Time, model.ClusterName, string) error { return errPast }

// Plan is refused.
func (p *Player) Plan(context.Context, *model.Inventory, model.ClusterName, []model.Host) (plan.Plan, error) {
	return plan.Plan{}, errPast
}

// Execute is refused.
func (p *Player) Execute(context.Context, *model.Inventory, plan.Plan, func(plan.StepResult)) (plan.Report, error) {
	return plan.Report{}, errPast
}

// Trace is refused.
func (p *Player) Trace(context.Context, *model.Inventory, []string) (trace.Trace, error) {
	return trace.Trace{}, errPast
}

// Origins is refused.
func (p *Player) Origins(context.Context, *model.Inventory, model.ClusterName) (source.Origins, error) {
	return source.Origins{}, errPast
}

// Pooler is refused.
func (p *Player) Pooler(context.Context, *model.Inventory, model.InstanceName) (model.PoolReport, error) {
	return model.PoolReport{}, errPast
}

// Activity is refused.
func (p *Player) Activity(context.Context, *model.Inventory, model.InstanceName, bool) (model.ServerReport, error) {
	return model.ServerReport{}, errPast
}

// Store is refused.
func (p *Player) Store(context.Context, *model.Inventory, model.InstanceName) (model.NodeStore, error) {
	return model.NodeStore{}, errPast
}

// PlanAction is refused.
func (p *Player) PlanAction(context.Context, *model.Inventory, action.Request) (action.Plan, error) {
	return action.Plan{}, errPast
}

// Act is refused.
func (p *Player) Act(context.Context, *model.Inventory, action.Plan, func(action.Event)) (action.Report, error) {
	return action.Report{}, errPast
}

// Logs is refused.
func (p *Player) Logs(context.Context, *model.Inventory, model.Host, model.LogRequest, func(model.LogBatch)) error {
	return errPast
}

// Shell is refused.
func (p *Player) Shell(context.Context, *model.Inventory, model.Host) (model.Program, error) {
	return model.Program{}, errPast
}

// Psql is refused.
func (p *Player) Psql(*model.Inventory, model.ClusterName, string) (model.Program, error) {
	return model.Program{}, errPast
}

// Editor is refused.
func (p *Player) Editor(context.Context, *model.Inventory, model.Place, source.Pos) (model.Program, error) {
	return model.Program{}, errPast
}

// Foreground is refused.
func (p *Player) Foreground(context.Context, model.Program, *os.File, *os.File, func()) (int, error) {
	return 0, errPast
}

// History is refused.
func (p *Player) History(context.Context, *model.Inventory) (plan.History, error) {
	return plan.History{}, errPast
}

// PatroniHistory is refused.
func (p *Player) PatroniHistory(context.Context, *model.Inventory, *model.Cluster, bool) ([]action.TimelineSwitch, error) {
	return nil, errPast
}
