package journal

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Logs are the logs of a node as they come: of all components, or of one.
type Logs struct {
	at      page.Place // with its host
	stream  *page.Inquiry
	sources []model.LogSource
	err     error // why nothing comes any more
	lines   []model.LogLine
	dropped int // lines before the first of lines
	unit    model.LogUnit
	filter  string
	rows    []int // numbers of the lines that are listed, counted from the first that ever came
	cursor  int   // one of these numbers
	stays   bool  // the cursor stays where it is, whatever comes
}

// The bounds of what is kept and of what is read at first.
const (
	mostLogLines  = 5000
	firstLogLines = 300 // of each log
)

// LogsScreen is the page in the registry.
func LogsScreen() page.Screen {
	return page.Screen{Name: "logs", Letter: "L", As: keys.Logs, Help: "live logs of a node: Patroni, PostgreSQL, pgbouncer, HAProxy, vip-manager", Needs: true, Topic: page.TopicLogs,
		Open: func(at page.Place, e page.Env) page.Page { return NewLogs(at, e) },
		Keys: append([]keys.Row{
			{Keys: "tab right l", Action: keys.Next, Label: "next log", Help: "only the log of the next component; after the last: all"},
			{Keys: "shift+tab left h", Action: keys.Prev, Help: "the previous log"},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type: a text, error, warning, !info"},
			{Keys: "F", Action: keys.Toggle, Label: "follow", Help: "stay with the newest line; again: stay here"},
			{Keys: "R", Action: keys.Again, Label: "read again", Help: "connect to the node again and read its logs from the start"},
		}, keys.Moves()...)}
}

// NewLogs are the logs of the node at a place; of a cluster those of the first instance
// that a finding names, else of its leader.
func NewLogs(at page.Place, e page.Env) *Logs {
	if e.Inv != nil {
		if at.Host = e.Inv.HostAt(at); at.Host == "" {
			at.Instance = e.InstanceOf(at)
			if b := e.Board(at.Cluster); b != nil {
				if i := slices.IndexFunc(b.Causes, func(c model.Cause) bool { return c.Finding.Instance != "" }); i >= 0 {
					at.Instance = b.Causes[i].Finding.Instance
				}
			}
			at.Host = e.Inv.HostAt(at)
		}
	}
	return &Logs{at: at}
}

// Scope of the page's keys.
func (p *Logs) Scope() string { return "logs" }

// Title of the page.
func (p *Logs) Title() widget.Line {
	if name := cmp.Or(string(p.at.Instance), string(p.at.Host)); name != "" {
		return widget.P(widget.F("logs of %s", widget.Data(name)))
	}
	return widget.P("logs")
}

// Place is the node.
func (p *Logs) Place(page.Env) page.Place { return p.at }

// Command prints the same lines.
func (p *Logs) Command(page.Env) (string, string) {
	name := string(p.at.Instance)
	if name == "" {
		name = string(p.at.Host)
	}
	out := "pgtui logs " + name
	if p.unit != "" {
		out += " -u " + string(p.unit)
	}
	return out + " -f", ""
}

// Start connects to the node.
func (p *Logs) Start() (page.Page, page.Intent) {
	q := &page.Inquiry{Topic: page.TopicLogs, Cluster: p.at.Cluster, Host: p.at.Host, Logs: model.LogRequest{Instance: p.at.Instance, Lines: firstLogLines, Follow: true}}
	return page.With(p, func(n *Logs) {
		n.stream, n.err, n.sources, n.lines, n.dropped, n.stays = q, nil, nil, nil, 0, false
		n.list()
	}), page.Probe{Inquiry: q}
}

// Waits is the stream that it reads; the node's programs end with it.
func (p *Logs) Waits() []*page.Inquiry {
	if p.stream == nil {
		return nil
	}
	return []*page.Inquiry{p.stream}
}

// Waiting reports that lines may come.
func (p *Logs) Waiting() bool { return p.stream != nil }

// Filter is the text the lines are narrowed to.
func (p *Logs) Filter() string { return p.filter }

// SetFilter narrows the lines.
func (p *Logs) SetFilter(text string) page.Page {
	return page.With(p, func(q *Logs) { q.filter = text; q.list() })
}

