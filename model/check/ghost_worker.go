package check

import (
	"fmt"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
)

// oldGhost is the age from which a worker that should have ended is worth a
// warning while it holds sessions.
const oldGhost = time.Hour

// ghostWorker: HAProxy processes that a reload has replaced and that still
// hold sessions. They check nothing: whoever they are bound to stays. One
// finding a node.
func ghostWorker(in Input, report func(model.Finding)) {
	for i := range in.Board.Cluster.LoadBalancers {
		host := in.Board.Cluster.LoadBalancers[i].Host
		o := in.Snap.Workers[host]
		if !o.Known() {
			continue
		}
		f := model.Finding{Severity: model.Info, Host: host,
			Hint: "they end with their last session; pgtui ghosts " + string(in.Board.Cluster.Name) + " lists those that are stuck"}
		n, sessions := 0, int64(0)
		for _, w := range o.Value.Workers {
			if !w.Old {
				continue
			}
			n++
			sessions += w.Sessions()
			age := o.Value.At.Sub(w.Started)
			if age >= oldGhost && (w.Sessions() > 0 || !w.Known) {
				f.Severity = model.Warning
			}
			f.Evidence = append(f.Evidence, ghostText(&w, age))
		}
		if n > 0 {
			f.Summary = fmt.Sprintf("%d old HAProxy %s on %s with %d sessions: no health check covers them", n, plural(n, "process", "processes"), labelOf(in, host), sessions)
			report(f)
		}
	}
}

// ghostText is one old worker in words.
func ghostText(w *haproxy.Worker, age time.Duration) string {
	s := fmt.Sprintf("pid %d, started %s ago", w.PID, age.Round(time.Second))
	if !w.Known {
		return s + ": its sessions are unknown: " + w.Err
	}
	var pins []string
	for _, p := range w.Pins {
		pins = append(pins, fmt.Sprintf("%d to %s/%s", p.Sessions, p.Proxy, p.Server))
	}
	if len(pins) == 0 {
		return s + ", no session to any server"
	}
	s += ": " + strings.Join(pins, ", ")
	if w.Oldest > 0 {
		s += fmt.Sprintf("; the oldest is %s old", w.Oldest)
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
