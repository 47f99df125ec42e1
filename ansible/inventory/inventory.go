package inventory

import (
	"sort"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// Inventory is what Ansible knows after reading an inventory and the vars
// files beside it.
type Inventory struct {
	Source   string   // name of the inventory file, as given
	Files    []string // every file that was read, in order
	Hash     string   // SHA-256 over names and bytes of Files, in hex
	Groups   []*Group // in order of first appearance; all and ungrouped first
	Hosts    []*Host  // in order of first appearance
	Warnings []Warning

	groups map[string]*Group
	hosts  map[string]*Host
	text   map[string][]byte // what was read, by the names in Files
	lines  map[string][]int  // where the lines of text begin, computed on first use
	spent  *budget.Budget
	// again reads the inventory once more, with other text for some of Files.
	again func(with map[string][]byte) (*Inventory, error)
}

// Warning is something odd that Ansible only warns about, or says nothing of.
type Warning struct {
	At    source.Pos
	Text  string
	Twice bool // a key is written twice in one mapping
}

// Group is one group of the inventory.
type Group struct {
	Name     string
	At       source.Pos
	Depth    int // longest way from "all"
	Priority int // ansible_group_priority, 1 unless set
	Vars     *py.Dict
	Children []*Group // in order
	Hosts    []*Host  // direct members, in order

	parents  []*Group
	fileVars *py.Dict // from group_vars
	playVars *py.Dict // from group_vars beside the playbooks
}

// Host is one host of the inventory.
type Host struct {
	Name string
	At   source.Pos // where it first appears
	Vars *py.Dict   // inline host variables only

	groups   []*Group // direct
	fileVars *py.Dict // from host_vars
	playVars *py.Dict // from host_vars beside the playbooks
	all      *py.Dict // every variable, merged
	ancestry []*Group
}

// Budget is what reading the inventory has left for what is made of it.
func (inv *Inventory) Budget() *budget.Budget { return inv.spent }

// Group returns the group of that name, or nil.
func (inv *Inventory) Group(name string) *Group { return inv.groups[name] }

// Host returns the host of that name, or nil.
func (inv *Inventory) Host(name string) *Host { return inv.hosts[name] }

// mostWritten is how much Written gives of a line, in bytes.
const mostWritten = 4096

// Written is the rest of the line at a place of a file that was read, without
// its line end; "" when there is no such place. It may hold a secret.
func (inv *Inventory) Written(at source.Pos) string {
	data := inv.text[at.File]
	begins, ok := inv.lines[at.File]
	if !ok {
		begins = []int{0}
		for i, c := range data {
			if c == '\n' {
				begins = append(begins, i+1)
			}
		}
		if inv.lines == nil {
			inv.lines = map[string][]int{}
		}
		inv.lines[at.File] = begins
	}
	if at.Line < 1 || at.Line > len(begins) {
		return ""
	}
	from := begins[at.Line-1] + at.Column - 1
	end := len(data)
	if at.Line < len(begins) {
		end = begins[at.Line] - 1
	}
	if at.Column < 1 || from >= end {
		return ""
	}
	return strings.TrimRight(string(data[from:min(end, from+mostWritten)]), "\r")
}

// All are the variables in force for the host, each with the place of the
// definition that won. The magic variables are not among them.
func (h *Host) All() *py.Dict { return h.all }

// Override gives a variable another value for this host, over every definition;
// its place stays that of the one that had won.
func (h *Host) Override(name string, value py.Value) {
	at := h.At
	if e := h.all.Lookup(name); e != nil {
		at = e.At
	}
	h.all.Set(name, value, at)
}

// Groups are all groups of the host with their ancestors, least specific
// first: the order in which their variables override each other.
func (h *Host) Groups() []*Group { return h.ancestry }

// AllHosts are the hosts of the group and of its descendants, each once, in
// Ansible's order: the descendants group by group, then direct members.
func (g *Group) AllHosts() []*Host {
	var out []*Host
	seen := map[*Host]bool{}
	for _, k := range g.descendants() {
		for _, h := range k.Hosts {
			if !seen[h] {
				seen[h] = true
				out = append(out, h)
			}
		}
	}
	return out
}

// descendants is g and every group below it, breadth first, as Ansible walks.
func (g *Group) descendants() []*Group {
	out := []*Group{g}
	seen := map[*Group]bool{g: true}
	for i := 0; i < len(out); i++ {
		for _, c := range out[i].Children {
			if !seen[c] {
				seen[c] = true
				out = append(out, c)
			}
		}
	}
	return out
}

// sortGroups puts groups in the order their variables are applied: by depth,
// then ansible_group_priority, then name.
func sortGroups(gs []*Group) {
	sort.SliceStable(gs, func(i, j int) bool {
		a, b := gs[i], gs[j]
		switch {
		case a.Depth != b.Depth:
			return a.Depth < b.Depth
		case a.Priority != b.Priority:
			return a.Priority < b.Priority
		}
		return a.Name < b.Name
	})
}
