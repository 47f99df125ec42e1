//go:build lab

package soak

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/internal/labtest"
	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/model/check"
	"pgtui/pigsty"
	"pgtui/probe"
)

// TestMain is also the program behind the sandbox's haproxy and systemctl.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sandbox-node" {
		os.Exit(sandbox.NodeMain(os.Args[2:], os.Getenv, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// step is one fault in the commands of the lab and of the sandbox.
type step struct {
	name    string
	lab     [][]string
	sandbox string
	// same: the board is the same as before, once all has settled.
	same bool
	// follow makes the sandbox's script where the lab decides something: who
	// wins an election, who becomes the synchronous standby.
	follow func(t *testing.T, lab Lab) string
}

// steps are done one after the other; each leaves what the next begins with.
func steps() []step {
	return []step{
		{name: "healthy", same: true},
		{name: "switchover to pg-test-2", lab: cmd("switchover", "pg-test", "pg-test-2"), sandbox: "switchover pg-test pg-test-2"},
		{name: "and back", lab: cmd("switchover", "pg-test", "pg-test-1"), sandbox: "switchover pg-test pg-test-1"},
		{name: "a replica drained on one HAProxy", lab: [][]string{post("pg-test-1", "pg-test-replica", "pg-test-2", "drain")}, sandbox: "drain pg-test-1 pg-test-replica/pg-test-2"},
		{name: "ready again", lab: [][]string{post("pg-test-1", "pg-test-replica", "pg-test-2", "ready")}, sandbox: "ready pg-test-1 pg-test-replica/pg-test-2"},
		{name: "the primary put in maintenance on one HAProxy", lab: [][]string{post("pg-test-2", "pg-test-primary", "pg-test-1", "maint")}, sandbox: "maint pg-test-2 pg-test-primary/pg-test-1"},
		{name: "ready again", lab: [][]string{post("pg-test-2", "pg-test-primary", "pg-test-1", "ready")}, sandbox: "ready pg-test-2 pg-test-primary/pg-test-1"},
		{name: "weight 0", lab: [][]string{socket("pg-test-3", "set server pg-test-offline/pg-test-3 weight 0")}, sandbox: "weight pg-test-3 pg-test-offline/pg-test-3 0"},
		{name: "weight 100", lab: [][]string{socket("pg-test-3", "set server pg-test-offline/pg-test-3 weight 100")}, sandbox: "weight pg-test-3 pg-test-offline/pg-test-3 100"},
		{name: "a replica's Patroni killed", lab: cmd("kill", "pg-test-3", "patroni"), sandbox: "kill patroni pg-test-3"},
		{name: "and the other one's", lab: cmd("kill", "pg-test-2", "patroni"), sandbox: "kill patroni pg-test-2"},
		{name: "both started", lab: [][]string{{"start", "pg-test-2", "patroni"}, {"start", "pg-test-3", "patroni"}}, sandbox: "start all"},
		{name: "a replica's Patroni frozen", lab: cmd("freeze", "pg-test-2", "patroni"), sandbox: "freeze pg-test-2"},
		{name: "thawed", lab: cmd("thaw", "pg-test-2", "patroni"), sandbox: "heal pg-test-2"},
		{name: "a replica's node cut off", lab: cmd("partition", "pg-test-2"), sandbox: "partition pg-test-2"},
		{name: "healed", lab: cmd("heal", "pg-test-2"), sandbox: "heal pg-test-2"},
		{name: "the leader's pgbouncer killed", lab: cmd("kill", "pg-test-1", "pgbouncer"), sandbox: "kill pgbouncer pg-test-1"},
		{name: "started", lab: cmd("start", "pg-test-1", "pgbouncer"), sandbox: "start pg-test-1"},
		{name: "a HAProxy killed", lab: cmd("kill", "pg-test-2", "haproxy"), sandbox: "kill haproxy pg-test-2"},
		{name: "started", lab: cmd("start", "pg-test-2", "haproxy"), sandbox: "start pg-test-2"},
		{name: "a reload", lab: cmd("exec", "pg-test-1", "systemctl", "reload", "haproxy"), sandbox: "reload pg-test-1", same: true},
		{name: "paused", lab: [][]string{config("pg-test-1", `{"pause":true}`)}, sandbox: "pause pg-test"},
		{name: "resumed", lab: [][]string{config("pg-test-1", `{"pause":null}`)}, sandbox: "resume pg-test"},
		{name: "synchronous mode", lab: [][]string{config("pg-test-1", `{"synchronous_mode":true}`)}, follow: syncMode},
		{name: "and without", lab: [][]string{config("pg-test-1", `{"synchronous_mode":false}`)}, sandbox: "sync pg-test off"},
		{name: "etcd down", lab: cmd("stop", "pg-meta-1", "etcd"), sandbox: "dcs down"},
		{name: "etcd up", lab: cmd("start", "pg-meta-1", "etcd"), sandbox: "dcs up"},
		{name: "the leader's PostgreSQL killed", lab: cmd("kill", "pg-test-1", "postgres"), sandbox: "kill postgres pg-test-1", same: true},
		{name: "the leader's Patroni and PostgreSQL killed", lab: [][]string{{"kill", "pg-test-1", "patroni"}, {"kill", "pg-test-1", "postgres"}}, follow: failover},
		{name: "the old leader started", lab: cmd("start", "pg-test-1", "patroni"), sandbox: "start pg-test-1"},
	}
}

// TestLabSandboxSame: the sandbox shows the same board as the lab for the same
// sequence of faults, once both have settled.
func TestLabSandboxSame(t *testing.T) {
	lab := Lab{Script: labScript}
	do := func(args ...string) string {
		t.Helper()
		out, err := lab.Do(t.Context(), args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	do("reset")
	t.Cleanup(func() { resetLab(t, lab) })
	inv, err := lab.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sb, sbInv := startSandbox(t, do("status"))
	lone, toy := probe.New(probe.Options{Timeout: time.Second}), probe.New(probe.Options{Timeout: time.Second})
	differ := 0
	before := settled(t, toy, sbInv)
	for i, st := range steps() {
		labtest.Step(t, st.name)
		start := time.Now()
		for _, c := range st.lab {
			do(c...)
		}
		if st.follow != nil {
			st.sandbox = st.follow(t, lab)
		}
		if err := sb.Do(t.Context(), st.sandbox+"\nwait 70s"); err != nil {
			t.Fatalf("%d %s: sandbox: %v", i+1, st.name, err)
		}
		want := settled(t, toy, sbInv)
		if slices.Equal(want, before) != st.same {
			t.Errorf("%d %s: the sandbox's board is the same as before: %v, want %v", i+1, st.name, !st.same, st.same)
		}
		before = want
		if st.same {
			time.Sleep(4 * time.Second) // or it would be the board of before that is compared
		}
		have, ok := until(t, lone, inv, want)
		t.Logf("%2d %-45s same after %v: %v", i+1, st.name, time.Since(start).Round(100*time.Millisecond), ok)
		if ok {
			continue
		}
		differ++
		t.Errorf("%d %s: not the same:\n%s", i+1, st.name, strings.Join(difference(want, have), "\n"))
	}
	t.Logf("%d steps, %d of them different", len(steps()), differ)
}

// startSandbox starts one of the lab's generation, whose clock only the script
// moves.
func startSandbox(t *testing.T, status string) (*sandbox.Sandbox, *model.Inventory) {
	t.Helper()
	o := sandbox.Options{Generation: sandbox.Bookworm, Manual: true}
	if strings.Contains(status, "LAB_RELEASE=trixie") {
		o.Generation = sandbox.Trixie
	}
	sb, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	})
	inv, err := pigsty.Load(os.DirFS(filepath.Dir(sb.InventoryPath())), filepath.Base(sb.InventoryPath()), pigsty.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("both are of %s", o.Generation)
	return sb, inv
}

func resetLab(t *testing.T, lab Lab) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if _, err := lab.Do(ctx, "reset"); err != nil {
		t.Error(err)
	}
}

// wait polls ask until it has an answer.
func wait(t *testing.T, what string, ask func() string) string {
	t.Helper()
	out := ""
	labtest.Until(t, what, func() bool { out = ask(); return out != "" }, nil)
	return out
}

// failover lets the sandbox's leader die, and the same replica win.
func failover(t *testing.T, lab Lab) string {
	winner := wait(t, "another leader", func() string {
		out, err := lab.Do(t.Context(), "leader", "pg-test")
		if err != nil || out == "pg-test-1" {
			return ""
		}
		return out
	})
	loser := map[string]string{"pg-test-2": "pg-test-3", "pg-test-3": "pg-test-2"}[winner]
	return "lag " + loser + " 8B\nfail pg-test-1\nwait 70s\nlag " + loser + " 0"
}

// syncMode gives the sandbox the lab's synchronous standby.
func syncMode(t *testing.T, lab Lab) string {
	return "sync pg-test on " + wait(t, "a synchronous standby", func() string {
		for _, node := range []string{"pg-test-2", "pg-test-3"} {
			if out, err := lab.Do(t.Context(), "api", node, "/sync", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}"); err == nil && out == "200" {
				return node
			}
		}
		return ""
	})
}

// settled is the board of pg-test as lines that can be compared.
func settled(t *testing.T, p *probe.Prober, inv *model.Inventory) []string {
	t.Helper()
	s, err := p.Probe(t.Context(), inv, "pg-test")
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range s.Patroni {
		v.Status.Value.Skew = 0 // the script moves the sandbox's clock on
		s.Patroni[name] = v
	}
	b := check.Board(s, inv.Cluster("pg-test"), time.Now())
	names := map[string]string{}
	for _, n := range inv.Nodes {
		names[string(n.Host)] = n.Name
	}
	out := []string{fmt.Sprintf("health %s, leader %s by %s, paused %v", b.Health, b.Leader, b.LeaderBy, b.Paused)}
	for _, m := range b.Members {
		out = append(out, fmt.Sprintf("member %s: known %v, %s, %s", m.Instance, m.Known, m.Role, m.State))
	}
	for i := range b.Routes {
		r := &b.Routes[i]
		out = append(out, fmt.Sprintf("service %s: %s [%s]", r.Service, r.Verdict, model.Join(slices.Sorted(slices.Values(r.Serving)))))
		for _, v := range r.Views {
			line := fmt.Sprintf("view %s on %s: %s [%s]", r.Service, v.Label(), v.Verdict, model.Join(slices.Sorted(slices.Values(v.Serving))))
			for _, c := range v.Cells {
				line += fmt.Sprintf(" %s=%s/%d", c.Instance, c.Verdict, c.Allowed)
				if c.Shut != "" {
					line += "/shut"
				}
			}
			out = append(out, line)
		}
	}
	var found []string
	for _, f := range b.Findings {
		found = append(found, strings.TrimRight(fmt.Sprintf("finding %s %s %s %s %s", f.Severity, f.Code, f.Service, f.Instance, names[string(f.Host)]), " "))
	}
	slices.Sort(found)
	return append(out, found...)
}

// until reads the lab until its board is the wanted one three times in a row, or
// gives up and returns what it has.
func until(t *testing.T, p *probe.Prober, inv *model.Inventory, want []string) ([]string, bool) {
	t.Helper()
	var have []string
	same := 0
	for end := time.Now().Add(labtest.Patience(t)); time.Now().Before(end); {
		have = settled(t, p, inv)
		if slices.Equal(have, want) {
			if same++; same == 3 {
				return have, true
			}
		} else {
			same = 0
		}
		time.Sleep(300 * time.Millisecond)
	}
	return have, false
}

// difference are the lines that only one of them has.
func difference(sandbox, lab []string) []string {
	var out []string
	for _, l := range lab {
		if !slices.Contains(sandbox, l) {
			out = append(out, "lab: "+l)
		}
	}
	for _, l := range sandbox {
		if !slices.Contains(lab, l) {
			out = append(out, "sandbox: "+l)
		}
	}
	return out
}
