package act

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan/action"
	"pgtui/source"
)

// quick is how long Patroni may take to answer what it does at once.
const quick = 10 * time.Second

// loopWait is Patroni's default; a longer one in its configuration counts.
const loopWait = 10 * time.Second

// cluster is whose action this is.
func (r *run) cluster() *model.Cluster { return r.inv.Cluster(r.plan.Request.Cluster) }

// instance is the member of that name.
func (r *run) instance(name model.InstanceName) (*model.Instance, error) {
	if in := r.cluster().Instance(name); in != nil {
		return in, nil
	}
	return nil, fmt.Errorf("%s has no member %s: %w", r.plan.Request.Cluster, text.Line(string(name), 60), ErrNotSent)
}

// send sends the call of a step, and reports it and its reply. It does not end with
// ctx. lost is why the reply is unknown: what the call did shows in the cluster. err is
// why Patroni does not do it.
func (r *run) send(ctx context.Context, s *action.Step, c call) (lost, err error) {
	in, err := r.instance(s.Via)
	if err != nil {
		return nil, err
	}
	c.ssh = r.plan.Request.SSH
	r.tellSent(in, &c)
	got, err := r.call(context.WithoutCancel(ctx), r.inv, in, r.cluster().API, c)
	r.tellReply(in, &got, err)
	if errors.Is(err, ErrUnknown) {
		return err, nil
	}
	return nil, err
}

// tellSent reports a call that is sent next.
func (r *run) tellSent(in *model.Instance, c *call) {
	r.tell(action.Event{State: action.Sent, Host: in.Host, What: fmt.Sprintf("%s %s to Patroni of %s", c.method, c.path, in.Name)})
}

// tellReply reports what became of a call.
func (r *run) tellReply(in *model.Instance, got *reply, err error) {
	switch {
	case err == nil:
		r.tell(action.Event{State: action.Accepted, Host: in.Host, What: accepted(got)})
	case errors.Is(err, errRefused):
		r.tell(action.Event{State: action.Refused, Host: in.Host, What: "Patroni refused it", Err: err})
	case errors.Is(err, ErrUnknown):
		r.tell(action.Event{State: action.Unknown, Host: in.Host, What: "the reply was lost: pgtui keeps watching and sends nothing again", Err: err})
	default:
		r.tell(action.Event{State: action.Failed, Host: in.Host, What: "nothing was sent", Err: err})
	}
}

// accepted are Patroni's words, in short.
func accepted(got *reply) string {
	if w := got.words(); len(got.body) > 0 && !strings.HasPrefix(w, "{") {
		return "Patroni answered: " + w
	}
	return fmt.Sprintf("Patroni answered with HTTP %d", got.code)
}

// look is one sweep over the cluster, judged.
func (r *run) look(ctx context.Context) (*model.Snapshot, *board.Board, error) {
	snap, err := r.Probe(ctx, r.inv, r.cluster().Name)
	if err != nil {
		return nil, nil, err
	}
	b := board.Of(snap, r.cluster(), r.Now())
	return snap, &b, nil
}

func (a *Actor) poll() time.Duration { return cmp.Or(a.Poll, 500*time.Millisecond) }

func (a *Actor) settleFor() time.Duration { return cmp.Or(a.SettleFor, 3*time.Minute) }

// errSettle is in the error of a wait whose end was not seen.
var errSettle = errors.New("the end was not seen")

// sweep probes the cluster again and again until judge has no more to wait for, or
// returns an error, which ends it. The operator ends it with errStopped, and limit with
// errSettle: waits is what was waited for then, and unread why the last probe failed.
// What is waited for is reported, behind word, whenever it changes.
func (r *run) sweep(ctx context.Context, limit time.Duration, word string, judge func(*model.Snapshot, *board.Board) (string, error)) (waits string, unread, err error) {
	for end := r.Now().Add(limit); ; {
		var snap *model.Snapshot
		var b *board.Board
		if snap, b, unread = r.look(ctx); unread == nil {
			what, err := judge(snap, b)
			if err != nil || what == "" {
				return "", nil, err
			}
			if what != waits {
				waits = what
				r.tell(action.Event{State: action.Waiting, What: word + what})
			}
		}
		switch {
		case ctx.Err() != nil:
			return waits, unread, errStopped
		case !r.Now().Before(end):
			return waits, unread, errSettle
		}
		pause(ctx, r.poll())
	}
}

