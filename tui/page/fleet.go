package page

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Fleet is every cluster of the inventory, a row each, trouble first.
type Fleet struct {
	cursor model.ClusterName
	top    int
	filter string
	faults bool // only clusters that are not ok
	sort   int  // the column that the rows are sorted by; 0 is trouble first
	desc   bool // the other way round
}

// NewFleet is the fleet with the cursor on its first row.
func NewFleet() *Fleet { return &Fleet{} }

// Title is empty: the fleet is the root of every path.
func (p *Fleet) Title() string { return "fleet" }

// Filter is the text the list is narrowed to.
func (p *Fleet) Filter() string { return p.filter }

// SetFilter narrows the list.
func (p *Fleet) SetFilter(text string) Page {
	q := *p
	q.filter = text
	return &q
}

// Keys of the fleet.
func (p *Fleet) Keys(e Env) []keys.Binding {
	faults := "hide the clusters that are ok"
	if p.faults {
		faults = "show every cluster"
	}
	out := []keys.Binding{
		keys.New(keys.Open, "open", "enter", "the cluster's board", "enter", "l", "right"),
		keys.New(keys.Findings, "findings", "f", "everything that is wrong, in all clusters", "f"),
		keys.New(keys.Events, "events", "e", "what has changed since the console was opened, in all clusters", "e"),
		keys.New(keys.Diff, "diff", "d", "what a reload of the cluster would change", "d"),
		keys.New(keys.Reload, "reload", "r", "reload the cluster's HAProxies: plan, diff, then a question", "r"),
		keys.New(keys.Filter, "filter", "/", "narrow the list as you type", "/"),
		keys.New(keys.Faults, "faults", "z", faults, "z"),
		keys.New(keys.Sort, "sort", "s", "sort by the next column; past the last: trouble first", "s"),
		keys.New(keys.Reverse, "", "S", "sort the other way round", "S"),
	}
	if e.Offers(TopicOrigins) {
		out = append(out, keys.New(keys.Values, "", "v", "where each value of the inventory comes from, in all clusters", "v"))
	}
	return append(out, keys.Moves()...)
}

// rows are the boards that are shown, trouble first, and how many are hidden.
func (p *Fleet) rows(e Env) (rows []*board.Board, hidden int) {
	all := e.digest().order
	if p.filter == "" && !p.faults && p.sort == 0 && !p.desc {
		return all, 0
	}
	meets := newFilter(p.filter)
	for _, b := range all {
		if (p.filter == "" || meets(names(b)...)) && (!p.faults || b.Health != model.HealthOK) {
			rows = append(rows, b)
		}
	}
	if !e.Asking() {
		p.sorted(rows)
	}
	return rows, len(all) - len(rows)
}

// names are what a cluster is found by: its own name and state, and what an
// alert names of it.
func names(b *board.Board) []string {
	c := b.Cluster
	out := append(make([]string, 0, 3+2*len(c.Instances)), string(c.Name), b.Health.String(), c.VIP)
	for i := range c.Instances {
		out = append(out, string(c.Instances[i].Name), string(c.Instances[i].Host))
	}
	return out
}

// at is the row of the cursor; the first when its cluster is not shown.
func (p *Fleet) at(rows []*board.Board) int {
	for i, b := range rows {
		if b.Cluster.Name == p.cursor {
			return i
		}
	}
	return 0
}

