package record

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// A value is written as JSON that has only what differs from the value before: of a
// struct and a map the fields that differ, of a list the elements that differ, as an object
// by their place, unless its length changed. null is the zero value, and in a map an entry that is gone.
// A value without a value before is compared with the zero value of its type.

var (
	timeType   = reflect.TypeFor[time.Time]()
	errorType  = reflect.TypeFor[error]()
	secretType = reflect.TypeFor[model.Secret]()
)

// errForm is a value that was not written by this package.
var errForm = errors.New("a value of the recording has another form")

// fault is an error as it is recorded.
type fault struct {
	Text string `json:"text"`
	Try  string `json:"try,omitempty"`
	Kind string `json:"kind,omitempty"`
}

// The kinds of errors that verdicts distinguish.
const (
	kindConsole = "console-refused" // model.ConsoleRefused
	kindReached = "reached"         // the node itself gave it
)

func faultOf(err error) fault {
	f := fault{Text: harmless(err.Error()), Try: harmless(source.TryOf(err))}
	var r interface{ Reached() bool }
	if _, ok := errors.AsType[*model.ConsoleRefused](err); ok {
		f.Kind = kindConsole
	} else if errors.As(err, &r) && r.Reached() {
		f.Kind = kindReached
	}
	return f
}

// recorded is an error that was read from a recording.
type recorded struct {
	text    string
	reached bool
}

func (e *recorded) Error() string { return e.text }

// Reached reports whether the failure was the node's own, see candidate.Of.
func (e *recorded) Reached() bool { return e.reached }

func (f fault) err() error {
	var err error = &recorded{f.Text, f.Kind == kindReached}
	if f.Kind == kindConsole {
		err = &model.ConsoleRefused{Text: f.Text}
	}
	if f.Try != "" {
		err = &source.Hint{Err: err, Try: f.Try}
	}
	return err
}

// differ appends the JSON of what is has and was has not, and reports whether there
// is anything. Both are of one type.
func differ(b []byte, was, is reflect.Value) ([]byte, bool) {
	switch t := is.Type(); {
	case t == secretType:
		return b, false
	case t == timeType:
		return differTime(b, was.Interface().(time.Time), is.Interface().(time.Time))
	case t == errorType:
		return differError(b, was, is)
	}
	switch is.Kind() {
	case reflect.Struct:
		return differStruct(b, was, is)
	case reflect.Slice:
		return differSlice(b, was, is)
	case reflect.Map:
		return differMap(b, was, is)
	case reflect.Pointer:
		switch {
		case is.IsNil():
			return append(b, "null"...), !was.IsNil()
		case was.IsNil():
			out, any := differ(b, reflect.Zero(is.Type().Elem()), is.Elem())
			if !any {
				out = append(b, "{}"...)
			}
			return out, true
		case was.Pointer() == is.Pointer():
			return b, false
		}
		return differ(b, was.Elem(), is.Elem())
	case reflect.Bool:
		return strconv.AppendBool(b, is.Bool()), was.Bool() != is.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, is.Int(), 10), was.Int() != is.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, is.Uint(), 10), was.Uint() != is.Uint()
	case reflect.String:
		if was.String() == is.String() {
			return b, false
		}
		return quoted(b, is.String()), true
	}
	return b, false // TestEveryFieldIsKnown allows no other kind
}

func quoted(b []byte, s string) []byte {
	text, err := json.Marshal(harmless(s))
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, text...)
}

func differTime(b []byte, was, is time.Time) ([]byte, bool) {
	switch {
	case was.Equal(is):
		return b, false
	case is.IsZero():
		return append(b, "null"...), true
	}
	b = append(b, '"')
	return append(is.AppendFormat(b, time.RFC3339Nano), '"'), true
}

func differError(b []byte, was, is reflect.Value) ([]byte, bool) {
	old, _ := was.Interface().(error)
	now, _ := is.Interface().(error)
	if now == nil {
		return append(b, "null"...), old != nil
	}
	if old == now {
		return b, false
	}
	f := faultOf(now)
	if old != nil && faultOf(old) == f {
		return b, false
	}
	text, err := json.Marshal(f)
	if err != nil {
		return b, false
	}
	return append(b, text...), true
}

