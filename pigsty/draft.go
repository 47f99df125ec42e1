package pigsty

import (
	"slices"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
	"pgtui/source/budget"
)

// Drafts are the clusters as they would be if no host left the play: they
// show what else is wrong with a cluster that Pigsty refuses. A
// cluster that is not refused is as in the model. After it Services answers
// with the drafts too: fields that cannot be resolved stay as they were
// written.
func (p *Play) Drafts() []model.Cluster {
	out := slices.Clone(p.Model.Clusters)
	p.drafted = map[model.Host][]Decl{}
	for i, c := range p.w.clusters {
		if p.w.b.Err() != nil {
			break
		}
		if slices.ContainsFunc(c.members, func(h *host) bool { return h.failed != nil }) {
			d := p.draft(c)
			out[i].LoadBalancers, out[i].Provider = d.LoadBalancers, d.Provider
			out[i].Problems = slices.Concat(out[i].Problems, d.Problems)
		}
	}
	return out
}

// draft makes the cluster with every member in the play, and puts the members
// back as they were.
func (p *Play) draft(c *cluster) model.Cluster {
	failed, facts := make([]*source.Problem, len(c.members)), make([]*py.Dict, len(c.members))
	for i, h := range c.members {
		failed[i], h.failed = h.failed, nil
		facts[i] = h.facts
		if _, ok, _ := h.Attr("pg_seq"); !ok {
			h.facts = py.NewDict(facts[i].Len() + 1)
			for _, e := range facts[i].Entries() {
				h.facts.Set(e.Key, e.Value, e.At)
			}
			h.facts.Set("pg_seq", "", source.Pos{})
		}
		h.forget()
	}
	for _, h := range c.members {
		for _, name := range []string{"pg_default_services", "pg_services"} {
			if _, ok, err := h.play.get(name); ok && err != nil {
				if v, ok := h.play.Raw(name); ok {
					h.play.seen[name] = resolved{v: h.lax(v, 0), ok: true}
				}
			}
		}
		p.drafted[model.Host(h.inv.Name)] = h.decls()
	}
	out := p.w.cluster(c)
	for i, h := range c.members {
		h.failed, h.facts = failed[i], facts[i]
		h.forget()
	}
	return out
}

// lax resolves v field by field; what fails stays as it was written.
func (h *host) lax(v py.Value, depth int) py.Value {
	if depth > 20 || !h.w.engine.Needs(v) {
		return v
	}
	switch x := v.(type) {
	case []py.Value:
		if h.w.b.Spend(len(x), budget.Times(len(x), budget.Item)) != nil {
			return v
		}
		out := make([]py.Value, len(x))
		for i, it := range x {
			out[i] = h.lax(it, depth+1)
		}
		return out
	case *py.Dict:
		if h.w.b.Spend(x.Len(), budget.Times(x.Len(), budget.Entry)) != nil {
			return v
		}
		out := py.NewDict(x.Len())
		out.At = x.At
		for _, e := range x.Entries() {
			out.Set(e.Key, h.lax(e.Value, depth+1), e.At)
		}
		return out
	}
	if r, err := h.w.engine.Value(v, h.play, false); err == nil {
		return r
	}
	return v
}

// failsAt is the place of the first entry in v that cannot be used, at itself
// when that is unknown.
func (h *host) failsAt(v py.Value, at source.Pos, depth int) source.Pos {
	if depth > 20 || h.w.b.Spend(1, 0) != nil {
		return at
	}
	bad := func(v py.Value) bool {
		r, err := h.w.engine.Value(v, h.play, false)
		return err != nil || h.w.unreadable(r, 0) != nil
	}
	switch x := v.(type) {
	case []py.Value:
		for _, it := range x {
			if bad(it) {
				return h.failsAt(it, at, depth+1)
			}
		}
	case *py.Dict:
		if x.At.Line != 0 {
			at = x.At
		}
		for _, e := range x.Entries() {
			if bad(e.Value) {
				return h.failsAt(e.Value, e.At, depth+1)
			}
		}
	}
	return at
}
