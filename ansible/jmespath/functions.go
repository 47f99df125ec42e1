package jmespath

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// param is what a function takes at one place: "any", or words joined by "|".
type param = string

type function struct {
	params   []param
	variadic bool
	call     func(ev *evaluator, args []py.Value) (py.Value, error)
}

// lookup finds a function of JMESPath.
func lookup(name string) (function, bool) {
	switch name {
	case "abs":
		return function{params: []param{"number"}, call: numeric(absolute)}, true
	case "avg":
		return function{params: []param{"array-number"}, call: avg}, true
	case "ceil":
		return function{params: []param{"number"}, call: numeric(func(v py.Value) py.Value { return rounded(v, math.Ceil) })}, true
	case "floor":
		return function{params: []param{"number"}, call: numeric(func(v py.Value) py.Value { return rounded(v, math.Floor) })}, true
	case "contains":
		return function{params: []param{"array|string", "any"}, call: contains}, true
	case "ends_with":
		return function{params: []param{"string", "string"}, call: affix(strings.HasSuffix)}, true
	case "starts_with":
		return function{params: []param{"string", "string"}, call: affix(strings.HasPrefix)}, true
	case "join":
		return function{params: []param{"string", "array-string"}, call: join}, true
	case "keys":
		return function{params: []param{"object"}, call: keys}, true
	case "values":
		return function{params: []param{"object"}, call: dictValues}, true
	case "length":
		return function{params: []param{"string|array|object"}, call: length}, true
	case "map":
		return function{params: []param{"expression", "array"}, call: mapped}, true
	case "max":
		return function{params: []param{"array-number|array-string"}, call: extreme(1)}, true
	case "min":
		return function{params: []param{"array-number|array-string"}, call: extreme(-1)}, true
	case "max_by":
		return function{params: []param{"array", "expression"}, call: extremeBy(1)}, true
	case "min_by":
		return function{params: []param{"array", "expression"}, call: extremeBy(-1)}, true
	case "merge":
		return function{params: []param{"object"}, variadic: true, call: merge}, true
	case "not_null":
		return function{params: []param{"any"}, variadic: true, call: notNull}, true
	case "reverse":
		return function{params: []param{"array|string"}, call: reverse}, true
	case "sort":
		return function{params: []param{"array-string|array-number"}, call: sorted}, true
	case "sort_by":
		return function{params: []param{"array", "expression"}, call: sortBy}, true
	case "sum":
		return function{params: []param{"array-number"}, call: sum}, true
	case "to_array":
		return function{params: []param{"any"}, call: toArray}, true
	case "to_number":
		return function{params: []param{"any"}, call: toNumber}, true
	case "to_string":
		return function{params: []param{"any"}, call: toString}, true
	case "type":
		return function{params: []param{"any"}, call: typeOf}, true
	}
	return function{}, false
}

// sized pays for what a function makes of its arguments, and of walking them.
func (ev *evaluator) sized(args []py.Value) error {
	for _, a := range args {
		n := 1
		switch x := a.(type) {
		case []py.Value:
			n = len(x)
		case *py.Dict:
			n = 3 * x.Len()
		default:
			if s, ok := py.Text(a); ok {
				if err := ev.b.Spend(len(s)>>4, budget.Times(len(s), 5)); err != nil {
					return err
				}
			}
		}
		if err := ev.list(4 * n); err != nil {
			return err
		}
	}
	return nil
}

func (ev *evaluator) call(n *node, v py.Value) (py.Value, error) {
	if err := ev.list(len(n.kids)); err != nil {
		return nil, err
	}
	args := make([]py.Value, 0, len(n.kids))
	for _, k := range n.kids {
		a, err := ev.eval(k, v)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	f, ok := lookup(n.name)
	if !ok {
		return nil, fmt.Errorf("there is no function %s()", n.name)
	}
	if len(args) < len(f.params) || !f.variadic && len(args) > len(f.params) {
		return nil, fmt.Errorf("%s() takes %d arguments, got %d", n.name, len(f.params), len(args))
	}
	for i, p := range f.params {
		if err := accepts(p, args[i]); err != nil {
			return nil, fmt.Errorf("%s(): %w", n.name, err)
		}
	}
	if err := ev.sized(args); err != nil {
		return nil, err
	}
	out, err := f.call(ev, args)
	if err != nil {
		return nil, fmt.Errorf("%s(): %w", n.name, err)
	}
	return out, nil
}

// kindOf is JMESPath's word for the type of v; a member, a vaulted string, a
// set or a date has none.
func kindOf(v py.Value) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case []py.Value:
		return "array"
	case *py.Dict:
		return "object"
	case expref:
		return "expression"
	}
	switch {
	case isNumber(v):
		return "number"
	case isString(v):
		return "string"
	}
	return "unknown"
}

