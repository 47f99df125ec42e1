package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgtui/ansible/inventory"
	"pgtui/pigsty"
	"pgtui/pigsty/lint"
)

const testdata = "../../testdata/"

func run(t *testing.T, file string) []lint.Finding {
	t.Helper()
	inv, err := inventory.Load(os.DirFS(filepath.Dir(file)), filepath.Base(file), inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return lint.Run(pigsty.NewPlay(inv, pigsty.Options{}))
}

// wanted reads "# want: code, code" from the ends of the lines of a file.
func wanted(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, line := range strings.Split(string(data), "\n") {
		if _, codes, ok := strings.Cut(line, "# want: "); ok {
			for code := range strings.SplitSeq(codes, ",") {
				out = append(out, fmt.Sprintf("%d %s", i+1, strings.TrimSpace(code)))
			}
		}
	}
	return out
}

// TestPlanted: every planted mistake is found on its line, and nothing else;
// every rule is provoked by one of them.
func TestPlanted(t *testing.T) {
	files, err := filepath.Glob(testdata + "lint/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("planted inventories: %d, %v", len(files), err)
	}
	provoked := map[string]bool{}
	for _, file := range files {
		var got []string
		for _, f := range run(t, file) {
			provoked[f.Code] = true
			if at := fmt.Sprintf("%d %s", f.At.Line, f.Code); !slices.Contains(got, at) {
				got = append(got, at)
			}
			if f.At.File != filepath.Base(file) || f.At.Column < 1 || f.What == "" || f.Why == "" || f.Fix == "" || f.Severity == 0 {
				t.Errorf("%s: incomplete finding %+v", file, f)
			}
		}
		want := wanted(t, file)
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: not found: line %s", filepath.Base(file), w)
			}
		}
		for _, g := range got {
			if !slices.Contains(want, g) {
				t.Errorf("%s: not planted: line %s", filepath.Base(file), g)
			}
		}
	}
	for _, r := range lint.All() {
		if !provoked[r.Code] {
			t.Errorf("rule %s is provoked by no planted mistake", r.Code)
		}
	}
}

// TestClean: inventories written as Pigsty ships them have nothing to report.
func TestClean(t *testing.T) {
	files, err := filepath.Glob(testdata + "lint/clean/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("clean inventories: %d, %v", len(files), err)
	}
	for _, file := range append(files, testdata+"lab/pigsty.yml") {
		for _, f := range run(t, file) {
			if f.Severity < lint.Info {
				t.Errorf("%s:%d: %s: %s [%s]", filepath.Base(file), f.At.Line, f.Severity, f.What, f.Code)
			}
		}
	}
}

// TestRules: codes are unique and docs/lint.md has the row of each, in the rule's own words.
func TestRules(t *testing.T) {
	doc, err := os.ReadFile("../../docs/lint.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range lint.All() {
		if seen[r.Code] || r.Severity == 0 || r.Title == "" || r.Why == "" {
			t.Errorf("rule %s is listed twice or incomplete", r.Code)
		}
		seen[r.Code] = true
		if row := fmt.Sprintf("| `%s` | %s | %s | %s |", r.Code, r.Severity, r.Title, r.Why); !strings.Contains(string(doc), row) {
			t.Errorf("docs/lint.md has no row %q", row)
		}
	}
}

// TestBothResults: what differs by Ansible's version names both outcomes.
func TestBothResults(t *testing.T) {
	n := 0
	for _, f := range run(t, testdata+"lint/planted.yml") {
		if strings.HasPrefix(f.Code, "newer-ansible") {
			n++
			if !strings.Contains(f.What, "≤ 2.18:") || !strings.Contains(f.What, "≥ 2.19:") {
				t.Errorf("line %d: %q names one result", f.At.Line, f.What)
			}
		}
	}
	if n < 4 {
		t.Errorf("only %d findings about newer Ansible", n)
	}
}
