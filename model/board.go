package model

// Service returns the service of that name as the first load balancer that has it
// declares it, or nil.
func (c *Cluster) Service(name ServiceName) *Service {
	for i := range c.LoadBalancers {
		if s := c.LoadBalancers[i].Service(name); s != nil {
			return s
		}
	}
	return nil
}