// Update takes in what has come.
func (p *Logs) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	m, ok := msg.(page.LogsMsg)
	if !ok || p.stream == nil || m.Inquiry != p.stream {
		return p, nil
	}
	q := *p
	for _, s := range m.Batch.Sources {
		i := slices.IndexFunc(q.sources, func(x model.LogSource) bool { return x.Unit == s.Unit })
		q.sources = slices.Clone(q.sources)
		if i < 0 {
			q.sources = append(q.sources, s)
		} else {
			q.sources[i] = s
		}
	}
	q.lines = append(q.lines[:len(q.lines):len(q.lines)], m.Batch.Lines...)
	if n := len(q.lines) - mostLogLines; n > 0 {
		q.lines, q.dropped = slices.Clone(q.lines[n:]), q.dropped+n
	}
	if m.Ended {
		q.stream, q.err = nil, m.Err
	}
	q.list()
	return &q, nil
}

// list finds the lines that are listed. The cursor stays on its line, or on the
// newest where it follows.
func (p *Logs) list() {
	meets := page.NewFilter(p.filter)
	p.rows = nil
	for i := range p.lines {
		l := &p.lines[i]
		if (p.unit == "" || l.Unit == p.unit) && meets(string(l.Unit), l.Level.String(), l.Text) {
			p.rows = append(p.rows, p.dropped+i)
		}
	}
	if n := len(p.rows); !p.stays && n > 0 {
		p.cursor = p.rows[n-1]
	}
}

// List is the lines.
func (p *Logs) List(page.Env) (n, at int) {
	at, _ = slices.BinarySearch(p.rows, p.cursor)
	return len(p.rows), max(min(at, len(p.rows)-1), 0)
}

// Choose puts the cursor on a line; the newest one is followed.
func (p *Logs) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Logs) { q.cursor, q.stays = q.rows[i], i < len(q.rows)-1 })
}

// Do carries out one action.
func (p *Logs) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	switch a {
	case keys.Again:
		return p.Start()
	case keys.Toggle:
		return page.With(p, func(q *Logs) { q.stays = !q.stays; q.list() }), nil
	case keys.Next, keys.Prev:
		units := p.units()
		at := page.Neighbour(a, max(slices.Index(units, p.unit), 0), len(units))
		return page.With(p, func(q *Logs) { q.unit = units[at]; q.list() }), nil
	}
	return page.Move(p, a, p.room(e), e), nil
}

// units are "" for all, and those that have a log.
func (p *Logs) units() []model.LogUnit {
	out := []model.LogUnit{""}
	for _, u := range model.LogUnits() {
		if slices.ContainsFunc(p.sources, func(s model.LogSource) bool { return s.Unit == u && s.From != "" }) {
			out = append(out, u)
		}
	}
	return out
}

// here is the line under the cursor, or nil.
func (p *Logs) here(e page.Env) *model.LogLine {
	if len(p.rows) == 0 {
		return nil
	}
	_, at := p.List(e)
	return &p.lines[p.rows[at]-p.dropped]
}

// foot is the line under the cursor in full, where it does not fit into its row.
func (p *Logs) foot(e page.Env) []widget.Line {
	l := p.here(e)
	if l == nil || e.H < 12 || widget.Width(l.Text) <= e.W-p.left(e) {
		return nil
	}
	out := page.WrappedRaw(toneOf(l.Level), l.Text, " ", e.W, max(e.H/3, 3))
	return append([]widget.Line{nil}, out...)
}

// room is how many lines are seen.
func (p *Logs) room(e page.Env) int { return max(e.H-len(p.head(e))-len(p.foot(e)), 1) }

// View draws the page.
func (p *Logs) View(e page.Env) []widget.Line {
	out := p.head(e)
	n, at := p.List(e)
	if n == 0 {
		if len(p.lines) > 0 {
			out = append(out, widget.T(theme.Warn, " No line matches. Esc clears the filter, tab shows the other logs."))
		}
		return out
	}
	h := p.room(e)
	top := max(min(at-h/2, n-h), 0)
	if !p.stays {
		top = max(n-h, 0)
	}
	for i := top; i < min(top+h, n); i++ {
		out = append(out, page.CursorRow(p.row(&p.lines[p.rows[i]-p.dropped], e), i, at, e.W))
	}
	foot := p.foot(e)
	return append(widget.Fit(out, e.H-len(foot)), foot...)
}

