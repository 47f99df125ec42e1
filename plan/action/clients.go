package action

import (
	"fmt"
	"slices"
	"time"

	"pgtui/model"
	"pgtui/model/trace"
)

// Beat is how a probe client fared in one slice of time.
type Beat uint8

// The beats.
const (
	BeatNone   Beat = iota // no connection that began in it has ended
	BeatServed             // each that has ended was served
	BeatLost               // one was not served
)

// BeatEvery is the length of a slice. A client begins several connections in each.
const BeatEvery = 250 * time.Millisecond

// maxBeats is how many are kept: the last minute.
const maxBeats = 240

// Beats are the slices of one client since From.
type Beats struct {
	From  time.Time
	first int // number of the slice that kept begins with
	kept  []Beat
}

// Add takes the sample of one connection. Slices that are no longer kept do not change.
func (b *Beats) Add(s *trace.Sample) {
	i := b.upTo(s.At)
	switch {
	case i < 0:
	case s.Fault != "":
		b.kept[i] = BeatLost
	case b.kept[i] == BeatNone:
		b.kept[i] = BeatServed
	}
}

// Recent are the last slices until now, the newest last.
func (b *Beats) Recent(now time.Time) []Beat {
	b.upTo(now)
	return slices.Clone(b.kept)
}

// upTo adds the slices until that time, and returns where its own is; negative for
// none.
func (b *Beats) upTo(at time.Time) int {
	n := int(at.Sub(b.From) / BeatEvery)
	if over := n - maxBeats + 1 - b.first; over > 0 {
		b.kept = b.kept[min(over, len(b.kept)):]
		b.first += over
	}
	for n-b.first >= len(b.kept) {
		b.kept = append(b.kept, BeatNone)
	}
	return n - b.first
}

// ClientNow is what one probe client sees now.
type ClientNow struct {
	Host           model.Host
	Served, Failed int // connections
	Out            bool
	Since          time.Time // when it was last served; zero while it is not Out
	Fault          string    // why it is Out
	By             model.InstanceName
	// Gaps are those that have ended, Latest the last and Longest the longest of them.
	Gaps            int
	Latest, Longest time.Duration
	Span            time.Duration // from the beginning of the first to the end of the last
	Why             string        // of the last
	Before          time.Duration // it was not served until then, from its first connection on; 0 where the first was served
	Recent          []Beat        // the newest last; BeatEvery long each
}

// NowOf is what a client sees by its gap and its slices.
func NowOf(c *Client, b *Beats, now time.Time) ClientNow {
	g := &c.Gap
	span, why := g.Span()
	return ClientNow{Host: c.Host, Served: g.Served, Failed: g.Failed, Out: g.Out(), Since: g.Since(), Fault: g.Fault(), By: g.By(),
		Gaps: g.Gaps, Latest: g.Latest, Longest: g.Longest, Span: span, Why: why, Before: g.Before, Recent: b.Recent(now)}
}

// ClientNews are the clients that are served no longer, and those that are again, one
// line each. before are the same clients a moment ago, nil at the beginning; call is
// when the call was sent, zero before it was.
func ClientNews(before, now []ClientNow, call time.Time) []string {
	var out, back []*ClientNow
	var gap, late time.Duration // the longest that has ended; the longest wait for a first answer
	for i := range now {
		was := ClientNow{}
		if i < len(before) {
			was = before[i]
		}
		switch c := &now[i]; {
		case c.Out && !was.Out:
			out = append(out, c)
		case !c.Out && (was.Out || c.Gaps > was.Gaps):
			back = append(back, c)
			if c.Gaps == 0 {
				late = max(late, c.Before)
			}
			if gap = max(gap, c.Latest); c.Longest > was.Longest {
				gap = max(gap, c.Longest)
			}
		}
	}
	var lines []string
	if len(out) > 0 {
		lines = append(lines, lostWords(out, call))
	}
	if len(back) > 0 {
		lines = append(lines, backWords(back, gap, late))
	}
	return lines
}

// through names the clients by their HAProxies.
func through(all []*ClientNow) string {
	hosts := make([]model.Host, len(all))
	for i, c := range all {
		hosts[i] = c.Host
	}
	return "clients through " + model.Join(hosts)
}

// lostWords is since when clients are not served, and why.
func lostWords(all []*ClientNow, call time.Time) string {
	first := slices.MinFunc(all, func(a, b *ClientNow) int { return a.Since.Compare(b.Since) })
	when := ""
	if after := first.Since.Sub(call); !call.IsZero() && after >= 0 {
		when = fmt.Sprintf(" since %.1f s after the call", after.Seconds())
	}
	return through(all) + " are not served" + when + ": " + first.Fault
}

// backWords is who serves clients again, and how long no one did.
func backWords(all []*ClientNow, gap, late time.Duration) string {
	out := through(all) + " are served"
	if gap > 0 {
		out += " again"
	}
	if by := all[0].By; by != "" {
		out += " by " + string(by)
	}
	switch {
	case late > 0:
		out += fmt.Sprintf(": they were not served before, %.1f s of it while pgtui watched", late.Seconds())
	case gap > 0:
		out += fmt.Sprintf(": gap %.1f s", gap.Seconds())
	}
	return out
}
