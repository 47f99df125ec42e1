package model

import (
	"fmt"
	"strconv"

	"pgtui/internal/text"
	"pgtui/source"
)

// fewNames is how many names an error lists; of more it shows where they are.
const fewNames = 6

// NotFound is the usage error for a name that is not in have. It suggests the nearest
// name. Without a near name, the hint lists have, or is try if have is long.
func NotFound[S, T ~string](err error, name S, have []T, try string) error {
	if near := text.Nearest(string(name), Strings(have)); near != "" {
		return &source.Hint{Err: fmt.Errorf("%w: did you mean %s?", err, near), Usage: true}
	}
	if len(have) > 0 && (len(have) <= fewNames || try == "") {
		try = "one of: " + Join(have[:min(len(have), fewNames)])
	}
	return &source.Hint{Err: err, Try: try, Usage: true}
}

// ServiceOf is the cluster's service of that name or on that port, as the
// first load balancer that has it declares it. A name counts before a port. The
// error is one of usage.
func (c *Cluster) ServiceOf(name string) (*Service, error) {
	if s := c.Service(ServiceName(name)); s != nil {
		return s, nil
	}
	all := c.Services()
	if _, err := strconv.ParseUint(name, 10, 16); err == nil {
		for _, s := range all {
			if s.Port == name {
				return s, nil
			}
		}
		ports := make([]string, len(all))
		for i, s := range all {
			ports[i] = s.Port
		}
		return nil, &source.Hint{Err: fmt.Errorf("%s has no service on port %s", c.Name, name), Try: "one of: " + Join(ports), Usage: true}
	}
	return nil, NotFound(fmt.Errorf("%s has no service %q", c.Name, text.Line(name, 60)), name, c.ServiceNames(), "")
}

// InstanceNamed is the cluster's instance of that name. The error is one of usage.
func (c *Cluster) InstanceNamed(name InstanceName) (*Instance, error) {
	if in := c.Instance(name); in != nil {
		return in, nil
	}
	return nil, NotFound(fmt.Errorf("%s has no instance %q", c.Name, text.Line(string(name), 60)), name, c.Names(), "")
}

// NoHAProxy is the usage error of a name that is not a HAProxy node of the cluster.
func (c *Cluster) NoHAProxy(name string) error {
	return NotFound(fmt.Errorf("%s is not a HAProxy node of %s", text.Line(name, 60), c.Name), name, c.HAProxies(), "")
}

// NoCluster is the usage error of a name that is not a cluster.
func (inv *Inventory) NoCluster(name string) error {
	return NotFound(fmt.Errorf("no cluster %q in %s", text.Line(name, 60), inv.Source), name, inv.Names(), "pgtui status lists the names")
}

// NodeNamed is the node of that address or nodename, else the node of the instance
// of that name. The error is one of usage.
func (inv *Inventory) NodeNamed(name string) (*Node, error) {
	if n := inv.Node(inv.HostOf(name)); n != nil {
		return n, nil
	}
	return nil, NotFound(fmt.Errorf("the inventory has no node %q", text.Line(name, 60)), name, inv.NodeNames(), "pgtui components lists the nodes")
}

// Names are the names of the clusters.
func (inv *Inventory) Names() []ClusterName {
	out := make([]ClusterName, len(inv.Clusters))
	for i := range inv.Clusters {
		out[i] = inv.Clusters[i].Name
	}
	return out
}

// InstanceNames are the names of the instances of all clusters.
func (inv *Inventory) InstanceNames() []InstanceName {
	var out []InstanceName
	for i := range inv.Clusters {
		out = append(out, inv.Clusters[i].Names()...)
	}
	return out
}

// Members are the names of the clusters, then those of their instances.
func (inv *Inventory) Members() []string {
	return append(Strings(inv.Names()), Strings(inv.InstanceNames())...)
}

// NodeNames are what a node may be named by: its address, its nodename, or an
// instance on it.
func (inv *Inventory) NodeNames() []string {
	var out []string
	seen := map[string]bool{"": true}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	for i := range inv.Nodes {
		add(string(inv.Nodes[i].Host))
		add(inv.Nodes[i].Name)
	}
	for _, in := range inv.InstanceNames() {
		add(string(in))
	}
	return out
}
