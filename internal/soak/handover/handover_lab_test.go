//go:build lab

package handover

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pgtui/internal/labtest"
	"pgtui/internal/soak"
)

// TestLabHandover is the short form of `make soak`: PGTUI_HANDOVERS changes of the
// leader, 6 by default, from PGTUI_SEED, 1 by default.
func TestLabHandover(t *testing.T) {
	number := func(name string, or int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return or
	}
	labtest.Step(t, "changes of the leader")
	release, err := os.ReadFile("/run/pgtui-lab/release")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Run(t.Context(), Options{
		Lab: soak.Lab{Script: filepath.Join(labtest.Dir(t), "lab")}, SSHConfig: labtest.SSHConfig(t), Release: string(release[:len(release)-1]),
		Attempts: number("PGTUI_HANDOVERS", 6), Seed: uint64(number("PGTUI_SEED", 1)), Log: t.Output(), State: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if bad := rep.Bad(); bad > 0 {
		t.Errorf("%d of %d attempts went otherwise than pgtui reported", bad, len(rep.Attempts))
	}
}
