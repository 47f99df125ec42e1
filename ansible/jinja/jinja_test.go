package jinja_test

import (
	"errors"
	"testing"

	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
	"pgtui/internal/fuzz"
)

// vars is a scope of plain values.
type vars map[string]py.Value

func (v vars) Get(name string) (py.Value, bool, error) { x, ok := v[name]; return x, ok, nil }
func (v vars) Raw(name string) (py.Value, bool)        { x, ok := v[name]; return x, ok }

var scope = vars{
	"base": int64(9000), "ratio": 1.5, "word": "hello", "yes": true, "nothing": nil,
	"names": []py.Value{"alpha", "beta"}, "secret": py.Unsafe("{{ base }}"),
}

// TestValue is what Ansible makes of a template, type included.
func TestValue(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "'plain'", "{{ base }}": "9000", "{{ yes }}": "True", "{{ nothing }}": "None", "{{ base }} ": "'9000 '",
		"{{ base + 1 }}": "'9001'", "{{ 7 / 2 }}": "'3.5'", "{{ -7 // 2 }}": "'-4'", "{{ 7 % -3 }}": "'-2'", "{{ 1e3 }}": "'1000.0'",
		"{{ true }}": "True", "{{ 'True' }}": "True", "{{ '[1]' }}": "[1]", "{{ names }}": "['alpha', 'beta']", "[{{ 1 }}, 2]": "[1, 2]",
		"{{ 2 ** 100 }}": "'1267650600228229401496703205376'", "{{ 'a' if base > 1 else 'b' }}": "'a'", "{{ (1 if true else 2) + 10 }}": "'11'",
		"{{ 1 < 2 < 3 }}": "True", "{{ nope | default(7) }}": "'7'", "{{ nope.a.b | default('x') }}": "'x'", "{{ nothing | default('d') }}": "''",
		"{% for n in names %}{{ loop.index }}{{ n }}{% endfor %}": "'1alpha2beta'", "{% raw %}{{ x }}{% endraw %}": "'{{ x }}'",
		"{% if yes %}\nb\n{% endif %}\nc": `'b\nc'`, "a{{- ' b ' -}} c": "'a b c'", "{{ word[1:3] }}{{ word[-1] }}": "'elo'", "x\n{{ 1 }}\n": `'x\n1\n'`,
		"{{ base\n  + 1 }}": "'9001'", "{{ secret }}": "'{{ base }}'", "{{ names | map('upper') | join('-') }}": "'ALPHA-BETA'",
	} {
		var e jinja.Engine
		got, err := e.Value(text, scope, false)
		if err != nil || py.Repr(got) != want {
			t.Errorf("%s = %s (%v), want %s", text, py.Repr(got), err, want)
		}
	}
}

// TestFailure tells "undefined", which hostvars forgives, from all else.
func TestFailure(t *testing.T) {
	for text, undefined := range map[string]bool{
		"{{ nope }}": true, "{{ nope + 1 }}": true, "a {{ base.x }} b": true, "{{ nope in names }}": true, "{{ not nope }}": true,
		"{{ 'a' + 1 }}": false, "{{ 1 / 0 }}": false, "{{ 1 + }}": false, "{{ lookup('env', 'X') }}": false, "{% for %}": false, "{{ names | nofilter }}": false,
	} {
		var e jinja.Engine
		_, err := e.Value(text, scope, false)
		_, is := errors.AsType[*jinja.UndefinedError](err)
		if err == nil || is != undefined {
			t.Errorf("%s: %v", text, err)
		}
		kept, err := e.Value(text, scope, true)
		if undefined && (err != nil || kept != text) || !undefined && err == nil {
			t.Errorf("%s kept: %v %v", text, kept, err)
		}
	}
}

// FuzzTemplate holds that no template makes the engine panic or hang.
func FuzzTemplate(f *testing.F) {
	fuzz.Target(f)
	for _, s := range []string{"{{ base + 1 }}", "{% for n in names if n %}{{ n|upper }}{% else %}x{% endfor %}", "{{ a if b else c.d[1:2] }}",
		"{%- set x = [1,{'a':2}] -%}{{ x }}", "{# c #}{% raw %}{{{% endraw %}", "{{ 'a' * 99999999 }}", "{{ 9 ** 9 ** 9 }}", "{{ '%s' % (1,2) }}", "{{ x is not in [1] }}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var e jinja.Engine
		v, err := e.Value(s, scope, false)
		if w, err2 := e.Value(s, scope, false); (err == nil) != (err2 == nil) || err == nil && py.Repr(v) != py.Repr(w) {
			t.Error("the same template gives two answers")
		}
	})
}
