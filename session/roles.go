package session

import (
	"context"
	"fmt"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/pigsty"
	"pgtui/source"
)

// Roles are the roles of one cluster, in the inventory and now.
type Roles struct {
	Play    *pigsty.Play
	Cluster *model.Cluster
	Rows    []board.RoleChange
	Err     error // why the roles are unknown
}

// At is the file and line of the host's pg_role, "" where it has none.
func (r *Roles) At(h model.Host) string {
	x := r.Play.Inventory.Host(string(h))
	if x == nil {
		return ""
	}
	e := x.All().Lookup("pg_role")
	switch {
	case e == nil:
		return ""
	case e.At.Line < 1:
		return e.At.File
	}
	return fmt.Sprintf("%s:%d", e.At.File, e.At.Line)
}

// Roles probes the nodes of the cluster of that name.
func (s *Session) Roles(ctx context.Context, play *pigsty.Play, name string) (*Roles, error) {
	cls, err := Clusters(play.Model, name)
	if err != nil {
		return nil, err
	}
	snap, err := s.Probe(ctx, play.Model, cls, 0)
	if err != nil {
		return nil, err
	}
	r := &Roles{Play: play, Cluster: cls[0]}
	b := board.Of(snap, cls[0], s.Now())
	r.Rows, r.Err = board.Roles(&b)
	return r, nil
}

// Unmoved is an error when the roles have changed since r was read.
func (s *Session) Unmoved(ctx context.Context, r *Roles) error {
	again, err := s.Roles(ctx, r.Play, string(r.Cluster.Name))
	if err == nil {
		err = again.Err
	}
	for i := 0; err == nil && i < len(r.Rows); i++ {
		if is := again.Rows[i]; is.Want != r.Rows[i].Want {
			err = fmt.Errorf("%s is %s now", is.Instance, is.Live)
		}
	}
	if err != nil {
		return &source.Hint{Err: fmt.Errorf("refused, nothing was changed: %w", err), Try: "pgtui roles " + string(r.Cluster.Name)}
	}
	return nil
}

// KeepsUpstream refuses to move the role of a standby cluster's primary away
// from the host with pg_upstream: nothing else makes the cluster a standby one.
func (r *Roles) KeepsUpstream() error {
	if !r.Cluster.Standby {
		return nil
	}
	for _, c := range board.RolesChanged(r.Rows) {
		if v, ok, err := r.Play.Var(c.Host, "pg_upstream"); c.Want == string(model.RolePrimary) && (err != nil || !ok || !py.Truthy(v)) {
			return &source.Hint{Err: fmt.Errorf("refused, nothing was changed: %s is a standby cluster, and its leader %s has no pg_upstream", r.Cluster.Name, c.Instance),
				Try: fmt.Sprintf("move pg_upstream to host %s by hand, then pgtui roles %s --edit", c.Host, r.Cluster.Name)}
		}
	}
	return nil
}

// loadLive reads the inventory as if it had the roles that Patroni reports now.
func (s *Session) loadLive(ctx context.Context, cluster string) (*model.Inventory, error) {
	play, err := s.Play(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.Roles(ctx, play, cluster)
	if err == nil {
		err = r.Err
	}
	if err != nil {
		return nil, fmt.Errorf("--live-roles: %w", err)
	}
	live := s.Another(s.Options) // the roles are for this one load
	live.typed, live.roles = s.typed, map[model.Host]string{}
	for _, x := range board.RolesChanged(r.Rows) {
		live.roles[x.Host] = x.Want
		s.notice(fmt.Sprintf("pg_role of %s taken as %s: %s", x.Instance, x.Want, x.Why))
	}
	return live.Load(ctx)
}
