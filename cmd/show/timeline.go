package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model/history"
)

// Timeline prints what happened to a cluster: what clients went through first, then each event
// with its evidence, then what is unknown and what became of the sources.
func Timeline(w Out, t *history.Timeline) {
	fmt.Fprintf(w, "%s from %s to %s\n", t.Cluster.Name, local(t.Since), local(t.Until))
	timelineSummary(w, t)
	if len(t.Events) == 0 {
		fmt.Fprintln(w, "\nno source has an event of that time")
	} else {
		fmt.Fprintln(w)
		for i := range t.Events {
			timelineEvent(w, &t.Events[i])
		}
	}
	if len(t.Unknown) > 0 {
		fmt.Fprintln(w, "\nunknown: what happened here is in no source")
		for _, u := range t.Unknown {
			fmt.Fprintf(w, "  %s – %s  %s: %s\n", local(u.From), local(u.To), u.What, u.Why)
		}
	}
	fmt.Fprintln(w, "\nsources")
	for i := range t.Sources {
		timelineSource(w, &t.Sources[i])
	}
}

// timelineSummary prints gaps, misrouted connections, cut sessions and the layers of failovers.
func timelineSummary(w Out, t *history.Timeline) {
	for i := range t.Gaps {
		g := &t.Gaps[i]
		fmt.Fprintf(w, "  port %s (%s) had no server on %s: %s\n", g.Port, g.Service, g.Host, gapText(g))
	}
	for _, m := range t.Misrouted {
		fmt.Fprintf(w, "  %s on %s gave %s to %s, which was a replica: %s – %s\n", m.Proxy, m.Host, text.Plural(int(m.Connections), "connection"), m.Instance, local(m.From), local(m.To))
	}
	if n, known := t.Cut(); known {
		fmt.Fprintf(w, "  %s ended with a server that went down\n", text.Plural(n, "session"))
	}
	for _, f := range t.Failovers {
		fmt.Fprintf(w, "  %s became the leader\n", f.To)
		for i := range f.Layers {
			fmt.Fprintf(w, "    %s\n", layerText(&f.Layers[i]))
		}
	}
}

// gapText is how long a gap lasted.
func gapText(g *history.Gap) string {
	switch took := seconds(g.Took(), g.Within); {
	case g.Before && g.Open:
		return "all the time"
	case g.Open:
		return fmt.Sprintf("%s, since %s, and at the end still", took, local(g.From))
	case g.Before:
		return fmt.Sprintf("%s, until %s; it began before", took, local(g.To))
	default:
		return fmt.Sprintf("%s, from %s to %s", took, local(g.From), local(g.To))
	}
}

// layerText is what one layer took.
func layerText(l *history.Layer) string {
	if l.Unknown != "" {
		return fmt.Sprintf("%s: unknown: %s", l.Name, l.Unknown)
	}
	return fmt.Sprintf("%s: %s", l.Name, seconds(l.To.Sub(l.From), l.Within))
}

