// Package ways holds the pages of the ways to a cluster: its endpoints, the
// components on them, one connection.
package ways

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Access is every endpoint of one cluster: hosts by ports, where each leads, and
// which one to give to an application.
type Access struct {
	page.Answer[access.Access]
	cluster model.ClusterName
	host    hostKey // row of the cursor; the zero value is the first
	port    portKey // column of the cursor; the zero value is the first of a service
	top     int
	form    int // of the DSN that is copied next
}

// hostKey and portKey tell a row and a column from the others.
type (
	hostKey struct {
		kind access.HostKind
		name string
	}
	portKey struct {
		port uint16
		name string
	}
)

func rowKey(h *access.EntryHost) hostKey { return hostKey{h.Kind, h.Name} }

func colKey(p *model.EntryPort) portKey { return portKey{p.Port, p.Name} }

// Title of the page.
func (p *Access) Title() widget.Line { return widget.P("access") }

// Start probes when the page opens.
func (p *Access) Start() (page.Page, page.Intent) {
	q := *p
	return &q, q.Request(page.Inquiry{Topic: page.TopicAccess, Cluster: p.cluster})
}

// AccessScreen is the page in the registry.
func AccessScreen() page.Screen {
	return page.Screen{Name: "access", Letter: "a", As: keys.Access, Help: "every endpoint: hosts by ports, where each leads, which one to use", Needs: true, Topic: page.TopicAccess,
		Open: func(at page.Place, _ page.Env) page.Page { return &Access{cluster: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter T", Action: keys.Open, Label: "trace", Help: "one connection to the endpoint under the cursor, hop by hop", When: traceable},
			{Keys: "R", Action: keys.Again, Label: "recheck", Help: "resolve the names and connect to every endpoint again"},
			{Keys: "D", Action: keys.DSN, Label: "copy DSN", Help: "copy the endpoint's DSN, never with a password; again: in the next form (key=value, JDBC, Go, Python)", When: page.Answered},
			{Keys: "tab", Action: keys.Next, Label: "which port?", Help: "which port should my app use; again: back to the endpoints", When: page.Answered},
			{Keys: "left h", Action: keys.Left, Help: "the port to the left", When: page.Answered},
			{Keys: "right l", Action: keys.Right, Help: "the port to the right", When: page.Answered},
			{Keys: "c", Action: keys.Parts, Help: "what Pigsty runs on the nodes", Opens: "components"},
		}, keys.Moves()...)}
}

// traceable says that a connection to the entry under the cursor can be traced.
const traceable keys.When = "traceable"

// Scope of the page's keys.
func (p *Access) Scope() string { return "access" }

// Holds reports whether the endpoints were checked.
func (p *Access) Holds(w keys.When, e page.Env) bool {
	return p.Got != nil && (w != traceable || e.Offers(page.TopicTrace))
}

// Place of the entry under the cursor.
func (p *Access) Place(page.Env) page.Place {
	at := page.Place{Cluster: p.cluster}
	if p.Got == nil {
		return at
	}
	if row, col := p.at(p.Got); row >= 0 && col >= 0 {
		at.Service, at.Instance = p.Got.Ports[col].Service, p.Got.Hosts[row].Instance
	}
	return at
}

// DSN of the entry under the cursor.
func (p *Access) DSN(page.Env) string {
	if p.Got == nil {
		return ""
	}
	row, col := p.at(p.Got)
	if row < 0 || col < 0 {
		return ""
	}
	if x := p.entry(&p.Got.Hosts[row], &p.Got.Ports[col]); x != nil {
		return x.DSN.Text(access.FormURI)
	}
	return ""
}

// Command prints the endpoints.
func (p *Access) Command(page.Env) (string, string) { return "pgtui access " + string(p.cluster), "" }

// List is the hosts.
func (p *Access) List(page.Env) (n, at int) {
	if p.Got == nil {
		return 0, 0
	}
	at, _ = p.at(p.Got)
	return len(p.Got.Hosts), at
}

// Choose puts the cursor on a host.
func (p *Access) Choose(i int, _ page.Env) page.Page {
	_, col := p.at(p.Got)
	return p.moved(i, col)
}

