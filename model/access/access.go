package access

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
	"pgtui/source/refs"
)

// HostKind says what a host of the access matrix is.
type HostKind string

// The kinds of hosts, in the order the matrix lists them.
const (
	HostCluster  HostKind = "cluster"  // the cluster's name, as dnsmasq on the infra nodes resolves it
	HostVIP      HostKind = "vip"      // the address that vip-manager keeps on the leader's node
	HostInstance HostKind = "instance" // an instance's name
	HostAddress  HostKind = "address"  // an instance's address
	HostProvider HostKind = "provider" // a node of the pg_service_provider group
	HostExternal HostKind = "external" // an entry point of the configuration
)

// EntryHost is one row of the matrix.
type EntryHost struct {
	Name string // as a client writes it
	Kind HostKind
	// Node is the node that it always means; "" when it moves.
	Node     model.Host
	Instance model.InstanceName // of that node; "" when there is none
	// Leads are the addresses that a name should resolve to by the inventory;
	// nil when it is an address.
	Leads []string
	From  string            // who says that it exists: "pg_vip_address", "pg_dns_target: auto"
	Point *model.EntryPoint // for an external one; nil else
}

// Entry is one cell of the matrix: a host and a port that lead somewhere.
type Entry struct {
	model.Endpoint
	On  EntryHost
	At  model.EntryPort
	DSN DSN
	// Way is how a connection goes, "DNS → VIP → HAProxy → pgbouncer → primary".
	Way string
	// Should names the instances it should lead to now, by the inventory and
	// the leader; nil when that depends on something unknown.
	Should []model.InstanceName
	// Now is where it leads now as far as Patroni, HAProxy and the VIP tell,
	// and the live check where there is one.
	Now Reach
	// Check is what trying it found; the zero value when it was not tried.
	Check source.Observed[EntryCheck]
	// Proven is what real connections found; the zero value when none were made.
	Proven source.Observed[EntryProof]
}

// Reach is where an entry leads.
type Reach struct {
	Verdict   model.Verdict // Serving, BackupServing, Mismatch, Empty, Down, Missing, Settling or Unknown
	Instances []model.InstanceName
	Through   model.Host // the node whose HAProxy or server takes the connection; "" when unknown
	ByDesign  bool       // no server, as the inventory wants it
	Why       string
}

// Word is where an entry leads in a word: EmptyByDesign, or the verdict.
func (r *Reach) Word() string {
	if r.Verdict == model.Empty && r.ByDesign {
		return model.EmptyByDesign
	}
	return string(r.Verdict)
}

// EntryCheck is what was found when an endpoint was tried without logging in.
type EntryCheck struct {
	// Lookups are the answers of every resolver that was queried; nil for an
	// address.
	Lookups []Lookup
	// Disagree says in one sentence where resolvers differ from each other or
	// from where the name should lead; "" when they do not.
	Disagree string
	Touches  []Touch // one for each address
}

// LookupConsul begins the Server of what Consul's health API calls passing.
const LookupConsul = "consul "

// Lookup is one resolver's answer for a name.
type Lookup struct {
	Server string   // "system", or the address of the DNS server
	Addrs  []string // sorted; nil when there was no answer
	TTL    time.Duration
	NoTTL  bool // the resolver does not tell one
	Took   time.Duration
	Error  string // "" when it answered
}

// Touch is one address that was connected to, with a request for TLS, as a client
// does first.
type Touch struct {
	Addr   string
	Fault  model.Fault // "" when it speaks PostgreSQL
	Text   string
	TLS    bool // it offers TLS
	Took   time.Duration
	Holder model.Host // the node whose address it is; "" when unknown
}

// Addrs are the addresses that the first resolver that answered gave.
func (c EntryCheck) Addrs() []string {
	for _, l := range c.Lookups {
		if l.Error == "" {
			return l.Addrs
		}
	}
	return nil
}

