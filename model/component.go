package model

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/source"
	"pgtui/source/refs"
)

// Component is one program that Pigsty runs on a node, as the inventory
// promises it.
type Component struct {
	Name     string       // as Pigsty calls it: "pg_exporter"
	Module   string       // whose playbook installs it: node, pgsql, infra, etcd
	Host     Host         // where it runs
	Instance InstanceName // whose it is; "" when it is the node's
	Port     uint16       // 0 when it listens on none
	Ask      Ask          // how its health is probed
	Path     string       // of an HTTP question; "" otherwise
	TLS      bool         // it speaks TLS
	Unit     string       // its systemd unit, without ".service"
}

// Ask is how the health of a component is probed.
type Ask string

// The ways to probe.
const (
	AskHTTP     Ask = "http"     // GET of a path: 2xx is healthy
	AskPostgres Ask = "postgres" // SSLRequest: whoever answers speaks PostgreSQL's protocol
	AskSSH      Ask = "ssh"      // the banner
	AskDNS      Ask = "dns"      // a query that any server answers
	AskNTP      Ask = "ntp"      // a client's packet
	AskTCP      Ask = "tcp"      // it accepts a connection
	AskUnit     Ask = "unit"     // it has no port: systemd knows, over SSH
)

// ComponentHealth is what is known of a component.
type ComponentHealth string

// The states of a component.
const (
	ComponentUp      ComponentHealth = "up"      // it answers as it should
	ComponentSick    ComponentHealth = "sick"    // it answers, and is unhealthy
	ComponentDown    ComponentHealth = "down"    // nothing listens, or the unit is not active
	ComponentSilent  ComponentHealth = "silent"  // no answer in time: the node, the network or the program
	ComponentUnknown ComponentHealth = "unknown" // it could not be probed
)

// Word is the health on a screen and in a table: JSON has the value itself.
func (h ComponentHealth) Word() string {
	switch h {
	case ComponentSick:
		return "unhealthy"
	case ComponentSilent:
		return "no answer"
	}
	return string(h)
}

// ComponentState is what one component answered.
type ComponentState struct {
	Reachable bool // its port accepted a connection, or answered a packet
	Health    ComponentHealth
	Why       string // in plain words; "" when it is up and there is nothing to say
	Version   string // "" when it costs an extra request
	Unit      string // what systemd reports: "active"; "" when the node was not probed
}

// ComponentKey names one component of one node.
type ComponentKey struct {
	Host Host
	Name string
	Port uint16
}

// Key is the component's name among all.
func (c *Component) Key() ComponentKey { return ComponentKey{c.Host, c.Name, c.Port} }

// ComponentRow is a component beside what it answered.
type ComponentRow struct {
	Component
	State source.Observed[ComponentState]
}

// Components are the rows of the given nodes, node by node, those of an
// instance first where a node has them.
func Components(nodes []*Node, states map[ComponentKey]source.Observed[ComponentState]) []ComponentRow {
	var out []ComponentRow
	for _, n := range nodes {
		for _, c := range n.Components {
			o := states[c.Key()]
			if o.Tried.IsZero() {
				o.Value = ComponentState{Health: ComponentUnknown, Why: "not probed"}
			}
			out = append(out, ComponentRow{Component: c, State: o})
		}
	}
	return out
}

// ComponentsHealth sums rows up: down when a part that traffic goes through
// is, degraded when anything else is unhealthy, unknown when nothing is wrong and
// not everything is known.
func ComponentsHealth(rows []ComponentRow) (Health, string) {
	health, bad, known := HealthOK, []string{}, 0
	var unknown []string
	for i := range rows {
		r := &rows[i]
		switch r.State.Value.Health {
		case ComponentUp:
			known++
			continue
		case ComponentUnknown:
			unknown = append(unknown, fmt.Sprintf("%s on %s", r.Name, r.Host))
			continue
		}
		known++
		health = Worse(health, HealthDegraded)
		if r.Carries() {
			health = Worse(health, HealthDown)
		}
		bad = append(bad, fmt.Sprintf("%s on %s", r.Name, r.Host))
	}
	switch {
	case known == 0:
		return HealthUnknown, "no component could be probed"
	case len(bad) == 0 && len(unknown) > 0:
		return HealthUnknown, fmt.Sprintf("%d of %d components are healthy, %d unknown: %s", known, len(rows), len(unknown), fewOf(unknown))
	case len(bad) == 0:
		return health, fmt.Sprintf("%d components are healthy", known)
	case len(unknown) > 0:
		return health, fmt.Sprintf("%d of %d components are unhealthy, %d unknown: %s", len(bad), len(rows), len(unknown), fewOf(bad))
	}
	return health, fmt.Sprintf("%d of %d components are unhealthy: %s", len(bad), len(rows), fewOf(bad))
}

