package check

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
)

// twoPrimaries: more than one PostgreSQL reports it is not in recovery, or more than
// one Patroni passes the check that only the holder of the leader key passes. One
// that reported it on an older timeline, before the newest primary reported it on its
// own, may just have been demoted: its next answer shows.
func twoPrimaries(in Input, report func(model.Finding)) {
	var newest *board.Member
	primary := func(m *board.Member) bool { return m.Known && (m.Role == "leader" || m.Role == "primary") }
	for i := range in.Board.Members {
		if m := &in.Board.Members[i]; primary(m) && (newest == nil || m.Timeline > newest.Timeline) {
			newest = m
		}
	}
	var names []model.InstanceName
	var evidence []string
	locks, writable := 0, 0
	for i := range in.Board.Members {
		m := &in.Board.Members[i]
		if primary(m) && (m.Timeline == newest.Timeline || !m.At.Before(newest.At)) {
			names = append(names, m.Instance)
			evidence = append(evidence, fmt.Sprintf("%s: %s, %s, timeline %d", m.Instance, m.Role, m.State, m.Timeline))
			if m.Role == "leader" {
				locks++
			}
			if m.State != "in recovery" {
				writable++
			}
		}
	}
	if len(names) < 2 {
		return
	}
	f := model.Finding{Severity: model.Critical, Summary: "two writable primaries: " + model.Join(names), Evidence: evidence,
		Hint: "find out who holds the leader key: patronictl -c /etc/patroni/patroni.yml list " + string(in.Board.Cluster.Name) + " on two nodes; keep clients away from the other one, and save what was written there"}
	if writable < 2 {
		f.Summary = "more than one Patroni reports that it holds the leader key: " + model.Join(names)
	}
	if locks > 1 {
		f.Evidence = append(f.Evidence, "each passes the check that only the holder of the leader key passes")
	}
	report(f)
}
