package session

import (
	"context"
	"errors"
	"slices"
	"time"

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
	snap, err := s.lookAt(ctx, inv, cls[0])
	if err != nil {
		return candidate.Table{}, err
	}
	b := check.Board(snap, cls[0], s.Now())
	return candidate.Of(snap, &b, s.Now()), ctx.Err()
}

// lookAt is everything that an action on the cluster is judged by.
func (s *Session) lookAt(ctx context.Context, inv *model.Inventory, c *model.Cluster) (*model.Snapshot, error) {
	return s.WithServers(ctx, inv, c, true)
}

// PlanAction reads the cluster and returns what the action would do.
func (s *Session) PlanAction(ctx context.Context, inv *model.Inventory, r action.Request) (action.Plan, error) {
	cls, err := Clusters(inv, string(r.Cluster))
	if err != nil {
		return action.Plan{}, err
	}
	c := cls[0]
	var snap *model.Snapshot
	var handed map[model.Host]source.Observed[string]
	err = together(
		work{"probing the cluster", func() (err error) { snap, err = s.lookAt(ctx, inv, c); return err }},
		work{"reading what a reload keeps", func() error {
			if !r.OnServers() {
				return nil
			}
			ctx, cancel := context.WithTimeout(ctx, handedTime)
			defer cancel()
			handed = s.Applier(inv.Source).States(ctx, inv, c)
			return nil
		}},
	)
	if err = errors.Join(err, Stopped(ctx)); err != nil {
		return action.Plan{}, err
	}
	now := s.Now()
	b := check.Board(snap, c, now)
	t := candidate.Of(snap, &b, now)
	p := action.Build(&action.Input{Inventory: inv, Cluster: c, Snap: snap, Board: &b, Table: &t, Now: now, Running: runningOf(snap, c.Name), Handed: handed}, r)
	p.MadeAt = now
	return p, Stopped(ctx)
}

// handedTime bounds the look for what a reload keeps, which a plan is shown with and
// does not need.
const handedTime = 4 * time.Second

// runningOf are the actions of a cluster that are still under way on this machine.
func runningOf(snap *model.Snapshot, c model.ClusterName) []model.Mark {
	return slices.DeleteFunc(slices.Clone(snap.Marks[c]), func(m model.Mark) bool { return !m.Open || !m.Alive })
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
		Probe: p.Probe, Stats: p.Stats, Connect: p.Connect, Servers: s.nodes().Servers, Now: s.Now,
	}
}
