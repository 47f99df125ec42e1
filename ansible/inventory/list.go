package inventory

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// internal are the variables ansible-inventory never prints: Ansible makes
// them itself.
func internal() []string {
	return []string{
		"ansible_diff_mode", "ansible_config_file", "ansible_facts", "ansible_forks", "ansible_inventory_sources", "ansible_limit",
		"ansible_playbook_python", "ansible_run_tags", "ansible_skip_tags", "ansible_verbosity", "ansible_version", "inventory_dir",
		"inventory_file", "inventory_hostname", "inventory_hostname_short", "groups", "group_names", "omit", "playbook_dir",
	}
}

// shown is d without the internal variables.
func shown(d *py.Dict) *py.Dict {
	out := py.NewDict(d.Len())
	for _, e := range d.Entries() {
		if s, ok := py.Text(e.Key); !ok || !slices.Contains(internal(), s) {
			out.Set(e.Key, e.Value, e.At)
		}
	}
	return out
}

// HostVars is what `ansible-inventory --host` prints: every variable in force
// for the host, templates as they are written.
func (inv *Inventory) HostVars(h *Host) *py.Dict { return shown(h.all) }

// groupVars are the variables written for the group itself.
func groupVars(g *Group) *py.Dict {
	out := py.NewDict(g.Vars.Len() + g.fileVars.Len())
	over(out, g.Vars)
	over(out, g.fileVars)
	over(out, g.playVars)
	if g.Priority != 1 {
		out.Set("ansible_group_priority", int64(g.Priority), g.At)
	}
	return shown(out)
}

// List is what `ansible-inventory --list` prints: the groups with their hosts
// and children, and under _meta every host's variables. export is its
// --export: variables stay with the group or host they are written for.
// What that costs is taken off the inventory's budget.
func (inv *Inventory) List(export bool) *py.Dict {
	out := py.NewDict(len(inv.Groups) + 1)
	put := func(g *Group) {
		if n := len(g.Hosts) + g.Vars.Len(); inv.spent.Spend(n, budget.Times(n, 64)) != nil {
			return
		}
		d := &py.Dict{}
		if hosts := hostNames(g); len(hosts) > 0 && g.Name != "all" {
			d.Set("hosts", hosts, g.At)
		}
		var kids []py.Value
		for _, c := range g.Children {
			kids = append(kids, c.Name)
		}
		if len(kids) > 0 {
			d.Set("children", kids, g.At)
		}
		if export {
			if v := groupVars(g); v.Len() > 0 {
				d.Set("vars", v, g.At)
			}
		}
		if d.Len() > 0 {
			out.Set(g.Name, d, g.At)
		}
	}
	for _, g := range inv.Group("all").descendants() {
		put(g)
	}
	hostvars := py.NewDict(len(inv.Hosts))
	for _, h := range inv.Hosts {
		n := h.all.Len()
		if inv.spent.SpendAt(h.At, "host "+py.Cut(h.Name), 2*n, budget.Times(n, 64)) != nil {
			break
		}
		vars := inv.HostVars(h)
		if export {
			vars = shown(over(over(over(py.NewDict(8), h.Vars), h.fileVars), h.playVars))
		}
		if vars.Len() > 0 {
			hostvars.Set(h.Name, vars, h.At)
		}
	}
	meta := &py.Dict{}
	meta.Set("hostvars", hostvars, source.Pos{})
	out.Set("_meta", meta, source.Pos{})
	return out
}

func hostNames(g *Group) []py.Value {
	out := make([]py.Value, 0, len(g.Hosts))
	for _, h := range g.Hosts {
		out = append(out, h.Name)
	}
	return out
}

