package check

import (
	"fmt"

	"pgtui/internal/text"
	"pgtui/model"
)

// aheadOfLeader: a replica that has WAL which the leader lacks. It cannot follow
// before pg_rewind has discarded that, and only its users know whether
// what is in it was promised to somebody.
func aheadOfLeader(in Input, report func(model.Finding)) {
	b := in.Board
	for i := range b.Members {
		m := &b.Members[i]
		if m.Ahead == 0 && !m.NewerTimeline {
			continue
		}
		st, lead := in.Snap.Patroni[m.Instance].Status.Value, in.Snap.Patroni[b.Leader].Status.Value
		f := model.Finding{Severity: model.Warning, Instance: m.Instance, Host: m.Host,
			Summary: fmt.Sprintf("%s is ahead of the leader %s by %s of WAL: it cannot rejoin without pg_rewind, which discards it", m.Instance, b.Leader, text.Bytes(m.Ahead)),
			Evidence: []string{
				fmt.Sprintf("%s has received %s and replayed %s, timeline %d", m.Instance, lsn(st.Received), lsn(st.Replayed), m.Timeline),
				fmt.Sprintf("%s has written %s, timeline %d, and has no walsender for it", b.Leader, lsn(lead.Location), b.Timeline),
			},
			Hint: fmt.Sprintf("check whether clients rely on its writes before anything discards them: ssh %s tail /pg/log/postgres/*.csv, and pg_waldump there", m.Host)}
		if m.Ahead == 0 {
			f.Summary = fmt.Sprintf("%s is ahead of the leader %s: on timeline %d, which the leader on %d does not have", m.Instance, b.Leader, m.Timeline, b.Timeline)
		}
		report(f)
	}
}

// lsn is a WAL position as PostgreSQL writes it.
func lsn(n int64) string {
	if n < 0 {
		return "(not reported)"
	}
	return fmt.Sprintf("%X/%X", uint64(n)>>32, uint32(n))
}
