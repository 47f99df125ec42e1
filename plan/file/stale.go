package file

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"pgtui/model"
	"pgtui/plan"
)

// Stale is how the work of a saved plan differs from the plan that is made now,
// and where it shows other changes than the plan makes; nil when it is current.
// doc is the document of that plan.
func (p *Plan) Stale(now *plan.Plan, doc Plan) []string {
	if out := p.otherWork(now); len(out) > 0 {
		return out
	}
	var out []string
	for _, n := range doc.Nodes {
		if was := p.node(n.Host); was == nil || !reflect.DeepEqual(was.Files, n.Files) {
			out = append(out, n.Host+": the saved plan shows other changes than it would make")
		}
	}
	return out
}

// Hosts are the nodes of the plan, in the order of its roll-out.
func (p *Plan) Hosts() []model.Host {
	var out []model.Host
	for _, n := range p.Nodes {
		out = append(out, model.Host(n.Host))
	}
	return out
}

// node is the node of that host, nil for none.
func (p *Plan) node(host string) *Node {
	i := slices.IndexFunc(p.Nodes, func(n Node) bool { return n.Host == host })
	if i < 0 {
		return nil
	}
	return &p.Nodes[i]
}

func (p *Plan) otherWork(now *plan.Plan) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for i := range now.Nodes {
		n := &now.Nodes[i]
		was := p.node(string(n.Host))
		switch {
		case was == nil:
			add("%s: provides the cluster now, and did not when the plan was made", n.Host)
		case n.Err != nil:
			add("%s: cannot be read: %v", n.Host, n.Err)
		default:
			differ(was.Have, n.Have, func(name, how string) { add("%s: %s %s on the node since the plan was made", n.Host, name, how) })
			differ(was.Want, n.Want, func(name, how string) {
				add("%s: in what the inventory renders, %s %s since the plan was made", n.Host, name, how)
			})
			if was.ConfDir != n.ConfDir {
				add("%s: the files belong in %s now, and in %s when the plan was made", n.Host, n.ConfDir, was.ConfDir)
			}
		}
	}
	for _, h := range p.Hosts() {
		if !slices.ContainsFunc(now.Nodes, func(n plan.Node) bool { return n.Host == h }) {
			add("%s: no longer provides the cluster", h)
		}
	}
	if len(out) == 0 && p.Plan != now.ID {
		add("the plan would be %s now: its nodes are reached another way, or the file was edited", now.ID)
	}
	if len(out) > 0 && p.InventoryHash != now.Inventory {
		add("the inventory changed since the plan was made")
	}
	return out
}

// differ calls f for every name whose hash is another.
func differ(was, is map[string]string, f func(name, how string)) {
	all := maps.Clone(was)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w, had := was[name]
		v, has := is[name]
		switch {
		case !had:
			f(name, "appeared")
		case !has:
			f(name, "disappeared")
		case w != v:
			f(name, "changed")
		}
	}
}
