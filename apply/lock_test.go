package apply

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgtui/plan"
	"pgtui/source"
)

// apply2 runs node.sh's apply with a plan and a window.
func apply2(t *testing.T, runner shell, n *plan.Node, plan, window string) *run {
	t.Helper()
	a := &Applier{Runner: runner, Now: time.Now}
	r, err := a.runScript(t.Context(), n, nil, payload(n, "pg-test-", true), "apply", plan, n.ConfDir, "alice@admin", "pg-test-", "20261120T093000Z", window)
	must(t, err)
	return r
}

func ask(t *testing.T, runner shell, n *plan.Node, mode, backup string) *run {
	t.Helper()
	a := &Applier{Runner: runner, Now: time.Now}
	r, err := a.runScript(t.Context(), n, nil, nil, mode, testPlan, n.ConfDir, "alice@admin", backup)
	must(t, err)
	return r
}

// noLock: no run holds the node, and none has left anything behind.
func noLock(t *testing.T, root string) {
	t.Helper()
	for _, pattern := range []string{"run/pgtui*", "etc/haproxy/.pgtui*", "etc/haproxy/conf.d/.pgtui*"} {
		if left, _ := filepath.Glob(filepath.Join(root, pattern)); len(left) > 0 {
			t.Errorf("left behind: %s", left)
		}
	}
}

func outcomeFile(t *testing.T, r *run) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.backup, "outcome"))
	must(t, err)
	return strings.TrimSpace(string(b))
}

// eventually waits for something that the node does by itself.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never was so: %s", what)
		}
	}
}

// atWork reports whether a process of a run on root is alive.
func atWork(root string) bool {
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	return slices.ContainsFunc(all, func(path string) bool {
		env, _ := os.ReadFile(path)
		return bytes.Contains(env, []byte("PGTUI_ROOT="+root+"\x00"))
	})
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// TestNodeLocked: who comes second is told who is at work and since when, and
// changes nothing.
func TestNodeLocked(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	n := change(t, root)
	tool(t, root, "haproxy", okHaproxy+"while [ ! -e \"$PGTUI_ROOT/go\" ]; do sleep 0.05; done\n")
	first := make(chan *run, 1)
	go func() { first <- apply2(t, shell{root: root}, n, testPlan, "0") }()
	eventually(t, "the first is checking", func() bool { return calls(t, root) != "" })
	for _, mode := range []string{"apply", "ready"} {
		a := &Applier{Runner: shell{root: root}, Now: time.Now}
		r, err := a.runScript(t.Context(), n, nil, payload(n, "pg-test-", true), mode, "fedcba987654", n.ConfDir, "bob@admin", "pg-test-", "x", "0")
		must(t, err)
		if r.outcome != "untouched" || r.err == nil || !strings.Contains(r.err.Error(), "locked by alice@admin since 20") || !strings.Contains(r.err.Error(), testPlan) {
			t.Errorf("%s: outcome %q, %v", mode, r.outcome, r.err)
		}
		if try := source.TryOf(r.err); !strings.Contains(try, "plan again") {
			t.Errorf("%s: hint %q", mode, try)
		}
	}
	must(t, os.WriteFile(filepath.Join(root, "go"), nil, 0o600))
	if r := <-first; r.outcome != "applied" {
		t.Errorf("the first ended %q, %v", r.outcome, r.err)
	}
	noLock(t, root)
}

// TestNodeLockExpires: a lock counts for nothing when its process is gone, when
// another has its number now, or when its time is over.
func TestNodeLockExpires(t *testing.T) {
	sleeper := exec.CommandContext(t.Context(), "sleep", "100")
	must(t, sleeper.Start())
	ended := make(chan struct{})
	go func() { _ = sleeper.Wait(); close(ended) }()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", sleeper.Process.Pid))
	must(t, err)
	born := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))[19]
	for _, tt := range []struct{ name, lock string }{
		{"its process is gone", "aaaa 4194000 1 2026-11-20T09:00:00Z 99999999999 bob@admin"},
		{"another process has its number", fmt.Sprintf("aaaa %d 1 2026-11-20T09:00:00Z 99999999999 bob@admin", os.Getpid())},
		{"no lock at all", "garbage"},
		{"its time is over", fmt.Sprintf("aaaa %d %s 2026-11-20T09:00:00Z 1 bob@admin", sleeper.Process.Pid, born)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := nodeDir(t)
			must(t, os.MkdirAll(filepath.Join(root, "run"), 0o755))
			must(t, os.Symlink(tt.lock, filepath.Join(root, "run/pgtui.lock")))
			if r := apply2(t, shell{root: root}, change(t, root), testPlan, "0"); r.outcome != "applied" {
				t.Errorf("outcome %q, %v", r.outcome, r.err)
			}
			noLock(t, root)
		})
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the run whose time was over still hangs there")
	}
}

