//go:build lab

package cmd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/internal/labtest"
)

// svc is a checkout whose bin/pgsql-svc does what Pigsty's does to the lab's
// nodes, the same steps without Ansible: wipe, write, check, reload. before runs
// at its begin, and more after the wipe.
func svc(t *testing.T, files, before, afterWipe string) string {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`#!/bin/bash
set -e
lab=%s/lab
echo "args $*, tags $ANSIBLE_RUN_TAGS, inventory $ANSIBLE_INVENTORY"
printf 'a \033[31mred\033[0m line\n'
%s
for n in 1 2 3; do
  $lab exec pg-test-$n sh -c 'rm -f /etc/haproxy/conf.d/pg-test-*.cfg'
  %s
  for f in %s/pg-test-$n/pg-test-*.cfg; do
    $lab exec pg-test-$n sh -c "cat >/etc/haproxy/conf.d/${f##*/}" <$f
  done
  $lab exec pg-test-$n sh -c 'haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d >/dev/null 2>&1 && systemctl reload haproxy'
done
echo complete
`, labtest.Dir(t), before, afterWipe, files)
	if err := os.WriteFile(filepath.Join(home, "bin/pgsql-svc"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return home
}

// bin/pgsql-svc runs between locks, its result is verified, and when it breaks
// off that is said, node by node.
func TestLabViaPigsty(t *testing.T) {
	needLab(t)
	inv := edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 50 }")
	files := t.TempDir()
	if r := pgtui(t, inv, "render", "pg-test", "--out", files); r.code != 0 {
		t.Fatalf("render: exit %d\n%s%s", r.code, r.out, r.err)
	}
	found, _ := filepath.Glob(filepath.Join(files, "*", "pg-test-primary.cfg"))
	if len(found) == 0 { // by address, then
		t.Fatalf("render wrote no directory of a node into %s", files)
	}
	for i := 1; i <= 3; i++ {
		_ = os.Rename(filepath.Join(files, fmt.Sprintf("10.10.10.1%d", i)), filepath.Join(files, fmt.Sprintf("pg-test-%d", i)))
	}
	locked := "for n in 1 2 3; do $lab exec pg-test-$n readlink /run/pgtui.lock; done"
	r := pgtui(t, inv, "reload", "pg-test", "--yes", "--via", "pigsty", "--pigsty-home", svc(t, files, locked, ""))
	if r.code != 0 || strings.Count(r.out, "  applied") != 3 || strings.Count(r.out, "  | ") != 6 {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	for _, want := range []string{"  | args pg-test, tags pg_service, inventory " + inv, "  | complete", "  | a red line"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("it does not say %q\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out, "\033") {
		t.Error("an escape sequence of the script reaches the terminal")
	}
	for _, n := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		if got := lab(t, "exec", n, "sh", "-c", "ls -d /run/pgtui.lock* 2>/dev/null; pgrep -fx 'sleep 900' || true"); got != "" {
			t.Errorf("%s: %s is left", n, got)
		}
	}

	inv = edited(t, "{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_weight: 60 }")
	r = pgtui(t, inv, "reload", "pg-test", "--yes", "--via", "pigsty", "--pigsty-home", svc(t, files, "", "[ $n != 2 ] || exit 2"))
	if r.code != 2 || !strings.Contains(r.out, "pg-test-primary.cfg is missing") || !strings.Contains(r.err, "without --via writes what is missing") {
		t.Errorf("it broke off after a wipe: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = pgtui(t, inv, "reload", "pg-test", "--yes", "--accept-risk", "settling"); r.code != 0 {
		t.Errorf("and what pgtui advises: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = pgtui(t, inv, "reload", "pg-test", "--yes", "--via", "pigsty", "--pigsty-home", t.TempDir()); r.code != 3 {
		t.Errorf("without a checkout: exit %d\n%s%s", r.code, r.out, r.err)
	}
}