// Do carries out one action.
func (p *Fleet) Do(a keys.Action, e Env) (Page, Intent) {
	rows, _ := p.rows(e)
	q := *p
	if a == keys.Faults {
		q.faults = !q.faults
		return &q, nil
	}
	if a == keys.Sort {
		q.sort, q.desc, q.top = (p.sort+1)%len(fleetColumns(0, 0)), false, 0
		return &q, nil
	}
	if a == keys.Reverse {
		q.desc, q.top = !p.desc, 0
		return &q, nil
	}
	if a == keys.Findings {
		return p, Goto{NewFindings("")}
	}
	if a == keys.Events {
		return p, Goto{NewEvents("")}
	}
	if a == keys.Values {
		return p, Goto{NewInventory("")}
	}
	if len(rows) == 0 {
		return p, nil
	}
	cur := p.at(rows)
	q.cursor = rows[cur].Cluster.Name
	switch a {
	case keys.Open:
		return &q, Goto{NewCluster(q.cursor)}
	case keys.Diff:
		return &q, Goto{NewDiff(q.cursor, false)}
	case keys.Reload:
		return &q, Goto{NewDiff(q.cursor, true)}
	}
	if i, ok := keys.Move(a, cur, len(rows), p.space(e)); ok {
		q.cursor = rows[i].Cluster.Name
		q.top = widget.Window(p.top, i, len(rows), p.space(e))
	}
	return &q, nil
}

// Update changes nothing: the boards come with the Env.
func (p *Fleet) Update(tea.Msg, Env) (Page, Intent) { return p, nil }

// space is how many rows there is room for.
func (p *Fleet) space(e Env) int {
	if e.H < 14 {
		return max(e.H-3, 1)
	}
	return max(e.H-4-detailLines, 1)
}

// View draws the fleet.
func (p *Fleet) View(e Env) []widget.Line {
	if e.Inv == nil {
		return []widget.Line{nil, widget.T(theme.Info, " reading the inventory …")}
	}
	e.Digest = e.digest()
	rows, hidden := p.rows(e)
	out := []widget.Line{p.summary(e, hidden)}
	if len(rows) == 0 {
		return append(out, nil, widget.T(theme.Warn, p.nothing(e)))
	}
	// Only the rows that are seen are made; columns whose width must not change
	// while scrolling know the widest cell of all rows.
	cur, h := p.at(rows), p.space(e)
	top := widget.Window(p.top, cur, len(rows), h)
	seen := rows[top:min(top+h, len(rows))]
	t := widget.Table{Cols: fleetColumns(e.digest().cluster, e.digest().leader)}
	sorted := t.Cols[p.column()].Title
	for _, b := range seen {
		t.Rows = append(t.Rows, fleetRow(b, e))
	}
	t = t.Pick(e.Columns["fleet"])
	if p.sort > 0 || p.desc {
		p.mark(t.Cols, sorted)
	}
	lay := t.Layout(e.W - 2)
	out = append(out, widget.Join(widget.P(" "), lay.Head()))
	for i, r := range t.Rows {
		out = append(out, cursorRow(lay.Row(r), top+i == cur, e.W))
	}
	if below := len(rows) - top - h; below > 0 {
		out = append(out, widget.T(theme.Dim, fmt.Sprintf("  %d more below", below)))
	}
	if detail := p.detail(rows[cur], e); e.H-len(out) > len(detail) {
		out = append(widget.Fit(out, e.H-len(detail)), detail...)
	}
	return out
}

// mark shows by which column the rows are sorted, when it is shown at all.
func (p *Fleet) mark(cols []widget.Column, title string) {
	for i := range cols {
		if cols[i].Title != title {
			continue
		}
		if cols[i].Title += "▾"; p.desc {
			cols[i].Title = title + "▴"
		}
		cols[i].Drop = 0 // what the rows are sorted by stays in sight
	}
}

