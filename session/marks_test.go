package session

import (
	"os"
	"testing"
	"time"

	"pgtui/plan"
)

// TestMarks: the audit file is read again when it has changed, another inventory's
// runs are left out, and a run counts as alive while its process runs.
func TestMarks(t *testing.T) {
	inv := atHand()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	drain := plan.Record{V: 1, Run: "1", Kind: plan.RecordBegin, At: time.Now(), Action: "drain", Cluster: "pg-test", Instance: "pg-test-2", Inventory: "/here/pigsty.yml",
		Who: plan.Operator{User: "alice", Host: host, PID: os.Getpid()}}
	other := drain
	other.Run, other.Inventory, other.Instance = "2", "/there/pigsty.yml", "pg-test-3"
	s := desk(t, rec("0", "aaaa", "pg-test", plan.RunApplied, plan.Applied, plan.Applied))
	if got := s.Marks(inv); got == nil || len(got) > 0 {
		t.Errorf("a reload: %+v", got)
	}
	for _, r := range []plan.Record{drain, other} {
		if err := s.Audit("").Append(r); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Marks(inv)["pg-test"]
	if len(got) != 1 || got[0].Instance != "pg-test-2" || !got[0].Open || !got[0].Alive || got[0].Who != "alice@"+host {
		t.Errorf("%+v", got)
	}
	if s.alive(drain.Who, time.Now().Add(-1000*time.Hour)) {
		t.Error("a process that is younger than the run is taken for it")
	}
	elsewhere := drain.Who
	elsewhere.Host = "x" + host
	if s.alive(elsewhere, time.Now()) {
		t.Error("a process of another machine")
	}
	drain.Kind, drain.Outcome = plan.RecordEnd, plan.RunApplied
	if err := s.Audit("").Append(drain); err != nil {
		t.Fatal(err)
	}
	if got = s.Marks(inv)["pg-test"]; len(got) != 1 || got[0].Open {
		t.Errorf("%+v", got)
	}
	if got := with(map[string]string{"PGTUI_AUDIT": "/none"}).Marks(inv); got == nil || len(got) > 0 {
		t.Errorf("no file: %+v", got)
	}
}
