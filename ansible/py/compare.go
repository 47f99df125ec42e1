package py

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"pgtui/source/budget"
)

// Truthy is Python's bool(v).
func Truthy(v Value) bool {
	switch x := v.(type) {
	case nil:
		return false
	case bool:
		return x
	case int64:
		return x != 0
	case *big.Int:
		return x.Sign() != 0
	case float64:
		return x != 0
	case string:
		return x != ""
	case Computed:
		return x != ""
	case Verbatim:
		return x != ""
	case Unsafe:
		return x != ""
	case Vault:
		return x.Text != ""
	case Bytes:
		return x != ""
	case []Value:
		return len(x) > 0
	case Tuple:
		return len(x) > 0
	case *Dict:
		return x.Len() > 0
	case Set:
		return len(x.Items) > 0
	}
	return true
}

// Equal is Python's a == b: 1 == 1.0 == True, and never '1' == 1. Structures
// that share parts without end are compared to a bounded depth and size.
func Equal(a, b Value) bool { return (&comparison{left: 100000}).equal(a, b) }

// EqualIn is Equal within a budget. What the budget refuses is not equal; its
// Err has it.
func EqualIn(b *budget.Budget, x, y Value) bool {
	return (&comparison{left: math.MaxInt, b: b}).equal(x, y)
}

// ContainsIn is Python's v in items, within a budget, as EqualIn.
func ContainsIn(b *budget.Budget, items []Value, v Value) bool {
	for _, it := range items {
		if EqualIn(b, it, v) {
			return true
		}
		if b.Err() != nil {
			return false
		}
	}
	return false
}

// comparison counts what it looks at.
type comparison struct {
	left int
	b    *budget.Budget // nil for none
}

func (c *comparison) equal(a, b Value) bool {
	if c.left--; c.left < 0 || c.b.Spend(1, 0) != nil {
		return false
	}
	if IsNumber(a) && IsNumber(b) {
		n, ok := compareNumbers(a, b)
		return ok && n == 0
	}
	if s, ok := Text(a); ok {
		t, ok := Text(b)
		return ok && s == t && c.b.Spend(len(s)>>8, 0) == nil
	}
	switch x := a.(type) {
	case nil:
		return b == nil
	case []Value:
		y, ok := b.([]Value)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !c.equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case Tuple:
		y, ok := b.(Tuple)
		return ok && c.equal([]Value(x), []Value(y))
	case *Dict:
		y, ok := b.(*Dict)
		return ok && c.dicts(x, y)
	case Set:
		y, ok := b.(Set)
		return ok && len(x.Items) == len(y.Items) && c.subset(x, y)
	case Bytes:
		y, ok := b.(Bytes)
		return ok && x == y
	case Time:
		y, ok := b.(Time)
		return ok && x.DateOnly == y.DateOnly && x.Zone == y.Zone && x.At.Equal(y.At)
	case Object:
		y, ok := b.(Object)
		return ok && x == y
	}
	return false
}

func (c *comparison) dicts(x, y *Dict) bool {
	if x == y {
		return true
	}
	if x.Len() != y.Len() {
		return false
	}
	for _, e := range x.Entries() {
		o := y.Lookup(e.Key)
		if o == nil || !c.equal(e.Value, o.Value) {
			return false
		}
	}
	return true
}

func (c *comparison) subset(x, y Set) bool {
	for _, v := range x.Items {
		if !slices.ContainsFunc(y.Items, func(w Value) bool { return c.equal(w, v) }) {
			return false
		}
	}
	return true
}

// Compare orders two values as Python's < does: numbers with numbers (bool is
// one), strings with strings, lists with lists. Everything else is an error,
// as in Python.
func Compare(a, b Value) (int, error) { return (&comparison{left: 100000}).compare(a, b) }

// CompareIn is Compare within a budget, as EqualIn.
func CompareIn(b *budget.Budget, x, y Value) (int, error) {
	return (&comparison{left: math.MaxInt, b: b}).compare(x, y)
}

func (c *comparison) compare(a, b Value) (int, error) {
	if err := c.b.Spend(1, 0); err != nil {
		return 0, err
	}
	if IsNumber(a) && IsNumber(b) {
		if n, ok := compareNumbers(a, b); ok {
			return n, nil
		}
		return 1, nil // a NaN is neither less nor equal
	}
	s, ok1 := Text(a)
	t, ok2 := Text(b)
	if ok1 && ok2 {
		return strings.Compare(s, t), nil // UTF-8 sorts by code point
	}
	x, ok1 := a.([]Value)
	y, ok2 := b.([]Value)
	if tx, ok := a.(Tuple); ok {
		if ty, ok := b.(Tuple); ok {
			x, y, ok1, ok2 = tx, ty, true, true
		}
	}
	if ok1 && ok2 {
		for i := 0; i < len(x) && i < len(y); i++ {
			if !c.equal(x[i], y[i]) {
				return c.compare(x[i], y[i])
			}
		}
		return len(x) - len(y), nil
	}
	return 0, fmt.Errorf("%s and %s have no order", TypeName(a), TypeName(b))
}

// compareNumbers compares two numbers; ok is false when one is not a number.
func compareNumbers(a, b Value) (int, bool) {
	if x, ok := small(a); ok {
		if y, ok := small(b); ok {
			switch {
			case x < y:
				return -1, true
			case x > y:
				return 1, true
			}
			return 0, true
		}
	}
	x, y := bigFloat(a), bigFloat(b)
	if x == nil || y == nil {
		return 0, false
	}
	return x.Cmp(y), true
}

func small(v Value) (int64, bool) {
	switch x := v.(type) {
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case int64:
		return x, true
	}
	return 0, false
}

func bigFloat(v Value) *big.Float {
	switch x := v.(type) {
	case *big.Int:
		return new(big.Float).SetInt(x)
	case float64:
		if x != x {
			return nil
		}
		return new(big.Float).SetFloat64(x)
	}
	n, _ := small(v)
	return new(big.Float).SetInt64(n)
}

// Bool is Ansible's "bool" filter: true, 1, 1.0 and the words yes, on, true,
// 1 in any case; everything else is false.
func Bool(v Value) bool {
	if s, ok := Text(v); ok {
		switch strings.ToLower(s) {
		case "yes", "on", "true", "1":
			return true
		}
		return false
	}
	return IsNumber(v) && Equal(v, int64(1))
}
