package tui

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/page/actions"
	"pgtui/tui/page/journal"
	"pgtui/tui/page/reload"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// readable is how long a line for the operator stays at least.
const readable = 4 * time.Second

// Update takes in one message.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.now = m.deps.Now()
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.KeyPressMsg:
		said, depth, scope := m.toast, len(m.stack), m.top().Scope()
		cmd = m.key(msg)
		if m.toast == said && said.tone != theme.Bad && (len(m.stack) != depth || m.top().Scope() != scope) {
			m.toast = toast{} // it was about the page that was left
		}
	case tea.MouseMsg:
		cmd = m.mouse(msg)
	case tea.PasteMsg:
		if m.dialog != nil {
			m.dialog = m.dialog.Paste()
		} else if m.palette != nil {
			cmd = m.paletteKey("", msg)
		} else if m.typing {
			cmd = m.typed("", msg)
		}
	case page.AnswerMsg:
		cmd = m.answered(msg)
	case page.LogsMsg:
		cmd = m.logs(msg)
	case tea.ColorProfileMsg:
		look := m.look
		look.Few = msg.Profile < colorprofile.ANSI256
		cmd = m.dress(look)
	case tea.BackgroundColorMsg:
		look := m.look
		look.Background = msg.Color
		cmd = m.dress(look)
	default:
		cmd = m.result(msg)
	}
	if m.top().Scope() == "log" && m.frozen.IsZero() {
		m.ran = m.deps.Ran()
	}
	m.feed.only(m.waited())
	return m, cmd
}

// logs takes in lines of logs. A frozen screen holds them, and the node waits; that a
// log begins or ends is not held.
func (m *Model) logs(msg page.LogsMsg) tea.Cmd {
	if !m.frozen.IsZero() && !msg.Ended && len(msg.Batch.Sources) == 0 {
		m.heldLogs = append(slices.Clone(m.heldLogs), msg)
		return nil
	}
	return tea.Batch(m.broadcast(msg), m.feed.more(msg.Inquiry))
}

// waited are the questions that pages wait for.
func (m *Model) waited() []*page.Inquiry {
	var out []*page.Inquiry
	for _, p := range m.stack {
		if a, ok := p.(page.Inquirer); ok {
			out = append(out, a.Waits()...)
		}
	}
	return out
}

// result takes in what work has brought.
func (m *Model) result(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tickMsg:
		m.recording()
		return tea.Batch(m.feed.tick(), m.grow(), m.readNodes(), m.stamp(), m.refresh())
	case nodeReadMsg, stampedMsg, suspendMsg, awakeMsg, actionMsg, programMsg, handedMsg, editedMsg:
		return m.outside(msg)
	case settleMsg:
		if m.dialog != nil && msg.asked == m.asked {
			m.dialog = m.dialog.Settled()
		}
	case snapshotMsg:
		return m.snapshot(msg)
	case judgedMsg:
		if msg.gen < m.first {
			return nil
		}
		m.happened(msg.events)
		if m.frozen.IsZero() && m.snap != nil && m.snap.Seq == msg.seq {
			m.judge(msg.boards)
		}
	case watchEndMsg:
		if msg.gen == m.gen && m.feed.ctx.Err() == nil {
			m.say(theme.Bad, "the nodes are no longer probed; R restarts")
		}
	case inventoryMsg:
		if msg.gen < m.first {
			return nil
		}
		return m.inventory(msg)
	case plannedMsg:
		if msg.gen < m.first {
			return nil
		}
		return m.result(msg.PlanMsg)
	case contextMsg:
		return m.switched(msg)
	case pastMsg:
		return m.enters(msg)
	case savedMsg:
		m.saved(msg)
	case page.PlanMsg:
		return tea.Batch(m.broadcast(msg), m.planned(msg.Inv))
	case page.StepMsg, page.EventMsg, page.DoneMsg, page.ActedMsg:
		return m.progress(msg)
	}
	return nil
}

// progress takes in a step, an event or the end of a run.
func (m *Model) progress(msg tea.Msg) tea.Cmd {
	switch msg.(type) {
	case page.StepMsg, page.EventMsg:
		cmd := m.broadcast(msg)
		if m.run != nil {
			return tea.Batch(cmd, m.feed.event(m.run))
		}
		return cmd
	}
	m.feed.release(m.run)
	if m.run != nil && m.toast.text == m.run.halting {
		m.toast = toast{} // it has stopped: the page shows where
	}
	if m.run != nil {
		m.happened([]board.Event{ran(m.run, msg, m.now)})
	}
	m.run, m.lastReads = nil, nil
	m.feed.world.nodes.forget()
	return m.broadcast(msg)
}

