//go:build linux && lab

package cmd_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgtui/cmd/jsonv1"
)

// takers is `pgtui candidates pg-test -o json`, decoded.
func takers(t *testing.T) jsonv1.Candidates {
	t.Helper()
	r := pgtui(t, labInventory(t), "candidates", "pg-test", "-o", "json")
	var doc jsonv1.Candidates
	if err := json.Unmarshal([]byte(r.out), &doc); err != nil || doc.ExitCode != r.code {
		t.Fatalf("candidates: exit %d: %v\n%s%s", r.code, err, r.out, r.err)
	}
	return doc
}

// taker is one of them.
func taker(t *testing.T, name string) jsonv1.Candidate {
	t.Helper()
	doc := takers(t)
	i := slices.IndexFunc(doc.Candidates, func(c jsonv1.Candidate) bool { return c.Instance == name })
	if i < 0 {
		t.Fatalf("no candidate %s in %+v", name, doc)
	}
	return doc.Candidates[i]
}

// bad are the gates of a candidate that are neither passed nor a note.
func bad(c jsonv1.Candidate) (out []string) {
	for _, g := range c.Gates {
		if g.Verdict == "pass" || g.Verdict == "note" {
			continue
		}
		risk := ""
		if g.Risk != nil {
			risk = " " + *g.Risk
		}
		out = append(out, g.Name+" "+g.Verdict+" "+g.Host+g.Service+risk)
	}
	return out
}

// TestLabCandidates: on a calm cluster both replicas can take over; a drain that
// hides on one HAProxy is named, and a tag that Patroni heeds.
func TestLabCandidates(t *testing.T) {
	needLab(t)
	t.Cleanup(func() { restoreTags(t) })
	calm(t, "a calm cluster: exit 0", func() bool { return takers(t).ExitCode == 0 })
	doc := takers(t)
	if doc.Verdict != "pass" || len(doc.Candidates) != 2 || doc.Gap.HighMs == nil || *doc.Leader != "pg-test-1" {
		t.Errorf("%+v", doc)
	}
	for _, c := range doc.Candidates {
		if len(bad(c)) > 0 || len(c.Gates) != 20 || c.Switchover.Verdict != "pass" {
			t.Errorf("%s: %v of %d gates, %+v", c.Instance, bad(c), len(c.Gates), c.Switchover)
		}
	}

	lab(t, "exec", "pg-test-2", "sh", "-c", "echo 'set server pg-test-primary/pg-test-3 state drain' | socat - /var/run/haproxy.sock")
	c := taker(t, "pg-test-3")
	if got := bad(c); c.Verdict != "risk" || !slices.Equal(got, []string{"haproxy-view risk 10.10.10.12primary candidate-unrouted"}) {
		t.Errorf("a hidden drain on one HAProxy: %s %v", c.Verdict, got)
	}
	if doc = takers(t); doc.ExitCode != 0 || doc.Summary != "pg-test-2 can take over" {
		t.Errorf("%d %s", doc.ExitCode, doc.Summary)
	}
	tagPatroni(t, "pg-test-2", "nofailover", "true")
	if c = taker(t, "pg-test-2"); c.Verdict != "no" || !slices.Equal(bad(c), []string{"nofailover no "}) || *c.Switchover.Gate != "A" {
		t.Errorf("nofailover: %s %v %+v", c.Verdict, bad(c), c.Switchover)
	}
	if doc = takers(t); doc.ExitCode != 1 || !strings.Contains(doc.Summary, "pg-test-3 can take over, with a risk: candidate-unrouted") {
		t.Errorf("%d %s", doc.ExitCode, doc.Summary)
	}
	lab(t, "exec", "pg-test-2", "sh", "-c", "echo 'set server pg-test-primary/pg-test-3 state ready' | socat - /var/run/haproxy.sock")
	if doc = takers(t); doc.ExitCode != 0 || doc.Summary != "pg-test-3 can take over" {
		t.Errorf("%d %s", doc.ExitCode, doc.Summary)
	}
}

// restoreTags takes back what tagPatroni did.
func restoreTags(t *testing.T) {
	t.Helper()
	for _, n := range []string{"pg-test-2", "pg-test-3"} {
		lab(t, "exec", n, "sed", "-i", "-e", "s/^  nofailover: .*/  nofailover: false/", "/etc/patroni/patroni.yml")
		lab(t, "api", n, "/reload", "-u", "postgres:Patroni.API", "-XPOST")
	}
}

