package cmd

import (
	"testing"

	"pgtui/cmd/jsonv1"
	"pgtui/model"
	"pgtui/plan"
)

// TestShown: a saved plan with a digest that somebody has made again still shows
// what it does, or is refused.
func TestShown(t *testing.T) {
	a, _, _ := desk(t)
	node := func(h model.Host) plan.Node {
		return plan.Node{Host: h, ConfDir: "/c", Have: map[string]string{"a.cfg": "1"}, Want: map[string]string{"a.cfg": "2"},
			Changes: []plan.FileChange{{Name: "a.cfg", Before: []byte("listen a\n    server x 10.0.0.1:5432 weight 100\n"), After: []byte("listen a\n    server x 10.0.0.1:5432 weight 50\n")}}}
	}
	p := plan.Plan{ID: "0123456789ab", Cluster: "pg-test", Nodes: []plan.Node{node("1"), node("2")}}
	now := a.planJSON(&model.Inventory{}, &p)
	for _, tt := range []struct {
		name string
		edit func(p *jsonv1.Plan)
		want string
	}{
		{"as it was", func(*jsonv1.Plan) {}, ""},
		{"in another order", func(p *jsonv1.Plan) { p.Nodes[0], p.Nodes[1] = p.Nodes[1], p.Nodes[0] }, ""},
		{"another diff", func(p *jsonv1.Plan) { p.Nodes[1].Files[0].Diff = "" }, "2: the changes that the saved plan shows are not those it would make"},
		{"another summary", func(p *jsonv1.Plan) { p.Nodes[0].Files[0].Summary = nil }, "1: the changes that the saved plan shows are not those it would make"},
		{"a file is not shown", func(p *jsonv1.Plan) { p.Nodes[0].Files = nil }, "1: the changes that the saved plan shows are not those it would make"},
	} {
		saved := a.planJSON(&model.Inventory{}, &p)
		tt.edit(&saved)
		got := ""
		for _, line := range shown(&saved, now) {
			got += line
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if len(now.Nodes[0].Files[0].Summary) == 0 || now.Nodes[0].Files[0].Diff == "" {
		t.Errorf("nothing to compare: %+v", now.Nodes[0].Files)
	}
}

// TestPlansAgain: the command makes the same plan, of the same inventory.
func TestPlansAgain(t *testing.T) {
	a, _, _ := desk(t)
	for _, tt := range []struct {
		inventory string
		plan      jsonv1.Plan
		want      string
	}{
		{"", jsonv1.Plan{Cluster: "pg-a"}, "pgtui reload pg-a --dry-run --out p.json"},
		{"/x/y z.yml", jsonv1.Plan{Cluster: "pg-a", Force: true, LiveRoles: true}, "pgtui -i '/x/y z.yml' reload pg-a --dry-run --force --live-roles --out p.json"},
		{"", jsonv1.Plan{Cluster: "a; rm -rf /"}, "pgtui reload 'a; rm -rf /' --dry-run --out p.json"},
		{"", jsonv1.Plan{}, "pgtui reload pg-test --dry-run --out p.json"},
	} {
		a.inventory = tt.inventory
		if got := a.plansAgain(&tt.plan, "p.json"); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}
