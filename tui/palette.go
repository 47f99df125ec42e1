package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/page/actions"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// palette is the line behind `:` and what it could mean.
type palette struct {
	input  textinput.Model
	all    []choice                         // everything there is
	acts   func(line, want string) []choice // the actions that a line begins, those of the line itself first
	found  []choice                         // what meets the input, the best first
	hits   int                              // how many meet it; found has the first of them
	cursor int
	moved  bool // to the choice by the operator
}

// choice is one thing the palette can do.
type choice struct {
	name string   // as it is typed
	also []string // what else it is found by
	near int      // before others that meet the input as well: of the cluster on screen, of one in trouble
	only string   // it is listed once this was typed
	kind string   // cluster, service, instance, screen, key, command, context, action
	help widget.Words
	open page.Screen // when it is one
	at   page.Place  // to open it at
	do   keys.Row    // when it is an action
	set  *page.Set   // when it is a setting
	ctx  string
	demo *Action
	line string // of an action that is complete, as it is typed
	fill string // to be completed
}

// leastFound is how many choices are listed where the screen has room for no more in its lower
// half.
const leastFound = 8

// choices is everything that can be gone to or done here and now.
func (m *Model) choices(e page.Env) []choice {
	var out []choice
	at := m.place(e)
	for _, s := range m.screens {
		if s.Offered(e) && (!s.Needs || at.Cluster != "") {
			out = append(out, choice{name: s.Name, kind: "screen", help: widget.Words(s.Help), open: s, at: m.here(s, e)})
		}
	}
	for _, r := range m.rows(e) {
		listed := r.Opens != "" && slices.ContainsFunc(out, func(c choice) bool { return c.kind == "screen" && c.name == r.Opens })
		if !listed && !moves(r.Action) { // screens are listed as such
			kind := "key"
			if m.command(r.Action) != nil {
				kind = "command"
			}
			out = append(out, choice{name: string(r.Action), kind: kind, help: page.HelpOf(r), do: r})
		}
	}
	for _, c := range m.deps.Contexts {
		help := widget.F("%s", widget.Data(c.Environment))
		switch open := c.Name == m.deps.Context.Name; {
		case open && c.Environment == "":
			help = "· open"
		case open:
			help += " · open"
		}
		out = append(out, choice{name: "ctx " + c.Name, kind: "context", help: help, ctx: c.Name})
	}
	if len(m.deps.Contexts) == 0 {
		out = append(out, choice{name: "ctx", kind: "context", help: noContexts})
	}
	out = append(out, m.themeChoices()...)
	for i := range m.deps.Actions {
		out = append(out, choice{name: m.deps.Actions[i].Label, kind: "sandbox", demo: &m.deps.Actions[i]})
	}
	if m.inv == nil {
		return out
	}
	if e.Acts {
		for _, c := range action.Commands() {
			out = append(out, choice{name: c.Name, kind: "action", help: widget.Words(c.Help), fill: c.Name + " "})
		}
	}
	for i := range m.inv.Clusters {
		c := &m.inv.Clusters[i]
		near := 0
		if b := e.Board(c.Name); b != nil && b.Health != model.HealthOK {
			near = 100
		}
		if c.Name == at.Cluster && len(m.stack) > 1 {
			near = 300
		}
		for _, ch := range append(m.clusterChoices(c), m.topicChoices(c, e)...) {
			ch.near = near
			out = append(out, ch)
		}
	}
	return out
}

// noContexts is shown where no context is declared.
const noContexts = "none is declared: see pgtui config init"

// topicChoices are the probes of a cluster as the commands are written,
// "trace pg-test primary". They are many, and listed once their first word is typed.
func (m *Model) topicChoices(c *model.Cluster, e page.Env) []choice {
	var out []choice
	add := func(screen, words string, help widget.Words, at page.Place) {
		if s := m.screen(screen); s.Offered(e) {
			out = append(out, choice{name: screen + " " + words, only: screen, kind: "screen", help: help, open: s, at: at})
		}
	}
	name := string(c.Name)
	add("access", name, "its endpoints", page.Place{Cluster: c.Name})
	add("components", name, "what runs on its nodes", page.Place{Cluster: c.Name})
	add("inventory", name, "where its values come from", page.Place{Cluster: c.Name})
	for _, svc := range c.Services() {
		add("trace", name+" "+string(svc.Name), widget.F("port %s", widget.Data(svc.Port)), page.Place{Cluster: c.Name, Service: svc.Name})
	}
	return out
}

