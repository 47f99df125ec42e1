package jinja

import (
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

// undefined stands for something that is not there, until it is used.
type undefined struct{ what string }

// method is a method of a value, not called yet.
type method struct {
	of   py.Value
	name string
}

// valueError is any Python exception but "undefined".
type valueError struct{ msg string }

func (e *valueError) Error() string { return e.msg }

func failf(format string, args ...any) error { return &valueError{fmt.Sprintf(format, args...)} }

// defined turns the use of something undefined into the error.
func defined(vs ...py.Value) error {
	for _, v := range vs {
		switch x := v.(type) {
		case undefined:
			return &UndefinedError{x.what}
		case method:
			return failf("the method %s is not called", x.name)
		}
	}
	return nil
}

// printable is defined for everything in v: printing looks that deep.
func (c *context) printable(v py.Value) error { return printable(v, c.b) }

func printable(v py.Value, b *budget.Budget) error {
	if err := b.Spend(1, 0); err != nil {
		return err
	}
	var items []py.Value
	switch x := v.(type) {
	case []py.Value:
		items = x
	case py.Tuple:
		items = x
	case *py.Dict:
		for _, e := range x.Entries() {
			if err := printable(e.Value, b); err != nil {
				return err
			}
		}
	default:
		return defined(v)
	}
	for _, it := range items {
		if err := printable(it, b); err != nil {
			return err
		}
	}
	return nil
}

// spelled refuses to write out a list with something undefined in it: Python
// prints the innards of its own objects there.
func spelled(v py.Value, b *budget.Budget) error {
	err := printable(v, b)
	if b.Err() != nil {
		return b.Err()
	}
	if err != nil && defined(v) == nil {
		return &Unknowable{"the text of a list with something undefined in it"}
	}
	return nil
}

// maxNodes is how deep an expression may be: Python gives up long before.
const maxNodes = 2000

// eval evaluates one node. Whatever allocates takes it off the budget before:
// a few words can ask for gigabytes.
func (c *context) eval(e *expr) (py.Value, error) {
	if err := c.b.Spend(1, 0); err != nil {
		return nil, err
	}
	if c.depth++; c.depth > maxNodes {
		return nil, failf("the expression is nested too deep")
	}
	defer func() { c.depth-- }()
	v, err := c.node(e)
	if err == nil {
		err = c.b.Err()
	}
	return v, err
}

func (c *context) node(e *expr) (py.Value, error) {
	switch e.op {
	case opConst:
		return e.value, nil
	case opName:
		return c.name(e.text)
	case opList, opTuple:
		if err := c.b.Spend(0, budget.Times(len(e.kids), budget.Item)); err != nil {
			return nil, err
		}
		out := make([]py.Value, 0, len(e.kids))
		for _, k := range e.kids {
			v, err := c.eval(k)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		if e.op == opTuple {
			return py.Tuple(out), nil
		}
		return out, nil
	case opDict:
		return c.dict(e)
	case opCond:
		ok, err := c.truth(e.kids[0])
		if err != nil {
			return nil, err
		}
		if ok {
			return c.eval(e.kids[1])
		}
		if len(e.kids) < 3 {
			return undefined{"the else of an inline if"}, nil
		}
		return c.eval(e.kids[2])
	case opAnd, opOr:
		v, err := c.eval(e.kids[0])
		if err == nil {
			err = defined(v)
		}
		if err != nil || py.Truthy(v) == (e.op == opOr) {
			return v, err
		}
		return c.eval(e.kids[1])
	case opNot:
		ok, err := c.truth(e.kids[0])
		return !ok, err
	case opCompare:
		return c.compare(e)
	case opMath, opSign:
		return c.math(e)
	case opAttr:
		v, err := c.eval(e.kids[0])
		if err != nil {
			return nil, err
		}
		return c.attr(v, e.text)
	case opItem:
		v, key, err := c.both(e.kids[0], e.kids[1])
		if err != nil {
			return nil, err
		}
		return c.item(v, key)
	case opSlice:
		return c.slice(e)
	case opCall:
		return c.call(e)
	case opFilter:
		return c.filter(e)
	case opTest:
		return c.test(e)
	}
	return nil, failf("cannot evaluate %s", e.op)
}

func (c *context) both(a, b *expr) (py.Value, py.Value, error) {
	x, err := c.eval(a)
	if err != nil {
		return nil, nil, err
	}
	y, err := c.eval(b)
	return x, y, err
}

func (c *context) truth(e *expr) (bool, error) {
	v, err := c.eval(e)
	if err == nil {
		err = defined(v)
	}
	return err == nil && py.Truthy(v), err
}

func (c *context) name(name string) (py.Value, error) {
	for i := len(c.locals) - 1; i >= 0; i-- {
		if v, ok := c.locals[i][name]; ok {
			if r, ok := v.(round1); ok {
				return loopVar(r.i, r.n), c.b.Spend(7, 7*budget.Entry)
			}
			return v, nil
		}
	}
	v, ok, err := c.scope.Get(name)
	if ue, yes := errors.AsType[*UndefinedError](err); yes {
		return undefined{ue.What}, nil
	}
	if err != nil {
		return nil, err
	}
	if !ok {
		return undefined{"'" + name + "'"}, nil
	}
	c.noteUnsafe(v, 0)
	return v, nil
}

// noteUnsafe makes the whole result unsafe once an unsafe string is near it.
func (c *context) noteUnsafe(v py.Value, depth int) {
	if c.unsafe || depth > 20 || c.b.Spend(1, 0) != nil {
		return
	}
	switch x := v.(type) {
	case py.Unsafe:
		c.unsafe = true
	case []py.Value:
		for _, it := range x {
			c.noteUnsafe(it, depth+1)
		}
	case *py.Dict:
		for _, it := range x.Entries() {
			c.noteUnsafe(it.Value, depth+1)
		}
	}
}

func (c *context) dict(e *expr) (py.Value, error) {
	if err := c.b.Spend(0, budget.Times(len(e.kids)/2+1, budget.Entry)); err != nil {
		return nil, err
	}
	d := py.NewDict(len(e.kids) / 2)
	for i := 0; i+1 < len(e.kids); i += 2 {
		k, v, err := c.both(e.kids[i], e.kids[i+1])
		if err == nil {
			err = defined(k)
		}
		if err != nil {
			return nil, err
		}
		if _, ok := py.KeyOf(k); !ok {
			return nil, failf("unhashable type: %s", py.TypeName(k))
		}
		d.Set(k, v, source.Pos{})
	}
	return d, nil
}

func (c *context) compare(e *expr) (py.Value, error) {
	left, err := c.eval(e.kids[0])
	if err != nil {
		return nil, err
	}
	for i, op := range e.args {
		right, err := c.eval(e.kids[i+1])
		if err != nil {
			return nil, err
		}
		ok, err := compareOp(op.text, left, right, c.b)
		if err != nil || !ok {
			return false, err
		}
		left = right
	}
	return true, nil
}

func compareOp(op string, a, b py.Value, spent *budget.Budget) (bool, error) {
	switch op {
	case "in", "not in":
		ok, err := contains(b, a, spent)
		return ok == (op == "in"), err
	}
	if err := defined(a, b); err != nil {
		return false, err
	}
	if py.TypeName(a) == py.TypeName(b) {
		for _, v := range []py.Value{a, b} {
			if err := printable(v, spent); err != nil {
				return false, err
			}
		}
	}
	switch op {
	case "==":
		return py.EqualIn(spent, a, b), nil
	case "!=":
		return !py.EqualIn(spent, a, b), nil
	}
	n, err := py.CompareIn(spent, a, b)
	if err != nil {
		return false, failf("'%s' not supported between instances of '%s' and '%s'", op, py.TypeName(a), py.TypeName(b))
	}
	switch op {
	case "<":
		return n < 0, nil
	case "<=":
		return n <= 0, nil
	case ">":
		return n > 0, nil
	}
	return n >= 0, nil
}

// contains is Python's "v in box".
func contains(box, v py.Value, b *budget.Budget) (bool, error) {
	if err := defined(box); err != nil {
		return false, err
	}
	switch x := box.(type) {
	case []py.Value:
		for _, it := range x {
			if err := defined(v, it); err != nil {
				return false, err
			}
			if py.EqualIn(b, it, v) {
				return true, nil
			}
		}
		return false, nil
	case py.Tuple:
		return contains([]py.Value(x), v, b)
	case py.Set:
		return py.ContainsIn(b, x.Items, v), defined(v)
	case *py.Dict:
		if err := defined(v); err != nil {
			return false, err
		}
		if _, ok := py.KeyOf(v); !ok {
			return false, failf("unhashable type: '%s'", py.TypeName(v))
		}
		return x.Lookup(v) != nil, nil
	case py.Object:
		s, _ := py.Text(v)
		_, ok, _ := x.Attr(s)
		return ok, defined(v)
	}
	s, ok1 := py.Text(box)
	t, ok2 := py.Text(v)
	if ok1 && ok2 {
		return strings.Contains(s, t), b.Spend(len(s)>>6, 0)
	}
	if err := defined(v); ok1 && err != nil {
		return false, err
	}
	return false, failf("argument of type '%s' is not iterable", py.TypeName(box))
}

// attr is v.name: a method, else an item.
func (c *context) attr(v py.Value, name string) (py.Value, error) {
	if u, ok := v.(undefined); ok {
		return u, nil
	}
	if isMethod(v, name) {
		return method{v, name}, nil
	}
	return c.lookup(v, py.Computed(name))
}

// item is v[key]: an item, else an attribute.
func (c *context) item(v, key py.Value) (py.Value, error) {
	if u, ok := v.(undefined); ok {
		return u, nil
	}
	if err := defined(key); err != nil {
		return nil, err
	}
	r, err := c.lookup(v, key)
	if _, missing := r.(undefined); missing && err == nil {
		if name, ok := py.Text(key); ok && isMethod(v, name) {
			return method{v, name}, nil
		}
	}
	return r, err
}

func (c *context) lookup(v, key py.Value) (py.Value, error) {
	switch x := v.(type) {
	case *py.Dict:
		if e := x.Lookup(key); e != nil {
			return e.Value, nil
		}
	case py.Object:
		if name, ok := py.Text(key); ok {
			f, ok, err := x.Attr(name)
			if ok || err != nil {
				c.noteUnsafe(f, 0)
				return f, err
			}
		}
	case []py.Value:
		if i, ok := indexOf(key, len(x)); ok {
			return x[i], nil
		}
	case py.Tuple:
		return c.lookup([]py.Value(x), key)
	default:
		if s, ok := py.Text(v); ok {
			if err := c.b.Spend(len(s)>>6, budget.Times(len(s), 4)); err != nil {
				return nil, err
			}
			r := []rune(s)
			if i, ok := indexOf(key, len(r)); ok {
				return py.Computed(r[i : i+1]), nil
			}
		}
	}
	return undefined{fmt.Sprintf("%s object has no attribute %s", py.TypeName(v), py.Brief(key))}, nil
}

func indexOf(key py.Value, n int) (int, bool) {
	var i int64
	switch x := key.(type) {
	case int64:
		i = x
	case bool:
		if x {
			i = 1
		}
	default:
		return 0, false
	}
	if i < 0 {
		i += int64(n)
	}
	return int(i), i >= 0 && i < int64(n)
}

func (c *context) slice(e *expr) (py.Value, error) {
	v, err := c.eval(e.kids[0])
	if err != nil {
		return nil, err
	}
	if _, ok := v.(undefined); ok {
		return v, nil
	}
	var bounds [3]*int
	for i, k := range e.kids[1:] {
		if k == nil {
			continue
		}
		b, err := c.eval(k)
		if err == nil {
			err = defined(b)
		}
		if err != nil {
			return nil, err
		}
		if b == nil {
			continue
		}
		n, ok := b.(int64)
		if !ok {
			return nil, failf("slice indices must be integers")
		}
		m := int(max(-1<<40, min(1<<40, n)))
		bounds[i] = &m
	}
	if l, ok := v.([]py.Value); ok {
		if err := c.b.Spend(1+len(l), budget.Times(len(l), 2*budget.Item)); err != nil {
			return nil, err
		}
		return sliced(l, bounds)
	}
	s, ok := py.Text(v)
	if !ok {
		return undefined{py.TypeName(v) + " object cannot be sliced"}, nil
	}
	if err := c.b.Spend(1+len(s)>>4, budget.Times(len(s), 16)); err != nil {
		return nil, err
	}
	r, err := sliced([]rune(s), bounds)
	return py.Computed(r), err
}

func sliced[T any](l []T, s [3]*int) ([]T, error) {
	step := 1
	if s[2] != nil {
		step = *s[2]
	}
	if step == 0 {
		return nil, failf("slice step cannot be zero")
	}
	lo, hi, first, last := 0, len(l), 0, len(l)
	if step < 0 {
		lo, hi, first, last = -1, len(l)-1, len(l)-1, -1
	}
	at := func(p *int, def int) int {
		if p == nil {
			return def
		}
		i := *p
		if i < 0 {
			i += len(l)
		}
		return max(lo, min(hi, i))
	}
	out := []T{}
	for i, to := at(s[0], first), at(s[1], last); step > 0 && i < to || step < 0 && i > to; i += step {
		out = append(out, l[i])
	}
	return out, nil
}

// iterate is what a Python for loop over v sees.
func iterate(v py.Value, b *budget.Budget) ([]py.Value, error) {
	if u, ok := v.(undefined); ok {
		return nil, &UndefinedError{u.what}
	}
	switch x := v.(type) {
	case []py.Value:
		return x, nil
	case py.Tuple:
		return x, nil
	case py.Set:
		return x.Items, nil
	case *py.Dict:
		if err := b.Spend(x.Len(), budget.Times(x.Len(), budget.Item)); err != nil {
			return nil, err
		}
		out := make([]py.Value, 0, x.Len())
		for _, e := range x.Entries() {
			out = append(out, e.Key)
		}
		return out, nil
	case py.Object:
		var out []py.Value
		names := x.Names()
		if err := b.Spend(len(names), budget.Times(len(names), 3*budget.Item)); err != nil {
			return nil, err
		}
		for _, n := range names {
			out = append(out, py.Computed(n))
		}
		return out, nil
	}
	if s, ok := py.Text(v); ok {
		if err := b.Spend(len(s), budget.Times(len(s), 2*budget.Item)); err != nil {
			return nil, err
		}
		out := make([]py.Value, 0, len(s))
		for _, r := range s {
			out = append(out, py.Computed(string(r)))
		}
		return out, nil
	}
	return nil, failf("'%s' object is not iterable", py.TypeName(v))
}

// concat is a ~ b ~ c: all are evaluated before the first is printed.
func (c *context) concat(e *expr) (py.Value, error) {
	var operands []*expr
	for ; e.op == opMath && e.text == "~"; e = e.kids[0] {
		operands = append(operands, e.kids[1])
	}
	operands = append(operands, e)
	slices.Reverse(operands)
	values := make([]py.Value, 0, len(operands))
	for _, o := range operands {
		v, err := c.eval(o)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	for _, v := range values {
		if err := defined(v); err != nil {
			return nil, err
		}
		if err := spelled(v, c.b); err != nil {
			return nil, err
		}
	}
	return joined("", values, c.b)
}

// joined is the text of all values with something between them.
func joined(between string, values []py.Value, b *budget.Budget) (py.Value, error) {
	if err := b.Spend(len(values), budget.Times(len(values), budget.Item)); err != nil {
		return nil, err
	}
	parts, size := make([]string, 0, len(values)), budget.Times(len(values), len(between))
	for _, v := range values {
		parts = append(parts, py.StrIn(b, v))
		size = budget.Plus(size, len(parts[len(parts)-1]))
	}
	if err := b.Spend(size>>6, size); err != nil {
		return nil, err
	}
	return py.Computed(strings.Join(parts, between)), nil
}

func (c *context) math(e *expr) (py.Value, error) {
	if e.op == opMath && e.text == "~" {
		return c.concat(e)
	}
	a, err := c.eval(e.kids[0])
	if err != nil {
		return nil, err
	}
	if e.op == opSign {
		if err := defined(a); err != nil {
			return nil, err
		}
		if !py.IsNumber(a) {
			return nil, failf("bad operand type for unary %s: '%s'", e.text, py.TypeName(a))
		}
		if e.text == "+" {
			return arithmetic("+", int64(0), a, c.b)
		}
		if f, ok := a.(float64); ok {
			return -f, nil
		}
		return arithmetic("-", int64(0), a, c.b)
	}
	b, err := c.eval(e.kids[1])
	if s, ok := py.Text(a); ok && err == nil && e.text == "%" {
		return percent(s, b, c.b)
	}
	if err == nil {
		err = defined(a, b)
	}
	if err != nil {
		return nil, err
	}
	if py.IsNumber(a) && py.IsNumber(b) {
		return arithmetic(e.text, a, b, c.b)
	}
	return sequences(e.text, a, b, c.b)
}

// sequences is arithmetic on strings and lists.
func sequences(op string, a, b py.Value, spent *budget.Budget) (py.Value, error) {
	s, isText := py.Text(a)
	l, isList := a.([]py.Value)
	switch op {
	case "+":
		if t, ok := py.Text(b); ok && isText {
			n := budget.Plus(len(s), len(t))
			if err := spent.Spend(n>>6, n); err != nil {
				return nil, err
			}
			return py.Computed(s + t), nil
		}
		if m, ok := b.([]py.Value); ok && isList {
			n := budget.Plus(len(l), len(m))
			if err := spent.Spend(n>>2, budget.Times(n, budget.Item)); err != nil {
				return nil, err
			}
			return slices.Concat(l, m), nil
		}
	case "*":
		if n, ok := number0(b).(int64); ok && (isText || isList) {
			return repeat(s, l, isText, n, spent)
		}
		if n, ok := number0(a).(int64); ok {
			t, ok1 := py.Text(b)
			m, ok2 := b.([]py.Value)
			if ok1 || ok2 {
				return repeat(t, m, ok1, n, spent)
			}
		}
	}
	return nil, failf("unsupported operand type(s) for %s: '%s' and '%s'", op, py.TypeName(a), py.TypeName(b))
}

func repeat(s string, l []py.Value, isText bool, n int64, b *budget.Budget) (py.Value, error) {
	n = max(0, n)
	size := budget.Times(int(n), budget.Plus(len(s), budget.Times(len(l), budget.Item)))
	if err := b.Spend(size>>6, size); err != nil {
		return nil, err
	}
	if len(s)+len(l) == 0 {
		n = 0 // the loop below would still count
	}
	if isText {
		return py.Computed(strings.Repeat(s, int(n))), nil
	}
	return slices.Repeat(l, int(n)), nil
}

func toInt(v py.Value) (*big.Int, bool) {
	switch x := v.(type) {
	case bool:
		if x {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	case int64:
		return big.NewInt(x), true
	case *big.Int:
		return new(big.Int).Set(x), true
	}
	return nil, false
}

func toFloat(v py.Value) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	n, ok := toInt(v)
	if !ok {
		return math.NaN()
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	return f
}

// arithmetic is Python's on numbers: / always gives a float, // and % round
// towards minus infinity.
func arithmetic(op string, a, b py.Value, spent *budget.Budget) (py.Value, error) {
	x, ok1 := toInt(a)
	y, ok2 := toInt(b)
	if !ok1 || !ok2 {
		return floats(op, toFloat(a), toFloat(b))
	}
	if n := budget.Plus(x.BitLen(), y.BitLen()); n > 128 {
		if err := spent.Spend(1+budget.Times(n>>9, n>>9), n>>2); err != nil {
			return nil, err
		}
	}
	switch op {
	case "+":
		return py.Int(x.Add(x, y)), nil
	case "-":
		return py.Int(x.Sub(x, y)), nil
	case "*":
		return py.Int(x.Mul(x, y)), nil
	case "**":
		if y.Sign() < 0 {
			return floats(op, toFloat(a), toFloat(b))
		}
		n := math.MaxInt
		if y.IsInt64() {
			n = budget.Times(x.BitLen(), int(y.Int64()))
		}
		if x.BitLen() < 2 {
			n = 1
		}
		if err := spent.Spend(budget.Plus(1, budget.Times(n>>9, n>>9)), n>>1); err != nil {
			return nil, err
		}
		return py.Int(x.Exp(x, y, nil)), nil
	}
	if y.Sign() == 0 {
		return nil, failf("division by zero")
	}
	if op == "/" {
		f, _ := new(big.Rat).SetFrac(x, y).Float64()
		if f == 0 && y.Sign() < 0 {
			f = math.Copysign(0, -1)
		}
		return f, nil
	}
	q, m := new(big.Int).DivMod(x, y, new(big.Int)) // Euclidean: m >= 0
	if m.Sign() != 0 && y.Sign() < 0 {
		q.Sub(q, big.NewInt(1))
		m.Add(m, y)
	}
	if op == "//" {
		return py.Int(q), nil
	}
	return py.Int(m), nil
}

func floats(op string, x, y float64) (py.Value, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		if x == 0 && y < 0 {
			return nil, failf("0.0 cannot be raised to a negative power")
		}
		return math.Pow(x, y), nil
	}
	if y == 0 {
		return nil, failf("float division by zero")
	}
	switch op {
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	}
	m := math.Mod(x, y)
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m, nil
}

// percent is the string operator %, for the plain forms.
func percent(format string, arg py.Value, spent *budget.Budget) (py.Value, error) {
	if err := spent.Spend(1+len(format)>>4, budget.Times(len(format), 2)); err != nil {
		return nil, err
	}
	tuple, isTuple := arg.(py.Tuple)
	args := []py.Value(tuple)
	lax := false // lists and mappings may be left unused
	if !isTuple {
		args = []py.Value{arg}
		switch arg.(type) {
		case []py.Value, *py.Dict, undefined:
			lax = true
		}
	}
	var parts []py.Value
	from := 0 // of the text that stands for itself
	used := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		parts = append(parts, py.Computed(format[from:i]))
		j := i + 1
		for j < len(format) && strings.IndexByte("0123456789-+ .#", format[j]) >= 0 {
			j++
		}
		if j == len(format) {
			return nil, failf("incomplete format")
		}
		spec, verb := format[i+1:j], format[j]
		i, from = j, j+1
		if err := spent.Spend(1, 6*budget.Item); err != nil {
			return nil, err
		}
		if verb == '%' {
			parts = append(parts, py.Computed("%"))
			continue
		}
		if used == len(args) {
			return nil, failf("not enough arguments for format string")
		}
		if err := defined(args[used]); err != nil {
			return nil, err
		}
		s, err := formatOne(spec, verb, args[used], spent)
		if err != nil {
			return nil, err
		}
		used++
		parts = append(parts, py.Computed(s))
	}
	if used < len(args) && !lax {
		return nil, failf("not all arguments converted during string formatting")
	}
	return joined("", append(parts, py.Computed(format[min(from, len(format)):])), spent)
}

func formatOne(spec string, verb byte, v py.Value, b *budget.Budget) (string, error) {
	if err := roomFor(spec, b); err != nil {
		return "", err
	}
	switch verb {
	case 's':
		return fmt.Sprintf("%"+spec+"s", py.StrIn(b, v)), nil
	case 'r':
		return fmt.Sprintf("%"+spec+"s", py.ReprIn(b, v)), nil
	case 'd', 'i', 'x', 'X', 'o':
		if verb == 'i' {
			verb = 'd'
		}
		if f, ok := v.(float64); ok && verb == 'd' {
			n, _ := new(big.Float).SetFloat64(math.Trunc(f)).Int(nil)
			return fmt.Sprintf("%"+spec+"d", n), nil
		}
		if n, ok := toInt(v); ok {
			return fmt.Sprintf("%"+spec+string(verb), n), nil
		}
	case 'f', 'F', 'e', 'E', 'g', 'G':
		if py.IsNumber(v) {
			return fmt.Sprintf("%"+spec+string(verb), toFloat(v)), nil
		}
	}
	return "", failf("%%%c format: a number is required, not %s", verb, py.TypeName(v))
}

// widest is the largest width and precision that Go's own formats know.
const widest = 1_000_000

// roomFor takes off what the numbers of a format ask for.
func roomFor(spec string, b *budget.Budget) error {
	for n := range strings.FieldsFuncSeq(spec, func(r rune) bool { return r < '0' || r > '9' }) {
		width, err := strconv.Atoi(n)
		if err != nil {
			width = math.MaxInt
		}
		if err := b.Spend(1+width>>6, budget.Times(width, 2)); err != nil {
			return err
		}
		if width > widest {
			return &Unknowable{"a format that is so wide"}
		}
	}
	if len(spec) > 32 {
		return failf("unsupported format %%%.32s", spec)
	}
	return nil
}
