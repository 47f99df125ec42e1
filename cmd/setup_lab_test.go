//go:build lab

package cmd_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgtui/cmd/jsonv1"
)

// TestLabSetup breaks what pgtui needs of a node, one after the other: doctor --setup names each
// in one line, with a fix, and nothing else. The clock is not among them: the lab's nodes share
// one.
func TestLabSetup(t *testing.T) {
	needLab(t)
	check := func(inv string) (doc jsonv1.Setup, r result) {
		t.Helper()
		r = pgtui(t, inv, "doctor", "pg-test", "--setup", "-o", "json")
		if err := json.Unmarshal([]byte(r.out), &doc); err != nil {
			t.Fatalf("%v: exit %d\n%s%s", err, r.code, r.out, r.err)
		}
		return doc, r
	}
	failed := func(doc jsonv1.Setup) (out []jsonv1.SetupCheck) {
		for _, c := range doc.Checks {
			if c.State == "missing" {
				out = append(out, c)
			}
		}
		return out
	}
	doc, r := check(labInventory(t))
	if r.code != 0 || len(failed(doc)) != 0 || len(doc.Checks) < 20 || len(doc.Sudoers) != 1 || !strings.HasPrefix(doc.Sudoers[0], "dba ") {
		t.Fatalf("exit %d\n%s", r.code, r.out)
	}
	on := func(script string) string { t.Helper(); return lab(t, "exec", "pg-test-2", "sh", "-ec", script) }
	line := doc.Sudoers[0]
	wrong := edited(t, "haproxy_admin_password: pigsty", "haproxy_admin_password: wrong-s3cret")
	for _, tc := range []struct {
		name, breaks, mends, inv string
		checks                   []string // what is missing on pg-test-2
		says, try                string
	}{
		{"no sudo", "mv /usr/bin/sudo /usr/bin/sudo.off", "mv /usr/bin/sudo.off /usr/bin/sudo", "", []string{"ssh"}, "there is no sudo", "install sudo"},
		{"wrong sudo", "cp -p /etc/sudoers.d/admin /etc/admin.off; echo 'dba ALL=(root) NOPASSWD: /bin/true' >/etc/sudoers.d/admin", "cp -p /etc/admin.off /etc/sudoers.d/admin", "", []string{"ssh"}, "sudo", "sudo"},
		{"no key", "mv /etc/ssh/lab_authorized_keys /etc/ssh/off; pkill -u dba sshd || true", "mv /etc/ssh/off /etc/ssh/lab_authorized_keys", "", []string{"ssh"}, "no key was accepted", "ssh-copy-id"},
		{"no master socket", "mv /run/haproxy-master.sock /run/off.sock", "mv /run/off.sock /run/haproxy-master.sock", "", []string{"master-socket"}, "no master socket", "haproxy-master.sock"},
		{"wrong password of the stats page", "true", "true", wrong, []string{"haproxy-stats"}, "HTTP 401", "haproxy_admin_password"},
		{"Patroni refuses", "systemctl stop patroni", "systemctl start patroni", "", []string{"patroni", "postgres", "pgbouncer"}, "refused", "check that Patroni runs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inv := tc.inv
			if inv == "" {
				inv = labInventory(t)
			}
			on(tc.breaks)
			t.Cleanup(func() { on(tc.mends) })
			doc, r := check(inv)
			var got []string
			for _, c := range failed(doc) {
				if c.Node != "pg-test-2" {
					if tc.inv == "" {
						t.Errorf("%+v", c)
					}
					continue
				}
				got = append(got, c.Check)
				if c.Check == tc.checks[0] && (!strings.Contains(c.Why, tc.says) || !strings.Contains(c.Try, tc.try)) {
					t.Errorf("%s: %q, try %q", c.Check, c.Why, c.Try)
				}
			}
			if r.code != 1 || !slices.Equal(got, tc.checks) || strings.Contains(r.out+r.err, "wrong-s3cret") {
				t.Errorf("exit %d, missing %q\n%s%s", r.code, got, r.out, r.err)
			}
		})
	}
	lab(t, "reset")
	// with the line alone, the login can do all that pgtui does
	on("cp -p /etc/sudoers.d/admin /etc/admin.off; cat >/etc/sudoers.d/admin <<'E'\n" + line + "\nE\nvisudo -cf /etc/sudoers.d/admin")
	t.Cleanup(func() { on("cp -p /etc/admin.off /etc/sudoers.d/admin") })
	if doc, r := check(labInventory(t)); r.code != 0 {
		t.Errorf("with %q: exit %d, missing %+v", line, r.code, failed(doc))
	}
	if out := lab(t, "ssh", "pg-test-2", "sudo -n true || echo refused"); !strings.Contains(out, "refused") {
		t.Errorf("the line allows true: %q", out)
	}
	if r := pgtui(t, labInventory(t), "diff", "pg-test", "10.10.10.12"); r.code != 0 {
		t.Errorf("diff with the line: exit %d\n%s%s", r.code, r.out, r.err)
	}
}
