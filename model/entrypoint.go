package model

import "slices"

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
