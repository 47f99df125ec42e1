package page

import (
	"slices"

	"pgtui/model"
	"pgtui/model/board"
)

// Digest is what all boards together say. The console works it out once for
// each set of boards, so that a frame costs what it shows and not the fleet.
type Digest struct {
	Order  []*board.Board // trouble first; the inventory's order while nothing is known
	Counts map[Mark]int
	// The widths of the longest cluster and instance names, within reason: then
	// neither scrolling nor a change of leader moves a column.
	Cluster, Leader int
	Found           bool // a cluster has a finding
	alarms          []Alarm
}

// Alarm is a state of a cluster that no one may overlook before acting.
type Alarm struct {
	Text    string // SPLIT BRAIN, FAILSAFE, NO LEADER KEY, PAUSED
	Cluster model.ClusterName
}

// NewDigest works the digest of e's boards out.
func NewDigest(e Env) *Digest {
	d := &Digest{Order: make([]*board.Board, len(e.Boards)), Counts: map[Mark]int{}, Cluster: 8, Leader: 6}
	rank := make(map[*board.Board]int, len(e.Boards))
	for i := range e.Boards {
		b := &e.Boards[i]
		m := e.Health(b)
		d.Order[i], rank[b] = b, rankOf(m)
		d.Counts[m]++
		d.Cluster = max(d.Cluster, len(b.Cluster.Name))
		for j := range b.Members {
			d.Leader = max(d.Leader, len(b.Members[j].Instance))
		}
		d.Found = d.Found || len(b.Causes) > 0
		for _, f := range b.Findings {
			if text := alarmOf(f); text != "" {
				d.alarms = append(d.alarms, Alarm{Text: text, Cluster: b.Cluster.Name})
			}
		}
	}
	d.Cluster, d.Leader = min(d.Cluster, 20), min(d.Leader, 20)
	if !e.NoAnswer() {
		slices.SortStableFunc(d.Order, func(a, b *board.Board) int { return rank[a] - rank[b] })
	}
	return d
}

// Whole is the digest that that came with e, else a new one.
func (e Env) Whole() *Digest {
	if e.Digest != nil {
		return e.Digest
	}
	return NewDigest(e)
}

// Alarms are those of the cluster, of all when name is "".
func (d *Digest) Alarms(name model.ClusterName) []Alarm {
	if d == nil {
		return nil
	}
	if name == "" {
		return d.alarms
	}
	var out []Alarm
	for _, a := range d.alarms {
		if a.Cluster == name {
			out = append(out, a)
		}
	}
	return out
}

// alarmOf is a finding as an alarm, "" when it is not one.
func alarmOf(f model.Finding) string {
	switch {
	case f.Code == "two-primaries":
		return "SPLIT BRAIN"
	case f.Code == "dcs-trouble" && f.Severity == model.Critical:
		return "FAILSAFE"
	case f.Code == "dcs-trouble":
		return "NO LEADER KEY"
	case f.Code == "paused":
		return "PAUSED"
	}
	return ""
}

// rankOf orders clusters: trouble first; one that is still being probed is not
// in trouble yet.
func rankOf(m Mark) int {
	switch m {
	case HealthMark(model.HealthDown, false):
		return 0
	case HealthMark(model.HealthUnknown, false):
		return 1
	case HealthMark(model.HealthDegraded, false):
		return 2
	}
	return 3
}
