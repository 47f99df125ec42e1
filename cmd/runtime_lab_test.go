//go:build linux && lab

package cmd_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/cmd"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/labtest"
)

// desk is pgtui with one audit file over several runs.
type desk struct {
	*testing.T
	inv, audit string
}

func labDesk(t *testing.T) *desk {
	t.Helper()
	return &desk{t, labInventory(t), filepath.Join(t.TempDir(), "audit.jsonl")}
}

// run is one run of pgtui.
func (d *desk) run(args ...string) result {
	d.Helper()
	labtest.Step(d.T, "pgtui "+strings.Join(args, " "))
	var out, errb bytes.Buffer
	t0 := time.Now()
	code := cmd.Run(d.Context(), append([]string{"-i", d.inv, "--ssh-config", labtest.SSHConfig(d.T)}, args...), cmd.IO{In: strings.NewReader(""), Out: &out, Err: &errb,
		Getenv: func(name string) string { return map[string]string{"PGTUI_AUDIT": d.audit}[name] }})
	return result{code, out.String(), errb.String(), time.Since(t0)}
}

// must is a run that exits with the code and prints each text.
func (d *desk) must(code int, texts []string, args ...string) result {
	d.Helper()
	r := d.run(args...)
	for _, want := range texts {
		if !strings.Contains(r.out+r.err, want) {
			d.Errorf("pgtui %s: %q is not in its output", strings.Join(args, " "), want)
		}
	}
	if r.code != code || d.Failed() {
		d.Fatalf("pgtui %s: exit %d, expected %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	return r
}

// bits is srv_admin_state of a server on each HAProxy, "8 8 8".
func bits(t *testing.T, backend, server string) string {
	t.Helper()
	var out []string
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		all := lab(t, "exec", n, "sh", "-c", "echo 'show servers state "+backend+"' | socat - /var/run/haproxy.sock")
		for l := range strings.Lines(all) {
			if w := strings.Fields(l); len(w) > 7 && w[3] == server {
				out = append(out, w[6])
			}
		}
	}
	return strings.Join(out, " ")
}

// TestLabDrain drains a replica on every HAProxy, also hidden in the primary
// service, and reads HAProxy's own bits beside pgtui's word.
func TestLabDrain(t *testing.T) {
	needLab(t)
	d := labDesk(t)
	d.must(3, []string{"drops-last-server", "pg-test-1"}, "drain", "pg-test-1", "--service", "primary", "--yes")
	r := d.must(0, []string{"pg-test-2 is in drain on 3 of 3 HAProxies"}, "drain", "pg-test-2", "--yes", "--until", "2h", "--why", "new kernel")
	t.Logf("a drain on three HAProxies took %s", r.took.Round(10*time.Millisecond))
	if got := bits(t, "pg-test-replica", "pg-test-2"); got != "8 8 8" {
		t.Fatalf("bits in replica: %s", got)
	}
	if got := bits(t, "pg-test-primary", "pg-test-2"); got != "0 0 0" {
		t.Errorf("bits in primary: %s", got)
	}
	d.must(1, []string{"drained by ", "until ", "new kernel", "pgtui undrain pg-test-2"}, "doctor", "pg-test", "--count", "0")
	d.must(0, []string{"nothing to do"}, "drain", "pg-test-2", "--yes")
	d.must(0, []string{"pg-test-2 is ready on 3 of 3 HAProxies"}, "undrain", "pg-test-2", "--yes")
	if got := bits(t, "pg-test-replica", "pg-test-2"); got != "0 0 0" {
		t.Errorf("bits after undrain: %s", got)
	}

	d.must(0, []string{"blocks-failover", "hidden-until-up"}, "drain", "pg-test-3", "--service", "primary", "--yes")
	if got := bits(t, "pg-test-primary", "pg-test-3"); got != "8 8 8" {
		t.Errorf("bits of a hidden drain: %s", got)
	}
	d.must(1, []string{"drain-hidden", "drained by "}, "doctor", "pg-test", "--count", "0")
	d.must(0, nil, "undrain", "pg-test-3", "--yes")
	if got := bits(t, "pg-test-primary", "pg-test-3"); got != "0 0 0" {
		t.Errorf("bits after undrain: %s", got)
	}

	everyFront(t, "echo 'set server pg-test-replica/pg-test-2 state drain' | socat - /var/run/haproxy.sock")
	d.must(1, []string{"drained, by whom unknown"}, "doctor", "pg-test", "--count", "0")
	d.must(0, nil, "ready", "pg-test-2", "--yes")
	d.must(0, []string{"pg-test-2 has weight 30 on 3 of 3 HAProxies"}, "weight", "pg-test-2", "30", "--service", "replica", "--yes")
	d.must(0, nil, "weight", "pg-test-2", "100", "--service", "replica", "--yes")

	lab(t, "exec", "pg-test-2", "sh", "-c", "echo 'disable frontend pg-test-offline' | socat - /var/run/haproxy.sock")
	d.must(0, []string{"pg-test-offline is OPEN"}, "enable", "pg-test", "--service", "offline", "--yes")
}

// TestLabReady takes a replica to maint in the primary service and back, again and
// again, while clients connect through 5433: by HAProxy's plain commands, which
// make it a server before its first check, and by pgtui.
func TestLabReady(t *testing.T) {
	needLab(t)
	d := labDesk(t)
	plain := func() {
		everyFront(t, "echo 'set server pg-test-primary/pg-test-2 state maint' | socat - /var/run/haproxy.sock")
		time.Sleep(time.Second)
		everyFront(t, "echo 'set server pg-test-primary/pg-test-2 state ready' | socat - /var/run/haproxy.sock")
		time.Sleep(1500 * time.Millisecond)
	}
	byPgtui := func() {
		d.must(0, nil, "maint", "pg-test-2", "--service", "primary", "--yes")
		d.must(0, []string{"a health check of"}, "ready", "pg-test-2", "--service", "primary", "--yes")
		time.Sleep(500 * time.Millisecond)
	}
	t.Logf("%-28s %7s %10s %7s", "maint, then ready", "opened", "misrouted", "failed")
	for _, way := range []struct {
		name string
		do   func()
		none bool
	}{{"HAProxy's own commands", plain, false}, {"pgtui", byPgtui, true}} {
		c := connecting(t, "5433")
		for end := time.Now().Add(40 * time.Second); time.Now().Before(end); {
			way.do()
			c.mu.Lock()
			n := c.total
			c.mu.Unlock()
			if n >= 1200 {
				break
			}
		}
		c.end()
		t.Logf("%-28s %7d %10d %7d", way.name, c.total, c.wrong, c.failed)
		if c.total < 1000 || way.none && c.wrong+c.failed > 0 {
			t.Errorf("%s: %d opened, %d misrouted (%s), %d failed (%s)", way.name, c.total, c.wrong, c.firstMistake, c.failed, c.firstFailure)
		}
	}
}

// TestLabDrainSplit cuts one HAProxy node off: the others are drained, nothing is
// called done, and the one that is not is named.
func TestLabDrainSplit(t *testing.T) {
	needLab(t)
	d := labDesk(t)
	lab(t, "partition", "pg-test-3")
	t.Cleanup(func() { lab(t, "heal", "pg-test-3") })
	r := d.run("drain", "pg-test-2", "--service", "replica", "--yes")
	if r.code != 3 || !strings.Contains(r.out, "unseen") {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	r = d.run("drain", "pg-test-2", "--service", "replica", "--yes", "--accept-risk", "unseen")
	t.Logf("exit %d after %s:\n%s%s", r.code, r.took.Round(10*time.Millisecond), r.out, r.err)
	if (r.code != 1 && r.code != 2) || !strings.Contains(r.out, "pg-test-2 is in drain on 2 of 3 HAProxies; not, or unknown, on 10.10.10.13") {
		t.Errorf("exit %d", r.code)
	}
	lab(t, "heal", "pg-test-3")
	until(t, "the node answers again", func() bool {
		c, _ := status(t)
		s := service(t, c, "replica")
		return len(s.Views) == 3 && !slices.ContainsFunc(s.Views, func(v jsonv1.View) bool { return v.Verdict == "unknown" })
	})
	if got := bits(t, "pg-test-replica", "pg-test-2"); got != "8 8 0" {
		t.Errorf("bits: %s", got)
	}
	d.must(0, []string{"pg-test-2 is ready on 2 of 2 HAProxies"}, "undrain", "pg-test-2", "--yes")
}

// TestLabMaintenance makes a node safe to stop and brings it back: a replica's, then
// the leader's.
func TestLabMaintenance(t *testing.T) {
	needLab(t)
	d := labDesk(t)
	d.must(0, []string{"pg-test-2 (10.10.10.12) is safe to stop"}, "maintenance", "pg-test-2", "--yes", "--timeout", "2s", "--cut")
	if got := bits(t, "pg-test-replica", "pg-test-2"); got != "8 8 8" {
		t.Errorf("bits: %s", got)
	}
	d.must(0, []string{"pg-test-2 is ready on 3 of 3 HAProxies"}, "maintenance", "10.10.10.12", "--end", "--yes")

	r := d.run("maintenance", "pg-test-1", "--yes", "--timeout", "2s", "--cut", "--accept-risk", "candidate-unread")
	if strings.Contains(r.err, `has no step "switchover"`) {
		t.Skip("this build has no switchover")
	}
	if r.code != 0 || !strings.Contains(r.out, "pg-test-1 (10.10.10.11) is safe to stop") {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	c, _ := status(t)
	if c.Leader == nil || *c.Leader == "pg-test-1" || slices.Contains(service(t, c, "replica").Serving, "pg-test-1") {
		t.Errorf("leader %v, replica %v", c.Leader, service(t, c, "replica").Serving)
	}
	d.must(0, []string{"pg-test-1 is ready on"}, "maintenance", "pg-test-1", "--end", "--yes")
}