// TestNodeWatchdog: silence means undo. The node goes back by itself, loads
// that, and who comes too late is told.
func TestNodeWatchdog(t *testing.T) {
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	r := apply2(t, shell{root: root}, n, testPlan, "1")
	if r.outcome != "applied" || !exists(filepath.Join(root, "run/pgtui.lock")) {
		t.Fatalf("outcome %q, %v: it must be applied, and locked until it is confirmed", r.outcome, r.err)
	}
	late := ask(t, shell{root: root}, n, "ready", "")
	if late.err == nil || !strings.Contains(late.err.Error(), "locked by alice@admin") {
		t.Errorf("while it waits: %v", late.err)
	}
	eventually(t, "the run is over", func() bool { return !exists(filepath.Join(root, "etc/haproxy/.pgtui-"+testPlan)) })
	diffTree(t, "back by itself", tree(t, root), before)
	if got := strings.Count(calls(t, root), "systemctl reload haproxy"); got != 2 {
		t.Errorf("%d reloads, want 2", got)
	}
	if got := outcomeFile(t, r); got != "restored: not confirmed within 1 s" {
		t.Errorf("the backup says %q", got)
	}
	late = ask(t, shell{root: root}, n, "confirm", r.backup)
	if late.outcome != "restored" || late.err == nil || !strings.Contains(late.err.Error(), "too late") {
		t.Errorf("a late confirmation: %q, %v", late.outcome, late.err)
	}
	noLock(t, root)
}

// TestNodeConfirm: once confirmed the new files stay.
func TestNodeConfirm(t *testing.T) {
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	r := apply2(t, shell{root: root}, n, testPlan, "2")
	if c := ask(t, shell{root: root}, n, "confirm", r.backup); c.outcome != "applied" || c.err != nil {
		t.Fatalf("confirm: %q, %v", c.outcome, c.err)
	}
	noLock(t, root)
	time.Sleep(2500 * time.Millisecond)
	diffTree(t, "after the window", tree(t, root), wantTree(before))
	if c := ask(t, shell{root: root}, n, "confirm", r.backup); c.outcome != "applied" || c.err != nil {
		t.Errorf("confirmed twice: %q, %v", c.outcome, c.err)
	}
}

// TestNodeRestoreWhileItWaits: pgtui does not like what it sees and says so
// before the window is over.
func TestNodeRestoreWhileItWaits(t *testing.T) {
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	r := apply2(t, shell{root: root}, n, testPlan, "60")
	if back := ask(t, shell{root: root}, n, "restore", r.backup); back.outcome != "restored" || back.err != nil {
		t.Fatalf("restore: %q, %v", back.outcome, back.err)
	}
	diffTree(t, "restored", tree(t, root), before)
	noLock(t, root)
}

// TestNodeWatchdogKilled: even the watchdog's death leaves a way back: the next
// run of anybody puts the unconfirmed files back before it begins its own.
func TestNodeWatchdogKilled(t *testing.T) {
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	apply2(t, shell{root: root}, n, testPlan, "60")
	killWatchdog(t, root)
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	s, err := a.runScript(t.Context(), n, nil, payload(n, "", false), "settle", testPlan, n.ConfDir, "alice@admin")
	if err != nil || s.state != "old" {
		t.Fatalf("settle: %q, %v", s.state, err)
	}
	diffTree(t, "put back", tree(t, root), before)
	noLock(t, root)
}

