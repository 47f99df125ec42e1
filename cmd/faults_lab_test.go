//go:build lab

package cmd_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgtui/internal/labtest"
)

// fault is one thing that goes wrong while a reload of three nodes runs.
type fault struct {
	name   string
	args   []string      // after `reload pg-test --yes`
	before func()        // before the run; nil is nothing
	at     string        // the step of the first node at whose begin strike comes
	strike func(*reload) // nil is nothing
	after  func()        // mends what before or strike did; nil is nothing
	codes  []int         // exit codes that tell the truth; none when pgtui is killed
	says   string        // what must be in the output
	long   bool          // left out of the short form
}

// reload is a run of the real program.
type reload struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *reload) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *reload) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

var nodeSteps = []string{"stage", "check", "compare", "backup", "swap", "reload", "verify"}

// faults are the rows. first is the node that is done first.
func faults(t *testing.T, first string) []fault {
	onFirst := func(script string) func() { return func() { lab(t, "exec", first, "sh", "-c", script) } }
	hangUp := func(*reload) { lab(t, "exec", first, "sh", "-c", "pkill -9 -f '^sshd(-session)?: dba'") }
	kill := func(r *reload) { _ = r.cmd.Process.Kill() }
	var out []fault
	for _, s := range nodeSteps {
		long := !slices.Contains([]string{"swap", "verify"}, s)
		out = append(out,
			fault{name: "ssh drops at " + s, at: s, strike: hangUp, codes: []int{0, 1, 2, 3}, long: long},
			fault{name: "pgtui is killed at " + s, at: s, strike: kill, long: long},
			fault{name: "ssh drops at " + s + ", with a watchdog", at: s, args: []string{"--confirm-within", "10s"}, strike: hangUp, codes: []int{0, 1, 2, 3}, long: true},
			fault{name: "pgtui is killed at " + s + ", with a watchdog", at: s, args: []string{"--confirm-within", "10s"}, strike: kill, long: s != "swap"})
	}
	wrapper := func(script string) func() {
		return onFirst("printf '%s\\n' '#!/bin/sh' '" + script + "' 'exec /usr/bin/systemctl \"$@\"' >/usr/local/sbin/systemctl; chmod 755 /usr/local/sbin/systemctl")
	}
	unwrap := onFirst("rm -f /usr/local/sbin/systemctl /run/once")
	return append(out,
		fault{name: "the node's link goes down at swap", at: "swap", strike: func(*reload) { lab(t, "partition", first); time.Sleep(40 * time.Second); lab(t, "heal", first) }, codes: []int{0, 1, 2}, long: true},
		fault{name: "haproxy hangs after its reload", at: "verify", strike: func(*reload) {
			lab(t, "freeze", first, "haproxy")
			go func() { time.Sleep(24 * time.Second); lab(t, "thaw", first, "haproxy") }()
		}, codes: []int{1}, says: "restored", long: true},
		fault{name: "the reload is refused once", before: wrapper(`[ "$1" != reload ] || [ -e /run/once ] || { touch /run/once; echo "Job for haproxy.service failed" >\&2; exit 1; }`), after: unwrap, codes: []int{1}, says: "restored"},
		fault{name: "the reload is always refused", before: wrapper(`[ "$1" != reload ] || exit 1`), after: unwrap, codes: []int{2}, says: "check .* now"},
		fault{name: "the new worker dies at once", before: wrapper(`if [ "$1" = reload ] && [ ! -e /run/once ]; then touch /run/once; /usr/bin/systemctl "$@"; sleep 0.3; pkill -9 -n -x haproxy; exit 0; fi`), after: unwrap, codes: []int{0, 1, 2}, long: true},
		fault{name: "the file system is read-only", before: onFirst("mount --bind /etc/haproxy /etc/haproxy && mount -o remount,bind,ro /etc/haproxy"), after: onFirst("umount /etc/haproxy"), codes: []int{3}, says: "read-only"},
		fault{name: "the disk of the backups is full", before: onFirst("mkdir -p /var/lib/pgtui && mount -t tmpfs -o size=16k none /var/lib/pgtui && dd if=/dev/zero of=/var/lib/pgtui/full bs=1k 2>/dev/null; true"), after: onFirst("umount /var/lib/pgtui"), codes: []int{1}, says: "cannot keep a copy"},
		fault{name: "the disk of the configuration is full", before: onFirst("cp -a /etc/haproxy /run/etc && mount -t tmpfs -o size=64k,mode=755 none /etc/haproxy && cp -a /run/etc/. /etc/haproxy/ && rm -rf /run/etc; dd if=/dev/zero of=/etc/haproxy/full bs=1k 2>/dev/null; true"), after: onFirst("umount /etc/haproxy"), codes: []int{1, 3}, says: "cannot (write|build)|did not arrive"},
		fault{name: "sudo is missing", before: onFirst("chmod 000 /usr/bin/sudo"), after: onFirst("chmod 4755 /usr/bin/sudo"), codes: []int{3}, says: "sudo"},
		fault{name: "sudo wants a password", before: onFirst("sed -i s/NOPASSWD:// /etc/sudoers.d/admin"), after: onFirst("sed -i 's/ALL$/NOPASSWD: ALL/' /etc/sudoers.d/admin"), codes: []int{3}, says: "sudo wants a password"},
		fault{name: "somebody else is at work", before: onFirst(`sleep 300 >/dev/null 2>&1 & p=$!; ln -sfn "0123456789ab $p $(sed 's/^.*) //' /proc/$p/stat | cut -d' ' -f20) 2026-11-28T00:00:00Z 99999999 bob@elsewhere" /run/pgtui.lock`),
			after: onFirst("pkill -x sleep; rm -f /run/pgtui.lock"), codes: []int{3}, says: "locked by bob@elsewhere since 2026-11-28T00:00:00Z"},
		fault{name: "another pgtui begins meanwhile", at: "stage", strike: func(r *reload) {
			second := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 99 }")
			args := slices.Clone(r.cmd.Args[1:])
			args[1] = second
			c := exec.CommandContext(t.Context(), r.cmd.Path, args...)
			c.Env = r.cmd.Env
			b, _ := c.CombinedOutput()
			fmt.Fprintf(r, "the other one, exit %d:\n%s", c.ProcessState.ExitCode(), b)
		}, codes: []int{0}, says: `the other one, exit [13]:`},
		fault{name: "the lock of a dead run", before: onFirst(`ln -sfn "0123456789ab 99999 1 2026-11-28T00:00:00Z 99999999 bob@elsewhere" /run/pgtui.lock`), codes: []int{0}},
	)
}

