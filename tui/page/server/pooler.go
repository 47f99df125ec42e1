// Package server has the pages of one instance's programs, which are queried while
// they are on the screen: its pgbouncer and its PostgreSQL.
package server

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/activity"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// every is how often a page on the screen reads its server again.
const every = 3 * time.Second

// Pooler is the pgbouncer of an instance: its pools, the clients that wait, its
// limits.
type Pooler struct {
	page.Answer[model.PoolReport]
	cluster model.ClusterName
	name    model.InstanceName
	list    page.Listing
}

// PoolerScreen is the page in the registry.
func PoolerScreen() page.Screen {
	return page.Screen{Name: "pgbouncer", Letter: "b", As: keys.Pgbouncer, Help: "pools, waiting clients and limits of an instance's pgbouncer", Needs: true, Topic: page.TopicPooler,
		Open: func(at page.Place, e page.Env) page.Page { return &Pooler{cluster: at.Cluster, name: e.InstanceOf(at)} },
		Keys: append([]keys.Row{
			{Keys: "tab right l", Action: keys.Next, Label: "next instance", Help: "the pgbouncer of the next instance"},
			{Keys: "shift+tab left h", Action: keys.Prev, Help: "the pgbouncer of the previous instance"},
			{Keys: "p", Action: keys.Postgres, Label: "postgres", Help: "the sessions of the instance's PostgreSQL", Opens: "postgres"},
			{Keys: "i", Action: keys.Instance, Label: "instance", Help: "the instance", Opens: "instance"},
			{Keys: "R", Action: keys.Again, Label: "read again", Help: "read it again now"},
		}, keys.Moves()...)}
}

// Title of the page.
func (p *Pooler) Title() widget.Line { return widget.P(widget.F("pgbouncer %s", widget.Data(p.name))) }

// Scope of the page's keys.
func (p *Pooler) Scope() string { return "pgbouncer" }

// Place is the instance.
func (p *Pooler) Place(page.Env) page.Place {
	return page.Place{Cluster: p.cluster, Instance: p.name}
}

// Command prints the same.
func (p *Pooler) Command(page.Env) (string, string) { return "pgtui pgbouncer " + string(p.name), "" }

func (p *Pooler) inquiry() page.Inquiry {
	return page.Inquiry{Topic: page.TopicPooler, Cluster: p.cluster, Instance: p.name}
}

// Start reads when the page opens.
func (p *Pooler) Start() (page.Page, page.Intent) {
	q := *p
	return &q, q.Request(p.inquiry())
}

// Refresh reads again when it is time to.
func (p *Pooler) Refresh(e page.Env) (page.Page, page.Intent) {
	if !p.Due(e.Now, every) {
		return p, nil
	}
	q := *p
	return &q, q.Again(p.inquiry())
}

// List is the pools.
func (p *Pooler) List(page.Env) (n, at int) {
	if p.Got == nil {
		return 0, 0
	}
	return len(p.Got.Pools), p.list.Cursor
}

// Choose puts the cursor on a pool.
func (p *Pooler) Choose(i int, _ page.Env) page.Page {
	return page.With(p, func(q *Pooler) { q.list.Cursor = i })
}

// Do carries out one action.
func (p *Pooler) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	switch a {
	case keys.Again:
		return p.Start()
	case keys.Next, keys.Prev:
		if name := neighbour(p.cluster, p.name, a, e); name != p.name {
			return (&Pooler{cluster: p.cluster, name: name}).Start()
		}
		return p, nil
	}
	head, lines, at := p.lines(e)
	return page.With(p, func(q *Pooler) { q.list = p.list.Move(a, at, len(lines), max(e.H-len(head), 1)) }), nil
}

// Update takes the answer in. The cursor stays on its pool.
func (p *Pooler) Update(msg tea.Msg, _ page.Env) (page.Page, page.Intent) {
	q := *p
	if !q.Take(msg) {
		return p, nil
	}
	if p.Got != nil && q.Got != nil && p.list.Cursor < len(p.Got.Pools) {
		was := p.Got.Pools[p.list.Cursor]
		q.list.Cursor = max(slices.IndexFunc(q.Got.Pools, func(x model.Pool) bool { return x.Database == was.Database && x.User == was.User }), 0)
	}
	return &q, nil
}

// View draws the part of the page that fits.
func (p *Pooler) View(e page.Env) []widget.Line {
	head, lines, at := p.lines(e)
	if p.Got == nil {
		return head
	}
	list := e
	list.H = max(e.H-len(head), 1)
	return append(head, p.list.Page(lines, at, list)...)
}

