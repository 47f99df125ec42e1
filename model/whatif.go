package model

// Names are the cluster's instances.
func (c *Cluster) Names() []InstanceName {
	out := make([]InstanceName, len(c.Instances))
	for i := range c.Instances {
		out[i] = c.Instances[i].Name
	}
	return out
}
