package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// fullPlan is a document in which no field is empty.
func fullPlan(t *testing.T) Plan {
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
	doc := New(&model.Inventory{Source: "pigsty.yml"}, &p, 0)
	doc.Nodes[0].Files[0].Summary, doc.Nodes[0].Files[0].Diff = []string{"weight of <pg-test-2>: 100 → 50"}, "-old & <a>\n+new\n"
	doc.Digest = doc.Sum()
	return doc
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
	var written bytes.Buffer
	if err := Write(&written, p); err != nil || written.String() != string(saved) {
		t.Errorf("%v, written\n%s\nwant\n%s", err, written.String(), saved)
	}
	if got, err := Read(&written); err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("%v, read %+v", err, got)
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, saved); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"as saved": saved, "without white space": flat.Bytes(), "with other ends of line": bytes.ReplaceAll(saved, []byte("\n"), []byte("\r\n"))} {
		got, err := parse(in)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, p)
		}
	}
}

// TestStale: a saved plan with a digest that somebody computed again still shows
// what it does, or is refused.
func TestStale(t *testing.T) {
	node := func(h model.Host) plan.Node {
		return plan.Node{Host: h, ConfDir: "/c", Have: map[string]string{"a.cfg": "1"}, Want: map[string]string{"a.cfg": "2"},
			Changes: []plan.FileChange{{Name: "a.cfg", Before: []byte("listen a\n    server x 10.0.0.1:5432 weight 100\n"), After: []byte("listen a\n    server x 10.0.0.1:5432 weight 50\n")}}}
	}
	p := plan.Plan{ID: "0123456789ab", Cluster: "pg-test", Nodes: []plan.Node{node("1"), node("2")}}
	now := New(&model.Inventory{}, &p, 0)
	for _, tt := range []struct {
		name string
		edit func(p *Plan)
		want string
	}{
		{"unchanged", func(*Plan) {}, ""},
		{"in another order", func(p *Plan) { p.Nodes[0], p.Nodes[1] = p.Nodes[1], p.Nodes[0] }, ""},
		{"another diff", func(p *Plan) { p.Nodes[1].Files[0].Diff = "" }, "2: the saved plan shows other changes than it would make"},
		{"another summary", func(p *Plan) { p.Nodes[0].Files[0].Summary = nil }, "1: the saved plan shows other changes than it would make"},
		{"a file is not shown", func(p *Plan) { p.Nodes[0].Files = nil }, "1: the saved plan shows other changes than it would make"},
		{"a file changed on the node", func(p *Plan) { p.Nodes[0].Have = map[string]string{"a.cfg": "0"} }, "1: a.cfg changed on the node since the plan was made"},
		{"a file will be new", func(p *Plan) { p.Nodes[0].Want = nil }, "1: in what the inventory renders, a.cfg appeared since the plan was made"},
		{"another directory", func(p *Plan) { p.Nodes[1].ConfDir = "/d" }, "2: the files belong in /c now, and in /d when the plan was made"},
		{"a node more", func(p *Plan) { p.Nodes = append(p.Nodes, Node{Host: "3"}) }, "3: no longer provides the cluster"},
		{"a node less", func(p *Plan) { p.Nodes = p.Nodes[:1] }, "2: provides the cluster now, and did not when the plan was made"},
	} {
		saved := New(&model.Inventory{}, &p, 0)
		tt.edit(&saved)
		if got := strings.Join(saved.Stale(&p, now), "\n"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if len(now.Nodes[0].Files[0].Summary) == 0 || now.Nodes[0].Files[0].Diff == "" {
		t.Errorf("nothing to compare: %+v", now.Nodes[0].Files)
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
		if _, err := parse(in); err == nil {
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

// TestReadPlanWhy: an older version's plan, and what is not a plan.
func TestReadPlanWhy(t *testing.T) {
	p := fullPlan(t)
	p.Digest = ""
	if got, err := parse(text(t, p)); !errors.Is(err, ErrNoDigest) || got.Cluster != "pg-test" {
		t.Errorf("%v, %q", err, got.Cluster)
	}
	p.Digest = "sha256:" + strings.Repeat("0", 64)
	if _, err := parse(text(t, p)); !errors.Is(err, ErrEdited) {
		t.Errorf("%v", err)
	}
	for _, in := range []string{"", "{}", "[]", "null", "x", `{"version": 2}`} {
		if _, err := parse([]byte(in)); err == nil || !strings.HasPrefix(err.Error(), "is not a plan") {
			t.Errorf("%q: %v", in, err)
		}
	}
}
