package board

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"pgtui/model"
)

// Calm is how long a cluster has no event before the next one belongs to another incident. An
// election takes up to Patroni's ttl and loop_wait, 30 and 10 seconds as Pigsty sets them, and
// nothing may happen meanwhile.
const Calm = 45 * time.Second

// Change is what one incident did to a subject, or to several of a kind that took the same path.
type Change struct {
	From, At time.Time // its first event and its last
	Cluster  model.ClusterName
	Kind     string   // as in Event
	Subjects []string // as in Event, in the order they changed
	Path     []string // the states it went through: that before the first event, and that after each. A finding has its text where it is there, and "" where it is not.
	Severity model.Severity
	Drift    bool // as in Event
	About    FindingKey
	Events   []Event // all of them, the oldest first
}

// Subject is the first subject: the change's name, with Cluster, Kind and From.
func (c *Change) Subject() string { return c.Subjects[0] }

// Back reports whether the change ended where it began.
func (c *Change) Back() bool { return c.Path[0] == c.Path[len(c.Path)-1] }

// Steady is the path without the states between its ends that lasted less than least.
func (c *Change) Steady(least time.Duration) []string {
	path := c.Path[:1:1]
	for i := range c.Events {
		ev := &c.Events[i]
		if ev.Subject != c.Subject() {
			continue
		}
		left := slices.IndexFunc(c.Events[i+1:], func(next Event) bool { return next.Subject == ev.Subject })
		if left >= 0 && c.Events[i+1+left].At.Sub(ev.At) < least {
			continue
		}
		if path[len(path)-1] != ev.After {
			path = append(path, ev.After)
		}
	}
	if len(path) == 1 { // it was away for less than least
		return c.Path
	}
	return path
}

// Changes gathers events by incident. events and the result are in the order of the newest
// first. Left out is what a failover does by the way: a member that ends as it began and was
// known all the time, and a finding that is gone at the end of an incident in which a leader
// or a route changed.
func Changes(events []Event) []Change {
	g := gathering{open: map[model.ClusterName][]*Change{}, last: map[model.ClusterName]time.Time{}}
	for i := len(events) - 1; i >= 0; i-- {
		g.add(&events[i])
	}
	for cluster := range g.open {
		g.end(cluster)
	}
	slices.Reverse(g.done) // what comes first of one moment's events stays first
	slices.SortStableFunc(g.done, func(a, b Change) int { return b.At.Compare(a.At) })
	return g.done
}

// Each are events as changes of their own, in their order.
func Each(events []Event) []Change {
	out := make([]Change, len(events))
	for i := range events {
		out[i] = started(&events[i])
	}
	return out
}

// started is a change of one event.
func started(ev *Event) Change {
	c := Change{From: ev.At, Cluster: ev.Cluster, Kind: ev.Kind, Subjects: []string{ev.Subject}, Drift: ev.Drift, About: ev.About, Path: []string{ev.Before}}
	c.follow(ev)
	return c
}

// gathering is the incident of each cluster that is being read.
type gathering struct {
	open map[model.ClusterName][]*Change
	last map[model.ClusterName]time.Time // the last event of a cluster
	done []Change
}

func (g *gathering) add(ev *Event) {
	if last, ok := g.last[ev.Cluster]; ok && ev.At.Sub(last) > Calm {
		g.end(ev.Cluster)
	}
	g.last[ev.Cluster] = ev.At
	for _, c := range g.open[ev.Cluster] {
		if lasts := ev.Before != "" || ev.Kind == "finding"; !lasts {
			break
		}
		if c.Kind == ev.Kind && c.Subject() == ev.Subject && c.About == ev.About {
			c.follow(ev)
			return
		}
	}
	c := started(ev)
	g.open[ev.Cluster] = append(g.open[ev.Cluster], &c)
}

// follow appends an event of the change's subject.
func (c *Change) follow(ev *Event) {
	c.At, c.Severity = ev.At, ev.Severity
	c.Events = append(c.Events, *ev)
	for _, state := range []string{ev.Before, ev.After} { // Before differs from the state before it where an event is forgotten
		if c.Path[len(c.Path)-1] != state {
			c.Path = append(c.Path, state)
		}
	}
}

// end closes the incident of a cluster.
func (g *gathering) end(cluster model.ClusterName) {
	var out []*Change
	moved := slices.ContainsFunc(g.open[cluster], func(c *Change) bool { return c.Kind == "leader" || c.Kind == "route" })
	for _, c := range g.open[cluster] {
		if c.Kind == "finding" && moved && c.Path[len(c.Path)-1] == "" {
			continue
		}
		if c.Kind == "member" && c.Back() && !slices.ContainsFunc(c.Events, func(ev Event) bool { return ev.Severity != model.Info }) {
			continue
		}
		if c.Kind != "finding" {
			if i := slices.IndexFunc(out, func(o *Change) bool { return o.Kind == c.Kind && slices.Equal(o.Path, c.Path) }); i >= 0 {
				out[i].join(c)
				continue
			}
		}
		out = append(out, c)
	}
	for _, c := range out {
		g.done = append(g.done, *c)
	}
	delete(g.open, cluster)
}

// join adds the subject of another change that took the same path.
func (c *Change) join(o *Change) {
	c.Subjects = append(c.Subjects, o.Subjects...)
	slices.SortFunc(c.Subjects, func(a, b string) int { return cmp.Compare(lastWord(a), lastWord(b)) }) // by port
	c.Events = append(c.Events, o.Events...)
	slices.SortStableFunc(c.Events, func(a, b Event) int { return a.At.Compare(b.At) })
	if o.At.After(c.At) {
		c.At = o.At
	}
	if o.From.Before(c.From) {
		c.From = o.From
	}
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }
