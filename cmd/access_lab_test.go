//go:build lab

package cmd_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/cmd/jsonv1"
)

// said collects everything that the commands print, for the secrets to be
// looked for in it.
type said struct {
	t   *testing.T
	inv string
	all strings.Builder
}

func (s *said) run(args ...string) result {
	s.t.Helper()
	r := pgtui(s.t, s.inv, args...)
	s.all.WriteString(r.out + r.err)
	return r
}

func (s *said) access(args ...string) (jsonv1.Access, result) {
	s.t.Helper()
	r := s.run(append([]string{"access", "pg-test", "-o", "json"}, args...)...)
	var a jsonv1.Access
	if err := json.Unmarshal([]byte(r.out), &a); err != nil {
		s.t.Fatalf("access: exit %d: %v\n%s%s", r.code, err, r.out, r.err)
	}
	return a, r
}

func (s *said) trace(args ...string) (jsonv1.Trace, result) {
	s.t.Helper()
	r := s.run(append([]string{"trace", "-o", "json"}, args...)...)
	var tr jsonv1.Trace
	if err := json.Unmarshal([]byte(r.out), &tr); err != nil || tr.ExitCode != r.code {
		s.t.Fatalf("trace: exit %d, says %d: %v\n%s%s", r.code, tr.ExitCode, err, r.out, r.err)
	}
	return tr, r
}

// secret looks for every password of the inventory in what was printed. Two of
// the lab's are words that stand elsewhere too: those count where a password
// would stand.
func (s *said) secret() {
	s.t.Helper()
	data, err := os.ReadFile(s.inv)
	if err != nil {
		s.t.Fatal(err)
	}
	text, found := s.all.String(), 0
	for _, m := range regexp.MustCompile(`password\s*:\s*([^\s,}]+)`).FindAllStringSubmatch(string(data), -1) {
		found++
		places := []string{m[1]}
		if m[1] == "test" || m[1] == "pigsty" {
			places = []string{":" + m[1] + "@", "password=" + m[1], "password: " + m[1]}
		}
		for _, p := range places {
			if strings.Contains(text, p) {
				s.t.Errorf("%q is printed", p)
			}
		}
	}
	if found < 8 || len(text) < 1000 {
		s.t.Fatalf("%d passwords in %d bytes: nothing was looked for", found, len(text))
	}
}

func entryAt(t *testing.T, a jsonv1.Access, host string, port uint16) jsonv1.AccessEntry {
	t.Helper()
	for _, e := range a.Entries {
		if e.Host == host && e.Port == port {
			return e
		}
	}
	t.Fatalf("no entry %s:%d", host, port)
	return jsonv1.AccessEntry{}
}

func hopKinds(tr jsonv1.Trace) string {
	var out []string
	for _, h := range tr.Attempts[len(tr.Attempts)-1].Hops {
		out = append(out, h.Kind+" "+h.At+" "+h.Verdict)
	}
	return strings.Join(out, ", ")
}

// TestLabAccess proves every way in, follows a switchover through them, and
// finds no password in anything that was printed.
func TestLabAccess(t *testing.T) {
	needLab(t)
	s := &said{t: t, inv: labInventory(t)}
	a, r := s.access("--prove")
	if r.code != 0 || a.Leader != "pg-test-1" || len(a.Entries) != 8*6 {
		t.Fatalf("exit %d, leader %s, %d entries: %s", r.code, a.Leader, len(a.Entries), a.Summary)
	}
	for _, e := range a.Entries {
		if !e.Fine || !strings.HasPrefix(e.Why, "proven: ") || len(e.Now) == 0 || e.Reachable == nil || !*e.Reachable {
			t.Errorf("%s:%d: %s, now %v: %s", e.Host, e.Port, e.Verdict, e.Now, e.Why)
		}
		named := e.HostKind == "cluster" || e.HostKind == "instance"
		if named && (len(e.Lookups) != 2 || e.Lookups[1].Server != "10.10.10.10" || len(e.Lookups[1].Addrs) != 1 || e.Lookups[1].TTL == nil) {
			t.Errorf("%s: dnsmasq says %+v", e.Host, e.Lookups)
		}
	}
	if !slices.Contains(a.Notes, "VIP 10.10.10.3: `ip addr` shows it on pg-test-1 (10.10.10.11)") {
		t.Errorf("who holds the VIP is not told: %q", a.Notes)
	}
	s.run("access", "pg-test", "-o", "dsn")
	s.run("access", "pg-test", "--scheme")

	tr, r := s.trace("pg-test", "primary")
	if got, want := hopKinds(tr), "name pg-test ok, address 10.10.10.3:5433 ok, vip 10.10.10.3 ok, haproxy 10.10.10.11 ok, server pg-test-1 ok, pgbouncer pg-test-1 ok, postgres pg-test-1 ok"; r.code != 0 || got != want {
		t.Errorf("before: exit %d, %s\n%s", r.code, got, tr.Summary)
	}
	s.switchover()

	tr, r = s.trace("pg-test", "primary")
	if got, want := hopKinds(tr), "name pg-test ok, address 10.10.10.3:5433 ok, vip 10.10.10.3 ok, haproxy 10.10.10.12 ok, server pg-test-2 ok, pgbouncer pg-test-2 ok, postgres pg-test-2 ok"; r.code != 0 || got != want {
		t.Errorf("after: exit %d, %s\n%s", r.code, got, tr.Summary)
	}
	if a, _ = s.access("--prove"); !entryAt(t, a, "10.10.10.3", 5432).Fine || entryAt(t, a, "10.10.10.3", 5432).Now[0] != "pg-test-2" {
		t.Errorf("the VIP did not follow: %+v", entryAt(t, a, "10.10.10.3", 5432))
	}
	tr, r = s.trace("postgres://test@10.10.10.11,10.10.10.12,10.10.10.13/test?target_session_attrs=primary")
	if r.code != 0 || len(tr.Attempts) != 2 || tr.Attempts[1].Instance != "pg-test-2" || !strings.Contains(tr.Attempts[0].Skipped, "in recovery") {
		t.Errorf("multi-host: exit %d, %+v", r.code, tr.Attempts)
	}
	s.run("trace", "postgres://test:test@10.10.10.3:5434/test", "--count", "5")
	s.secret()
}

