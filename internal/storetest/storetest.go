// Package storetest runs Debian's Prometheus and VictoriaMetrics for tests. Their
// packages are unpacked by testdata/stores, not installed.
package storetest

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program is the path of one of their programs: promtool, vmalert and so on. Where it
// is missing, the test fails in CI and is skipped elsewhere.
func Program(t testing.TB, name string) string {
	t.Helper()
	dir := cmp.Or(os.Getenv("PGTUI_STORES"), "/var/cache/pgtui-lab/stores")
	for _, path := range []string{filepath.Join(dir, "usr/bin", name), name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: testdata/stores unpacks it", name)
	}
	t.Skipf("%s is missing: testdata/stores unpacks it", name)
	return ""
}
