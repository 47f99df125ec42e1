package lint

import (
	"pgtui/ansible/py"
	"pgtui/model"
)

// component is something of Pigsty that listens on a port.
type component struct {
	port int
	name string
	here bool // it runs on the node
}

// components are what listens on a node, and what Pigsty keeps ports for.
func (in *Input) components(h model.Host) []component {
	has := func(name string) bool { _, ok := in.At(h, name); return ok }
	pg := has("pg_cluster")
	etcd := has("etcd_seq")
	out := []component{
		{22, "sshd", true},
		{in.portVar(h, "haproxy_exporter_port", 9101), "HAProxy's statistics page", true},
		{in.portVar(h, "node_exporter_port", 9100), "node_exporter", in.on(h, "node_exporter_enabled", true)},
		{in.portVar(h, "pg_port", 5432), "PostgreSQL", pg},
		{in.portVar(h, "pgbouncer_port", 6432), "pgbouncer", pg && in.on(h, "pgbouncer_enabled", true)},
		{in.portVar(h, "patroni_port", 8008), "Patroni", pg && in.on(h, "patroni_enabled", true)},
		{in.portVar(h, "pg_exporter_port", 9630), "pg_exporter", pg && in.on(h, "pg_exporter_enabled", true)},
		{in.portVar(h, "pgbouncer_exporter_port", 9631), "pgbouncer_exporter", pg && in.on(h, "pgbouncer_exporter_enabled", true)},
		{in.portVar(h, "pgbackrest_exporter_port", 9854), "pgbackrest_exporter", pg && in.on(h, "pgbackrest_exporter_enabled", true)},
		{in.portVar(h, "etcd_port", 2379), "etcd", etcd},
		{in.portVar(h, "etcd_peer_port", 2380), "etcd's peers", etcd},
	}
	if in.Model.Dialect == model.DialectV40 || in.Model.Dialect == model.DialectV45 {
		out = append(out, component{in.portVar(h, "vector_port", 9598), "vector", in.on(h, "vector_enabled", true)})
	} else {
		out = append(out, component{in.portVar(h, "promtail_port", 9080), "promtail", in.on(h, "promtail_enabled", true)})
	}
	if in.on(h, "vip_enabled", false) {
		out = append(out, component{in.portVar(h, "vip_exporter_port", 9650), "keepalived_exporter", true})
	}
	if in.on(h, "docker_enabled", false) {
		out = append(out, component{in.portVar(h, "docker_exporter_port", 9323), "docker", true})
	}
	if has("infra_seq") {
		out = append(out, in.infraComponents(h)...)
	}
	if has("minio_seq") {
		out = append(out, component{in.portVar(h, "minio_port", 9000), "minio", true}, component{in.portVar(h, "minio_admin_port", 9001), "minio's console", true})
	}
	return append(out, in.redisComponents(h)...)
}

func (in *Input) infraComponents(h model.Host) []component {
	out := []component{
		{in.portVar(h, "nginx_port", 80), "nginx", true}, {in.portVar(h, "nginx_ssl_port", 443), "nginx", true},
		{in.portVar(h, "grafana_port", 3000), "grafana", true}, {9115, "blackbox_exporter", true}, {53, "dnsmasq", true},
	}
	switch in.Model.Dialect {
	case model.DialectV40, model.DialectV45:
		return append(out, component{8428, "VictoriaMetrics", true}, component{9428, "VictoriaLogs", true}, component{10428, "VictoriaTraces", true},
			component{8880, "vmalert", true}, component{9059, "alertmanager", true})
	}
	return append(out, component{3100, "loki", true})
}

func (in *Input) redisComponents(h model.Host) []component {
	v, ok, err := in.Var(h, "redis_instances")
	d, isDict := v.(*py.Dict)
	if !ok || err != nil || !isDict {
		return nil
	}
	out := []component{{in.portVar(h, "redis_exporter_port", 9121), "redis_exporter", true}}
	for _, e := range d.Entries() {
		if n := portOf(py.Print(e.Key)); n != 0 {
			out = append(out, component{n, "redis", true})
		}
	}
	return out
}
