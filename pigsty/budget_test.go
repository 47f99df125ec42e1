package pigsty_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgtui/ansible/inventory"
	"pgtui/pigsty"
	"pgtui/pigsty/lint"
)

// share reads, plays and lints an inventory, and is the larger part of its
// budget that this has cost.
func share(t *testing.T, load func() (*inventory.Inventory, error)) (playing, linting float64) {
	t.Helper()
	inv, err := load()
	if err != nil {
		t.Fatal(err)
	}
	p := pigsty.NewPlay(inv, pigsty.Options{Core: "2.19.0"})
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	playing = max(p.Budget().Used())
	lint.Run(p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return playing, max(p.Budget().Used())
}

// TestBudgetOfRealInventories holds that no inventory that somebody has comes
// near the budget: none of the oracle's, with everything that can be asked of
// it, takes a hundredth, and 5,000 hosts of 1,667 clusters, with 75 variables
// each and templates among them, take a third, and 0.6 with every rule of lint.
func TestBudgetOfRealInventories(t *testing.T) {
	dirs, err := filepath.Glob("../testdata/oracle/*/pigsty.yml")
	if err != nil || len(dirs) < 25 {
		t.Fatalf("%d inventories, %v", len(dirs), err)
	}
	for _, file := range dirs {
		_, all := share(t, func() (*inventory.Inventory, error) {
			return inventory.Load(os.DirFS(filepath.Dir(file)), "pigsty.yml", inventory.Options{VaultPassword: "oracle"})
		})
		if all > 0.01 {
			t.Errorf("%s takes %.1f %% of the budget", file, 100*all)
		}
	}
	hosts := 5000
	if testing.Short() {
		hosts = 1000
	}
	part := float64(hosts) / 5000
	playing, all := share(t, func() (*inventory.Inventory, error) {
		return inventory.Parse("pigsty.yml", fleet(hosts), inventory.Options{})
	})
	t.Logf("%d hosts: %.0f %% to read, %.0f %% with lint", hosts, 100*playing, 100*all)
	if playing > part/3 || all > part*0.6 {
		t.Errorf("%d hosts take %.0f %% of the budget, %.0f %% with lint", hosts, 100*playing, 100*all)
	}
}

// fleet is an inventory of so many hosts, in clusters of three.
func fleet(hosts int) []byte {
	var b bytes.Buffer
	b.WriteString("all:\n  children:\n    infra: { hosts: { 10.1.0.1: { infra_seq: 1 } } }\n    etcd: { hosts: { 10.1.0.1: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }\n")
	for i := range hosts {
		if i%3 == 0 {
			fmt.Fprintf(&b, "    pg-%05d:\n      vars:\n        pg_cluster: pg-%05d\n        pg_users: [ { name: test, password: test, pgbouncer: true, roles: [dbrole_admin] } ]\n        pg_databases: [ { name: test, owner: test } ]\n"+
				"        pg_services:\n          - { name: standby, ip: \"*\", port: 5435, dest: default, selector: \"[]\", backup: \"[? pg_role == `primary`]\", check: /sync, maxconn: 5000, balance: roundrobin }\n      hosts:\n", i/3, i/3)
		}
		role := "replica"
		if i%3 == 0 {
			role = "primary"
		}
		fmt.Fprintf(&b, "        10.%d.%d.%d: { pg_seq: %d, pg_role: %s }\n", 10+i>>16, i>>8&255, i&255, i%3+1, role)
	}
	b.WriteString("  vars:\n    version: v4.5.0\n    admin_ip: 10.1.0.1\n    region: default\n")
	for i := range 60 {
		if i%4 == 0 {
			fmt.Fprintf(&b, "    some_variable_%d: 'value {{ admin_ip }} %d'\n", i, i)
		} else {
			fmt.Fprintf(&b, "    some_variable_%d: value number %d\n", i, i)
		}
	}
	return b.Bytes()
}
