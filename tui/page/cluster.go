package page

import (
	tea "charm.land/bubbletea/v2"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/widget"
)

// Cluster is the board of one cluster: services by instances, who serves
// what, and why.
type Cluster struct {
	name    model.ClusterName
	service model.ServiceName  // row of the cursor; "" is the first
	inst    model.InstanceName // column of the cursor; "" is the whole row
	top     int
	filter  string
}

// NewCluster is the board with the cursor on the first service.
func NewCluster(name model.ClusterName) *Cluster { return &Cluster{name: name} }

// Title is the cluster's name.
func (p *Cluster) Title() string { return string(p.name) }

// Filter is the text the services are narrowed to.
func (p *Cluster) Filter() string { return p.filter }

// SetFilter narrows the services.
func (p *Cluster) SetFilter(text string) Page {
	q := *p
	q.filter = text
	return &q
}

// Keys of the board.
func (p *Cluster) Keys(e Env) []keys.Binding {
	out := []keys.Binding{
		keys.New(keys.Open, "detail", "enter", "the service: its definition, its servers, each HAProxy's view", "enter"),
		keys.New(keys.Findings, "findings", "f", "what is wrong, with the evidence", "f"),
		keys.New(keys.Diff, "diff", "d", "what a reload would change, node by node", "d"),
		keys.New(keys.Reload, "reload", "r", "reload the HAProxies: plan, diff, then a question", "r"),
		keys.New(keys.Events, "events", "e", "what has changed since the console was opened", "e"),
		keys.New(keys.Topology, "topology", "t", "who replicates from whom, with lag, timeline and sync state", "t"),
		keys.New(keys.Instance, "instance", "i", "the instance under the cursor, else the leader", "i"),
		keys.New(keys.Node, "haproxy", "n", "the HAProxy nodes, each with all that it serves", "n"),
		keys.New(keys.WhatIf, "what if", "w", "on paper: the member under the cursor is down, or leads", "w"),
	}
	if e.Offers(TopicAccess) {
		out = append(out, keys.New(keys.Access, "access", "a", "every way in, where each leads, and which one to use", "a"))
	}
	if e.Offers(TopicComponents) {
		out = append(out, keys.New(keys.Parts, "components", "c", "what Pigsty runs on the nodes, trouble first", "c"))
	}
	if e.Offers(TopicTrace) {
		out = append(out, keys.New(keys.Trace, "trace", "T", "one connection to the service, hop by hop", "T"))
	}
	if e.Offers(TopicOrigins) {
		out = append(out, keys.New(keys.Values, "values", "v", "where each value of the inventory comes from: file and line", "v"))
	}
	out = append(out,
		keys.New(keys.Left, "", "←/h", "the cell to the left; past the first: the whole service", "left", "h"),
		keys.New(keys.Right, "", "→/l", "the cell to the right", "right", "l"),
		keys.New(keys.Filter, "", "/", "narrow the services as you type", "/"))
	return append(out, keys.Moves()...)
}

// routes are the services that are shown and how many are hidden.
func (p *Cluster) routes(b *board.Board) (out []*board.Route, hidden int) {
	for i := range b.Routes {
		r := &b.Routes[i]
		if !matches(p.filter, string(r.Service), r.Port, string(r.Verdict)) {
			hidden++
			continue
		}
		out = append(out, r)
	}
	return out, hidden
}

// at is the row of the cursor.
func (p *Cluster) at(routes []*board.Route) int {
	for i, r := range routes {
		if r.Service == p.service {
			return i
		}
	}
	return 0
}

// column is the column of the cursor, -1 for the whole row.
func (p *Cluster) column(b *board.Board) int {
	for i := range b.Members {
		if b.Members[i].Instance == p.inst {
			return i
		}
	}
	return -1
}

// Do carries out one action.
func (p *Cluster) Do(a keys.Action, e Env) (Page, Intent) {
	switch a {
	case keys.Findings:
		return p, Goto{NewFindings(p.name)}
	case keys.Events:
		return p, Goto{NewEvents(p.name)}
	case keys.WhatIf:
		return p, Goto{NewWhatIf(p.name, p.inst)}
	case keys.Access:
		return p, Goto{NewAccess(p.name)}
	case keys.Parts:
		return p, Goto{NewComponents(p.name)}
	case keys.Values:
		return p, Goto{NewInventory(p.name)}
	case keys.Diff:
		return p, Goto{NewDiff(p.name, false)}
	case keys.Reload:
		return p, Goto{NewDiff(p.name, true)}
	}
	b := e.Board(p.name)
	if b == nil {
		return p, nil
	}
	switch a {
	case keys.Topology:
		return p, Goto{&Topology{cluster: p.name, cursor: p.inst}}
	case keys.Instance:
		return p, p.instance(b)
	case keys.Node:
		return p, p.node(b)
	case keys.Trace:
		return p, p.trace(e)
	}
	routes, _ := p.routes(b)
	if len(routes) == 0 {
		return p, nil
	}
	q, cur := *p, p.at(routes)
	q.service = routes[cur].Service
	switch col := p.column(b); a {
	case keys.Open:
		return &q, Goto{NewService(p.name, q.service)}
	case keys.Left:
		q.inst = ""
		if col > 0 {
			q.inst = b.Members[col-1].Instance
		}
	case keys.Right:
		if col+1 < len(b.Members) {
			q.inst = b.Members[col+1].Instance
		}
	}
	if i, ok := keys.Move(a, cur, len(routes), e.H/2); ok {
		q.service = routes[i].Service
		q.top = widget.Window(p.top, i, len(routes), max(e.H-6, 1))
	}
	return &q, nil
}

// instance opens the instance of the cursor's column, else the leader, else the first.
func (p *Cluster) instance(b *board.Board) Intent {
	name := p.inst
	if name == "" {
		name = b.Leader
	}
	if name == "" && len(b.Members) > 0 {
		name = b.Members[0].Instance
	}
	if name == "" {
		return Say{"the inventory declares no instance"}
	}
	return Goto{NewInstance(p.name, name)}
}

// node opens the HAProxy of the cursor's column, else the first.
func (p *Cluster) node(b *board.Board) Intent {
	if in := b.Cluster.Instance(p.inst); in != nil {
		return Goto{NewNode(p.name, in.Host)}
	}
	if len(b.Cluster.LoadBalancers) == 0 {
		return Say{"no HAProxy node exposes this cluster"}
	}
	return Goto{NewNode(p.name, b.Cluster.LoadBalancers[0].Host)}
}

// trace opens the way of a connection to the cursor's service.
func (p *Cluster) trace(e Env) Intent {
	s := serviceOf(p.Place(e), e)
	if s == "" {
		return Say{"the inventory declares no service"}
	}
	return Goto{NewTrace(p.name, s)}
}

// Update changes nothing: the board comes with the Env.
func (p *Cluster) Update(tea.Msg, Env) (Page, Intent) { return p, nil }

// Name is the cluster the board is of.
func (p *Cluster) Name() model.ClusterName { return p.name }
