package jsonv1

import (
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/failover"
)

// WhatIf is what `pgtui whatif -o json` prints.
type WhatIf struct {
	Version int `json:"version"` // 1
	Past
	TakenAt time.Time `json:"taken_at"`
	Cluster string    `json:"cluster"`
	Down    []string  `json:"down"`
	Leader  *string   `json:"leader"` // who leads then; null: no instance can, or it is unknown
	Known   bool      `json:"leader_known"`
	Why     string    `json:"why"` // why that one
	// Reasons are one sentence each: why not another, what makes the outage
	// longer, what else is lost.
	Reasons []string `json:"reasons"`
	// Nodes are those that are lost as a whole.
	Nodes      []string          `json:"nodes"`
	Candidates []WhatIfCandidate `json:"candidates"`
	Rules      WhatIfRules       `json:"rules"`
	// NodeLoss is what differs when the nodes of down are lost as a whole; null
	// when nothing does.
	NodeLoss *WhatIfNodeLoss `json:"node_loss"`
	Services []WhatIfService `json:"services"`
	// Held are the instances that pass a service's check then and get no new
	// connections there, because they were taken out by hand.
	Held []WhatIfHeld `json:"held"`
	// AdminState is of which HAProxies that is known.
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

// WhatIfAdmin is where "show servers state" was read, which alone shows whether a
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

// WhatIfCandidate is a member that is left and does not lead now.
type WhatIfCandidate struct {
	Name     string `json:"name"`
	May      bool   `json:"may_lead"`
	Why      string `json:"why"`           // why it may not; "" when it may
	Behind   *int64 `json:"behind_bytes"`  // WAL it has not received; null: unknown
	Backlog  int64  `json:"backlog_bytes"` // WAL it replays before it opens
	Priority int64  `json:"failover_priority"`
	Sync     bool   `json:"sync"` // it is in the /sync key
}

// WhatIfRules is what Patroni decides by.
type WhatIfRules struct {
	From     string `json:"from"`             // who says so
	Sync     string `json:"synchronous_mode"` // off, on, quorum
	Strict   bool   `json:"synchronous_mode_strict"`
	MaxLag   int64  `json:"maximum_lag_on_failover"` // bytes
	Timeline bool   `json:"check_timeline"`
	Failsafe bool   `json:"failsafe_mode"`
}

// WhatIfNodeLoss is the loss of whole nodes beside that of the instances on them.
type WhatIfNodeLoss struct {
	Nodes  []string `json:"nodes"`
	Leader *string  `json:"leader"` // null: no instance can
	Why    string   `json:"why"`
}

// WhatIfService is one service before and after.
type WhatIfService struct {
	Name        string   `json:"name"`
	Port        any      `json:"port"`
	Serving     []string `json:"serving"` // now; null: unknown
	Then        []string `json:"then"`    // then; null: unknown
	Verdict     string   `json:"verdict"` // then
	Why         string   `json:"why"`
	SessionsCut int64    `json:"sessions_cut"`
}

// NewWhatIf is the JSON of an outcome.
func NewWhatIf(sup failover.Supposition, o failover.Outcome, now time.Time) WhatIf {
	out := WhatIf{Version: 1, TakenAt: now.UTC().Truncate(time.Millisecond), Cluster: string(o.After.Cluster.Name),
		Down: append([]string{}, names(o.Down)...), Leader: named(o.Leader), Known: !o.Unsure, Why: o.Why, Reasons: append([]string{}, o.Reasons...),
		Nodes: model.Strings(sup.Nodes), Candidates: []WhatIfCandidate{}, Services: []WhatIfService{},
		Held: []WhatIfHeld{}, AdminState: WhatIfAdmin{Known: len(o.Unread) == 0, Unread: []WhatIfUnread{}}}
	r := o.Rules
	out.Rules = WhatIfRules{From: r.From, Sync: r.SyncMode(), Strict: r.Strict, MaxLag: r.MaxLag, Timeline: r.CheckTimeline, Failsafe: r.Failsafe}
	for _, c := range o.Candidates {
		w := WhatIfCandidate{Name: string(c.Instance), May: c.May, Why: c.Why, Backlog: c.Backlog, Priority: c.Priority, Sync: c.Sync}
		if c.Behind >= 0 {
			w.Behind = &c.Behind
		}
		out.Candidates = append(out.Candidates, w)
	}
	for i := range o.Held {
		h := &o.Held[i]
		held := WhatIfHeld{Service: string(h.Service), Instance: string(h.Instance), State: string(h.Admin), Text: h.Text()}
		if h.Admin == haproxy.AdminReady {
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
	if l := o.NodeLoss; l != nil {
		out.NodeLoss = &WhatIfNodeLoss{Nodes: model.Strings(l.Nodes), Leader: named(l.Leader), Why: l.Why}
	}
	for i, r := range o.After.Routes {
		out.Services = append(out.Services, WhatIfService{Name: string(r.Service), Port: port(r.Port), Serving: names(o.Before.Routes[i].Serving),
			Then: names(r.Serving), Verdict: string(r.Verdict), Why: r.Why, SessionsCut: o.Cut[r.Service]})
	}
	return out
}

// named is an instance, nil for none.
func named(n model.InstanceName) *string {
	if n == "" {
		return nil
	}
	s := string(n)
	return &s
}
