package jsonv1_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgtui/cmd/jsonv1"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// fullPlan is a document in which no field is empty.
func fullPlan(t *testing.T) jsonv1.Plan {
	t.Helper()
	p := plan.Plan{
		ID: "0123456789ab", Cluster: "pg-test", Inventory: "h", MadeAt: time.Date(2026, 11, 30, 9, 0, 0, 7, time.UTC), Force: true, LiveRoles: true,
		Accepted: []string{"paused"}, Pigsty: []string{"other"}, Problems: []source.Problem{{Subject: "s", What: "w", Try: "t", At: source.Pos{File: "f", Line: 1, Column: 2}}},
		Risks: []plan.Risk{{Name: "paused", Host: "10.0.0.1", What: "Patroni is paused", Try: "resume"}},
		Nodes: []plan.Node{{
			Host: "10.0.0.1", Node: "n-1", ConfDir: "/etc/haproxy/conf.d", Same: 3, Foreign: []string{"x.cfg"},
			Have: map[string]string{"a.cfg": "1", "b.cfg": "2"}, Want: map[string]string{"a.cfg": "3", "b.cfg": "2"},
			Changes: []plan.FileChange{{Name: "a.cfg", Before: []byte("old"), After: []byte("new")}},
		}},
	}
	return jsonv1.FromPlan(&model.Inventory{Source: "pigsty.yml"}, &p, 0, func(string, plan.FileChange) ([]string, string) {
		return []string{"weight of <pg-test-2>: 100 → 50"}, "-old & <a>\n+new\n"
	})
}

func text(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestReadPlan: what was saved is read back, however it is laid out.
func TestReadPlan(t *testing.T) {
	p := fullPlan(t)
	saved := text(t, p)
	var flat bytes.Buffer
	if err := json.Compact(&flat, saved); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"as saved": saved, "without white space": flat.Bytes(), "with other ends of line": bytes.ReplaceAll(saved, []byte("\n"), []byte("\r\n"))} {
		got, err := jsonv1.ReadPlan(in)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, p)
		}
	}
}

// TestReadPlanEdited: every value of the document counts, and so does every
// field, known or not.
func TestReadPlanEdited(t *testing.T) {
	saved := text(t, fullPlan(t))
	var doc any
	if err := json.Unmarshal(saved, &doc); err != nil {
		t.Fatal(err)
	}
	edits := 0
	refused := func(what string, in []byte) {
		t.Helper()
		edits++
		if _, err := jsonv1.ReadPlan(in); err == nil {
			t.Errorf("%s: it was read", what)
		}
	}
	// every value in turn is another one, and every field in turn is gone
	var walk func(path string, v any, set func(any), drop func())
	walk = func(path string, v any, set func(any), drop func()) {
		change := func(to any) {
			set(to)
			refused(path, text(t, doc))
			set(v)
		}
		switch x := v.(type) {
		case string:
			change(x + "x")
			change("")
		case bool:
			change(!x)
		case float64:
			change(x + 1)
		case nil:
			change("x")
		case []any:
			if len(x) > 0 {
				change([]any{})
			}
			for i := range x {
				walk(path+"[]", x[i], func(to any) { x[i] = to }, nil)
			}
		case map[string]any:
			for k, v := range x {
				walk(path+"."+k, v, func(to any) { x[k] = to }, func() { delete(x, k) })
			}
			x["more"] = 1
			refused(path+".more", text(t, doc))
			delete(x, "more")
		}
		if drop != nil {
			drop()
			refused(path+" dropped", text(t, doc))
			set(v)
		}
	}
	walk("", doc, func(any) {}, nil)
	if edits < 80 {
		t.Fatalf("%d edits only: the walk is broken", edits)
	}
	// what one reader takes for another value than the next
	first := strings.Replace(string(saved), "{", `{"force": false,`, 1)
	refused("a field that comes twice", []byte(first))
	refused("a field in capitals", []byte(strings.Replace(string(saved), `"force"`, `"FORCE"`, 1)))
	refused("something behind it", append(bytes.Clone(saved), "{}"...))
	refused("cut", saved[:len(saved)-4])
}

// TestReadPlanWhy: an older version's plan, and what is none.
func TestReadPlanWhy(t *testing.T) {
	p := fullPlan(t)
	p.Digest = ""
	if got, err := jsonv1.ReadPlan(text(t, p)); !errors.Is(err, jsonv1.ErrNoDigest) || got.Cluster != "pg-test" {
		t.Errorf("%v, %q", err, got.Cluster)
	}
	p.Digest = "sha256:" + strings.Repeat("0", 64)
	if _, err := jsonv1.ReadPlan(text(t, p)); !errors.Is(err, jsonv1.ErrEdited) {
		t.Errorf("%v", err)
	}
	for _, in := range []string{"", "{}", "[]", "null", "x", `{"version": 2}`} {
		if _, err := jsonv1.ReadPlan([]byte(in)); err == nil || !strings.HasPrefix(err.Error(), "is no plan") {
			t.Errorf("%q: %v", in, err)
		}
	}
}
