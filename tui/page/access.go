package page

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Access is every way into one cluster: hosts by ports, where each leads, and
// which one to give to an application.
type Access struct {
	answer[access.Access]
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

// NewAccess is the ways into a cluster.
func NewAccess(name model.ClusterName) *Access { return &Access{cluster: name} }

// Title of the page.
func (p *Access) Title() string { return "access" }

// Start asks when the page opens.
func (p *Access) Start() (Page, Intent) {
	q := *p
	var ask Intent
	q.answer, ask = p.ask(Inquiry{Topic: TopicAccess, Cluster: p.cluster})
	return &q, ask
}

// Keys of the page.
func (p *Access) Keys(e Env) []keys.Binding {
	var out []keys.Binding
	if p.got != nil && e.Offers(TopicTrace) {
		out = append(out, keys.New(keys.Open, "trace", "enter", "one connection to the entry under the cursor, hop by hop", "enter", "T"))
	}
	out = append(out, keys.New(keys.Again, "ask again", "R", "resolve the names and connect to every entry again", "R"))
	if p.got != nil {
		out = append(out,
			keys.New(keys.DSN, "copy DSN", "D", "copy the entry's DSN, never with a password; again: in the next form (key=value, JDBC, Go, Python)", "D"),
			keys.New(keys.Next, "which port?", "tab", "which port should my app use; again: back to the entries", "tab"),
			keys.New(keys.Left, "", "←/h", "the port to the left", "left", "h"),
			keys.New(keys.Right, "", "→/l", "the port to the right", "right", "l"))
	}
	if e.Offers(TopicComponents) {
		out = append(out, keys.New(keys.Parts, "", "c", "what Pigsty runs on the nodes", "c"))
	}
	return append(out, keys.Moves()...)
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
func (p *Access) Do(a keys.Action, e Env) (Page, Intent) {
	switch {
	case a == keys.Again:
		return p.Start()
	case a == keys.Parts:
		return p, Goto{NewComponents(p.cluster)}
	case p.got == nil:
		return p, nil
	}
	acc := p.got
	row, col := p.at(acc)
	if row < 0 || col < 0 {
		return p, nil
	}
	q := *p
	switch a {
	case keys.Open:
		x := p.entry(&acc.Hosts[row], &acc.Ports[col])
		if x == nil {
			return p, Say{"there is nothing to connect to"}
		}
		if !e.Offers(TopicTrace) {
			return p, nil
		}
		return p, Goto{traceEntry(p.cluster, x, e)}
	case keys.DSN:
		x := p.entry(&acc.Hosts[row], &acc.Ports[col])
		if x == nil {
			return p, Say{"there is nothing to connect to"}
		}
		forms := access.Forms()
		q.form = (p.form + 1) % len(forms)
		return &q, Yank{x.DSN.Text(forms[p.form])}
	case keys.Next:
		if q.top = 0; p.top == 0 {
			q.top = max(min(len(p.ways(e)), len(p.lines(e))-e.H), 0)
		}
		return &q, nil
	case keys.Up, keys.Down:
		row, _ = keys.Move(a, row, len(acc.Hosts), e.H)
		q.top = 0
	case keys.Left:
		col, q.top = max(col-1, 0), 0
	case keys.Right:
		col, q.top = min(col+1, len(acc.Ports)-1), 0
	default:
		if i, ok := scroll(a, p.top, len(p.lines(e)), e.H); ok {
			q.top = i
		}
	}
	q.host, q.port = rowKey(&acc.Hosts[row]), colKey(&acc.Ports[col])
	if q.host != p.host || q.port != p.port {
		q.form = 0
	}
	return &q, nil
}

// Update takes the answer in.
func (p *Access) Update(msg tea.Msg, _ Env) (Page, Intent) {
	got, ok := p.take(msg)
	if !ok {
		return p, nil
	}
	q := *p
	q.answer = got
	return &q, nil
}

// entry is the cell of a row and a column, or nil.
func (p *Access) entry(h *access.EntryHost, at *model.EntryPort) *access.Entry {
	for i := range p.got.Entries {
		x := &p.got.Entries[i]
		if rowKey(&x.On) == rowKey(h) && colKey(&x.At) == colKey(at) {
			return x
		}
	}
	return nil
}

// View draws the part of the page that fits.
func (p *Access) View(e Env) []widget.Line { return scrolled(p.lines(e), p.top, e) }

// lines is the whole page.
func (p *Access) lines(e Env) []widget.Line {
	out := p.ways(e)
	if p.got == nil || len(p.got.Entries) == 0 {
		return out
	}
	return append(out, p.choose(e)...)
}

// ways is the matrix and the entry under the cursor: the page as far as the
// advice, which tab scrolls to.
func (p *Access) ways(e Env) []widget.Line {
	out := p.trouble("resolving the names of "+string(p.cluster)+" and connecting to every host and port of it", "the ways in are not known", e)
	if p.got == nil {
		return out
	}
	acc := p.got
	health, summary := access.Health(acc)
	m := healthMark(health, false)
	title := widget.P(" ").Add(m.tone, m.shape+" "+m.word).Add(theme.Dim, fmt.Sprintf("  %s by %s", plural(len(acc.Hosts), "host"), plural(len(acc.Ports), "port")))
	out = append(out, p.answered(title, e)...)
	if health != model.HealthOK || e.H > 12 {
		out = append(out, wrapped(theme.Plain, summary, " ", e.W, 2)...)
	}
	row, col := p.at(acc)
	if row < 0 || col < 0 {
		return append(out, widget.T(theme.Warn, " there is no way in: no instance, or no port"))
	}
	out = append(out, p.matrix(row, col, len(out), e)...)
	if e.H >= 12 {
		out = append(out, nil)
	}
	return append(out, p.detail(&acc.Hosts[row], &acc.Ports[col], e)...)
}

// matrix is hosts by ports, as much of both as there is room for with the
// cursor in it; above is how many lines there are in front of it.
func (p *Access) matrix(row, col, above int, e Env) []widget.Line {
	acc := p.got
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
		head[0] = widget.Join(head[0], widget.T(theme.Head, fmt.Sprint(" ", at.Port)).Add(theme.Dim, more).Pad(wide))
		head[1] = widget.Join(head[1], widget.P(" "+at.Name).Pad(wide))
		head[2] = widget.Join(head[2], widget.T(theme.Dim, " → "+targetWord(at.Target)).Pad(wide))
	}
	out := head[:]
	if e.H < 12 {
		out = head[:2]
	}
	rows := min(len(acc.Hosts), max(e.H-len(out)-10, min(e.H-above-len(out)-1, 2), 1))
	top := widget.Window(0, row, len(acc.Hosts), rows)
	for i := top; i < top+rows; i++ {
		h := &acc.Hosts[i]
		l := widget.P(" ").Add(theme.Strong, widget.Tail(h.Name, name)).Pad(name + 1)
		if i == row {
			l = widget.P("▸").Add(theme.Strong, widget.Tail(h.Name, name)).Pad(name + 1)
		}
		for k := left; k < left+seen; k++ {
			cell := widget.Join(widget.P(" "), p.cell(p.entry(h, &acc.Ports[k]), wide-1)).Pad(wide)
			if i == row && k == col {
				cell = cell.Under()
			}
			l = widget.Join(l, cell)
		}
		out = append(out, l)
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
		who = " " + seqs(p.got.Cluster, x.Now.Instances)
	}
	if l := m.line().Add(m.tone, who); l.Width() <= w {
		return l
	}
	switch { // shorter words
	case x.Now.Verdict == model.Empty:
		m.word = "nobody"
	case x.Now.Verdict == model.Mismatch:
		m.word = "wrong"
	case x.Fine() && who != "":
		return widget.T(m.tone, m.shape+who).Trunc(w)
	}
	return m.line().Add(m.tone, who).Trunc(w)
}

// entryMark draws where an entry leads.
func entryMark(x *access.Entry) mark {
	if x.Now.Verdict == model.Empty && x.Now.ByDesign {
		return mark{"–", "nobody, as declared", theme.Dim}
	}
	return verdictMark(x.Now.Verdict)
}

// targetWord is a target as the head of a column says it.
func targetWord(t model.Target) string {
	switch t {
	case model.TargetInstance:
		return "host"
	case model.TargetOther:
		return "its check"
	}
	return string(t)
}

// detail is the entry under the cursor.
func (p *Access) detail(h *access.EntryHost, at *model.EntryPort, e Env) []widget.Line {
	x := p.entry(h, at)
	if x == nil {
		return flow(widget.P(" ").Add(theme.Strong, fmt.Sprintf("%s:%d", h.Name, at.Port)).Add(theme.Dim, " – "),
			"no way in: "+at.Name+" is not on this host", e.W)
	}
	m := entryMark(x)
	word := m.word
	if len(x.Now.Instances) > 0 {
		word += " " + model.Join(x.Now.Instances)
	}
	out := flow(widget.P(" ").Add(theme.Strong, x.String()+"  ").Add(m.tone, m.shape+" "+word).Add(theme.Plain, "  "), x.Now.Why, e.W)
	should := string(x.At.Target)
	if x.At.Target == model.TargetInstance {
		should = "one instance"
	}
	if len(x.Should) > 0 {
		should += ": " + model.Join(x.Should)
	}
	now := model.Join(x.Now.Instances)
	if now == "" {
		now = m.word
	}
	if x.Now.Through != "" && len(x.Now.Instances) > 0 {
		now += ", through " + string(x.Now.Through)
	}
	rows := [][2]string{{"should", should}, {"now", now}, {"dsn", x.DSN.Text(access.FormURI)}, {"way", x.Way}, {"for", x.At.Use},
		{"tried", triedText(&x.Check)}, {"from", string(h.Kind) + ", " + h.From}}
	for _, r := range rows {
		if r[1] != "" {
			out = append(out, labelled(widget.T(theme.Dim, " "+r[0]), theme.Plain, r[1], 9, e.W, 2)...)
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
		says := strings.Join(l.Addrs, ", ")
		if l.Error != "" {
			says = l.Error
		}
		out = append(out, "DNS "+l.Server+": "+says)
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
func (p *Access) choose(e Env) []widget.Line {
	acc := p.got
	out := []widget.Line{widget.T(theme.Head, " WHICH PORT SHOULD MY APP USE?")}
	advice, name := access.AdviceOf(acc), 0
	for _, x := range advice {
		name = max(name, widget.Width(x.String()))
	}
	for _, x := range advice {
		head := widget.P(" ").Add(theme.Strong, x.String())
		if e.W >= narrow {
			head = head.Pad(name + 1)
		}
		out = append(out, flow(head.Add(theme.Plain, "  "), x.Need, e.W)...)
		out = append(out, wrapped(theme.Dim, x.Why, "   ", e.W, 4)...)
	}
	if len(acc.Smart) > 0 {
		out = append(out, nil, widget.T(theme.Head, " CLIENTS THAT CHOOSE THEMSELVES"))
	}
	for _, u := range acc.Smart {
		out = append(out, wrapped(theme.Plain, u.Text(access.FormURI), " ", e.W, 6)...)
		out = append(out, wrapped(theme.Dim, u.Why+"; needs "+u.Needs, "   ", e.W, 3)...)
	}
	if len(acc.Notes) > 0 {
		out = append(out, nil)
	}
	for _, n := range acc.Notes {
		out = append(out, marked(theme.Dim, " · ", n, e.W, 4)...)
	}
	return out
}
