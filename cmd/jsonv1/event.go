package jsonv1

import (
	"time"

	"pgtui/model/board"
)

// Event is one line of `pgtui status --watch -o ndjson`.
type Event struct {
	Version  int       `json:"version"` // 1
	At       time.Time `json:"at"`      // when it was noticed
	Cluster  string    `json:"cluster"`
	Kind     string    `json:"kind"`    // leader, member, route, finding
	Subject  string    `json:"subject"` // who or what changed
	Before   string    `json:"before"`
	After    string    `json:"after"`
	Severity string    `json:"severity"`
}

// NewEvent is the JSON of an event.
func NewEvent(e board.Event) Event {
	return Event{Version: 1, At: e.At.UTC(), Cluster: string(e.Cluster), Kind: e.Kind, Subject: e.Subject, Before: e.Before, After: e.After,
		Severity: e.Severity.String()}
}