// TestNodeWatchdogKilledThenConfirmed: the routing was found good, only the
// watchdog did not live to hear it. The new files stay, and nothing is held.
func TestNodeWatchdogKilledThenConfirmed(t *testing.T) {
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	r := apply2(t, shell{root: root}, n, testPlan, "60")
	killWatchdog(t, root)
	if c := ask(t, shell{root: root}, n, "confirm", r.backup); c.outcome != "applied" || c.err != nil {
		t.Fatalf("confirm: %q, %v", c.outcome, c.err)
	}
	diffTree(t, "confirmed", tree(t, root), wantTree(before))
	noLock(t, root)
}

func killWatchdog(t *testing.T, root string) {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(root, "etc/haproxy/.pgtui-"+testPlan, "claim/pid"))
	must(t, err)
	must(t, exec.CommandContext(t.Context(), "kill", "-9", strings.TrimSpace(string(pid))).Run())
	// A killed process lives until it is scheduled once more.
	for range 500 {
		stat, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat"))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the watchdog %s does not die", pid)
}

// TestNodeConfirmRace lets the confirmation and the end of the window meet.
// Whoever wins, both sides say the same, the files are what they say, and
// neither a lock nor a watchdog is left.
func TestNodeConfirmRace(t *testing.T) {
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			root := nodeDir(t)
			before := tree(t, root)
			n := change(t, root)
			r := apply2(t, shell{root: root}, n, testPlan, "1")
			watchdog, err := os.ReadFile(filepath.Join(root, "etc/haproxy/.pgtui-"+testPlan, "claim/pid"))
			time.Sleep(time.Duration(500+i*100) * time.Millisecond)
			c := ask(t, shell{root: root}, n, "confirm", r.backup)
			noLock(t, root)
			switch c.outcome {
			case "applied":
				diffTree(t, "confirmed", tree(t, root), wantTree(before))
			case "restored":
				diffTree(t, "restored", tree(t, root), before)
			default:
				t.Errorf("outcome %q, %v", c.outcome, c.err)
			}
			if got := outcomeFile(t, r); !strings.HasPrefix(got, c.outcome) {
				t.Errorf("the confirmation heard %q, and the backup says %q", c.outcome, got)
			}
			if err == nil {
				eventually(t, "the watchdog is gone", func() bool { return !exists("/proc/" + strings.TrimSpace(string(watchdog))) })
			}
		})
	}
}

// TestNodeRestoreCutOff: pgtui has asked for the old files and is killed before
// it hears more. The node does it nevertheless.
func TestNodeRestoreCutOff(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	r := apply2(t, shell{root: root}, n, testPlan, "600")
	a := &Applier{Runner: shell{root: root, kill: func(l string) bool { return l == "@begin restore" }}, Now: time.Now}
	_, _ = a.runScript(t.Context(), n, nil, nil, "restore", testPlan, n.ConfDir, "alice@admin", r.backup)
	eventually(t, "it is back", func() bool { return !exists(filepath.Join(root, "etc/haproxy/.pgtui-"+testPlan)) })
	diffTree(t, "restored", tree(t, root), before)
	noLock(t, root)
}

// TestNodeWindowSparesAnotherHand: what somebody edits while the node waits is
// not thrown away at the end of the window.
func TestNodeWindowSparesAnotherHand(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	n := change(t, root)
	r := apply2(t, shell{root: root}, n, testPlan, "1")
	path := filepath.Join(root, "etc/haproxy/conf.d/pg-test-primary.cfg")
	must(t, os.WriteFile(path, []byte("listen somebody-else\n"), 0o644))
	eventually(t, "the run is over", func() bool { return !exists(filepath.Join(root, "etc/haproxy/.pgtui-"+testPlan)) })
	if got, _ := os.ReadFile(path); string(got) != "listen somebody-else\n" {
		t.Errorf("the other hand's file is now %q", got)
	}
	if got := outcomeFile(t, r); got != "broken" {
		t.Errorf("the backup says %q", got)
	}
	if c := ask(t, shell{root: root}, n, "confirm", r.backup); c.outcome != "broken" || c.err == nil {
		t.Errorf("confirm: %q, %v", c.outcome, c.err)
	}
	noLock(t, root)
}

