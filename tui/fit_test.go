package tui

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/candidate"
	"pgtui/model/trace"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// hostile is what a machine that was broken into may send as text.
const hostile = "a\x1b[2J\x1b]0;owned\x07b\x9b31mc\r\nd\u202Eevil\u2066\x00\x7f\xff日本語👩‍👩‍👧\u200b\x1b"

// hostileWorld has hostile text wherever remote text can be.
func hostileWorld() *world {
	w := newWorld()
	c := w.inv.Cluster("pg-test")
	c.Provider = hostile
	for i := range w.inv.Nodes {
		w.inv.Nodes[i].Name += hostile
	}
	for n, v := range w.snap.Patroni {
		v.Status.Value.State, v.Status.Value.Role = hostile, hostile
		w.snap.Patroni[n] = v
	}
	w.server("pg-test", "", "primary", "pg-test-1", func(r *haproxy.ServerRow) {
		r.Status, r.CheckStatus, r.CheckDesc, r.CheckCode = hostile, hostile, hostile, 0
	})
	w.muteProxy("10.10.10.13", time.Minute)
	return w
}

// walk visits every page of the console: those of the registry by their names in
// the palette, then all by the keys of an operator.
func walk(w *world, visit func(name string, r *rig), r *rig) {
	for _, s := range screens() {
		r.press(":")
		r.press(strings.Split(s.Name, "")...)
		r.press("enter")
		visit("screen "+s.Name, r)
	}
	r.press("1")
	steps := []struct {
		name string
		keys []string
	}{
		{"fleet", nil}, {"fleet filter", []string{"/", "t"}}, {"fleet filtered", []string{"enter"}}, {"fleet again", []string{"esc", "G"}},
		{"board", []string{"enter"}}, {"cell", []string{"right", "j", "right"}}, {"board help", []string{"?"}},
		{"findings", []string{"esc", "f"}}, {"events", []string{"esc", "e"}}, {"events below", []string{"j", "G"}},
		{"what if", []string{"esc", "w"}}, {"what if it leads", []string{"j", "l"}}, {"what if all are down", []string{"enter", "k", "enter", "k", "enter"}},
		{"topology", []string{"esc", "t"}}, {"topology below", []string{"j", "G"}},
		{"instance", []string{"enter"}}, {"instance below", []string{"j", "j", "G"}},
		{"haproxy", []string{"n"}}, {"haproxy below", []string{"tab", "j", "j", "G"}},
		{"access", []string{"esc", "esc", "esc", "a"}}, {"access elsewhere", []string{"j", "left", "left", "j"}}, {"access below", []string{"G"}}, {"which port", []string{"g", "tab"}},
		{"access traced", []string{"enter"}}, {"trace below", []string{"j", "j", "G"}},
		{"components", []string{"esc", "esc", "c"}}, {"components below", []string{"j", "j", "G"}},
		{"trace", []string{"esc", "T"}}, {"trace again", []string{"R"}}, {"another trace", []string{"tab"}}, {"palette of traces", []string{":", "t", "r", "a", "c", "e", "space"}},
		{"inventory", []string{"esc", "esc", "v"}}, {"inventory below", []string{"j", "j", "G"}}, {"value", []string{"enter"}}, {"value below", []string{"j", "G"}},
		{"inventory narrowed", []string{"esc", "/", "p", "o", "r", "t"}}, {"inventory of nothing", []string{"z", "z", "enter"}}, {"inventory again", []string{"esc", "g", "R"}},
		{"inventory of all", []string{"1", "v"}}, {"inventory of all below", []string{"j", "j", "G"}}, {"palette of inventories", []string{":", "i", "n", "v", "e", "n", "t", "o", "r", "y", "space"}},
		{"board again", []string{"esc", "esc", "g", "enter"}},
		{"service", []string{"enter"}}, {"service below", []string{"G"}},
		{"candidates", []string{"esc", "C"}}, {"every gate", []string{"tab", "j"}}, {"candidates below", []string{"G"}},
		{"plan of an action", []string{"enter"}}, {"plan below", []string{"j", "G"}}, {"prompt for an action", []string{"enter"}}, {"no action", []string{"esc"}},
		{"actions", []string{"esc", "x"}}, {"actions below", []string{"j", "G"}}, {"an action's line", []string{"e"}}, {"palette of actions", []string{"esc", ":", "d", "r", "a", "i", "n", "space"}},
		{"board once more", []string{"esc", "esc", "esc"}},
		{"log", []string{"0"}}, {"log in full", []string{"enter"}}, {"log below", []string{"G"}}, {"messages", []string{"tab"}}, {"messages below", []string{"G"}},
		{"diff", []string{"esc", "r"}}, {"diff below", []string{"n", "G"}}, {"diff's changes", []string{"g", ".", "}", ".", "{", "{"}},
		{"diff's ends of lines", []string{"right", "right", "l", "."}}, {"diff's beginnings", []string{"left", "h", "h", "tab", "G"}}, {"confirm", []string{"r"}},
	}
	for _, s := range steps {
		r.press(s.keys...)
		r.send(tickMsg{})
		visit(s.name, r)
	}
	r.fire(true)
	r.readToEnd()
	r.typing(string(r.m.cluster()))
	visit("confirm typed", r)
	r.press("enter")
	visit("run", r)
	r.press("enter", "C", "enter", "enter")
	r.fire(true)
	r.readToEnd()
	r.typing(string(r.m.cluster()))
	r.press("enter")
	visit("action ended", r)
	r.press("j", "G")
	visit("action ended below", r)
}

