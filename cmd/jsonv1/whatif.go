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
	// Held are the instances that pass a service's check then and get no new
	// connections there, because they were taken out by hand.
	Held []WhatIfHeld `json:"held"`
	// AdminState tells of which HAProxies that is known.
	AdminState WhatIfAdmin `json:"admin_state"`
}

// WhatIfHeld is one instance of one service that was taken out by hand.
type WhatIfHeld struct {
	Service  string   `json:"service"`
	Instance string   `json:"instance"`
	State    string   `json:"state"`   // drain, maint, or weight for a weight of 0
	HAProxy  []string `json:"haproxy"` // inventory names of the nodes
	Text     string   `json:"text"`
}

// WhatIfAdmin is where "show servers state" was read, which alone tells whether a
// server that is DOWN is drained.
type WhatIfAdmin struct {
	Known  bool           `json:"known"` // on every HAProxy
	Unread []WhatIfUnread `json:"unread"`
}

// WhatIfUnread is one HAProxy where it was not.
type WhatIfUnread struct {
	HAProxy string `json:"haproxy"`
	Why     string `json:"why"`
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
		Down: append([]string{}, names(sup.Down)...), Why: o.Why, Services: []WhatIfService{},
		Held: []WhatIfHeld{}, AdminState: WhatIfAdmin{Known: len(o.Unread) == 0, Unread: []WhatIfUnread{}}}
	for i := range o.Held {
		h := &o.Held[i]
		held := WhatIfHeld{Service: string(h.Service), Instance: string(h.Instance), State: string(h.Admin), Text: h.Text()}
		if h.Admin == model.AdminReady {
			held.State = "weight"
		}
		for _, host := range h.HAProxy {
			held.HAProxy = append(held.HAProxy, string(host))
		}
		out.Held = append(out.Held, held)
	}
	for _, u := range o.Unread {
		out.AdminState.Unread = append(out.AdminState.Unread, WhatIfUnread{HAProxy: string(u.HAProxy), Why: u.Why})
	}
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
