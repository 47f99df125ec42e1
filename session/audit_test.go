package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/apply"
	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// desk is a session whose audit file holds the records.
func desk(t *testing.T, records ...plan.Record) *Session {
	t.Helper()
	env := map[string]string{"PGTUI_AUDIT": filepath.Join(t.TempDir(), "audit.jsonl"), "SUDO_USER": "alice", "SSH_CONNECTION": "10.1.2.3 50000 10.10.10.10 22"}
	s := with(env)
	for _, r := range records {
		if err := s.Audit("").Append(r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// with is a session in an environment.
func with(env map[string]string) *Session {
	return New(Options{}, World{Getenv: func(k string) string { return env[k] }, Now: time.Now})
}

// atHand is the inventory whose runs rec makes.
func atHand() *model.Inventory {
	return &model.Inventory{Source: "pigsty.yml", Path: "/here/pigsty.yml", Clusters: []model.Cluster{{Name: "pg-test"}, {Name: "pg-other"}, {Name: "beef"}}}
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

func TestOperator(t *testing.T) {
	s := desk(t)
	o := s.operator()
	if o.User == "" || o.UID != os.Getuid() || o.PID != os.Getpid() || o.SudoUser != "alice" || o.SSHFrom != "10.1.2.3" || o.Host == "" {
		t.Errorf("%+v", o)
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
		if got := with(tt.env).Audit(tt.inventory).Path; got != tt.want {
			t.Errorf("%v: %s, want %s", tt.env, got, tt.want)
		}
	}
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
		{"one whose end is unknown", []plan.Record{stopped, killed}, nil, "3", ""},
		{"by its first letters", []plan.Record{stopped, killed}, []string{"aaa"}, "1", ""},
		{"nothing", []plan.Record{refused}, nil, "", "has no run of pigsty.yml that left new files"},
		{"no such plan", []plan.Record{stopped}, []string{"dddd"}, "", `"dddd" is neither a cluster of pigsty.yml nor a plan`},
		{"another inventory's is newer", []plan.Record{stopped, elsewhere}, nil, "1", ""},
		{"there is another inventory's only", []plan.Record{elsewhere}, nil, "", "nothing to undo"},
		{"a relative path", []plan.Record{stopped, relative}, nil, "1", ""},
		{"another inventory's by its id", []plan.Record{stopped, elsewhere}, []string{"eeee"}, "5", ""},
		{"a plan of both, and the other's is newer", []plan.Record{stopped, again}, []string{"aaaa"}, "1", ""},
		{"of a cluster", []plan.Record{stopped, other}, []string{"pg-test"}, "1", ""},
		{"of a cluster, and another inventory has one of that name", []plan.Record{stopped, elsewhere}, []string{"pg-test"}, "1", ""},
		{"of a cluster without any", []plan.Record{stopped}, []string{"pg-other"}, "", "has no run of pg-other in pigsty.yml"},
		{"of the cluster whose name begins a plan id", []plan.Record{beef, beefID}, []string{"beef"}, "9", ""},
		{"two plans begin so", []plan.Record{stopped, other}, []string{"aa"}, "", `2 plans begin with "aa"`},
		{"no letter at all", []plan.Record{stopped}, []string{""}, "", `"" is neither`},
		{"closed sessions are not undone", []plan.Record{stopped, closing}, nil, "1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run, err := desk(t, tt.records...).Undoable(atHand(), tt.args...)
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
		if got := Resolved(given); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
	if same := SameInventory(real + "/a.yml"); !same(real+"/a.yml") || !same(dir+"/way/inv/a.yml") || same("a") || same(real+"/b.yml") || same("") {
		t.Error("records of older versions: an absolute path is resolved, a relative one matches no inventory")
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
		{"other work", []plan.Record{stopped}, p("other"), "the work on 2 differs from that of plan aaaa"},
		{"the last one came to its end", []plan.Record{stopped, rec("2", "bbbb", "pg-test", plan.RunApplied, plan.Applied, plan.Applied)}, p("want"), "did not stop half-way"},
		{"there was none", nil, p("want"), "did not stop half-way"},
		{"another inventory's", []plan.Record{elsewhere}, p("want"), "did not stop half-way"},
		{"another inventory's came later", []plan.Record{stopped, elsewhere}, p("want"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run, err := desk(t, tt.records...).Resumes(atHand(), tt.plan)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v, want %s", err, tt.err)
			}
			if tt.err == "" && run.Plan != "aaaa" {
				t.Errorf("it continues %+v", run)
			}
		})
	}
}
