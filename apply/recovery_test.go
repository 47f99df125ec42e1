package apply

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
)

const systemd = "run/systemd/system" // says that the node has systemd

// cutOff leaves a node as a run whose both parts died at the reload leaves it, and
// returns where its staging directory and its backup are.
func cutOff(t *testing.T, root string, n *plan.Node) (stage, backup string) {
	t.Helper()
	tool(t, root, "systemctl", "#!/bin/sh\nd=$(echo \"$PGTUI_ROOT\"/etc/haproxy/.pgtui-*)\nkill -9 \"$(cat \"$d/pid\")\" \"$(cat \"$d/claim/pid\")\"\n")
	if r, _, err := applyScript(t, shell{root: root}, n); err == nil {
		t.Fatalf("outcome %q: the script was not killed", r.outcome)
	}
	tool(t, root, "systemctl", okSystemctl)
	eventually(t, "nobody is at work on the node", func() bool { return !atWork(root) })
	stage = filepath.Join(root, "etc/haproxy/.pgtui-"+testPlan)
	found, _ := filepath.Glob(filepath.Join(root, "var/lib/pgtui/backup/*-"+testPlan))
	if len(found) != 1 || !exists(stage) {
		t.Fatalf("backups %v, staged %v", found, exists(stage))
	}
	return stage, found[0]
}

// nextRun is a run of another cluster, which adds one file.
func nextRun(t *testing.T, root string) *run {
	t.Helper()
	n := &plan.Node{Host: "10.10.10.11", ConfDir: "/etc/haproxy/conf.d", Changes: []plan.FileChange{{Name: "pg-other-primary.cfg", After: []byte("listen pg-other-primary\n")}}}
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	r, err := a.runScript(t.Context(), n, nil, payload(n, "pg-other-", true), "apply", "fedcba987654", n.ConfDir, "bob@admin", "pg-other-", "20261121T093000Z", "0")
	must(t, err)
	_ = os.Remove(filepath.Join(root, "etc/haproxy/conf.d/pg-other-primary.cfg"))
	return r
}

