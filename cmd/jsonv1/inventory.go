package jsonv1

import (
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan/file"
	"pgtui/source"
)

// Origins is the document of `pgtui inventory -o json`.
type Origins struct {
	Version     int       `json:"version"`
	Inventory   string    `json:"inventory"`
	Hash        string    `json:"inventory_hash"` // SHA-256 of every byte read
	Dialect     string    `json:"dialect"`
	DialectFrom string    `json:"dialect_from"`
	Values      []Origin  `json:"values"`   // cluster by cluster; without what has no definition
	Problems    []Problem `json:"problems"` // of the inventory and of the clusters; [] when there are none
}

// Origin is one variable of a cluster on the hosts that have the same
// definition of it.
type Origin struct {
	Cluster  string   `json:"cluster"` // "" for nodes of no cluster
	Variable string   `json:"variable"`
	Hosts    []string `json:"hosts"`
	All      bool     `json:"all"`     // these are all hosts of a cluster of several
	Differs  bool     `json:"differs"` // the cluster's hosts differ in it, and should not by its nature
	Definition
	Hid []Definition `json:"hid"` // what lost to it, the strongest first; [] when nothing did
}

// Definition is one place that gives a variable a value.
type Definition struct {
	Value  string `json:"value"` // short: the names or the number of a list's entries
	Text   string `json:"text"`  // the whole value as YAML; what may be a secret is masked
	By     string `json:"by"`    // "group pg-test", "group_vars of all", "host 10.10.10.11"
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// NewOrigins makes the document.
func NewOrigins(inv *model.Inventory, found *source.Origins) Origins {
	out := Origins{Version: 1, Inventory: found.Source, Hash: found.Hash, Dialect: string(inv.Dialect), DialectFrom: inv.DialectFrom,
		Values: []Origin{}, Problems: file.Problems(found.Problems)}
	for i := range found.Rows {
		o := &found.Rows[i]
		x := Origin{Cluster: o.Cluster, Variable: o.Variable, All: o.All(), Differs: o.Differs, Definition: newDefinition(&o.Definition), Hid: []Definition{}}
		x.Hosts = append(x.Hosts, o.Hosts...)
		for k := range o.Hid {
			x.Hid = append(x.Hid, newDefinition(&o.Hid[k]))
		}
		out.Values = append(out.Values, x)
	}
	return out
}

func newDefinition(d *source.Definition) Definition {
	return Definition{Value: text.Block(d.Value), Text: text.Block(strings.Join(d.Text, "\n")), By: d.By, File: d.At.File, Line: d.At.Line, Column: d.At.Column}
}