// TestLabPredictions asks Patroni for what candidates has foretold: the answer is
// the same, word for word.
func TestLabPredictions(t *testing.T) {
	needLab(t)
	leader := lab(t, "leader", "pg-test")
	write := func(path, method, body string) (string, int) {
		t.Helper()
		out := lab(t, "api", "pg-test-2", path, "-u", "postgres:Patroni.API", "-X"+method, "-d", body, "-w", "\n%{http_code}", "-m", "60")
		text, code, _ := strings.Cut(out, "\n")
		status := 0
		_, _ = fmt.Sscan(code, &status)
		return text, status
	}
	t.Cleanup(func() {
		write("/config", "PATCH", `{"synchronous_mode":false,"pause":null}`)
		restoreTags(t)
	})
	// compare sends what was foretold to be refused, or to happen.
	compare := func(what, to string, failover bool) {
		t.Helper()
		c := taker(t, to)
		p, path, body := c.Switchover, "/switchover", fmt.Sprintf(`{"leader":%q,"candidate":%q}`, leader, to)
		if failover {
			p, path, body = c.Failover, "/failover", fmt.Sprintf(`{"candidate":%q}`, to)
		}
		text, status := write(path, "POST", body)
		want, wantStatus := p.Answer, 200
		if p.Status != nil {
			wantStatus = *p.Status
		} else {
			want = fmt.Sprintf("Successfully %sed over to %q", path[1:len(path)-4], to)
		}
		t.Logf("%s: foretold %s (%s), Patroni: %d %s", what, p.Verdict, p.Why, status, text)
		if p.Verdict == "unknown" || status != wantStatus || text != want {
			t.Errorf("%s: foretold %s %d %q, Patroni answers %d %q", what, p.Verdict, wantStatus, want, status, text)
		}
	}

	tagPatroni(t, "pg-test-2", "nofailover", "true")
	compare("nofailover", "pg-test-2", false)
	compare("nofailover, failover", "pg-test-2", true)
	restoreTags(t)
	until(t, "pg-test-2 may lead again", func() bool { return taker(t, "pg-test-2").Switchover.Verdict == "pass" })

	// pg-test-2, which gets the call, does not reach the REST API of pg-test-3.
	lab(t, "exec", "pg-test-2", "sh", "-c", "ip neigh replace 10.10.10.99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent; ip route replace 10.10.10.13 via 10.10.10.99 dev eth0 table 100; ip rule add pref 100 to 10.10.10.13 ipproto tcp dport 8008 lookup 100")
	heal := func() {
		lab(t, "exec", "pg-test-2", "sh", "-c", "ip rule del pref 100; ip route flush table 100; ip neigh del 10.10.10.99 dev eth0; true")
	}
	t.Cleanup(heal)
	r := pgtui(t, labInventory(t), "candidates", "pg-test")
	if !strings.Contains(strings.Join(strings.Fields(r.out), " "), "pg-test-2 does not reach it: no answer within 2 s") || r.code != 0 {
		t.Errorf("a member that is cut from another: exit %d\n%s", r.code, r.out)
	}
	if text, status := write("/switchover", "POST", fmt.Sprintf(`{"leader":%q,"candidate":"pg-test-3"}`, leader)); status != 412 {
		t.Errorf("through the member that is cut from it: %d %s", status, text)
	}
	heal()

	pid := lab(t, "exec", "pg-test-3", "psql", "-h", "/tmp", "-U", "postgres", "-AXtc", "select pid from pg_stat_wal_receiver")
	lab(t, "exec", "pg-test-3", "kill", "-STOP", pid)
	t.Cleanup(func() { lab(t, "exec", "pg-test-3", "sh", "-c", "kill -CONT "+pid+" || true") })
	lab(t, "exec", leader, "psql", "-h", "/tmp", "-U", "postgres", "-AXtc", "select count(pg_logical_emit_message(false, 'x', repeat('x', 1000000))) from generate_series(1, 4)")
	until(t, "pg-test-3 is behind, by the DCS too", func() bool { return taker(t, "pg-test-3").Switchover.Verdict == "no" })
	compare("4 MB behind", "pg-test-3", false)
	compare("4 MB behind, failover", "pg-test-3", true)
	lab(t, "exec", "pg-test-3", "kill", "-CONT", pid)
	until(t, "pg-test-3 has caught up", func() bool { return taker(t, "pg-test-3").Switchover.Verdict == "pass" })

	write("/config", "PATCH", `{"synchronous_mode":true}`)
	var sync, async string
	chosen := func() bool {
		sync, async = "", ""
		for _, c := range takers(t).Candidates {
			switch c.Switchover.Verdict {
			case "pass":
				sync = c.Instance
			case "no":
				async = c.Instance
			}
		}
		return sync != "" && async != "" && sync != async
	}
	until(t, "a synchronous standby", chosen)
	compare("synchronous mode, to another", async, false)
	compare("synchronous mode, failover to another", async, true)
	// Patroni 3.2 and newer does it, and another member leads then
	until(t, "a leader", func() bool { leader = lab(t, "leader", "pg-test"); return leader != "" })
	until(t, "a synchronous standby again", chosen)
	compare("synchronous mode, to the standby", sync, false)
}
