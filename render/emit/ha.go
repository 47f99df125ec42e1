package emit

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/render"
	"pgtui/source"
)

// servicesOf are the services of the cluster with their columns, each port
// once; twice are the services whose port another service already has.
func servicesOf(a *access.Access) (ports []model.EntryPort, twice []string) {
	seen := map[uint16]bool{}
	for _, p := range a.Ports {
		switch {
		case p.Service == "" || a.Cluster.Service(p.Service) == nil:
		case seen[p.Port]:
			twice = append(twice, fmt.Sprintf("%s on %d", p.Name, p.Port))
		default:
			seen[p.Port] = true
			ports = append(ports, p)
		}
	}
	return ports, twice
}

// directServers are the servers for a balancer that has no backup servers: the
// service's regular servers, or its backups when it has no others. leftOut are
// the backups that are not used.
func directServers(svc *model.Service) (use []model.Server, leftOut []model.InstanceName) {
	servers, backup := svc.Servers()
	var spare []model.Server
	for i := range servers {
		if backup[i] {
			spare = append(spare, servers[i])
			leftOut = append(leftOut, servers[i].Name)
		} else {
			use = append(use, servers[i])
		}
	}
	if len(use) == 0 {
		return spare, nil
	}
	return use, leftOut
}

// noServices is the error of a kind that needs services where there are none.
func noServices(k Kind, c *model.Cluster) error {
	return &source.Hint{Err: fmt.Errorf("--emit %s: %s has no service with a port and a server", k, c.Name), Try: fmt.Sprintf("pgtui render %s", c.Name)}
}

// consulService is a service definition of a Consul agent.
type consulService struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Address string            `json:"address"`
	Port    int               `json:"port"`
	Tags    []string          `json:"tags"`
	Meta    map[string]string `json:"meta"`
	Weights *consulWeights    `json:"weights,omitempty"`
	Checks  []consulCheck     `json:"checks"`
}

type consulWeights struct {
	Passing int `json:"passing"`
	Warning int `json:"warning"`
}

type consulCheck struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	HTTP     string `json:"http,omitempty"`
	Method   string `json:"method,omitempty"`
	TCP      string `json:"tcp,omitempty"`
	Interval string `json:"interval"`
	Timeout  string `json:"timeout"`
}