// accepts checks one argument against "array|string", "array-number" and so on.
func accepts(p param, v py.Value) error {
	if p == "any" {
		return nil
	}
	kind := kindOf(v)
	var sub []string
	found := false
	for want := range strings.SplitSeq(p, "|") {
		base, s, typed := strings.Cut(want, "-")
		found = found || base == kind
		if typed {
			sub = append(sub, s)
		}
	}
	if !found {
		return fmt.Errorf("expected %s, got %s", p, kind)
	}
	l, ok := v.([]py.Value)
	if !ok || len(sub) == 0 || len(l) == 0 {
		return nil
	}
	allowed := sub[0]
	if len(sub) > 1 {
		allowed = kindOf(l[0])
		if !slices.Contains(sub, allowed) {
			return fmt.Errorf("expected %s, got an array of %s", p, allowed)
		}
	}
	for _, it := range l {
		if k := kindOf(it); k != allowed {
			return fmt.Errorf("expected an array of %s, found a %s in it", allowed, k)
		}
	}
	return nil
}

func numeric(f func(py.Value) py.Value) func(*evaluator, []py.Value) (py.Value, error) {
	return func(_ *evaluator, a []py.Value) (py.Value, error) { return f(a[0]), nil }
}

func absolute(v py.Value) py.Value {
	switch x := v.(type) {
	case float64:
		return math.Abs(x)
	case int64:
		return py.Int(new(big.Int).Abs(big.NewInt(x)))
	case *big.Int:
		return py.Int(new(big.Int).Abs(x))
	}
	return v
}

func rounded(v py.Value, f func(float64) float64) py.Value {
	x, ok := v.(float64)
	if !ok || math.IsInf(x, 0) || math.IsNaN(x) {
		return v
	}
	n, _ := new(big.Float).SetFloat64(f(x)).Int(nil)
	return py.Int(n)
}

// big pays for arithmetic on large numbers.
func (ev *evaluator) big(vs ...py.Value) error {
	for _, v := range vs {
		if n, ok := v.(*big.Int); ok {
			if err := ev.b.Digits(n.BitLen() / 3); err != nil {
				return err
			}
		}
	}
	return nil
}

// add is Python's a + b on numbers.
func add(a, b py.Value) py.Value {
	x, okx := toBig(a)
	y, oky := toBig(b)
	if okx && oky {
		return py.Int(x.Add(x, y))
	}
	return toFloat(a) + toFloat(b)
}

func toBig(v py.Value) (*big.Int, bool) {
	switch x := v.(type) {
	case int64:
		return big.NewInt(x), true
	case *big.Int:
		return new(big.Int).Set(x), true
	}
	return nil, false
}

func toFloat(v py.Value) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case int64:
		return float64(x)
	case *big.Int:
		f, _ := new(big.Float).SetInt(x).Float64()
		return f
	}
	return 0
}

func sum(ev *evaluator, a []py.Value) (py.Value, error) {
	var total py.Value = int64(0)
	for _, v := range a[0].([]py.Value) {
		if err := ev.big(total, v); err != nil {
			return nil, err
		}
		total = add(total, v)
	}
	return total, nil
}

func avg(ev *evaluator, a []py.Value) (py.Value, error) {
	l := a[0].([]py.Value)
	if len(l) == 0 {
		return nil, nil
	}
	total, err := sum(ev, a)
	return toFloat(total) / float64(len(l)), err
}

func contains(ev *evaluator, a []py.Value) (py.Value, error) {
	if l, ok := a[0].([]py.Value); ok {
		return py.ContainsIn(ev.b, l, a[1]), nil
	}
	if !isString(a[1]) {
		return nil, fmt.Errorf("a %s cannot be searched in a string", kindOf(a[1]))
	}
	s, _ := py.Text(a[0])
	t, _ := py.Text(a[1])
	return strings.Contains(s, t), nil
}

func affix(f func(s, x string) bool) func(*evaluator, []py.Value) (py.Value, error) {
	return func(_ *evaluator, a []py.Value) (py.Value, error) {
		s, _ := py.Text(a[0])
		x, _ := py.Text(a[1])
		return f(s, x), nil
	}
}

func join(ev *evaluator, a []py.Value) (py.Value, error) {
	sep, _ := py.Text(a[0])
	l := a[1].([]py.Value)
	parts, size := make([]string, 0, len(l)), budget.Times(len(l), len(sep))
	for _, v := range l {
		s, _ := py.Text(v)
		parts, size = append(parts, s), budget.Plus(size, len(s))
	}
	if err := ev.b.Spend(1+size>>6, size); err != nil {
		return nil, err
	}
	return py.Computed(strings.Join(parts, sep)), nil
}

func keys(_ *evaluator, a []py.Value) (py.Value, error) {
	out := []py.Value{}
	for _, e := range a[0].(*py.Dict).Entries() {
		out = append(out, e.Key)
	}
	return out, nil
}

