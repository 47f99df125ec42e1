package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
)

// Model is the root of the console: the size, the pages on top of one
// another, at most one dialog, and the newest snapshot with its boards.
type Model struct {
	deps  Deps
	feed  *feed
	look  theme.Options // what theme is made of
	theme *theme.Theme

	screens []page.Screen
	table   map[string]keys.Table // of each scope, with the operator's keys
	topics  map[page.Topic]bool

	w, h   int
	now    time.Time
	stack  []page.Page    // never empty; the last one is seen
	dialog *page.Question // nil when there is none
	asked  int            // number of the dialog, so that a late tick settles no other

	inv    *model.Inventory
	snap   *model.Snapshot // nil until the first node has answered
	boards []board.Board
	digest *page.Digest // of boards
	gen    int          // number of the watch whose snapshots count
	first  int          // number of the first watch of this context
	shown  int          // number of the watch whose snapshot is shown
	judged time.Time
	began  time.Time // when the asking of inv began
	since  time.Time // when pgtui began to watch this context

	events  []board.Event  // what has changed, the newest first
	changes []board.Change // the same, gathered by incident
	traffic *page.Traffic  // what went through every HAProxy section lately

	past, future [][]page.Page                // where the operator was, and came back from
	palette      *palette                     // nil when it is closed
	frozen       time.Time                    // since when the screen is held; zero when it is not
	held         *snapshotMsg                 // what came meanwhile
	heldLogs     []page.LogsMsg               // and of logs, one for each
	pace         time.Duration                // between two rounds; 0 is by the size of the fleet
	ago          bool                         // times are shown as how long ago they were
	locked       bool                         // it was made read-only since the start
	atStart      map[string]string            // settings at the start, or as they were saved
	noMouse      bool                         // the terminal has the mouse
	messages     []page.Message               // shown to the operator, oldest first
	unrecorded   string                       // why nothing is recorded, as it was shown last
	marks        int                          // that were set
	live         *Deps                        // to return to from the past; nil in the present
	lastReads    map[model.Host]page.LastRead // when each node's files were read, or why they could not be
	ran          []model.Ran                  // what was run on nodes, as far as a tick has seen it

	typing bool // the filter line has the keyboard
	filter textinput.Model
	toast  toast
	// returns are the pages that jumps left: esc goes back to them.
	returns []comeback
	// refused is when a dialog did not open, or the last letter typed for it; zero when
	// letters are commands.
	refused time.Time
	run     *activeRun // the reload or action under way; nil when there is none
	stale   staleness
}

// comeback is where esc leads from a page that a jump opened.
type comeback struct {
	depth int // of the stack with that page on top
	stack []page.Page
}

// toast is one line shown to the operator.
type toast struct {
	text  string
	tone  theme.Tone
	at    time.Time
	whole bool // it is wrapped where it has no room in one line
}

// New makes the console. Its work runs under a context of its own until Run
// gives it one.
func New(d Deps) Model { return newModel(context.Background(), d) }

func newModel(ctx context.Context, d Deps) Model {
	environ := d.Environ
	if environ == nil {
		environ = os.Environ()
	}
	look := theme.Detect(environ)
	look.Name = d.Theme
	m := Model{
		deps: d, feed: newFeed(ctx, d), look: look, theme: theme.New(look), noMouse: d.NoMouse,
		now: d.Now(), since: d.Now(), traffic: &page.Traffic{}, pace: d.Every, ago: d.Ago,
	}
	m.register(screens())
	m.recording()
	m.atStart = m.settingValues()
	if d.Start != "" {
		m.push(m.screen("board").Open(page.Place{Cluster: d.Start}, page.Env{}))
	}
	if d.Inventory != nil {
		m.take(d.Inventory)
	}
	return m
}

// register makes screens those of the console, with the topics that its context
// has functions for, and shows the first.
func (m *Model) register(all []page.Screen) {
	can := m.deps.Can
	m.topics = map[page.Topic]bool{page.TopicAccess: can(model.CanAccess), page.TopicComponents: can(model.CanComponents),
		page.TopicTrace: can(model.CanTrace), page.TopicOrigins: can(model.CanOrigins), page.TopicCandidates: true,
		page.TopicPooler: true, page.TopicPostgres: true, page.TopicLogs: true}
	m.screens, m.table = all, map[string]keys.Table{}
	table := append(page.Table(all).Remap(m.deps.Keys), commandRows(m.deps.Commands)...)
	for _, scope := range table.Scopes() {
		m.table[scope] = table.In(scope)
	}
	m.stack = []page.Page{all[0].Open(page.Place{}, page.Env{})}
}

// take makes inv the inventory that is shown and watched. What was seen of the
// old one stays on screen until the new one's first snapshot.
func (m *Model) take(inv *model.Inventory) {
	m.inv, m.began, m.lastReads = inv, m.now, nil
	if m.deps.Replay != nil {
		m.began = time.Time{} // nothing is on its way any more
	}
	m.fresh(inv)
	m.feed.world.nodes.forget()
	m.gen++
	if m.snap == nil {
		m.judge(unasked(inv, m.now))
	}
}

