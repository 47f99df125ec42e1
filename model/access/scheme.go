package access

import (
	"cmp"
	"fmt"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
)

// SchemeCode names a way to bring clients to a cluster.
type SchemeCode string

// The schemes: Pigsty's own seven, the dedicated tier, and AWS's.
const (
	SchemeDNSHAProxy   SchemeCode = "dns-haproxy"
	SchemeL2VIPHAProxy SchemeCode = "l2vip-haproxy"
	SchemeL4VIPHAProxy SchemeCode = "l4vip-haproxy"
	SchemeL4VIP        SchemeCode = "l4vip"
	SchemeConsul       SchemeCode = "consul"
	SchemeStaticDNS    SchemeCode = "static-dns"
	SchemeSmartClient  SchemeCode = "smart-client"
	SchemeHAProxyTier  SchemeCode = "haproxy-tier"
	SchemeRoute53      SchemeCode = "route53"
	SchemeAWSTier      SchemeCode = "aws-haproxy-tier"
	SchemeNLB          SchemeCode = "nlb"
	SchemeLayered      SchemeCode = "layered"
)

// Scheme is one way to bring clients to a cluster, as it is for this one.
type Scheme struct {
	Code SchemeCode
	Name string
	Path string // how a connection goes
	// Declared is what the inventory says of it.
	Declared string
	InUse    bool // it is there for this cluster
	// Live is what the entries that belong to it do now; "" when none are there.
	Live    string
	Verdict model.Verdict // the worst of those entries; "" when none are there
	// SinglePoint, ClientIP and DNSCache are short words for a table.
	SinglePoint string
	Hops        int // beyond client and server
	ClientIP    string
	DNSCache    string
	// Failover is how long clients wait at most for a new leader after the old
	// one died; 0 when that is up to something outside.
	Failover time.Duration
	Limits   string // one paragraph
}