// detail is the cluster under the cursor in a few lines at the foot of the
// page: what had no room in its row.
func (p *Fleet) detail(b *board.Board, e Env) []widget.Line {
	if e.H < 14 {
		return nil
	}
	m := e.health(b)
	head := widget.P(" ").Add(theme.Strong, string(b.Cluster.Name)+"  ").Add(m.tone, m.shape+" "+m.word+"  ")
	if e.Asking() {
		return widget.Fit([]widget.Line{head.Add(theme.Info, "no node has answered yet")}, detailLines)
	}
	facts := fmt.Sprintf(" %d of %s answer · worst lag %s", b.KnownMembers(), plural(len(b.Members), "Patroni"), lagText(b.WorstLag()))
	if b.Timeline > 0 {
		facts += fmt.Sprintf(" · timeline %d", b.Timeline)
	}
	if b.Cluster.VIP != "" {
		facts += " · VIP " + b.Cluster.VIP
	}
	out := flow(head, e.summary(b), e.W)
	out = append(out[:min(len(out), 2)], widget.T(theme.Dim, facts))
	for i, f := range b.Findings {
		if i == 1 && len(b.Findings) > 2 {
			out = append(out, widget.T(theme.Dim, fmt.Sprintf(" … %d more findings: f", len(b.Findings)-1)))
			break
		}
		out = append(out, findingLine(f, false))
	}
	return widget.Fit(out, detailLines)
}

// detailLines is how many lines the cluster under the cursor has at the foot.
const detailLines = 5

// cursorRow puts the mark of the cursor before a row.
func cursorRow(l widget.Line, here bool, w int) widget.Line {
	if !here {
		return widget.Join(widget.P(" "), l)
	}
	return widget.Join(widget.P("▸"), l).Pad(w).Under()
}

// nothing says why the list is empty.
func (p *Fleet) nothing(e Env) string {
	switch {
	case len(e.Boards) == 0:
		return " The inventory " + e.Inv.Source + " has no PostgreSQL cluster (a group with pg_cluster)."
	case p.filter != "":
		return fmt.Sprintf(" No cluster matches %q; %s hidden. Esc clears the filter.", p.filter, plural(len(e.Boards), "cluster"))
	default:
		return " No cluster is in trouble. z shows all."
	}
}

// summary counts the fleet in one line.
func (p *Fleet) summary(e Env, hidden int) widget.Line {
	count := e.digest().counts
	out := widget.T(theme.Plain, " "+plural(len(e.Boards), "cluster"))
	if e.Asking() {
		out = out.Add(theme.Info, " · asking every node …")
	} else {
		for _, m := range []mark{healthMark(model.HealthDown, false), healthMark(model.HealthUnknown, false),
			healthMark(model.HealthDegraded, false), asking(), healthMark(model.HealthOK, false)} {
			if n := count[m]; n > 0 {
				out = out.Add(theme.Dim, " · ").Add(m.tone, fmt.Sprintf("%s %d %s", m.shape, n, m.word))
			}
		}
	}
	if hidden > 0 {
		why := "by z"
		if p.filter != "" {
			why = "by the filter " + p.filter
		}
		out = out.Add(theme.Warn, fmt.Sprintf(" · %d hidden %s", hidden, why))
	}
	if n := len(e.Inv.Problems); n > 0 {
		out = out.Add(theme.Warn, fmt.Sprintf(" · %s in the inventory", plural(n, "problem")))
	}
	if e.Inv.Dialect != "" {
		out = out.Add(theme.Dim, " · rules of Pigsty "+string(e.Inv.Dialect))
	}
	return out
}

// wellKnown are the ports of Pigsty's four services, a column each.
func wellKnown() []string { return []string{"5433", "5434", "5436", "5438"} }

func fleetColumns(cluster, leader int) []widget.Column {
	cols := []widget.Column{
		{Title: "CLUSTER", Min: cluster, Max: 32},
		{Title: "STATE", Min: 10},
		{Title: "LEADER", Min: leader, Max: 32},
		{Title: "TL", Min: 2, Right: true, Drop: 8},
		{Title: "MEMBERS", Right: true, Drop: 7},
		{Title: "WORST LAG", Min: 7, Right: true, Drop: 9},
	}
	for i, port := range wellKnown() {
		cols = append(cols, widget.Column{Title: port, Min: 6, Max: 14, Drop: []int{1, 2, 5, 6}[i]})
	}
	return append(cols, widget.Column{Title: "FINDINGS", Min: 8, Max: 120, Flex: true, Drop: 4})
}

