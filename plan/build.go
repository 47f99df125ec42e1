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

// NodeFiles is what the HAProxy directory of one node holds.
type NodeFiles struct {
	Files map[string][]byte // by name; only regular files
	Err   error             // why they could not be read
	// Missing: there is no such directory; Err says so too.
	Missing bool
}

// Build makes the plan that turns what the nodes have into what the inventory
// wants of one cluster. The plan has a node for each front of the cluster that
// stands in have, in the cluster's order. MadeAt is left zero.
//
// Build does not fail: what forbids the plan is in its Problems and in the Err
// of its nodes, see model.Plan.Refusal. While the cluster has a fatal problem
// no file is deleted: the service that cannot be rendered keeps the file it
// has.
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
	p.ID = PlanID(&p)
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
	n.Expect, n.Gone = expect(f, want), Gone(n.Changes, want)
	n.Was, n.Become = Sections(own), Sections(becomes(&n, own))
	return n
}

// becomes are the cluster's files on a node as its plan leaves them.
func becomes(n *Node, own map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for name := range n.Want {
		out[name] = own[name]
	}
	for _, ch := range n.Changes {
		if ch.After != nil {
			out[ch.Name] = ch.After
		}
	}
	return out
}

// Sections are the listen sections of files, by file name.
func Sections(files map[string][]byte) []haproxy.ConfSection {
	var out []haproxy.ConfSection
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out = append(out, haproxy.Conf(name, files[name])...)
	}
	return out
}

// place adds one wanted file to the node's plan. have is nil when the node has
// no such file. The date line of a file that is there is kept: it is never a
// change, and never part of one.
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
		return fmt.Errorf("%s is wanted by %s, but the file on the node is not known to be its own", text.Printable(name), c.Name)
	}
	return &source.Hint{
		Err: fmt.Errorf("%s is wanted by %s, but the file on the node belongs to %s", text.Printable(name), c.Name, owner),
		Try: fmt.Sprintf("give the service of %s another name", c.Name),
	}
}

// CheckName refuses the names that HAProxy would not read, and those that
// could name anything but a file in its directory.
func CheckName(name string) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' }
	switch {
	case strings.ContainsFunc(name, bad) || strings.HasPrefix(name, ".") || len(name) > 200:
		return fmt.Errorf("%q cannot be the name of a service file", name)
	case !strings.HasSuffix(name, ".cfg") || strings.Index(name, ".cfg") != len(name)-len(".cfg"):
		return fmt.Errorf("HAProxy would not read a file named %q: the first .cfg must be its end", name)
	}
	return nil
}

// expect lists the sections of the wanted files with the servers that HAProxy
// must show for them.
func expect(f *model.LoadBalancer, want map[string][]byte) []ExpectedProxy {
	var out []ExpectedProxy
	for i := range f.Services {
		s := &f.Services[i]
		if _, ok := want[s.FileName()]; !ok {
			continue
		}
		x := ExpectedProxy{Name: s.Proxy()}
		servers, backup := s.Servers()
		for j, v := range servers {
			x.Servers = append(x.Servers, haproxy.ExpectedServer{Name: string(v.Name), Weight: v.Weight, Backup: backup[j]})
		}
		out = append(out, x)
	}
	return out
}

// Gone are the sections of changed and deleted files that no wanted file has.
func Gone(changes []FileChange, want map[string][]byte) []string {
	stay := map[string]bool{}
	for _, data := range want {
		for _, s := range haproxy.Sections(data) {
			stay[s.Name] = true
		}
	}
	var out []string
	for _, ch := range changes {
		for _, s := range haproxy.Sections(ch.Before) {
			if !stay[s.Name] && s.Name != "" {
				stay[s.Name] = true
				out = append(out, s.Name)
			}
		}
	}
	return out
}

// Sum is the SHA-256 of data in hex, as sha256sum prints it.
func Sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// PlanID is a short hash of everything that the plan would do, and of what it
// would find: two plans with one ID are the same work.
func PlanID(p *Plan) string {
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
