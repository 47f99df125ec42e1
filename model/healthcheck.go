package model

import "strings"

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

// Code is the status code of a health check, by Patroni's rules: paths are
// matched by substring, in this order, and what matches nothing is 503.
func (f HealthFacts) Code(target string) int {
	path, query, _ := strings.Cut(target, "?")
	path = strings.TrimPrefix(path, "/")
	var ok bool
	leader, primary, standby := f.leaders()
	switch replica := f.replica(query); {
	case path == "":
		ok = primary
	case strings.Contains(path, "standby_leader"), strings.Contains(path, "standby-leader"):
		ok = standby
	case strings.Contains(path, "leader"):
		ok = leader
	case strings.Contains(path, "master"), strings.Contains(path, "primary"), strings.Contains(path, "read-write"):
		ok = primary
	case strings.Contains(path, "replica"):
		ok = replica && f.tagged(query)
	case strings.Contains(path, "read-only") && !strings.Contains(path, "sync") && !(f.QuorumPaths && strings.Contains(path, "quorum")):
		ok = primary || standby || replica && f.tagged(query)
	case strings.Contains(path, "health"):
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