func settled(t *testing.T, root string, n *plan.Node) *run {
	t.Helper()
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	s, err := a.runScript(t.Context(), n, nil, payload(n, "", false), "settle", testPlan, n.ConfDir, "alice@admin")
	must(t, err)
	return s
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// TestNodeRecovers: what a power cut leaves of a record decides how the next run,
// settle and the boot end the run, and each says so.
func TestNodeRecovers(t *testing.T) {
	t.Parallel()
	conf := func(root, name string) string { return filepath.Join(root, "etc/haproxy/conf.d", name) }
	for _, tt := range []struct {
		name   string
		left   func(t *testing.T, root, stage, backup string)
		state  string // of the files: "old", "new", or the name of one that another hand has changed
		said   plan.NodeOutcome
		record string
	}{
		{name: "everything is there", state: "old", said: plan.Restored, record: "restored: the run was cut off"},
		{name: "the file that names the backup is empty", left: func(t *testing.T, _, stage, _ string) {
			write(t, filepath.Join(stage, "backup"), "")
			must(t, os.RemoveAll(filepath.Join(stage, "claim")))
		}, state: "old", said: plan.Restored, record: "restored: the run was cut off"},
		{name: "everything staged is empty", left: func(t *testing.T, _, stage, backup string) {
			for _, f := range []string{"backup", "pid", "owner", "lock", "claim/pid", "claim/owner", "manifest"} {
				write(t, filepath.Join(stage, f), "")
			}
			write(t, filepath.Join(backup, "about"), "")
			write(t, filepath.Join(backup, "outcome"), "")
		}, state: "old", said: plan.Restored, record: "restored: the run was cut off"},
		{name: "some files are new, some old", left: func(t *testing.T, root, _, _ string) {
			must(t, os.WriteFile(conf(root, "pg-test-primary.cfg"), []byte(oldPrimary), 0o640))
		}, state: "old", said: plan.Restored, record: "restored: the run was cut off"},
		{name: "an older backup of the same plan has ended", left: func(t *testing.T, root, stage, backup string) {
			must(t, exec.CommandContext(t.Context(), "cp", "-a", backup, filepath.Join(root, "var/lib/pgtui/backup/20991231T000000Z-"+testPlan)).Run())
			write(t, filepath.Join(root, "var/lib/pgtui/backup/20991231T000000Z-"+testPlan, "outcome"), "applied\n")
			write(t, filepath.Join(stage, "backup"), "")
		}, state: "old", said: plan.Restored, record: "restored: the run was cut off"},
		{name: "it had ended", left: func(t *testing.T, _, _, backup string) {
			write(t, filepath.Join(backup, "outcome"), "applied\n")
		}, state: "new", said: plan.Applied, record: "applied"},
		{name: "it had been confirmed", left: func(t *testing.T, _, stage, _ string) {
			write(t, filepath.Join(stage, "confirmed"), "")
		}, state: "new", said: plan.Applied, record: "applied"},
		{name: "another hand has changed a file", left: func(t *testing.T, root, _, _ string) {
			must(t, os.WriteFile(conf(root, "pg-test-primary.cfg"), []byte("listen by-hand\n"), 0o640))
		}, state: "pg-test-primary.cfg", said: plan.Undecided, record: "undecided: somebody has changed pg-test-primary.cfg since: the files stay as they are"},
		{name: "another process has the number of its own now", left: func(t *testing.T, _, stage, _ string) {
			for _, d := range []string{stage, filepath.Join(stage, "claim")} {
				write(t, filepath.Join(d, "pid"), fmt.Sprintln(os.Getpid()))
				write(t, filepath.Join(d, "owner"), fmt.Sprintf("%d 1 %s", os.Getpid(), bootID(t)))
			}
		}, state: "old", said: plan.Restored, record: "restored: the run was cut off"},
		{name: "the process with its number and start is of another boot", left: func(t *testing.T, _, stage, _ string) {
			for _, d := range []string{stage, filepath.Join(stage, "claim")} {
				write(t, filepath.Join(d, "pid"), fmt.Sprintln(os.Getpid()))
				write(t, filepath.Join(d, "owner"), fmt.Sprintf("%d %s another-boot", os.Getpid(), bornAt(t, os.Getpid())))
			}
		}, state: "old", said: plan.Restored, record: "restored: the run was cut off"},
		{name: "a bare number, of a process that lives", left: func(t *testing.T, _, stage, _ string) {
			for _, d := range []string{stage, filepath.Join(stage, "claim")} {
				write(t, filepath.Join(d, "pid"), fmt.Sprintln(os.Getpid()))
				must(t, os.Remove(filepath.Join(d, "owner")))
			}
		}, state: "old", said: plan.Restored, record: "restored: the run was cut off"},
	} {
		for _, way := range []string{"settle", "the next run", "boot"} {
			t.Run(tt.name+", "+way, func(t *testing.T) {
				t.Parallel()
				root := nodeDir(t)
				must(t, os.MkdirAll(filepath.Join(root, systemd), 0o755))
				before := tree(t, root)
				n := change(t, root)
				stage, backup := cutOff(t, root, n)
				if tt.left != nil {
					tt.left(t, root, stage, backup)
				}
				var r *run
				switch way {
				case "settle":
					r = settled(t, root, n)
					if want := map[string]string{"old": "old", "new": "new"}[tt.state]; r.state != want && (want != "" || r.state != "other") {
						t.Errorf("settle says %q", r.state)
					}
				case "the next run":
					if r = nextRun(t, root); r.outcome != "applied" {
						t.Errorf("the next run: %q, %v", r.outcome, r.err)
					}
				case "boot":
					a := &Applier{Runner: shell{root: root}, Now: time.Now}
					var err error
					r, err = a.runScript(t.Context(), n, nil, nil, "recover", testPlan, n.ConfDir, "boot")
					must(t, err)
				}
				if len(r.recovered) != 1 || r.recovered[0].Plan != testPlan || r.recovered[0].Outcome != tt.said || r.recovered[0].Backup != strings.TrimPrefix(backup, root) {
					t.Errorf("it says %+v, want %s", r.recovered, tt.said)
				}
				want := before
				if tt.state != "old" {
					want = wantTree(before)
				}
				if strings.HasSuffix(tt.state, ".cfg") {
					want["etc/haproxy/conf.d/"+tt.state] = "-rw-r----- listen by-hand\n"
				}
				diffTree(t, "recovered", tree(t, root), want)
				if got := outcomeFile(t, &run{backup: backup}); got != tt.record {
					t.Errorf("the record says %q, want %q", got, tt.record)
				}
				if !exists(filepath.Join(backup, "files/pg-test-primary.cfg")) {
					t.Error("the backup is gone")
				}
				noLock(t, root)
			})
		}
	}
}

func bootID(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	must(t, err)
	return strings.TrimSpace(string(b))
}

func bornAt(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))[19]
}

