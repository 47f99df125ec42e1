package jinja

import (
	"math/big"
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source/budget"
)

// elsewhere are the tests that Ansible has and only Ansible can answer: they
// look at the admin node's files, or at the result of a task.
const elsewhere = `failed failure succeeded success successful reachable unreachable changed change skipped skip finished started
	vault_encrypted directory is_dir file is_file link is_link exists link_exists abs is_abs same_file is_same_file mount is_mount
	uri url urn filter test escaped`

// versionTest is Ansible's version test, by distutils' LooseVersion.
func versionTest(v py.Value, args []py.Value, b *budget.Budget) (bool, error) {
	if len(args) == 0 {
		return false, failf("the test version needs an argument")
	}
	if len(args) > 2 {
		return false, &Unknowable{"another kind of version"}
	}
	if !py.Truthy(v) || !py.Truthy(args[0]) {
		return false, failf("a version to compare cannot be empty")
	}
	op := "eq"
	if len(args) == 2 {
		op = py.Str(args[1])
	}
	was, want := py.StrIn(b, v), py.StrIn(b, args[0])
	for _, s := range []string{was, want} {
		if len(s) > mostDigits {
			return false, failf("a version of more than 4,300 characters")
		}
		if err := b.Spend(1+len(s), budget.Times(len(s), 4*budget.Item)); err != nil {
			return false, err
		}
	}
	n, err := looser(versionParts(was), versionParts(want))
	switch op {
	case "==", "=", "eq":
		return n == 0, err
	case "!=", "<>", "ne":
		return n != 0, err
	case "<", "lt":
		return n < 0, err
	case "<=", "le":
		return n <= 0, err
	case ">", "gt":
		return n > 0, err
	case ">=", "ge":
		return n >= 0, err
	}
	return false, failf("no such comparison of versions: %s", op)
}

// versionParts cuts a version into runs of digits, of small letters, and of
// the rest; dots only part them.
func versionParts(s string) []py.Value {
	kind := func(r rune) int {
		switch {
		case r >= '0' && r <= '9':
			return 1
		case r >= 'a' && r <= 'z':
			return 2
		case r == '.':
			return 3
		}
		return 4
	}
	var out []py.Value
	run := []rune{}
	end := func() {
		if len(run) == 0 || kind(run[0]) == 3 {
			run = nil
			return
		}
		var part py.Value = py.Computed(string(run))
		if kind(run[0]) == 1 {
			n, _ := new(big.Int).SetString(string(run), 10)
			part = py.Int(n)
		}
		out, run = append(out, part), nil
	}
	for _, r := range s {
		if len(run) > 0 && kind(run[0]) != kind(r) {
			end()
		}
		run = append(run, r)
	}
	end()
	return out
}

// looser compares as Python compares lists: a number and a word have no order.
func looser(a, b []py.Value) (int, error) {
	for i := range min(len(a), len(b)) {
		if py.Equal(a[i], b[i]) {
			continue
		}
		n, err := py.Compare(a[i], b[i])
		if err != nil {
			return 0, failf("version comparison failed: %v", err)
		}
		return n, nil
	}
	return len(a) - len(b), nil
}

// listTest are the tests over a whole list.
func listTest(name string, v py.Value, args []py.Value, b *budget.Budget) (bool, error) {
	l, err := iterate(v, b)
	if err != nil {
		return false, failf("'%s' object is not iterable", py.TypeName(v))
	}
	switch name {
	case "any":
		return slices.ContainsFunc(l, py.Truthy), nil
	case "all":
		return !slices.ContainsFunc(l, func(x py.Value) bool { return !py.Truthy(x) }), nil
	}
	if len(args) == 0 {
		return false, failf("the test %s needs an argument", name)
	}
	m, err := iterate(args[0], b)
	if err != nil {
		return false, failf("'%s' object is not iterable", py.TypeName(args[0]))
	}
	if err := b.Spend(len(l)+len(m), budget.Times(len(l)+len(m), budget.Item)); err != nil {
		return false, err
	}
	for _, x := range slices.Concat(l, m) {
		if _, ok := py.KeyOf(x); !ok {
			return false, failf("unhashable type: '%s'", py.TypeName(x))
		}
	}
	if strings.HasSuffix(name, "superset") {
		l, m = m, l
	}
	return !slices.ContainsFunc(l, func(x py.Value) bool { return !py.ContainsIn(b, m, x) }), nil
}
