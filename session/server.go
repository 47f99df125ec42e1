package session

import (
	"context"

	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/source"
)

// Pooler is what the pgbouncer of an instance reports of itself now, by one login to
// its console.
func (s *Session) Pooler(ctx context.Context, inv *model.Inventory, name model.InstanceName) (model.PoolReport, error) {
	c, err := ClusterWith(inv, name)
	if err != nil {
		return model.PoolReport{}, err
	}
	return s.Prober().Pooler(ctx, c, c.Instance(name))
}

// Activity is what the PostgreSQL of an instance reports of its sessions now, by one
// login. With text it has the beginning of each query, which may hold secrets.
func (s *Session) Activity(ctx context.Context, inv *model.Inventory, name model.InstanceName, text bool) (model.ServerReport, error) {
	c, err := ClusterWith(inv, name)
	if err != nil {
		return model.ServerReport{}, err
	}
	return s.Prober().Activity(ctx, c, c.Instance(name), text)
}

// Store is the space and the backups of an instance, read on its node over SSH.
func (s *Session) Store(ctx context.Context, inv *model.Inventory, name model.InstanceName) (model.NodeStore, error) {
	c, err := ClusterWith(inv, name)
	if err != nil {
		return model.NodeStore{}, err
	}
	n, err := inv.NodeNamed(string(c.Instance(name).Host))
	if err != nil {
		return model.NodeStore{}, err
	}
	return s.nodes().Store(ctx, n, string(c.Name))
}

// ServerOf is Activity, and with ssh Store, read at the same time. The error is that
// of Activity; why the node was not read is in the second result.
func (s *Session) ServerOf(ctx context.Context, inv *model.Inventory, name model.InstanceName, text, ssh bool) (rep model.ServerReport, store source.Observed[model.NodeStore], err error) {
	err = together(
		work{"reading the sessions", func() (err error) { rep, err = s.Activity(ctx, inv, name, text); return err }},
		work{"reading the node", func() error {
			if ssh {
				store = source.Observe(s.Now, func() (model.NodeStore, error) { return s.Store(ctx, inv, name) })
			}
			return nil
		}},
	)
	return rep, store, err
}

// planSignal plans the end of a session by what its PostgreSQL reports alone: it must be
// quick, and Patroni and HAProxy have no part in it.
func (s *Session) planSignal(ctx context.Context, inv *model.Inventory, c *model.Cluster, r action.Request) (action.Plan, error) {
	in := action.Input{Inventory: inv, Cluster: c, Now: s.Now(), Signal: &action.Signal{}}
	if member := c.Instance(r.Instance); member != nil {
		p := s.Prober()
		err := together(
			work{"reading the sessions", func() error {
				in.Signal.Report, in.Signal.Err = p.Activity(ctx, c, member, false)
				return nil
			}},
			work{"reading the rights of the administrator", func() error { in.Signal.Rights = p.SignalRights(ctx, c, member, r.PID); return nil }},
		)
		if err != nil {
			return action.Plan{}, err
		}
	}
	p := action.Build(&in, r)
	p.MadeAt = in.Now
	return p, Stopped(ctx)
}
