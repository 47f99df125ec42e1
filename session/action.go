package session

import (
	"context"
	"errors"

	"pgtui/apply/act"
	"pgtui/model"
	"pgtui/model/candidate"
	"pgtui/model/check"
	"pgtui/plan/action"
	"pgtui/source"
)

// Candidates is who of a cluster can take over, with every gate. The nodes are
// probed, and each member is logged in to.
func (s *Session) Candidates(ctx context.Context, inv *model.Inventory, name model.ClusterName) (candidate.Table, error) {
	cls, err := Clusters(inv, string(name))
	if err != nil {
		return candidate.Table{}, err
	}
	return s.CandidatesOf(ctx, inv, cls[0], true)
}

// CandidatesOf is Candidates of one cluster. Without ssh no HAProxy's socket is
// read: a drain behind the status DOWN is unknown then.
func (s *Session) CandidatesOf(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool) (candidate.Table, error) {
	snap, err := s.look(ctx, inv, c, ssh)
	if err != nil {
		return candidate.Table{}, err
	}
	now := s.Now()
	b := check.Board(snap, c, now)
	return candidate.Of(snap, &b, now), ctx.Err()
}

// lookAt is everything that an action on the cluster is judged by.
func (s *Session) lookAt(ctx context.Context, inv *model.Inventory, c *model.Cluster) (*model.Snapshot, error) {
	return s.look(ctx, inv, c, true)
}

// look is WithServers with a login on each member.
func (s *Session) look(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool) (*model.Snapshot, error) {
	var snap *model.Snapshot
	var logins map[model.InstanceName]source.Observed[model.ServerFacts]
	err := together(
		work{"logging in to the members", func() error { logins = s.Prober().SQL(ctx, inv, c); return nil }},
		work{"reading the cluster", func() (err error) { snap, err = s.WithServers(ctx, inv, c, ssh); return err }},
	)
	if err != nil {
		return nil, err
	}
	return snap.With(model.Readings{SQL: logins}), nil
}

// PlanAction reads the cluster and returns what the action would do.
func (s *Session) PlanAction(ctx context.Context, inv *model.Inventory, r action.Request) (action.Plan, error) {
	cls, err := Clusters(inv, string(r.Cluster))
	if err != nil {
		return action.Plan{}, err
	}
	c := cls[0]
	snap, err := s.lookAt(ctx, inv, c)
	if err = errors.Join(err, Stopped(ctx)); err != nil {
		return action.Plan{}, err
	}
	now := s.Now()
	b := check.Board(snap, c, now)
	t := candidate.Of(snap, &b, now)
	in := action.Input{Inventory: inv, Cluster: c, Snap: snap, Board: &b, Table: &t, Now: now}
	if err := errors.Join(s.askPatroni(ctx, &in, &r), Stopped(ctx)); err != nil {
		return action.Plan{}, err
	}
	p := action.Build(&in, r)
	p.MadeAt = now
	return p, Stopped(ctx)
}

// Act carries out an action, and calls emit for each event.
func (s *Session) Act(ctx context.Context, inv *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error) {
	return s.actor(inv.Source).Run(ctx, inv, p, emit)
}

// actor carries out actions on the inventory at path.
func (s *Session) actor(path string) *act.Actor {
	p := s.Prober()
	return &act.Actor{
		Audit: s.Audit(path), Who: s.operator(), ReadOnly: s.ReadOnly, Runner: s.Runner(),
		Probe: p.Probe, Connect: p.Connect, Servers: s.nodes().Servers, Now: s.Now, Dial: s.Dial, Roots: p.Roots, Examine: s.Applier(path).Examine,
	}
}
