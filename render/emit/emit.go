package emit

import (
	"encoding/json"
	"fmt"
	"strings"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/source"
)

// Kind is a format in which the endpoints of a cluster are written for another
// program.
type Kind string

// The kinds.
const (
	Service    Kind = "pgservice"   // libpq's pg_service.conf
	Pass       Kind = "pgpass"      // libpq's .pgpass, without the passwords
	Hosts      Kind = "hosts"       // /etc/hosts
	Dnsmasq    Kind = "dnsmasq"     // host-record lines
	Blackbox   Kind = "blackbox"    // file_sd targets in JSON for Prometheus's blackbox exporter, module tcp_connect
	Consul     Kind = "consul"      // service definitions in JSON for Consul's agents
	Provider   Kind = "provider"    // pg_service_provider for the inventory: a HAProxy tier
	VIPManager Kind = "vip-manager" // vip-manager.yml, a document for each instance
	Keepalived Kind = "keepalived"  // a VRRP instance for the HAProxy nodes
	Route53    Kind = "route53"     // CloudFormation: Route 53 records with health checks
	NLB        Kind = "nlb"         // CloudFormation: a Network Load Balancer
)

// Kinds are all of them, in the order they are listed.
func Kinds() []Kind {
	return []Kind{Service, Pass, Hosts, Dnsmasq, Blackbox, Consul, Provider, VIPManager, Keepalived, Route53, NLB}
}

// Names are the kinds as they are typed, with commas between.
func Names() string {
	names := make([]string, 0, len(Kinds()))
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// Text is the endpoints of a cluster in the format of the kind. It depends on the
// inventory alone and contains no password. An unknown kind is an error, and so
// is a kind for which the cluster has nothing.
func Text(k Kind, inv *model.Inventory, a *access.Access) (string, error) {
	switch k {
	case Service:
		return pgService(a), nil
	case Pass:
		return pgPass(a), nil
	case Hosts:
		return hostLines(a, "%[1]s %[2]s\n"), nil
	case Dnsmasq:
		return hostLines(a, "host-record=%[2]s,%[1]s\n"), nil
	case Blackbox:
		return blackbox(a)
	case Consul:
		return consul(a)
	case Provider:
		return provider(inv, a)
	case VIPManager:
		return vipManager(a)
	case Keepalived:
		return keepalived(inv, a)
	case Route53:
		return route53(a)
	case NLB:
		return networkLB(a)
	}
	return "", &source.Hint{Err: fmt.Errorf("--emit %s: expected %s", k, Names()), Try: fmt.Sprintf("pgtui access %s --emit %s", a.Cluster.Name, Service)}
}

// front are the entries of a port that clients should use: by the name or the
// address that follows the leader when there is one, else every HAProxy.
func front(a *access.Access, p model.EntryPort) []*access.Entry {
	var all []*access.Entry
	for i := range a.Entries {
		e := &a.Entries[i]
		if e.At != p {
			continue
		}
		switch e.On.Kind {
		case access.HostCluster, access.HostVIP:
			return []*access.Entry{e}
		case access.HostAddress, access.HostProvider:
			all = append(all, e)
		case access.HostInstance, access.HostExternal: // the same node by another name; what the inventory does not have
		}
	}
	return all
}

// pgService is a section for each service, and one for each instance itself.
func pgService(a *access.Access) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# pg_service.conf for %s: psql service=%[1]s-primary\n", a.Cluster.Name)
	section := func(name, use string, es []*access.Entry, attrs string) {
		if len(es) == 0 {
			return
		}
		d := es[0].DSN
		hosts, ports := make([]string, 0, len(es)), make([]string, 0, len(es))
		for _, e := range es {
			hosts, ports = append(hosts, e.Host), append(ports, fmt.Sprint(e.Port))
		}
		fmt.Fprintf(&b, "\n# %s\n[%s]\nhost=%s\nport=%s\ndbname=%s\nuser=%s\nconnect_timeout=3\n", use, name, line(strings.Join(hosts, ",")), strings.Join(ports, ","), line(d.Database), line(d.User))
		if len(es) > 1 && attrs != "" {
			fmt.Fprintf(&b, "target_session_attrs=%s\n", attrs)
		}
	}
	for _, p := range a.Ports {
		if p.Service == "" {
			continue
		}
		attrs := ""
		if p.Target == model.TargetPrimary {
			attrs = "read-write"
		}
		section(string(a.Cluster.Name)+"-"+p.Name, p.Use, front(a, p), attrs)
	}
	for i := range a.Entries {
		if e := &a.Entries[i]; e.On.Kind == access.HostAddress && e.At.Name == "postgres" && e.On.Instance != "" {
			section(string(e.On.Instance), "this instance, whatever its role", []*access.Entry{e}, "")
		}
	}
	return b.String()
}

// pgPass is a line for each user, database and entry. The password is left
// for the reader to fill in.
func pgPass(a *access.Access) string {
	var b strings.Builder
	b.WriteString("# .pgpass: replace PASSWORD, then chmod 0600; host:port:database:user:password\n")
	esc := func(s string) string { return strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(line(s)) }
	seen := map[string]bool{}
	for i := range a.Entries {
		e := &a.Entries[i]
		entry := fmt.Sprintf("%s:%d:%s:%s:PASSWORD\n", esc(e.Host), e.Port, esc(e.DSN.Database), esc(e.DSN.User))
		if !seen[entry] {
			seen[entry] = true
			b.WriteString(entry)
		}
	}
	return b.String()
}

// hostLines is a line for each name that leads to one address.
func hostLines(a *access.Access, form string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# the names of %s\n", a.Cluster.Name)
	for _, h := range a.Hosts {
		for _, addr := range h.Leads {
			if h.Kind == access.HostCluster && addr != a.Cluster.VIP {
				fmt.Fprintf(&b, "# %s does not follow a failover: it stays on %s\n", line(h.Name), line(addr))
			}
			if addr != "" {
				fmt.Fprintf(&b, form, line(addr), line(h.Name))
			}
		}
	}
	return b.String()
}

// target is one entry of Prometheus's file_sd.
type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// blackbox is a target for each service of each host: each fails alone.
func blackbox(a *access.Access) (string, error) {
	var out []target
	for i := range a.Entries {
		e := &a.Entries[i]
		if e.At.Service == "" || e.On.Kind == access.HostInstance {
			continue
		}
		out = append(out, target{[]string{e.String()}, map[string]string{
			"cls": string(a.Cluster.Name), "service": e.At.Name, "entry": string(e.On.Kind), "should": string(e.At.Target),
		}})
	}
	text, err := json.MarshalIndent(out, "", "  ")
	return string(text) + "\n", err
}
