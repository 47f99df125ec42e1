package check

import (
	"fmt"

	"pgtui/model"
)

// twoPrimaries: more than one PostgreSQL says it is not in recovery. One that
// said so on an older timeline, before the newest primary said it on its own,
// may just have been demoted: its next answer tells.
func twoPrimaries(in Input) []model.Finding {
	var newest *model.Member
	primary := func(m *model.Member) bool { return m.Known && (m.Role == "leader" || m.Role == "primary") }
	for i := range in.Board.Members {
		if m := &in.Board.Members[i]; primary(m) && (newest == nil || m.Timeline > newest.Timeline) {
			newest = m
		}
	}
	var names []model.InstanceName
	var evidence []string
	for i := range in.Board.Members {
		m := &in.Board.Members[i]
		if primary(m) && (m.Timeline == newest.Timeline || !m.At.Before(newest.At)) {
			names = append(names, m.Instance)
			evidence = append(evidence, fmt.Sprintf("%s: %s, %s, timeline %d", m.Instance, m.Role, m.State, m.Timeline))
		}
	}
	if len(names) < 2 {
		return nil
	}
	return []model.Finding{{Severity: model.Critical, Summary: "two writable primaries: " + model.Join(names), Evidence: evidence,
		Hint: "a server without the leader key must not take writes: stop PostgreSQL on the one that lost the lock"}}
}
