package jsonv1

import (
	"pgtui/model"
	"pgtui/plan"
	"pgtui/plan/file"
)

// Diff is what `pgtui diff <cluster> -o json` prints.
type Diff struct {
	Version   int        `json:"version"` // 1
	Inventory string     `json:"inventory"`
	Cluster   string     `json:"cluster"`
	ExitCode  int        `json:"exit_code"` // 0 same, 1 different, 2 unknown
	Nodes     []DiffNode `json:"nodes"`     // the HAProxy nodes, then those that may have been
	Problems  []Problem  `json:"problems"`  // of the cluster; [] when there are none
}

// DiffNode is one node with the files in its HAProxy directory.
type DiffNode struct {
	Host    string     `json:"host"`
	Node    string     `json:"node,omitempty"`
	Front   bool       `json:"front"` // it provides the cluster's services
	ConfDir string     `json:"conf_dir"`
	Differs bool       `json:"differs"`
	Error   string     `json:"error,omitempty"` // why the node could not be read
	Files   []DiffFile `json:"files"`           // by name; of a node without the cluster's services the stale ones only
	ByHand  []string   `json:"by_hand"`         // servers of its HAProxy in drain, maint or at weight 0 by hand; [] when none is known
}

// DiffFile is one file.
type DiffFile struct {
	Name    string   `json:"name"`
	State   string   `json:"state"`           // same, cosmetic, semantic, missing, extra, unrendered, foreign, stale
	Owner   string   `json:"owner,omitempty"` // cluster a foreign file belongs to; absent when no cluster claims it
	Summary []string `json:"summary"`         // what a reload changes in it, in words; [] when nothing
	Diff    string   `json:"diff,omitempty"`  // unified, secrets masked
}

// Problem is something wrong with the inventory.
type Problem = file.Problem

// FromDrift makes the document.
func FromDrift(inv *model.Inventory, c *model.Cluster, code int, drift []plan.NodeDrift) Diff {
	out := Diff{Version: 1, Inventory: inv.Source, Cluster: string(c.Name), ExitCode: code, Nodes: []DiffNode{}, Problems: file.Problems(c.Problems)}
	for _, n := range drift {
		x := DiffNode{Host: string(n.Host), Node: n.Node, Front: n.Front, ConfDir: n.ConfDir, Differs: n.Differs(), Files: []DiffFile{}, ByHand: append([]string{}, n.ByHand...)}
		if n.Err != nil {
			x.Error = n.Err.Error()
		}
		for _, f := range n.Files {
			x.Files = append(x.Files, DiffFile{Name: f.Name, State: string(f.State), Owner: string(f.Owner), Summary: append([]string{}, f.Summary...), Diff: fileDiff(n, f)})
		}
		out.Nodes = append(out.Nodes, x)
	}
	return out
}

// fileDiff is the unified diff of one file; "" for files of others and those
// that a reload leaves alone.
func fileDiff(n plan.NodeDrift, f plan.FileDrift) string {
	switch f.State {
	case plan.FileCosmetic, plan.FileSemantic, plan.FileMissing, plan.FileExtra:
		return file.Diff(n.ConfDir, f.Name, f.Before, f.After)
	}
	return ""
}
