package overview

import (
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/tui/keys"
	"pgtui/tui/page"
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

// Title is the cluster's name.
func (p *Cluster) Title() string { return string(p.name) }

// Filter is the text the services are narrowed to.
func (p *Cluster) Filter() string { return p.filter }

// SetFilter narrows the services.
func (p *Cluster) SetFilter(text string) page.Page {
	q := *p
	q.filter = text
	return &q
}

// BoardScreen is the board in the registry.
func BoardScreen() page.Screen {
	return page.Screen{Name: "board", Key: "2", Help: "who serves each port of the cluster", Needs: true, Board: true,
		Open: func(at page.Place, _ page.Env) page.Page { return &Cluster{name: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "detail", Help: "the service: its definition, its servers, each HAProxy's view", Opens: "service"},
			{Keys: "f", Action: keys.Findings, Label: "findings", Help: "findings, with the evidence", Opens: "findings"},
			{Keys: "d", Action: keys.Diff, Label: "diff", Help: "what a reload would change, node by node", Opens: "diff"},
			{Keys: "r", Action: keys.Reload, Label: "reload", Help: "reload the HAProxies: plan, diff, confirmation", Opens: "reload"},
			{Keys: "e", Action: keys.Events, Label: "events", Help: "what has changed since the console was opened", Opens: "events"},
			{Keys: "t", Action: keys.Topology, Label: "topology", Help: "who replicates from whom, with lag, timeline and sync state", Opens: "topology"},
			{Keys: "i", Action: keys.Instance, Label: "instance", Help: "the instance under the cursor, else the leader", Opens: "instance"},
			{Keys: "n", Action: keys.Node, Label: "haproxy", Help: "the HAProxy nodes, each with every service on it", Opens: "haproxy"},
			{Keys: "w", Action: keys.WhatIf, Label: "what if", Help: "on paper: the member under the cursor is down, or leads", Opens: "what-if"},
			{Keys: "a", Action: keys.Access, Label: "access", Help: "every endpoint, where each leads, and which one to use", Opens: "access"},
			{Keys: "c", Action: keys.Parts, Label: "components", Help: "what Pigsty runs on the nodes, trouble first", Opens: "components"},
			{Keys: "T", Action: keys.Trace, Label: "trace", Help: "one connection to the service, hop by hop", Opens: "trace"},
			{Keys: "v", Action: keys.Values, Label: "values", Help: "where each value of the inventory comes from: file and line", Opens: "inventory"},
			{Keys: "left h", Action: keys.Left, Help: "the cell to the left; past the first: the whole service"},
			{Keys: "right l", Action: keys.Right, Help: "the cell to the right"},
			{Keys: "/", Action: keys.Filter, Help: "narrow the services as you type"},
		}, keys.Moves()...)}
}

// Scope of the board's keys.
func (p *Cluster) Scope() string { return "board" }

// Place of the cell under the cursor.
func (p *Cluster) Place(e page.Env) page.Place {
	at := page.Place{Cluster: p.name, Service: p.service, Instance: p.inst}
	if b := e.Board(p.name); b != nil {
		if routes, _ := p.routes(b); len(routes) > 0 {
			at.Service = routes[p.at(routes)].Service
		}
	}
	return at
}

// Command prints what the board shows.
func (p *Cluster) Command(page.Env) (string, string) {
	return "pgtui status " + string(p.name), "pg list " + string(p.name)
}

// routes are the services that are shown and how many are hidden.
func (p *Cluster) routes(b *board.Board) (out []*board.Route, hidden int) {
	for i := range b.Routes {
		r := &b.Routes[i]
		if !page.Matches(p.filter, string(r.Service), r.Port, string(r.Verdict)) {
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

// List is the services that are shown.
func (p *Cluster) List(e page.Env) (n, at int) {
	routes, _ := p.routes(e.Board(p.name))
	return len(routes), p.at(routes)
}

// Choose puts the cursor on a service.
func (p *Cluster) Choose(i int, e page.Env) page.Page {
	q := *p
	routes, _ := p.routes(e.Board(p.name))
	q.service, q.top = routes[i].Service, widget.Window(p.top, i, len(routes), max(e.H-6, 1))
	return &q
}

// Do carries out one action.
func (p *Cluster) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	b := e.Board(p.name)
	q, col := *p, p.column(b)
	switch {
	case a == keys.Left:
		q.inst = ""
		if col > 0 {
			q.inst = b.Members[col-1].Instance
		}
	case a == keys.Right && col+1 < len(b.Members):
		q.inst = b.Members[col+1].Instance
	default:
		return page.Move(p, a, e.H/2, e), nil
	}
	return &q, nil
}

// Name is the cluster the board is of.
func (p *Cluster) Name() model.ClusterName { return p.name }
