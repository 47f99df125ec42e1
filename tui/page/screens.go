package page

import (
	"pgtui/internal/text"
	"pgtui/model"
)

// Place is what a page is about; empty fields are not decided.
type Place struct {
	Cluster  model.ClusterName
	Service  model.ServiceName
	Instance model.InstanceName
	Host     model.Host
}

// Placed is a page that is about something.
type Placed interface {
	Page
	// Place is what the page, or the row under its cursor, is about.
	Place(e Env) Place
}

// Commander is a page that knows the command that prints what it shows, and
// what one would type in Pigsty's own tools; "" is none.
type Commander interface {
	Page
	Command(e Env) (pgtui, pigsty string)
}

// Screen is one entry of the registry of screens: the palette, the numbers and
// the tests of all pages take them from here.
type Screen struct {
	Name string // as it is typed behind `:`
	Key  string // the number that jumps to it; "" has none
	Help string
	// Needs says that the screen is of a cluster.
	Needs bool
	// Asks is what it asks the nodes about; "" when it is drawn from the watch.
	Asks Topic
	Open func(Place, Env) Page
}

// Offered reports whether there is somebody to ask what the screen shows.
func (s Screen) Offered(e Env) bool { return s.Asks == "" || e.Offers(s.Asks) }

// Screens are the screens of the console, in the order of the palette. A new
// screen is a line here.
func Screens() []Screen {
	return []Screen{
		{Name: "fleet", Key: "1", Help: "every cluster, trouble first", Open: func(Place, Env) Page { return NewFleet() }},
		{Name: "board", Key: "2", Help: "who serves each port of the cluster", Needs: true, Open: func(at Place, _ Env) Page { return NewCluster(at.Cluster) }},
		{Name: "topology", Key: "3", Help: "who replicates from whom: lag, timeline, sync state", Needs: true, Open: func(at Place, _ Env) Page { return &Topology{cluster: at.Cluster, cursor: at.Instance} }},
		{Name: "service", Key: "4", Help: "one service: definition, servers, every HAProxy's view", Needs: true, Open: func(at Place, e Env) Page { return NewService(at.Cluster, serviceOf(at, e)) }},
		{Name: "instance", Key: "5", Help: "one instance: its Patroni, every HAProxy's view of it", Needs: true, Open: func(at Place, e Env) Page { return NewInstance(at.Cluster, instanceOf(at, e)) }},
		{Name: "haproxy", Help: "one HAProxy: every section it runs, with its traffic", Needs: true, Open: func(at Place, e Env) Page { return NewNode(at.Cluster, hostOf(at, e)) }},
		{Name: "findings", Key: "6", Help: "what is wrong, the worst first", Open: func(at Place, _ Env) Page { return NewFindings(at.Cluster) }},
		{Name: "events", Key: "7", Help: "what has changed since the console was opened", Open: func(at Place, _ Env) Page { return NewEvents(at.Cluster) }},
		{Name: "diff", Key: "8", Help: "what a reload would change, node by node", Needs: true, Open: func(at Place, _ Env) Page { return NewDiff(at.Cluster, false) }},
		{Name: "what-if", Key: "9", Help: "on paper: a member is down, or leads", Needs: true, Open: func(at Place, _ Env) Page { return NewWhatIf(at.Cluster, at.Instance) }},
		{Name: "access", Help: "every way in: hosts by ports, where each leads, which one to use", Needs: true, Asks: TopicAccess, Open: func(at Place, _ Env) Page { return NewAccess(at.Cluster) }},
		{Name: "components", Help: "what Pigsty runs on the cluster's nodes, trouble first", Needs: true, Asks: TopicComponents, Open: func(at Place, _ Env) Page { return NewComponents(at.Cluster) }},
		{Name: "trace", Help: "one connection, hop by hop: which hop breaks it", Needs: true, Asks: TopicTrace, Open: func(at Place, e Env) Page { return NewTrace(at.Cluster, serviceOf(at, e)) }},
		{Name: "inventory", Help: "where each value comes from: file and line, and what it hides", Asks: TopicOrigins, Open: func(at Place, _ Env) Page { return NewInventory(at.Cluster) }},
		{Name: "reload", Help: "reload the HAProxies: plan, diff, then a question", Needs: true, Open: func(at Place, _ Env) Page { return NewDiff(at.Cluster, true) }},
		{Name: "log", Key: "0", Help: "what pgtui said, and every command it ran", Open: func(Place, Env) Page { return NewLog() }},
	}
}

// serviceOf is the service at a place, the cluster's first when none is named.
func serviceOf(at Place, e Env) model.ServiceName {
	if at.Service != "" {
		return at.Service
	}
	if b := e.Board(at.Cluster); b != nil && len(b.Routes) > 0 {
		return b.Routes[0].Service
	}
	return ""
}

// instanceOf is the instance at a place, else the cluster's leader, else its first.
func instanceOf(at Place, e Env) model.InstanceName {
	b := e.Board(at.Cluster)
	switch {
	case at.Instance != "" || b == nil:
		return at.Instance
	case b.Member(b.Leader) == nil && len(b.Members) > 0:
		return b.Members[0].Instance
	}
	return b.Leader
}

// hostOf is the host at a place, else the one of its instance, else the first
// that has an HAProxy of the cluster.
func hostOf(at Place, e Env) model.Host {
	b := e.Board(at.Cluster)
	if at.Host != "" || b == nil {
		return at.Host
	}
	if in := b.Cluster.Instance(at.Instance); in != nil {
		return in.Host
	}
	if len(b.Cluster.LoadBalancers) > 0 {
		return b.Cluster.LoadBalancers[0].Host
	}
	return ""
}

