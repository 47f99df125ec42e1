package model

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
}
