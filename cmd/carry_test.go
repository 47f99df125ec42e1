package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgtui/apply"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/session"
	"pgtui/source"
)

// desk is an app whose audit file holds the records.
func desk(t *testing.T, records ...plan.Record) (*app, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	env := map[string]string{"PGTUI_AUDIT": filepath.Join(t.TempDir(), "audit.jsonl"), "SUDO_USER": "alice", "SSH_CONNECTION": "10.1.2.3 50000 10.10.10.10 22"}
	var out, errs bytes.Buffer
	a := newApp(IO{Out: &out, Err: &errs, Getenv: func(k string) string { return env[k] }})
	for _, r := range records {
		if err := a.Audit("").Append(r); err != nil {
			t.Fatal(err)
		}
	}
	return a, &out, &errs
}

func TestRollFlags(t *testing.T) {
	for _, tt := range []struct {
		flags rollFlags
		err   string
	}{
		{rollFlags{parallel: 1}, ""},
		{rollFlags{parallel: 10, confirmWithin: 10 * time.Minute}, ""},
		{rollFlags{parallel: 1, confirmWithin: time.Second}, "--confirm-within 1s: expected from 10s to 10m"},
		{rollFlags{parallel: 1, confirmWithin: time.Hour}, "--confirm-within 1h0m0s"},
		{rollFlags{parallel: 1, confirmWithin: 10*time.Second + 500*time.Millisecond}, "whole seconds"},
		{rollFlags{}, "--parallel 0: expected from 1 to 10"},
	} {
		if err := tt.flags.check(); (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%+v: %v, want %s", tt.flags, err, tt.err)
		}
	}
}

// TestInterrupts: once ends the run between two nodes, twice puts back the node
// that is being worked on.
func TestInterrupts(t *testing.T) {
	a, _, errs := desk(t)
	ctx, abort, stop := a.interrupts(t.Context(), "finishing this node, then stopping", "putting this node back")
	send := func(wait <-chan struct{}) {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		select {
		case <-wait:
		case <-time.After(20 * time.Second):
			t.Fatal("the interrupt was not heard")
		}
	}
	send(ctx.Done())
	select {
	case <-abort:
		t.Error("one interrupt must not put the node back")
	default:
	}
	send(abort)
	stop()
	if got := errs.String(); !strings.Contains(got, "finishing this node, then stopping") || !strings.Contains(got, "putting this node back") {
		t.Errorf("it says %q", got)
	}
	ctx, _, stop = a.interrupts(cancelled(t), "", "")
	defer stop()
	if session.Stopped(ctx) == nil {
		t.Error("an interrupt from before the run must keep it from beginning")
	}
}

func cancelled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// rec is the last record of a run over nodes 1 and 2.
func rec(run, p string, cluster model.ClusterName, outcome string, one, two plan.NodeOutcome) plan.Record {
	r := plan.Record{V: 1, Run: run, Kind: plan.RecordEnd, Action: plan.ActionReload, Plan: p, Cluster: cluster, Outcome: outcome, Inventory: "/here/pigsty.yml"}
	for h, o := range map[model.Host]plan.NodeOutcome{"1": one, "2": two} {
		n := plan.NodeRecord{Host: h, Outcome: o, Want: apply.WantSum(&plan.Node{Want: map[string]string{"f": "want"}})}
		if o == plan.Applied {
			n.Backup = "/b"
		}
		r.Nodes = append(r.Nodes, n)
	}
	return r
}

