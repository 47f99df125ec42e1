package cmd

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// planted is a world with a secret in every place that pgtui may see one.
type planted struct {
	dir, inventory string
	env            map[string]string
	secrets        []string
}

// secret makes one more, which no text has by chance.
func (p *planted) secret(of string) string {
	s := fmt.Sprintf("Zq7-%s-%dK", of, len(p.secrets))
	p.secrets = append(p.secrets, s)
	return s
}

// plant makes the inventory, the configuration, the audit file, a key and a node whose
// Patroni and HAProxy repeat what they should not.
func plant(t *testing.T) *planted {
	t.Helper()
	p := &planted{dir: t.TempDir()}
	monitor, stats, rest := p.secret("monitor"), p.secret("stats"), p.secret("rest")
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // of a test
		w.WriteHeader(http.StatusOK)
		fmt.Fprintf(w, `{"state": "crashed %s", "role": "replica", "patroni": {"version": "4.0.1 %s", "scope": "pg-prod"}}`, monitor, rest)
	})}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	port := l.Addr().(*net.TCPAddr).Port
	key := p.secret("sshkey")
	p.inventory = filepath.Join(p.dir, "prod.yml")
	text := fmt.Sprintf(`all:
  vars:
    patroni_port: %[1]d
    haproxy_exporter_port: %[1]d
    pg_port: 1
    pgbouncer_port: 1
    pg_monitor_password: %[2]s
    haproxy_admin_password: %[3]s
    patroni_password: %[4]s
    pg_admin_password: '%[5]s'
    pg_replication_password: "%[6]s"
    grafana_admin_password: %[7]s
    pgbackrest_repo: { s3: { s3_key_secret: %[8]s, cipher_pass: %[9]s } }
    ansible_become_pass: %[10]s
    ansible_ssh_private_key_file: ~/.ssh/id_rsa
    remote: postgres://app:%[11]s@10.1.1.1/x
    tls_key: |
      -----BEGIN PRIVATE KEY-----
      %[12]s
      -----END PRIVATE KEY-----
  children:
    pg-prod:
      hosts:
        127.0.0.1: { pg_seq: 1, pg_role: primary, nodename: prod-db-host }
      vars:
        pg_cluster: pg-prod
        pg_users: [ { name: payroll_app, password: %[13]s } ]
        pg_databases: [ { name: payroll } ]
        pg_weight: %[5]s
        pg_services: [ { name: odd, port: %[6]s, selector: '[%[3]s' } ]
`, port, monitor, stats, rest, p.secret("admin"), p.secret("repl"), p.secret("grafana"), p.secret("s3"), p.secret("cipher"), p.secret("become"), p.secret("dsn"), p.secret("tls"), p.secret("user"))
	mine := filepath.Join(p.dir, "home")
	audit := filepath.Join(mine, ".local/state/pgtui/audit.jsonl")
	token := p.secret("token")
	for name, data := range map[string]string{
		p.inventory:                                     text,
		filepath.Join(mine, ".ssh/id_rsa"):              "-----BEGIN OPENSSH PRIVATE KEY-----\n" + key + "\n-----END OPENSSH PRIVATE KEY-----\n",
		filepath.Join(mine, ".config/pgtui/config.yml"): "commands:\n  grab: { argv: [ curl, '-H', 'X-Auth " + p.secret("argv") + "' ] }\n  line: { shell: true, argv: 'A=" + p.secret("shell") + " psql' }\n",
		filepath.Join(mine, ".pgpass"):                  "*:*:*:*:" + p.secret("pgpass") + "\n",
		audit:                                           fmt.Sprintf(`{"v":1,"run":"1","kind":"end","at":"2026-01-05T12:00:00Z","action":"reload","who":{"user":"alice"},"cluster":"pg-prod","plan":"x","inventory":%q,"nodes":[],"outcome":"stopped","error":"GET postgres://app:%s@h/x: refused"}`+"\n", p.inventory, p.secret("audit")),
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(data), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	p.env = map[string]string{"HOME": mine, "PGTUI_INVENTORY": p.inventory, "PGPASSWORD": p.secret("env"), "EDITOR": "code --token=" + token, "PATH": os.Getenv("PATH")}
	return p
}

