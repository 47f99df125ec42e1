// Package values holds the pages of what the inventory says: where each value
// comes from, and one value in full.
package values

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Inventory is where the values that decide the services of a cluster, or of
// all clusters, come from: file and line of the definition that won.
type Inventory struct {
	page.Answer[source.Origins]
	cluster model.ClusterName // "" for all
	cursor  int               // of list.rows
	top     int
	filter  string
	list    valueList // of got, by filter; made when one of them changes
}

// valueList is what an answer lists once it is narrowed. A large inventory has
// ten thousand values, which are not looked through for each frame.
type valueList struct {
	rows   []int // of Origins.Rows
	lines  []int // a row, or ^row: the line of the cluster that begins with it
	at     []int // the line of each of rows
	differ int   // variables of rows that hosts of one cluster do not agree on
	name   int   // cells of the longest variable
	hosts  int   // of the longest text for hosts
	from   int   // and of the longest place
}

// Title of the page.
func (p *Inventory) Title() widget.Line { return widget.P("inventory") }

// Start reads the inventory when the page opens.
func (p *Inventory) Start() (page.Page, page.Intent) {
	q := *p
	return &q, q.Request(page.Inquiry{Topic: page.TopicOrigins, Cluster: p.cluster})
}

// InventoryScreen is the page in the registry.
func InventoryScreen() page.Screen {
	return page.Screen{Name: "inventory", Letter: "v", As: keys.Values, Help: "where each value comes from: file and line, and what it overrides", Topic: page.TopicOrigins,
		Open: func(at page.Place, _ page.Env) page.Page { return &Inventory{cluster: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter l right", Action: keys.Open, Label: "whole value", Help: "the whole value, and what it overrides", When: page.Answered},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type", When: page.Answered},
			{Keys: "R", Action: keys.Again, Label: "read again", Help: "reread the inventory for this page"},
		}, keys.Moves()...)}
}

// Scope of the page's keys.
func (p *Inventory) Scope() string { return "inventory" }

// Place of the value under the cursor.
func (p *Inventory) Place(e page.Env) page.Place {
	at := page.Place{Cluster: p.cluster}
	if o := p.here(); o != nil && at.Cluster == "" && e.Board(model.ClusterName(o.Cluster)) != nil {
		at.Cluster = model.ClusterName(o.Cluster)
	}
	return at
}

// Line is that of the value under the cursor.
func (p *Inventory) Line(page.Env) source.Pos {
	if o := p.here(); o != nil {
		return o.At
	}
	return source.Pos{}
}

// Command prints the same values.
func (p *Inventory) Command(page.Env) (string, string) {
	return page.CommandOf("pgtui inventory", p.cluster), ""
}

// Filter is the text the values are narrowed to.
func (p *Inventory) Filter() string { return p.filter }

// SetFilter narrows the values; the cursor stays on its value while it is shown.
func (p *Inventory) SetFilter(text string) page.Page {
	q := *p
	q.filter = text
	q.narrow(p.here())
	return &q
}

// here is the value under the cursor, or nil.
func (p *Inventory) here() *source.Origin {
	if p.Got == nil || len(p.list.rows) == 0 {
		return nil
	}
	return &p.Got.Rows[p.list.rows[p.cursor]]
}

// List is the values that are shown.
func (p *Inventory) List(page.Env) (n, at int) { return len(p.list.rows), p.cursor }

// Choose puts the cursor on a value.
func (p *Inventory) Choose(i int, e page.Env) page.Page {
	q := *p
	q.cursor = i
	q.top = q.window(p.room(p.head(e), e))
	return &q
}

// Do carries out one action.
func (p *Inventory) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	o := p.here()
	switch {
	case a == keys.Again:
		return p.Start()
	case o == nil:
		return p, nil
	case a == keys.Open:
		return p, page.Goto{Page: NewValue(p.Got, o)}
	}
	return page.Move(p, a, p.room(p.head(e), e), e), nil
}

// Update takes the answer in; the cursor stays on its value.
func (p *Inventory) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	q := *p
	if q.Take(msg) {
		q.narrow(p.here())
	}
	return &q, nil
}

// narrow lists what meets the filter, and puts the cursor on the value that is
// the same as was, else on the first.
func (p *Inventory) narrow(was *source.Origin) {
	p.cursor, p.list = 0, valueList{}
	if p.Got == nil {
		return
	}
	all := p.Got.Rows
	several := slices.ContainsFunc(all, func(o source.Origin) bool { return o.Cluster != all[0].Cluster })
	meets := page.NewFilter(p.filter)
	var last *source.Origin
	for i := range all {
		o := &all[i]
		if !meets(o.Cluster, o.Variable, o.Value, o.Where(), o.From(), differWord(o)) {
			continue
		}
		l := &p.list
		if several && (last == nil || last.Cluster != o.Cluster) {
			l.lines = append(l.lines, ^i)
		}
		if o.Differs && (last == nil || last.Cluster != o.Cluster || last.Variable != o.Variable) {
			l.differ++
		}
		if was != nil && sameValue(o, was) {
			p.cursor = len(l.rows)
		}
		l.at, l.rows, l.lines = append(l.at, len(l.lines)), append(l.rows, i), append(l.lines, i)
		l.name, l.hosts = max(l.name, widget.Width(o.Variable)), max(l.hosts, widget.Width(o.Where()))
		l.from = max(l.from, widget.Width(o.From()))
		last = o
	}
}