// TestNodeLeftAlone: everything that listens is killed with signal 9 at every
// step, and pgtui never comes back. By itself each node comes to the old state,
// loaded; what is left of a lock counts for nothing; and the next run works.
func TestNodeLeftAlone(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"@begin stage", "@ok stage", "@begin check", "@ok check", "@begin compare", "@begin backup",
		"@ok backup", "@begin swap", "@ok swap", "@begin reload", "@ok reload", "@end"} {
		t.Run(strings.TrimPrefix(at, "@"), func(t *testing.T) {
			t.Parallel()
			root := nodeDir(t)
			before := tree(t, root)
			n := change(t, root)
			a := &Applier{Runner: shell{root: root, kill: func(l string) bool { return strings.HasPrefix(l, at) }}, Now: time.Now}
			_, _ = a.runScript(t.Context(), n, nil, payload(n, "pg-test-", true), "apply", testPlan, n.ConfDir, "alice@admin", "pg-test-", "20261120T093000Z", "1")
			eventually(t, "nobody is at work on the node", func() bool { return !atWork(root) })
			if r := ask(t, shell{root: root}, n, "ready", ""); r.err != nil {
				t.Errorf("nobody is at work, and yet: %v", r.err)
			}
			after := tree(t, root)
			for name := range after {
				if strings.Contains(name, "/.pgtui-") {
					delete(after, name) // HAProxy reads none of it
				}
			}
			diffTree(t, "left alone", after, before)
			if c := calls(t, root); strings.Contains(c, "systemctl") {
				if loaded, _ := os.ReadFile(filepath.Join(root, "loaded")); !strings.Contains(string(loaded), "weight 100") {
					t.Errorf("the old files are back and not loaded: %q", loaded)
				}
			}
			if r := apply2(t, shell{root: root}, n, "fedcba987654", "0"); r.outcome != "applied" {
				t.Fatalf("the next run: %q, %v", r.outcome, r.err)
			}
			diffTree(t, "the next run", tree(t, root), wantTree(before))
			noLock(t, root)
		})
	}
}

// TestNodeManyAtOnce: five runs begin at one moment on a node whose lock is
// stale. One does its work; the others find the node locked, or changed.
func TestNodeManyAtOnce(t *testing.T) {
	for range 3 {
		root := nodeDir(t)
		before := tree(t, root)
		must(t, os.MkdirAll(filepath.Join(root, "run"), 0o755))
		must(t, os.Symlink("aaaa 4194000 1 2026-11-20T09:00:00Z 99999999999 bob@admin", filepath.Join(root, "run/pgtui.lock")))
		n := change(t, root)
		results := make(chan *run, 5)
		for i := range 5 {
			go func() {
				a := &Applier{Runner: shell{root: root}, Now: time.Now}
				r, err := a.runScript(t.Context(), n, nil, payload(n, "pg-test-", true), "apply", fmt.Sprintf("%012x", i+1), n.ConfDir, "alice@admin", "pg-test-", "20261120T093000Z", "0")
				if err != nil {
					r.err = err
				}
				results <- r
			}()
		}
		applied := 0
		for range 5 {
			switch r := <-results; {
			case r.outcome == "applied":
				applied++
			case r.outcome != "untouched" || r.err == nil || !strings.Contains(r.err.Error(), "locked by") && !strings.Contains(r.err.Error(), "when the plan was made") && !strings.Contains(r.err.Error(), "cannot lock"):
				t.Errorf("outcome %q, %v", r.outcome, r.err)
			}
		}
		if applied != 1 {
			t.Errorf("%d runs were carried out", applied)
		}
		if got := strings.Count(calls(t, root), "systemctl reload"); got != 1 {
			t.Errorf("%d reloads", got)
		}
		diffTree(t, "after", tree(t, root), wantTree(before))
		noLock(t, root)
	}
}

