package session

import (
	"context"
	"fmt"
	"slices"

	"pgtui/model"
	"pgtui/model/setup"
	"pgtui/probe/transport"
	"pgtui/source"
)

// Setup checks from this machine that what pgtui needs of the nodes of the clusters is there. It
// changes nothing. Beside the checks it returns the lines of sudoers that the logins need, one a
// login; root needs none.
func (s *Session) Setup(ctx context.Context, inv *model.Inventory, cls []*model.Cluster) (items []setup.Item, sudoers []string, err error) {
	defer s.doing(fmt.Sprintf("checking the setup of %s", naming(cls)))()
	nodes, err := nodesOf(inv, cls)
	if err != nil {
		return nil, nil, err
	}
	in := setup.Input{Clusters: cls}
	in.Client = transport.Client()
	sql := map[model.InstanceName]source.Observed[model.ServerFacts]{}
	err = together(
		work{"logging in to the nodes", func() error { in.Logins = s.nodes().Logins(ctx, nodes); return nil }},
		work{"examining the nodes", func() (err error) { in.Snap, err = s.Examined(ctx, inv, cls, 0); return err }},
		work{"logging in to PostgreSQL", func() error {
			p := s.Prober()
			for _, c := range cls {
				for name, facts := range p.SQL(ctx, inv, c) {
					sql[name] = facts
				}
			}
			return nil
		}},
	)
	if err != nil {
		return nil, nil, err
	}
	in.Snap = in.Snap.With(model.Readings{SQL: sql})
	for _, n := range nodes {
		if user := in.Logins[n.Host].Value; user != "" && user != "root" {
			if line := transport.Sudoers(user); !slices.Contains(sudoers, line) {
				sudoers = append(sudoers, line)
			}
		}
	}
	return setup.Check(&in), sudoers, source.Ended(ctx)
}

func nodesOf(inv *model.Inventory, cls []*model.Cluster) ([]*model.Node, error) {
	names := make([]string, len(cls))
	for i, c := range cls {
		names[i] = string(c.Name)
	}
	return NodesOf(inv, names...)
}