// clusterChoices are a cluster, its services and its instances.
func (m *Model) clusterChoices(c *model.Cluster) []choice {
	name := string(c.Name)
	out := []choice{{name: name, also: []string{"board " + name, c.VIP}, kind: "cluster", help: "its board", open: m.screen("board"), at: page.Place{Cluster: c.Name}}}
	for _, svc := range c.Services() {
		s := string(svc.Name)
		out = append(out, choice{name: name + "-" + s, also: []string{"service " + s, "service " + name + " " + s, svc.Port},
			kind: "service", help: widget.F("port %s", widget.Data(svc.Port)), open: m.screen("service"), at: page.Place{Cluster: c.Name, Service: svc.Name}})
	}
	for i := range c.Instances {
		in := &c.Instances[i]
		out = append(out, choice{name: string(in.Name), also: []string{"instance " + string(in.Name), string(in.Host)}, kind: "instance", help: widget.F("of %s", widget.Data(name)),
			open: m.screen("instance"), at: page.Place{Cluster: c.Name, Instance: in.Name}})
	}
	return out
}

// acting are the actions on the cluster that a line begins: the line itself where
// it is complete, then the command on everything it can be on. want is the line in
// lower case. What is of the cluster at that place comes first.
func (m *Model) acting(at page.Place) func(line, want string) []choice {
	inv, now := m.inv, m.now
	return func(line, want string) []choice {
		var out []choice
		if r, err := action.Parse(line, inv, now); err == nil {
			out = append(out, choice{name: strings.TrimSpace(line), kind: "action", help: widget.Words(r.Title()), line: line, also: []string{want}, near: 10_000})
		}
		for _, c := range action.Commands() {
			if !strings.HasPrefix(want, c.Name+" ") {
				continue
			}
			for _, x := range subjects(inv, &c) {
				ch := choice{name: c.Name + " " + x.name, kind: "action", help: widget.Words(c.Help)}
				if x.cluster == at.Cluster {
					ch.near = 300
				}
				if ch.line = ch.name; c.More != "" {
					ch.line, ch.fill = "", ch.name+" "
				}
				if ch.line != line {
					out = append(out, ch)
				}
			}
		}
		return out
	}
}

// subject is what an action can be on, and the cluster it is of.
type subject struct {
	name    string
	cluster model.ClusterName
}

// subjects are the names that the first argument of an action can have. A failover
// of a cluster lacks its candidate.
func subjects(inv *model.Inventory, t *action.Takes) (out []subject) {
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		if t.On == "cluster" || t.On == "member" && t.Kind != action.Failover {
			out = append(out, subject{string(c.Name), c.Name})
		}
		for j := range c.Instances {
			switch in := &c.Instances[j]; t.On {
			case "instance", "member":
				out = append(out, subject{string(in.Name), c.Name})
			case "node":
				out = append(out, subject{string(in.Host), c.Name})
			}
		}
	}
	return out
}

// openPalette opens the palette with a text.
func (m *Model) openPalette(text string, e page.Env) {
	p := &palette{input: widget.NewInput(text, 200), all: m.choices(e)}
	if e.Acts && m.inv != nil {
		p.acts = m.acting(m.place(e))
	}
	m.palette = p
	p.find()
}

// moves reports an action that only moves a cursor.
func moves(a keys.Action) bool {
	return slices.Contains([]keys.Action{keys.Up, keys.Down, keys.Left, keys.Right, keys.Top, keys.Bottom, keys.PageUp, keys.PageDown, keys.Palette}, a)
}

