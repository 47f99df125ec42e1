package jsonv1

import (
	"time"

	"pgtui/model"
)

// WhatIf is what `pgtui whatif -o json` prints.
type WhatIf struct {
	Version  int             `json:"version"` // 1
	TakenAt  time.Time       `json:"taken_at"`
	Cluster  string          `json:"cluster"`
	Down     []string        `json:"down"`
	Leader   *string         `json:"leader"` // who leads then; null: nobody can
	Why      string          `json:"why"`    // why that one
	Services []WhatIfService `json:"services"`
}

// WhatIfService is one service before and after.
type WhatIfService struct {
	Name        string   `json:"name"`
	Port        any      `json:"port"`
	Serving     []string `json:"serving"` // now; null: not known
	Then        []string `json:"then"`    // then; null: not known
	Verdict     string   `json:"verdict"` // then
	Why         string   `json:"why"`
	SessionsCut int64    `json:"sessions_cut"`
}

// NewWhatIf is the JSON of an outcome.
func NewWhatIf(sup model.Supposition, o model.Outcome, now time.Time) WhatIf {
	out := WhatIf{Version: 1, TakenAt: now.UTC().Truncate(time.Millisecond), Cluster: string(o.After.Cluster.Name),
		Down: append([]string{}, names(sup.Down)...), Why: o.Why, Services: []WhatIfService{}}
	if o.Leader != "" {
		s := string(o.Leader)
		out.Leader = &s
	}
	for i, r := range o.After.Routes {
		out.Services = append(out.Services, WhatIfService{Name: string(r.Service), Port: port(r.Port), Serving: names(o.Before.Routes[i].Serving),
			Then: names(r.Serving), Verdict: string(r.Verdict), Why: r.Why, SessionsCut: o.Cut[r.Service]})
	}
	return out
}