// switchover watches one, and wants its gap measured and its hops named.
func (s *said) switchover() {
	s.t.Helper()
	done := make(chan result)
	go func() {
		done <- pgtui(s.t, s.inv, "trace", "pg-test", "primary", "--watch", "--for", "15s")
	}()
	time.Sleep(time.Second)
	lab(s.t, "switchover", "pg-test", "pg-test-2")
	r := <-done
	s.all.WriteString(r.out + r.err)
	gap := regexp.MustCompile(`pg-test-2 answers, timeline \d+: gap \d+ ms`)
	if r.code != 1 || !gap.MatchString(r.out) || !strings.Contains(r.out, "pg-test-1 answers") || !strings.Contains(r.out, "fails at ") && !strings.Contains(r.out, " failed: ") {
		s.t.Errorf("watch: exit %d\n%s%s", r.code, r.out, r.err)
	}
	s.t.Logf("%s", r.out)
}

// TestLabTraceFaults plants one fault after another: each is named in one line
// by trace, and by access at the entry.
func TestLabTraceFaults(t *testing.T) {
	needLab(t)
	s := &said{t: t, inv: labInventory(t)}
	one := func(what string, tr jsonv1.Trace, r result, code int, want string) {
		t.Helper()
		if r.code != code || !strings.Contains(tr.Summary, want) || strings.Contains(tr.Summary, "\n") {
			t.Errorf("%s: exit %d, %s\n%s", what, r.code, tr.Summary, hopKinds(tr))
		}
	}
	entry := func(what string, host string, port uint16, verdict, want string) {
		t.Helper()
		a, r := s.access()
		if e := entryAt(t, a, host, port); r.code == 0 || e.Fine || e.Verdict != verdict || !strings.Contains(e.Why, want) {
			t.Errorf("%s: exit %d, %s:%d is %s: %s", what, r.code, host, port, e.Verdict, e.Why)
		}
	}

	tr, r := s.trace("postgres://test@pg-tset:5433/test")
	one("wrong name", tr, r, 2, "fails at the name: pg-tset does not resolve")

	offline := func(word string) {
		lab(t, "exec", "pg-test-1", "sh", "-c", "for n in 1 2 3; do echo \""+word+" server pg-test-offline/pg-test-$n\" | socat - /var/run/haproxy.sock; done")
	}
	offline("disable")
	tr, r = s.trace("pg-test", "offline")
	one("no server", tr, r, 2, "fails at HAProxy: pg-test-offline on 10.10.10.11: ")
	entry("no server", "10.10.10.11", 5438, "empty", "")
	s.hangsUp()
	offline("enable")

	lab(t, "stop", "pg-test-1", "pgbouncer")
	tr, r = s.trace("pg-test", "primary")
	one("pgbouncer down", tr, r, 2, "fails at pgbouncer: pgbouncer does not answer: pg-test-1: connection refused: nothing listens on 10.10.10.11:6432")
	entry("pgbouncer down", "10.10.10.3", 5433, "down", "HAProxy reports pg-test-1 as serving, but the port does not answer")
	lab(t, "start", "pg-test-1", "pgbouncer")

	record := func(addr string) {
		lab(t, "exec", "pg-meta-1", "sh", "-c", "echo '"+addr+" pg-test' >/etc/dnsmasq.d/pigsty/pg-test; kill -HUP $(pidof dnsmasq)")
		time.Sleep(300 * time.Millisecond)
	}
	t.Cleanup(func() { record("10.10.10.3") })
	record("10.10.10.12")
	tr, r = s.trace("pg-test", "primary")
	one("stale record", tr, r, 1, "the name failed: pg-test resolves to 10.10.10.12 by the DNS server 10.10.10.10, but should be 10.10.10.3")
	entry("stale record", "pg-test", 5433, "mismatch", "a stale or foreign record")
	record("10.10.10.3")

	t.Cleanup(func() {
		lab(t, "exec", "pg-test-2", "sh", "-c", "ip addr del 10.10.10.3/24 dev eth0 2>/dev/null || true")
	})
	for _, n := range []string{"pg-test-1", "pg-test-2"} {
		lab(t, "stop", n, "vip-manager")
	}
	lab(t, "exec", "pg-test-1", "sh", "-c", "ip addr del 10.10.10.3/24 dev eth0 2>/dev/null || true")
	lab(t, "exec", "pg-test-2", "ip", "addr", "add", "10.10.10.3/24", "dev", "eth0")
	if out, err := exec.CommandContext(t.Context(), "ip", "neigh", "flush", "to", "10.10.10.3").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tr, r = s.trace("pg-test", "primary")
	one("VIP on the wrong node", tr, r, 1, "the VIP failed: VIP 10.10.10.3 is on pg-test-2's node 10.10.10.12, but the leader is pg-test-1")
	if a, _ := s.access(); !slices.ContainsFunc(a.Notes, func(n string) bool { return strings.Contains(n, "shows it on pg-test-2 (10.10.10.12)") }) {
		t.Errorf("the node with the VIP is not told: %q", a.Notes)
	}
	entry("VIP on the wrong node", "10.10.10.3", 5432, "mismatch", "it leads to pg-test-2, but the leader is pg-test-1")
	s.secret()
}

