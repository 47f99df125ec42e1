package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/ansible/inventory"
)

// TestMasked: no secret of an inventory is in a diff, and what is to change is.
func TestMasked(t *testing.T) {
	for text, want := range map[string]string{
		"pg_monitor_password: DBUser.Monitor # x":                          "pg_monitor_password: ********",
		"h: { pg_role: primary, haproxy_admin_password: 's, 1', pg_x: 2 }": "h: { pg_role: primary, haproxy_admin_password: ********, pg_x: 2 }",
		`h: {"patroni_password":"a\"b}", pg_role: primary}`:                `h: {"patroni_password":********, pg_role: primary}`,
		"minio: { s3_key: a, s3_key_secret: b, cipher_pass: c }":           "minio: { s3_key: ********, s3_key_secret: ********, cipher_pass: ********}",
		"url: postgres://dbuser:S3cret@10.10.10.10/meta, pg_role: primary": "url: postgres://dbuser:********@10.10.10.10/meta, pg_role: primary",
		"pg_role: primary # the password: is elsewhere":                    "pg_role: primary # the password: ********",
		"grafana_admin_password:\n  pigsty: x\n":                           "grafana_admin_password:\n  pigsty: x\n",
		"h: { pg_seq: 1, pg_role: primary }\r\n":                           "h: { pg_seq: 1, pg_role: primary }\r\n",
		"users: [ { name: a, password: it's, roles: [b] } ]":               "users: [ { name: a, password: ********, roles: [b] } ]",
	} {
		if got := string(masked([]byte(text))); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

// TestWriteAll: when one of several files cannot be written, none is.
func TestWriteAll(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.yml"), filepath.Join(dir, "b.yml")
	for f, text := range map[string]string{a: "a", b: "somebody else's"} {
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := []inventory.Edited{{File: a, Before: []byte("a"), After: []byte("A")}, {File: b, Before: []byte("b"), After: []byte("B")}}
	if err := writeAll(files); err == nil || !strings.Contains(err.Error(), "b.yml was changed meanwhile") {
		t.Error(err)
	}
	if text, _ := os.ReadFile(a); string(text) != "a" {
		t.Errorf("a.yml is %q", text)
	}
	files[1].Before = []byte("somebody else's")
	if err := writeAll(files); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(b); string(text) != "B" {
		t.Errorf("b.yml is %q", text)
	}
}
