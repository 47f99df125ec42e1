package act

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan/action"
	"pgtui/source"
)

// doSwitchover and doFailover send one call and follow the leader's role to its end.
func doSwitchover(ctx context.Context, r *run, s *action.Step) error {
	body := map[string]any{"leader": s.From}
	if s.Instance != "" {
		body["candidate"] = s.Instance
	}
	return r.change(ctx, s, call{method: "POST", path: "/switchover", body: body})
}

func doFailover(ctx context.Context, r *run, s *action.Step) error {
	return r.change(ctx, s, call{method: "POST", path: "/failover", body: map[string]any{"candidate": s.Instance}})
}

// change is one change of the leader under way.
type change struct {
	*run
	step    *action.Step
	w       action.Watcher
	clients *clients
	wait    time.Duration // how long Patroni may take to answer

	snap     *model.Snapshot
	board    *board.Board
	replied  bool
	lost     error // the reply was lost, or Patroni itself does not know
	refused  error
	instead  string // who leads by Patroni's answer, instead of the candidate
	sent     time.Time
	waiting  string
	proveGap time.Time // when a login was last tried
	routed   time.Time // when every HAProxy was first seen to route to the new leader
	unserved string    // why the last login was not served
}

// routedFor is how long HAProxy's checks may take to find a new leader: with
// Pigsty's slowest ones, rise and downinter take 20 s.
const routedFor = 45 * time.Second

// provenFor is how long a login may fail once every HAProxy routes to the new leader:
// HAProxy's checks do not connect to the port behind them.
const provenFor = 30 * time.Second

// change sends the call and watches until the end is settled, or known not to be.
func (r *run) change(ctx context.Context, s *action.Step, c call) error {
	x := &change{run: r, step: s}
	if err := x.begin(ctx); err != nil {
		return err
	}
	c.wait, c.ssh = x.wait, r.plan.Request.SSH
	in, err := r.instance(s.Via)
	if err != nil {
		return err
	}
	x.clients = r.connectClients(ctx, x.snap)
	defer x.close()
	pause(ctx, min(r.poll(), clientEvery)) // a client that was served before sees the whole gap
	if ctx.Err() != nil {
		return fmt.Errorf("stopped by the operator: %w", ErrNotSent)
	}
	r.tellSent(in, &c)
	x.sent = r.Now()
	x.clients.called(x.sent)
	x.w.Sent = x.sent
	answer := make(chan result, 1)
	guard.Go("the call to "+string(in.Name), func() {
		got, err := r.call(context.WithoutCancel(ctx), r.inv, in, r.cluster().API, c)
		answer <- result{got, err}
	}, func(err error) { answer <- result{err: fmt.Errorf("%w: %w", err, ErrUnknown)} })
	return x.follow(ctx, in, answer)
}

type result struct {
	reply
	err error
}

// begin reads the cluster once more: what has changed since the plan was made stops
// the run before anything is sent.
func (x *change) begin(ctx context.Context) error {
	snap, b, err := x.look(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrNotSent)
	}
	s := x.step
	switch {
	case b.Leader != s.From:
		return &source.Hint{Err: fmt.Errorf("%s leads now, and the plan is from %s: %w", cmp.Or(string(b.Leader), "no known member"), cmp.Or(string(s.From), "no known member"), ErrNotSent), Try: "plan again and review the difference"}
	case s.Do == action.DoSwitchover && b.Switch.At != "":
		return &source.Hint{Err: fmt.Errorf("a switchover%s is scheduled at %s now: %w", b.Switch.Who(), b.Switch.At, ErrNotSent), Try: "pgtui patroni flush " + string(x.cluster().Name) + " switchover"}
	}
	x.snap, x.board = snap, b
	x.w = action.Watcher{From: s.From, To: s.Instance, Timeline: b.Timeline, Rejoins: b.LeaderBy == "self"}
	x.wait = 2*max(loopWait, x.loop(ctx)) + 20*time.Second
	return nil
}

