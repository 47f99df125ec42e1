package model

// Verdict is the one word for a server, a view or a service. The same words
// are on every screen, in every command, in JSON and in docs/verdicts.md.
type Verdict string

// The verdicts. Which one holds is decided in route.go only.
const (
	Serving       Verdict = "serving"        // gets new connections now
	BackupServing Verdict = "backup-serving" // gets them because no regular server can
	Standby       Verdict = "standby"        // a backup server held back, ready
	Settling      Verdict = "settling"       // HAProxy has not finished its first check: eligible, but not proven
	Draining      Verdict = "draining"       // keeps old connections, gets no new ones
	Maint         Verdict = "maint"          // taken out by hand
	Refused       Verdict = "refused"        // Patroni answers the check, and says no: normal for a replica on /primary
	Down          Verdict = "down"           // the check gets no answer it understands
	Unselected    Verdict = "unselected"     // the service's selector does not name it
	Missing       Verdict = "missing"        // promised, but HAProxy has no such section or server
	Empty         Verdict = "empty"          // no server gets new connections
	Mismatch      Verdict = "mismatch"       // sources disagree about who serves
	Unknown       Verdict = "unknown"        // never drawn as healthy
)

// EmptyByDesign is how screens and commands write Empty for a service without
// a server by design; JSON writes Empty.
const EmptyByDesign = "empty by design"

// Verdicts are all of them, in the order of the help and of docs/verdicts.md.
func Verdicts() []Verdict {
	return []Verdict{Serving, BackupServing, Standby, Settling, Draining, Maint, Refused, Down, Unselected, Missing, Empty, Mismatch, Unknown}
}

// Health is the exit-code word of a cluster or of the whole fleet.
type Health int

// The healths, worst last. Their numbers are the exit codes of `pgtui status`.
const (
	HealthOK       Health = 0
	HealthDegraded Health = 1
	HealthDown     Health = 2
	HealthUnknown  Health = 3
)

// String is the word for the health.
func (h Health) String() string {
	switch h {
	case HealthOK:
		return "ok"
	case HealthDegraded:
		return "degraded"
	case HealthDown:
		return "down"
	default:
		return "unknown"
	}
}

// Rank orders healths from best to worst: a service known to be down outweighs
// one that is unknown, which outweighs a degraded one.
func Rank(h Health) int {
	switch h {
	case HealthOK:
		return 0
	case HealthDegraded:
		return 1
	case HealthDown:
		return 3
	default:
		return 2
	}
}

// Worse returns the worse of two healths.
func Worse(a, b Health) Health {
	if Rank(b) > Rank(a) {
		return b
	}
	return a
}
