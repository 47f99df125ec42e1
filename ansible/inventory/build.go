package inventory

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// builder makes groups and hosts of the decoded YAML, following Ansible's
// yaml inventory plugin step by step.
type builder struct {
	inv   *Inventory
	warn  func(source.Pos, string)
	b     *budget.Budget
	depth int
}

// newBuilder begins an inventory: Ansible always has the groups all and
// ungrouped.
func newBuilder(l *loader) *builder {
	b := &builder{inv: l.inv, warn: l.warn, b: l.b}
	all, ungrouped := b.addGroup("all", source.Pos{}), b.addGroup("ungrouped", source.Pos{})
	all.Children, ungrouped.parents = append(all.Children, ungrouped), append(ungrouped.parents, all)
	return b
}

// yaml adds the groups of one YAML inventory.
func (b *builder) yaml(root *py.Dict) error {
	for _, e := range root.Entries() {
		if _, err := b.group(e); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) addGroup(name string, at source.Pos) *Group {
	if g := b.inv.groups[name]; g != nil {
		if g.At.Line == 0 {
			g.At = at
		}
		return g
	}
	_ = b.b.SpendAt(at, "group "+py.Cut(name), 1, groupSize+len(name)) // whoever reads on finds it spent
	g := &Group{Name: name, At: at, Priority: 1, Vars: &py.Dict{}}
	b.inv.groups[name] = g
	b.inv.Groups = append(b.inv.Groups, g)
	return g
}

// What a host and a group take, with all that is made of them later, in bytes.
const (
	hostSize  = 5 << 10
	groupSize = 2 << 10
)

// put sets a variable of a host or group, over those of other places.
func (b *builder) put(into *py.Dict, e py.Entry) error {
	under := len(into.Under(e.Key))
	if err := b.b.SpendAt(e.At, "", 1+under, budget.Plus(budget.Entry, budget.Times(under, 64))); err != nil {
		return err
	}
	into.Over(e.Key, e.Value, e.At)
	return nil
}

// group reads one "name: {vars, children, hosts}" entry.
func (b *builder) group(e py.Entry) (*Group, error) {
	if b.depth > maxDepth {
		return nil, &Error{At: e.At, Msg: fmt.Sprintf("groups nested more than %d levels deep", maxDepth)}
	}
	if err := b.b.Err(); err != nil {
		return nil, err
	}
	b.depth++
	defer func() { b.depth-- }()
	body, isMap := e.Value.(*py.Dict)
	if !isMap && e.Value != nil {
		b.warn(e.At, fmt.Sprintf("%s is not a group: expected a mapping with hosts, children or vars, found a %s; it is skipped", py.Str(e.Key), typeWord(e.Value)))
		return nil, nil
	}
	name, ok := py.Text(e.Key)
	if !ok {
		return nil, &Error{At: e.At, Msg: fmt.Sprintf("group name %s is a %s: expected a word; put it in quotes", py.Str(e.Key), typeWord(e.Key))}
	}
	if name == "" {
		return nil, &Error{At: e.At, Msg: "a group without a name: expected a word"}
	}
	g := b.addGroup(name, e.At)
	sections := map[string]*py.Dict{}
	for _, s := range []string{"vars", "children", "hosts"} {
		d, err := section(name, body, s)
		if err != nil {
			return nil, err
		}
		sections[s] = d
	}
	for _, part := range body.Entries() {
		if err := b.section(g, part, sections); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// section gives a section of a group as a mapping; a plain string stands for
// a mapping with that one key.
func section(group string, body *py.Dict, name string) (*py.Dict, error) {
	e := body.Lookup(name)
	if e == nil || e.Value == nil {
		return nil, nil
	}
	if s, ok := py.Text(e.Value); ok {
		d := py.NewDict(1)
		d.Set(s, nil, e.At)
		return d, nil
	}
	if d, ok := e.Value.(*py.Dict); ok {
		return d, nil
	}
	return nil, &source.Hint{
		Err: &Error{At: e.At, Msg: fmt.Sprintf("%q of group %s: expected a mapping, found a %s", name, group, typeWord(e.Value))},
		Try: "write each entry as a key: \"10.10.10.10: { … }\", not \"- 10.10.10.10\"",
	}
}

func (b *builder) section(g *Group, part py.Entry, sections map[string]*py.Dict) error {
	key, _ := py.Text(part.Key)
	d, known := sections[key]
	if !known {
		if _, ok := part.Value.(*py.Dict); ok {
			b.warn(part.At, fmt.Sprintf("%s in group %s is skipped: only vars, children and hosts have a meaning there", py.Str(part.Key), g.Name))
		}
		return nil
	}
	for _, e := range d.Entries() {
		var err error
		switch key {
		case "vars":
			err = b.setGroupVar(g, e)
		case "children":
			err = b.child(g, e)
		case "hosts":
			err = b.host(g, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) setGroupVar(g *Group, e py.Entry) error {
	if k, _ := py.Text(e.Key); k == "ansible_group_priority" {
		n, ok := toInt(e.Value)
		if !ok && e.Value != nil {
			return &Error{At: e.At, Msg: fmt.Sprintf("ansible_group_priority of group %s: expected a number, found %s", g.Name, py.Brief(e.Value))}
		}
		if ok {
			g.Priority = n
		}
		return nil
	}
	return b.put(g.Vars, e)
}

// toInt is Python's int(v) for what can be a priority.
func toInt(v py.Value) (int, bool) {
	switch x := v.(type) {
	case int64:
		return int(x), true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case float64:
		return int(x), true
	}
	if s, ok := py.Text(v); ok {
		n, ok := new(big.Int).SetString(strings.ReplaceAll(strings.TrimSpace(s), "_", ""), 10)
		if ok && n.IsInt64() {
			return int(n.Int64()), true
		}
	}
	return 0, false
}

func (b *builder) child(g *Group, e py.Entry) error {
	c, err := b.group(e)
	if err != nil {
		return err
	}
	if c == nil {
		return &Error{At: e.At, Msg: fmt.Sprintf("child %s of group %s: expected a mapping or nothing, found a %s", py.Str(e.Key), g.Name, typeWord(e.Value))}
	}
	return b.addChild(g, c, e.At)
}

// addChild links two groups and refuses a cycle, naming it.
func (b *builder) addChild(g, c *Group, at source.Pos) error {
	if err := b.b.SpendAt(at, "", 1+len(g.Children)>>3, 0); err != nil {
		return err
	}
	if slices.Contains(g.Children, c) {
		return nil
	}
	if path := pathDown(c, g, b.b); path != nil {
		names := make([]string, 0, len(path)+1)
		names = append(names, g.Name)
		for _, p := range path {
			names = append(names, p.Name)
		}
		return &source.Hint{
			Err: &Error{At: at, Msg: fmt.Sprintf("group %s is its own descendant: %s", g.Name, strings.Join(names, " > "))},
			Try: fmt.Sprintf("remove %s from the children of %s", c.Name, g.Name),
		}
	}
	if err := b.b.Err(); err != nil {
		return err
	}
	g.Children = append(g.Children, c)
	c.parents = append(c.parents, g)
	return nil
}

// pathDown is the way from one group down to another, nil when there is none.
func pathDown(from, to *Group, b *budget.Budget) []*Group {
	seen := map[*Group]bool{}
	var walk func(g *Group) []*Group
	walk = func(g *Group) []*Group {
		if g == to {
			return []*Group{g}
		}
		if seen[g] || b.Spend(1, 0) != nil {
			return nil
		}
		seen[g] = true
		for _, c := range g.Children {
			if p := walk(c); p != nil {
				return append([]*Group{g}, p...)
			}
		}
		return nil
	}
	return walk(from)
}

func (b *builder) host(g *Group, e py.Entry) error {
	pattern, ok := py.Text(e.Key)
	if !ok {
		return &source.Hint{
			Err: &Error{At: e.At, Msg: fmt.Sprintf("host %s of group %s is a %s: expected an address or a name", py.Str(e.Key), g.Name, typeWord(e.Key))},
			Try: "put the host in quotes",
		}
	}
	names, port, err := expandHost(pattern, b.b)
	if spent := b.b.Err(); spent != nil {
		return spent
	}
	if err != nil {
		return &Error{At: e.At, Msg: fmt.Sprintf("host %q of group %s: %v", pattern, g.Name, err), Err: err}
	}
	vars, isMap := e.Value.(*py.Dict)
	if !isMap && py.Truthy(e.Value) {
		return &Error{At: e.At, Msg: fmt.Sprintf("host %s of group %s: expected a mapping of variables, found a %s", pattern, g.Name, typeWord(e.Value))}
	}
	for _, name := range names {
		if name == "" {
			return &Error{At: e.At, Msg: fmt.Sprintf("a host without a name in group %s", g.Name)}
		}
		if _, err := b.addHost(g, name, port, e.At, vars); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) addHost(g *Group, name string, port int, at source.Pos, vars *py.Dict) (*Host, error) {
	h := b.inv.hosts[name]
	if h == nil {
		if err := b.b.SpendAt(at, "host "+py.Cut(name), 1, hostSize+4*len(name)); err != nil {
			return nil, err
		}
		h = &Host{Name: name, At: at, Vars: &py.Dict{}}
		if port != 0 {
			h.Vars.Set("ansible_port", int64(port), at)
		}
		b.inv.hosts[name] = h
		b.inv.Hosts = append(b.inv.Hosts, h)
	}
	if err := b.b.SpendAt(at, "", 1+len(h.groups), 4*budget.Item); err != nil {
		return nil, err
	}
	member := false
	for _, have := range h.groups {
		member = member || have == g
	}
	if !member {
		g.Hosts = append(g.Hosts, h)
		h.groups = append(h.groups, g)
	}
	return h, b.hostVars(h, vars)
}

// hostVars sets inline variables of a host.
func (b *builder) hostVars(h *Host, vars *py.Dict) error {
	target := h.Vars
	if same := b.inv.groups[h.Name]; same != nil { // Ansible looks for a group of that name first
		target = same.Vars
	}
	for _, v := range vars.Entries() {
		if err := b.put(target, v); err != nil {
			return err
		}
	}
	return nil
}

// reconcile puts groups without a parent under all, hosts without a group
// under ungrouped, and computes depths.
func (b *builder) reconcile() error {
	all, ungrouped := b.inv.groups["all"], b.inv.groups["ungrouped"]
	for _, g := range b.inv.Groups {
		if g != all && len(g.parents) == 0 {
			if err := b.addChild(all, g, g.At); err != nil {
				return err
			}
		}
	}
	for _, h := range b.inv.Hosts {
		if b.inv.groups[h.Name] != nil {
			b.warn(h.At, fmt.Sprintf("%s is a host and a group: its variables go to the group", h.Name))
		}
		direct := h.groups[:0:0]
		for _, g := range h.groups {
			if g != all && g != ungrouped {
				direct = append(direct, g)
			}
		}
		loose := slices.Contains(h.groups, ungrouped)
		if len(direct) > 0 {
			h.groups = direct
			if loose {
				if err := b.b.Spend(len(ungrouped.Hosts)>>3, 0); err != nil {
					return err
				}
				ungrouped.remove(h)
			}
		} else if !loose {
			ungrouped.Hosts = append(ungrouped.Hosts, h)
			h.groups = append(h.groups, ungrouped)
		}
	}
	depths(all)
	return nil
}

func (g *Group) remove(h *Host) {
	for i, x := range g.Hosts {
		if x == h {
			g.Hosts = append(g.Hosts[:i:i], g.Hosts[i+1:]...)
			return
		}
	}
}

// depths gives every group the length of its longest way from all.
func depths(all *Group) {
	waiting := map[*Group]int{}
	for _, g := range all.descendants() {
		for _, c := range g.Children {
			waiting[c]++
		}
	}
	queue := []*Group{all}
	for len(queue) > 0 {
		g := queue[0]
		queue = queue[1:]
		for _, c := range g.Children {
			c.Depth = max(c.Depth, g.Depth+1)
			if waiting[c]--; waiting[c] == 0 {
				queue = append(queue, c)
			}
		}
	}
}
