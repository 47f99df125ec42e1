package lint

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/source"
)

// Input is what rules look at.
type Input struct {
	*pigsty.Play

	list    []model.Cluster // as they would be if Pigsty refused none
	shipped map[string]*py.Dict
	decls   map[model.Host][]pigsty.Decl
}

// NewInput prepares a run of the playbook for the rules.
func NewInput(p *pigsty.Play) *Input {
	return &Input{Play: p, list: p.Drafts(), shipped: p.Shipped(), decls: map[model.Host][]pigsty.Decl{}}
}

// clusters are the clusters of the inventory.
func (in *Input) clusters() []*model.Cluster {
	var out []*model.Cluster
	for i := range in.list {
		out = append(out, &in.list[i])
	}
	return out
}

// services are what is declared for a host.
func (in *Input) services(h model.Host) []pigsty.Decl {
	d, ok := in.decls[h]
	if !ok {
		d = in.Services(h)
		in.decls[h] = d
	}
	return d
}

// cost takes steps off the budget of the inventory: rules that look at much of
// it pay for that. An error ends the run, see Run.
func (in *Input) cost(steps int) error { return in.Budget().Spend(steps, 0) }

// decl is the declaration that a rendered service came from, nil when unknown.
func (in *Input) decl(s *model.Service) *py.Dict {
	var out *py.Dict
	all := in.services(s.Rendered)
	if in.cost(1+len(all)>>3) != nil {
		return nil
	}
	for _, d := range all {
		if d.Name == string(s.Name) {
			out = d.Dict
		}
	}
	return out
}

// ours reports whether the service is one of Pigsty's own: not declared in the
// inventory, or declared there word by word as Pigsty has it. The standby
// service that Pigsty's example inventories add to every cluster counts too.
func (in *Input) ours(s *model.Service) bool {
	if s.Line.Line == 0 || s.Name == "standby" && s.Check == "/sync" && s.Selector == "[]" {
		return true
	}
	d, was := in.decl(s), in.shipped[string(s.Name)]
	if d == nil || was == nil {
		return false
	}
	for _, key := range []string{"selector", "backup", "check"} {
		a, okA := d.Get(key)
		b, okB := was.Get(key)
		if okA != okB || strings.Join(strings.Fields(py.Print(a)), "") != strings.Join(strings.Fields(py.Print(b)), "") {
			return false
		}
	}
	return true
}

// at is where a field of the service is written; where the service is when the
// field is not; where its cluster is when it is one of Pigsty's own.
func (in *Input) at(s *model.Service, key string) source.Pos {
	if e := in.decl(s).Lookup(key); e != nil && e.At.Line != 0 {
		return e.At
	}
	if s.Line.Line != 0 {
		return s.Line
	}
	return in.var1(s.Rendered, "pg_cluster")
}

// var1 is where a variable of the host is defined.
func (in *Input) var1(h model.Host, name string) source.Pos {
	at, _ := in.At(h, name)
	return at
}

// clusterAt is where the cluster gets its name.
func (in *Input) clusterAt(c *model.Cluster) source.Pos {
	if len(c.Instances) == 0 {
		return source.Pos{}
	}
	return in.var1(c.Instances[0].Host, "pg_cluster")
}

// primary is the first member that declares itself primary, "" when none does.
func primary(c *model.Cluster) model.Host {
	for _, m := range c.Instances {
		if m.Role == model.RolePrimary {
			return m.Host
		}
	}
	return ""
}

// each yields every rendered service of every HAProxy node, each declaration
// once for a rendering host, with its cluster.
func (in *Input) each() iter.Seq2[*model.Cluster, *model.Service] {
	return func(yield func(*model.Cluster, *model.Service) bool) {
		for _, c := range in.clusters() {
			seen := map[string]bool{}
			for i := range c.LoadBalancers {
				for j := range c.LoadBalancers[i].Services {
					s := &c.LoadBalancers[i].Services[j]
					if in.cost(1+len(s.Members)>>3+(len(s.Selector)+len(s.Backup)+len(s.Options)+len(s.Check)+len(s.Port)+len(s.IP))>>9) != nil {
						return
					}
					key := fmt.Sprint(s.Rendered, " ", s.Name)
					if !seen[key] && !yield(c, s) {
						return
					}
					seen[key] = true
				}
			}
		}
	}
}

// members yields every member with its cluster, in inventory order.
func (in *Input) members() iter.Seq2[*model.Cluster, model.Instance] {
	return func(yield func(*model.Cluster, model.Instance) bool) {
		for _, c := range in.clusters() {
			for _, m := range c.Instances {
				if !yield(c, m) {
					return
				}
			}
		}
	}
}

// on reports a bool variable of the host as Ansible's |bool reads it.
func (in *Input) on(h model.Host, name string, def bool) bool {
	v, ok, err := in.Var(h, name)
	if !ok || err != nil {
		return def
	}
	return py.Bool(v)
}

// portVar is a port variable of the host, def when it is not defined; 0 when
// it is not a port.
func (in *Input) portVar(h model.Host, name string, def int) int {
	v, ok, err := in.Var(h, name)
	if !ok || err != nil {
		return def
	}
	return portOf(py.Print(v))
}

// portOf is s as a port, 0 when it is not one.
func portOf(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 || strings.Trim(s, "0123456789") != "" {
		return 0
	}
	return n
}

// place words a position as messages name it.
func place(at source.Pos) string {
	if at.Line == 0 {
		return "Pigsty's own defaults"
	}
	return fmt.Sprintf("%s:%d", at.File, at.Line)
}

// title is the cluster and service as messages name them.
func title(c *model.Cluster, s *model.Service) string { return string(c.Name) + " " + string(s.Name) }