// fewOf are names with commas between, four at most.
func fewOf(names []string) string {
	if len(names) > 4 {
		return strings.Join(names[:4], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// Carries reports whether clients' traffic or the leader's lock goes through
// the component; exporters, dashboards and log agents only watch.
func (c *Component) Carries() bool {
	return slices.Contains([]string{"postgres", "pgbouncer", "patroni", "haproxy", "etcd"}, c.Name)
}

// Component returns the node's component of that name, or nil. A node with
// several of one name returns the first.
func (n *Node) Component(name string) *Component {
	return refs.Find(n.Components, func(c *Component) bool { return c.Name == name })
}

// Resolvers are the nodes that run Pigsty's DNS server, with its port, in
// inventory order.
func (inv *Inventory) Resolvers() []Component {
	var out []Component
	for i := range inv.Nodes {
		if c := inv.Nodes[i].Component("dnsmasq"); c != nil {
			out = append(out, *c)
		}
	}
	return out
}

// Part is one row of the table of what Pigsty runs: which component, where,
// and on which port unless the inventory says otherwise.
type Part struct {
	Name    string
	Module  string // node, pgsql, infra, etcd
	Enabled string // the variable that switches it off or on; "" when it always runs
	On      bool   // whether it runs when the variable is not set
	PortVar string // the variable of its port; "" when the port is fixed
	Port    uint16 // 0 when it listens on none
	Ask     Ask
	Path    string
	Unit    string
}

// Parts is what Pigsty of a generation runs, and where it listens.
func (d Dialect) Parts() []Part {
	old := d == DialectV20 || d == DialectV27 || d == DialectV37
	out := []Part{
		{Name: "postgres", Module: "pgsql", Enabled: "patroni_enabled", On: true, PortVar: "pg_port", Port: 5432, Ask: AskPostgres, Unit: "patroni"},
		{Name: "pgbouncer", Module: "pgsql", Enabled: "pgbouncer_enabled", On: true, PortVar: "pgbouncer_port", Port: 6432, Ask: AskPostgres, Unit: "pgbouncer"},
		{Name: "patroni", Module: "pgsql", Enabled: "patroni_enabled", On: true, PortVar: "patroni_port", Port: 8008, Ask: AskHTTP, Path: "/health", Unit: "patroni"},
		{Name: "vip-manager", Module: "pgsql", Enabled: "pg_vip_enabled", Ask: AskUnit, Unit: "vip-manager"},
		{Name: "pg_exporter", Module: "pgsql", Enabled: "pg_exporter_enabled", On: true, PortVar: "pg_exporter_port", Port: 9630, Ask: AskHTTP, Path: "/metrics", Unit: "pg_exporter"},
		{Name: "pgbouncer_exporter", Module: "pgsql", Enabled: "pgbouncer_exporter_enabled", On: true, PortVar: "pgbouncer_exporter_port", Port: 9631, Ask: AskHTTP, Path: "/metrics", Unit: "pgbouncer_exporter"},
		{Name: "pgbackrest_exporter", Module: "pgsql", Enabled: "pgbackrest_exporter_enabled", On: true, PortVar: "pgbackrest_exporter_port", Port: 9854, Ask: AskHTTP, Path: "/metrics", Unit: "pgbackrest_exporter"},
		{Name: "haproxy", Module: "node", Enabled: "haproxy_enabled", On: true, PortVar: "haproxy_exporter_port", Port: 9101, Ask: AskHTTP, Path: "/metrics", Unit: "haproxy"},
		{Name: "sshd", Module: "node", PortVar: "ansible_port", Port: 22, Ask: AskSSH, Unit: "sshd"},
		{Name: "node_exporter", Module: "node", Enabled: "node_exporter_enabled", On: true, PortVar: "node_exporter_port", Port: 9100, Ask: AskHTTP, Path: "/metrics", Unit: "node_exporter"},
		{Name: "keepalived", Module: "node", Enabled: "vip_enabled", PortVar: "vip_exporter_port", Port: 9650, Ask: AskHTTP, Path: "/metrics", Unit: "keepalived"},
		{Name: "docker", Module: "node", Enabled: "docker_enabled", PortVar: "docker_exporter_port", Port: 9323, Ask: AskHTTP, Path: "/metrics", Unit: "docker"},
		{Name: "chronyd", Module: "node", Enabled: "node_ntp_enabled", On: true, Ask: AskUnit, Unit: "chronyd"},
		{Name: "etcd", Module: "etcd", PortVar: "etcd_port", Port: 2379, Ask: AskHTTP, Path: "/health", Unit: "etcd"},
		{Name: "etcd-peer", Module: "etcd", PortVar: "etcd_peer_port", Port: 2380, Ask: AskTCP, Unit: "etcd"},
		{Name: "nginx", Module: "infra", Enabled: "nginx_enabled", On: true, PortVar: "nginx_port", Port: 80, Ask: AskHTTP, Path: "/", Unit: "nginx"},
		{Name: "nginx-tls", Module: "infra", Enabled: "nginx_enabled", On: true, PortVar: "nginx_ssl_port", Port: 443, Ask: AskTCP, Unit: "nginx"},
		{Name: "nginx_exporter", Module: "infra", Enabled: "nginx_exporter_enabled", On: true, PortVar: "nginx_exporter_port", Port: 9113, Ask: AskHTTP, Path: "/metrics", Unit: "nginx_exporter"},
		{Name: "grafana", Module: "infra", Enabled: "grafana_enabled", On: true, PortVar: "grafana_port", Port: 3000, Ask: AskHTTP, Path: "/api/health", Unit: "grafana-server"},
		{Name: "blackbox_exporter", Module: "infra", Enabled: "blackbox_enabled", On: true, PortVar: "blackbox_port", Port: 9115, Ask: AskHTTP, Path: "/-/healthy", Unit: "blackbox_exporter"},
		{Name: "dnsmasq", Module: "infra", Enabled: "dns_enabled", On: true, PortVar: "dns_port", Port: 53, Ask: AskDNS, Unit: "dnsmasq"},
		{Name: "ntp", Module: "infra", Enabled: "node_ntp_enabled", On: true, Port: 123, Ask: AskNTP, Unit: "chronyd"},
	}
	alert := uint16(9059)
	if d == DialectV20 || d == DialectV27 {
		alert = 9093
	}
	out = append(out, Part{Name: "alertmanager", Module: "infra", Enabled: "alertmanager_enabled", On: true, PortVar: "alertmanager_port", Port: alert, Ask: AskHTTP, Path: "/-/healthy", Unit: "alertmanager"})
	if old {
		return append(out, d.partsBeforeV4()...)
	}
	return append(out,
		Part{Name: "vector", Module: "node", Enabled: "vector_enabled", On: true, PortVar: "vector_port", Port: 9598, Ask: AskHTTP, Path: "/metrics", Unit: "vector"},
		Part{Name: "vmetrics", Module: "infra", Enabled: "vmetrics_enabled", On: true, PortVar: "vmetrics_port", Port: 8428, Ask: AskHTTP, Path: "/health", Unit: "vmetrics"},
		Part{Name: "vlogs", Module: "infra", Enabled: "vlogs_enabled", On: true, PortVar: "vlogs_port", Port: 9428, Ask: AskHTTP, Path: "/health", Unit: "vlogs"},
		Part{Name: "vtraces", Module: "infra", Enabled: "vtraces_enabled", On: true, PortVar: "vtraces_port", Port: 10428, Ask: AskHTTP, Path: "/health", Unit: "vtraces"},
		Part{Name: "vmalert", Module: "infra", Enabled: "vmalert_enabled", On: true, PortVar: "vmalert_port", Port: 8880, Ask: AskHTTP, Path: "/health", Unit: "vmalert"},
	)
}

// partsBeforeV4 are what Victoria and vector took the place of.
func (d Dialect) partsBeforeV4() []Part {
	prometheus := uint16(9090)
	if d == DialectV37 {
		prometheus = 9058
	}
	return []Part{
		{Name: "promtail", Module: "node", Enabled: "promtail_enabled", On: true, PortVar: "promtail_port", Port: 9080, Ask: AskHTTP, Path: "/ready", Unit: "promtail"},
		{Name: "prometheus", Module: "infra", Enabled: "prometheus_enabled", On: true, PortVar: "prometheus_port", Port: prometheus, Ask: AskHTTP, Path: "/-/healthy", Unit: "prometheus"},
		{Name: "pushgateway", Module: "infra", Enabled: "pushgateway_enabled", On: true, PortVar: "pushgateway_port", Port: 9091, Ask: AskHTTP, Path: "/-/healthy", Unit: "pushgateway"},
		{Name: "loki", Module: "infra", Enabled: "loki_enabled", On: true, PortVar: "loki_port", Port: 3100, Ask: AskHTTP, Path: "/ready", Unit: "loki"},
	}
}

// NodeFacts is what a node reports of itself over SSH.
type NodeFacts struct {
	Addrs []NodeAddr        // its IPv4 addresses, a VIP among them
	Units map[string]string // what systemd reports of the units that were requested
}

// NodeAddr is one address of a node.
type NodeAddr struct {
	Device string
	Addr   string // without its prefix length
}

// Has reports whether the node has the address.
func (f *NodeFacts) Has(addr string) bool {
	return slices.ContainsFunc(f.Addrs, func(a NodeAddr) bool { return a.Addr == addr })
}