// differWord is what a filter finds values by that hosts have differently.
func differWord(o *source.Origin) string {
	if o.Differs {
		return page.Differs + " " + differsWord
	}
	return ""
}

// sameValue reports that two rows are of the same variable on the same host.
func sameValue(a, b *source.Origin) bool {
	return a.Cluster == b.Cluster && a.Variable == b.Variable && slices.Contains(a.Hosts, b.Hosts[0])
}

// differsWord goes before the hosts of a value that others have differently.
const differsWord = "differs: "

// window is the first line of the list that is seen. The line of a cluster
// comes along with the cluster's first value.
func (p *Inventory) window(h int) int {
	if len(p.list.at) == 0 {
		return 0
	}
	at := p.list.at[p.cursor]
	top := widget.Window(p.top, at, len(p.list.lines), h)
	if top == at && at > 0 && p.list.lines[at-1] < 0 && h > 1 {
		top--
	}
	return top
}

// foot is how many lines the value under the cursor has below the list.
func (p *Inventory) foot(e page.Env) int {
	if e.H < 14 || p.here() == nil {
		return 0
	}
	return 4
}

// seenLeast is how many lines of the list are seen at least where there is a
// line that counts those below.
const seenLeast = 3

// room is how many lines of the list are seen.
func (p *Inventory) room(head []widget.Line, e page.Env) int {
	n := e.H - len(head) - 1 - p.foot(e)
	if n > seenLeast && len(p.list.lines) > n {
		n--
	}
	return max(n, 1)
}

// View draws the page.
func (p *Inventory) View(e page.Env) []widget.Line {
	head := p.head(e)
	if p.Got == nil {
		return head
	}
	if len(p.list.rows) == 0 {
		return append(head, nil, widget.T(theme.Warn, " No value matches. Esc clears the filter."))
	}
	h := p.room(head, e)
	top := p.window(h)
	out := append(head, p.table(p.list.lines[top:min(top+h, len(p.list.lines))], e)...)
	if below := len(p.list.lines) - top - h; below > 0 && h >= seenLeast {
		out = append(out, widget.T(theme.Dim, widget.F("   ↓ %d more lines", below)))
	}
	if p.foot(e) == 0 {
		return out
	}
	return append(widget.Fit(out, e.H-p.foot(e)), widget.Fit(p.sentence(e), p.foot(e))...)
}

// table draws lines of the list, below their head.
func (p *Inventory) table(seen []int, e page.Env) []widget.Line {
	wide, hosts := e.W >= 100, max(e.W/5, 8)
	if wide {
		hosts = e.W / 4
	}
	from := min(p.list.from, max(e.W/4, min(14, e.W/3), e.W-p.list.name-hosts-25)) // 25: the value, marks and gaps
	t := widget.Table{Cols: []widget.Column{
		{Title: "VARIABLE", Min: min(p.list.name, max(e.W/3-2, 4)), Max: max(p.list.name, 8)},
		{Title: "VALUE", Min: min(max(e.W/5-1, 2), 8), Max: 160, Flex: true},
		{Title: "HOSTS", Min: min(p.list.hosts, hosts), Max: hosts, Drop: 1},
		{Title: "FROM", Min: from, Max: from},
	}}
	for _, i := range seen {
		if i >= 0 {
			t.Rows = append(t.Rows, valueRow(&p.Got.Rows[i], from, wide))
		}
	}
	lay := t.Layout(e.W - 3)
	out := []widget.Line{widget.Join(widget.P("   "), lay.Head())}
	n := 0
	for _, i := range seen {
		if i < 0 {
			out = append(out, clusterLine(&p.Got.Rows[^i]))
			continue
		}
		mark := widget.P("  ")
		if p.Got.Rows[i].Differs {
			mark = widget.T(theme.Warn, page.Differs).Add(theme.Plain, " ")
		}
		row, _ := slices.BinarySearch(p.list.rows, i)
		out = append(out, page.CursorRow(widget.Join(mark, lay.Row(t.Rows[n])), row, p.cursor, e.W))
		n++
	}
	return out
}

// valueRow is one value as a row of the table, its place in from cells. Of a
// long path the end stays: it has the line. Where there is room, wide, a word
// goes with the mark of what differs.
func valueRow(o *source.Origin, from int, wide bool) []widget.Line {
	name, on := widget.Raw(theme.Plain, o.Variable), widget.T(theme.Dim, where(o))
	if o.Differs {
		name[0].Tone = theme.Warn
	}
	if o.Differs && wide {
		on = widget.T(theme.Warn, differsWord).Add(theme.Dim, where(o))
	}
	value := o.Value
	if r := []rune(value); len(r) > 160 {
		value = string(r[:160])
	}
	return []widget.Line{name, widget.Raw(theme.Strong, value), on, widget.P(widget.Words(widget.Tail(o.From(), from)))}
}

