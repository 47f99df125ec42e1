package session

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fleet writes an inventory of that many clusters of three, and returns its path.
func fleet(tb testing.TB, clusters int) string {
	tb.Helper()
	var b strings.Builder
	b.WriteString("all:\n  vars: { version: v4.5.0 }\n  children:\n")
	for c := range clusters {
		fmt.Fprintf(&b, "    pg-c%03d:\n      hosts:\n", c)
		for i := range 3 {
			fmt.Fprintf(&b, "        10.%d.%d.%d: { pg_seq: %d, pg_role: replica }\n", c/200, c%200, i+1, i+1)
		}
		fmt.Fprintf(&b, "      vars: { pg_cluster: pg-c%03d }\n", c)
	}
	file := filepath.Join(tb.TempDir(), "pigsty.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}

// BenchmarkNames: a word of the command line is completed in under 50 ms, the
// start of the program included; the load that a command waits for costs several
// times as much.
func BenchmarkNames(b *testing.B) {
	for _, clusters := range []int{10, 334} {
		s := New(Options{Inventory: fleet(b, clusters)}, World{Getenv: func(string) string { return "" }, Now: time.Now})
		b.Run(fmt.Sprintf("names/%d", clusters), func(b *testing.B) {
			for b.Loop() {
				if got, err := s.Names(b.Context()); err != nil || len(got) != 3*clusters {
					b.Fatal(len(got), err)
				}
			}
		})
		b.Run(fmt.Sprintf("load/%d", clusters), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Load(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
