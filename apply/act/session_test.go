package act

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/probe"
	"pgtui/source"
)

// backends is a PostgreSQL with one session, and how it answers a signal.
type backends struct {
	session *model.Backend // nil once it has ended
	answer  string         // "t", "f", "" for no row
	fails   error          // of the statement
	early   bool           // it fails before it is sent
	deaf    bool           // a signal has no effect
	blind   bool           // reading a session fails
	sent    []string
}

func (b *backends) operate(_ context.Context, _ *model.Cluster, _ *model.Instance, statement string, sending func()) (string, bool, error) {
	if b.early {
		return "", false, b.fails
	}
	sending()
	b.sent = append(b.sent, statement)
	if b.answer == "t" && !b.deaf {
		if strings.Contains(statement, "pg_terminate_backend(") {
			b.session = nil
		} else {
			b.session = &model.Backend{BackendID: b.session.BackendID, State: "idle"}
		}
	}
	return b.answer, b.answer != "", b.fails
}

func (b *backends) read(context.Context, *model.Cluster, *model.Instance, int) (*model.Backend, error) {
	if b.blind {
		return nil, errors.New("connection refused")
	}
	return b.session, nil
}

// TestSignal: pg_stat_activity decides the outcome, even if the reply is lost.
func TestSignal(t *testing.T) {
	hung := errors.New("no answer within 6s")
	for _, tt := range []struct {
		name    string
		do      action.Verb
		pg      backends
		outcome action.Outcome
		text    string // of the error
		states  string
	}{
		{"terminated", action.DoTerminate, backends{answer: "t"}, action.EndDone, "", "sent proven"},
		{"cancelled", action.DoCancel, backends{answer: "t"}, action.EndDone, "", "sent proven"},
		{"another session has its process ID", action.DoTerminate, backends{}, action.EndRefused, "is not the session of the plan any more", "sent refused"},
		{"it ends and the reply is lost", action.DoTerminate, backends{answer: "t", fails: hung}, action.EndDone, "", "sent unknown proven"},
		{"the reply is lost and it stays", action.DoTerminate, backends{answer: "t", fails: hung, deaf: true}, action.EndUnknown, "no answer within 6s", "sent unknown"},
		{"it does not end", action.DoTerminate, backends{answer: "t", deaf: true}, action.EndFailed, "is still there (active)", "sent"},
		{"its query does not end", action.DoCancel, backends{answer: "t", deaf: true}, action.EndFailed, "is still there (active)", "sent"},
		{"the end cannot be read", action.DoTerminate, backends{answer: "t", blind: true}, action.EndUnknown, "could not be read", "sent"},
		{"PostgreSQL refuses it", action.DoTerminate, backends{fails: fmt.Errorf("pg-test-1: %w: permission denied", probe.ErrAnswered)}, action.EndFailed, "permission denied", "sent refused"},
		{"it is not signalled", action.DoTerminate, backends{answer: "f"}, action.EndFailed, "could not signal backend 41", "sent"},
		{"no login", action.DoTerminate, backends{early: true, fails: &source.Hint{Err: errors.New("dbuser_dba is not let in"), Try: "check pg_hba.conf"}}, action.EndRefused, "dbuser_dba is not let in", "failed"},
	} {
		pg := tt.pg
		pg.session = &model.Backend{BackendID: model.BackendID{PID: 41, Started: 7}, Kind: "client backend", State: "active", QueryStarted: 9}
		now := time.Unix(0, 0)
		a := &Actor{Now: func() time.Time { now = now.Add(2 * time.Second); return now }, Poll: time.Millisecond, Operate: pg.operate, Backend: pg.read}
		inv := &model.Inventory{Hash: "h", Clusters: []model.Cluster{{Name: "pg-test", Instances: []model.Instance{{Name: "pg-test-1", Host: "10.0.0.1"}}}}}
		p := action.Plan{Inventory: "h", Request: action.Request{Kind: action.Kind(tt.do), Cluster: "pg-test", Instance: "pg-test-1", PID: 41},
			Steps: []action.Step{{Do: tt.do, Instance: "pg-test-1", Session: &action.Session{BackendID: pg.session.BackendID, QueryStarted: 9}}}}
		rep, err := a.Run(t.Context(), inv, p, nil)
		var states []string
		for _, e := range rep.Events {
			states = append(states, string(e.State))
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if rep.Outcome != tt.outcome || !strings.Contains(got, tt.text) || (tt.text == "") != (err == nil) || strings.Join(states, " ") != tt.states {
			t.Errorf("%s: %s, %q, %v; want %s, %q, %s", tt.name, rep.Outcome, got, states, tt.outcome, tt.text, tt.states)
		}
		if len(pg.sent) > 1 {
			t.Errorf("%s: it is sent %d times", tt.name, len(pg.sent))
		}
	}
}

// TestSignalStatement: a statement names the session, of a cancel the query too, and has
// numbers only.
func TestSignalStatement(t *testing.T) {
	s := action.Step{Do: action.DoTerminate, Session: &action.Session{BackendID: model.BackendID{PID: 41, Started: 7}, QueryStarted: 9}}
	want := "select pg_terminate_backend(pid) from pg_stat_activity where pid = 41 and (extract(epoch from backend_start) * 1000000)::bigint = 7"
	if got := signalStatement(&s); got != want {
		t.Errorf("%s", got)
	}
	s.Do = action.DoCancel
	want = strings.Replace(want, "terminate", "cancel", 1) + " and state = 'active' and (extract(epoch from query_start) * 1000000)::bigint = 9"
	if got := signalStatement(&s); got != want {
		t.Errorf("%s", got)
	}
}

// TestSignalNeedsASession: a saved plan that names none is refused.
func TestSignalNeedsASession(t *testing.T) {
	inv := &model.Inventory{Hash: "h", Clusters: []model.Cluster{{Name: "pg-test", Instances: []model.Instance{{Name: "pg-test-1"}}}}}
	p := action.Plan{Inventory: "h", Request: action.Request{Kind: action.Terminate, Cluster: "pg-test", Instance: "pg-test-1", PID: 41}, Steps: []action.Step{{Do: action.DoTerminate, Instance: "pg-test-1"}}}
	rep, err := (&Actor{Now: time.Now}).Run(t.Context(), inv, p, nil)
	if rep.Outcome != action.EndRefused || err == nil || !strings.Contains(err.Error(), "the plan names no session") {
		t.Errorf("%s, %v", rep.Outcome, err)
	}
}