// EntryProof is what real connections to an entry found.
type EntryProof struct {
	Tries    []model.Try
	Database string // the one that let us in; "" when none did
	Addr     string // the address a name was resolved to; "" when it is one
}

// Access is every way into one cluster.
type Access struct {
	Cluster *model.Cluster
	Hosts   []EntryHost       // rows, in the order of the kinds
	Ports   []model.EntryPort // columns, by port
	Entries []Entry           // cells that exist, by row, then by port
	Smart   []SmartURI        // multi-host, for clients that choose themselves
	Notes   []string          // what is not listed, and why
}

// Live is what is known of entries beside the board; nil maps are fine.
type Live struct {
	Checks map[model.Endpoint]source.Observed[EntryCheck]
	Proofs map[model.Endpoint]source.Observed[EntryProof]
}

// Of lists every way into the board's cluster: hosts by ports, what each
// should lead to and where it leads at the moment the board was judged.
func Of(s *model.Snapshot, b *board.Board, live Live) Access {
	c := b.Cluster
	a := Access{Cluster: c}
	a.Hosts = append(entryHosts(c), entryPoints(s.Inventory, c)...)
	a.Ports = EntryPorts(c)
	for _, h := range a.Hosts {
		for _, p := range a.Ports {
			port, ok := listens(c, h, p)
			if !ok {
				continue
			}
			e := Entry{Endpoint: model.Endpoint{Host: h.Name, Port: port}, On: h, At: p}
			e.DSN = DsnOf(c, p, port, h.Name)
			e.Way = wayOf(c, h, p)
			e.Should = shouldReach(b, h, p)
			e.Check, e.Proven = live.Checks[e.Endpoint], live.Proofs[e.Endpoint]
			e.Now = reachOf(s, b, &e)
			a.Entries = append(a.Entries, e)
		}
	}
	a.Smart = smartURIs(c)
	a.Notes = slices.Concat(accessNotes(c), vipNotes(s, b), entryPointNotes(&a))
	return a
}

// Entry returns the cell of that endpoint, or nil.
func (a *Access) Entry(at model.Endpoint) *Entry {
	return refs.Find(a.Entries, func(e *Entry) bool { return e.Endpoint == at })
}

// entryHosts are the rows.
func entryHosts(c *model.Cluster) []EntryHost {
	var out []EntryHost
	if d := c.DNS; d.Name != "" {
		out = append(out, EntryHost{Name: d.Name, Kind: HostCluster, Leads: []string{d.Target}, From: d.From})
	}
	if c.VIP != "" {
		out = append(out, EntryHost{Name: c.VIP, Kind: HostVIP, From: "pg_vip_address"})
	}
	for i := range c.Instances {
		if c.DNS.Off {
			break // no instance's name is registered
		}
		in := &c.Instances[i]
		out = append(out, EntryHost{Name: string(in.Name), Kind: HostInstance, Node: in.Host, Instance: in.Name, Leads: []string{string(in.Host)}, From: "pg_cluster and pg_seq"})
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		out = append(out, EntryHost{Name: string(in.Host), Kind: HostAddress, Node: in.Host, Instance: in.Name, From: "the inventory's host"})
	}
	for i := range c.LoadBalancers {
		h := c.LoadBalancers[i].Host
		if c.OnHost(h) == nil {
			out = append(out, EntryHost{Name: string(h), Kind: HostProvider, Node: h, From: "pg_service_provider: " + c.Provider})
		}
	}
	return out
}

