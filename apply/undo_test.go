package apply

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
)

// yard is two directories that stand for nodes, behind the real transport, and
// the audit file of what was done to them.
type yard struct {
	inv    *model.Inventory
	app    *Applier
	before []map[string]string
}

func newYard(t *testing.T) *yard {
	t.Helper()
	y := &yard{}
	var c *model.Cluster
	y.inv, c = world()
	for i := range c.LoadBalancers {
		svc := &c.LoadBalancers[i].Services[0]
		svc.Members = []model.Server{{Name: "pg-test-1", Host: "10.10.10.11", Port: "6432", CheckPort: "8008", Weight: "50"}}
		svc.Backups = []model.Server{{Name: "pg-test-2", Host: "10.10.10.12", Port: "6432", CheckPort: "8008", Weight: "100"}}
	}
	for i := range y.inv.Nodes {
		root := nodeDir(t)
		y.inv.Nodes[i].SSH.Root = root
		y.before = append(y.before, tree(t, root))
	}
	y.app = &Applier{
		Runner: transport.Local{}, Now: time.Now, Managed: "2026-11-11 00:00:00", VerifyFor: 10 * time.Second, Poll: time.Millisecond,
		Audit: &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")},
		Stats: func(_ context.Context, n model.Node) (haproxy.Stats, error) { return livePage(t, n.SSH.Root), nil },
	}
	return y
}

// livePage is the stats page of a HAProxy that runs what was loaded last, in a
// worker that has fewer connections behind it with every reload.
func livePage(t *testing.T, root string) haproxy.Stats {
	loaded, err := os.ReadFile(filepath.Join(root, "loaded"))
	if err != nil { // it runs what it began with
		for _, name := range []string{"primary", "replica", "retired"} {
			b, err := os.ReadFile(filepath.Join(root, "etc/haproxy/conf.d/pg-test-"+name+".cfg"))
			must(t, err)
			loaded = append(loaded, b...)
		}
	}
	var st haproxy.Stats
	reloads := int64(strings.Count(calls(t, root), "systemctl reload"))
	for _, s := range haproxy.Sections("", loaded) {
		p := haproxy.Proxy{Name: s.Name, Front: haproxy.ProxyRow{Total: 1000 - 100*reloads}}
		for _, v := range s.Servers {
			w := 1
			if v.Weight != "" {
				w, err = strconv.Atoi(v.Weight)
				must(t, err)
			}
			p.Servers = append(p.Servers, haproxy.ServerRow{Name: v.Name, Status: "UP", Weight: w, UserWeight: w, Backup: v.Backup, CheckStatus: "L7OK", LastChange: 500})
		}
		st.Proxies = append(st.Proxies, p)
	}
	return st
}

func (y *yard) lastRun(t *testing.T) *plan.Run {
	t.Helper()
	runs := plan.Runs(records(t, y.app.Audit))
	return &runs[len(runs)-1]
}

func (y *yard) reload(t *testing.T) {
	t.Helper()
	p, err := y.app.Plan(t.Context(), y.inv, "pg-test", nil)
	must(t, err)
	if rep, err := y.app.Execute(t.Context(), y.inv, p, nil); err != nil || !rep.OK() {
		t.Fatal(err, rep)
	}
}

// TestUndo puts back what a reload changed, added and deleted: bytes, owners
// and modes; and an undo can be undone.
func TestUndo(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.reload(t)
	var after []map[string]string
	for _, n := range y.inv.Nodes {
		after = append(after, tree(t, n.SSH.Root))
	}
	run := y.lastRun(t)
	if !run.Undoable() {
		t.Fatalf("%+v", run)
	}
	p, err := y.app.Undo(t.Context(), y.inv, run)
	must(t, err)
	must(t, p.Refusal())
	if got := kinds(p.Nodes[0]); got != "change pg-test-primary.cfg, add pg-test-replica.cfg, add pg-test-retired.cfg" {
		t.Errorf("%s", got)
	}
	y.app.Rollout.Action, y.app.Rollout.Undoes = plan.ActionUndo, run.Plan
	if rep, err := y.app.Execute(t.Context(), y.inv, p, nil); err != nil || !rep.OK() {
		t.Fatal(err, rep)
	}
	for i, n := range y.inv.Nodes {
		diffTree(t, "undone", tree(t, n.SSH.Root), y.before[i])
	}
	undone := y.lastRun(t)
	if undone.Action != plan.ActionUndo || undone.Undoes != run.Plan {
		t.Errorf("%+v", undone)
	}
	again, err := y.app.Undo(t.Context(), y.inv, undone)
	must(t, err)
	if rep, err := y.app.Execute(t.Context(), y.inv, again, nil); err != nil || !rep.OK() {
		t.Fatal(err, rep)
	}
	for i, n := range y.inv.Nodes {
		diffTree(t, "undone twice", tree(t, n.SSH.Root), after[i])
	}
}