func differStruct(b []byte, was, is reflect.Value) ([]byte, bool) {
	any := false
	start := len(b)
	b = append(b, '{')
	for _, i := range fieldsOf(is.Type()) {
		mark := len(b)
		if any {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), is.Type().Field(i).Name...), `":`...)
		out, differs := differ(b, kept(was, i), kept(is, i))
		if !differs {
			b = b[:mark]
			continue
		}
		b, any = out, true
	}
	if !any {
		return b[:start], false
	}
	return append(b, '}'), true
}

// kept is a field as it is recorded: of the settings of a section of HAProxy only
// default-server, which verdicts need.
func kept(v reflect.Value, i int) reflect.Value {
	s, ok := v.Interface().(haproxy.Section)
	if !ok || v.Type().Field(i).Name != "Settings" {
		return v.Field(i)
	}
	var out []string
	for _, line := range s.Settings {
		if strings.HasPrefix(line, "default-server ") {
			out = append(out, line)
		}
	}
	return reflect.ValueOf(out)
}

func differSlice(b []byte, was, is reflect.Value) ([]byte, bool) {
	switch {
	case is.IsNil():
		return append(b, "null"...), !was.IsNil()
	case was.IsNil() || was.Len() != is.Len():
		zero := reflect.Zero(is.Type().Elem())
		b = append(b, '[')
		for i := range is.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			mark := len(b)
			out, any := differ(b, zero, is.Index(i))
			if !any {
				out = append(b[:mark], "null"...)
			}
			b = out
		}
		return append(b, ']'), true
	case was.Len() == 0 || was.Pointer() == is.Pointer():
		return b, false
	}
	any := false
	start := len(b)
	b = append(b, '{')
	for i := range is.Len() {
		mark := len(b)
		if any {
			b = append(b, ',')
		}
		b = append(strconv.AppendInt(append(b, '"'), int64(i), 10), `":`...)
		out, differs := differ(b, was.Index(i), is.Index(i))
		if !differs {
			b = b[:mark]
			continue
		}
		b, any = out, true
	}
	if !any {
		return b[:start], false
	}
	return append(b, '}'), true
}

func differMap(b []byte, was, is reflect.Value) ([]byte, bool) {
	if is.IsNil() {
		return append(b, "null"...), !was.IsNil()
	}
	any := was.IsNil()
	if !any && was.Pointer() == is.Pointer() {
		return b, false
	}
	start := len(b)
	b = append(b, '{')
	first := true
	entry := func(k reflect.Value) {
		if !first {
			b = append(b, ',')
		}
		b = append(quoted(b, keyOf(k)), ':')
	}
	zero := reflect.Zero(is.Type().Elem())
	for _, k := range sortedKeys(is) {
		mark := len(b)
		entry(k)
		old := zero
		there := !was.IsNil() && was.MapIndex(k).IsValid()
		if there {
			old = was.MapIndex(k)
		}
		out, differs := differ(b, old, is.MapIndex(k))
		switch {
		case differs:
			b = out
		case !there:
			b = append(b, "{}"...) // the zero value
		default:
			b = b[:mark]
			continue
		}
		any, first = true, false
	}
	for _, k := range sortedKeys(was) {
		if !is.MapIndex(k).IsValid() {
			entry(k)
			b = append(b, "null"...)
			any, first = true, false
		}
	}
	if !any {
		return b[:start], false
	}
	return append(b, '}'), true
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(keyOf(a), keyOf(b)) })
	return keys
}

// keyOf is the key of a map as text: its fields with blanks between where it is a struct.
func keyOf(k reflect.Value) string {
	if k.Kind() != reflect.Struct {
		return k.String()
	}
	parts := make([]string, k.NumField())
	for i := range parts {
		parts[i] = url.PathEscape(k.Field(i).String())
	}
	return strings.Join(parts, " ")
}

// keyFrom is the key of a map from its text.
func keyFrom(s string, t reflect.Type) (reflect.Value, error) {
	k := reflect.New(t).Elem()
	if t.Kind() != reflect.Struct {
		k.SetString(s)
		return k, nil
	}
	parts := strings.Split(s, " ")
	if len(parts) != t.NumField() {
		return k, errForm
	}
	for i, p := range parts {
		plain, err := url.PathUnescape(p)
		if err != nil {
			return k, err
		}
		k.Field(i).SetString(plain)
	}
	return k, nil
}

