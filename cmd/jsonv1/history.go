package jsonv1

import (
	"time"

	"pgtui/plan"
)

// History is `pgtui history -o json`.
type History struct {
	Version   int          `json:"version"` // 1
	File      string       `json:"file"`
	Inventory string       `json:"inventory"` // resolved path whose runs these are; "" for --all
	Breaks    []Break      `json:"breaks"`    // where the file differs from what pgtui wrote; [] when it is
	Runs      []HistoryRun `json:"runs"`      // oldest first
}

// Break is a line of the audit file that is not as it was written, or not behind
// the line that it was written after.
type Break struct {
	Line int    `json:"line"` // from 1
	What string `json:"what"`
}

// HistoryRun is one run: its last record in the audit file.
type HistoryRun struct {
	Began       time.Time `json:"began"`
	Interrupted bool      `json:"interrupted"` // its end is not recorded
	plan.Record
}

// FromRuns is the document of runs.
func FromRuns(file, inventory string, runs []plan.Run, breaks []Break) History {
	h := History{Version: 1, File: file, Inventory: inventory, Breaks: breaks, Runs: []HistoryRun{}}
	for _, r := range runs {
		h.Runs = append(h.Runs, HistoryRun{Began: r.Began, Interrupted: r.Interrupted, Record: r.Record})
	}
	return h
}