// hangsUp compares with psql what is done about a HAProxy without a server,
// which hangs up: libpq does not go on to the next host.
func (s *said) hangsUp() {
	s.t.Helper()
	hosts := "host=10.10.10.11,10.10.10.13 port=5438,5432 user=test password=test dbname=test"
	tr, r := s.trace(hosts)
	psql := lab(s.t, "exec", "pg-test-2", "sh", "-c", "psql '"+hosts+"' -AXtc 'select 1' 2>&1 || true")
	if r.code != 2 || len(tr.Attempts) != 1 || !strings.Contains(psql, "closed the connection unexpectedly") {
		s.t.Errorf("trace exits %d after %d attempts: %s; psql: %s", r.code, len(tr.Attempts), tr.Summary, psql)
	}
	hosts = "host=10.10.10.11,10.10.10.13 port=1,5432 user=test password=test dbname=test"
	tr, r = s.trace(hosts)
	psql = lab(s.t, "exec", "pg-test-2", "psql", hosts, "-AXtc", "select current_setting('lab.node')")
	if r.code != 0 || len(tr.Attempts) != 2 || tr.Attempts[1].Instance != psql {
		s.t.Errorf("trace exits %d: %+v; psql reached %s", r.code, tr.Attempts, psql)
	}
}

// TestLabTraceProvider lets another node's HAProxy have the service.
func TestLabTraceProvider(t *testing.T) {
	needLab(t)
	inv := edited(t, "        pg_cluster: pg-test           # define pgsql cluster name\n", "        pg_cluster: pg-test\n        pg_service_provider: infra\n"+
		"        pg_default_services: []\n        pg_services: [ { name: far, port: 15433, dest: default, check: /primary, selector: '[]' } ]\n")
	t.Cleanup(func() {
		lab(t, "exec", "pg-meta-1", "sh", "-c", "rm -f /etc/haproxy/conf.d/pg-test-far.cfg; systemctl reload haproxy")
	})
	if r := pgtui(t, inv, "reload", "pg-test", "--yes"); r.code != 0 {
		t.Fatalf("reload: exit %d\n%s%s", r.code, r.out, r.err)
	}
	s := &said{t: t, inv: inv}
	var tr jsonv1.Trace
	until(t, "the provider serves", func() bool {
		var r result
		tr, r = s.trace("pg-test", "far")
		return r.code == 0
	})
	if got, want := hopKinds(tr), "address 10.10.10.10:15433 ok, haproxy 10.10.10.10 ok, server pg-test-1 ok, pgbouncer pg-test-1 ok, postgres pg-test-1 ok"; got != want {
		t.Errorf("%s: %s", got, tr.Summary)
	}
	s.secret()
}
