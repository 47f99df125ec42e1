package session

import (
	"context"

	"pgtui/model"
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