// merge makes to what differ was written from. What to refers to is left as it is:
// lists and maps are copied before they are changed.
func merge(to reflect.Value, d any) error {
	t := to.Type()
	if t == secretType {
		return nil
	}
	if d == nil {
		to.SetZero()
		return nil
	}
	switch t {
	case timeType:
		s, ok := d.(string)
		at, err := time.Parse(time.RFC3339Nano, s)
		if !ok || err != nil {
			return errForm
		}
		to.Set(reflect.ValueOf(at))
		return nil
	case errorType:
		return mergeError(to, d)
	}
	switch to.Kind() {
	case reflect.Struct:
		return mergeStruct(to, d)
	case reflect.Slice:
		return mergeSlice(to, d)
	case reflect.Map:
		return mergeMap(to, d)
	case reflect.Pointer:
		fresh := reflect.New(t.Elem())
		if !to.IsNil() {
			fresh.Elem().Set(to.Elem())
		}
		if err := merge(fresh.Elem(), d); err != nil {
			return err
		}
		to.Set(fresh)
		return nil
	}
	return mergeScalar(to, d)
}

func mergeScalar(to reflect.Value, d any) error {
	switch to.Kind() {
	case reflect.Bool:
		b, ok := d.(bool)
		if !ok {
			return errForm
		}
		to.SetBool(b)
	case reflect.String:
		s, ok := d.(string)
		if !ok {
			return errForm
		}
		to.SetString(harmless(s))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := d.(json.Number)
		v, err := strconv.ParseInt(string(n), 10, 64)
		if !ok || err != nil || to.OverflowInt(v) {
			return errForm
		}
		to.SetInt(v)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, ok := d.(json.Number)
		v, err := strconv.ParseUint(string(n), 10, 64)
		if !ok || err != nil || to.OverflowUint(v) {
			return errForm
		}
		to.SetUint(v)
	default:
		return errForm
	}
	return nil
}

func mergeError(to reflect.Value, d any) error {
	m, ok := d.(map[string]any)
	if !ok {
		return errForm
	}
	word := func(k string) string { s, _ := m[k].(string); return harmless(s) }
	to.Set(reflect.ValueOf(fault{Text: word("text"), Try: word("try"), Kind: word("kind")}.err()))
	return nil
}

func mergeStruct(to reflect.Value, d any) error {
	m, ok := d.(map[string]any)
	if !ok {
		return errForm
	}
	for _, i := range fieldsOf(to.Type()) {
		v, there := m[to.Type().Field(i).Name]
		if !there {
			continue
		}
		if err := merge(to.Field(i), v); err != nil {
			return err
		}
	}
	return nil
}

func mergeSlice(to reflect.Value, d any) error {
	t := to.Type()
	switch d := d.(type) {
	case []any:
		fresh := reflect.MakeSlice(t, len(d), len(d))
		for i, v := range d {
			if v == nil {
				continue
			}
			if err := merge(fresh.Index(i), v); err != nil {
				return err
			}
		}
		to.Set(fresh)
		return nil
	case map[string]any:
		fresh := reflect.MakeSlice(t, to.Len(), to.Len())
		reflect.Copy(fresh, to)
		for k, v := range d {
			i, err := strconv.Atoi(k)
			if err != nil || i < 0 || i >= fresh.Len() {
				return errForm
			}
			if err := merge(fresh.Index(i), v); err != nil {
				return err
			}
		}
		to.Set(fresh)
		return nil
	}
	return errForm
}

func mergeMap(to reflect.Value, d any) error {
	m, ok := d.(map[string]any)
	if !ok {
		return errForm
	}
	t := to.Type()
	fresh := reflect.MakeMapWithSize(t, min(to.Len()+len(m), math.MaxInt16))
	for it := to.MapRange(); !to.IsNil() && it.Next(); {
		fresh.SetMapIndex(it.Key(), it.Value())
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		k, err := keyFrom(name, t.Key())
		if err != nil {
			return err
		}
		if m[name] == nil {
			fresh.SetMapIndex(k, reflect.Value{})
			continue
		}
		v := reflect.New(t.Elem()).Elem()
		if old := fresh.MapIndex(k); old.IsValid() {
			v.Set(old)
		}
		if obj, isObj := m[name].(map[string]any); !isObj || len(obj) > 0 || v.Kind() == reflect.Map {
			if err := merge(v, m[name]); err != nil {
				return err
			}
		}
		fresh.SetMapIndex(k, v)
	}
	to.Set(fresh)
	return nil
}
