package emit_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/internal/storetest"
	"pgtui/model"
	"pgtui/render"
	"pgtui/render/emit"
)

// rulesOf are the alerting rules of some clusters of the fleet.
func rulesOf(t *testing.T, inventory string, names ...string) string {
	t.Helper()
	inv, _ := declared(t, inventory, names[0])
	var cls []*model.Cluster
	for _, n := range names {
		cls = append(cls, inv.Cluster(model.ClusterName(n)))
	}
	text, err := emit.Rules(inv, cls)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// rulesFile writes them into a directory of their own.
func rulesFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRulesGolden(t *testing.T) {
	got := rulesOf(t, waysFleet, "pg-test")
	file := "testdata/rules.pg-test"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: go test ./render/emit -update", err)
	}
	if got != string(want) {
		t.Errorf("%s", render.Unified(file, want, []byte(got)))
	}
}

// TestRulesFire lets Prometheus evaluate the rules over series of the situations that
// they are for, and of those in which they must not fire. testdata/rules.test.yml is
// a file of `promtool test rules`.
func TestRulesFire(t *testing.T) {
	promtool := storetest.Program(t, "promtool")
	file := rulesFile(t, rulesOf(t, waysFleet, "pg-test"))
	cases, err := os.ReadFile("testdata/rules.test.yml")
	tests := filepath.Join(filepath.Dir(file), "rules.test.yml")
	if err := errors.Join(err, os.WriteFile(tests, cases, 0o600)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", tests).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRulesParse lets Prometheus and vmalert read the rules of every kind of cluster,
// and of one with hostile names.
func TestRulesParse(t *testing.T) {
	promtool, vmalert := storetest.Program(t, "promtool"), storetest.Program(t, "vmalert")
	hostile := strings.ReplaceAll(waysFleet, "pg_cluster: pg-test", `pg_cluster: "{% raw %}a{{ .Value }}\"\n'b{% endraw %}"`)
	inv, _ := declared(t, hostile, "pg-tier")
	odd := ""
	for i := range inv.Clusters {
		if name := string(inv.Clusters[i].Name); strings.Contains(name, "{{") {
			odd = name
		}
	}
	if odd == "" {
		t.Fatal("no cluster has a hostile name")
	}
	for name, text := range map[string]string{
		"fleet":    rulesOf(t, waysFleet, "pg-test", "pg-tier", "pg-open", "pg-bare"),
		"standby":  rulesOf(t, standbyFleet, "pg-copy"),
		"no group": rulesOf(t, "all: { children: { x: { hosts: { 10.0.0.1: { pg_seq: 1, pg_role: replica } }, vars: { pg_cluster: x } } } }", "x"),
		"hostile":  rulesOf(t, hostile, odd),
	} {
		file := rulesFile(t, text)
		if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput(); err != nil {
			t.Errorf("%s: promtool: %v\n%s\n%s", name, err, out, text)
		}
		if out, err := exec.CommandContext(t.Context(), vmalert, "-dryRun", "-rule="+file).CombinedOutput(); err != nil {
			t.Errorf("%s: vmalert: %v\n%s\n%s", name, err, out, text)
		}
	}
}

// standbyFleet is a standby cluster: nothing in it is primary.
const standbyFleet = `
all:
  children:
    pg-copy:
      hosts: { 10.10.10.51: { pg_seq: 1, pg_role: primary, pg_upstream: 10.10.10.11 }, 10.10.10.52: { pg_seq: 2, pg_role: replica, pg_weight: 0 } }
      vars: { pg_cluster: pg-copy }
`

// TestRulesOfTheInventory: what a rule is about follows the inventory.
func TestRulesOfTheInventory(t *testing.T) {
	copied := rulesOf(t, standbyFleet, "pg-copy")
	for _, no := range []string{"pg-copy-primary", "RoleLabelStale", "patroni_primary"} {
		if strings.Contains(copied, no) {
			t.Errorf("a standby cluster has %s", no)
		}
	}
	for _, yes := range []string{"patroni_standby_leader", `server!~"pg-copy-2"`, "pgtui doctor pg-copy"} {
		if !strings.Contains(copied, yes) {
			t.Errorf("a standby cluster lacks %s:\n%s", yes, copied)
		}
	}
	if bare := rulesOf(t, waysFleet, "pg-bare"); strings.Contains(bare, "ServiceWithoutServer") || !strings.Contains(bare, "PatroniNoLeader") {
		t.Errorf("without services:\n%s", bare)
	}
}
