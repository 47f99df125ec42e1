package jmespath

import (
	"errors"
	"fmt"

	jmespath "github.com/jmespath/go-jmespath"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// expref is "&expression", only good as an argument of a function.
type expref struct{ n *node }

// Search evaluates the selector over data, usually the list of a cluster's
// members. An error is what makes Ansible fail the service.
func (e *Expr) Search(data py.Value) (py.Value, error) { return e.SearchIn(budget.New(), data) }

// SearchIn is Search within a budget: a few nested lists can ask for billions.
func (e *Expr) SearchIn(b *budget.Budget, data py.Value) (py.Value, error) {
	ev := &evaluator{b: b}
	v, err := ev.eval(e.root, data)
	if b.Err() != nil {
		return nil, b.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("selector %s: %w", show(e.text), err)
	}
	return v, nil
}

type evaluator struct{ b *budget.Budget }

// list pays for a list of n items.
func (ev *evaluator) list(n int) error { return ev.b.Spend(1+n, budget.Times(n, budget.Item)) }

func (ev *evaluator) eval(n *node, v py.Value) (py.Value, error) {
	if err := ev.b.Spend(1, 0); err != nil {
		return nil, err
	}
	switch n.kind {
	case int(jmespath.ASTCurrentNode), int(jmespath.ASTIdentity):
		return v, nil
	case int(jmespath.ASTLiteral):
		return n.value, nil
	case int(jmespath.ASTField):
		return field(v, n.name)
	case int(jmespath.ASTSubexpression), int(jmespath.ASTIndexExpression), int(jmespath.ASTPipe):
		left, err := ev.eval(n.kids[0], v)
		if err != nil {
			return nil, err
		}
		return ev.eval(n.kids[1], left)
	case int(jmespath.ASTIndex):
		return index(v, n.index), nil
	case int(jmespath.ASTSlice):
		return ev.slice(v, n.slice)
	case int(jmespath.ASTProjection):
		return ev.projection(n, v)
	case int(jmespath.ASTFilterProjection):
		return ev.filter(n, v)
	case int(jmespath.ASTValueProjection):
		return ev.values(n, v)
	case int(jmespath.ASTFlatten):
		return ev.flatten(n, v)
	case int(jmespath.ASTComparator):
		return ev.compare(n, v)
	case int(jmespath.ASTOrExpression), int(jmespath.ASTAndExpression):
		left, err := ev.eval(n.kids[0], v)
		if err != nil || isTrue(left) == (n.kind == int(jmespath.ASTOrExpression)) {
			return left, err
		}
		return ev.eval(n.kids[1], v)
	case int(jmespath.ASTNotExpression):
		x, err := ev.eval(n.kids[0], v)
		if err != nil {
			return nil, err
		}
		return !py.Truthy(x) && !isZero(x), nil
	case int(jmespath.ASTMultiSelectList), int(jmespath.ASTMultiSelectHash):
		return ev.multi(n, v)
	case int(jmespath.ASTFunctionExpression):
		return ev.call(n, v)
	case int(jmespath.ASTExpRef):
		return expref{n.kids[0]}, nil
	}
	return nil, errShape
}

// field is value.get(name) of a mapping or a member; null for anything else.
func field(v py.Value, name string) (py.Value, error) {
	switch x := v.(type) {
	case *py.Dict:
		f, _ := x.Get(name)
		return f, nil
	case py.Object:
		f, ok, err := x.Attr(name)
		if !ok {
			return nil, err
		}
		return f, err
	}
	return nil, nil
}

func index(v py.Value, i int) py.Value {
	l, ok := v.([]py.Value)
	if !ok {
		return nil
	}
	if i < 0 {
		i += len(l)
	}
	if i < 0 || i >= len(l) {
		return nil
	}
	return l[i]
}

// slice is Python's l[a:b:c].
func (ev *evaluator) slice(v py.Value, s [3]*int) (py.Value, error) {
	l, ok := v.([]py.Value)
	if !ok {
		return nil, nil
	}
	if err := ev.list(2 * len(l)); err != nil {
		return nil, err
	}
	step := 1
	if s[2] != nil {
		step = max(-1<<40, min(1<<40, *s[2]))
	}
	if step == 0 {
		return nil, errors.New("a slice cannot have a step of 0")
	}
	lo, hi := 0, len(l)
	first, last := 0, len(l)
	if step < 0 {
		lo, hi = -1, len(l)-1
		first, last = len(l)-1, -1
	}
	bound := func(p *int, def int) int {
		if p == nil {
			return def
		}
		i := max(-1<<40, min(1<<40, *p))
		if i < 0 {
			i += len(l)
		}
		return max(lo, min(hi, i))
	}
	from, to := bound(s[0], first), bound(s[1], last)
	out := []py.Value{}
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		out = append(out, l[i])
	}
	return out, nil
}

func (ev *evaluator) projection(n *node, v py.Value) (py.Value, error) {
	base, err := ev.eval(n.kids[0], v)
	if err != nil {
		return nil, err
	}
	// Python appends a slice to the index before it, which is no projection.
	if ix := n.kids[0]; ix.kind == int(jmespath.ASTIndexExpression) && ix.kids[1].kind == int(jmespath.ASTSlice) &&
		ix.kids[0].kind == int(jmespath.ASTIndexExpression) {
		return ev.eval(n.kids[1], base)
	}
	l, ok := base.([]py.Value)
	if !ok {
		return nil, nil
	}
	return ev.collect(l, nil, n.kids[1])
}

