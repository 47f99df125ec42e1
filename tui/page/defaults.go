package page

import (
	"strings"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/trace"
	"pgtui/plan"
	"pgtui/source"
	"pgtui/tui/keys"
)

// Defaults are the bindings of one screen when everything can be done there.
type Defaults struct {
	Screen string
	Keys   []keys.Binding
}

// AllDefaults are those of every screen, of a reload under way and of one that
// has ended.
func AllDefaults() []Defaults {
	c := &model.Cluster{Name: "x", LoadBalancers: []model.LoadBalancer{{Services: []model.Service{{Name: "a"}, {Name: "b"}}}}}
	e := Env{Asks: []Topic{TopicAccess, TopicComponents, TopicTrace, TopicOrigins}, Boards: []board.Board{{Cluster: c}}, Inv: &model.Inventory{}}
	running, done := NewRun(PlanMsg{}), NewRun(PlanMsg{})
	done.done = &DoneMsg{}
	out := []Defaults{{"reloading", running.Keys(e)}, {"reloaded", done.Keys(e)}}
	for _, s := range Screens() {
		p := s.Open(Place{Cluster: c.Name, Service: "a"}, e)
		switch p := p.(type) {
		case *Diff:
			p.msg = &PlanMsg{Plan: plan.Plan{Nodes: []plan.Node{{Changes: []plan.FileChange{{}}}}}}
			p.doc.unified.files = []int{0}
		case *Access:
			p.got = &access.Access{}
		case *Components:
			p.got = &[]model.ComponentRow{}
		case *Trace:
			p.got = &trace.Trace{}
		case *Inventory:
			p.got = &source.Origins{}
		}
		out = append(out, Defaults{s.Name, p.Keys(e)})
	}
	return out
}

// Columns are the columns that can be chosen, by screen, as they are written in a
// configuration.
func Columns() map[string][]string {
	var fleet []string
	for _, c := range fleetColumns(0, 0) {
		fleet = append(fleet, strings.ToLower(c.Title))
	}
	return map[string][]string{"fleet": fleet}
}
