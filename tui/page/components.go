package page

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Components is what Pigsty runs on a cluster's nodes, and whether it is well:
// node by node, those with trouble first.
type Components struct {
	answer[[]model.ComponentRow]
	cluster model.ClusterName
	list    listing
}

// NewComponents is what runs on the nodes of a cluster.
func NewComponents(name model.ClusterName) *Components { return &Components{cluster: name} }

// Title of the page.
func (p *Components) Title() string { return "components" }

// Start asks when the page opens.
func (p *Components) Start() (Page, Intent) {
	q := *p
	var ask Intent
	q.answer, ask = p.ask(Inquiry{Topic: TopicComponents, Cluster: p.cluster})
	return &q, ask
}

// Keys of the page.
func (p *Components) Keys(Env) []keys.Binding {
	var out []keys.Binding
	if p.got != nil {
		out = append(out, keys.New(keys.Open, "instance", "enter", "the instance or the HAProxy that the component under the cursor is of", "enter"))
	}
	out = append(out, keys.New(keys.Again, "ask again", "R", "ask every component again", "R"))
	return append(out, keys.Moves()...)
}

// Do carries out one action.
func (p *Components) Do(a keys.Action, e Env) (Page, Intent) {
	if a == keys.Again {
		return p.Start()
	}
	head, lines, at, of := p.lines(e)
	if a == keys.Open {
		if len(of) == 0 {
			return p, nil
		}
		r := of[min(p.list.cursor, len(of)-1)]
		b := e.Board(p.cluster)
		switch {
		case b != nil && r.Name == "haproxy" && b.Cluster.LoadBalancer(r.Host) != nil:
			return p, Goto{NewNode(p.cluster, r.Host)}
		case b != nil && b.Cluster.Instance(r.Instance) != nil:
			return p, Goto{NewInstance(p.cluster, r.Instance)}
		}
		return p, Say{"there is no page of " + r.Name + "; what it says is below the list"}
	}
	q := *p
	q.list = p.list.move(a, at, len(lines), p.room(head, e))
	return &q, nil
}

// Update takes the answer in.
func (p *Components) Update(msg tea.Msg, _ Env) (Page, Intent) {
	got, ok := p.take(msg)
	if !ok {
		return p, nil
	}
	q := *p
	q.answer = got
	if p.got == nil || got.got == nil {
		return &q, nil
	}
	// The order may have changed: the cursor stays on its component.
	if was := inOrder(*p.got); len(was) > 0 {
		here := was[min(p.list.cursor, len(was)-1)].Key()
		q.list.cursor = max(slices.IndexFunc(inOrder(*got.got), func(r *model.ComponentRow) bool { return r.Key() == here }), 0)
	}
	return &q, nil
}

// inOrder are the components as they are listed.
func inOrder(rows []model.ComponentRow) []*model.ComponentRow {
	var out []*model.ComponentRow
	for _, g := range byNode(rows) {
		out = append(out, g.rows...)
	}
	return out
}

// foot is how many lines the component under the cursor has below the list.
func (p *Components) foot(e Env) int {
	if e.H < 14 || p.got == nil {
		return 0
	}
	return 3
}

// room is what the list has of the page.
func (p *Components) room(head []widget.Line, e Env) int { return max(e.H-len(head)-p.foot(e), 1) }

// View draws the part of the page that fits.
func (p *Components) View(e Env) []widget.Line {
	head, lines, at, of := p.lines(e)
	if p.got == nil {
		return head
	}
	list := e
	list.H = p.room(head, e)
	out := append(head, widget.Fit(p.list.page(lines, at, list), list.H)...)
	if p.foot(e) == 0 || len(of) == 0 {
		return out
	}
	r := of[max(min(p.list.cursor, len(of)-1), 0)]
	m := componentMark(r.State.Value.Health)
	l := widget.P(" ").Add(theme.Strong, r.Name+" on "+string(r.Host)+"  ").Add(m.tone, m.shape+" "+m.word).Add(theme.Plain, "  ")
	return append(append(out, nil), flow(l, p.sentence(r), e.W)...)
}

// sentence is all that is known of a component.
func (p *Components) sentence(r *model.ComponentRow) string {
	st := r.State.Value
	text := st.Why
	if text == "" {
		text = "it answers as it should"
		if r.State.Took > 0 && r.Ask != model.AskUnit {
			text += ", in " + millis(r.State.Took) + " ms"
		}
	}
	if r.State.Err != nil && st.Why == "" {
		text = r.State.Err.Error()
	}
	if st.Unit != "" {
		text += "; systemd says " + r.Unit + " is " + st.Unit
	}
	return text + "; asked " + askedHow(&r.Component)
}

// askedHow says how a component is asked.
func askedHow(c *model.Component) string {
	switch c.Ask {
	case model.AskHTTP:
		return "by GET " + c.Path
	case model.AskPostgres:
		return "in PostgreSQL's protocol"
	case model.AskSSH:
		return "for its SSH banner"
	case model.AskDNS:
		return "by a DNS query"
	case model.AskNTP:
		return "by an NTP packet"
	case model.AskTCP:
		return "by connecting"
	}
	return "of systemd only"
}

