package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Mark is how a state is drawn: a shape, a word and a tone.
type Mark struct {
	Shape, Word string
	Tone        theme.Tone
}

// Line is the mark with its word, in its tone.
func (m Mark) Line() widget.Line { return widget.T(m.Tone, widget.Words(m.Shape+" "+m.Word)) }

// Differs marks a cell in which declaration, Patroni and HAProxy disagree.
const Differs = "≠"

// HealthMark draws the state of a cluster. Before the first answer nothing
// is known, and that is no fault.
func HealthMark(h model.Health, pending bool) Mark {
	switch {
	case pending:
		return Probing()
	case h == model.HealthOK:
		return Mark{"●", "ok", theme.Good}
	case h == model.HealthDegraded:
		return Mark{"!", "degraded", theme.Warn}
	case h == model.HealthDown:
		return Mark{"✕", "DOWN", theme.Bad}
	}
	return Unknown()
}

// PartMark draws the health of one part of a cluster, a PostgreSQL, a pgbouncer or its
// components, in the words of findings: the cluster's own words are HealthMark's.
func PartMark(h model.Health) Mark {
	m := HealthMark(h, false)
	switch h {
	case model.HealthDegraded:
		m.Word = SeverityMark(model.Warning).Word
	case model.HealthDown:
		m.Word = SeverityMark(model.Critical).Word
	}
	return m
}

// Probing is what is unknown because no node has answered yet.
func Probing() Mark { return Mark{"·", "probing", theme.Info} }

// VerdictMark draws the verdict of a server, a view or a service. Its word is the
// verdict's own.
func VerdictMark(v model.Verdict) Mark {
	for _, l := range legend() {
		if l.verdict == v {
			return Mark{l.shape, string(v), l.tone}
		}
	}
	return Unknown()
}

// MarkOf is the mark of k in a table, and rest when it is not there.
func MarkOf[K comparable](k K, marks map[K]Mark, rest Mark) Mark {
	if m, ok := marks[k]; ok {
		return m
	}
	return rest
}

// Unknown is the mark of an unknown state.
func Unknown() Mark { return Mark{"?", "unknown", theme.Doubt} }

// meaning is a verdict, how it is drawn, and what the help says of it.
type meaning struct {
	verdict model.Verdict
	shape   string
	tone    theme.Tone
	text    string
}

// legend is every verdict, in the order of model.Verdicts.
func legend() []meaning {
	return []meaning{
		{model.Serving, "●", theme.Good, "gets new connections now"},
		{model.BackupServing, "●", theme.Warn, "a backup that gets new connections because no regular server is available"},
		{model.Standby, "○", theme.Plain, "a backup that is held back, ready to take over"},
		{model.Settling, "~", theme.Info, "HAProxy has not finished its first check yet"},
		{model.Draining, "↓", theme.Warn, "keeps its connections, gets no new ones"},
		{model.Maint, "✕", theme.Warn, "taken out by hand"},
		{model.Refused, "–", theme.Dim, "Patroni answers the check with 503: normal for a replica on a primary port"},
		{model.Down, "✕", theme.Bad, "the check gets no valid answer"},
		{model.Unselected, "·", theme.Dim, "the service's selector does not select it"},
		{model.Missing, "✕", theme.Bad, "declared, but missing on HAProxy"},
		{model.Empty, "✕", theme.Bad, "no server gets new connections; – means empty by design"},
		{model.Mismatch, Differs, theme.Bad, "the serving server is not the right one, or HAProxies disagree"},
		{model.Unknown, Unknown().Shape, Unknown().Tone, "unknown, and never counted as healthy"},
	}
}

// SeverityMark draws the weight of a finding.
func SeverityMark(s model.Severity) Mark {
	switch s {
	case model.Critical:
		return Mark{"✕", "critical", theme.Bad}
	case model.Warning:
		return Mark{"!", "warning", theme.Warn}
	default:
		return Mark{"·", "info", theme.Info}
	}
}