// outside takes in what files hold now, of a node and of the inventory, what a
// shell and programs in the terminal do with the console, and what became of one of the sandbox's actions.
func (m *Model) outside(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nodeReadMsg:
		return m.nodeRead(msg)
	case stampedMsg:
		return m.stamped(msg)
	case suspendMsg:
		return m.leave(keys.Suspend)
	case programMsg:
		return m.program(msg)
	case handedMsg:
		return m.handed(msg)
	case editedMsg:
		return m.edited(msg)
	case awakeMsg:
		if msg.err != nil {
			m.say(theme.Warn, msg.err.Error())
		}
	case actionMsg:
		if msg.err != nil {
			m.say(theme.Bad, msg.label+": "+msg.err.Error())
		} else {
			m.say(theme.Info, msg.label+": done")
		}
	}
	return nil
}

// refresh lets the page that is seen read its nodes again. A frozen screen does not.
func (m *Model) refresh() tea.Cmd {
	p, ok := m.top().(page.Refresher)
	if !ok || !m.frozen.IsZero() {
		return nil
	}
	next, ask := p.Refresh(m.env(m.bodyHeight()))
	m.setTop(next)
	return m.perform(ask)
}

// grow looks at the age of things: a line that has been read goes, and a
// snapshot that no other followed is judged again.
func (m *Model) grow() tea.Cmd {
	m.digest = page.NewDigest(m.env(0)) // what is pending may have been pending too long
	if m.toast.text != "" && m.now.Sub(m.toast.at) > 2*readable {
		m.toast = toast{}
	}
	if m.snap == nil || !m.frozen.IsZero() || m.now.Sub(m.judged) < page.FreshFor(m.every()) {
		return nil
	}
	m.judged = m.now
	return m.feed.rejudge(m.snap, m.gen, m.now)
}

// snapshot shows what the nodes answered and waits for more.
func (m *Model) snapshot(msg snapshotMsg) tea.Cmd {
	if msg.gen < m.first {
		return nil
	}
	m.happened(msg.events)
	if msg.gen != m.gen {
		return nil
	}
	if m.waits(msg) {
		return m.feed.next(msg)
	}
	m.shown = msg.gen
	if !m.frozen.IsZero() {
		m.held = &msg
		return m.feed.next(msg)
	}
	if m.deps.Replay != nil {
		m.relive()
	}
	m.traffic.Add(msg.snap)
	m.snap, m.judged = msg.snap, m.now
	m.judge(msg.boards)
	return m.feed.next(msg)
}

// waits reports that an inventory was read again and that its nodes have not
// all been tried yet: what the screen shows until then is better than half an
// answer, unless it grows old.
func (m *Model) waits(msg snapshotMsg) bool {
	if m.snap == nil || m.shown == msg.gen || m.now.Sub(m.snap.TakenAt) > page.FreshFor(m.every()) {
		return false
	}
	e := page.Env{Snap: msg.snap, Now: m.now, Began: m.began}
	for i := range msg.boards {
		if e.Pending(&msg.boards[i]) {
			return true
		}
	}
	return false
}

// inventory takes over an inventory that was read again.
func (m *Model) inventory(msg inventoryMsg) tea.Cmd {
	switch {
	case msg.err != nil && m.inv == nil: // there is nothing to show
		m.feed.failed = msg.err
		return tea.Quit
	case m.inv != nil:
		return m.reloaded(msg)
	}
	m.take(msg.inv)
	return tea.Batch(m.feed.watch(m.inv, m.gen, m.every()), m.resume()) // pages that need the inventory
}

// switched takes over the world of another context: nothing of the old one
// stays on the screen.
func (m *Model) switched(msg contextMsg) tea.Cmd {
	if msg.err != nil {
		m.say(theme.Bad, "context "+msg.name+": "+errorText(msg.err))
		return nil
	}
	if m.run != nil || m.dialog != nil {
		m.say(theme.Warn, "the context was not changed: a reload or an action is running or waits for confirmation")
		return nil
	}
	d := msg.deps
	d.Environ, d.Now, m.live = m.deps.Environ, m.deps.Now, nil
	if m.locked {
		d.ReadOnly = cmp.Or(d.ReadOnly, byPalette) // its session is read-only too
	}
	m.deps = d
	m.feed.use(d)
	m.register(m.screens)
	look := m.look
	look.Name = d.Theme
	dressed := m.dress(look)
	m.snap, m.boards, m.events, m.changes, m.ran, m.pace, m.traffic = nil, nil, nil, nil, nil, d.Every, &page.Traffic{}
	m.frozen, m.held, m.heldLogs, m.past, m.future, m.returns = time.Time{}, nil, nil, nil, nil, nil
	m.first, m.since = m.gen+1, m.now
	m.atStart = m.settingValues()
	m.say(theme.Info, "context "+msg.name)
	m.take(d.Inventory)
	return tea.Batch(dressed, m.feed.watch(m.inv, m.gen, m.every()))
}