func TestEveryPageFitsEverySize(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	worlds := append(situations(), struct {
		name string
		w    *world
	}{"hostile", hostileWorld()}, struct {
		name string
		w    *world
	}{"big", bigWorld(40)})
	for round := range 60 {
		s := worlds[round%len(worlds)]
		width, height := 20+rnd.IntN(281), 5+rnd.IntN(96)
		switch {
		case round < 10:
			width, height = 20+rnd.IntN(10), 5+rnd.IntN(4)
		case round > 55:
			width, height = 1+rnd.IntN(20), 1+rnd.IntN(5)
		}
		walk(s.w, func(name string, r *rig) {
			lines := strings.Split(r.m.View().Content, "\n")
			if len(lines) != height {
				t.Errorf("%s, %s at %dx%d: %d lines", s.name, name, width, height, len(lines))
			}
			for i, l := range lines {
				if n := ansi.StringWidth(l); n > width {
					t.Errorf("%s, %s at %dx%d: line %d takes %d cells: %q", s.name, name, width, height, i, n, l)
				}
			}
		}, talkative(eventful(newRig(t, s.w, width, height, func(d *fake) {
			d.Ran = ranLately
			if s.name == "hostile" {
				hostileAnswers(d)
			}
		}))))
	}
}

func TestRemoteTextCannotReachTheTerminal(t *testing.T) {
	for _, z := range sizes() {
		r := newRig(t, hostileWorld(), z[0], z[1], func(d *fake) {
			d.Summary = func(plan.FileChange) []string { return []string{hostile} }
			d.File = func(*model.Inventory, *model.Service) string { return hostile + "\n\x1b[5m" }
			hostileAnswers(d)
		})
		talkative(r)
		r.m.happened([]board.Event{{At: t0, Cluster: "pg-test", Kind: hostile, Subject: hostile, Before: hostile, After: hostile}})
		walk(hostileWorld(), func(name string, r *rig) { harmless(t, name, r.m.View().Content) }, r)
		r.send(actionMsg{label: hostile, err: &source.Hint{Err: errHostile{}, Try: hostile}})
		harmless(t, "toast", r.m.View().Content)
		r.send(page.DoneMsg{Err: errHostile{}})
		harmless(t, "failed run", r.m.View().Content)
		r.press("q")
		r.m.typing = true
		r.send(tea.PasteMsg{Content: hostile})
		harmless(t, "pasted filter", r.m.View().Content)
	}
}

