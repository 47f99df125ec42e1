package plan

import (
	"maps"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/render"
)

// Drift is the state of every file: on the cluster's HAProxy nodes in have, in
// order, then on the other nodes in have, where only stale files count. No plan
// touches stale files.
func Drift(inv *model.Inventory, c *model.Cluster, want []render.File, have map[model.Host]NodeFiles) []NodeDrift {
	var out []NodeDrift
	for _, n := range Build(inv, c, want, have).Nodes {
		out = append(out, frontDrift(inv, c, &n, wantOf(want, n.Host), have[n.Host]))
	}
	for _, h := range slices.Sorted(maps.Keys(have)) {
		if c.LoadBalancer(h) == nil {
			out = append(out, staleDrift(inv, c, h, have[h]))
		}
	}
	return out
}

func frontDrift(inv *model.Inventory, c *model.Cluster, n *Node, want map[string][]byte, have NodeFiles) NodeDrift {
	d := NodeDrift{Host: n.Host, Node: n.Node, ConfDir: n.ConfDir, Front: true, Err: n.Err}
	if have.Err != nil {
		return d
	}
	changed := map[string]bool{}
	for _, ch := range n.Changes {
		changed[ch.Name] = true
		d.Files = append(d.Files, FileDrift{Name: ch.Name, State: stateOf(ch), Summary: render.Summary(ch.Before, ch.After), Before: ch.Before, After: ch.After})
	}
	for name := range n.Have {
		if changed[name] {
			continue
		}
		f := FileDrift{Name: name, State: FileSame, Before: have.Files[name], After: have.Files[name]}
		if _, ok := want[name]; !ok {
			f.State = FileUnrendered
		}
		d.Files = append(d.Files, f)
	}
	for _, name := range n.Foreign {
		_, wanted := want[name]
		d.Files = append(d.Files, FileDrift{Name: name, State: FileForeign, Owner: OwnerOf(inv, c, name, have.Files[name], wanted)})
	}
	sortFiles(&d)
	return d
}

func stateOf(ch FileChange) FileState {
	switch {
	case ch.Before == nil:
		return FileMissing
	case ch.After == nil:
		return FileExtra
	case render.Cosmetic(ch.Before, ch.After):
		return FileCosmetic
	}
	return FileSemantic
}

func staleDrift(inv *model.Inventory, c *model.Cluster, h model.Host, have NodeFiles) NodeDrift {
	d := NodeDrift{Host: h, ConfDir: inv.Dialect.ConfDir(), Err: have.Err}
	if n := inv.Node(h); n != nil {
		d.Node = n.Name
	}
	if have.Missing {
		d.Err = nil // without a directory there is no stale file
		return d
	}
	for name, data := range have.Files {
		if OwnerOf(inv, c, name, data, false) == c.Name {
			d.Files = append(d.Files, FileDrift{Name: name, State: FileStale, Before: Present(data)})
		}
	}
	sortFiles(&d)
	return d
}

// sortFiles sorts the files of a node by name.
func sortFiles(n *NodeDrift) {
	slices.SortFunc(n.Files, func(a, b FileDrift) int { return strings.Compare(a.Name, b.Name) })
}

// Former are the nodes that may have files from a time when they provided the
// cluster's services: its own nodes, and the providers of other clusters.
func Former(inv *model.Inventory, c *model.Cluster) []model.Host {
	var out []model.Host
	add := func(h model.Host) {
		if c.LoadBalancer(h) == nil && !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	for _, m := range c.Instances {
		add(m.Host)
	}
	for i := range inv.Clusters {
		if o := &inv.Clusters[i]; o.Provider != "" && o.Name != c.Name {
			for _, f := range o.LoadBalancers {
				add(f.Host)
			}
		}
	}
	return out
}

// FileState is how a file in an HAProxy directory compares with the inventory.
type FileState string

// The states of a file.
const (
	FileSame       FileState = "same"       // as declared, except the date line
	FileCosmetic   FileState = "cosmetic"   // other bytes, but no difference to HAProxy
	FileSemantic   FileState = "semantic"   // HAProxy would behave differently
	FileMissing    FileState = "missing"    // declared, and not on the node
	FileExtra      FileState = "extra"      // this cluster's, and no longer declared: a reload deletes it
	FileUnrendered FileState = "unrendered" // this cluster's, and its service cannot be rendered: not changed
	FileForeign    FileState = "foreign"    // another cluster's, or of unknown owner: not changed
	FileStale      FileState = "stale"      // this cluster's, on a node that no longer provides its services: not changed
)

// FileDrift is one file of a node.
type FileDrift struct {
	Name  string
	State FileState
	// Owner is the cluster a foreign file belongs to; "" when no cluster of
	// the inventory claims it, and for files of the cluster itself.
	Owner model.ClusterName
	// Summary is what a reload changes in it, in words, safe to print.
	Summary       []string
	Before, After []byte // nil when the file does not exist, is deleted, or is foreign
}

// NodeDrift is one node with the files in its HAProxy directory.
type NodeDrift struct {
	Host    model.Host
	Node    string // nodename
	ConfDir string
	Front   bool        // it provides the cluster's services
	Files   []FileDrift // by name; only the stale ones unless Front
	Err     error       // why the node could not be read
	// ByHand are the servers of its HAProxy that were taken out by hand, in words.
	ByHand []string
}

// Differs reports whether a file on the node differs from the inventory. Foreign
// files and those that cannot be rendered do not count.
func (n NodeDrift) Differs() bool {
	return slices.ContainsFunc(n.Files, func(f FileDrift) bool {
		return f.State != FileSame && f.State != FileForeign && f.State != FileUnrendered
	})
}
