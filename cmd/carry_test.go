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
	"pgtui/model"
)

// desk is an app whose audit file holds the records.
func desk(t *testing.T, records ...model.Record) (*app, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	env := map[string]string{"PGTUI_AUDIT": filepath.Join(t.TempDir(), "audit.jsonl"), "SUDO_USER": "alice", "SSH_CONNECTION": "10.1.2.3 50000 10.10.10.10 22"}
	var out, errs bytes.Buffer
	a := &app{io: IO{Out: &out, Err: &errs, Getenv: func(k string) string { return env[k] }}}
	for _, r := range records {
		if err := a.auditFile().Append(r); err != nil {
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
	if stopped(ctx) == nil {
		t.Error("an interrupt from before the run must keep it from beginning")
	}
}

func cancelled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestOperator(t *testing.T) {
	a, _, _ := desk(t)
	o := a.operator()
	if o.User == "" || o.UID != os.Getuid() || o.PID != os.Getpid() || o.SudoUser != "alice" || o.SSHFrom != "10.1.2.3" || o.Host == "" {
		t.Errorf("%+v", o)
	}
	if got := environ(os.Getpid(), "HOME"); got == "" || got != os.Getenv("HOME") {
		t.Errorf("HOME of this process is %q", got)
	}
	if environ(1<<30, "PATH") != "" || parent(1<<30) != 0 {
		t.Error("a process that is not there has no environment and no parent")
	}
	if got := parent(os.Getpid()); got != os.Getppid() {
		t.Errorf("parent %d, want %d", got, os.Getppid())
	}
}

func TestAuditPath(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"PGTUI_AUDIT": "/a/b"}, "/a/b"},
		{map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/pgtui/audit.jsonl"},
		{map[string]string{"HOME": "/h"}, "/h/.local/state/pgtui/audit.jsonl"},
	} {
		a := &app{io: IO{Getenv: func(k string) string { return tt.env[k] }}}
		if got := a.auditFile().Path; got != tt.want {
			t.Errorf("%v: %s, want %s", tt.env, got, tt.want)
		}
	}
}

// rec is the last record of a run over nodes 1 and 2.
func rec(run, plan string, cluster model.ClusterName, outcome string, one, two model.NodeOutcome) model.Record {
	r := model.Record{V: 1, Run: run, Kind: model.RecordEnd, Action: model.ActionReload, Plan: plan, Cluster: cluster, Outcome: outcome}
	for h, o := range map[model.Host]model.NodeOutcome{"1": one, "2": two} {
		n := model.NodeRecord{Host: h, Outcome: o, Want: apply.WantSum(&model.NodePlan{Want: map[string]string{"f": "want"}})}
		if o == model.Applied {
			n.Backup = "/b"
		}
		r.Nodes = append(r.Nodes, n)
	}
	return r
}

func TestUndoable(t *testing.T) {
	stopped := rec("1", "aaaa", "pg-test", model.RunStopped, model.Applied, model.Untouched)
	refused := rec("2", "bbbb", "pg-test", model.RunRefused, model.Untouched, model.Untouched)
	killed := rec("3", "cccc", "pg-test", "", "", "")
	killed.Kind = model.RecordBegin
	for _, tt := range []struct {
		name    string
		records []model.Record
		args    []string
		want    string
		err     string
	}{
		{"the newest that left files", []model.Record{stopped, refused}, nil, "aaaa", ""},
		{"one that did not say how it ended", []model.Record{stopped, killed}, nil, "cccc", ""},
		{"by its first letters", []model.Record{stopped, killed}, []string{"aa"}, "aaaa", ""},
		{"nothing", []model.Record{refused}, nil, "", "nothing to undo"},
		{"no such plan", []model.Record{stopped}, []string{"dddd"}, "", `no plan "dddd"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _, _ := desk(t, tt.records...)
			run, err := a.undoable(tt.args)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || model.TryOf(err) != "pgtui history" {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || run.Plan != tt.want {
				t.Errorf("%+v, %v", run, err)
			}
		})
	}
}

// TestResumes: --resume goes on only with what the last run has left undone.
func TestResumes(t *testing.T) {
	stopped := rec("1", "aaaa", "pg-test", model.RunStopped, model.Applied, model.Untouched)
	plan := func(hash string) *model.Plan {
		return &model.Plan{Cluster: "pg-test", Nodes: []model.NodePlan{{Host: "2", Want: map[string]string{"f": hash}}}}
	}
	for _, tt := range []struct {
		name    string
		records []model.Record
		plan    *model.Plan
		err     string
	}{
		{"the same work", []model.Record{stopped, rec("2", "bbbb", "pg-other", model.RunApplied, model.Applied, model.Applied)}, plan("want"), ""},
		{"other work", []model.Record{stopped}, plan("other"), "2 is not to become what plan aaaa made of it"},
		{"the last one came to its end", []model.Record{stopped, rec("2", "bbbb", "pg-test", model.RunApplied, model.Applied, model.Applied)}, plan("want"), "did not stop half-way"},
		{"there was none", nil, plan("want"), "did not stop half-way"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, out, _ := desk(t, tt.records...)
			err := a.resumes(tt.plan)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v, want %s", err, tt.err)
			}
			if tt.err == "" && !strings.Contains(out.String(), "going on with plan aaaa") {
				t.Errorf("it says %q", out)
			}
		})
	}
}

// TestHistory: what cannot be read as a record is told, not hidden.
func TestHistory(t *testing.T) {
	stopped := rec("1", "aaaa", "pg-test", model.RunStopped, model.Applied, model.Restored)
	stopped.Error = "reload: haproxy was not reloaded\x1b[31m"
	killed := rec("2", "bbbb", "pg-test", "", "", "")
	killed.Kind = model.RecordBegin
	a, out, errs := desk(t, stopped, killed)
	f, err := os.OpenFile(a.auditFile().Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "no record")
	f.Close()
	c := a.historyCmd()
	c.SetArgs([]string{"pg-test"})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"aaaa  stopped", "bbbb  did not say how it ended", "aaaa: reload: haproxy was not reloaded"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if strings.Contains(out.String(), "\x1b") || !strings.Contains(errs.String(), "1 lines of") {
		t.Errorf("%q\n%q", out, errs)
	}
}

func TestReloadCode(t *testing.T) {
	failed := errors.New("x")
	for _, tt := range []struct {
		name  string
		nodes []model.NodeReport
		err   error
		want  int
	}{
		{"all as planned", []model.NodeReport{{Outcome: model.Applied}, {Outcome: model.Unchanged}}, nil, 0},
		{"restored", []model.NodeReport{{Outcome: model.Applied}, {Outcome: model.Restored, Err: failed}}, failed, reloadFailed},
		{"failed before it was touched", []model.NodeReport{{Outcome: model.Untouched, Err: failed}}, failed, reloadFailed},
		{"broken", []model.NodeReport{{Outcome: model.Applied}, {Outcome: model.Broken, Err: failed}}, failed, reloadBroken},
		{"uncertain", []model.NodeReport{{Outcome: model.Uncertain, Err: failed}}, failed, reloadBroken},
		{"found before the first node", []model.NodeReport{{Outcome: model.Untouched, Err: failed}}, fmt.Errorf("x; %w", apply.ErrNotBegun), reloadRefused},
		{"refused", []model.NodeReport{{Outcome: model.Untouched}}, failed, reloadRefused},
	} {
		if got := reloadCode(model.Report{Nodes: tt.nodes}, tt.err); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