// hostileDiff is a diff as no diff is: hostile text, spans that lie outside of
// it, inside of characters or in no order, pairs that are none.
func hostileDiff(plan.FileChange) []DiffLine {
	spans := [][2]int{{-5, -1}, {3, 1}, {1, 2}, {0, 1}, {2, 1 << 40}, {2, 5}, {7, 7}, {8, 9}, {len(hostile), len(hostile) + 1}}
	long := "\tserver " + strings.Repeat("日本語 ", 90) + "end"
	return []DiffLine{
		{Kind: '+', Text: hostile, Words: spans, Pair: 7, Old: -1, New: 1 << 40},
		{Kind: '@', Text: hostile}, {Kind: '@'}, {Kind: 'x', Text: hostile, Words: spans}, {Kind: ' ', Text: "server \"" + hostile + "# \\"},
		{Kind: '-', Text: long, Words: spans, Pair: 2}, {Kind: '-', Text: "日本", Words: spans, Pair: 1}, {Kind: '-', Pair: -1, Words: spans},
		{Kind: '+', Text: long, Words: [][2]int{{len(long) - 3, len(long)}}, Pair: 1}, {Kind: '+', Text: long + "s", Pair: 2, NoEOL: true}, {Kind: '+', Pair: 9},
		{Kind: ' ', Text: long}, {Kind: '-', Text: "last", Pair: 3},
	}
}

// hostileAnswers puts hostile text wherever an answer to a page's question has
// text of a machine; what is asked again ends in a hostile error.
func hostileAnswers(d *fake) {
	d.Diff = hostileDiff
	hostileActions(d)
	d.Ran = func() []model.Ran {
		return append(ranLately(), model.Ran{At: t0, Node: hostile, Argv: []string{hostile, hostile}, Err: &source.Hint{Err: errHostile{}, Try: hostile}},
			model.Ran{At: t0, Node: strings.Repeat(hostile, 9), Argv: []string{strings.Repeat(hostile, 99)}, Exit: 255})
	}
	acc, parts, tr, traced := d.Access, d.Components, d.Trace, 0
	origins, read := d.Origins, 0
	d.Origins = func(ctx context.Context, inv *model.Inventory, c model.ClusterName) (source.Origins, error) {
		o, err := origins(ctx, inv, c)
		o.Source, o.Hash = hostile, hostile
		o.Problems = append(o.Problems, source.Problem{At: source.Pos{File: hostile, Line: 1}, Subject: hostile, What: hostile, Try: hostile})
		for i := range o.Rows {
			r := &o.Rows[i]
			r.Value, r.Text, r.By, r.At.File, r.Hosts = hostile, []string{"  " + hostile, hostile}, hostile, hostile, []string{hostile}
			r.Hid = []source.Definition{r.Definition, r.Definition}
		}
		if read++; read == 2 {
			err = &source.Hint{Err: errHostile{}, Try: hostile}
		}
		return o, err
	}
	d.Access = func(ctx context.Context, inv *model.Inventory, s *model.Snapshot, c model.ClusterName) (access.Access, error) {
		a, err := acc(ctx, inv, s, c)
		a.Notes = append(a.Notes, hostile)
		for i := range a.Hosts {
			a.Hosts[i].Name += hostile
		}
		for i := range a.Entries {
			e := &a.Entries[i]
			e.On.Name += hostile
			e.Now.Why, e.DSN.Hosts = hostile, []string{hostile} // a user is percent-encoded
			e.Check.Value.Lookups = []access.Lookup{{Server: hostile, Addrs: []string{hostile}}, {Server: "system", Error: hostile}}
			e.Check.Value.Touches = []access.Touch{{Addr: hostile, Fault: model.FaultOther, Text: hostile}}
		}
		return a, err
	}
	d.Examine = func(_ context.Context, _ *model.Inventory, h model.Host) model.Reading {
		if h == "10.10.10.11" {
			return model.NotRead(errHostile{}, t0)
		}
		return model.Reading{Conf: seen(model.NodeConf{Dir: hostile, Files: []model.ConfFile{{Name: hostile, Read: true, Foreign: true}},
			Sections: []haproxy.Section{{File: hostile, Name: hostile, Binds: []string{hostile}}}}),
			Servers: seen(haproxy.ServerStates{Count: 1, Touched: []haproxy.ServerState{{Proxy: "pg-test-primary", Server: "pg-test-2", Bits: haproxy.ForcedDrain}, {Proxy: hostile, Server: hostile, Bits: 0xff}}})}
	}
	d.Components = func(ctx context.Context, inv *model.Inventory, c model.ClusterName) ([]model.ComponentRow, error) {
		rows, err := parts(ctx, inv, c)
		for i := range rows {
			st := &rows[i].State.Value
			st.Health, st.Why, st.Version, st.Unit = model.ComponentSick, hostile, hostile, hostile
		}
		return rows, err
	}
	d.Trace = func(ctx context.Context, inv *model.Inventory, target []string) (trace.Trace, error) {
		t, err := tr(ctx, inv, target)
		t.Summary, t.Target.As, t.Target.Login.User, t.Target.Hosts = hostile, hostile, hostile, []string{hostile}
		for i := range t.Attempts {
			t.Attempts[i].Skipped = hostile
			for k := range t.Attempts[i].Hops {
				t.Attempts[i].Hops[k].At, t.Attempts[i].Hops[k].Text = hostile, hostile
			}
		}
		t.Attempts = append(t.Attempts, t.Attempts...)
		if traced++; traced > 2 {
			err = &source.Hint{Err: errHostile{}, Try: hostile}
		}
		return t, err
	}
}

