package cmd

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/source"
	"pgtui/tui"
)

// TestConsoleAsks: what the console's pages are answered is what the commands
// print, and a question that is called off says so.
func TestConsoleAsks(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sb.Close() }()
	a := &app{io: IO{Out: io.Discard, Err: io.Discard, Getenv: func(string) string { return "" }}, inventory: sb.InventoryPath(), log: newCommandLog()}
	inv, err := a.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := a.deps(inv.Source)
	d.Inventory = inv
	checkAccess(t, d, inv)
	rows, err := d.Components(t.Context(), inv, "pg-test")
	if err != nil || len(rows) == 0 || rows[0].State.Tried.IsZero() {
		t.Errorf("components: %d rows, %v", len(rows), err)
	}
	if len(a.log.all()) == 0 {
		t.Error("what was asked of systemd is not in the log")
	}
	if _, err := d.Components(t.Context(), inv, "pg-none"); source.TryOf(err) == "" {
		t.Errorf("a cluster that there is not: %v", err)
	}
	leader := string(inv.Cluster("pg-test").Instances[0].Host)
	tr, err := d.Trace(t.Context(), inv, []string{"postgres://app@" + leader + ":5433/postgres"})
	if err != nil || !tr.Answered || tr.Kept().Service != "primary" {
		t.Errorf("trace: %+v, %v", tr, err)
	}
	if _, err := d.Trace(t.Context(), inv, []string{"pg-test", "none"}); source.TryOf(err) == "" {
		t.Errorf("a service that there is not: %v", err)
	}
	off, cancel := context.WithCancel(t.Context())
	cancel()
	_, one := d.Access(off, inv, nil, "pg-test")
	_, two := d.Components(off, inv, "pg-test")
	_, three := d.Trace(off, inv, []string{"pg-test", "primary"})
	for _, err := range []error{one, two, three} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a question that was called off: %v", err)
		}
	}
}

// checkAccess asks with and without what the console has heard already.
func checkAccess(t *testing.T, d tui.Deps, inv *model.Inventory) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var snap *model.Snapshot
	for s := range d.Watch(ctx, inv, 200*time.Millisecond) {
		if snap = s; s.Complete(inv.Cluster("pg-test")) {
			break
		}
	}
	for _, heard := range []*model.Snapshot{nil, snap} {
		acc, err := d.Access(ctx, inv, heard, "pg-test")
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
	if !answers(snap, inv, []*model.Cluster{inv.Cluster("pg-test")}) {
		t.Error("a snapshot of a moment ago does not count")
	}
	other := *inv
	if answers(snap, &other, []*model.Cluster{inv.Cluster("pg-test")}) {
		t.Error("a snapshot of another inventory counts")
	}
	old := *snap
	old.TakenAt = old.TakenAt.Add(-source.StaleAfter)
	if answers(&old, inv, []*model.Cluster{inv.Cluster("pg-test")}) {
		t.Error("an old snapshot counts")
	}
}
