package jsonv1

import (
	"time"

	"pgtui/model/candidate"
)

// Candidates is what `pgtui candidates -o json` prints. No list in it is null.
type Candidates struct {
	Version int `json:"version"` // 1
	Past
	Cluster    string          `json:"cluster"`
	Leader     *string         `json:"leader"` // null: there is none, or it is unknown
	LeaderWhy  string          `json:"leader_why"`
	ExitCode   int             `json:"exit_code"`
	Verdict    string          `json:"verdict"` // pass, risk, unknown, no
	Summary    string          `json:"summary"`
	Rules      string          `json:"rules"` // what Patroni decides by, with its source
	JudgedAt   time.Time       `json:"judged_at"`
	Gates      []CandidateGate `json:"gates"` // of the cluster and its leader
	Candidates []Candidate     `json:"candidates"`
	Ports      []CandidatePort `json:"ports"`
	Gap        CandidateGap    `json:"gap"`
}

// Candidate is one member that does not lead.
type Candidate struct {
	Instance string          `json:"instance"`
	Host     string          `json:"host"`
	Verdict  string          `json:"verdict"` // pass, note, risk, unknown, no
	Gates    []CandidateGate `json:"gates"`
	// Switchover and Failover are what Patroni does with one to this member.
	Switchover CandidatePrediction `json:"switchover"`
	Failover   CandidatePrediction `json:"failover"`
}

// CandidateGate is one condition.
type CandidateGate struct {
	Name    string  `json:"name"`
	Verdict string  `json:"verdict"` // pass, note, risk, unknown, no
	What    string  `json:"what"`
	Host    string  `json:"host"`         // "": not of one host
	Service string  `json:"service"`      // of a haproxy-view; "" of another
	Value   *int64  `json:"value"`        // null: no number
	Limit   *int64  `json:"limit"`        // null: no limit
	Unit    string  `json:"unit"`         // bytes, seconds, ms, timeline, sessions, count; "" without a number
	Gate    *string `json:"patroni_gate"` // A, B, C; null: not Patroni's
	Risk    *string `json:"risk"`         // null: none
	Try     string  `json:"try"`
}

// CandidatePort is the sessions of one port that a takeover ends.
type CandidatePort struct {
	Service  string `json:"service"`
	Port     int    `json:"port"`
	Sessions *int64 `json:"sessions"` // null: unknown
}

// CandidateGap is how long clients find no leader.
type CandidateGap struct {
	LowMs  int64    `json:"low_ms"`
	HighMs *int64   `json:"high_ms"` // null: a part has no known end
	Parts  []string `json:"parts"`
}

// CandidatePrediction is what Patroni answers.
type CandidatePrediction struct {
	Verdict string  `json:"verdict"`      // pass, no, unknown
	Gate    *string `json:"patroni_gate"` // A, B; null unless it refuses
	Status  *int    `json:"status"`       // HTTP; null unless it refuses
	Answer  string  `json:"answer"`
	Why     string  `json:"why"`
}

// NewCandidates is the JSON of a table.
func NewCandidates(t *candidate.Table) Candidates {
	out := Candidates{
		Version: 1, Cluster: string(t.Cluster), Leader: named(t.Leader), LeaderWhy: t.Why, ExitCode: t.Code(), Verdict: string(t.Verdict()), Summary: t.Summary(),
		Rules: t.Rules, JudgedAt: t.JudgedAt.UTC().Truncate(time.Millisecond), Gates: candidateGates(t.Gates), Candidates: []Candidate{}, Ports: []CandidatePort{},
		Gap: CandidateGap{LowMs: t.Gap.Low.Milliseconds(), Parts: append([]string{}, t.Gap.Parts...)},
	}
	if high := t.Gap.High.Milliseconds(); !t.Gap.Open {
		out.Gap.HighMs = &high
	}
	for i := range t.Candidates {
		c := &t.Candidates[i]
		out.Candidates = append(out.Candidates, Candidate{
			Instance: string(c.Instance), Host: string(c.Host), Verdict: string(c.Verdict), Gates: candidateGates(c.Gates),
			Switchover: candidatePrediction(candidate.Predict(t, c.Instance, false)), Failover: candidatePrediction(candidate.Predict(t, c.Instance, true)),
		})
	}
	for i := range t.Ports {
		p := &t.Ports[i]
		port := CandidatePort{Service: string(p.Service), Port: int(p.Port)}
		if p.Known {
			port.Sessions = &p.Sessions
		}
		out.Ports = append(out.Ports, port)
	}
	return out
}

func candidateGates(gates []candidate.Gate) []CandidateGate {
	out := make([]CandidateGate, len(gates))
	for i := range gates {
		g := &gates[i]
		out[i] = CandidateGate{Name: g.Name, Verdict: string(g.Verdict), What: g.What, Host: string(g.Host), Service: string(g.Service), Unit: g.Unit, Gate: orNull(g.By), Risk: orNull(g.Risk), Try: g.Try}
		if g.Unit != "" {
			out[i].Value = &g.Value
			if g.Limit != 0 {
				out[i].Limit = &g.Limit
			}
		}
	}
	return out
}

func candidatePrediction(p candidate.Prediction) CandidatePrediction {
	out := CandidatePrediction{Verdict: string(p.Verdict), Gate: orNull(p.Gate), Answer: p.Says, Why: p.Why}
	if p.Status != 0 {
		out.Status = &p.Status
	}
	return out
}

// orNull is a text, nil for none.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
