// Package candidate judges who can take over the leader's role: for every member
// every gate with its number, and what Patroni answers to a switchover or a
// failover. It is pure.
package candidate

import (
	"slices"
	"time"

	"pgtui/model"
)

// Verdict is what a gate means for a takeover.
type Verdict string

// The verdicts, from good to bad. No outranks Unknown: what is known to refuse
// refuses.
const (
	Pass    Verdict = "pass"
	Note    Verdict = "note"    // worth knowing; it stops nothing
	Risk    Verdict = "risk"    // Patroni would do it; the operator may not want it
	Unknown Verdict = "unknown" // the datum is missing
	No      Verdict = "no"      // Patroni refuses it
)

// Rank orders verdicts from good to bad: Pass is 0, and what is no verdict -1.
func Rank(v Verdict) int { return slices.Index([]Verdict{Pass, Note, Risk, Unknown, No}, v) }

// worse is the worse of two verdicts.
func worse(a, b Verdict) Verdict {
	if Rank(b) > Rank(a) {
		return b
	}
	return a
}

// Gate is one condition with what was read.
type Gate struct {
	Name    string  // stable, kebab-case: "received-lag", "timeline", "haproxy-view"
	Verdict Verdict // of this gate alone
	What    string  // a clause with its number: "12 kB behind, limit 1 MB"
	Host    model.Host
	// Service is the service of a haproxy-view; "" of every other gate.
	Service model.ServiceName
	// Value and Limit are the numbers, in Unit; meaningless when Unit is "". A
	// Limit of 0 is none.
	Value, Limit int64
	Unit         string // "bytes", "seconds", "ms", "timeline", "sessions", "count"
	// By is Patroni's gate that refuses: "A" (the member that gets the call
	// answers 412), "B" (the leader's next loop: 503), "C" (while it stops); ""
	// when the gate is not Patroni's.
	By   string
	Risk string // the name of the risk, as --accept-risk takes it; "" for none
	Try  string // what to do about it
}

// Candidate is one member that does not lead.
type Candidate struct {
	Instance model.InstanceName
	Host     model.Host
	Verdict  Verdict // the worst of its gates
	Gates    []Gate
	patroni  facts
}

// Gap is how long clients of the primary port will find no leader, in parts.
type Gap struct {
	Low, High time.Duration
	// Open reports that a part has no known end, so High is none.
	Open  bool
	Parts []string // "0.5 to 2 s to stop and hand over", "2 to 4 s until HAProxy's checks pass: rise 3 × 1 s"
}

// Port is the sessions of one service port that a takeover cuts.
type Port struct {
	Service  model.ServiceName
	Port     uint16
	Sessions int64
	Known    bool
}

// Table is the answer of `pgtui candidates`.
type Table struct {
	Cluster model.ClusterName
	Leader  model.InstanceName // "" when there is none, or it is unknown
	Why     string             // why Leader is ""
	// Gates are those of the cluster and its leader: archiver, prepared and long
	// transactions, pause, a scheduled switchover.
	Gates      []Gate
	Candidates []Candidate // in the inventory's order
	Ports      []Port
	Gap        Gap
	Rules      string // what Patroni decides by, in one line, with its source
	JudgedAt   time.Time
	patroni    clusterFacts
}

// Candidate returns the candidate of that name, or nil.
func (t *Table) Candidate(name model.InstanceName) *Candidate {
	for i := range t.Candidates {
		if t.Candidates[i].Instance == name {
			return &t.Candidates[i]
		}
	}
	return nil
}

// Best are the candidates with the best verdict, unless that is No or Unknown.
func (t *Table) Best() []*Candidate {
	var out []*Candidate
	best := Unknown
	for i := range t.Candidates {
		c := &t.Candidates[i]
		v := c.Able()
		if Rank(v) >= Rank(Unknown) || Rank(v) > Rank(best) {
			continue
		}
		if v != best {
			out, best = nil, v
		}
		out = append(out, c)
	}
	return out
}

// Able is the candidate's verdict with what is worth knowing counted as good.
func (c *Candidate) Able() Verdict { return able(c.Verdict) }

func able(v Verdict) Verdict {
	if v == Note {
		return Pass
	}
	return v
}

// lengthens reports whether a gate of the cluster is about how long a takeover
// lasts, not about whether it happens: when it is unknown, that is a risk.
func lengthens(name string) bool {
	return name == "archiver" || name == "prepared-transactions" || name == "long-transactions"
}

// Verdict is whether a member can take over: Pass when one can, Risk when one
// can only with a risk, No when none can, Unknown otherwise.
func (t *Table) Verdict() Verdict {
	cluster := Pass
	for i := range t.Gates {
		v := t.Gates[i].Verdict
		if v == Unknown && lengthens(t.Gates[i].Name) {
			v = Risk
		}
		cluster = worse(cluster, v)
	}
	best := No
	for i := range t.Candidates {
		if v := t.Candidates[i].Verdict; Rank(v) < Rank(best) {
			best = v
		}
	}
	return able(worse(best, cluster))
}

// Code is the exit code of `pgtui candidates`: 0 a member can take over, 1 only
// with a risk, 2 none can, 3 that is unknown.
func (t *Table) Code() int {
	switch t.Verdict() {
	case Pass:
		return 0
	case Risk:
		return 1
	case No:
		return 2
	}
	return 3
}