// seconds is a duration with what it is exact to.
func seconds(d, within time.Duration) string {
	if within == 0 {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f s ± %.1f s", d.Seconds(), within.Seconds())
}

// local is a time with its date, in this machine's zone.
func local(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// exact is a time of an event, with what it is exact to.
func exact(e *history.Event) string {
	if e.Within == 0 {
		return e.At.Local().Format("15:04:05.000")
	}
	return fmt.Sprintf("%s ±%gs", e.At.Local().Format("15:04:05"), (e.Within + 50*time.Millisecond).Truncate(100*time.Millisecond).Seconds())
}

// timelineEvent prints an event and, below it, its evidence.
func timelineEvent(w Out, e *history.Event) {
	change := w.tintRaw(eventHue(e), e.Change())
	if e.Why != "" {
		change += " (" + w.line(e.Why, 120) + ")"
	}
	fmt.Fprintf(w, "%-16s  %-8s  %s  %s\n", exact(e), e.Kind, e.Subject(), change)
	for _, v := range e.Evidence {
		fmt.Fprintf(w.file(), "%18s%s: %s\n", "", v.Source, w.line(v.Text, 160))
	}
	for _, against := range e.Against {
		fmt.Fprintf(w, "%18s≠ %s\n", "", against)
	}
}

// eventHue is the colour of what an event led to.
func eventHue(e *history.Event) hue {
	switch {
	case e.Kind == history.KindServer && history.Usable(e.After), e.After == "primary":
		return green
	case e.Kind == history.KindPort, e.Kind == history.KindServer && e.After == "DOWN", e.After == "free":
		return red
	case e.Kind == history.KindServer, e.Kind == history.KindPause && e.After == "paused":
		return yellow
	}
	return 0
}

func timelineSource(w Out, s *history.Source) {
	switch {
	case s.Err != nil:
		fmt.Fprintf(w, "  %s: not read: %s\n", s.Name, text.Line(s.Err.Error(), 400))
	default:
		fmt.Fprintf(w, "  %s: %s\n", s.Name, text.Plural(s.Events, "event"))
	}
	for _, n := range s.Notes {
		fmt.Fprintf(w, "    %s\n", n)
	}
}

// TimelineMarkdown writes a timeline as Markdown, in English: it goes into a ticket.
func TimelineMarkdown(w io.Writer, t *history.Timeline) {
	esc := strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "`", "'", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`).Replace
	fmt.Fprintf(w, "# %s, %s – %s\n\n", esc(string(t.Cluster.Name)), t.Since.Format(time.RFC3339), t.Until.Format(time.RFC3339))
	for i := range t.Gaps {
		g := &t.Gaps[i]
		fmt.Fprintf(w, "- Port %s (%s) had no server on %s: %s\n", g.Port, esc(string(g.Service)), esc(string(g.Host)), gapText(g))
	}
	for _, m := range t.Misrouted {
		fmt.Fprintf(w, "- %s on %s gave %s to %s, which was a replica\n", esc(m.Proxy), esc(string(m.Host)), text.Plural(int(m.Connections), "connection"), esc(string(m.Instance)))
	}
	if n, known := t.Cut(); known {
		fmt.Fprintf(w, "- %s ended with a server that went down\n", text.Plural(n, "session"))
	}
	for _, f := range t.Failovers {
		fmt.Fprintf(w, "- %s became the leader:\n", esc(string(f.To)))
		for i := range f.Layers {
			fmt.Fprintf(w, "  - %s\n", esc(layerText(&f.Layers[i])))
		}
	}
	fmt.Fprint(w, "\n| time | ± | event | evidence |\n|---|---|---|---|\n")
	for i := range t.Events {
		e := &t.Events[i]
		var evidence []string
		for _, v := range e.Evidence {
			evidence = append(evidence, esc(v.Source+": "+v.Text))
		}
		for _, a := range e.Against {
			evidence = append(evidence, "≠ "+esc(a))
		}
		why := ""
		if e.Why != "" {
			why = " (" + esc(e.Why) + ")"
		}
		fmt.Fprintf(w, "| %s | %g s | %s: %s: %s%s | %s |\n", e.At.Format("2006-01-02T15:04:05.000Z07:00"), e.Within.Seconds(), e.Kind, esc(e.Subject()), esc(e.Change()), why, strings.Join(evidence, "<br>"))
	}
	if len(t.Unknown) > 0 {
		fmt.Fprint(w, "\nUnknown:\n\n")
		for _, u := range t.Unknown {
			fmt.Fprintf(w, "- %s – %s %s: %s\n", u.From.Format(time.RFC3339), u.To.Format(time.RFC3339), esc(u.What), esc(u.Why))
		}
	}
	fmt.Fprint(w, "\nSources:\n\n")
	for i := range t.Sources {
		s := &t.Sources[i]
		what := text.Plural(s.Events, "event")
		if s.Err != nil {
			what = "not read: " + text.Line(s.Err.Error(), 400)
		}
		fmt.Fprintf(w, "- %s: %s\n", esc(s.Name), esc(strings.Join(append([]string{what}, s.Notes...), "; ")))
	}
}
