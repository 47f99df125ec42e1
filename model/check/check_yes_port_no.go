package check

import (
	"fmt"

	"pgtui/model"
)

// checkYesPortNo: HAProxy checks Patroni, the traffic goes to another
// port. Where that one is dead, HAProxy shows every server up and clients fail.
// A pgbouncer that says itself what it keeps clients from is not dead: it is a
// finding of its own.
func checkYesPortNo(in Input, report func(model.Finding)) {
	for _, r := range in.Board.Routes {
		f := model.Finding{Severity: model.Critical, Service: r.Service}
		for _, v := range r.Views {
			if v.Proven != nil && v.Proven.Dead != "" && !poolAnswers(in, &v) {
				f.Host = v.HAProxy
				f.Evidence = append(f.Evidence, v.Label()+": "+v.Proven.Dead)
			}
		}
		n := len(f.Evidence)
		names, why := r.ShutPorts()
		if n == 0 && len(names) == 0 {
			continue
		}
		behind := "PostgreSQL"
		f.Hint = "pgtui status " + string(in.Board.Cluster.Name) + "; then the log of PostgreSQL on the named server"
		if svc := in.Board.Cluster.Service(r.Service); svc != nil && in.Board.Cluster.Pooled(svc) {
			behind = "pgbouncer"
			f.Hint = "on the named server: systemctl status pgbouncer"
		}
		f.Summary = fmt.Sprintf("%s: the check passes, but connections fail on %s: %s may be down", r.Name(), onNodes(n, len(r.Views)), behind)
		if len(names) > 0 {
			f.Instance, f.Evidence = names[0], append(f.Evidence, why...)
			f.Summary = fmt.Sprintf("%s: HAProxy sends clients to %s, whose %s accepts no connections", r.Name(), model.Join(names), behind)
			f.Hint = fmt.Sprintf("on %s: systemctl status %s", names[0], map[bool]string{true: "pgbouncer", false: "patroni"}[behind == "pgbouncer"])
		}
		report(f)
	}
}
