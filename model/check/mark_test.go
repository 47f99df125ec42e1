package check_test

import (
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/source"
)

// TestMarks: a finding about what was done by hand names who did it, by the audit
// file, and what is overdue is a finding of its own while it lasts.
func TestMarks(t *testing.T) {
	drain := model.Mark{Action: "drain", Cluster: "pg-test", Instance: "pg-test-2", Services: []model.ServiceName{"replica"}, HAProxy: []model.Host{"a", "b"},
		Who: "alice@admin", At: t0.Add(-time.Hour), Until: t0.Add(time.Hour), Why: "patching"}
	pause := model.Mark{Action: "pause", Cluster: "pg-test", Who: "bob@admin", At: t0.Add(-26 * time.Hour), Until: t0.Add(-time.Minute), Why: "etcd"}
	drained := board.Cell{Instance: "pg-test-2", Verdict: model.Draining, Status: "DRAIN", Admin: haproxy.AdminDrain}
	hidden := board.Cell{Instance: "pg-test-2", Verdict: model.Refused, Status: "DOWN", Admin: haproxy.AdminDrain, Held: "drained"}
	late := drain
	late.Until = t0.Add(-time.Minute)
	other := drain
	other.Services = []model.ServiceName{"offline"}
	for _, tt := range []struct {
		name  string
		route int
		cell  board.Cell
		pause bool
		marks []model.Mark // nil: the file was not read
		want  []string     // code and a part of the summary, in order
		not   string       // a code that is not found
	}{
		{"who drained it, until when and why", 1, drained, false, []model.Mark{drain}, []string{"server-by-hand drained by alice@admin since 02:04 UTC, until 04:04 UTC: patching"}, "overdue"},
		{"no record", 1, drained, false, []model.Mark{}, []string{"server-by-hand drained, by whom unknown"}, "overdue"},
		{"a record of another service", 1, drained, false, []model.Mark{other}, []string{"server-by-hand drained, by whom unknown"}, "overdue"},
		{"the file was not read", 1, drained, false, nil, []string{"server-by-hand on every HAProxy node"}, "overdue"},
		{"hidden", 0, hidden, false, []model.Mark{}, []string{"drain-hidden drained, by whom unknown"}, "overdue"},
		{"too long", 1, drained, false, []model.Mark{late}, []string{"server-by-hand until 03:03 UTC: patching", "overdue pg-test-2 is still out of service, it was to end at 03:03 UTC"}, ""},
		{"too long, and over", 1, board.Cell{Instance: "pg-test-2", Verdict: model.Serving, Status: "UP"}, false, []model.Mark{late}, nil, "overdue"},
		{"paused for too long", 1, board.Cell{}, true, []model.Mark{pause}, []string{"overdue Patroni is still paused", "paused paused by bob@admin since 2026-01-01 01:04 UTC, until 03:03 UTC: etcd"}, ""},
		{"paused by somebody", 1, board.Cell{}, true, []model.Mark{}, []string{"paused paused, by whom unknown"}, "overdue"},
		{"a pause that is over", 1, board.Cell{}, false, []model.Mark{pause}, nil, "overdue"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := check.Diagnose(input(func(in *check.Input) {
				for i := range in.Board.Routes[tt.route].Views {
					in.Board.Routes[tt.route].Views[i].Cells = []board.Cell{tt.cell}
				}
				in.Board.Paused = tt.pause
				if tt.marks != nil {
					in.Snap.Marks = map[model.ClusterName][]model.Mark{"pg-test": tt.marks}
				}
			}))
			for _, w := range tt.want {
				code, part, _ := strings.Cut(w, " ")
				if !has(found, code, part) {
					t.Errorf("no %s with %q: %+v", code, part, found)
				}
			}
			if has(found, tt.not, "") || tt.marks == nil && has(found, "server-by-hand", "whom") {
				t.Errorf("%+v", found)
			}
		})
	}
}

func has(found []model.Finding, code, part string) bool {
	for _, f := range found {
		if f.Code == code && strings.Contains(f.Summary, part) {
			return true
		}
	}
	return false
}

// TestHealthForcedInADrain: while a server is in drain only its states show that its
// checks are off.
func TestHealthForcedInADrain(t *testing.T) {
	for _, off := range []bool{false, true} {
		found := check.Diagnose(input(func(in *check.Input) {
			in.Board.Routes[1].Views[0].Cells = []board.Cell{{Instance: "pg-test-2", Verdict: model.Draining, Status: "DRAIN", Admin: haproxy.AdminDrain}}
			in.Snap.Servers = map[model.Host]source.Observed[haproxy.ServerStates]{"a": seen(haproxy.ServerStates{Touched: []haproxy.ServerState{
				{Proxy: "pg-test-replica", Server: "pg-test-2", Bits: haproxy.ForcedDrain, Unchecked: off}}})}
		}))
		if has(found, "health-forced", "disabled in 5434 replica") != off {
			t.Errorf("%v: %+v", off, found)
		}
	}
}