// until sweeps the cluster until ok has no more to wait for. ok returns what is waited
// for, "" at the end, or an error that ends it. The operator and limit end it with
// ErrUnknown.
func (r *run) until(ctx context.Context, limit time.Duration, ok func(*model.Snapshot, *board.Board) (string, error)) error {
	waits, _, err := r.sweep(ctx, limit, "until ", ok)
	switch {
	case errors.Is(err, errStopped):
		return fmt.Errorf("stopped by the operator while it waited for this: %s: %w", waits, ErrUnknown)
	case errors.Is(err, errSettle):
		return fmt.Errorf("not seen within %s: %s: %w: %w", limit, waits, err, ErrUnknown)
	}
	return err
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// doRestart restarts PostgreSQL of one member and waits until it streams or leads
// again. Patroni answers once it has started; the wait does not need that answer.
func doRestart(ctx context.Context, r *run, s *action.Step) error {
	snap, before, err := r.look(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrNotSent)
	}
	was := snap.PatroniStatus(s.Instance)
	if !was.Known() {
		return fmt.Errorf("%s does not answer: %w", s.Instance, ErrNotSent)
	}
	leads := before.Leader == s.Instance
	if leads { // its port is routed to meanwhile, and answers nothing
		cs := r.connectClients(ctx, snap)
		defer func() { r.keep(cs.stop()) }()
	}
	if m := before.Member(s.Instance); !leads && m != nil && board.HealthyState(m.State) {
		r.catchUp(ctx, s.Instance, snap.PatroniStatus(before.Leader).Value.Location)
		if ctx.Err() != nil {
			return fmt.Errorf("stopped by the operator: %w", ErrNotSent)
		}
	}
	lost, err := r.send(ctx, s, call{method: "POST", path: "/restart", body: map[string]any{}, wait: r.settleFor()})
	if err != nil {
		return err
	}
	limit := r.settleFor()
	if lost != nil {
		limit = min(limit, lostFor)
	}
	err = r.until(ctx, limit, func(snap *model.Snapshot, b *board.Board) (string, error) {
		what, err := restarted(snap, b, s.Instance, was.Value.PostmasterStart, leads)
		if what == "" && err == nil && leads && b.Cluster.Service("primary") != nil {
			if why := r.unreached(ctx, snap, s.Instance); why != "" {
				what = "a login through the primary port of every HAProxy reaches " + string(s.Instance) + ": " + why
			}
		}
		return what, err
	})
	if err != nil {
		return errors.Join(err, lost)
	}
	r.tell(action.Event{State: action.Proven, What: fmt.Sprintf("PostgreSQL of %s has started again", s.Instance)})
	r.state("%s has restarted", s.Instance)
	return nil
}

// catchUpFor is how long a replica may take to replay before its restart.
const catchUpFor = 15 * time.Second

// catchUp waits until a replica streams and has replayed what the leader had written:
// a parameter that the leader has lowered counts for it only then. One that does not
// is restarted nevertheless.
func (r *run) catchUp(ctx context.Context, name model.InstanceName, head int64) {
	for end := r.Now().Add(catchUpFor); ctx.Err() == nil && r.Now().Before(end); pause(ctx, r.poll()) {
		snap, b, err := r.look(ctx)
		if err != nil {
			continue
		}
		m := b.Member(name)
		if m != nil && action.Streams(snap, b, m) && snap.PatroniStatus(name).Value.Replayed >= head {
			return
		}
	}
}

// lostFor is how long the effect of a call is waited for whose reply was lost.
const lostFor = 90 * time.Second