// moved is the page with the cursor on an entry. What is copied next of another
// one is its first form.
func (p *Access) moved(row, col int) *Access {
	q := *p
	q.top = 0
	if row >= 0 && col >= 0 {
		q.host, q.port = rowKey(&p.Got.Hosts[row]), colKey(&p.Got.Ports[col])
	}
	if q.host != p.host || q.port != p.port {
		q.form = 0
	}
	return &q
}

// at is the row and the column of the cursor, -1 where there is none.
func (p *Access) at(a *access.Access) (row, col int) {
	row = slices.IndexFunc(a.Hosts, func(h access.EntryHost) bool { return rowKey(&h) == p.host })
	col = slices.IndexFunc(a.Ports, func(x model.EntryPort) bool { return colKey(&x) == p.port })
	if row < 0 {
		row = min(0, len(a.Hosts)-1)
	}
	if col < 0 {
		col = slices.IndexFunc(a.Ports, func(x model.EntryPort) bool { return x.Service != "" })
	}
	if col < 0 {
		col = min(0, len(a.Ports)-1)
	}
	return row, col
}

// Do carries out one action.
func (p *Access) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	if a == keys.Again {
		return p.Start()
	}
	if p.Got == nil {
		return p, nil
	}
	acc := p.Got
	row, col := p.at(acc)
	if row < 0 || col < 0 {
		return p, nil
	}
	q := *p
	switch a {
	case keys.Open, keys.DSN:
		x := p.entry(&acc.Hosts[row], &acc.Ports[col])
		if x == nil {
			return p, page.Say{Text: "there is nothing to connect to"}
		}
		if a == keys.Open {
			return p, page.Goto{Page: traceEntry(p.cluster, x, e)}
		}
		forms := access.Forms()
		q.form = (p.form + 1) % len(forms)
		return &q, page.Yank{Text: x.DSN.Text(forms[p.form])}
	case keys.Next:
		if q.top = 0; p.top == 0 {
			q.top = max(min(len(p.ways(e)), len(p.lines(e))-e.H), 0)
		}
	case keys.Up, keys.Down:
		return page.Move(p, a, e.H, e), nil
	case keys.Left:
		return p.moved(row, max(col-1, 0)), nil
	case keys.Right:
		return p.moved(row, min(col+1, len(acc.Ports)-1)), nil
	default:
		q.top = page.Scroll(a, p.top, len(p.lines(e)), e.H)
	}
	return &q, nil
}

// Update takes the answer in.
func (p *Access) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	return page.With(p, func(q *Access) { q.Take(msg) }), nil
}

// entry is the cell of a row and a column, or nil.
func (p *Access) entry(h *access.EntryHost, at *model.EntryPort) *access.Entry {
	for i := range p.Got.Entries {
		if x := &p.Got.Entries[i]; rowKey(&x.On) == rowKey(h) && colKey(&x.At) == colKey(at) {
			return x
		}
	}
	return nil
}

// View draws the part of the page that fits.
func (p *Access) View(e page.Env) []widget.Line { return page.Scrolled(p.lines(e), p.top, e) }

// lines is the whole page.
func (p *Access) lines(e page.Env) []widget.Line {
	out := p.ways(e)
	if p.Got == nil || len(p.Got.Entries) == 0 {
		return out
	}
	return append(out, p.choose(e)...)
}

// ways is the matrix and the entry under the cursor: the page as far as the
// advice, which tab scrolls to.
func (p *Access) ways(e page.Env) []widget.Line {
	out := p.Trouble("resolving the names of "+string(p.cluster)+" and connecting to each of its endpoints", "the endpoints could not be checked", e)
	if p.Got == nil {
		return out
	}
	acc := p.Got
	health, summary := access.Health(acc)
	m := page.HealthMark(health, false)
	title := widget.P(" ").Add(m.Tone, widget.Words(m.Shape+" "+m.Word)).Add(theme.Dim, widget.F("  %s by %s", text.Plural(len(acc.Hosts), "host"), text.Plural(len(acc.Ports), "port")))
	out = append(out, p.Answered(title, e)...)
	if health != model.HealthOK || e.H > 12 {
		out = append(out, page.Wrapped(theme.Plain, widget.Words(summary), " ", e.W, 2)...)
	}
	row, col := p.at(acc)
	if row < 0 || col < 0 {
		return append(out, widget.T(theme.Warn, " there is no endpoint: no instance, or no port"))
	}
	out = append(out, p.matrix(row, col, len(out), e)...)
	if e.H >= 12 {
		out = append(out, nil)
	}
	return append(out, p.detail(&acc.Hosts[row], &acc.Ports[col], e)...)
}

