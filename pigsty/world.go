package pigsty

import (
	"net/netip"
	"sort"
	"strings"

	"pgtui/ansible/inventory"
	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
	"pgtui/source/budget"
)

// world is one run of the playbook over the whole inventory.
type world struct {
	inv      *inventory.Inventory
	dialect  model.Dialect
	defaults *py.Dict // role defaults of the dialect
	hosts    []*host  // every host, in inventory order
	byName   map[string]*host
	pools    map[string][]*host // by pg_cluster, as hostvars gives it
	clusters []*cluster
	groups   *py.Dict // the magic variable "groups"
	queries  map[string]compiled
	engine   jinja.Engine
	b        *budget.Budget
	at       []frame // what is being resolved, the innermost last
	parts    []model.Part
	plain    map[any]bool // lists and mappings in which nothing stands that is of interest, see once
	inGroup  map[string][]model.Host

	from     string // how the dialect was found
	core     string // ansible-core
	checkout *Checkout
	// unrenderable is why the checkout's own template cannot be rendered here.
	unrenderable error
}

// cluster is the hosts that share one pg_cluster, before anything is rendered.
type cluster struct {
	name    model.ClusterName
	at      source.Pos
	members []*host
}

// host is one host with what the run knows about it. As a py.Object it is a
// member the way selectors and templates see it: inventory variables and
// facts, but no role defaults.
type host struct {
	w     *world
	inv   *inventory.Host
	facts *py.Dict // set by the roles node_id and pg_id
	// seen caches resolved variables of the hostvars scope.
	seen   map[string]resolved
	play   *scope // the host's own scope while its tasks run
	member *scope // the scope it is seen in by others
	meta   meta
	// failed says why the host left the play before services; nil when it did not.
	failed *source.Problem
	inPlay bool // it has a pg_cluster
	name   string
}

// frame is something that is being resolved: a variable of a host, or the
// value at a place.
type frame struct {
	h    *host
	name string
	pos  source.Pos // used where there is not a host
}

// in notes what is being resolved, until out.
func (w *world) in(f frame) { w.at = append(w.at, f) }

func (w *world) out() { w.at = w.at[:len(w.at)-1] }

// where is the place that is worked on, for a budget that is spent.
func (w *world) where() (source.Pos, string) {
	for i := len(w.at) - 1; i >= 0; i-- {
		f := w.at[i]
		if f.h == nil {
			return f.pos, f.name
		}
		if e := f.h.inv.All().Lookup(f.name); e != nil || i == 0 {
			return f.h.at(f.name), "variable " + py.Cut(f.name) + " of host " + py.Cut(f.h.inv.Name)
		}
	}
	if len(w.inv.Files) > 0 {
		return source.Pos{File: w.inv.Files[0], Line: 1}, ""
	}
	return source.Pos{}, ""
}

// once looks through a list or mapping that does not change any more, and
// remembers when nothing was found: the same one belongs to many hosts.
func once[T any](w *world, kind string, v py.Value, look func() (T, bool)) (found T, ok bool) {
	id, known := py.Identity(v)
	key := struct {
		kind string
		id   any
	}{kind, id}
	if known && w.plain[key] {
		return found, false
	}
	if found, ok = look(); !ok && known && w.b.Spend(1, 96) == nil {
		w.plain[key] = true
	}
	return found, ok
}

type resolved struct {
	v   py.Value
	ok  bool
	err error
}

func newWorld(inv *inventory.Inventory, o Options) *world {
	w := &world{inv: inv, core: o.Core, byName: map[string]*host{}, queries: map[string]compiled{}, plain: map[any]bool{}, inGroup: map[string][]model.Host{}, b: inv.Budget()}
	if w.b == nil {
		w.b = budget.New()
	}
	w.engine.Budget, w.b.Where = w.b, w.where
	w.dialect, w.from, w.checkout = choose(inv, o)
	w.parts = w.dialect.Parts()
	w.defaults = w.checkout.overlay(roleDefaults(w.dialect))
	for _, ih := range inv.Hosts {
		h := &host{w: w, inv: ih, facts: &py.Dict{}}
		h.play, h.member = &scope{h: h}, &scope{h: h, member: true}
		w.hosts = append(w.hosts, h)
		w.byName[ih.Name] = h
	}
	w.groups = groupsVar(inv, w.b)
	return w
}

