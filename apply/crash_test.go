//go:build crash

package apply

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/plan"
)

// These tests cut the power of a node: the node's directory is a mounted file
// system, and at each command of the script that changes it the disk is copied
// as it is at that moment, without what only the kernel's memory holds. The copy
// is mounted, a run or the boot recovers it, and its files must be the old ones
// or the new ones, with the right word. They need root, loop devices, ext4 and
// xfs, and fail without them.
//
// By default the cuts are before each rename and each sync, on ext4 with another
// program's fsync in between, and one operation on xfs. PGTUI_CRASH=all cuts at
// every command, on both, with and without the fsync, and recovers every cut in
// each way.

// disk is a mounted file system in a file.
type disk struct{ img, dir string }

// fileSystems are what a node is put on: how it is made and mounted. Nothing of
// it is written but what is synced.
var fileSystems = map[string]struct {
	size  int64
	mkfs  []string
	mount string
}{
	"ext4":                 {24 << 20, []string{"mkfs.ext4", "-q", "-F"}, "loop,commit=600"},
	"ext4 noauto_da_alloc": {24 << 20, []string{"mkfs.ext4", "-q", "-F"}, "loop,commit=600,noauto_da_alloc"},
	"xfs":                  {300 << 20, []string{"mkfs.xfs", "-q", "-f"}, "loop"},
}

