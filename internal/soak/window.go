package soak

import (
	"time"

	"pgtui/model"
)

// Window is a time in which the board called one port uncertain without a break.
type Window struct {
	Word model.Verdict // settling, mismatch, unknown, missing; empty counts too
	Port model.PortKey
	From time.Time
	Long time.Duration // to the first snapshot that was certain again
}

// windows measures the windows.
type windows struct {
	since map[model.PortKey]Window // the window that each port is in
	done  []Window
}

func newWindows() *windows { return &windows{since: map[model.PortKey]Window{}} }

// observed takes the next board.
func (w *windows) observed(m *moment) {
	now := m.snap.TakenAt
	for i := range m.board.Routes {
		r := &m.board.Routes[i]
		for k := range r.Views {
			v := &r.Views[k]
			key := model.PortKey{HAProxy: v.HAProxy, Cluster: m.board.Cluster.Name, Service: r.Service}
			old, in := w.since[key]
			if in && old.Word == v.Verdict {
				continue
			}
			if in {
				old.Long = now.Sub(old.From)
				w.done = append(w.done, old)
				delete(w.since, key)
			}
			if v.Verdict != model.Serving && v.Verdict != model.BackupServing {
				w.since[key] = Window{Word: v.Verdict, Port: key, From: now}
			}
		}
	}
}

// Gap is a transition window from a client's view: a time without a break in
// which the answers of one port were not compared, because the board called the
// port uncertain or its verdict changed.
type Gap struct {
	Port     model.PortKey
	From, To time.Time
}

// gap records whether the next answer of a port was compared.
func (j *Judge) gap(a Answer, out bool) {
	key := j.key(a)
	g := j.gaps[key]
	switch {
	case !out:
		j.endGap(key)
	case g == nil:
		j.gaps[key] = &Gap{Port: key, From: a.Start, To: a.End}
	default:
		g.To = a.End
	}
}

func (j *Judge) endGap(key model.PortKey) {
	if g := j.gaps[key]; g != nil {
		j.report.Gaps = append(j.report.Gaps, *g)
		delete(j.gaps, key)
	}
}
