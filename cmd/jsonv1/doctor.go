package jsonv1

import (
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
)

// Doctor is what `pgtui doctor -o json` prints.
type Doctor struct {
	Version int `json:"version"` // 1
	Past
	TakenAt   time.Time       `json:"taken_at"`
	Inventory string          `json:"inventory"`
	Health    string          `json:"health"`
	Drift     []Finding       `json:"drift"`     // as of status
	ExitCode  int             `json:"exit_code"` // 0–3, as of status
	Clusters  []DoctorCluster `json:"clusters"`
}

// DoctorCluster is one cluster's findings, worst first, and what they rest on.
type DoctorCluster struct {
	Name     string       `json:"name"`
	Health   string       `json:"health"`
	Drift    []Finding    `json:"drift"` // as of status
	Summary  string       `json:"summary"`
	Findings []Finding    `json:"findings"`
	Causes   []Cause      `json:"causes"` // as of status
	Nodes    []DoctorNode `json:"nodes"`
}

// DoctorNode is one HAProxy node of the cluster, as read over SSH.
type DoctorNode struct {
	HAProxy string   `json:"haproxy"`
	Node    string   `json:"node,omitempty"`
	Files   []string `json:"files"`   // that HAProxy reads; null: unknown
	Drift   []string `json:"drift"`   // files that differ from the inventory; null: unknown
	Workers []Worker `json:"workers"` // null: unknown
	Error   string   `json:"error,omitempty"`
}

// Worker is one HAProxy process.
type Worker struct {
	PID      int    `json:"pid"`
	Old      bool   `json:"old"`
	AgeS     int64  `json:"age_s"`
	Sessions *int64 `json:"sessions"` // of an old one; null: not read or unknown
	Pins     []Pin  `json:"pins,omitempty"`
	Error    string `json:"error,omitempty"`
}

// Pin is how many sessions a worker holds to one server.
type Pin struct {
	Section  string `json:"section"`
	Server   string `json:"server"`
	Sessions int64  `json:"sessions"`
}

// NewDoctor is the JSON of boards that were judged at now on what s holds.
func NewDoctor(s *model.Snapshot, boards []board.Board, now time.Time, strict bool) Doctor {
	st := NewStatus(s.Inventory, boards, now, strict)
	out := Doctor{Version: st.Version, TakenAt: st.TakenAt, Inventory: st.Inventory, Health: st.Health, Drift: st.Drift, ExitCode: st.ExitCode, Clusters: []DoctorCluster{}}
	for i, c := range st.Clusters {
		d := DoctorCluster{Name: c.Name, Health: c.Health, Drift: c.Drift, Summary: c.Summary, Findings: c.Findings, Causes: c.Causes, Nodes: []DoctorNode{}}
		for j := range boards[i].Cluster.LoadBalancers {
			d.Nodes = append(d.Nodes, doctorNode(s, boards[i].Cluster, boards[i].Cluster.LoadBalancers[j].Host))
		}
		out.Clusters = append(out.Clusters, d)
	}
	return out
}

func doctorNode(s *model.Snapshot, c *model.Cluster, h model.Host) DoctorNode {
	n := DoctorNode{HAProxy: string(h)}
	if node := s.Inventory.Node(h); node != nil {
		n.Node = node.Name
	}
	conf, procs := s.Conf[h], s.Workers[h]
	switch {
	case conf.Err != nil:
		n.Error = conf.Err.Error()
	case conf.Known() && !conf.Value.Missing:
		n.Files, n.Drift = []string{}, []string{}
		for _, f := range conf.Value.Files {
			if f.Read {
				n.Files = append(n.Files, f.Name)
			}
		}
		d := conf.Value.Drift[c.Name]
		if d.Err != "" {
			n.Drift = nil
		}
		for _, f := range d.Changes {
			n.Drift = append(n.Drift, f.Name)
		}
	}
	if procs.Known() && procs.Value.Socket {
		n.Workers = []Worker{}
		for _, w := range procs.Value.Workers {
			n.Workers = append(n.Workers, newWorker(&w, procs.Value.At))
		}
	}
	return n
}

func newWorker(w *haproxy.Worker, at time.Time) Worker {
	out := Worker{PID: w.PID, Old: w.Old, AgeS: int64(at.Sub(w.Started) / time.Second), Error: w.Err}
	if w.Known {
		n := w.Sessions()
		out.Sessions = &n
	}
	for _, p := range w.Pins {
		out.Pins = append(out.Pins, Pin{Section: p.Proxy, Server: p.Server, Sessions: p.Sessions})
	}
	return out
}