// clusterLine heads the values of a cluster.
func clusterLine(o *source.Origin) widget.Line {
	name := widget.Raw(theme.Strong, o.Cluster)
	if o.Cluster == "" {
		name = widget.T(theme.Strong, "of no cluster")
	}
	return widget.Join(widget.P(" "), name).Add(theme.Dim, widget.Words("  "+text.Plural(o.Of, "host")))
}

// head is what the page shows above the list: problems, then what is listed.
func (p *Inventory) head(e page.Env) []widget.Line {
	out := p.Trouble("reading the inventory", "the inventory could not be read", e)
	if p.Got == nil {
		return out
	}
	if e.Inv != nil && e.Inv.Hash != p.Got.Hash {
		text := p.Got.Source + " has changed since the console read it: these are its values now; R on a board applies it"
		if e.H < 9 {
			text = "the inventory has changed"
		}
		out = append(out, page.Wrapped(theme.Warn, widget.Words("! "+text), " ", e.W, 2)...)
	}
	out = append(out, p.problems(e)...)
	return append(out, p.title(e)...)
}

// problems are what is wrong with the inventory, as many as there is room for,
// those first that Ansible would fail over.
func (p *Inventory) problems(e page.Env) []widget.Line {
	all := slices.Clone(p.Got.Problems)
	sort.SliceStable(all, func(i, j int) bool { return all[i].Fatal && !all[j].Fatal })
	most := min(max(e.H/6, 2), 4)
	var out []widget.Line
	for i, x := range all {
		if i == most-1 && len(all) > most {
			return append(out, widget.T(theme.Warn, widget.F(" ! %d more; pgtui inventory prints them", len(all)-i)))
		}
		m := page.SeverityMark(model.Warning)
		if x.Fatal {
			m = page.SeverityMark(model.Critical)
		}
		l := widget.P(" ").AddRaw(m.Tone, m.Shape+" ")
		if at := (&source.Definition{At: x.At}).From(); at != "" {
			l = l.AddRaw(theme.Strong, widget.Tail(at, max(e.W/2, 12))+"  ")
		}
		out = append(out, l.Add(m.Tone, widget.F("%s: %s", widget.Data(x.Subject), x.What)).Trunc(e.W))
	}
	return out
}

// title says how many values are listed, and what is not.
func (p *Inventory) title(e page.Env) []widget.Line {
	n := len(p.list.rows)
	title := page.ListTitle("VALUES", n, len(p.Got.Rows)-n, p.filter)
	if p.list.differ > 0 {
		word := " differ"
		if p.list.differ == 1 {
			word += "s"
		}
		if e.W >= page.Narrow {
			word += " between hosts"
		}
		title = title.Add(theme.Warn, widget.F(" · %s %d%s", page.Differs, p.list.differ, word))
	}
	rest := "  unlisted values are Pigsty's defaults"
	if e.H < 9 { // no line for more
		return []widget.Line{title.Add(theme.Dim, "  rest: defaults").Trunc(e.W)}
	}
	if age := p.Age(e); title.Width()+len(rest)+age.Width()+2 <= e.W {
		return p.Answered(title.Add(theme.Dim, widget.Words(rest)), e)
	}
	return append(p.Answered(title, e), widget.T(theme.Dim, widget.Words(" "+rest[2:])).Trunc(e.W))
}

// sentence is the value under the cursor in words, and what it hides.
func (p *Inventory) sentence(e page.Env) []widget.Line {
	o := p.here()
	head := widget.P(" ").AddRaw(theme.Strong, o.Variable+"  ").AddRaw(theme.Plain, o.Value+"  ")
	text := "from " + o.By + ", " + o.From()
	if o.Differs {
		text = page.Differs + " " + differsText(p.Got, o) + "; this one is " + text
	}
	switch n := len(o.Hid); {
	case n == 1:
		text += "; overrides " + o.Hid[0].Value + " of " + o.Hid[0].By + ", " + o.Hid[0].From()
	case n > 1:
		text += fmt.Sprintf("; overrides %d weaker definitions, the first %s of %s: enter", n, o.Hid[0].Value, o.Hid[0].By)
	}
	return append([]widget.Line{nil}, page.Flow(head.Trunc(max(e.W/2, 1)), widget.Words(text), e.W)...)
}

// differsText says what the hosts of a cluster have instead of one value.
func differsText(all *source.Origins, o *source.Origin) string {
	var parts []string
	rest := o.Of
	for _, x := range ofVariable(all, o) {
		parts = append(parts, x.Value+" on "+x.Where())
		rest -= len(x.Hosts)
	}
	if rest > 0 {
		parts = append(parts, fmt.Sprintf("Pigsty's default on %d more", rest))
	}
	return strings.Join(parts, ", ")
}

// ofVariable are all rows of the variable of one.
func ofVariable(all *source.Origins, o *source.Origin) []*source.Origin {
	var out []*source.Origin
	for i := range all.Rows {
		if x := &all.Rows[i]; x.Cluster == o.Cluster && x.Variable == o.Variable {
			out = append(out, x)
		}
	}
	return out
}