// hostileActions puts hostile text into who can take over, a plan and its run.
func hostileActions(d *fake) {
	table, makes := d.Candidates, d.PlanAction
	d.Candidates = func(ctx context.Context, inv *model.Inventory, c model.ClusterName) (candidate.Table, error) {
		t, err := table(ctx, inv, c)
		t.Why, t.Rules, t.Gap.Parts = hostile, hostile, []string{hostile}
		for i := range t.Candidates {
			for k := range t.Candidates[i].Gates {
				g := &t.Candidates[i].Gates[k]
				g.Verdict, g.What, g.Try = candidate.No, hostile, hostile
			}
		}
		return t, err
	}
	d.PlanAction = func(ctx context.Context, inv *model.Inventory, r action.Request) (action.Plan, error) {
		p, err := makes(ctx, inv, r)
		p.Facts = append(p.Facts, hostile, strings.Repeat(hostile, 30))
		p.Risks = append(p.Risks, plan.Risk{Name: plan.RiskGhosts, What: hostile, Try: hostile, Host: hostile})
		for i := range p.Steps {
			p.Steps[i].What, p.Steps[i].Proof = hostile, hostile
		}
		return p, err
	}
	d.Act = func(_ context.Context, _ *model.Inventory, p action.Plan, emit func(action.Event)) (action.Report, error) {
		for _, s := range []action.State{action.Sent, hostile, action.Unknown, action.Waiting} {
			emit(action.Event{At: t0, State: s, Host: hostile, What: hostile, Err: errHostile{}, Done: -5, Total: 3})
		}
		return action.Report{Outcome: hostile, State: hostile, Next: []string{hostile, "pgtui " + hostile}, Clients: []action.Client{{Host: hostile}}},
			&source.Hint{Err: errHostile{}, Try: hostile}
	}
}

// talkative has said something, and hostile text among it.
func talkative(r *rig) *rig {
	r.m.messages = append(saidLately(), page.Message{At: t0, Tone: theme.Bad, Text: hostile}, page.Message{At: t0, Text: strings.Repeat(hostile, 20)})
	return r
}

type errHostile struct{}

func (errHostile) Error() string { return hostile }