// loop is loop_wait of the cluster; 0 when it was not read.
func (x *change) loop(ctx context.Context) time.Duration {
	conf, err := x.Config(ctx, x.inv, x.cluster(), x.plan.Request.SSH, x.step.Via)
	if err != nil {
		return 0
	}
	v, _ := action.ValueAt(conf, "loop_wait")
	n, _ := model.ParseInt(fmt.Sprint(v), "")
	return time.Duration(max(0, min(n, 3600))) * time.Second
}

// follow watches until the run is over.
func (x *change) follow(ctx context.Context, in *model.Instance, answer <-chan result) error {
	for {
		select {
		case got := <-answer:
			x.take(in, &got)
			if x.replied && errors.Is(got.err, ErrNotSent) {
				return got.err
			}
		default:
		}
		if snap, b, err := x.look(ctx); err == nil {
			x.snap, x.board = snap, b
			x.clients.see(snap)
			x.news(ctx)
		}
		if over, err := x.over(ctx); over {
			return err
		}
		pause(ctx, x.poll())
	}
}

// take is Patroni's answer.
func (x *change) take(in *model.Instance, got *result) {
	x.replied = true
	x.tellReply(in, &got.reply, got.err)
	switch {
	case got.err == nil:
		words := got.words()
		if at := strings.Index(words, "instead of"); at >= 0 {
			x.instead = words
		}
	case errors.Is(got.err, ErrUnknown):
		x.lost = got.err
	default:
		x.refused = got.err
	}
}

// news reports the states that have begun, and tries a login once HAProxy routes to
// the new leader.
func (x *change) news(ctx context.Context) {
	tell := func(events []action.Event) {
		for _, e := range events {
			x.tell(e)
		}
	}
	tell(x.w.Next(x.snap, x.board))
	if x.w.Reached(action.Routed) && !x.w.Reached(action.Proven) && x.Now().Sub(x.proveGap) >= x.poll() {
		x.proveGap = x.Now()
		if x.routed.IsZero() {
			x.routed = x.proveGap
		}
		if x.unserved = x.unreached(ctx, x.snap, x.w.Leader()); x.unserved == "" {
			x.w.Prove()
			tell(x.w.Next(x.snap, x.board))
		}
	}
	if what := x.w.Waits(); what != x.waiting && x.w.Leader() != "" && what != "" {
		x.waiting = what
		x.tell(action.Event{State: action.Waiting, What: "until " + what})
	}
}

// unreached is why a connection through the primary port of a HAProxy that answers
// does not reach the leader; "" when one through each does.
func (r *run) unreached(ctx context.Context, snap *model.Snapshot, leader model.InstanceName) string {
	targets := r.primaryTargets()
	whys := guard.Collect(targets, func(t clientTarget) string { return "connecting through " + string(t.host) },
		func(t clientTarget) (model.Host, string) {
			if !snap.HAProxy[t.host].Known() {
				return t.host, "" // it does not answer: it proves nothing
			}
			s := r.try(ctx, &t, snap)
			if s.Fault == "" && s.Instance != leader {
				s.Fault = cmp.Or(string(s.Instance), "an unnamed server") + " answers"
			}
			return t.host, s.Fault
		},
		func(t clientTarget, err error) (model.Host, string) { return t.host, err.Error() })
	for _, t := range targets {
		if why := whys[t.host]; why != "" {
			return fmt.Sprintf("through %s: %s", t.host, why)
		}
	}
	if len(targets) == 0 {
		return "no HAProxy has a primary port"
	}
	return ""
}

// over reports whether the run has come to an end, and how.
func (x *change) over(ctx context.Context) (bool, error) {
	took := x.Now().Sub(x.sent)
	instead := x.w.To != "" && x.w.Leader() != "" && x.w.Leader() != x.w.To
	switch {
	case x.w.Reached(action.Settled) && (instead || x.instead != ""):
		return true, notDone(x.cluster().Name, "%s leads instead of %s", x.w.Leader(), x.w.To)
	case x.w.Reached(action.Settled):
		return true, nil // by what was observed, whatever became of the reply
	case x.refused != nil && x.w.Leader() == "":
		return x.stays(took)
	case x.unserved != "" && x.Now().Sub(x.routed) > provenFor:
		return true, &source.Hint{Err: notDone(x.cluster().Name, "%s leads, every HAProxy routes to it, and no login succeeds %s", x.w.Leader(), x.unserved),
			Try: "pgtui doctor " + string(x.cluster().Name)}
	case ctx.Err() != nil:
		what, _ := x.w.Verdict(x.board)
		return true, fmt.Errorf("stopped by the operator: %s: %w", what, ErrUnknown)
	case x.lost != nil && x.w.Leader() == "" && took > x.wait:
		what, _ := x.w.Verdict(x.board)
		return true, fmt.Errorf("%s %s after the call: %w", what, took.Round(time.Second), x.lost)
	case x.w.Unrouted(x.Now(), routedFor), x.replied && took > x.settleFor(), took > x.settleFor()+x.wait:
		return true, x.late()
	}
	return false, nil
}

