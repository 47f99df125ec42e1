//go:build lab

package cmd_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgtui/internal/labtest"
)

// sql runs statements on an instance as its superuser.
func sql(t *testing.T, node string, statements ...string) string {
	t.Helper()
	args := []string{"exec", node, "su", "postgres", "-c"}
	line := "psql -h /var/run/postgresql -At"
	for _, s := range statements {
		line += ` -c "` + s + `"`
	}
	return lab(t, append(args, line)...)
}

// match waits until the screen matches, and returns what the first group did.
func (c *console) match(pattern string) string {
	c.t.Helper()
	re := regexp.MustCompile(pattern)
	return re.FindStringSubmatch(c.shows(pattern, re.MatchString))[1]
}

// back presses escape and waits for the page before: a key that follows it at
// once would be one with alt to the terminal.
func (c *console) back(texts ...string) {
	c.t.Helper()
	c.keys("Escape")
	c.see(texts...)
}

// TestLabConsoleIncident is a night on call: all is well, the leader's Patroni is
// killed, the console tells what is wrong, what has happened and what would be;
// the old leader comes back, leads again, and the nodes are reloaded.
func TestLabConsoleIncident(t *testing.T) {
	needLab(t)
	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2,  pg_role: replica }") // a copy, to be edited
	c := openConsole(t, 80, 24, "-i", inv, "--ssh-config", labtest.SSHConfig(t))
	c.see("2 clusters · ● 2 ok")
	c.keys("/", "t", "e", "s", "t", "Enter", "Enter")
	c.see("5433", "● serving", "leader pg-test-1", "on pg-test-1 = leader", "FILES up to date on 3 of 3")

	lab(t, "kill", "pg-test-1", "patroni")
	c.see("? leader by DCS", "Patroni does not answer")
	c.keys("f")
	c.see("FINDINGS", "pg-test-1 holds the leader key")
	leader := c.match(`leader (pg-test-[23]) · TL`)
	c.back("SEEN BY", "pg-test-1  10.10.10.11  ? no answer", "on "+leader+" = leader")
	c.keys("e")
	c.see("leader  ", leader+" (TL ", "primary 5433")
	c.back("SEEN BY")
	c.keys("w")
	c.see("on paper", "then ")
	c.back("SEEN BY")
	c.keys("f")
	c.see("Patroni on pg-test-1 does not answer", "pg_role is out of date: the inventory says pg-test-1, the leader is "+leader)

	lab(t, "start", "pg-test-1", "patroni")
	c.back("SEEN BY")
	c.match(`(pg-test-1  10\.10\.10\.11  ○ replica +(?:streaming|running))`)
	lab(t, "switchover", "pg-test", "pg-test-1")
	calm(t, "all is well again", func() bool { _, r := status(t); return r.code == 0 }) // a plan made before would be refused
	c.see("leader pg-test-1 · TL", "on pg-test-1 = leader", "● ok")

	text, err := os.ReadFile(inv)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(inv, []byte(strings.Replace(string(text), "{ pg_seq: 2,  pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	c.keys("r")
	c.see("3 of 3 nodes would change", "weight of pg-test-2: 100 → 50")
	c.keys("r")
	c.see("Reload HAProxy for pg-test?", "> ▏")
	c.keys("p", "g", "-", "t", "e", "s", "t", "Enter")
	c.see("reloaded and verified: 3 nodes")
	c.keys("Enter")
	c.see("5433", "leader pg-test-1", "FILES up to date on 3 of 3")
	c.keys("q")
	c.see("pgtui left with 0")
}

// streamAgain lets replicas log in, and returns when both of them stream.
func streamAgain(t *testing.T) {
	t.Helper()
	sql(t, "pg-test-1", "alter role replicator login")
	until(t, "both replicas stream again", func() bool {
		return sql(t, "pg-test-1", "select count(*) from pg_stat_replication where state = 'streaming'") == "2"
	})
}

// TestLabConsoleFindsPlantedFaults breaks one thing at a time and opens the
// console as somebody who has never seen it: where does it say what is wrong,
// and how many keys and seconds does that take? The table is printed.
func TestLabConsoleFindsPlantedFaults(t *testing.T) {
	weight := "/etc/haproxy/conf.d/pg-test-offline.cfg"
	faults := []struct {
		name  string
		plant func()
		heal  func() // what the lab's reset does not put right
		keys  []string
		where string
		says  []string
	}{
		{"pgbouncer dead on pg-test-3", func() { lab(t, "stop", "pg-test-3", "pgbouncer") }, nil,
			nil, "fleet", []string{"! degraded", "3 ✕ shut", "whose pgbouncer accepts"}},
		{"pg-test-2 left in MAINT on one HAProxy", func() {
			lab(t, "exec", "pg-test-1", "sh", "-c", "echo set server pg-test-replica/pg-test-2 state maint | socat stdio /run/haproxy.sock")
		}, nil, []string{"f"}, "findings", []string{"pg-test-2 is maint in 5434 replica on 1 of 3 HAProxy nodes"}},
		{"inventory roles stale after a failover", func() { lab(t, "switchover", "pg-test", "pg-test-2") }, nil,
			[]string{"f"}, "findings", []string{"pg_role is out of date"}},
		{"a file on pg-test-2 edited by hand", func() { lab(t, "exec", "pg-test-2", "sed", "-i", "s/weight 100/weight 90/", weight) }, nil,
			[]string{"f"}, "findings", []string{"HAProxy files on pg-test-2 were edited"}},
		{"pg-test-3 does not stream", func() {
			sql(t, "pg-test-1", "alter role replicator nologin", "select pg_terminate_backend(pid) from pg_stat_replication where application_name = 'pg-test-3'")
		}, func() { streamAgain(t) }, nil, "fleet", []string{"! degraded", "pg-test-3 does not stream from pg-test-1"}},
	}
	table := fmt.Sprintf("%-42s %-9s %4s %8s", "FAULT", "SCREEN", "KEYS", "SECONDS")
	for _, f := range faults {
		needLab(t)
		f.plant()
		c := openConsole(t, 80, 24, "-i", labInventory(t), "--ssh-config", labtest.SSHConfig(t))
		began := time.Now()
		c.see("pg-test")
		if len(f.keys) > 0 {
			c.keys(f.keys...)
		}
		c.see(f.says...)
		table += fmt.Sprintf("\n%-42s %-9s %4d %8.1f", f.name, f.where, len(f.keys), time.Since(began).Seconds())
		if f.heal != nil {
			f.heal()
		}
		c.keys("q")
		c.see("pgtui left with 0")
	}
	t.Log("\n" + table)
}

// TestLabConsoleSeesAPooler stops a pgbouncer beside an open console, and starts
// it again: no key, and no check of HAProxy's, tells the console of it.
func TestLabConsoleSeesAPooler(t *testing.T) {
	needLab(t)
	c := openConsole(t, 80, 24, "-i", labInventory(t), "--ssh-config", labtest.SSHConfig(t), "pg-test")
	c.see("leader pg-test-1", "every service is served as declared")
	for i, step := range []struct{ cmd, says string }{{"stop", "✕ port shut"}, {"start", "every service is served as declared"}} {
		lab(t, step.cmd, "pg-test-2", "pgbouncer")
		began := time.Now()
		c.see(step.says)
		t.Logf("%d: pgbouncer %s: told after %.1f s", i, step.cmd, time.Since(began).Seconds())
	}
	c.keys("q")
	c.see("pgtui left with 0")
}
