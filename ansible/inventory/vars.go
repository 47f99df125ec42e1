package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// varsFiles reads group_vars and host_vars beside the source, in it when it
// is a directory, on top of what earlier sources brought.
func (l *loader) varsFiles(name string) error {
	dir := path.Dir(name)
	if st, err := fs.Stat(l.fsys, name); err == nil && st.IsDir() {
		dir = name
	}
	return l.varsIn(dir, func(g *Group, v *py.Dict) { g.fileVars = l.over(g.fileVars, v) }, func(h *Host, v *py.Dict) { h.fileVars = l.over(h.fileVars, v) })
}

// playFiles reads group_vars and host_vars of the playbooks' directory.
func (l *loader) playFiles(dir string) error {
	return l.varsIn(dir, func(g *Group, v *py.Dict) { g.playVars = v }, func(h *Host, v *py.Dict) { h.playVars = v })
}

// varsIn reads the group_vars and host_vars of a directory.
func (l *loader) varsIn(dir string, group func(*Group, *py.Dict), host func(*Host, *py.Dict)) error {
	if sub := path.Join(dir, "group_vars"); l.exists(sub) {
		for _, g := range l.inv.Groups {
			v, err := l.varsOf(sub, g.Name)
			if err != nil {
				return err
			}
			group(g, v)
		}
	}
	if sub := path.Join(dir, "host_vars"); l.exists(sub) {
		for _, h := range l.inv.Hosts {
			v, err := l.varsOf(sub, h.Name)
			if err != nil {
				return err
			}
			host(h, v)
		}
	}
	return nil
}

// exists reports whether there may be something to read in a directory. Most inventories have
// no such directory, and a look for each name in it costs a system call or four.
func (l *loader) exists(dir string) bool {
	_, err := fs.Stat(l.fsys, dir)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid)
}

// over is over within the budget: what is spent leaves it as it was.
func (l *loader) over(into, d *py.Dict) *py.Dict {
	if into != nil && l.b.Spend(d.Len(), budget.Times(d.Len(), budget.Entry)) != nil {
		return into
	}
	return over(into, d)
}

// over puts the variables of d on top of those of into, which may be nil.
func over(into, d *py.Dict) *py.Dict {
	if into == nil {
		return d
	}
	for _, e := range d.Entries() {
		for _, was := range slices.Backward(d.Under(e.Key)) {
			into.Over(was.Key, was.Value, was.At)
		}
		into.Over(e.Key, e.Value, e.At)
	}
	return into
}