// find narrows the choices to what was typed.
func (p *palette) find() {
	want := p.want()
	type hit struct {
		choice
		score int
	}
	var hits []hit
	all := p.all
	if p.acts != nil {
		all = append(p.acts(strings.TrimSpace(p.input.Value()), want), all...)
	}
	for _, c := range all {
		if !strings.HasPrefix(want, c.only) {
			continue
		}
		if n := c.meets(want); n > 0 {
			hits = append(hits, hit{c, n})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	p.found, p.hits = nil, len(hits)
	for _, h := range hits[:min(len(hits), 64)] {
		p.found = append(p.found, h.choice)
	}
	if len(hits) == 0 {
		p.found = p.near(want)
		p.hits = len(p.found)
	}
	p.cursor = max(min(p.cursor, len(p.found)-1), 0)
}

// near is the place that a mistyped name is nearest to. An action is only named: see
// noMatch.
func (p *palette) near(want string) []choice {
	var names []string
	var at []int
	for i, c := range p.all {
		if c.open.Open != nil && strings.HasPrefix(want, c.only) {
			for _, n := range append([]string{c.name}, c.also...) {
				names, at = append(names, n), append(at, i)
			}
		}
	}
	n := slices.Index(names, text.Nearest(want, names))
	if n < 0 {
		return nil
	}
	c := p.all[at[n]]
	c.help = "did you mean this? " + c.help
	return []choice{c}
}

// want is what was typed.
func (p *palette) want() string {
	return strings.Join(strings.Fields(strings.ToLower(p.input.Value())), " ")
}

// meets is how well the choice matches what was typed: 0 is not at all.
func (c *choice) meets(want string) int {
	best := page.Fuzzy(want, strings.ToLower(c.name))
	if c.name == want {
		best += 5000
	}
	part := strings.Contains(strings.ToLower(c.name), want)
	for _, other := range c.also {
		if other = strings.ToLower(other); want != "" && strings.Contains(other, want) {
			part = true
			n := page.Fuzzy(want, other) - 50
			if other == want {
				n += 5000
			}
			best = max(best, n)
		}
	}
	if part {
		best += c.near
	}
	if best == 0 && len(want) >= leastOfHelp && (strings.Contains(strings.ToLower(string(c.help)), want) || strings.Contains(lang.Text(string(c.help)), want)) {
		return 1 // after all that are found by a name
	}
	return best
}

// leastOfHelp is how many bytes are looked for in what a choice does: fewer are in everything.
const leastOfHelp = 3

// asksWhich reports whether only the word ctx was typed, and no context chosen.
func (p *palette) asksWhich() bool {
	return !p.moved && p.found[p.cursor].ctx != "" && strings.HasPrefix("ctx", p.want())
}

// paletteKey takes a key of that name, or a paste, while the palette is open.
func (m *Model) paletteKey(name string, msg tea.Msg) tea.Cmd {
	p := *m.palette
	m.palette = &p
	if name == "backspace" && p.input.Value() == "" {
		name = "esc"
	}
	switch name {
	case "esc", "ctrl+c":
		m.palette = nil
		return nil
	case "up", "shift+tab":
		p.cursor, p.moved = max(p.cursor-1, 0), true
		return nil
	case "down":
		p.cursor, p.moved = max(min(p.cursor+1, len(p.found)-1), 0), true
		return nil
	case "tab":
		if len(p.found) > 0 {
			p.input = widget.NewInput(p.found[p.cursor].name, p.input.CharLimit)
			p.cursor = 0
			p.find()
		}
		return nil
	case "enter":
		return m.choose()
	}
	p.input, _ = p.input.Update(msg)
	p.cursor, p.moved = 0, false
	p.find()
	return nil
}

// choose does what the palette's cursor is on.
func (m *Model) choose() tea.Cmd {
	p := m.palette
	if len(p.found) > 0 && p.asksWhich() {
		p.input = widget.NewInput("ctx ", p.input.CharLimit)
		p.find()
		return nil
	}
	m.palette = nil
	if len(p.found) == 0 {
		m.say(theme.Warn, m.noMatch(p))
		return nil
	}
	c := p.found[p.cursor]
	e := m.env(m.bodyHeight())
	switch {
	case c.open.Open != nil:
		return m.jump(c.open, c.at, e)
	case c.fill != "":
		m.openPalette(c.fill, e)
		return nil
	case c.line != "":
		return m.planLine(c.line)
	case c.set != nil:
		return m.perform(*c.set)
	case c.ctx != "":
		m.say(theme.Info, "opening the context "+c.ctx+" …")
		return m.feed.open(c.ctx)
	case c.demo != nil:
		m.say(theme.Info, c.demo.Label+" …")
		return m.feed.act(*c.demo)
	case c.do.Action == "":
		m.say(theme.Info, "contexts: "+noContexts)
		return nil
	}
	return m.act(c.do, e)
}

// noMatch says why there is nothing to choose.
func (m *Model) noMatch(p *palette) string {
	if p.acts != nil {
		if _, err := action.Parse(p.input.Value(), m.inv, m.now); err != nil && !errors.Is(err, action.ErrNoAction) {
			return errorText(err)
		}
	}
	typed := p.input.Value()
	first, rest, _ := strings.Cut(p.want(), " ")
	var names []string
	for _, c := range p.all {
		if word, _, _ := strings.Cut(c.name, " "); c.open.Open == nil || c.only != "" {
			names = append(names, word)
		}
	}
	if near := text.Nearest(first, names); near != "" {
		return fmt.Sprintf("no match: %s · did you mean %s?", typed, strings.TrimSpace(near+" "+rest))
	}
	return "no match: " + typed
}

// planLine opens the plan of an action.
func (m *Model) planLine(line string) tea.Cmd {
	if m.run != nil {
		m.say(theme.Warn, m.run.running)
		return nil
	}
	r, err := action.Parse(line, m.inv, m.now)
	if err != nil {
		m.say(theme.Warn, errorText(err))
		return nil
	}
	return m.planAction(r)
}

// planAction opens the plan of an action above the pages that are open, with the
// board of its cluster below it.
func (m *Model) planAction(r action.Request) tea.Cmd {
	m.note()
	if len(m.stack) == 1 {
		m.push(m.board(r.Cluster))
	}
	return m.show(actions.NewPlan(r))
}

// list draws the choices over the foot of the page.
func (p *palette) list(w, h int) []widget.Line {
	n := min(len(p.found), max(leastFound, h/2), max(h-1, 0))
	var out []widget.Line
	if n == 0 && p.want() != "" && h > 1 {
		return append(out, widget.T(theme.Dim, "   no match"))
	}
	rest := 0
	if n < p.hits && n > 1 { // a line for how many there are
		n--
		rest = p.hits - n
	}
	top := widget.Window(0, p.cursor, len(p.found), n)
	for i := top; i < top+n; i++ {
		c := p.found[i]
		l := widget.P("   ").AddRaw(theme.Strong, c.name)
		if i == p.cursor {
			l = widget.P(" ▸ ").AddRaw(theme.Strong, c.name)
		}
		l = l.Pad(min(30, max(w/2, 12))).Add(theme.Head, widget.Words(" "+c.kind)).Pad(min(40, max(w*2/3, 12))).Add(theme.Dim, " "+c.help)
		if i == p.cursor {
			l = l.Pad(w).Under()
		}
		out = append(out, l.Trunc(w))
	}
	if rest > 0 {
		out = append(out, widget.T(theme.Dim, widget.F("   … %d more: type to narrow", rest)).Trunc(w))
	}
	return out
}

// line is the palette's own line.
func (p *palette) line(w int) widget.Line {
	l := widget.Join(widget.T(theme.Key, " :"), widget.InputLine(p.input, theme.Plain, max(w-2, 1)))
	if len(p.found) > 0 && p.asksWhich() {
		return l.Add(theme.Dim, "  ↑ ↓ or a name chooses the context, esc cancels")
	}
	return l.Add(theme.Dim, "  tab completes, enter opens, esc cancels")
}