// collect evaluates n over every item for which cond is true, over every one when
// cond is nil, and drops nulls.
func (ev *evaluator) collect(l []py.Value, cond, n *node) (py.Value, error) {
	if err := ev.list(len(l)); err != nil {
		return nil, err
	}
	out := make([]py.Value, 0, len(l))
	for _, it := range l {
		if cond != nil {
			c, err := ev.eval(cond, it)
			if err != nil {
				return nil, err
			}
			if !isTrue(c) {
				continue
			}
		}
		x, err := ev.eval(n, it)
		if err != nil {
			return nil, err
		}
		if x != nil {
			out = append(out, x)
		}
	}
	return out, nil
}

// listOf evaluates n; ok is false when that is no list, or fails.
func (ev *evaluator) listOf(n *node, v py.Value) (l []py.Value, ok bool, err error) {
	base, err := ev.eval(n, v)
	l, ok = base.([]py.Value)
	return l, ok && err == nil, err
}

func (ev *evaluator) filter(n *node, v py.Value) (py.Value, error) {
	l, ok, err := ev.listOf(n.kids[0], v)
	if !ok {
		return nil, err
	}
	return ev.collect(l, n.kids[2], n.kids[1])
}

func (ev *evaluator) values(n *node, v py.Value) (py.Value, error) {
	base, err := ev.eval(n.kids[0], v)
	if err != nil {
		return nil, err
	}
	var l []py.Value
	switch x := base.(type) {
	case *py.Dict:
		if err := ev.list(2 * x.Len()); err != nil {
			return nil, err
		}
		for _, e := range x.Entries() {
			l = append(l, e.Value)
		}
	case py.Object:
		names := x.Names()
		if err := ev.list(4 * len(names)); err != nil {
			return nil, err
		}
		for _, name := range names {
			f, err := field(x, name)
			if err != nil {
				return nil, err
			}
			l = append(l, f)
		}
	default:
		return nil, nil
	}
	return ev.collect(l, nil, n.kids[1])
}

func (ev *evaluator) flatten(n *node, v py.Value) (py.Value, error) {
	l, ok, err := ev.listOf(n.kids[0], v)
	if !ok {
		return nil, err
	}
	n0 := 0
	for _, it := range l {
		n0++
		if sub, ok := it.([]py.Value); ok {
			n0 = budget.Plus(n0, len(sub))
		}
	}
	if err := ev.list(n0); err != nil {
		return nil, err
	}
	out := make([]py.Value, 0, n0)
	for _, it := range l {
		if sub, ok := it.([]py.Value); ok {
			out = append(out, sub...)
		} else {
			out = append(out, it)
		}
	}
	return out, nil
}

func (ev *evaluator) multi(n *node, v py.Value) (py.Value, error) {
	if v == nil {
		return nil, nil
	}
	if err := ev.b.Spend(1, budget.Times(len(n.kids)+1, budget.Entry)); err != nil {
		return nil, err
	}
	d, list := &py.Dict{}, make([]py.Value, 0, len(n.kids))
	for _, k := range n.kids {
		expr := k
		if n.kind == int(jmespath.ASTMultiSelectHash) {
			expr = k.kids[0]
		}
		x, err := ev.eval(expr, v)
		if err != nil {
			return nil, err
		}
		if expr == k {
			list = append(list, x)
		} else {
			d.Set(k.name, x, source.Pos{})
		}
	}
	if n.kind == int(jmespath.ASTMultiSelectHash) {
		return d, nil
	}
	return list, nil
}

func (ev *evaluator) compare(n *node, v py.Value) (py.Value, error) {
	a, err := ev.eval(n.kids[0], v)
	if err != nil {
		return nil, err
	}
	b, err := ev.eval(n.kids[1], v)
	if err != nil {
		return nil, err
	}
	switch n.name {
	case "==":
		return ev.equals(a, b), nil
	case "!=":
		return !ev.equals(a, b), nil
	}
	if !comparable(a) || !comparable(b) {
		return nil, nil
	}
	c, err := py.CompareIn(ev.b, a, b)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be compared: %w", n.name, err)
	}
	switch n.name {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

// equals is ==, except that true is not 1 and false is not 0.
func (ev *evaluator) equals(a, b py.Value) bool {
	_, ab := a.(bool)
	_, bb := b.(bool)
	if ab != bb && (isNumber(a) || isNumber(b)) {
		return false
	}
	return py.EqualIn(ev.b, a, b)
}

func isNumber(v py.Value) bool {
	_, isBool := v.(bool)
	return !isBool && py.IsNumber(v)
}

func isZero(v py.Value) bool { return isNumber(v) && !py.Truthy(v) }

// comparable is what < works on: numbers and strings.
func comparable(v py.Value) bool { return isNumber(v) || isString(v) }

// isString leaves out vaulted strings, which are no str to Python.
func isString(v py.Value) bool {
	if _, ok := v.(py.Vault); ok {
		return false
	}
	_, ok := py.Text(v)
	return ok
}

// isTrue is JMESPath's truth: null, false and empty are false, 0 is true.
func isTrue(v py.Value) bool {
	switch x := v.(type) {
	case nil:
		return false
	case bool:
		return x
	case []py.Value, *py.Dict:
		return py.Truthy(x)
	}
	if s, ok := py.Text(v); ok {
		return s != ""
	}
	return true
}
