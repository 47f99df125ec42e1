package text

import (
	"strings"
	"testing"
)

// TestMasked: secrets by their form, and nothing else.
func TestMasked(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"ALTER USER x PASSWORD 'it''s' VALID UNTIL 'infinity'", "ALTER USER x PASSWORD '********' VALID UNTIL 'infinity'"},
		{`create role x encrypted password E'a\'b' login`, `create role x encrypted password '********' login`},
		{"create role x password 'cut of", "create role x password '********'"},
		{"create role x password $q$abc$q$;", "create role x password '********';"},
		{"conninfo: host=10.10.10.11 password=abc user=replicator", "conninfo: host=10.10.10.11 password=******** user=replicator"},
		{`{"password": "ab\"c", "user": "x"}`, `{"password": ********, "user": "x"}`},
		{"postgres://app:s3cret@10.10.10.11/shop", "postgres://app:********@10.10.10.11/shop"},
		{"Authorization: Basic cG9zdGdyZXM6cGc=", "Authorization: Basic ********"},
		{"'SCRAM-SHA-256$4096:abc==$d/e=:f='", "'SCRAM-SHA-256$********'"},
		{"md50123456789abcdef0123456789abcdef", "md5********"},
		{`password authentication failed for user "app"`, `password authentication failed for user "app"`},
		{"http://10.10.10.11:8008/patroni", "http://10.10.10.11:8008/patroni"},
	} {
		if got := Masked(tt.line); got != tt.want {
			t.Errorf("%q becomes %q, expected %q", tt.line, got, tt.want)
		}
	}
}

func TestSecrets(t *testing.T) {
	text := `pg_monitor_password: 'it is'  # x
haproxy_admin_password: pigsty
users: [ { name: a, password: b-c } ]
pgbackrest_repo: { cipher_pass: pg.Cipher, s3_key_secret: "S3 Key", s3_secret_key: S3Secret, check: true }
nopass: true
pg_pwd_enc: scram-sha-256
url: postgres://app:s3cret@10.10.10.11/shop
key: |
  -----BEGIN OPENSSH PRIVATE KEY-----
  b3BlbnNzaC1rZXk
  -----END OPENSSH PRIVATE KEY-----
name: none
`
	if got := strings.Join(Secrets(text), "|"); got != "it is|pigsty|b-c|pg.Cipher|S3 Key|S3Secret|s3cret|b3BlbnNzaC1rZXk" {
		t.Errorf("got %s", got)
	}
	if got := Masked("x " + text[strings.Index(text, "-----BEGIN"):]); got != "x ********\nname: none\n" {
		t.Errorf("got %q", got)
	}
}