// planned follows an inventory that turned out to be newer than the one shown.
func (m *Model) planned(inv *model.Inventory) tea.Cmd {
	if inv == nil || (m.inv != nil && m.inv.Hash == inv.Hash) {
		return nil
	}
	m.reread(m.stale.names)
	m.take(inv)
	return m.feed.watch(m.inv, m.gen, m.every())
}

// errorText is an error with its hint, in one line.
func errorText(err error) string {
	if try := source.TryOf(err); try != "" {
		return err.Error() + " · try: " + try
	}
	return err.Error()
}

// broadcast offers a result to every page.
func (m *Model) broadcast(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	m.stack = slices.Clone(m.stack)
	for i, p := range m.stack {
		if l, ok := p.(page.Listener); ok {
			next, intent := l.Update(msg, m.env(m.bodyHeight()))
			m.stack[i] = next
			if _, asks := intent.(page.Confirm); asks && i < len(m.stack)-1 {
				continue // its page is no longer seen
			}
			cmds = append(cmds, m.perform(intent))
		}
	}
	return tea.Batch(cmds...)
}

// key takes one key press: the dialog has the keyboard, else the filter line,
// else the page, else the keys that work everywhere.
func (m *Model) key(msg tea.KeyPressMsg) tea.Cmd {
	name := msg.String()
	if m.toast.text != "" && m.now.Sub(m.toast.at) > readable {
		m.toast = toast{}
	}
	if m.dialog != nil {
		next, intent, closed := m.dialog.Key(msg, m.w, m.bodyHeight())
		m.dialog = next
		if closed {
			m.dialog = nil
		}
		return m.perform(intent)
	}
	if m.palette != nil {
		return m.paletteKey(name, msg)
	}
	if m.typing {
		return m.typed(name, msg)
	}
	e := m.env(m.bodyHeight())
	r, ok := m.rows(e).Find(name)
	if m.strays(name, r) {
		return nil
	}
	if ok {
		return m.act(r, e)
	}
	for _, a := range m.deps.Actions {
		if a.Key == name {
			m.say(theme.Info, a.Label+" …")
			return m.feed.act(a)
		}
	}
	if text := m.unbound(name, e); text != "" && (m.toast.text == "" || m.toast.tone == theme.Info) {
		m.toast = toast{text: text, tone: theme.Info, at: m.now} // it is no message to keep
	}
	return nil
}

// typedApart is how long a pause ends what was typed for a dialog that did not open.
const typedApart = time.Second

// strays reports whether a key, of the row that it has here, may be part of what was typed
// for a dialog that has not opened. It is then no command. R is no letter of a name, and
// reads again what has refused.
func (m *Model) strays(name string, r keys.Row) bool {
	if utf8.RuneCountInString(name) != 1 || r.Action == keys.Quit || name == "R" {
		m.refused = time.Time{}
		return false
	}
	if p, ok := m.top().(page.Prompter); ok && p.Prompts() {
		return !slices.Contains([]keys.Action{keys.Help, keys.Palette, keys.Reload}, r.Action)
	}
	if m.refused.IsZero() || m.now.Sub(m.refused) > typedApart {
		return false
	}
	m.refused = m.now
	return true
}

// unbound is what a key that does nothing here would do elsewhere, and how to get
// there; "" for a key that types nothing.
func (m *Model) unbound(name string, e page.Env) string {
	if utf8.RuneCountInString(name) != 1 {
		return ""
	}
	if r, ok := m.table[m.top().Scope()].Find(name); ok && r.Opens != "" && m.screen(r.Opens).Needs && m.screen(r.Opens).Offered(e) && m.place(e).Cluster == "" {
		return fmt.Sprintf("%s opens the %s of a cluster: open a cluster first", name, r.Opens)
	}
	return fmt.Sprintf("no key %s on this page; ? lists the keys here", name)
}

