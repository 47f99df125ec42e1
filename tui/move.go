package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

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

// jump opens a page from anywhere: below it are the fleet and its cluster.
func (m *Model) jump(p page.Page, e page.Env) tea.Cmd {
	if m.run != nil {
		m.say(theme.Warn, "the reload is under way: ctrl-c finishes this node and stops")
		return nil
	}
	m.note()
	if _, ok := p.(*page.Log); ok { // of no cluster: it lies on what is looked at
		if _, open := m.top().(*page.Log); open {
			m.pop()
		}
		return m.show(p)
	}
	root := m.stack[0]
	if _, ok := p.(*page.Fleet); ok {
		m.stack = []page.Page{root}
		return nil
	}
	stack := []page.Page{root}
	at := page.Place{}
	if c, ok := p.(page.Placed); ok {
		at = c.Place(e)
	}
	if _, board := p.(*page.Cluster); !board && at.Cluster != "" && (len(m.stack) > 1 || len(e.Boards) == 1) {
		below := page.Page(page.NewCluster(at.Cluster))
		if c, ok := m.second(); ok && c.Name() == at.Cluster {
			below = c
		}
		stack = append(stack, below)
	}
	m.stack = stack
	return m.show(p)
}

// second is the board of the cluster that is being looked at.
func (m *Model) second() (*page.Cluster, bool) {
	if len(m.stack) < 2 {
		return nil, false
	}
	c, ok := m.stack[1].(*page.Cluster)
	return c, ok
}

// show puts a page on top and starts what it asks for.
func (m *Model) show(p page.Page) tea.Cmd {
	m.push(p)
	if s, ok := p.(page.Starter); ok {
		next, ask := s.Start()
		m.setTop(next)
		return m.perform(ask)
	}
	return nil
}

// resume asks again what pages that come back had been waiting for when they
// were left.
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
		*to = append(slices.Clone(*to), m.stack)
		m.stack = (*from)[n-1]
		*from = slices.Clone((*from)[:n-1])
		return m.resume()
	}
	return nil
}

// screen jumps to the screen of a number.
func (m *Model) screen(do keys.Action, e page.Env) (tea.Cmd, bool) {
	for _, s := range page.Screens() {
		if do != keys.Screen(s.Name) {
			continue
		}
		at := m.place(e)
		if s.Needs && at.Cluster == "" {
			m.say(theme.Warn, s.Name+" is of a cluster: choose one first")
			return nil, true
		}
		if len(m.stack) == 1 && !s.Needs {
			at = page.Place{} // from the fleet: of all clusters
		}
		return m.jump(s.Open(at, e), e), true
	}
	return nil, false
}

// paces are the refresh rates that + and - go through.
func paces() []time.Duration {
	return []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}
}

// repace asks the nodes more often or less often.
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
		m.say(theme.Info, fmt.Sprintf("every %s is as far as it goes", now))
		return nil
	}
	m.pace = next
	m.say(theme.Info, fmt.Sprintf("the nodes are asked every %s", next))
	if m.inv == nil {
		return nil
	}
	m.gen++
	m.shown = m.gen
	return m.feed.watch(m.inv, m.gen, m.every())
}

// freeze holds the screen still, or lets it go on with the newest answer.
func (m *Model) freeze() {
	if m.frozen.IsZero() {
		m.frozen, m.held = m.now, nil
		return
	}
	m.frozen = time.Time{}
	if h := m.held; h != nil {
		m.traffic.Add(h.snap)
		m.snap, m.judged, m.looks = h.snap, m.now, m.feed.world.looks.told()
		m.judge(h.boards)
	}
	m.held = nil
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
		return m.clickPath(at.X)
	case at.Y == m.h-1:
		return m.clickKey(at.X, e)
	case y >= 0 && y < e.H:
		return m.clickRow(y, e)
	}
	return nil
}

// clickPath goes back to the page whose name in the path was clicked.
func (m *Model) clickPath(x int) tea.Cmd {
	at := widget.Width(" pgtui ")
	if x < at {
		m.note()
		m.stack = m.stack[:1]
		return nil
	}
	_, room := m.corner()
	_, from := m.pathFrom(room - at)
	if from > 1 {
		at += widget.Width("… › ")
	}
	for i := from; i < len(m.stack); i++ {
		if at += widget.Width(m.stack[i].Title()); x < at {
			if m.run == nil && i+1 < len(m.stack) {
				m.note()
				m.stack = slices.Clone(m.stack[:i+1])
			}
			return nil
		}
		at += widget.Width(" › ")
	}
	return nil
}

// clickKey does what the key in the footer does: its words are tabs.
func (m *Model) clickKey(x int, e page.Env) tea.Cmd {
	at := 0
	for _, s := range m.footer() {
		if w := widget.Width(s.Text); x >= at+w {
			at += w
			continue
		}
		word := strings.TrimSpace(s.Text)
		for _, b := range append(m.pageKeys(e), m.globals(e)...) {
			if b.Enabled() && word != "" && (b.Label == word || b.Help().Key == word) {
				return m.do(b.Do, e)
			}
		}
		return nil
	}
	return nil
}

// clickRow moves the cursor to the row that was clicked; a click on the cursor
// opens it. The page is asked to move as by keys, so that every page with a
// cursor can be clicked; a line that no row of keys leads to changes nothing.
func (m *Model) clickRow(y int, e page.Env) tea.Cmd {
	cur := cursorLine(m.top().View(e))
	if cur < 0 {
		return nil
	}
	if cur == y {
		return m.do(keys.Open, e)
	}
	p := m.top()
	for range e.H {
		do := keys.Down
		if y < cur {
			do = keys.Up
		}
		next, _ := p.Do(do, e)
		now := cursorLine(next.View(e))
		if now == cur || (now < cur) != (do == keys.Up) {
			return nil
		}
		if p, cur = next, now; cur == y {
			m.setTop(p)
			return nil
		}
	}
	return nil
}

// cursorLine is the line that is under the cursor, -1 when none is.
func cursorLine(lines []widget.Line) int {
	return slices.IndexFunc(lines, func(l widget.Line) bool {
		return slices.ContainsFunc(l, func(s widget.Span) bool { return s.On })
	})
}
