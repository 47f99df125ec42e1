package actions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/plan/action"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// beatMarks draw how a client fared in a slice of time.
func beatMarks() map[action.Beat]page.Mark {
	return map[action.Beat]page.Mark{
		action.BeatServed: {Shape: "▪", Tone: theme.Good},
		action.BeatLost:   {Shape: "✕", Tone: theme.Bad},
	}
}

// clientLines are the probe clients, one line each: whether one is served, for how
// long it was not, and its slices of time. Where they do not fit in most lines, those
// that are worst off are shown.
func (p *Timeline) clientLines(most int, e page.Env) []widget.Line {
	all := slices.Clone(p.clients)
	if len(all) > most {
		slices.SortStableFunc(all, func(a, b action.ClientNow) int { return cmp.Compare(p.gap(&b), p.gap(&a)) })
	}
	rest := ""
	if len(all) > most {
		shown := max(most-1, 1)
		rest = fmt.Sprintf("   and %d more, none with a longer gap", len(all)-shown)
		all = all[:shown]
	}
	out := []widget.Line{widget.T(theme.Head, " CLIENTS").Add(theme.Dim, " of the primary port  ").Add(theme.Good, "▪").Add(theme.Dim, " served  ").
		Add(theme.Bad, "✕").Add(theme.Dim, widget.F(" not served, %d ms each, newest right", action.BeatEvery.Milliseconds())).Trunc(e.W)}
	wide := 0
	for i := range p.clients {
		wide = max(wide, min(widget.Width(string(p.clients[i].Host)), e.W/3))
	}
	for i := range all {
		out = append(out, p.clientLine(&all[i], wide, e))
	}
	if i := slices.IndexFunc(p.clients, func(c action.ClientNow) bool { return c.Gaps > 1 && !c.Out }); i >= 0 {
		c := &p.clients[i]
		out = append(out, page.Wrapped(theme.Dim, widget.F("%d gaps within %.1f s, the last one: %s", c.Gaps, c.Span.Seconds(), c.Why), "   ", e.W, 2)...)
	}
	if rest != "" {
		out = append(out, widget.T(theme.Dim, widget.Words(rest)).Trunc(e.W))
	}
	return out
}

// gap is the gap that a client has, or the longest that it had.
func (p *Timeline) gap(c *action.ClientNow) time.Duration {
	if c.Out {
		return p.clientAt.Sub(c.Since)
	}
	return max(c.Longest, c.Before)
}

// gapWords is the widest that clientWords returns, in cells.
const gapWords = 22

// clientLine is one client.
func (p *Timeline) clientLine(c *action.ClientNow, wide int, e page.Env) widget.Line {
	tone, words := p.clientWords(c)
	l := widget.Join(widget.P("   "), widget.Raw(theme.Strong, string(c.Host)).Trunc(wide).Pad(wide+2), widget.T(tone, widget.Words(words)).Pad(gapWords+2))
	beats := c.Recent[max(len(c.Recent)-max(e.W-1-l.Width(), 0), 0):]
	for len(beats) > 0 {
		same := 1
		for same < len(beats) && beats[same] == beats[0] {
			same++
		}
		m := page.MarkOf(beats[0], beatMarks(), page.Mark{Shape: "·", Tone: theme.Dim})
		l, beats = l.AddRaw(m.Tone, strings.Repeat(m.Shape, same)), beats[same:]
	}
	return l.Trunc(e.W)
}

// clientWords is whether a client is served, and the gap.
func (p *Timeline) clientWords(c *action.ClientNow) (theme.Tone, string) {
	gap := fmt.Sprintf("gap %.1f s", p.gap(c).Seconds())
	switch {
	case c.Out && c.Longest > p.gap(c):
		return theme.Bad, fmt.Sprintf("gap %.1f s, again %.1f s", c.Longest.Seconds(), p.gap(c).Seconds())
	case c.Out && c.Served == 0:
		return theme.Bad, "not served until now"
	case c.Out:
		return theme.Bad, gap + " and growing"
	case c.Served == 0:
		return theme.Doubt, "no answer yet"
	case c.Gaps > 0:
		return theme.Good, "served, " + gap
	}
	if c.Before > 0 {
		return theme.Good, fmt.Sprintf("served, after %.1f s", c.Before.Seconds())
	}
	return theme.Good, "served, no gap"
}
