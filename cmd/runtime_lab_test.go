//go:build linux && lab

package cmd_test

import (
	"bytes"
	"fmt"
	"os"
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

// move is one change of a server, by pgtui and by HAProxy's plain command.
type move struct {
	instance, service string
	do                string // as pgtui has it: "weight 30"
	plain             string // the state or weight of "set server"
	cuts              bool   // it ends sessions, by its nature
	says              string
}

func (m *move) name() string { return m.do + " of " + m.instance + " in " + m.service }

// moves are those of a replica where it serves, and where it would once it leads;
// there the leader has its weight changed too. The short form has those that could
// send a client astray.
func moves(long bool) []move {
	var out []move
	for _, service := range []string{"primary", "replica"} {
		add := func(instance, do, plain, says string) {
			out = append(out, move{instance: instance, service: service, do: do, plain: plain, cuts: do == "maint" && service == "replica", says: says})
		}
		add("pg-test-2", "drain", "state drain", "")
		add("pg-test-2", "undrain", "state ready", "")
		if long {
			add("pg-test-2", "weight 30", "weight 30", "")
			add("pg-test-2", "weight 100", "weight 100", "")
		}
		add("pg-test-2", "maint", "state maint", "")
		add("pg-test-2", "ready", "state ready", "a health check of")
		if long && service == "primary" {
			add("pg-test-1", "weight 50", "weight 50", "")
			add("pg-test-1", "weight 100", "weight 100", "")
		}
	}
	return out
}

// TestLabReady drains a replica and takes it to maint and back, changes weights, in
// the primary service and in the replica's, while clients connect through both: by
// HAProxy's plain commands, which make a server that leaves maint one before its
// first check, and by pgtui. PGTUI_LONG has 5,000 connections and more for each.
func TestLabReady(t *testing.T) {
	needLab(t)
	d, long := labDesk(t), os.Getenv("PGTUI_LONG") != ""
	least := map[bool]int{false: 500, true: 5000}[long]
	plain := func(m *move) {
		everyFront(t, "echo 'set server pg-test-"+m.service+"/"+m.instance+" "+m.plain+"' | socat - /var/run/haproxy.sock")
		time.Sleep(time.Second)
	}
	byPgtui := func(m *move) {
		verb, weight, _ := strings.Cut(m.do, " ")
		args := append([]string{verb, m.instance}, strings.Fields(weight)...)
		d.must(0, []string{m.says}, append(args, "--service", m.service, "--yes")...)
	}
	row := func(name string, by ...tally) string {
		for _, s := range by {
			name += fmt.Sprintf("  %7d %9d %6d", s.total, s.wrong, s.failed)
		}
		return name
	}
	list := moves(long)
	byHand, c := newClients(), newClients()
	for _, way := range []struct {
		do func(*move)
		to **clients
	}{{plain, &byHand}, {byPgtui, &c}} {
		now := connecting(t)
		*way.to = now
		for rounds := 0; rounds == 0 || now.all().total < least; rounds++ {
			for i := range list {
				now.begin(list[i].name())
				way.do(&list[i])
			}
		}
		now.end()
	}
	heads := "   opened misrouted failed"
	t.Logf("%-34s  %26s  %26s", "new connections", "HAProxy's own commands", "pgtui")
	t.Logf("%-34s%s%s", "", " "+heads, heads)
	for i := range list {
		m := &list[i]
		got := c.all(m.name())
		t.Log(row(fmt.Sprintf("%-34s", m.name()), byHand.all(m.name()), got))
		if got.wrong > 0 || got.failed > 0 && !m.cuts {
			t.Errorf("%s by pgtui: %d misrouted (%s), %d failed (%s)", m.name(), got.wrong, got.firstMistake, got.failed, got.firstFailure)
		}
	}
	t.Log(row(fmt.Sprintf("%-34s", "together"), byHand.all(), c.all()))
	if n := c.all().total; n < least {
		t.Errorf("only %d connections were opened", n)
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

// TestLabMaintenance makes a replica's node safe to stop and brings it back.
func TestLabMaintenance(t *testing.T) {
	needLab(t)
	d := labDesk(t)
	d.must(0, []string{"pg-test-2 (10.10.10.12) is safe to stop"}, "maintenance", "pg-test-2", "--yes", "--timeout", "2s", "--cut")
	if got := bits(t, "pg-test-replica", "pg-test-2"); got != "8 8 8" {
		t.Errorf("bits: %s", got)
	}
	d.must(0, []string{"pg-test-2 is ready on 3 of 3 HAProxies"}, "maintenance", "10.10.10.12", "--end", "--yes")
}
