package session

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/source"
)

// Clusters picks the named clusters of inv, all when none is named. The error is
// one of usage.
func Clusters(inv *model.Inventory, names ...string) ([]*model.Cluster, error) {
	var out []*model.Cluster
	for i := range inv.Clusters {
		if len(names) == 0 {
			out = append(out, &inv.Clusters[i])
		}
	}
	for _, name := range names {
		c := inv.Cluster(model.ClusterName(name))
		if c == nil {
			return nil, inv.NoCluster(name)
		}
		out = append(out, c)
	}
	return out, nil
}

// Pattern reports whether a name is a pattern of names, as path.Match has them.
func Pattern(name string) bool { return strings.ContainsAny(name, "*?[") }

// Matches reports whether one of the names and patterns is of that cluster.
func Matches(names []string, cluster model.ClusterName) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		ok, err := path.Match(name, string(cluster))
		return name == string(cluster) || ok && err == nil
	})
}

// Matching are the clusters that names and patterns pick, each once, in the
// order of the names; a pattern keeps the order of the inventory. Without a name all
// clusters match. A pattern without a match is a usage error.
func Matching(inv *model.Inventory, names ...string) ([]*model.Cluster, error) {
	if len(names) == 0 {
		return Clusters(inv)
	}
	var out []*model.Cluster
	add := func(c *model.Cluster) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	for _, name := range names {
		if c := inv.Cluster(model.ClusterName(name)); c != nil || !Pattern(name) {
			if c == nil {
				return nil, inv.NoCluster(name)
			}
			add(c)
			continue
		}
		found := false
		for i := range inv.Clusters {
			ok, err := path.Match(name, string(inv.Clusters[i].Name))
			if err != nil {
				return nil, &source.Hint{Err: fmt.Errorf("%q is not a pattern: a bracket is open", text.Line(name, 60)), Try: "pgtui help names", Usage: true}
			}
			if ok {
				found = true
				add(&inv.Clusters[i])
			}
		}
		if !found {
			return nil, model.NotFound(fmt.Errorf("no cluster of %s matches %q", inv.Source, text.Line(name, 60)), name, inv.Names(), "pgtui status lists the names")
		}
	}
	return out, nil
}

// Only are the names of the clusters, for the prober.
func Only(cls []*model.Cluster) []model.ClusterName {
	out := make([]model.ClusterName, len(cls))
	for i, c := range cls {
		out[i] = c.Name
	}
	return out
}

// naming is the one cluster by its name, several by their number.
func naming(cls []*model.Cluster) string {
	if len(cls) == 1 {
		return string(cls[0].Name)
	}
	return text.Plural(len(cls), "cluster")
}

// Boards are the boards of the clusters.
func Boards(snap *model.Snapshot, cls []*model.Cluster, at time.Time) []board.Board {
	out := make([]board.Board, len(cls))
	for i, c := range cls {
		out[i] = check.Board(snap, c, at)
	}
	return out
}

// Watch probes the inventory's nodes until ctx ends, and sends a snapshot after
// each answer.
func (s *Session) Watch(ctx context.Context, inv *model.Inventory, every time.Duration) <-chan *model.Snapshot {
	return s.WatchOf(ctx, inv, every)
}

// WatchOf is Watch of these clusters, of all when none is named.
func (s *Session) WatchOf(ctx context.Context, inv *model.Inventory, every time.Duration, only ...model.ClusterName) <-chan *model.Snapshot {
	seen := s.Prober().Watch(ctx, inv, every, only...)
	out := make(chan *model.Snapshot)
	guard.Go("reading the audit file", func() {
		defer close(out)
		for snap := range seen {
			for now := s.marked(inv, snap); now != nil; {
				select {
				case out <- now:
					now = nil
				case newer, more := <-seen:
					if !more {
						return
					}
					now = s.marked(inv, newer)
				case <-ctx.Done():
					return
				}
			}
		}
	}, func(error) {}) // the closed channel shows it
	return out
}

