package model

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// PatroniConf is the part of Patroni's dynamic configuration (GET /config) that
// decides who may lead, as patroni/global_config.py reads it. The zero value
// is not what Patroni does without configuration: DefaultPatroniConf is.
type PatroniConf struct {
	Sync          bool  // synchronous_mode is on, quorum commit included
	Quorum        bool  // synchronous_mode: quorum (4.0)
	Strict        bool  // synchronous_mode_strict
	SyncNodes     int   // synchronous_node_count, at least 1
	MaxLag        int64 // maximum_lag_on_failover, bytes
	MaxSyncLag    int64 // maximum_lag_on_syncnode, bytes; 0 and below is no limit
	CheckTimeline bool  // check_timeline
	Failsafe      bool  // failsafe_mode (3.0)
	Standby       bool  // standby_cluster has a host, a port or a restore_command
}

// MaxLagOnFailover is how far, in bytes, a replica may be behind and still win an
// election: Patroni's default of maximum_lag_on_failover, and what Pigsty's
// patroni.yml has. A cluster's dynamic configuration may say otherwise.
const MaxLagOnFailover = 1 << 20

// DefaultPatroniConf is how Patroni decides when nothing is configured.
func DefaultPatroniConf() PatroniConf { return PatroniConf{SyncNodes: 1, MaxLag: MaxLagOnFailover} }

// PatroniConfOf reads the values of GET /config as Patroni does. get returns a
// key as Python prints it ("True", "quorum", "1048576"), "" for one that is
// not there; standby reports whether standby_cluster has what makes one.
func PatroniConfOf(get func(key string) string, standby bool) PatroniConf {
	on := func(key string) bool { b, ok := ParseBool(get(key)); return ok && b }
	number := func(key string, missing int64) int64 {
		if n, ok := ParseInt(get(key), ""); ok {
			return n
		}
		return missing
	}
	c := PatroniConf{
		Quorum: strings.EqualFold(get("synchronous_mode"), "quorum"), Strict: on("synchronous_mode_strict"),
		SyncNodes: int(max(number("synchronous_node_count", 1), 1)), MaxLag: number("maximum_lag_on_failover", MaxLagOnFailover),
		MaxSyncLag: number("maximum_lag_on_syncnode", -1), CheckTimeline: on("check_timeline"), Failsafe: on("failsafe_mode"), Standby: standby,
	}
	c.Sync = (on("synchronous_mode") || c.Quorum) && !standby
	c.Quorum = c.Quorum && !standby
	return c
}

// ParseBool is Patroni's parse_bool (patroni/utils.py): on, true, yes and 1,
// off, false, no and 0, in any case. ok is false for anything else, which
// Patroni's modes take for "no".
func ParseBool(v string) (value, ok bool) {
	switch strings.ToLower(v) {
	case "on", "true", "yes", "1":
		return true, true
	case "off", "false", "no", "0":
		return false, true
	}
	return false, false
}

var (
	intBegin   = regexp.MustCompile(`^[-+]?(?:0x[0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)`)
	floatBegin = regexp.MustCompile(`^[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?`)
)

// ParseInt is Patroni's parse_int (patroni/utils.py): a number in C's notation
// and a unit that PostgreSQL knows. base is the unit of the result, "B"; with
// "" a number that has a unit is refused, as Patroni does.
func ParseInt(v, base string) (n int64, ok bool) {
	v = strings.TrimSpace(v)
	head := intBegin.FindString(v)
	rest := v[len(head):]
	var value float64
	if head == "" || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "e") || strings.HasPrefix(rest, "E") {
		if head = floatBegin.FindString(v); head == "" {
			return 0, false
		}
		f, err := strconv.ParseFloat(head, 64)
		if err != nil {
			return 0, false
		}
		rest, value = v[len(head):], f
	} else {
		i, err := strconv.ParseInt(head, 0, 64)
		if err != nil {
			return 0, false
		}
		value = float64(i)
	}
	switch unit := strings.TrimSpace(rest); unit {
	case "":
	default:
		size, known := map[string]float64{"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}[unit]
		if !known || base != "B" {
			return 0, false
		}
		if less := size / 1024; less >= 1 { // to a whole number of the next smaller unit
			value = math.RoundToEven(value*size/less) * less
		}
	}
	if math.Abs(value) > math.MaxInt64/2 {
		return 0, false
	}
	return int64(math.RoundToEven(value)), true
}

