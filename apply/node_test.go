package apply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/plan"
)

func TestNodeHappyPath(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(filepath.Base(sh), func(t *testing.T) {
			root := nodeDir(t)
			sh := asSh(t, root, sh)
			before := tree(t, root)
			r, steps, err := applyScript(t, shell{root: root, sh: sh}, change(t, root))
			if err != nil || r.outcome != "applied" {
				t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
			}
			if got := done(steps); got != "stage check compare backup swap reload" {
				t.Errorf("steps: %s", got)
			}
			diffTree(t, "after", tree(t, root), wantTree(before))
			wantCalls := fmt.Sprintf("haproxy -Ws -f %s/etc/haproxy/haproxy.cfg -f %s/etc/haproxy/.pgtui-%s/conf.d -c\nsystemctl reload haproxy\n", root, root, testPlan)
			if got := calls(t, root); got != wantCalls {
				t.Errorf("calls %q, want %q", got, wantCalls)
			}
			kept, err := os.ReadFile(filepath.Join(r.backup, "files", "pg-test-primary.cfg"))
			if err != nil || string(kept) != oldPrimary {
				t.Errorf("backup: %q, %v", kept, err)
			}
			if info, err := os.Stat(filepath.Join(r.backup, "files", "pg-test-primary.cfg")); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("the backup has lost the mode: %v %v", info, err)
			}
		})
	}
}

// TestNodeLook: what haproxy says of the would-be configuration is told, and so
// is that another hand has changed what a run left; nothing stays of the look.
func TestNodeLook(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(filepath.Base(sh), func(t *testing.T) {
			root := nodeDir(t)
			sh := asSh(t, root, sh)
			must(t, os.Mkdir(filepath.Join(root, "tmp"), 0o777))
			n := change(t, root)
			a := &Applier{Runner: shell{root: root, sh: sh}, Now: time.Now}
			look := func() *run {
				t.Helper()
				before := tree(t, root)
				r, err := a.readScript(t.Context(), n, payload(n, "pg-test-", true), "look", testPlan, n.ConfDir, "alice@admin", "pg-test-")
				if err != nil || r.outcome != "untouched" {
					t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
				}
				diffTree(t, "after a look", tree(t, root), before)
				return r
			}
			if r := look(); r.err != nil || r.edited != "" {
				t.Errorf("%v, edited since %q", r.err, r.edited)
			}
			haproxy, err := os.ReadFile(filepath.Join(root, "bin/haproxy"))
			must(t, err)
			tool(t, root, "haproxy", "#!/bin/sh\ngrep -q 'server' \"$5/pg-test-primary.cfg\" || exit 3\n"+
				"echo \"[ALERT]    (1) : config : parsing [$5/pg-test-primary.cfg:5] : unknown keyword 'foo'.\" >&2\nexit 1\n")
			if r := look(); r.err == nil || !strings.Contains(r.err.Error(), "/etc/haproxy/conf.d/pg-test-primary.cfg:5: unknown keyword 'foo'.") {
				t.Errorf("%v", r.err)
			}
			tool(t, root, "haproxy", string(haproxy))

			r, _, err := applyScript(t, shell{root: root, sh: sh}, n)
			if err != nil || r.outcome != "applied" {
				t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
			}
			if r := look(); r.edited != "" {
				t.Errorf("right after a run: edited since %q", r.edited)
			}
			must(t, os.WriteFile(filepath.Join(root, "etc/haproxy/conf.d/pg-test-replica.cfg"), []byte("listen edited\n"), 0o644))
			if r := look(); r.edited != testPlan {
				t.Errorf("edited since %q, want %s", r.edited, testPlan)
			}
		})
	}
}

func TestNodeRestoreFromBackup(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	r, _, err := applyScript(t, shell{root: root}, n)
	if err != nil || r.outcome != "applied" {
		t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
	}
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	back, err := a.runScript(t.Context(), n, nil, nil, "restore", testPlan, n.ConfDir, "alice@admin", r.backup)
	if err != nil || back.outcome != "restored" {
		t.Fatalf("outcome %q, err %v, %v", back.outcome, err, back.err)
	}
	diffTree(t, "restored", tree(t, root), before)
	if got := strings.Count(calls(t, root), "systemctl reload haproxy"); got != 2 {
		t.Errorf("%d reloads, want 2", got)
	}
}