// TestNodeRecoversInAnyShell: with a unit for the boot, and by the next run.
func TestNodeRecoversInAnyShell(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(filepath.Base(sh), func(t *testing.T) {
			t.Parallel()
			root := nodeDir(t)
			sh := asSh(t, root, sh)
			must(t, os.MkdirAll(filepath.Join(root, systemd), 0o755))
			before := tree(t, root)
			n := change(t, root)
			cutOff(t, root, n)
			must(t, os.MkdirAll(filepath.Join(root, "run/pgtui.lock.break"), 0o755))
			a := &Applier{Runner: shell{root: root, sh: sh}, Now: time.Now}
			r, err := a.runScript(t.Context(), n, nil, payload(n, "pg-test-", true), "apply", "fedcba987654", n.ConfDir, "alice@admin", "pg-test-", "20261120T093100Z", "60")
			if err != nil || r.outcome != "applied" || len(r.recovered) != 1 || r.recovered[0].Outcome != plan.Restored {
				t.Fatalf("%q, %v, %v, %+v", r.outcome, err, r.err, r.recovered)
			}
			c, err := a.runScript(t.Context(), n, nil, nil, "restore", "fedcba987654", n.ConfDir, "alice@admin", r.backup)
			if err != nil || c.outcome != "restored" {
				t.Errorf("%q, %v, %v", c.outcome, err, c.err)
			}
			diffTree(t, "restored", tree(t, root), before)
			noLock(t, root)
		})
	}
}

// TestNodeRecoveryChecksFirst: HAProxy is not reloaded with files that it refuses,
// and the run stays to be recovered.
func TestNodeRecoveryChecksFirst(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	n := change(t, root)
	stage, _ := cutOff(t, root, n)
	tool(t, root, "haproxy", "#!/bin/sh\necho '[ALERT] (1) : config : no' >&2\nexit 1\n")
	s := settled(t, root, n)
	if s.state != "broken" || s.err == nil || !strings.Contains(s.err.Error(), "haproxy refuses the configuration") {
		t.Errorf("settle: %q, %v", s.state, s.err)
	}
	if strings.Contains(calls(t, root), "reload") {
		t.Error("haproxy was reloaded with files that it refuses")
	}
	if !exists(stage) {
		t.Error("what would recover it is gone")
	}
	tool(t, root, "haproxy", okHaproxy)
	if s := settled(t, root, n); s.state != "old" || !strings.Contains(calls(t, root), "systemctl reload") {
		t.Errorf("once haproxy accepts them: %q, %v", s.state, s.err)
	}
	noLock(t, root)
}

