// Package candidate judges who can take over the leader's role: for every member
// every gate with its number. It is pure.
package candidate

import (
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
	No      Verdict = "no"      // Patroni refuses, or no client is served afterwards
)

// Gate is one condition with what was read.
type Gate struct {
	Name    string  // stable, kebab-case: "received-lag", "timeline", "haproxy-view"
	Verdict Verdict // of this gate alone
	What    string  // a clause with its number: "12 kB behind, limit 1 MB"
	Host    model.Host
	// Value and Limit are the numbers, in Unit; meaningless when Unit is "".
	Value, Limit int64
	Unit         string // "bytes", "seconds", "timeline", "sessions", "count"
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
}

// Gap is how long clients of the primary port will find no leader, in parts.
type Gap struct {
	Low, High time.Duration
	Parts     []string // "0.5 to 2 s to stop and hand over", "2 to 3 s until HAProxy's checks pass: rise 3 × 1 s"
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
}
