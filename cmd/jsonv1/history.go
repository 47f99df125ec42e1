package jsonv1

import (
	"time"

	"pgtui/model"
)

// History is `pgtui history -o json`.
type History struct {
	Version int          `json:"version"` // 1
	File    string       `json:"file"`
	Runs    []HistoryRun `json:"runs"` // oldest first
}

// HistoryRun is one run: its last record in the audit file.
type HistoryRun struct {
	Began       time.Time `json:"began"`
	Interrupted bool      `json:"interrupted"` // it has not said how it ended
	model.Record
}

// FromRuns is the document of runs.
func FromRuns(file string, runs []model.Run) History {
	h := History{Version: 1, File: file, Runs: []HistoryRun{}}
	for _, r := range runs {
		h.Runs = append(h.Runs, HistoryRun{Began: r.Began, Interrupted: r.Interrupted, Record: r.Record})
	}
	return h
}
