package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/trace"
	"pgtui/probe"
	"pgtui/source"
)

// vipTimeout is how long the nodes may take to report over SSH whether they have
// the VIP; the rest of the answer does not need them.
const vipTimeout = 3 * time.Second

// Access is every endpoint of a cluster and where it leads now. snap is what is
// known already, and may be nil.
func (s *Session) Access(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, name model.ClusterName) (access.Access, error) {
	cls, err := Clusters(inv, string(name))
	if err != nil {
		return access.Access{}, err
	}
	acc, _, err := s.AccessOf(ctx, inv, snap, cls[0], 0)
	return acc, errors.Join(err, source.Ended(ctx))
}

// AccessOf is every endpoint of a cluster with where each leads now: each is
// resolved and connected to, and logged in through proofs times. The nodes are
// probed where snap is not recent and complete.
func (s *Session) AccessOf(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, c *model.Cluster, proofs int) (access.Access, board.Board, error) {
	defer s.doing(fmt.Sprintf("connecting to the endpoints of %s", c.Name))()
	p, cls := s.Prober(), []*model.Cluster{c}
	if !s.recent(snap, inv, cls) {
		var err error
		if snap, err = p.Probe(ctx, inv, c.Name); err != nil {
			return access.Access{}, board.Board{}, err
		}
	}
	b := Boards(snap, cls, s.Now())[0]
	declared := access.Of(snap, &b, access.Live{})
	ends := make([]model.Endpoint, len(declared.Entries))
	for i := range declared.Entries {
		ends[i] = declared.Entries[i].Endpoint
	}
	var live access.Live
	var nodes map[model.Host]source.Observed[model.NodeFacts]
	failed := together(
		work{"reading who has " + c.VIP, func() error {
			if c.VIP == "" {
				return nil
			}
			ctx, cancel := context.WithTimeout(ctx, vipTimeout)
			defer cancel()
			nodes = s.nodes().Addresses(ctx, vipNodes(inv, cls))
			return nil
		}},
		work{"connecting to the endpoints", func() error {
			live.Checks = p.CheckEntries(ctx, inv, c, ends)
			if proofs > 0 {
				live.Proofs = p.ProveEntries(ctx, inv, c, ends, proofs)
			}
			return nil
		}},
	)
	if failed != nil {
		return access.Access{}, board.Board{}, failed
	}
	snap = snap.With(model.Readings{Nodes: nodes})
	b = Boards(snap, cls, s.Now())[0]
	return access.Of(snap, &b, live), b, nil
}

// recent reports whether a snapshot is of this inventory, complete for the
// clusters, and not about to be stale.
func (s *Session) recent(snap *model.Snapshot, inv *model.Inventory, cls []*model.Cluster) bool {
	return snap != nil && snap.Inventory == inv && snap.Complete(cls...) && s.Now().Sub(snap.TakenAt) < source.StaleAfter/2
}

// Declared is every endpoint of a cluster by the inventory alone. No node is
// probed.
func (s *Session) Declared(inv *model.Inventory, c *model.Cluster) access.Access {
	snap := &model.Snapshot{Inventory: inv, TakenAt: s.Now()}
	b := Boards(snap, []*model.Cluster{c}, snap.TakenAt)[0]
	return access.Of(snap, &b, access.Live{})
}

// Trace makes one connection to a target as Target takes it, and returns what
// each hop did.
func (s *Session) Trace(ctx context.Context, inv *model.Inventory, target []string) (trace.Trace, error) {
	t, err := Target(inv, target)
	if err != nil {
		return trace.Trace{}, err
	}
	tr, _ := s.TraceTo(ctx, inv, t)
	return tr, source.Ended(ctx)
}

// TraceTo is one connection with what the nodes on its way report. They are
// probed right after it, so that their answers are not older than the
// connection; what does not answer is unknown at its hop.
func (s *Session) TraceTo(ctx context.Context, inv *model.Inventory, target trace.Target) (trace.Trace, *model.Snapshot) {
	defer s.doing("connecting, and probing what is on the way")()
	p := s.Prober()
	attempts := p.Connect(ctx, inv, target, 0, true)
	cls := trace.Clusters(inv, target, attempts)
	var snap *model.Snapshot
	var boards []board.Board
	if len(cls) > 0 {
		if got, err := p.Probe(ctx, inv, Only(cls)...); err == nil {
			snap, boards = got, Boards(got, cls, s.Now())
		}
	}
	return trace.Of(snap, inv, boards, target, attempts), snap
}

// Target reads where a trace goes: a connection string, or a cluster or an
// entry point and a service.
func Target(inv *model.Inventory, args []string) (trace.Target, error) {
	if len(args) == 2 {
		return serviceTarget(inv, args[0], args[1])
	}
	if !strings.ContainsAny(args[0], "=/") {
		try := "pgtui trace pg-test primary"
		if p := inv.EntryPoint(args[0]); p != nil {
			try = fmt.Sprintf("pgtui trace %s primary", p.Name)
		}
		return trace.Target{}, &source.Hint{Err: errors.New("expected a connection string, or a cluster and a service"), Try: try, Usage: true}
	}
	t, err := probe.ParseDSN(args[0])
	if err != nil {
		return t, &source.Hint{Err: err, Try: source.TryOf(err), Usage: true}
	}
	if t.Login.Password != "" {
		return t, nil
	}
	if cls := trace.Clusters(inv, t, nil); len(cls) > 0 {
		t.Login = model.Login{User: cls[0].Monitor.User, Password: cls[0].Monitor.Password, Databases: []string{t.Database}}
		t.As = "the monitoring user, because there is no password for " + t.User
	}
	return t, nil
}

// serviceTarget is the connection string of a service, at the cluster or the
// entry point of that name.
func serviceTarget(inv *model.Inventory, name, service string) (trace.Target, error) {
	if p := inv.EntryPoint(name); p != nil && inv.Cluster(model.ClusterName(name)) == nil {
		d, c, err := access.TracePoint(inv, p, service)
		if err != nil {
			return trace.Target{}, err
		}
		return trace.Target{DSN: d, Login: c.Monitor, As: "the monitoring user"}, nil
	}
	cls, err := Clusters(inv, name)
	if err != nil {
		return trace.Target{}, err
	}
	d, err := trace.DSN(cls[0], service)
	return trace.Target{DSN: d, Login: cls[0].Monitor, As: "the monitoring user"}, err
}
