// Package overview holds the pages that show whole clusters: the fleet, the board
// of a cluster, who replicates from whom.
package overview

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
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

// Title is empty: the fleet is the root of every path.
func (p *Fleet) Title() widget.Line { return widget.P("fleet") }

// Filter is the text the list is narrowed to.
func (p *Fleet) Filter() string { return p.filter }

// SetFilter narrows the list.
func (p *Fleet) SetFilter(text string) page.Page {
	return page.With(p, func(q *Fleet) { q.filter = text })
}

// FleetScreen is the fleet in the registry.
func FleetScreen() page.Screen {
	var columns []string
	for _, c := range fleetColumns(0, 0, page.Env{}) {
		columns = append(columns, strings.ToLower(string(c.Title)))
	}
	return page.Screen{Name: "fleet", Key: "1", Help: "every cluster, trouble first", Columns: columns,
		Open: func(page.Place, page.Env) page.Page { return &Fleet{} },
		Keys: append([]keys.Row{
			{Keys: "enter l right", Action: keys.Open, Label: "open", Help: "the cluster's board", Opens: "board"},
			{Keys: "f", Action: keys.Findings, Label: "findings", Help: "the findings of all clusters", Opens: "findings"},
			{Keys: "e", Action: keys.Events, Label: "events", Help: "what has changed, before the console was opened too, in all clusters", Opens: "events"},
			{Keys: "d", Action: keys.Diff, Label: "diff", Help: "what a reload of the cluster would change", Opens: "diff"},
			{Keys: "r", Action: keys.Reload, Label: "reload", Help: "reload the cluster's HAProxies: plan, diff, confirmation", Opens: "reload"},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type"},
			{Keys: "z", Action: keys.Faults, Label: "faults", Help: "hide the clusters that are ok; again: show every cluster"},
			{Keys: "s", Action: keys.Sort, Label: "sort", Help: "sort by the next column; past the last: trouble first"},
			{Keys: "S", Action: keys.Reverse, Help: "reverse the order"},
			{Keys: "x", Action: keys.Act, Help: "switchover, drain, restart … of the cluster", Opens: "actions"},
			{Keys: "C", Action: keys.Candidates, Help: "who of the cluster can take over, with every gate", Opens: "candidates"},
			{Keys: "v", Action: keys.Values, Help: "where each value of the inventory comes from, in all clusters", Opens: "inventory"},
		}, keys.Moves()...)}
}

// Scope of the fleet's keys.
func (p *Fleet) Scope() string { return "fleet" }

// Place of the row under the cursor.
func (p *Fleet) Place(e page.Env) page.Place {
	if rows, _ := p.rows(e); len(rows) > 0 {
		return page.Place{Cluster: rows[p.at(rows)].Cluster.Name}
	}
	return page.Place{}
}

// Command prints what the fleet shows.
func (p *Fleet) Command(page.Env) (string, string) { return "pgtui status", "pg list" }

// rows are the boards that are shown, trouble first, and how many are hidden.
func (p *Fleet) rows(e page.Env) (rows []*board.Board, hidden int) {
	all := e.Whole().Order
	if p.filter == "" && !p.faults && p.sort == 0 && !p.desc {
		return all, 0
	}
	meets := page.NewFilter(p.filter)
	for _, b := range all {
		if (p.filter == "" || meets(names(b)...)) && (!p.faults || b.Health != model.HealthOK) {
			rows = append(rows, b)
		}
	}
	if !e.NoAnswer() {
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
	return max(0, slices.IndexFunc(rows, func(b *board.Board) bool { return b.Cluster.Name == p.cursor }))
}

// List is the clusters that are shown.
func (p *Fleet) List(e page.Env) (n, at int) {
	rows, _ := p.rows(e)
	return len(rows), p.at(rows)
}

// Choose puts the cursor on a cluster.
func (p *Fleet) Choose(i int, e page.Env) page.Page {
	q := *p
	rows, _ := p.rows(e)
	q.cursor, q.top = rows[i].Cluster.Name, widget.Window(p.top, i, len(rows), p.space(e))
	return &q
}

// Do carries out one action.
func (p *Fleet) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	q := *p
	switch a {
	case keys.Faults:
		q.faults = !q.faults
	case keys.Sort:
		q.sort, q.desc, q.top = (p.sort+1)%len(fleetColumns(0, 0, page.Env{})), false, 0
	case keys.Reverse:
		q.desc, q.top = !p.desc, 0
	default:
		return page.Move(p, a, p.space(e), e), nil
	}
	return &q, nil
}