// TestUndoSparesLaterChanges: what came after the run is not undone with it.
func TestUndoSparesLaterChanges(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.reload(t)
	path := filepath.Join(y.inv.Nodes[1].SSH.Root, "etc/haproxy/conf.d/pg-test-primary.cfg")
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append(b, "# by hand\n"...), 0o644))
	p, err := y.app.Undo(t.Context(), y.inv, y.lastRun(t))
	must(t, err)
	if err := p.Refusal(); err == nil || !strings.Contains(err.Error(), "pg-test-primary.cfg was changed after plan") || p.Nodes[0].Err != nil {
		t.Errorf("%v", err)
	}
	if _, err := y.app.Execute(t.Context(), y.inv, p, nil); err == nil {
		t.Error("it ran")
	}
}

// TestUndoInterrupted: of a run that did not say how it ended, the nodes tell
// what there is to put back.
func TestUndoInterrupted(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	p, err := y.app.Plan(t.Context(), y.inv, "pg-test", nil)
	must(t, err)
	l, err := y.app.open(y.inv, &p)
	must(t, err)
	y.app.Audit = nil // what follows is not recorded: pgtui was killed
	one := p
	one.Nodes = p.Nodes[:1]
	if rep, err := y.app.Execute(t.Context(), y.inv, one, nil); err != nil || !rep.OK() {
		t.Fatal(err, rep)
	}
	y.app.Audit = l.audit
	run := y.lastRun(t)
	if !run.Interrupted || run.Undoable() {
		t.Fatalf("%+v", run)
	}
	undo, err := y.app.Undo(t.Context(), y.inv, run)
	must(t, err)
	must(t, undo.Refusal())
	if !undo.Nodes[0].Changed() || undo.Nodes[1].Changed() {
		t.Errorf("%q, %q", kinds(undo.Nodes[0]), kinds(undo.Nodes[1]))
	}
	if rep, err := y.app.Execute(t.Context(), y.inv, undo, nil); err != nil || !rep.OK() {
		t.Fatal(err, rep)
	}
	for i, n := range y.inv.Nodes {
		diffTree(t, "undone", tree(t, n.SSH.Root), y.before[i])
	}
}

func TestUndoQuestions(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	for _, tt := range []struct {
		run plan.Run
		err string
	}{
		{plan.Run{Record: plan.Record{Plan: "p", Cluster: "pg-gone"}}, `there is no cluster "pg-gone"`},
		{plan.Run{Record: plan.Record{Plan: "p", Cluster: "pg-test", Nodes: []plan.NodeRecord{{Host: "10.10.10.11", Outcome: plan.Restored, Backup: "/b"}}}}, "has left no new files"},
	} {
		if _, err := y.app.Undo(t.Context(), y.inv, &tt.run); err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%v, want %s", err, tt.err)
		}
	}
	p, err := y.app.Undo(t.Context(), y.inv, &plan.Run{Record: plan.Record{Plan: "0000", Cluster: "pg-test", Nodes: []plan.NodeRecord{{Host: "10.10.10.11", Outcome: plan.Applied, Backup: "/b"}}}})
	if err != nil || p.Refusal() == nil || !strings.Contains(p.Refusal().Error(), "there is no backup of plan 0000") {
		t.Errorf("%v, %v", err, p.Refusal())
	}
}

func TestParseBackup(t *testing.T) {
	t.Parallel()
	hash := plan.Sum([]byte("hello"))
	for _, tt := range []struct {
		name, in string
		want     Kept
		err      string
	}{
		{name: "added, changed and deleted", in: "dir /b\nfile - new a.cfg\nfile " + hash + " new b c.cfg\nfile " + hash + " - d.cfg\ndata b c.cfg\naGVs\nbG8=\n.\ndata d.cfg\naGVsbG8=\n.\nend\n",
			want: Kept{Dir: "/b", Files: map[string]KeptFile{"a.cfg": {New: "new"}, "b c.cfg": {New: "new", Old: []byte("hello")}, "d.cfg": {New: "-", Old: []byte("hello")}}}},
		{name: "cut", in: "dir /b\nfile - new a.cfg\n", err: "the backup is cut"},
		{name: "a content is missing", in: "file " + hash + " new a.cfg\nend\n", err: "is not what was kept"},
		{name: "another content", in: "file " + hash + " new a.cfg\ndata a.cfg\naGVsbA==\n.\nend\n", err: "is not what was kept"},
		{name: "no base64", in: "data a.cfg\n!\n.\nend\n", err: "damaged"},
		{name: "a name that leads out", in: "file - new ../x.cfg\nend\n", err: "damaged"},
		{name: "nothing", in: "", err: "the backup is cut"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseBackup([]byte(tt.in))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

// FuzzParseBackup: whatever a node says, what is taken from it is what its own
// hashes promise, under names that stay in the directory.
func FuzzParseBackup(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte("dir /b\nfile - new a.cfg\nfile " + plan.Sum([]byte("hello")) + " - d.cfg\ndata d.cfg\naGVsbG8=\n.\nend\n"))
	f.Add([]byte("file - - a.cfg\nend"))
	f.Fuzz(func(t *testing.T, in []byte) {
		k, err := parseBackup(in)
		if err != nil {
			return
		}
		for name, kept := range k.Files {
			if plan.CheckName(name) != nil {
				t.Errorf("name %q", name)
			}
			if kept.Old != nil && !strings.Contains(string(in), fmt.Sprintf("file %s ", plan.Sum(kept.Old))) {
				t.Errorf("%s is %q, which nobody promised", name, kept.Old)
			}
		}
	})
}
