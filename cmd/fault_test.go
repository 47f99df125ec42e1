package cmd

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgtui/internal/guard"
)

// TestAFaultIsPrintedWithItsStack: a report of it needs no second run.
func TestAFaultIsPrintedWithItsStack(t *testing.T) {
	var b bytes.Buffer
	printError(&b, fmt.Errorf("plan: %w", guard.Do("planning", func() { panic("no") })))
	if s := b.String(); !strings.HasPrefix(s, "pgtui: plan: pgtui itself failed planning, please report it: no (cmd/fault_test.go:") || !strings.Contains(s, "TestAFaultIsPrintedWithItsStack") {
		t.Errorf("printed %q", s)
	}
}
