package jsonv1

import (
	"time"

	"pgtui/model/history"
)

// Timeline is `pgtui timeline CLUSTER -o json`.
type Timeline struct {
	Version   int                `json:"version"` // 1
	Cluster   string             `json:"cluster"`
	Since     time.Time          `json:"since"`
	Until     time.Time          `json:"until"`
	Sources   []TimelineSource   `json:"sources"`
	Events    []TimelineEvent    `json:"events"`  // oldest first
	Unknown   []TimelineUnknown  `json:"unknown"` // no source has what happened there
	Gaps      []TimelineGap      `json:"gaps"`
	Misrouted []TimelineMisroute `json:"misrouted"`
	Failovers []TimelineFailover `json:"failovers"`
	// SessionsCut are the sessions of servers that went down, by HAProxy's log; null when no line
	// has the number.
	SessionsCut *int `json:"sessions_cut"`
}

// TimelineSource is one source, and what became of it.
type TimelineSource struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"` // metrics, logs, history, audit
	Events int      `json:"events"`
	Error  string   `json:"error"` // "" when it was read
	Notes  []string `json:"notes"`
}

// TimelineEvent is one transition.
type TimelineEvent struct {
	At       time.Time          `json:"at"`
	WithinMs int64              `json:"within_ms"` // the true time is that far from it at most
	Kind     string             `json:"kind"`      // role, timeline, pause, lock, server, port, reload, request, patroni, vip, action
	Host     string             `json:"host"`      // "" for the cluster
	Instance string             `json:"instance"`  // "" when it is about none
	Section  string             `json:"section"`   // of HAProxy; "" when it is about none
	Before   string             `json:"before"`    // "" when no source has it
	After    string             `json:"after"`
	Why      string             `json:"why"`
	Cut      *int               `json:"sessions_cut"` // null when unknown
	Evidence []TimelineEvidence `json:"evidence"`     // the most exact first
	Against  []string           `json:"contradicts"`  // what contradicts it
}

// TimelineEvidence is what one source has of an event.
type TimelineEvidence struct {
	Source string    `json:"source"`
	At     time.Time `json:"at"`
	Text   string    `json:"text"`
}

// TimelineUnknown is a time without an answer.
type TimelineUnknown struct {
	What string    `json:"what"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Why  string    `json:"why"`
}

// TimelineGap is a time in which one HAProxy had no server for a service.
type TimelineGap struct {
	Service  string    `json:"service"`
	Port     string    `json:"port"`
	HAProxy  string    `json:"haproxy"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Seconds  float64   `json:"seconds"`
	WithinMs int64     `json:"within_ms"`
	Before   bool      `json:"began_before"` // it began before the time
	Open     bool      `json:"open"`         // it lasted to the end of the time
}

// TimelineMisroute are connections that one HAProxy gave to a server that was not the leader.
type TimelineMisroute struct {
	HAProxy     string    `json:"haproxy"`
	Section     string    `json:"section"`
	Instance    string    `json:"instance"`
	Connections int64     `json:"connections"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
}

// TimelineFailover is one change of the leader.
type TimelineFailover struct {
	To     string          `json:"to"`
	Layers []TimelineLayer `json:"layers"`
}

// TimelineLayer is what one layer took.
type TimelineLayer struct {
	Name     string   `json:"layer"`
	Seconds  *float64 `json:"seconds"` // null when it is unknown
	WithinMs int64    `json:"within_ms"`
	Unknown  string   `json:"unknown"` // why; "" when it is known
}

// NewTimeline is the document of a timeline.
func NewTimeline(t *history.Timeline) Timeline {
	d := Timeline{Version: 1, Cluster: string(t.Cluster.Name), Since: t.Since, Until: t.Until, Sources: []TimelineSource{}, Events: []TimelineEvent{}, Unknown: []TimelineUnknown{},
		Gaps: []TimelineGap{}, Misrouted: []TimelineMisroute{}, Failovers: []TimelineFailover{}}
	if n, known := t.Cut(); known {
		d.SessionsCut = &n
	}
	for _, s := range t.Sources {
		x := TimelineSource{Name: s.Name, Kind: s.Kind, Events: s.Events, Notes: append([]string{}, s.Notes...)}
		if s.Err != nil {
			x.Error = s.Err.Error()
		}
		d.Sources = append(d.Sources, x)
	}
	for i := range t.Events {
		e := &t.Events[i]
		x := TimelineEvent{At: e.At, WithinMs: e.Within.Milliseconds(), Kind: string(e.Kind), Host: string(e.Host), Instance: string(e.Instance), Section: e.Proxy,
			Before: e.Before, After: e.After, Why: e.Why, Evidence: []TimelineEvidence{}, Against: append([]string{}, e.Against...)}
		if e.Cut >= 0 {
			x.Cut = &e.Cut
		}
		for _, v := range e.Evidence {
			x.Evidence = append(x.Evidence, TimelineEvidence(v))
		}
		d.Events = append(d.Events, x)
	}
	for _, u := range t.Unknown {
		d.Unknown = append(d.Unknown, TimelineUnknown{u.What, u.From, u.To, u.Why})
	}
	for i := range t.Gaps {
		g := &t.Gaps[i]
		d.Gaps = append(d.Gaps, TimelineGap{string(g.Service), g.Port, string(g.Host), g.From, g.To, g.Took().Seconds(), g.Within.Milliseconds(), g.Before, g.Open})
	}
	for _, m := range t.Misrouted {
		d.Misrouted = append(d.Misrouted, TimelineMisroute{string(m.Host), m.Proxy, string(m.Instance), m.Connections, m.From, m.To})
	}
	for _, f := range t.Failovers {
		x := TimelineFailover{To: string(f.To), Layers: []TimelineLayer{}}
		for _, l := range f.Layers {
			y := TimelineLayer{Name: l.Name, WithinMs: l.Within.Milliseconds(), Unknown: l.Unknown}
			if l.Unknown == "" {
				s := l.To.Sub(l.From).Seconds()
				y.Seconds = &s
			}
			x.Layers = append(x.Layers, y)
		}
		d.Failovers = append(d.Failovers, x)
	}
	return d
}