// space is how many rows there is room for.
func (p *Fleet) space(e page.Env) int { return e.Rows(3, 4+leastDetail(e)) }

// View draws the fleet.
func (p *Fleet) View(e page.Env) []widget.Line {
	if e.Inv == nil {
		return []widget.Line{nil, widget.T(theme.Info, " reading the inventory …")}
	}
	e.Digest = e.Whole()
	rows, hidden := p.rows(e)
	out := []widget.Line{p.summary(e, hidden)}
	if len(rows) == 0 {
		return append(out, nil, widget.T(theme.Warn, widget.Words(p.nothing(e))))
	}
	// Only the rows that are seen are made; columns whose width must not change
	// while scrolling know the widest cell of all rows.
	cur, h := p.at(rows), p.space(e)
	top := widget.Window(p.top, cur, len(rows), h)
	seen := rows[top:min(top+h, len(rows))]
	t := widget.Table{Cols: fleetColumns(e.Whole().Cluster, e.Whole().Leader, e)}
	sorted := t.Cols[p.column()].Title
	for _, b := range seen {
		t.Rows = append(t.Rows, fleetRow(b, e))
	}
	t = t.Pick(e.Columns["fleet"])
	if p.sort > 0 || p.desc {
		p.mark(t.Cols, sorted)
	}
	out = append(out, page.ListLines(t.Layout(e.W-2), t.Rows, top, cur, len(rows), h, e)...)
	if e.H < 14 {
		return out
	}
	room := min(max(e.H-len(out)-1, leastDetail(e)), mostDetail)
	return append(widget.Fit(out, e.H-room), p.detail(rows[cur], room, e)...)
}

// mark shows by which column the rows are sorted, when it is shown at all.
func (p *Fleet) mark(cols []widget.Column, title widget.Words) {
	if i := slices.IndexFunc(cols, func(c widget.Column) bool { return c.Title == title }); i >= 0 {
		if cols[i].Title += "▾"; p.desc {
			cols[i].Title = title + "▴"
		}
		cols[i].Drop = 0 // what the rows are sorted by stays in sight
	}
}

// detail is the cluster under the cursor in a few lines at the foot of the
// page: what had no room in its row.
func (p *Fleet) detail(b *board.Board, room int, e page.Env) []widget.Line {
	m := e.Health(b)
	head := widget.P(" ").AddRaw(theme.Strong, string(b.Cluster.Name)+"  ").Add(m.Tone, widget.Words(m.Shape+" "+m.Word+"  "))
	if e.NoAnswer() {
		return widget.Fit([]widget.Line{head.Add(theme.Info, "no node has answered yet")}, room)
	}
	facts := fmt.Sprintf(" members %d/%d · worst lag %s", b.KnownMembers(), len(b.Members), page.Lag(b.WorstLag()))
	if b.Timeline > 0 {
		facts += fmt.Sprintf(" · timeline %d", b.Timeline)
	}
	if b.Cluster.VIP != "" {
		facts += " · VIP " + b.Cluster.VIP
	}
	most := 3
	if room < 8 {
		most = 2
	}
	out := page.Flow(head, widget.Words(e.Summary(b)), e.W)
	out = append(page.AtMost(out, most, e.W), widget.T(theme.Dim, widget.Words(facts)))
	if room < 8 {
		most = 1
	}
	news := news(b, e)
	for i, f := range news {
		lines, last := page.FindingLines(f, most, e.W), i == len(news)-1
		if len(out)+len(lines) > room || len(out)+len(lines) == room && !last {
			out = append(out, moreFindings(len(news)-i))
			break
		}
		out = append(out, lines...)
	}
	if events := latest(b, e, room-len(out)-1); len(events) > 0 {
		out = append(append(out, nil), events...)
	}
	return widget.Fit(out, room)
}

