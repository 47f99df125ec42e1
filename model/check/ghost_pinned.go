package check

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
)

// ghostPinned: sessions that old workers hold to an instance which Patroni now
// refuses for the service they came through, such as writers on a demoted
// primary. HAProxy cuts such sessions, but an old worker checks nothing. One
// finding a service.
func ghostPinned(in Input, report func(model.Finding)) {
	var found perServer
	count := map[*model.Finding]int64{}
	for i := range in.Board.Cluster.LoadBalancers {
		host := in.Board.Cluster.LoadBalancers[i].Host
		for _, p := range board.PinnedSessions(in.Snap, in.Board, host, in.Now) {
			if !p.Refused {
				continue
			}
			f, first := found.of(p.Service, p.Instance)
			if first {
				f.Severity, f.Host = model.Critical, host
			}
			count[f] += p.Sessions
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s: old HAProxy process %d holds %d; Patroni answers %d for %s", labelOf(in, host), p.Worker.PID, p.Sessions, p.Allowed, p.Instance))
			f.Hint = fmt.Sprintf("pgtui ghosts %s --close ends these sessions only", in.Board.Cluster.Name)
		}
	}
	for _, f := range found {
		n := int(count[f])
		f.Summary = fmt.Sprintf("%d %s of %s %s stuck on %s, which Patroni refuses for it", n, plural(n, "session", "sessions"), f.Service, plural(n, "is", "are"), f.Instance)
	}
	found.report(report)
}
