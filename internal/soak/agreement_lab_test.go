//go:build lab

package soak

import (
	"os"
	"strconv"
	"testing"
	"time"

	"pgtui/internal/labtest"
)

const labScript = "../../testdata/lab/lab"

// TestLabAgreement is the short form of `make soak`: two minutes of random
// faults on the lab that is up. PGTUI_SOAK makes it longer, PGTUI_SEED plays a
// printed sequence again, PGTUI_SOAK_ONLY limits it to kinds of faults by a regular
// expression.
func TestLabAgreement(t *testing.T) {
	length, seed := 2*time.Minute, uint64(time.Now().UnixNano())
	if v := os.Getenv("PGTUI_SOAK"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			t.Fatalf("PGTUI_SOAK=%q: expected a duration, for example 5m", v)
		}
		length = d
	}
	if v := os.Getenv("PGTUI_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("PGTUI_SEED=%q: expected a number", v)
		}
		seed = n
	}
	t.Logf("PGTUI_SEED=%d", seed)
	labtest.Long(t, "random faults", length)
	rep, err := OnLab(t.Context(), labScript, length, seed, os.Getenv("PGTUI_SOAK_ONLY"), os.Stdout)
	if rep != nil {
		rep.Print(os.Stdout)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := rep.Err(); err != nil {
		t.Error(err)
	}
}