func TestNodeRestoreSparesAnotherHand(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	n := change(t, root)
	r, _, _ := applyScript(t, shell{root: root}, n)
	path := filepath.Join(root, "etc/haproxy/conf.d/pg-test-primary.cfg")
	if err := os.WriteFile(path, []byte("listen somebody-else\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	back, err := a.runScript(t.Context(), n, nil, nil, "restore", testPlan, n.ConfDir, "alice@admin", r.backup)
	if err != nil || back.outcome != "broken" || back.err == nil || !strings.Contains(back.err.Error(), "somebody else") {
		t.Fatalf("outcome %q, err %v, %v", back.outcome, err, back.err)
	}
	if got, _ := os.ReadFile(path); string(got) != "listen somebody-else\n" {
		t.Errorf("the other hand's file is now %q", got)
	}
}

// TestNodeRefusals: whatever goes wrong before the swap, the node is byte for
// byte as it was and haproxy is not reloaded.
func TestNodeRefusals(t *testing.T) {
	t.Parallel()
	conf := func(root, name string) string { return filepath.Join(root, "etc/haproxy/conf.d", name) }
	tests := []struct {
		name   string
		break_ func(t *testing.T, root string, n *plan.Node)
		steps  string
		err    string
	}{
		{
			name: "haproxy refuses a staged file",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				tool(t, root, "haproxy", "#!/bin/sh\necho '[NOTICE]   (1) : haproxy version is 2.6.12' >&2\n"+
					"echo \"[ALERT]    (1) : config : parsing [$5/pg-test-primary.cfg:5] : unknown keyword 'foo'.\" >&2\n"+
					"echo '[ALERT]    (1) : config : Fatal errors found in configuration.' >&2\nexit 1\n")
			},
			steps: "stage check!", err: "/etc/haproxy/conf.d/pg-test-primary.cfg:5: unknown keyword 'foo'.",
		},
		{
			name: "changed on disk since the preview",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				must(t, os.WriteFile(conf(root, "pg-test-primary.cfg"), []byte("listen edited\n"), 0o640))
			},
			steps: "stage check compare!", err: "pg-test-primary.cfg is not as it was",
		},
		{
			name: "a file of the cluster that stays was changed",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				must(t, os.WriteFile(conf(root, "pg-test-replica.cfg"), []byte("listen edited\n"), 0o644))
			},
			steps: "stage check compare!", err: "pg-test-replica.cfg is not as it was",
		},
		{
			name: "changed between the check and the swap",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				tool(t, root, "haproxy", "#!/bin/sh\necho 'listen raced' >\"$PGTUI_ROOT/etc/haproxy/conf.d/pg-test-retired.cfg\"\n")
			},
			steps: "stage check compare!", err: "pg-test-retired.cfg is not as it was",
		},
		{
			name: "a file to delete is gone already",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				must(t, os.Remove(conf(root, "pg-test-retired.cfg")))
			},
			steps: "stage check compare!", err: "pg-test-retired.cfg is not as it was",
		},
		{
			name: "the file to add has appeared",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				must(t, os.WriteFile(conf(root, "pg-test-new one.cfg"), []byte("x\n"), 0o644))
			},
			steps: "stage check compare!", err: "pg-test-new one.cfg was not there",
		},
		{
			name: "another file of the cluster has appeared",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				must(t, os.WriteFile(conf(root, "pg-test-surprise.cfg"), []byte("x\n"), 0o644))
			},
			steps: "stage check compare!", err: "pg-test-surprise.cfg was not there",
		},
		{
			name: "a file is a symbolic link",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				p := conf(root, "pg-test-primary.cfg")
				must(t, os.Rename(p, p+".real"))
				must(t, os.Symlink(p+".real", p))
			},
			steps: "stage check compare!", err: "symbolic link",
		},
		{
			name: "no room for the backup",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				must(t, os.WriteFile(filepath.Join(root, "var"), nil, 0o644))
			},
			steps: "stage check compare backup!", err: "cannot keep a copy",
		},
		{
			name:   "a name that leads out of the directory",
			break_: func(_ *testing.T, _ string, n *plan.Node) { n.Changes[0].Name = "../x.cfg" },
			steps:  "stage!", err: "did not arrive whole",
		},
		{
			name: "a sandbox without its own systemctl",
			break_: func(t *testing.T, root string, _ *plan.Node) {
				must(t, os.Remove(filepath.Join(root, "bin/systemctl")))
				tool(t, root, "haproxy", "#!/bin/sh\n")
			},
			steps: "stage!", err: "systemctl",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := nodeDir(t)
			n := change(t, root)
			tt.break_(t, root, n)
			before := tree(t, root)
			if strings.HasPrefix(tt.name, "changed between") {
				before["etc/haproxy/conf.d/pg-test-retired.cfg"] = "-rw-r--r-- listen raced\n"
			}
			r, steps, err := applyScript(t, shell{root: root}, n)
			if err != nil || r.outcome != "untouched" || r.err == nil {
				t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
			}
			if got := done(steps); got != tt.steps {
				t.Errorf("steps %q, want %q", got, tt.steps)
			}
			if !strings.Contains(r.err.Error(), tt.err) || strings.Contains(r.err.Error(), ".pgtui-") {
				t.Errorf("error %q, want %q and no staging path", r.err, tt.err)
			}
			diffTree(t, "after", tree(t, root), before)
			if strings.Contains(calls(t, root), "systemctl") {
				t.Error("haproxy was reloaded")
			}
		})
	}
}

