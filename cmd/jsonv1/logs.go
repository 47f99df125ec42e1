package jsonv1

import (
	"time"

	"pgtui/model"
)

// Logs is `pgtui logs -o json`. With -f it is a line for each batch, with what is new.
type Logs struct {
	Version int         `json:"version"` // 1
	Host    string      `json:"host"`    // as the inventory names it
	Node    string      `json:"node"`    // its nodename; "" when it has none
	Sources []LogSource `json:"sources"`
	Lines   []LogLine   `json:"lines"` // the oldest first
}

// LogSource is where the lines of a unit come from, or why there are none.
type LogSource struct {
	Unit  string `json:"unit"`
	From  string `json:"from"`  // a path, or "the journal of haproxy"
	Error string `json:"error"` // "" when it was read
}

// LogLine is one line of a log.
type LogLine struct {
	At    *time.Time `json:"at"` // by the clock of the node; null when the log has no time
	Unit  string     `json:"unit"`
	Level string     `json:"level"` // debug, info, warning, error; "" when the line does not show it
	Text  string     `json:"text"`  // without control characters, secrets masked by their form
}

// NewLogs is the document of a node without lines.
func NewLogs(inv *model.Inventory, h model.Host) *Logs {
	l := &Logs{Version: 1, Host: string(h), Sources: []LogSource{}, Lines: []LogLine{}}
	if n := inv.Node(h); n != nil {
		l.Node = n.Name
	}
	return l
}

// Add adds a batch.
func (l *Logs) Add(b model.LogBatch) {
	for _, s := range b.Sources {
		x := LogSource{Unit: string(s.Unit), From: s.From}
		if s.Err != nil {
			x.Error = s.Err.Error()
		}
		l.Sources = append(l.Sources, x)
	}
	for _, s := range b.Lines {
		x := LogLine{Unit: string(s.Unit), Level: s.Level.String(), Text: s.Text}
		if !s.At.IsZero() {
			at := s.At.UTC()
			x.At = &at
		}
		l.Lines = append(l.Lines, x)
	}
}

// Take is the document so far, and begins another.
func (l *Logs) Take() Logs {
	out := *l
	l.Sources, l.Lines = []LogSource{}, []LogLine{}
	return out
}