// TestNodeDiskFull: no step leaves half a file or a staging directory behind
// when there is no room for what it writes.
func TestNodeDiskFull(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, tool, steps string }{
		// cp is what stages, keeps and prepares; the nth one finds no room.
		{"at staging", "1", "stage!"},
		{"at the backup", "12", "stage check compare backup!"},
		{"at the new files", "14", "stage check compare backup swap!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := nodeDir(t)
			before := tree(t, root)
			n := change(t, root)
			tool(t, root, "cp", "#!/bin/sh\necho x >>\"$PGTUI_ROOT/copies\"\n"+
				"[ \"$(wc -l <\"$PGTUI_ROOT/copies\")\" -lt "+tt.tool+" ] || { echo 'No space left on device' >&2; exit 1; }\nexec /bin/cp \"$@\"\n")
			r, steps, err := applyScript(t, shell{root: root}, n)
			if err != nil || r.outcome != "untouched" || done(steps) != tt.steps {
				copies, _ := os.ReadFile(filepath.Join(root, "copies"))
				t.Fatalf("outcome %q, err %v, %v, steps %q, %d copies", r.outcome, err, r.err, done(steps), strings.Count(string(copies), "x"))
			}
			diffTree(t, "after", tree(t, root), before)
			noLock(t, root)
			if left, _ := filepath.Glob(filepath.Join(root, "var/lib/pgtui/backup/*/files")); len(left) > 0 && tt.name == "at the backup" {
				t.Errorf("half a backup is left: %s", left)
			}
			if strings.Contains(calls(t, root), "systemctl") {
				t.Error("haproxy was reloaded")
			}
		})
	}
}

// TestNodeNewWorker: that systemctl ends well proves nothing. The master must
// show a new worker.
func TestNodeNewWorker(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		after   string // show proc once the reload was asked for
		outcome string
		err     string
	}{
		{"a new worker", "1 master 2 [failed: 0] 0d00h01m00s 2.6\n# workers\n300 worker 0 0d00h00m00s 2.6\n# old workers\n200 worker 1 0d00h01m00s 2.6\n", "applied", ""},
		{"it could not be loaded", "1 master 2 [failed: 1] 0d00h01m00s 2.6\n# workers\n200 worker 1 0d00h01m00s 2.6\n# old workers\n", "broken", "HAProxy could not load the new configuration: its master counts 1 failed reloads and worker 200 still serves"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := nodeDir(t)
			var reloaded atomic.Bool
			must(t, os.MkdirAll(filepath.Join(root, "run"), 0o755))
			l, err := net.Listen("unix", filepath.Join(root, "run/haproxy-master.sock"))
			must(t, err)
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = bufio.NewReader(c).ReadString('\n')
					reloaded.Store(reloaded.Load() || exists(filepath.Join(root, "loaded")))
					text := "1 master 1 [failed: 0] 0d00h01m00s 2.6\n# workers\n200 worker 0 0d00h01m00s 2.6\n# old workers\n"
					if reloaded.Load() {
						text = tt.after
					}
					fmt.Fprintf(c, "#<PID> <type> <reloads> <uptime> <version>\n%s\n", text)
					c.Close()
				}
			}()
			n := change(t, root)
			r, steps, err := applyScript(t, shell{root: root}, n)
			if err != nil || r.outcome != tt.outcome {
				t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
			}
			if tt.err != "" && (r.err == nil || !strings.Contains(r.err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", r.err, tt.err)
			}
			if last := steps[len(steps)-1]; tt.err == "" && last.Detail != "worker 300 took over from 200; 1 old" {
				t.Errorf("the reload says %q", last.Detail)
			}
		})
	}
}

