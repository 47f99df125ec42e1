package py

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"pgtui/source/budget"
)

// JSON writes v as Python's json.dumps does, with what it puts after an item
// and after a key. It fails on what json.dumps refuses without a default, or
// what is not meant as text: a date, a whole member.
func JSON(v Value, item, key string) (string, error) { return JSONIn(nil, v, item, key) }

// JSONIn is JSON within a budget.
func JSONIn(b *budget.Budget, v Value, item, key string) (string, error) {
	w := jsonWriter{item: item, key: key, spent: b}
	err := w.write(v, 0)
	return w.b.String(), err
}

type jsonWriter struct {
	b         strings.Builder
	item, key string
	spent     *budget.Budget
}

func (w *jsonWriter) write(v Value, depth int) error {
	size := 8
	if s, ok := Text(v); ok {
		size += budget.Times(len(s), 8)
	}
	if err := w.spent.Spend(1+size>>6, size); err != nil {
		return err
	}
	if depth > 100 || w.spent == nil && w.b.Len() > 1<<20 {
		return fmt.Errorf("too large a value to write as JSON")
	}
	switch x := v.(type) {
	case nil:
		w.b.WriteString("null")
	case bool:
		w.b.WriteString(strconv.FormatBool(x))
	case float64:
		w.b.WriteString(jsonFloat(x))
	case []Value:
		return w.list(x, depth)
	case Tuple:
		return w.list(x, depth)
	case *Dict:
		w.b.WriteByte('{')
		for i, e := range x.Entries() {
			if i > 0 {
				w.b.WriteString(w.item)
			}
			name, _ := Text(e.Key)
			if err := w.spent.Spend(1+len(name)>>6, budget.Times(len(name), 8)); err != nil {
				return err
			}
			w.b.WriteString(asciiJSON(jsonKey(e.Key)) + w.key)
			if err := w.write(e.Value, depth+1); err != nil {
				return err
			}
		}
		w.b.WriteByte('}')
	case Object:
		return fmt.Errorf("a whole member cannot be written as a string")
	default:
		if IsNumber(v) {
			w.b.WriteString(Str(v))
			return nil
		}
		w.b.WriteString(asciiJSON(Str(v)))
	}
	return nil
}

func (w *jsonWriter) list(l []Value, depth int) error {
	w.b.WriteByte('[')
	for i, it := range l {
		if i > 0 {
			w.b.WriteString(w.item)
		}
		if err := w.write(it, depth+1); err != nil {
			return err
		}
	}
	w.b.WriteByte(']')
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
	return Float(f)
}

func jsonKey(k Value) string {
	switch x := k.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(x)
	}
	return Str(k)
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
			hexed(&b, 'u', 0xd800+(r>>10), 4)
			hexed(&b, 'u', 0xdc00+(r&0x3ff), 4)
		default:
			hexed(&b, 'u', r, 4)
		}
	}
	return b.String()
}