// left is how many cells are in front of a line's text.
func (p *Logs) left(e page.Env) int {
	left := 1 + 9
	if p.unit == "" {
		left += 12
	}
	if e.W >= 60 {
		return left + 8
	}
	return left + 2
}

// row is one line of a log.
func (p *Logs) row(l *model.LogLine, e page.Env) widget.Line {
	at := "-"
	if !l.At.IsZero() {
		at = l.At.In(e.Now.Location()).Format(time.TimeOnly)
	}
	out := widget.Raw(theme.Dim, at).Pad(9)
	if p.unit == "" {
		out = widget.Join(out, widget.Raw(theme.Plain, string(l.Unit)).Pad(12))
	}
	word := l.Level.String()
	if e.W < 60 && word != "" {
		word = strings.ToUpper(word[:1])
	}
	tone := toneOf(l.Level)
	out = widget.Join(out, widget.T(tone, widget.Words(word))).Pad(p.left(e) - 1)
	return out.AddRaw(tone, l.Text).Trunc(e.W - 1)
}

// toneOf is the colour of a level.
func toneOf(l model.LogLevel) theme.Tone {
	switch l {
	case model.LogError:
		return theme.Bad
	case model.LogWarning:
		return theme.Warn
	case model.LogDebug:
		return theme.Dim
	}
	return theme.Plain
}

// head is whose logs they are, what is listed, and what cannot be read.
func (p *Logs) head(e page.Env) []widget.Line {
	name := string(p.at.Host)
	if e.Inv != nil {
		name = e.Inv.Label(p.at.Host)
	}
	title := widget.P(" ").AddRaw(theme.Strong, name).Add(theme.Dim, "  ")
	for _, u := range p.units() {
		word, tone := string(u), theme.Dim
		if u == "" {
			word = widget.Words("all").Local()
		}
		if u == p.unit {
			word, tone = "["+word+"]", theme.Strong
		}
		title = title.AddRaw(tone, word+" ")
	}
	out := []widget.Line{title.Trunc(e.W)}
	state := widget.P(" ")
	switch {
	case p.err != nil:
		state = nil
		out = append(out, page.Wrapped(theme.Bad, widget.Words("✕ "+p.err.Error()), " ", e.W, 3)...)
	case p.stream == nil:
		state = state.Add(theme.Warn, "ended; R reads again")
	case len(p.sources) == 0:
		state = state.Add(theme.Info, "connecting to the node …")
	case p.stays:
		state = state.Add(theme.Warn, "not following; F follows")
	default:
		state = state.Add(theme.Good, "following")
	}
	if state != nil {
		state = state.Add(theme.Dim, widget.F(" · %s", text.Plural(len(p.rows), "line")))
		if hidden := len(p.lines) - len(p.rows); hidden > 0 {
			state = state.Add(theme.Warn, widget.F(" · %d hidden", hidden))
		}
		if p.filter != "" {
			state = state.Add(theme.Warn, widget.F(" by the filter %s", widget.Data(p.filter)))
		}
		out = append(out, state.Trunc(e.W))
	}
	return append(out, p.troubles(e)...)
}

// troubles are what cannot be read, each reason once.
func (p *Logs) troubles(e page.Env) []widget.Line {
	var none, said []string
	var out []widget.Line
	for _, s := range p.sources {
		switch {
		case s.Err == nil || p.err != nil && s.Err.Error() == p.err.Error():
		case errors.Is(s.Err, model.ErrNoLog):
			none = append(none, string(s.Unit))
		case !slices.Contains(said, s.Err.Error()):
			said = append(said, s.Err.Error())
			line := "✕ " + s.Err.Error()
			if try := source.TryOf(s.Err); try != "" {
				line += " · try: " + try
			}
			out = append(out, page.Wrapped(theme.Bad, widget.Words(line), " ", e.W, 3)...)
		}
	}
	if len(none) > 0 && e.H >= 12 {
		out = append(out, widget.T(theme.Dim, widget.Words(" no log of "+strings.Join(none, ", ")+": neither a file nor a line in the journal")).Trunc(e.W))
	}
	return out
}
