package jmespath_test

import (
	"testing"

	"pgtui/ansible/jmespath"
	"pgtui/ansible/py"
	"pgtui/internal/fuzz"
)

// FuzzSearch holds that no selector makes the parser or the evaluator panic
// or hang, and that it gives the same answer twice.
func FuzzSearch(f *testing.F) {
	fuzz.Target(f)
	for _, s := range []string{"[]", "[? pg_role == `primary` || pg_seq > `1`]", "sort_by(@, &pg_seq)[::-1]", "[].{a: pg_seq, b: @} | [0]", "[[],[?az]][]",
		"[1", "[*", "[?", "`", "'a\\'", "\"a\\u00\"", "@(x)", "!&a", "[::0]", "{a: b c: d}", "*.*.*", "to_string(@)", "[0][0:1].x", "a[", "((((("} {
		f.Add(s)
	}
	d := &py.Dict{}
	pool := []py.Value{}
	for i := range 3 {
		m := py.NewDict(3)
		m.Set("pg_seq", int64(i+1), d.At)
		m.Set("pg_role", []string{"primary", "replica", "offline"}[i], d.At)
		m.Set("tags", []py.Value{"a", 1.5, nil, true}, d.At)
		pool = append(pool, &member{m})
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := jmespath.Compile(s)
		if err != nil {
			return
		}
		a, err1 := e.Search(pool)
		b, err2 := e.Search(pool)
		if (err1 == nil) != (err2 == nil) || err1 == nil && py.Repr(dressed(a)) != py.Repr(dressed(b)) {
			t.Error("the same selector gives two answers")
		}
	})
}
