package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
)

// Source is what became of one source.
type Source struct {
	Name   string // "http://10.10.10.10:8428", "the journal of haproxy on pg-test-1"
	Kind   string // store, logs, history, audit
	Err    error  // why it was not read, or not all of it; nil when it was
	Events int    // that it has of the time
	Notes  []string
}

// Timeline is what happened to a cluster between two times, as far as its sources have it.
type Timeline struct {
	Cluster      *model.Cluster
	Since, Until time.Time
	Sources      []Source
	Events       []Event // oldest first
	Unknown      []Span  // nothing that happened there is known
	Gaps         []Gap
	Misrouted    []Misroute
	Failovers    []Failover
}

// Gap is a time in which one HAProxy had no server for a service.
type Gap struct {
	Service  model.ServiceName
	Port     string
	Host     model.Host
	From, To time.Time
	Within   time.Duration // of both ends together
	// Before reports that it began before the time, Open that it lasted to its end.
	Before, Open bool
}

// Took is how long it lasted within the time.
func (g *Gap) Took() time.Duration { return g.To.Sub(g.From) }

// Failover is one change of the leader with what each layer took.
type Failover struct {
	To     model.InstanceName
	Layers []Layer
}

// Layer is one part of a failover.
type Layer struct {
	Name     string // leader key, promotion, HAProxy, VIP, pool
	From, To time.Time
	Within   time.Duration
	Unknown  string // why it is unknown; "" when it is known
}

// Cut is how many sessions HAProxy reports to have ended with a server that went down; known is
// false when no line about a server that went down has the number.
func (t *Timeline) Cut() (sessions int, known bool) {
	for i := range t.Events {
		if e := &t.Events[i]; e.Kind == KindServer && e.Cut >= 0 {
			sessions, known = sessions+e.Cut, true
		}
	}
	return sessions, known
}

// Of puts together what the sources have. seen is of the store, the zero value without one;
// logged are the HAProxy nodes whose log was read for all of the time: a transition that the
// store shows there and the log does not is contradicted.
func Of(c *model.Cluster, since, until time.Time, seen Seen, more []Event, logged []model.Host) Timeline {
	t := Timeline{Cluster: c, Since: since, Until: until, Unknown: seen.Unknown, Misrouted: seen.Misrouted}
	for _, e := range Merge(slices.Concat(seen.Events, more)) {
		if !e.At.Before(since) && !e.At.After(until) {
			t.Events = append(t.Events, e)
		}
	}
	t.contradict(logged, seen)
	t.before(seen.First)
	t.gaps(seen.First)
	t.failovers()
	return t
}

// contradict marks transitions of servers that the store shows and a log that was read does
// not have.
func (t *Timeline) contradict(logged []model.Host, seen Seen) {
	byStore := map[string]bool{}
	for i := range seen.Events {
		byStore[seen.Events[i].Evidence[0].Source] = true
	}
	for i := range t.Events {
		e := &t.Events[i]
		if e.Kind != KindServer || !slices.Contains(logged, e.Host) || len(e.Evidence) != 1 || !byStore[e.Evidence[0].Source] {
			continue
		}
		reload := slices.ContainsFunc(t.Events, func(r Event) bool {
			return r.Kind == KindReload && r.Host == e.Host && r.At.Sub(e.At).Abs() <= 15*time.Second
		})
		if !reload { // a new worker writes no line for the state it begins with
			e.Against = append(e.Against, fmt.Sprintf("the log of HAProxy on %s has no line for it", e.Host))
		}
	}
}

// before fills the state before a transition that a log has without one.
func (t *Timeline) before(first []Event) {
	state := map[string]string{}
	id := func(e *Event) string {
		return strings.Join([]string{string(e.Kind), string(e.Host), string(e.Instance), e.Proxy}, "\x00")
	}
	for i := range first {
		state[id(&first[i])] = first[i].After
	}
	for i := range t.Events {
		e := &t.Events[i]
		if e.Kind != KindServer && e.Kind != KindRole {
			continue
		}
		if was := state[id(e)]; was != e.After {
			e.Before = cmp.Or(e.Before, was)
		}
		state[id(e)] = e.After
	}
}