// TestNodeFollowsNoForeignRecord: a record that somebody else could have written,
// or that leads elsewhere, is not followed: no file changes, and it says why.
func TestNodeFollowsNoForeignRecord(t *testing.T) {
	t.Parallel()
	manifest := func(backup string) string { return filepath.Join(backup, "manifest") }
	line := "file " + strings.Repeat("a", 64) + " " + strings.Repeat("b", 64) + " "
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, root, stage, backup string)
		why  string
	}{
		{"its manifest is a link", func(t *testing.T, root, _, backup string) {
			must(t, os.Rename(manifest(backup), filepath.Join(root, "elsewhere")))
			must(t, os.Symlink(filepath.Join(root, "elsewhere"), manifest(backup)))
		}, "manifest is not this user's own file"},
		{"others may write its manifest", func(t *testing.T, _, _, backup string) { must(t, os.Chmod(manifest(backup), 0o666)) }, "manifest is not this user's own file"},
		{"its group may write its directory", func(t *testing.T, _, _, backup string) { must(t, os.Chmod(backup, 0o770)) }, "is not this user's own directory"},
		{"its files are a link", func(t *testing.T, root, _, backup string) {
			must(t, os.Rename(filepath.Join(backup, "files"), filepath.Join(root, "elsewhere")))
			must(t, os.Symlink(filepath.Join(root, "elsewhere"), filepath.Join(backup, "files")))
		}, "files is not this user's own directory"},
		{"the backups are a link", func(t *testing.T, root, _, backup string) {
			must(t, os.Rename(filepath.Dir(backup), filepath.Join(root, "elsewhere")))
			must(t, os.Symlink(filepath.Join(root, "elsewhere"), filepath.Dir(backup)))
		}, "backup is not this user's own directory"},
		{"it is not below the backups", func(t *testing.T, root, stage, backup string) {
			must(t, os.Rename(backup, filepath.Join(root, "var/lib/elsewhere")))
			write(t, filepath.Join(stage, "backup"), "/var/lib/elsewhere\n")
		}, "its name is not a record's"},
		{"it leads out of the backups", func(t *testing.T, root, stage, backup string) {
			must(t, os.Rename(backup, filepath.Join(root, "var/lib/elsewhere")))
			write(t, filepath.Join(stage, "backup"), "/var/lib/pgtui/backup/../../elsewhere\n")
		}, "its name is not a record's"},
		{"a name leads out of the directory", func(t *testing.T, _, _, backup string) {
			write(t, manifest(backup), line+"../haproxy.cfg\n")
		}, "a line that is not a manifest's"},
		{"a name is not a service file's", func(t *testing.T, _, _, backup string) { write(t, manifest(backup), line+"passwd\n") }, "a line that is not a manifest's"},
		{"a hash is none", func(t *testing.T, _, _, backup string) {
			write(t, manifest(backup), "file x - pg-test-primary.cfg\n")
		}, "a line that is not a manifest's"},
		{"a file is a directory", func(t *testing.T, root, _, backup string) {
			must(t, os.Mkdir(filepath.Join(root, "etc/haproxy/conf.d/d.cfg"), 0o755))
			write(t, manifest(backup), line+"d.cfg\n")
		}, "d.cfg is a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := nodeDir(t)
			stage, backup := cutOff(t, root, change(t, root))
			tt.do(t, root, stage, backup)
			before := confFiles(t, root)
			r := nextRun(t, root)
			if len(r.recovered) != 1 || r.recovered[0].Outcome != plan.Undecided || !strings.Contains(r.recovered[0].Why, tt.why) {
				t.Errorf("it says %+v, want %q", r.recovered, tt.why)
			}
			if after := confFiles(t, root); !maps.EqualFunc(before, after, func(a, b []byte) bool { return string(a) == string(b) }) {
				t.Error("files have changed")
			}
			if b := ask(t, shell{root: root}, &plan.Node{ConfDir: "/etc/haproxy/conf.d"}, "restore", backup); b.outcome != "broken" || b.err == nil {
				t.Errorf("restore: %q, %v", b.outcome, b.err)
			}
		})
	}
}

// TestNodeForeignStage: a staging directory of somebody else is left alone.
func TestNodeForeignStage(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	stage, _ := cutOff(t, root, change(t, root))
	must(t, os.Chmod(stage, 0o777))
	before := tree(t, root)
	r := nextRun(t, root)
	if r.outcome != "applied" || len(r.recovered) != 1 || r.recovered[0].Outcome != plan.Undecided || !strings.Contains(r.recovered[0].Why, "it is left alone") {
		t.Errorf("%q, %+v", r.outcome, r.recovered)
	}
	diffTree(t, "left alone", tree(t, root), before)
}

