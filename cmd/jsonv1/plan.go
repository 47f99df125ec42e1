package jsonv1

import (
	"slices"
	"time"

	"pgtui/model"
	"pgtui/plan"
)

// Plan is what `pgtui reload <cluster> --dry-run -o json` prints, and what --out
// saves for `pgtui apply`.
type Plan struct {
	Version       int        `json:"version"` // 1
	Plan          string     `json:"plan"`    // its id; "" when a node could not be read
	Action        string     `json:"action"`  // reload
	Cluster       string     `json:"cluster"`
	Inventory     string     `json:"inventory"`
	InventoryHash string     `json:"inventory_hash"`
	MadeAt        time.Time  `json:"made_at"`
	Changes       bool       `json:"changes"` // false: there is nothing to do
	Force         bool       `json:"force"`
	LiveRoles     bool       `json:"live_roles"`
	ExitCode      int        `json:"exit_code"` // 0 may run, 3 must not: a node could not be read, or a risk stops it
	Nodes         []PlanNode `json:"nodes"`     // in the order of the roll-out
	Risks         []PlanRisk `json:"risks"`     // [] when there are none
	Pigsty        []string   `json:"pigsty"`    // what bin/pgsql-svc would do otherwise
	Problems      []Problem  `json:"problems"`
	Digest        string     `json:"digest"` // of everything above; see Plan.Sum
}

// PlanNode is one HAProxy node.
type PlanNode struct {
	Host    string            `json:"host"`
	Node    string            `json:"node,omitempty"`
	ConfDir string            `json:"conf_dir"`
	Error   string            `json:"error,omitempty"`
	Same    int               `json:"same"`    // files that stay as they are
	Files   []PlanFile        `json:"files"`   // that change
	Foreign []string          `json:"foreign"` // of others in the directory: left alone
	Have    map[string]string `json:"have"`    // the cluster's files and their SHA-256, as they are on the node
	Want    map[string]string `json:"want"`    // as they should become
}

// PlanFile is one file that a plan adds, changes or deletes.
type PlanFile struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"` // add, change, delete
	Have    string   `json:"have_sha256,omitempty"`
	Want    string   `json:"want_sha256,omitempty"`
	Summary []string `json:"summary"`
	Diff    string   `json:"diff"` // unified, secrets masked
}

// PlanRisk is one risk.
type PlanRisk struct {
	Name     string `json:"name"`
	Stops    bool   `json:"stops"`
	Accepted bool   `json:"accepted"`
	Host     string `json:"host,omitempty"`
	What     string `json:"what"`
	Try      string `json:"try,omitempty"`
}

// FromPlan makes the document. words gives a change in words and as a unified
// diff.
func FromPlan(inv *model.Inventory, p *plan.Plan, code int, words func(dir string, c plan.FileChange) ([]string, string)) Plan {
	out := Plan{
		Version: 1, Plan: p.ID, Action: plan.ActionReload, Cluster: string(p.Cluster), Inventory: inv.Source, InventoryHash: p.Inventory, MadeAt: p.MadeAt.UTC(),
		Changes: p.Changed(), Force: p.Force, LiveRoles: p.LiveRoles, ExitCode: code,
		Nodes: []PlanNode{}, Risks: []PlanRisk{}, Pigsty: append([]string{}, p.Pigsty...), Problems: []Problem{},
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		x := PlanNode{
			Host: string(n.Host), Node: n.Node, ConfDir: n.ConfDir, Same: n.Same, Files: []PlanFile{}, Foreign: append([]string{}, n.Foreign...),
			Have: n.Have, Want: n.Want,
		}
		if n.Err != nil {
			x.Error = n.Err.Error()
		}
		for _, c := range n.Changes {
			f := PlanFile{Name: c.Name, Kind: c.Kind(), Have: n.Have[c.Name], Want: n.Want[c.Name]}
			f.Summary, f.Diff = words(n.ConfDir, c)
			f.Summary = append([]string{}, f.Summary...)
			x.Files = append(x.Files, f)
		}
		out.Nodes = append(out.Nodes, x)
	}
	free := p.Unaccepted()
	for _, r := range p.Risks {
		x := PlanRisk{Name: r.Name, Stops: r.Stops(), Host: string(r.Host), What: r.What, Try: r.Try}
		x.Accepted = r.Stops() && !slices.Contains(free, r.Name)
		out.Risks = append(out.Risks, x)
	}
	for _, x := range p.Problems {
		out.Problems = append(out.Problems, Problem{File: x.At.File, Line: x.At.Line, Column: x.At.Column, Subject: x.Subject, What: x.What, Try: x.Try, Fatal: x.Fatal})
	}
	out.Digest = out.Sum()
	return out
}