// gaps are the times in which a HAProxy had no server for a service that should have one.
func (t *Timeline) gaps(first []Event) {
	for i := range t.Cluster.LoadBalancers {
		lb := &t.Cluster.LoadBalancers[i]
		for j := range lb.Services {
			svc := &lb.Services[j]
			servers, _ := svc.Servers()
			if len(servers) == 0 || model.NobodyPasses(svc.Check, t.Cluster.Standby) {
				continue
			}
			p := port{declared: len(servers), gap: Gap{Service: svc.Name, Port: svc.Port, Host: lb.Host}, state: map[model.InstanceName]string{}}
			for k := range first {
				if e := &first[k]; e.Host == lb.Host && e.Proxy == svc.Proxy() {
					p.state[e.Instance] = e.After
				}
			}
			p.begins(t.Since)
			for k := range t.Events {
				if e := &t.Events[k]; e.Host == lb.Host && e.Proxy == svc.Proxy() {
					p.take(e)
				}
			}
			t.Gaps = append(t.Gaps, p.ends(t.Until)...)
		}
	}
	slices.SortStableFunc(t.Gaps, func(a, b Gap) int { return cmp.Or(strings.Compare(a.Port, b.Port), a.From.Compare(b.From)) })
}

// port is one service on one HAProxy while its events are read.
type port struct {
	declared int
	gap      Gap // that is open; its From is zero when there is none
	state    map[model.InstanceName]string
	done     []Gap
}

// usable is how many servers are known to get new connections.
func (p *port) usable() (n int) {
	for _, s := range p.state {
		if Usable(s) {
			n++
		}
	}
	return n
}

// begins opens a gap that is there from the beginning.
func (p *port) begins(at time.Time) {
	if len(p.state) >= p.declared && p.usable() == 0 {
		p.gap.From, p.gap.Before = at, true
	}
}

func (p *port) take(e *Event) {
	if e.Kind == KindServer {
		p.state[e.Instance] = e.After
	}
	served := p.usable() > 0 || e.Left > 0
	empty := e.Left == 0 || len(p.state) >= p.declared && p.usable() == 0
	switch {
	case p.gap.From.IsZero() && empty && !(e.Kind == KindServer && Usable(e.After)):
		p.gap.From, p.gap.Within = e.At, e.Within
	case !p.gap.From.IsZero() && served && e.Kind == KindServer && Usable(e.After):
		p.close(e.At, e.Within)
	}
}

func (p *port) close(at time.Time, within time.Duration) {
	g := p.gap
	g.To, g.Within = at, g.Within+within
	p.done = append(p.done, g)
	p.gap = Gap{Service: g.Service, Port: g.Port, Host: g.Host}
}

func (p *port) ends(at time.Time) []Gap {
	if !p.gap.From.IsZero() {
		p.gap.Open = true
		p.close(at, 0)
	}
	return p.done
}

// failovers are the changes of the leader, with what each layer took.
func (t *Timeline) failovers() {
	last := t.Since
	for i := range t.Events {
		e := &t.Events[i]
		if e.Kind != KindRole || e.After != "primary" && e.After != "standby_leader" {
			continue
		}
		t.Failovers = append(t.Failovers, Failover{To: e.Instance, Layers: t.layers(e, last)})
		last = e.At
	}
}