// TestNodeHandOver: where haproxy.cfg asks for it the next worker is handed the
// state of those servers that are as they were and settled, and of no other;
// the file is there while HAProxy loads, and at no other time.
func TestNodeHandOver(t *testing.T) {
	t.Parallel()
	const head = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl\n"
	checked := func(be, srv, addr string, op, status, result, state int, port string) string {
		return fmt.Sprintf("3 %s 1 %s %s %d 0 100 100 16 %d %d 5 %d 0 0 0 - %s - 0\n", be, srv, addr, op, status, result, state, port)
	}
	row := func(be, srv, addr string, op, result int, port string) string {
		return checked(be, srv, addr, op, 15, result, 6, port)
	}
	same := row("pg-test-primary", "pg-test-1", "10.10.10.11", 2, 3, "6432")
	down := row("pg-test-replica", "pg-test-1", "10.10.10.11", 0, 2, "6432")
	flight := checked("pg-test-replica", "pg-test-1", "10.10.10.11", 0, 17, 0, 7, "6432") // its next check is on its way
	free := checked("pg-test-replica", "pg-test-1", "10.10.10.11", 2, 0, 0, 0, "6432")    // without a check
	dump := head + same + down + flight + free +
		row("pg-test-retired", "pg-test-1", "10.10.10.11", 2, 3, "6432") + // its file goes
		row("pg-test-primary", "pg-test-2", "10.10.10.12", 2, 3, "6432") + // not on disk
		row("pg-test-primary", "pg-test-1", "10.10.10.99", 2, 3, "6432") + // another address
		row("pg-test-primary", "pg-test-1", "10.10.10.11", 2, 3, "5432") + // another port
		row("pg-test-primary", "pg-test-1", "10.10.10.11", 1, 3, "6432") + // starting
		checked("pg-test-primary", "pg-test-1", "10.10.10.11", 2, 1, 0, 7, "6432") + // its first check is on its way
		checked("pg-test-primary", "pg-test-1", "10.10.10.11", 2, 0, 0, 6, "6432") + // never checked
		row("grafana", "g", "10.10.10.9", 2, 3, "3000") + "\n"
	for _, tt := range []struct{ name, cfg, want string }{
		{"asked for", "global\n    server-state-file /run/states\ndefaults\n    load-server-state-from-file global\n", head + same + down + flight + free},
		{"with a base", "global\n  server-state-base /run # here\n  server-state-file states\ndefaults\n  load-server-state-from-file global\n", head + same + down + flight + free},
		{"not loaded", "global\n    server-state-file /run/states\n", ""},
		{"no file", "global\ndefaults\n    load-server-state-from-file global\n", ""},
		{"switched off", "global\n    # server-state-file /run/states\ndefaults\n    load-server-state-from-file global\n", ""},
		{"elsewhere", "global\n    server-state-file /run/states\ndefaults\n    load-server-state-from-file none\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := nodeDir(t)
			must(t, os.WriteFile(filepath.Join(root, "etc/haproxy/haproxy.cfg"), []byte(tt.cfg), 0o600))
			must(t, os.MkdirAll(filepath.Join(root, "run"), 0o755))
			tool(t, root, "systemctl", okSystemctl+"cp \"$PGTUI_ROOT/run/states\" \"$PGTUI_ROOT/loaded-states\" 2>/dev/null || :\n")
			l, err := net.Listen("unix", filepath.Join(root, "run/haproxy-master.sock"))
			must(t, err)
			defer l.Close()
			go func() {
				for n := 0; ; {
					c, err := l.Accept()
					if err != nil {
						return
					}
					if q, _ := bufio.NewReader(c).ReadString('\n'); strings.HasPrefix(q, "@1 show servers state") {
						fmt.Fprint(c, dump)
					} else {
						n++ // every look shows another worker
						fmt.Fprintf(c, "#<PID> <type> <reloads> <uptime> <version>\n1 master 1 [failed: 0] 0d 2.6\n# workers\n%d worker 0 0d 2.6\n# old workers\n\n", 200+n)
					}
					c.Close()
				}
			}()
			r, steps, err := applyScript(t, shell{root: root}, change(t, root))
			if err != nil || r.outcome != "applied" {
				t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
			}
			got, _ := os.ReadFile(filepath.Join(root, "loaded-states"))
			if string(got) != tt.want {
				t.Errorf("HAProxy was handed\n%swant\n%s", got, tt.want)
			}
			if left, _ := filepath.Glob(filepath.Join(root, "run/states*")); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
			if says := strings.Contains(steps[len(steps)-1].Detail, "; 4 servers keep their state"); says != (tt.want != "") {
				t.Errorf("the reload says %q", steps[len(steps)-1].Detail)
			}
		})
	}
}

