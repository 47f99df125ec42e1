package jinja

import (
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source/budget"
)

func (c *context) listFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	if !slices.Contains([]string{"first", "last", "list", "join", "min", "max", "sum", "sort", "reverse", "unique", "flatten",
		"union", "intersect", "difference", "symmetric_difference", "zip", "product", "batch", "slice", "shuffle", "random", "groupby"}, name) {
		return nil, false, nil
	}
	if s, ok := py.Text(v); ok && name == "reverse" {
		if err := a.b.Spend(len(s)>>4, budget.Times(len(s), 5)); err != nil {
			return nil, true, err
		}
		r := []rune(s)
		slices.Reverse(r)
		return py.Computed(r), true, nil
	}
	l, err := iterate(v, a.b)
	if err == nil {
		err = a.b.Spend(len(l), budget.Times(len(l), 2*budget.Item))
	}
	if _, isList := v.([]py.Value); err == nil && (name == "union" || name == "symmetric_difference") && !isList {
		err = failf("can only concatenate list")
	}
	if err != nil {
		return nil, true, err
	}
	out, err := c.onList(name, slices.Clone(l), a)
	return out, true, err
}

func (c *context) onList(name string, l []py.Value, a args) (py.Value, error) {
	switch name {
	case "first", "last":
		if len(l) == 0 {
			return undefined{"No " + name + " item, sequence was empty."}, nil
		}
		if name == "first" {
			return l[0], nil
		}
		return l[len(l)-1], nil
	case "list":
		return l, nil
	case "join":
		return c.join(l, a)
	case "min", "max":
		return c.extreme(name, l, a)
	case "sum":
		return c.sum(l, a)
	case "sort":
		return c.sort(l, a)
	case "reverse":
		slices.Reverse(l)
		return l, nil
	case "unique":
		return uniq(l, a.b), defined(l...)
	case "flatten":
		return flatten(l, a.get(0, "levels", nil), 0, a.b), a.b.Err()
	case "union", "intersect", "difference", "symmetric_difference":
		m, err := iterate(a.get(0, "", nil), a.b)
		if err == nil {
			err = a.b.Spend(len(m), budget.Times(len(l)+len(m), 3*budget.Item))
		}
		if err == nil {
			err = defined(slices.Concat(l, m)...)
		}
		if err != nil {
			return nil, err
		}
		return setOp(name, l, m, a.b), nil
	}
	switch name {
	case "batch", "slice":
		return inParts(name, l, a)
	case "zip", "product":
		if len(a.named) > 0 {
			return nil, &Unknowable{"the filter " + name + " with options"}
		}
		lists := [][]py.Value{l}
		for _, v := range a.list {
			m, err := iterate(v, a.b)
			if err != nil {
				return nil, err
			}
			lists = append(lists, m)
		}
		if name == "zip" {
			return zip(lists, a.b)
		}
		return product(lists, a.b)
	}
	return nil, &Unknowable{"the filter " + name}
}

func setOp(name string, l, m []py.Value, b *budget.Budget) py.Value {
	keep := func(l, m []py.Value, in bool) []py.Value {
		out := []py.Value{}
		for _, v := range l {
			if py.ContainsIn(b, m, v) == in {
				out = append(out, v)
			}
		}
		return uniq(out, b)
	}
	switch name {
	case "union":
		return uniq(slices.Concat(l, m), b)
	case "intersect":
		return keep(l, m, true)
	case "difference":
		return keep(l, m, false)
	}
	return uniq(slices.Concat(keep(l, m, false), keep(m, l, false)), b)
}

func uniq(l []py.Value, b *budget.Budget) []py.Value {
	out := []py.Value{}
	for _, v := range l {
		if b.Err() != nil {
			return out
		}
		if !py.ContainsIn(b, out, v) {
			out = append(out, v)
		}
	}
	return out
}

func flatten(l []py.Value, levels py.Value, depth int, b *budget.Budget) []py.Value {
	out := []py.Value{}
	if b.Spend(1+len(l), budget.Times(len(l), budget.Item)) != nil {
		return out
	}
	for _, v := range l {
		n, limited := levels.(int64)
		sub, ok := v.([]py.Value)
		switch {
		case v == nil || py.Equal(v, "None") || py.Equal(v, "null"):
		case ok && depth < 50 && (!limited || n > 0):
			more := py.Value(nil)
			if limited {
				more = n - 1
			}
			part := flatten(sub, more, depth+1, b)
			if b.Spend(len(part)>>2, budget.Times(len(part), budget.Item)) != nil {
				return out
			}
			out = append(out, part...)
		default:
			out = append(out, v)
		}
	}
	return out
}

