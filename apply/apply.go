package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"time"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/node"
	"pgtui/probe/transport"
	"pgtui/render"
	"pgtui/source"
)

// Applier makes plans from what the nodes have, and runs them.
type Applier struct {
	// Runner runs scripts on nodes.
	Runner transport.Runner
	// Stats reads the stats page of one node, over a new connection each time:
	// an old one may end at the worker that a reload replaced.
	Stats func(ctx context.Context, n model.Node) (haproxy.Stats, error)
	// Probe probes the cluster's nodes once, for the risks of a plan; without it
	// the state of the cluster is unknown, which is a risk.
	Probe func(ctx context.Context, inv *model.Inventory, only ...model.ClusterName) (*model.Snapshot, error)
	// Now is the clock.
	Now func() time.Time
	// Rollout is how plans are carried out.
	Rollout Rollout
	// Audit keeps the records of what was done; nil keeps none.
	Audit *Audit
	// Who is the operator in the audit file, and in the message that a node is locked.
	Who plan.Operator
	// Managed is the date of the "# ansible managed:" line of files that are
	// new on a node; the others keep the line they have.
	Managed string

	// ReadFor, RunFor and VerifyFor bound one node's part of planning, of its
	// script and of reading its stats page. Zero means 20 s, 5 min, 20 s.
	ReadFor, RunFor, VerifyFor time.Duration
	// Poll is the pause between two reads of a stats page; zero means 200 ms.
	Poll time.Duration
}

// readers bounds how many nodes are read at once.
const readers = 8

// Plan reads the files of the cluster's HAProxy nodes and returns the changes on
// each. No hosts means all of them. An unknown cluster or host is an error. A node
// that cannot be read is in the plan with its Err; see plan.Plan.Refusal before
// running it.
func (a *Applier) Plan(ctx context.Context, inv *model.Inventory, cluster model.ClusterName, hosts []model.Host) (plan.Plan, error) {
	c, err := question(inv, cluster, hosts, false)
	if err != nil {
		return plan.Plan{}, err
	}
	p := plan.Build(inv, c, render.Files(inv, c, a.Managed), a.readAll(ctx, inv, among(fronts(c), hosts)))
	p.MadeAt = a.Now()
	return p, nil
}

// among are the hosts of all that are in only; all when that is empty.
func among(all, only []model.Host) []model.Host {
	return slices.DeleteFunc(all, func(h model.Host) bool { return len(only) > 0 && !slices.Contains(only, h) })
}

// question checks that the cluster exists and that the hosts are among its HAProxy
// nodes, or with old among its former ones.
func question(inv *model.Inventory, cluster model.ClusterName, hosts []model.Host, old bool) (*model.Cluster, error) {
	c := inv.Cluster(cluster)
	if c == nil {
		return nil, inv.NoCluster(string(cluster))
	}
	if len(c.LoadBalancers) == 0 && len(c.Problems) == 0 {
		return nil, fmt.Errorf("%s: no HAProxy node serves it", cluster)
	}
	for _, h := range hosts {
		if c.LoadBalancer(h) == nil && !(old && slices.Contains(plan.Former(inv, c), h)) {
			return nil, c.NoHAProxy(string(h))
		}
	}
	return c, nil
}

// fronts are the cluster's HAProxy nodes.
func fronts(c *model.Cluster) []model.Host {
	var out []model.Host
	for _, f := range c.LoadBalancers {
		out = append(out, f.Host)
	}
	return out
}

// readAll reads the service files of the hosts, several at a time.
func (a *Applier) readAll(ctx context.Context, inv *model.Inventory, hosts []model.Host) map[model.Host]plan.NodeFiles {
	return ofHosts(hosts, func(h model.Host) plan.NodeFiles { return a.read(ctx, inv, h) }, func(err error) plan.NodeFiles { return plan.NodeFiles{Err: err} })
}

// ofHosts is what read returns for each host, several at once; failed where pgtui
// itself fails.
func ofHosts[T any](hosts []model.Host, read func(model.Host) T, failed func(error) T) map[model.Host]T {
	out := make([]T, len(hosts))
	each(len(hosts), func(i int) { out[i] = read(hosts[i]) }, func(i int, err error) { out[i] = failed(err) })
	byHost := make(map[model.Host]T, len(hosts))
	for i, h := range hosts {
		byHost[h] = out[i]
	}
	return byHost
}

// each does f for 0 to n-1, several at once, and returns when all are done.
// failed is called for those in which pgtui itself fails.
func each(n int, f func(i int), failed func(i int, err error)) {
	var g guard.Group
	slots := make(chan struct{}, readers)
	for i := range n {
		g.Go("reading a node", func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			f(i)
		}, func(err error) { failed(i, err) })
	}
	g.Wait()
}

func (a *Applier) read(ctx context.Context, inv *model.Inventory, h model.Host) plan.NodeFiles {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.ReadFor, 20*time.Second))
	defer cancel()
	dir, err := node.ReadConfDir(ctx, a.Runner, nodeOf(inv, h).Target, inv.Dialect.ConfDir())
	switch {
	case err != nil:
		return plan.NodeFiles{Err: err}
	case dir.Missing:
		return plan.NodeFiles{Missing: true, Err: &source.Hint{
			Err: fmt.Errorf("there is no %s", dir.Dir),
			Try: "check that HAProxy is installed there and that the Pigsty version is right; `./node.yml -l " + string(h) + " -t haproxy` creates the directory",
		}}
	}
	return plan.NodeFiles{Files: dir.Contents()}
}

// join lists at most twenty names.
func join[T any](all []T, name func(T) string) string {
	var out []string
	for i, x := range all {
		if i == 20 {
			out = append(out, "…")
			break
		}
		out = append(out, name(x))
	}
	return strings.Join(out, ", ")
}