// act carries out a row of the table of keys: it opens its screen, or does its action.
func (m *Model) act(r keys.Row, e page.Env) tea.Cmd {
	if r.Opens == "" {
		return m.do(r.Action, e)
	}
	s := m.screen(r.Opens)
	at := m.here(s, e)
	if r.Action == keys.Screen(r.Opens) || r.Scope == keys.Everywhere && len(m.stack) > 1 {
		return m.jump(s, at, e)
	}
	if l, ok := m.top().(page.Lister); ok {
		if n, cur := l.List(e); cur < n {
			m.setTop(l.Choose(cur, e)) // to come back to the same row
		}
	}
	return m.perform(page.Open{Screen: r.Opens, At: at})
}

// do carries out an action: the ones of the whole console here, the others
// on the page.
func (m *Model) do(do keys.Action, e page.Env) tea.Cmd {
	switch do {
	case keys.Quit, keys.Cancel, keys.Suspend:
		return m.leave(do)
	case keys.Help:
		if m.top().Scope() != "help" {
			m.push(page.NewHelp(m.helpSets(e)))
		}
		return nil
	case keys.Back:
		return m.back()
	case keys.Refresh:
		return m.feed.load(m.gen)
	case keys.Palette:
		m.openPalette("", e)
		return nil
	case keys.Past:
		return m.through(&m.past, &m.future)
	case keys.Future:
		return m.through(&m.future, &m.past)
	case keys.Freeze:
		if m.deps.Replay != nil {
			return m.replays(do)
		}
		return m.freeze()
	case keys.Faster, keys.Slower:
		return m.repace(do == keys.Faster)
	case keys.Copy:
		return m.copyCommand(e)
	case keys.Said:
		return m.aside(journal.Messages(m.messages), "log")
	case keys.Times:
		m.ago = !m.ago
		return nil
	case keys.Mark:
		m.mark()
		return nil
	case keys.Time, keys.NextEvent, keys.PrevEvent, keys.NextMinute, keys.PrevMinute:
		return m.replays(do)
	case keys.Mouse:
		m.noMouse = !m.noMouse
		if m.noMouse {
			m.say(theme.Info, "the terminal has the mouse, to select text; m takes it back")
		} else {
			m.say(theme.Info, "pgtui has the mouse again; m gives it to the terminal")
		}
		return nil
	case keys.Shell:
		return m.shell(e)
	case keys.Psql:
		return m.psql(e)
	case keys.DSN:
		if !slices.ContainsFunc(m.rows(e), func(r keys.Row) bool { return r.Action == do && r.Scope != keys.Everywhere }) {
			return m.copyDSN(e)
		}
	case keys.Editor:
		return m.edit(e)
	case keys.Lock:
		m.lock()
		return nil
	case keys.Filter:
		if f, ok := m.top().(page.Filterer); ok {
			m.typing, m.filter = true, widget.NewInput(f.Filter(), 64)
		}
		return nil
	}
	if c := m.command(do); c != nil {
		return m.runCommand(c, e)
	}
	if m.missing(e) != nil {
		return nil
	}
	next, intent := m.top().Do(do, e)
	m.setTop(next)
	return m.perform(intent)
}

// leave ends the console, or sends it to sleep. While a reload or an action is
// under way it only stops it before the next node or step.
func (m *Model) leave(do keys.Action) tea.Cmd {
	if m.run != nil {
		if do == keys.Cancel {
			return m.perform(page.StopRun{})
		}
		m.say(theme.Warn, m.run.running)
		return nil
	}
	if do == keys.Suspend {
		return m.feed.suspend()
	}
	return tea.Quit
}

// back goes one step back: out of a filter first, then to the page before.
func (m *Model) back() tea.Cmd {
	if f, ok := m.top().(page.Filterer); ok && f.Filter() != "" {
		m.setTop(f.SetFilter(""))
		return nil
	}
	if _, running := m.top().(page.Runner); running {
		if m.run != nil {
			m.say(theme.Warn, m.run.running)
			return nil
		}
		m.home()
		return nil
	}
	return m.leavePage()
}

// home goes back to the board of the cluster, or to the fleet.
func (m *Model) home() {
	m.returns = nil
	for len(m.stack) > 1 && m.top().Scope() != "board" {
		m.pop()
	}
}