// Probe is one sweep over the nodes of the clusters, with proofs real
// connections through every port when that is more than 0. HAProxy is probed
// before and after them: where its answer changed meanwhile, the connections
// prove nothing about it.
func (s *Session) Probe(ctx context.Context, inv *model.Inventory, cls []*model.Cluster, proofs int) (*model.Snapshot, error) {
	defer s.doing(fmt.Sprintf("probing %s", naming(cls)))()
	p := s.Prober()
	before, err := p.Probe(ctx, inv, Only(cls)...)
	if err != nil {
		return nil, err
	}
	if proofs == 0 {
		return s.marked(inv, before), nil
	}
	proven := p.Prove(ctx, inv, proofs, Only(cls)...)
	after, err := p.Probe(ctx, inv, Only(cls)...)
	if err != nil {
		return nil, err
	}
	return s.marked(inv, after.Proved(before, proven)), nil
}

// Examined is Probe with what the nodes hold: the files, processes and servers
// of their HAProxies and who has the VIP, read over SSH. The nodes come first,
// so that they are judged by what Patroni and HAProxy report afterwards.
func (s *Session) Examined(ctx context.Context, inv *model.Inventory, cls []*model.Cluster, proofs int) (*model.Snapshot, error) {
	defer s.doing("reading the nodes over SSH")()
	var look model.Readings
	var nodes map[model.Host]source.Observed[model.NodeFacts]
	err := together(
		work{"examining the nodes", func() error { look = s.Applier(inv.Source).Examine(ctx, inv, cls); return nil }},
		work{"reading the VIP", func() error { nodes = s.nodes().Addresses(ctx, vipNodes(inv, cls)); return nil }},
	)
	if err != nil {
		return nil, err
	}
	snap, err := s.Probe(ctx, inv, cls, proofs)
	if err != nil {
		return nil, err
	}
	look.Nodes = nodes
	return snap.With(look), nil
}

// WithServers is Probe of one cluster with what a failover is decided by:
// Patroni's rules and, with ssh, the administrative states of the servers, read
// from each HAProxy's socket.
func (s *Session) WithServers(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool) (*model.Snapshot, error) {
	return s.withServers(ctx, inv, c, ssh, s.patience())
}

func (s *Session) withServers(ctx context.Context, inv *model.Inventory, c *model.Cluster, ssh bool, wait *patience) (*model.Snapshot, error) {
	defer s.doing(fmt.Sprintf("probing %s", c.Name))()
	cls := []*model.Cluster{c}
	var servers map[model.Host]source.Observed[haproxy.ServerStates]
	var snap *model.Snapshot
	err := together(
		work{"reading HAProxy's servers", func() error {
			if ssh {
				servers = wait.nodes().Servers(ctx, lbNodes(inv, c))
			}
			return nil
		}},
		work{"probing the cluster", func() (err error) {
			if snap, err = s.Probe(ctx, inv, cls, 0); err == nil {
				wait.probed(inv, c, snap)
			}
			return err
		}},
	)
	if err != nil {
		return nil, err
	}
	return snap.With(model.Readings{Servers: servers, Rules: map[model.ClusterName]model.RuleFacts{c.Name: s.Prober().Rules(ctx, inv, c, snap)}}), nil
}

// work is one of several things that are done together.
type work struct {
	doing string
	do    func() error
}

// together does all of it at the same time; a panic is an error.
func together(all ...work) error {
	faults := make([]error, len(all))
	var g guard.Group
	for i, w := range all {
		g.Go(w.doing, func() { faults[i] = w.do() }, func(err error) { faults[i] = err })
	}
	g.Wait()
	return errors.Join(faults...)
}

// Examine reads what one HAProxy node holds: its files, processes and servers,
// over SSH. Files of no cluster can be recognised by the names of all clusters
// only.
func (s *Session) Examine(ctx context.Context, inv *model.Inventory, h model.Host) model.Reading {
	all, _ := Clusters(inv)
	look := s.Applier(inv.Source).ExamineHosts(ctx, inv, all, []model.Host{h})
	return look.Of(h)
}