// leastDetail and mostDetail are how many lines the cluster under the cursor has at the
// foot: more where the list leaves room.
func leastDetail(e page.Env) int {
	if e.H < tallFrom {
		return 5
	}
	return 10
}

const mostDetail = 14

// nothing says why the list is empty.
func (p *Fleet) nothing(e page.Env) string {
	switch {
	case len(e.Boards) == 0:
		return " The inventory " + e.Inv.Source + " has no PostgreSQL cluster (a group with pg_cluster)."
	case p.filter != "":
		return fmt.Sprintf(" No cluster matches %q; %s hidden. Esc clears the filter.", p.filter, text.Plural(len(e.Boards), "cluster"))
	default:
		return " Every cluster is ok. z shows all."
	}
}

// summary counts the fleet in one line.
func (p *Fleet) summary(e page.Env, hidden int) widget.Line {
	count := e.Whole().Counts
	out := widget.T(theme.Plain, widget.Words(" "+text.Plural(len(e.Boards), "cluster")))
	if e.NoAnswer() {
		out = out.Add(theme.Info, " · probing every node …")
	} else {
		for _, m := range []page.Mark{page.HealthMark(model.HealthDown, false), page.HealthMark(model.HealthUnknown, false),
			page.HealthMark(model.HealthDegraded, false), page.Probing(), page.HealthMark(model.HealthOK, false)} {
			if n := count[m]; n > 0 {
				out = out.Add(theme.Dim, " · ").Add(m.Tone, widget.F("%s %d %s", m.Shape, n, m.Word))
			}
		}
	}
	if hidden > 0 {
		why := "by z"
		if p.filter != "" {
			why = "by the filter " + p.filter
		}
		out = out.Add(theme.Warn, widget.F(" · %d hidden %s", hidden, why))
	}
	if n := len(e.Inv.Problems); n > 0 {
		out = out.Add(theme.Warn, widget.F(" · %s in the inventory", text.Plural(n, "problem")))
	}
	if e.Inv.Dialect != "" {
		out = out.Add(theme.Dim, widget.Words(" · Pigsty "+string(e.Inv.Dialect)))
	}
	return out
}

// wellKnown are the ports of Pigsty's four services, a column each.
func wellKnown() []string { return []string{"5433", "5434", "5436", "5438"} }

// fleetColumns are the columns; who serves each port gives way last, and not at all from
// page.Narrow cells on.
func fleetColumns(cluster, leader int, e page.Env) []widget.Column {
	ports, head := []int{0, 0, 0, 0}, 0
	if e.W < page.Narrow {
		ports, head = []int{1, 2, 3, 4}, 5
	}
	cols := []widget.Column{
		{Title: "CLUSTER", Min: cluster, Max: 32},
		{Title: "STATE", Min: 10},
		{Title: "LEADER", Min: leader, Max: 32, Drop: head},
		{Title: "TL", Min: 2, Right: true, Drop: 9},
		{Title: "MEMBERS", Right: true, Drop: 8},
		{Title: "WORST LAG", Min: 7, Right: true, Drop: 10},
	}
	for i, port := range wellKnown() {
		cols = append(cols, widget.Column{Title: widget.Words(port), Min: 6, Max: 14, Drop: ports[i]})
	}
	cols = append(cols, widget.Column{Title: "DRIFT", Min: 3, Drop: 7})
	least := 8
	if e.W >= wordsFrom && e.Digest != nil && e.Digest.Found {
		least = 40 // words before numbers, which the foot has as well
	}
	return append(cols, widget.Column{Title: "FINDINGS", Min: least, Max: 120, Flex: true, Drop: 6})
}

