package inventory_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"pgtui/ansible/inventory"
	"pgtui/source"
)

// origins are the rows of a variable of an inventory in files.
func origins(t *testing.T, variable string, files fstest.MapFS) []source.Origin {
	t.Helper()
	inv, err := inventory.Load(files, "pigsty.yml", inventory.Options{Playbooks: inventory.Source{FS: files, Name: "play"}})
	if err != nil {
		t.Fatal(err)
	}
	var out []source.Origin
	for _, o := range inventory.Origins(inv, inv.Hosts) {
		if o.Variable == variable {
			out = append(out, o)
		}
	}
	return out
}

func said(d *source.Definition) string { return d.Value + " " + d.From() + " " + d.By }

// What won is what the merge takes, and what it hid is every other definition,
// the strongest first, whatever kind of place it stands in.
func TestOriginsTellWhatWasHidden(t *testing.T) {
	rows := origins(t, "pg_weight", fstest.MapFS{
		"pigsty.yml": file("all:\n  vars: {pg_weight: 1}\n  children:\n    a:\n      vars: {pg_cluster: a, pg_weight: 2}\n      hosts: {h1: {}, h2: {pg_weight: 3}}\n" +
			"    b:\n      hosts:\n        h2: {pg_weight: 4}\n"),
		"group_vars/all/1.yml": file("pg_weight: 5"), "group_vars/all/2.yml": file("pg_weight: 6"),
		"group_vars/a.yml": file("pg_weight: 7"), "host_vars/h2.yml": file("pg_weight: 8"), "play/group_vars/all.yml": file("\npg_weight: 9"),
	})
	var got []string
	for i := range rows {
		got = append(got, fmt.Sprint(rows[i].Hosts, " ", said(&rows[i].Definition)))
		for k := range rows[i].Hid {
			got = append(got, "  "+said(&rows[i].Hid[k]))
		}
	}
	weak := []string{"  9 play/group_vars/all.yml:2 group_vars of all, beside the playbooks", "  6 group_vars/all/2.yml:1 group_vars of all",
		"  5 group_vars/all/1.yml:1 group_vars of all", "  2 pigsty.yml:5 group a", "  1 pigsty.yml:2 group all"}
	want := append([]string{"[h1] 7 group_vars/a.yml:1 group_vars of a"}, weak...)
	want = append(want, "[h2] 8 host_vars/h2.yml:1 host_vars of h2", "  4 pigsty.yml:9 host h2", "  3 pigsty.yml:6 host h2", "  7 group_vars/a.yml:1 group_vars of a")
	want = append(want, weak...)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOriginsTellWhatDiffers(t *testing.T) {
	text := "a:\n  vars: {pg_cluster: a, pgbouncer_port: 6432}\n  hosts:\n    h1: {pg_seq: 1, pg_port: 5432, pg_weight: 10, pgbouncer_port: 6432}\n" +
		"    h2: {pg_seq: 2, pg_port: 5432}\nlone: {hosts: {h3: {pg_cluster: lone, pg_port: 1}}}\nnone: {hosts: {h4: {pg_port: 1}, h5: {pg_port: 2}}}\n"
	for variable, want := range map[string]string{
		"pg_seq":         "a h1 false, a h2 false", // tells hosts apart
		"pg_port":        "a h1 false, a h2 false, lone h3 false,  h4 false,  h5 false",
		"pg_weight":      "a h1 true",              // the other has the default
		"pgbouncer_port": "a h1 false, a h2 false", // written twice, and the same
		"pg_cluster":     "a all 2 false, lone h3 false",
	} {
		var got []string
		for _, o := range origins(t, variable, fstest.MapFS{"pigsty.yml": file(text)}) {
			got = append(got, fmt.Sprint(o.Cluster, " ", o.Where(), " ", o.Differs))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s: %s, want %s", variable, s, want)
		}
	}
	for _, o := range origins(t, "pg_port", fstest.MapFS{"pigsty.yml": file(strings.Replace(text, "5432}", "5433}", 1))}) {
		if o.Differs != (o.Cluster == "a") {
			t.Errorf("pg_port of %q: differs %v", o.Cluster, o.Differs)
		}
	}
}

// The whole value is there, and no secret in it.
func TestOriginsMaskSecrets(t *testing.T) {
	rows := origins(t, "pg_services", fstest.MapFS{"pigsty.yml": file(`a:
  hosts: {h1: {pg_cluster: a}}
  vars:
    pg_services:
      - name: standby
        ports: [5435, 5436]
        selector: "[]"
        check: {path: /sync, monitor_password: sesame}
        dsn: postgres://app:sesame@h1/shop
        note: "user=app password='sesame two' host=h1"
        long: |
          one
            token: sesame
        empty: {}
        nothing:
        flag: yes
        sealed: !vault |
          $ANSIBLE_VAULT;1.1;AES256
          3133
`)})
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	want := `- name: standby
  ports:
    - 5435
    - 5436
  selector: []
  check:
    path: /sync
    monitor_password: ********
  dsn: postgres://app:********@h1/shop
  note: user=app password=********
  long: |
    one
      token: ********
  empty: {}
  nothing: null
  flag: true
  sealed: (vaulted)`
	if got := strings.Join(rows[0].Text, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if rows[0].Value != "standby" {
		t.Errorf("short: %q", rows[0].Value)
	}
	rows = origins(t, "pg_upstream", fstest.MapFS{"pigsty.yml": file("a: {hosts: {h1: {pg_cluster: a, pg_upstream: 'http://u:sesame@h1'}}}")})
	if got := rows[0].Value; got != "http://u:********@h1" {
		t.Errorf("short: %q", got)
	}
	deep := "pg_services: " + strings.Repeat("[", 60) + strings.Repeat("]", 60)
	if rows = origins(t, "pg_services", fstest.MapFS{"pigsty.yml": file("a: {hosts: {h1: {}}}"), "host_vars/h1.yml": file(deep)}); len(rows) != 1 || len(rows[0].Text) > 30 {
		t.Errorf("a deep value: %v", rows)
	}
	long := "pg_services: [" + strings.Repeat("{name: x, y: [1, 2]}, ", 2000) + "]"
	rows = origins(t, "pg_services", fstest.MapFS{"pigsty.yml": file("a: {hosts: {h1: {}}}"), "host_vars/h1.yml": file(long)})
	if n := len(rows[0].Text); n > 510 || rows[0].Text[n-1] != "…" {
		t.Errorf("a long value has %d lines, the last %q", n, rows[0].Text[n-1])
	}
}

// TestNoSecretIsWrittenOut: the shapes in which a secret may stand in a value
// that is shown whole.
func TestNoSecretIsWrittenOut(t *testing.T) {
	for _, text := range []string{
		"api_key: LEAK", "repo1-s3-key: LEAK", "cipher: LEAK", "options: http-check send hdr X-Api-Key LEAK", `options: 'tcp-check send AUTH\ LEAK'`,
		"dsn: postgres://u:p@LEAK@h", "dsn: postgres://u:p/LEAK@h", "a: password=ab,LEAK", "a: password=ab;LEAK", "a: passphrase=LEAK", "a: secret_key=LEAK",
		"a: db_password_ro=LEAK", "a: access_key=LEAK", "a: {name: password, value: LEAK}", "a: [--password, LEAK]", "a: --password LEAK", "a: curl -u admin:LEAK",
		"a: |\n  -----BEGIN PRIVATE KEY-----\n  LEAK\n", `a: "$ANSIBLE_VAULT;1.1;AES256 LEAK"`, `a: 'password="a LEAK'`, "a: |\n  password:\n    LEAK\n",
	} {
		rows := origins(t, "pg_services", fstest.MapFS{"pigsty.yml": file("a:\n  hosts: {h1: {pg_cluster: a}}\n  vars:\n    pg_services:\n      - name: x\n        " + strings.ReplaceAll(text, "\n", "\n        ") + "\n")})
		if len(rows) != 1 {
			t.Fatalf("%q: %d rows", text, len(rows))
		}
		if got := rows[0].Value + strings.Join(rows[0].Text, "\n"); strings.Contains(got, "LEAK") {
			t.Errorf("%q is written out:\n%s", text, got)
		}
	}
}
