package page

import (
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Kept is how many samples of a section are remembered: two minutes at a round
// each 2 s.
const Kept = 60

// Sample is the traffic of one HAProxy section at one moment.
type Sample struct{ Sessions, Rate, Queue int64 }

// Traffic remembers the last samples of every section of every HAProxy. The
// zero value remembers nothing yet; a nil one never does.
type Traffic struct {
	nodes map[model.Host]*nodeTraffic
}

// nodeTraffic is one HAProxy's part.
type nodeTraffic struct {
	at       time.Time // of the newest answer that is in it
	sections map[string][]Sample
}

// Add takes in the answers of s that are newer than what is remembered. Hosts
// that s has no more are forgotten.
func (t *Traffic) Add(s *model.Snapshot) {
	if t.nodes == nil {
		t.nodes = map[model.Host]*nodeTraffic{}
	}
	for h := range t.nodes {
		if _, ok := s.HAProxy[h]; !ok {
			delete(t.nodes, h)
		}
	}
	for h, o := range s.HAProxy {
		n := t.nodes[h]
		if n == nil {
			n = &nodeTraffic{}
			t.nodes[h] = n
		}
		if o.At.After(n.at) {
			n.at = o.At
			n.add(&o.Value)
		}
	}
}

func (n *nodeTraffic) add(st *haproxy.Stats) {
	next := make(map[string][]Sample, len(st.Proxies))
	for i := range st.Proxies {
		px := &st.Proxies[i]
		past := n.sections[px.Name]
		if len(past) >= Kept {
			copy(past, past[len(past)-Kept+1:])
			past = past[:Kept-1]
		}
		next[px.Name] = append(past, SampleOf(px))
	}
	n.sections = next // a section that is gone is forgotten
}

// SampleOf sums a section's servers up; queued are also those that wait for any.
func SampleOf(px *haproxy.Proxy) Sample {
	s := Sample{Queue: px.Back.Queue}
	for i := range px.Servers {
		s.Sessions += px.Servers[i].Sessions
		s.Rate += px.Servers[i].SessionRate
		s.Queue += px.Servers[i].Queue
	}
	return s
}

// Of are the samples of one section of one HAProxy, the oldest first.
func (t *Traffic) Of(h model.Host, section string) []Sample {
	if t == nil || t.nodes[h] == nil {
		return nil
	}
	return t.nodes[h].sections[section]
}

// Sum adds several HAProxies' samples up, the newest of each on one another.
func (t *Traffic) Sum(hosts []model.Host, section string) []Sample {
	var out []Sample
	for _, h := range hosts {
		of := t.Of(h, section)
		if len(of) > len(out) {
			out = append(make([]Sample, len(of)-len(out)), out...)
		}
		for i, s := range of {
			at := &out[len(out)-len(of)+i]
			at.Sessions, at.Rate, at.Queue = at.Sessions+s.Sessions, at.Rate+s.Rate, at.Queue+s.Queue
		}
	}
	return out
}

// spark is a number with its past beside it.
func spark(label string, past []Sample, of func(Sample) int64, w int) widget.Line {
	if len(past) == 0 {
		return nil
	}
	return widget.T(theme.Dim, widget.Words(label+" ")).AddRaw(theme.Strong, Count(of(past[len(past)-1]))+" ").AddRaw(theme.Info, Bars(past, of, w))
}

// Bars draw a past of more than one moment.
func Bars(past []Sample, of func(Sample) int64, w int) string {
	if len(past) < 2 {
		return ""
	}
	values := make([]int64, len(past))
	for i, s := range past {
		values[i] = of(s)
	}
	return widget.Spark(values, w)
}

// SessionsOf is what the past of sessions is drawn of.
func SessionsOf(s Sample) int64 { return s.Sessions }

// TrafficLine is a section's sessions, new ones a second and queue.
func TrafficLine(past []Sample, w int) widget.Line {
	if len(past) == 0 {
		return nil
	}
	n := min(max((w-42)/3, 6), 24)
	l := widget.Join(widget.P(" "), spark("sessions", past, SessionsOf, n))
	for _, more := range []widget.Line{spark("new/s", past, func(s Sample) int64 { return s.Rate }, n), spark("queue", past, func(s Sample) int64 { return s.Queue }, n)} {
		if l.Width()+3+more.Width() <= w {
			l = widget.Join(l, widget.P("   "), more)
		}
	}
	return l
}