// Generation reports whether this Patroni is of that version or later. One that
// does not tell its version is taken for a current one.
func (s *PatroniStatus) Generation(major, minor, patch int) bool {
	parts := strings.SplitN(s.Version, ".", 3)
	if s.Version == "" {
		return true
	}
	for i, want := range []int{major, minor, patch} {
		got := 0
		if i < len(parts) {
			digits := strings.IndexFunc(parts[i], func(r rune) bool { return r < '0' || r > '9' })
			if digits < 0 {
				digits = len(parts[i])
			}
			got, _ = strconv.Atoi(parts[i][:digits])
		}
		if got != want {
			return got > want
		}
	}
	return true
}

// Set reports whether a tag counts as true for Python: everything does but
// false, 0, null and what is empty. The text "false" is true.
func (s *PatroniStatus) Set(tag string) bool { return s.Tags[tag] != "" && !s.Untrue[tag] }

// NoLB reports whether the tag noloadbalance keeps reads away.
func (s *PatroniStatus) NoLB() bool { return s.Set("noloadbalance") }

// NoStream reports whether the tag nostream makes it read WAL from the archive
// alone (Patroni 3.3): the values that Patroni's parse_bool takes for true.
func (s *PatroniStatus) NoStream() bool {
	return slices.Contains([]string{"true", "on", "yes", "1"}, strings.ToLower(s.Tags["nostream"]))
}

// NoFailover reports whether the member never takes over: the tag nofailover,
// and without it a failover_priority of 0 or less (3.2).
func (s *PatroniStatus) NoFailover() bool {
	return s.boolTag("nofailover", "failover_priority", 3, 2, 0)
}

// NoSync reports whether the member never becomes a synchronous standby: the tag
// nosync, and without it a sync_priority of 0 or less (4.1).
func (s *PatroniStatus) NoSync() bool { return s.boolTag("nosync", "sync_priority", 4, 1, 0) }

func (s *PatroniStatus) boolTag(name, priority string, major, minor, patch int) bool {
	if s.Tags[name] != "" || !s.Generation(major, minor, patch) {
		return s.Set(name)
	}
	n, ok := ParseInt(s.Tags[priority], "")
	return ok && n <= 0
}

// FailoverPriority decides between members that have received equally much WAL:
// the higher one leads. Before 3.2 all are equal.
func (s *PatroniStatus) FailoverPriority() int64 {
	return s.priority("nofailover", "failover_priority", 3, 2, 0)
}

// SyncPriority says which replica becomes a synchronous standby first (4.1).
func (s *PatroniStatus) SyncPriority() int64 { return s.priority("nosync", "sync_priority", 4, 1, 0) }

func (s *PatroniStatus) priority(name, priority string, major, minor, patch int) int64 {
	if s.Set(name) {
		return 0
	}
	if n, ok := ParseInt(s.Tags[priority], ""); ok && s.Generation(major, minor, patch) {
		return n
	}
	return 1
}

// Position is how much WAL the member has, bytes: what a primary has written,
// what a replica has received or, of an archive, replayed. -1 when it is not
// reported. Patroni's leader race goes by it, not by what is replayed alone.
func (s *PatroniStatus) Position() int64 {
	if s.Role == "primary" && s.Location >= 0 {
		return s.Location
	}
	return max(s.Received, s.Replayed)
}

// Backlog is how much WAL a replica has received and not replayed, bytes: a new
// leader replays it before it opens. 0 when that is unknown.
func (s *PatroniStatus) Backlog() int64 {
	if s.Received < 0 || s.Replayed < 0 {
		return 0
	}
	return max(0, s.Received-s.Replayed)
}

// ReportsStreaming reports whether this version of Patroni reports replication_state:
// since 3.0.4.
func (s *PatroniStatus) ReportsStreaming() bool { return s.Version != "" && s.Generation(3, 0, 4) }
