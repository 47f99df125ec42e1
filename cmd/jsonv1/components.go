package jsonv1

import (
	"time"

	"pgtui/model"
)

// Components is the document of `pgtui components -o json`.
type Components struct {
	Version int `json:"version"`
	Past
	Inventory string           `json:"inventory"`
	Dialect   string           `json:"dialect"` // the Pigsty generation whose ports apply
	Health    string           `json:"health"`
	Summary   string           `json:"summary"`
	ExitCode  int              `json:"exit_code"`
	Nodes     []ComponentsNode `json:"nodes"`
}

// ComponentsNode is one node.
type ComponentsNode struct {
	Host       string      `json:"host"`
	Node       string      `json:"node"` // "" when only the node itself knows its name
	Components []Component `json:"components"`
}

// Component is one program on a node.
type Component struct {
	Name      string   `json:"name"`
	Module    string   `json:"module"` // node, pgsql, infra, etcd
	Instance  string   `json:"instance,omitempty"`
	Port      *uint16  `json:"port"` // null: it has no port that is probed
	Reachable bool     `json:"reachable"`
	Health    string   `json:"health"` // `up`, `sick`, `down`, `silent`, `unknown`
	Why       string   `json:"why,omitempty"`
	Version   string   `json:"version,omitempty"`
	Unit      string   `json:"unit,omitempty"`  // its systemd unit
	State     string   `json:"state,omitempty"` // what systemd reports of it; absent when the node was not queried
	Ms        *float64 `json:"ms"`              // null: it did not answer
	AgeMs     *int64   `json:"age_ms"`
}

// NewComponents makes the document.
func NewComponents(inv *model.Inventory, nodes []*model.Node, rows []model.ComponentRow, now time.Time) Components {
	health, summary := model.ComponentsHealth(rows)
	out := Components{Version: 1, Inventory: inv.Source, Dialect: string(inv.Dialect), Health: health.String(), Summary: summary, ExitCode: int(health)}
	for _, n := range nodes {
		cn := ComponentsNode{Host: string(n.Host), Node: n.Name, Components: []Component{}}
		for i := range rows {
			if rows[i].Host == n.Host {
				cn.Components = append(cn.Components, newComponent(&rows[i], now))
			}
		}
		out.Nodes = append(out.Nodes, cn)
	}
	return out
}

func newComponent(r *model.ComponentRow, now time.Time) Component {
	st := r.State.Value
	c := Component{Name: r.Name, Module: r.Module, Instance: string(r.Instance), Reachable: st.Reachable, Health: string(st.Health),
		Why: st.Why, Version: st.Version, Unit: r.Unit, State: st.Unit, AgeMs: age(r.State.At, now)}
	if r.Port > 0 {
		c.Port = &r.Port
	}
	if st.Reachable && r.Ask != model.AskUnit {
		v := ms(r.State.Took)
		c.Ms = &v
	}
	return c
}