// restarted is what a restart still waits for.
func restarted(snap *model.Snapshot, b *board.Board, name model.InstanceName, was string, leads bool) (string, error) {
	m := b.Member(name)
	st := snap.PatroniStatus(name)
	switch {
	case m == nil || !m.Known || !st.Known():
		return string(name) + " answers", nil
	case m.State == "start failed" || m.State == "restart failed":
		return "", fmt.Errorf("PostgreSQL of %s does not start: its state is %s", name, m.State)
	case st.Value.PostmasterStart == "" || st.Value.PostmasterStart == was:
		return fmt.Sprintf("PostgreSQL of %s starts again: its state is %s", name, m.State), nil
	case leads && b.Leader != "" && b.Leader != name && b.LeaderBy == "self":
		return "", fmt.Errorf("%s leads now: Patroni demoted %s while it restarted", b.Leader, name)
	case leads && (b.Leader != name || b.LeaderBy != "self"):
		return fmt.Sprintf("%s leads again", name), nil
	case !leads && !action.Streams(snap, b, m):
		return fmt.Sprintf("%s streams: its state is %s", name, m.State), nil
	}
	return "", nil
}

// doReinit copies a replica again. Before it begins and after it failed, Patroni
// reports no state that differs from a healthy one: the new PostgreSQL is known by
// its start.
func doReinit(ctx context.Context, r *run, s *action.Step) error {
	snap, _, err := r.look(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrNotSent)
	}
	was := snap.PatroniStatus(s.Instance)
	if !was.Known() {
		return fmt.Errorf("%s does not answer: %w", s.Instance, ErrNotSent)
	}
	body := map[string]any{}
	if r.plan.Request.FromLeader {
		body["from_leader"] = true
	}
	lost, err := r.send(ctx, s, call{method: "POST", path: "/reinitialize", body: body, wait: 2 * quick})
	if err != nil {
		return err
	}
	began, creating, shown := r.Now(), false, r.Now()
	err = r.until(ctx, max(r.settleFor(), time.Hour), func(snap *model.Snapshot, b *board.Board) (string, error) {
		m, st := b.Member(s.Instance), snap.PatroniStatus(s.Instance)
		switch {
		case m == nil || !m.Known || !st.Known():
			return string(s.Instance) + " answers", nil
		case m.State == "creating replica":
			creating = true
			if took := r.Now().Sub(began); r.Now().Sub(shown) >= waitingEvery {
				shown = r.Now()
				r.tell(action.Event{State: action.Waiting, What: fmt.Sprintf("%s is creating replica for %s", s.Instance, took.Round(time.Second))})
			}
			return "the copy of " + string(s.Instance), nil
		case st.Value.PostmasterStart != "" && st.Value.PostmasterStart != was.Value.PostmasterStart && action.Streams(snap, b, m):
			return "", nil
		case !creating && r.Now().Sub(began) > lostFor:
			return "", fmt.Errorf("%s has not begun to create a replica within %s: its state is %s: %w", s.Instance, lostFor, m.State, ErrUnknown)
		}
		return fmt.Sprintf("%s streams from the leader: its state is %s", s.Instance, m.State), nil
	})
	if err != nil {
		return errors.Join(err, lost)
	}
	r.tell(action.Event{State: action.Settled, What: fmt.Sprintf("%s streams on the leader's timeline, %s after the call", s.Instance, r.Now().Sub(began).Round(time.Second))})
	r.state("%s is a new copy and streams", s.Instance)
	return nil
}

// doConfig changes Patroni's dynamic configuration and reads it back; a pause is
// read back from every member that answers.
func doConfig(ctx context.Context, r *run, s *action.Step) error {
	var patch map[string]any
	if err := json.Unmarshal([]byte(s.Value), &patch); err != nil {
		return fmt.Errorf("the plan's configuration is not JSON: %w: %w", err, ErrNotSent)
	}
	lost, err := r.send(ctx, s, call{method: "PATCH", path: "/config", body: patch, wait: 2 * quick})
	if err != nil {
		return err
	}
	if err := r.readBack(ctx, patch); err != nil {
		return errors.Join(err, lost)
	}
	r.tell(action.Event{State: action.Proven, What: "GET /config of every member that answers has the new values"})
	if _, pauses := patch["pause"]; pauses {
		return r.paused(ctx, patch["pause"] == true)
	}
	r.state("the configuration of %s is changed", r.cluster().Name)
	return r.pending(ctx, patch)
}

