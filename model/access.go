package model

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/source"
)

// Endpoint is one way in as a client is given it: the host as it is written
// there, a name or an address, and the port. It is the key that live checks
// and proofs of an entry are kept under.
type Endpoint struct {
	Host string
	Port uint16
}

// String is the endpoint as a client writes it, "pg-test:5433".
func (e Endpoint) String() string {
	if strings.Contains(e.Host, ":") {
		return "[" + e.Host + "]:" + strconv.Itoa(int(e.Port))
	}
	return e.Host + ":" + strconv.Itoa(int(e.Port))
}

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
	Node     Host
	Instance InstanceName // of that node; "" when there is none
	// Leads are the addresses that a name should resolve to by the inventory;
	// nil when it is an address.
	Leads []string
	From  string      // who says that it exists: "pg_vip_address", "pg_dns_target: auto"
	Point *EntryPoint // for an external one; nil else
}

// EntryPort is one column of the matrix.
type EntryPort struct {
	Port    uint16
	Name    string      // "postgres", "pgbouncer", or the service's name
	Service ServiceName // "" for a port of the server itself
	Pooled  bool        // pgbouncer is on the way
	Target  Target
	Use     string // what it is for, in plain words
}

// Target is what a port should lead to.
type Target string

// The targets.
const (
	TargetPrimary  Target = "primary"  // the one that takes writes
	TargetReplica  Target = "replica"  // a replica, or the primary when there is none
	TargetOffline  Target = "offline"  // the instance set apart for ETL and ad-hoc queries
	TargetSync     Target = "sync"     // a replica without lag
	TargetInstance Target = "instance" // whichever instance runs on the host
	TargetOther    Target = "other"    // what the service's own check and selector say
)

// Entry is one cell of the matrix: a host and a port that lead somewhere.
type Entry struct {
	Endpoint
	On  EntryHost
	At  EntryPort
	DSN DSN
	// Way is how a connection goes, "DNS → VIP → HAProxy → pgbouncer → primary".
	Way string
	// Should names the instances it should lead to now, by the inventory and
	// the leader; nil when that depends on something not known.
	Should []InstanceName
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
	Verdict   Verdict // Serving, BackupServing, Mismatch, Empty, Down, Missing, Settling or Unknown
	Instances []InstanceName
	Through   Host // the node whose HAProxy or server takes the connection; "" when not known
	ByDesign  bool // nobody serves, as the inventory wants it
	Why       string
}

