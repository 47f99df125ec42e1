// Package file is the format of saved plans. It makes the document of a plan,
// seals it, reads it back, and compares it with the plan that would be made now.
package file

import (
	"path"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/render"
	"pgtui/source"
)

// Plan is the document that `pgtui reload <cluster> --dry-run --out` saves for
// `pgtui apply`, and that -o json prints.
type Plan struct {
	Version       int       `json:"version"` // 1
	Plan          string    `json:"plan"`    // its id; "" when a node could not be read
	Action        string    `json:"action"`  // reload
	Cluster       string    `json:"cluster"`
	Inventory     string    `json:"inventory"`
	InventoryHash string    `json:"inventory_hash"`
	MadeAt        time.Time `json:"made_at"`
	Changes       bool      `json:"changes"` // false: there is nothing to do
	Force         bool      `json:"force"`
	LiveRoles     bool      `json:"live_roles"`
	ExitCode      int       `json:"exit_code"` // 0 may run, 3 must not: a node could not be read, or a risk stops it
	Nodes         []Node    `json:"nodes"`     // in the order of the roll-out
	Risks         []Risk    `json:"risks"`     // [] when there are none
	Pigsty        []string  `json:"pigsty"`    // where bin/pgsql-svc would behave differently
	Problems      []Problem `json:"problems"`
	Digest        string    `json:"digest"` // of everything above; see Plan.Sum
}

// Node is one HAProxy node.
type Node struct {
	Host    string            `json:"host"`
	Node    string            `json:"node,omitempty"`
	ConfDir string            `json:"conf_dir"`
	Error   string            `json:"error,omitempty"`
	Same    int               `json:"same"`    // files that stay as they are
	Files   []File            `json:"files"`   // that change
	Foreign []string          `json:"foreign"` // files of others in the directory: left alone
	Have    map[string]string `json:"have"`    // the cluster's files and their SHA-256, as they are on the node
	Want    map[string]string `json:"want"`    // as they will be
}

// File is one file that a plan adds, changes or deletes.
type File struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"` // add, change, delete
	Have    string   `json:"have_sha256,omitempty"`
	Want    string   `json:"want_sha256,omitempty"`
	Summary []string `json:"summary"`
	Diff    string   `json:"diff"` // unified, secrets masked
}

// Risk is one risk.
type Risk struct {
	Name     string `json:"name"`
	Stops    bool   `json:"stops"`
	Accepted bool   `json:"accepted"`
	Host     string `json:"host,omitempty"`
	What     string `json:"what"`
	Try      string `json:"try,omitempty"`
}

// Problem is something wrong with the inventory.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Subject string `json:"subject"`
	What    string `json:"what"`
	Try     string `json:"try,omitempty"`
	Fatal   bool   `json:"fatal"` // the files it names are not rendered
}

// Problems are the documents of problems, [] for none.
func Problems(list []source.Problem) []Problem {
	out := []Problem{}
	for _, p := range list {
		out = append(out, Problem{File: p.At.File, Line: p.At.Line, Column: p.At.Column, Subject: p.Subject, What: p.What, Try: p.Try, Fatal: p.Fatal})
	}
	return out
}

// New makes the document of a plan; code is the exit code of showing it.
func New(inv *model.Inventory, p *plan.Plan, code int) Plan {
	out := Plan{
		Version: 1, Plan: p.ID, Action: plan.ActionReload, Cluster: string(p.Cluster), Inventory: inv.Source, InventoryHash: p.Inventory, MadeAt: p.MadeAt.UTC(),
		Changes: p.Changed(), Force: p.Force, LiveRoles: p.LiveRoles, ExitCode: code,
		Nodes: []Node{}, Pigsty: append([]string{}, p.Pigsty...), Problems: Problems(p.Problems),
	}
	for i := range p.Nodes {
		out.Nodes = append(out.Nodes, newNode(&p.Nodes[i]))
	}
	out.Risks = newRisks(p.Risks, p.Accepted)
	out.Digest = out.Sum()
	return out
}

func newNode(n *plan.Node) Node {
	x := Node{
		Host: string(n.Host), Node: n.Node, ConfDir: n.ConfDir, Same: n.Same, Files: []File{}, Foreign: append([]string{}, n.Foreign...),
		Have: n.Have, Want: n.Want,
	}
	if n.Err != nil {
		x.Error = n.Err.Error()
	}
	for _, c := range n.Changes {
		x.Files = append(x.Files, File{
			Name: c.Name, Kind: c.Kind(), Have: n.Have[c.Name], Want: n.Want[c.Name],
			Summary: append([]string{}, render.Summary(c.Before, c.After)...), Diff: Diff(n.ConfDir, c.Name, c.Before, c.After),
		})
	}
	return x
}

// Diff is the unified diff of a file in a directory.
func Diff(dir, name string, before, after []byte) string {
	return render.Unified(strings.TrimPrefix(path.Join(dir, name), "/"), before, after)
}
