package config

import (
	"errors"
	"reflect"
	"testing"

	"gopkg.in/yaml.v3"

	"pgtui/internal/fuzz"
)

func TestSet(t *testing.T) {
	for _, c := range []struct {
		name, in string
		path     []string
		value    string
		want     string // "" is ErrByHand
	}{
		{"no file", "", []string{"theme"}, "dark", "theme: dark\n"},
		{"comments only", "# mine\n", []string{"theme"}, "dark", "# mine\ntheme: dark\n"},
		{"its comment, its neighbours and unknown keys stay", "# mine\n\ntheme: light   # in the sun\nnobody: knows\n\nmouse: true", []string{"theme"}, "dark", "# mine\n\ntheme: dark   # in the sun\nnobody: knows\n\nmouse: true\n"},
		{"a quoted value", "theme: 'light' # x\n", []string{"theme"}, "dark", "theme: dark # x\n"},
		{"no value yet", "theme:\nmouse: true\n", []string{"theme"}, "dark", "theme: dark\nmouse: true\n"},
		{"a key that is missing", "mouse: true\n# the end\n", []string{"theme"}, "dark", "mouse: true\n# the end\ntheme: dark\n"},
		{"no end of line", "mouse: true", []string{"theme"}, "dark", "mouse: true\ntheme: dark\n"},
		{"a list in a line", "columns:\n  fleet: [cluster, state] # mine\n  board: [x]\n", []string{"columns", "fleet"}, "[cluster]", "columns:\n  fleet: [cluster] # mine\n  board: [x]\n"},
		{"a list below its key", "columns:\n  fleet:\n    - cluster\n    - state\nmouse: true\n", []string{"columns", "fleet"}, "[cluster]", "columns:\n  fleet: [cluster]\nmouse: true\n"},
		{"parents that are missing", "mouse: true\n", []string{"columns", "fleet"}, "[cluster]", "mouse: true\ncolumns:\n  fleet: [cluster]\n"},
		{"a key of a context", "contexts:\n  prod:\n    inventory: x # y\n    theme: light\n", []string{"contexts", "prod", "theme"}, "dark", "contexts:\n  prod:\n    inventory: x # y\n    theme: dark\n"},
		{"a key that a context lacks", "contexts:\n  prod:\n    inventory: x\n  lab: {}\n", []string{"contexts", "prod", "theme"}, "dark", "contexts:\n  prod:\n    theme: dark\n    inventory: x\n  lab: {}\n"},
		{"in a flow mapping", "contexts: {prod: {theme: light, inventory: x}}\n", []string{"contexts", "prod", "theme"}, "dark", "contexts: {prod: {theme: dark, inventory: x}}\n"},
		{"letters beside ASCII", "{ü: 1, theme: light}\n", []string{"theme"}, "dark", "{ü: 1, theme: dark}\n"},
		{"a key that a flow mapping lacks", "{mouse: true}\n", []string{"theme"}, "dark", ""},
		{"an alias", "a: &x light\ntheme: *x\n", []string{"theme"}, "dark", ""},
		{"an anchor that others use", "theme: &x light\nnobody: *x\n", []string{"theme"}, "dark", ""},
		{"a key below a value", "columns: all\n", []string{"columns", "fleet"}, "[cluster]", ""},
		{"line ends of old Macs", "a: 1\rtheme: x\n", []string{"theme"}, "dark", ""},
		{"line ends of Windows", "a: 1\r\ntheme: x\r\n", []string{"theme"}, "dark", "a: 1\r\ntheme: dark\r\n"},
		{"a text of several lines", "theme: |\n  light\n", []string{"theme"}, "dark", ""},
		{"a list with a comment on an item loses the comment alone", "columns:\n  fleet:\n    - cluster # first\n    - state\n  # end\n", []string{"columns", "fleet"}, "[cluster]", "columns:\n  fleet: [cluster]\n  # end\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Set([]byte(c.in), c.path, c.value)
			if c.want == "" {
				if !errors.Is(err, ErrByHand) {
					t.Errorf("%q, %v: expected a refusal", got, err)
				}
				return
			}
			if err != nil || string(got) != c.want {
				t.Errorf("%q, %v\nexpected %q", got, err, c.want)
			}
		})
	}
	if _, err := Set([]byte("a: [\n"), []string{"theme"}, "dark"); err == nil || errors.Is(err, ErrByHand) {
		t.Errorf("a file that is no YAML: %v", err)
	}
}

// FuzzSet: an edit sets that key and no other, or is refused.
func FuzzSet(f *testing.F) {
	fuzz.Target(f)
	for _, s := range []string{"", "theme: light # x\n", "contexts: {a: {theme: 'x'}}\n", "a:\n  - theme\n", "theme: \"a\\\"b\"\n", "? theme\n: x\n", "%YAML 1.1\n---\ntheme: a\n...\n", "theme: a\n  b\n", "theme: [a, \"]\"]\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		out, err := Set(data, []string{"theme"}, "dark")
		if err != nil {
			return
		}
		var was, is any
		if yaml.Unmarshal(data, &was) != nil || yaml.Unmarshal(out, &is) != nil || !reflect.DeepEqual(with(was, []string{"theme"}, "dark"), is) {
			t.Errorf("%q became %q", data, out)
		}
	})
}
