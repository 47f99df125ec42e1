package action

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
)

// Watcher follows a change of the leader by what is observed. It is pure: it gets
// boards and logins, and returns what is news.
type Watcher struct {
	From     model.InstanceName // who led before; "" when no one did
	To       model.InstanceName // who is to lead; "" leaves it to Patroni
	Timeline int                // before; 0 when it was unknown
	// Rejoins is whether From is waited for until it streams again.
	Rejoins bool
	// Sent is when the call was sent; zero counts from the first board.
	Sent time.Time

	reached []State
	leader  model.InstanceName // the new one, once it was seen
	proven  bool
	calm    int // boards in a row that are settled
	waits   string
	rose    time.Time // when the new leader was first seen
}

// settleBoards is how many boards in a row must be settled: HAProxy's checks and
// Patroni's answers are read moments apart.
const settleBoards = 2

// Leader is the new leader by its own word; "" while there is none.
func (w *Watcher) Leader() model.InstanceName { return w.leader }

// Reached reports whether the run has been in that state.
func (w *Watcher) Reached(s State) bool { return slices.Contains(w.reached, s) }

// Waits is what is waited for now, in a clause.
func (w *Watcher) Waits() string { return w.waits }

// Unrouted reports whether the new leader has led for longer than limit, and not
// every HAProxy that answers routes to it.
func (w *Watcher) Unrouted(now time.Time, limit time.Duration) bool {
	return !w.rose.IsZero() && !w.Reached(Routed) && now.Sub(w.rose) > limit
}

// Prove is called once a login through every HAProxy that answers has reached the
// new leader.
func (w *Watcher) Prove() { w.proven = true }

// Next takes one more board, which is judged from s, and returns the states that begin with it.
func (w *Watcher) Next(s *model.Snapshot, b *board.Board) []Event {
	if w.Sent.IsZero() {
		w.Sent = b.Judged
	}
	var out []Event
	to := func(s State, format string, args ...any) {
		if !w.Reached(s) {
			w.reached = append(w.reached, s)
			out = append(out, Event{At: b.Judged, State: s, What: fmt.Sprintf(format, args...) + w.after(b.Judged)})
		}
	}
	w.fallen(b, to)
	w.risen(b, to)
	if w.leader == "" {
		return out
	}
	if why := unrouted(b, w.leader); why == "" {
		to(Routed, "every HAProxy that answers routes the primary ports to %s", w.leader)
	} else if !w.Reached(Routed) {
		w.waits = why
		return out
	}
	if !w.proven {
		w.waits = "a login through the primary port of every HAProxy"
		return out
	}
	to(Proven, "a login through the primary port of every HAProxy that answers reached %s", w.leader)
	if why := w.unsettled(s, b); why != "" {
		w.waits, w.calm = why, 0
		return out
	}
	if w.calm, w.waits = w.calm+1, ""; w.calm >= settleBoards {
		to(Settled, "%s", w.settledWords(b))
	}
	return out
}

// after is the second of an event, counted from the call.
func (w *Watcher) after(now time.Time) string {
	return fmt.Sprintf(", %.1f s after the call", now.Sub(w.Sent).Seconds())
}

// fallen are the states of the old leader while it stops.
func (w *Watcher) fallen(b *board.Board, to func(State, string, ...any)) {
	if w.leader != "" || w.From == "" {
		return
	}
	m := b.Member(w.From)
	switch {
	case b.Leader == w.From && b.LeaderBy == "self" && m != nil && m.State != "stopping" && m.State != "stopped":
		w.waits = string(w.From) + " still leads"
	case b.Leader != "" && b.Leader != w.From && b.LeaderBy == "self":
	case m != nil && m.Known && m.Role != "leader" || b.Leader == "":
		to(Demoting, "%s stops leading", w.From)
		to(NoLeader, "no member leads")
		w.waits = "a member leads"
	default:
		to(Demoting, "%s stops", w.From)
		w.waits = "a member leads"
	}
}

// risen is the state of a new leader.
func (w *Watcher) risen(b *board.Board, to func(State, string, ...any)) {
	if b.Leader == "" || b.LeaderBy != "self" || b.Leader == w.From && !w.returned(b) {
		return
	}
	m := b.Member(b.Leader)
	if m == nil || m.State == "in recovery" || w.Timeline > 0 && b.Timeline > 0 && b.Timeline <= w.Timeline {
		w.waits = string(b.Leader) + " is promoted"
		return
	}
	w.leader = b.Leader
	if w.rose.IsZero() {
		w.rose = b.Judged
	}
	to(Promoted, "%s reports that it leads, on timeline %d", w.leader, b.Timeline)
}

// returned reports whether the old leader leads again after it had stopped: on a
// new timeline.
func (w *Watcher) returned(b *board.Board) bool {
	return w.Timeline > 0 && b.Timeline > w.Timeline
}

// unrouted is why not every HAProxy that answers routes the services of the primary
// to the leader; "" when each does.
func unrouted(b *board.Board, leader model.InstanceName) string {
	seen := false
	for _, svc := range b.Cluster.Services() {
		if !model.WantsPrimary(svc.Check) {
			continue
		}
		r := b.Route(svc.Name)
		for i := range r.Views {
			v := &r.Views[i]
			if v.Stale || v.Verdict == model.Unknown {
				continue
			}
			seen = true
			if len(v.Serving) != 1 || v.Serving[0] != leader {
				return fmt.Sprintf("%s routes %s to %s", v.Label(), r.Name(), leader)
			}
		}
	}
	if !seen {
		return "a HAProxy answers"
	}
	return ""
}

