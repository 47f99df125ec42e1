package page

import (
	"fmt"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// mark is how a state is drawn: a shape, a word and a tone.
type mark struct {
	shape, word string
	tone        theme.Tone
}

func (m mark) line() widget.Line { return widget.T(m.tone, m.shape+" "+m.word) }

// The shape that says promise, permission and reality differ.
const differs = "≠"

// healthMark draws the state of a cluster. Before the first answer nothing
// is known, and nobody is to blame for it.
func healthMark(h model.Health, pending bool) mark {
	switch {
	case pending:
		return asking()
	case h == model.HealthOK:
		return mark{"●", "ok", theme.Good}
	case h == model.HealthDegraded:
		return mark{"!", "degraded", theme.Warn}
	case h == model.HealthDown:
		return mark{"✕", "DOWN", theme.Bad}
	default:
		return mark{"?", "unknown", theme.Doubt}
	}
}

// asking is what is not known because nobody has answered yet.
func asking() mark { return mark{"·", "asking", theme.Info} }

// verdictMark draws the verdict of a server, a view or a service.
func verdictMark(v model.Verdict) mark {
	switch v {
	case model.Serving:
		return mark{"●", "serves", theme.Good}
	case model.BackupServing:
		return mark{"●", "serves as backup", theme.Warn}
	case model.Standby:
		return mark{"○", "backup", theme.Plain}
	case model.Settling:
		return mark{"~", "settling", theme.Info}
	case model.Draining:
		return mark{"↓", "draining", theme.Warn}
	case model.Maint:
		return mark{"✕", "maint", theme.Warn}
	case model.Refused:
		return mark{"–", "refused", theme.Dim}
	case model.Down:
		return mark{"✕", "down", theme.Bad}
	case model.Unselected:
		return mark{"·", "not selected", theme.Dim}
	case model.Missing:
		return mark{"✕", "missing", theme.Bad}
	case model.Empty:
		return mark{"✕", "nobody serves", theme.Bad}
	case model.Mismatch:
		return mark{differs, "mismatch", theme.Bad}
	default:
		return mark{"?", "unknown", theme.Doubt}
	}
}

// routeMark draws the verdict of a service: in doubt where some of its HAProxies
// are not known, whatever the others say.
func routeMark(r *board.Route) mark {
	m := verdictMark(r.Verdict)
	if len(r.Silent) > 0 && (r.Verdict == model.Serving || r.Verdict == model.BackupServing) {
		m.shape, m.tone = "?", theme.Doubt
	}
	return m
}

// legend explains the verdicts, in the order the help lists them.
func legend() []struct {
	v    model.Verdict
	text string
} {
	return []struct {
		v    model.Verdict
		text string
	}{
		{model.Serving, "gets new connections now"},
		{model.BackupServing, "gets them because no regular server can"},
		{model.Standby, "held back, ready to take over"},
		{model.Refused, "Patroni answers the check and says no: normal for a replica on a primary port"},
		{model.Settling, "HAProxy has not finished its first check: eligible, not proven"},
		{model.Draining, "keeps its connections, gets no new ones"},
		{model.Maint, "taken out by hand"},
		{model.Down, "the check gets no answer it understands"},
		{model.Missing, "promised, but HAProxy does not have it"},
		{model.Unselected, "the service's selector does not name it"},
		{model.Unknown, "not known, and never counted as healthy"},
	}
}

// severityMark draws the weight of a finding.
func severityMark(s model.Severity) mark {
	switch s {
	case model.Critical:
		return mark{"✕", "critical", theme.Bad}
	case model.Warning:
		return mark{"!", "warning", theme.Warn}
	default:
		return mark{"·", "info", theme.Info}
	}
}

// lagText is a replay lag in the largest unit that keeps a digit before the point.
func lagText(n int64) string {
	switch {
	case n < 0:
		return "–"
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%d kB", n>>10)
	case n < 1<<30:
		return fmt.Sprintf("%d MB", n>>20)
	default:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	}
}

// numText is n, or a dash when it is not known.
func numText(n int) string {
	if n <= 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

// FreshFor is how old data may be and still be called live: two rounds of
// asking, and the time one slow node may take, but never longer than an answer
// counts.
func FreshFor(every time.Duration) time.Duration {
	return min(2*every+4*time.Second, source.StaleAfter)
}

// AgeMark is the age of data: "live" as long as it is fresh, so that a calm
// screen stays still, then the age in steps that change rarely.
func AgeMark(at, now time.Time, every time.Duration) widget.Line {
	if at.IsZero() {
		return widget.T(theme.Info, "~ asking")
	}
	age := max(now.Sub(at), 0)
	if age <= FreshFor(every) {
		return widget.T(theme.Dim, "● live")
	}
	return widget.T(theme.Alarm, " ! "+ageText(age)+" old ")
}

// ageText is a duration, coarse.
func ageText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second)/5*5)
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	default:
		return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
	}
}

