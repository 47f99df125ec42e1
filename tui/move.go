package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// mostPast is how many steps back the history goes.
const mostPast = 50

// place is what the operator looks at: the page that is seen, else one below it.
func (m *Model) place(e page.Env) page.Place {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if p, ok := m.stack[i].(page.Placed); ok {
			if at := p.Place(e); at.Cluster != "" || i == 0 {
				return at
			}
		}
	}
	return page.Place{}
}

// note remembers the pages as they are, before others take their place.
func (m *Model) note() {
	m.past = append(slices.Clone(m.past), slices.Clone(m.stack))
	if len(m.past) > mostPast {
		m.past = m.past[1:]
	}
	m.future = nil
}

// here is the place that a screen is opened at with no other named: where the
// operator is. From the fleet, what is not of a cluster is of all.
func (m *Model) here(s page.Screen, e page.Env) page.Place {
	if len(m.stack) == 1 && !s.Needs {
		return page.Place{}
	}
	return m.place(e)
}

// jump opens a screen from anywhere: below it are the fleet and its cluster.
func (m *Model) jump(s page.Screen, at page.Place, e page.Env) tea.Cmd {
	if m.run != nil {
		m.say(theme.Warn, m.run.running)
		return nil
	}
	p := s.Open(at, e)
	if _, placed := p.(page.Placed); !placed {
		return m.aside(p, s.Name)
	}
	m.note()
	was, below := m.stack, m.cluster()
	m.stack = m.stack[:1:1]
	if s.Name == m.stack[0].Scope() {
		m.returns = nil
		return nil
	}
	at = page.Place{}
	if c, ok := p.(page.Placed); ok {
		at = c.Place(e)
	}
	if s.Name != "board" && at.Cluster != "" && (len(was) > 1 || len(e.Boards) == 1) {
		if m.push(m.board(at.Cluster)); below == at.Cluster {
			m.setTop(was[1])
		}
	}
	cmd := m.show(p)
	m.returns = append(slices.Clone(m.returns), comeback{len(m.stack), was})
	if len(m.returns) > mostPast {
		m.returns = m.returns[1:]
	}
	return cmd
}

// leavePage goes back to the page that the operator came from.
func (m *Model) leavePage() tea.Cmd {
	n := len(m.returns)
	for n > 0 && m.returns[n-1].depth > len(m.stack) {
		n-- // its page was left on another way
	}
	m.returns = m.returns[:n:n]
	if n == 0 || m.returns[n-1].depth < len(m.stack) {
		m.pop()
		return nil
	}
	m.stack, m.returns = m.returns[n-1].stack, m.returns[:n-1:n-1]
	return m.resume()
}

// aside opens a page of no cluster on the current one, or in its place when that is of
// the same scope.
func (m *Model) aside(p page.Page, scope string) tea.Cmd {
	m.note()
	if m.top().Scope() == scope {
		m.pop()
	}
	return m.show(p)
}

// What is shown where a reload or an action keeps the operator on its page.
const (
	reloadRunning = "a reload is running: ctrl-c finishes this node and stops"
	actionRunning = "an action is running: ctrl-c finishes this step and stops"
)

// board is the board of a cluster.
func (m *Model) board(c model.ClusterName) page.Page {
	return m.screen("board").Open(page.Place{Cluster: c}, page.Env{})
}

// cluster is the one whose board lies above the fleet; "" when none does.
func (m *Model) cluster() model.ClusterName {
	if len(m.stack) < 2 || m.stack[1].Scope() != "board" {
		return ""
	}
	return m.stack[1].(page.Placed).Place(page.Env{}).Cluster
}

// show puts a page on top and starts its work.
func (m *Model) show(p page.Page) tea.Cmd {
	m.push(p)
	if s, ok := p.(page.Starter); ok {
		next, ask := s.Start()
		m.setTop(next)
		return m.perform(ask)
	}
	return nil
}

// resume restarts what pages that come back were waiting for when they were left.
func (m *Model) resume() tea.Cmd {
	var cmds []tea.Cmd
	m.stack = slices.Clone(m.stack)
	for i, p := range m.stack {
		if a, ok := p.(page.Resumer); ok && a.Waiting() {
			next, ask := a.Start()
			m.stack[i] = next
			cmds = append(cmds, m.perform(ask))
		}
	}
	return tea.Batch(cmds...)
}

// through goes one step through the history.
func (m *Model) through(from, to *[][]page.Page) tea.Cmd {
	if n := len(*from); n > 0 && m.run == nil {
		m.returns = nil
		*to = append(slices.Clone(*to), m.stack)
		m.stack = (*from)[n-1]
		*from = slices.Clone((*from)[:n-1])
		return m.resume()
	}
	return nil
}

// paces are the refresh rates that + and - go through.
func paces() []time.Duration {
	return []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}
}