// condition is what one node is like.
type condition struct {
	files   string // one hash of them all
	weights string // of pg-test-2, in each file: "50 50 50 50"
	running string // in the HAProxy that runs
	valid   bool
	left    string // lock and staging directories
}

func conditionOf(t *testing.T, node string) condition {
	t.Helper()
	out := lab(t, "exec", node, "sh", "-c", `cd /etc/haproxy/conf.d; cat *.cfg | sha256sum | cut -c1-12
grep -ho 'server pg-test-2 .*weight [0-9]*' pg-test-*.cfg | sed 's/.*weight //' | xargs
echo 'show servers state pg-test-replica' | socat -t2 - /var/run/haproxy.sock 2>/dev/null | awk '$4=="pg-test-2"{print $8}' | grep . || echo none
haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d >/dev/null 2>&1; echo $?
ls -d /run/pgtui.lock* /etc/haproxy/.pgtui-* /etc/haproxy/conf.d/.pgtui-* /tmp/pgtui-look.* 2>/dev/null | xargs; true`)
	l := append(strings.Split(out, "\n"), "", "", "", "", "")
	return condition{files: l[0], weights: l[1], running: l[2], valid: l[3] == "0", left: l[4]}
}

// TestLabFaultMatrix: whatever goes wrong at whatever step, every node is in
// the old or the new state, valid, runs what is on disk, without a lock, and
// the audit file has the run. PGTUI_FAULTS=all is the long form; another value
// is a regular expression of names.
func TestLabFaultMatrix(t *testing.T) {
	needLab(t)
	nodes := []string{"pg-test-2", "pg-test-3", "pg-test-1"} // the VIP is on pg-test-1
	bin := program(t)
	which := os.Getenv("PGTUI_FAULTS")
	weight, tried, survived := 30, 0, 0
	var table []string
	for _, f := range faults(t, nodes[0]) {
		if which == "" && f.long || which != "" && which != "all" && !regexp.MustCompile(which).MatchString(f.name) {
			continue
		}
		weight++
		tried++
		ok := t.Run(strings.ReplaceAll(f.name, " ", "_"), func(t *testing.T) {
			inv := edited(t, "{ pg_seq: 2, pg_role: replica }", fmt.Sprintf("{ pg_seq: 2, pg_role: replica, pg_weight: %d }", weight))
			audit := filepath.Join(t.TempDir(), "audit.jsonl")
			// What the last row has left is ended, and everything is settled.
			until(t, "all is well before", func() bool {
				return pgtui(t, labInventory(t), "status", "pg-test").code <= 1 &&
					!strings.Contains(pgtui(t, inv, "reload", "pg-test", "--dry-run", "--accept-risk", "hand-edited").out, "STOP  ")
			})
			if f.before != nil {
				f.before()
			}
			was := map[string]condition{}
			for _, n := range nodes {
				was[n] = conditionOf(t, n)
			}
			r, code := f.run(t, bin, append([]string{"-i", inv, "--ssh-config", labtest.SSHConfig(t), "reload", "pg-test", "--yes", "--accept-risk", "hand-edited,unseen"}, f.args...), audit)
			// A killed pgtui leaves the node to itself: it may take its window.
			var bad string
			patience := labtest.Patience(t)
			if f.after != nil {
				patience = 10 * time.Second // what keeps it is in place until then
			}
			end := time.Now().Add(patience)
			for {
				bad = ""
				for _, n := range nodes {
					if w := wrong(was[n], conditionOf(t, n), weight); w != "" {
						bad += n + ": " + w + "; "
					}
				}
				if bad == "" || time.Now().After(end) {
					break
				}
				time.Sleep(300 * time.Millisecond)
			}
			if f.after != nil {
				f.after()
				bad = ""
				for _, n := range nodes {
					if w := wrong(was[n], conditionOf(t, n), weight); w != "" {
						bad += n + ": " + w + "; "
					}
				}
			}
			text := r.said()
			if bad != "" {
				t.Errorf("%s\n%s", bad, text)
			}
			if len(f.codes) > 0 && !slices.Contains(f.codes, code) {
				t.Errorf("exit %d, want one of %v\n%s", code, f.codes, text)
			}
			if f.says != "" && !regexp.MustCompile(f.says).MatchString(text) {
				t.Errorf("it does not say %q\n%s", f.says, text)
			}
			if len(f.codes) > 0 && code != 0 && !strings.Contains(text, "try: ") {
				t.Errorf("it does not say what to type\n%s", text)
			}
			log, _ := os.ReadFile(audit)
			if begun := strings.Contains(text, "  stage    "); begun && !bytes.Contains(log, []byte(`"kind":"begin"`)) || code >= 0 && begun && !bytes.Contains(log, []byte(`"kind":"end"`)) {
				t.Errorf("the audit file has\n%s", log)
			}
			var ends []string
			for _, n := range nodes {
				state := "old"
				if c := conditionOf(t, n); c.files != was[n].files {
					state = "new"
				}
				ends = append(ends, state)
			}
			table = append(table, fmt.Sprintf("%-48s exit %2d  %s  %s", f.name, code, strings.Join(ends, " "), lastWords(text)))
		})
		if ok {
			survived++
		}
	}
	t.Logf("%d faults tried, %d survived; the nodes are in the order of the run\n%s", tried, survived, strings.Join(table, "\n"))
}