// matrix is hosts by ports, as much of both as there is room for with the
// cursor in it; above is how many lines there are in front of it.
func (p *Access) matrix(row, col, above int, e page.Env) []widget.Line {
	acc := p.Got
	name := 4
	for i := range acc.Hosts {
		name = max(name, widget.Width(acc.Hosts[i].Name))
	}
	name = min(name, max(e.W/4, 8))
	room := e.W - name - 2
	least := 10
	seen := max(min(len(acc.Ports), room/least), 1)
	wide := min(max(room/seen, 1), 26)
	left := widget.Window(0, col, len(acc.Ports), seen)
	head := [3]widget.Line{widget.T(theme.Head, " HOST").Pad(name + 1), widget.T(theme.Dim, " ").Pad(name + 1), widget.T(theme.Dim, " ").Pad(name + 1)}
	if left > 0 {
		head[0] = widget.T(theme.Head, " HOST").Add(theme.Dim, " ‹").Pad(name + 1)
	}
	for i := left; i < left+seen; i++ {
		at := &acc.Ports[i]
		more := ""
		if i == left+seen-1 && i+1 < len(acc.Ports) {
			more = " ›"
		}
		head[0] = widget.Join(head[0], widget.Raw(theme.Head, fmt.Sprint(" ", at.Port)).Add(theme.Dim, widget.Words(more)).Pad(wide))
		head[1] = widget.Join(head[1], widget.Raw(theme.Plain, " "+at.Name).Pad(wide))
		head[2] = widget.Join(head[2], widget.T(theme.Dim, widget.Words(" → "+targetWord(at.Target))).Pad(wide))
	}
	out := head[:]
	if e.H < 12 {
		out = head[:2]
	}
	rows := min(len(acc.Hosts), max(e.H-len(out)-10, min(e.H-above-len(out)-1, 2), 1))
	top := widget.Window(0, row, len(acc.Hosts), rows)
	for i := top; i < top+rows; i++ {
		h := &acc.Hosts[i]
		l := widget.P(" ").AddRaw(theme.Strong, widget.Tail(h.Name, name)).Pad(name + 1)
		if i == row {
			l = widget.P("▸").AddRaw(theme.Strong, widget.Tail(h.Name, name)).Pad(name + 1)
		}
		for k := left; k < left+seen; k++ {
			cell := widget.Join(widget.P(" "), p.cell(p.entry(h, &acc.Ports[k]), wide-1)).Pad(wide)
			if i == row && k == col {
				cell = cell.Under()
			}
			l = widget.Join(l, cell)
		}
		out = append(out, l.Hits(i+1))
	}
	return out
}

// cell is where one entry leads, in w cells.
func (p *Access) cell(x *access.Entry, w int) widget.Line {
	if x == nil {
		return widget.T(theme.Dim, "–")
	}
	m := entryMark(x)
	who := ""
	if len(x.Now.Instances) > 0 {
		who = " " + page.Seqs(p.Got.Cluster, x.Now.Instances)
	}
	if l := m.Line().AddRaw(m.Tone, who); l.Width() <= w {
		return l
	}
	switch { // shorter
	case who != "":
		return widget.Raw(m.Tone, m.Shape+who).Trunc(w)
	case x.Now.ByDesign:
		m.Word = string(x.Now.Verdict)
	}
	return m.Line().AddRaw(m.Tone, who).Trunc(w)
}

// entryMark draws where an entry leads.
func entryMark(x *access.Entry) page.Mark {
	m := page.VerdictMark(x.Now.Verdict)
	m.Word = x.Now.Word()
	if x.Now.ByDesign {
		m.Shape, m.Tone = "–", theme.Dim
	}
	return m
}

// targetWord is a target as the head of a column says it.
func targetWord(t model.Target) string {
	return cmp.Or(map[model.Target]string{model.TargetInstance: "host", model.TargetOther: "its check"}[t], string(t))
}