// TestNodeStates: haproxy.cfg gets its two lines, keeps its mode, and is back
// when HAProxy does not take it.
func TestNodeStates(t *testing.T) {
	t.Parallel()
	const before = "# managed\nglobal\n    user haproxy\n\ndefaults # ours\n    mode tcp\nuserlist u\n    user a insecure-password s3cret\n"
	const after = "# managed\nglobal\n    server-state-file /run/haproxy-servers.state\n    user haproxy\n\ndefaults # ours\n    load-server-state-from-file global\n    mode tcp\nuserlist u\n    user a insecure-password s3cret\n"
	for _, tt := range []struct{ name, cfg, haproxy, systemctl, outcome, err, want string }{
		{"it is done", before, okHaproxy, okSystemctl, "applied", "", after},
		{"it is so already", after, okHaproxy, okSystemctl, "unchanged", "", after},
		{"half of it is there", strings.Replace(after, "    load-server-state-from-file global\n", "", 1), okHaproxy, okSystemctl, "untouched", "by hand", ""},
		{"no defaults", "global\n", okHaproxy, okSystemctl, "untouched", "no defaults", ""},
		{"haproxy refuses it", before, "#!/bin/sh\nexit 1\n", okSystemctl, "untouched", "haproxy refuses", ""},
		{"it is not reloaded, once", before, okHaproxy, "#!/bin/sh\n[ -e \"$PGTUI_ROOT/once\" ] || { touch \"$PGTUI_ROOT/once\"; exit 1; }\n", "restored", "not reloaded", ""},
		{"it is never reloaded", before, okHaproxy, "#!/bin/sh\nexit 1\n", "broken", "cannot put back", ""},
	} {
		for _, layout := range []string{"/etc/haproxy/conf.d", "/etc/haproxy"} {
			t.Run(tt.name+" in "+layout, func(t *testing.T) {
				root := nodeDir(t)
				cfg := filepath.Join(root, "etc/haproxy/haproxy.cfg")
				must(t, os.WriteFile(cfg, []byte(tt.cfg), 0o640))
				must(t, os.Chmod(cfg, 0o640))
				tool(t, root, "haproxy", tt.haproxy)
				tool(t, root, "systemctl", tt.systemctl)
				var said []string
				a := &Applier{Runner: shell{root: root}, Now: time.Now}
				n := &plan.Node{Host: "10.10.10.11", ConfDir: layout}
				r, err := a.runScript(t.Context(), n, func(s plan.StepResult) { said = append(said, s.Detail) }, nil, "states", testPlan, layout, "alice@admin", "20261128T000000Z", "enable")
				if err != nil || r.outcome != tt.outcome || (tt.err == "") != (r.err == nil) || tt.err != "" && !strings.Contains(r.err.Error(), tt.err) {
					t.Errorf("outcome %q, err %v, %v", r.outcome, err, r.err)
				}
				want := tt.want
				if want == "" {
					want = tt.cfg
				}
				got, _ := os.ReadFile(cfg)
				if st, err := os.Stat(cfg); string(got) != want || err != nil || st.Mode().Perm() != 0o640 {
					t.Errorf("haproxy.cfg is now %v\n%s", st.Mode(), got)
				}
				if strings.Contains(strings.Join(said, " "), "s3cret") {
					t.Errorf("a password left the node: %q", said)
				}
				noLock(t, root)
			})
		}
	}
}

// TestNodeKeepsTwentyBackups: of each cluster, and of no other; and always the
// newest run's own, though a clock that is wrong has named it as the oldest.
func TestNodeKeepsTwentyBackups(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	top := filepath.Join(root, "var/lib/pgtui/backup")
	for i := range 25 {
		for _, prefix := range []string{"pg-test-", "pg-other-"} {
			d := filepath.Join(top, fmt.Sprintf("202601%02dT000000Z-%s%02d", i+1, map[string]string{"pg-test-": "aa", "pg-other-": "bb"}[prefix], i))
			must(t, os.MkdirAll(d, 0o700))
			must(t, os.WriteFile(filepath.Join(d, "about"), []byte(prefix+"\n"), 0o600))
		}
	}
	count := func(pattern string) int {
		all, _ := filepath.Glob(filepath.Join(top, pattern))
		return len(all)
	}
	n := change(t, root)
	r := apply2(t, shell{root: root}, n, testPlan, "0")
	if own, other := count("*-aa*"), count("*-bb*"); own != 19 || other != 25 || !exists(r.backup) || exists(filepath.Join(top, "20260101T000000Z-aa00")) {
		t.Errorf("%d of its own are left and %d of the other cluster's; this run's %v", own, other, exists(r.backup))
	}
	ask(t, shell{root: root}, n, "restore", r.backup)
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	r, err := a.runScript(t.Context(), n, nil, payload(n, "pg-test-", true), "apply", "fedcba987654", n.ConfDir, "alice@admin", "pg-test-", "19700101T000000Z", "0")
	if err != nil || r.outcome != "applied" || !exists(r.backup) || count("*-aa*") != 19 {
		t.Errorf("by a wrong clock: %q, %v, %v, its backup is there: %v", r.outcome, err, r.err, exists(r.backup))
	}
}
