package pigsty

import (
	"strings"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/model"
)

// Named is a host by its variables alone, without a run of the playbook: what has
// a template is left out. It is for completing a word, not for a judgement.
type Named struct {
	Host     model.Host
	Node     string // nodename; "" when it is not declared
	Cluster  model.ClusterName
	Instance model.InstanceName

	vars *py.Dict
}

// NamesIn are the hosts of an inventory, in its order.
func NamesIn(inv *inventory.Inventory) []Named {
	var out []Named
	for _, h := range inv.Hosts {
		n := Named{Host: model.Host(h.Name), vars: h.All()}
		n.Node = n.text("nodename")
		if n.Cluster = model.ClusterName(n.text("pg_cluster")); n.Cluster != "" {
			if seq := n.text("pg_seq"); seq != "" {
				n.Instance = model.InstanceName(string(n.Cluster) + "-" + seq)
			}
		}
		out = append(out, n)
	}
	return out
}

// text is a variable that is a word or a number; "" for everything else.
func (n *Named) text(name string) string {
	switch v, _ := n.vars.Get(name); v := v.(type) {
	case string:
		if !strings.Contains(v, "{{") && !strings.Contains(v, "{%") {
			return v
		}
	case int64:
		return py.Print(v)
	}
	return ""
}

// NamedService is a service by its name and port.
type NamedService struct{ Name, Port string }

// Services are the services that the host's variables declare: pg_default_services,
// Pigsty's own unless they are declared, and pg_services.
func (n *Named) Services() []NamedService {
	var out []NamedService
	seen := map[string]bool{}
	for _, from := range []string{"pg_default_services", "pg_services"} {
		v, ok := n.vars.Get(from)
		if !ok {
			v, _ = baseDefaults().Get(from)
		}
		l, _ := v.([]py.Value)
		for _, it := range l {
			d, ok := it.(*py.Dict)
			if !ok {
				continue
			}
			name, _ := d.Get("name")
			port, _ := d.Get("port")
			if s, ok := name.(string); ok && !seen[s] {
				seen[s] = true
				out = append(out, NamedService{Name: s, Port: py.Print(port)})
			}
		}
	}
	return out
}