func fleetRow(b *board.Board, e page.Env) []widget.Line {
	members := widget.Raw(theme.Plain, fmt.Sprintf("%d/%d", b.KnownMembers(), len(b.Members)))
	if b.KnownMembers() < len(b.Members) {
		members[0].Tone = theme.Warn
		if e.Pending(b) {
			members[0].Tone = theme.Info
		}
	}
	state := e.Health(b).Line()
	if _, drift := b.Counts(); e.W < 100 && drift > 0 { // the column may have no room
		state = state.Add(theme.Info, " "+page.Differs)
	}
	row := []widget.Line{widget.Raw(theme.Strong, string(b.Cluster.Name)), state, leaderCell(b, e),
		widget.Raw(theme.Plain, page.NumText(b.Timeline)), members, widget.P(widget.Words(page.Lag(b.WorstLag())))}
	for _, port := range wellKnown() {
		row = append(row, portCell(b, port, e))
	}
	return append(row, driftCell(b), findingCell(b, e))
}

func leaderCell(b *board.Board, e page.Env) widget.Line {
	switch {
	case b.Leader == "" && e.Pending(b):
		return widget.T(theme.Info, "·")
	case b.Leader == "" && b.Health == model.HealthDown:
		return widget.T(theme.Bad, "none")
	case b.Leader == "":
		return widget.T(theme.Doubt, "?")
	case b.LeaderBy == "dcs":
		return widget.Raw(theme.Doubt, string(b.Leader)+" ?")
	}
	return widget.Raw(theme.Plain, string(b.Leader))
}

// portCell is one service port of a cluster: → and the numbers of the instances
// that get its new connections, or its state. It is blank where the cluster has no
// service on the port.
func portCell(b *board.Board, port string, e page.Env) widget.Line {
	i := slices.IndexFunc(b.Routes, func(r board.Route) bool { return r.Port == port })
	if i < 0 {
		return nil
	}
	r := &b.Routes[i]
	m := page.RouteMark(b, r)
	arrow := widget.T(theme.Dim, "→ ")
	shut, _ := r.Shut()
	names, same, all := page.ServingMost(r)
	switch {
	case e.PendingRoute(r):
		return widget.Raw(theme.Info, page.Probing().Shape)
	case len(shut) > 0:
		word, _, _ := strings.Cut(r.HeldWord(shut[0]), " ")
		if word == "port" {
			word = "shut"
		}
		return arrow.AddRaw(theme.Plain, page.Seqs(b.Cluster, shut)).Add(theme.Bad, widget.Words(" ✕ "+word))
	case r.ClosedWord() != "":
		return m.Line()
	case len(r.Silent) > 0 && same > 0 && r.Verdict != model.Mismatch:
		return arrow.AddRaw(theme.Plain, page.Seqs(b.Cluster, names)).AddRaw(theme.Doubt, page.Part(same, all))
	case r.Verdict == model.Serving:
		return arrow.AddRaw(theme.Plain, page.Seqs(b.Cluster, r.Serving))
	case r.Verdict == model.BackupServing:
		if !b.ByDesign(r) {
			arrow[0].Tone = theme.Warn
		}
		return arrow.AddRaw(theme.Plain, page.Seqs(b.Cluster, r.Serving)).Add(arrow[0].Tone, " bkp")
	case r.Verdict == model.Empty && b.ByDesign(r), r.Verdict == model.Unknown:
		return widget.Raw(m.Tone, m.Shape)
	case r.Verdict == model.Empty:
		return widget.T(m.Tone, "NONE")
	}
	return m.Line()
}

// driftCell counts the findings that are drift; it is blank where there is none.
func driftCell(b *board.Board) widget.Line {
	if _, n := b.Counts(); n > 0 {
		return widget.Raw(theme.Info, fmt.Sprintf("%s %d", page.Differs, n))
	}
	return nil
}