// run makes a report and returns everything that was printed and written, archives
// unpacked.
func (p *planted) run(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "r.tgz")
	line := append([]string{"report"}, args...)
	if !slices.Contains(args, "-o") {
		line = append(line, "--out", out)
	}
	var o, e bytes.Buffer
	code := Run(context.Background(), line, IO{In: strings.NewReader(""), Out: &o, Err: &e, Getenv: func(k string) string { return p.env[k] }})
	all := o.String() + e.String()
	if code != 0 {
		t.Fatalf("pgtui %s: exit %d\n%s", strings.Join(line, " "), code, all)
	}
	if f, err := os.Open(out); err == nil {
		defer f.Close()
		if st, err := f.Stat(); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("the archive may be read by others: %v", st.Mode())
		}
		all += unpacked(t, f)
	}
	return all
}

func unpacked(t *testing.T, r io.Reader) string {
	t.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var all strings.Builder
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.Base(h.Name))
		if _, err := io.Copy(&all, tr); err != nil { //nolint:gosec // of a test
			t.Fatal(err)
		}
	}
	if got := strings.Join(names, " "); got != "MANIFEST.txt report.txt report.json" {
		t.Errorf("the archive has %s", got)
	}
	return all.String()
}

// TestReportHasNoSecret plants a secret of every kind where pgtui reads one, and where an
// error or an answer quotes one: no form of the report has any.
func TestReportHasNoSecret(t *testing.T) {
	p := plant(t)
	clean := func(what, all string) {
		t.Helper()
		for _, s := range p.secrets {
			if i := strings.Index(all, s); i >= 0 {
				t.Errorf("%s has %s: %s", what, s, all[max(0, i-150):min(len(all), i+60)])
			}
		}
	}
	for _, form := range [][]string{{}, {"-o", "text"}, {"-o", "json"}, {"-o", "yaml"}, {"-o", "wide"}, {"--no-probe"}, {"--anonymise"}, {"--anonymise", "-o", "json"}} {
		all := p.run(t, form...)
		clean(fmt.Sprint(form), all)
		if named := slices.Contains(form, "--anonymise"); named {
			for _, name := range []string{"pg-prod", "127.0.0.1", "prod-db-host", "payroll", "prod.yml", p.dir} {
				if i := strings.Index(all, name); i >= 0 && !strings.Contains(all[max(0, i-20):i], "wrote ") && !strings.Contains(all[max(0, i-20):i], "tar xzf ") {
					t.Errorf("%v has %s: %s", form, name, all[max(0, i-100):min(len(all), i+60)])
				}
			}
		} else if !strings.Contains(all, "pg-prod") || !strings.Contains(all, "OpenSSH") || !strings.Contains(all, "stopped") {
			t.Errorf("%v lacks what it is for:\n%.3000s", form, all)
		}
		if !slices.Contains(form, "--no-probe") && !strings.Contains(all, "crashed ********") {
			t.Errorf("%v: what Patroni answered is not there, or it was not cleaned:\n%.3000s", form, all)
		}
	}
	// an inventory that cannot be read, and an error that quotes it
	b, err := os.ReadFile(p.inventory)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.inventory, bytes.Replace(b, []byte("  children:"), []byte("   children: "+p.secrets[0]+" : ["), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	all := p.run(t)
	clean("a broken inventory", all)
	if !strings.Contains(all, "inventory: ") || !strings.Contains(all, "prod.yml") {
		t.Errorf("the error of the inventory is missing:\n%s", all)
	}
	// and a configuration that cannot: nothing is probed, for the run may be read-only
	if err := os.WriteFile(filepath.Join(p.env["HOME"], ".config/pgtui/config.yml"), []byte("token: "+p.secrets[1]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all = p.run(t)
	clean("a broken configuration", all)
	if !strings.Contains(all, "configuration: ") || !strings.Contains(all, "not probed") {
		t.Errorf("the error of the configuration is missing:\n%s", all)
	}
}

func TestReplaceWord(t *testing.T) {
	for _, tt := range []struct{ in, from, want string }{
		{"pg-test-1 of pg-test", "pg-test", "X-1 of X"},
		{"10.1.1.1 and 10.1.1.11", "10.1.1.1", "X and 10.1.1.11"},
		{"abcd bcd bc", "bc", "abcd bcd X"},
		{"(p@ss!)x", "p@ss!", "(X)x"},
		{"/root/a /roots", "/root", "X/a /roots"},
		{"a", "", "a"},
	} {
		if got := replaceWord(tt.in, swap{tt.from, "X"}); got != tt.want {
			t.Errorf("%q without %q: got %q, want %q", tt.in, tt.from, got, tt.want)
		}
	}
}
