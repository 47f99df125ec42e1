package pigsty

import (
	"errors"

	"pgtui/ansible/inventory"
	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
	"pgtui/source/budget"
)

// Play is one run of Pigsty's playbook over an inventory, kept for questions
// about variables after the model was made. It is not safe for concurrent use.
type Play struct {
	Inventory *inventory.Inventory // as Ansible reads it
	Model     *model.Inventory     // what the playbook makes of it

	w *world
	// drafted are the services of hosts that leave the play, see Drafts.
	drafted map[model.Host][]Decl
}

// NewPlay runs the playbook on paper, within what the inventory's budget has
// left. Where that does not suffice, Err has it and the model is not whole.
func NewPlay(inv *inventory.Inventory, o Options) *Play {
	w := newWorld(inv, o)
	out := &model.Inventory{
		Source: inv.Source, Hash: inv.Hash, Dialect: w.dialect, DialectFrom: w.from, Language: languageOf(inv), Core: o.Core,
		CAFile: o.CAFile, LoadedAt: o.LoadedAt,
	}
	for _, x := range inv.Warnings {
		out.Problems = append(out.Problems, source.Problem{At: x.At, Subject: "inventory", What: x.Text})
	}
	w.identify()
	for _, c := range w.clusters {
		if w.b.Err() != nil {
			break
		}
		out.Clusters = append(out.Clusters, w.cluster(c))
	}
	for _, h := range w.hosts {
		if w.b.Err() != nil {
			break
		}
		out.Nodes = append(out.Nodes, w.node(h))
	}
	out.Problems = append(out.Problems, w.checkout.Problems...)
	out.Problems = append(out.Problems, w.templateProblems()...)
	w.judgeCore(out)
	return &Play{Inventory: inv, Model: out, w: w}
}

// Err is the reason when the inventory exceeds its budget, nil when it does not.
// Call it again after other calls of the play, which cost as well. The error has
// the place and is a *model.Hint around a *budget.Error.
func (p *Play) Err() error { return p.w.b.Err() }

// Budget is what is left for callers of the play.
func (p *Play) Budget() *budget.Budget { return p.w.b }

// Needs reports whether a value has a template anywhere in it.
func (p *Play) Needs(v py.Value) bool { return p.w.engine.Needs(v) }

// Var is a variable as the tasks of the host's own run see it, role defaults
// included. ok is false when nothing defines it.
func (p *Play) Var(h model.Host, name string) (v py.Value, ok bool, err error) {
	if x := p.w.byName[string(h)]; x != nil {
		return x.play.get(name)
	}
	return nil, false, nil
}

// Attr is a variable as selectors and templates see it on a member: without
// role defaults.
func (p *Play) Attr(h model.Host, name string) (v py.Value, ok bool, err error) {
	if x := p.w.byName[string(h)]; x != nil {
		return x.Attr(name)
	}
	return nil, false, nil
}

// At is where the inventory defines the variable for the host, and whether it
// does; else where the host first appears.
func (p *Play) At(h model.Host, name string) (at source.Pos, declared bool) {
	x := p.w.byName[string(h)]
	if x == nil {
		return source.Pos{}, false
	}
	return x.at(name), x.inv.All().Lookup(name) != nil
}

// Members are the hosts with that pg_cluster, in inventory order.
func (p *Play) Members(c model.ClusterName) []model.Host {
	var out []model.Host
	for _, x := range p.w.clusters {
		if x.name == c {
			for _, h := range x.members {
				out = append(out, model.Host(h.inv.Name))
			}
		}
	}
	return out
}

// Decl is a service as the inventory declares it for one host.
type Decl struct {
	Name string   // as printed; "" when it has none
	Dict *py.Dict // resolved; positions are zero when it is Pigsty's own
}

// Services are the services declared for the host, in order: its
// pg_default_services, then its pg_services. What is not a mapping is left out.
func (p *Play) Services(h model.Host) []Decl {
	x := p.w.byName[string(h)]
	if x == nil {
		return nil
	}
	if d, ok := p.drafted[h]; ok {
		return d
	}
	return x.decls()
}

func (h *host) decls() []Decl {
	items, f := h.serviceList()
	if f != nil {
		return nil
	}
	return declsOf(h.w.b, items)
}

