package act

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pgtui/model"
	"pgtui/model/activity"
	"pgtui/plan/action"
	"pgtui/probe"
	"pgtui/source"
)

// endWait is how long a session or a query may take to end once it is signalled: it
// ends where it next checks for interrupts.
const endWait = 10 * time.Second

// signalStatement ends a session or its query, and answers nothing where the process is
// not that session any more, or runs another query. It has numbers only.
func signalStatement(s *action.Step) string {
	function, more := "pg_terminate_backend", ""
	if s.Do == action.DoCancel {
		function, more = "pg_cancel_backend", fmt.Sprintf(" and state = 'active' and (extract(epoch from query_start) * 1000000)::bigint = %d", s.Session.QueryStarted)
	}
	return fmt.Sprintf("select %s(pid) from pg_stat_activity where pid = %d and (extract(epoch from backend_start) * 1000000)::bigint = %d%s", function, s.Session.PID, s.Session.Started, more)
}

// doSignal cancels the query of a session, or terminates the session, and waits until
// pg_stat_activity shows that it has ended.
func doSignal(ctx context.Context, r *run, s *action.Step) error {
	in, err := r.instance(s.Instance)
	switch {
	case err != nil:
		return err
	case s.Session == nil || s.Session.PID <= 0 || r.Operate == nil || r.Backend == nil:
		return fmt.Errorf("the plan names no session: %w", ErrNotSent)
	}
	sent := false
	value, ok, err := r.Operate(context.WithoutCancel(ctx), r.cluster(), in, signalStatement(s), func() {
		sent = true
		r.tell(action.Event{State: action.Sent, Host: in.Host, What: s.What})
	})
	switch {
	case err != nil && !sent:
		r.tell(action.Event{State: action.Failed, Host: in.Host, What: "nothing was sent", Err: err})
		return &source.Hint{Err: fmt.Errorf("%w: %w", err, ErrNotSent), Try: source.TryOf(err)}
	case errors.Is(err, probe.ErrAnswered):
		r.tell(action.Event{State: action.Refused, Host: in.Host, What: "PostgreSQL refused it", Err: err})
		return err
	case err != nil:
		r.tell(action.Event{State: action.Unknown, Host: in.Host, What: "the reply was lost: pgtui keeps watching and sends nothing again", Err: err})
	case !ok:
		// The statement itself found that it is not the session of the plan: it
		// signalled none.
		err := fmt.Errorf("backend %d of %s is not the session of the plan any more: the session or its query has ended", s.Session.PID, in.Name)
		r.tell(action.Event{State: action.Refused, Host: in.Host, What: "no process was signalled", Err: err})
		return &source.Hint{Err: fmt.Errorf("%w: %w", err, ErrNotSent), Try: "pgtui postgres " + string(in.Name)}
	case value != "t":
		return fmt.Errorf("PostgreSQL of %s could not signal backend %d", in.Name, s.Session.PID)
	}
	return r.awaitEnd(ctx, s, in, err)
}

// awaitEnd waits until the session, or its query, has ended. lost is why the reply is
// unknown, nil where it was received.
func (r *run) awaitEnd(ctx context.Context, s *action.Step, in *model.Instance, lost error) error {
	last := ""
	for end := r.Now().Add(endWait); ; {
		b, err := r.Backend(ctx, r.cluster(), in, s.Session.PID)
		if err == nil && ended(s, b) {
			what := "the session has ended"
			if s.Do == action.DoCancel {
				what = "the query has ended"
			}
			r.tell(action.Event{State: action.Proven, Host: in.Host, What: fmt.Sprintf("pg_stat_activity of %s: %s", in.Name, what)})
			return nil
		}
		if err == nil {
			last = (&activity.Row{Backend: b}).State()
		}
		switch {
		case r.Now().Before(end):
		case err != nil:
			return fmt.Errorf("pg_stat_activity could not be read: %w: %w", err, ErrUnknown)
		case lost != nil:
			return fmt.Errorf("%w: %w", lost, ErrUnknown)
		default:
			return &source.Hint{Err: fmt.Errorf("after %s backend %d of %s is still there (%s): it ends when it next checks for interrupts", endWait, s.Session.PID, in.Name, last),
				Try: "pgtui postgres " + string(in.Name) + " shows what it waits for"}
		}
		if err := r.rest(ctx); err != nil {
			return err
		}
	}
}

// ended reports whether the session of a step, or its query, is over; b is what has its
// process ID now, nil for none.
func ended(s *action.Step, b *model.Backend) bool {
	if b == nil || b.Started != s.Session.Started {
		return true
	}
	return s.Do == action.DoCancel && (!b.Active() || b.QueryStarted != s.Session.QueryStarted)
}
