package pigsty_test

import (
	"testing"

	"pgtui/model"
	"pgtui/pigsty"
)

// TestComponents reads what runs where off small inventories of every
// generation: 0 is a component that is not there.
func TestComponents(t *testing.T) {
	text := func(version string) string {
		return `
all:
  vars: { version: ` + version + `, pg_exporter_port: 9999, exporter_metrics_path: /m }
  children:
    infra: { hosts: { 10.10.10.9: { infra_seq: 1, grafana_enabled: false, ansible_connection: local } } }
    etcd: { hosts: { 10.10.10.9: { etcd_seq: 1 } } }
    pg-test:
      hosts:
        10.10.10.11: { pg_seq: 1, pg_role: primary, pgbouncer_enabled: false, patroni_ssl_enabled: true }
      vars: { pg_cluster: pg-test, pg_vip_enabled: true, pg_vip_address: 10.10.10.3/24 }
`
	}
	for _, tt := range []struct {
		version string
		infra   map[string]uint16
		pg      map[string]uint16
	}{
		{"v4.5.0", map[string]uint16{"vmetrics": 8428, "alertmanager": 9059, "prometheus": 0, "grafana": 0, "dnsmasq": 53, "etcd": 2379, "sshd": 0, "postgres": 0},
			map[string]uint16{"postgres": 5432, "pgbouncer": 0, "pg_exporter": 9999, "vector": 9598, "promtail": 0, "haproxy": 9101, "sshd": 22, "nginx": 0, "keepalived": 0}},
		{"v3.7.0", map[string]uint16{"vmetrics": 0, "prometheus": 9058, "alertmanager": 9059, "loki": 3100}, map[string]uint16{"vector": 0, "promtail": 9080}},
		{"v2.5.0", map[string]uint16{"prometheus": 9090, "alertmanager": 9093, "pushgateway": 9091}, map[string]uint16{"promtail": 9080}},
	} {
		inv := parse(t, text(tt.version), pigsty.Options{})
		check := func(h model.Host, want map[string]uint16) {
			t.Helper()
			for name, port := range want {
				got := uint16(0)
				if c := inv.Node(h).Component(name); c != nil {
					got = c.Port
				}
				if got != port {
					t.Errorf("%s: %s on %s has port %d, want %d", tt.version, name, h, got, port)
				}
			}
		}
		check("10.10.10.9", tt.infra)
		check("10.10.10.11", tt.pg)
		n := inv.Node("10.10.10.11")
		if c := n.Component("patroni"); c == nil || !c.TLS || c.Instance != "pg-test-1" {
			t.Errorf("patroni: %+v", c)
		}
		if c := n.Component("pg_exporter"); c.Path != "/m" {
			t.Errorf("pg_exporter: %+v", c)
		}
		if n.Component("vip-manager") == nil || len(inv.Resolvers()) != 1 {
			t.Errorf("no vip-manager, or %d resolvers", len(inv.Resolvers()))
		}
	}
}
