package model

import (
	"cmp"
	"fmt"
	"time"
)

// TraceSample is one connection of a client that goes on connecting.
type TraceSample struct {
	At       time.Time // when it was begun
	Done     time.Time // when it was answered or given up
	Instance InstanceName
	Timeline int
	Fault    string // why it was of no use; "" when it was served
}

// ServedBy is what the answer to a trace's connection is worth to a client:
// "" when it was served. One that was promised the primary is not served by a
// server that takes no writes.
func ServedBy(target TraceTarget, way WayIn, a *TraceAttempt) string {
	switch {
	case a.Try.Fault != "":
		return a.Try.Text
	case a.Skipped != "":
		return a.Skipped
	case a.Try.Answer.ReadOnly && way.Service != nil && TargetOf(way.Service) == TargetPrimary:
		return "the answer is from a server that takes no writes"
	}
	return ""
}

// TraceGap follows the samples of one client: when it was not served, and for
// how long. The zero value has seen nothing.
type TraceGap struct {
	seen  bool
	last  TraceSample // the last that was served
	since TraceSample // the first that was not; zero while served
	lost  int         // connections since then

	Gaps    int           // that have ended
	Longest time.Duration // of those
	Served  int
	Failed  int
}

// Out reports whether the latest connection was not served.
func (g *TraceGap) Out() bool { return !g.since.At.IsZero() }

// Add takes the next sample and says what it changes, "" for nothing. fixed
// tells that one instance at a time should answer, so that another is news.
func (g *TraceGap) Add(s TraceSample, fixed bool) string {
	if s.Fault != "" {
		g.Failed++
		g.lost++
		if g.Out() {
			return ""
		}
		g.since = s
		return "not served: " + s.Fault
	}
	g.Served++
	before, first := g.last, !g.seen
	was := g.since
	lost := g.lost
	g.last, g.seen, g.since, g.lost = s, true, TraceSample{}, 0
	who := fmt.Sprintf("%s answers, timeline %d", cmp.Or(string(s.Instance), "somebody"), s.Timeline)
	switch {
	case !was.At.IsZero() && first:
		return fmt.Sprintf("%s; %d connections failed before", who, lost)
	case !was.At.IsZero():
		gap := s.Done.Sub(before.Done)
		g.Gaps++
		g.Longest = max(g.Longest, gap)
		return fmt.Sprintf("%s: gap %d ms, %d connections failed", who, gap.Milliseconds(), lost)
	case first:
		return who
	case fixed && (s.Instance != before.Instance || s.Timeline != before.Timeline) && s.Instance != "" && before.Instance != "":
		return fmt.Sprintf("%s, before it was %s: no connection failed, %d ms between the two", who, before.Instance, s.Done.Sub(before.Done).Milliseconds())
	}
	return ""
}

// Summary is the whole in one line.
func (g *TraceGap) Summary() string {
	out := fmt.Sprintf("%d connections served, %d failed, %d gaps", g.Served, g.Failed, g.Gaps)
	if g.Gaps > 0 {
		out += fmt.Sprintf(", the longest %d ms", g.Longest.Milliseconds())
	}
	if g.Out() {
		out += "; not served at the end: " + g.since.Fault
	}
	return out
}