// layers are those of the failover that ended with that promotion.
func (t *Timeline) layers(promoted *Event, after time.Time) []Layer {
	between := func(a, b time.Time, want func(*Event) bool) *Event {
		for i := range t.Events {
			if e := &t.Events[i]; !e.At.Before(a) && !e.At.After(b) && want(e) {
				return e
			}
		}
		return nil
	}
	lost := between(after, promoted.At, func(e *Event) bool {
		return e.Kind == KindRole && e.Instance != promoted.Instance && (e.Before == "primary" || e.Before == "standby_leader" || e.After == "demoting") || e.Kind == KindLock && e.After == "free"
	})
	if gone := t.silent(after, promoted.At, promoted.Instance); gone != nil && (lost == nil || gone.At.Before(lost.At)) {
		lost = gone
	}
	held := between(cmp.Or(eventTime(lost), after), promoted.At.Add(slack), func(e *Event) bool { return e.Kind == KindLock && e.After == "held" })
	out := []Layer{
		layer("leader key", lost, held, "no source has when the leader was lost", "no source has when the leader key was taken"),
		layer("promotion", cmp.Or(held, lost), promoted, "no source has when the leader key was taken", ""),
		layer("HAProxy", promoted, t.lastUp(promoted), "", "no HAProxy reports the new leader as UP"),
		layer("VIP", promoted, between(promoted.At.Add(-slack), t.Until, func(e *Event) bool { return e.Kind == KindVIP && strings.HasPrefix(e.After, "takes ") }), "", "no line of vip-manager"),
		{Name: "pool", Unknown: "no source records when pgbouncer connected to PostgreSQL"},
	}
	return out
}

func eventTime(e *Event) time.Time {
	if e == nil {
		return time.Time{}
	}
	return e.At
}

// silent is when the Patroni of the instance that led ended to answer: the begin of a time
// without an answer.
func (t *Timeline) silent(after, before time.Time, to model.InstanceName) *Event {
	led := t.ledBefore(after, to)
	for i := range t.Unknown {
		u := &t.Unknown[i]
		if u.What == "Patroni of "+string(led) && u.From.After(after) && u.From.Before(before) {
			return &Event{At: u.From, Within: 10 * time.Second}
		}
	}
	return nil
}

// ledBefore is the instance that the inventory, or an earlier promotion, has as the leader.
func (t *Timeline) ledBefore(after time.Time, to model.InstanceName) model.InstanceName {
	led := model.InstanceName("")
	for i := range t.Cluster.Instances {
		if in := &t.Cluster.Instances[i]; in.Role == model.RolePrimary && in.Name != to {
			led = in.Name
		}
	}
	for i := range t.Events {
		if e := &t.Events[i]; e.Kind == KindRole && e.After == "primary" && !e.At.After(after) {
			led = e.Instance
		}
	}
	return led
}

// lastUp is when the last HAProxy that reports it sent clients to the new leader: the first UP of
// each, in a service that only the leader passes.
func (t *Timeline) lastUp(promoted *Event) *Event {
	var last *Event
	seen := map[string]bool{}
	for i := range t.Events {
		e := &t.Events[i]
		if e.Kind != KindServer || e.Instance != promoted.Instance || !Usable(e.After) || e.At.Before(promoted.At.Add(-promoted.Within-e.Within-slack)) || e.At.After(promoted.At.Add(2*time.Minute)) || !t.leaderOnly(e.Proxy) {
			continue
		}
		if k := string(e.Host) + "\x00" + e.Proxy; !seen[k] {
			seen[k], last = true, e
		}
	}
	return last
}

func (t *Timeline) leaderOnly(proxy string) bool {
	return slices.ContainsFunc(t.Cluster.Services(), func(s *model.Service) bool {
		return s.Proxy() == proxy && model.LockOnly(s.Check, t.Cluster.Standby)
	})
}

// layer is the part between two events; one that is missing makes it unknown.
func layer(name string, from, to *Event, noFrom, noTo string) Layer {
	switch {
	case from == nil:
		return Layer{Name: name, Unknown: noFrom}
	case to == nil:
		return Layer{Name: name, From: from.At, Unknown: noTo}
	}
	end := to.At
	if end.Before(from.At) { // within what the two sources are exact to
		end = from.At
	}
	return Layer{Name: name, From: from.At, To: end, Within: from.Within + to.Within}
}
