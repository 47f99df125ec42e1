package apply

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/model"
)

func records(t *testing.T, a *Audit) []model.Record {
	t.Helper()
	all, bad, err := a.Read()
	if err != nil || bad > 0 {
		t.Fatal(bad, err)
	}
	return all
}

// TestAuditOfARun: a run leaves a line before it touches anything and one at
// its end, with every step, the routing before and after, and how each node
// ended.
func TestAuditOfARun(t *testing.T) {
	b := newBench()
	b.app.Audit = &Audit{Path: filepath.Join(t.TempDir(), "deep/audit.jsonl")}
	b.app.Who = model.Operator{User: "root", SudoUser: "alice", Host: "admin", SSHFrom: "10.1.2.3", PID: 7}
	b.runner.nodes["10.10.10.12"].apply = append(good[:12:12], "@text reload Job for haproxy.service failed.",
		"@fail reload haproxy was not reloaded", "@begin restore", "@ok restore", "@end restored")
	if outcomes, err := b.run(t.Context()); err == nil || outcomes != "applied restored untouched" {
		t.Fatal(outcomes, err)
	}
	all := records(t, b.app.Audit)
	if len(all) != 2 || all[0].Kind != model.RecordBegin || all[1].Kind != model.RecordEnd || all[0].Run != all[1].Run || all[0].Run == "" {
		t.Fatalf("%+v", all)
	}
	r := all[1]
	if all[0].Who.String() != "alice as root@admin from 10.1.2.3" || r.Plan != testPlan || r.Cluster != "pg-test" || r.Action != model.ActionReload || len(r.Diff) != 64 || r.Hash != "h" {
		t.Errorf("%+v", r)
	}
	if r.Outcome != model.RunStopped || !strings.Contains(r.Error, "Job for haproxy.service failed.") {
		t.Errorf("outcome %q, %q", r.Outcome, r.Error)
	}
	n := r.Nodes[0]
	if n.Outcome != model.Applied || n.Backup != "/var/lib/pgtui/backup/b" || len(n.Steps) != 7 || n.Before["pg-test-primary"][0] != "pg-test-1" || n.After["pg-test-primary"][0] != "pg-test-1" {
		t.Errorf("%+v", n)
	}
	if n := r.Nodes[1]; n.Outcome != model.Restored || n.Step != model.StepReload || n.Steps[5].OK || n.Steps[5].Error == "" || !n.Steps[6].OK {
		t.Errorf("%+v", n)
	}
	if n := r.Nodes[2]; n.Outcome != model.Untouched || len(n.Steps) > 0 {
		t.Errorf("%+v", n)
	}
	if info, err := os.Stat(b.app.Audit.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestRecoveriesAreTold: what a node says of a run that had been cut off there is in
// the report of the node and on record, however this one ended.
func TestRecoveriesAreTold(t *testing.T) {
	const backup = "/var/lib/pgtui/backup/20261120T093000Z-feedfacef00d"
	b := newBench()
	b.app.Audit = &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	found := "@recovered feedfacef00d undecided " + backup + " somebody has changed a.cfg since: the files stay as they are"
	b.runner.nodes["10.10.10.11"].apply = append([]string{"@begin stage", found}, good[1:]...)
	n := b.runner.nodes["10.10.10.12"]
	n.apply, n.applyErr = append([]string{"@begin stage", found}, good[1:11]...), errors.New("connection reset by peer")
	n.settle = []string{"@begin settle", "@recovered " + testPlan + " undecided /b somebody has changed b.cfg since: the files stay as they are", "@ok settle /b", "@state other"}
	rep, err := b.app.Execute(t.Context(), b.inv, b.plan, nil)
	first := model.Recovery{Plan: "feedfacef00d", Outcome: model.Undecided, Backup: backup, Why: "somebody has changed a.cfg since: the files stay as they are"}
	if got := rep.Nodes[0]; got.Outcome != model.Applied || len(got.Recovered) != 1 || got.Recovered[0] != first {
		t.Errorf("%+v", got)
	}
	got := rep.Nodes[1]
	if got.Outcome != model.Uncertain || len(got.Recovered) != 2 || got.Recovered[0] != first || got.Recovered[1].Plan != testPlan || got.Backup != "/b" {
		t.Errorf("%+v", got)
	}
	if err == nil || !strings.Contains(err.Error(), "somebody has changed b.cfg since") {
		t.Errorf("%v", err)
	}
	r := records(t, b.app.Audit)[1]
	if len(r.Nodes[0].Recovered) != 1 || r.Nodes[0].Recovered[0] != first || len(r.Nodes[1].Recovered) != 2 || len(r.Nodes[2].Recovered) != 0 {
		t.Errorf("%+v", r.Nodes)
	}
	text, err := os.ReadFile(b.app.Audit.Path)
	must(t, err)
	if !strings.Contains(string(text), `"recovered":[{"plan":"feedfacef00d","outcome":"undecided","backup":"`+backup+`","why":"somebody has changed a.cfg since`) {
		t.Errorf("%s", text)
	}
}

// TestNoAuditNoRun: what cannot be recorded is not done.
func TestNoAuditNoRun(t *testing.T) {
	b := newBench()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	b.app.Audit = &Audit{Path: filepath.Join(file, "audit.jsonl")}
	outcomes, err := b.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nothing was changed: the audit file cannot be written") || !strings.Contains(model.TryOf(err), "PGTUI_AUDIT") {
		t.Errorf("%v", err)
	}
	if outcomes != "untouched untouched untouched" || len(b.runner.calls) > 0 {
		t.Errorf("%s, %s", outcomes, b.runner.calls)
	}
	if err := (&Audit{}).Append(model.Record{}); err == nil || !strings.Contains(err.Error(), "HOME is not set") {
		t.Errorf("no file is named: %v", err)
	}
}

// TestAuditRefused: a run that touched nothing says so.
func TestAuditRefused(t *testing.T) {
	b := newBench()
	b.app.Audit = &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	b.page = func(string, bool) (model.HAProxyStats, error) { return model.HAProxyStats{}, errors.New("HTTP 401") }
	if _, err := b.run(t.Context()); err == nil {
		t.Fatal("it ran")
	}
	if r := records(t, b.app.Audit)[1]; r.Outcome != model.RunRefused || !strings.Contains(r.Error, "HTTP 401") {
		t.Errorf("%+v", r)
	}
}

// TestAuditHasNoSecrets: what HAProxy says about a line with a password is
// kept without it.
func TestAuditHasNoSecrets(t *testing.T) {
	b := newBench()
	b.app.Audit = &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	b.runner.nodes["10.10.10.11"].apply = []string{
		"@begin stage", "@ok stage", "@staged /x/conf.d", "@begin check",
		"@text check [ALERT]    (1) : config : parsing [/x/conf.d/pg-test-primary.cfg:5] : unknown keyword in: user joe insecure-password hunter2",
		"@text check stats auth admin:hunter2",
		"@fail check haproxy refuses the would-be configuration: exit code 1", "@end untouched",
	}
	if _, err := b.run(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatal(err)
	}
	text, err := os.ReadFile(b.app.Audit.Path)
	must(t, err)
	if strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), "insecure-password ********") {
		t.Errorf("%s", text)
	}
	if got := said("a\nstats auth admin:hunter2\nb\x1b[31m", 400); got != "a; stats auth admin:********; b?[31m" && strings.Contains(got, "hunter2") || strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

