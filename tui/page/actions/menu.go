package actions

import (
	"cmp"
	"slices"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan/action"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Menu is what can be done with what was under the cursor.
type Menu struct {
	at     page.Place
	cursor int
	top    int
}

// Title of the page.
func (p *Menu) Title() widget.Line { return widget.P("actions") }

// MenuScreen is the page in the registry.
func MenuScreen() page.Screen {
	return page.Screen{Name: "actions", Letter: "x", As: keys.Act, Help: "switchover, drain, restart: the actions for the selected row", Needs: true, Board: true,
		Open: func(at page.Place, _ page.Env) page.Page { return &Menu{at: at} },
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "plan it", Help: "plan the action under the cursor; nothing is sent yet", When: canAct},
			{Keys: "e", Action: keys.Edit, Label: "with options", Help: "write the command out, to add --until, --why, --service and others", When: canAct},
			{Keys: "C", Action: keys.Candidates, Label: "candidates", Help: "who can take over, and why", Opens: "candidates"},
		}, keys.Moves()...)}
}

// Scope of the page's keys.
func (p *Menu) Scope() string { return "actions" }

// Place is what the actions are on.
func (p *Menu) Place(page.Env) page.Place { return p.at }

// Holds reports whether actions are offered.
func (p *Menu) Holds(_ keys.When, e page.Env) bool { return e.Acts }

// List is the actions.
func (p *Menu) List(e page.Env) (n, at int) {
	n = len(offers(p.at, e.Board(p.at.Cluster)))
	if !e.Acts {
		n = 0
	}
	return n, max(min(p.cursor, n-1), 0)
}

// Choose puts the cursor on an action.
func (p *Menu) Choose(i int, e page.Env) page.Page {
	n, _ := p.List(e)
	return page.With(p, func(q *Menu) { q.cursor, q.top = i, widget.Window(p.top, i, n, p.room(e)) })
}

// room is how many actions there is room for.
func (p *Menu) room(e page.Env) int {
	room := e.H - 3 - helpLines(e)
	if n, _ := p.List(e); n > room {
		room-- // for how many are below
	}
	return max(room, 1)
}

// helpLines is how many lines the help of the action under the cursor may take.
func helpLines(e page.Env) int {
	if e.W < page.Narrow {
		return 2
	}
	return 1
}

// helpOf is what an action does.
func helpOf(o *offer) widget.Words { return widget.Words(cmp.Or(o.help, action.HelpOf(o.line))) }

// Do carries out one action.
func (p *Menu) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	all := offers(p.at, e.Board(p.at.Cluster))
	_, at := p.List(e)
	if !e.Acts {
		return p, nil
	}
	o := all[at]
	switch {
	case a == keys.Open && o.screen != "":
		return p, page.Open{Screen: o.screen, At: page.Place{Cluster: p.at.Cluster}}
	case a == keys.Open && o.open || a == keys.Edit:
		return p, page.Type{Text: o.line + " "}
	case a == keys.Open:
		r, err := action.Parse(o.line, e.Inv, e.Now)
		if err != nil {
			return p, page.Say{Text: err.Error()}
		}
		return p, page.Goto{Page: NewPlan(r)}
	}
	return page.Move(p, a, p.room(e), e), nil
}

