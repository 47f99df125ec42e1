package model

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/source"
)

// EntryPoint is a way in that the inventory does not know and pgtui's
// configuration names: a balancer, a name of somebody else's DNS.
type EntryPoint struct {
	Name    string
	Host    string           // a name or an address
	Cluster ClusterName      // "" when it may be any cluster's
	Scheme  string           // a SchemeCode, or SchemeExternal
	Ports   []EntryPointPort // nil: the services' own
	Consul  *Consul          // the agent that has the name; nil when none was named
}

// Consul is an agent of Consul and where it listens.
type Consul struct {
	Address   string // a name or an address
	HTTP, DNS uint16 // ports of its API and of its DNS
}

// EntryPointPort is one port that an entry point has.
type EntryPointPort struct {
	Service string // "" when the port is the one that the inventory gives a service or a server
	Port    uint16
}

// SchemeExternal is the scheme of an entry point that is none of those that
// SchemesOf compares.
const SchemeExternal = "external"

// SchemeNames are the schemes that an entry point may have.
func SchemeNames() []string {
	return []string{SchemeExternal, string(SchemeDNSHAProxy), string(SchemeL2VIPHAProxy), string(SchemeL4VIPHAProxy), string(SchemeL4VIP), string(SchemeConsul),
		string(SchemeStaticDNS), string(SchemeSmartClient), string(SchemeHAProxyTier), string(SchemeRoute53), string(SchemeAWSTier), string(SchemeNLB), string(SchemeLayered)}
}

// port is where the entry point has a column of the matrix.
func (p *EntryPoint) port(at EntryPort) (uint16, bool) {
	if p.Ports == nil {
		return at.Port, at.Service != ""
	}
	for _, x := range p.Ports {
		if x.Service == at.Name || x.Service == "" && x.Port == at.Port {
			return x.Port, true
		}
	}
	return 0, false
}

// entryPoints are the rows that the configuration adds for a cluster.
func entryPoints(inv *Inventory, c *Cluster) []EntryHost {
	var out []EntryHost
	if inv == nil {
		return nil
	}
	for i := range inv.EntryPoints {
		if p := &inv.EntryPoints[i]; p.Cluster == "" || p.Cluster == c.Name {
			out = append(out, EntryHost{Name: p.Host, Kind: HostExternal, From: "entry-points: " + p.Name, Point: p})
		}
	}
	return out
}

// entryPointNotes say what the rows are.
func entryPointNotes(a *Access) []string {
	var out []string
	for _, h := range a.Hosts {
		if h.Point == nil {
			continue
		}
		note := fmt.Sprintf("%s is the entry point %s of the configuration, scheme %s: only trying it tells where it leads", h.Name, h.Point.Name, h.Point.Scheme)
		if !slices.ContainsFunc(a.Entries, func(e Entry) bool { return e.On.Point == h.Point }) {
			note += "; none of its ports is one of " + string(a.Cluster.Name)
		}
		out = append(out, note)
	}
	return out
}

// EntryPoint returns the entry point of that name, or nil.
func (inv *Inventory) EntryPoint(name string) *EntryPoint {
	i := slices.IndexFunc(inv.EntryPoints, func(p EntryPoint) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &inv.EntryPoints[i]
}

// ClusterOf is the cluster that an entry point leads to: the one it names, else
// the only one there is; nil when that cannot be told.
func (inv *Inventory) ClusterOf(p *EntryPoint) *Cluster {
	switch {
	case p.Cluster != "":
		return inv.Cluster(p.Cluster)
	case len(inv.Clusters) == 1:
		return &inv.Clusters[0]
	}
	return nil
}

// TracePoint is how a client is told to reach a service through an entry point.
func TracePoint(inv *Inventory, p *EntryPoint, name ServiceName) (DSN, *Cluster, error) {
	c := inv.ClusterOf(p)
	if c == nil {
		what := "names no cluster, and the inventory has several"
		if p.Cluster != "" {
			what = fmt.Sprintf("is of cluster %s, which is not in the inventory", p.Cluster)
		}
		return DSN{}, nil, &source.Hint{Err: fmt.Errorf("entry point %s %s", p.Name, what), Try: "cluster: NAME below entry-points." + p.Name + " in the configuration"}
	}
	var have []string
	for _, at := range entryPorts(c) {
		port, ok := p.port(at)
		if ok && at.Name == string(name) {
			return dsnOf(c, at, port, p.Host), c, nil
		}
		if ok {
			have = append(have, at.Name)
		}
	}
	try := "one of: " + strings.Join(have, ", ")
	if len(have) == 0 {
		try = "ports below entry-points." + p.Name + " in the configuration"
	}
	return DSN{}, nil, &source.Hint{Err: fmt.Errorf("entry point %s has no port for %q of %s", p.Name, name, c.Name), Try: try, Usage: true}
}

// WayOf looks up what an attempt came to: by its address, else by the entry
// point that its host is.
func WayOf(inv *Inventory, a *TraceAttempt) WayIn {
	if w := WayInOf(inv, a.Addr, a.Port); w.Cluster != nil {
		return w
	}
	for i := range inv.EntryPoints {
		p := &inv.EntryPoints[i]
		c := inv.ClusterOf(p)
		if p.Host != a.Host || c == nil {
			continue
		}
		for _, at := range entryPorts(c) {
			if port, ok := p.port(at); ok && port == a.Port {
				return WayIn{Cluster: c, Service: c.Service(at.Service), Point: p}
			}
		}
	}
	return WayIn{}
}
