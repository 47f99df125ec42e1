package tui

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// View draws the screen: header, page, message, keys.
func (m Model) View() tea.View {
	v := tea.NewView(widget.Render(m.lines(), m.w, m.h, m.theme))
	v.AltScreen = true
	if !m.noMouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// lines are the m.h lines of the screen.
func (m *Model) lines() []widget.Line {
	if m.w <= 0 || m.h <= 0 {
		return nil
	}
	body := m.bodyHeight()
	page := widget.Fit(m.body(m.env(body)), body)
	if m.palette != nil {
		list := m.palette.list(m.w, body)
		copy(page[body-len(list):], list)
	}
	if m.dialog != nil {
		page = widget.Overlay(page, m.dialog.View(m.w, body), m.w)
	}
	out := append(m.head(), page...)
	out = append(out, m.spoken()...)
	if m.showsActions() {
		out = append(out, m.actions())
	}
	return widget.Fit(append(out, m.footer()), m.h)
}

// bodyHeight is what the page gets of the screen.
func (m *Model) bodyHeight() int {
	h := m.h - 1 - len(m.head()) - len(m.spoken())
	if m.showsActions() {
		h--
	}
	return max(h, 0)
}

func (m *Model) showsActions() bool { return m.h >= 20 && len(m.deps.Actions) > 0 }

// head is the header and, where something must not be missed, the banner, and that
// the inventory is not what the files hold now.
func (m *Model) head() []widget.Line {
	out := []widget.Line{m.header()}
	if b := m.banner(); b != nil && m.h >= 5 {
		out = append(out, b)
	}
	if s := m.scrubber(); s != nil {
		out = append(out, s.Pad(m.w))
	}
	return append(out, m.staleLines()...)
}

// mostStale is how many lines the mark of an old inventory may take.
const mostStale = 3

// staleLines mark an old inventory: in one line, and where the screen has room in as
// many as the reason needs.
func (m *Model) staleLines() []widget.Line {
	text := m.staleText()
	if text == "" || m.h < 5 {
		return nil
	}
	text = widget.Words(text).Local()
	lines := []string{text}
	if m.h >= 16 {
		lines = widget.Wrap(text, max(m.w-2, 1))
	}
	var out []widget.Line
	for _, l := range lines[:min(len(lines), mostStale)] {
		out = append(out, widget.Raw(theme.Alarm, " "+l).Pad(m.w))
	}
	return out
}

// header is the path on the left, the leader and the age of the data on the right.
func (m *Model) header() widget.Line {
	l := widget.T(theme.Strong, " pgtui ").Hits(1)
	right, room := m.corner()
	return widget.Join(widget.Join(l, m.path(room-l.Width())).Pad(room), widget.P(" "), right)
}

// corner is the right end of the header, and the room on its left.
func (m *Model) corner() (right widget.Line, room int) {
	if !m.deps.Can(model.CanReload) {
		right = right.Add(theme.Warn, "read-only  ")
	}
	need, mode := widget.T(theme.Strong, " pgtui ").Width()+m.top().Title().Width(), right
	if len(m.stack) > 2 {
		need += widget.Width("… › ")
	}
	for _, leader := range m.leader() {
		right = widget.Join(mode, leader, m.age(), widget.P(" "))
		if room = m.w - right.Width() - 1; room >= need {
			return right, room
		}
	}
	if room < 12 {
		right = m.age()
		room = max(m.w-right.Width()-1, 0)
	}
	return right, room
}

// path is where the operator is, in w cells: its end matters most.
func (m *Model) path(w int) widget.Line {
	for from := min(1, len(m.stack)-1); ; from++ {
		var l widget.Line
		if from > 1 {
			l = widget.T(theme.Dim, "… › ")
		}
		for i := from; i < len(m.stack); i++ {
			if i > from {
				l = l.Add(theme.Dim, " › ")
			}
			l = widget.Join(l, m.stack[i].Title().Hits(i+1))
		}
		if l.Width() <= w || from == len(m.stack)-1 {
			return l
		}
	}
}

// leader is the cluster's leader in the header of its pages: in full, in short, and not
// at all.
func (m *Model) leader() []widget.Line {
	if m.w < 70 || m.snap == nil {
		return []widget.Line{nil}
	}
	e := m.env(0)
	if b := e.Board(m.cluster()); b != nil {
		full := page.LeaderLine(b)
		return []widget.Line{full, widget.Join(full[:min(len(full), 2)], widget.P("  ")), nil}
	}
	return []widget.Line{nil}
}

func (m *Model) age() widget.Line {
	if m.deps.Replay != nil {
		return widget.T(theme.Warn, "past")
	}
	var at time.Time
	if m.snap != nil {
		at = m.snap.TakenAt
	}
	return m.env(0).AgeMark(at)
}

// mostSaid is how many lines a text for the clipboard may take.
const mostSaid = 3

// spoken is the line of the filter or the palette, or the last message. What has no
// room is in the log in full.
func (m *Model) spoken() []widget.Line {
	switch {
	case m.h < 5:
		return nil
	case m.palette != nil:
		return []widget.Line{m.palette.line(m.w)}
	case m.typing:
		return []widget.Line{widget.Join(widget.T(theme.Key, " /"), widget.InputLine(m.filter, theme.Plain, max(m.w-2, 1)),
			widget.T(theme.Dim, "  enter keeps the filter, esc clears it   "+page.FilterHelp))}
	case m.toast.text == "":
		return nil
	}
	l := widget.T(m.toast.tone, widget.Words(" "+m.toast.text))
	if l.Width() <= m.w {
		return []widget.Line{l}
	}
	if lines := page.Wrapped(m.toast.tone, widget.Words(m.toast.text), " ", m.w, mostSaid+1); m.h >= 16 && m.toast.whole && len(lines) <= mostSaid {
		return lines
	}
	more := widget.T(theme.Key, "  \"").Add(theme.Dim, " in full")
	return []widget.Line{widget.Join(l.Trunc(max(m.w-more.Width(), 1)), more)}
}

// actions are the keys of the sandbox.
func (m *Model) actions() widget.Line {
	l := widget.T(theme.Head, " demo ")
	for _, a := range m.deps.Actions {
		part := widget.Raw(theme.Key, " "+a.Key).Add(theme.Dim, widget.Words(" "+a.Label+" "))
		if l.Width()+part.Width() <= m.w {
			l = widget.Join(l, part)
		}
	}
	return l
}

// footer is the keys that work here and now, as many as fit; the way back and
// the help always do.
func (m *Model) footer() widget.Line {
	if m.dialog != nil || m.palette != nil || m.typing {
		return nil
	}
	rows := m.rows(m.env(m.bodyHeight()))
	part := func(do keys.Action, shown string) widget.Line {
		i := slices.IndexFunc(rows, func(r keys.Row) bool { return r.Action == do })
		return widget.Raw(theme.Key, " "+shown).Add(theme.Dim, widget.Words(" "+string(do)+" ")).Hits(i + 1)
	}
	help := part(keys.Help, "?")
	if m.offers(keys.Back) {
		help = widget.Join(part(keys.Back, "esc"), help)
	}
	room := m.w - help.Width()
	l, bare := widget.Line{}, widget.Line{}
	for i, r := range rows {
		if r.Label == "" || r.Keys == "" || r.Action == keys.Back || !m.offers(r.Action) {
			continue
		}
		key := widget.Raw(theme.Key, " "+r.Shown())
		part := key.Add(theme.Dim, widget.Words(" "+r.Label+" ")).Hits(i + 1)
		switch {
		case len(bare) == 0 && l.Width()+part.Width() <= room, m.w >= page.Narrow && l.Width()+part.Width() <= room:
			l = widget.Join(l, part)
		case m.w < page.Narrow && l.Width()+bare.Width()+key.Width() <= room:
			bare = widget.Join(bare, key.Hits(i+1)) // its name is in the help
		}
	}
	return widget.Join(l, bare, help)
}

// offers reports whether the footer names an action: help has its own place,
// there is no way back from the first page and none out of a reload.
func (m *Model) offers(do keys.Action) bool {
	switch do {
	case keys.Help:
		return false
	case keys.Back:
		return len(m.stack) > 1 && m.run == nil
	case keys.Quit:
		return m.run == nil
	}
	return true
}

// helpSets are the keys of the page that is seen and of the whole console.
func (m *Model) helpSets(e page.Env) []page.HelpSet {
	var own, mine, all, demo keys.Table
	for _, r := range m.rows(e) {
		switch {
		case r.Keys == "":
		case m.command(r.Action) != nil:
			mine = append(mine, r)
		case r.Scope == keys.Everywhere:
			if i := slices.IndexFunc(all, func(o keys.Row) bool { return o.Opens != "" && o.Opens == r.Opens }); i >= 0 {
				all[i].Keys += " " + r.Keys // a digit and a letter of one screen
				continue
			}
			all = append(all, r)
		default:
			own = append(own, r)
		}
	}
	for _, a := range m.deps.Actions {
		demo = append(demo, keys.Row{Keys: a.Key, Help: a.Label})
	}
	return []page.HelpSet{{Title: widget.F("HERE: %s", widget.Data(m.top().Title().String())), Keys: own}, {Title: "YOUR COMMANDS", Keys: mine}, {Title: "EVERYWHERE", Keys: all}, {Title: "SANDBOX", Keys: demo}}
}

// banner is one line that cannot be missed, nil when there is no reason for one:
// what may be done here, and what is wrong with the cluster that is shown.
func (m *Model) banner() widget.Line {
	var parts []string
	tone := theme.Alarm
	if r := m.replayBanner(); r != "" {
		return widget.Raw(tone, " "+r).Pad(m.w)
	}
	if c := m.deps.Context; c.Name != "" && (c.Production || c.Colour != "") {
		text := c.Name
		if c.Environment != "" {
			text = strings.ToUpper(c.Environment) + " · " + c.Name
		}
		parts = append(parts, text)
		tone = theme.Flag(c.Colour)
	}
	if !m.frozen.IsZero() {
		parts = append(parts, widget.Words("FROZEN since "+m.frozen.Format("15:04:05")+", space resumes").Local())
	}
	if m.deps.ReadOnly != "" {
		parts = append(parts, widget.Words("READ-ONLY by "+m.deps.ReadOnly).Local())
	}
	if alarms := m.alarms(); len(alarms) > 0 {
		parts, tone = append(parts, alarms...), theme.Alarm
	}
	if len(parts) == 0 {
		return nil
	}
	return widget.Raw(tone, " "+strings.Join(parts, " │ ")).Pad(m.w)
}

// alarms are the states of the cluster that is shown, or of any of the fleet,
// that no one may overlook before acting.
func (m *Model) alarms() []string {
	board := m.top().Scope() == "board"
	var words []string
	names := map[string][]string{}
	for _, a := range m.digest.Alarms(m.cluster()) {
		if a.Text == "PAUSED" && board {
			continue // the board says it itself
		}
		if names[a.Text] == nil {
			words = append(words, a.Text)
		}
		names[a.Text] = append(names[a.Text], string(a.Cluster))
	}
	for i, w := range words {
		words[i] = widget.F("%s: %s", w, widget.Data(strings.Join(names[w], ", "))).Local()
	}
	return words
}
