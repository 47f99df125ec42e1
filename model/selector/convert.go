package selector

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"pgtui/model/py"
)

// Number reads a JSON number: without point or exponent it is an integer.
func Number(s string) (py.Value, error) {
	if !strings.ContainsAny(s, ".eE") {
		n, ok := new(big.Int).SetString(s, 10)
		if !ok {
			return nil, fmt.Errorf("%q is not a number", s)
		}
		return py.Int(n), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, fmt.Errorf("%q is not a number: %w", s, err)
	}
	return f, nil
}

func toNumber(_ *evaluator, a []py.Value) (py.Value, error) {
	if _, ok := a[0].(py.Object); ok {
		return nil, fmt.Errorf("a member is no number")
	}
	s, ok := py.Text(a[0])
	if !ok {
		if isNumber(a[0]) {
			return a[0], nil
		}
		return nil, nil
	}
	t := strings.TrimSpace(s)
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

func toString(_ *evaluator, a []py.Value) (py.Value, error) {
	if isString(a[0]) {
		return a[0], nil
	}
	var b strings.Builder
	if err := writeJSON(&b, a[0], 0); err != nil {
		return nil, err
	}
	return py.Computed(b.String()), nil
}

// writeJSON is json.dumps(v, separators=(",", ":"), default=str).
func writeJSON(b *strings.Builder, v py.Value, depth int) error {
	if depth > 100 || b.Len() > 1<<20 {
		return fmt.Errorf("too large a value for to_string")
	}
	switch x := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(x))
	case float64:
		b.WriteString(jsonFloat(x))
	case []py.Value:
		b.WriteByte('[')
		for i, it := range x {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, it, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case *py.Dict:
		b.WriteByte('{')
		for i, e := range x.Entries() {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(asciiJSON(jsonKey(e.Key)) + ":")
			if err := writeJSON(b, e.Value, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case py.Object:
		return fmt.Errorf("a whole member cannot be written as a string")
	default:
		if isNumber(v) {
			b.WriteString(py.Str(v))
			return nil
		}
		b.WriteString(asciiJSON(py.Str(v)))
	}
	return nil
}

func jsonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return py.Float(f)
}

func jsonKey(k py.Value) string {
	switch x := k.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(x)
	}
	return py.Str(k)
}

// asciiJSON is a JSON string with everything beyond ASCII escaped.
func asciiJSON(s string) string {
	var buf strings.Builder
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""`
	}
	var b strings.Builder
	for _, r := range strings.TrimSuffix(buf.String(), "\n") {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
