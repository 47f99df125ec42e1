package model

import "time"

// Severity ranks findings.
type Severity int

// The severities, worst first.
const (
	Critical Severity = iota // clients cannot work, or work on the wrong server
	Warning                  // something is lost or about to hurt
	Info                     // worth knowing
)

// String is the word for the severity.
func (s Severity) String() string { return [...]string{"critical", "warning", "info"}[s] }

// Finding is one thing that is wrong, with the evidence and the next step.
type Finding struct {
	Code     string // stable, kebab-case: "no-leader"
	Severity Severity
	Cluster  ClusterName
	Service  ServiceName  // "" when it is not about one
	Instance InstanceName // "" when it is not about one
	Host     Host         // "" when it is not about one
	Summary  string       // one line: what is wrong
	Evidence []string     // what was seen, and where
	Hint     string       // what to type or look at next
	// Drift: files, roles or the running configuration differ from the inventory.
	// It does not count for health: clients reach the right instance.
	Drift bool
	// Due is when Patroni acts on it by itself, at the latest; zero when it does
	// not, or when that is unknown. The summary counts down to it.
	Due time.Time
}

// Cause is one problem on all its nodes, with the findings that follow from it. A
// screen shows it as one line.
type Cause struct {
	Finding       // the summary names every node and instance that it holds for
	Same    []int // the findings that say the same, by their place in the list; never empty
	Effects []int // the findings that follow from it, by their place in the list
}