// harmless fails the test if a screen holds anything but text, line ends and
// the colours of the theme.
func harmless(t *testing.T, name, screen string) {
	t.Helper()
	rest := screen
	th := theme.New(theme.Options{})
	for tone := range theme.FlagCyan + 1 {
		for _, on := range []bool{false, true} {
			if open := th.Open(tone, on); open != "" {
				rest = strings.ReplaceAll(rest, open, "")
			}
		}
	}
	rest = strings.ReplaceAll(rest, ansi.ResetStyle, "")
	for _, r := range rest {
		if (r < ' ' && r != '\n') || (r >= 0x7f && r < 0xa0) || r == utf8.RuneError || strings.ContainsRune("\u202e\u2066\u200b\u200d\ufeff", r) {
			t.Fatalf("%s: %q reached the screen:\n%q", name, r, rest)
		}
	}
	if strings.Contains(rest, "owned") {
		t.Fatalf("%s: the payload of a title sequence is shown:\n%q", name, rest)
	}
}

func TestASCIITerminal(t *testing.T) {
	r := newRig(t, situations()[2].w, 80, 24, func(d *fake) { d.Environ = []string{"LANG=C"} })
	walk(nil, func(name string, r *rig) {
		for _, c := range r.m.View().Content {
			if c > '~' {
				t.Fatalf("%s: %q on a terminal without UTF-8:\n%s", name, c, r.screen())
			}
		}
	}, r)
}

