package trace

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
)

// Sample is one connection of a client that keeps connecting.
type Sample struct {
	At       time.Time // when it was begun
	Done     time.Time // when it was answered or given up
	Instance model.InstanceName
	Timeline int
	Fault    string // why it was of no use; "" when it was served
}

// ServedBy is what the answer to a trace's connection is worth to a client:
// "" when it was served. One that was promised the primary is not served by a
// server that takes no writes.
func ServedBy(target Target, way WayIn, a *Attempt) string {
	switch {
	case a.Try.Fault != "":
		return a.Try.Text
	case a.Skipped != "":
		return a.Skipped
	case a.Try.Answer.ReadOnly && way.Service != nil && access.TargetOf(way.Service) == model.TargetPrimary:
		return "the answer is from a server that takes no writes"
	}
	return ""
}

// SampleOf is what the attempt that a connection ended with means to a client,
// and whether one instance at a time should answer there. s names the instances;
// nil names none.
func SampleOf(s *model.Snapshot, inv *model.Inventory, target Target, one *Attempt, begun, done time.Time) (Sample, bool) {
	way := WayOf(inv, one)
	out := Sample{At: begun, Done: done, Timeline: one.Try.Answer.Timeline, Fault: ServedBy(target, way, one)}
	if out.Fault == "" && way.Cluster != nil && s != nil {
		out.Instance, _, _ = board.Identify(s, way.Cluster, one.Try.Answer)
	}
	fixed := way.Service != nil && access.TargetOf(way.Service) == model.TargetPrimary || slices.Contains([]string{"primary", "read-write"}, target.Attrs)
	return out, fixed
}

// Gap follows the samples of one client: when it was not served, and for
// how long. The zero value has seen nothing.
type Gap struct {
	seen  bool
	last  Sample    // the last that was served
	since Sample    // the first that was not; zero while served
	lost  int       // connections since then
	began time.Time // when the client was last served before its first gap
	ended time.Time // when its latest gap ended
	why   string    // of the latest gap

	Gaps    int           // that have ended
	Longest time.Duration // of those
	Latest  time.Duration // the last of those
	Before  time.Duration // from the first connection to the first that was served, where those before it failed; 0 otherwise
	Served  int
	Failed  int
}

// Out reports whether the latest connection was not served.
func (g *Gap) Out() bool { return !g.since.At.IsZero() }

// Since is when the client was last served, or, where it never was, when it first
// tried; zero while it is served.
func (g *Gap) Since() time.Time {
	if g.Out() && g.seen {
		return g.last.Done
	}
	return g.since.At
}

// Span is how long it lasted from the beginning of the first gap to the end of the
// last, and why the client was not served in the last; 0 without gaps.
func (g *Gap) Span() (took time.Duration, why string) { return g.ended.Sub(g.began), g.why }

// Fault is why the first connection since then was not served; "" while it is served.
func (g *Gap) Fault() string { return g.since.Fault }

// By is who served it last; "" for no one, and for a server without a name.
func (g *Gap) By() model.InstanceName { return g.last.Instance }

// Add takes the next sample and says what it changes, "" for nothing. fixed
// says that one instance at a time should answer, so that another is news.
func (g *Gap) Add(s Sample, fixed bool) string {
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
	g.last, g.seen, g.since, g.lost = s, true, Sample{}, 0
	who := fmt.Sprintf("%s answers, timeline %d", cmp.Or(string(s.Instance), "an unnamed server"), s.Timeline)
	switch {
	case !was.At.IsZero() && first:
		g.Before = s.Done.Sub(was.At)
		return fmt.Sprintf("%s; %d connections failed before", who, lost)
	case !was.At.IsZero():
		gap := s.Done.Sub(before.Done)
		g.Gaps++
		g.Longest, g.Latest, g.ended, g.why = max(g.Longest, gap), gap, s.Done, was.Fault
		if g.Gaps == 1 {
			g.began = before.Done
		}
		return fmt.Sprintf("%s: gap %d ms, %d connections failed", who, gap.Milliseconds(), lost)
	case first:
		return who
	case fixed && (s.Instance != before.Instance || s.Timeline != before.Timeline) && s.Instance != "" && before.Instance != "":
		return fmt.Sprintf("%s instead of %s: no connection failed, %d ms between the two", who, before.Instance, s.Done.Sub(before.Done).Milliseconds())
	}
	return ""
}

// Summary is the whole in one line.
func (g *Gap) Summary() string {
	out := fmt.Sprintf("%s served, %d failed, %s", text.Plural(g.Served, "connection"), g.Failed, text.Plural(g.Gaps, "gap"))
	if g.Gaps > 0 {
		out += fmt.Sprintf(", the longest %d ms", g.Longest.Milliseconds())
	}
	if g.Out() {
		out += "; not served at the end: " + g.since.Fault
	}
	return out
}
