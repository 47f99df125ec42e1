package ways

import (
	"cmp"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Components is what Pigsty runs on a cluster's nodes, and its health:
// node by node, those with trouble first.
type Components struct {
	page.Answer[[]model.ComponentRow]
	cluster model.ClusterName
	list    page.Listing
}

// Title of the page.
func (p *Components) Title() widget.Line { return widget.P("components") }

// Start probes when the page opens.
func (p *Components) Start() (page.Page, page.Intent) {
	q := *p
	return &q, q.Request(page.Inquiry{Topic: page.TopicComponents, Cluster: p.cluster})
}

// ComponentsScreen is the page in the registry.
func ComponentsScreen() page.Screen {
	return page.Screen{Name: "components", Letter: "c", As: keys.Parts, Help: "what Pigsty runs on the cluster's nodes, trouble first", Needs: true, Topic: page.TopicComponents,
		Open: func(at page.Place, _ page.Env) page.Page { return &Components{cluster: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "instance", Help: "the instance or the HAProxy of the component under the cursor", When: page.Answered},
			{Keys: "R", Action: keys.Again, Label: "recheck", Help: "check every component again"},
		}, keys.Moves()...)}
}

// Scope of the page's keys.
func (p *Components) Scope() string { return "components" }

// here is the component under the cursor, or nil.
func (p *Components) here() *model.ComponentRow {
	if p.Got == nil || len(*p.Got) == 0 {
		return nil
	}
	rows := inOrder(*p.Got)
	return rows[max(min(p.list.Cursor, len(rows)-1), 0)]
}

// Place of the component under the cursor.
func (p *Components) Place(page.Env) page.Place {
	if r := p.here(); r != nil {
		return page.Place{Cluster: p.cluster, Host: r.Host, Instance: r.Instance}
	}
	return page.Place{Cluster: p.cluster}
}

// Command prints the components.
func (p *Components) Command(page.Env) (string, string) {
	return "pgtui components " + string(p.cluster), ""
}

// List is the components.
func (p *Components) List(page.Env) (n, at int) {
	if p.Got == nil {
		return 0, 0
	}
	return len(*p.Got), p.list.Cursor
}

// Choose puts the cursor on a component.
func (p *Components) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Components) { q.list.Cursor = i })
}

// Do carries out one action.
func (p *Components) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	switch r := p.here(); {
	case a == keys.Again:
		return p.Start()
	case a == keys.Open && r != nil:
		return p, p.open(r, e)
	}
	head, lines, at := p.lines(e)
	q := *p
	q.list = p.list.Move(a, at, len(lines), p.room(head, e))
	return &q, nil
}

// open is the page of what a component is of.
func (p *Components) open(r *model.ComponentRow, e page.Env) page.Intent {
	b, at := e.Board(p.cluster), page.Place{Cluster: p.cluster, Host: r.Host, Instance: r.Instance}
	switch {
	case b != nil && r.Name == "haproxy" && b.Cluster.LoadBalancer(r.Host) != nil:
		return page.Open{Screen: "haproxy", At: at}
	case b != nil && b.Cluster.Instance(r.Instance) != nil:
		return page.Open{Screen: "instance", At: at}
	}
	return page.Say{Text: r.Name + " has no page: all that is known of it is below the list"}
}