// unsettled is what the old leader, HAProxy or the VIP still lacks; "" for nothing.
func (w *Watcher) unsettled(s *model.Snapshot, b *board.Board) string {
	if b.Leader != w.leader || b.LeaderBy != "self" {
		return string(w.leader) + " reports that it leads"
	}
	if v := b.VIP; v.Address != "" && v.Why == "" && !v.OnLeader {
		return "the VIP " + v.Address + " moves to " + string(w.leader)
	}
	if !w.Rejoins || w.From == "" || w.From == w.leader {
		return ""
	}
	m := b.Member(w.From)
	switch {
	case m == nil || !m.Known:
		return string(w.From) + " answers"
	case !Streams(s, b, m):
		return fmt.Sprintf("%s streams: its state is %s", w.From, m.State)
	}
	return notUp(b, w.From)
}

// Streams reports whether a member runs as a replica that streams on the leader's
// timeline: by its own word, or, before Patroni 3.0.4, by that of the member that it
// streams from.
func Streams(s *model.Snapshot, b *board.Board, m *board.Member) bool {
	same := m.Timeline == 0 || b.Timeline == 0 || m.Timeline == b.Timeline
	if !m.Known || !board.HealthyState(m.State) || !same || m.NewerTimeline || slices.Contains([]string{"leader", "standby_leader", "primary"}, m.Role) {
		return false
	}
	if m.NoStream || m.State == "streaming" {
		return true
	}
	return m.State == "running" && slices.ContainsFunc(b.Members, func(from board.Member) bool {
		o := s.PatroniStatus(from.Instance)
		return o.Known() && slices.ContainsFunc(o.Value.Streams, func(x model.Stream) bool { return x.Application == string(m.Instance) && x.State == "streaming" })
	})
}

// notUp is a HAProxy on which the replica is not UP in a service whose check it
// passes; "" when there is none. What was taken out by hand does not count.
func notUp(b *board.Board, name model.InstanceName) string {
	for i := range b.Routes {
		r := &b.Routes[i]
		svc := b.Cluster.Service(r.Service)
		if svc == nil || model.WantsPrimary(svc.Check) {
			continue
		}
		for k := range r.Views {
			v := &r.Views[k]
			c := cellOf(v, name)
			if c == nil || v.Stale || v.Verdict == model.Unknown {
				continue
			}
			switch byHand := strings.HasPrefix(c.Status, "MAINT") || strings.HasPrefix(c.Status, "DRAIN") || c.Held != ""; {
			case c.Allowed == 200 && !byHand && c.Status != "UP" && c.Status != "no check":
				return fmt.Sprintf("%s is UP in %s on %s", name, r.Name(), v.Label())
			case c.Allowed == 0:
				return fmt.Sprintf("Patroni of %s answers the check of %s", name, r.Name())
			case model.CheckPath(svc.Check) == "/replica" && !b.Member(name).NoLB:
				return fmt.Sprintf("%s passes the check of %s", name, r.Name())
			}
		}
	}
	return ""
}

func cellOf(v *board.View, name model.InstanceName) *board.Cell {
	for i := range v.Cells {
		if v.Cells[i].Instance == name {
			return &v.Cells[i]
		}
	}
	return nil
}

func (w *Watcher) settledWords(b *board.Board) string {
	out := string(w.leader) + " leads"
	if w.Rejoins && w.From != "" && w.From != w.leader {
		out = string(w.From) + " streams and is UP in each service that selects it"
	}
	switch v := b.VIP; {
	case v.Address == "":
	case v.Why != "":
		out += "; where the VIP " + v.Address + " is was not read"
	default:
		out += "; the VIP " + v.Address + " is on the new leader's node"
	}
	return out
}

// Verdict is how a change of the leader ended by what was seen until now: nil with
// Settled, else what is known. known reports whether the state of the cluster is.
func (w *Watcher) Verdict(b *board.Board) (what string, known bool) {
	switch m := b.Member(w.From); {
	case w.leader == "" && b.Leader == w.From && b.LeaderBy == "self" && w.From != "":
		return fmt.Sprintf("%s still leads", w.From), true
	case w.leader == "":
		return "no member reports that it leads", b.KnownMembers() == len(b.Members)
	case w.To != "" && w.leader != w.To:
		return fmt.Sprintf("%s leads instead of %s", w.leader, w.To), true
	case w.Reached(Proven) && m != nil && m.Known && badState(m.State):
		return fmt.Sprintf("%s leads, and %s is %s", w.leader, w.From, m.State), true
	}
	return fmt.Sprintf("%s leads; not seen yet: %s", w.leader, cmp.Or(w.waits, "that it stays so")), w.leader == b.Leader && allRead(b)
}

// allRead reports whether every member and every HAProxy of the board answered: what
// is not there then is known not to be.
func allRead(b *board.Board) bool {
	if b.KnownMembers() < len(b.Members) {
		return false
	}
	for i := range b.Routes {
		for k := range b.Routes[i].Views {
			if v := &b.Routes[i].Views[k]; v.Stale || v.Verdict == model.Unknown {
				return false
			}
		}
	}
	return true
}

// badState reports whether PostgreSQL is in a state that does not pass by itself.
func badState(state string) bool {
	return slices.Contains([]string{"start failed", "crashed", "stopped", "restart failed", "stop failed", "in archive recovery"}, state)
}
