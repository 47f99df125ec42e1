package jsonv1

import (
	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// Ghosts is what `pgtui ghosts <cluster> -o json` prints.
type Ghosts struct {
	Version  int         `json:"version"` // 1
	Cluster  string      `json:"cluster"`
	ExitCode int         `json:"exit_code"` // 0 nothing is stuck, 1 something is, 2 a node is unknown
	Nodes    []GhostNode `json:"nodes"`
	Stuck    []Stuck     `json:"stuck"` // what --close would end
}

// GhostNode is one HAProxy node.
type GhostNode struct {
	Host    string        `json:"host"`
	Error   string        `json:"error,omitempty"` // why its processes are unknown
	Workers []GhostWorker `json:"workers"`         // the old ones
}

// GhostWorker is one old worker.
type GhostWorker struct {
	PID      int   `json:"pid"`
	AgeMs    int64 `json:"age_ms"`
	Sessions int64 `json:"sessions"`
}

// Stuck are sessions to an instance that Patroni refuses for their service.
type Stuck struct {
	Host     string `json:"host"`
	PID      int    `json:"pid"`
	Service  string `json:"service"`
	Instance string `json:"instance"`
	Sessions int64  `json:"sessions"`
	Answer   int    `json:"patroni_answers"` // the HTTP status of the service's check
}

// NewGhosts makes the document.
func NewGhosts(c *model.Cluster, code int, workers map[model.Host]source.Observed[haproxy.Processes], stuck []board.Pinned) Ghosts {
	out := Ghosts{Version: 1, Cluster: string(c.Name), ExitCode: code, Nodes: []GhostNode{}, Stuck: []Stuck{}}
	for _, f := range c.LoadBalancers {
		o := workers[f.Host]
		n := GhostNode{Host: string(f.Host), Error: o.Value.Missing, Workers: []GhostWorker{}}
		if o.Err != nil {
			n.Error = o.Err.Error()
		}
		for i := range o.Value.Workers {
			if w := &o.Value.Workers[i]; w.Old {
				n.Workers = append(n.Workers, GhostWorker{PID: w.PID, AgeMs: o.Value.At.Sub(w.Started).Milliseconds(), Sessions: w.Sessions()})
			}
		}
		out.Nodes = append(out.Nodes, n)
	}
	for _, s := range stuck {
		out.Stuck = append(out.Stuck, Stuck{string(s.Host), s.Worker.PID, string(s.Service), string(s.Instance), s.Sessions, s.Allowed})
	}
	return out
}