// TestNodeFlushFails: what is not on disk is not done. Whichever sync fails, the
// node keeps its old files, or has them back, and says so.
func TestNodeFlushFails(t *testing.T) {
	t.Parallel()
	count := func(root string) int {
		b, _ := os.ReadFile(filepath.Join(root, "syncs"))
		return strings.Count(string(b), "x")
	}
	sync := func(t *testing.T, root string, at int) {
		real, err := exec.LookPath("sync")
		must(t, err)
		tool(t, root, "sync", fmt.Sprintf("#!/bin/sh\necho x >>\"$PGTUI_ROOT/syncs\"\n[ \"$(wc -l <\"$PGTUI_ROOT/syncs\")\" -ne %d ] || { echo 'Input/output error' >&2; exit 1; }\nexec %s \"$@\"\n", at, real))
	}
	root := nodeDir(t)
	sync(t, root, 0)
	if r, _, err := applyScript(t, shell{root: root}, change(t, root)); err != nil || r.outcome != "applied" {
		t.Fatalf("%q, %v, %v", r.outcome, err, r.err)
	}
	all := count(root)
	if all < 6 {
		t.Fatalf("a run syncs %d times", all)
	}
	for at := 1; at <= all; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			root := nodeDir(t)
			sync(t, root, at)
			before := tree(t, root)
			r, steps, err := applyScript(t, shell{root: root}, change(t, root))
			if err != nil || r.outcome != "untouched" && r.outcome != "restored" || r.err == nil {
				t.Errorf("outcome %q, err %v, %v, %s", r.outcome, err, r.err, done(steps))
			}
			diffTree(t, "after", tree(t, root), before)
			noLock(t, root)
		})
	}
}

// TestNodeBootUnit: a unit that recovers the run at boot is there while there is
// something to recover, and nothing of it after that.
func TestNodeBootUnit(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	must(t, os.MkdirAll(filepath.Join(root, systemd), 0o755))
	before := tree(t, root)
	n := change(t, root)
	unit := filepath.Join(root, "etc/systemd/system/multi-user.target.wants/pgtui-recover-"+testPlan+".service")
	tool(t, root, "systemctl", okSystemctl+"cp \"$PGTUI_ROOT\"/etc/systemd/system/multi-user.target.wants/* \"$PGTUI_ROOT/unit\" || :\n")
	r := apply2(t, shell{root: root}, n, testPlan, "60")
	text, err := os.ReadFile(unit)
	if err != nil || !strings.Contains(string(text), "\nBefore=haproxy.service\n") {
		t.Fatalf("while it waits: %q, %v", text, err)
	}
	if b, _ := os.ReadFile(filepath.Join(root, "unit")); string(b) != string(text) {
		t.Errorf("at the reload the unit is %q", b)
	}
	// Its command has nothing to do while the run is alive.
	_, command, _ := strings.Cut(string(text), "\nExecStart=")
	command, _, _ = strings.Cut(command, "\n")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Env = append(os.Environ(), "PGTUI_ROOT="+root)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "locked by alice@admin") {
		t.Errorf("beside the run: %v, %s", err, out)
	}
	if c := ask(t, shell{root: root}, n, "confirm", r.backup); c.outcome != "applied" {
		t.Fatalf("confirm: %q, %v", c.outcome, c.err)
	}
	diffTree(t, "confirmed", tree(t, root), wantTree(before))
	if left, _ := filepath.Glob(filepath.Join(root, "var/lib/pgtui/recover*")); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

// TestNodeWithoutSystemd: the swap says that nothing recovers at boot, and so does
// the look at a plan.
func TestNodeWithoutSystemd(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	must(t, os.Mkdir(filepath.Join(root, "tmp"), 0o777))
	n := change(t, root)
	look := func() *run {
		a := &Applier{Runner: shell{root: root}, Now: time.Now}
		r, err := a.readScript(t.Context(), n, payload(n, "pg-test-", true), "look", testPlan, n.ConfDir, "alice@admin", "pg-test-")
		must(t, err)
		return r
	}
	if r := look(); r.unarmed != "this node has no systemd" {
		t.Errorf("the look says %q", r.unarmed)
	}
	_, steps, _ := applyScript(t, shell{root: root}, n)
	said := false
	for _, s := range steps {
		said = said || s.Step == plan.StepSwap && s.Detail == "no recovery at boot: this node has no systemd"
	}
	if !said {
		t.Errorf("%+v", steps)
	}
	must(t, os.MkdirAll(filepath.Join(root, systemd), 0o755))
	if r := look(); r.unarmed != "" {
		t.Errorf("with systemd the look says %q", r.unarmed)
	}
}