// stays is the end of a refused call: once the old leader is seen to lead.
func (x *change) stays(took time.Duration) (bool, error) {
	what, known := x.w.Verdict(x.board)
	switch {
	case x.w.From == "" || known && x.board.Leader == x.w.From && x.board.LeaderBy == "self":
		return true, &source.Hint{Err: fmt.Errorf("%w; %s", x.refused, what), Try: cmp.Or(source.TryOf(x.refused), "pgtui candidates "+string(x.cluster().Name))}
	case took > x.wait:
		return true, fmt.Errorf("%w; %s: %w", x.refused, what, ErrUnknown)
	}
	return false, nil
}

// late is the error of a run whose end was not seen in time.
func (x *change) late() error {
	what, known := x.w.Verdict(x.board)
	if known {
		return notDone(x.cluster().Name, "%s, %s after the call", what, x.Now().Sub(x.sent).Round(time.Second))
	}
	return &source.Hint{Err: errors.Join(fmt.Errorf("not settled %s after the call: %s: %w", x.Now().Sub(x.sent).Round(time.Second), what, ErrUnknown), x.lost), Try: "pgtui status " + string(x.cluster().Name)}
}

// close ends the probe clients and writes what they saw, and what comes next.
func (x *change) close() {
	x.keep(x.clients.stop())
	what, _ := x.w.Verdict(x.board)
	if x.w.Reached(action.Settled) {
		what = fmt.Sprintf("%s leads %s on timeline %d", x.w.Leader(), x.cluster().Name, x.board.Timeline)
	}
	next := x.next()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rep.Leader, x.rep.State = x.w.Leader(), what
	if x.rep.Leader == "" && x.board.LeaderBy == "self" {
		x.rep.Leader = x.board.Leader
	}
	x.rep.Next = append(x.rep.Next, next...)
}

// next are the commands for what is left to do, in their order: a member that does not answer,
// the pause, and what the new leader makes necessary.
func (x *change) next() []string {
	if x.w.Leader() == "" {
		return nil
	}
	name := string(x.cluster().Name)
	var out []string
	for i := range x.board.Members {
		if m := &x.board.Members[i]; !m.Known {
			out = append(out, "ssh "+string(m.Host)+" systemctl status patroni")
		}
	}
	if x.board.Paused {
		out = append(out, "pgtui resume "+name)
	}
	if rows, err := board.Roles(x.board); err == nil && len(board.RolesChanged(rows)) > 0 {
		out = append(out, "pgtui roles "+name+" --edit", "pgtui reload "+name)
	}
	if n := x.stuck(); n > 0 {
		x.tell(action.Event{State: action.Waiting, What: text.Plural(n, "session") + " of old HAProxy processes are stuck to an instance that Patroni refuses for their service"})
		out = append(out, "pgtui ghosts "+name+" --close")
	}
	return out
}

// examineFor is how long the reading of old HAProxy processes may take.
const examineFor = 5 * time.Second

// stuck are the sessions of old HAProxy processes that did not follow.
func (x *change) stuck() int {
	if x.Examine == nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), examineFor)
	defer cancel()
	snap := x.snap.With(x.Examine(ctx, x.inv, []*model.Cluster{x.cluster()}))
	n := 0
	for i := range x.cluster().LoadBalancers {
		for _, p := range board.PinnedSessions(snap, x.board, x.cluster().LoadBalancers[i].Host, x.Now()) {
			if p.Refused {
				n++
			}
		}
	}
	return n
}
