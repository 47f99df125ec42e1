package apply

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/probe"
	"pgtui/render"
)

// Drift tells the state of every file: of the cluster's fronts in have, in
// order, then of the other nodes in have, of which only stale files count. It
// changes nothing and a plan made of it neither: stale files are in no plan.
func Drift(inv *model.Inventory, c *model.Cluster, want []render.File, have map[model.Host]NodeFiles) []model.NodeDrift {
	var out []model.NodeDrift
	for _, n := range Build(inv, c, want, have).Nodes {
		out = append(out, frontDrift(inv, c, &n, wantOf(want, n.Host), have[n.Host]))
	}
	for _, h := range slices.Sorted(maps.Keys(have)) {
		if c.Front(h) == nil {
			out = append(out, staleDrift(inv, c, h, have[h]))
		}
	}
	return out
}

func frontDrift(inv *model.Inventory, c *model.Cluster, n *model.NodePlan, want map[string][]byte, have NodeFiles) model.NodeDrift {
	d := model.NodeDrift{Host: n.Host, Node: n.Node, ConfDir: n.ConfDir, Front: true, Err: n.Err}
	if have.Err != nil {
		return d
	}
	changed := map[string]bool{}
	for _, ch := range n.Changes {
		changed[ch.Name] = true
		d.Files = append(d.Files, model.FileDrift{Name: ch.Name, State: stateOf(ch), Summary: render.Summary(ch.Before, ch.After), Before: ch.Before, After: ch.After})
	}
	for name := range n.Have {
		if changed[name] {
			continue
		}
		f := model.FileDrift{Name: name, State: model.FileSame, Before: have.Files[name], After: have.Files[name]}
		if _, ok := want[name]; !ok {
			f.State = model.FileUnrendered
		}
		d.Files = append(d.Files, f)
	}
	for _, name := range n.Foreign {
		_, wanted := want[name]
		d.Files = append(d.Files, model.FileDrift{Name: name, State: model.FileForeign, Owner: ownerOf(inv, c, name, have.Files[name], wanted)})
	}
	sortFiles(&d)
	return d
}

func stateOf(ch model.FileChange) model.FileState {
	switch {
	case ch.Before == nil:
		return model.FileMissing
	case ch.After == nil:
		return model.FileExtra
	case render.Cosmetic(ch.Before, ch.After):
		return model.FileCosmetic
	}
	return model.FileSemantic
}

func staleDrift(inv *model.Inventory, c *model.Cluster, h model.Host, have NodeFiles) model.NodeDrift {
	d := model.NodeDrift{Host: h, ConfDir: inv.Dialect.ConfDir(), Err: have.Err}
	if n := inv.Node(h); n != nil {
		d.Node = n.Name
	}
	if have.Missing {
		d.Err = nil // where there is no directory nothing was left behind
		return d
	}
	for name, data := range have.Files {
		if ownerOf(inv, c, name, data, false) == c.Name {
			d.Files = append(d.Files, model.FileDrift{Name: name, State: model.FileStale, Before: present(data)})
		}
	}
	sortFiles(&d)
	return d
}

// sortFiles puts the files of a node in the order of their names.
func sortFiles(n *model.NodeDrift) {
	slices.SortFunc(n.Files, func(a, b model.FileDrift) int { return strings.Compare(a.Name, b.Name) })
}

// former are the nodes that may hold files from when they provided the
// cluster's services: its own, and the providers of other clusters.
func former(inv *model.Inventory, c *model.Cluster) []model.Host {
	var out []model.Host
	add := func(h model.Host) {
		if c.Front(h) == nil && !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	for _, m := range c.Instances {
		add(m.Host)
	}
	for i := range inv.Clusters {
		if o := &inv.Clusters[i]; o.Provider != "" && o.Name != c.Name {
			for _, f := range o.Fronts {
				add(f.Host)
			}
		}
	}
	return out
}

// Survey is Plan, with the state of every file beside it. It also looks at the
// nodes that may have provided the cluster's services before, for files that
// were left behind; those are in the drift only. hosts may name such nodes too.
func (a *Applier) Survey(ctx context.Context, inv *model.Inventory, cluster model.ClusterName, hosts []model.Host) (model.Plan, []model.NodeDrift, error) {
	c, err := question(inv, cluster, hosts, true)
	if err != nil {
		return model.Plan{}, nil, err
	}
	var ask []model.Host
	for _, h := range append(fronts(c), former(inv, c)...) {
		if len(hosts) == 0 || slices.Contains(hosts, h) {
			ask = append(ask, h)
		}
	}
	want, have := render.Files(inv, c, a.Managed), a.readAll(ctx, inv, ask)
	p := Build(inv, c, want, have)
	p.MadeAt = a.Now()
	drift := Drift(inv, c, want, have)
	a.readByHand(ctx, inv, drift)
	return p, drift, nil
}

// readByHand notes on the nodes that could be read what was done by hand to the
// servers of their HAProxies. What does not answer says nothing.
func (a *Applier) readByHand(ctx context.Context, inv *model.Inventory, drift []model.NodeDrift) {
	each(len(drift), func(i int) {
		d := &drift[i]
		if !d.Front || d.Err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, cmp.Or(a.ReadFor, 20*time.Second))
		defer cancel()
		if run, err := probe.ReadRuntime(ctx, a.Runner, nodeOf(inv, d.Host).Target); err == nil {
			d.ByHand = run.Servers.ByHand()
		}
	}, func(int, error) {})
}
