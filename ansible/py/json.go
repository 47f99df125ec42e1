package py

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"pgtui/source"
	"pgtui/source/budget"
)

// JSONIn writes v as Python's json.dumps does, with what it puts after an item
// and after a key. It fails on what json.dumps refuses without a default, or
// what is not meant as text: a date, a whole member, or when the budget b is spent.
func JSONIn(b *budget.Budget, v Value, item, key string) (string, error) {
	w := jsonWriter{item: item, key: key, spent: b}
	err := w.write(v, 0)
	return w.b.String(), err
}

// LoadJSON reads a text as Python's json.loads does: 1 is an integer, 1.0 a float.
// Lists and objects nest 100 deep at most.
func LoadJSON(b *budget.Budget, text string) (Value, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := loadJSON(b, d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return v, nil
}

func loadJSON(b *budget.Budget, d *json.Decoder, depth int) (Value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch x := t.(type) {
	case json.Delim:
		switch {
		case depth > 100:
			return nil, errors.New("nested too deep")
		case x == '[':
			return loadList(b, d, depth)
		case x == '{':
			return loadDict(b, d, depth)
		}
		return nil, errors.New("misplaced bracket")
	case json.Number:
		if len(x) > mostDigits {
			return nil, fmt.Errorf("a number of more than %d digits", mostDigits)
		}
		if err := b.Digits(len(x)); err != nil {
			return nil, err
		}
		return JSONNumber(string(x)), nil
	case string:
		return Computed(x), nil
	}
	return t, nil // null, true, false
}

func loadList(b *budget.Budget, d *json.Decoder, depth int) (Value, error) {
	items := []Value{}
	for d.More() {
		v, err := loadJSON(b, d, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	_, err := d.Token()
	return items, err
}

func loadDict(b *budget.Budget, d *json.Decoder, depth int) (Value, error) {
	out := &Dict{}
	for d.More() {
		k, err := loadJSON(b, d, depth+1)
		if err != nil {
			return nil, err
		}
		v, err := loadJSON(b, d, depth+1)
		if err != nil {
			return nil, err
		}
		out.Set(k, v, source.Pos{})
	}
	_, err := d.Token()
	return out, err
}

// mostDigits is how many digits Python reads as a number.
const mostDigits = 4300

// JSONNumber is a JSON number: an integer without point and exponent, else a float,
// infinite where it is too large, as in Python.
func JSONNumber(s string) Value {
	if n, ok := new(big.Int).SetString(s, 10); ok {
		return Int(n)
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
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
