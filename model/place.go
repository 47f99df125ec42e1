package model

// Place is what a page, a row or a command is about; empty fields are not decided.
type Place struct {
	Cluster  ClusterName
	Service  ServiceName
	Instance InstanceName
	Host     Host
}

// HostAt is the host at a place: its own, or that of its instance; "" without
// either.
func (inv *Inventory) HostAt(at Place) Host {
	if at.Host != "" || at.Instance == "" {
		return at.Host
	}
	if _, in := inv.InstanceOf(at.Instance); in != nil {
		return in.Host
	}
	return ""
}
