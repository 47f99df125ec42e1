package jmespath_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"pgtui/ansible/jmespath"
	"pgtui/ansible/py"
	"pgtui/source"
)

// member is a host as selectors see it.
type member struct{ d *py.Dict }

func (m *member) Attr(name string) (py.Value, bool, error) {
	v, ok := m.d.Get(name)
	return v, ok, nil
}

func (m *member) Names() []string {
	var out []string
	for _, e := range m.d.Entries() {
		out = append(out, py.Str(e.Key))
	}
	return out
}

// TestAgainstPython compares some thousand random selectors with Python's own
// jmespath: same result or both an error.
func TestAgainstPython(t *testing.T) {
	python := "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import jmespath").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("python3-jmespath is missing: %v %s", err, out)
		}
		t.Skipf("python3-jmespath is missing: %v", err)
	}
	for seed := range 2 {
		out, err := exec.Command(python, "-W", "ignore", "testdata/differential.py", fmt.Sprint(seed), "2000").Output()
		if err != nil {
			t.Fatal(err)
		}
		n, bad := 0, 0
		sc := bufio.NewScanner(bytes.NewReader(out))
		sc.Buffer(nil, 1<<20)
		for sc.Scan() && bad < 12 {
			n++
			if msg := differs(t, sc.Bytes()); msg != "" {
				bad++
				t.Error(msg)
			}
		}
		if n < 1000 {
			t.Fatalf("only %d selectors were compared", n)
		}
	}
}

// differs says how our answer to one line differs from Python's.
func differs(t *testing.T, line []byte) string {
	t.Helper()
	var c struct {
		S    string            `json:"s"`
		Pool []json.RawMessage `json:"pool"`
		Out  struct {
			OK  json.RawMessage `json:"ok"`
			Err string          `json:"err"`
		} `json:"out"`
	}
	if err := json.Unmarshal(line, &c); err != nil {
		t.Fatal(err)
	}
	pool := []py.Value{}
	for _, m := range c.Pool {
		pool = append(pool, &member{plainJSON(t, m).(*py.Dict)})
	}
	var got py.Value
	e, err := jmespath.Compile(c.S)
	if err == nil {
		got, err = e.Search(pool)
	}
	want := py.Value(nil)
	if c.Out.Err == "" {
		want = plainJSON(t, c.Out.OK)
	}
	switch {
	case err != nil && c.Out.Err != "":
		return ""
	case err != nil:
		return fmt.Sprintf("%s\n  got error %v\n  want %s\n  over %s", c.S, err, py.Repr(want), line)
	case c.Out.Err != "":
		return fmt.Sprintf("%s\n  got %s\n  want an error: %s\n  over %s", c.S, py.Repr(dressed(got)), c.Out.Err, line)
	case py.Repr(dressed(got)) != py.Repr(want):
		return fmt.Sprintf("%s\n  got  %s\n  want %s\n  over %s", c.S, py.Repr(dressed(got)), py.Repr(want), line)
	}
	return ""
}

// dressed puts members as the script writes them.
func dressed(v py.Value) py.Value {
	switch x := v.(type) {
	case *member:
		d := &py.Dict{}
		name, _ := x.d.Get("inventory_hostname")
		d.Set("__member", name, source.Pos{})
		return d
	case []py.Value:
		out := []py.Value{}
		for _, it := range x {
			out = append(out, dressed(it))
		}
		return out
	case *py.Dict:
		out := &py.Dict{}
		for _, e := range x.Entries() {
			out.Set(e.Key, dressed(e.Value), source.Pos{})
		}
		return out
	}
	if strings.HasSuffix(fmt.Sprintf("%T", v), "expref") {
		d := &py.Dict{}
		d.Set("__expr", int64(1), source.Pos{})
		return d
	}
	return v
}

// plainJSON reads JSON with its strings as if they stood in an inventory.
func plainJSON(t *testing.T, raw json.RawMessage) py.Value {
	t.Helper()
	e, err := jmespath.Compile("`" + strings.ReplaceAll(string(raw), "`", "\\`") + "`")
	if err != nil {
		t.Fatal(err)
	}
	v, err := e.Search(nil)
	if err != nil {
		t.Fatal(err)
	}
	return written(v)
}

func written(v py.Value) py.Value {
	switch x := v.(type) {
	case py.Computed:
		return string(x)
	case []py.Value:
		for i := range x {
			x[i] = written(x[i])
		}
	case *py.Dict:
		out := &py.Dict{}
		for _, e := range x.Entries() {
			out.Set(written(e.Key), written(e.Value), source.Pos{})
		}
		return out
	}
	return v
}
