package pigsty_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/model/failover"
	"pgtui/pigsty"
)

// TestAccess: names, roles and the DNS target come from the inventory; a
// password never does, not even when it is a template.
func TestAccess(t *testing.T) {
	text := func(vars string) string {
		return `
all:
  vars: { version: v4.5.0, hush: Tops3cret, who: app }
  children:
    pg-test:
      hosts: { 10.10.10.11: { pg_seq: 1, pg_role: primary } }
      vars:
        pg_cluster: pg-test
        pg_users:
          - { name: "{{ who }}", password: "{{ hush }}1", pgbouncer: true, roles: [ dbrole_readwrite ] }
          - { name: ana, password: Pl4in, roles: dbrole_offline }
          - { name: gone, password: Pl4in, state: absent }
        pg_databases: [ { name: shop }, { name: raw, pgbouncer: false } ]
` + vars
	}
	for _, tt := range []struct {
		vars, name, target string
		ttl                time.Duration
	}{
		{"", "pg-test", "10.10.10.11", 30 * time.Second},
		{"        pg_vip_enabled: true\n        pg_vip_address: 10.10.10.3/24\n        pg_rto: fast\n", "pg-test", "10.10.10.3", 20 * time.Second},
		{"        pg_dns_target: none\n        pg_rto: 45\n", "", "", 45 * time.Second},
		{"        dns_enabled: false\n        pg_rto: 45\n", "", "", 45 * time.Second},
		{"        dns_enabled: 'yes'\n", "pg-test", "10.10.10.11", 30 * time.Second},
		{"        pg_dns_target: primary\n        pg_dns_suffix: .db\n        pg_rto: wide\n", "pg-test.db", "10.10.10.11", 120 * time.Second},
		{"        pg_dns_target: 10.9.9.9\n        pg_rto: safe\n", "pg-test", "10.9.9.9", 60 * time.Second},
	} {
		c := parse(t, text(tt.vars), pigsty.Options{}).Clusters[0]
		if c.DNS.Name != tt.name || c.DNS.Target != tt.target || c.TTL != tt.ttl {
			t.Errorf("%q: %+v, ttl %v", tt.vars, c.DNS, c.TTL)
		}
		if got := fmt.Sprint(c.Users, c.Databases, c.Admin); got != "[{app true [dbrole_readwrite]} {ana false [dbrole_offline]}] [{shop true} {raw false}] {dbuser_dba true [dbrole_admin]}" {
			t.Errorf("%s", got)
		}
		if all := fmt.Sprintf("%+v", c); strings.Contains(all, "Tops3cret") || strings.Contains(all, "Pl4in") {
			t.Errorf("a password is held: %s", all)
		}
	}
}

// TestVIPs: what vip-manager and keepalived are told, generation by generation.
func TestVIPs(t *testing.T) {
	text := `
all:
  vars: { etcd_port: 2378, pg_namespace: /pgx }
  children:
    etcd: { hosts: { 10.10.10.9: { etcd_seq: 1 }, 10.10.10.10: { etcd_seq: 2 } } }
    pg-test:
      hosts: { 10.10.10.11: { pg_seq: 1, pg_role: primary, vip_enabled: true, vip_address: 10.10.10.8/24, vip_vrid: 300 } }
      vars: { pg_cluster: pg-test, pg_vip_enabled: true, pg_vip_address: 10.10.10.3/26, pg_etcd_password: Pl4in }
`
	for _, tt := range []struct{ version, want string }{
		{"v4.5.0", "{26 auto /pgx/pg-test/leader [https://10.10.10.10:2378 https://10.10.10.9:2378] pg-test}"},
		{"v3.7.0", "{26 eth0 /pgx/pg-test/leader [https://10.10.10.10:2378 https://10.10.10.9:2378] }"},
	} {
		inv := parse(t, strings.Replace(text, "vars: {", "vars: { version: "+tt.version+",", 1), pigsty.Options{})
		if got := fmt.Sprint(inv.Clusters[0].VIPManager); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.version, got, tt.want)
		}
		if got := fmt.Sprint(inv.Node("10.10.10.11").VIP, inv.Node("10.10.10.9").VIP); got != "{10.10.10.8 0 auto} { 0 }" {
			t.Errorf("%s: %s", tt.version, got)
		}
	}
}

// TestFailoverRules: what Pigsty's patroni.yml says of who may take over,
// generation by generation.
func TestFailoverRules(t *testing.T) {
	text := `
all:
  children:
    etcd: { hosts: { 10.10.10.9: { etcd_seq: 1 }, 10.10.10.10: { etcd_seq: 2 } } }
    pg-test:
      hosts: { 10.10.10.12: { pg_seq: 2, pg_role: replica, pg_rpo: 7 }, 10.10.10.11: { pg_seq: 1, pg_role: primary } }
      vars: { pg_cluster: pg-test }
`
	const etcd = "[10.10.10.10:2379 10.10.10.9:2379]"
	for _, tt := range []struct{ vars, want string }{
		{"", "off false 1048576 true pg_rpo 1048576, pg_conf oltp.yml " + etcd},
		{", pg_rpo: 20971520", "off false 20971520 true pg_rpo 20971520, pg_conf oltp.yml " + etcd},
		{", pg_rpo: 0", "on false 0 true pg_rpo 0, pg_conf oltp.yml " + etcd},
		{", pg_conf: crit.yml", "on true 1048576 true pg_rpo 1048576, pg_conf crit.yml " + etcd},
		{", pg_conf: crit.yml # v3.7.0", "on false 1048576 true pg_rpo 1048576, pg_conf crit.yml " + etcd},
		{", pg_conf: crit.yml, pg_upstream: 10.1.1.1", "off true 1048576 true pg_rpo 1048576, pg_conf crit.yml " + etcd},
		{", pg_dcs_type: consul", "off false 1048576 true pg_rpo 1048576, pg_conf oltp.yml []"},
	} {
		vars, version, old := strings.Cut(tt.vars, " # ")
		doc := strings.Replace(text, "pg_seq: 1, pg_role: primary", "pg_seq: 1, pg_role: primary"+vars, 1)
		if old {
			doc = strings.Replace(doc, "all:\n", "all:\n  vars: { version: "+version+" }\n", 1)
		}
		c := parse(t, doc, pigsty.Options{}).Clusters[0]
		r := failover.Rules{PatroniConf: c.Patroni}
		if got := fmt.Sprint(r.SyncMode(), " ", r.Strict, " ", r.MaxLag, " ", r.Failsafe, " ", c.PatroniFrom, " ", c.Etcd); got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.vars, got, tt.want)
		}
	}
}