// wordsFrom is from how many cells a row of the fleet has room for a finding in words;
// that of the row under the cursor is always below the list.
const wordsFrom = 100

// findingCell counts the findings that are faults, and has the worst of them.
func findingCell(b *board.Board, e page.Env) widget.Line {
	var worst, drift *model.Finding
	n, _ := b.Counts()
	for i := range b.Causes {
		f := &b.Causes[i].Finding
		switch {
		case f.Drift && drift == nil:
			drift = f
		case !f.Drift && worst == nil:
			worst = f
		}
	}
	switch {
	case n == 0 && drift != nil && e.W >= wordsFrom:
		return widget.T(theme.Dim, widget.Words(drift.Summary))
	case n > 0:
		m := page.FindingMark(worst)
		l := widget.Raw(m.Tone, fmt.Sprintf("%s %d", m.Shape, n))
		if e.W >= wordsFrom {
			l = l.AddRaw(theme.Plain, "  ").Add(theme.Plain, widget.Words(worst.Summary))
		}
		return l
	case b.Health == model.HealthOK || e.W < wordsFrom || e.Pending(b):
		return nil
	}
	return widget.T(theme.Dim, widget.Words("–  "+b.Summary))
}

// column is the index of the column the rows are sorted by. The first key leaves
// STATE, which is how they come, for CLUSTER, and goes through the others in order.
func (p *Fleet) column() int {
	if p.sort < 2 {
		return 1 - p.sort
	}
	return p.sort
}

// sorted puts rows, which come trouble first, in the chosen order. Equal
// rows keep their order.
func (p *Fleet) sorted(rows []*board.Board) {
	if p.sort > 0 {
		slices.SortStableFunc(rows, fleetCompare(p.column()))
	}
	if p.desc {
		slices.Reverse(rows)
	}
}

// fleetCompare compares two clusters by a column: names upwards, numbers and
// trouble downwards.
func fleetCompare(col int) func(a, b *board.Board) int {
	number := func(of func(*board.Board) int64) func(a, b *board.Board) int {
		return func(a, b *board.Board) int { return cmp.Compare(of(b), of(a)) }
	}
	switch col {
	case 0:
		return func(a, b *board.Board) int { return strings.Compare(string(a.Cluster.Name), string(b.Cluster.Name)) }
	case 2:
		return func(a, b *board.Board) int { return strings.Compare(string(a.Leader), string(b.Leader)) }
	case 3:
		return number(func(b *board.Board) int64 { return int64(b.Timeline) })
	case 4:
		return number(func(b *board.Board) int64 { return int64(len(b.Members) - b.KnownMembers()) })
	case 5:
		return number(func(b *board.Board) int64 { n, _ := b.WorstLag(); return n })
	}
	ports := wellKnown()
	if i := col - 6; i < len(ports) {
		return number(func(b *board.Board) int64 { return portTrouble(b, ports[i]) })
	}
	if fleetColumns(0, 0, page.Env{})[col].Title == "DRIFT" {
		return number(func(b *board.Board) int64 { _, n := b.Counts(); return int64(n) })
	}
	return number(func(b *board.Board) int64 {
		if len(b.Causes) == 0 {
			return 0
		}
		return int64(3-b.Causes[0].Severity)*1000 + int64(len(b.Causes))
	})
}

// portTrouble orders the services of one port: the more trouble the higher.
func portTrouble(b *board.Board, port string) int64 {
	for i := range b.Routes {
		r := &b.Routes[i]
		if r.Port != port {
			continue
		}
		switch {
		case r.Verdict == model.Serving && len(r.Silent) > 0:
			return 4
		case r.Verdict == model.Serving || b.ByDesign(r):
			return 1
		case r.Verdict == model.Settling:
			return 2
		case r.Verdict == model.BackupServing:
			return 3
		case r.Verdict == model.Unknown:
			return 4
		case r.Verdict == model.Empty:
			return 6
		}
		return 5
	}
	return 0
}
