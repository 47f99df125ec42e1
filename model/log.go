package model

import (
	"errors"
	"slices"
	"time"
)

// LogUnit is a component whose log can be read.
type LogUnit string

// The units, as --unit names them.
const (
	LogPatroni    LogUnit = "patroni"
	LogPostgres   LogUnit = "postgres"
	LogPgBouncer  LogUnit = "pgbouncer"
	LogHAProxy    LogUnit = "haproxy"
	LogVIPManager LogUnit = "vip-manager"
)

// LogUnits are all of them.
func LogUnits() []LogUnit {
	return []LogUnit{LogPatroni, LogPostgres, LogPgBouncer, LogHAProxy, LogVIPManager}
}

// LogLevel is how severe a line is. The zero value is for a line that does not
// show it.
type LogLevel int

// The levels.
const (
	LogUnknown LogLevel = iota
	LogDebug
	LogInfo
	LogWarning
	LogError
)

// String is the level in a word, "" for LogUnknown.
func (l LogLevel) String() string {
	return [...]string{"", "debug", "info", "warning", "error"}[l]
}

// LogLine is one line of a log. Its text is safe for a terminal, and passwords in
// it are masked as far as they are known by their form.
type LogLine struct {
	At    time.Time // by the clock of the node; zero when the line does not show it
	Unit  LogUnit
	Level LogLevel
	Text  string
}

// LogSource is where the lines of a unit come from.
type LogSource struct {
	Unit LogUnit
	From string // "/pg/log/patroni/patroni.log", "the journal of haproxy"
	Err  error  // why it cannot be read, or no longer
}

// ErrNoLog is a unit without a log on the node.
var ErrNoLog = errors.New("there is no log")

// LogBatch is what arrived of the logs of a node, the oldest line first, and the
// sources about which something is new.
type LogBatch struct {
	Lines   []LogLine
	Sources []LogSource
}

// LogRequest is which lines of a node's logs are read.
type LogRequest struct {
	Instance InstanceName  // whose directories are read, of a node with several; "" is the first
	Units    []LogUnit     // none is all that the node has
	Lines    int           // the newest of each unit that are read at first
	Since    time.Duration // none older than that; 0 is no limit
	Follow   bool          // and what comes, until the context ends
}

// LogUnitsOn are the units that the node of the inventory has.
func (inv *Inventory) LogUnitsOn(h Host) []LogUnit {
	var out []LogUnit
	for _, u := range LogUnits() {
		has := false
		for i := range inv.Clusters {
			c := &inv.Clusters[i]
			switch in := c.OnHost(h); u {
			case LogHAProxy:
				has = has || c.LoadBalancer(h) != nil
			case LogVIPManager:
				has = has || in != nil && c.VIP != ""
			default:
				has = has || in != nil
			}
		}
		if has {
			out = append(out, u)
		}
	}
	return out
}

// SortLog puts lines in the order of their times. Lines of the same time keep their
// order; one without a time comes with the line of its unit before it.
func SortLog(lines []LogLine) {
	type dated struct {
		LogLine
		by time.Time
	}
	all := make([]dated, len(lines))
	last := map[LogUnit]time.Time{}
	for i, l := range lines {
		if !l.At.IsZero() {
			last[l.Unit] = l.At
		}
		all[i] = dated{l, last[l.Unit]}
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.by.Compare(b.by) })
	for i := range all {
		lines[i] = all[i].LogLine
	}
}
