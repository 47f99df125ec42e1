package jsonv1

import (
	"pgtui/model"
	"pgtui/plan/action"
)

// Timelines is what `pgtui patroni history <cluster> -o json` prints.
type Timelines struct {
	Version   int                     `json:"version"` // 1
	Cluster   string                  `json:"cluster"`
	Timelines []action.TimelineSwitch `json:"timelines"` // that have ended, the oldest first
}

// NewTimelines makes the document.
func NewTimelines(c *model.Cluster, rows []action.TimelineSwitch) Timelines {
	return Timelines{1, string(c.Name), append([]action.TimelineSwitch{}, rows...)}
}