// TestNodeLockBreak: whoever clears a dead lock away is known by its process. What
// the wall clock says of its directory counts for nothing.
func TestNodeLockBreak(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		owner string
		ok    bool
	}{
		{"it is dead", fmt.Sprintf("4194000 1 %s", bootID(t)), true},
		{"it is of another boot", fmt.Sprintf("%d %s another-boot", os.Getpid(), bornAt(t, os.Getpid())), true},
		{"it never said who it is", "", true},
		{"it is alive", fmt.Sprintf("%d %s %s", os.Getpid(), bornAt(t, os.Getpid()), bootID(t)), false},
	} {
		for _, age := range []time.Duration{-1000 * time.Hour, 0, 1000 * time.Hour} {
			t.Run(fmt.Sprintf("%s, %s old", tt.name, age), func(t *testing.T) {
				t.Parallel()
				root := nodeDir(t)
				dir := filepath.Join(root, "run/pgtui.lock.break")
				must(t, os.MkdirAll(dir, 0o755))
				must(t, os.Symlink("aaaa 4194000 1 2026-11-20T09:00:00Z 99999999999 bob@admin", filepath.Join(root, "run/pgtui.lock")))
				if tt.owner != "" {
					must(t, os.Symlink(tt.owner, filepath.Join(dir, "owner")))
				}
				must(t, os.Chtimes(dir, time.Now().Add(-age), time.Now().Add(-age)))
				r := apply2(t, shell{root: root}, change(t, root), testPlan, "0")
				if ok := r.outcome == "applied"; ok != tt.ok {
					t.Errorf("outcome %q, %v", r.outcome, r.err)
				}
				if exists(dir) == tt.ok {
					t.Errorf("the directory is there: %v", !tt.ok)
				}
			})
		}
	}
}

// TestNodeHandOverIsPrivate: the file with the servers' states is written where
// nobody else may write, and through no link.
func TestNodeHandOverIsPrivate(t *testing.T) {
	const cfg = "global\n    server-state-file /run/states/file\ndefaults\n    load-server-state-from-file global\n"
	for _, tt := range []struct {
		name   string
		do     func(t *testing.T, root, dir string)
		handed bool
	}{
		{"a directory of its own", func(*testing.T, string, string) {}, true},
		{"others may write there", func(t *testing.T, _, dir string) { must(t, os.Chmod(dir, 0o777)) }, false},
		{"others may write there, sticky", func(t *testing.T, _, dir string) { must(t, os.Chmod(dir, 0o777|os.ModeSticky)) }, false},
		{"its group may", func(t *testing.T, _, dir string) { must(t, os.Chmod(dir, 0o775)) }, false},
		{"others may exchange it", func(t *testing.T, root, _ string) { must(t, os.Chmod(filepath.Join(root, "run"), 0o777)) }, false},
		{"the file is a link", func(t *testing.T, root, dir string) {
			must(t, os.Symlink(filepath.Join(root, "victim"), filepath.Join(dir, "file")))
			must(t, os.Symlink(filepath.Join(root, "victim"), filepath.Join(dir, "file.pgtui")))
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := nodeDir(t)
			dir := filepath.Join(root, "run/states")
			must(t, os.MkdirAll(dir, 0o755))
			write(t, filepath.Join(root, "victim"), "as it was\n")
			write(t, filepath.Join(root, "etc/haproxy/haproxy.cfg"), cfg)
			must(t, os.Mkdir(filepath.Join(root, "tmp"), 0o777))
			tt.do(t, root, dir)
			tool(t, root, "systemctl", okSystemctl+"cp \"$PGTUI_ROOT/run/states/file\" \"$PGTUI_ROOT/handed\" 2>/dev/null || :\n")
			l, err := net.Listen("unix", filepath.Join(root, "run/haproxy-master.sock"))
			must(t, err)
			defer l.Close()
			go answer(l)
			n := change(t, root)
			a := &Applier{Runner: shell{root: root}, Now: time.Now}
			look, err := a.readScript(t.Context(), n, payload(n, "pg-test-", true), "look", testPlan, n.ConfDir, "alice@admin", "pg-test-")
			must(t, err)
			if (look.handed != "") != tt.handed {
				t.Errorf("the look says that states are handed over by %q", look.handed)
			}
			r, steps, err := applyScript(t, shell{root: root}, n)
			if err != nil || r.outcome != "applied" {
				t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
			}
			if exists(filepath.Join(root, "handed")) != tt.handed {
				t.Errorf("states were handed over: %v", !tt.handed)
			}
			if says := strings.Contains(steps[len(steps)-1].Detail, "others may write in /run/states: the servers' states are not handed over"); says == tt.handed {
				t.Errorf("the reload says %q", steps[len(steps)-1].Detail)
			}
			if b, _ := os.ReadFile(filepath.Join(root, "victim")); string(b) != "as it was\n" {
				t.Errorf("a file was written through a link: %q", b)
			}
		})
	}
}