func TestNodeReloadFails(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, systemctl, outcome, steps, err string }{
		{
			name:      "once: the old files are back and loaded",
			systemctl: "#!/bin/sh\necho \"systemctl $*\" >>\"$PGTUI_ROOT/calls\"\nif [ ! -e \"$PGTUI_ROOT/once\" ]; then : >\"$PGTUI_ROOT/once\"; echo 'Job for haproxy.service failed.' >&2; exit 1; fi\n",
			outcome:   "restored", steps: "stage check compare backup swap reload! restore", err: "Job for haproxy.service failed.",
		},
		{
			name:      "always: the old files are back, and it says that they are not loaded",
			systemctl: "#!/bin/sh\necho \"systemctl $*\" >>\"$PGTUI_ROOT/calls\"\necho 'haproxy.service is not active, cannot reload.' >&2; exit 1\n",
			outcome:   "broken", steps: "stage check compare backup swap reload! restore!", err: "not reloaded with them",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := nodeDir(t)
			before := tree(t, root)
			tool(t, root, "systemctl", tt.systemctl)
			r, steps, err := applyScript(t, shell{root: root}, change(t, root))
			if err != nil || r.outcome != tt.outcome || done(steps) != tt.steps {
				t.Fatalf("outcome %q, err %v, %v, steps %q", r.outcome, err, r.err, done(steps))
			}
			if !strings.Contains(r.err.Error(), tt.err) {
				t.Errorf("error %q, want %q", r.err, tt.err)
			}
			diffTree(t, "after", tree(t, root), before)
			if got := strings.Count(calls(t, root), "systemctl reload haproxy"); got != 2 {
				t.Errorf("%d reloads, want 2", got)
			}
		})
	}
}

// TestNodeKilled: the script and everything in its process group is killed
// with signal 9 at every line it prints. The node must end in the old state or
// in the new one, loaded; settle must say which; and the next run must work.
func TestNodeKilled(t *testing.T) {
	t.Parallel()
	lines := []string{"@begin stage", "@ok stage", "@staged", "@begin check", "@ok check", "@begin compare", "@ok compare",
		"@begin backup", "@ok backup", "@begin swap", "@ok swap", "@begin reload", "@ok reload", "@end"}
	for _, at := range lines {
		t.Run(strings.TrimPrefix(at, "@"), func(t *testing.T) {
			t.Parallel()
			root := nodeDir(t)
			tool(t, root, "systemctl", okSystemctl+"sleep 0.2\n")
			before := tree(t, root)
			n := change(t, root)
			_, _, _ = applyScript(t, shell{root: root, kill: func(l string) bool { return strings.HasPrefix(l, at) }}, n)

			a := &Applier{Runner: shell{root: root}, Now: time.Now}
			s, err := a.runScript(t.Context(), n, nil, payload(n, "", false), "settle", testPlan, n.ConfDir, "alice@admin")
			if err != nil {
				t.Fatal(err)
			}
			after := tree(t, root)
			switch s.state {
			case "old":
				diffTree(t, "old", after, before)
				if strings.Contains(calls(t, root), "systemctl") {
					t.Error("the old state was reloaded: by whom?")
				}
			case "new":
				diffTree(t, "new", after, wantTree(before))
				loaded, _ := os.ReadFile(filepath.Join(root, "loaded"))
				if !bytes.Contains(loaded, []byte("weight 50")) {
					t.Error("the new state is on disk and not loaded")
				}
				if s.backup == "" {
					t.Error("settle does not say where the backup is")
				}
			default:
				t.Fatalf("state %q", s.state)
			}
			if at == "@begin stage" && s.state != "old" || at == "@ok reload" && s.state != "new" {
				t.Errorf("killed at %s: the state is %s", at, s.state)
			}
		})
	}
}