// declsOf are the mappings of a list as declarations, nil when the budget is spent.
func declsOf(b *budget.Budget, items []py.Value) []Decl {
	var out []Decl
	for _, it := range items {
		if d, ok := it.(*py.Dict); ok {
			name, _ := d.Get("name")
			if b.Spend(1, 128) != nil {
				return nil
			}
			out = append(out, Decl{Name: py.PrintIn(b, name), Dict: d})
		}
	}
	return out
}

// Shipped are Pigsty's own default services, by name.
func (p *Play) Shipped() map[string]*py.Dict {
	out := map[string]*py.Dict{}
	v, _ := p.w.defaults.Get("pg_default_services")
	l, _ := v.([]py.Value)
	for _, it := range l {
		if d, ok := it.(*py.Dict); ok {
			name, _ := d.Get("name")
			out[py.Print(name)] = d
		}
	}
	return out
}

// Refusal is a variable that makes pg_id write no files for a cluster.
type Refusal struct {
	Host      model.Host // whose variable it is
	Name      string     // of the variable
	At        source.Pos
	Undefined bool  // it uses something that is not defined
	Unread    bool  // it is a date, not finite, or locked: pg_id cannot read it back
	Err       error // why it cannot be used
}

// Refusals are the variables of the host that keep Pigsty from writing files
// for hosts of its cluster, at most one for each way of failing.
func (p *Play) Refusals(h model.Host) []Refusal {
	x := p.w.byName[string(h)]
	if x == nil || !x.inPlay {
		return nil
	}
	var out []Refusal
	add := func(name string, err error) {
		_, undef := errors.AsType[*jinja.UndefinedError](err)
		_, unread := errors.AsType[*unreadableError](err)
		at := x.at(name)
		if e := x.inv.All().Lookup(name); e != nil {
			at = x.failsAt(e.Value, at, 0)
		}
		out = append(out, Refusal{Host: h, Name: name, At: at, Undefined: undef, Unread: unread, Err: err})
	}
	m := x.metaOf()
	if m.err != nil {
		add(m.name, m.err)
	}
	for _, l := range m.rest {
		if _, err := p.w.engine.Value(l.value, x.play, false); err != nil {
			add(l.name, err)
		}
	}
	return out
}

// Native is a variable of the host as ansible-core 2.19 and newer resolve it,
// where a template keeps the type of its expression. In the member's scope
// neither role defaults nor what pg_id finds out are visible; asking for them
// is an error there.
func (p *Play) Native(h model.Host, name string, member bool) (py.Value, error) {
	x := p.w.byName[string(h)]
	if x == nil {
		return nil, nil
	}
	s := nativeScope{h: x, member: member}
	v, ok := s.Raw(name)
	if !ok {
		return nil, nil
	}
	p.w.in(frame{h: x, name: name})
	defer p.w.out()
	return p.w.engine.Native(v, s)
}

// NativeServices are Services as ansible-core 2.19 and newer resolve them; nil
// when they cannot.
func (p *Play) NativeServices(h model.Host) []Decl {
	x := p.w.byName[string(h)]
	if x == nil {
		return nil
	}
	var out []Decl
	for _, name := range []string{"pg_default_services", "pg_services"} {
		v, err := p.Native(h, name, false)
		l, ok := v.([]py.Value)
		if err != nil || !ok {
			return nil
		}
		for _, it := range l {
			if p.w.b.Spend(1, 256) != nil {
				return nil
			}
			sub, ok := it.([]py.Value)
			if !ok {
				sub = []py.Value{it}
			}
			out = append(out, declsOf(p.w.b, sub)...)
		}
	}
	return out
}

// nativeScope is where ansible-core 2.19 finds variables.
type nativeScope struct {
	h      *host
	member bool
}

// Raw is the variable as it was written.
func (s nativeScope) Raw(name string) (py.Value, bool) {
	if !s.member {
		return s.h.play.Raw(name)
	}
	if v, ok := s.h.magic(name); ok {
		return v, true
	}
	if v, ok := s.h.inv.All().Get(name); ok {
		return v, true
	}
	if name == "nodename" || name == "node_cluster" {
		return s.h.facts.Get(name)
	}
	return nil, false
}

// Get is the variable, resolved.
func (s nativeScope) Get(name string) (py.Value, bool, error) {
	if v, ok := s.Raw(name); ok {
		r, err := s.h.w.engine.Native(v, s)
		return r, true, err
	}
	if unknowable(name) {
		return nil, true, &jinja.Unknowable{What: "the variable " + name}
	}
	return nil, false, nil
}
