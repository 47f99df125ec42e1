package access

import (
	"fmt"
	"slices"
	"strconv"

	"pgtui/model"
	"pgtui/source"
)

// SchemeExternal is the scheme of an entry point that is not one of those that
// SchemesOf compares.
const SchemeExternal = "external"

// SchemeNames are the schemes that an entry point may have.
func SchemeNames() []string {
	return []string{SchemeExternal, string(SchemeDNSHAProxy), string(SchemeL2VIPHAProxy), string(SchemeL4VIPHAProxy), string(SchemeL4VIP), string(SchemeConsul),
		string(SchemeStaticDNS), string(SchemeSmartClient), string(SchemeHAProxyTier), string(SchemeRoute53), string(SchemeAWSTier), string(SchemeNLB), string(SchemeLayered)}
}

// entryPoints are the rows that the configuration adds for a cluster.
func entryPoints(inv *model.Inventory, c *model.Cluster) []EntryHost {
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
		note := fmt.Sprintf("%s is the entry point %s of the configuration, scheme %s: only a connection shows where it leads", h.Name, h.Point.Name, h.Point.Scheme)
		if !slices.ContainsFunc(a.Entries, func(e Entry) bool { return e.On.Point == h.Point }) {
			note += "; none of its ports belongs to " + string(a.Cluster.Name)
		}
		out = append(out, note)
	}
	return out
}

// TracePoint is how a client reaches a service through an entry point. The
// service may be named by a port: that of the entry point, else the service's own.
func TracePoint(inv *model.Inventory, p *model.EntryPoint, name string) (DSN, *model.Cluster, error) {
	c := inv.ClusterOf(p)
	if c == nil {
		what := "names no cluster, and the inventory has several"
		if p.Cluster != "" {
			what = fmt.Sprintf("belongs to cluster %s, which is not in the inventory", p.Cluster)
		}
		return DSN{}, nil, &source.Hint{Err: fmt.Errorf("entry point %s %s", p.Name, what), Try: "cluster: NAME below entry-points." + p.Name + " in the configuration"}
	}
	var have []string
	var ports, own []DSN
	for _, at := range EntryPorts(c) {
		port, ok := p.Port(at)
		if !ok {
			continue
		}
		d := DsnOf(c, at, port, p.Host)
		switch have = append(have, at.Name); name {
		case at.Name:
			return d, c, nil
		case strconv.Itoa(int(port)):
			ports = append(ports, d)
		case strconv.Itoa(int(at.Port)):
			own = append(own, d)
		}
	}
	if byPort := append(ports, own...); len(byPort) > 0 {
		return byPort[0], c, nil
	}
	return DSN{}, nil, model.NotFound(fmt.Errorf("entry point %s has no port for %q of %s", p.Name, name, c.Name), name, have, "ports below entry-points."+p.Name+" in the configuration")
}
