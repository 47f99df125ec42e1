package check

import (
	"cmp"
	"fmt"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
)

// drainHidden: a server that somebody took out through HAProxy's own controls,
// where nothing shows it yet. A drained server that is down has the status DOWN;
// when its check passes it gets no new connections. In a primary service every
// replica is down: the next leader may be one that its service never serves. One
// finding a server of a service.
func drainHidden(in Input, report func(model.Finding)) {
	var found perServer
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		where := map[model.InstanceName][]model.Host{}
		for j := range r.Views {
			v := &r.Views[j]
			for k := range v.Cells {
				c := &v.Cells[k]
				if !outUnseen(in, r, c) {
					continue
				}
				f, _ := found.of(r.Service, c.Instance)
				f.Severity = drainSeverity(in, r, c.Instance)
				where[c.Instance] = append(where[c.Instance], v.HAProxy)
				section := sectionOf(in, r)
				f.Evidence = append(f.Evidence, drainEvidence(v, c, section))
				f.Summary = and(fmt.Sprintf("%s is in %s in %s on %s%s: %s", c.Instance, drainWord(c), r.Name(),
					onNodes(len(where[c.Instance]), len(r.Views)), masked(c), drainEffect(in, r)),
					byWhom(in, outWord(c), markFor(in, c.Instance, r.Service, v.HAProxy, takers()...)))
				f.Hint = drainHint(in, c, r.Service)
			}
		}
	}
	found.report(report)
}

// outUnseen reports whether a server gets no new connections by hand once it is
// wanted, and its status shows no sign of it, or it is a replica in the primary
// service, which is not expected to serve there yet.
func outUnseen(in Input, r *board.Route, c *board.Cell) bool {
	return c.Held != "" || c.Verdict == model.Maint && c.Status == "MAINT" && primaryRoute(in, r) && c.Instance != in.Board.Leader
}

// primaryRoute reports whether the leader of the cluster is to serve the route.
func primaryRoute(in Input, r *board.Route) bool {
	svc := in.Board.Cluster.Service(r.Service)
	return svc != nil && model.LockOnly(svc.Check, in.Board.Cluster.Standby)
}

// drainSeverity is critical where the next failover may leave a primary service
// without a server.
func drainSeverity(in Input, r *board.Route, name model.InstanceName) model.Severity {
	if st := in.Snap.Patroni[name].Status.Value; primaryRoute(in, r) && !st.NoFailover() {
		return model.Critical
	}
	return model.Warning
}

func drainWord(c *board.Cell) string {
	if c.Admin == haproxy.AdminDrain || c.Admin == haproxy.AdminMaint {
		return string(c.Admin)
	}
	return "drain (weight 0)"
}

func masked(c *board.Cell) string {
	if c.Held == "" {
		return ""
	}
	return ", hidden by its status DOWN"
}

func drainEffect(in Input, r *board.Route) string {
	if primaryRoute(in, r) {
		return "when it leads, " + r.Port + " has no server there"
	}
	return "it gets no new connections when its check passes"
}

func drainEvidence(v *board.View, c *board.Cell, section string) string {
	s := fmt.Sprintf("%s: %s/%s: %s", v.Label(), section, c.Instance, c.Why)
	if c.Held != "" {
		s = fmt.Sprintf("%s: %s/%s: %s", v.Label(), section, c.Instance, c.Held)
	}
	if c.Held != "" && !v.AdminAt.IsZero() {
		s += "; read at " + v.AdminAt.UTC().Format("15:04:05") + " UTC"
	}
	return s
}

// drainHint is what ends it.
func drainHint(in Input, c *board.Cell, svc model.ServiceName) string {
	return backInService(in, c, svc) + "; a reload also ends it, unless server states are kept across reloads (pgtui states " + string(in.Board.Cluster.Name) + ")"
}

// backInService is the command that gives the server of a service back to its
// HAProxies after somebody took it out. From maintenance it goes by drain and a
// health check: HAProxy sends a server that is set ready clients before its first.
func backInService(in Input, c *board.Cell, name model.ServiceName) string {
	of := " --service " + string(name)
	switch {
	case c.Admin == haproxy.AdminDrain || strings.HasPrefix(c.Status, "DRAIN"):
		return "pgtui undrain " + string(c.Instance) + of
	case c.Admin == haproxy.AdminMaint || strings.HasPrefix(c.Status, "MAINT"):
		return "pgtui ready " + string(c.Instance) + of
	}
	weight := "100"
	if svc := in.Board.Cluster.Service(name); svc != nil {
		weight = cmp.Or(declaredWeight(svc, c.Instance), weight)
	}
	return "pgtui weight " + string(c.Instance) + " " + weight + of
}
