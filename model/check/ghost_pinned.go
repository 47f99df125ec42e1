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
func ghostPinned(in Input) []model.Finding {
	type key struct {
		svc  model.ServiceName
		inst model.InstanceName
	}
	found := map[key]*model.Finding{}
	count := map[key]int64{}
	var order []key
	for i := range in.Board.Cluster.LoadBalancers {
		host := in.Board.Cluster.LoadBalancers[i].Host
		for _, p := range board.PinnedSessions(in.Snap, in.Board, host, in.Now) {
			if !p.Refused {
				continue
			}
			k := key{p.Service, p.Instance}
			f := found[k]
			if f == nil {
				f = &model.Finding{Severity: model.Critical, Service: p.Service, Instance: p.Instance, Host: host}
				found[k], order = f, append(order, k)
			}
			count[k] += p.Sessions
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s: old HAProxy process %d holds %d; Patroni answers %d for %s", labelOf(in, host), p.Worker.PID, p.Sessions, p.Allowed, p.Instance))
			f.Hint = fmt.Sprintf("pgtui ghosts %s --close ends these sessions only", in.Board.Cluster.Name)
		}
	}
	var out []model.Finding
	for _, k := range order {
		f := found[k]
		f.Summary = fmt.Sprintf("%d %s of %s %s stuck on %s, which Patroni refuses for it", count[k], plural(int(count[k]), "session", "sessions"), k.svc, plural(int(count[k]), "is", "are"), k.inst)
		out = append(out, *f)
	}
	return out
}
