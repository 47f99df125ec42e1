package render_test

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/render"
	"pgtui/source"
)

const oracleDir = "../testdata/oracle"

// notYet are the cases that do not come out byte for byte yet. A case that
// starts to is removed from here, or the test fails.
var notYet = map[string][]string{
	"v4.5.0": {},
	"v4.2.2": {},
	"v3.3.0": {},
	"v2.6.0": {},
}

// TestOracle compares every case with the files the real playbook wrote.
func TestOracle(t *testing.T) {
	for tag, atLeast := range map[string]int{"v4.5.0": 31, "v4.2.2": 2, "v3.3.0": 12, "v2.6.0": 3} {
		t.Run(tag, func(t *testing.T) {
			n := 0
			for _, name := range oracleCases(t) {
				want := oracleFiles(t, name, tag)
				if want == nil {
					continue
				}
				n++
				t.Run(name, func(t *testing.T) { oracleCase(t, name, tag, want) })
			}
			if n < atLeast {
				t.Fatalf("only %d cases found for %s", n, tag)
			}
		})
	}
}

func oracleCase(t *testing.T, name, tag string, want map[string][]byte) {
	bad := compare(renderCase(t, name, tag), want)
	expected := slices.Contains(notYet[tag], name)
	switch {
	case len(bad) == 0 && expected:
		t.Errorf("equal now: remove it from notYet")
	case len(bad) > 0 && !expected:
		t.Errorf("%d files differ:\n%s", len(bad), strings.Join(bad[:min(len(bad), 4)], "\n"))
	}
}

// compare lists the files that are not byte for byte the same.
func compare(got, want map[string][]byte) []string {
	var bad []string
	for f, w := range want {
		if g, ok := got[f]; !ok {
			bad = append(bad, f+" missing")
		} else if !bytes.Equal(g, w) {
			bad = append(bad, f+"\n--- got\n"+string(g)+"--- want\n"+string(w))
		}
	}
	for f := range got {
		if _, ok := want[f]; !ok {
			bad = append(bad, f+" should not exist")
		}
	}
	slices.Sort(bad)
	return bad
}

func loadCase(t testing.TB, name, tag string) *model.Inventory {
	t.Helper()
	d, err := pigsty.ParseDialect(tag)
	if err != nil {
		t.Fatal(err)
	}
	password, err := os.ReadFile(oracleDir + "/vault.pass")
	if err != nil {
		t.Fatal(err)
	}
	inv, err := pigsty.Load(os.DirFS(path.Join(oracleDir, name)), "pigsty.yml",
		pigsty.Options{Dialect: d, VaultPassword: strings.TrimSpace(string(password)), LoadedAt: time.Unix(0, 0)})
	if err != nil {
		t.Fatalf("%v (%s)", err, source.TryOf(err))
	}
	return inv
}

func renderCase(t testing.TB, name, tag string) map[string][]byte {
	t.Helper()
	inv := loadCase(t, name, tag)
	out := map[string][]byte{}
	for i := range inv.Clusters {
		for _, f := range render.Files(inv, &inv.Clusters[i], "2000-01-01 00:00:00") {
			out[path.Join(string(f.Host), f.Name)] = f.Data
		}
		for _, p := range inv.Clusters[i].Problems {
			t.Logf("%s:%d:%d: %s: %s (%s)", p.At.File, p.At.Line, p.At.Column, p.Subject, p.What, p.Try)
		}
	}
	return out
}

func oracleCases(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(oracleDir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

// oracleFiles are the expected files of a case, nil when the tag was not run.
func oracleFiles(t testing.TB, name, tag string) map[string][]byte {
	t.Helper()
	dir := os.DirFS(path.Join(oracleDir, name, "expected"))
	if _, err := fs.Stat(dir, tag); err != nil {
		return nil
	}
	out := map[string][]byte{}
	err := fs.WalkDir(dir, tag, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(p, ".cfg") {
			return err
		}
		data, err := fs.ReadFile(dir, p)
		out[strings.TrimPrefix(p, tag+"/")] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
