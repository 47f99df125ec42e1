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
	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// desk is an app whose audit file holds the records.
func desk(t *testing.T, records ...plan.Record) (*app, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	env := map[string]string{"PGTUI_AUDIT": filepath.Join(t.TempDir(), "audit.jsonl"), "SUDO_USER": "alice", "SSH_CONNECTION": "10.1.2.3 50000 10.10.10.10 22"}
	var out, errs bytes.Buffer
	a := &app{io: IO{Out: &out, Err: &errs, Getenv: func(k string) string { return env[k] }}}
	for _, r := range records {
		if err := a.auditFile("").Append(r); err != nil {
			t.Fatal(err)
		}
	}
	return a, &out, &errs
}

// atHand is the inventory whose runs rec makes.
func atHand() *model.Inventory {
	return &model.Inventory{Source: "pigsty.yml", Path: "/here/pigsty.yml", Clusters: []model.Cluster{{Name: "pg-test"}, {Name: "pg-other"}, {Name: "beef"}}}
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
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Dir: filepath.Join(dir, "sb")})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	link := filepath.Join(dir, "link.yml")
	if err := os.Symlink(sb.InventoryPath(), link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		env             map[string]string
		inventory, want string
	}{
		{map[string]string{"PGTUI_AUDIT": "/a/b"}, "pigsty.yml", "/a/b"},
		{map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/h"}, "pigsty.yml", "/s/pgtui/audit.jsonl"},
		{map[string]string{"HOME": "/h"}, "pigsty.yml", "/h/.local/state/pgtui/audit.jsonl"},
		{map[string]string{"HOME": "/h"}, sb.InventoryPath(), sb.Dir() + "/audit.jsonl"},
		{map[string]string{"HOME": "/h"}, link, sb.Dir() + "/audit.jsonl"},
		{map[string]string{"PGTUI_AUDIT": "/a/b"}, sb.InventoryPath(), "/a/b"},
		{map[string]string{"HOME": "/h"}, filepath.Join(sb.Dir(), "other.yml"), "/h/.local/state/pgtui/audit.jsonl"},
	} {
		a := &app{io: IO{Getenv: func(k string) string { return tt.env[k] }}}
		if got := a.auditFile(tt.inventory).Path; got != tt.want {
			t.Errorf("%v: %s, want %s", tt.env, got, tt.want)
		}
	}
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

// TestUndoable: undo takes what was done with the inventory at hand, and the
// plan of another one only when it is named.
func TestUndoable(t *testing.T) {
	at := func(path string, r plan.Record) plan.Record { r.Inventory = path; return r }
	stopped := rec("1", "aaaa", "pg-test", plan.RunStopped, plan.Applied, plan.Untouched)
	refused := rec("2", "bbbb", "pg-test", plan.RunRefused, plan.Untouched, plan.Untouched)
	killed := rec("3", "cccc", "pg-test", "", "", "")
	killed.Kind = plan.RecordBegin
	other := rec("4", "aabb", "pg-other", plan.RunApplied, plan.Applied, plan.Applied)
	elsewhere := at("/there/pigsty.yml", rec("5", "eeee", "pg-test", plan.RunApplied, plan.Applied, plan.Applied))
	again := at("/there/pigsty.yml", rec("6", "aaaa", "pg-test", plan.RunApplied, plan.Applied, plan.Applied))
	relative := at("pigsty.yml", rec("7", "ffff", "pg-test", plan.RunApplied, plan.Applied, plan.Applied))
	closing := rec("8", "", "pg-test", "", "", "")
	closing.Kind, closing.Action = plan.RecordBegin, plan.ActionClose
	beef := rec("9", "dddd", "beef", plan.RunApplied, plan.Applied, plan.Applied)
	beefID := rec("10", "beef00", "pg-test", plan.RunApplied, plan.Applied, plan.Applied)
	for _, tt := range []struct {
		name    string
		records []plan.Record
		args    []string
		run     string
		err     string
	}{
		{"the newest that left files", []plan.Record{stopped, refused}, nil, "1", ""},
		{"one that did not say how it ended", []plan.Record{stopped, killed}, nil, "3", ""},
		{"by its first letters", []plan.Record{stopped, killed}, []string{"aaa"}, "1", ""},
		{"nothing", []plan.Record{refused}, nil, "", "nothing to undo: no run of pigsty.yml has left new files"},
		{"no such plan", []plan.Record{stopped}, []string{"dddd"}, "", `"dddd" is neither a cluster of pigsty.yml nor a plan`},
		{"another inventory's is newer", []plan.Record{stopped, elsewhere}, nil, "1", ""},
		{"there is another inventory's only", []plan.Record{elsewhere}, nil, "", "nothing to undo"},
		{"a path of which nobody knows where it began", []plan.Record{stopped, relative}, nil, "1", ""},
		{"another inventory's by its id", []plan.Record{stopped, elsewhere}, []string{"eeee"}, "5", ""},
		{"a plan of both, and the other's is newer", []plan.Record{stopped, again}, []string{"aaaa"}, "1", ""},
		{"of a cluster", []plan.Record{stopped, other}, []string{"pg-test"}, "1", ""},
		{"of a cluster, and another inventory has one of that name", []plan.Record{stopped, elsewhere}, []string{"pg-test"}, "1", ""},
		{"of a cluster without any", []plan.Record{stopped}, []string{"pg-other"}, "", "nothing to undo: no run of pg-other in pigsty.yml"},
		{"of the cluster whose name begins a plan id", []plan.Record{beef, beefID}, []string{"beef"}, "9", ""},
		{"two plans begin so", []plan.Record{stopped, other}, []string{"aa"}, "", `2 plans begin with "aa"`},
		{"no letter at all", []plan.Record{stopped}, []string{""}, "", `"" is neither`},
		{"closed sessions are not undone", []plan.Record{stopped, closing}, nil, "1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _, _ := desk(t, tt.records...)
			run, err := a.undoable(atHand(), tt.args)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || source.TryOf(err) == "" {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || run.Run != tt.run {
				t.Errorf("%+v, %v", run, err)
			}
		})
	}
}

// TestResolved: an inventory is known by where it is, whatever way leads there.
func TestResolved(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, err := range []error{
		os.MkdirAll("real/inv", 0o755), os.WriteFile("real/inv/a.yml", nil, 0o644), os.WriteFile("real/inv/b.yml", nil, 0o755),
		os.Symlink("real", "way"), os.Symlink("real/inv/a.yml", "a"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	real := filepath.Join(dir, "real/inv")
	for given, want := range map[string]string{
		"real/inv/a.yml":                   real + "/a.yml",
		"./way/../real/inv/a.yml":          real + "/a.yml",
		"way/inv/a.yml":                    real + "/a.yml",
		"a":                                real + "/a.yml",
		dir + "/a":                         real + "/a.yml",
		"way/inv/":                         real,
		"real/inv/b.yml":                   real + "/b.yml", // a program
		"a,way/inv/b.yml":                  real + "/a.yml," + real + "/b.yml",
		"way/inv/b.yml, a":                 real + "/b.yml," + real + "/a.yml",
		"gone.yml":                         dir + "/gone.yml",
		real + "/a.yml," + real + "/b.yml": real + "/a.yml," + real + "/b.yml",
	} {
		if got := resolved(given); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
	if same := sameInventory(real + "/a.yml"); !same(real+"/a.yml") || !same(dir+"/way/inv/a.yml") || same("a") || same(real+"/b.yml") || same("") {
		t.Error("records of older versions: an absolute path is resolved, a relative one is nobody's")
	}
	a := &app{io: IO{Getenv: func(string) string { return "" }}}
	root := a.root()
	if err := root.ParseFlags([]string{"-i", "a", "--inventory=way/inv/b.yml"}); err != nil || a.inventory != "a,way/inv/b.yml" {
		t.Errorf("-i twice: %q, %v", a.inventory, err)
	}
}

// TestResumes: --resume goes on only with what the last run has left undone.
func TestResumes(t *testing.T) {
	stopped := rec("1", "aaaa", "pg-test", plan.RunStopped, plan.Applied, plan.Untouched)
	elsewhere := stopped
	elsewhere.Run, elsewhere.Inventory = "2", "/there/pigsty.yml"
	p := func(hash string) *plan.Plan {
		return &plan.Plan{Cluster: "pg-test", Nodes: []plan.Node{{Host: "2", Want: map[string]string{"f": hash}}}}
	}
	for _, tt := range []struct {
		name    string
		records []plan.Record
		plan    *plan.Plan
		err     string
	}{
		{"the same work", []plan.Record{stopped, rec("2", "bbbb", "pg-other", plan.RunApplied, plan.Applied, plan.Applied)}, p("want"), ""},
		{"other work", []plan.Record{stopped}, p("other"), "2 is not to become what plan aaaa made of it"},
		{"the last one came to its end", []plan.Record{stopped, rec("2", "bbbb", "pg-test", plan.RunApplied, plan.Applied, plan.Applied)}, p("want"), "did not stop half-way"},
		{"there was none", nil, p("want"), "did not stop half-way"},
		{"another inventory's", []plan.Record{elsewhere}, p("want"), "did not stop half-way"},
		{"another inventory's came later", []plan.Record{stopped, elsewhere}, p("want"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, out, _ := desk(t, tt.records...)
			err := a.resumes(atHand(), tt.plan)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v, want %s", err, tt.err)
			}
			if tt.err == "" && !strings.Contains(out.String(), "going on with plan aaaa") {
				t.Errorf("it says %q", out)
			}
		})
	}
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
	a.inventory = dir + "/pigsty.yml"
	file := a.auditFile("").Path
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
	for _, want := range []string{"aaaa  stopped", "bbbb  did not say how it ended", "aaaa: reload: haproxy was not reloaded", "1 runs of other inventories: pgtui history --all"} {
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
	a := &app{io: IO{Out: &out}}
	a.printReport(plan.Report{Nodes: []plan.NodeReport{{Host: "10.10.10.11", Outcome: plan.Applied, Recovered: []plan.Recovery{
		{Plan: "feedfacef00d", Outcome: plan.Undecided, Backup: "/var/lib/pgtui/backup/x", Why: "somebody has changed a.cfg since: the files stay as they are"},
	}}}})
	const want = "10.10.10.11: plan feedfacef00d was interrupted on this node and is now undecided: somebody has changed a.cfg since: the files stay as they are; its old files are in /var/lib/pgtui/backup/x\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("%q, want at its end %q", out.String(), want)
	}
}