// Graph is what `ansible-inventory --graph` prints, from the named group
// down. vars adds the variables; a vaulted value is not shown in the clear.
func (inv *Inventory) Graph(group string, vars bool) (string, error) {
	g := inv.Group(group)
	if g == nil {
		return "", &source.Hint{Err: fmt.Errorf("no group %q in %s", group, inv.Source), Try: "pgtui inventory --graph shows all of them", Usage: true}
	}
	var b strings.Builder
	line := func(depth int, text string) {
		if inv.spent.Spend(1, 4*depth+2*len(text)) != nil {
			return
		}
		if depth > 0 {
			b.WriteString(strings.Repeat("  |", depth) + "--")
		}
		b.WriteString(text + "\n")
	}
	show := func(depth int, d *py.Dict) {
		if !vars {
			return
		}
		es := slices.Clone(d.Entries())
		slices.SortFunc(es, func(x, y py.Entry) int { return strings.Compare(py.Str(x.Key), py.Str(y.Key)) })
		for _, e := range es {
			line(depth, "{"+py.Str(e.Key)+" = "+py.StrIn(inv.spent, veiled(e.Value, inv.spent))+"}")
		}
	}
	var walk func(g *Group, depth int)
	walk = func(g *Group, depth int) {
		if inv.spent.Spend(1, 0) != nil {
			return
		}
		line(depth, "@"+g.Name+":")
		for _, c := range g.Children {
			walk(c, depth+1)
		}
		if g.Name != "all" {
			for _, h := range g.Hosts {
				line(depth+1, h.Name)
				show(depth+2, inv.HostVars(h))
			}
		}
		show(depth+1, groupVars(g))
	}
	walk(g, 0)
	return b.String(), inv.spent.Err()
}

// veiled is v with every vaulted value hidden.
func veiled(v py.Value, b *budget.Budget) py.Value {
	if b.Spend(1, budget.Item) != nil {
		return nil
	}
	switch x := v.(type) {
	case py.Vault:
		return "********"
	case []py.Value:
		out := make([]py.Value, len(x))
		for i, it := range x {
			out[i] = veiled(it, b)
		}
		return out
	case *py.Dict:
		out := py.NewDict(x.Len())
		for _, e := range x.Entries() {
			if b.Spend(1, budget.Entry) != nil {
				return out
			}
			out.Set(e.Key, veiled(e.Value, b), e.At)
		}
		return out
	}
	return v
}

// JSONIn prints v byte for byte as ansible-inventory does: keys sorted, four
// blanks a level, values with a tag as objects that Ansible reads back. Where
// Ansible gives up, a set is a list and bytes are base64. It costs the budget b,
// nil for a whole one; nothing else can fail.
func JSONIn(b *budget.Budget, v py.Value) ([]byte, error) {
	out, err := (&jsonWriter{sort: true, spent: b}).print(v)
	if errors.Is(err, errMixed) {
		out, err = (&jsonWriter{spent: b}).print(v)
	}
	return out, err
}

type jsonWriter struct {
	sort  bool
	b     []byte
	spent *budget.Budget
}

// errMixed is Python's refusal to put keys of different types in order.
var errMixed = errors.New("keys of different types have no order")

func (w *jsonWriter) print(v py.Value) ([]byte, error) {
	w.b = w.b[:0]
	err := w.value(v, 0)
	return w.b, err
}

func (w *jsonWriter) value(v py.Value, depth int) error {
	s, _ := py.Text(v)
	if err := w.spent.Spend(1+len(s)>>6, 3*(4*depth+2*len(s)+16)); err != nil {
		return err
	}
	switch x := v.(type) {
	case nil:
		w.b = append(w.b, "null"...)
	case bool:
		w.b = strconv.AppendBool(w.b, x)
	case int64:
		w.b = strconv.AppendInt(w.b, x, 10)
	case *big.Int:
		w.b = x.Append(w.b, 10)
	case float64:
		w.b = append(w.b, jsonFloat(x)...)
	case []py.Value:
		return w.block('[', ']', len(x), depth, func(i int) error { return w.value(x[i], depth+1) })
	case py.Tuple:
		return w.value([]py.Value(x), depth)
	case py.Set:
		return w.value(x.Items, depth)
	case *py.Dict:
		return w.object(x, depth)
	case py.Unsafe:
		w.tagged("__ansible_unsafe", string(x), depth)
	case py.Vault:
		w.tagged("__ansible_vault", x.Sealed, depth)
	case py.Bytes:
		w.text(base64.StdEncoding.EncodeToString([]byte(x)))
	case py.Time:
		s := py.Str(x)
		if !x.DateOnly {
			s = strings.Replace(s, " ", "T", 1)
		}
		w.text(s)
	default:
		s, ok := py.Text(v)
		if !ok {
			s = py.Str(v)
		}
		w.text(s)
	}
	return nil
}

