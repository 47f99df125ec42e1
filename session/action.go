package session

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"pgtui/apply/act"
	"pgtui/model"
	"pgtui/model/board"
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
	snap, err := s.look(ctx, inv, c, ssh, s.patience())
	if err != nil {
		return candidate.Table{}, err
	}
	in := s.judged(inv, c, snap)
	return *in.Table, source.Ended(ctx)
}

// judged is what a plan is made from, by one snapshot.
func (s *Session) judged(inv *model.Inventory, c *model.Cluster, snap *model.Snapshot) action.Input {
	now := s.Now()
	b := check.Board(snap, c, now)
	t := candidate.Of(snap, &b, now)
	return action.Input{Inventory: inv, Cluster: c, Snap: snap, Board: &b, Table: &t, Now: now}
}

// look is WithServers with a login on each member, and with ssh what each node
// reaches of the others. When no Patroni answers for its DCS the cluster is read
// once more: the DCS may have been slow.
func (s *Session) look(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool, wait *patience) (*model.Snapshot, error) {
	defer s.doing(fmt.Sprintf("probing %s", c.Name))()
	var snap *model.Snapshot
	var more model.Readings
	read := func() (err error) { snap, err = s.withServers(ctx, inv, c, ssh, wait); return err }
	err := together(
		work{"logging in to the members", func() error { more.SQL = s.Prober().SQL(ctx, inv, c); return nil }},
		work{"probing from the nodes", func() error {
			if ssh {
				more.Reach = wait.nodes().Reach(ctx, memberNodes(inv, c), c)
			}
			return nil
		}},
		work{"reading the cluster", func() error {
			if err := read(); err != nil {
				return err
			}
			if _, known := board.FreshestDCS(snap, c, s.Now()); known || !answers(snap, c) {
				return nil
			}
			return read()
		}},
	)
	if err != nil {
		return nil, err
	}
	return snap.With(more), nil
}

// answers reports whether a Patroni of the cluster answered at all.
func answers(snap *model.Snapshot, c *model.Cluster) bool {
	return slices.ContainsFunc(c.Instances, func(in model.Instance) bool { return snap.PatroniStatus(in.Name).Known() })
}

// memberNodes are the nodes of the cluster's instances.
func memberNodes(inv *model.Inventory, c *model.Cluster) []*model.Node {
	var out []*model.Node
	for i := range c.Instances {
		if n := inv.Node(c.Instances[i].Host); n != nil {
			out = append(out, n)
		}
	}
	return out
}

// PlanAction reads the cluster and returns what the action would do.
func (s *Session) PlanAction(ctx context.Context, inv *model.Inventory, r action.Request) (action.Plan, error) {
	cls, err := Clusters(inv, string(r.Cluster))
	if err != nil {
		return action.Plan{}, err
	}
	c := cls[0]
	defer s.doing(fmt.Sprintf("planning: %s", r.Title()))()
	if r.OnSession() {
		return s.planSignal(ctx, inv, c, r)
	}
	var snap *model.Snapshot
	var handed map[model.Host]source.Observed[string]
	wait := s.patience()
	err = together(
		work{"probing the cluster", func() (err error) { snap, err = s.look(ctx, inv, c, true, wait); return err }},
		work{"reading what a reload keeps", func() error {
			if !r.OnServers() {
				return nil
			}
			ctx, cancel := context.WithTimeout(ctx, handedTime)
			defer cancel()
			a := s.Applier(inv.Source)
			a.Runner = wait
			handed = a.States(ctx, inv, c)
			return nil
		}},
	)
	if err = cmp.Or(Stopped(ctx), err); err != nil {
		return action.Plan{}, err
	}
	in := s.judged(inv, c, snap)
	in.Handed = handed
	err = s.askPatroni(ctx, &in, &r)
	if err = cmp.Or(Stopped(ctx), err); err != nil {
		return action.Plan{}, err
	}
	p := action.Build(&in, r)
	p.MadeAt = in.Now
	return p, Stopped(ctx)
}

// handedTime bounds the look for what a reload keeps, which a plan is shown with and
// does not need.
const handedTime = 4 * time.Second

// Act carries out an action, and calls emit for each event.
func (s *Session) Act(ctx context.Context, inv *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error) {
	title := p.Request.Title()
	s.noteAction(p.Request.Cluster, title, "started", model.Info)
	rep, err := s.actor(inv.Source).Run(ctx, inv, p, emit)
	s.noteAction(p.Request.Cluster, title, endOf(string(rep.Outcome), err), severityIf(rep.Outcome != action.EndDone || err != nil))
	return rep, err
}

// actor carries out actions on the inventory at path.
func (s *Session) actor(path string) *act.Actor {
	p := s.Prober()
	return &act.Actor{
		Audit: s.Audit(path), Who: s.operator(), ReadOnly: s.ReadOnlyBy(), Runner: s.Runner(),
		Probe: p.Probe, Stats: p.Stats, Connect: p.Connect, Now: s.Now, Dial: s.Dial, Roots: p.Roots, Examine: s.Applier(path).Examine,
		Backend: p.Backend, Operate: p.Operate,
	}
}
