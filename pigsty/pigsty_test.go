package pigsty_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/source"
)

func parse(t *testing.T, text string, o pigsty.Options) *model.Inventory {
	t.Helper()
	inv, err := pigsty.Parse("pigsty.yml", []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

const meta = `
all:
  vars: { version: v4.5.0, haproxy_admin_password: s3cret, ansible_user: dba }
  children:
    infra: { hosts: { 10.10.10.10: { infra_seq: 1 }, 10.10.10.9: { nodename: admin, ansible_connection: local } } }
    pg-test:
      hosts:
        10.10.10.11: { pg_seq: 1, pg_role: primary, ansible_host: db1, ansible_port: 2222, pg_upstream: 10.1.1.1 }
        10.10.10.12: { pg_seq: 2, pg_role: offline, patroni_port: 8009, patroni_ssl_enabled: yes, pgtui_root: /tmp/n2 }
      vars: { pg_cluster: pg-test, pg_vip_enabled: true, pg_vip_address: 10.10.10.3/24 }
`

// TestModel compares the whole model of a small deployment.
func TestModel(t *testing.T) {
	at := time.Unix(1, 0)
	inv := parse(t, meta, pigsty.Options{LoadedAt: at, CAFile: "/ca"})
	c := inv.Cluster("pg-test")
	if c == nil || inv.Dialect != model.DialectV45 || !inv.LoadedAt.Equal(at) || inv.CAFile != "/ca" || len(inv.Hash) != 64 {
		t.Fatalf("%+v", inv)
	}
	if c.VIP != "10.10.10.3" || !c.Standby || c.Provider != "" || len(c.Problems) != 0 {
		t.Errorf("cluster: %+v", c)
	}
	logs := model.LogDirs{Postgres: "/pg/log/postgres", Patroni: "/pg/log/patroni", PgBouncer: "/pg/log/pgbouncer"}
	wantInstances := []model.Instance{
		{Name: "pg-test-1", Host: "10.10.10.11", Seq: 1, Role: "primary", PgPort: 5432, BouncerPort: 6432, PatroniPort: 8008, Logs: logs},
		{Name: "pg-test-2", Host: "10.10.10.12", Seq: 2, Role: "offline", PgPort: 5432, BouncerPort: 6432, PatroniPort: 8009, PatroniTLS: true, Logs: logs},
	}
	if !reflect.DeepEqual(c.Instances, wantInstances) {
		t.Errorf("instances: %+v", c.Instances)
	}
	s := c.LoadBalancer("10.10.10.12").Service("offline")
	want := []model.Server{{Name: "pg-test-2", Host: "10.10.10.12", Port: "5432", CheckPort: "8009", CheckTLS: true, Weight: "100"}}
	if !reflect.DeepEqual(s.Members, want) || s.Backups == nil && len(s.Backups) != 0 || s.Line != (source.Pos{}) || s.Rendered != "10.10.10.12" {
		t.Errorf("offline: %+v", s)
	}
	n := inv.Node("10.10.10.11")
	if n.Name != "pg-test-1" || n.SSH != (model.SSHTarget{Address: "db1", Port: 2222, User: "dba"}) ||
		!reflect.DeepEqual(n.HAProxy, model.HAProxyAccess{Port: 9101, User: "admin", Password: "s3cret", URIs: []string{"/haproxy/pg-test-1/", "/pg-test-1/"}}) {
		t.Errorf("node: %+v", n)
	}
	if n := inv.Node("10.10.10.9"); n.Name != "admin" || !n.SSH.Local {
		t.Errorf("local node: %+v", n)
	}
	if n := inv.Node("10.10.10.10"); n.Name != "" || n.HAProxy.URIs != nil {
		t.Errorf("node whose name only it knows: %+v", n)
	}
	if inv.Node("10.10.10.12").SSH.Root != "/tmp/n2" {
		t.Errorf("root: %+v", inv.Node("10.10.10.12").SSH)
	}
	if strings.Contains(fmt.Sprintf("%+v %#v", inv, inv), "s3cret") {
		t.Error("the password prints")
	}
}

// TestProblems holds that each mistake is told with its place, and that the
// rest is still there.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name, vars string
		at         string
		what       string
		services   int
		fatal      bool
	}{
		{"selector without brackets", `pg_services: [ { name: x, port: 1, selector: "pg_seq" } ]`, "4:45", "expected a list of members", 4, true},
		{"selector syntax", `pg_services: [ { name: x, port: 1, selector: "[? a = b]" } ]`, "4:45", "not valid JMESPath", 4, true},
		{"no port", `pg_services: [ { name: x, selector: "[]" } ]`, "4:25", "has no port", 4, true},
		{"services no list", `pg_services: { name: x }`, "4:10", "is a mapping: expected a list of services", 0, true},
		{"date in a variable", `since: 2026-01-02`, "4:10", "it is a date", 0, true},
		{"undefined template", `note: "{{ nope }}"`, "4:10", "'nope' is undefined", 0, true},
		{"unknown provider", `pg_service_provider: nowhere`, "4:10", "is not a group", 4, false},
		{"empty provider", `pg_service_provider: lb`, "4:10", "has no hosts", 0, false},
		{"bad rto", `pg_rto_plan: { x: [1] }`, "4:10", "neither has it norm", 0, true},
		{"path in a name", `pg_services: [ { name: ../x, port: 1, selector: "[]" } ]`, "4:27", "cannot be part of a file name", 4, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv := parse(t, "lb:\npg:\n  hosts: { h: { pg_seq: 1, pg_role: primary, pg_cluster: pg } }\n  vars: {"+c.vars+"}\n", pigsty.Options{})
			cl := inv.Cluster("pg")
			if len(cl.Problems) != 1 {
				t.Fatalf("problems: %+v", cl.Problems)
			}
			p := cl.Problems[0]
			where := fmt.Sprintf("%d:%d", p.At.Line, p.At.Column)
			if p.Fatal != c.fatal || !strings.Contains(p.What, c.what) {
				t.Errorf("%+v", p)
			}
			if where != c.at {
				t.Errorf("at %s, want %s", where, c.at)
			}
			n := 0
			for _, f := range cl.LoadBalancers {
				n += len(f.Services)
			}
			if n != c.services {
				t.Errorf("%d services, want %d", n, c.services)
			}
		})
	}
}

// TestLoad reads vars files beside the inventory, and names files as the user did.
func TestLoad(t *testing.T) {
	fsys := fstest.MapFS{
		"pigsty.yml":        {Data: []byte("pg: { hosts: { h: { pg_seq: 1, pg_role: primary } } }\n")},
		"group_vars/pg.yml": {Data: []byte("pg_cluster: pg\npg_weight: nope {{ x }}\n")},
	}
	inv, err := pigsty.Load(fsys, "pigsty.yml", pigsty.Options{Display: "~/pigsty"})
	if err != nil {
		t.Fatal(err)
	}
	if p := inv.Cluster("pg").Problems; len(p) != 1 || p[0].At != (source.Pos{File: "~/pigsty/group_vars/pg.yml", Line: 2, Column: 1}) {
		t.Errorf("%+v", p)
	}
}