// attribute follows a dotted path, as the attribute argument of filters does.
func (c *context) attribute(v, name py.Value) (py.Value, error) {
	if name == nil {
		return v, nil
	}
	if _, ok := name.(int64); ok {
		return c.item(v, name)
	}
	path := py.StrIn(c.b, name)
	if err := c.b.Spend(1+len(path), budget.Times(len(path), 2)); err != nil {
		return nil, err
	}
	for part := range strings.SplitSeq(path, ".") {
		key := py.Value(py.Computed(part))
		if n, ok := intOf(key, nil, int64(10), c.b).(int64); ok && strings.Trim(part, "0123456789") == "" {
			key = n
		}
		var err error
		if v, err = c.item(v, key); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (c *context) join(l []py.Value, a args) (py.Value, error) {
	values := make([]py.Value, 0, len(l))
	for _, v := range l {
		v, err := c.attribute(v, a.get(1, "attribute", nil))
		if err == nil {
			err = defined(v)
		}
		if err == nil {
			err = spelled(v, c.b)
		}
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return joined(a.text(0, "d", ""), values, c.b)
}

// sortKey is the key of min, max and sort: strings compare without case
// unless cased is set.
func (c *context) sortKey(v py.Value, attr py.Value, cased bool) (py.Value, error) {
	k, err := c.attribute(v, attr)
	if err == nil {
		err = defined(k)
	}
	if s, ok := py.Text(k); ok && !cased {
		if c.b.Spend(1+len(s)>>6, budget.Times(len(s), 2)) != nil {
			return nil, c.b.Err()
		}
		return py.Computed(strings.ToLower(s)), err
	}
	return k, err
}

func (c *context) extreme(name string, l []py.Value, a args) (py.Value, error) {
	if len(l) == 0 {
		return undefined{"No aggregated item, sequence was empty."}, nil
	}
	best, bestKey := py.Value(nil), py.Value(nil)
	for i, v := range l {
		k, err := c.sortKey(v, a.get(1, "attribute", nil), py.Truthy(a.get(0, "case_sensitive", false)))
		if err != nil {
			return nil, err
		}
		if i > 0 {
			n, err := py.CompareIn(c.b, k, bestKey)
			if err != nil {
				return nil, failf("%s: %v", name, err)
			}
			if name == "min" && n >= 0 || name == "max" && n <= 0 {
				continue
			}
		}
		best, bestKey = v, k
	}
	return best, nil
}

func (c *context) sum(l []py.Value, a args) (py.Value, error) {
	total := a.get(1, "start", int64(0))
	for _, v := range l {
		v, err := c.attribute(v, a.get(0, "attribute", nil))
		if err == nil {
			err = defined(v)
		}
		if err != nil {
			return nil, err
		}
		if !py.IsNumber(v) || !py.IsNumber(total) {
			if total, err = sequences("+", total, v, c.b); err != nil {
				return nil, err
			}
			continue
		}
		if total, err = arithmetic("+", total, v, c.b); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func (c *context) sort(l []py.Value, a args) (py.Value, error) {
	type keyed struct{ key, value py.Value }
	if err := c.b.Spend(len(l), budget.Times(len(l), 4*budget.Item)); err != nil {
		return nil, err
	}
	var all []keyed
	for _, v := range l {
		k, err := c.sortKey(v, a.get(2, "attribute", nil), py.Truthy(a.get(1, "case_sensitive", false)))
		if err != nil {
			return nil, err
		}
		all = append(all, keyed{k, v})
	}
	down := py.Truthy(a.get(0, "reverse", false))
	var failed error
	slices.SortStableFunc(all, func(x, y keyed) int {
		n, err := py.CompareIn(c.b, x.key, y.key)
		if err != nil {
			failed = failf("sort: %v", err)
		}
		if down {
			return -n
		}
		return n
	})
	out := []py.Value{}
	for _, k := range all {
		out = append(out, k.value)
	}
	return out, failed
}

// mapFilter are the filters that run a filter or a test over a list.
func (c *context) mapFilter(name string, v py.Value, a args) (py.Value, bool, error) {
	switch name {
	case "map", "select", "reject", "selectattr", "rejectattr", "extract", "attr":
	default:
		return nil, false, nil
	}
	if name == "attr" {
		out, err := c.attr(v, a.text(0, "name", ""))
		return out, true, err
	}
	if name == "extract" {
		out, err := c.extract(v, a)
		return out, true, err
	}
	if !py.Truthy(v) {
		return []py.Value{}, true, nil // not even looked at
	}
	l, err := iterate(v, c.b)
	if err == nil {
		err = c.b.Spend(len(l), budget.Times(len(l), budget.Item))
	}
	if err != nil {
		return nil, true, err
	}
	out := []py.Value{}
	for _, it := range l {
		if err := c.b.Spend(1, 0); err != nil {
			return nil, true, err
		}
		r, keep, err := c.each(name, it, a)
		if err != nil {
			return nil, true, err
		}
		if keep {
			out = append(out, r)
		}
	}
	return out, true, nil
}

func (c *context) extract(key py.Value, a args) (py.Value, error) {
	v, err := c.item(a.get(0, "container", nil), key)
	if more := a.get(1, "morekeys", nil); more != nil && err == nil {
		keys, ok := more.([]py.Value)
		if !ok {
			keys = []py.Value{more}
		}
		for _, k := range keys {
			if v, err = c.item(v, k); err != nil {
				return nil, err
			}
		}
	}
	return v, err
}

func (c *context) each(name string, it py.Value, a args) (py.Value, bool, error) {
	if name == "map" {
		if attr, ok := a.named["attribute"]; ok {
			v, err := c.attribute(it, attr)
			if _, missing := v.(undefined); missing {
				if def, ok := a.named["default"]; ok {
					v = def
				}
			}
			return v, true, err
		}
		if len(a.list) == 0 {
			return nil, false, failf("map requires a filter argument")
		}
		v, err := c.runFilter(py.StrIn(c.b, a.list[0]), it, args{a.list[1:], a.named, c.b})
		return v, true, err
	}
	subject, rest := it, a.list
	if strings.HasSuffix(name, "attr") {
		if len(rest) == 0 {
			return nil, false, failf("%s requires an attribute", name)
		}
		var err error
		if subject, err = c.attribute(it, rest[0]); err != nil {
			return nil, false, err
		}
		rest = rest[1:]
	}
	want := strings.HasPrefix(name, "select")
	if len(rest) == 0 {
		if err := defined(subject); err != nil {
			return nil, false, err
		}
		return it, py.Truthy(subject) == want, nil
	}
	test := py.StrIn(c.b, rest[0])
	if op, ok := map[string]string{"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[test]; ok {
		test = op
	}
	ok, err := c.runTest(test, subject, rest[1:])
	return it, ok == want, err
}
