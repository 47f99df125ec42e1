package act

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan/action"
	"pgtui/source"
)

// untilBoard judges the cluster again and again until judge finds nothing left, at
// most for SettleFor. judge returns what is waited for, "" for nothing.
func (r *run) untilBoard(ctx context.Context, judge func(*model.Snapshot, *board.Board) string) error {
	waits, unread, err := r.sweep(ctx, r.settleFor(), "", func(s *model.Snapshot, b *board.Board) (string, error) { return judge(s, b), nil })
	switch {
	case errors.Is(err, errStopped):
		return r.waitStopped()
	case err != nil && unread != nil:
		return unprobed(unread)
	case err != nil:
		return fmt.Errorf("after %s: %s", r.settleFor(), waits)
	}
	return nil
}

// unprobed is the error of a wait or a check whose sweep failed.
func unprobed(err error) error {
	return fmt.Errorf("the cluster could not be probed: %w: %w", err, ErrUnknown)
}

// awaitVIP waits until the VIP is on another node than the one of the plan.
func awaitVIP(ctx context.Context, r *run, s *action.Step) error {
	h := r.plan.Request.Node
	unknown := false
	err := r.untilBoard(ctx, func(_ *model.Snapshot, b *board.Board) string {
		unknown = b.VIP.Holder == ""
		switch {
		case unknown:
			return "which node has the VIP is unknown: " + b.VIP.Why
		case b.VIP.Holder == h:
			return fmt.Sprintf("%s still has the VIP %s", h, s.Value)
		}
		r.tell(action.Event{State: action.Proven, What: fmt.Sprintf("the VIP %s is on %s", s.Value, b.VIP.Holder)})
		return ""
	})
	if err != nil && unknown {
		return fmt.Errorf("%w: %w", err, ErrUnknown)
	}
	return err
}

// awaitStreaming waits until a member runs as a replica and streams.
func awaitStreaming(ctx context.Context, r *run, s *action.Step) error {
	known := false
	err := r.untilBoard(ctx, func(snap *model.Snapshot, b *board.Board) string {
		m := b.Member(s.Instance)
		switch known = m != nil && m.Known; {
		case !known:
			return fmt.Sprintf("%s: its Patroni does not answer", s.Instance)
		case action.Streams(snap, b, m) || strings.HasSuffix(m.Role, "leader"):
			r.tell(action.Event{State: action.Settled, Host: m.Host, What: fmt.Sprintf("%s is %s, %s", s.Instance, m.Role, m.State)})
			return ""
		}
		return fmt.Sprintf("%s is %s, %s", s.Instance, m.Role, m.State)
	})
	if err != nil && !known {
		return fmt.Errorf("%w: %w", err, ErrUnknown)
	}
	return err
}

// safeToStop checks that a node may be stopped: its instance does not lead, and no
// HAProxy that answers sends it new connections.
func safeToStop(ctx context.Context, r *run, s *action.Step) error {
	_, b, err := r.look(ctx)
	if err != nil {
		return unprobed(err)
	}
	h := r.plan.Request.Node
	switch b.Leader {
	case "":
		return fmt.Errorf("whether %s may be stopped is unknown: the leader is unknown: %w", h, ErrUnknown)
	case s.Instance:
		return fmt.Errorf("%s is not safe to stop: %s leads", h, s.Instance)
	}
	var open, unread []string
	for i := range b.Routes {
		for k := range b.Routes[i].Views {
			v := &b.Routes[i].Views[k]
			if v.HAProxy != h && (v.At.IsZero() || v.Stale) {
				unread = append(unread, string(v.HAProxy))
			}
			for _, c := range v.Cells {
				if c.Instance == s.Instance && c.Share > 0 && v.HAProxy != h {
					open = append(open, fmt.Sprintf("%s on %s", b.Routes[i].Name(), v.HAProxy))
				}
			}
		}
	}
	switch {
	case len(open) > 0:
		return &source.Hint{Err: fmt.Errorf("%s is not safe to stop: new connections still go to it: %s", h, strings.Join(open, ", ")), Try: "pgtui maintenance " + string(h)}
	case len(unread) > 0:
		return fmt.Errorf("whether %s may be stopped is unknown: %s does not answer: %w", h, unread[0], ErrUnknown)
	case b.VIP.Holder == h:
		return fmt.Errorf("%s is not safe to stop: it has the VIP %s", h, b.VIP.Address)
	}
	r.rep.Leader = b.Leader
	if left := others(r.inv, h, r.plan.Request.Cluster); left != "" {
		r.rep.State = fmt.Sprintf("%s does not need %s any more: %s leads; before it is safe to stop, %s must be moved away, too", r.plan.Request.Cluster, r.inv.Label(h), b.Leader, left)
		r.tell(action.Event{State: action.Proven, Host: h, What: fmt.Sprintf("safe to stop for %s; not judged: %s", r.plan.Request.Cluster, left)})
		return nil
	}
	r.rep.State = fmt.Sprintf("%s is safe to stop: %s leads, and no HAProxy sends %s new connections", r.inv.Label(h), b.Leader, s.Instance)
	r.tell(action.Event{State: action.Proven, Host: h, What: "safe to stop"})
	return nil
}

// others are the instances of other clusters on a node, "" for none.
func others(inv *model.Inventory, h model.Host, than model.ClusterName) string {
	var out []model.InstanceName
	for _, c := range inv.ClustersOn(h) {
		if c.Name != than {
			out = append(out, c.OnHost(h).Name)
		}
	}
	return model.Join(out)
}
