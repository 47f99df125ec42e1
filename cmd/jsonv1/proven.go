package jsonv1

import (
	"time"

	"pgtui/model/board"
)

// Proven is what real connections through one port found.
type Proven struct {
	Instances map[string]int `json:"instances"` // who answered, and how often
	Unnamed   int            `json:"unnamed"`   // answered by somebody who could not be named
	Failed    int            `json:"failed"`
	Ms        *float64       `json:"ms"` // null: no answer; the slowest login and answer together
	ConnectMs *float64       `json:"connect_ms"`
	QueryMs   *float64       `json:"query_ms"`
	Recovery  int            `json:"in_recovery"` // answers from a server in recovery
	Timeline  int            `json:"timeline,omitempty"`
	Agrees    *bool          `json:"agrees"` // with HAProxy's word; null: nothing can be concluded
	Error     string         `json:"error,omitempty"`
	Why       string         `json:"why,omitempty"`
	AgeMs     *int64         `json:"age_ms"`
}

func newProven(p *board.Proven, now time.Time) *Proven {
	if p == nil {
		return nil
	}
	out := &Proven{Instances: map[string]int{}, Unnamed: p.Unknown, Failed: p.Failed, Recovery: p.Recovery, Timeline: p.Timeline,
		Error: p.Error, Why: p.Note, AgeMs: age(p.At, now)}
	named := 0
	for name, n := range p.Instances {
		out.Instances[string(name)] = n
		named += n
	}
	if p.Total() > p.Failed {
		connect, query, both := ms(p.Connect), ms(p.Query), ms(p.Connect+p.Query)
		out.ConnectMs, out.QueryMs, out.Ms = &connect, &query, &both
	}
	bad, good := false, true
	switch {
	case p.Against != "":
		out.Agrees, out.Why = &bad, p.Against
	case p.Dead != "":
		out.Agrees, out.Why = &bad, p.Dead
	case named > 0 && p.Note == "" && p.Failed == 0:
		out.Agrees = &good
	}
	return out
}

// ms is a duration in milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