// groupsVar is Ansible's "groups": every group with the names of its hosts.
func groupsVar(inv *inventory.Inventory, b *budget.Budget) *py.Dict {
	d := py.NewDict(len(inv.Groups))
	for _, g := range inv.Groups {
		if b.Err() != nil {
			break
		}
		hosts := g.AllHosts()
		if b.SpendAt(g.At, "group "+py.Cut(g.Name), len(hosts), budget.Times(len(hosts), 2*budget.Item)) != nil {
			break
		}
		names := make([]py.Value, 0, len(hosts))
		for _, h := range hosts {
			names = append(names, h.Name)
		}
		d.Set(g.Name, names, source.Pos{})
	}
	return d
}

// raw is the definition of a variable in force, before templates: facts of
// the run, then the inventory, then what Ansible itself defines.
func (h *host) raw(name string) (py.Value, source.Pos, bool) {
	if v, ok := h.facts.Get(name); ok {
		return v, h.at(name), true
	}
	if v, ok := h.magic(name); ok {
		return v, source.Pos{}, true
	}
	if e := h.inv.All().Lookup(name); e != nil {
		return e.Value, e.At, true
	}
	return nil, source.Pos{}, false
}

// at is where the inventory defines the variable; where the host first
// appears when it does not.
func (h *host) at(name string) source.Pos {
	if e := h.inv.All().Lookup(name); e != nil && e.At.Line != 0 {
		return e.At
	}
	return h.inv.At
}

// magic are the variables Ansible itself defines, in every scope.
func (h *host) magic(name string) (py.Value, bool) {
	switch name {
	case "inventory_hostname":
		return h.inv.Name, true
	case "inventory_hostname_short":
		return shortName(h.inv.Name), true
	case "group_names":
		return groupNames(h.inv, h.w.b), true
	case "groups":
		return h.w.groups, true
	}
	return nil, false
}

// Names are the names Attr answers for.
func (h *host) Names() []string {
	all := h.inv.All().Entries()
	if h.w.b.Spend(len(all)>>1, 0) != nil {
		return nil
	}
	out := make([]string, 0, len(all)+h.facts.Len()+4)
	for _, e := range all {
		if s, ok := py.Text(e.Key); ok {
			out = append(out, s)
		}
	}
	for _, e := range h.facts.Entries() {
		if s, ok := e.Key.(string); ok {
			if _, twice := h.inv.All().Get(s); !twice {
				out = append(out, s)
			}
		}
	}
	return append(out, "inventory_hostname", "inventory_hostname_short", "group_names", "groups")
}

// Attr is the variable as hostvars[host] gives it: what cannot be resolved
// without role defaults stays as it was written.
func (h *host) Attr(name string) (py.Value, bool, error) {
	if r, ok := h.seen[name]; ok {
		return r.v, r.ok, r.err
	}
	v, _, ok := h.raw(name)
	if !ok || !h.w.engine.Needs(v) {
		return v, ok, nil // nothing to remember
	}
	h.w.in(frame{h: h, name: name})
	defer h.w.out()
	r := resolved{ok: ok}
	r.v, r.err = h.lenient(v)
	if h.seen == nil {
		h.seen = map[string]resolved{}
	}
	if h.w.b.Spend(1, budget.Entry) == nil {
		h.seen[name] = r
	}
	return r.v, r.ok, r.err
}

// forget drops cached variables after facts changed.
func (h *host) forget() {
	clear(h.seen)
	h.play.forget()
	h.member.forget()
}

// text is a variable of the hostvars scope as printed, def when it is absent
// or cannot be resolved.
func (h *host) text(name, def string) string {
	v, ok, err := h.Attr(name)
	if !ok || err != nil {
		return def
	}
	return py.PrintIn(h.w.b, v)
}

// shortName is inventory_hostname_short: an address stays whole.
func shortName(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return name
	}
	short, _, _ := strings.Cut(name, ".")
	return short
}

func groupNames(h *inventory.Host, b *budget.Budget) []py.Value {
	if n := len(h.Groups()); b.Spend(n, budget.Times(n, 3*budget.Item)) != nil {
		return nil
	}
	var names []string
	for _, g := range h.Groups() {
		if g.Name != "all" {
			names = append(names, g.Name)
		}
	}
	sort.Strings(names)
	out := make([]py.Value, 0, len(names))
	for _, n := range names {
		out = append(out, n)
	}
	return out
}