// EntryCheck is what was found when an endpoint was tried without logging in.
type EntryCheck struct {
	// Lookups are the answers of every resolver that was asked; nil for an
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

// Touch is one address that was connected to and asked for TLS, as a client
// does first.
type Touch struct {
	Addr   string
	Fault  Fault // "" when it speaks PostgreSQL
	Text   string
	TLS    bool // it offers TLS
	Took   time.Duration
	Holder Host // the node whose address it is; "" when not known
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
	Tries    []Try
	Database string // the one that let us in; "" when none did
	Addr     string // the address a name was resolved to; "" when it is one
}

// Access is every way into one cluster.
type Access struct {
	Cluster *Cluster
	Hosts   []EntryHost // rows, in the order of the kinds
	Ports   []EntryPort // columns, by port
	Entries []Entry     // cells that exist, by row, then by port
	Smart   []SmartURI  // multi-host, for clients that choose themselves
	Notes   []string    // what is not listed, and why
}

// Live is what is known of entries beside the board; nil maps are fine.
type Live struct {
	Checks map[Endpoint]source.Observed[EntryCheck]
	Proofs map[Endpoint]source.Observed[EntryProof]
}

// AccessOf lists every way into the board's cluster: hosts by ports, what each
// should lead to and where it leads at the moment the board was judged.
func AccessOf(s *Snapshot, b *Board, live Live) Access {
	c := b.Cluster
	a := Access{Cluster: c}
	a.Hosts = append(entryHosts(c), entryPoints(s.Inventory, c)...)
	a.Ports = entryPorts(c)
	for _, h := range a.Hosts {
		for _, p := range a.Ports {
			port, ok := listens(c, h, p)
			if !ok {
				continue
			}
			e := Entry{Endpoint: Endpoint{h.Name, port}, On: h, At: p}
			e.DSN = dsnOf(c, p, port, h.Name)
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
func (a *Access) Entry(at Endpoint) *Entry {
	for i := range a.Entries {
		if a.Entries[i].Endpoint == at {
			return &a.Entries[i]
		}
	}
	return nil
}

// entryHosts are the rows.
func entryHosts(c *Cluster) []EntryHost {
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
		if c.onHost(h) == nil {
			out = append(out, EntryHost{Name: string(h), Kind: HostProvider, Node: h, From: "pg_service_provider: " + c.Provider})
		}
	}
	return out
}

// onHost returns the instance on that node, or nil.
func (c *Cluster) onHost(h Host) *Instance {
	for i := range c.Instances {
		if c.Instances[i].Host == h {
			return &c.Instances[i]
		}
	}
	return nil
}

// entryPorts are the columns: the servers' own ports and every service's.
func entryPorts(c *Cluster) []EntryPort {
	var out []EntryPort
	add := func(p EntryPort) {
		if p.Port > 0 && !slices.ContainsFunc(out, func(q EntryPort) bool { return q.Port == p.Port && q.Name == p.Name }) {
			out = append(out, p)
		}
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		add(EntryPort{Port: in.PgPort, Name: "postgres", Target: TargetInstance, Use: "one instance itself, without pooler or HAProxy"})
		add(EntryPort{Port: in.BouncerPort, Name: "pgbouncer", Pooled: true, Target: TargetInstance, Use: "one instance through its own pooler"})
	}
	for _, svc := range c.Services() {
		add(servicePort(c, svc, portNumber(svc.Port)))
	}
	slices.SortStableFunc(out, func(a, b EntryPort) int { return cmp.Compare(a.Port, b.Port) })
	// The servers' own ports first: they are of another kind.
	slices.SortStableFunc(out, func(a, b EntryPort) int { return cmp.Compare(direct(b), direct(a)) })
	return out
}

func direct(p EntryPort) int {
	if p.Service == "" {
		return 1
	}
	return 0
}

// portNumber is a declared port; 0 when it is none.
func portNumber(s string) uint16 {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// servicePort is a service as a column.
func servicePort(c *Cluster, svc *Service, port uint16) EntryPort {
	p := EntryPort{Port: port, Name: string(svc.Name), Service: svc.Name, Pooled: c.Pooled(svc), Target: TargetOf(svc)}
	through := "directly"
	if p.Pooled {
		through = "through the connection pool"
	}
	switch p.Target {
	case TargetPrimary:
		p.Use = "read and write, " + through + "; follows the leader"
	case TargetReplica:
		p.Use = "read only, " + through + "; replicas, the primary when there is none"
	case TargetOffline:
		p.Use = "ETL and ad-hoc queries, " + through + ", away from production reads"
	case TargetSync:
		p.Use = "read only without lag, " + through
	default:
		p.Use = "whoever passes " + svc.Check + ", " + through
	}
	return p
}

// Pooled reports whether the service's servers are poolers.
func (c *Cluster) Pooled(svc *Service) bool {
	servers, _ := svc.Servers()
	for _, s := range servers {
		in := c.Instance(s.Name)
		if in.Pools(s.Port) && in.BouncerPort != in.PgPort {
			return true
		}
	}
	return len(servers) == 0 && svc.Dest == "pgbouncer"
}

// TargetOf is what a service leads to by its check and its selector.
func TargetOf(svc *Service) Target {
	path := CheckPath(svc.Check)
	switch {
	case RuleOf(svc.Check) == RuleStandbyLeader:
		return TargetOther
	case WantsPrimary(svc.Check):
		return TargetPrimary
	case strings.Contains(path, "async"):
		return TargetReplica
	case strings.Contains(path, "sync") || strings.Contains(path, "quorum"):
		return TargetSync
	case strings.Contains(svc.Selector, "offline"):
		return TargetOffline
	case strings.Contains(path, "replica") || strings.Contains(path, "read-only"):
		return TargetReplica
	}
	return TargetOther
}

// listens tells whether the host has the port, and as which number.
func listens(c *Cluster, h EntryHost, p EntryPort) (uint16, bool) {
	if h.Point != nil {
		return h.Point.port(p)
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
		if h.Node != "" && f.Host != h.Node || h.Node == "" && c.onHost(f.Host) == nil {
			continue
		}
		if svc := f.Service(p.Service); svc != nil && portNumber(svc.Port) == p.Port {
			return p.Port, true
		}
	}
	return 0, false
}

// wayOf says how a connection goes.
func wayOf(c *Cluster, h EntryHost, p EntryPort) string {
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
	case TargetInstance:
		end = "leader"
		switch {
		case h.Instance != "":
			end = string(h.Instance)
		case h.Kind == HostCluster && c.VIP == "":
			end = "the instance at " + strings.Join(h.Leads, ", ")
		}
	case TargetOther:
		end = "who passes " + c.Service(p.Service).Check
	}
	return strings.Join(append(hops, end), " → ")
}

// vipNotes say on which nodes the VIP is by their own word; nil when they were
// not asked.
func vipNotes(s *Snapshot, b *Board) []string {
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
	note := "VIP " + b.Cluster.VIP + ": no node that was asked over SSH has it"
	switch {
	case len(have) == 1:
		note = fmt.Sprintf("VIP %s: `ip addr` over SSH says that it is on %s", b.Cluster.VIP, have[0])
	case len(have) > 1:
		note = fmt.Sprintf("VIP %s is on %d nodes, as `ip addr` over SSH says: %s", b.Cluster.VIP, len(have), strings.Join(have, ", "))
	}
	if len(unread) > 0 {
		note += "; not asked: " + strings.Join(unread, "; ")
	}
	return []string{note}
}

// accessNotes say what the matrix leaves out.
func accessNotes(c *Cluster) []string {
	var out []string
	if c.Provider != "" {
		out = append(out, fmt.Sprintf("the services are on the nodes of %s: the cluster's own name, VIP and nodes have only the servers' own ports", c.Provider))
	}
	if c.DNS.Name == "" {
		out = append(out, "no name of the cluster is registered: "+cmp.Or(c.DNS.From, "pg_dns_target: none"))
	}
	if c.VIP == "" {
		out = append(out, "no VIP: pg_vip_enabled is false")
	}
	return out
}

// AccessHealth sums the entries up: down when every service entry that
// promises the primary is known to lead elsewhere or nowhere, degraded when
// any entry does, unknown when nothing is known.
func AccessHealth(a *Access) (Health, string) {
	known, bad, writes, wrong := 0, []string{}, 0, 0
	for i := range a.Entries {
		e := &a.Entries[i]
		if e.Now.Verdict == Unknown {
			continue
		}
		known++
		promised := e.At.Service != "" && e.At.Target == TargetPrimary
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
	text := fmt.Sprintf("%d of %d known entries do not lead where they should", len(bad), known)
	switch {
	case known == 0:
		return HealthUnknown, "where the entries lead is not known"
	case len(bad) == 0:
		return HealthOK, fmt.Sprintf("all %d known entries lead where they should", known)
	case writes > 0 && wrong == writes:
		return HealthDown, text + ": none leads to the primary"
	}
	return HealthDegraded, text + ": " + strings.Join(bad[:min(len(bad), 4)], ", ")
}