// readBack waits until GET /config of every member that answers has the patch: each
// answers from what it read in its last loop.
func (r *run) readBack(ctx context.Context, patch map[string]any) error {
	return r.until(ctx, 3*loopWait, func(_ *model.Snapshot, b *board.Board) (string, error) {
		var known []model.InstanceName
		for i := range b.Members {
			if b.Members[i].Known {
				known = append(known, b.Members[i].Instance)
			}
		}
		behind := guard.Collect(known, func(name model.InstanceName) string { return "reading the configuration of " + string(name) },
			func(name model.InstanceName) (model.InstanceName, string) {
				conf, err := r.Config(ctx, r.inv, r.cluster(), r.plan.Request.SSH, name)
				if err != nil || !action.Holds(conf, patch) {
					return name, "behind"
				}
				return name, ""
			},
			func(name model.InstanceName, _ error) (model.InstanceName, string) { return name, "behind" })
		for _, name := range known {
			if behind[name] != "" {
				return "GET /config of " + string(name) + " has the new values", nil
			}
		}
		if len(known) == 0 {
			return "a member answers", nil
		}
		return "", nil
	})
}

// paused waits until every member that answers reports the pause.
func (r *run) paused(ctx context.Context, on bool) error {
	err := r.until(ctx, r.settleFor(), func(snap *model.Snapshot, b *board.Board) (string, error) {
		for i := range b.Members {
			m := &b.Members[i]
			if st := snap.PatroniStatus(m.Instance); m.Known && st.Value.Paused != on {
				return fmt.Sprintf("%s reports pause: %t", m.Instance, on), nil
			}
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	r.tell(action.Event{State: action.Settled, What: fmt.Sprintf("every member that answers reports pause: %t", on)})
	word := "resumed"
	if on {
		word = "paused"
	}
	r.state("Patroni of %s is %s", r.cluster().Name, word)
	return nil
}

// pending reports which members want a restart after PostgreSQL's parameters
// changed, once each has had its loop.
func (r *run) pending(ctx context.Context, patch map[string]any) error {
	if _, ok := patch["postgresql"]; !ok || len(r.plan.Next) == 0 {
		return nil
	}
	var who []string
	err := r.until(ctx, 2*loopWait, func(snap *model.Snapshot, b *board.Board) (string, error) {
		who = nil
		for i := range b.Members {
			st := snap.PatroniStatus(b.Members[i].Instance)
			if b.Members[i].Known && st.Value.PendingRestart {
				who = append(who, strings.TrimSpace(string(b.Members[i].Instance)+" "+strings.Join(st.Value.PendingReasons, ", ")))
			}
		}
		if len(who) < b.KnownMembers() {
			return "every member reports pending_restart", nil
		}
		return "", nil
	})
	if len(who) > 0 {
		r.tell(action.Event{State: action.Settled, What: "a restart is pending on " + strings.Join(who, "; ")})
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	r.tell(action.Event{State: action.Settled, What: "no member reports a pending restart"})
	return nil
}

// doReload has one Patroni read its file again. It reports no result.
func doReload(ctx context.Context, r *run, s *action.Step) error {
	lost, err := r.send(ctx, s, call{method: "POST", path: "/reload", wait: quick})
	if err = cmp.Or(err, lost); err == nil {
		r.state("every Patroni of %s that answers reads its file at its next loop", r.cluster().Name)
	}
	return err
}

// doSchedule plans a switchover or a restart and reads it back.
func doSchedule(ctx context.Context, r *run, s *action.Step) error {
	at := r.plan.Request.At.Format(time.RFC3339)
	c := call{method: "POST", path: "/switchover", wait: 2 * quick}
	body := map[string]any{"leader": s.From, "scheduled_at": at}
	if s.Instance != "" {
		body["candidate"] = s.Instance
	}
	if s.Value == "restart" {
		c.path, body = "/restart", map[string]any{"schedule": at}
	}
	c.body = body
	lost, err := r.send(ctx, s, c)
	if err != nil {
		return err
	}
	err = r.until(ctx, 2*loopWait, func(_ *model.Snapshot, b *board.Board) (string, error) {
		if sameTime(scheduledOf(b, s), r.plan.Request.At) {
			return "", nil
		}
		return "it is listed", nil
	})
	if err != nil {
		return errors.Join(err, lost)
	}
	r.tell(action.Event{State: action.Proven, What: "it is listed for " + at})
	r.state("%s of %s is scheduled at %s", s.Value, r.cluster().Name, at)
	return nil
}

// scheduledOf is what Patroni has scheduled of the kind of a step; "" for nothing.
func scheduledOf(b *board.Board, s *action.Step) string {
	if s.Value == "restart" {
		if m := b.Member(s.Instance); m != nil {
			return m.Restart
		}
		return ""
	}
	return b.Switch.At
}

// sameTime reports whether a time as Patroni writes it is at.
func sameTime(written string, at time.Time) bool {
	t, err := time.Parse(time.RFC3339, strings.Replace(written, " ", "T", 1))
	return err == nil && t.Truncate(time.Second).Equal(at.Truncate(time.Second))
}

// doFlush cancels what is scheduled and reads that back.
func doFlush(ctx context.Context, r *run, s *action.Step) error {
	lost, err := r.send(ctx, s, call{method: "DELETE", path: "/" + s.Value, wait: 2 * quick})
	if err != nil {
		return err
	}
	err = r.until(ctx, 2*loopWait, func(_ *model.Snapshot, b *board.Board) (string, error) {
		if scheduledOf(b, s) == "" {
			return "", nil
		}
		return "it is no longer listed", nil
	})
	if err != nil {
		return errors.Join(err, lost)
	}
	r.tell(action.Event{State: action.Proven, What: "no " + s.Value + " is scheduled"})
	r.state("no %s of %s is scheduled", s.Value, r.cluster().Name)
	return nil
}

// state sets what is known of the cluster at the end.
func (r *run) state(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rep.State = fmt.Sprintf(format, args...)
}

// Config is the dynamic configuration of a cluster, by the first of the members, or
// of all for none, that answers.
func (a *Actor) Config(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool, by ...model.InstanceName) (json.RawMessage, error) {
	return a.read(ctx, inv, c, "/config", ssh, by)
}

// History is the body of GET /history, by the first member that answers.
func (a *Actor) History(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool) (json.RawMessage, error) {
	return a.read(ctx, inv, c, "/history", ssh, nil)
}

func (a *Actor) read(ctx context.Context, inv *model.Inventory, c *model.Cluster, path string, ssh bool, by []model.InstanceName) (json.RawMessage, error) {
	var errs []error
	for i := range c.Instances {
		in := &c.Instances[i]
		if len(by) > 0 && !slices.Contains(by, in.Name) {
			continue
		}
		got, err := a.call(ctx, inv, in, c.API, call{method: "GET", path: path, wait: 4 * time.Second, ssh: ssh})
		if err == nil && json.Valid(got.body) {
			return got.body, nil
		}
		if err == nil {
			err = fmt.Errorf("%s: GET %s: the answer is not JSON", in.Name, path)
		}
		errs = append(errs, err)
	}
	return nil, cmp.Or(errors.Join(errs...), fmt.Errorf("no member of %s answers: GET %s was not sent", c.Name, path))
}

// Rights is whether the Patroni of each member takes writes from here: nil when it
// does. It sends PATCH /config with an empty document, which changes nothing and is
// refused with 400 only once the rights were checked. A member that does not answer
// is missing.
func (a *Actor) Rights(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool) map[model.InstanceName]error {
	if a.ReadOnly != "" {
		return nil
	}
	type right struct {
		known bool
		err   error
	}
	got := guard.Collect(c.Instances, func(in model.Instance) string { return "reading the rights at " + string(in.Host) },
		func(in model.Instance) (model.InstanceName, right) {
			_, err := a.call(ctx, inv, &in, c.API, call{method: "PATCH", path: "/config", body: map[string]any{}, wait: 4 * time.Second, ssh: ssh})
			if errors.Is(err, errForbidden) {
				return in.Name, right{true, err}
			}
			return in.Name, right{err == nil || errors.Is(err, errRefused), nil}
		},
		func(in model.Instance, _ error) (model.InstanceName, right) { return in.Name, right{} })
	out := map[model.InstanceName]error{}
	for name, x := range got {
		if x.known {
			out[name] = x.err
		}
	}
	return out
}

// notDone is the error of a step that did not end as planned, with the state that is
// known.
func notDone(cluster model.ClusterName, format string, args ...any) error {
	return &source.Hint{Err: fmt.Errorf(format, args...), Try: "pgtui status " + string(cluster)}
}
