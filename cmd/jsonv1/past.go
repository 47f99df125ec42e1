package jsonv1

import "time"

// Past is of a document about a time that is over. A live document has neither field.
type Past struct {
	// At is the time that was requested.
	At *time.Time `json:"at,omitempty"`
	// Source is what has it: recorder, or a file.
	Source string `json:"source,omitempty"`
}
