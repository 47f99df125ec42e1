package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan"
)

// TestMarks: what still has an effect, by the audit file.
func TestMarks(t *testing.T) {
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	n := 0
	// run is the records of one run; outcome "" has no end.
	run := func(action, instance, outcome, request string) []plan.Record {
		n++
		r := plan.Record{Run: fmt.Sprint(n), Kind: plan.RecordBegin, At: t0.Add(time.Duration(n) * time.Minute), Action: action, Cluster: "pg-test", Instance: model.InstanceName(instance),
			Services: []model.ServiceName{"replica", "offline"}, HAProxy: []model.Host{"a", "b"}, Who: plan.Operator{User: "alice", Host: "admin", PID: n}, Request: json.RawMessage(request)}
		if outcome == "" {
			return []plan.Record{r}
		}
		end := r
		end.Kind, end.Outcome = plan.RecordEnd, outcome
		return []plan.Record{r, end}
	}
	for _, tt := range []struct {
		name string
		runs [][]plan.Record
		want string // "action instance services hosts [open|alive]", separated by "; "
	}{
		{"a drain", [][]plan.Record{run("drain", "i2", plan.RunApplied, "")}, "drain i2 replica,offline a,b"},
		{"one that was split", [][]plan.Record{run("drain", "i2", plan.RunStopped, "")}, "drain i2 replica,offline a,b"},
		{"one that was refused", [][]plan.Record{run("drain", "i2", plan.RunRefused, "")}, ""},
		{"and its end", [][]plan.Record{run("drain", "i2", plan.RunApplied, ""), run("undrain", "i2", plan.RunApplied, "{}")}, ""},
		{"an end that was split", [][]plan.Record{run("drain", "i2", plan.RunApplied, ""), run("undrain", "i2", plan.RunStopped, "")}, "drain i2 replica,offline a,b"},
		{"the end of one service", [][]plan.Record{run("drain", "i2", plan.RunApplied, ""), run("undrain", "i2", plan.RunApplied, `{"service":"offline"}`)}, "drain i2 replica a,b"},
		{"the end on one HAProxy", [][]plan.Record{run("drain", "i2", plan.RunApplied, ""), run("undrain", "i2", plan.RunApplied, `{"haproxy":"a"}`)}, "drain i2 replica,offline b"},
		{"of another instance", [][]plan.Record{run("drain", "i2", plan.RunApplied, ""), run("undrain", "i3", plan.RunApplied, "")}, "drain i2 replica,offline a,b"},
		{"maint, then drain", [][]plan.Record{run("maint", "i2", plan.RunApplied, ""), run("drain", "i2", plan.RunApplied, "")}, "drain i2 replica,offline a,b"},
		{"maintenance and its end", [][]plan.Record{run("maintenance", "i2", plan.RunApplied, ""), run("maintenance-end", "i2", plan.RunApplied, "")}, ""},
		{"undrain does not end maint", [][]plan.Record{run("maint", "i2", plan.RunApplied, ""), run("undrain", "i2", plan.RunApplied, "")}, "maint i2 replica,offline a,b"},
		{"two weights", [][]plan.Record{run("weight", "i2", plan.RunApplied, ""), run("weight", "i2", plan.RunApplied, "")}, "weight i2 replica,offline a,b"},
		{"a pause", [][]plan.Record{run("pause", "", plan.RunApplied, "")}, "pause  replica,offline a,b"},
		{"a pause and a resume", [][]plan.Record{run("pause", "", plan.RunApplied, ""), run("resume", "", plan.RunApplied, "")}, ""},
		{"no end", [][]plan.Record{run("switchover", "i2", "", "")}, "switchover i2 replica,offline a,b open"},
		{"no end, and the same again", [][]plan.Record{run("switchover", "i2", "", ""), run("switchover", "i2", plan.RunApplied, "")}, ""},
		{"no end, and undone", [][]plan.Record{run("drain", "i2", "", ""), run("undrain", "i2", plan.RunApplied, "")}, ""},
		{"files are no action", [][]plan.Record{run(plan.ActionReload, "", "", ""), run(plan.ActionClose, "", "", "")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all []plan.Record
			for _, r := range tt.runs {
				all = append(all, r...)
			}
			got := plan.Marks(plan.Runs(all), t0.Add(24*time.Hour), func(plan.Operator, time.Time) bool { return false })
			if line := marked(got["pg-test"]); got == nil || line != tt.want {
				t.Errorf("%q, want %q", line, tt.want)
			}
		})
	}
	open := run("drain", "i2", "", "")
	if got := marked(plan.Marks(plan.Runs(append(open, run("drain", "i2", plan.RunApplied, "")...)), t0, func(_ plan.Operator, at time.Time) bool { return at.Equal(open[0].At) })["pg-test"]); got != "drain i2 replica,offline a,b alive; drain i2 replica,offline a,b" {
		t.Errorf("one that still runs: %q", got)
	}
	if got := plan.Marks(plan.Runs(open), t0.Add(8*24*time.Hour), func(plan.Operator, time.Time) bool { return false }); len(got["pg-test"]) > 0 {
		t.Errorf("after a week: %+v", got)
	}
}

func marked(all []model.Mark) string {
	var out []string
	for _, m := range all {
		var services []string
		for _, s := range m.Services {
			services = append(services, string(s))
		}
		s := fmt.Sprintf("%s %s %s %s", m.Action, m.Instance, strings.Join(services, ","), strings.ReplaceAll(model.Join(m.HAProxy), ", ", ","))
		switch {
		case m.Alive:
			s += " alive"
		case m.Open:
			s += " open"
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}