// took is how long something lasted, for people.
func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// plural is "1 node", "2 nodes".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// marked is wrapped with a mark before the first line, which the others stand
// clear of.
func marked(tone theme.Tone, mark, text string, w, most int) []widget.Line {
	width := widget.T(tone, mark).Width()
	out := wrapped(tone, text, strings.Repeat(" ", width), w, most)
	if len(out) > 0 {
		out[0] = widget.T(tone, mark).Add(tone, out[0].Cut(width, w).String())
	}
	return out
}

// wrapped is text as lines of one tone, at most most of them, each behind indent.
func wrapped(tone theme.Tone, text, indent string, w, most int) []widget.Line {
	var out []widget.Line
	parts := widget.Wrap(text, max(w-len(indent), 1))
	for i, s := range parts {
		if i == most {
			out[i-1] = out[i-1].Add(tone, " …").Trunc(w)
			break
		}
		out = append(out, widget.T(tone, indent+s))
	}
	return out
}

// labelled is wrapped text with a label in front of its first line, in the
// room that the indent leaves.
func labelled(label widget.Line, tone theme.Tone, text string, indent, w, most int) []widget.Line {
	out := wrapped(tone, text, strings.Repeat(" ", indent), w, most)
	if len(out) == 0 {
		return []widget.Line{label}
	}
	out[0] = widget.Join(label.Pad(indent), out[0].Cut(indent, max(w, indent)))
	return out
}

// seqs names instances by what tells them apart inside the cluster: "1,2".
func seqs(c *model.Cluster, names []model.InstanceName) string {
	parts := make([]string, 0, len(names))
	for _, n := range names {
		parts = append(parts, strings.TrimPrefix(string(n), string(c.Name)+"-"))
	}
	return strings.Join(parts, ",")
}

// LeaderLine names a cluster's leader for the header.
func LeaderLine(b *board.Board) widget.Line {
	switch {
	case b.Leader == "" && b.Health == model.HealthDown:
		return widget.T(theme.Bad, "no leader  ")
	case b.Leader == "":
		return widget.T(theme.Doubt, "leader ?  ")
	}
	l := widget.T(theme.Dim, "leader ").Add(theme.Strong, string(b.Leader))
	if b.UnlistedLeader() != nil {
		l = l.Add(theme.Warn, " not in the inventory")
	} else if b.LeaderBy == "dcs" {
		l = l.Add(theme.Doubt, " ? (by DCS)")
	}
	if b.Timeline > 0 {
		l = l.Add(theme.Dim, fmt.Sprintf(" · TL %d", b.Timeline))
	}
	return l.Add(theme.Dim, fmt.Sprintf(" · %s  ", plural(len(b.Members), "member")))
}

// count is a number of things, with a k or M where it has many digits.
func count(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprint(n)
	case n < 10_000_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprintf("%dM", n/1_000_000)
}
