package action

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
)

// signalled is what is planned for one session of pg-test-1.
func signalled(kind Kind, pid int, change func(*Signal)) Plan {
	blocker := model.Backend{BackendID: model.BackendID{PID: 41, Started: 1_700_000_000_000_001}, Kind: "client backend", User: "app", Database: "test", Application: "psql",
		Client: "10.0.0.9", State: "idle in transaction", InXact: true, Xact: 95 * time.Second, Query: 90 * time.Second, QueryStarted: 5, Verb: "UPDATE", Text: "UPDATE s3cret"}
	waiter := blocker
	waiter.PID, waiter.State, waiter.BlockedBy, waiter.QueryStarted, waiter.WaitType = 42, "active", []int{41}, 77, "Lock"
	sender := model.Backend{BackendID: model.BackendID{PID: 43, Started: 3}, Kind: "walsender", User: "replicator", Application: "pg-test-2", State: "active"}
	other := func(pid int, app, kind string) model.Backend {
		return model.Backend{BackendID: model.BackendID{PID: pid, Started: 3}, Kind: kind, User: "postgres", Application: app, State: "active"}
	}
	s := &Signal{Report: model.ServerReport{Backends: []model.Backend{blocker, waiter, sender, other(44, "pgBackRest [backup]", "client backend"),
		other(45, "Patroni heartbeat", "client backend"), other(46, "", "autovacuum worker")}}}
	if change != nil {
		change(s)
	}
	c := &model.Cluster{Name: "pg-test", Instances: []model.Instance{{Name: "pg-test-1", Host: "10.0.0.1", PgPort: 5432}}}
	in := &Input{Inventory: &model.Inventory{Hash: "h"}, Cluster: c, Signal: s}
	return Build(in, Request{Kind: kind, Cluster: "pg-test", Instance: "pg-test-1", PID: pid})
}

// TestPlanSignal: which session is meant is in the plan, with what it holds up; no text
// of a query is.
func TestPlanSignal(t *testing.T) {
	p := signalled(Terminate, 41, nil)
	if p.Refused != nil || len(p.Steps) != 1 || len(p.Risks) != 0 || p.Subject() != "41" || p.Request.Title() != "terminate backend 41 of pg-test-1" || p.Request.Line() != "terminate pg-test-1 41" {
		t.Fatalf("%+v", p)
	}
	if s := p.Steps[0]; s.Do != DoTerminate || *s.Session != (Session{BackendID: model.BackendID{PID: 41, Started: 1_700_000_000_000_001}}) {
		t.Errorf("step %+v of %+v", s.Session, s)
	}
	facts := strings.Join(p.Facts, "\n")
	for _, want := range []string{"The session is backend 41 (app@test, psql) from 10.0.0.9: idle in transaction, blocks 1; query UPDATE, for 1m30s.",
		"Its transaction has been open for 1m35s and is rolled back.", "Sessions that wait for it: 1.", "57P01"} {
		if !strings.Contains(facts, want) {
			t.Errorf("no fact %q in\n%s", want, facts)
		}
	}
	p = signalled(Cancel, 42, nil)
	if p.Refused != nil || p.Steps[0].Do != DoCancel || p.Steps[0].Session.QueryStarted != 77 || !strings.Contains(strings.Join(p.Facts, "\n"), "57014") {
		t.Errorf("%+v", p)
	}
	for _, p := range []Plan{signalled(Terminate, 41, nil), p} {
		if b, err := json.Marshal(p); err != nil || strings.Contains(string(b), "s3cret") {
			t.Errorf("%s, %v", b, err)
		}
	}
}

// TestPlanSignalRefuses: what cannot be ended, with what to type instead.
func TestPlanSignalRefuses(t *testing.T) {
	lacks := &source.Hint{Err: errors.New("dbuser_dba may not end it"), Try: "ssh 10.0.0.1 sudo -iu postgres psql"}
	for _, tt := range []struct {
		name      string
		kind      Kind
		pid       int
		change    func(*Signal)
		text, try string
	}{
		{"no session", Terminate, 99, nil, "pg-test-1 has no backend 99", "pgtui postgres pg-test-1"},
		{"no query", Cancel, 41, nil, "backend 41 runs no query: it is idle in transaction", "pgtui terminate pg-test-1 41"},
		{"a walsender's query", Cancel, 43, nil, "is a walsender", "pgtui terminate pg-test-1 43"},
		{"no right", Terminate, 41, func(s *Signal) { s.Rights = lacks }, "dbuser_dba may not end it", "sudo -iu postgres"},
		{"not read", Terminate, 41, func(s *Signal) { s.Err = errors.New("connection refused") }, "connection refused", ""},
	} {
		p := signalled(tt.kind, tt.pid, tt.change)
		if p.Refused == nil || !strings.Contains(p.Refused.Error(), tt.text) || !strings.Contains(source.TryOf(p.Refused), tt.try) || len(p.Steps) != 0 {
			t.Errorf("%s: %v, try %q, steps %v", tt.name, p.Refused, source.TryOf(p.Refused), p.Steps)
		}
	}
}

// TestPlanSignalOfTheClustersOwn: what is no client's stops the plan by name.
func TestPlanSignalOfTheClustersOwn(t *testing.T) {
	for pid, want := range map[int]string{43: "the walsender of pg-test-2: its replication stops", 44: "a session of pgbackrest: the backup fails", 45: "a session of Patroni", 46: "not a client session: autovacuum worker"} {
		p := signalled(Terminate, pid, nil)
		if p.Refused != nil || len(p.Unaccepted()) != 1 || p.Unaccepted()[0] != "system-session" || !strings.Contains(p.Risks[0].What, want) {
			t.Errorf("%d: %v, risks %+v", pid, p.Refused, p.Risks)
		}
	}
}

// TestAPlanIsOfOneSession: a session with the same process ID is another plan.
func TestAPlanIsOfOneSession(t *testing.T) {
	id := func(change func(*Signal)) string {
		p := signalled(Cancel, 42, change)
		return p.ID
	}
	first := id(nil)
	if id(nil) != first {
		t.Error("the same session is another plan")
	}
	if id(func(s *Signal) { s.Report.Backends[1].Started++ }) == first || id(func(s *Signal) { s.Report.Backends[1].QueryStarted++ }) == first {
		t.Error("another session, or another query of it, is the same plan")
	}
	if id(func(s *Signal) { s.Report.Backends[1].Query += time.Second }) != first {
		t.Error("time alone makes another plan")
	}
}
