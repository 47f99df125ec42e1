package source

import (
	"fmt"
	"strings"
)

// Origins is where the values that decide the services of some hosts come from.
type Origins struct {
	Source   string    // the inventory, as given
	Hash     string    // of the inventory as it was read for this, see Inventory.Hash
	Problems []Problem // of the inventory as a whole, and of the clusters in Rows
	// Rows are cluster by cluster, those of one variable together. A variable
	// without a definition is absent.
	Rows []Origin
}

// Definition is one place that gives a variable a value.
type Definition struct {
	At Pos
	// By is whose variables they are, in the words of Ansible: "group pg-test",
	// "group_vars of all", "host 10.10.10.11".
	By    string
	Value string // short; lists and mappings only by their names or size
	// Text is the whole value as lines of YAML. What may be a secret is masked;
	// the end of a very long value is left out, and "…" marks it.
	Text []string
}

// From is the file and the line, "pigsty.yml:12"; the file only where no line
// is known.
func (d *Definition) From() string {
	if d.At.Line > 0 {
		return fmt.Sprintf("%s:%d", d.At.File, d.At.Line)
	}
	return d.At.File
}

// Origin is one variable of a cluster on the hosts that have the same
// definition of it: the one that won.
type Origin struct {
	Cluster  string   // pg_cluster as written; "" for nodes of no cluster
	Hosts    []string // that it holds on
	Of       int      // how many hosts of the cluster were compared
	Variable string
	Definition
	// Differs says that the hosts of the cluster do not all have the same value,
	// or that some have Pigsty's default. It is never set for variables that
	// identify hosts, such as pg_seq.
	Differs bool
	// Hid are the definitions that lost to this one, the strongest first.
	Hid []Definition
}

// All reports that it holds on every host of a cluster of several.
func (o *Origin) All() bool { return o.Of > 1 && len(o.Hosts) == o.Of }

// Where names the hosts it holds on, all or the first few.
func (o *Origin) Where() string {
	switch {
	case o.All():
		return fmt.Sprintf("all %d", o.Of)
	case len(o.Hosts) > 3:
		return fmt.Sprintf("%s and %d more", strings.Join(o.Hosts[:2], " "), len(o.Hosts)-2)
	}
	return strings.Join(o.Hosts, " ")
}