// TestAuditFile: a torn line stays alone, foreign lines are counted, and a run
// without its last line was interrupted.
func TestAuditFile(t *testing.T) {
	a := &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	if all, bad, err := a.Read(); len(all) > 0 || bad > 0 || err != nil {
		t.Errorf("a file that is not there: %v, %d, %v", all, bad, err)
	}
	must(t, a.Append(model.Record{V: 1, Run: "one", Kind: model.RecordBegin, Plan: "p1"}))
	f, err := os.OpenFile(a.Path, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString("{\"run\":\"one\",\"kind\":\"end\"\nnot json\n{}\n{\"run\":\"tor")
	must(t, err)
	must(t, f.Close())
	began := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	must(t, a.Append(model.Record{V: 1, Run: "two", Kind: model.RecordBegin, Plan: "p2", At: began}))
	must(t, a.Append(model.Record{V: 1, Run: "two", Kind: model.RecordEnd, Plan: "p2", At: began.Add(time.Minute), Outcome: model.RunApplied}))
	all, bad, err := a.Read()
	if err != nil || len(all) != 3 || bad != 4 {
		t.Fatalf("%d records, %d bad, %v", len(all), bad, err)
	}
	runs := model.Runs(all)
	if len(runs) != 2 || !runs[0].Interrupted || runs[1].Interrupted || runs[1].Outcome != model.RunApplied || !runs[1].Began.Equal(began) {
		t.Errorf("%+v", runs)
	}
}
