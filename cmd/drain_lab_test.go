//go:build lab

package cmd_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/cmd/jsonv1"
)

// whatif is `pgtui whatif pg-test -o json`, decoded.
func whatif(t *testing.T, args ...string) jsonv1.WhatIf {
	t.Helper()
	r := pgtui(t, labInventory(t), append([]string{"whatif", "pg-test", "-o", "json"}, args...)...)
	var w jsonv1.WhatIf
	if err := json.Unmarshal([]byte(r.out), &w); err != nil || r.code != 0 {
		t.Fatalf("whatif: exit %d: %v\n%s%s", r.code, err, r.out, r.err)
	}
	return w
}

// then is who would serve a service.
func then(t *testing.T, w jsonv1.WhatIf, name string) jsonv1.WhatIfService {
	t.Helper()
	for _, s := range w.Services {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no service %s in %+v", name, w.Services)
	return jsonv1.WhatIfService{}
}

// everyFront runs a shell command on every HAProxy node of pg-test.
func everyFront(t *testing.T, script string) {
	t.Helper()
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		lab(t, "exec", n, "sh", "-c", script)
	}
}

// TestLabHiddenDrain walks the trap: a replica is drained in the primary service
// on every HAProxy, where its status stays DOWN. doctor and whatif tell before the
// switchover what a switchover to it then does, and the command that doctor names
// ends it.
func TestLabHiddenDrain(t *testing.T) {
	needLab(t)
	t0 := time.Now()
	everyFront(t, "echo 'set server pg-test-primary/pg-test-3 state drain' | socat - /var/run/haproxy.sock")
	d, r := doctor(t, "--count", "0")
	t.Logf("doctor tells %s after the first drain; it took %s", time.Since(t0).Round(time.Millisecond), r.took.Round(time.Millisecond))
	f := found(t, d, "drain-hidden", "")
	says(t, f, "critical", "pg-test-primary/pg-test-3")
	if f.Instance != "pg-test-3" || !strings.Contains(f.Summary, "pg-test-3") || !strings.Contains(f.Summary, "drain") || len(f.Evidence) != 3 {
		t.Errorf("%+v", f)
	}
	c, _ := status(t)
	if s := service(t, c, "primary"); !slices.Equal(s.Serving, []string{"pg-test-1"}) {
		t.Errorf("primary is served by %v", s.Serving)
	}

	// Only pg-test-3 is left to lead.
	w := whatif(t, "--down", "pg-test-1,pg-test-2")
	p := then(t, w, "primary")
	if w.Leader == nil || *w.Leader != "pg-test-3" || p.Then == nil || len(p.Then) != 0 || !w.AdminState.Known {
		t.Errorf("whatif: leader %v, primary then %v, known %v", w.Leader, p.Then, w.AdminState.Known)
	}
	if len(w.Held) != 1 || w.Held[0].Instance != "pg-test-3" || w.Held[0].State != "drain" || len(w.Held[0].HAProxy) != 3 {
		t.Errorf("held: %+v", w.Held)
	}
	if s := then(t, w, "default"); !slices.Equal(s.Then, []string{"pg-test-3"}) {
		t.Errorf("default then %v", s.Then)
	}
	lab(t, "exec", "pg-test-2", "chmod", "000", "/usr/bin/sudo")
	t.Cleanup(func() { lab(t, "exec", "pg-test-2", "chmod", "4755", "/usr/bin/sudo") })
	if w = whatif(t, "--leader", "pg-test-3"); w.AdminState.Known || len(w.AdminState.Unread) != 1 || w.AdminState.Unread[0].HAProxy != "10.10.10.12" {
		t.Errorf("unread on one node: %+v", w.AdminState)
	}
	lab(t, "exec", "pg-test-2", "chmod", "4755", "/usr/bin/sudo")

	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }")
	if r = pgtui(t, inv, "reload", "pg-test", "--dry-run"); !strings.Contains(r.out, "ends-drain") || !strings.Contains(r.out, "pg-test-primary/pg-test-3 in drain") {
		t.Errorf("a plan says nothing of it: exit %d\n%s%s", r.code, r.out, r.err)
	}

	lab(t, "switchover", "pg-test", "pg-test-3")
	took := until(t, "5433 has no server", func() bool {
		c, _ = status(t)
		s := service(t, c, "primary")
		return c.Leader != nil && *c.Leader == "pg-test-3" && s.Serving != nil && len(s.Serving) == 0
	})
	t.Logf("5433 has no server %s after the switchover: %s", took.Round(100*time.Millisecond), c.Summary)
	cause := false
	for _, f := range c.Findings {
		cause = cause || strings.Contains(f.Summary+strings.Join(f.Evidence, " "), "drain")
	}
	if c.Health != "down" || !cause {
		t.Errorf("%s: %s: %+v", c.Health, c.Summary, c.Findings)
	}

	everyFront(t, "echo 'set server pg-test-primary/pg-test-3 state ready' | socat - /var/run/haproxy.sock")
	took = until(t, "5433 is served again", func() bool {
		c, _ = status(t)
		return slices.Equal(service(t, c, "primary").Serving, []string{"pg-test-3"})
	})
	t.Logf("served again after %s", took.Round(100*time.Millisecond))
	if w := whatif(t, "--leader", "pg-test-1"); len(w.Held) > 0 {
		t.Errorf("held: %+v", w.Held)
	}
}
