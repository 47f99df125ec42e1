package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/render"
	"pgtui/source"
)

// NodeFiles are the files in the HAProxy directory of one node.
type NodeFiles struct {
	Files map[string][]byte // by name; only regular files
	Err   error             // why they could not be read
	// Missing: there is no such directory; Err is set too.
	Missing bool
}

// Build makes the plan that changes the files of the nodes to what the inventory
// declares of one cluster. The plan has each HAProxy node of the cluster that is
// in have, in the cluster's order. MadeAt is left zero.
//
// Build does not fail: what forbids the plan is in its Problems and in the Err of
// its nodes, see Plan.Refusal. While the cluster has a fatal problem, no file is
// deleted: a service that cannot be rendered keeps its file.
func Build(inv *model.Inventory, c *model.Cluster, want []render.File, have map[model.Host]NodeFiles) Plan {
	p := Plan{Cluster: c.Name, Inventory: inv.Hash}
	for _, x := range c.Problems {
		if x.Fatal {
			p.Problems = append(p.Problems, x)
		}
	}
	for i := range c.LoadBalancers {
		f := &c.LoadBalancers[i]
		if files, ok := have[f.Host]; ok {
			p.Nodes = append(p.Nodes, BuildNode(inv, c, f, wantOf(want, f.Host), files, len(p.Problems) > 0))
		}
	}
	p.ID = IDOf(&p)
	return p
}

func wantOf(want []render.File, host model.Host) map[string][]byte {
	out := map[string][]byte{}
	for _, f := range want {
		if f.Host == host {
			out[f.Name] = f.Data
		}
	}
	return out
}

// BuildNode plans one HAProxy node: want are the wanted files by name. With keep,
// own files that are not wanted stay.
func BuildNode(inv *model.Inventory, c *model.Cluster, f *model.LoadBalancer, want map[string][]byte, have NodeFiles, keep bool) Node {
	n := Node{Host: f.Host, ConfDir: inv.Dialect.ConfDir(), Target: model.SSHTarget{Address: string(f.Host)}, Err: have.Err}
	if node := inv.Node(f.Host); node != nil {
		n.Node, n.Target = node.Name, node.SSH
	}
	if n.Err != nil {
		return n
	}
	n.Have, n.Want = map[string]string{}, map[string]string{}
	own := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(have.Files)) {
		_, wanted := want[name]
		owner := OwnerOf(inv, c, name, have.Files[name], wanted)
		if owner == c.Name {
			own[name] = have.Files[name]
			n.Have[name] = Sum(own[name])
			continue
		}
		n.Foreign = append(n.Foreign, name)
		if wanted && n.Err == nil {
			n.Err = conflict(c, name, owner)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if err := CheckName(name); err != nil && n.Err == nil {
			n.Err = err
		}
		place(&n, name, own[name], want[name])
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		switch _, wanted := want[name]; {
		case wanted:
		case keep:
			n.Want[name] = n.Have[name]
		default:
			n.Changes = append(n.Changes, FileChange{Name: name, Before: Present(own[name])})
		}
	}
	slices.SortFunc(n.Changes, func(a, b FileChange) int { return strings.Compare(a.Name, b.Name) })
	after := maps.Clone(own)
	for _, ch := range n.Changes {
		if after[ch.Name] = ch.After; ch.After == nil {
			delete(after, ch.Name)
		}
	}
	n.Was, n.Become = Sections(own), Sections(after)
	return n
}

// Sections are the sections of files, by file name.
func Sections(files map[string][]byte) []haproxy.Section {
	var out []haproxy.Section
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out = append(out, haproxy.Sections(name, files[name])...)
	}
	return out
}

// place adds one wanted file to the node's plan. have is nil when the node has
// no such file. The date line of an existing file is kept, so it is never part of
// a change.
func place(n *Node, name string, have, want []byte) {
	if _, there := n.Have[name]; !there {
		n.Changes = append(n.Changes, FileChange{Name: name, After: Present(want)})
		n.Want[name] = Sum(want)
		return
	}
	if render.SameFile(Present(have), Present(want)) {
		n.Same++
		n.Want[name] = n.Have[name]
		return
	}
	after := Present(render.KeepDate(want, have))
	n.Changes = append(n.Changes, FileChange{Name: name, Before: Present(have), After: after})
	n.Want[name] = Sum(after)
}

// Present is data as the content of a file that exists: never nil.
func Present(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

func conflict(c *model.Cluster, name string, owner model.ClusterName) error {
	if owner == "" {
		return fmt.Errorf("%s declares %s, and the file on the node has an unknown owner", c.Name, text.Printable(name))
	}
	return &source.Hint{
		Err: fmt.Errorf("%s declares %s, and the file on the node belongs to %s", c.Name, text.Printable(name), owner),
		Try: fmt.Sprintf("give the service of %s another name", c.Name),
	}
}

// CheckName refuses names that HAProxy does not read, and names that are not
// those of a file in its directory.
func CheckName(name string) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' }
	switch {
	case strings.ContainsFunc(name, bad) || strings.HasPrefix(name, ".") || len(name) > 200:
		return fmt.Errorf("%q cannot be the name of a service file", name)
	case !strings.HasSuffix(name, ".cfg") || strings.Index(name, ".cfg") != len(name)-len(".cfg"):
		return fmt.Errorf("HAProxy does not read a file named %q: the name must end at the first .cfg", name)
	}
	return nil
}

// Sum is the SHA-256 of data in hex, as sha256sum prints it.
func Sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// IDOf is a short hash of everything that the plan does and expects: two plans
// with the same ID do the same.
func IDOf(p *Plan) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", p.Cluster)
	for _, n := range p.Nodes {
		fmt.Fprintf(h, "node %q %q %q %q\n", n.Host, n.Target.Address, n.Target.Root, n.ConfDir)
		for _, name := range slices.Sorted(maps.Keys(n.Have)) {
			fmt.Fprintf(h, "have %q %s\n", name, n.Have[name])
		}
		for _, name := range slices.Sorted(maps.Keys(n.Want)) {
			fmt.Fprintf(h, "want %q %s\n", name, n.Want[name])
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