// SchemesOf compares the schemes for the cluster of a.
func SchemesOf(a *Access) []Scheme {
	c := a.Cluster
	detect := detectTime(c)
	base := c.TTL
	all := []Scheme{
		{Code: SchemeDNSHAProxy, Name: "DNS + HAProxy", Path: "DNS (round robin) → any HAProxy → pgbouncer", SinglePoint: "none", Hops: 1, ClientIP: "lost", DNSCache: "matters",
			Failover: base + detect,
			Limits: "A name resolves to several HAProxies, each of which can lead to every service. A HAProxy that dies stays in the answer until DNS drops it: " +
				"clients must try the next address, and must not keep one for ever (a JVM does by default). pg_hba sees HAProxy's address, not the client's."},
		{Code: SchemeL2VIPHAProxy, Name: "L2 VIP + HAProxy", Path: "VIP on the leader → its HAProxy → pgbouncer", SinglePoint: "none", Hops: 1, ClientIP: "lost", DNSCache: "no matter",
			Failover: base + max(detect, 2*time.Second),
			Limits: "vip-manager puts one address on the leader's node. Every candidate must be in one layer 2 network, so it does not work in a cloud's VPC. " +
				"All clients enter through one node. Ports 5432 and 6432 of the VIP lead to the leader itself; while there is no leader no node has the address. pg_hba sees HAProxy's address."},
		{Code: SchemeL4VIPHAProxy, Name: "L4 VIP + HAProxy", Path: "L4 balancer → any HAProxy → pgbouncer", SinglePoint: "none, if the balancer is a pair", Hops: 2, ClientIP: "lost", DNSCache: "no matter",
			Failover: base + detect,
			Limits: "A layer 4 balancer (LVS, DPVS) spreads clients over every HAProxy and works across networks. Two hops more than a direct connection; it must check HAProxy, " +
				"and a check that only opens the service port passes while no server is up behind it. pg_hba sees HAProxy's address."},
		{Code: SchemeL4VIP, Name: "L4 VIP, direct", Path: "L4 balancer → pgbouncer or PostgreSQL", SinglePoint: "none, if the balancer is a pair", Hops: 1, ClientIP: "kept with toa", DNSCache: "no matter",
			Limits: "The balancer (DPVS in FullNAT) goes straight to the servers: fastest, and with the toa kernel module on them pg_hba sees the client. Without HAProxy nodes are no longer " +
				"alike: the balancer itself must check Patroni (/primary, /read-only on 8008), and how fast it follows a failover is its own affair. It is outside Pigsty."},
		{Code: SchemeConsul, Name: "Consul DNS", Path: "Consul DNS → pgbouncer or PostgreSQL", SinglePoint: "none", Hops: 0, ClientIP: "kept", DNSCache: "matters",
			Failover: base + 10*time.Second,
			Limits: "Consul's health checks take the place of VIP and HAProxy: one hop less, and no layer 2 network needed. Everything depends on Consul and on clients that honour its TTL (0 by default): " +
				"a resolver or a JVM that caches longer writes to the old primary. Pigsty itself runs etcd since v2; Consul is yours to run."},
		{Code: SchemeStaticDNS, Name: "static DNS", Path: "DNS → one instance", SinglePoint: "that instance", Hops: 0, ClientIP: "kept", DNSCache: "matters",
			Limits: "A name bound to one address by hand: simplest, no hop. Nothing follows a failover: somebody must change the record, and then every cache must expire. " +
				"pg_dns_target: primary, or auto without a VIP, is this: Pigsty writes the declared primary's address and never changes it."},
		{Code: SchemeSmartClient, Name: "IP / smart client", Path: "client → each instance in turn", SinglePoint: "none", Hops: 0, ClientIP: "kept", DNSCache: "no matter",
			Failover: base,
			Limits: "The client knows every instance and picks by target_session_attrs: no component between. Drivers must support it (libpq 10, PgJDBC, pgx), and a dead address costs connect_timeout " +
				"at each new connection. A member that is added or removed means a change in every client."},
		{Code: SchemeHAProxyTier, Name: "dedicated HAProxy tier", Path: "HAProxy of the tier → pgbouncer", SinglePoint: "none, with two nodes and an address in front", Hops: 1, ClientIP: "lost", DNSCache: "depends on what is in front",
			Failover: base + detect,
			Limits: "pg_service_provider puts the services on nodes of their own: databases do not carry client traffic, one tier serves many clusters, and ports must differ between clusters. " +
				"The tier needs an address in front of it (a keepalived VIP, DNS, an NLB). Only the declared primary's run writes its files, and files left on the old nodes are not removed. pg_hba sees the tier."},
		{Code: SchemeRoute53, Name: "Route 53, round robin", Path: "Route 53 → any HAProxy → pgbouncer", SinglePoint: "none", Hops: 1, ClientIP: "lost", DNSCache: "matters",
			Failover: base + detect + 60*time.Second,
			Limits: "One multivalue record per node, each with a health check. Checkers are on the public Internet: a private address cannot be checked, a CloudWatch alarm must stand in for it. When every check fails " +
				"all records are answered. A node's death takes interval × threshold + TTL, some 60 s, and longer in clients that cache."},
		{Code: SchemeAWSTier, Name: "AWS: HAProxy tier in front", Path: "HAProxy of the tier → pgbouncer", SinglePoint: "what is in front of the tier", Hops: 1, ClientIP: "lost", DNSCache: "depends on what is in front",
			Failover: base + detect,
			Limits: "As the dedicated tier, on instances of their own, for example in an Auto Scaling group: full control of routing, one more tier to run. A VPC has no layer 2: neither vip-manager nor keepalived moves an address there. " +
				"Use Route 53 or an NLB in front."},
		{Code: SchemeNLB, Name: "AWS: NLB", Path: "NLB → pgbouncer or PostgreSQL, checked by Patroni", SinglePoint: "none", Hops: 1, ClientIP: "kept with instance targets", DNSCache: "no matter",
			Failover: base + 20*time.Second,
			Limits: "The NLB checks Patroni itself (GET /primary on 8008). When every target fails the check, all of them get traffic: during a failover writers reach replicas. Connections idle for 350 s die silently: " +
				"set tcp_keepalives_idle below it. With client address preservation a node cannot reach itself through the NLB. Crossing zones is off by default and costs money."},
		{Code: SchemeLayered, Name: "AWS: NLB + HAProxy tier", Path: "NLB → HAProxy of the tier → pgbouncer", SinglePoint: "none", Hops: 2, ClientIP: "lost", DNSCache: "no matter",
			Failover: base + detect,
			Limits: "NLB as the one address, a HAProxy tier that knows Patroni, Pigsty's cluster behind: each layer does what it is good at. Two hops, two sets of health checks in a row; " +
				"the NLB must not check a service port by TCP alone, which is open with no server behind it: check HAProxy's monitor-uri."},
	}
	for i := range all {
		all[i].fill(a)
	}
	return all
}

