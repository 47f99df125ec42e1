package lint_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgtui/ansible/inventory"
	"pgtui/internal/fuzz"
	"pgtui/pigsty"
	"pgtui/pigsty/lint"
)

// TestRunOfEveryInventory: what FuzzRun holds, of the inventories that are too
// large to begin it with.
func TestRunOfEveryInventory(t *testing.T) {
	for _, data := range seeds(t) {
		checkRun(t, data)
	}
}

// seeds are the inventories of testdata.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, glob := range []string{"lint/*.yml", "lint/clean/*.yml", "oracle/*/pigsty.yml"} {
		files, err := filepath.Glob(testdata + glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("no seeds in %s: %v", glob, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, data)
		}
	}
	return out
}

// FuzzRun: whatever the inventory says, every finding is complete, of a known
// rule, in order, and elsewhere once.
func FuzzRun(f *testing.F) {
	fuzz.Target(f)
	small := 0
	for _, data := range seeds(f) {
		if len(data) <= 2000 {
			small++
			f.Add(data)
		}
	}
	if small < 10 {
		f.Fatalf("%d small seeds only", small)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) <= 4000 {
			checkRun(t, data)
		}
	})
}

func checkRun(t *testing.T, data []byte) {
	inv, err := inventory.Parse("x.yml", data, inventory.Options{})
	if err != nil || len(inv.Hosts) > 200 {
		return
	}
	known := map[string]bool{}
	for _, r := range lint.All() {
		known[r.Code] = true
	}
	seen, last := map[string]bool{}, 0
	for _, x := range lint.Run(pigsty.NewPlay(inv, pigsty.Options{})) {
		key := fmt.Sprint(x.Code, x.At, x.Subject)
		if !known[x.Code] || x.At.Line < 1 || x.At.Column < 1 || x.What == "" || x.Why == "" || x.Severity == 0 || seen[key] {
			t.Errorf("incomplete or twice: %+v", x)
		}
		if x.At.Line < last {
			t.Errorf("line %d after line %d", x.At.Line, last)
		}
		seen[key], last = true, x.At.Line
	}
}

// BenchmarkRun: every rule over 2,000 hosts in 200 clusters, the inventory
// read already; budget one second.
func BenchmarkRun(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("all:\n  vars: { version: v4.5.0 }\n  children:\n")
	for c := range 200 {
		fmt.Fprintf(&text, "    pg-%d:\n      vars: { pg_cluster: pg-%d, pg_services: [ { name: own, port: 5439, check: /replica, selector: \"[? pg_role == 'replica']\" } ] }\n      hosts:\n", c, c)
		for i := range 10 {
			role := "replica"
			if i == 0 {
				role = "primary"
			}
			fmt.Fprintf(&text, "        10.%d.%d.%d: { pg_seq: %d, pg_role: %s }\n", 1+c/250, c%250, i+1, i+1, role)
		}
	}
	inv, err := inventory.Parse("x.yml", text.Bytes(), inventory.Options{})
	if err != nil {
		b.Fatal(err)
	}
	p := pigsty.NewPlay(inv, pigsty.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if found := lint.Run(p); lint.Worst(found) != 0 {
			b.Fatalf("%d findings: %+v", len(found), found[0])
		}
	}
}
