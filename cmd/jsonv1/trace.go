package jsonv1

import (
	"time"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
)

// Trace is the document of `pgtui trace -o json`.
type Trace struct {
	Version   int            `json:"version"` // 1
	Inventory string         `json:"inventory"`
	DSN       string         `json:"dsn"`  // as a URI, without a password
	User      string         `json:"user"` // who logged in
	Why       string         `json:"user_why,omitempty"`
	Health    string         `json:"health"`
	Summary   string         `json:"summary"` // who answers, or the hop that fails
	ExitCode  int            `json:"exit_code"`
	Answered  bool           `json:"answered"`
	Attempts  []TraceAttempt `json:"attempts"` // in the order they were tried; the last one was kept or ended it
	Spread    TraceSpread    `json:"spread"`
}

// TraceAttempt is one address.
type TraceAttempt struct {
	Host     string     `json:"host"`
	Port     uint16     `json:"port"`
	Addr     string     `json:"addr"` // "" when the name gave none
	Skipped  string     `json:"skipped,omitempty"`
	Cluster  string     `json:"cluster"`
	Service  string     `json:"service"`
	Instance string     `json:"instance"` // who answered; "" without an answer, or when it cannot be identified
	Role     string     `json:"role"`     // primary or replica; "" without an answer
	Timeline int        `json:"timeline"`
	Hops     []TraceHop `json:"hops"`
}

// TraceHop is one station.
type TraceHop struct {
	Kind    string   `json:"kind"` // name, address, vip, haproxy, server, pgbouncer, postgres
	At      string   `json:"at"`
	Verdict string   `json:"verdict"` // ok, wrong, unknown
	Ms      *float64 `json:"ms"`      // null: cannot be separated
	Text    string   `json:"text"`
}

// TraceSpread is who answered how often.
type TraceSpread struct {
	Total     int            `json:"total"`
	Failed    int            `json:"failed"`
	Unnamed   int            `json:"unnamed"`
	Instances map[string]int `json:"instances"`
	MinMs     *float64       `json:"min_ms"`
	MedianMs  *float64       `json:"median_ms"`
	MaxMs     *float64       `json:"max_ms"`
}

// NewTrace makes the document.
func NewTrace(inv *model.Inventory, t *trace.Trace, s *trace.Spread) Trace {
	health := model.Worse(t.Health, s.Health())
	out := Trace{Version: 1, Inventory: inv.Source, DSN: t.Target.Text(access.FormURI), User: t.Target.Login.User, Why: t.Target.As,
		Health: t.Health.String(), Summary: t.Summary, ExitCode: int(health), Answered: t.Answered, Attempts: []TraceAttempt{},
		Spread: TraceSpread{Total: s.Total, Failed: s.Failed, Unnamed: s.Unnamed, Instances: map[string]int{}, MinMs: millis(s.Min), MedianMs: millis(s.Median), MaxMs: millis(s.Max)}}
	for n, c := range s.Instances {
		out.Spread.Instances[string(n)] = c
	}
	for i := range t.Attempts {
		a := &t.Attempts[i]
		n := TraceAttempt{Host: a.Host, Port: a.Port, Addr: a.Addr, Skipped: a.Skipped, Cluster: string(a.Cluster), Service: string(a.Service), Instance: string(a.Instance), Hops: []TraceHop{}}
		if a.Addr != "" && a.Try.Fault == "" {
			n.Role, n.Timeline = "primary", a.Try.Answer.Timeline
			if a.Try.Answer.Recovery {
				n.Role = "replica"
			}
		}
		for _, h := range a.Hops {
			n.Hops = append(n.Hops, TraceHop{Kind: string(h.Kind), At: h.At, Verdict: string(h.Verdict), Ms: millis(h.Took), Text: h.Text})
		}
		out.Attempts = append(out.Attempts, n)
	}
	return out
}

// millis is a duration in milliseconds; nil when it was not measured.
func millis(d time.Duration) *float64 {
	if d <= 0 {
		return nil
	}
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}
