package model

// OnHost returns the instance on that node, or nil.
func (c *Cluster) OnHost(h Host) *Instance {
	for i := range c.Instances {
		if c.Instances[i].Host == h {
			return &c.Instances[i]
		}
	}
	return nil
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
