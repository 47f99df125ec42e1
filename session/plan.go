package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"pgtui/apply"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
	"pgtui/render"
)

// ErrUnpredictable refuses to plan; the problems of the inventory explain it.
var ErrUnpredictable = errors.New("what Ansible would write cannot be predicted: nothing was read, written or changed")

// ErrStopped is a change that was interrupted before it began.
var ErrStopped = errors.New("interrupted, nothing was changed")

// Stopped is ErrStopped once ctx has ended.
func Stopped(ctx context.Context) error {
	if ctx.Err() != nil {
		return ErrStopped
	}
	return nil
}

// Job is a plan with what carries it out.
type Job struct {
	*apply.Applier
	Inv  *model.Inventory
	Plan plan.Plan
}

// Reload is what a reload is planned for.
type Reload struct {
	Cluster   string
	Hosts     []model.Host // none is all HAProxy nodes of the cluster
	Order     []model.Host // hosts to begin with
	Accept    []string     // names of the accepted risks
	Force     bool         // reload unchanged nodes too
	LiveRoles bool         // roles from Patroni, not from the inventory
}

// PlanReload reads the inventory and the nodes and returns what a reload would
// do, in the order of its roll-out and with its risks. With ErrUnpredictable the
// job has the inventory alone.
func (s *Session) PlanReload(ctx context.Context, r Reload) (*Job, error) {
	load := s.Load
	if r.LiveRoles {
		load = func(ctx context.Context) (*model.Inventory, error) { return s.loadLive(ctx, r.Cluster) }
	}
	inv, err := load(ctx)
	if err = cmp.Or(Stopped(ctx), err); err != nil {
		return nil, err
	}
	cls, err := Clusters(inv, r.Cluster)
	if err != nil {
		return nil, err
	}
	if inv.Unpredictable() {
		return &Job{Inv: inv}, ErrUnpredictable
	}
	defer s.doing(fmt.Sprintf("reading the HAProxy files of %s", r.Cluster))()
	j := &Job{Applier: s.Applier(inv.Source), Inv: inv}
	j.Plan, err = j.Applier.Plan(ctx, inv, cls[0].Name, r.Hosts)
	if err = cmp.Or(Stopped(ctx), err); err != nil {
		return nil, err
	}
	j.Plan.Force, j.Plan.LiveRoles = r.Force, r.LiveRoles
	return j, cmp.Or(j.Assess(ctx, r.Order, r.Accept), Stopped(ctx))
}

// PlanUndo is the plan that restores what a run replaced.
func (s *Session) PlanUndo(ctx context.Context, inv *model.Inventory, run *plan.Run, order []model.Host, accept []string) (*Job, error) {
	defer s.doing(fmt.Sprintf("reading the HAProxy files of %s", run.Cluster))()
	j := &Job{Applier: s.Applier(inv.Source), Inv: inv}
	j.Rollout.Action, j.Rollout.Undoes = plan.ActionUndo, run.Plan
	var err error
	j.Plan, err = j.Undo(ctx, inv, run)
	if err = cmp.Or(Stopped(ctx), err); err != nil {
		return nil, err
	}
	return j, cmp.Or(j.Assess(ctx, order, accept), Stopped(ctx))
}

// PlanStates is the plan that has the nodes' haproxy.cfg keep server states. Its
// risks are not assessed yet.
func (s *Session) PlanStates(ctx context.Context, inv *model.Inventory, c *model.Cluster, order []model.Host) (*Job, error) {
	defer s.doing(fmt.Sprintf("reading the HAProxy files of %s", c.Name))()
	j := &Job{Applier: s.Applier(inv.Source), Inv: inv}
	j.Rollout.Action = plan.ActionStates
	var err error
	if j.Plan, err = j.PlanStates(ctx, inv, c.Name); err == nil {
		err = apply.Order(&j.Plan, order)
	}
	return j, err
}

// Assess adds the risks to the plan and puts it into the order of its roll-out:
// the node that carries the cluster's VIP comes last, unless it is named.
func (j *Job) Assess(ctx context.Context, order []model.Host, accept []string) error {
	if err := apply.Order(&j.Plan, order); err != nil {
		return err
	}
	j.Plan.Accepted = accept
	var holder model.Host
	if snap := j.Applier.Assess(ctx, j.Inv, &j.Plan); snap != nil && snap.VIP[j.Plan.Cluster].Known() {
		holder = snap.VIP[j.Plan.Cluster].Value
	}
	apply.Arrange(&j.Plan, order, holder)
	return nil
}

// confirmWithin is how long a node that the console reloads keeps new files
// without a good verdict.
const confirmWithin = 60 * time.Second

// Plan is what a reload of the hosts of a cluster would do, all for none, by an
// inventory that was loaded.
func (s *Session) Plan(ctx context.Context, inv *model.Inventory, c model.ClusterName, hosts []model.Host) (plan.Plan, error) {
	defer s.doing(fmt.Sprintf("reading the HAProxy files of %s", c))()
	j := &Job{Applier: s.Applier(inv.Source), Inv: inv}
	var err error
	if j.Plan, err = j.Applier.Plan(ctx, inv, c, hosts); err == nil {
		err = j.Assess(ctx, nil, nil)
	}
	return j.Plan, err
}

// Execute carries out a plan, and calls emit for each step.
func (s *Session) Execute(ctx context.Context, inv *model.Inventory, p plan.Plan, emit func(plan.StepResult)) (plan.Report, error) {
	if err := transport.Refusal(s.ReadOnlyBy()); err != nil {
		return plan.Report{Plan: p.ID}, err
	}
	ap := s.Applier(inv.Source)
	ap.Rollout.ConfirmWithin = confirmWithin
	title := fmt.Sprintf("reload of %s", p.Cluster)
	s.noteAction(p.Cluster, title, "started", model.Info)
	rep, err := ap.Execute(ctx, inv, p, emit)
	s.noteAction(p.Cluster, title, endOf(map[bool]string{true: "done", false: "not as planned"}[rep.OK()], err), severityIf(!rep.OK() || err != nil))
	return rep, err
}

// File is a service's file as it is rendered.
func (s *Session) File(inv *model.Inventory, svc *model.Service) string {
	return string(render.ServiceFile(svc, inv.Dialect, s.Managed(inv.Source)))
}
