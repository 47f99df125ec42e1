package record

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgtui/model"
)

// TestEveryFieldIsKnown: each field that a snapshot reaches is recorded or withheld, by
// fields.txt, and is of a kind that can be written. A map of the snapshot has a row in parts.
func TestEveryFieldIsKnown(t *testing.T) {
	withheld := map[string]bool{}
	for line := range strings.Lines(fieldList) {
		if rest, ok := strings.CutPrefix(line, "- "); ok {
			names, why, _ := strings.Cut(strings.TrimSpace(rest), ": ")
			words := strings.Fields(names)
			if why == "" {
				t.Errorf("%s: no reason", line)
			}
			for _, f := range words[1:] {
				withheld[words[0]+"."+f] = true
			}
		}
	}
	listed := map[string]bool{}
	for typ, fields := range allowed() {
		for f := range fields {
			listed[typ+"."+f] = true
		}
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Slice, reflect.Pointer:
			walk(typ.Elem())
			return
		case reflect.Map:
			walk(typ.Elem())
			if k := typ.Key().Kind(); k != reflect.String && k != reflect.Struct {
				t.Errorf("%s: a key of kind %s cannot be written", typ, k)
			}
			return
		case reflect.Struct:
		case reflect.Float32, reflect.Float64, reflect.Array, reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128, reflect.Uintptr:
			t.Errorf("a value of kind %s cannot be written", typ.Kind())
			return
		default:
			return
		}
		if seen[typ] || typ == timeType {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			key := typeName(typ) + "." + f.Name
			if listed[key] == withheld[key] {
				t.Errorf("record/fields.txt: is %s recorded (%v) or withheld (%v)?", key, listed[key], withheld[key])
			}
			if !f.IsExported() && listed[key] {
				t.Errorf("%s cannot be written: it is not exported", key)
			}
			if f.Type == secretType && !withheld[key] {
				t.Errorf("%s is a secret", key)
			}
			if !withheld[key] {
				walk(f.Type)
			}
		}
	}
	var kinds []string
	for _, p := range parts() {
		kinds = append(kinds, p.field)
	}
	snap := reflect.TypeFor[model.Snapshot]()
	for i := range snap.NumField() {
		if f := snap.Field(i); f.Type.Kind() == reflect.Map && !slices.Contains(kinds, f.Name) {
			t.Errorf("parts has no row for Snapshot.%s", f.Name)
		}
	}
	for i := range reflect.TypeFor[model.Readings]().NumField() {
		if f := reflect.TypeFor[model.Readings]().Field(i); !slices.Contains(kinds, f.Name) {
			t.Errorf("parts has no row for Readings.%s", f.Name)
		}
	}
	walk(reflect.TypeFor[*model.Inventory]())
	for _, p := range parts() {
		f, _ := snap.FieldByName(p.field)
		walk(f.Type)
	}
	for typ := range allowed() {
		if !slices.ContainsFunc(keysOf(seen), func(s reflect.Type) bool { return typeName(s) == typ }) {
			t.Errorf("record/fields.txt lists %s, which no snapshot reaches", typ)
		}
	}
}

func keysOf[K comparable, V any](m map[K]V) (out []K) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// Withheld reports whether a field is never recorded; for tests.
func Withheld(t reflect.Type, field string) bool {
	may, known := allowed()[typeName(t)]
	return known && !may[field]
}