// block prints the n elements of a list or an object.
func (w *jsonWriter) block(begin, end byte, n, depth int, one func(i int) error) error {
	w.b = append(w.b, begin)
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.indent(depth + 1)
		if err := one(i); err != nil {
			return err
		}
	}
	if n > 0 {
		w.indent(depth)
	}
	w.b = append(w.b, end)
	return nil
}

func (w *jsonWriter) indent(depth int) {
	w.b = append(w.b, '\n')
	for range depth {
		w.b = append(w.b, "    "...)
	}
}

func (w *jsonWriter) tagged(tag, text string, depth int) {
	w.b = append(w.b, '{')
	w.indent(depth + 1)
	w.text(tag)
	w.b = append(w.b, ": "...)
	w.text(text)
	w.indent(depth)
	w.b = append(w.b, '}')
}

func (w *jsonWriter) object(d *py.Dict, depth int) error {
	es := d.Entries()
	if w.sort {
		var err error
		if es, err = sorted(es); err != nil {
			return err
		}
	}
	return w.block('{', '}', len(es), depth, func(i int) error {
		w.text(jsonKey(es[i].Key))
		w.b = append(w.b, ": "...)
		return w.value(es[i].Value, depth+1)
	})
}

// sorted is the entries in the order of their keys: all text, or all numbers.
func sorted(es []py.Entry) ([]py.Entry, error) {
	if len(es) < 2 {
		return es, nil
	}
	es = slices.Clone(es)
	texts, numbers := 0, 0
	for _, e := range es {
		if _, ok := py.Text(e.Key); ok {
			texts++
		} else if py.IsNumber(e.Key) {
			numbers++
		}
	}
	switch len(es) {
	case texts:
		slices.SortStableFunc(es, func(x, y py.Entry) int {
			a, _ := py.Text(x.Key)
			b, _ := py.Text(y.Key)
			return strings.Compare(a, b)
		})
	case numbers:
		slices.SortStableFunc(es, func(x, y py.Entry) int { return keyNumber(x.Key).Cmp(keyNumber(y.Key)) })
	default:
		return nil, errMixed
	}
	return es, nil
}

func keyNumber(v py.Value) *big.Float {
	f := new(big.Float)
	switch x := v.(type) {
	case bool:
		if x {
			f.SetInt64(1)
		}
	case int64:
		f.SetInt64(x)
	case *big.Int:
		f.SetInt(x)
	case float64:
		if !math.IsNaN(x) {
			f.SetFloat64(x)
		}
	}
	return f
}

func jsonKey(v py.Value) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return jsonFloat(x)
	}
	if s, ok := py.Text(v); ok {
		return s
	}
	return py.Str(v)
}

func jsonFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	return py.Repr(f)
}

// text prints a JSON string; like Ansible it leaves everything but quotes,
// backslashes and control characters as it is.
func (w *jsonWriter) text(s string) {
	const hex = "0123456789abcdef"
	w.b = append(w.b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			w.b = append(w.b, '\\', c)
		case '\n':
			w.b = append(w.b, '\\', 'n')
		case '\r':
			w.b = append(w.b, '\\', 'r')
		case '\t':
			w.b = append(w.b, '\\', 't')
		case '\b':
			w.b = append(w.b, '\\', 'b')
		case '\f':
			w.b = append(w.b, '\\', 'f')
		default:
			if c < ' ' {
				w.b = append(w.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			} else {
				w.b = append(w.b, c)
			}
		}
	}
	w.b = append(w.b, '"')
}
