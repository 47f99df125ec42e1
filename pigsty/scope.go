package pigsty

import (
	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
	"pgtui/source/budget"
)

// scope is where templates of one host find variables. The play scope has
// role defaults, inventory and facts; the hostvars scope, in which members
// are seen by others, has no role defaults and no hostvars.
type scope struct {
	h      *host
	member bool // the hostvars scope
	seen   map[string]resolved
}

// get is the variable, resolved; ok is false when it is not defined.
func (s *scope) get(name string) (py.Value, bool, error) {
	if r, ok := s.seen[name]; ok {
		return r.v, r.ok, r.err
	}
	v, ok, err := s.lookup(name)
	if !ok || err != nil {
		return nil, ok, err
	}
	if !s.h.w.engine.Needs(v) {
		return v, true, nil // nothing to remember
	}
	s.h.w.in(frame{h: s.h, name: name})
	defer s.h.w.out()
	r := resolved{ok: true}
	r.v, r.err = s.h.w.engine.Value(v, s, false)
	if s.seen == nil {
		s.seen = map[string]resolved{}
	}
	if s.h.w.b.Spend(1, budget.Entry) == nil {
		s.seen[name] = r
	}
	return r.v, r.ok, r.err
}

// Get is get, for templates.
func (s *scope) Get(name string) (py.Value, bool, error) { return s.get(name) }

// Raw is the variable as it was written, for templates.
func (s *scope) Raw(name string) (py.Value, bool) {
	v, ok, err := s.lookup(name)
	return v, ok && err == nil
}

func (s *scope) lookup(name string) (py.Value, bool, error) {
	if v, _, ok := s.h.raw(name); ok {
		return v, true, nil
	}
	if !s.member {
		if v, ok := s.h.w.defaults.Get(name); ok {
			return v, true, nil
		}
		if v, ok := s.h.w.playVar(name); ok {
			return v, true, nil
		}
	}
	if unknowable(name) {
		return nil, true, &jinja.Unknowable{What: "the variable " + name}
	}
	return nil, false, nil
}

// unknowable are variables that only a run on the admin node knows.
func unknowable(name string) bool {
	switch name {
	case "inventory_dir", "inventory_file", "playbook_dir", "role_path", "role_name", "ansible_version", "ansible_facts",
		"ansible_playbook_python", "ansible_config_file", "omit", "environment", "vars", "ansible_check_mode",
		"os_vendor", "os_version", "os_version_full", "os_codename", "os_arch", "os_package", "node_user", "node_hostname",
		"node_cpu", "node_pages", "node_page_size", "node_os_code", "node_os_code_fb", "node_mem_bytes", "node_mem_mb", "node_mem_gb":
		return true
	}
	return false
}

func (s *scope) forget() { clear(s.seen) }

// lenient resolves the templates in v the way hostvars does: what needs
// something undefined stays as it was written.
func (h *host) lenient(v py.Value) (py.Value, error) {
	return h.w.engine.Value(v, h.member, true)
}

// playVar are variables Ansible defines while a play runs.
func (w *world) playVar(name string) (py.Value, bool) {
	switch name {
	case "hostvars":
		return hostVars{w}, true
	case "play_hosts", "ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_batch":
		if w.b.Spend(len(w.hosts), budget.Times(len(w.hosts), 2*budget.Item)) != nil {
			return nil, true
		}
		var out []py.Value
		for _, h := range w.hosts {
			if h.inPlay && h.failed == nil {
				out = append(out, h.inv.Name)
			}
		}
		return out, true
	}
	return nil, false
}

// hostVars is Ansible's hostvars.
type hostVars struct{ w *world }

// Attr is the host of that name.
func (v hostVars) Attr(name string) (py.Value, bool, error) {
	h, ok := v.w.byName[name]
	if !ok {
		return nil, false, nil
	}
	return h, true, nil
}

// Names are all hosts, in inventory order.
func (v hostVars) Names() []string {
	if n := len(v.w.hosts); v.w.b.Spend(n, budget.Times(n, budget.Item)) != nil {
		return nil
	}
	out := make([]string, 0, len(v.w.hosts))
	for _, h := range v.w.hosts {
		out = append(out, h.inv.Name)
	}
	return out
}

// meta is what pg_id passes on of a member: its variables written out as
// Python text and read back.
type meta struct {
	done bool
	// err is a variable that fails for everybody who looks at the member.
	err  error
	name string // the variable err is about
	// rest are the values that are still templates after reading them back:
	// every host resolves them once more, in its own play scope.
	rest []leftover
}

type leftover struct {
	name  string
	value py.Value
}

// metaOf computes what pg_id passes on of a member, once.
func (h *host) metaOf() *meta {
	if h.meta.done {
		return &h.meta
	}
	h.meta.done = true
	w := h.w
	for _, name := range h.Names() {
		if name == "groups" {
			continue
		}
		v, _, err := h.Attr(name)
		if err == nil {
			err = w.unreadable(v, 0)
		}
		if over := w.b.Err(); over != nil {
			err = over
		}
		if err != nil {
			h.meta.err, h.meta.name = err, name
			return &h.meta
		}
		if v, ok := w.marked(v, 0); ok {
			h.meta.rest = append(h.meta.rest, leftover{name, v})
		}
	}
	return &h.meta
}

// marked reports whether v still holds a template, and gives v with its
// strings as the text that is read back.
func (w *world) marked(v py.Value, depth int) (py.Value, bool) {
	if depth > 100 || w.b.Err() != nil {
		return nil, false
	}
	switch x := v.(type) {
	case string:
		return x, jinja.Marked(x)
	case py.Computed:
		return string(x), jinja.Marked(string(x))
	case []py.Value:
		return once(w, "marked", v, func() (py.Value, bool) {
			if w.b.Spend(len(x), 0) != nil {
				return nil, true
			}
			var out []py.Value
			for _, it := range x {
				if m, ok := w.marked(it, depth+1); ok && w.b.Spend(1, 2*budget.Item) == nil {
					out = append(out, m)
				}
			}
			return out, len(out) > 0
		})
	case *py.Dict:
		return once(w, "marked", v, func() (py.Value, bool) {
			if w.b.Spend(x.Len(), 0) != nil {
				return nil, true
			}
			var out []py.Value
			for _, e := range x.Entries() {
				if m, ok := w.marked(e.Value, depth+1); ok && w.b.Spend(1, 2*budget.Item) == nil {
					out = append(out, m)
				}
			}
			return out, len(out) > 0
		})
	}
	return nil, false
}
