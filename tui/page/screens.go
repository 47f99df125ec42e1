package page

import (
	"pgtui/model"
	"pgtui/tui/keys"
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

// Screen is one entry of the registry of screens: the palette, the numbers, the
// table of keys and the tests of all pages come from it.
type Screen struct {
	Name string // as it is typed behind `:`, and the scope of its keys
	Key  string // the number that jumps to it; "" has none
	Help string
	// Needs says that the screen is of a cluster.
	Needs bool
	// Board says that it is drawn from the cluster's board, which its pages may
	// then take for granted.
	Board bool
	// Topic is what it probes the nodes for; "" when it is drawn from the watch.
	Topic Topic
	// Keys are the keys that work on it, the most useful first.
	Keys []keys.Row
	// Columns are those that a configuration can choose from.
	Columns []string
	// Open makes the page; nil when only other pages open it.
	Open func(Place, Env) Page
}

// Offered reports whether there is somebody to ask what the screen shows.
func (s Screen) Offered(e Env) bool { return s.Open != nil && (s.Topic == "" || e.Offers(s.Topic)) }

// Table is the table of keys of all screens.
func Table(screens []Screen) keys.Table {
	var out keys.Table
	for _, s := range screens {
		out = append(out, keys.Scope(s.Name, s.Keys)...)
	}
	out = append(out, keys.Scope(keys.Everywhere, keys.Global())...)
	for _, s := range screens {
		if s.Open != nil {
			out = append(out, keys.Row{Keys: s.Key, Action: keys.Screen(s.Name), Help: s.Name + ": " + s.Help, Opens: s.Name})
		}
	}
	return out
}

// CommandOf is a command and the cluster it is of, if any.
func CommandOf(command string, c model.ClusterName) string {
	if c == "" {
		return command
	}
	return command + " " + string(c)
}

// ServiceOf is the service at a place, the cluster's first when none is named.
func (e Env) ServiceOf(at Place) model.ServiceName {
	if b := e.Board(at.Cluster); at.Service == "" && b != nil && len(b.Routes) > 0 {
		return b.Routes[0].Service
	}
	return at.Service
}

// InstanceOf is the instance at a place, else the cluster's leader, else its first.
func (e Env) InstanceOf(at Place) model.InstanceName {
	b := e.Board(at.Cluster)
	switch {
	case at.Instance != "" || b == nil:
		return at.Instance
	case b.Member(b.Leader) == nil && len(b.Members) > 0:
		return b.Members[0].Instance
	}
	return b.Leader
}

// HostOf is the host at a place, else the one of its instance, else the first
// that has an HAProxy of the cluster.
func (e Env) HostOf(at Place) model.Host {
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