func TestWrapKeepsNamesTogether(t *testing.T) {
	got := strings.Join(widget.Wrap("not known: pg-test-3, pg-test-2", 20), "|")
	if want := "not known:|pg-test-3, pg-test-2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = strings.Join(widget.Wrap("/etc/haproxy/conf.d/pg-test-primary.cfg", 16), "|")
	if want := "/etc/haproxy/con|f.d/pg-test-prim|ary.cfg"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTableDropsByPriorityThenNarrows(t *testing.T) {
	tab := widget.Table{
		Cols: []widget.Column{{Title: "NAME", Min: 4}, {Title: "LAG", Right: true, Drop: 2}, {Title: "WHY", Min: 5, Flex: true, Drop: 1}},
		Rows: [][]widget.Line{{widget.P("pg-test-1"), widget.P("16 MB"), widget.P("because it is so")}},
	}
	for width, want := range map[int]string{
		40: "pg-test-1  16 MB  because it is so", 28: "pg-test-1  16 MB  because i…", 20: "pg-test-1  because …", 10: "pg-test-1", 6: "pg-te…",
	} {
		if got := strings.TrimRight(tab.Layout(width).Row(tab.Rows[0]).String(), " "); got != want {
			t.Errorf("at %d: %q, want %q", width, got, want)
		}
	}
}

// TestASparseColumnNeedsARow: its head is not drawn over nothing.
func TestASparseColumnNeedsARow(t *testing.T) {
	tab := widget.Table{Cols: []widget.Column{{Title: "NAME"}, {Title: "WHY", Sparse: true, Flex: true}}, Rows: [][]widget.Line{{widget.P("pg-test-1"), nil}}}
	if got := strings.TrimSpace(tab.Layout(40).Head().String()); got != "NAME" {
		t.Errorf("got %q", got)
	}
	tab.Rows = append(tab.Rows, []widget.Line{widget.P("pg-test-2"), widget.P("it does not answer")})
	if got := strings.TrimSpace(tab.Layout(40).Head().String()); !strings.HasSuffix(got, "WHY") {
		t.Errorf("got %q", got)
	}
	var rows []string
	for _, l := range tab.Layout(22).Rows(tab.Rows[1], 4) {
		rows = append(rows, strings.TrimRight(l.String(), " "))
	}
	if got, want := strings.Join(rows, "|"), "pg-test-2  it does not|           answer"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLocaleDecidesTheCharacterSet(t *testing.T) {
	for env, ascii := range map[string]bool{
		"LANG=en_US.UTF-8": false, "LANG=C.utf8": false, "LANG=C": true, "LANG=en_US.ISO-8859-1": true, "TERM=xterm": true,
		"LANG=C.UTF-8 LC_ALL=C": true, "LANG=C LC_CTYPE=en_GB.UTF-8": false,
	} {
		if got := theme.Detect(strings.Fields(env)).ASCII; got != ascii {
			t.Errorf("%s: ASCII %v, want %v", env, got, ascii)
		}
	}
}

// TestTheWalkVisitsEveryScreen: what the walk misses is not held to fit.
func TestTheWalkVisitsEveryScreen(t *testing.T) {
	seen := map[string]bool{}
	walk(newWorld(), func(_ string, r *rig) { seen[r.m.top().Scope()] = true }, newRig(t, newWorld(), 80, 24))
	for _, s := range screens() {
		if !seen[s.Name] && s.Name != "reloading" && s.Name != "acting" { // both end at once here
			t.Errorf("the walk does not visit %s", s.Name)
		}
	}
}

// TestAWideBoardHasTwoPanes: from 160 cells findings and events are beside the board,
// each once, and no sentence is cut while most of the screen is empty.
func TestAWideBoardHasTwoPanes(t *testing.T) {
	for _, s := range situations() {
		for _, z := range [][2]int{{160, 45}, {200, 50}} {
			r := eventful(newRig(t, s.w, z[0], z[1], func(d *fake) { d.Start = "pg-test" }))
			screen := r.screen()
			head, _, _ := strings.Cut(screen, " MEMBER ")
			if strings.Count(head, "│ FINDINGS") != 1 || strings.Count(screen, " EVENTS") != 1 || strings.Count(screen, " FINDINGS") != 1 {
				t.Errorf("%s at %v: there are no two panes:\n%s", s.name, z, screen)
			}
			if strings.Contains(screen, "…") && s.w.snap != nil {
				t.Errorf("%s at %v: something is cut:\n%s", s.name, z, screen)
			}
		}
		r := eventful(newRig(t, s.w, 159, 45, func(d *fake) { d.Start = "pg-test" }))
		r.wantNot("│", " EVENTS")
	}
	r := newRig(t, situations()[2].w, 200, 50, func(d *fake) { d.Start = "pg-test" })
	r.press("j")
	for _, l := range strings.Split(r.screen(), "\n") {
		if strings.HasPrefix(l, "▸5434") && !strings.Contains(l, "3/3") {
			t.Errorf("the cursor is not on a row of the left pane: %q", l)
		}
	}
}

// TestAMessageTakesOneLine: what has no room in it is read by a key.
func TestAMessageTakesOneLine(t *testing.T) {
	r := newRig(t, newWorld(), 80, 24, func(d *fake) { d.Start = "pg-test" })
	before := len(r.m.body(r.m.env(r.m.bodyHeight())))
	long := strings.Repeat("something that is said at length ", 9) + "and its end"
	r.m.say(theme.Warn, long)
	if got := len(r.m.spoken()); got != 1 || r.m.bodyHeight() < before-1 {
		t.Errorf("%d lines, the page has %d", got, r.m.bodyHeight())
	}
	r.want("…  \" in full")
	r.wantNot("its end")
	r.press("\"")
	r.want("its end")
}

// TestALongFindingIsReadInFull: at 80×24 a key shows a finding to its end.
func TestALongFindingIsReadInFull(t *testing.T) {
	r := newRig(t, newWorld(), 80, 24, func(d *fake) { d.Start = "pg-test" })
	boards := newWorld().boards()
	for i := range boards {
		found(&boards[i], model.Finding{Code: "x", Cluster: boards[i].Cluster.Name, Summary: "a summary", Evidence: []string{
			strings.Repeat("evidence of many words ", 20) + "first-end", strings.Repeat("more ", 100) + "second-end", strings.Repeat("again ", 200) + "third-end"}})
	}
	r.m.judge(boards)
	r.press("f")
	r.wantNot("third-end")
	r.want("tab shows it in full")
	r.press("tab")
	r.want("first-end", "more lines")
	r.press("G")
	r.want("third-end")
	r.press("tab")
	r.want("tab shows it in full")
}