func fleetRow(b *board.Board, e Env) []widget.Line {
	m, pending := e.health(b), e.Pending(b)
	row := []widget.Line{widget.T(theme.Strong, string(b.Cluster.Name)), m.line()}
	row = append(row, leaderCell(b, e))
	row = append(row, widget.P(numText(b.Timeline)))
	members := widget.T(theme.Plain, fmt.Sprintf("%d/%d", b.KnownMembers(), len(b.Members)))
	if b.KnownMembers() < len(b.Members) {
		members[0].Tone = theme.Warn
		if pending {
			members[0].Tone = theme.Info
		}
	}
	row = append(row, members, widget.P(lagText(b.WorstLag())))
	for _, port := range wellKnown() {
		row = append(row, portCell(b, port, e))
	}
	return append(row, findingCell(b, e))
}

func leaderCell(b *board.Board, e Env) widget.Line {
	switch {
	case b.Leader == "" && e.Pending(b):
		return widget.T(theme.Info, "·")
	case b.Leader == "" && b.Health == model.HealthDown:
		return widget.T(theme.Bad, "none")
	case b.Leader == "":
		return widget.T(theme.Doubt, "?")
	case b.LeaderBy == "dcs":
		return widget.T(theme.Doubt, string(b.Leader)+" ?")
	}
	return widget.P(string(b.Leader))
}

// portCell is one service port of a cluster in a word, with the instances
// that serve it.
func portCell(b *board.Board, port string, e Env) widget.Line {
	for i := range b.Routes {
		r := &b.Routes[i]
		if r.Port != port {
			continue
		}
		if e.pendingRoute(r) {
			return widget.T(theme.Info, "·")
		}
		if names, _ := r.Shut(); len(names) > 0 {
			word := "✕ shut "
			if ports, _ := r.ShutPorts(); len(ports) == 0 {
				word = "✕ pool "
			}
			return widget.T(theme.Bad, word).Add(theme.Plain, seqs(b.Cluster, names))
		}
		if word := r.ClosedWord(); word != "" {
			return widget.T(theme.Bad, "✕ "+word)
		}
		if names, same, all := saidToServe(r); len(r.Silent) > 0 && same > 0 && r.Verdict != model.Mismatch {
			return widget.T(theme.Doubt, fmt.Sprintf("? %s %d/%d", seqs(b.Cluster, names), same, all))
		}
		switch r.Verdict {
		case model.Serving:
			return widget.T(theme.Dim, "ok ").Add(theme.Plain, seqs(b.Cluster, r.Serving))
		case model.BackupServing:
			tone := theme.Warn
			if b.ByDesign(r) {
				tone = theme.Dim
			}
			return widget.T(tone, "backup ").Add(theme.Plain, seqs(b.Cluster, r.Serving))
		case model.Empty:
			if b.ByDesign(r) {
				return widget.T(theme.Dim, "empty")
			}
			return widget.T(theme.Bad, "none")
		case model.Mismatch:
			return widget.T(theme.Bad, differs+" differs")
		case model.Settling:
			return widget.T(theme.Info, "~ settling")
		case model.Missing:
			return widget.T(theme.Bad, "missing")
		}
		return widget.T(theme.Doubt, "?")
	}
	return widget.T(theme.Dim, "–")
}

func findingCell(b *board.Board, e Env) widget.Line {
	switch n := len(b.Findings); {
	case n > 0:
		m := severityMark(b.Findings[0].Severity)
		l := widget.T(m.tone, fmt.Sprintf("%s %d", m.shape, n))
		if e.W >= 100 {
			l = l.Add(theme.Plain, "  "+b.Findings[0].Summary)
		}
		return l
	case b.Health == model.HealthOK || e.W < 100 || e.Pending(b):
		return nil
	}
	return widget.T(theme.Dim, "–  "+b.Summary)
}
