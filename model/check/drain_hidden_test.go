package check_test

import (
	"strings"
	"testing"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/source"
)

// TestDrainHiddenHint: the command names the server and the service,
// ends what was done, and says what a reload does.
func TestDrainHiddenHint(t *testing.T) {
	for _, tt := range []struct {
		cell board.Cell
		want []string
	}{
		{board.Cell{Verdict: model.Refused, Status: "DOWN", Admin: haproxy.AdminDrain, Held: "drained"},
			[]string{"pgtui undrain pg-test-2 --service primary; a reload also ends it, unless", "pgtui states pg-test"}},
		{board.Cell{Verdict: model.Maint, Status: "MAINT", Admin: haproxy.AdminMaint},
			[]string{"pgtui ready pg-test-2 --service primary"}},
		{board.Cell{Verdict: model.Refused, Status: "DOWN", Held: "weight"},
			[]string{"pgtui weight pg-test-2 100 --service primary"}},
	} {
		in := input(func(in *check.Input) {
			tt.cell.Instance = "pg-test-2"
			for i := range in.Board.Routes[0].Views {
				v := &in.Board.Routes[0].Views[i]
				v.Cells, v.AdminAt = []board.Cell{tt.cell}, t0
			}
		})
		var found []model.Finding
		for _, f := range check.Diagnose(in) {
			if f.Code == "drain-hidden" {
				found = append(found, f)
			}
		}
		if len(found) != 1 {
			t.Fatalf("%+v", found)
		}
		f := found[0]
		for _, w := range tt.want {
			if !strings.Contains(f.Hint, w) {
				t.Errorf("%q lacks %q", f.Hint, w)
			}
		}
		evidence := strings.Join(f.Evidence, "\n")
		if len(f.Evidence) != 2 || !strings.HasPrefix(f.Evidence[0], "n-a: pg-test-primary/pg-test-2: ") || len(f.Summary) > 240 || len(f.Hint) > 400 {
			t.Errorf("%d %d %q", len(f.Summary), len(f.Hint), f.Evidence)
		}
		if tt.cell.Held != "" && !strings.Contains(evidence, "read at 03:04:05 UTC") {
			t.Error(evidence)
		}
	}
}

// TestJudgeHearsOfADrain: a board is judged again when what was done to a server
// is read, though the stats page says the same.
func TestJudgeHearsOfADrain(t *testing.T) {
	in := input(func(*check.Input) {})
	in.Snap.Inventory.Clusters = []model.Cluster{*in.Board.Cluster}
	rows := []haproxy.ServerRow{{Name: "pg-test-1", Status: "UP", Weight: 100, UserWeight: 100, CheckStatus: "L7OK"},
		{Name: "pg-test-2", Status: "DOWN", Weight: 100, UserWeight: 100, CheckStatus: "L7STS", CheckCode: 503}}
	page := seen(haproxy.Stats{Proxies: []haproxy.Proxy{{Name: "pg-test-primary", Servers: rows}, {Name: "pg-test-replica", Servers: rows}}})
	in.Snap.HAProxy["a"], in.Snap.HAProxy["b"] = page, page
	var j check.Judge
	drains := func(s *model.Snapshot) (n int) {
		for _, f := range j.Boards(s, t0)[0].Findings {
			if f.Code == "drain-hidden" {
				n++
			}
		}
		return n
	}
	if n := drains(in.Snap); n != 0 {
		t.Fatalf("%d before", n)
	}
	next := *in.Snap
	next.Servers = map[model.Host]source.Observed[haproxy.ServerStates]{"a": seen(haproxy.ServerStates{Count: 4,
		Touched: []haproxy.ServerState{{Proxy: "pg-test-primary", Server: "pg-test-2", Bits: haproxy.ForcedDrain, Weight: 100, Configured: 100}}})}
	if n := drains(&next); n != 1 {
		t.Errorf("%d once it was read", n)
	}
}