// TestHistory: it has the runs of the inventory at hand; what cannot be read as
// a record is told, not hidden, and so is a line that was changed.
func TestHistory(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stopped := rec("1", "aaaa", "pg-test", plan.RunStopped, plan.Applied, plan.Restored)
	stopped.Error = "reload: haproxy was not reloaded\x1b[31m"
	killed := rec("2", "bbbb", "pg-test", "", "", "")
	killed.Kind = plan.RecordBegin
	stopped.Inventory, killed.Inventory = dir+"/pigsty.yml", dir+"/pigsty.yml"
	a, out, errs := desk(t, stopped, rec("3", "cccc", "pg-test", plan.RunApplied, plan.Applied, plan.Applied), killed)
	a.Inventory = dir + "/pigsty.yml"
	file := a.Audit("").Path
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "no record")
	f.Close()
	history := func(args ...string) (string, error) {
		out.Reset()
		c := a.historyCmd()
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetArgs(args)
		err := c.Execute()
		return out.String(), err
	}
	got, err := history("pg-test")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"aaaa  stopped", "bbbb  unknown: interrupted", "aaaa: reload: haproxy was not reloaded", "1 runs of other inventories: pgtui history --all"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") || strings.Contains(got, "cccc") || !strings.Contains(errs.String(), "1 lines of") || strings.Contains(errs.String(), "chain") {
		t.Errorf("%q\n%q", got, errs)
	}
	if got, err := history("--all"); err != nil || !strings.Contains(got, "cccc  applied") || !strings.Contains(got, "aaaa  stopped") || strings.Contains(got, "other inventories") {
		t.Errorf("%v\n%s", err, got)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("stopped"), []byte("applied"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	var code *exitError
	if _, err := history(); !errors.As(err, &code) || code.code != 1 || !strings.Contains(errs.String(), file+":1: the chain is broken: the line was changed") {
		t.Errorf("%v\n%s", err, errs)
	}
	if got, err := history("-o", "json"); err == nil || !strings.Contains(got, `"line": 1,`) || !strings.Contains(got, `"inventory": "`+dir+`/pigsty.yml"`) {
		t.Errorf("%v\n%s", err, got)
	}
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := history(); err == nil || !strings.Contains(err.Error(), "can be written by others") || !strings.Contains(source.TryOf(err), "chmod go-w") {
		t.Errorf("%v", err)
	}
}

func TestReloadCode(t *testing.T) {
	failed := errors.New("x")
	for _, tt := range []struct {
		name  string
		nodes []plan.NodeReport
		err   error
		want  int
	}{
		{"all as planned", []plan.NodeReport{{Outcome: plan.Applied}, {Outcome: plan.Unchanged}}, nil, 0},
		{"restored", []plan.NodeReport{{Outcome: plan.Applied}, {Outcome: plan.Restored, Err: failed}}, failed, reloadFailed},
		{"failed before it was touched", []plan.NodeReport{{Outcome: plan.Untouched, Err: failed}}, failed, reloadFailed},
		{"broken", []plan.NodeReport{{Outcome: plan.Applied}, {Outcome: plan.Broken, Err: failed}}, failed, reloadBroken},
		{"uncertain", []plan.NodeReport{{Outcome: plan.Uncertain, Err: failed}}, failed, reloadBroken},
		{"found before the first node", []plan.NodeReport{{Outcome: plan.Untouched, Err: failed}}, fmt.Errorf("x; %w", apply.ErrNotBegun), reloadRefused},
		{"refused", []plan.NodeReport{{Outcome: plan.Untouched}}, failed, reloadRefused},
	} {
		if got := reloadCode(plan.Report{Nodes: tt.nodes}, tt.err); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestReportTellsRecoveries: a run that had been cut off on a node is told below the
// table, with its backup.
func TestReportTellsRecoveries(t *testing.T) {
	var out bytes.Buffer
	show.Report(show.Out{Writer: &out}, plan.Report{Nodes: []plan.NodeReport{{Host: "10.10.10.11", Outcome: plan.Applied, Recovered: []plan.Recovery{
		{Plan: "feedfacef00d", Outcome: plan.Undecided, Backup: "/var/lib/pgtui/backup/x", Why: "somebody has changed a.cfg since: the files stay as they are"},
	}}}})
	const want = "10.10.10.11: plan feedfacef00d was interrupted on this node and is now undecided: somebody has changed a.cfg since: the files stay as they are; its old files are in /var/lib/pgtui/backup/x\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("%q, want at its end %q", out.String(), want)
	}
}
