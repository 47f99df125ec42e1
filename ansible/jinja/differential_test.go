package jinja_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"pgtui/ansible/inventory"
	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
)

// sameVars are the variables of differential.py.
const sameVars = `{base: 9000, ratio: 1.5, word: hello, flag: true, offf: false, nothing: , names: [alpha, beta, Gamma], nums: [3, 1, 2],
  conf: {tier: gold, ports: [1, 2], nested: {a: {b: deep}}}, empty: '', elist: [], numstr: '42', neg: -7,
  rows: [{n: x, v: 1}, {n: y, v: 2}, {n: z}], tmpl: '{{ base + 1 }}', tmpl2: '{{ names | first }}'}`

// templated resolves variables that are templates themselves.
type templated struct {
	d *py.Dict
	e *jinja.Engine
}

func (s templated) Raw(name string) (py.Value, bool) { return s.d.Get(name) }

func (s templated) Get(name string) (py.Value, bool, error) {
	v, ok := s.d.Get(name)
	if !ok {
		return nil, false, nil
	}
	v, err := s.e.Value(v, s, false)
	return v, true, err
}

// TestAgainstAnsible compares some thousand random templates with Ansible's
// own templar: same value, or both undefined, or both another failure.
func TestAgainstAnsible(t *testing.T) {
	python := "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import ansible.template").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("ansible-core is missing: %v %s", err, out)
		}
		t.Skipf("ansible-core is missing: %v", err)
	}
	vars, err := inventory.Decode("vars", []byte(sameVars))
	if err != nil {
		t.Fatal(err)
	}
	templates := 4000
	if testing.Short() {
		templates = 800
	}
	out, err := exec.Command(python, "testdata/differential.py", "2", strconv.Itoa(templates)).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, bad, unknown := 0, 0, 0
	sc := bufio.NewScanner(bytes.NewReader(out))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() && bad < 25 {
		n++
		msg := againstAnsible(t, sc.Bytes(), vars.(*py.Dict), &unknown)
		if msg != "" {
			bad++
			t.Error(msg)
		}
	}
	if n < templates/2 || unknown > n/20 {
		t.Fatalf("%d templates compared, %d of them not predicted", n, unknown)
	}
}

func againstAnsible(t *testing.T, line []byte, vars *py.Dict, unknown *int) string {
	t.Helper()
	var c struct {
		S   string
		Out struct{ OK, Err, Msg string }
	}
	if err := json.Unmarshal(line, &c); err != nil {
		t.Fatal(err)
	}
	var e jinja.Engine
	v, err := e.Value(c.S, templated{vars, &e}, false)
	got := py.Repr(v)
	if err != nil {
		got = "other: " + err.Error()
		if _, ok := errors.AsType[*jinja.UndefinedError](err); ok {
			got = "undefined: " + err.Error()
		}
		if _, ok := errors.AsType[*jinja.Unknowable](err); ok {
			*unknown++
			return ""
		}
	}
	if c.Out.Err == "" && err == nil && got == c.Out.OK || c.Out.Err != "" && err != nil && got[:5] == (c.Out.Err + "    ")[:5] {
		return ""
	}
	return fmt.Sprintf("%q\n  got  %.300s\n  want %s%s %s", c.S, got, c.Out.OK, c.Out.Err, c.Out.Msg)
}
