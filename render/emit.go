package render

import (
	"encoding/json"
	"fmt"
	"strings"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/source"
)

// Kind is a form in which the ways into a cluster are written down for the
// programs that take them.
type Kind string

// The kinds.
const (
	KindService    Kind = "pgservice"   // libpq's pg_service.conf
	KindPass       Kind = "pgpass"      // libpq's .pgpass, without the passwords
	KindHosts      Kind = "hosts"       // /etc/hosts
	KindDnsmasq    Kind = "dnsmasq"     // host-record lines
	KindBlackbox   Kind = "blackbox"    // file_sd targets in JSON for Prometheus's blackbox exporter, module tcp_connect
	KindConsul     Kind = "consul"      // service definitions in JSON for Consul's agents
	KindProvider   Kind = "provider"    // pg_service_provider for the inventory: a HAProxy tier
	KindVIPManager Kind = "vip-manager" // vip-manager.yml, a document for each instance
	KindKeepalived Kind = "keepalived"  // a VRRP instance for the HAProxy nodes
	KindRoute53    Kind = "route53"     // CloudFormation: Route 53 records with health checks
	KindNLB        Kind = "nlb"         // CloudFormation: a Network Load Balancer
)

// Kinds are all of them, in the order they are listed.
func Kinds() []Kind {
	return []Kind{KindService, KindPass, KindHosts, KindDnsmasq, KindBlackbox, KindConsul, KindProvider, KindVIPManager, KindKeepalived, KindRoute53, KindNLB}
}

// KindNames are the kinds as they are typed, with commas between.
func KindNames() string {
	names := make([]string, 0, len(Kinds()))
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// Emit writes the ways into a cluster as the kind has it. It depends on the
// inventory alone, and holds no password. An unknown kind is an error, and so
// is one that the cluster has nothing for.
func Emit(k Kind, inv *model.Inventory, a *access.Access) (string, error) {
	switch k {
	case KindService:
		return emitService(a), nil
	case KindPass:
		return emitPass(a), nil
	case KindHosts:
		return emitHosts(a, "%[1]s %[2]s\n"), nil
	case KindDnsmasq:
		return emitHosts(a, "host-record=%[2]s,%[1]s\n"), nil
	case KindBlackbox:
		return emitBlackbox(a)
	case KindConsul:
		return emitConsul(a)
	case KindProvider:
		return emitProvider(inv, a), nil
	case KindVIPManager:
		return emitVIPManager(a)
	case KindKeepalived:
		return emitKeepalived(inv, a)
	case KindRoute53:
		return emitRoute53(a)
	case KindNLB:
		return emitNLB(a)
	}
	return "", &source.Hint{Err: fmt.Errorf("--emit %s: expected %s", k, KindNames()), Try: fmt.Sprintf("pgtui access %s --emit %s", a.Cluster.Name, KindService)}
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
		case access.HostInstance, access.HostExternal: // the same node by another name; what the inventory does not know
		}
	}
	return all
}

// emitService is a section for each service, and one for each instance itself.
func emitService(a *access.Access) string {
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
			section(string(e.On.Instance), "this instance itself, whatever its role", []*access.Entry{e}, "")
		}
	}
	return b.String()
}

// emitPass is a line for each user, database and entry. The password is left
// to whoever knows it.
func emitPass(a *access.Access) string {
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

// emitHosts is a line for each name that leads to one address.
func emitHosts(a *access.Access, form string) string {
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

// emitBlackbox is a target for each service of each host: each fails alone.
func emitBlackbox(a *access.Access) (string, error) {
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