// EntryPorts are the columns: the servers' own ports and every service's.
func EntryPorts(c *model.Cluster) []model.EntryPort {
	var out []model.EntryPort
	add := func(p model.EntryPort) {
		if p.Port > 0 && !slices.ContainsFunc(out, func(q model.EntryPort) bool { return q.Port == p.Port && q.Name == p.Name }) {
			out = append(out, p)
		}
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		add(model.EntryPort{Port: in.PgPort, Name: "postgres", Target: model.TargetInstance, Use: "one instance itself, without pooler or HAProxy"})
		add(model.EntryPort{Port: in.BouncerPort, Name: "pgbouncer", Pooled: true, Target: model.TargetInstance, Use: "one instance through its own pooler"})
	}
	for _, svc := range c.Services() {
		add(ServicePort(c, svc, PortNumber(svc.Port)))
	}
	slices.SortStableFunc(out, func(a, b model.EntryPort) int { return cmp.Compare(a.Port, b.Port) })
	// The servers' own ports first: they are of another kind.
	slices.SortStableFunc(out, func(a, b model.EntryPort) int { return cmp.Compare(direct(b), direct(a)) })
	return out
}

func direct(p model.EntryPort) int {
	if p.Service == "" {
		return 1
	}
	return 0
}

// PortNumber is a declared port; 0 when it is not one.
func PortNumber(s string) uint16 {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// ServicePort is a service as a column.
func ServicePort(c *model.Cluster, svc *model.Service, port uint16) model.EntryPort {
	p := model.EntryPort{Port: port, Name: string(svc.Name), Service: svc.Name, Pooled: c.Pooled(svc), Target: TargetOf(svc)}
	through := "directly"
	if p.Pooled {
		through = "through the connection pool"
	}
	switch p.Target {
	case model.TargetPrimary:
		p.Use = "read and write, " + through + "; follows the leader"
	case model.TargetReplica:
		p.Use = "read only, " + through + "; replicas, the primary when there is none"
	case model.TargetOffline:
		p.Use = "ETL and ad-hoc queries, " + through + ", away from production reads"
	case model.TargetSync:
		p.Use = "read only without lag, " + through
	default:
		p.Use = "any server that passes " + svc.Check + ", " + through
	}
	return p
}

// TargetOf is what a service leads to by its check and its selector.
func TargetOf(svc *model.Service) model.Target {
	path := model.CheckPath(svc.Check)
	switch {
	case model.RuleOf(svc.Check) == model.RuleStandbyLeader:
		return model.TargetOther
	case model.WantsPrimary(svc.Check):
		return model.TargetPrimary
	case strings.Contains(path, "async"):
		return model.TargetReplica
	case strings.Contains(path, "sync") || strings.Contains(path, "quorum"):
		return model.TargetSync
	case strings.Contains(svc.Selector, "offline"):
		return model.TargetOffline
	case strings.Contains(path, "replica") || strings.Contains(path, "read-only"):
		return model.TargetReplica
	}
	return model.TargetOther
}

// listens reports whether the host has the port, and as which number.
func listens(c *model.Cluster, h EntryHost, p model.EntryPort) (uint16, bool) {
	if h.Point != nil {
		return h.Point.Port(p)
	}
	if p.Service == "" {
		switch h.Kind {
		case HostProvider:
			return 0, false
		case HostInstance, HostAddress:
			in := c.Instance(h.Instance)
			return p.Port, in != nil && (p.Name == "postgres" && in.PgPort == p.Port || p.Name == "pgbouncer" && in.BouncerPort == p.Port)
		}
		return p.Port, true
	}
	// A service is where a HAProxy has it: the cluster's own nodes, or the
	// provider's and then not here.
	for i := range c.LoadBalancers {
		f := &c.LoadBalancers[i]
		if h.Node != "" && f.Host != h.Node || h.Node == "" && c.OnHost(f.Host) == nil {
			continue
		}
		if svc := f.Service(p.Service); svc != nil && PortNumber(svc.Port) == p.Port {
			return p.Port, true
		}
	}
	return 0, false
}

// wayOf says how a connection goes.
func wayOf(c *model.Cluster, h EntryHost, p model.EntryPort) string {
	var hops []string
	switch h.Kind {
	case HostCluster:
		hops = append(hops, "DNS")
		if c.VIP != "" && slices.Contains(h.Leads, c.VIP) {
			hops = append(hops, "VIP")
		}
	case HostVIP:
		hops = append(hops, "VIP")
	case HostInstance:
		hops = append(hops, "DNS")
	case HostExternal:
		return h.Point.Scheme + " " + h.Point.Name + " → " + string(p.Target)
	}
	if p.Service != "" {
		hops = append(hops, "HAProxy")
	}
	if p.Pooled {
		hops = append(hops, "pgbouncer")
	}
	end := string(p.Target)
	switch p.Target {
	case model.TargetInstance:
		end = "leader"
		switch {
		case h.Instance != "":
			end = string(h.Instance)
		case h.Kind == HostCluster && c.VIP == "":
			end = "the instance at " + strings.Join(h.Leads, ", ")
		}
	case model.TargetOther:
		end = "any that passes " + c.Service(p.Service).Check
	}
	return strings.Join(append(hops, end), " → ")
}

// vipNotes say on which nodes the VIP is by their own word; nil when they were not probed.
func vipNotes(s *model.Snapshot, b *board.Board) []string {
	if b.Cluster.VIP == "" || len(s.Nodes) == 0 {
		return nil
	}
	var have, unread []string
	for i := range b.Members {
		m := &b.Members[i]
		switch o := s.Nodes[m.Host]; {
		case o.Err != nil:
			unread = append(unread, o.Err.Error())
		case o.Value.Has(b.Cluster.VIP):
			have = append(have, fmt.Sprintf("%s (%s)", m.Instance, m.Host))
		}
	}
	note := "VIP " + b.Cluster.VIP + ": no node read over SSH has it"
	switch {
	case len(have) == 1:
		note = fmt.Sprintf("VIP %s: `ip addr` shows it on %s", b.Cluster.VIP, have[0])
	case len(have) > 1:
		note = fmt.Sprintf("VIP %s is on %d nodes according to `ip addr`: %s", b.Cluster.VIP, len(have), strings.Join(have, ", "))
	}
	if len(unread) > 0 {
		note += "; not read: " + strings.Join(unread, "; ")
	}
	return []string{note}
}

// accessNotes say what the matrix leaves out.
func accessNotes(c *model.Cluster) []string {
	var out []string
	if c.Provider != "" {
		out = append(out, fmt.Sprintf("the services are on the nodes of %s: the cluster's own name, VIP and nodes expose only the servers' own ports", c.Provider))
	}
	if c.DNS.Name == "" {
		out = append(out, "the cluster has no DNS name: "+cmp.Or(c.DNS.From, "pg_dns_target: none"))
	}
	if c.VIP == "" {
		out = append(out, "no VIP: pg_vip_enabled is false")
	}
	return out
}

// Health sums the entries up: down when every service entry that
// promises the primary is known to lead elsewhere or nowhere, degraded when
// any entry does, unknown when nothing is known.
func Health(a *Access) (model.Health, string) {
	known, bad, writes, wrong := 0, []string{}, 0, 0
	for i := range a.Entries {
		e := &a.Entries[i]
		if e.Now.Verdict == model.Unknown {
			continue
		}
		known++
		promised := e.At.Service != "" && e.At.Target == model.TargetPrimary
		if promised {
			writes++
		}
		if e.Fine() {
			continue
		}
		bad = append(bad, e.String())
		if promised {
			wrong++
		}
	}
	text := fmt.Sprintf("%d of %d known endpoints do not reach the right instance", len(bad), known)
	switch {
	case known == 0:
		return model.HealthUnknown, "where the endpoints lead is unknown"
	case len(bad) == 0:
		text = fmt.Sprintf("all %d endpoints reach the right instance", known)
		if n := len(a.Entries) - known; n > 0 {
			text += fmt.Sprintf("; %d unknown", n)
		}
		return model.HealthOK, text
	case writes > 0 && wrong == writes:
		return model.HealthDown, text + ": none reaches the primary"
	}
	return model.HealthDegraded, text + ": " + strings.Join(bad[:min(len(bad), 4)], ", ")
}