// imagesIn is where images lie: in memory, where there is such a place.
func imagesIn(t *testing.T) string {
	t.Helper()
	top := "/dev/shm"
	if st, err := os.Stat(top); err != nil || !st.IsDir() {
		top = ""
	}
	dir, err := os.MkdirTemp(top, "pgtui-crash")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func system(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// mounted mounts an image at a directory of its own until the end of the test.
func mounted(t *testing.T, img, options string) disk {
	t.Helper()
	d := disk{img: img, dir: img + ".d"}
	must(t, os.MkdirAll(d.dir, 0o755))
	system(t, "mount", "-o", options, img, d.dir)
	t.Cleanup(func() { d.unmount() })
	return d
}

func (d disk) unmount() {
	_ = exec.Command("umount", "-l", d.dir).Run() //nolint:errcheck // it may be done already
	_ = os.Remove(d.dir)
}

// crash is one operation on a node, and how it must end when the power is cut.
type crash struct {
	name string
	run  string // the plan whose record decides
	// setup is done before, and is on disk.
	setup func(r *crashRig)
	do    func(r *crashRig)
	// said is how the files must be once do has said its word; until then they
	// are as they were or as they shall be, and always "old" where it is pinned.
	said   string
	pinned bool
}

const undoPlan = "aaaabbbbcccc"

func crashes() []crash {
	applied := func(window string) func(*crashRig) {
		return func(r *crashRig) {
			b := apply2(r.t, shell{root: r.disk.dir}, r.plan, testPlan, window)
			if r.backup = b.backup; b.outcome != "applied" {
				r.t.Fatalf("outcome %q, %v", b.outcome, b.err)
			}
		}
	}
	asked := func(mode, outcome string) func(*crashRig) {
		return func(r *crashRig) {
			if b := ask(r.t, shell{root: r.disk.dir}, r.plan, mode, r.backup); b.outcome != outcome {
				r.t.Errorf("%s: outcome %q, %v", mode, b.outcome, b.err)
			}
		}
	}
	return []crash{
		{name: "apply", run: testPlan, do: applied("0"), said: "new"},
		{name: "apply with a window", run: testPlan, do: applied("600"), said: "old", pinned: true},
		{name: "confirm", run: testPlan, setup: applied("600"), do: asked("confirm", "applied"), said: "new"},
		{name: "restore within the window", run: testPlan, setup: applied("600"), do: asked("restore", "restored"), said: "old", pinned: true},
		{name: "rollback", run: testPlan, setup: applied("0"), do: asked("restore", "restored"), said: "old"},
		{name: "undo", run: undoPlan, setup: func(r *crashRig) {
			applied("0")(r)
			r.plan = reversed(r.plan)
			r.old, r.new = r.new, r.old
		}, do: func(r *crashRig) {
			if b := apply2(r.t, shell{root: r.disk.dir}, r.plan, undoPlan, "0"); b.outcome != "applied" {
				r.t.Errorf("outcome %q, %v", b.outcome, b.err)
			}
		}, said: "new"},
		{name: "states", run: testPlan, setup: func(r *crashRig) {
			r.new = maps.Clone(r.old)
			const cfg = "etc/haproxy/haproxy.cfg"
			r.new[cfg] = strings.NewReplacer("global\n", "global\n    server-state-file /run/haproxy-servers.state\n",
				"defaults\n", "defaults\n    load-server-state-from-file global\n").Replace(r.old[cfg])
		}, do: func(r *crashRig) {
			a := &Applier{Runner: shell{root: r.disk.dir}, Now: time.Now}
			b, err := a.runScript(r.t.Context(), r.plan, nil, nil, "states", testPlan, r.plan.ConfDir, "alice@admin", "20261120T093000Z", "enable")
			if err != nil || b.outcome != "applied" {
				r.t.Errorf("outcome %q, %v, %v", b.outcome, err, b.err)
			}
		}, said: "new"},
	}
}

// reversed is the plan that takes a plan back.
func reversed(n *plan.Node) *plan.Node {
	back := *n
	back.Have, back.Changes = maps.Clone(n.Have), nil
	for _, ch := range n.Changes {
		delete(back.Have, ch.Name)
		if ch.After != nil {
			back.Have[ch.Name] = plan.Sum(ch.After)
		}
		back.Changes = append(back.Changes, plan.FileChange{Name: ch.Name, Before: ch.After, After: ch.Before})
	}
	return &back
}

// TestCrash: the power is cut while a run changes a node. The node comes to the
// old files or to the new ones, and what is said of it is so.
func TestCrash(t *testing.T) {
	all := os.Getenv("PGTUI_CRASH") == "all"
	for _, fs := range slices.Sorted(maps.Keys(fileSystems)) {
		for _, sync := range []bool{true, false} {
			for _, c := range crashes() {
				if !all && (fs != "ext4" || !sync) && (fs != "xfs" || sync || c.name != "apply") {
					continue
				}
				name := fmt.Sprintf("%s, %s", fs, c.name)
				if sync {
					name += ", another program syncs"
				}
				t.Run(name, func(t *testing.T) { newCrashRig(t, fs, c, sync, all).play() })
			}
		}
	}
}

// crashRig is a node on a disk whose power is cut.
type crashRig struct {
	t    *testing.T
	c    crash
	disk disk
	ctl  string
	sync bool // another program syncs its own file before each cut
	all  bool
	cuts int

	plan     *plan.Node
	backup   string
	old, new map[string]string
}

// cutAt are the commands that change a disk; turns are those at which its state
// turns.
func cutAt() []string { return []string{"mv", "sync", "cp", "rm", "ln", "mkdir"} }

func turns() []string { return []string{"mv", "sync"} }

func newCrashRig(t *testing.T, fs string, c crash, sync, all bool) *crashRig {
	t.Helper()
	top := imagesIn(t)
	r := &crashRig{t: t, c: c, sync: sync, all: all, ctl: filepath.Join(top, "ctl")}
	kind := fileSystems[fs]
	img := filepath.Join(top, "node")
	f, err := os.Create(img)
	must(t, err)
	must(t, f.Truncate(kind.size))
	must(t, f.Close())
	system(t, kind.mkfs[0], append(slices.Clone(kind.mkfs[1:]), img)...)
	r.disk = mounted(t, img, kind.mount)
	must(t, os.Mkdir(r.ctl, 0o700))
	system(t, "mkfifo", filepath.Join(r.ctl, "req"))

	src := nodeDir(t)
	tool(t, src, "systemctl", bootingSystemctl)
	for _, name := range cutAt() {
		real, err := exec.LookPath(name)
		must(t, err)
		tool(t, src, name, fmt.Sprintf(`#!/bin/sh
if [ "$PGTUI_ROOT" = '%[1]s' ] && [ -e '%[2]s/on' ]; then
	mkfifo '%[2]s/'$$; echo "$$ %[3]s" >'%[2]s/req'; read -r _ <'%[2]s/'$$; /bin/rm -f '%[2]s/'$$
fi
exec %[4]s "$@"
`, r.disk.dir, r.ctl, name, real))
	}
	must(t, os.MkdirAll(filepath.Join(src, "run/systemd/system"), 0o755))
	must(t, os.MkdirAll(filepath.Join(src, "etc/systemd/system/multi-user.target.wants"), 0o755))
	must(t, os.WriteFile(filepath.Join(src, "etc/haproxy/haproxy.cfg"), []byte("global\n    user haproxy\ndefaults\n    mode tcp\n"), 0o644))
	system(t, "cp", "-a", src+"/.", r.disk.dir)
	r.plan = change(t, r.disk.dir)
	r.old = tree(t, r.disk.dir)
	r.new = wantTree(r.old)
	return r
}

// bootingSystemctl reloads nothing while the file "booting" is there: then
// HAProxy does not run yet.
const bootingSystemctl = `#!/bin/sh
echo "systemctl $*" >>"$PGTUI_ROOT/calls"
[ ! -e "$PGTUI_ROOT/booting" ] || exit 3
[ "$1" != reload ] || cat "$PGTUI_ROOT"/etc/haproxy/haproxy.cfg "$PGTUI_ROOT"/etc/haproxy/conf.d/*.cfg >"$PGTUI_ROOT/loaded"
`

// play cuts at each command while the operation runs, and once more after it.
func (r *crashRig) play() {
	r.t.Helper()
	if r.c.setup != nil {
		r.c.setup(r)
	}
	system(r.t, "sync", "-f", r.disk.dir)
	req, err := os.OpenFile(filepath.Join(r.ctl, "req"), os.O_RDWR, 0)
	must(r.t, err)
	defer req.Close()
	asked := make(chan string)
	go func() {
		for in := bufio.NewScanner(req); in.Scan(); {
			asked <- in.Text()
		}
	}()
	on := filepath.Join(r.ctl, "on")
	must(r.t, os.WriteFile(on, nil, 0o600))
	done := make(chan struct{})
	go func() { defer close(done); r.c.do(r) }()
	for running := true; running; {
		select {
		case line := <-asked:
			pid, name, _ := strings.Cut(line, " ")
			if r.all || slices.Contains(turns(), name) {
				r.cut(name, false)
			}
			must(r.t, os.WriteFile(filepath.Join(r.ctl, pid), []byte("go\n"), 0))
		case <-done:
			running = false
		}
	}
	must(r.t, os.Remove(on))
	r.cut("the end", true)
	if r.cuts < 3 {
		r.t.Errorf("the power was cut %d times", r.cuts)
	}
	if exists(filepath.Join(r.disk.dir, "etc/haproxy/.pgtui-"+testPlan)) {
		killWatchdog(r.t, r.disk.dir)
	}
}

// cut copies the disk as it is, and recovers the copy.
func (r *crashRig) cut(at string, said bool) {
	r.t.Helper()
	r.cuts++
	if r.sync {
		f, err := os.Create(filepath.Join(r.disk.dir, "of-another-program"))
		must(r.t, err)
		fmt.Fprintln(f, r.cuts)
		must(r.t, f.Sync())
		must(r.t, f.Close())
	}
	ways := []string{"settle", "next run", "boot"}
	if !r.all && !said {
		ways = ways[r.cuts%3 : r.cuts%3+1]
	}
	for _, way := range ways {
		r.t.Run(fmt.Sprintf("%d before %s, %s", r.cuts, at, way), func(t *testing.T) {
			img := fmt.Sprintf("%s.%d", r.disk.img, r.cuts)
			system(t, "cp", "--sparse=always", r.disk.img, img)
			defer os.Remove(img)
			options := "loop"
			if strings.HasPrefix(t.Name(), "TestCrash/xfs") {
				options += ",nouuid" // the disk itself is mounted too
			}
			d := mounted(t, img, options)
			defer d.unmount()
			r.recover(t, d.dir, way, said)
		})
	}
}

// recover boots the copy and ends the run that was cut off in it.
func (r *crashRig) recover(t *testing.T, root, way string, said bool) {
	t.Helper()
	for _, gone := range []string{"run", "of-another-program", "calls", "loaded"} {
		must(t, os.RemoveAll(filepath.Join(root, gone)))
	}
	must(t, os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755))
	must(t, os.MkdirAll(filepath.Join(root, "proc/sys/kernel/random"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "proc/sys/kernel/random/boot_id"), []byte("the-next-boot\n"), 0o644))
	a := &Applier{Runner: shell{root: root}, Now: time.Now}
	before := confFiles(t, root)
	settle := func() *run {
		s, err := a.runScript(t.Context(), r.plan, nil, payload(r.plan, "", false), "settle", r.c.run, r.plan.ConfDir, "alice@admin")
		must(t, err)
		return s
	}
	var found []plan.Recovery
	word := ""
	switch way {
	case "settle":
		s := settle()
		word, found = s.state, s.recovered
	case "next run":
		const name = "pg-other-primary.cfg"
		other := &plan.Node{Host: "10.10.10.11", ConfDir: r.plan.ConfDir, Changes: []plan.FileChange{{Name: name, After: []byte("listen pg-other-primary\n")}}}
		s, err := a.runScript(t.Context(), other, nil, payload(other, "pg-other-", true), "apply", "fedcba987654", other.ConfDir, "bob@admin", "pg-other-", "20261121T093000Z", "0")
		if err != nil || s.outcome != "applied" {
			t.Fatalf("the next run: %q, %v, %v", s.outcome, err, s.err)
		}
		found = s.recovered
		must(t, os.Remove(filepath.Join(root, "etc/haproxy/conf.d", name)))
	case "boot":
		r.boot(t, root)
		settle()
	}
	after, state := tree(t, root), "mixed"
	switch {
	case maps.Equal(after, r.old):
		state = "old"
	case maps.Equal(after, r.new):
		state = "new"
	default:
		diffTree(t, "against the old files", after, r.old)
	}
	switch {
	case state == "mixed" || word != "" && word != state:
		t.Errorf("the files are %s and settle says %q", state, word)
	case (said || r.c.pinned) && state != r.c.said:
		t.Errorf("the files are %s, and must be %s", state, r.c.said)
	}
	changed := !maps.EqualFunc(before, confFiles(t, root), func(a, b []byte) bool { return string(a) == string(b) })
	if changed && way != "boot" {
		if !slices.ContainsFunc(found, func(x plan.Recovery) bool { return x.Plan == r.c.run && x.Outcome == plan.Restored && x.Backup != "" }) {
			t.Errorf("files were put back, and that is not said: %+v", found)
		}
		if loaded, _ := os.ReadFile(filepath.Join(root, "loaded")); way == "settle" && !strings.Contains(string(loaded), string(confFiles(t, root)["pg-test-primary.cfg"])) {
			t.Errorf("files were put back and not loaded: %q", loaded)
		}
	}
	r.recorded(t, root, state)
	noLock(t, root)
}

// recorded: the record says how the run has ended, and nothing is left to undo it.
func (r *crashRig) recorded(t *testing.T, root, state string) {
	t.Helper()
	records, _ := filepath.Glob(filepath.Join(root, "var/lib/pgtui/backup/*-"+r.c.run+"*"))
	for _, dir := range records {
		if !exists(filepath.Join(dir, "manifest")) && !exists(filepath.Join(dir, "main")) {
			continue // it had not got that far
		}
		b, _ := os.ReadFile(filepath.Join(dir, "outcome"))
		word, _, _ := strings.Cut(strings.TrimSpace(string(b)), ":")
		if fits := map[string][]string{"old": {"restored", "untouched"}, "new": {"applied"}}[state]; !slices.Contains(fits, word) {
			t.Errorf("the files are %s, and the record says %q", state, b)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(root, "var/lib/pgtui/recover*")); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

// boot does what systemd would: it runs the units that are enabled, while HAProxy
// does not run. The node then has old or new files already.
func (r *crashRig) boot(t *testing.T, root string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(root, "booting"), nil, 0o644))
	found, _ := filepath.Glob(filepath.Join(root, "etc/systemd/system/multi-user.target.wants/*.service"))
	for _, unit := range found {
		text, err := os.ReadFile(unit)
		must(t, err)
		_, command, _ := strings.Cut(string(text), "\nExecStart=")
		command, _, _ = strings.Cut(command, "\n")
		words := strings.Fields(strings.ReplaceAll(command, r.disk.dir, root))
		cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
		cmd.Env = append(os.Environ(), "PGTUI_ROOT="+root)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
	must(t, os.Remove(filepath.Join(root, "booting")))
	if is := tree(t, root); len(found) > 0 && !maps.Equal(is, r.old) && !maps.Equal(is, r.new) {
		diffTree(t, "after the boot, against the old files", is, r.old)
	}
	if strings.Contains(calls(t, root), "reload") {
		t.Error("HAProxy was reloaded before it ran")
	}
	if len(found) > 0 {
		noLock(t, root)
	}
}

// TestCrashUnit: systemd accepts the unit, in a sandbox and as a node has it, with
// a window and without.
func TestCrashUnit(t *testing.T) {
	root := nodeDir(t)
	must(t, os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755))
	r := apply2(t, shell{root: root}, change(t, root), testPlan, "60")
	defer ask(t, shell{root: root}, change(t, root), "restore", r.backup)
	name := "pgtui-recover-" + testPlan + ".service"
	text, err := os.ReadFile(filepath.Join(root, "etc/systemd/system", name))
	must(t, err)
	node := strings.ReplaceAll(strings.ReplaceAll(string(text), "Environment=PGTUI_ROOT="+root+"\n", ""), root, "")
	for what, unit := range map[string]string{"sandbox": string(text), "node": node} {
		path := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(path, []byte(unit), 0o644))
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", path).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s\n%s", what, err, out, unit)
		}
	}
}