// lines are what stays on top, the list, the lines of it that can be chosen,
// and what they are.
func (p *Components) lines(e Env) (head, lines []widget.Line, at []int, of []*model.ComponentRow) {
	head = p.trouble("asking everything that Pigsty runs on the nodes of "+string(p.cluster)+", and systemd over SSH", "the components are not known", e)
	if p.got == nil {
		return head, nil, nil, nil
	}
	rows := *p.got
	health, summary := model.ComponentsHealth(rows)
	m := healthMark(health, false)
	groups := byNode(rows)
	title := widget.P(" ").Add(m.tone, m.shape+" "+m.word).Add(theme.Dim, fmt.Sprintf("  %s on %s", plural(len(rows), "component"), plural(len(groups), "node")))
	head = append(head, p.answered(title, e)...)
	if e.H > 8 {
		head = append(head, wrapped(theme.Plain, summary, " ", e.W, 2)...)
	}
	t := widget.Table{Cols: []widget.Column{
		{Title: "COMPONENT", Min: 9, Max: 24},
		{Title: "MODULE", Drop: 3},
		{Title: "PORT", Min: 4, Right: true, Drop: 1},
		{Title: "HEALTH", Min: 9},
		{Title: "VERSION", Min: 5, Max: 24, Drop: 2},
		{Title: "MS", Min: 3, Right: true, Drop: 4},
		{Title: "WHY", Min: 12, Max: 160, Flex: true, Drop: 5},
	}}
	for _, g := range groups {
		for _, r := range g.rows {
			t.Rows = append(t.Rows, componentRow(r))
		}
	}
	lay := t.Layout(e.W - 3)
	head = append(head, widget.Join(widget.P("  "), lay.Head()))
	i := 0
	for _, g := range groups {
		lines = append(lines, g.line(e))
		for _, r := range g.rows {
			at, of = append(at, len(lines)), append(of, r)
			lines = append(lines, widget.Join(widget.P(" "), widget.P(" "), lay.Row(t.Rows[i])))
			i++
		}
	}
	return head, lines, at, of
}

// componentRow is one component as a row of the table.
func componentRow(r *model.ComponentRow) []widget.Line {
	st := r.State.Value
	port, ms := "–", "–"
	if r.Port > 0 && r.Ask != model.AskUnit {
		port = fmt.Sprint(r.Port)
	}
	if st.Reachable && r.Ask != model.AskUnit {
		ms = millis(r.State.Took)
	}
	name := widget.P(r.Name)
	if r.Carries() {
		name[0].Tone = theme.Strong
	}
	return []widget.Line{name, widget.T(theme.Dim, r.Module), widget.P(port), componentMark(st.Health).line(),
		widget.P(orDash(st.Version)), widget.T(theme.Dim, ms), widget.T(theme.Dim, st.Why)}
}

// componentMark draws the state of a component.
func componentMark(h model.ComponentHealth) mark {
	switch h {
	case model.ComponentUp:
		return mark{"●", "up", theme.Good}
	case model.ComponentSick:
		return mark{"!", "sick", theme.Warn}
	case model.ComponentDown:
		return mark{"✕", "down", theme.Bad}
	case model.ComponentSilent:
		return mark{"✕", "silent", theme.Bad}
	default:
		return mark{"?", "unknown", theme.Doubt}
	}
}

// nodeParts are the components of one node.
type nodeParts struct {
	host         model.Host
	rows         []*model.ComponentRow
	bad, unknown int
	carries      bool // something that is not well carries traffic
}

// byNode are the rows node by node, the nodes with the worst trouble first.
func byNode(rows []model.ComponentRow) []nodeParts {
	var out []nodeParts
	for i := range rows {
		r := &rows[i]
		k := slices.IndexFunc(out, func(g nodeParts) bool { return g.host == r.Host })
		if k < 0 {
			k, out = len(out), append(out, nodeParts{host: r.Host})
		}
		g := &out[k]
		g.rows = append(g.rows, r)
		switch r.State.Value.Health {
		case model.ComponentUp:
		case model.ComponentUnknown:
			g.unknown++
		default:
			g.bad++
			g.carries = g.carries || r.Carries()
		}
	}
	rank := func(g nodeParts) int {
		switch {
		case g.carries:
			return 0
		case g.bad > 0:
			return 1
		case g.unknown > 0:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(out, func(a, b nodeParts) int { return rank(a) - rank(b) })
	return out
}

// line heads the components of a node.
func (g *nodeParts) line(e Env) widget.Line {
	l := widget.P(" ").Add(theme.Strong, string(g.host))
	if e.Inv != nil {
		if n := e.Inv.Node(g.host); n != nil && n.Name != "" {
			l = l.Add(theme.Dim, "  "+n.Name)
		}
	}
	switch {
	case g.bad > 0:
		l = l.Add(theme.Bad, fmt.Sprintf("  %d of %d not well", g.bad, len(g.rows)))
	case g.unknown == len(g.rows):
		l = l.Add(theme.Doubt, "  nothing is known")
	case g.unknown > 0:
		l = l.Add(theme.Good, fmt.Sprintf("  %d well", len(g.rows)-g.unknown))
	default:
		l = l.Add(theme.Good, "  all well")
	}
	if g.unknown > 0 && g.unknown < len(g.rows) {
		l = l.Add(theme.Doubt, fmt.Sprintf(", %d unknown", g.unknown))
	}
	return l
}
