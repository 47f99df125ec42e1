package haproxy

import (
	"time"

	"pgtui/source/refs"
)

// NewWorker reports whether now must come from another HAProxy process than
// base, which was read elapsed before. The counters of a process only grow, and
// those of a new one start at 0. false means "not proven".
func NewWorker(base, now *Stats, elapsed time.Duration) bool {
	reset, common := 0, 0
	for i := range now.Proxies {
		p := &now.Proxies[i]
		old := base.Proxy(p.Name)
		if old == nil {
			continue
		}
		if p.Back.LastChange > int64(elapsed/time.Second)+2 {
			return false // the process is older than base
		}
		if p.Front.Total < old.Front.Total || p.Back.Total < old.Back.Total {
			return true
		}
		for j := range p.Servers {
			s := &p.Servers[j]
			was := old.Server(s.Name)
			if was == nil {
				continue
			}
			if s.CheckStatus == "INI" && was.CheckStatus != "INI" || s.Total < was.Total {
				return true
			}
			common++
			// In the same process the server's last change would be that old by
			// now, up to rounding, unless its state has changed since.
			if was.LastChange+int64(elapsed/time.Second) >= s.LastChange+2 {
				reset++
			}
		}
	}
	return common > 0 && reset == common
}

// Processes are the HAProxy processes of one node.
type Processes struct {
	At     time.Time // when they were listed, by the node's clock
	Socket bool      // the master socket answered
	// Missing is what the query lacked: "no master socket", "none of socat,
	// python3, perl and nc"; "" when nothing was missing.
	Missing string
	Failed  int // reloads that failed, as the master counts them
	Workers []Worker
}

// Worker is one HAProxy process that serves connections.
type Worker struct {
	PID     int
	Old     bool      // replaced by a reload; it keeps its sessions and checks nothing
	Started time.Time // by the node's clock
	Version string
	Known   bool // Pins is what it reported
	Err     string
	Pins    []Pin // servers with sessions
	// Oldest is the age of its oldest session; 0 when it did not report one.
	Oldest time.Duration
}

// Pin is how many sessions a worker holds to one server.
type Pin struct {
	Proxy    string
	Server   string
	Sessions int64
}

// Sessions is how many sessions the worker holds, to all servers.
func (w *Worker) Sessions() int64 {
	var n int64
	for _, p := range w.Pins {
		n += p.Sessions
	}
	return n
}

// Current is the worker that takes new connections, nil when it is unknown.
func (p *Processes) Current() *Worker {
	return refs.Find(p.Workers, func(w *Worker) bool { return !w.Old })
}