// TestNodeSecondPartKilled: even if the second part itself dies half-way, the
// first one takes back what it had begun.
func TestNodeSecondPartKilled(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	before := tree(t, root)
	// The reload kills the shell that called it, the first time.
	tool(t, root, "systemctl", "#!/bin/sh\necho \"systemctl $*\" >>\"$PGTUI_ROOT/calls\"\n"+
		"[ -e \"$PGTUI_ROOT/once\" ] && exit 0\n: >\"$PGTUI_ROOT/once\"\n"+
		"kill -9 \"$(cat \"$PGTUI_ROOT\"/etc/haproxy/.pgtui-*/claim/pid)\"\n")
	r, _, err := applyScript(t, shell{root: root}, change(t, root))
	if err != nil || r.outcome != "restored" {
		t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
	}
	diffTree(t, "after", tree(t, root), before)
	if got := strings.Count(calls(t, root), "systemctl reload haproxy"); got != 2 {
		t.Errorf("%d reloads, want 2", got)
	}
}

// TestNodeBothKilled: a node that lost both parts in the middle of the reload
// is put back by the next run, whatever that one's plan is.
func TestNodeBothKilled(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	n := change(t, root)
	tool(t, root, "systemctl", "#!/bin/sh\nd=$(echo \"$PGTUI_ROOT\"/etc/haproxy/.pgtui-*)\nkill -9 \"$(cat \"$d/pid\")\" \"$(cat \"$d/claim/pid\")\"\n")
	before := tree(t, root)
	if r, _, err := applyScript(t, shell{root: root}, n); err == nil {
		t.Fatalf("outcome %q: the script was not killed", r.outcome)
	}
	tool(t, root, "systemctl", okSystemctl)
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	r, err := a.runScript(t.Context(), n, nil, payload(n, "pg-test-", true), "apply", "fedcba987654", n.ConfDir, "alice@admin", "pg-test-", "20261120T093100Z", "0")
	if err != nil || r.outcome != "applied" {
		t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
	}
	diffTree(t, "after", tree(t, root), wantTree(before))
}

// TestNodeGivenUp: once settle has answered, a run that was still checking
// cannot begin to change anything.
func TestNodeGivenUp(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	tool(t, root, "haproxy", "#!/bin/sh\nsleep 1\n")
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	settled := make(chan string, 1)
	runner := shell{root: root, kill: func(l string) bool {
		if l == "@begin check" {
			go func() {
				s, err := a.runScript(context.Background(), n, nil, payload(n, "", false), "settle", testPlan, n.ConfDir, "alice@admin")
				settled <- fmt.Sprint(s.state, err)
			}()
		}
		return false
	}}
	r, _, err := applyScript(t, runner, n)
	if err != nil || r.outcome != "untouched" || !strings.Contains(r.err.Error(), "given up") {
		t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
	}
	if s := <-settled; s != "old<nil>" {
		t.Errorf("settle said %s", s)
	}
	diffTree(t, "after", tree(t, root), before)
	noLock(t, root)
}

// TestScriptCutShort: a connection that breaks while the script is on its way
// leaves a text that does nothing, wherever it was cut.
func TestScriptCutShort(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	before := tree(t, root)
	n := change(t, root)
	whole := script()
	for cut := len(whole) - 40; cut > 0; cut -= 997 {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", whole[:cut], "pgtui", "apply", testPlan, n.ConfDir, "alice@admin", "pg-test-", "x", "0")
		cmd.Stdin = bytes.NewReader(payload(n, "pg-test-", true))
		cmd.Env = append(os.Environ(), "PGTUI_ROOT="+root)
		_ = cmd.Run()
	}
	input := payload(n, "pg-test-", true)
	for cut := len(input) - 4; cut > 0; cut -= 97 {
		a := &Applier{Runner: shell{root: root}, Now: time.Now}
		r, _ := a.runScript(t.Context(), n, nil, input[:cut], "apply", testPlan, n.ConfDir, "alice@admin", "pg-test-", "x", "0")
		if r.outcome != "untouched" {
			t.Fatalf("payload cut at %d of %d: %q", cut, len(input), r.outcome)
		}
	}
	diffTree(t, "after", tree(t, root), before)
}

