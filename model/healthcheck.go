package model

import "strings"

// CheckRule is the rule of Patroni's that answers a health check (api.py,
// do_GET). The zero CheckRule answers 200 to none.
type CheckRule int

// The rules, in the order in which Patroni tries them.
const (
	RuleNone CheckRule = iota
	RuleStandbyLeader
	RuleLeader
	RulePrimary
	RuleReplica
	RuleReadOnly
	RuleHealth
	RuleMode // a path that is matched whole: /sync, /async, /quorum …
)

// CheckPath is the path of a health check as Patroni has it after urlparse:
// without parameters, query and fragment, and without the leading slash.
func CheckPath(check string) string {
	if i := strings.IndexAny(check, ";?#"); i >= 0 {
		check = check[:i]
	}
	return strings.TrimPrefix(check, "/")
}

// RuleOf is the rule that answers the check. Patroni matches by substring, in
// this order; "/" is /primary.
func RuleOf(check string) CheckRule {
	path := CheckPath(check)
	has := func(s string) bool { return strings.Contains(path, s) }
	switch {
	case path == "":
		return RulePrimary
	case has("standby_leader"), has("standby-leader"):
		return RuleStandbyLeader
	case has("leader"):
		return RuleLeader
	case has("master"), has("primary"), has("read-write"):
		return RulePrimary
	case has("replica"):
		return RuleReplica
	case has("read-only") && !has("sync") && !has("quorum"):
		return RuleReadOnly
	case has("health"):
		return RuleHealth
	}
	switch path {
	case "sync", "synchronous", "quorum", "async", "asynchronous", "read-only-sync", "read-only-synchronous", "read-only-quorum":
		return RuleMode
	}
	return RuleNone
}

// LockCheck is what a Patroni (2.0 and newer) answers with 200 when it holds
// the leader key, in a standby cluster too, and never else.
const LockCheck = "/leader"

// LockOnly reports whether only the holder of the leader key passes the check.
// A standby cluster has no primary.
func LockOnly(check string, standby bool) bool {
	switch RuleOf(check) {
	case RuleLeader:
		return true
	case RulePrimary:
		return !standby
	case RuleStandbyLeader:
		return standby
	}
	return false
}

// NobodyPasses reports whether the check is for the leader of the other kind of
// cluster: /primary in a standby cluster, /standby-leader in one that is not.
func NobodyPasses(check string, standby bool) bool {
	switch RuleOf(check) {
	case RulePrimary:
		return standby
	case RuleStandbyLeader:
		return !standby
	}
	return false
}

// WantsPrimary reports whether only the writable member of a cluster that takes
// writes passes the check.
func WantsPrimary(check string) bool { return LockOnly(check, false) }

// HealthFacts are what one Patroni decides its answers to health checks on
// (patroni/api.py, 2.1 to 4.1).
type HealthFacts struct {
	Lock        bool // this Patroni believes that it owns the leader key
	DCS         bool // its view of the DCS is younger than ttl
	Paused      bool
	Standby     bool   // the cluster is a standby cluster
	Role        string // primary, replica, standby_leader, demoted … (never master)
	Running     bool   // PostgreSQL answers
	Sync        bool   // sync_standby
	Quorum      bool   // quorum_standby
	NoLB        bool   // tag noloadbalance
	LeaderLSN   int64  // as the DCS has it; 0 when there is none
	Replayed    int64
	Tags        map[string]string
	QuorumPaths bool   // this generation of Patroni has the quorum paths (4.0)
	StatePaths  bool   // it reads replication_state= (after 4.1)
	Replication string // replication_state: streaming, in archive recovery; "" of neither
}

// Code is the status code of a health check, by Patroni's rules.
func (f HealthFacts) Code(target string) int {
	_, query, _ := strings.Cut(target, "?")
	var ok bool
	leader, primary, standby := f.leaders()
	replica, path := f.replica(query), CheckPath(target)
	switch rule := RuleOf(target); {
	case rule == RulePrimary:
		ok = primary
	case rule == RuleStandbyLeader:
		ok = standby
	case rule == RuleLeader:
		ok = leader
	case rule == RuleReplica:
		ok = replica && f.tagged(query)
	case rule == RuleReadOnly, !f.QuorumPaths && strings.Contains(path, "read-only") && !strings.Contains(path, "sync"):
		ok = primary || standby || replica && f.tagged(query)
	case rule == RuleHealth:
		ok = f.Running
	case f.DCS:
		ok = f.byMode(path, primary || standby, replica && f.tagged(query))
	}
	if ok {
		return 200
	}
	return 503
}

// leaders are the three answers that follow from the lock.
func (f HealthFacts) leaders() (leader, primary, standby bool) {
	switch {
	case !f.DCS && f.Paused:
		primary, standby = f.Role == "primary", f.Role == "standby_leader"
		return primary || standby, primary, standby
	case f.Lock && f.Standby:
		return true, false, f.Role == "replica" || f.Role == "standby_leader"
	case f.Lock:
		return true, true, false
	default:
		return false, false, false
	}
}

// replica is the rule of /replica without its tags.
func (f HealthFacts) replica(query string) bool {
	if f.Role != "replica" || !f.Running || f.NoLB {
		return false
	}
	if want := queried(query, "replication_state"); want != "" && f.StatePaths && want != f.Replication {
		return false
	}
	max, given := LagOf(query)
	return !given || f.LeaderLSN <= 0 || f.LeaderLSN <= f.Replayed+max
}

// byMode are the paths that are matched whole and need the DCS.
func (f HealthFacts) byMode(path string, writable, replica bool) bool {
	switch path {
	case "sync", "synchronous":
		return f.Sync && replica
	case "quorum":
		return f.QuorumPaths && f.Quorum && replica
	case "async", "asynchronous":
		return !f.Sync && !f.Quorum && replica
	case "read-only-sync", "read-only-synchronous":
		return writable || f.Sync && replica
	case "read-only-quorum":
		return f.QuorumPaths && (writable || f.Quorum && replica)
	}
	return false
}

// tagged reports whether every tag_… of the query is what the node has.
func (f HealthFacts) tagged(query string) bool {
	for _, kv := range strings.Split(query, "&") {
		k, v, _ := strings.Cut(kv, "=")
		if tag, ok := strings.CutPrefix(k, "tag_"); ok && f.Tags[tag] != v {
			return false
		}
	}
	return true
}

// LagOf is the lag= of a query in bytes; what Patroni cannot parse it ignores.
func LagOf(query string) (bytes int64, given bool) {
	v := queried(query, "lag")
	return ParseInt(v, "B")
}

// queried is the first value of a key in a query; "" when it has none.
func queried(query, key string) string {
	for _, kv := range strings.Split(query, "&") {
		if k, v, _ := strings.Cut(kv, "="); k == key && v != "" {
			return v
		}
	}
	return ""
}

// Patronis reports whether Patroni answers a health check with that status: it
// knows no other.
func Patronis(code int) bool { return code == 200 || code == 503 }
