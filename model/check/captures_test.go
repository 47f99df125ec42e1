package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/internal/captures"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/pigsty"
)

const fixtures = "../../testdata"

// labInventory is the inventory the captures were taken under.
func labInventory(t *testing.T) *model.Inventory {
	t.Helper()
	inv, err := pigsty.Load(os.DirFS(filepath.Join(fixtures, "lab")), "pigsty.yml", pigsty.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// line is a board in one line: health, leader and who says so, each service's
// verdict and who serves (the last digits of their names), the findings.
func line(b board.Board) string {
	var parts []string
	for _, r := range b.Routes {
		serving := "?"
		if r.Serving != nil {
			var n []string
			for _, s := range r.Serving {
				n = append(n, strings.TrimPrefix(string(s), "pg-test-"))
			}
			serving = strings.Join(n, "+")
			if serving == "" {
				serving = "nobody"
			}
		}
		parts = append(parts, fmt.Sprintf("%s=%s:%s", r.Service, serving, r.Verdict))
	}
	var codes []string
	for _, f := range b.Findings {
		codes = append(codes, f.Code)
	}
	leader := "none"
	if b.Leader != "" {
		leader = strings.TrimPrefix(string(b.Leader), "pg-test-") + "/" + b.LeaderBy
	}
	return fmt.Sprintf("%s leader=%s %s [%s]", b.Health, leader, strings.Join(parts, " "), strings.Join(codes, " "))
}

// TestCapturedSituations judges what real Patroni and HAProxy answered. What
// is expected was worked out from the notes of the captures: who really
// answered through the ports (psql*.txt), which component was killed, when.
func TestCapturedSituations(t *testing.T) {
	inv := labInventory(t)
	for _, tt := range capturedSituations() {
		t.Run(tt.dir, func(t *testing.T) {
			snap, err := captures.Load(os.DirFS(filepath.Join(fixtures, "captures", tt.dir)), inv, t0)
			if err != nil {
				t.Fatal(err)
			}
			if got := line(check.Board(snap, inv.Cluster("pg-test"), t0)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