// TestNodeOldLayout: before Pigsty 4.5 the service files lie beside haproxy.cfg
// and haproxy reads the whole directory.
func TestNodeOldLayout(t *testing.T) {
	t.Parallel()
	root := nodeDir(t)
	old := filepath.Join(root, "etc/haproxy/conf.d")
	for name := range confFiles(t, root) {
		must(t, os.Rename(filepath.Join(old, name), filepath.Join(root, "etc/haproxy", name)))
	}
	must(t, os.Remove(old))
	tool(t, root, "haproxy", okHaproxy+"ls \"$3\" >\"$PGTUI_ROOT/listed\"\n")
	tool(t, root, "systemctl", "#!/bin/sh\n")
	n := &plan.Node{Host: "h", ConfDir: "/etc/haproxy", Have: map[string]string{"pg-test-primary.cfg": plan.Sum([]byte(oldPrimary))}}
	n.Changes = []plan.FileChange{{Name: "pg-test-primary.cfg", Before: []byte(oldPrimary), After: []byte("listen x\n")}}
	n.Foreign = []string{"pg-test-retired.cfg", "pg-test-replica.cfg", "pg-test-2-primary.cfg", "pg-test-byhand.cfg", "pg-test-primary.cfg.cfg", "haproxy.cfg"}
	before := tree(t, root)
	r, _, err := applyScript(t, shell{root: root}, n)
	if err != nil || r.outcome != "applied" {
		t.Fatalf("outcome %q, err %v, %v", r.outcome, err, r.err)
	}
	if got, want := calls(t, root), fmt.Sprintf("haproxy -Ws -f %s/etc/haproxy/.pgtui-%s/haproxy -c\n", root, testPlan); got != want {
		t.Errorf("calls %q, want %q", got, want)
	}
	if b, _ := os.ReadFile(filepath.Join(root, "listed")); !strings.Contains(string(b), "haproxy.cfg\n") {
		t.Errorf("haproxy was shown %q", b)
	}
	before["etc/haproxy/pg-test-primary.cfg"] = "-rw-r----- listen x\n"
	diffTree(t, "after", tree(t, root), before)
}

// TestNodeRealHAProxy lets the real haproxy judge the staged files.
func TestNodeRealHAProxy(t *testing.T) {
	t.Parallel()
	real := ""
	for _, p := range []string{"/usr/sbin/haproxy", "/usr/local/sbin/haproxy"} {
		if _, err := os.Stat(p); err == nil {
			real = p
			break
		}
	}
	if real == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("haproxy is not installed")
		}
		t.Skip("haproxy is not installed")
	}
	service := func(port int, line string) []byte {
		return fmt.Appendf(nil, "# service: pg-test-primary @ 10.10.10.11:%d\nlisten pg-test-primary\n    bind *:%d\n    mode tcp\n    balance roundrobin\n    %s\n", port, port, line)
	}
	server := "server pg-test-1 127.0.0.1:6432 check port 8008 weight 100 "
	root := nodeDir(t)
	dir := filepath.Join(root, "etc/haproxy/conf.d")
	must(t, os.RemoveAll(dir))
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(root, "etc/haproxy/haproxy.cfg"),
		[]byte("global\n    maxconn 100\ndefaults\n    mode tcp\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n"), 0o644))
	old := service(15433, server)
	must(t, os.WriteFile(filepath.Join(dir, "pg-test-primary.cfg"), old, 0o644))
	tool(t, root, "haproxy", "#!/bin/sh\nexec "+real+" \"$@\"\n")

	plan := func(after []byte) *plan.Node {
		return &plan.Node{
			Host: "10.10.10.11", ConfDir: "/etc/haproxy/conf.d", Have: map[string]string{"pg-test-primary.cfg": plan.Sum(old)},
			Changes: []plan.FileChange{{Name: "pg-test-primary.cfg", Before: old, After: after}},
		}
	}
	tests := []struct {
		name  string
		after []byte
		err   string
	}{
		{name: "a keyword it does not know", after: service(15433, server+"foo"), err: "/etc/haproxy/conf.d/pg-test-primary.cfg:6: 'server pg-test-primary/pg-test-1' : unknown keyword 'foo'"},
		{name: "fractions of a second in the timing", after: service(15433, "default-server inter 0.5s\n    "+server), err: "/etc/haproxy/conf.d/pg-test-primary.cfg:6: "},
		{name: "no line feed at the end", after: bytes.TrimSuffix(service(15433, server), []byte("\n")), err: "/etc/haproxy/conf.d/pg-test-primary.cfg:6: Missing LF on last line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := tree(t, root)
			r, steps, err := applyScript(t, shell{root: root}, plan(tt.after))
			if err != nil || r.outcome != "untouched" || done(steps) != "stage check!" {
				t.Fatalf("outcome %q, err %v, %v, steps %s", r.outcome, err, r.err, done(steps))
			}
			var refused *CheckError
			if !errors.As(r.err, &refused) || !strings.Contains(refused.Error(), tt.err) {
				t.Errorf("error %q, want %q", r.err, tt.err)
			}
			diffTree(t, "after", tree(t, root), before)
		})
	}
	if r, _, err := applyScript(t, shell{root: root}, plan(service(15434, server))); err != nil || r.outcome != "applied" {
		t.Errorf("a good file: outcome %q, err %v, %v", r.outcome, err, r.err)
	}
}