// typed takes a key of that name, or a paste, of the filter line; the list
// follows at once.
func (m *Model) typed(name string, msg tea.Msg) tea.Cmd {
	f, ok := m.top().(page.Filterer)
	if !ok || name == "enter" || name == "ctrl+c" || name == "backspace" && m.filter.Value() == "" {
		m.typing = false
		return nil
	}
	switch name {
	case "esc":
		m.typing = false
		m.setTop(f.SetFilter(""))
		return nil
	case "up", "down":
		m.typing = false
		return m.key(msg.(tea.KeyPressMsg))
	}
	m.filter, _ = m.filter.Update(msg)
	m.setTop(f.SetFilter(m.filter.Value()))
	return nil
}

// perform does what a page wants.
func (m *Model) perform(intent page.Intent) tea.Cmd {
	switch in := intent.(type) {
	case page.Goto:
		m.note()
		return m.show(in.Page)
	case page.Open:
		m.note()
		s, e := m.screen(in.Screen), m.env(m.bodyHeight())
		if len(m.stack) == 1 && s.Needs && s.Name != "board" {
			m.push(m.board(in.At.Cluster)) // the path says whose page it is
		}
		return m.show(s.Open(in.At, e))
	case page.Back:
		return m.leavePage()
	case page.Home:
		m.home()
	case page.Say:
		m.say(theme.Info, in.Text)
	case page.Refuse:
		m.say(theme.Warn, in.Text)
		m.refused = m.now
	case page.Yank:
		return m.yank(in.Text, "")
	case page.MakePlan:
		return m.feed.plan(in.Cluster, m.gen)
	case page.Probe:
		if m.inv == nil {
			return nil
		}
		if in.Inquiry.Topic == page.TopicLogs {
			return m.feed.follow(in.Inquiry, m.inv)
		}
		return m.feed.inquire(in.Inquiry, m.inv, m.snap)
	case page.Both:
		var cmds []tea.Cmd
		for _, one := range in {
			cmds = append(cmds, m.perform(one))
		}
		return tea.Batch(cmds...)
	case page.Confirm:
		m.asked++
		m.dialog = page.NewQuestion(in.Ask)
		return m.feed.settle(m.asked)
	case page.Execute:
		return m.execute(in.Plan)
	case page.PlanAction:
		return m.planAction(in.Request)
	case page.Act:
		return m.carryOut(in.Plan)
	case page.RunProgram:
		return m.program(programMsg{gen: m.gen, p: in.Program})
	case page.Set:
		return m.set(in.Name, in.Value)
	case page.Save:
		return m.save()
	case page.StopRun:
		m.halt()
	case page.Type:
		m.openPalette(in.Text, m.env(m.bodyHeight()))
	}
	return nil
}

// execute begins a reload. It is the only door to Execute.
func (m *Model) execute(p page.PlanMsg) tea.Cmd {
	if !m.deps.Can(model.CanReload) || m.run != nil {
		m.say(theme.Warn, "no reload: this console is read-only, or a reload is running")
		return nil
	}
	var cmd tea.Cmd
	m.lastReads = nil
	m.feed.world.nodes.forget() // the files are about to change
	m.run, cmd = m.feed.execute(p)
	m.push(reload.NewProgress(p))
	return cmd
}

// carryOut begins an action. It is the only door to Act.
func (m *Model) carryOut(p page.ActionPlan) tea.Cmd {
	if !m.deps.Can(model.CanAct) || m.run != nil {
		m.say(theme.Warn, "no action: this console is read-only, or a reload or an action is running")
		return nil
	}
	var cmd tea.Cmd
	m.lastReads = nil
	m.feed.world.nodes.forget() // what was done to servers by hand is about to change
	m.run, cmd = m.feed.carryOut(p)
	m.push(actions.NewTimeline(p))
	return cmd
}

// answered takes in an answer that a page waits for. The inventory that an action
// was planned from may be newer than the one shown.
func (m *Model) answered(msg page.AnswerMsg) tea.Cmd {
	waited := slices.Contains(m.waited(), msg.Inquiry)
	cmd := m.broadcast(msg)
	if p, ok := msg.Answer.(page.ActionPlan); ok && waited && msg.Err == nil {
		return tea.Batch(cmd, m.planned(p.Inv))
	}
	return cmd
}

// halt lets the run finish the node or step it is on and no other.
func (m *Model) halt() {
	m.run.halt()
	m.say(theme.Warn, m.run.halting)
	m.stack = slices.Clone(m.stack)
	for i, p := range m.stack {
		if r, ok := p.(page.Runner); ok {
			m.stack[i] = r.Stopping()
		}
	}
}