// fill says what this cluster has of the scheme, and how it is now.
func (s *Scheme) fill(a *Access) {
	c := a.Cluster
	own := func(*Entry) bool { return false }
	switch s.Code {
	case SchemeL2VIPHAProxy:
		s.Declared = "pg_vip_enabled: false"
		if c.VIP != "" {
			s.Declared, s.InUse = "pg_vip_address: "+c.VIP, true
			if c.Provider != "" {
				s.Declared += "; services are on " + c.Provider + ", not behind the VIP"
			}
			own = func(e *Entry) bool { return e.On.Kind == HostVIP }
		}
	case SchemeStaticDNS:
		s.Declared = cmp.Or(c.DNS.From, "pg_dns_target: none")
		if c.DNS.Name != "" && c.DNS.Target != c.VIP {
			s.Declared += ": " + c.DNS.Name + " is " + c.DNS.Target
			s.InUse = true
			own = func(e *Entry) bool { return e.On.Kind == HostCluster }
		} else if c.DNS.Name != "" {
			s.Declared += ": " + c.DNS.Name + " is the VIP"
		}
	case SchemeDNSHAProxy:
		s.Declared = "every node's HAProxy has the services; no name resolves to several of them"
		own = func(e *Entry) bool { return e.On.Kind == HostAddress && e.At.Service != "" }
	case SchemeSmartClient:
		s.Declared, s.InUse = text.Plural(len(c.Instances), "instance")+" with 5432 and 6432 of their own", true
		own = func(e *Entry) bool { return e.On.Kind == HostAddress && e.At.Service == "" }
	case SchemeHAProxyTier:
		s.Declared = "pg_service_provider: ''"
		if c.Provider != "" {
			s.Declared, s.InUse = "pg_service_provider: "+c.Provider, true
			own = func(e *Entry) bool { return e.On.Kind == HostProvider }
		}
	default:
		s.Declared = "outside the inventory"
	}
	added := func(h *EntryHost) bool { return h.Point != nil && h.Point.Scheme == string(s.Code) }
	for i := range a.Hosts {
		if h := &a.Hosts[i]; added(h) {
			s.Declared, s.InUse = s.Declared+"; "+h.From, true
		}
	}
	s.live(a, func(e *Entry) bool { return own(e) || added(&e.On) })
}

// live says what the entries that are the scheme's do now: the worst word.
func (s *Scheme) live(a *Access, own func(*Entry) bool) {
	good, all := 0, 0
	why := ""
	for i := range a.Entries {
		e := &a.Entries[i]
		if !own(e) {
			continue
		}
		all++
		if e.Fine() {
			good++
			continue
		}
		if s.Verdict == "" || reachRank(e.Now.Verdict) > reachRank(s.Verdict) {
			s.Verdict, why = e.Now.Verdict, e.String()+": "+e.Now.Why
		}
	}
	if all == 0 {
		return
	}
	if s.Verdict == "" {
		s.Verdict = model.Serving
	}
	s.Live = fmt.Sprintf("%d of %d endpoints reach the right instance", good, all)
	if why != "" {
		s.Live += "; " + why
	}
}

// Fine reports whether the entry reaches the right instance, or none because that is declared.
func (e *Entry) Fine() bool {
	return e.Now.Verdict == model.Serving || e.Now.Verdict == model.BackupServing || e.Now.Verdict == model.Empty && e.Now.ByDesign
}

// detectTime is how long HAProxy takes at most to use a new leader. It is Pigsty's
// default where the options do not say.
func detectTime(c *model.Cluster) time.Duration {
	for _, svc := range c.Services() {
		if model.LockOnly(svc.Check, c.Standby) {
			return svc.Timing().Most()
		}
	}
	return (&model.Service{}).Timing().Most()
}

// Advice is one answer to "which port should my app use?".
type Advice struct {
	Need           string // what the application does
	model.Endpoint        // the endpoint to use
	Why            string
}

// AdviceOf answers "which port should my app use?" for this cluster.
func AdviceOf(a *Access) []Advice {
	var out []Advice
	say := func(need string, want func(model.EntryPort) bool, why string) {
		for _, p := range a.Ports {
			if !want(p) {
				continue
			}
			for _, h := range a.Hosts {
				if p.Service == "" && h.Kind != HostInstance && h.Kind != HostAddress {
					continue // the cluster's name moves with the leader
				}
				if e := a.Entry(model.Endpoint{Host: h.Name, Port: p.Port}); e != nil && e.At.Name == p.Name {
					out = append(out, Advice{need, e.Endpoint, why})
					return
				}
			}
		}
	}
	pooled := func(t model.Target) func(model.EntryPort) bool {
		return func(p model.EntryPort) bool { return p.Service != "" && p.Target == t && p.Pooled }
	}
	direct := func(t model.Target) func(model.EntryPort) bool {
		return func(p model.EntryPort) bool { return p.Service != "" && p.Target == t && !p.Pooled }
	}
	say("an application that writes, with many short connections", pooled(model.TargetPrimary), "it follows the leader and shares a pool; in transaction mode sessions keep no state: no session locks, LISTEN or temporary tables")
	say("reads that may be a moment behind", pooled(model.TargetReplica), "it spreads over the replicas and falls back to the primary; writes are refused there")
	say("migrations, DDL, LISTEN, session locks, long transactions", direct(model.TargetPrimary), "it follows the leader and bypasses the pool: a session stays one session")
	say("ETL, reports, a person's own queries", direct(model.TargetOffline), "it keeps long queries away from production reads")
	say("reads that must see what was just committed", func(p model.EntryPort) bool { return p.Target == model.TargetSync }, "a synchronous replica has it")
	say("one server itself: an exporter, a backup, a quick check", func(p model.EntryPort) bool { return p.Name == "postgres" }, "it does not follow a failover: not for applications")
	return out
}
