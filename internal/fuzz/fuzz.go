// Package fuzz is what fuzz targets share: every one begins with Target.
package fuzz

import (
	"flag"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

// minimize is how often Go may try to make one new input smaller.
const minimize = "10x"

// Target bounds, unless -fuzzminimizetime says otherwise, what Go does with each
// input that reaches new code: by default it tries for 60 s to make it smaller,
// byte by byte and part by part. Of an input of 1,000 bytes that is half a
// million executions which count as none, and the target stands still meanwhile.
func Target(f *testing.F) {
	f.Helper()
	if flag.Lookup("test.fuzzminimizetime") == nil || given("test.fuzzminimizetime") {
		return
	}
	if err := flag.Set("test.fuzzminimizetime", minimize); err != nil {
		f.Fatal(err)
	}
}

// given reports whether the flag is on the command line.
func given(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// Harmless fails when a string anywhere in v could move a cursor.
func Harmless(t testing.TB, v any) {
	t.Helper()
	harmless(t, reflect.ValueOf(v))
}

func harmless(t testing.TB, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if strings.ContainsFunc(v.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("not printable: %q", v.String())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			harmless(t, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			harmless(t, v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			harmless(t, it.Key())
			harmless(t, it.Value())
		}
	}
}
