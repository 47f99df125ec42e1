package action

import (
	"encoding/json"
	"fmt"

	"pgtui/internal/text"
)

// TimelineSwitch is one line of GET /history: the end of a timeline.
type TimelineSwitch struct {
	Timeline int64  `json:"timeline"` // that ended
	LSN      int64  `json:"lsn"`      // where, bytes
	Reason   string `json:"reason"`
	At       string `json:"at,omitempty"`     // as Patroni writes it; "" in old entries
	Leader   string `json:"leader,omitempty"` // who led afterwards; "" in old entries
}

// ParseHistory reads the body of GET /history. The tail of a line may be missing.
func ParseHistory(body []byte) ([]TimelineSwitch, error) {
	var rows [][]any
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, fmt.Errorf("GET /history: %w", err)
	}
	out := make([]TimelineSwitch, 0, len(rows))
	for _, row := range rows {
		var s TimelineSwitch
		for i, v := range row {
			n, number := v.(float64)
			word := text.Line(fmt.Sprint(v), 200)
			switch {
			case i == 0 && number:
				s.Timeline = int64(n)
			case i == 1 && number:
				s.LSN = int64(n)
			case i == 2:
				s.Reason = word
			case i == 3:
				s.At = word
			case i == 4:
				s.Leader = word
			}
		}
		out = append(out, s)
	}
	return out, nil
}
