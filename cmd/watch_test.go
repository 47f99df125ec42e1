package cmd

import (
	"context"
	"strings"
	"testing"
	"time"

	"pgtui/internal/sandbox"
)

// TestStatusWatchReadsTheInventoryAgain: a watch follows its inventory.
func TestStatusWatchReadsTheInventoryAgain(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	declare := &untilSaid{text: "watching; ctrl-c ends", end: func() {
		if err := sb.Do(t.Context(), "declare pg-test-2 pg_weight 50"); err != nil {
			t.Error(err)
		}
	}}
	out := &untilSaid{text: "the inventory changed: pigsty.yml; it was read again", end: cancel}
	endedBy(ctx, t, sb.InventoryPath(), both{out, declare}, "status", "--watch")
	if !strings.Contains(out.buf.String(), out.text) {
		t.Error(out.buf.String())
	}
}

// both writes to two outputs; the second's end is called once.
type both struct{ a, b *untilSaid }

func (w both) Write(p []byte) (int, error) {
	if !strings.Contains(w.b.buf.String(), w.b.text) {
		_, _ = w.b.Write(p)
	}
	return w.a.Write(p)
}
