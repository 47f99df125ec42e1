package page

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// PendingRoute reports that nothing is known of a service, and that one of
// its HAProxies has not been tried yet.
func (e Env) PendingRoute(r *board.Route) bool {
	_, tried := e.Probed(r)
	same, _ := r.Agreement()
	return same == 0 && tried < len(r.Views)
}

// Probed counts a route's HAProxies that are known, and those that were probed.
func (e Env) Probed(r *board.Route) (known, tried int) {
	for _, v := range r.Views {
		if v.Verdict != model.Unknown {
			known++
		}
		if !e.ProxyNotProbed(v.HAProxy) {
			tried++
		}
	}
	return known, tried
}

// SeenBy is how many HAProxies say the same, of how many there are.
func SeenBy(r *board.Route, e Env) widget.Line {
	same, all := r.Agreement()
	known, tried := e.Probed(r)
	text := fmt.Sprintf("%d/%d", same, all)
	switch {
	case tried < all:
		return widget.T(theme.Info, text+" ·")
	case known < all:
		return widget.T(theme.Doubt, text+" ?")
	case same < all:
		return widget.T(theme.Warn, text+" "+Differs)
	}
	return widget.T(theme.Dim, text)
}

// CellOf is the view's cell of that instance; where there is none the service
// does not name it.
func CellOf(v *board.View, inst model.InstanceName) board.Cell {
	for _, c := range v.Cells {
		if c.Instance == inst {
			return c
		}
	}
	return board.Cell{Instance: inst, Verdict: model.Unselected, Why: "the selector does not select it"}
}

// ServingMost is who the HAProxies that are known say serves: the answer most
// of them give, how many give it and how many HAProxies there are. same is 0
// when none is known.
func ServingMost(r *board.Route) (names []model.InstanceName, same, all int) {
	count := map[string]int{}
	for _, v := range r.Views {
		if v.Verdict == model.Unknown || len(v.Serving) == 0 {
			continue
		}
		k := model.Join(v.Serving)
		if count[k]++; count[k] > same {
			names, same = v.Serving, count[k]
		}
	}
	return names, same, len(r.Views)
}

// DestOf says where a service's connections go: pgbouncer, postgres, a port.
func DestOf(c *model.Cluster, s *model.Service) string {
	if s == nil {
		return ""
	}
	servers, _ := s.Servers()
	if len(servers) == 0 {
		return s.Dest
	}
	port := servers[0].Port
	switch in := c.Instance(servers[0].Name); {
	case in.Pools(port):
		return "pgbouncer"
	case in != nil && port == fmt.Sprint(in.PgPort):
		return "postgres"
	}
	return port
}

// RouteMark draws the verdict of a service: in doubt where some of its HAProxies
// are unknown, whatever the others report.
func RouteMark(r *board.Route) Mark {
	m := VerdictMark(r.Verdict)
	if len(r.Silent) > 0 && (r.Verdict == model.Serving || r.Verdict == model.BackupServing) {
		m.Shape, m.Tone = "?", theme.Doubt
	}
	return m
}