// judge makes boards the ones that are shown.
func (m *Model) judge(boards []board.Board) {
	m.boards = boards
	m.digest = page.NewDigest(m.env(0))
}

// Init starts the work.
func (m Model) Init() tea.Cmd {
	first := m.feed.load(m.gen)
	if m.inv != nil {
		first = m.feed.watch(m.inv, m.gen, m.every())
	}
	return tea.Batch(first, m.feed.tick(), m.background())
}

// background requests the terminal's background where the row of the cursor is a
// tint of it.
func (m *Model) background() tea.Cmd {
	if m.look.Requests() {
		return tea.RequestBackgroundColor
	}
	return nil
}

// dress draws everything from here on with that look. A look that needs the
// terminal's background where the last one did not requests it.
func (m *Model) dress(look theme.Options) tea.Cmd {
	had := m.look.Requests()
	if m.look, m.theme = look, theme.New(look); had {
		return nil
	}
	return m.background()
}

// lingering is how long the end waits for cancelled work: an ssh, and what it has
// started, must not outlive the console.
const lingering = 2 * time.Second

// Run opens the console on a terminal and returns when the operator leaves or
// ctx ends. The terminal is restored on every way out, and nothing keeps
// running: a reload or an action that is under way finishes its node or step first, and the error
// says what was and was not done. It is that of the first Load where there was
// no inventory to begin with, and none could be had.
func Run(ctx context.Context, d Deps, in io.Reader, out io.Writer) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	if f, ok := in.(*os.File); ok {
		in = hearing{f, leave}
	}
	m := newModel(work, d)
	j, done := newJob(ctx)
	defer done()
	shown, end := context.WithCancel(work)
	defer context.AfterFunc(ctx, func() { j.end(end) })()
	m.feed.job = j
	opts := []tea.ProgramOption{tea.WithContext(shown), tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler(), tea.WithFPS(framesASecond)}
	if d.Environ != nil {
		opts = append(opts, tea.WithEnvironment(d.Environ))
	}
	p := tea.NewProgram(&cache{Model: m}, opts...)
	guard.Go("watching for ctrl-z from outside", func() { j.follow(p, work.Done()) }, func(err error) { p.Send(actionMsg{label: "pgtui", err: err}) })
	_, err := p.Run()
	interrupted := m.feed.finish(func(what string) {
		fmt.Fprintf(out, "pgtui: finishing %s before leaving …\r\n", what)
	})
	stop()
	m.feed.rest(lingering)
	if interrupted != nil {
		return interrupted
	}
	if m.feed.failed != nil && ctx.Err() == nil { // a load that the end interrupted has not failed
		return m.feed.failed
	}
	if err != nil && ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic) {
		return nil // ended from outside: SIGTERM, SIGHUP, a terminal that is gone
	}
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	return nil
}

// every is the time between two rounds of asking.
func (m *Model) every() time.Duration { return pace(m.pace, m.inv) }

// top is the page that is seen.
func (m *Model) top() page.Page { return m.stack[len(m.stack)-1] }

// setTop replaces the page that is seen. The stack is copied: models share
// nothing that changes.
func (m *Model) setTop(p page.Page) {
	m.stack = slices.Clone(m.stack)
	m.stack[len(m.stack)-1] = p
}

func (m *Model) push(p page.Page) { m.stack = append(slices.Clone(m.stack), p) }

// pop goes back one page; the last one stays.
func (m *Model) pop() {
	if len(m.stack) > 1 {
		m.stack = slices.Clone(m.stack[:len(m.stack)-1])
	}
}

// say shows one line until it has had time to be read.
func (m *Model) say(tone theme.Tone, text string) {
	m.toast = toast{text: text, tone: tone, at: m.now}
	m.messages = append(m.messages[:len(m.messages):len(m.messages)], page.Message{At: m.now, Tone: tone, Text: text})
	if len(m.messages) > mostMessages {
		m.messages = m.messages[len(m.messages)-mostMessages:]
	}
}

// mostMessages is how many messages are kept.
const mostMessages = 500

// env is what pages may know, for a page of h lines.
func (m *Model) env(h int) page.Env {
	e := page.Env{
		W: m.w, H: h, Now: m.now, Began: m.began, Since: m.since, Every: m.every(), Ago: m.ago,
		Inv: m.inv, OldOf: m.oldOf(), Snap: m.snap, Boards: m.boards, Digest: m.digest, Events: m.events, Changes: m.changes, Traffic: m.traffic, ReadOnly: !m.deps.Can(model.CanReload), Acts: m.deps.Can(model.CanAct),
		Topics: m.topics, LastReads: m.lastReads, Reads: m.deps.Can(model.CanExamine),
		Messages: m.messages, Ran: m.ran, Columns: m.deps.Columns, ConfigFile: m.deps.ConfigFile,
		Texts: page.Texts{Diff: m.deps.Diff, Summary: m.deps.Summary, File: m.deps.File},
	}
	if m.top().Scope() == "settings" {
		e.Settings, e.Unsaved = m.settings(), m.unsaved()
	}
	return e
}