// Update takes the answer in. The order may have changed: the cursor stays on
// its component.
func (p *Components) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	q, was := *p, p.here()
	if q.Take(msg) && was != nil && q.Got != nil {
		q.list.Cursor = max(slices.IndexFunc(inOrder(*q.Got), func(r *model.ComponentRow) bool { return r.Key() == was.Key() }), 0)
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
func (p *Components) foot(e page.Env) int {
	if e.H < 14 || p.Got == nil {
		return 0
	}
	return 3
}

// room is what the list has of the page.
func (p *Components) room(head []widget.Line, e page.Env) int { return max(e.H-len(head)-p.foot(e), 1) }

// View draws the part of the page that fits.
func (p *Components) View(e page.Env) []widget.Line {
	head, lines, at := p.lines(e)
	if p.Got == nil {
		return head
	}
	list := e
	list.H = p.room(head, e)
	out := append(head, widget.Fit(p.list.Page(lines, at, list), list.H)...)
	r := p.here()
	if p.foot(e) == 0 || r == nil {
		return out
	}
	m := componentMark(r.State.Value.Health)
	l := widget.P(" ").Add(theme.Strong, widget.F("%s on %s  ", widget.Data(r.Name), widget.Data(r.Host))).Add(m.Tone, widget.Words(m.Shape+" "+m.Word)).Add(theme.Plain, "  ")
	return append(append(out, nil), page.Flow(l, widget.Words(p.sentence(r)), e.W)...)
}

// sentence is all that is known of a component.
func (p *Components) sentence(r *model.ComponentRow) string {
	st := r.State.Value
	text := st.Why
	if text == "" {
		text = "it is healthy"
		if r.State.Took > 0 && r.Ask != model.AskUnit {
			text += ", in " + millis(r.State.Took) + " ms"
		}
	}
	if r.State.Err != nil && st.Why == "" {
		text = r.State.Err.Error()
	}
	if st.Unit != "" {
		text += "; systemd reports " + r.Unit + " as " + st.Unit
	}
	return text + "; checked " + checkedHow(&r.Component)
}

// checkedHow is how a component is checked.
func checkedHow(c *model.Component) string {
	how := map[model.Ask]string{
		model.AskHTTP:     "by GET " + c.Path,
		model.AskPostgres: "with the PostgreSQL protocol",
		model.AskSSH:      "by its SSH banner",
		model.AskDNS:      "by a DNS query",
		model.AskNTP:      "by an NTP packet",
		model.AskTCP:      "by connecting",
	}
	return cmp.Or(how[c.Ask], "with systemd only")
}

// lines are what stays on top, the list, and the lines of it that can be chosen.
func (p *Components) lines(e page.Env) (head, lines []widget.Line, at []int) {
	head = p.Trouble("checking every component on the nodes of "+string(p.cluster)+", and systemd over SSH", "the components could not be checked", e)
	if p.Got == nil {
		return head, nil, nil
	}
	rows := *p.Got
	health, summary := model.ComponentsHealth(rows)
	m := page.PartMark(health)
	groups := byNode(rows)
	title := widget.P(" ").Add(m.Tone, widget.Words(m.Shape+" "+m.Word)).Add(theme.Dim, widget.F("  %s on %s", text.Plural(len(rows), "component"), text.Plural(len(groups), "node")))
	head = append(head, p.Answered(title, e)...)
	if e.H > 8 {
		head = append(head, page.Wrapped(theme.Plain, widget.Words(summary), " ", e.W, 2)...)
	}
	t := widget.Table{Cols: []widget.Column{
		{Title: "COMPONENT", Min: 9, Max: 24},
		{Title: "MODULE", Drop: 3},
		{Title: "PORT", Min: 4, Right: true, Drop: 1},
		{Title: "HEALTH", Min: 9},
		{Title: "VERSION", Min: 5, Max: 24, Drop: 2},
		{Title: "MS", Min: 3, Right: true, Drop: 4},
		{Title: "WHY", Min: 12, Max: 160, Flex: true, Sparse: true, Drop: 5},
	}}
	for _, g := range groups {
		for _, r := range g.rows {
			t.Rows = append(t.Rows, componentRow(r))
		}
	}
	lay := t.Layout(e.W - 3)
	head = append(head, widget.Join(widget.P("  "), lay.Head()))
	parts := page.RowLines(lay, t.Rows, e.H-len(head)-len(groups)-4)
	for _, g := range groups {
		lines = append(lines, g.line(e))
		for range g.rows {
			at = append(at, len(lines))
			for _, l := range parts[len(at)-1] {
				lines = append(lines, widget.Join(widget.P(" "), widget.P(" "), l))
			}
		}
	}
	return head, lines, at
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
	name := widget.Raw(theme.Plain, r.Name)
	if r.Carries() {
		name[0].Tone = theme.Strong
	}
	return []widget.Line{name, widget.Raw(theme.Dim, r.Module), widget.Raw(theme.Plain, port), componentMark(st.Health).Line(),
		widget.Raw(theme.Plain, cmp.Or(st.Version, "–")), widget.Raw(theme.Dim, ms), widget.T(theme.Dim, widget.Words(st.Why))}
}

// componentMark draws the state of a component.
func componentMark(h model.ComponentHealth) page.Mark {
	return page.MarkOf(h, map[model.ComponentHealth]page.Mark{
		model.ComponentUp:     {Shape: "●", Word: "up", Tone: theme.Good},
		model.ComponentSick:   {Shape: "!", Word: model.ComponentSick.Word(), Tone: theme.Warn},
		model.ComponentDown:   {Shape: "✕", Word: "down", Tone: theme.Bad},
		model.ComponentSilent: {Shape: "✕", Word: model.ComponentSilent.Word(), Tone: theme.Bad},
	}, page.Unknown())
}

// nodeParts are the components of one node.
type nodeParts struct {
	host         model.Host
	rows         []*model.ComponentRow
	bad, unknown int
	carries      bool // something unhealthy carries traffic
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
func (g *nodeParts) line(e page.Env) widget.Line {
	l := widget.P(" ").AddRaw(theme.Strong, string(g.host))
	if e.Inv != nil {
		if n := e.Inv.Node(g.host); n != nil && n.Name != "" {
			l = l.AddRaw(theme.Dim, "  "+n.Name)
		}
	}
	switch {
	case g.bad > 0:
		l = l.Add(theme.Bad, widget.F("  %d of %d unhealthy", g.bad, len(g.rows)))
	case g.unknown == len(g.rows):
		l = l.Add(theme.Doubt, "  all unknown")
	case g.unknown > 0:
		l = l.Add(theme.Good, widget.F("  %d healthy", len(g.rows)-g.unknown))
	default:
		l = l.Add(theme.Good, "  all healthy")
	}
	if g.unknown > 0 && g.unknown < len(g.rows) {
		l = l.Add(theme.Doubt, widget.F(", %d unknown", g.unknown))
	}
	return l
}