// consul is a definition for each server of each service. One check queries
// Patroni for the role, one connects to the port.
func consul(a *access.Access) (string, error) {
	var out struct {
		Services []consulService `json:"services"`
	}
	ports, _ := servicesOf(a)
	for _, p := range ports {
		svc := a.Cluster.Service(p.Service)
		servers, _ := directServers(svc)
		for _, s := range servers {
			port, err := strconv.ParseUint(s.Port, 10, 16)
			if err != nil {
				continue // HAProxy refuses it too
			}
			check, err := strconv.ParseUint(s.CheckPort, 10, 16)
			if err != nil {
				continue
			}
			scheme := "http"
			if s.CheckTLS {
				scheme = "https"
			}
			id := svc.Proxy() + "-" + string(s.Name)
			c := consulService{
				ID: id, Name: svc.Proxy(), Address: string(s.Host), Port: int(port), Tags: add([]string{p.Name}, string(p.Target)),
				Meta: map[string]string{"cls": string(a.Cluster.Name), "ins": string(s.Name), "service": p.Name, "haproxy_port": strconv.Itoa(int(p.Port))},
				Checks: []consulCheck{
					{ID: id + "-role", Name: "Patroni answers 200 to " + svc.Check, HTTP: scheme + "://" + model.Endpoint{Host: string(s.Host), Port: uint16(check)}.String() + svc.Check,
						Method: "OPTIONS", Interval: "5s", Timeout: "2s"},
					{ID: id + "-port", Name: "the port accepts connections", TCP: model.Endpoint{Host: string(s.Host), Port: uint16(port)}.String(), Interval: "5s", Timeout: "2s"},
				},
			}
			if w, err := strconv.Atoi(s.Weight); err == nil && w > 0 && w <= 65535 {
				c.Weights = &consulWeights{Passing: w, Warning: 1}
			}
			out.Services = append(out.Services, c)
		}
	}
	if len(out.Services) == 0 {
		return "", noServices(Consul, a.Cluster)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(out)
	return b.String(), err
}

// vipManager is vip-manager.yml for each instance.
func vipManager(a *access.Access) (string, error) {
	c := a.Cluster
	if c.VIP == "" {
		return "", &source.Hint{Err: fmt.Errorf("--emit %s: %s has no VIP: pg_vip_enabled is false", VIPManager, c.Name),
			Try: "pg_vip_enabled: true, pg_vip_address: 10.10.10.3/24 below the vars of " + string(c.Name) + " in the inventory"}
	}
	m := c.VIPManager
	prefix, err := strconv.Atoi(m.Prefix)
	if err != nil {
		return "", fmt.Errorf("--emit %s: pg_vip_address of %s has the prefix length %q: expected a number", VIPManager, c.Name, line(m.Prefix))
	}
	var b strings.Builder
	note(&b, fmt.Sprintf("vip-manager.yml for %s: each node gets the document of its instance as /etc/default/vip-manager.yml (mode 0600), then: systemctl restart vip-manager. "+
		"Pigsty writes the same: ./pgsql.yml -l %[1]s -t pg_vip", c.Name))
	lint(&b, "layer-2", "every node must be in one layer 2 network with "+c.VIP+": this does not work in a cloud's VPC")
	lint(&b, "follows-key", "it follows the leader key in etcd, not HAProxy: when HAProxy on the leader's node is down, the service ports at the VIP are down")
	if c.Provider != "" {
		lint(&b, "provider", "the services are on the nodes of "+c.Provider+": the VIP reaches the ports of PostgreSQL and pgbouncer only")
	}
	if m.Interface == "auto" {
		lint(&b, "interface", "pg_vip_interface is auto: replace INTERFACE with the one that has the node's address (ip -o -4 addr show)")
	}
	if len(m.Endpoints) == 0 {
		lint(&b, "no-etcd", "the inventory has no group etcd: add the endpoints")
	}
	if m.User != "" {
		lint(&b, "password", "replace PASSWORD with pg_etcd_password, or with the name of the etcd user where that is empty")
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		fs := fields{
			{"interval", 1000, "milliseconds between two reads of the key"},
			{"trigger-key", m.Key, "where Patroni keeps the leader's name: pg_namespace, scope"},
			{"trigger-value", string(in.Name), ""},
			{"ip", c.VIP, ""},
			{"netmask", prefix, ""},
			{"interface", iface(m.Interface), ""},
			{"hosting-type", "basic", ""},
			{"dcs-type", "etcd", ""},
		}
		ends := list{}
		for _, e := range m.Endpoints {
			ends = append(ends, e)
		}
		fs = append(fs, field{"dcs-endpoints", ends, ""}, field{"etcd-ca-file", "/pg/cert/ca.crt", ""},
			field{"etcd-cert-file", "/pg/cert/server.crt", ""}, field{"etcd-key-file", "/pg/cert/server.key", ""})
		if m.User != "" {
			fs = append(fs, field{"etcd-user", m.User, ""}, field{"etcd-password", "PASSWORD", ""})
		}
		fs = append(fs, field{"retry-num", 2, ""}, field{"retry-after", 250, "milliseconds"}, field{"verbose", false, ""})
		b.WriteString("---\n")
		note(&b, fmt.Sprintf("%s on %s", in.Name, in.Host))
		if err := writeYAML(&b, fs); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// iface is the interface, or a placeholder where only the node knows it.
func iface(declared string) string {
	if declared == "auto" || declared == "" {
		return "INTERFACE"
	}
	return declared
}

// lint is a line of the header that names a limit.
func lint(b *strings.Builder, code, text string) { note(b, "lint "+code+": "+text) }

// word is a name as a program's configuration can hold it without quotes.
func word(s string) string { return regexp.MustCompile(`[^A-Za-z0-9_.:/-]`).ReplaceAllString(s, "_") }

// keepNode is one HAProxy node of a VRRP instance.
type keepNode struct {
	id   string // what keepalived knows the node by
	host string
}

// keepalived is one keepalived.conf for all HAProxy nodes of the cluster:
// lines that are for one node only begin with its name.
func keepalived(inv *model.Inventory, a *access.Access) (string, error) {
	c := a.Cluster
	vip, from := nodeVIP(inv, c), "vip_address"
	if vip.Address == "" {
		vip, from = model.NodeVIP{Address: c.VIP, Interface: c.VIPManager.Interface}, "pg_vip_address"
	}
	addr, err := netip.ParseAddr(vip.Address)
	if err != nil {
		what := "neither vip_address of its HAProxy nodes nor pg_vip_address is declared"
		if vip.Address != "" {
			what = fmt.Sprintf("%s %q is not an address", from, line(vip.Address))
		}
		return "", &source.Hint{Err: fmt.Errorf("--emit %s: %s has no virtual address: %s", Keepalived, c.Name, what),
			Try: "vip_enabled: true, vip_address: 10.10.10.9, vip_vrid: 9 for the HAProxy nodes in the inventory"}
	}
	nodes, port := keepNodes(inv, c)
	b := &strings.Builder{}
	keepHead(b, c, vip, from, len(nodes))
	if vip.Router == 0 {
		last := addr.AsSlice()
		vip.Router = max(int(last[len(last)-1]), 1)
	}
	prefix := 32
	if addr.Is6() {
		prefix = 128
	}
	name := word(string(c.Name))
	if c.Provider != "" {
		name = word(c.Provider)
	}
	fmt.Fprintf(b, "\n$INTERFACE=%s\n\nglobal_defs {\n  enable_script_security\n  script_user nobody\n}\n", word(iface(vip.Interface)))
	fmt.Fprintf(b, "\n# HAProxy on this node responds: when it does not, the node gives up the address\nvrrp_script chk_haproxy {\n"+
		"  script \"/usr/bin/curl -fsS -m 2 -o /dev/null http://127.0.0.1:%d/metrics\"\n  interval 2\n  timeout 3\n  fall 3\n  rise 2\n}\n", port)
	ports, _ := servicesOf(a)
	check := ""
	for _, p := range ports {
		if p.Target == model.TargetPrimary {
			check = "chk_primary"
			fmt.Fprintf(b, "\n# HAProxy has a server for %[1]s: the node is preferred. A weight, because without a leader no node has a server,\n"+
				"# and then no node should give up the address\nvrrp_script chk_primary {\n"+
				"  script \"/bin/sh -c '/usr/bin/curl -fsS -m 2 http://127.0.0.1:%[2]d/metrics | /bin/grep -q \\\"^haproxy_backend_status.proxy=.%[1]s.,state=.UP.. 1\\\"'\"\n"+
				"  interval 2\n  timeout 3\n  fall 2\n  rise 2\n  weight 20\n}\n", word(a.Cluster.Service(p.Service).Proxy()), port)
			break
		}
	}
	fmt.Fprintf(b, "\n# one priority for all: a node that returns does not take the address from an equally good one\n"+
		"vrrp_instance %s {\n  state BACKUP\n  interface $INTERFACE\n  virtual_router_id %d\n  advert_int 1\n  priority 100\n", name, vip.Router)
	for _, n := range nodes {
		fmt.Fprintf(b, "  @%s unicast_src_ip %s\n", n.id, n.host)
	}
	b.WriteString("  unicast_peer {\n")
	for _, n := range nodes {
		fmt.Fprintf(b, "    @^%s %s\n", n.id, n.host)
	}
	fmt.Fprintf(b, "  }\n  virtual_ipaddress {\n    %s/%d\n  }\n  track_script {\n    chk_haproxy\n", addr, prefix)
	if check != "" {
		fmt.Fprintf(b, "    %s\n", check)
	}
	b.WriteString("  }\n}\n")
	return b.String(), nil
}

// keepHead is the header: what the file needs, and its limits.
func keepHead(b *strings.Builder, c *model.Cluster, vip model.NodeVIP, from string, nodes int) {
	note(b, fmt.Sprintf("keepalived.conf for %s: %s (%s) on one of the nodes whose HAProxy runs. The same file goes to every node: lines that begin with @ are for the node of that name "+
		"(uname -n up to the first dot, or keepalived -i NAME). Check it with: keepalived -t -f FILE", c.Name, vip.Address, from))
	lint(b, "layer-2", "every node must be in one layer 2 network: a cloud's VPC does not forward gratuitous ARP")
	lint(b, "any-node", "the address is on any node with a HAProxy, not on the leader's: use the service ports there, never 5432 or 6432")
	lint(b, "node-vip", "Pigsty's own keepalived.conf (vip_enabled) checks nothing, so the address stays on a node whose HAProxy is down; the next run of node_vip replaces this file")
	if from == "pg_vip_address" {
		lint(b, "two-owners", vip.Address+" belongs to vip-manager: set pg_vip_enabled: false and stop vip-manager first, or choose another address; two owners both answer ARP")
	}
	if vip.Router == 0 {
		lint(b, "vrid", "no vip_vrid is declared: virtual_router_id is the last number of the address, and must be unique in the network")
	}
	lint(b, "auth", "no password is written: if the nodes share one (vip_auth_pass), add authentication { auth_type PASS auth_pass … }")
	if iface(vip.Interface) == "INTERFACE" {
		lint(b, "interface", "the interface is auto: replace INTERFACE with the one that has the node's address (ip -o -4 addr show)")
	}
	if nodes < 2 {
		lint(b, "one-node", "there is one HAProxy node: no other node can take over the address")
	}
}

// nodeVIP is the address of keepalived on the cluster's HAProxy nodes; zero when
// none is declared.
func nodeVIP(inv *model.Inventory, c *model.Cluster) model.NodeVIP {
	for i := range c.LoadBalancers {
		if n := inv.Node(c.LoadBalancers[i].Host); n != nil && n.VIP.Address != "" {
			return n.VIP
		}
	}
	return model.NodeVIP{}
}

// keepNodes are the cluster's HAProxy nodes, and the port of their metrics.
func keepNodes(inv *model.Inventory, c *model.Cluster) ([]keepNode, uint16) {
	var out []keepNode
	port := uint16(9101)
	for i := range c.LoadBalancers {
		h := c.LoadBalancers[i].Host
		k := keepNode{id: word(string(h)), host: word(string(h))}
		if n := inv.Node(h); n != nil {
			if n.Name != "" {
				k.id = word(n.Name)
			}
			if n.HAProxy.Port > 0 && i == 0 {
				port = n.HAProxy.Port
			}
		}
		out = append(out, k)
	}
	return out, port
}

// provider is what the inventory needs for a dedicated HAProxy tier.
func provider(inv *model.Inventory, a *access.Access) (string, error) {
	c := a.Cluster
	b := &strings.Builder{}
	group, hosts := "proxy", fields{
		{"ADDRESS_1", fields{{"nodename", "proxy-1", ""}}, ""},
		{"ADDRESS_2", fields{{"nodename", "proxy-2", ""}}, ""},
	}
	note(b, fmt.Sprintf("pg_service_provider for %s: its services on dedicated HAProxy nodes. Merge this into the inventory.", c.Name))
	if c.Provider != "" {
		note(b, "The cluster already uses it: "+c.Provider+".")
		group, hosts = c.Provider, nil
		for i := range c.LoadBalancers {
			if h := string(c.LoadBalancers[i].Host); !onNode(c, h) {
				hosts = append(hosts, field{h, fields{}, ""})
			}
		}
	}
	for i := range inv.Clusters {
		if o := &inv.Clusters[i]; c.Provider == "" && o.Provider == group { // another cluster has it, perhaps on the same ports
			group += "-" + string(c.Name)
		}
	}
	dir := inv.Dialect.ConfDir()
	note(b, "Then, in this order:")
	note(b, fmt.Sprintf("1. ./node.yml -l %s: HAProxy on the tier", group))
	note(b, fmt.Sprintf("2. pgtui diff %s, then ./pgsql.yml -l %[1]s -t pg_service: only the run on the declared primary writes the tier's files", c.Name))
	note(b, fmt.Sprintf("3. pgtui access %s --prove: every service through every node of the tier", c.Name))
	note(b, fmt.Sprintf("4. move the clients, then remove %s/%s-SERVICE.cfg from the old nodes and reload HAProxy: no playbook removes them", dir, c.Name))
	lint(b, "address", "the tier needs an address in front of it: --emit keepalived, route53 or nlb")
	lint(b, "pg-hba", "pg_hba and pgb_hba see the tier's addresses instead of the clients': allow them, and do not distinguish clients by address")
	lint(b, "firewall", "the tier must reach the servers and Patroni: "+serverPorts(a))
	lint(b, "no-remote", "Pigsty does not report a group that does not exist or has no hosts: the services stay on the cluster's own nodes")
	if patroniTLS(c) {
		lint(b, "patroni-tls", "the checks use TLS and read the CA at "+render.CAFile(inv.Dialect)+": a node without PostgreSQL has no such file, and HAProxy then refuses its whole configuration; copy the file first")
	}
	if c.VIP != "" {
		lint(b, "vip", "the VIP "+c.VIP+" stays on the leader's node, which has no service ports any more: it reaches PostgreSQL and pgbouncer only")
	}
	portClashes(b, inv, a)
	if len(c.LoadBalancers) < 2 && c.Provider != "" {
		lint(b, "one-node", "the tier has one node: when it is down, the services are down")
	}
	err := writeYAML(b, fields{{"all", fields{{"children", fields{
		{group, fields{{"hosts", hosts, ""}, {"vars", fields{{"node_cluster", group, ""}}, ""}}, "the tier: at least two nodes, without PostgreSQL"},
		{string(c.Name), fields{{"vars", fields{{"pg_service_provider", group, "the services move from the cluster's own nodes to those of this group"}}, ""}}, ""},
	}, ""}}, ""}})
	return b.String(), err
}

func onNode(c *model.Cluster, host string) bool {
	for i := range c.Instances {
		if string(c.Instances[i].Host) == host {
			return true
		}
	}
	return false
}

// patroniTLS reports whether any check of the cluster uses TLS.
func patroniTLS(c *model.Cluster) bool {
	for i := range c.Instances {
		if c.Instances[i].PatroniTLS {
			return true
		}
	}
	return false
}

// serverPorts are the ports behind the services and those of their checks.
func serverPorts(a *access.Access) string {
	seen, out := map[string]bool{}, []string{}
	ports, _ := servicesOf(a)
	for _, p := range ports {
		servers, _ := a.Cluster.Service(p.Service).Servers()
		for _, s := range servers {
			for _, port := range []string{s.Port, s.CheckPort} {
				if !seen[port] {
					seen[port] = true
					out = append(out, port)
				}
			}
		}
	}
	return strings.Join(out, ", ")
}

// portClashes names the clusters whose services have the same ports: they cannot
// share a tier.
func portClashes(b *strings.Builder, inv *model.Inventory, a *access.Access) {
	mine := map[string]bool{}
	for _, s := range a.Cluster.Services() {
		mine[s.Port] = true
	}
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		if c.Name == a.Cluster.Name {
			continue
		}
		var same []string
		for _, s := range c.Services() {
			if mine[s.Port] {
				same = append(same, s.Port)
			}
		}
		if len(same) == 0 {
			continue
		}
		where := "the two cannot share a tier"
		if c.Provider != "" {
			where = "the two cannot share its tier " + c.Provider
		}
		lint(b, "ports", fmt.Sprintf("%s has services on %s too: %s unless one gets other ports (pg_default_services); HAProxy accepts both, and the kernel splits the connections between them",
			c.Name, strings.Join(same, ", "), where))
	}
}