// varsOf reads the vars of one group or host: the first of NAME, NAME.yml,
// NAME.yaml and NAME.json that exists, a directory with everything in it.
func (l *loader) varsOf(dir, name string) (*py.Dict, error) {
	if strings.HasPrefix(name, "/") || !fs.ValidPath(path.Join(dir, name)) {
		return nil, nil
	}
	for _, ext := range []string{"", ".yml", ".yaml", ".json"} {
		file := path.Join(dir, name+ext)
		st, err := fs.Stat(l.fsys, file)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: cannot be read: %w", l.show(file), err)
		}
		if st.Mode().IsRegular() {
			return l.varsFile(file, nil)
		}
		if !st.IsDir() {
			return nil, &source.Hint{Err: fmt.Errorf("%s: it is neither a file nor a directory", l.show(file)), Try: "ls -l " + l.show(file)}
		}
		files, err := l.varsDir(file, 0)
		if err != nil {
			return nil, err
		}
		var out *py.Dict
		for _, f := range files {
			if out, err = l.varsFile(f, out); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, nil
}

// varsDir lists the vars files of a directory in the order they are read.
func (l *loader) varsDir(dir string, depth int) ([]string, error) {
	if depth > 20 {
		return nil, fmt.Errorf("%s: directories nested too deep", l.show(dir))
	}
	entries, err := fs.ReadDir(l.fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", l.show(dir), err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	var out []string
	for _, n := range names {
		if err := l.b.Spend(200, 4*budget.Item+2*len(n)); err != nil { // links may lead round in circles
			return nil, err
		}
		if strings.HasPrefix(n, ".") || strings.HasSuffix(n, "~") {
			continue
		}
		full, ext := path.Join(dir, n), path.Ext(n)
		st, err := fs.Stat(l.fsys, full)
		switch {
		case err != nil:
			continue // a dangling link: Ansible skips it too
		case st.IsDir() && ext == "":
			sub, err := l.varsDir(full, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, sub...)
		case st.Mode().IsRegular() && (ext == "" || ext == ".yml" || ext == ".yaml" || ext == ".json"):
			out = append(out, full)
		}
	}
	return out, nil
}

// varsFile reads one vars file on top of what was read before.
func (l *loader) varsFile(file string, into *py.Dict) (*py.Dict, error) {
	data, err := l.read(file)
	if err != nil {
		return nil, err
	}
	v, err := l.parse(file, data)
	if err != nil {
		return nil, err
	}
	if !py.Truthy(v) {
		return into, nil
	}
	d, ok := v.(*py.Dict)
	if !ok {
		return nil, &Error{At: source.Pos{File: l.show(file), Line: 1, Column: 1},
			Msg: fmt.Sprintf("expected a mapping of variables, found a %s", typeWord(v))}
	}
	return l.over(into, d), l.b.Err()
}

// layer is one set of variables of a host.
type layer struct {
	kind, name string // "group" pg-test, "host_vars of" 10.10.10.11
	vars       *py.Dict
	play       bool // of the files beside the playbooks
}

// by is whose variables they are.
func (l *layer) by() string {
	if l.play {
		return l.kind + " " + l.name + ", beside the playbooks"
	}
	return l.kind + " " + l.name
}

// ownLayers is how many layers at the end are the host's own.
const ownLayers = 3

// layers are the variables that a host gets, the weakest first: inline vars of
// all, of the other groups, group_vars of all, of the other groups, inline
// host vars, host_vars; files beside the playbooks come after those beside the
// inventory.
func (h *Host) layers() []layer {
	out := make([]layer, 0, 3*len(h.ancestry)+3)
	for _, g := range h.ancestry {
		out = append(out, layer{kind: "group", name: g.Name, vars: g.Vars})
	}
	for _, g := range h.ancestry { // all comes first: its files, then those of the others
		out = append(out, layer{kind: "group_vars of", name: g.Name, vars: g.fileVars})
		if g.Name == "all" {
			out = append(out, layer{kind: "group_vars of", name: g.Name, vars: g.playVars, play: true})
		}
	}
	for _, g := range h.ancestry {
		if g.Name != "all" {
			out = append(out, layer{kind: "group_vars of", name: g.Name, vars: g.playVars, play: true})
		}
	}
	return append(out, layer{kind: "host", name: h.Name, vars: h.Vars}, layer{kind: "host_vars of", name: h.Name, vars: h.fileVars},
		layer{kind: "host_vars of", name: h.Name, vars: h.playVars, play: true})
}

// merge computes every host's variables. Hosts of the same groups share what
// those groups give them.
func (inv *Inventory) merge() error {
	type shared struct {
		ancestry []*Group
		vars     *py.Dict
	}
	known := map[string]shared{}
	whole := py.OverlayOf(nil) // what all hosts have
	if all := inv.groups["all"]; all != nil {
		if err := inv.lay(whole, all.Vars); err != nil {
			return err
		}
	}
	for _, h := range inv.Hosts {
		var key strings.Builder
		for _, g := range h.groups {
			key.WriteString(g.Name + "\x00")
		}
		of, ok := known[key.String()]
		if !ok {
			of.ancestry = ancestry(h.groups, inv.spent)
			h.ancestry = of.ancestry
			of.vars = py.OverlayOf(whole)
			layers := h.layers()
			for _, l := range layers[:len(layers)-ownLayers] {
				if l.kind == "group" && l.name == "all" {
					continue // the first of all
				}
				if err := inv.lay(of.vars, l.vars); err != nil {
					return err
				}
			}
			known[key.String()] = of
		}
		h.ancestry, h.all = of.ancestry, py.OverlayOf(of.vars)
		layers := h.layers()
		for _, l := range layers[len(layers)-ownLayers:] {
			if err := inv.lay(h.all, l.vars); err != nil {
				return err
			}
		}
		// All of them are looked through, again and again.
		if err := inv.spent.SpendAt(h.At, "host "+py.Cut(h.Name), h.all.Len(), 0); err != nil {
			return err
		}
	}
	return nil
}

// lay puts variables on top of others.
func (inv *Inventory) lay(into, vars *py.Dict) error {
	for _, e := range vars.Entries() {
		if err := inv.spent.SpendAt(e.At, "", 1, budget.Entry); err != nil {
			return err
		}
		into.Set(e.Key, e.Value, e.At)
	}
	return nil
}

// ancestry is the groups and all their ancestors, in the order they apply.
func ancestry(direct []*Group, b *budget.Budget) []*Group {
	var out []*Group
	seen := map[*Group]bool{}
	var up func(g *Group)
	up = func(g *Group) {
		if seen[g] || b.Spend(2, 4*budget.Item) != nil {
			return
		}
		seen[g] = true
		out = append(out, g)
		for _, p := range g.parents {
			up(p)
		}
	}
	for _, g := range direct {
		up(g)
	}
	sortGroups(out)
	return out
}
