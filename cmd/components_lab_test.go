//go:build lab

package cmd_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgtui/cmd/jsonv1"
)

// TestLabComponents asks the real programs, and tells when one does not run.
func TestLabComponents(t *testing.T) {
	needLab(t)
	ask := func() (map[string]jsonv1.Component, result) {
		t.Helper()
		r := pgtui(t, labInventory(t), "components", "pg-test", "-o", "json")
		var doc jsonv1.Components
		if err := json.Unmarshal([]byte(r.out), &doc); err != nil {
			t.Fatalf("exit %d: %v\n%s%s", r.code, err, r.out, r.err)
		}
		out := map[string]jsonv1.Component{}
		for _, n := range doc.Nodes {
			for _, c := range n.Components {
				out[n.Node+" "+c.Name] = c
			}
		}
		return out, r
	}
	version := map[string]string{
		"postgres":  strings.Fields(lab(t, "exec", "pg-test-1", "psql", "postgres://test:test@10.10.10.11:5432/test", "-AXtc", "show server_version"))[0],
		"pgbouncer": strings.Fields(lab(t, "exec", "pg-test-1", "sh", "-c", "pgbouncer --version | head -1"))[1],
		"patroni":   strings.Fields(lab(t, "exec", "pg-test-1", "patroni", "--version"))[1],
	}
	got, r := ask()
	if r.code > 1 { // exporters are not there, and only watch
		t.Errorf("exit %d\n%s", r.code, r.out)
	}
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		for _, c := range []string{"postgres", "pgbouncer", "patroni", "haproxy", "sshd"} {
			x := got[n+" "+c]
			if x.Health != "up" || version[c] != "" && !strings.HasPrefix(x.Version, version[c]) {
				t.Errorf("%s of %s: %s %q, want up %q: %s", c, n, x.Health, x.Version, version[c], x.Why)
			}
		}
	}
	lab(t, "stop", "pg-test-2", "pgbouncer")
	if got, r = ask(); r.code != 2 || got["pg-test-2 pgbouncer"].Health != "down" || got["pg-test-1 pgbouncer"].Health != "up" {
		t.Errorf("pgbouncer of pg-test-2 is stopped: exit %d, %+v", r.code, got["pg-test-2 pgbouncer"])
	}
}