// Place of the row under the cursor.
func (p *Fleet) Place(e Env) Place {
	if rows, _ := p.rows(e); len(rows) > 0 {
		return Place{Cluster: rows[p.at(rows)].Cluster.Name}
	}
	return Place{}
}

// Command prints what the fleet shows.
func (p *Fleet) Command(Env) (string, string) { return "pgtui status", "pg list" }

// Place of the cell under the cursor.
func (p *Cluster) Place(e Env) Place {
	at := Place{Cluster: p.name, Service: p.service, Instance: p.inst}
	if b := e.Board(p.name); b != nil && at.Service == "" && len(b.Routes) > 0 {
		at.Service = b.Routes[0].Service
	}
	return at
}

// Command prints what the board shows.
func (p *Cluster) Command(Env) (string, string) {
	return "pgtui status " + string(p.name), "pg list " + string(p.name)
}

// Place of the page.
func (p *Service) Place(Env) Place { return Place{Cluster: p.cluster, Service: p.name} }

// Command prints what the page shows.
func (p *Service) Command(Env) (string, string) {
	return "pgtui status " + string(p.cluster), "cat /etc/haproxy/conf.d/" + string(p.cluster) + "-" + string(p.name) + ".cfg"
}

// Place of the finding under the cursor.
func (p *Findings) Place(e Env) Place {
	if rows, _ := p.rows(e); len(rows) > 0 {
		f := rows[p.at(rows)]
		return Place{Cluster: f.Cluster, Service: f.Service, Instance: f.Instance, Host: f.Host}
	}
	return Place{Cluster: p.cluster}
}

// Command prints the findings.
func (p *Findings) Command(Env) (string, string) { return words("pgtui doctor", p.cluster), "" }

// Place of the event under the cursor.
func (p *Events) Place(e Env) Place {
	if rows, _ := p.rows(e); len(rows) > 0 {
		return Place{Cluster: rows[p.at(rows)].Cluster}
	}
	return Place{Cluster: p.cluster}
}

// Command prints changes as they come.
func (p *Events) Command(Env) (string, string) {
	pigsty := ""
	if p.cluster != "" {
		pigsty = "pg history " + string(p.cluster)
	}
	return words("pgtui status", p.cluster) + " --watch", pigsty
}

// Place of the page.
func (p *Diff) Place(Env) Place { return Place{Cluster: p.cluster} }

// Command prints the same plan.
func (p *Diff) Command(Env) (string, string) {
	c := string(p.cluster)
	return "pgtui reload " + c + " --dry-run", "bin/pgsql-svc " + c
}

// Place of the page.
func (p *WhatIf) Place(Env) Place { return Place{Cluster: p.name, Instance: p.cursor} }

// Command supposes the same.
func (p *WhatIf) Command(e Env) (string, string) {
	out := "pgtui whatif " + string(p.name)
	b := e.Board(p.name)
	if b == nil {
		return out, ""
	}
	sup, _ := p.supposed(b)
	for _, n := range sup.Down {
		out += " --down " + text.Word(string(n))
	}
	if sup.Leader != "" {
		out += " --leader " + text.Word(string(sup.Leader))
	}
	return out, ""
}

// words is a command and the cluster it is of, if any.
func words(command string, c model.ClusterName) string {
	if c == "" {
		return command
	}
	return command + " " + string(c)
}

// Place of the member under the cursor.
func (p *Topology) Place(Env) Place { return Place{Cluster: p.cluster, Instance: p.cursor} }

// Command prints the members.
func (p *Topology) Command(Env) (string, string) {
	return "pgtui status " + string(p.cluster), "pg topology " + string(p.cluster)
}

// Place of the page.
func (p *Instance) Place(Env) Place { return Place{Cluster: p.cluster, Instance: p.name} }

// Command prints what the page shows of the instance.
func (p *Instance) Command(Env) (string, string) {
	return "pgtui status " + string(p.cluster), "pg list " + string(p.cluster)
}

// Place of the page.
func (p *Node) Place(Env) Place { return Place{Cluster: p.cluster, Host: p.host} }

// Command prints where each port of the cluster leads, node by node.
func (p *Node) Command(Env) (string, string) { return "pgtui routes " + string(p.cluster), "" }

// Place of the entry under the cursor.
func (p *Access) Place(Env) Place {
	at := Place{Cluster: p.cluster}
	if p.got == nil {
		return at
	}
	if row, col := p.at(p.got); row >= 0 && col >= 0 {
		at.Service, at.Instance = p.got.Ports[col].Service, p.got.Hosts[row].Instance
	}
	return at
}

// Command prints the ways in.
func (p *Access) Command(Env) (string, string) { return "pgtui access " + string(p.cluster), "" }

// Place of the component under the cursor.
func (p *Components) Place(Env) Place {
	at := Place{Cluster: p.cluster}
	if p.got == nil {
		return at
	}
	if rows := inOrder(*p.got); len(rows) > 0 {
		r := rows[min(p.list.cursor, len(rows)-1)]
		at.Host, at.Instance = r.Host, r.Instance
	}
	return at
}

// Command prints the components.
func (p *Components) Command(Env) (string, string) {
	return "pgtui components " + string(p.cluster), ""
}

// Place of the page.
func (p *Trace) Place(Env) Place { return Place{Cluster: p.cluster, Service: p.service} }

// Command makes the same connection.
func (p *Trace) Command(Env) (string, string) {
	out := "pgtui trace"
	for _, w := range p.target {
		out += " " + text.Word(w)
	}
	return out, ""
}