// wrong says how a node is neither in its old state nor in the new one; ""
// when it is in one of them, valid, loaded and free.
func wrong(was, is condition, weight int) string {
	want := strings.TrimSpace(strings.Repeat(strconv.Itoa(weight)+" ", 4))
	switch {
	case is.files != was.files && is.weights != want:
		return "its files are neither the old nor the new ones: weights " + is.weights
	case !is.valid:
		return "haproxy -c refuses its configuration"
	case is.running != strings.Fields(is.weights + " none")[0]:
		return fmt.Sprintf("weight %s runs, %s is on disk", is.running, is.weights)
	case is.left != "" && is.left != was.left:
		return is.left + " is left"
	}
	return ""
}

// lastWords is the error that pgtui ended with.
func lastWords(text string) string {
	for _, l := range slices.Backward(strings.Split(text, "\n")) {
		if w, ok := strings.CutPrefix(l, "pgtui: "); ok {
			return w[:min(len(w), 150)]
		}
	}
	return ""
}

// run starts the program and strikes when the step before the fault's has ended
// on the first node.
func (f *fault) run(t *testing.T, bin string, args []string, audit string) (*reload, int) {
	t.Helper()
	sign := "plan "
	if i := slices.Index(nodeSteps, f.at); i > 0 {
		sign = fmt.Sprintf(" %-8s ok", nodeSteps[i-1])
	}
	labtest.Step(t, "reload: "+f.name)
	r, code, struck := struckAt(t, bin, args, audit, regexp.MustCompile(regexp.QuoteMeta(sign)), f.strike)
	if !struck {
		t.Errorf("%s never began on the first node", f.at)
	}
	return r, code
}

// struckAt runs the program, and strikes once at the first line that sign matches;
// nil never strikes.
func struckAt(t *testing.T, bin string, args []string, audit string, sign *regexp.Regexp, strike func(*reload)) (r *reload, code int, struck bool) {
	t.Helper()
	r = &reload{cmd: exec.CommandContext(t.Context(), bin, args...)}
	r.cmd.Env = append(os.Environ(), "PGTUI_AUDIT="+audit)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stderr = r
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	struck = strike == nil
	for {
		line, err := in.ReadString('\n')
		_, _ = io.WriteString(r, line)
		if !struck && sign.MatchString(line) {
			struck = true
			strike(r)
		}
		if err != nil {
			break
		}
	}
	if ee := (*exec.ExitError)(nil); errors.As(r.cmd.Wait(), &ee) {
		return r, ee.ExitCode(), struck
	}
	return r, 0, struck
}
