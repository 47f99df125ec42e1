package jinja

import (
	"math"
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source/budget"
)

// arguments evaluates the arguments of a call.
func (c *context) arguments(e *expr) ([]py.Value, map[string]py.Value, error) {
	args := make([]py.Value, 0, len(e.args))
	for _, a := range e.args {
		v, err := c.eval(a)
		if err != nil {
			return nil, nil, err
		}
		args = append(args, v)
	}
	var named map[string]py.Value
	for _, k := range e.named {
		v, err := c.eval(k.value)
		if err != nil {
			return nil, nil, err
		}
		if named == nil {
			named = map[string]py.Value{}
		}
		named[k.name] = v
	}
	return args, named, nil
}

func (c *context) test(e *expr) (py.Value, error) {
	v, err := c.eval(e.kids[0])
	if err != nil {
		return nil, err
	}
	args, named, err := c.arguments(e)
	if err != nil {
		return nil, err
	}
	if len(named) > 0 {
		return nil, &Unknowable{"the test " + e.text + " with options"}
	}
	return c.runTest(e.text, v, args)
}

// runTest is "v is name(args)".
func (c *context) runTest(name string, v py.Value, args []py.Value) (bool, error) {
	_, missing := v.(undefined)
	switch name {
	case "defined":
		return !missing, nil
	case "undefined":
		return missing, nil
	case "none":
		return v == nil, nil
	case "callable":
		_, ok := v.(method)
		return ok || missing, nil // Ansible's undefined can be called, and fails then
	case "sameas":
		if missing {
			return false, nil
		}
	case "boolean":
		_, ok := v.(bool)
		return ok, nil
	case "true", "false":
		b, ok := v.(bool)
		return ok && b == (name == "true"), nil
	case "number":
		return py.IsNumber(v), nil
	case "integer":
		_, isBool := v.(bool)
		_, ok := toInt(v)
		return ok && !isBool, nil
	case "float":
		_, ok := v.(float64)
		return ok, nil
	case "string":
		_, ok := py.Text(v)
		_, vault := v.(py.Vault)
		return ok && !vault, nil
	case "mapping":
		switch v.(type) {
		case *py.Dict, py.Object:
			return true, nil
		}
		return false, nil
	case "sequence", "iterable":
		if missing && name == "iterable" {
			return false, defined(v)
		}
		_, err := iterate(v, c.b)
		return err == nil, nil
	}
	if err := defined(v); err != nil {
		return false, err
	}
	return c.valueTest(name, v, args)
}

// valueTest are the tests that look at a defined value.
func (c *context) valueTest(name string, v py.Value, args []py.Value) (bool, error) {
	if err := defined(args...); err != nil {
		return false, err
	}
	need := func() error {
		if len(args) == 0 {
			return failf("the test %s needs an argument", name)
		}
		return nil
	}
	switch name {
	case "truthy":
		return py.Truthy(v), nil
	case "falsy":
		return !py.Truthy(v), nil
	case "even", "odd", "divisibleby":
		by := py.Value(int64(2))
		if name == "divisibleby" {
			if err := need(); err != nil {
				return false, err
			}
			by = args[0]
		}
		if !py.IsNumber(v) || !py.IsNumber(by) {
			return false, failf("the test %s needs a number", name)
		}
		m, err := arithmetic("%", v, by, c.b)
		if err != nil {
			return false, err
		}
		if name == "odd" {
			return py.Equal(m, int64(1)), nil
		}
		return py.Equal(m, int64(0)), nil
	case "lower", "upper":
		s := py.StrIn(c.b, v)
		if err := c.b.Spend(1+len(s)>>4, budget.Times(len(s), 6)); err != nil {
			return false, err
		}
		up, low := strings.ToUpper(s), strings.ToLower(s)
		return up != low && (name == "upper" && s == up || name == "lower" && s == low), nil
	}
	op, known := map[string]string{
		"eq": "==", "equalto": "==", "sameas": "==", "ne": "!=", "lt": "<", "lessthan": "<", "le": "<=",
		"gt": ">", "greaterthan": ">", "ge": ">=", "in": "in",
	}[name]
	if known {
		if err := need(); err != nil {
			return false, err
		}
		return compareOp(op, v, args[0], c.b)
	}
	switch name {
	case "contains":
		if err := need(); err != nil {
			return false, err
		}
		return contains(v, args[0], c.b)
	case "match", "search", "regex":
		if err := need(); err != nil {
			return false, err
		}
		re, err := c.engine.pattern(py.StrIn(c.b, args[0]), name == "match")
		if err != nil {
			return false, err
		}
		m, err := re.find(py.StrIn(c.b, v), 1, c.b)
		return m != nil, err
	}
	switch name {
	case "version", "version_compare":
		return versionTest(v, args, c.b)
	case "any", "all", "subset", "issubset", "superset", "issuperset":
		return listTest(name, v, args, c.b)
	case "nan", "isnan":
		f, ok := v.(float64)
		return ok && math.IsNaN(f), nil
	}
	if slices.Contains(strings.Fields(elsewhere), name) || strings.Contains(name, ".") {
		return false, &Unknowable{"the test " + name}
	}
	return false, &SyntaxError{"no test named " + name}
}

// Unknowable is something Ansible could tell and pgtui cannot: it depends on
// the admin node, or on a plugin.
type Unknowable struct{ What string }

func (e *Unknowable) Error() string { return e.What + " cannot be predicted" }
