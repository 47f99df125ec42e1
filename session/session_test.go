package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/source"
)

// TestConsoleAsks: a session answers the questions of the console's pages and of
// the commands, and a cancelled question is an error.
func TestConsoleAsks(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sb.Close() }()
	s := with(nil)
	s.Inventory = sb.InventoryPath()
	inv, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkAccess(t, s, inv)
	rows, err := s.Components(t.Context(), inv, "pg-test")
	if err != nil || len(rows) == 0 || rows[0].State.Tried.IsZero() {
		t.Errorf("components: %d rows, %v", len(rows), err)
	}
	if len(s.Ran()) == 0 {
		t.Error("the commands that query systemd are not in the log")
	}
	if _, err := s.Components(t.Context(), inv, "pg-none"); source.TryOf(err) == "" {
		t.Errorf("a cluster that there is not: %v", err)
	}
	leader := string(inv.Cluster("pg-test").Instances[0].Host)
	tr, err := s.Trace(t.Context(), inv, []string{"postgres://app@" + leader + ":5433/postgres"})
	if err != nil || !tr.Answered || tr.Kept().Service != "primary" {
		t.Errorf("trace: %+v, %v", tr, err)
	}
	if _, err := s.Trace(t.Context(), inv, []string{"pg-test", "none"}); source.TryOf(err) == "" {
		t.Errorf("a service that there is not: %v", err)
	}
	off, cancel := context.WithCancel(t.Context())
	cancel()
	_, one := s.Access(off, inv, nil, "pg-test")
	_, two := s.Components(off, inv, "pg-test")
	_, three := s.Trace(off, inv, []string{"pg-test", "primary"})
	for _, err := range []error{one, two, three} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled question: %v", err)
		}
	}
}

// checkAccess asks with and without a snapshot.
func checkAccess(t *testing.T, s *Session, inv *model.Inventory) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var snap *model.Snapshot
	for got := range s.Watch(ctx, inv, 200*time.Millisecond) {
		if snap = got; snap.Complete(inv.Cluster("pg-test")) {
			break
		}
	}
	for _, heard := range []*model.Snapshot{nil, snap} {
		acc, err := s.Access(ctx, inv, heard, "pg-test")
		if err != nil {
			t.Fatal(err)
		}
		e := acc.Entry(model.Endpoint{Host: string(inv.Cluster("pg-test").Instances[0].Host), Port: 5433})
		if e == nil || e.Check.Tried.IsZero() || e.Now.Verdict == model.Unknown {
			t.Fatalf("the entry was not tried: %+v", e)
		}
		if strings.Contains(e.DSN.Text(access.FormURI), ":@") {
			t.Error("a DSN has room for a password")
		}
	}
	if !s.recent(snap, inv, []*model.Cluster{inv.Cluster("pg-test")}) {
		t.Error("a snapshot of a moment ago does not count")
	}
	other := *inv
	if s.recent(snap, &other, []*model.Cluster{inv.Cluster("pg-test")}) {
		t.Error("a snapshot of another inventory counts")
	}
	old := *snap
	old.TakenAt = old.TakenAt.Add(-source.StaleAfter)
	if s.recent(&old, inv, []*model.Cluster{inv.Cluster("pg-test")}) {
		t.Error("an old snapshot counts")
	}
}