// Rules is what Patroni decides a failover of the cluster by. snap may be nil.
func (s *Session) Rules(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, name model.ClusterName) (model.RuleFacts, error) {
	cls, err := Clusters(inv, string(name))
	if err != nil {
		return model.RuleFacts{}, err
	}
	return s.Prober().Rules(ctx, inv, cls[0], snap), source.Ended(ctx)
}

// Components probes all that Pigsty runs on the nodes of a cluster.
func (s *Session) Components(ctx context.Context, inv *model.Inventory, name model.ClusterName) ([]model.ComponentRow, error) {
	nodes, err := NodesOf(inv, string(name))
	if err != nil {
		return nil, err
	}
	return s.ComponentsOf(ctx, inv, nodes, true), source.Ended(ctx)
}

// ComponentsOf probes all that Pigsty runs on the nodes, with ssh systemd too.
func (s *Session) ComponentsOf(ctx context.Context, inv *model.Inventory, nodes []*model.Node, ssh bool) []model.ComponentRow {
	defer s.doing(fmt.Sprintf("checking the components of %s", text.Plural(len(nodes), "node")))()
	p := s.Prober()
	var facts map[model.Host]source.Observed[model.NodeFacts]
	if ssh {
		facts = s.nodes().Facts(ctx, nodes)
	}
	return model.Components(nodes, p.Components(ctx, inv, nodes, facts))
}

// NodesOf are the nodes of clusters, with those of their providers, and the nodes
// of that name, address or instance; all when none is named. Clusters may be named by a
// pattern.
func NodesOf(inv *model.Inventory, names ...string) ([]*model.Node, error) {
	var out []*model.Node
	add := func(h model.Host) {
		if n := inv.Node(h); n != nil && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if len(names) == 0 {
		for i := range inv.Nodes {
			add(inv.Nodes[i].Host)
		}
	}
	for _, name := range names {
		cls, err := Matching(inv, name)
		for _, c := range cls {
			for i := range c.Instances {
				add(c.Instances[i].Host)
			}
			for _, h := range c.HAProxies() {
				add(h)
			}
		}
		if err == nil {
			continue
		}
		h := inv.HostOf(name)
		switch {
		case h != "":
			add(h)
		case Pattern(name):
			return nil, err
		default:
			return nil, model.NotFound(fmt.Errorf("no cluster and no node %q in %s", text.Line(name, 60), inv.Source), name,
				append(inv.NodeNames(), inv.Members()...), "pgtui components lists all nodes")
		}
	}
	return out, nil
}

// ClusterWith is the cluster of an instance. The error is one of usage.
func ClusterWith(inv *model.Inventory, name model.InstanceName) (*model.Cluster, error) {
	if c, _ := inv.InstanceOf(name); c != nil {
		return c, nil
	}
	return nil, model.NotFound(fmt.Errorf("no instance %q in %s", text.Line(string(name), 60), inv.Source), name, inv.InstanceNames(), "pgtui status lists the names")
}

// HostOf is the host of a node by its address, its nodename or an instance on
// it. The error names a node that the inventory does not have.
func HostOf(inv *model.Inventory, name string) (model.Host, error) {
	n, err := inv.NodeNamed(name)
	if err != nil {
		return "", err
	}
	return n.Host, nil
}

// vipNodes are the nodes that may have the VIP of one of the clusters.
func vipNodes(inv *model.Inventory, cls []*model.Cluster) []*model.Node {
	var out []*model.Node
	for _, c := range cls {
		for i := range c.Instances {
			if n := inv.Node(c.Instances[i].Host); c.VIP != "" && n != nil && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// lbNodes are the HAProxy nodes of a cluster, each once.
func lbNodes(inv *model.Inventory, c *model.Cluster) []*model.Node {
	var out []*model.Node
	for i := range c.LoadBalancers {
		h := c.LoadBalancers[i].Host
		if slices.ContainsFunc(out, func(n *model.Node) bool { return n.Host == h }) {
			continue
		}
		n := inv.Node(h)
		if n == nil {
			n = &model.Node{Host: h, SSH: model.SSHTarget{Address: string(h)}}
		}
		out = append(out, n)
	}
	return out
}
