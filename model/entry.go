package model

import (
	"slices"
	"strconv"
	"strings"
)

// Endpoint is a host and port as a client is given them: the host as it is written
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

// User is one that the inventory declares.
type User struct {
	Name   string
	Pooled bool // pgbouncer knows it
	Roles  []string
}

// Database is one that the inventory declares.
type Database struct {
	Name   string
	Pooled bool // pgbouncer knows it
}

// EntryPoint is an endpoint that the inventory does not know and pgtui's
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

// Port is where the entry point has a column of the matrix.
func (p *EntryPoint) Port(at EntryPort) (uint16, bool) {
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

// EntryPoint returns the entry point of that name, or nil.
func (inv *Inventory) EntryPoint(name string) *EntryPoint {
	i := slices.IndexFunc(inv.EntryPoints, func(p EntryPoint) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &inv.EntryPoints[i]
}

// ClusterOf is the cluster that an entry point leads to: the one it names, else
// the only one there is; nil when that cannot be determined.
func (inv *Inventory) ClusterOf(p *EntryPoint) *Cluster {
	switch {
	case p.Cluster != "":
		return inv.Cluster(p.Cluster)
	case len(inv.Clusters) == 1:
		return &inv.Clusters[0]
	}
	return nil
}
