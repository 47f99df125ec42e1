package file

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/plan/action"
)

// switchover is the plan of a switchover, with every kind of field.
func switchover() *action.Plan {
	p := &action.Plan{
		Request: action.Request{Kind: action.Switchover, Cluster: "pg-test", Candidate: "pg-test-2", Why: "a <test>", At: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)},
		MadeAt:  time.Date(2026, 11, 30, 8, 0, 0, 7, time.UTC), Inventory: "h", Accepted: []string{"paused"},
		Steps: []action.Step{{Do: action.DoSwitchover, Instance: "pg-test-2", From: "pg-test-1", Via: "pg-test-3", What: "switch over", Proof: "it leads"}},
		Facts: []string{"2 sessions end."}, Risks: []plan.Risk{{Name: plan.RiskPaused, What: "Patroni is paused", Try: "resume"}}, Next: []string{"pgtui status"},
	}
	p.ID = action.IDOf(p)
	return p
}

// TestReadAction: what was saved is read back; whatever was changed in it is refused.
func TestReadAction(t *testing.T) {
	inv := &model.Inventory{Source: "pigsty.yml", Hash: "h"}
	doc := NewAction(inv, switchover())
	saved := text(t, doc)
	got, err := ReadAction(bytes.NewReader(saved))
	if err != nil || !reflect.DeepEqual(got, doc) {
		t.Fatalf("%v\n%+v\n%+v", err, got, doc)
	}
	for _, edit := range [][2]string{{"pg-test-2", "pg-test-3"}, {"2 sessions", "0 sessions"}, {`"exit_code": 0`, `"exit_code": 3`}, {`"via": "pg-test-3"`, `"via": "pg-test-1"`}} {
		edited := strings.Replace(string(saved), edit[0], edit[1], 1)
		if edited == string(saved) {
			t.Fatalf("%q is not in the document", edit[0])
		}
		if _, err := ReadAction(strings.NewReader(edited)); !errors.Is(err, ErrEdited) {
			t.Errorf("%s: %v", edit[1], err)
		}
	}
	if _, err := ReadAction(strings.NewReader(`{"version": 1, "action": "dance", "plan": "x", "cluster": "y"}`)); err == nil {
		t.Error("an action of another name is read")
	}
}

// TestStaleAction: a plan that would be made differently now names each difference.
func TestStaleAction(t *testing.T) {
	inv := &model.Inventory{Source: "pigsty.yml", Hash: "h"}
	doc, now := NewAction(inv, switchover()), switchover()
	if why := doc.Stale(now); why != nil {
		t.Errorf("the same plan: %v", why)
	}
	now.Steps[0].From, now.Steps[0].What = "pg-test-3", "switch over from another"
	now.ID = action.IDOf(now)
	if why := strings.Join(doc.Stale(now), "; "); !strings.Contains(why, "switch over from another") {
		t.Errorf("another leader: %s", why)
	}
	now.Steps, now.Request.Candidate = nil, "pg-test-3"
	now.ID = action.IDOf(now)
	if why := strings.Join(doc.Stale(now), "; "); !strings.Contains(why, "request") || !strings.Contains(why, "no longer a step") {
		t.Errorf("another request: %s", why)
	}
}