// detail is the entry under the cursor.
func (p *Access) detail(h *access.EntryHost, at *model.EntryPort, e page.Env) []widget.Line {
	x := p.entry(h, at)
	if x == nil {
		return page.Flow(widget.P(" ").AddRaw(theme.Strong, fmt.Sprintf("%s:%d", h.Name, at.Port)).Add(theme.Dim, " – "),
			widget.F("no endpoint: %s is not on this host", widget.Data(at.Name)), e.W)
	}
	m := entryMark(x)
	word := m.Word
	if len(x.Now.Instances) > 0 {
		word += " " + model.Join(x.Now.Instances)
	}
	out := page.Flow(widget.P(" ").AddRaw(theme.Strong, x.String()+"  ").Add(m.Tone, widget.Words(m.Shape+" "+word)).Add(theme.Plain, "  "), widget.Words(x.Now.Why), e.W)
	should := string(x.At.Target)
	if x.At.Target == model.TargetInstance {
		should = "one instance"
	}
	if len(x.Should) > 0 {
		should += ": " + model.Join(x.Should)
	}
	now := cmp.Or(model.Join(x.Now.Instances), m.Word)
	if x.Now.Through != "" && len(x.Now.Instances) > 0 {
		now += ", through " + string(x.Now.Through)
	}
	rows := []struct {
		label widget.Words
		text  string
	}{{"should", widget.Words(should).Local()}, {"now", widget.Words(now).Local()}, {"dsn", x.DSN.Text(access.FormURI)}, {"way", widget.Words(x.Way).Local()},
		{"for", widget.Words(x.At.Use).Local()}, {"tried", widget.Words(triedText(&x.Check)).Local()}, {"from", widget.Words(string(h.Kind) + ", " + h.From).Local()}}
	for _, r := range rows {
		if r.text != "" {
			out = append(out, page.LabelledRaw(widget.T(theme.Dim, " "+r.label), theme.Plain, r.text, 9, e.W, 2)...)
		}
	}
	return append(out, nil)
}

// triedText is what trying an entry found.
func triedText(o *source.Observed[access.EntryCheck]) string {
	if o.Tried.IsZero() {
		return ""
	}
	if o.Err != nil {
		return o.Err.Error()
	}
	var out []string
	for _, l := range o.Value.Lookups {
		out = append(out, "DNS "+l.Server+": "+cmp.Or(l.Error, strings.Join(l.Addrs, ", ")))
	}
	for _, t := range o.Value.Touches {
		says := "answers in " + millis(t.Took) + " ms"
		switch {
		case t.Fault != "":
			says = t.Text
		case t.TLS:
			says += ", with TLS"
		default:
			says += ", without TLS"
		}
		out = append(out, t.Addr+" "+says)
	}
	return strings.Join(out, "; ")
}

// choose answers which port an application should use.
func (p *Access) choose(e page.Env) []widget.Line {
	acc := p.Got
	out := []widget.Line{widget.T(theme.Head, " WHICH PORT SHOULD MY APP USE?")}
	advice, name := access.AdviceOf(acc), 0
	for _, x := range advice {
		name = max(name, widget.Width(x.String()))
	}
	for _, x := range advice {
		head := widget.P(" ").AddRaw(theme.Strong, x.String())
		if e.W >= page.Narrow {
			head = head.Pad(name + 1)
		}
		out = append(out, page.Flow(head.Add(theme.Plain, "  "), widget.Words(x.Need), e.W)...)
		out = append(out, page.Wrapped(theme.Dim, widget.Words(x.Why), "   ", e.W, 4)...)
	}
	if len(acc.Smart) > 0 {
		out = append(out, nil, widget.T(theme.Head, " CLIENTS THAT CHOOSE THEMSELVES"))
	}
	for _, u := range acc.Smart {
		out = append(out, page.WrappedRaw(theme.Plain, u.Text(access.FormURI), " ", e.W, 6)...)
		out = append(out, page.Wrapped(theme.Dim, widget.Words(u.Why+"; needs "+u.Needs), "   ", e.W, 3)...)
	}
	if len(acc.Notes) > 0 {
		out = append(out, nil)
	}
	for _, n := range acc.Notes {
		out = append(out, page.Marked(theme.Dim, " · ", widget.Words(n), e.W, 4)...)
	}
	return out
}