// View draws the actions that fit.
func (p *Menu) View(e page.Env) []widget.Line {
	b := e.Board(p.at.Cluster)
	title := widget.P(" ").Add(theme.Head, "ACTIONS").Add(theme.Dim, " on ").AddRaw(theme.Strong, string(p.at.Cluster))
	for _, s := range []string{string(p.at.Service), string(p.at.Instance), string(p.at.Host)} {
		if s != "" {
			title = title.Add(theme.Dim, " › ").AddRaw(theme.Strong, s)
		}
	}
	if !e.Acts {
		return []widget.Line{title, nil, widget.T(theme.Warn, " "+noActions)}
	}
	all := offers(p.at, b)
	_, cur := p.List(e)
	h := min(p.room(e), len(all))
	top := widget.Window(p.top, cur, len(all), h)
	t := widget.Table{Cols: []widget.Column{{Title: "ACTION", Min: 12, Max: 48}, {Title: "WHAT IT DOES", Min: 10, Max: 100, Flex: true, Drop: 1}}}
	for i := range all {
		name := all[i].line
		if all[i].open || all[i].screen != "" {
			name += " …"
		}
		t.Rows = append(t.Rows, []widget.Line{widget.Raw(theme.Strong, name), widget.T(theme.Plain, helpOf(&all[i]))})
	}
	lay := t.Layout(e.W - 2)
	out := append([]widget.Line{title}, page.ListLines(lay, t.Rows[top:top+h], top, cur, len(all), h, e)...)
	return append(append(out, nil), page.Wrapped(theme.Plain, helpOf(&all[cur]), " ", e.W, helpLines(e))...)
}

// offer is one action: the line that is typed for it, and what it does.
type offer struct {
	line   string
	help   string // "" where it is the command's own
	open   bool   // the line lacks a word
	screen string // that opens in place of a plan
}

// offers are the actions that make sense for what is at a place: those of the
// instance, those of the cluster, those of the node.
func offers(at page.Place, b *board.Board) []offer {
	if b == nil {
		return nil
	}
	var out []offer
	if r := b.Route(at.Service); r != nil && slices.ContainsFunc(r.Views, func(v board.View) bool { return v.ClosedWord() != "" }) {
		out = append(out, offer{line: "enable " + string(b.Cluster.Name) + " --service " + string(at.Service)})
	}
	if in := b.Cluster.Instance(at.Instance); in != nil {
		out = append(out, onInstance(at, b)...)
	}
	cluster := onCluster(b)
	if host := hostOf(at, b); host != "" {
		node := []offer{
			{line: "maintenance " + string(host)},
			{line: "maintenance " + string(host) + " --end", help: "bring it back: streaming, checked, undrained"},
		}
		return slices.Concat(out, node, cluster)
	}
	return append(out, cluster...)
}

// hostOf is the node at a place that runs an instance of the cluster, "" where none
// is selected.
func hostOf(at page.Place, b *board.Board) model.Host {
	for i := range b.Cluster.Instances {
		if in := &b.Cluster.Instances[i]; in.Name == at.Instance || at.Instance == "" && in.Host == at.Host {
			return in.Host
		}
	}
	return ""
}

func onInstance(at page.Place, b *board.Board) []offer {
	name := string(at.Instance)
	var out []offer
	leads := at.Instance == b.Leader
	if !leads && b.Leader != "" {
		out = append(out, offer{line: "switchover " + name, help: "it leads, with the leader's help"})
	}
	if !leads {
		out = append(out, offer{line: "failover " + name, help: "it leads, without the old leader"})
	}
	if at.Service != "" {
		out = append(out, offer{line: "drain " + name + " --service " + string(at.Service), help: "no new sessions through " + string(at.Service)})
	}
	out = append(out,
		offer{line: "drain " + name},
		offer{line: "undrain " + name},
		offer{line: "maint " + name},
		offer{line: "ready " + name},
		offer{line: "weight " + name, open: true},
		offer{line: "restart " + name},
	)
	if !leads {
		out = append(out, offer{line: "reinit " + name})
	}
	return out
}

func onCluster(b *board.Board) []offer {
	name := string(b.Cluster.Name)
	paused := offer{line: "pause " + name}
	if b.Paused {
		paused = offer{line: "resume " + name}
	}
	moves := offer{line: "switchover " + name, help: "choose who leads, with every gate", screen: "candidates"}
	if b.Leader == "" {
		moves.line = "failover " + name
	}
	return []offer{
		moves, paused,
		{line: "restart " + name, help: "restart every PostgreSQL, the leader last"},
		{line: "restart " + name + " --pending", help: "only those that need it"},
		{line: "patroni reload " + name},
	}
}
