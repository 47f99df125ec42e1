//go:build lab

package cmd_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgtui/cmd/jsonv1"
)

// supposed is what whatif says of the loss of those members of pg-test.
func supposed(t *testing.T, down ...string) jsonv1.WhatIf {
	t.Helper()
	r := pgtui(t, lab(t, "inventory"), "whatif", "pg-test", "--down", strings.Join(down, ","), "-o", "json")
	var out jsonv1.WhatIf
	if r.code != 0 || json.Unmarshal([]byte(r.out), &out) != nil {
		t.Fatalf("whatif: %d\n%s%s", r.code, r.out, r.err)
	}
	return out
}

// leader is who leads on paper, "nobody" for none.
func (s onPaper) leader() string {
	if s.Leader == nil {
		return "nobody"
	}
	return *s.Leader
}

type onPaper struct{ jsonv1.WhatIf }

// members is GET /cluster of a node: the role of each member.
func members(t *testing.T, node string) map[string]string {
	t.Helper()
	var doc struct {
		Members []struct{ Name, Role, State string }
	}
	if err := json.Unmarshal([]byte(lab(t, "api", node, "/cluster")), &doc); err != nil {
		return nil
	}
	out := map[string]string{}
	for _, m := range doc.Members {
		out[m.Name] = m.Role
		if m.State != "running" && m.State != "streaming" {
			out[m.Name] = m.State
		}
	}
	return out
}

// tagPatroni writes a line into the tags of a node's Patroni and waits until it says so.
func tagPatroni(t *testing.T, node, name, value string) {
	t.Helper()
	lab(t, "exec", node, "sed", "-i", "-e", "/^  "+name+":/d", "-e", "s/^tags:/tags:\\n  "+name+": "+value+"/", "/etc/patroni/patroni.yml")
	lab(t, "api", node, "/reload", "-u", "postgres:Patroni.API", "-XPOST")
	until(t, node+" has the tag "+name, func() bool { return strings.Contains(lab(t, "api", node, "/patroni"), `"`+name+`"`) })
}

// TestLabWhatIfSaysWhoTakesOver supposes the loss of the leader of pg-test and
// then stops it: by nofailover, by failover_priority (3.2 and newer), in
// synchronous mode, and with the only synchronous standby gone.
func TestLabWhatIfSaysWhoTakesOver(t *testing.T) {
	needLab(t)
	t.Cleanup(func() {
		for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
			lab(t, "exec", n, "sed", "-i", "-e", "/^  failover_priority:/d", "-e", "s/^  nofailover: .*/  nofailover: false/", "/etc/patroni/patroni.yml")
			lab(t, "start", n, "patroni")
			lab(t, "api", n, "/reload", "-u", "postgres:Patroni.API", "-XPOST", "--retry", "20", "--retry-connrefused", "--retry-delay", "1")
		}
	})
	others := func(not ...string) []string {
		return slices.DeleteFunc([]string{"pg-test-1", "pg-test-2", "pg-test-3"}, func(n string) bool { return slices.Contains(not, n) })
	}
	// fall stops the leader and compares who leads then with what was said.
	// A leader that comes back is waited for, unless it is the last.
	fall := func(why string, last bool) string {
		t.Helper()
		leader := lab(t, "leader", "pg-test")
		said := onPaper{supposed(t, leader)}
		lab(t, "stop", leader, "patroni")
		at, got := others(leader)[0], ""
		until(t, why+": another leader", func() bool {
			for name, role := range members(t, at) {
				if role == "leader" && name != leader {
					got = name
				}
			}
			return got != ""
		})
		var may []string
		for _, c := range said.Candidates {
			if c.May {
				may = append(may, c.Name)
			}
		}
		t.Logf("%s: %s was lost, whatif said %s (%s; may lead: %v), %s leads", why, leader, said.leader(), said.Why, may, got)
		if !slices.Contains(may, got) || len(may) == 1 && said.leader() != got {
			t.Errorf("%s: whatif said %s (%s), may lead: %v; %s leads", why, said.leader(), said.Why, may, got)
		}
		if last {
			return got
		}
		lab(t, "start", leader, "patroni")
		until(t, leader+" streams again", func() bool {
			m := members(t, at)
			return len(m) == 3 && m[leader] == "replica" && strings.Contains(lab(t, "api", got, "/patroni"), `"application_name": "`+leader+`"`)
		})
		return got
	}

	tagPatroni(t, "pg-test-2", "nofailover", "true")
	if got := fall("nofailover", false); got != "pg-test-3" {
		t.Errorf("%s leads, pg-test-2 has nofailover", got)
	}
	tagPatroni(t, "pg-test-2", "failover_priority", "3")
	lab(t, "exec", "pg-test-2", "sed", "-i", "s/^  nofailover: .*/  nofailover: false/", "/etc/patroni/patroni.yml")
	lab(t, "api", "pg-test-2", "/reload", "-u", "postgres:Patroni.API", "-XPOST")
	until(t, "pg-test-2 may lead again", func() bool { return !strings.Contains(lab(t, "api", "pg-test-2", "/patroni"), `"nofailover": true`) })
	leader := fall("failover_priority", false)

	lab(t, "api", leader, "/config", "-u", "postgres:Patroni.API", "-XPATCH", "-d", `{"synchronous_mode":true}`)
	sync := ""
	until(t, "a synchronous standby", func() bool {
		for name, role := range members(t, leader) {
			if role == "sync_standby" {
				sync = name
			}
		}
		return sync != ""
	})
	if said := (onPaper{supposed(t, leader, sync)}); said.leader() != "nobody" {
		t.Errorf("without %s, the only synchronous standby, whatif says %s (%s)", sync, said.leader(), said.Why)
	}
	if got := fall("synchronous_mode", true); got != sync {
		t.Errorf("%s leads, the synchronous standby was %s", got, sync)
	}
}
