package jmespath

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"pgtui/ansible/py"
)

// mostDigits is how many digits Python reads as a number.
const mostDigits = 4300

func toNumber(ev *evaluator, a []py.Value) (py.Value, error) {
	if _, ok := a[0].(py.Object); ok {
		return nil, fmt.Errorf("a member is not a number")
	}
	s, ok := py.Text(a[0])
	if !ok {
		if isNumber(a[0]) {
			return a[0], nil
		}
		return nil, nil
	}
	t := strings.TrimSpace(s)
	if len(t) > mostDigits {
		return nil, nil
	}
	if err := ev.b.Digits(len(t)); err != nil {
		return nil, err
	}
	if n, ok := new(big.Int).SetString(pyDigits(t), 10); ok {
		return py.Int(n), nil
	}
	if strings.ContainsAny(t, "xXpP") {
		return nil, nil
	}
	f, err := strconv.ParseFloat(pyDigits(t), 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, nil
	}
	return f, nil
}

// pyDigits drops the underscores Python allows between digits.
func pyDigits(s string) string {
	for i := 1; i+1 < len(s); i++ {
		if s[i] == '_' && (!digit(s[i-1]) || !digit(s[i+1])) {
			return "?"
		}
	}
	if strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") {
		return "?"
	}
	return strings.ReplaceAll(s, "_", "")
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func typeOf(_ *evaluator, a []py.Value) (py.Value, error) {
	k := kindOf(a[0])
	if k == "unknown" || k == "expression" {
		return nil, nil
	}
	return py.Computed(k), nil
}

func toString(ev *evaluator, a []py.Value) (py.Value, error) {
	if isString(a[0]) {
		return a[0], nil
	}
	text, err := py.JSONIn(ev.b, a[0], ",", ":")
	if err != nil {
		return nil, err
	}
	return py.Computed(text), nil
}