// lines are what stays on top, the rest, and the lines of it that can be chosen.
func (p *Pooler) lines(e page.Env) (head, lines []widget.Line, at []int) {
	head = p.Trouble("reading the pgbouncer of "+string(p.name), "pgbouncer of "+string(p.name)+" could not be read", e)
	c := clusterOf(p.cluster, e)
	if p.Got == nil || c == nil {
		return head, nil, nil
	}
	health, summary := p.Got.Verdict(c)
	m := page.PartMark(health)
	head = append(head, p.Answered(widget.P(" ").Add(m.Tone, widget.Words(m.Shape+" "+m.Word)), e)...)
	head = append(head, page.Wrapped(theme.Plain, widget.Words(summary), " ", e.W, 3)...)
	if in := c.Instance(p.name); in != nil && e.H > 8 {
		head = append(head, widget.P(" ").AddRaw(theme.Strong, string(p.name)).AddRaw(theme.Dim, fmt.Sprintf("  pgbouncer %s  %s:%d", p.Got.Version, in.Host, in.BouncerPort)).Trunc(e.W))
		head = append(head, page.Wrapped(theme.Dim, widget.Words(strings.Join(p.Got.Limits(), " · ")), " ", e.W, 3)...)
	}
	t := widget.Table{Cols: []widget.Column{
		{Title: "DATABASE", Min: 8, Max: 32}, {Title: "USER", Min: 8, Max: 32, Drop: 1},
		{Title: "CL_ACTIVE", Right: true, Drop: 4}, {Title: "CL_WAITING", Right: true},
		{Title: "SV_ACTIVE", Right: true, Drop: 5}, {Title: "SV_IDLE", Right: true, Drop: 6}, {Title: "SV_USED", Right: true, Drop: 8}, {Title: "POOL_SIZE", Right: true, Drop: 7},
		{Title: "MAXWAIT", Right: true, Drop: 2}, {Title: "POOL_MODE", Drop: 9}, {Title: "STATE", Min: 6, Drop: 3},
	}}
	for i := range p.Got.Pools {
		t.Rows = append(t.Rows, poolRow(p.Got, &p.Got.Pools[i]))
	}
	lay := t.Layout(e.W - 2)
	head = append(head, widget.Join(widget.P(" "), lay.Head()))
	for _, r := range t.Rows {
		at, lines = append(at, len(lines)), append(lines, widget.Join(widget.P(" "), lay.Row(r)))
	}
	return head, append(lines, p.below(e)...), at
}

// below is what is listed below the pools: databases that clients do not get, and the
// clients that wait.
func (p *Pooler) below(e page.Env) (out []widget.Line) {
	r := p.Got
	if len(r.Pools) == 0 {
		out = append(out, widget.T(theme.Dim, "  no pool yet: no client has connected"))
	}
	for _, d := range r.HeldWithoutPool() {
		out = append(out, widget.P("  ").AddRaw(theme.Warn, d.Name+" is "+string(r.Held(&d))).Trunc(e.W))
	}
	if r.MorePools > 0 {
		out = append(out, widget.T(theme.Dim, widget.F("  and %d more pools", r.MorePools)))
	}
	if r.ClientsUnread != "" {
		out = append(append(out, nil), page.Wrapped(theme.Doubt, widget.Words("the waiting clients are unknown: "+r.ClientsUnread), " ", e.W, 2)...)
	}
	if len(r.WaitingClients) == 0 {
		return out
	}
	t := widget.Table{Cols: []widget.Column{{Title: "WAITING CLIENT", Min: 12, Max: 50}, {Title: "WAITS", Right: true}, {Title: "DATABASE", Min: 8, Max: 32, Drop: 1},
		{Title: "USER", Min: 8, Max: 32, Drop: 2}, {Title: "APPLICATION", Min: 8, Max: 40, Drop: 3}}}
	for i := range r.WaitingClients {
		c := &r.WaitingClients[i]
		t.Rows = append(t.Rows, []widget.Line{widget.Raw(theme.Plain, c.Addr), waitCell(c.Wait), widget.Raw(theme.Plain, c.Database), widget.Raw(theme.Plain, c.User), widget.Raw(theme.Dim, c.Application)})
	}
	out = append(append(out, nil), page.TableLines(t, e)...)
	if r.MoreClients > 0 {
		out = append(out, widget.T(theme.Dim, widget.F("  and %d more waiting clients", r.MoreClients)))
	}
	return out
}

// poolRow is one pool as a row of the table.
func poolRow(r *model.PoolReport, p *model.Pool) []widget.Line {
	waiting, state := widget.Raw(theme.Plain, fmt.Sprint(p.ClientsWaiting)), r.StateOf(p)
	if p.ClientsWaiting > 0 {
		waiting[0].Tone = theme.Warn
	}
	return []widget.Line{widget.Raw(theme.Strong, p.Database), widget.Raw(theme.Plain, p.User), widget.Raw(theme.Plain, fmt.Sprint(p.ClientsActive)), waiting, widget.Raw(theme.Plain, fmt.Sprint(p.Active)),
		widget.Raw(theme.Plain, fmt.Sprint(p.Idle)), widget.Raw(theme.Plain, fmt.Sprint(p.Used)), widget.Raw(theme.Dim, fmt.Sprint(p.Size)), waitCell(p.MaxWait), widget.Raw(theme.Dim, p.Mode), widget.T(theme.Warn, widget.Words(state))}
}

// waitCell is how long a client has waited, "–" for none.
func waitCell(d time.Duration) widget.Line {
	switch {
	case d == 0:
		return widget.T(theme.Dim, "–")
	case d >= model.PoolWait:
		return widget.T(theme.Warn, widget.Words(activity.Age(d)))
	}
	return widget.P(widget.Words(activity.Age(d)))
}

// clusterOf is the cluster as the inventory has it, nil when it has none.
func clusterOf(name model.ClusterName, e page.Env) *model.Cluster {
	if e.Inv == nil {
		return nil
	}
	return e.Inv.Cluster(name)
}

// neighbour is the instance after one in its cluster, before it for keys.Prev.
func neighbour(c model.ClusterName, name model.InstanceName, a keys.Action, e page.Env) model.InstanceName {
	cl := clusterOf(c, e)
	if cl == nil || len(cl.Instances) == 0 {
		return name
	}
	at := max(0, slices.IndexFunc(cl.Instances, func(in model.Instance) bool { return in.Name == name }))
	return cl.Instances[page.Neighbour(a, at, len(cl.Instances))].Name
}
