package cmd

import (
	"pgtui/plan/file"
	"testing"
)

// TestPlansAgain: the command makes the same plan, of the same inventory.
func TestPlansAgain(t *testing.T) {
	a, _, _ := desk(t)
	for _, tt := range []struct {
		inventory string
		plan      file.Plan
		want      string
	}{
		{"", file.Plan{Cluster: "pg-a"}, "pgtui reload pg-a --dry-run --out p.json"},
		{"/x/y z.yml", file.Plan{Cluster: "pg-a", Force: true, LiveRoles: true}, "pgtui -i '/x/y z.yml' reload pg-a --dry-run --force --live-roles --out p.json"},
		{"", file.Plan{Cluster: "a; rm -rf /"}, "pgtui reload 'a; rm -rf /' --dry-run --out p.json"},
		{"", file.Plan{}, "pgtui reload pg-test --dry-run --out p.json"},
	} {
		a.Inventory = tt.inventory
		if got := a.plansAgain(&tt.plan, "p.json"); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// TestInventoryFlag: -i may be given several times.
func TestInventoryFlag(t *testing.T) {
	a := newApp(IO{Getenv: func(string) string { return "" }})
	if err := a.root().ParseFlags([]string{"-i", "a", "--inventory=way/inv/b.yml"}); err != nil || a.Inventory != "a,way/inv/b.yml" {
		t.Errorf("-i twice: %q, %v", a.Inventory, err)
	}
}