// repace probes the nodes more often or less often.
func (m *Model) repace(faster bool) tea.Cmd {
	now, next := m.every(), time.Duration(0)
	for _, d := range paces() {
		if faster && d < now {
			next = d
		}
		if !faster && d > now && next == 0 {
			next = d
		}
	}
	if next == 0 {
		m.say(theme.Info, fmt.Sprintf("every %s is the limit", now))
		return nil
	}
	m.say(theme.Info, fmt.Sprintf("the nodes are probed every %s", next))
	return m.probeEvery(next)
}

// probeEvery probes the nodes that often from here on.
func (m *Model) probeEvery(d time.Duration) tea.Cmd {
	m.pace = d
	if m.inv == nil {
		return nil
	}
	m.gen++
	m.shown = m.gen
	return m.feed.watch(m.inv, m.gen, m.every())
}

// freeze freezes the screen, or resumes with the newest answer and the lines that came
// meanwhile.
func (m *Model) freeze() tea.Cmd {
	if m.frozen.IsZero() {
		m.frozen, m.held = m.now, nil
		return nil
	}
	m.frozen = time.Time{}
	if h := m.held; h != nil {
		m.traffic.Add(h.snap)
		m.snap, m.judged, m.lastReads = h.snap, m.now, m.feed.world.nodes.last()
		m.judge(h.boards)
	}
	var cmds []tea.Cmd
	for _, msg := range m.heldLogs {
		cmds = append(cmds, m.logs(msg))
	}
	m.held, m.heldLogs = nil, nil
	return tea.Batch(cmds...)
}

// mouse takes a click or a turn of the wheel.
func (m *Model) mouse(msg tea.MouseMsg) tea.Cmd {
	if m.dialog != nil || m.palette != nil || m.typing {
		return nil
	}
	at := msg.Mouse()
	e := m.env(m.bodyHeight())
	if _, ok := msg.(tea.MouseWheelMsg); ok {
		do := keys.Down
		if at.Button == tea.MouseWheelUp {
			do = keys.Up
		}
		var cmds []tea.Cmd
		for range 3 {
			cmds = append(cmds, m.do(do, e))
		}
		return tea.Batch(cmds...)
	}
	if _, ok := msg.(tea.MouseClickMsg); !ok || at.Button != tea.MouseLeft {
		return nil
	}
	head := len(m.head())
	switch y := at.Y - head; {
	case at.Y == 0:
		return m.clickPath(m.header().HitAt(at.X))
	case at.Y == m.h-1:
		if n := m.footer().HitAt(at.X); n > 0 {
			return m.act(m.rows(e)[n-1], e)
		}
	case y >= 0 && y < e.H:
		return m.clickRow(widget.Fit(m.body(e), e.H)[y], e)
	}
	return nil
}

// clickPath goes back to a page of the path, counted from 1.
func (m *Model) clickPath(n int) tea.Cmd {
	if n > 0 && n < len(m.stack) && m.run == nil {
		m.note()
		m.stack, m.returns = slices.Clone(m.stack[:n]), nil
	}
	return nil
}

// clickRow puts the cursor on the row that a line was drawn for; a click on the
// row of the cursor opens it.
func (m *Model) clickRow(line widget.Line, e page.Env) tea.Cmd {
	l, ok := m.top().(page.Lister)
	i := slices.IndexFunc(line, func(s widget.Span) bool { return s.Hit > 0 })
	if !ok || i < 0 {
		return nil
	}
	row := int(line[i].Hit) - 1
	n, cur := l.List(e)
	if row != min(cur, n-1) {
		m.setTop(l.Choose(row, e))
		return nil
	}
	rows := m.rows(e)
	if i := slices.IndexFunc(rows, func(r keys.Row) bool { return r.Action == keys.Open }); i >= 0 {
		return m.act(rows[i], e)
	}
	return nil
}

// copyCommand copies the command that prints this screen, and says it: what a
// terminal without OSC 52 drops can still be read and selected.
func (m *Model) copyCommand(e page.Env) tea.Cmd {
	c, ok := m.top().(page.Commander)
	if !ok {
		m.say(theme.Info, "this screen has no command")
		return nil
	}
	own, pigsty := c.Command(e)
	if name := string(m.place(e).Cluster); name != "" {
		own = strings.Replace(own, " "+name, " "+text.Word(name), 1)
		pigsty = strings.Replace(pigsty, " "+name, " "+text.Word(name), 1)
	}
	if pigsty != "" {
		pigsty = " · in Pigsty: " + pigsty
	}
	return m.yank(own, pigsty)
}

// yank sends a text to the terminal's clipboard, and says it with what there is to add.
// A command of pgtui gets the inventory of this console.
func (m *Model) yank(line, more string) tea.Cmd {
	if rest, ok := strings.CutPrefix(line, "pgtui "); ok && m.deps.Command != "" {
		line = m.deps.Command + " " + rest
	}
	m.say(theme.Info, "sent to the terminal's clipboard: "+line+more)
	m.toast.whole = true // where the terminal drops it, it can be selected
	return tea.SetClipboard(text.Clean(line))
}