// LagText is a replay lag in the largest unit that keeps a digit before the point.
func LagText(n int64) string {
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

// Lag is a replay lag in bytes and, as far as it is known, in time.
func Lag(bytes int64, d time.Duration) string {
	if bytes < 0 || d < 0 {
		return LagText(bytes)
	}
	return LagText(bytes) + ", " + text.Span(d)
}

// NumText is n, or a dash when it is unknown.
func NumText(n int) string {
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
// screen stays still, then the age in steps that change rarely, with the time of day
// where those are shown.
func (e Env) AgeMark(at time.Time) widget.Line {
	if at.IsZero() {
		return widget.T(theme.Info, "~ probing")
	}
	age := max(e.Now.Sub(at), 0)
	switch {
	case age <= FreshFor(e.Every):
		return widget.T(theme.Dim, "● live")
	case e.Ago || e.W < 100:
		return widget.T(theme.Alarm, widget.Words(" ! "+AgeText(age)+" old "))
	}
	return widget.T(theme.Alarm, widget.Words(" ! "+AgeText(age)+" old, of "+Clock(at, e.Now)+" "))
}

// AgeText is a duration, coarse.
func AgeText(d time.Duration) string {
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

// Took is how long something lasted, for people.
func Took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// Marked is wrapped with a mark before the first line, which the others stand
// clear of.
func Marked(tone theme.Tone, mark string, w widget.Words, width, most int) []widget.Line {
	return LabelledRaw(widget.Raw(tone, mark), tone, w.Local(), widget.Width(mark), width, most)
}

// Wrapped is words as lines of one tone, at most most of them, each behind indent.
func Wrapped(tone theme.Tone, w widget.Words, indent string, width, most int) []widget.Line {
	return WrappedRaw(tone, w.Local(), indent, width, most)
}

// WrappedRaw is Wrapped of data.
func WrappedRaw(tone theme.Tone, text, indent string, w, most int) []widget.Line {
	return indented(tone, widget.Wrap(text, max(w-len(indent), 1)), indent, w, most)
}

// indented are lines of text behind indent, at most most of them.
func indented(tone theme.Tone, parts []string, indent string, w, most int) []widget.Line {
	var out []widget.Line
	for i, s := range parts {
		if i == most {
			out[i-1] = out[i-1].More(tone, w)
			break
		}
		out = append(out, widget.Raw(tone, indent+s))
	}
	return out
}

// Labelled is wrapped words with a label in front of their first line, in the
// room that the indent leaves.
func Labelled(label widget.Line, tone theme.Tone, w widget.Words, indent, width, most int) []widget.Line {
	return LabelledRaw(label, tone, w.Local(), indent, width, most)
}

// LabelledRaw is Labelled of data.
func LabelledRaw(label widget.Line, tone theme.Tone, text string, indent, w, most int) []widget.Line {
	out := WrappedRaw(tone, text, strings.Repeat(" ", indent), w, most)
	if len(out) == 0 {
		return []widget.Line{label}
	}
	out[0] = widget.Join(label.Pad(indent), out[0].Cut(indent, max(w, indent)))
	return out
}

// Seqs names instances by their numbers inside the cluster: "1,2".
func Seqs(c *model.Cluster, names []model.InstanceName) string {
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
	l := widget.T(theme.Dim, "leader ").AddRaw(theme.Strong, string(b.Leader))
	if b.UnlistedLeader() != nil {
		l = l.Add(theme.Warn, " not in the inventory")
	} else if b.LeaderBy == "dcs" {
		l = l.Add(theme.Doubt, " ? (by DCS)")
	}
	if b.Timeline > 0 {
		l = l.Add(theme.Dim, widget.F(" · TL %d", b.Timeline))
	}
	return l.Add(theme.Dim, widget.F(" · %s  ", text.Plural(len(b.Members), "member")))
}

// Count is a number of things, with a k or M where it has many digits.
func Count(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprint(n)
	case n < 10_000_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprintf("%dM", n/1_000_000)
}

// FindingMark draws how much a finding weighs; drift has a mark of its own.
func FindingMark(f *model.Finding) Mark {
	if f.Drift {
		return DriftMark()
	}
	return SeverityMark(f.Severity)
}

// ChangeMark draws how bad the end of a change is; drift that is there has a mark of its own.
func ChangeMark(c *board.Change) Mark {
	if c.Drift && c.Path[len(c.Path)-1] != "" {
		return DriftMark()
	}
	return SeverityMark(c.Severity)
}

// DriftMark draws a difference from the inventory.
func DriftMark() Mark { return Mark{Differs, "drift", theme.Info} }

// FindingLine is a finding in one line, with its cluster if requested.
func FindingLine(f *model.Finding, cluster bool) widget.Line {
	m := FindingMark(f)
	l := widget.P(" ").AddRaw(m.Tone, m.Shape+" ")
	if cluster {
		l = l.AddRaw(theme.Strong, string(f.Cluster)+"  ")
	}
	return l.Add(theme.Plain, widget.Words(f.Summary))
}

// FindingLines is a finding behind its mark, in at most most lines.
func FindingLines(f *model.Finding, most, w int) []widget.Line {
	m := FindingMark(f)
	return Labelled(widget.P(" ").AddRaw(m.Tone, m.Shape), theme.Plain, widget.Words(f.Summary), 3, w, most)
}

// Beside puts more behind a line where it fits, else below it.
func Beside(l, more widget.Line, w int) []widget.Line {
	if l.Width()+more.Width() <= w {
		return []widget.Line{widget.Join(l, more)}
	}
	return []widget.Line{l, more}
}

// Clock is the time of day of t, with its date when that is not now's.
func Clock(t, now time.Time) string {
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("02 Jan 15:04:05")
}

// Moment is a time in full, in the zone of the screen: "2006-01-02 15:04:05 CET", or "5 s
// ago" where that is shown.
func (e Env) Moment(t time.Time) string {
	if e.Ago {
		return e.Stamp(t) + " ago"
	}
	return text.Moment(t.In(e.Now.Location()))
}

// When is a time in a sentence: "15:04:05", or "5 s ago" where that is shown.
func (e Env) When(t time.Time) string {
	if e.Ago {
		return e.Stamp(t) + " ago"
	}
	return e.Stamp(t)
}

// Stamp is a time in a list: "15:04:05", or "5 s" under the title StampTitle.
func (e Env) Stamp(t time.Time) string {
	if e.Ago {
		return AgeText(max(e.Now.Sub(t), 0))
	}
	return Clock(t, e.Now)
}

// StampTitle is the title of a column of stamps.
func (e Env) StampTitle() widget.Words {
	if e.Ago {
		return "AGO"
	}
	return "TIME"
}

// Narrow is below how many cells the subject of an event has no column of its own.
const Narrow = 60

// Flow sets words behind head and continues below it.
func Flow(head widget.Line, words widget.Words, w int) []widget.Line {
	const below = "   "
	text := words.Local()
	if head.Width()+widget.Width(text) <= w {
		return []widget.Line{head.AddRaw(theme.Plain, text)}
	}
	if head.Width() > w*2/3 {
		return append([]widget.Line{head.Trunc(w)}, WrappedRaw(theme.Plain, text, below, w, 9)...)
	}
	parts := widget.WrapBehind(text, max(w-head.Width(), 1), max(w-len(below), 1))
	return append([]widget.Line{head.AddRaw(theme.Plain, parts[0])}, indented(theme.Plain, parts[1:], below, w, 9)...)
}

// AtMost are the first n lines; the last of them shows that there are more.
func AtMost(lines []widget.Line, n, w int) []widget.Line {
	if len(lines) <= n || n == 0 {
		return lines
	}
	out := slices.Clone(lines[:n])
	out[n-1] = out[n-1].More(theme.Plain, w)
	return out
}

// Gap sets the next words of a line apart.
func Gap(l widget.Line, apart bool) widget.Line {
	if apart {
		return l.Add(theme.Plain, "   ")
	}
	return l
}

// Failure is an error with its hint.
func Failure(err error, e Env) []widget.Line {
	out := Wrapped(theme.Plain, widget.Words(err.Error()), "   ", e.W, 6)
	if try := source.TryOf(err); try != "" {
		out = append(out, Labelled(widget.T(theme.Head, "   try"), theme.Plain, widget.Words(try), 8, e.W, 4)...)
	}
	return out
}

// Became is what happened to the subjects of a change: the states they went through. Where
// that is wider than room, the states between the first and the last are left out; 0 is
// room for all.
func Became(c *board.Change, room int) widget.Line {
	tone := ChangeMark(c).Tone
	if c.Severity == model.Info {
		tone = theme.Plain
	}
	last, took := c.Path[len(c.Path)-1], c.At.Sub(c.From)
	if c.Kind == "finding" {
		if last != "" {
			return widget.T(tone, widget.Words(last))
		}
		was := c.Path[len(c.Path)-2]
		if took > 0 {
			return widget.T(theme.Dim, widget.F("resolved after %s: %s", tookText(took), was))
		}
		return widget.T(theme.Dim, widget.F("resolved: %s", was))
	}
	if c.Path[0] == "" { // it has happened, and is no state
		return widget.T(tone, widget.Words(last))
	}
	path := c.Steady(passing)
	path = path[:len(path)-1]
	if len(path) > mostStates {
		path = append([]string{path[0], "…"}, path[len(path)-mostStates+1:]...)
	}
	l := pathLine(path, last, tone, took)
	if room > 0 && len(path) > 1 && l.Width() > room { // where it ends is worth more than how it came there
		l = pathLine([]string{path[0], "…"}, last, tone, took)
	}
	if room > 0 && l.Width() > room {
		l = pathLine([]string{"…"}, last, tone, took)
	}
	return l
}

// pathLine is a change's states in one line, and how long it took.
func pathLine(path []string, last string, tone theme.Tone, took time.Duration) (l widget.Line) {
	for _, state := range path {
		l = l.Add(theme.Dim, widget.Words(state)).AddRaw(theme.Dim, " → ")
	}
	l = l.Add(tone, widget.Words(last))
	if took > 0 {
		l = l.Add(theme.Dim, "  ").Add(theme.Dim, widget.F("in %s", tookText(took)))
	}
	return l
}

// tookText is how long a change took: in seconds where a gap in service is counted in them.
func tookText(d time.Duration) string {
	if d < 5*time.Minute {
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return AgeText(d)
}

// passing is below how long a state is not shown in a change's row: the answers of one refresh
// come one after the other.
const passing = 3 * time.Second

// mostStates is how many states before the last one a change shows in a row.
const mostStates = 3

// About names the subjects of a change: the leader of its cluster in words.
func About(c *board.Change) widget.Words {
	if c.Kind == "leader" {
		return widget.Words(strings.Join(c.Subjects, ", "))
	}
	return widget.F("%s", widget.Data(strings.Join(c.Subjects, ", ")))
}

// Latest are the newest changes that are meant, as lines, at most n.
func Latest(e Env, n int, meant func(*board.Change) bool) []widget.Line {
	var out []widget.Line
	for i := range e.Changes {
		if c := &e.Changes[i]; len(out) < n && meant(c) {
			out = append(out, changeLine(c, e))
		}
	}
	return out
}

// ChangeLines is one change, over several lines where it does not fit in one.
func ChangeLines(c *board.Change, e Env) []widget.Line {
	l := changeLine(c, e)
	if l.Width() <= e.W {
		return []widget.Line{l}
	}
	m := ChangeMark(c)
	head := widget.P(" ").Add(theme.Dim, widget.Words(e.Stamp(c.At))).Pad(10).AddRaw(m.Tone, m.Shape)
	return LabelledRaw(head, theme.Plain, About(c).Local()+"  "+Became(c, 0).String(), head.Width()+1, e.W, 3)
}

// changeLine is one change in one line.
func changeLine(c *board.Change, e Env) widget.Line {
	m := ChangeMark(c)
	at := widget.P(" ").Add(theme.Dim, widget.Words(e.Stamp(c.At)+" "))
	l := at.Pad(max(at.Width(), 10)).AddRaw(m.Tone, m.Shape+" ").Add(theme.Plain, About(c)+"  ")
	return widget.Join(l, Became(c, max(e.W-l.Width(), 0)))
}
