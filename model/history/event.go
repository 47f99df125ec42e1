package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
)

// Kind is what an event is about.
type Kind string

// The kinds.
const (
	KindRole     Kind = "role"     // of an instance: primary, standby_leader, replica, stopped
	KindTimeline Kind = "timeline" // of an instance, or of the cluster by Patroni's history
	KindPause    Kind = "pause"    // of the cluster: paused, resumed
	KindLock     Kind = "lock"     // the leader key in the DCS: free, held
	KindServer   Kind = "server"   // of HAProxy on one node: UP, DOWN, MAINT, DRAIN, NOLB
	KindPort     Kind = "port"     // a section of HAProxy on one node: no server, has a server
	KindReload   Kind = "reload"   // HAProxy on one node started a worker
	KindRequest  Kind = "request"  // Patroni got a request, as for a switchover
	KindPatroni  Kind = "patroni"  // another sentence of Patroni's
	KindVIP      Kind = "vip"      // vip-manager took or released the address
	KindAction   Kind = "action"   // pgtui did it
)

// Event is one transition. Its time is At, and the true time is within Within of it.
type Event struct {
	At     time.Time
	Within time.Duration // 0 where the source has the exact second or better
	Kind   Kind
	// Host is the HAProxy node of a server, a port, a reload; else the node of the
	// instance; "" for the cluster.
	Host     model.Host
	Instance model.InstanceName // of a role, or the server of a section
	Proxy    string             // section of HAProxy, "pg-test-primary"
	Before   string             // state before; "" when the source does not have it
	After    string
	Why      string // the reason that the source names; "" when it names none
	Cut      int    // sessions that the server had when it went down; -1 when unknown
	Left     int    // servers that the section had left; -1 when unknown
	// Evidence are the sources that have it, the most exact first. It is never empty.
	Evidence []Evidence
	// Against is what contradicts it.
	Against []string
}

// Evidence is what one source has of an event.
type Evidence struct {
	Source string    // "the journal of haproxy on pg-test-1", "http://10.10.10.10:8428"
	At     time.Time // by that source
	Text   string    // what it has, one harmless line
}

// Subject names what the event is about: "pg-test-1 in pg-test-primary on
// 10.10.10.11", "pg-test-2", "the cluster".
func (e *Event) Subject() string {
	switch {
	case e.Kind == KindServer:
		return fmt.Sprintf("%s in %s on %s", e.Instance, e.Proxy, e.Host)
	case e.Kind == KindPort:
		return fmt.Sprintf("%s on %s", e.Proxy, e.Host)
	case e.Instance != "":
		return string(e.Instance)
	case e.Host != "":
		return string(e.Host)
	}
	return "the cluster"
}

// Change is the transition in words: "UP → DOWN".
func (e *Event) Change() string {
	if e.Before == "" {
		return e.After
	}
	return e.Before + " → " + e.After
}

// key is the same for events of several sources that may be one.
func (e *Event) key() string {
	host := e.Host
	if e.Kind == KindRole || e.Kind == KindTimeline || e.Kind == KindPause || e.Kind == KindLock {
		host = "" // every member reports it
	}
	in := e.Instance
	if e.Kind == KindPause || e.Kind == KindLock {
		in = ""
	}
	return strings.Join([]string{string(e.Kind), string(host), string(in), e.Proxy, e.After}, "\x00")
}

// slack is how far apart the clocks of two sources may be beyond what each states.
const slack = 2 * time.Second

// Merge puts the events of several sources together, oldest first: those of one
// subject that may be one event are one, with the time of the most exact source and the
// evidence of all.
func Merge(events []Event) []Event {
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b Event) int { return a.At.Compare(b.At) })
	var out []Event
	last := map[string][]int{} // of a key: the events in out that one more may be part of
	for i := range sorted {
		e := sorted[i]
		e.Evidence = slices.Clone(e.Evidence)
		k := e.key()
		at := -1
		for _, j := range last[k] {
			if e.At.Sub(out[j].At).Abs() <= e.Within+out[j].Within+slack && !sameSource(&e, &out[j]) {
				at = j
			}
		}
		if at < 0 {
			last[k] = append(last[k], len(out))
			out = append(out, e)
			continue
		}
		out[at] = joined(out[at], e)
	}
	slices.SortStableFunc(out, func(a, b Event) int { return a.At.Compare(b.At) })
	return out
}

// sameSource reports whether both are by one source about one member: a source has
// each event once, and two of it are two events.
func sameSource(a, b *Event) bool {
	for i := range a.Evidence {
		for j := range b.Evidence {
			if a.Evidence[i].Source == b.Evidence[j].Source && a.Instance == b.Instance && a.Host == b.Host {
				return true
			}
		}
	}
	return false
}

// joined is one event of two.
func joined(a, b Event) Event {
	best, other := a, b
	if b.Within < a.Within {
		best, other = b, a
	}
	best.Evidence = append(slices.Clone(best.Evidence), other.Evidence...)
	best.Before = cmp.Or(best.Before, other.Before)
	best.Why = cmp.Or(best.Why, other.Why)
	best.Against = append(slices.Clone(best.Against), other.Against...)
	if best.Cut < 0 {
		best.Cut = other.Cut
	}
	if best.Left < 0 {
		best.Left = other.Left
	}
	return best
}

// Span is a time without an answer.
type Span struct {
	What     string // "HAProxy on 10.10.10.11", "Patroni of pg-test-1"
	Host     model.Host
	From, To time.Time
	Why      string
}