func dictValues(_ *evaluator, a []py.Value) (py.Value, error) {
	out := []py.Value{}
	for _, e := range a[0].(*py.Dict).Entries() {
		out = append(out, e.Value)
	}
	return out, nil
}

func length(_ *evaluator, a []py.Value) (py.Value, error) {
	switch x := a[0].(type) {
	case []py.Value:
		return int64(len(x)), nil
	case *py.Dict:
		return int64(x.Len()), nil
	}
	s, _ := py.Text(a[0])
	return int64(len([]rune(s))), nil
}

func mapped(ev *evaluator, a []py.Value) (py.Value, error) {
	out := []py.Value{}
	for _, v := range a[1].([]py.Value) {
		x, err := ev.eval(a[0].(expref).n, v)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// extreme is max (sign 1) or min (sign -1); the first of equals wins.
func extreme(sign int) func(*evaluator, []py.Value) (py.Value, error) {
	return func(ev *evaluator, a []py.Value) (py.Value, error) {
		l := a[0].([]py.Value)
		if len(l) == 0 {
			return nil, nil
		}
		best := l[0]
		for _, v := range l[1:] {
			c, err := py.CompareIn(ev.b, v, best)
			if err != nil {
				return nil, err
			}
			if c*sign > 0 {
				best = v
			}
		}
		return best, nil
	}
}

// sortKey evaluates the key of one item. Strings that came out of YAML as
// they are cannot be keys: Ansible's own string type is unknown there.
func (ev *evaluator) sortKey(e py.Value, v py.Value) (py.Value, string, error) {
	k, err := ev.eval(e.(expref).n, v)
	if err != nil {
		return nil, "", err
	}
	switch k.(type) {
	case string, py.Unsafe:
		return nil, "", fmt.Errorf("the key %q is a string in the inventory and cannot be sorted by", py.Cut(py.Str(k)))
	}
	kind := kindOf(k)
	if kind != "number" && kind != "string" {
		return nil, "", fmt.Errorf("expected keys that are numbers or strings, got %s", kind)
	}
	return k, kind, nil
}

func extremeBy(sign int) func(*evaluator, []py.Value) (py.Value, error) {
	return func(ev *evaluator, a []py.Value) (py.Value, error) {
		var best, bestKey py.Value
		for i, v := range a[0].([]py.Value) {
			k, _, err := ev.sortKey(a[1], v)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				best, bestKey = v, k
				continue
			}
			c, err := py.CompareIn(ev.b, k, bestKey)
			if err != nil {
				return nil, err
			}
			if c*sign > 0 {
				best, bestKey = v, k
			}
		}
		return best, nil
	}
}

func sorted(ev *evaluator, a []py.Value) (py.Value, error) {
	out := slices.Clone(a[0].([]py.Value))
	var failed error
	slices.SortStableFunc(out, func(x, y py.Value) int {
		c, err := py.CompareIn(ev.b, x, y)
		if err != nil {
			failed = err
		}
		return c
	})
	return out, failed
}

func sortBy(ev *evaluator, a []py.Value) (py.Value, error) {
	type keyed struct{ key, value py.Value }
	var all []keyed
	want := ""
	for _, v := range a[0].([]py.Value) {
		k, kind, err := ev.sortKey(a[1], v)
		if err != nil {
			return nil, err
		}
		if want == "" {
			want = kind
		} else if kind != want {
			return nil, fmt.Errorf("expected keys of one type, got %s and %s", want, kind)
		}
		all = append(all, keyed{k, v})
	}
	slices.SortStableFunc(all, func(x, y keyed) int { c, _ := py.CompareIn(ev.b, x.key, y.key); return c })
	out := []py.Value{}
	for _, k := range all {
		out = append(out, k.value)
	}
	return out, nil
}

func merge(_ *evaluator, a []py.Value) (py.Value, error) {
	out := &py.Dict{}
	for _, v := range a {
		d, ok := v.(*py.Dict)
		if !ok {
			return nil, fmt.Errorf("expected objects, got %s", kindOf(v))
		}
		for _, e := range d.Entries() {
			out.Set(e.Key, e.Value, source.Pos{})
		}
	}
	return out, nil
}

func notNull(_ *evaluator, a []py.Value) (py.Value, error) {
	for _, v := range a {
		if v != nil {
			return v, nil
		}
	}
	return nil, nil
}

func reverse(_ *evaluator, a []py.Value) (py.Value, error) {
	if l, ok := a[0].([]py.Value); ok {
		out := slices.Clone(l)
		slices.Reverse(out)
		return out, nil
	}
	s, _ := py.Text(a[0])
	r := []rune(s)
	slices.Reverse(r)
	return py.Computed(r), nil
}

func toArray(_ *evaluator, a []py.Value) (py.Value, error) {
	if _, ok := a[0].([]py.Value); ok {
		return a[0], nil
	}
	return []py.Value{a[0]}, nil
}