// answer is a master socket with one server and a new worker at every look.
func answer(l net.Listener) {
	for n := 0; ; {
		c, err := l.Accept()
		if err != nil {
			return
		}
		b := make([]byte, 100)
		if k, _ := c.Read(b); strings.HasPrefix(string(b[:k]), "@1 show servers state") {
			fmt.Fprint(c, "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl\n"+
				"3 pg-test-primary 1 pg-test-1 10.10.10.11 2 0 100 100 16 15 3 5 6 0 0 0 - 6432 - 0\n\n")
		} else {
			n++
			fmt.Fprintf(c, "#<PID> <type> <reloads> <uptime> <version>\n1 master 1 [failed: 0] 0d 2.6\n# workers\n%d worker 0 0d 2.6\n# old workers\n\n", 200+n)
		}
		c.Close()
	}
}

// TestParseRecovery: what a node says of a recovery is bounded and safe to print.
func TestParseRecovery(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want plan.Recovery
		ok   bool
	}{
		{"0123456789ab restored /var/lib/pgtui/backup/x the run was cut off", plan.Recovery{Plan: "0123456789ab", Outcome: plan.Restored, Backup: "/var/lib/pgtui/backup/x", Why: "the run was cut off"}, true},
		{"0123456789ab undecided - y", plan.Recovery{Plan: "0123456789ab", Outcome: plan.Undecided, Why: "y"}, true},
		{"0123456789ab splendid - y", plan.Recovery{}, false},
		{"0123456789ab restored", plan.Recovery{}, false},
		{"", plan.Recovery{}, false},
	} {
		if got, ok := parseRecovery(tt.text); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: %+v, %v", tt.text, got, ok)
		}
	}
}

// TestKeptRefusesAForeignBackup: undo reads no backup that somebody else could have
// written, and follows no link in one.
func TestKeptRefusesAForeignBackup(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, root, backup string)
		err  string
	}{
		{"as it was left", func(*testing.T, string, string) {}, ""},
		{"others may write it", func(t *testing.T, _, backup string) { must(t, os.Chmod(backup, 0o777)) }, "it is not read"},
		{"its list is a link", func(t *testing.T, root, backup string) {
			must(t, os.Rename(filepath.Join(backup, "manifest"), filepath.Join(root, "elsewhere")))
			must(t, os.Symlink(filepath.Join(root, "elsewhere"), filepath.Join(backup, "manifest")))
		}, "it is not read"},
		{"a file is a link", func(t *testing.T, root, backup string) {
			must(t, os.Rename(filepath.Join(backup, "files/pg-test-primary.cfg"), filepath.Join(root, "elsewhere")))
			must(t, os.Symlink(filepath.Join(root, "elsewhere"), filepath.Join(backup, "files/pg-test-primary.cfg")))
		}, "does not match its hash"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := nodeDir(t)
			r := apply2(t, shell{root: root}, change(t, root), testPlan, "0")
			tt.do(t, root, r.backup)
			a := &Applier{Runner: transport.Local{}, Now: time.Now}
			k, err := a.kept(t.Context(), model.SSHTarget{Root: root}, testPlan)
			if tt.err == "" && (err != nil || string(k.Files["pg-test-primary.cfg"].Old) != oldPrimary) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("%+v, %v, want %q", k, err, tt.err)
			}
		})
	}
}
