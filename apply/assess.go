package apply

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/model/check"
	"pgtui/plan"
)

// Assess judges a plan: its risks, and what bin/pgsql-svc would do differently.
// It probes the cluster and the plan's nodes at once, and has HAProxy on each node
// check the new configuration; nothing on the nodes changes. What cannot be read
// is a risk. It returns the snapshot of the cluster, nil when it could not be
// probed.
func (a *Applier) Assess(ctx context.Context, inv *model.Inventory, p *plan.Plan) *model.Snapshot {
	c := inv.Cluster(p.Cluster)
	if c == nil {
		return nil
	}
	s := plan.Situation{}
	// Where pgtui itself fails, the state is unknown, which is a risk.
	unasked := func(error) {}
	var g guard.Group
	g.Go("probing the cluster", func() {
		if a.Probe == nil {
			return
		}
		if snap, err := a.Probe(ctx, inv, p.Cluster); err == nil {
			b := check.Board(snap, c, a.Now())
			s.Snap, s.Board = snap, &b
		}
	}, unasked)
	g.Go("reading the nodes", func() {
		var hosts []model.Host
		for _, n := range working(p) {
			hosts = append(hosts, n.Host)
		}
		x := a.ExamineHosts(ctx, inv, []*model.Cluster{c}, hosts)
		s.Conf, s.Workers, s.Servers = x.Conf, x.Workers, x.Servers
	}, unasked)
	g.Go("checking the plan", func() { a.look(ctx, p, &s) }, unasked)
	g.Wait()
	s.Routing, s.Foreseen = map[model.Host]map[string][]string{}, map[model.Host]map[string][]string{}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if s.Snap != nil && s.Snap.HAProxy[n.Host].Known() {
			st := s.Snap.HAProxy[n.Host].Value
			s.Routing[n.Host], s.Foreseen[n.Host] = plan.Routing(n, &st), plan.Predicted(n, &st)
		}
	}
	p.Risks = plan.Risks(p, &s)
	p.Pigsty = otherwise(inv, c, p)
	return s.Snap
}

// works reports whether the plan has something to do on the node.
func works(p *plan.Plan, n *plan.Node) bool { return n.Err == nil && (n.Changed() || p.Force) }

// working are the nodes on which the plan has something to do.
func working(p *plan.Plan) []*plan.Node {
	var out []*plan.Node
	for i := range p.Nodes {
		if works(p, &p.Nodes[i]) {
			out = append(out, &p.Nodes[i])
		}
	}
	return out
}

// look has HAProxy on each node check the whole new configuration in a temporary
// directory. It also reads whether the files changed since the last run, where the
// servers' states are handed over, and why the node would not recover at boot. A
// node that does not answer is left out.
func (a *Applier) look(ctx context.Context, p *plan.Plan, s *plan.Situation) {
	s.Checked, s.Edited, s.Handed, s.Unarmed = map[model.Host]error{}, map[model.Host]string{}, map[model.Host]string{}, map[model.Host]string{}
	prefix := string(p.Cluster) + "-"
	var mu sync.Mutex
	nodes := working(p)
	each(len(nodes), func(i int) {
		n := nodes[i]
		rctx, cancel := context.WithTimeout(ctx, cmp.Or(a.ReadFor, 20*time.Second))
		defer cancel()
		r, err := a.readScript(rctx, n, payload(n, prefix, true), "look", p.ID, n.ConfDir, a.who(), prefix)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if r.handed != "" {
			s.Handed[n.Host] = r.handed
		}
		if r.unarmed != "" {
			s.Unarmed[n.Host] = r.unarmed
		}
		if s.Checked[n.Host] = r.err; r.edited != "" {
			s.Edited[n.Host] = r.edited
		}
	}, func(int, error) {}) // it did not answer
}

// otherwise is what bin/pgsql-svc would do differently, in sentences.
func otherwise(inv *model.Inventory, c *model.Cluster, p *plan.Plan) []string {
	var out []string
	for i := range p.Nodes {
		n := &p.Nodes[i]
		var gone []string
		for _, name := range n.Foreign {
			if strings.HasPrefix(name, string(c.Name)+"-") && strings.HasSuffix(name, ".cfg") {
				gone = append(gone, name)
			}
		}
		if len(gone) > 0 {
			out = append(out, fmt.Sprintf("on %s it would also delete %s: they do not belong to %s, but its `rm` matches %s-*.cfg", n.Host, strings.Join(gone, " "), c.Name, c.Name))
		}
	}
	if c.Provider != "" && len(p.Nodes) < len(c.LoadBalancers) {
		out = append(out, fmt.Sprintf("its hosts are those of %s, not the HAProxy nodes: the files of a delegated cluster are written to all of %s, and only by the run on its primary; with a limit that excludes the primary it does nothing and reports success", c.Name, c.Provider))
	}
	for i := range p.Nodes {
		if n := &p.Nodes[i]; n.Err == nil && !n.Changed() && p.Changed() && !p.Force {
			out = append(out, "it would also write and reload the nodes that do not change")
			break
		}
	}
	return out
}
